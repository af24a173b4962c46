/* SPDX-License-Identifier: MIT */
/* Lists of texts in a PC-Axis file, and those of periods (TIMEVAL). */
#include "model/period.h"
#include "read/px.h"

#include <stdio.h>
#include <strings.h>

#define YEAR_MIN 1000
#define YEAR_MAX 9999

static bool push(struct px_texts *l, struct arena *a, struct slice s)
{
	if (l->n == l->cap) {
		const size_t cap = l->cap ? l->cap * 2 : 16;
		struct slice *v = arena_alloc(a, cap * sizeof(*v));

		if (!v)
			return false;
		if (l->n)
			memcpy(v, l->v, l->n * sizeof(*v));
		l->v = v, l->cap = cap;
	}
	l->v[l->n++] = s;
	return true;
}

/* One item, cut off the list: a word, or texts in quotes; those that stand side by side are one. */
static glane_rc cut_text(struct slice *list, struct strbuf *ret)
{
	struct slice left = *list;

	strbuf_reset(ret);
	while (left.n && *left.p != ',') {
		size_t n = 0;

		if (*left.p == '"') {
			left.p++, left.n--;
			strbuf_slice(ret, slice_cut(&left, '"'));
			if (!left.p)
				return GLANE_E_FORMAT;
		} else {
			while (n < left.n && left.p[n] != ',' && left.p[n] != '"')
				n++;
			strbuf_slice(ret, slice_trim((struct slice){left.p, n}));
			left.p += n, left.n -= n;
		}
		left = slice_trim(left);
	}
	*list = left.n ? (struct slice){left.p + 1, left.n - 1} : (struct slice){NULL, 0};
	return strbuf_ok(ret) ? GLANE_OK : GLANE_E_NOMEM;
}

glane_rc px_list(struct px_texts *ret, struct arena *a, struct slice list)
{
	struct strbuf text;
	glane_rc rc = GLANE_OK;

	strbuf_init(&text, PX_STATEMENT);
	for (list = slice_trim(list); rc == GLANE_OK && list.n; list = slice_trim(list)) {
		struct slice one;

		rc = cut_text(&list, &text);
		if (rc == GLANE_OK && (!arena_dup(a, strbuf_get(&text), &one) || !push(ret, a, one)))
			rc = GLANE_E_NOMEM;
	}
	strbuf_release(&text);
	return rc;
}

/* ---- periods ---- */

static bool has_week_53(int year)
{
	struct period week;
	char text[16];

	snprintf(text, sizeof(text), "%04d-W53", year);
	return period_parse(slice_of(text), 'W', &week, NULL) == GLANE_OK;
}

/* Parts of a year by the letter of TIMEVAL; 0: none that is known. */
static int parts_of(char scale, int year)
{
	switch (scale) {
	case 'A':
		return 1;
	case 'H':
		return 2;
	case 'T':
		return 3;
	case 'Q':
		return 4;
	case 'M':
		return 12;
	case 'W':
		return has_week_53(year) ? 53 : 52;
	default:
		return 0;
	}
}

/* "20052": year and part. */
static bool split(char scale, struct slice s, int *year, int *part)
{
	const size_t digits = scale == 'A' ? 0 : scale == 'M' || scale == 'W' ? 2 : 1;
	int64_t y, n = 1;

	if (s.n != 4 + digits || !slice_int((struct slice){s.p, 4}, YEAR_MIN, YEAR_MAX, &y) ||
		(digits && !slice_int((struct slice){s.p + 4, digits}, 1, 99, &n)))
		return false;
	*year = (int)y, *part = (int)n;
	return *part <= parts_of(scale, *year);
}

static char *written(struct arena *a, char scale, int year, int part)
{
	return scale == 'A'   ? arena_fmt(a, "%04d", year)
	       : scale == 'M' ? arena_fmt(a, "%04d-%02d", year, part)
	       : scale == 'W' ? arena_fmt(a, "%04d-W%02d", year, part)
			      : arena_fmt(a, "%04d-%c%d", year, scale == 'H' ? 'S' : scale, part);
}

glane_rc px_period(struct slice *ret, struct arena *a, char scale, struct slice text)
{
	int year, part;
	const bool is_known = split(scale, text, &year, &part);
	const char *as_sdmx = is_known ? written(a, scale, year, part) : NULL;

	*ret = as_sdmx ? slice_of(as_sdmx) : (struct slice){NULL, 0};
	return is_known && !as_sdmx ? GLANE_E_NOMEM : GLANE_OK;
}

static bool push_period(struct px_texts *l, struct arena *a, char scale, int year, int part)
{
	const char *text = written(a, scale, year, part);

	return text && push(l, a, slice_of(text));
}

/* "first"-"last": every period between them. */
static glane_rc push_range(struct px_texts *l, struct arena *a, char scale, struct slice range)
{
	const char *mark = memmem(range.p, range.n, "\"-\"", 3);
	struct slice from, to;
	int year, part, last_year, last_part;

	if (!mark || *range.p != '"' || mark == range.p || range.p[range.n - 1] != '"')
		return GLANE_E_FORMAT;
	from = (struct slice){range.p + 1, (size_t)(mark - range.p) - 1};
	to = (struct slice){mark + 3, (size_t)(range.p + range.n - mark) - 4};
	if (!split(scale, from, &year, &part) || !split(scale, to, &last_year, &last_part))
		return GLANE_E_FORMAT;
	while (year < last_year || (year == last_year && part <= last_part)) {
		if (l->n == PX_PERIODS)
			return GLANE_E_LIMIT;
		if (!push_period(l, a, scale, year, part))
			return GLANE_E_NOMEM;
		if (++part > parts_of(scale, year))
			year++, part = 1;
	}
	return GLANE_OK;
}

/* "20051","20052": texts of another form stay as they are. */
static glane_rc push_list(struct px_texts *l, struct arena *a, char scale, struct slice list)
{
	struct px_texts given = {.v = NULL};
	glane_rc rc = px_list(&given, a, list);

	for (size_t i = 0; rc == GLANE_OK && i < given.n; i++) {
		struct slice period;

		rc = px_period(&period, a, scale, given.v[i]);
		if (rc == GLANE_OK && !push(l, a, period.p ? period : given.v[i]))
			rc = GLANE_E_NOMEM;
	}
	return rc;
}

glane_rc px_timeval(struct px_texts *ret, struct arena *a, struct slice value)
{
	struct slice left = slice_trim(value), in, scale;

	if (left.n < 6 || strncasecmp(left.p, "TLIST(", 6) != 0)
		return GLANE_E_FORMAT;
	left.p += 6, left.n -= 6;
	in = slice_cut(&left, ')');
	scale = slice_trim(slice_cut(&in, ','));
	if (!left.p || !scale.n)
		return GLANE_E_FORMAT;
	in = slice_trim(in);
	if (in.n)
		return push_range(ret, a, *scale.p, in);
	left = slice_trim(left);
	if (left.n && *left.p == ',')
		left.p++, left.n--;
	return push_list(ret, a, *scale.p, left);
}
