/* SPDX-License-Identifier: MIT */
/* Rows that a program of the source's own writes as lines of JSON. README.md describes them. */
#include <glane/plugin.h>
#include <string.h>

#define MAX_DIMS 32
#define MAX_NAME 64

enum {
	DATASET,
	INDICATOR,
	AREA,
	AREA_SCHEME,
	PERIOD,
	VALUE,
	UNIT,
	UNIT_MULT,
	STATUS,
	FLAGS,
	NOTE,
	TITLE,
	AREA_TITLE,
	FREQ,
	UPDATED,
	DIMS,
	N_KEYS
};
enum { ERROR = N_KEYS, COVER, FROM, TO, TYPE, STREAM, N_BOUND };
static const char *const names[N_BOUND] = {"dataset", "indicator", "area", "area_scheme", "period", "value", "unit",
	"unit_mult", "status", "flags", "note", "title", "area_title", "freq", "updated", "dims", "error", "cover",
	"from", "to", "type", "stream"};

struct options {
	struct glane_list requests;
	struct glane_map map, dims, values;
	const char *stream;
};
struct reading {
	const struct glane_host *h;
	glane_run *r;
	glane_reader *rd;
	const struct options *o;
	const char *path[N_BOUND + MAX_DIMS];
	char dim[MAX_DIMS][MAX_NAME];
	struct glane_kv dims[MAX_DIMS];
	size_t n_dims;
};
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

static int is(glane_str s, const char *word)
{
	return s.p && s.n == strlen(word) && memcmp(s.p, word, s.n) == 0;
}

static const glane_str *find(const struct glane_map *m, const char *key)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->v[i].k, key) == 0)
			return &m->v[i].v;
	return NULL;
}

static glane_str text(const struct reading *d, size_t key)
{
	const glane_str v = d->h->at(d->rd, key), *given = v.p ? NULL : find(&d->o->values, names[key]);

	return given ? *given : v;
}

/* Options that name no key would be passed over in silence. */
static glane_rc check(const struct reading *d, const struct glane_map *m, const char *option)
{
	for (size_t i = 0; i < m->n; i++) {
		size_t k = 0;

		while (k < N_KEYS && strcmp(m->v[i].k, names[k]) != 0)
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
		const glane_str *path = i < N_BOUND ? find(&o->map, names[i]) : &o->dims.v[i - N_BOUND].v;

		d->path[i] = path ? d->h->fmt(d->r, "%.*s", (int)path->n, path->p) : names[i];
		if (!d->path[i])
			rc = d->h->fail(d->r, GLANE_E_NOMEM, "no memory for the map");
	}
	return rc;
}

/* "SEX=F;AGE=Y15" of the line, then the option's. 0: not such a text. */
static int take_dims(struct reading *d)
{
	glane_str rest = text(d, DIMS);

	for (d->n_dims = 0; rest.n > 0;) {
		const char *end = memchr(rest.p, ';', rest.n);
		const size_t n = end ? (size_t)(end - rest.p) : rest.n;
		const char *equals = memchr(rest.p, '=', n);
		const size_t k = equals ? (size_t)(equals - rest.p) : 0;

		if (k == 0 || k >= MAX_NAME || d->n_dims == MAX_DIMS)
			return 0;
		memcpy(d->dim[d->n_dims], rest.p, k);
		d->dim[d->n_dims][k] = '\0';
		d->dims[d->n_dims] = (struct glane_kv){d->dim[d->n_dims], {equals + 1, n - k - 1}};
		d->n_dims++;
		rest.p += end ? n + 1 : n;
		rest.n -= end ? n + 1 : n;
	}
	for (size_t i = 0; i < d->o->dims.n; i++) {
		if (d->n_dims == MAX_DIMS)
			return 0;
		d->dims[d->n_dims++] = (struct glane_kv){d->o->dims.v[i].k, d->h->at(d->rd, N_BOUND + i)};
	}
	return 1;
}

static glane_rc row(struct reading *d)
{
	const glane_str freq = text(d, FREQ), period = text(d, PERIOD);
	struct glane_series s = {.size = sizeof(s),
		.freq = '\0',
		.dataset = text(d, DATASET),
		.indicator = text(d, INDICATOR),
		.area = text(d, AREA),
		.area_scheme = text(d, AREA_SCHEME),
		.unit = text(d, UNIT),
		.title = text(d, TITLE),
		.area_title = text(d, AREA_TITLE),
		.updated = text(d, UPDATED)};
	struct glane_row o = {.size = sizeof(o),
		.period = period,
		.value = text(d, VALUE),
		.status = text(d, STATUS),
		.flags = text(d, FLAGS),
		.note = text(d, NOTE),
		.unit_mult = text(d, UNIT_MULT)};
	glane_rc rc;

	if (!s.area_scheme.n)
		s.area_scheme = GLANE_STR("ISO3");
	if (!s.dataset.n || !s.indicator.n || !period.n)
		return d->h->reject(d->r, "row", "a row needs dataset, indicator and period");
	if (freq.n > 1 || (freq.n == 1 && !strchr("ASTQMWDB", freq.p[0])))
		return d->h->reject(d->r, "freq", "freq is none of A S T Q M W D B");
	if (!take_dims(d))
		return d->h->reject(d->r, "dims", "dims is not a text like SEX=F;AGE=Y15 of at most %d", MAX_DIMS);
	s.freq = freq.n ? freq.p[0] : '\0';
	s.dims = d->dims;
	s.n_dims = d->n_dims;
	rc = d->h->series(d->r, &s, &o.series);
	return rc == GLANE_OK ? d->h->emit(d->r, &o) : rc;
}

static glane_rc cover(const struct reading *d, glane_str word)
{
	static const char *const kinds[] = {"none", "full", "range", "failed"}; /* GLANE_COVER_* */
	const glane_str why = d->h->at(d->rd, ERROR);
	struct glane_cover c = {.size = sizeof(c),
		.kind = 0,
		.dataset = text(d, DATASET),
		.indicator = d->h->at(d->rd, INDICATOR),
		.from = d->h->at(d->rd, FROM),
		.to = d->h->at(d->rd, TO)};

	while (c.kind <= GLANE_COVER_FAILED && !is(word, kinds[c.kind]))
		c.kind++;
	if (c.kind > GLANE_COVER_FAILED || !c.dataset.n)
		return d->h->fail(
			d->r, GLANE_E_DATA, "the program's cover is none of none full range failed, or of no dataset");
	if (c.kind == GLANE_COVER_FAILED)
		d->h->fail(d->r, GLANE_E_DATA, "the program says: %.*s", (int)why.n, why.n ? why.p : "");
	return d->h->cover(d->r, &c);
}

static glane_rc line(struct reading *d)
{
	const glane_str covered = d->h->at(d->rd, COVER), error = d->h->at(d->rd, ERROR), type = d->h->at(d->rd, TYPE);

	if (covered.p)
		return cover(d, covered);
	if (error.p)
		return d->h->fail(d->r, GLANE_E_DATA, "the program says: %.*s", (int)error.n, error.p);
	if (is(type, "SCHEMA") || is(type, "STATE") || is(type, "ACTIVATE_VERSION"))
		return GLANE_OK;
	if (is(type, "RECORD") && d->o->stream[0] && !is(d->h->at(d->rd, STREAM), d->o->stream))
		return GLANE_OK;
	return row(d);
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
			rc = line(&d);
		rc = rc == GLANE_END ? GLANE_OK : rc;
	}
	return rc;
}

GLANE_PLUGIN(.name = "exec", .version = "1.0", .title = "Rows from a program in any language", .opts = options,
	.state_size = sizeof(struct options), .run = run);
