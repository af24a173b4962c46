/* SPDX-License-Identifier: MIT */
/* Arrays and objects of which each item belongs to an observation: which belong together, and what may not be. */
#include "mapping.h"

#include <stdio.h>
#include <stdlib.h>

/* Whether the member's name is the last step of a path, which is written with escapes. */
static int is_named(const char *name, const char *step)
{
	for (; *name && *step; name++, step++) {
		step += *step == '\\' && step[1];
		if (*name != *step)
			return 0;
	}
	return !*name && !*step;
}

int list_holds(const struct state *s, const char *path)
{
	const char *dot = NULL, *parent;
	const struct glane_kv *item;
	size_t n = 0;

	for (const char *p = path; *p; p++) {
		if (*p == '\\' && p[1])
			p++;
		else if (*p == '.')
			dot = p;
	}
	parent = dot ? s->h->fmt(s->r, "%.*s", (int)(dot - path), path) : "";
	item = parent ? s->h->items(s->rd, parent, &n) : NULL;
	for (size_t i = 0; item && i < n; i++)
		if (!item[i].k || is_named(item[i].k, dot ? dot + 1 : path))
			return 1;
	return 0;
}

/* A text that looks like an array or object may be a string all the same: only its path tells. */
static int is_container(const struct state *s, const char *list, const struct glane_kv *item, size_t i)
{
	const char open = item->v.n > 1 && item->v.p ? item->v.p[0] : 0;
	const char *dot = list[0] ? "." : "";
	char path[1024];
	size_t n = 0, n_inside;
	int begun;

	if ((open != '[' || item->v.p[item->v.n - 1] != ']') && (open != '{' || item->v.p[item->v.n - 1] != '}'))
		return 0;
	begun = snprintf(path, sizeof(path), item->k ? "%s%s" : "%s%s%zu", list, dot, i);
	n = begun > 0 ? (size_t)begun : sizeof(path);
	for (const char *k = item->k; k && *k && n + 3 < sizeof(path); k++) {
		if (strchr(".*\\", *k))
			path[n++] = '\\';
		path[n++] = *k;
	}
	if (n + 3 >= sizeof(path))
		return 1;
	path[n] = '\0';
	return s->h->items(s->rd, path, &n_inside) != NULL;
}

glane_rc list_check(const struct state *s, const char *list, const struct glane_kv *item, size_t n)
{
	const char *dot = list[0] ? "." : "";

	if (!item && s->h->get(s->rd, list).n)
		return s->h->fail(s->r, GLANE_E_DATA,
			"%s%s*: a single value where an array or object belongs: has the source changed its shape?",
			list, dot);
	for (size_t i = 0; item && i < n; i++)
		if (is_container(s, list, &item[i], i))
			return s->h->fail(s->r, GLANE_E_DATA,
				"%s%s*: an array or object is among its single values: has the source changed its "
				"shape?",
				list, dot);
	return GLANE_OK;
}

static int by_name(const void *a, const void *b)
{
	const struct glane_kv *const *x = a, *const *y = b;

	return strcmp((*x)->k, (*y)->k);
}

/* Members that do not stand in the order of the value's are found in a sorted copy. */
static glane_rc sort(const struct state *s, struct cell *c, const struct cell *value)
{
	int is_same = c->n_item == value->n_item;

	for (size_t i = 0; is_same && i < c->n_item; i++)
		is_same = strcmp(c->item[i].k, value->item[i].k) == 0;
	if (is_same || c->sorted)
		return GLANE_OK;
	c->sorted = malloc(c->n_item * sizeof(void *));
	if (!c->sorted)
		return s->h->fail(s->r, GLANE_E_NOMEM, "no memory for the members of %s", c->list);
	for (size_t i = 0; i < c->n_item; i++)
		c->sorted[i] = &c->item[i];
	qsort(c->sorted, c->n_item, sizeof(void *), by_name);
	return GLANE_OK;
}

glane_rc list_pair(const struct state *s, struct cell *c, const char *text, const struct value *v, int may_be_none)
{
	const struct cell *value = &v->cell;
	const size_t n = value->list ? value->n_item : 1;
	const int is_named_value = value->n_item && value->item[0].k;

	if (!c->list)
		return GLANE_OK;
	if (c->n_item && value->n_item && !c->item[0].k != !is_named_value)
		return s->h->fail(s->r, GLANE_E_DATA, "%s and %s: one is an array, the other an object", v->path, text);
	if (is_named_value)
		return c->n_item ? sort(s, c, value) : GLANE_OK;
	if (c->n_item != n && !(c->n_item == 0 && may_be_none))
		return s->h->fail(s->r, GLANE_E_DATA,
			"%s holds %zu items, but %s %zu: has the source changed its shape?", v->path, n, text,
			c->n_item);
	return GLANE_OK;
}

glane_str list_text(const struct cell *c, const struct cell *value, size_t k)
{
	const struct glane_kv *key = value->n_item && value->item[0].k ? &value->item[k] : NULL;
	const struct glane_kv *const *found = NULL;

	if (k < c->n_item && (!key || strcmp(c->item[k].k, key->k) == 0))
		return c->item[k].v;
	if (key && c->sorted)
		found = bsearch(&key, c->sorted, c->n_item, sizeof(void *), by_name);
	return found ? (*found)->v : (glane_str){NULL, 0};
}
