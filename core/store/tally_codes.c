/* SPDX-License-Identifier: MIT */
/* Areas, indicators and codes of dimensions: which of the last commit's are gone, which are new. */
#include "store/tally.h"
#include <stdlib.h>
#include <string.h>

#define BEFORE UINT64_C(1)
#define AFTER UINT64_C(2)
#define PREFIX (sizeof(uint64_t) + 1) /* of a key: slice and kind; "NAME=CODE" follows */

enum { AREA = 'A', INDICATOR = 'I', DIMENSION = 'D' };

static glane_rc note(struct tallies *t, char kind, struct slice item, uint64_t bits, struct diag *d)
{
	const uint64_t slice = t->at.slice;
	uint64_t *value;
	bool fresh;

	strbuf_reset(&t->key);
	strbuf_add(&t->key, &slice, sizeof(slice));
	strbuf_putc(&t->key, kind);
	if (kind != DIMENSION)
		strbuf_putc(&t->key, '=');
	strbuf_slice(&t->key, item);
	if (!strbuf_ok(&t->key) || !map_put(&t->codes, strbuf_get(&t->key), 0, &value, &fresh))
		return fail(d, GLANE_E_NOMEM, "%s: no memory for the codes of the gate", t->in->source);
	*value |= bits;
	t->no_codes = t->codes.n > TALLY_CODES_MAX;
	return GLANE_OK;
}

/* Indicator and area stay the same over many series. */
static bool is_noted(const struct tallies *t, uint64_t bits)
{
	return t->last_slice == t->at.slice && (t->last_bits & bits) == bits &&
	       slice_eq(strbuf_get(&t->last_area), strbuf_get(&t->at.area)) &&
	       slice_eq(strbuf_get(&t->last_indicator), strbuf_get(&t->at.indicator));
}

static glane_rc note_area(struct tallies *t, uint64_t bits, struct diag *d)
{
	const struct slice area = strbuf_get(&t->at.area), indicator = strbuf_get(&t->at.indicator);
	glane_rc rc;

	if (is_noted(t, bits))
		return GLANE_OK;
	rc = note(t, AREA, area, bits, d);
	if (rc == GLANE_OK)
		rc = note(t, INDICATOR, indicator, bits, d);
	strbuf_reset(&t->last_area);
	strbuf_slice(&t->last_area, area);
	strbuf_reset(&t->last_indicator);
	strbuf_slice(&t->last_indicator, indicator);
	if (!strbuf_ok(&t->last_area) || !strbuf_ok(&t->last_indicator))
		return fail(d, GLANE_E_NOMEM, "%s: no memory for the codes of the gate", t->in->source);
	t->last_slice = t->at.slice;
	t->last_bits = bits;
	return rc;
}

glane_rc tally_note_codes(struct tallies *t, uint64_t bits, struct diag *d)
{
	struct slice rest = strbuf_get(&t->at.dims);
	glane_rc rc = note_area(t, bits, d);

	while (rc == GLANE_OK && rest.n)
		rc = note(t, DIMENSION, slice_cut(&rest, ';'), bits, d);
	return rc;
}

/* ---- comparison ---- */

static int by_key(const void *a, const void *b)
{
	const struct map_entry *const *x = a, *const *y = b;

	return slice_cmp((*x)->key, (*y)->key);
}

/* Slice, kind and the name of a dimension. */
static struct slice group_of(const struct map_entry *e)
{
	const char *equals = memchr(e->key.p + PREFIX, '=', e->key.n - PREFIX);

	return (struct slice){e->key.p, equals ? (size_t)(equals - e->key.p) : e->key.n};
}

static const char *kind_text(struct tallies *t, struct slice group)
{
	if (group.p[PREFIX - 1] == AREA)
		return "areas";
	if (group.p[PREFIX - 1] == INDICATOR)
		return "indicators";
	strbuf_reset(&t->key);
	strbuf_puts(&t->key, "codes of ");
	strbuf_visible(&t->key, (struct slice){group.p + PREFIX, group.n - PREFIX});
	return strbuf_ok(&t->key) ? arena_strndup(t->arena, t->key.p, t->key.n) : NULL;
}

static const char *code_text(struct tallies *t, const struct map_entry *e)
{
	const struct slice group = group_of(e);
	struct slice code = {e->key.p + group.n, e->key.n - group.n};

	if (code.n)
		code = (struct slice){code.p + 1, code.n - 1};
	strbuf_reset(&t->key);
	strbuf_puts(&t->key, "");
	strbuf_visible(&t->key, code);
	return strbuf_ok(&t->key)
		       ? arena_strndup(t->arena, t->key.p, t->key.n < TALLY_EXAMPLE ? t->key.n : TALLY_EXAMPLE)
		       : NULL;
}

/* Takes the group's count of codes with exactly these bits where its share is the largest so far. */
static bool take(struct tallies *t, struct tally_codes *to, const struct map_entry **e, size_t n, uint64_t bits)
{
	const struct map_entry *first = NULL;
	uint64_t found = 0, of = 0;

	for (size_t i = 0; i < n; i++) {
		of += (e[i]->value & BEFORE) != 0;
		found += e[i]->value == bits;
		if (e[i]->value == bits && !first)
			first = e[i];
	}
	if (!first || of == 0 || (to->of && found * to->of <= to->n * of))
		return true;
	*to = (struct tally_codes){found, of, kind_text(t, group_of(first)), code_text(t, first)};
	return to->kind && to->code;
}

static bool take_groups(struct tallies *t, const struct map_entry **list, size_t n)
{
	bool fine = true;

	for (size_t i = 0, end; i < n && fine; i = end) {
		const struct slice group = group_of(list[i]);
		uint64_t slice;

		for (end = i + 1; end < n && slice_eq(group_of(list[end]), group);)
			end++;
		memcpy(&slice, group.p, sizeof(slice));
		fine = take(t, &t->slices[slice].lost, list + i, end - i, BEFORE) &&
		       take(t, &t->slices[slice].gained, list + i, end - i, AFTER);
	}
	return fine;
}

glane_rc tally_compare_codes(struct tallies *t, struct diag *d)
{
	const struct map_entry **list = mem_zalloc(t->codes.n + 1, sizeof(*list)), *e;
	size_t n = 0, it = 0;
	bool fine = list != NULL;

	while (fine && (e = map_next(&t->codes, &it)))
		list[n++] = e;
	if (n)
		qsort(list, n, sizeof(*list), by_key);
	fine = fine && take_groups(t, list, n);
	mem_free(list);
	return fine ? GLANE_OK : fail(d, GLANE_E_NOMEM, "%s: no memory for the codes of the gate", t->in->source);
}
