/* SPDX-License-Identifier: MIT */
/* The first turn over a JSON-stat document: where its datasets and their parts are, and what an error document says. */
#include "read/jsonstat.h"

#define DEPTH 12 /* datasets stand in the document, in its members, or in link.item */
#define ITEM_DEPTH 3

static const char *const part_names[N_PARTS] = {"dimension", "id", "size", "role", "label", "title", "updated",
	"lastUpdateDate", "href", "extension", "value", "status"};

static glane_rc walk(struct jsonstat_index *x, struct json_pull *j, struct slice name, unsigned depth);

static enum jsonstat_part part_of(struct slice name)
{
	size_t i = 0;

	while (i < N_PARTS && !slice_is(name, part_names[i]))
		i++;
	return (enum jsonstat_part)i;
}

glane_rc jsonstat_number(struct json_pull *j, uint64_t *ret)
{
	const struct slice s = strbuf_get(&j->key);
	int64_t v = 0;

	if (!slice_int(s, 0, INT64_MAX - 1, &v) || s.p[0] < '0' || (s.n > 1 && s.p[0] == '0'))
		return fail(j->diag, GLANE_E_FORMAT,
			"JSON-stat, byte %llu: '%.*s' is no position of a sparse value or status",
			(unsigned long long)json_pull_offset(j), (int)(s.n > 80 ? 80 : s.n), s.p);
	*ret = (uint64_t)v;
	return GLANE_OK;
}

static glane_rc index_sparse(struct jsonstat_list *l, struct json_pull *j)
{
	struct slice text;
	bool is_first = true;
	glane_rc rc;

	while ((rc = json_pull_member(j, &is_first)) == GLANE_OK) {
		uint64_t i = 0;

		rc = jsonstat_number(j, &i);
		if (rc == GLANE_OK)
			rc = json_pull_text(j, &text);
		if (rc != GLANE_OK)
			return rc;
		if (i < l->top)
			l->is_unordered = true;
		else
			l->top = i + 1;
		l->n++;
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

static glane_rc index_dense(struct jsonstat_list *l, struct json_pull *j)
{
	struct slice text;
	bool is_first = true;
	glane_rc rc;

	while ((rc = json_pull_element(j, &is_first)) == GLANE_OK) {
		rc = json_pull_text(j, &text);
		if (rc != GLANE_OK)
			return rc;
		l->n++;
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

/* The bytes of a list of known kind, from its bracket on. */
static glane_rc index_items(struct jsonstat_list *l, struct json_pull *j, char kind)
{
	l->at = json_pull_offset(j);
	l->kind = kind;
	json_pull_open(j);
	return kind == '[' ? index_dense(l, j) : index_sparse(l, j);
}

/* Eurostat's 1.x nests the list once more, "status": {"value": [...]}: the kind of what is nested, 0: nothing is. */
static glane_rc nested_kind(struct json_pull *j, char *ret)
{
	struct payload view;
	struct json_pull peek;
	bool is_first = true;
	glane_rc rc;

	json_pull_look(&peek, &view, j->p, json_pull_offset(j), j->diag);
	json_pull_open(&peek);
	rc = json_pull_member(&peek, &is_first);
	if (rc == GLANE_OK && slice_is(strbuf_get(&peek.key), "value"))
		rc = json_pull_peek(&peek, ret);
	json_pull_release(&peek);
	return rc == GLANE_END ? GLANE_OK : rc;
}

static glane_rc index_object(struct jsonstat_list *l, struct json_pull *j)
{
	bool is_first = true;
	char kind = 0;
	glane_rc rc = nested_kind(j, &kind);

	if (rc != GLANE_OK || (kind != '[' && kind != '{'))
		return rc == GLANE_OK ? index_items(l, j, '{') : rc;
	json_pull_open(j);
	rc = json_pull_member(j, &is_first);
	if (rc == GLANE_OK)
		rc = index_items(l, j, kind);
	while (rc == GLANE_OK && (rc = json_pull_member(j, &is_first)) == GLANE_OK)
		rc = json_pull_pass(j, DEPTH);
	return rc == GLANE_END ? GLANE_OK : rc;
}

static glane_rc index_list(struct jsonstat_list *l, struct json_pull *j, char kind)
{
	struct slice text;

	if (kind == '{')
		return index_object(l, j);
	if (kind == '[')
		return index_items(l, j, kind);
	l->at = json_pull_offset(j);
	l->kind = kind;
	l->n = 1;
	return json_pull_text(j, &text);
}

/* A text of an error document, at most a few of them. */
static void add_words(struct strbuf *b, struct slice text)
{
	if (!text.n || b->n > 1000)
		return;
	if (b->n)
		strbuf_puts(b, "; ");
	strbuf_visible(b, (struct slice){text.p, text.n < 1000 ? text.n : 1000});
}

/* Collects label, message, detail, id and status of an error, wherever they stand in it; false, 0 and null say that there is none. */
static glane_rc take_words(struct jsonstat_index *x, struct json_pull *j, bool is_code, unsigned depth)
{
	struct slice text = {NULL, 0};
	bool is_first = true, is_object;
	char ch = 0;
	glane_rc rc = json_pull_peek(j, &ch);

	if (rc != GLANE_OK)
		return rc;
	if (ch != '{' && ch != '[') {
		rc = json_pull_text(j, &text);
		if (ch != 'f' && !slice_is(text, "0"))
			add_words(is_code ? &x->code : &x->words, text);
		return rc;
	}
	if (depth > DEPTH)
		return json_pull_pass(j, depth);
	is_object = ch == '{';
	json_pull_open(j);
	while ((rc = is_object ? json_pull_member(j, &is_first) : json_pull_element(j, &is_first)) == GLANE_OK) {
		const struct slice key = strbuf_get(&j->key);
		const bool is_number = is_object && (slice_is(key, "status") || slice_is(key, "code"));

		rc = is_object && slice_is(key, "id") ? json_pull_pass(j, depth + 1)
						      : take_words(x, j, is_number && !x->code.n, depth + 1);
		if (rc != GLANE_OK)
			return rc;
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

static bool is_error(struct slice key)
{
	return slice_is(key, "error") || slice_is(key, "errors") || slice_is(key, "warning");
}

/* A message may stand beside data and say that all is well; an error or a warning says that something is missing. */
static glane_rc take_error(struct jsonstat_index *x, struct json_pull *j, unsigned depth)
{
	const bool is_grave = is_error(strbuf_get(&j->key));
	const size_t n = x->words.n + x->code.n;
	const glane_rc rc = take_words(x, j, false, depth);

	x->is_told |= is_grave && x->words.n + x->code.n > n;
	if (rc == GLANE_OK && (!strbuf_ok(&x->words) || !strbuf_ok(&x->code)))
		return fail(j->diag, GLANE_E_NOMEM, "no memory for what the provider says");
	return rc;
}

static glane_rc take_class(struct jsonstat_index *x, struct json_pull *j, struct jsonstat_place *pl)
{
	struct slice text = {NULL, 0};
	const glane_rc rc = json_pull_text(j, &text);

	pl->has_class = true;
	x->is_told |= slice_is(text, "error");
	return rc;
}

/* The first part of a bundle or collection that is without data. */
static void add_lack(struct jsonstat_index *x, struct slice name, uint64_t href)
{
	if (x->n_lacks++)
		return;
	x->href = href;
	x->lacks = name;
}

static glane_rc take_part(
	struct jsonstat_place *pl, struct json_pull *j, enum jsonstat_part part, char ch, unsigned depth)
{
	if (pl->part[part])
		return fail(j->diag, GLANE_E_FORMAT, "JSON-stat, byte %llu: a dataset has the member '%s' twice",
			(unsigned long long)json_pull_offset(j), part_names[part]);
	pl->part[part] = json_pull_offset(j);
	pl->kind[part] = ch;
	if (part == PART_VALUE && (ch == '[' || ch == '{'))
		return index_list(&pl->value, j, ch);
	if (part == PART_STATUS && (ch == '[' || ch == '{' || ch == '"'))
		return index_list(&pl->status, j, ch);
	return json_pull_pass(j, depth + 1);
}

/* One member of an object that may be a dataset, or hold some. */
static glane_rc walk_member(struct jsonstat_index *x, struct json_pull *j, struct jsonstat_place *pl, unsigned depth)
{
	const enum jsonstat_part part = part_of(strbuf_get(&j->key));
	struct slice name;
	char ch = 0;
	glane_rc rc = json_pull_peek(j, &ch);

	if (rc != GLANE_OK)
		return rc;
	if (part != N_PARTS && !(part == PART_ID && ch == '{'))
		return take_part(pl, j, part, ch, depth);
	x->is_pending |= depth == 0 && slice_is(strbuf_get(&j->key), "warning");
	if (depth <= ITEM_DEPTH && (is_error(strbuf_get(&j->key)) || slice_is(strbuf_get(&j->key), "message")))
		return take_error(x, j, depth + 1);
	if (slice_is(strbuf_get(&j->key), "class") && ch == '"')
		return take_class(x, j, pl);
	if (ch != '{' && ch != '[' && ch != 'n')
		return json_pull_pass(j, depth);
	if (!arena_dup(x->arena, strbuf_get(&j->key), &name))
		return fail(j->diag, GLANE_E_NOMEM, "no memory for the names of datasets");
	if (ch == 'n' && depth == 0 && !pl->null.p)
		pl->null = name;
	return walk(x, j, name, depth + 1);
}

static glane_rc add_place(struct jsonstat_index *x, struct jsonstat_place *pl, struct slice name, struct diag *d)
{
	if (x->n == JSONSTAT_DATASETS)
		return fail(d, GLANE_E_LIMIT, "JSON-stat: more than %u datasets in one document", JSONSTAT_DATASETS);
	if (!mem_grow(&x->place, &x->cap, x->n + 1, sizeof(*x->place)))
		return fail(d, GLANE_E_NOMEM, "no memory for the datasets of a document");
	pl->name = name;
	x->place[x->n++] = *pl;
	return GLANE_OK;
}

/* An object that is no dataset with data: one without its data, an item that only links, a bundle of which a member is null. */
static void take_other(struct jsonstat_index *x, const struct jsonstat_place *pl, struct slice name, bool is_holder)
{
	const bool is_link = pl->part[PART_HREF] && slice_is(name, "item") && !is_holder;

	x->n_bare += pl->part[PART_DIMENSION] != 0;
	x->n_links += is_link;
	if (pl->part[PART_DIMENSION] || is_link)
		add_lack(x, name, pl->part[PART_HREF]);
	else if (pl->null.p && !pl->has_class && is_holder)
		add_lack(x, pl->null, 0);
}

static glane_rc walk_object(struct jsonstat_index *x, struct json_pull *j, struct slice name, unsigned depth)
{
	struct jsonstat_place pl = {.name = {NULL, 0}};
	const size_t n_before = x->n + x->n_lacks;
	bool is_first = true;
	glane_rc rc;

	json_pull_open(j);
	while ((rc = json_pull_member(j, &is_first)) == GLANE_OK)
		if ((rc = walk_member(x, j, &pl, depth)) != GLANE_OK)
			return rc;
	if (rc != GLANE_END)
		return rc;
	if (pl.part[PART_DIMENSION] && pl.kind[PART_DIMENSION] == '{' && pl.value.kind)
		return add_place(x, &pl, name, j->diag);
	take_other(x, &pl, name, x->n + x->n_lacks > n_before);
	return GLANE_OK;
}

/* The items of a collection keep its name, to be known from other links. */
static glane_rc walk_array(struct jsonstat_index *x, struct json_pull *j, struct slice name, unsigned depth)
{
	const struct slice item = slice_is(name, "item") ? name : (struct slice){NULL, 0};
	bool is_first = true;
	glane_rc rc;

	json_pull_open(j);
	while ((rc = json_pull_element(j, &is_first)) == GLANE_OK)
		if ((rc = walk(x, j, item, depth + 1)) != GLANE_OK)
			return rc;
	return rc == GLANE_END ? GLANE_OK : rc;
}

static glane_rc walk(struct jsonstat_index *x, struct json_pull *j, struct slice name, unsigned depth)
{
	char ch = 0;
	glane_rc rc = json_pull_peek(j, &ch);

	if (rc != GLANE_OK)
		return rc;
	if (depth > DEPTH || (ch != '{' && ch != '['))
		return json_pull_pass(j, depth);
	return ch == '{' ? walk_object(x, j, name, depth) : walk_array(x, j, name, depth);
}

glane_rc jsonstat_index(struct jsonstat_index *x, struct json_pull *j)
{
	glane_rc rc = walk(x, j, (struct slice){NULL, 0}, 0);

	return rc == GLANE_OK ? json_pull_end(j) : rc;
}
