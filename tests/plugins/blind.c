/* SPDX-License-Identifier: MIT */
/*
 * A plugin that looks well and is not, as its option `how` says: "blind" passes over what it cannot read and covers all the same,
 * "stubborn" turns cancellation into another failure, "random" gives other rows each time. Lines are AREA,YEAR,VALUE.
 */
#include <glane/plugin.h>

#include <string.h>
#include <unistd.h>

struct state {
	const char *how, *format;
};
static const struct glane_opt options[] = {
	{"how", GLANE_OPT_STR, 0, offsetof(struct state, how), "blind", "blind, stubborn or random", 0, 0},
	{"format", GLANE_OPT_STR, 0, offsetof(struct state, format), "", "a name that parse has taken", 0, 0},
	{0},
};

static glane_rc emit_line(const struct glane_host *h, glane_run *r, glane_str line, int is_random)
{
	const struct glane_series series = {.size = sizeof(series),
		.dataset = GLANE_STR("BLIND"),
		.indicator = GLANE_STR("I"),
		.area = {line.p, 3},
		.area_scheme = GLANE_STR("ISO3")};
	struct glane_row row = {.size = sizeof(row), .period = {line.p + 4, 4}, .value = {line.p + 9, line.n - 9}};
	const char *value = is_random ? h->fmt(r, "%ld", (long)getpid()) : NULL;
	glane_rc rc;

	if (value)
		row.value = (glane_str){value, strlen(value)};
	rc = h->series(r, &series, &row.series);
	return rc == GLANE_OK ? h->emit(r, &row) : rc;
}

static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	const struct state *s = state;
	const struct glane_request q = {.size = sizeof(q), .url = "{base_url}/lines.txt"};
	const struct glane_cover cover = {
		.size = sizeof(cover), .kind = GLANE_COVER_FULL, .dataset = GLANE_STR("BLIND")};
	static char text[65536];
	int64_t n = 0, got;
	glane_reader *rd;
	glane_rc rc = h->open(r, &q, &rd);

	while (rc == GLANE_OK && (got = h->read(rd, text + n, sizeof(text) - (size_t)n)) > 0)
		n += got;
	for (char *line = text, *end; rc == GLANE_OK && (end = memchr(line, '\n', (size_t)(text + n - line)));
		line = end + 1)
		if (end - line > 9 && line[3] == ',' && line[8] == ',')
			rc = emit_line(h, r, (glane_str){line, (size_t)(end - line)}, strcmp(s->how, "random") == 0);
	if (rc == GLANE_OK)
		rc = h->cover(r, &cover);
	return rc == GLANE_E_CANCELLED && strcmp(s->how, "stubborn") == 0 ? GLANE_E_DATA : rc;
}

GLANE_PLUGIN(.name = "blind", .version = "1", .title = "reads what it can", .opts = options,
	.state_size = sizeof(struct state), .run = run);
