/* SPDX-License-Identifier: MIT */
/* One line of the program's output: a row, a cover, an error, or a message of Singer. */
#include "exec.h"

#include <string.h>

const char *const line_keys[N_BOUND] = {"dataset", "indicator", "area", "area_scheme", "period", "value", "unit",
	"unit_mult", "status", "flags", "note", "title", "area_title", "freq", "updated", "dims", "error", "cover",
	"from", "to", "type", "stream"};

static int is(glane_str s, const char *word)
{
	return s.p && s.n == strlen(word) && memcmp(s.p, word, s.n) == 0;
}

const glane_str *map_find(const struct glane_map *m, const char *key)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->v[i].k, key) == 0)
			return &m->v[i].v;
	return NULL;
}

static glane_str text(const struct reading *d, size_t key)
{
	const glane_str v = d->h->at(d->rd, key), *given = v.p ? NULL : map_find(&d->o->values, line_keys[key]);

	return given ? *given : v;
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

/* Whether the path begins with this member; in a path '\\' takes the meaning of what follows. */
static int begins_with(const char *path, const char *key)
{
	for (; *path && *path != '.'; path++, key++) {
		if (*path == '\\' && path[1])
			path++;
		if (*path != *key)
			return 0;
	}
	return !*key;
}

static int is_read(const struct reading *d, const char *key)
{
	const struct glane_list *ignore = &d->o->ignore;

	for (size_t i = 0; i < N_PATHS(d); i++)
		if (begins_with(d->path[i], key))
			return 1;
	for (size_t i = 0; i < ignore->n; i++)
		if (strcmp(ignore->v[i], key) == 0)
			return 1;
	return 0;
}

/* A key that nothing is read from is a mistake, unless `ignore` names it: its rows would lack what it says. */
static glane_rc check_keys(const struct reading *d)
{
	const struct glane_list *ignore = &d->o->ignore;
	size_t n = 0;
	const struct glane_kv *kv =
		ignore->n == 1 && strcmp(ignore->v[0], "*") == 0 ? NULL : d->h->items(d->rd, "", &n);

	for (size_t i = 0; i < n; i++) {
		const char *keys = "";

		if (!kv[i].k || is_read(d, kv[i].k))
			continue;
		for (size_t k = 0; keys && k < N_KEYS; k++)
			keys = d->h->fmt(d->r, "%s%s%s", keys, k ? " " : "", line_keys[k]);
		return d->h->fail(d->r, GLANE_E_DATA,
			"no row has a key '%.60s': `map` or `ignore` it, or write one of: %s", kv[i].k,
			keys ? keys : "");
	}
	return GLANE_OK;
}

static glane_rc see_dataset(struct reading *d, glane_str name)
{
	for (size_t i = d->n_datasets; i > 0; i--)
		if (is(name, d->dataset[i - 1]))
			return GLANE_OK;
	if (d->n_datasets == MAX_DATASETS)
		return d->h->fail(d->r, GLANE_E_LIMIT, "cover: rows of more than %d datasets", MAX_DATASETS);
	d->dataset[d->n_datasets] = d->h->fmt(d->r, "%.*s", (int)name.n, name.p);
	return d->dataset[d->n_datasets++] ? GLANE_OK : d->h->fail(d->r, GLANE_E_NOMEM, "no memory for a dataset");
}

static glane_rc row(struct reading *d)
{
	static const size_t needed[] = {DATASET, INDICATOR, PERIOD};
	const glane_str freq = text(d, FREQ);
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
		.period = text(d, PERIOD),
		.value = text(d, VALUE),
		.status = text(d, STATUS),
		.flags = text(d, FLAGS),
		.note = text(d, NOTE),
		.unit_mult = text(d, UNIT_MULT)};
	glane_rc rc;

	if (!s.area_scheme.n)
		s.area_scheme = GLANE_STR("ISO3");
	d->n_rows++;
	d->n_told += o.value.n || o.status.n || o.flags.n || o.note.n;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!text(d, needed[i]).n)
			return d->h->reject(d->r, "row", "a row needs \"%s\"", line_keys[needed[i]]);
	if (d->o->cover[0] && (rc = see_dataset(d, s.dataset)) != GLANE_OK)
		return rc;
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
	if (c.kind > GLANE_COVER_FAILED)
		return d->h->fail(d->r, GLANE_E_DATA, "cover \"%.*s\": write full, none, range or failed",
			(int)(word.n < 60 ? word.n : 60), word.p);
	if (!c.dataset.n)
		return d->h->fail(d->r, GLANE_E_DATA, "a cover line needs \"dataset\"");
	if (d->o->cover[0])
		return d->h->fail(d->r, GLANE_E_CONFIG, "`cover` is set: then no line may say one");
	if (c.kind == GLANE_COVER_FAILED)
		d->h->fail(d->r, GLANE_E_DATA, "the program says: %.*s", (int)why.n, why.n ? why.p : "");
	return d->h->cover(d->r, &c);
}

glane_rc line_take(struct reading *d)
{
	const glane_str covered = d->h->at(d->rd, COVER), error = d->h->at(d->rd, ERROR), type = d->h->at(d->rd, TYPE);
	glane_rc rc = type.p ? GLANE_OK : check_keys(d); /* a message of Singer has its own */

	if (rc != GLANE_OK)
		return rc;
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
