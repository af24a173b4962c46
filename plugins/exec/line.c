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

glane_rc line_take(struct reading *d)
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
