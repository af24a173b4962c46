/* SPDX-License-Identifier: MIT */
/* What the views of `show` have in common: heads, changes, sparklines, JSON texts. */
#include "app/show.h"

#include "app/columns.h"
#include "app/sparkline.h"
#include "base/clock.h"

#include <math.h>

bool show_same_measure(const struct series_row *a, const struct series_row *b)
{
	return a->freq == b->freq && slice_eq(a->source, b->source) && slice_eq(a->dataset, b->dataset) &&
	       slice_eq(a->indicator, b->indicator) && slice_eq(a->dims, b->dims);
}

static const char *freq_name(char freq)
{
	static const char *const names[] = {"A annual", "S half-yearly", "T by thirds of a year", "Q quarterly",
		"M monthly", "W weekly", "D daily", "B on business days", "I irregular"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i][0] == freq)
			return names[i] + 2;
	}
	return "of unknown frequency";
}

/* A line "name: text", where there is a text. */
static void put_line(struct show *w, const char *name, struct slice text)
{
	if (text.n == 0)
		return;
	strbuf_fmt(&w->out, "%s: ", name);
	put_text(&w->out, text, 0, ALIGN_LEFT, w->ascii);
	strbuf_putc(&w->out, '\n');
}

void show_freq_and_unit(struct show *w, const struct series_row *s)
{
	struct strbuf *b = &w->out;

	strbuf_fmt(b, ", %s", freq_name(s->freq));
	if (s->unit.n == 0 && s->unit_mult == 0)
		return;
	strbuf_puts(b, ", unit: ");
	put_text(b, s->unit, 0, ALIGN_LEFT, w->ascii);
	if (s->unit_mult)
		strbuf_fmt(b, "%sx 10^%d", s->unit.n ? " " : "", (int)s->unit_mult);
}

void show_head(struct show *w, const struct series_row *s)
{
	struct strbuf *b = &w->out;

	put_text(b, s->title.n ? s->title : s->indicator, 0, ALIGN_LEFT, w->ascii);
	strbuf_puts(b, "\n");
	put_text(b, s->source, 0, ALIGN_LEFT, w->ascii);
	strbuf_putc(b, ' ');
	put_text(b, s->dataset, 0, ALIGN_LEFT, w->ascii);
	strbuf_putc(b, ' ');
	put_text(b, s->indicator, 0, ALIGN_LEFT, w->ascii);
	if (s->dims.n) {
		strbuf_putc(b, ' ');
		put_text(b, s->dims, 0, ALIGN_LEFT, w->ascii);
	}
	show_freq_and_unit(w, s);
	strbuf_putc(b, '\n');
	put_line(w, "licence", s->licence);
	put_line(w, "attribution", s->attribution);
	put_line(w, "provider's update", s->updated);
}

const struct show_point *show_latest(const struct show_series *s)
{
	for (size_t i = s->n; i-- > 0;) {
		if (!isnan(s->points[i].number))
			return &s->points[i];
	}
	return s->n ? &s->points[s->n - 1] : NULL;
}

/* The same day of the year; daily and weekly series: the last one in the week before it. */
const struct show_point *show_before(const struct show_series *s, const struct show_point *latest, int years)
{
	int64_t slack = s->s.freq == 'D' || s->s.freq == 'B' || s->s.freq == 'W' ? 7 : 0, y, wanted;
	unsigned m, d;

	if (!latest || isnan(latest->number))
		return NULL;
	civil_from_days(latest->day, &y, &m, &d);
	if (y <= years)
		return NULL;
	y -= years;
	wanted = days_from_civil(y, m, d <= days_in_month(y, m) ? d : days_in_month(y, m));
	for (size_t i = s->n; i-- > 0;) {
		const struct show_point *p = &s->points[i];

		if (p->day <= wanted && p->day >= wanted - slack && !isnan(p->number))
			return p;
	}
	return NULL;
}

void show_change(struct strbuf *b, const struct show_point *from, const struct show_point *to)
{
	int places;

	if (!from || !to)
		return;
	places = from->decimals > to->decimals ? from->decimals : to->decimals;
	strbuf_fmt(b, "%+.*f", places > 0 ? places : 0, to->number - from->number);
}

void show_sparkline(struct show *w, const struct show_series *s)
{
	double *v = mem_alloc((s->n + 1) * sizeof(*v));

	if (!v) {
		w->out.failed = true;
		return;
	}
	for (size_t i = 0; i < s->n; i++)
		v[i] = s->points[i].number;
	(void)sparkline(&w->out, v, s->n, SPARK_COLUMNS, w->ascii);
	mem_free(v);
}

void put_json_text(struct strbuf *b, struct slice s)
{
	strbuf_putc(b, '"');
	while (s.n) {
		size_t n = slice_char(s);
		unsigned char c = (unsigned char)s.p[0];

		if (n == 0)
			strbuf_puts(b, "\xef\xbf\xbd"); /* JSON has no other bytes than characters */
		else if (c == '"' || c == '\\')
			strbuf_fmt(b, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			strbuf_fmt(b, "\\u%04x", c);
		else if (c == 0xc2 && (unsigned char)s.p[1] < 0xa0) /* U+0080 to U+009F */
			strbuf_fmt(b, "\\u%04x", (unsigned char)s.p[1]);
		else
			strbuf_add(b, s.p, n);
		n = n ? n : 1;
		s = (struct slice){s.p + n, s.n - n};
	}
	strbuf_putc(b, '"');
}

void put_json_member(struct strbuf *b, const char *name, struct slice s)
{
	strbuf_fmt(b, ",\"%s\":", name);
	put_json_text(b, s);
}
