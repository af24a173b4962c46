/* SPDX-License-Identifier: MIT */
/*
 * Periods as an integer in units of their frequency since year 0 (DESIGN section 2; SDMX 2.1 SDMXCommon.xsd; ISO 8601).
 * A: year; S: year*2+half-1; T: year*3+third-1; Q: year*4+quarter-1; M: year*12+month-1;
 * D and B: days since 0000-01-01 (proleptic Gregorian); W: ISO weeks, 0 = the week that holds 0000-01-03 (a Monday).
 * All are >= 0 for the years 0001..9999; negative integers are entries of a run's period table (ranges, finer times).
 */
#ifndef MODEL_PERIOD_H
#define MODEL_PERIOD_H
#include "base/diag.h"
#include "base/strbuf.h"

struct period {
	char freq;     /* A S T Q M W D B; 'I' for a table entry: a range or a finer time, kept by its text */
	int32_t value; /* >= 0; for 'I': unused, the text is the period */
};
/*
 * Reads a period. want: the series' frequency, or 0: decided by the text. Accepted (SOURCES section 2.7):
 * A 2010 2010-A1 2010A1 YR2010 YTD:2010 "1960 [YR1960]" | S 2010-S1 2010S1 2010S01 2010-H1 2010H1
 * T 2010-T1 | Q 2010-Q1 2010Q1 2010Q01 2010K1 (Nordic)
 * M 2010-05 2010M05 2010M5 2010-M05, 201005 only with want 'M' | W 2010-W05 2010W05 2010W5 2010U05 (Nordic)
 * D 2010-05-17 2010-D137 "13 April 2026" "13 Apr 2026", 20100517 only with want 'D' or 'B'
 * A dateTime at midnight is its day, another one 'I'; so are, under any want, the ISO ranges 2010-01-01/P3M and
 * 2010-01-01/2010-03-31. A time zone is dropped: the provider's own date counts. Reporting years are taken to start on
 * 1 January (of others: period_reporting()). Not accepted: Q1-2010, 2010-B1, "Apr 13, 2026".
 * A week 53 in a year without one, W99, month 13, 2023-02-30 and years outside 0001..9999 are errors.
 * A text of a finer or coarser frequency than want is an error, except that want 'B' takes days, and A S T Q M the first and the last
 * day of a period as the period.
 * Returns GLANE_E_DATA with a message naming the text.
 */
glane_rc period_parse(struct slice text, char want, struct period *ret, struct diag *d);
/*
 * A span of whole years, as 1987-1989 (WHO's surveys), in the SDMX form of a range: 1987-01-01/P3Y (SOURCES section 2.7). False where
 * text is none: two years of four digits, the second one the later, and nothing else. *ret borrows out.
 */
#define PERIOD_YEARS 17
bool period_years(struct slice text, char out[PERIOD_YEARS], struct slice *ret);
/*
 * A period of a reporting year that begins on `start` ("--07-01"): 2010-M01 is then 2010-07, 2010-A1 2010-07-01/P1Y. What is no such
 * period stays as it is, and all does where start is absent or 1 January. *ret borrows out or text. GLANE_E_DATA: start is no day, or the period none.
 */
#define PERIOD_REPORTING 32
glane_rc period_reporting(
	struct slice text, struct slice start, char out[PERIOD_REPORTING], struct slice *ret, struct diag *d);
/* SDMX text: 2023, 2023-S1, 2023-T2, 2023-Q4, 2023-07, 2023-W05, 2023-07-15. */
void period_print(struct strbuf *b, char freq, int32_t value);
/* First day as days since 1970-01-01 (clock.h); of 'I' texts: the date they start with. */
int64_t period_start(char freq, int32_t value);
bool period_text_start(struct slice text, int64_t *ret_days);
/* Smallest and largest valid integer of a frequency (years 1 and 9999), for checks of what crosses a process boundary;
 * 0 and -1 of another letter. */
int32_t period_min(char freq);
int32_t period_max(char freq);
bool period_freq_ok(char freq); /* one of A S T Q M W D B I */
/* Header cell that is a period column: what period_parse() reads under want 0 (2020, YR2020, "2020 [YR2020]", 2020Q1,
 * 2020M01), no range or time, blanks around it dropped; also F2020. GLANE_E_DATA otherwise. */
glane_rc period_header(struct slice cell, struct period *ret);
#endif
