/* SPDX-License-Identifier: MIT */
/* SDMX-CSV 2.0.0. */
#include "app/sdmx_csv.h"

#include "base/clock.h"
#include "model/cell.h"

#define STRUCTURE "dataflow,GLANE:OBSERVATIONS(1.0.0),"
#define KEY "STRUCTURE,STRUCTURE_ID,ACTION,SOURCE,DATASET,INDICATOR,AREA_CODE,DIMS,FREQ,TIME_PERIOD"

void sdmx_csv_header(struct strbuf *b, char action)
{
	strbuf_puts(b, KEY);
	if (action != SDMX_DELETE)
		strbuf_puts(b, ",OBS_VALUE,REF_AREA,PERIOD_START,VALUE_TEXT,UNIT_MEASURE,UNIT_MULT,DECIMALS,OBS_STATUS,"
			       "OBS_FLAGS,COMMENT_OBS,RECORDED_AT,KNOWN_AT");
	strbuf_putc(b, '\n');
}

static void put(struct strbuf *b, struct slice s)
{
	char *to = strbuf_room(b, CELL_MAX(s.n) + 1);

	if (!to)
		return;
	*to++ = ',';
	b->n = (size_t)(cell_put(to, s) - b->p);
}

static void put_dimension(struct strbuf *b, struct slice s)
{
	put(b, s.n ? s : SLICE("_Z"));
}

static void put_day(struct strbuf *b, int64_t day)
{
	char text[32];

	time_format(day * 86400, text);
	put(b, (struct slice){text, strlen("2026-11-23")});
}

static void put_moment(struct strbuf *b, int64_t t)
{
	char text[32];

	time_format(t, text);
	put(b, slice_of(text));
}

void sdmx_csv_row(struct strbuf *b, const struct row *r, char action)
{
	strbuf_puts(b, STRUCTURE);
	strbuf_putc(b, action);
	put_dimension(b, r->source);
	put_dimension(b, r->dataset);
	put_dimension(b, r->indicator);
	put_dimension(b, r->area_code);
	put_dimension(b, r->dims);
	put(b, (struct slice){&r->freq, 1});
	put(b, r->period);
	if (action != SDMX_DELETE) {
		put(b, r->value);
		put(b, r->area);
		put_day(b, r->period_start);
		put(b, r->value_text);
		put(b, r->unit);
		strbuf_fmt(b, ",%d,", (int)r->unit_mult);
		if (r->decimals >= 0)
			strbuf_int(b, r->decimals);
		put(b, (struct slice){&r->status, 1});
		put(b, r->flags);
		put(b, r->note);
		put_moment(b, r->recorded_at);
		put_moment(b, r->known_at);
	}
	strbuf_putc(b, '\n');
}
