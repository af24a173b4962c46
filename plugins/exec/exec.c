/* SPDX-License-Identifier: MIT */
/* Rows that a program of the source's own writes as lines of JSON. README.md describes them. */
#include "exec.h"

#include <string.h>

static const struct glane_opt options[] = {
	{"requests", GLANE_OPT_LIST, 0, offsetof(struct options, requests), "{base_url}",
		"URLs; each answer is the standard input of one process", 0, 0},
	{"map", GLANE_OPT_MAP, 0, offsetof(struct options, map), "", "KEY=path in the line, where it is not KEY itself",
		0, 0},
	{"dims", GLANE_OPT_MAP, 0, offsetof(struct options, dims), "", "DIMENSION=path in the line", 0, 0},
	{"values", GLANE_OPT_MAP, 0, offsetof(struct options, values), "", "KEY=text, for lines that do not say", 0, 0},
	{"stream", GLANE_OPT_STR, 0, offsetof(struct options, stream), "", "of Singer messages; none: all", 0, 0},
	{0},
};

/* Options that name no key would be passed over in silence. */
static glane_rc check(const struct reading *d, const struct glane_map *m, const char *option)
{
	for (size_t i = 0; i < m->n; i++) {
		size_t k = 0;

		while (k < N_KEYS && strcmp(m->v[i].k, line_keys[k]) != 0)
			k++;
		if (k == N_KEYS)
			return d->h->fail(
				d->r, GLANE_E_CONFIG, "%s: no key of a row is called '%s'", option, m->v[i].k);
	}
	return GLANE_OK;
}

static glane_rc bind(struct reading *d)
{
	const struct options *o = d->o;
	glane_rc rc = check(d, &o->map, "map");

	if (rc == GLANE_OK)
		rc = check(d, &o->values, "values");
	if (rc == GLANE_OK && o->dims.n > MAX_DIMS)
		rc = d->h->fail(d->r, GLANE_E_CONFIG, "dims: more than %d", MAX_DIMS);
	for (size_t i = 0; rc == GLANE_OK && i < N_BOUND + o->dims.n; i++) {
		const glane_str *path = i < N_BOUND ? map_find(&o->map, line_keys[i]) : &o->dims.v[i - N_BOUND].v;

		d->path[i] = path ? d->h->fmt(d->r, "%.*s", (int)path->n, path->p) : line_keys[i];
		if (!d->path[i])
			rc = d->h->fail(d->r, GLANE_E_NOMEM, "no memory for the map");
	}
	return rc;
}

static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	struct reading d = {.h = h, .r = r, .o = state};
	glane_rc rc = bind(&d);

	for (size_t i = 0; rc == GLANE_OK && i < d.o->requests.n; i++) {
		const struct glane_request q = {.size = sizeof(q),
			.format = GLANE_FMT_JSON,
			.url = d.o->requests.v[i],
			.select = "$lines",
			.field = d.path,
			.n_field = N_BOUND + d.o->dims.n};

		rc = h->open(r, &q, &d.rd);
		while (rc == GLANE_OK && (rc = h->next(d.rd)) == GLANE_OK)
			rc = line_take(&d);
		rc = rc == GLANE_END ? GLANE_OK : rc;
	}
	return rc;
}

GLANE_PLUGIN(.name = "exec", .version = "1.0", .title = "Rows from a program in any language", .opts = options,
	.state_size = sizeof(struct options), .run = run);
