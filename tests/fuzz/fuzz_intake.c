/* SPDX-License-Identifier: MIT */
/*
 * What a worker sends. Each line is a message: a letter, then fields between '|':
 *   P digit | S dataset indicator area scheme dims unit title freq mult | N value_text flags note has remove mult | T period
 *   O series period coef exp10 status note | C kind dataset indicator from to reason | K key value | R rule reason record
 *   L level text | E rc message rows | F type, then bytes as they are
 * What the intake lets through can be finished, written and read.
 */
#include "fuzz.h"
#include "proc/intake.h"
#include <stdlib.h>
#include <unistd.h>

struct line {
	struct slice rest;
};

static struct slice field(struct line *l)
{
	return slice_cut(&l->rest, '|');
}

static int64_t number(struct line *l)
{
	struct slice s = field(l);
	char text[24] = {0};

	memcpy(text, s.p ? s.p : "", s.n < sizeof(text) ? s.n : sizeof(text) - 1);
	return strtoll(text, NULL, 10);
}

static void texts(struct wire *w, struct line *l, size_t n)
{
	while (n-- > 0)
		wire_text(w, field(l));
}

static void put_payload(struct wire *w, struct line *l)
{
	struct slice s = field(l);
	char hex[64];

	memset(hex, s.n ? s.p[0] : '0', sizeof(hex));
	wire_begin(w, W_PAYLOAD);
	wire_text(w, (struct slice){hex, sizeof(hex)});
}

static void put_series(struct wire *w, struct line *l)
{
	struct slice freq;

	wire_begin(w, W_SERIES);
	texts(w, l, 7);
	freq = field(l);
	wire_text(w, SLICE(""));
	wire_text(w, SLICE("2026"));
	wire_u8(w, freq.n ? (uint8_t)freq.p[0] : 'A');
	wire_i64(w, number(l));
}

static void put_note(struct wire *w, struct line *l)
{
	wire_begin(w, W_NOTE);
	texts(w, l, 3);
	wire_u8(w, (uint8_t)number(l));
	wire_u8(w, (uint8_t)number(l));
	wire_i64(w, number(l));
}

static void put_obs(struct wire *w, struct line *l)
{
	struct glane_obs o;
	struct slice status;

	memset(&o, 0, sizeof(o));
	o.series = (uint32_t)number(l);
	o.period = (int32_t)number(l);
	o.coef = number(l);
	o.exp10 = (int8_t)number(l);
	status = field(l);
	o.status = status.n ? status.p[0] : 'A';
	o.note = (uint32_t)number(l);
	wire_begin(w, W_OBS);
	wire_bytes(w, &o, sizeof(o));
}

static void put_cover(struct wire *w, struct line *l)
{
	wire_begin(w, W_COVER);
	wire_u32(w, (uint32_t)number(l));
	texts(w, l, 2);
	wire_i64(w, number(l));
	wire_i64(w, number(l));
	texts(w, l, 1);
}

static void put_end(struct wire *w, struct line *l)
{
	wire_begin(w, W_END);
	wire_i64(w, number(l));
	texts(w, l, 1);
	wire_u64(w, (uint64_t)number(l));
	for (int i = 0; i < 3; i++)
		wire_u64(w, 0);
}

static void put_small(struct wire *w, char letter, struct line *l)
{
	if (letter == 'T' || letter == 'K') {
		wire_begin(w, letter == 'T' ? W_PERIOD : W_CURSOR);
		texts(w, l, letter == 'T' ? 1 : 2);
	} else if (letter == 'R') {
		wire_begin(w, W_REJECT);
		texts(w, l, 3);
		for (uint64_t i = 1; i < 4; i++)
			wire_u64(w, i);
		wire_u8(w, 0);
	} else if (letter == 'L') {
		wire_begin(w, W_LOG);
		wire_u8(w, (uint8_t)number(l));
		texts(w, l, 1);
	} else {
		wire_begin(w, (uint16_t)number(l));
		wire_bytes(w, l->rest.p ? l->rest.p : "", l->rest.n);
	}
}

static void put(struct wire *w, char letter, struct line *l)
{
	struct diag d;

	diag_clear(&d);
	switch (letter) {
	case 'P':
		put_payload(w, l);
		break;
	case 'S':
		put_series(w, l);
		break;
	case 'N':
		put_note(w, l);
		break;
	case 'O':
		put_obs(w, l);
		break;
	case 'C':
		put_cover(w, l);
		break;
	case 'E':
		put_end(w, l);
		break;
	default:
		put_small(w, letter, l);
		break;
	}
	FUZZ_SAY(wire_end(w, -1, &d) == GLANE_OK, "%s", d.text);
}

static void on_log(void *arg, int level, struct slice text)
{
	(void)arg;
	(void)level;
	FUZZ_CHECK(slice_is_utf8(text) && !memchr(text.p, '\n', text.n));
}

static glane_rc take(struct intake *in, struct wire *w)
{
	struct frame f;
	struct diag d;
	glane_rc rc;

	diag_clear(&d);
	strbuf_slice(&w->in, strbuf_get(&w->out));
	FUZZ_CHECK(wire_take(w, &f, &d) == GLANE_OK);
	rc = intake_frame(in, &f, &d);
	FUZZ_CHECK(rc == GLANE_OK || (rc == d.code && d.text[0]));
	FUZZ_CHECK(wire_take(w, &f, &d) == GLANE_END);
	strbuf_reset(&w->in);
	strbuf_reset(&w->out);
	w->taken = w->out_start = 0;
	return rc;
}

static void check_rejects(const struct intake *in)
{
	FUZZ_CHECK(in->n_rejects <= in->rejected);
	for (size_t i = 0; i < in->n_rejects; i++)
		FUZZ_CHECK(slice_is_utf8(slice_of(in->rejects[i].reason)) &&
			   slice_is_utf8(slice_of(in->rejects[i].record)));
	FUZZ_CHECK(!in->end_message || slice_is_utf8(slice_of(in->end_message)));
	FUZZ_CHECK(slice_is_utf8(slice_of(in->unknown_areas.example)));
	for (const char *p = in->unknown_areas.example; *p; p++)
		FUZZ_CHECK((unsigned char)*p >= ' ' && *p != 0x7f);
}

FUZZ_TARGET(intake)
{
	struct intake intake;
	struct batch b;
	struct wire w;

	fuzz_batch(&b, true);
	wire_init(&w, -1);
	FUZZ_CHECK(intake_init(&intake, &b, fuzz_areas()) == GLANE_OK);
	intake.on_log = on_log;
	while (in.p) {
		struct line l = {fuzz_line(&in)};
		char letter = l.rest.n ? *l.rest.p : 'F';

		if (l.rest.n)
			l.rest = (struct slice){l.rest.p + 1, l.rest.n - 1};
		put(&w, letter, &l);
		/* A worker would be ended here; what it sent before is kept by none of this, but must hold. */
		(void)take(&intake, &w);
	}
	check_rejects(&intake);
	fuzz_batch_finish(&b);
	intake_release(&intake);
	batch_release(&b);
	wire_release(&w);
}
