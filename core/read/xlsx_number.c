/* SPDX-License-Identifier: MIT */
/* Numbers of spreadsheet cells: shortest decimals, and dates. */
#include "model/decimal.h"
#include "read/xlsx.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define LAST_DAY 2958465 /* 9999-12-31 */
#define DAYS_1904 1462
#define EXACT 17 /* digits of a double that was written in full */

static size_t digits_of(struct slice s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n && (s.p[i] | 0x20) != 'e'; i++)
		n += s.p[i] >= '0' && s.p[i] <= '9' && (n || s.p[i] != '0');
	return n;
}

static bool has_exponent(struct slice s)
{
	return memchr(s.p, 'e', s.n) || memchr(s.p, 'E', s.n);
}

/* Between brackets stands h, hh, mm, ss, ...: an elapsed time. Else it is a colour, a condition or a locale. */
static bool is_elapsed(const char *p, const char *end)
{
	const char unit = p < end ? *p : 0;

	while (p < end && (*p | 0x20) == (unit | 0x20))
		p++;
	return p == end && unit && strchr("hHmMsS", unit);
}

unsigned xlsx_format(uint32_t id, struct slice code)
{
	unsigned found = 0;
	bool is_m = false;

	if ((id >= 14 && id <= 17) || (id >= 27 && id <= 31) || id == 36 || (id >= 50 && id <= 58))
		return XLSX_DATE;
	if ((id >= 18 && id <= 21) || (id >= 32 && id <= 35) || (id >= 45 && id <= 47))
		return XLSX_TIME;
	if (id == 22)
		return XLSX_DATE | XLSX_TIME;
	for (size_t i = 0; i < code.n && code.p[i] != ';'; i++) {
		const char c = code.p[i];
		const char *end =
			c == '"' || c == '[' ? memchr(code.p + i + 1, c == '"' ? '"' : ']', code.n - i - 1) : NULL;

		if (c == '[' && end && is_elapsed(code.p + i + 1, end))
			found |= XLSX_TIME;
		if (end)
			i = (size_t)(end - code.p);
		else if (c == '\\' || c == '_' || c == '*')
			i++;
		else if (c == 'y' || c == 'Y' || c == 'd' || c == 'D')
			found |= XLSX_DATE;
		else if (c == 'h' || c == 'H' || c == 's' || c == 'S')
			found |= XLSX_TIME;
		else
			is_m |= c == 'm' || c == 'M';
	}
	return found ? found : is_m ? XLSX_DATE : 0;
}

/* Days since 0000-03-01 to a date (Howard Hinnant's civil_from_days). */
static void put_date(struct strbuf *out, long serial, bool is_1904)
{
	long z = serial + (is_1904 ? DAYS_1904 : serial < 60 ? 1 : 0) + 693899; /* 1899-12-30 */
	long era = z / 146097, doe = z % 146097, yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	long doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	long month = mp < 10 ? mp + 3 : mp - 9;
	char text[48];

	(void)snprintf(text, sizeof(text), "%04ld-%02ld-%02ld", yoe + era * 400 + (month <= 2), month,
		doy - (153 * mp + 2) / 5 + 1);
	strbuf_puts(out, !is_1904 && serial == 60 ? "1900-02-29" : text);
}

static bool put_moment(struct strbuf *out, double v, unsigned style, bool is_1904)
{
	double day = floor(v);
	long seconds = lround((v - day) * 86400);
	const long last = LAST_DAY - (is_1904 ? DAYS_1904 : 0);
	char text[48];

	if (!(v >= 0) || v >= LAST_DAY + 1 || ((style & XLSX_DATE) && day < 1 && !is_1904))
		return false;
	if (style & XLSX_DATE && lround(v * 86400) >= (last + 1) * 86400)
		return false;
	if (seconds == 86400) {
		seconds = 0;
		day++;
	}
	if (!(style & XLSX_DATE))
		seconds += (long)day * 86400;
	else
		put_date(out, (long)day, is_1904);
	if (style & XLSX_DATE && seconds == 0)
		return true;
	(void)snprintf(text, sizeof(text), "%s%02ld:%02ld:%02ld", style & XLSX_DATE ? "T" : "", seconds / 3600,
		seconds / 60 % 60, seconds % 60);
	strbuf_puts(out, text);
	return true;
}

void xlsx_number(struct strbuf *out, struct slice text, unsigned style, bool is_1904)
{
	char shorter[64];
	double v;

	if (text.n == 0 || (!style && digits_of(text) < EXACT)) {
		strbuf_slice(out, text);
		return;
	}
	v = decimal_text_double(text);
	if (!isfinite(v)) {
		strbuf_slice(out, text);
		return;
	}
	if (style && put_moment(out, v, style, is_1904))
		return;
	for (int digits = 15; digits <= EXACT && digits_of(text) >= EXACT; digits++) {
		(void)snprintf(shorter, sizeof(shorter), "%.*g", digits, v);
		if (decimal_text_double(slice_of(shorter)) == v) {
			/* a whole number that was written in full stays so */
			if (fabs(v) >= 1 && strchr(shorter, 'e') && !has_exponent(text))
				break;
			strbuf_puts(out, shorter);
			return;
		}
	}
	strbuf_slice(out, text);
}
