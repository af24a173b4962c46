/* SPDX-License-Identifier: MIT */
/* Frames between processes, as bytes: in any pieces they are the same frames; their fields never reach beyond them. */
#include "fuzz.h"
#include "proc/broker.h"

static void note(struct strbuf *out, const struct frame *f)
{
	strbuf_fmt(out, "%u %zu ", (unsigned)f->type, f->rest.n);
	strbuf_visible(out, f->rest);
	strbuf_putc(out, '\n');
}

static void check_request(struct frame f)
{
	struct request r, again;
	struct frame g;
	struct arena a;
	struct diag d;
	struct wire w;
	char key[65], key2[65];
	glane_rc rc;

	arena_init(&a, 0);
	diag_clear(&d);
	rc = frame_request(&f, &a, &r, &d);
	FUZZ_CHECK(rc == GLANE_OK || (rc == d.code && d.text[0]));
	if (rc == GLANE_OK) {
		wire_init(&w, -1);
		wire_begin(&w, B_FETCH);
		wire_request(&w, &r);
		FUZZ_SAY(wire_end(&w, -1, &d) == GLANE_OK, "%s", d.text);
		strbuf_slice(&w.in, strbuf_get(&w.out));
		FUZZ_CHECK(wire_take(&w, &g, &d) == GLANE_OK && frame_request(&g, &a, &again, &d) == GLANE_OK);
		FUZZ_CHECK(frame_done(&g));
		FUZZ_CHECK(request_key(&r, key) && request_key(&again, key2) && strcmp(key, key2) == 0);
		wire_release(&w);
	}
	arena_release(&a);
}

static void check_fields(struct frame f)
{
	const char *end = f.rest.p + f.rest.n;

	for (int i = 0; i < 64 && !f.bad && f.rest.n; i++) {
		struct slice s = {NULL, 0};

		switch ((f.type + (unsigned)i) % 5) {
		case 0:
			(void)frame_u8(&f);
			break;
		case 1:
			(void)frame_u32(&f);
			break;
		case 2:
			(void)frame_i64(&f);
			break;
		case 3:
			(void)frame_f64(&f);
			break;
		default:
			s = frame_text(&f);
			break;
		}
		FUZZ_CHECK(!s.p || s.p + s.n <= end);
		FUZZ_CHECK(f.rest.p + f.rest.n == end);
	}
	FUZZ_CHECK(!f.bad || !frame_done(&f));
}

static glane_rc read_all(struct slice in, size_t step, struct strbuf *out)
{
	glane_rc rc = GLANE_END;
	struct frame f;
	struct wire w;
	struct diag d;

	diag_clear(&d);
	wire_init(&w, -1);
	while (in.n && rc == GLANE_END) {
		const size_t n = in.n < step ? in.n : step;

		strbuf_add(&w.in, in.p, n);
		in = (struct slice){in.p + n, in.n - n};
		while ((rc = wire_take(&w, &f, &d)) == GLANE_OK) {
			note(out, &f);
			check_fields(f);
			check_request(f);
		}
	}
	FUZZ_CHECK(rc == GLANE_END || (rc == d.code && d.text[0]));
	wire_release(&w);
	return rc;
}

FUZZ_TARGET(wire)
{
	struct strbuf whole, pieces;
	glane_rc rc;

	strbuf_init(&whole, 0);
	strbuf_init(&pieces, 0);
	rc = read_all(in, in.n + 1, &whole);
	FUZZ_CHECK(read_all(in, 1 + fuzz_hash(in) % 11, &pieces) == rc);
	FUZZ_CHECK(slice_eq(strbuf_get(&whole), strbuf_get(&pieces)));
	strbuf_release(&whole);
	strbuf_release(&pieces);
}
