/* SPDX-License-Identifier: MIT */
/*
 * A plugin as built against a header of an earlier minor: every sized struct ends before its last members, and what lies behind
 * that end is not readable memory of the struct (it is cut out of an exactly sized allocation). Today's host takes the rest as zero.
 */
#include <glane/plugin.h>

#include <stdlib.h>
#include <string.h>

struct old_opt { /* without min and max */
	const char *name;
	uint16_t type, flags;
	uint32_t offset;
	const char *dflt, *help;
};
struct state {
	const char *dataset;
	int64_t times;
};
static const struct old_opt options[] = {
	{"dataset", GLANE_OPT_STR, 0, offsetof(struct state, dataset), "OLDER", "of the rows"},
	{"times", GLANE_OPT_INT, GLANE_OPT_REQUIRED, offsetof(struct state, times), NULL, "rows"},
	{0},
};

/* A copy that ends after n bytes. */
static void *cut(const void *whole, size_t n)
{
	const uint32_t size = (uint32_t)n;
	char *p = malloc(n);

	if (!p)
		abort();
	memcpy(p, whole, n);
	memcpy(p, &size, sizeof(size));
	return p;
}

static glane_rc emit(const struct glane_host *h, glane_run *r, uint32_t series, const char *year)
{
	const struct glane_row row = {
		.series = series, .period = {year, strlen(year)}, .value = GLANE_STR_INIT("1.50")};
	struct glane_row *old = cut(&row, offsetof(struct glane_row, status));
	glane_rc rc = h->emit(r, old);

	free(old);
	return rc;
}

static glane_rc read_table(const struct glane_host *h, glane_run *r)
{
	const struct glane_request q = {.format = GLANE_FMT_CSV, .url = "{base_url}/table.csv"};
	struct glane_request *old = cut(&q, offsetof(struct glane_request, method));
	glane_reader *rd;
	glane_rc rc = h->open(r, old, &rd);

	free(old);
	while (rc == GLANE_OK)
		rc = h->next(rd);
	return rc == GLANE_END ? GLANE_OK : rc;
}

static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	const struct state *s = state;
	const glane_str dataset = {s->dataset, strlen(s->dataset)};
	const struct glane_series series = {
		.freq = 'A', .dataset = dataset, .indicator = GLANE_STR_INIT("I"), .area = GLANE_STR_INIT("TGO")};
	const struct glane_cover cover = {.kind = GLANE_COVER_FULL, .dataset = dataset};
	struct glane_series *old = cut(&series, offsetof(struct glane_series, updated));
	struct glane_cover *old_cover = cut(&cover, offsetof(struct glane_cover, from));
	uint32_t handle;
	glane_rc rc = read_table(h, r);

	if (rc == GLANE_OK)
		rc = h->series(r, old, &handle);
	for (int64_t i = 0; rc == GLANE_OK && i < s->times; i++) {
		const char *year = h->fmt(r, "%d", 2000 + (int)i);

		rc = year ? emit(h, r, handle, year) : GLANE_E_NOMEM;
	}
	if (rc == GLANE_OK)
		rc = h->cover(r, old_cover);
	free(old);
	free(old_cover);
	return rc;
}

__attribute__((visibility("default"))) const struct glane_plugin *glane_plugin_v1(void);
const struct glane_plugin *glane_plugin_v1(void)
{
	static const struct glane_plugin *self;
	const struct glane_plugin whole = {.abi_major = GLANE_ABI_MAJOR,
		.opt_stride = sizeof(struct old_opt),
		.state_size = sizeof(struct state),
		.name = "abi_older",
		.version = "1",
		.title = "built against an earlier minor",
		.opts = (const struct glane_opt *)(const void *)options,
		.run = run};

	if (!self)
		self = cut(&whole, offsetof(struct glane_plugin, init));
	return self;
}
