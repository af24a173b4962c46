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
	{"ignore", GLANE_OPT_LIST, 0, offsetof(struct options, ignore), "",
		"keys of lines that nothing is to be read from; *: all that are no key of a row", 0, 0},
	{"stream", GLANE_OPT_STR, 0, offsetof(struct options, stream), "", "of Singer messages; none: all", 0, 0},
	{"cover", GLANE_OPT_STR, 0, offsetof(struct options, cover), "",
		"of every dataset that rows name: full, or none for an increment; none given: as cover lines say", 0,
		0},
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

	if (rc == GLANE_OK && o->cover[0] && strcmp(o->cover, "full") != 0 && strcmp(o->cover, "none") != 0)
		rc = d->h->fail(d->r, GLANE_E_CONFIG, "cover = %s: write full or none", o->cover);
	for (size_t i = 0; rc == GLANE_OK && i < o->requests.n; i++)
		if (o->requests.v[i][0] != '{' && !strstr(o->requests.v[i], "://"))
			rc = d->h->fail(d->r, GLANE_E_CONFIG, "requests: %s: write {base_url}/%s", o->requests.v[i],
				o->requests.v[i]);
	if (rc == GLANE_OK)
		rc = check(d, &o->values, "values");
	if (rc == GLANE_OK && o->dims.n > MAX_DIMS)
		rc = d->h->fail(d->r, GLANE_E_CONFIG, "dims: more than %d", MAX_DIMS);
	for (size_t i = 0; rc == GLANE_OK && i < N_PATHS(d); i++) {
		const glane_str *path = i < N_BOUND ? map_find(&o->map, line_keys[i]) : &o->dims.v[i - N_BOUND].v;

		d->path[i] = path ? d->h->fmt(d->r, "%.*s", (int)path->n, path->p) : line_keys[i];
		if (!d->path[i])
			rc = d->h->fail(d->r, GLANE_E_NOMEM, "no memory for the map");
	}
	return rc;
}

/* What the option says of each dataset; where no row came, of the one that `values` names. */
static glane_rc declare(struct reading *d)
{
	const glane_str *given = map_find(&d->o->values, line_keys[DATASET]);
	struct glane_cover c = {.size = sizeof(c), .kind = d->o->cover[0] == 'f' ? GLANE_COVER_FULL : GLANE_COVER_NONE};
	glane_rc rc = GLANE_OK;

	for (size_t i = 0; rc == GLANE_OK && i < d->n_datasets; i++) {
		c.dataset = (glane_str){d->dataset[i], strlen(d->dataset[i])};
		rc = d->h->cover(d->r, &c);
	}
	if (d->n_datasets > 0 || !given)
		return rc;
	c.dataset = *given;
	return d->h->cover(d->r, &c);
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
			.n_field = N_PATHS(&d)};

		rc = h->open(r, &q, &d.rd);
		if (rc == GLANE_E_FORMAT)
			h->fail(r, rc, "no lines of JSON came: is `program = ...` set?");
		while (rc == GLANE_OK && (rc = h->next(d.rd)) == GLANE_OK)
			rc = line_take(&d);
		h->close(d.rd);
		rc = rc == GLANE_END ? GLANE_OK : rc;
	}
	if (rc == GLANE_OK && d.n_rows && !d.n_told)
		rc = h->fail(r, GLANE_E_DATA, "%llu rows, none with a value", (unsigned long long)d.n_rows);
	return rc == GLANE_OK && d.o->cover[0] ? declare(&d) : rc;
}

GLANE_PLUGIN(.name = "exec", .version = "1.0", .title = "Rows from a program in any language", .opts = options,
	.state_size = sizeof(struct options), .run = run);
