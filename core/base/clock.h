/* SPDX-License-Identifier: MIT */
/* Time: UTC seconds for what is recorded, monotonic nanoseconds for deadlines; the proleptic Gregorian calendar. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H
#include "base/slice.h"

int64_t clock_utc(void);     /* seconds since 1970-01-01T00:00:00Z */
int64_t clock_mono_ms(void); /* CLOCK_MONOTONIC, milliseconds */
/* Days since 1970-01-01 of a civil date, and back (Hinnant's algorithms); years 0..9999. */
int64_t days_from_civil(int64_t y, unsigned m, unsigned d);
void civil_from_days(int64_t days, int64_t *y, unsigned *m, unsigned *d);
unsigned days_in_month(int64_t y, unsigned m);
/* "2026-11-23T23:44:35Z"; 21 bytes. What lies outside the years 0..9999 becomes the nearest moment inside. */
void time_format(int64_t t, char buf[32]);
/* RFC 3339 with Z or an offset, fractions dropped; also a bare date (midnight UTC). */
bool time_parse(struct slice s, int64_t *ret);
/* HTTP-date (RFC 9110 5.6.7, the three forms) to seconds. */
bool time_parse_http(struct slice s, int64_t *ret);
/* "90s" "15m" "6h" "7d" "2w" (w only where weeks is true; "1m" is a minute, or 30 days where weeks is true). */
bool duration_parse(struct slice s, bool weeks, int64_t *ret_seconds);
/* "512" "512k" "64M" "2G" (powers of 1024). */
bool size_parse(struct slice s, int64_t *ret_bytes);
#endif
