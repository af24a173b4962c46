/* SPDX-License-Identifier: MIT */
/*
 * A plugin as built against a header of a later minor: every sized struct and the option rows have grown at their end. What is new
 * in the descriptor and the rows is passed over, as the plugin does not say that it needs it; in calls it uses nothing of it.
 */
#include <glane/plugin.h>

#include <string.h>

#ifndef NAME
#define NAME "abi_grown"
#define NEEDS 0
#endif
#define GROWN(type)                                                                                                    \
	struct grown_##type {                                                                                          \
		struct glane_##type now;                                                                               \
		uint64_t later[4];                                                                                     \
	}
GROWN(opt);
GROWN(plugin);
GROWN(series);
GROWN(row);
GROWN(annotation);
GROWN(cover);
GROWN(request);
GROWN(csv);

struct state {
	const char *dataset;
	int64_t times;
};
#define LATER                                                                                                          \
	{                                                                                                              \
		0                                                                                                      \
	}
static const struct grown_opt options[] = {
	{{"dataset", GLANE_OPT_STR, 0, offsetof(struct state, dataset), "GROWN", "of the rows", 0, 0}, {1, 2, 3, 4}},
	{{"times", GLANE_OPT_INT, GLANE_OPT_REQUIRED, offsetof(struct state, times), NULL, "rows", 1, 9}, {1, 2, 3, 4}},
	{{NULL, 0, 0, 0, NULL, NULL, 0, 0}, {1, 2, 3, 4}},
};

static glane_rc give(const struct glane_host *h, glane_run *r, const struct state *s)
{
	struct grown_series series = {
		{.size = sizeof(series), .freq = 'A', .indicator = GLANE_STR_INIT("I"), .area = GLANE_STR_INIT("TGO")},
		LATER};
	struct grown_row row = {
		{.size = sizeof(row), .value = GLANE_STR_INIT("1.50"), .status = GLANE_STR_INIT("E")}, LATER};
	struct grown_annotation note = {{.size = sizeof(note), .flags = GLANE_STR_INIT("f")}, LATER};
	struct glane_obs obs = {.period = 1999, .coef = 7};
	glane_rc rc;

	series.now.dataset = (glane_str){s->dataset, strlen(s->dataset)};
	rc = h->series(r, &series.now, &row.now.series);
	for (int64_t i = 0; rc == GLANE_OK && i < s->times; i++) {
		const char *year = h->fmt(r, "%d", 2000 + (int)i);

		row.now.period = (glane_str){year, year ? strlen(year) : 0};
		rc = h->emit(r, &row.now);
	}
	obs.series = row.now.series;
	if (rc == GLANE_OK)
		rc = h->annotate(r, &note.now, &obs.note);
	return rc == GLANE_OK ? h->push(r, &obs, 1, sizeof(obs)) : rc;
}

static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	const struct state *s = state;
	const struct grown_csv csv = {{.size = sizeof(csv), .delimiter = ';'}, LATER};
	const struct grown_request q = {
		{.size = sizeof(q), .format = GLANE_FMT_CSV, .url = "{base_url}/table.csv", .csv = &csv.now}, LATER};
	struct grown_cover cover = {{.size = sizeof(cover), .kind = GLANE_COVER_FULL}, LATER};
	glane_reader *rd;
	glane_rc rc;

	if (h->size >= sizeof(struct glane_host) + sizeof(void (*)(void)))
		return h->fail(r, GLANE_E_DATA, "this host says that it has a service of a later minor");
	rc = h->open(r, &q.now, &rd);
	while (rc == GLANE_OK)
		rc = h->next(rd);
	rc = rc == GLANE_END ? give(h, r, s) : rc;
	cover.now.dataset = (glane_str){s->dataset, strlen(s->dataset)};
	return rc == GLANE_OK ? h->cover(r, &cover.now) : rc;
}

static const struct grown_plugin self = {{.size = sizeof(self),
						 .abi_major = GLANE_ABI_MAJOR,
						 .abi_minor = GLANE_ABI_MINOR + 1,
						 .needs_minor = NEEDS,
						 .opt_stride = sizeof(struct grown_opt),
						 .state_size = sizeof(struct state),
						 .name = NAME,
						 .version = "1",
						 .title = "built against a later minor",
						 .opts = &options[0].now,
						 .run = run},
	{1, 2, 3, 4}};
__attribute__((visibility("default"))) const struct glane_plugin *glane_plugin_v1(void);
const struct glane_plugin *glane_plugin_v1(void)
{
	return &self.now;
}
