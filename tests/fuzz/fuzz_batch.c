/* SPDX-License-Identifier: MIT */
/*
 * Batches of observations. The first byte says which covers there are; then four bytes for each observation: series, period,
 * number, note. What is kept has to be what a plain model keeps: of each key the first to come, nothing of failed slices.
 */
#include "fuzz.h"
#include "model/decimal.h"

#define SERIES 12
#define PERIODS 64

static void put_series(struct batch *b)
{
	static const char *const datasets[] = {"D", "E"}, *const indicators[] = {"I", "J", ""},
				 *const areas[] = {"FRA", "DEU"};

	for (uint32_t i = 0; i < SERIES; i++) {
		const struct series s = {.dataset = slice_of(datasets[i % 2]),
			.indicator = slice_of(indicators[i / 2 % 3]),
			.area_code = slice_of(areas[i / 6]),
			.area = slice_of(areas[i / 6]),
			.area_scheme = SLICE("ISO3"),
			.dims = SLICE(""),
			.unit = SLICE("u"),
			.freq = i % 2 ? 'A' : 'M'};
		uint32_t at;

		FUZZ_CHECK(batch_series(b, &s, &at, NULL) == GLANE_OK && at == i);
	}
}

static void put_covers(struct batch *b, unsigned what)
{
	static const struct {
		uint32_t kind;
		const char *dataset, *indicator;
	} covers[] = {{GLANE_COVER_FULL, "D", NULL}, {GLANE_COVER_FAILED, "D", "I"}, {GLANE_COVER_NONE, "E", "J"},
		{GLANE_COVER_RANGE, "E", "I"}, {GLANE_COVER_FAILED, "E", NULL}, {GLANE_COVER_FULL, "D", "I"}};

	for (size_t i = 0; i < sizeof(covers) / sizeof(*covers); i++) {
		const struct cover c = {.kind = covers[i].kind,
			.dataset = slice_of(covers[i].dataset),
			.indicator = slice_of(covers[i].indicator),
			.from = 0,
			.to = 1000,
			.reason = SLICE("why")};

		if (what >> i & 1)
			FUZZ_CHECK(batch_cover(b, &c, NULL) == GLANE_OK);
	}
}

static void put_tables(struct batch *b)
{
	const struct note notes[] = {{.value_text = SLICE("n/a")}, {.flags = SLICE("p"), .note = SLICE("a, \"b\"\nc")},
		{.value_text = SLICE("12345678901234567890.5")}};
	uint32_t at;

	for (uint32_t i = 0; i < 3; i++)
		FUZZ_CHECK(batch_note(b, &notes[i], &at, NULL) == GLANE_OK && at == i);
	FUZZ_CHECK(batch_payload(b, SLICE("0123456789012345678901234567890123456789012345678901234567890123"), &at,
			   NULL) == GLANE_OK);
}

static struct batch_obs obs_of(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;
	struct batch_obs o = {.series = u[0] % SERIES, .exp10 = (int8_t)(u[2] % 5 - 3), .status = 'A', .payload = 1};

	o.period = (o.series % 2 ? 1990 : 1990 * 12) + u[1] % PERIODS;
	o.coef = u[2] - 100;
	o.note = u[3] % 4;
	if (o.note == 1 || o.note == 3) {
		o.coef = 0;
		o.exp10 = DECIMAL_NONE;
	}
	return o;
}

/* The sequence number that each key keeps; none where its slice failed. */
static size_t model(const struct batch *b, struct slice in, uint64_t first[SERIES][PERIODS])
{
	size_t n = 0;

	memset(first, 0xff, SERIES * PERIODS * sizeof(uint64_t));
	for (uint64_t i = 0; i < in.n / 4; i++) {
		const struct batch_obs o = obs_of(in.p + i * 4);
		const struct series *s = &b->series[o.series];
		const struct cover *c = batch_cover_of(b, s->dataset, s->indicator);
		uint64_t *at = &first[o.series][(unsigned char)in.p[i * 4 + 1] % PERIODS];

		if ((c && c->kind == GLANE_COVER_FAILED) || *at != UINT64_MAX)
			continue;
		*at = i;
		n++;
	}
	return n;
}

FUZZ_TARGET(batch)
{
	uint64_t first[SERIES][PERIODS];
	struct batch b;
	size_t n;

	fuzz_batch(&b, true);
	put_series(&b);
	put_tables(&b);
	put_covers(&b, in.n ? (unsigned char)in.p[0] : 0);
	in = in.n ? (struct slice){in.p + 1, in.n - 1} : SLICE("");
	for (size_t i = 0; i < in.n / 4; i++) {
		const struct batch_obs o = obs_of(in.p + i * 4);

		FUZZ_CHECK(batch_push(&b, &o, 1, NULL) == GLANE_OK);
	}
	fuzz_batch_finish(&b);
	n = model(&b, in, first);
	FUZZ_SAY(b.n_obs == n, "%zu rows, %zu in the model", b.n_obs, n);
	for (size_t i = 0; i < b.n_obs; i++) {
		const struct batch_obs *o = &b.obs[i];
		const int32_t base = o->series % 2 ? 1990 : 1990 * 12;

		FUZZ_CHECK(first[o->series][o->period - base] == o->seq);
	}
	batch_release(&b);
}
