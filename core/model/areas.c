/* SPDX-License-Identifier: MIT */
/* Codes to areas, membership of groups. The tables are read by areas_load.c. */
#include "model/areas.h"
#include "model/areas_key.h"
#include "model/fold.h"

void areas_release(struct areas *a)
{
	map_release(&a->codes);
	map_release(&a->bases);
	map_release(&a->groups);
	map_release(&a->names);
	mem_free(a->list);
	mem_free(a->schemes);
	mem_free(a->group_list);
	mem_free(a->titles);
	arena_release(&a->arena);
	*a = (struct areas){0};
}

const struct area_scheme *areas_scheme(const struct areas *a, struct slice scheme)
{
	const uint64_t *found = map_find(&a->bases, scheme);

	return found ? &a->schemes[*found] : NULL;
}

/* 4, 0004 and '004, which a spreadsheet takes for a text, are 004. */
static void add_number(struct strbuf *b, struct slice code)
{
	if (code.n > 1 && code.p[0] == '\'')
		code = (struct slice){code.p + 1, code.n - 1};
	for (size_t i = 0; i < code.n; i++) {
		if (code.p[i] < '0' || code.p[i] > '9') {
			strbuf_slice(b, code);
			return;
		}
	}
	while (code.n > 3 && code.p[0] == '0')
		code = (struct slice){code.p + 1, code.n - 1};
	for (size_t n = code.n; n < 3; n++)
		strbuf_putc(b, '0');
	strbuf_slice(b, code);
}

void areas_key(const struct areas *a, struct slice scheme, struct slice code, struct strbuf *key)
{
	const struct area_scheme *s = areas_scheme(a, scheme);

	strbuf_reset(key);
	strbuf_slice(key, scheme);
	strbuf_putc(key, '\0');
	code = slice_trim(code);
	if (s && s->folds)
		name_fold(key, code);
	else if (s && s->numeric)
		add_number(key, code);
	else
		strbuf_slice(key, code);
}

static const struct area_code *find(const struct areas *a, struct slice scheme, struct slice code, struct strbuf *key)
{
	const struct area_scheme *s = areas_scheme(a, scheme);
	const struct area_code *found = NULL;
	const uint64_t *index;

	areas_key(a, scheme, code, key);
	if (!s || !strbuf_ok(key))
		return NULL;
	index = map_find(&a->codes, strbuf_get(key));
	if (index)
		return &a->list[*index];
	for (size_t i = 0; i < s->n_bases && !found; i++)
		found = find(a, s->bases[i], code, key);
	return found;
}

void areas_map(const struct areas *a, struct slice scheme, struct slice code, struct strbuf *b, bool *ret_known)
{
	const struct area_code *found;
	struct strbuf key;

	*ret_known = true;
	if (code.n == 0)
		return;
	strbuf_init(&key, 0);
	found = find(a, scheme, code, &key);
	if (found) {
		strbuf_slice(b, found->area);
	} else {
		*ret_known = false;
		strbuf_slice(b, scheme);
		strbuf_putc(b, ':');
		strbuf_slice(b, code);
	}
	b->failed |= key.failed;
	strbuf_release(&key);
}

bool areas_has_group(const struct areas *a, struct slice group)
{
	return map_find(&a->groups, group) != NULL;
}

const struct area_member *areas_members(const struct areas *a, struct slice group)
{
	const uint64_t *index = map_find(&a->groups, group);

	return index ? a->group_list[*index] : NULL;
}

bool areas_in_group(const struct areas *a, struct slice group, struct slice area, int64_t on)
{
	for (const struct area_member *m = areas_members(a, group); m; m = m->next)
		if (slice_eq(m->area, area) && m->from <= on && on <= m->to)
			return true;
	return false;
}

struct slice areas_name(const struct areas *a, struct slice area)
{
	const uint64_t *index = map_find(&a->names, area);

	return index ? a->titles[*index] : area;
}
