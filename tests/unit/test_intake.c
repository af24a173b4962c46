/* SPDX-License-Identifier: MIT */
/* core/proc/intake.c: every hostile frame that a worker may send (RELIABILITY P4), and the limits of one run of a source. */
#include "support/cmocka.h"

#include "proc/intake.h"

#include "model/decimal.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct fixture {
	struct batch batch;
	struct intake in;
	struct wire w;
	struct diag d;
	long fail_at;  /* that allocation of the next frame fails */
	bool trailing; /* a byte goes behind its fields */
	unsigned logs, warnings;
	char last_log[2048];
};

static void on_log(void *arg, int level, struct slice text)
{
	struct fixture *x = arg;

	x->logs++;
	x->warnings += level >= GLANE_LOG_WARN;
	snprintf(x->last_log, sizeof(x->last_log), "%.*s", SLICE_FMT(text));
}

static int setup(void **state)
{
	struct fixture *x = mem_zalloc(1, sizeof(*x));
	const int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (!x || tmp < 0 || batch_init(&x->batch, tmp, &x->d) != GLANE_OK)
		return -1;
	close(tmp);
	intake_init(&x->in, &x->batch, NULL); /* no series here has an area */
	x->in.on_log = on_log;
	x->in.arg = x;
	wire_init(&x->w, -1);
	*state = x;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *x = *state;

	intake_release(&x->in);
	batch_release(&x->batch);
	wire_release(&x->w);
	mem_free(x);
	return 0;
}

/* Gives the frame that was written last. */
static glane_rc give(struct fixture *x)
{
	struct frame f;
	glane_rc rc;

	diag_clear(&x->d);
	if (x->trailing)
		wire_u8(&x->w, 0);
	assert_int_equal(wire_end(&x->w, -1, &x->d), GLANE_OK);
	memcpy(&f.type, x->w.out.p + 4, 2);
	f.rest = (struct slice){x->w.out.p + 8, x->w.out.n - 8};
	f.bad = false;
	mem_fail_after(x->fail_at, false);
	rc = intake_frame(&x->in, &f, &x->d);
	mem_fail_after(0, false);
	strbuf_reset(&x->w.out);
	return rc;
}

static void begin(struct fixture *x, uint16_t type)
{
	wire_begin(&x->w, type);
}

static void put_series(struct fixture *x, const char *dataset, const char *dims, char freq, int64_t mult)
{
	begin(x, W_SERIES);
	for (int i = 0; i < 9; i++)
		wire_cstr(&x->w, i == 0 ? dataset : i == 4 ? dims : NULL);
	wire_u8(&x->w, (uint8_t)freq);
	wire_i64(&x->w, mult);
}

static glane_rc series(struct fixture *x, const char *dataset, const char *dims, char freq, int64_t mult)
{
	put_series(x, dataset, dims, freq, mult);
	return give(x);
}

static glane_rc payload(struct fixture *x, const char *hash)
{
	begin(x, W_PAYLOAD);
	wire_cstr(&x->w, hash);
	return give(x);
}

static glane_rc obs(struct fixture *x, struct glane_obs o)
{
	begin(x, W_OBS);
	wire_bytes(&x->w, &o, sizeof(o));
	return give(x);
}

static glane_rc end(struct fixture *x, int64_t rc, uint64_t rows)
{
	begin(x, W_END);
	wire_i64(&x->w, rc);
	wire_cstr(&x->w, rc ? "why" : NULL);
	wire_u64(&x->w, rows);
	for (int i = 0; i < 3; i++)
		wire_u64(&x->w, 0);
	return give(x);
}

/* Two series (A and I), one period, one note, one payload. */
static void define(struct fixture *x)
{
	assert_int_equal(payload(x, HASH), GLANE_OK);
	assert_int_equal(series(x, "D", "", 'A', 0), GLANE_OK);
	assert_int_equal(series(x, "D", "", 'I', 0), GLANE_OK);
	begin(x, W_PERIOD);
	wire_cstr(&x->w, "2020-01-01/P3M");
	assert_int_equal(give(x), GLANE_OK);
	begin(x, W_NOTE);
	wire_cstr(&x->w, NULL);
	wire_cstr(&x->w, "f");
	wire_cstr(&x->w, NULL);
	wire_u8(&x->w, 1);
	wire_u8(&x->w, 0);
	wire_i64(&x->w, 3);
	assert_int_equal(give(x), GLANE_OK);
}

#define FINE                                                                                                           \
	{                                                                                                              \
		.series = 1, .period = 2020, .coef = 1, .status = 'A'                                                  \
	}

static void test_fine(void **state)
{
	struct fixture *x = *state;

	define(x);
	assert_int_equal(obs(x, (struct glane_obs)FINE), GLANE_OK);
	assert_int_equal(obs(x, (struct glane_obs){.series = 2, .period = -1, .exp10 = -128, .status = 'O', .note = 1}),
		GLANE_OK);
	assert_int_equal(end(x, 0, 2), GLANE_OK);
	assert_true(x->in.ended);
	assert_int_equal(x->batch.n_obs, 2);
}

static void test_hostile_observations(void **state)
{
	static const struct {
		struct glane_obs o;
		const char *words;
	} bad[] = {
		{{.series = 0, .period = 2020, .status = 'A'}, "series that was not defined"},
		{{.series = 3, .period = 2020, .status = 'A'}, "series that was not defined"},
		{{.series = UINT32_MAX, .period = 2020, .status = 'A'}, "series that was not defined"},
		{{.series = 1, .period = 10000, .status = 'A'}, "period that cannot be"},
		{{.series = 1, .period = 0, .status = 'A'}, "period that cannot be"},
		{{.series = 1, .period = INT32_MAX, .status = 'A'}, "period that cannot be"},
		{{.series = 1, .period = INT32_MIN, .status = 'A'}, "period that cannot be"},
		{{.series = 1, .period = -1, .status = 'A'},
			"period that cannot be"}, /* a table entry in a yearly series */
		{{.series = 2, .period = 2020, .status = 'A'}, "period that cannot be"},
		{{.series = 2, .period = -2, .status = 'A'}, "period that cannot be"},
		{{.series = 2, .period = INT32_MIN, .status = 'A'}, "period that cannot be"},
		{{.series = 1, .period = 2020, .status = 'A', .note = 2}, "note that was not defined"},
		{{.series = 1, .period = 2020, .status = 'A', .note = UINT32_MAX}, "note that was not defined"},
		{{.series = 1, .period = 2020, .status = 0}, "status that does not exist"},
		{{.series = 1, .period = 2020, .status = '\n'}, "status that does not exist"},
		{{.series = 1, .period = 2020, .status = (char)0xff}, "status that does not exist"},
		{{.series = 1, .period = 2020, .status = 'A', .flags = 2}, "status that does not exist"},
		{{.series = 1, .period = 2020, .status = 'A', .coef = INT64_MAX}, "more than 18 digits"},
		{{.series = 1, .period = 2020, .status = 'A', .coef = INT64_MIN}, "more than 18 digits"},
		{{.series = 1, .period = 2020, .status = 'A', .coef = 1, .exp10 = DECIMAL_NONE},
			"digits where there is no number"},
	};
	struct fixture *x = *state;

	define(x);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(obs(x, bad[i].o), GLANE_E_FORMAT);
		assert_non_null(strstr(x->d.text, bad[i].words));
	}
	assert_int_equal(x->batch.n_obs, 0);
	assert_int_equal(x->in.rows, 0);
}

static void test_before_a_payload(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(series(x, "D", "", 'A', 0), GLANE_OK);
	assert_int_equal(obs(x, (struct glane_obs)FINE), GLANE_E_FORMAT);
	assert_non_null(strstr(x->d.text, "without a payload"));
}

static void test_observations_cut(void **state)
{
	const struct glane_obs two[2] = {FINE, FINE};
	struct fixture *x = *state;

	define(x);
	for (size_t n = 1; n < sizeof(two); n++) {
		begin(x, W_OBS);
		wire_bytes(&x->w, two, n);
		assert_int_equal(give(x), n == sizeof(two[0]) ? GLANE_OK : GLANE_E_FORMAT);
	}
	begin(x, W_OBS);
	assert_int_equal(give(x), GLANE_OK); /* none at all is none */
	assert_int_equal(x->in.rows, 1);
}

static void test_hostile_series(void **state)
{
	static const struct {
		const char *dataset, *dims;
		char freq;
		int64_t mult;
	} bad[] = {{"D", "", 'Y', 0}, {"D", "", 0, 0}, {"D", "", (char)0xff, 0}, {"D", "", 'A', 31},
		{"D", "", 'A', -31}, {"D", "", 'A', INT64_C(4294967296)}, {"D", "", 'A', INT64_MIN},
		{"\xff", "", 'A', 0}, {"D", "x", 'A', 0}, {"D", "B=1;A=2", 'A', 0}, {"D", "A=1;A=2", 'A', 0},
		{"D", "A=\xc3", 'A', 0}};
	struct fixture *x = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(series(x, bad[i].dataset, bad[i].dims, bad[i].freq, bad[i].mult), GLANE_E_FORMAT);
	put_series(x, "D", "", 'A', 0);
	wire_u8(&x->w, 0); /* a byte too many */
	assert_int_equal(give(x), GLANE_E_FORMAT);
	assert_int_equal(x->batch.n_series, 0);
}

static void test_long_texts(void **state)
{
	struct fixture *x = *state;
	char *text = mem_alloc(65538);

	assert_non_null(text);
	memset(text, 'x', 65537);
	text[65537] = 0;
	assert_int_equal(series(x, text, "", 'A', 0), GLANE_E_FORMAT);
	assert_int_equal(series(x, text + 1, "", 'A', 0), GLANE_OK);
	mem_free(text);
}

static glane_rc whole_note(struct fixture *x, const char *text, const char *flags, const char *words, uint8_t has,
	uint8_t removes, int64_t mult)
{
	begin(x, W_NOTE);
	wire_cstr(&x->w, text);
	wire_cstr(&x->w, flags);
	wire_cstr(&x->w, words);
	wire_u8(&x->w, has);
	wire_u8(&x->w, removes);
	wire_i64(&x->w, mult);
	return give(x);
}

static glane_rc note(struct fixture *x, const char *text, uint8_t has, uint8_t removes, int64_t mult)
{
	return whole_note(x, text, NULL, NULL, has, removes, mult);
}

static void test_hostile_notes(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(note(x, "\xff", 0, 0, 0), GLANE_E_FORMAT);
	assert_int_equal(whole_note(x, "a", "\xff", NULL, 0, 0, 0), GLANE_E_FORMAT);
	assert_int_equal(whole_note(x, "a", NULL, "\xff", 0, 0, 0), GLANE_E_FORMAT);
	assert_int_equal(note(x, "a", 1, 0, 31), GLANE_E_FORMAT);
	assert_int_equal(note(x, "a", 1, 0, -31), GLANE_E_FORMAT);
	assert_int_equal(note(x, "a", 1, 0, INT64_C(4294967299)), GLANE_E_FORMAT);
	assert_int_equal(note(x, "a", 2, 0, 0), GLANE_E_FORMAT);
	assert_int_equal(note(x, "a", 0, 255, 0), GLANE_E_FORMAT);
	assert_int_equal(x->batch.n_notes, 0);
}

/* A value that is no number, but has digits, is doubted, with an example; one that withdraws, or has none, is not. */
static void test_doubted_texts(void **state)
{
	static const char *const texts[] = {"n/a", "12 (est.)", "7-8"};
	struct fixture *x = *state;

	for (int i = 0; i < 3; i++)
		assert_int_equal(note(x, texts[i], 0, 0, 0), GLANE_OK);
	assert_int_equal(note(x, "9 of them", 0, 1, 0), GLANE_OK);
	assert_int_equal(payload(x, HASH), GLANE_OK);
	assert_int_equal(series(x, "D", "", 'A', 0), GLANE_OK);
	for (uint32_t i = 1; i <= 4; i++)
		assert_int_equal(obs(x,
					 (struct glane_obs){
						 .series = 1, .period = 2020, .note = i, .exp10 = -128, .status = 'O'}),
			GLANE_OK);
	assert_int_equal(x->in.text_values.n, 2);
	assert_string_equal(x->in.text_values.example, "7-8"); /* the last */
}

static glane_rc text_frame(struct fixture *x, uint16_t type, struct slice s)
{
	begin(x, type);
	wire_text(&x->w, s);
	return give(x);
}

static void test_hostile_texts(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(text_frame(x, W_PERIOD, SLICE("soon")), GLANE_E_FORMAT);
	assert_int_equal(text_frame(x, W_PERIOD, SLICE("")), GLANE_E_FORMAT);
	assert_int_equal(text_frame(x, W_PERIOD, (struct slice){NULL, 0}), GLANE_E_FORMAT);
	assert_int_equal(text_frame(x, W_PERIOD, SLICE("2020-01-01\0/P1M")), GLANE_E_FORMAT);
	assert_int_equal(payload(x, NULL), GLANE_E_FORMAT);
	assert_int_equal(payload(x, ""), GLANE_E_FORMAT);
	assert_int_equal(payload(x, HASH "0"), GLANE_E_FORMAT);
	assert_int_equal(
		payload(x, "../../../../etc/passwd0123456789abcdef0123456789abcdef0123456789"), GLANE_E_FORMAT);
	assert_int_equal(payload(x, HASH), GLANE_OK);
	assert_int_equal(payload(x, HASH), GLANE_OK);
	assert_int_equal(x->batch.n_payloads, 1); /* once */
	char period[200];

	(void)snprintf(period, sizeof(period), "2020-01-01/P%0150dM", 1);
	assert_int_equal(text_frame(x, W_PERIOD, slice_of(period)), GLANE_E_FORMAT);
}

static glane_rc numbered_payload(struct fixture *x, unsigned n)
{
	char hash[65];

	(void)snprintf(hash, sizeof(hash), "%064x", n);
	return payload(x, hash);
}

/* As many payloads as a row can name; each is known again whatever came between. */
static void test_many_payloads(void **state)
{
	struct fixture *x = *state;

	for (unsigned n = 0; n < UINT16_MAX; n++)
		assert_int_equal(numbered_payload(x, n), GLANE_OK);
	assert_int_equal(numbered_payload(x, UINT16_MAX), GLANE_E_LIMIT);
	for (unsigned n = 0; n < UINT16_MAX; n += 4096) {
		assert_int_equal(numbered_payload(x, n), GLANE_OK);
		assert_int_equal(x->in.payload, n + 1);
	}
	assert_int_equal(x->batch.n_payloads, UINT16_MAX);
}

static glane_rc cover(struct fixture *x, uint32_t kind, const char *dataset, int64_t from, int64_t to)
{
	begin(x, W_COVER);
	wire_u32(&x->w, kind);
	wire_cstr(&x->w, dataset);
	wire_cstr(&x->w, NULL);
	wire_i64(&x->w, from);
	wire_i64(&x->w, to);
	wire_cstr(&x->w, NULL);
	return give(x);
}

static void test_covers(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(cover(x, GLANE_COVER_FULL, "D", 0, 0), GLANE_OK);
	assert_int_equal(cover(x, GLANE_COVER_RANGE, "D", -5, 5), GLANE_OK);
	assert_int_equal(cover(x, 4, "D", 0, 0), GLANE_E_FORMAT);
	assert_int_equal(cover(x, UINT32_MAX, "D", 0, 0), GLANE_E_FORMAT);
	assert_int_equal(cover(x, GLANE_COVER_FULL, NULL, 0, 0), GLANE_E_FORMAT);
	assert_int_equal(cover(x, GLANE_COVER_FULL, "\xff", 0, 0), GLANE_E_FORMAT);
	assert_int_equal(cover(x, GLANE_COVER_FULL, "D", 1, 0), GLANE_E_FORMAT);
	assert_int_equal(cover(x, GLANE_COVER_RANGE, "D", 5, -5), GLANE_E_FORMAT);
	assert_int_equal(cover(x, GLANE_COVER_RANGE, "D", INT64_MIN, INT64_MAX), GLANE_E_FORMAT);
	assert_int_equal(cover(x, GLANE_COVER_RANGE, "D", 0, INT64_MAX), GLANE_E_FORMAT);
	assert_int_equal(cover(x, GLANE_COVER_FULL, "D", 0, 1), GLANE_E_FORMAT);
	for (int bad = 0; bad < 2; bad++) {
		begin(x, W_COVER);
		wire_u32(&x->w, GLANE_COVER_FULL);
		wire_cstr(&x->w, "D");
		wire_cstr(&x->w, bad == 0 ? "\xff" : NULL);
		wire_i64(&x->w, 0);
		wire_i64(&x->w, 0);
		wire_cstr(&x->w, bad == 1 ? "\xff" : NULL);
		assert_int_equal(give(x), GLANE_E_FORMAT);
	}
	assert_int_equal(x->batch.n_covers, 2);
	begin(x, W_COVER);
	wire_u32(&x->w, GLANE_COVER_FAILED);
	wire_cstr(&x->w, "D");
	wire_cstr(&x->w, NULL);
	wire_i64(&x->w, 0);
	wire_i64(&x->w, 0);
	wire_cstr(&x->w, "\033[31mred\nforged");
	assert_int_equal(give(x), GLANE_OK);
	assert_true(slice_is(x->batch.covers[2].reason, "\\x1b[31mred\\x0aforged"));
}

static glane_rc cursor(struct fixture *x, const char *key, const char *value)
{
	begin(x, W_CURSOR);
	wire_cstr(&x->w, key);
	wire_cstr(&x->w, value);
	return give(x);
}

struct erasure {
	const char *texts[5]; /* dataset, indicator, area, dims, period */
	char freq;
	uint8_t what;
};

static glane_rc erasure(struct fixture *x, const struct erasure *e)
{
	begin(x, W_ERASE);
	for (int i = 0; i < 5; i++)
		wire_cstr(&x->w, e->texts[i]);
	wire_u8(&x->w, (uint8_t)e->freq);
	wire_u8(&x->w, e->what);
	return give(x);
}

static void test_erasures(void **state)
{
	static const struct erasure fine[] = {{{"D"}, 0, 1}, {{"D", "I", "TGO", "AGE=Y;SEX=F", "2020"}, 'A', 1},
		{{"D", NULL, NULL, "SEX=F"}, 0, 2 | 8}, {{"D"}, 0, 4}, {{"D"}, 0, 1},
		{{"D", NULL, NULL, NULL, "2020"}, 0, 1}};
	static const struct erasure hostile[] = {{{NULL, "I"}, 0, 1}, {{"D"}, 0, 0}, {{"D"}, 0, 3}, {{"D"}, 0, 16},
		{{"D"}, 'x', 1}, {{"D", NULL, NULL, NULL, "soon"}, 'A', 1}, {{"D", NULL, NULL, "SEX=F;AGE=Y"}, 0, 1},
		{{"\xff"}, 0, 1}};
	struct fixture *x = *state;

	assert_int_equal(erasure(x, &fine[0]), GLANE_E_FORMAT); /* before a payload */
	assert_int_equal(payload(x, HASH), GLANE_OK);
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
		assert_int_equal(erasure(x, &fine[i]), GLANE_OK);
	assert_int_equal(x->in.erased, 6);
	assert_int_equal(x->batch.erases.n, 4);
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++)
		assert_int_equal(erasure(x, &hostile[i]), GLANE_E_FORMAT);
	begin(x, W_ERASE);
	wire_cstr(&x->w, "D");
	assert_int_equal(give(x), GLANE_E_FORMAT);
	assert_int_equal(x->batch.erases.n, 4);
}

static void test_cursors(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(cursor(x, "last", "1"), GLANE_OK);
	assert_int_equal(cursor(x, "last", "2"), GLANE_OK);
	assert_int_equal(x->in.n_cursors, 1);
	assert_memory_equal(x->in.cursors[0].v.p, "2", 1);
	assert_int_equal(cursor(x, "Bad Key", "1"), GLANE_E_FORMAT);
	assert_int_equal(cursor(x, NULL, "1"), GLANE_E_FORMAT);
	assert_int_equal(cursor(x, "last", "\xff"), GLANE_E_FORMAT);
}

static void test_rejects(void **state)
{
	static char record[100000];
	struct fixture *x = *state;

	memset(record, '\1', sizeof(record) - 1);
	for (unsigned i = 0; i < 1500; i++) {
		begin(x, W_REJECT);
		wire_cstr(&x->w, "\033[31mrule");
		wire_cstr(&x->w, "\xff reason");
		wire_cstr(&x->w, record);
		wire_u64(&x->w, i);
		wire_u64(&x->w, 0);
		wire_u64(&x->w, UINT64_MAX);
		wire_u8(&x->w, i % 2);
		assert_int_equal(give(x), GLANE_OK);
	}
	assert_false(x->in.rejects[0].by_plugin);
	assert_true(x->in.rejects[1].by_plugin);
	assert_int_equal(x->in.rejected, 1500);
	assert_int_equal(x->in.n_rejects, 1000);
	assert_string_equal(x->in.rejects[0].rule, "\\x1b[31mrule");
	assert_string_equal(x->in.rejects[0].reason, "\\xff reason");
	assert_int_equal(strlen(x->in.rejects[0].record), 4 * 4096); /* \x01 each */
}

static void test_logs(void **state)
{
	struct fixture *x = *state;

	for (unsigned i = 0; i < 300; i++) {
		begin(x, W_LOG);
		wire_u8(&x->w, GLANE_LOG_WARN);
		wire_cstr(&x->w, "line\033[2J\r\nglane: forged");
		assert_int_equal(give(x), GLANE_OK);
	}
	assert_int_equal(x->logs, 300);
	assert_int_equal(x->warnings, 100);
	assert_string_equal(x->last_log, "line\\x1b[2J\\x0d\\x0aglane: forged");
}

static void test_ends(void **state)
{
	struct fixture *x = *state;

	define(x);
	assert_int_equal(obs(x, (struct glane_obs)FINE), GLANE_OK);
	assert_int_equal(end(x, 0, 0), GLANE_E_FORMAT); /* a count that is not the number that came */
	assert_int_equal(end(x, 0, 2), GLANE_E_FORMAT);
	assert_int_equal(end(x, 1, 1), GLANE_E_FORMAT);
	assert_int_equal(end(x, INT64_MIN, 1), GLANE_E_FORMAT);
	assert_false(x->in.ended);
	assert_int_equal(end(x, GLANE_E_DATA, 77), GLANE_OK);
	assert_string_equal(x->in.end_message, "why");
	assert_int_equal(end(x, GLANE_E_DATA, 77), GLANE_E_FORMAT); /* a second end, and anything after it */
	assert_int_equal(obs(x, (struct glane_obs)FINE), GLANE_E_FORMAT);
}

/* What it says that it reads goes into last.json, should it die of that. */
static void test_progress(void **state)
{
	static const char *const bad[] = {"\xff\xfe", "abc", HASH "0", "A123456789abcdef", "\033[31m"};
	static const char *const good[] = {HASH, ""};
	struct fixture *x = *state;

	for (size_t i = 0; i < 2; i++) {
		begin(x, W_PROGRESS);
		wire_u64(&x->w, 7);
		wire_u64(&x->w, 8);
		wire_cstr(&x->w, good[i]);
		assert_int_equal(give(x), GLANE_OK);
		assert_string_equal(x->in.taken, good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin(x, W_PROGRESS);
		wire_u64(&x->w, 7);
		wire_u64(&x->w, 8);
		wire_cstr(&x->w, bad[i]);
		assert_int_equal(give(x), GLANE_E_FORMAT);
		assert_string_equal(x->in.taken, "");
	}
}

static void test_unknown_types(void **state)
{
	static const uint16_t types[] = {0, 9, 21, W_JOB, 100, 141, UINT16_MAX};
	struct fixture *x = *state;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		begin(x, types[i]);
		assert_int_equal(give(x), GLANE_E_FORMAT);
	}
}

/* Every frame cut at every byte is refused; observations are the only ones that a cut may leave whole. */
static void test_cut(void **state)
{
	struct fixture *x = *state;

	for (size_t n = 0;; n++) {
		struct frame f = {W_SERIES, {NULL, 0}, false};
		size_t whole;

		put_series(x, "DATASET", "A=1", 'A', 3);
		whole = x->w.out.n - 8;
		if (n == whole)
			break;
		f.rest = (struct slice){x->w.out.p + 8, n};
		diag_clear(&x->d);
		assert_int_equal(intake_frame(&x->in, &f, &x->d), GLANE_E_FORMAT);
		strbuf_reset(&x->w.out);
	}
	strbuf_reset(&x->w.out);
}

static void test_limits(void **state)
{
	struct fixture *x = *state;

	define(x);
	x->in.max_rows = 2;
	assert_int_equal(obs(x, (struct glane_obs)FINE), GLANE_OK);
	assert_int_equal(obs(x, (struct glane_obs)FINE), GLANE_OK);
	assert_int_equal(obs(x, (struct glane_obs)FINE), GLANE_E_LIMIT);
	assert_non_null(strstr(x->d.text, "more than 2 rows"));
	x->in.max_text_bytes = x->in.text_bytes + 64 + 10;
	assert_int_equal(series(x, "0123456789", "", 'A', 0), GLANE_OK);
	assert_int_equal(series(x, "D", "", 'M', 0), GLANE_E_LIMIT);
	assert_int_equal(note(x, "n", 0, 0, 0), GLANE_E_LIMIT);
	assert_int_equal(cursor(x, "k", "v"), GLANE_E_LIMIT);
	assert_int_equal(cover(x, GLANE_COVER_FULL, "D", 0, 0), GLANE_E_LIMIT);
	assert_int_equal(text_frame(x, W_PERIOD, SLICE("2020-01-01/P1M")), GLANE_E_LIMIT);
}

static glane_rc rejected(struct fixture *x)
{
	begin(x, W_REJECT);
	wire_cstr(&x->w, "value");
	wire_cstr(&x->w, "no number");
	wire_cstr(&x->w, "a,b,c");
	for (int i = 0; i < 3; i++)
		wire_u64(&x->w, 1);
	wire_u8(&x->w, 0);
	return give(x);
}

/* One frame of each kind that is kept; false: there is no such kind. */
static bool frame_of(struct fixture *x, int kind, glane_rc *ret)
{
	switch (kind) {
	case 0:
		*ret = payload(x, HASH);
		return true;
	case 1:
		*ret = series(x, "E", "SEX=F", 'A', 0);
		return true;
	case 2:
		*ret = note(x, "n", 0, 0, 0);
		return true;
	case 3:
		*ret = text_frame(x, W_PERIOD, SLICE("2020-01-01/P1M"));
		return true;
	case 4:
		*ret = cover(x, GLANE_COVER_FULL, "E", 0, 0);
		return true;
	case 5:
		*ret = cursor(x, "last", "1");
		return true;
	case 6:
		*ret = rejected(x);
		return true;
	case 7:
		*ret = end(x, GLANE_E_DATA, 0);
		return true;
	default:
		return false;
	}
}

/* A reject that names no rule is kept as it is; where nobody hears log lines they are dropped. */
static void test_nothing_said(void **state)
{
	struct fixture *x = *state;

	begin(x, W_REJECT);
	for (int i = 0; i < 3; i++)
		wire_cstr(&x->w, NULL);
	for (int i = 0; i < 3; i++)
		wire_u64(&x->w, 1);
	wire_u8(&x->w, 1);
	assert_int_equal(give(x), GLANE_OK);
	assert_int_equal(x->in.n_rejects, 1);
	assert_string_equal(x->in.rejects[0].rule, "");
	assert_string_equal(x->in.rejects[0].reason, "");
	x->in.on_log = NULL;
	begin(x, W_LOG);
	wire_u8(&x->w, 1);
	wire_cstr(&x->w, "a line");
	assert_int_equal(give(x), GLANE_OK);
	assert_int_equal(x->logs, 0);
}

/* More covers than a run may have. */
static void test_many_covers(void **state)
{
	struct fixture *x = *state;
	glane_rc rc = GLANE_OK;
	int n = 0;

	for (; rc == GLANE_OK && n < 110000; n++)
		rc = cover(x, GLANE_COVER_FULL, "D", 0, 0);
	assert_int_not_equal(rc, GLANE_OK);
	assert_int_equal(n, 100001);
}

/* A cursor that is set again is found, and its key not kept once more: that would be more than the intake's arena holds. */
static void test_cursors_again(void **state)
{
	static const char pad[] = "a_long_key_of_many_bytes_so_that_copies_of_it_are_seen";
	struct fixture *x = *state;
	char name[80];

	for (int i = 0; i < 9999; i++) {
		snprintf(name, sizeof(name), "%s%d", pad, i);
		assert_int_equal(cursor(x, name, "1"), GLANE_OK);
	}
	for (int i = 0; i < 900000; i++)
		assert_int_equal(cursor(x, name, "2"), GLANE_OK);
	assert_int_equal(x->in.n_cursors, 9999);
	assert_memory_equal(x->in.cursors[9998].v.p, "2", 1);
	assert_memory_equal(x->in.cursors[9997].v.p, "1", 1);
}

/* More cursors than a run may have. */
static void test_caps(void **state)
{
	struct fixture *x = *state;
	char name[16];
	glane_rc rc = GLANE_OK;
	int n = 0;

	for (; rc == GLANE_OK && n < 11000; n++) {
		snprintf(name, sizeof(name), "k%d", n);
		rc = cursor(x, name, "v");
	}
	assert_int_not_equal(rc, GLANE_OK);
	assert_int_equal(n, 10001);
}

/* A field too many: every kind of frame is refused, whatever its own fields say. */
static void test_too_long(void **state)
{
	struct fixture *x = *state;
	glane_rc rc;

	assert_int_equal(payload(x, HASH), GLANE_OK);
	x->trailing = true;
	for (int kind = 0; frame_of(x, kind, &rc); kind++) {
		assert_int_equal(rc, GLANE_E_FORMAT);
		assert_non_null(strstr(x->d.text, "does not read"));
	}
	begin(x, W_LOG);
	wire_u8(&x->w, 1);
	wire_cstr(&x->w, "a line");
	assert_int_equal(give(x), GLANE_E_FORMAT);
	assert_int_equal(x->logs, 0);
	for (int i = 0; i < 2; i++) {
		begin(x, i ? W_PAGES : W_PROGRESS);
		wire_u64(&x->w, 1);
		wire_u64(&x->w, 1);
		assert_int_equal(give(x), GLANE_E_FORMAT);
	}
	assert_false(x->in.ended);
}

/* Each allocation that a frame costs fails in turn: an error with a message, and what was taken before stays. */
static void test_no_memory(void **state)
{
	glane_rc rc = GLANE_OK;
	bool more = true;

	(void)state;
	for (int kind = 0; more; kind++) {
		long n = 0;

		do {
			struct fixture *x;

			assert_int_equal(setup((void **)&x), 0);
			if (kind > 0)
				assert_int_equal(payload(x, HASH), GLANE_OK);
			x->fail_at = ++n;
			more = frame_of(x, kind, &rc);
			assert_true(rc == GLANE_OK || (rc == GLANE_E_NOMEM && strstr(x->d.text, "no memory")));
			teardown((void **)&x);
		} while (more && rc != GLANE_OK);
		assert_true(!more || n > 1);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_fine), TEST(test_hostile_observations),
		TEST(test_before_a_payload), TEST(test_observations_cut), TEST(test_hostile_series),
		TEST(test_long_texts), TEST(test_hostile_notes), TEST(test_doubted_texts), TEST(test_many_payloads),
		TEST(test_hostile_texts), TEST(test_covers), TEST(test_erasures), TEST(test_cursors),
		TEST(test_cursors_again), TEST(test_rejects), TEST(test_logs), TEST(test_ends), TEST(test_progress),
		TEST(test_unknown_types), TEST(test_cut), TEST(test_limits), TEST(test_too_long), TEST(test_caps),
		TEST(test_nothing_said), TEST(test_many_covers), cmocka_unit_test(test_no_memory)};

	return cmocka_run_group_tests_name("intake", tests, NULL, NULL);
}
