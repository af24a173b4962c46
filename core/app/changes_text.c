/* SPDX-License-Identifier: MIT */
/* Changes as lines to read. */
#include "app/changes_text.h"

#include "base/clock.h"

#include <inttypes.h>
#include <string.h>

#define LABEL_WIDTH 28
#define PERIOD_WIDTH 11

static const char *const words[CHANGES_WORDS] = {"new", "revised", "status", "withdrawn", "restored"};

void changes_text_init(struct changes_text *t, struct output *out, const struct store *s, bool dated)
{
	*t = (struct changes_text){.out = out, .dated = dated};
	titles_init(&t->titles, s);
	strbuf_init(&t->heading, 0);
	strbuf_init(&t->label, 0);
	strbuf_init(&t->first, 0);
	strbuf_init(&t->last, 0);
	strbuf_init(&t->value, 0);
	strbuf_init(&t->next_heading, 0);
	strbuf_init(&t->next_label, 0);
}

void changes_text_release(struct changes_text *t)
{
	titles_release(&t->titles);
	strbuf_release(&t->heading);
	strbuf_release(&t->label);
	strbuf_release(&t->first);
	strbuf_release(&t->last);
	strbuf_release(&t->value);
	strbuf_release(&t->next_heading);
	strbuf_release(&t->next_label);
}

/* s and blanks behind it, `width` characters together, or s and two blanks. */
static void put_padded(struct strbuf *b, struct slice s, size_t width)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
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

static void put_label(struct strbuf *b, const struct row *r, struct slice area, bool dated)
{
	char day[32];

	strbuf_reset(b);
	if (dated) {
		time_format(r->recorded_at, day);
		strbuf_fmt(b, "%.10s  ", day);
	}
	strbuf_visible(b, area.n ? area : r->area);
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

static void put_number_change(struct strbuf *b, const char *name, int32_t old, int32_t now)
{
	if (old != now)
		strbuf_fmt(b, ", %s %d -> %d", name, (int)old, (int)now);
}

/* The attributes that are others now; the status stands with the value. */
static void put_attributes(struct strbuf *b, const struct row *old, const struct row *r)
{
	put_text_change(b, "flags", old->flags, r->flags);
	put_text_change(b, "unit", old->unit, r->unit);
	put_number_change(b, "unit_mult", old->unit_mult, r->unit_mult);
	if (old->value.n && r->value.n)
		put_number_change(b, "decimals", old->decimals, r->decimals);
	put_text_change(b, "area", old->area, r->area);
	put_text_change(b, "note", old->note, r->note);
}

/* old -> new */
static void put_what(struct strbuf *b, const struct row *r, const struct row *before, enum changes_word word)
{
	if (word == CHANGES_WITHDRAWN) {
		put_value(b, r);
		strbuf_puts(b, " -> -");
	} else if (word == CHANGES_RESTORED) {
		strbuf_puts(b, "- -> ");
		put_value(b, r);
	} else if (before) {
		put_value(b, before);
		strbuf_puts(b, " -> ");
		put_value(b, r);
	} else {
		put_value(b, r);
	}
	if (before && word == CHANGES_RESTORED && !row_same_value(before, r)) {
		strbuf_puts(b, " (was ");
		put_value(b, before);
		strbuf_putc(b, ')');
	}
	if (before && word != CHANGES_WITHDRAWN)
		put_attributes(b, before, r);
}

/* ---- lines ---- */

static void write_line(struct changes_text *t)
{
	struct strbuf *b = &t->out->b;

	if (t->in_line == 0)
		return;
	strbuf_puts(b, "  ");
	put_padded(b, strbuf_get(&t->label), t->dated ? LABEL_WIDTH + 12 : LABEL_WIDTH);
	if (t->in_line > 1) {
		strbuf_slice(&t->first, SLICE(" to "));
		strbuf_slice(&t->first, strbuf_get(&t->last));
	}
	put_padded(b, strbuf_get(&t->first), PERIOD_WIDTH);
	if (t->in_line > 1)
		strbuf_fmt(b, "%" PRIu64 " values, the last ", t->in_line);
	strbuf_slice(b, strbuf_get(&t->value));
	strbuf_fmt(b, "  %s%s\n", words[t->word], t->mapping ? " (mapping)" : "");
	t->in_line = 0;
}

static bool belongs_to_line(const struct changes_text *t, enum changes_word word, bool mapping)
{
	return t->in_line && word == t->word && (word == CHANGES_NEW || word == CHANGES_WITHDRAWN) &&
	       mapping == t->mapping && slice_eq(strbuf_get(&t->heading), strbuf_get(&t->next_heading)) &&
	       slice_eq(strbuf_get(&t->label), strbuf_get(&t->next_label));
}

static void swap(struct strbuf *a, struct strbuf *b)
{
	const struct strbuf spare = *a;

	*a = *b;
	*b = spare;
}

static void begin_line(struct changes_text *t, const struct row *r)
{
	struct strbuf *b = &t->out->b;

	write_line(t);
	if (!slice_eq(strbuf_get(&t->heading), strbuf_get(&t->next_heading))) {
		strbuf_putc(b, '\n');
		strbuf_slice(b, strbuf_get(&t->next_heading));
		strbuf_putc(b, '\n');
		swap(&t->heading, &t->next_heading);
	}
	swap(&t->label, &t->next_label);
	strbuf_reset(&t->first);
	strbuf_visible(&t->first, r->period);
}

static bool texts_ok(const struct changes_text *t)
{
	return strbuf_ok(&t->heading) && strbuf_ok(&t->label) && strbuf_ok(&t->first) && strbuf_ok(&t->last) &&
	       strbuf_ok(&t->value) && strbuf_ok(&t->next_heading) && strbuf_ok(&t->next_label);
}

glane_rc changes_text_put(struct changes_text *t, const struct row *r, const struct row *before, struct diag *d)
{
	const bool mapping = slice_is(r->cause, "mapping");
	enum changes_word word = CHANGES_NEW;
	struct slice title, area;
	glane_rc rc = titles_find(&t->titles, r, &title, &area, d);

	if (rc < 0)
		return rc;
	while (word + 1 < CHANGES_WORDS && !slice_is(r->event, words[word]))
		word++;
	put_heading(&t->next_heading, r, title);
	put_label(&t->next_label, r, area, t->dated);
	if (!belongs_to_line(t, word, mapping))
		begin_line(t, r);
	t->word = word;
	t->mapping = mapping;
	t->in_line++;
	t->counts[word]++;
	strbuf_reset(&t->last);
	strbuf_visible(&t->last, r->period);
	strbuf_reset(&t->value);
	put_what(&t->value, r, before, word);
	return texts_ok(t) ? output_drain(t->out, d) : fail(d, GLANE_E_NOMEM, "no memory for a change");
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
