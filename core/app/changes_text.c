/* SPDX-License-Identifier: MIT */
/* Changes as lines to read. */
#include "app/changes_text.h"

#include "app/columns.h"
#include "base/clock.h"

#include <inttypes.h>
#include <string.h>

#define LABEL_WIDTH 28
#define PERIOD_WIDTH 12
#define WORD_WIDTH 10

static const char *const words[CHANGES_WORDS] = {"new", "revised", "status", "withdrawn", "restored"};

static void line_init(struct changes_line *l)
{
	strbuf_init(&l->heading, 0);
	strbuf_init(&l->label, 0);
	strbuf_init(&l->first, 0);
	strbuf_init(&l->last, 0);
	strbuf_init(&l->value, 0);
	strbuf_init(&l->attributes, 0);
}

static void line_release(struct changes_line *l)
{
	strbuf_release(&l->heading);
	strbuf_release(&l->label);
	strbuf_release(&l->first);
	strbuf_release(&l->last);
	strbuf_release(&l->value);
	strbuf_release(&l->attributes);
}

static bool line_ok(const struct changes_line *l)
{
	return strbuf_ok(&l->heading) && strbuf_ok(&l->label) && strbuf_ok(&l->first) && strbuf_ok(&l->last) &&
	       strbuf_ok(&l->value) && strbuf_ok(&l->attributes);
}

void changes_text_init(
	struct changes_text *t, struct output *out, const struct store *s, const struct areas *areas, bool dated)
{
	*t = (struct changes_text){.out = out, .areas = areas, .dated = dated};
	titles_init(&t->titles, s);
	line_init(&t->line);
	line_init(&t->next);
}

void changes_text_release(struct changes_text *t)
{
	titles_release(&t->titles);
	line_release(&t->line);
	line_release(&t->next);
}

/* s and blanks behind it, `width` columns together, or s and two blanks. */
static void put_padded(struct strbuf *b, struct slice s, size_t width)
{
	size_t n = text_width(s);

	strbuf_slice(b, s);
	do
		strbuf_putc(b, ' ');
	while (++n < width);
	strbuf_putc(b, ' ');
}

/* ---- texts of an event ---- */

static void put_heading(struct strbuf *b, const struct row *r, struct slice title)
{
	strbuf_reset(b);
	strbuf_visible(b, r->source);
	strbuf_putc(b, ' ');
	if (r->dataset.n) {
		strbuf_visible(b, r->dataset);
		strbuf_putc(b, ' ');
	}
	strbuf_visible(b, r->indicator);
	if (title.n && !slice_eq(title, r->indicator)) {
		strbuf_puts(b, ": ");
		strbuf_visible(b, title);
	}
	if (r->unit.n) {
		strbuf_puts(b, " [");
		strbuf_visible(b, r->unit);
		if (r->unit_mult)
			strbuf_fmt(b, " x 10^%d", (int)r->unit_mult);
		strbuf_putc(b, ']');
	} else if (r->unit_mult) {
		strbuf_fmt(b, " [x 10^%d]", (int)r->unit_mult);
	}
}

static void put_label(struct strbuf *b, const struct row *r, struct slice area, const struct areas *areas, bool dated)
{
	const struct slice name = areas_name(areas, r->area);
	char day[32];

	strbuf_reset(b);
	if (dated) {
		time_format(r->recorded_at, day);
		strbuf_fmt(b, "%.10s  ", day);
	}
	strbuf_visible(b, area.n && slice_eq(name, r->area) ? area : name);
	if (r->dims.n) {
		strbuf_puts(b, b->n ? " " : "");
		strbuf_visible(b, r->dims);
	}
}

static void put_value(struct strbuf *b, const struct row *r)
{
	if (r->value.n)
		strbuf_slice(b, r->value);
	else if (r->value_text.n)
		strbuf_visible(b, r->value_text);
	else
		strbuf_puts(b, "no number");
	if (r->status != 'A')
		strbuf_fmt(b, " (%c)", r->status);
}

static void put_text_change(struct strbuf *b, const char *name, struct slice old, struct slice now)
{
	if (slice_eq(old, now))
		return;
	strbuf_fmt(b, ", %s '", name);
	strbuf_visible(b, old);
	strbuf_puts(b, "' -> '");
	strbuf_visible(b, now);
	strbuf_putc(b, '\'');
}

/* The attributes that are others now; status and decimals stand with the value. */
static void put_attributes(struct strbuf *b, const struct row *old, const struct row *r)
{
	put_text_change(b, "flags", old->flags, r->flags);
	put_text_change(b, "unit", old->unit, r->unit);
	if (old->unit_mult != r->unit_mult)
		strbuf_fmt(b, ", unit_mult %d -> %d", (int)old->unit_mult, (int)r->unit_mult);
	put_text_change(b, "area", old->area, r->area);
	put_text_change(b, "note", old->note, r->note);
}

static bool shows_same_value(const struct row *a, const struct row *b)
{
	return slice_eq(a->value, b->value) && a->status == b->status &&
	       (a->value.n > 0 || slice_eq(a->value_text, b->value_text));
}

/* old -> new, or the value alone where it is as it was. */
static void put_what(struct strbuf *b, const struct row *r, const struct row *before, enum changes_word word)
{
	strbuf_reset(b);
	if (word == CHANGES_RESTORED)
		strbuf_puts(b, "- -> ");
	else if (word != CHANGES_WITHDRAWN && before && !shows_same_value(before, r)) {
		put_value(b, before);
		strbuf_puts(b, " -> ");
	}
	put_value(b, r);
	if (word == CHANGES_WITHDRAWN)
		strbuf_puts(b, " -> -");
	if (word == CHANGES_RESTORED && before && !shows_same_value(before, r)) {
		strbuf_puts(b, " (was ");
		put_value(b, before);
		strbuf_putc(b, ')');
	}
}

/* ---- lines ---- */

static void write_line(struct changes_text *t)
{
	struct strbuf *b = &t->out->b;
	struct changes_line *l = &t->line;

	if (l->events == 0)
		return;
	strbuf_puts(b, "  ");
	put_padded(b, strbuf_get(&l->label), t->dated ? LABEL_WIDTH + 12 : LABEL_WIDTH);
	if (l->events > 1) {
		strbuf_puts(&l->first, " to ");
		strbuf_slice(&l->first, strbuf_get(&l->last));
	}
	put_padded(b, strbuf_get(&l->first), PERIOD_WIDTH);
	put_padded(b, slice_of(words[l->word]), WORD_WIDTH);
	if (l->events > 1)
		strbuf_fmt(b, "%" PRIu64 " values, the last ", l->events);
	strbuf_slice(b, strbuf_get(&l->value));
	strbuf_slice(b, strbuf_get(&l->attributes));
	strbuf_puts(b, l->mapping ? "  (mapping)\n" : "\n");
	l->events = 0;
}

static bool same(const struct strbuf *a, const struct strbuf *b)
{
	return slice_eq(strbuf_get(a), strbuf_get(b));
}

/* What has a value of its own to show, old -> new, is a line of its own. */
static bool joins(const struct changes_line *next, const struct changes_line *line, bool same_value)
{
	const bool alike = next->word == CHANGES_NEW || next->word == CHANGES_WITHDRAWN ||
			   (next->word == CHANGES_STATUS && same_value);

	return line->events && alike && next->word == line->word && next->mapping == line->mapping &&
	       same(&next->heading, &line->heading) && same(&next->label, &line->label) &&
	       same(&next->attributes, &line->attributes);
}

static void swap(struct strbuf *a, struct strbuf *b)
{
	const struct strbuf spare = *a;

	*a = *b;
	*b = spare;
}

static void begin_line(struct changes_text *t)
{
	const struct changes_line spare = t->line;
	struct strbuf *b = &t->out->b;

	write_line(t);
	if (!same(&t->next.heading, &spare.heading)) {
		strbuf_putc(b, '\n');
		strbuf_slice(b, strbuf_get(&t->next.heading));
		strbuf_putc(b, '\n');
	}
	t->line = t->next;
	t->next = spare;
}

glane_rc changes_text_put(struct changes_text *t, const struct row *r, const struct row *before, struct diag *d)
{
	struct changes_line *n = &t->next;
	struct slice title, area;
	glane_rc rc = titles_find(&t->titles, r, &title, &area, d);

	if (rc < 0)
		return rc;
	n->word = CHANGES_NEW;
	while (n->word + 1 < CHANGES_WORDS && !slice_is(r->event, words[n->word]))
		n->word++;
	n->mapping = slice_is(r->cause, "mapping");
	n->events = 1;
	put_heading(&n->heading, r, title);
	put_label(&n->label, r, area, t->areas, t->dated);
	strbuf_reset(&n->first);
	strbuf_visible(&n->first, r->period);
	strbuf_reset(&n->last);
	strbuf_visible(&n->last, r->period);
	put_what(&n->value, r, before, n->word);
	strbuf_reset(&n->attributes);
	if (before && n->word != CHANGES_WITHDRAWN)
		put_attributes(&n->attributes, before, r);
	if (!line_ok(n) || !line_ok(&t->line))
		return fail(d, GLANE_E_NOMEM, "no memory for a change");
	t->counts[n->word]++;
	if (joins(n, &t->line, before && shows_same_value(before, r))) {
		swap(&t->line.last, &n->last);
		swap(&t->line.value, &n->value);
		t->line.events++;
	} else {
		begin_line(t);
	}
	return output_drain(t->out, d);
}

glane_rc changes_text_end(struct changes_text *t, struct diag *d)
{
	struct strbuf *b = &t->out->b;
	uint64_t n = 0;
	bool more = false;

	write_line(t);
	for (size_t i = 0; i < CHANGES_WORDS; i++)
		n += t->counts[i];
	if (n == 0) {
		strbuf_puts(b, "no changes\n");
		return output_drain(t->out, d);
	}
	strbuf_fmt(b, "\n%" PRIu64 " change%s: ", n, n == 1 ? "" : "s");
	for (size_t i = 0; i < CHANGES_WORDS; i++) {
		if (t->counts[i]) {
			strbuf_fmt(b, "%s%" PRIu64 " %s", more ? ", " : "", t->counts[i], words[i]);
			more = true;
		}
	}
	strbuf_putc(b, '\n');
	return output_drain(t->out, d);
}
