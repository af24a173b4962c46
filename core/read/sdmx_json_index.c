/* SPDX-License-Identifier: MIT */
/* The structures of an SDMX-JSON message, and where its observations stand (sdmx-twg/sdmx-json, data-message/docs). */
#include "read/sdmx_json.h"

static glane_rc no_memory(struct json_pull *j)
{
	return fail(j->diag, GLANE_E_LIMIT, "SDMX-JSON: no memory, or structures of more than 256 MiB");
}

void sdmx_json_index_release(struct sdmx_json_index *x)
{
	for (size_t i = 0; i < x->n_structures; i++) {
		for (size_t k = 0; k < x->structure[i].n; k++) {
			mem_free(x->structure[i].part[k].code);
			mem_free(x->structure[i].part[k].label);
		}
		mem_free(x->structure[i].part);
	}
	mem_free(x->structure);
	mem_free(x->dataset);
	strbuf_release(&x->words);
	arena_release(&x->arena);
}

void sdmx_json_look(struct json_pull *j, struct payload *view, const struct payload *p, uint64_t at, struct diag *d)
{
	payload_view(view, p, at);
	json_pull_init(j, view, d);
	j->has_holes = true;
}

static bool is_key(const struct json_pull *j, const char *name)
{
	return slice_is(strbuf_get(&j->key), name);
}

static glane_rc take_text(struct json_pull *j, struct arena *a, struct slice *ret)
{
	struct slice text;
	char kind;
	glane_rc rc = json_pull_peek(j, &kind);

	if (rc == GLANE_OK && (kind == '{' || kind == '['))
		return json_pull_pass(j, 0);
	if (rc == GLANE_OK)
		rc = json_pull_text(j, &text);
	if (rc == GLANE_OK && !arena_dup(a, text, ret))
		rc = no_memory(j);
	return rc;
}

glane_rc sdmx_json_loose(struct json_pull *j, struct strbuf *b, bool *ret_absent, unsigned depth)
{
	bool is_first = true, is_absent = true, is_one = false;
	struct slice text;
	char kind;
	glane_rc rc = json_pull_peek(j, &kind);

	if (rc != GLANE_OK)
		return rc;
	if (kind != '{' && kind != '[') {
		rc = json_pull_text(j, &text);
		if (rc != GLANE_OK)
			return rc;
		*ret_absent = !text.p;
		strbuf_slice(b, text);
		return GLANE_OK;
	}
	if (depth > 8)
		return json_pull_fail(j, "a value is nested too deep");
	*ret_absent = true;
	json_pull_open(j);
	while ((rc = kind == '{' ? json_pull_member(j, &is_first) : json_pull_element(j, &is_first)) == GLANE_OK) {
		if (kind == '{' && is_one) {
			rc = json_pull_pass(j, 0);
		} else {
			if (is_one)
				strbuf_putc(b, ';');
			rc = sdmx_json_loose(j, b, &is_absent, depth + 1);
			*ret_absent &= is_absent;
			is_one = true;
		}
		if (rc != GLANE_OK)
			return rc;
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

/* ---- components ---- */

/* An object with id and name, a text, or null. */
static glane_rc take_value(struct sdmx_json_index *x, struct sdmx_json_part *part, struct json_pull *j)
{
	struct slice id = {NULL, 0}, name = {NULL, 0}, value = {NULL, 0};
	bool is_first = true;
	uint32_t cap = part->cap;
	char kind;
	glane_rc rc = json_pull_peek(j, &kind);

	if (rc == GLANE_OK && kind != '{') {
		rc = take_text(j, &x->arena, &id);
	} else if (rc == GLANE_OK) {
		json_pull_open(j);
		while ((rc = json_pull_member(j, &is_first)) == GLANE_OK) {
			rc = is_key(j, "id")      ? take_text(j, &x->arena, &id)
			     : is_key(j, "name")  ? take_text(j, &x->arena, &name)
			     : is_key(j, "value") ? take_text(j, &x->arena, &value)
						  : json_pull_pass(j, 0);
			if (rc != GLANE_OK)
				return rc;
		}
		rc = rc == GLANE_END ? GLANE_OK : rc;
	}
	if (rc != GLANE_OK)
		return rc;
	if (part->n == cap) {
		struct slice *code, *label;

		cap = cap ? 2 * cap : 8;
		code = mem_realloc(part->code, cap, sizeof(*code));
		part->code = code ? code : part->code;
		label = code ? mem_realloc(part->label, cap, sizeof(*label)) : NULL;
		part->label = label ? label : part->label;
		if (!code || !label)
			return no_memory(j);
		part->cap = cap;
	}
	part->code[part->n] = id.p ? id : value.p ? value : name;
	part->label[part->n++] = name;
	return GLANE_OK;
}

static glane_rc take_values(struct sdmx_json_index *x, struct sdmx_json_part *part, struct json_pull *j)
{
	bool is_first = true;
	char kind;
	glane_rc rc = json_pull_peek(j, &kind);

	if (rc != GLANE_OK || kind != '[')
		return rc == GLANE_OK ? json_pull_pass(j, 0) : rc;
	json_pull_open(j);
	while ((rc = json_pull_element(j, &is_first)) == GLANE_OK) {
		rc = take_value(x, part, j);
		if (rc != GLANE_OK)
			return rc;
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

static bool is_time(struct slice id)
{
	return slice_is(id, "TIME_PERIOD") || slice_is(id, "TIME") || slice_is(id, "time_period");
}

/* One component. `role`: that of the list that it stands in. */
static glane_rc take_part(
	struct sdmx_json_index *x, struct sdmx_json_structure *s, int role, int level, struct json_pull *j)
{
	struct sdmx_json_part part = {.role = role, .level = level};
	struct slice said = {NULL, 0};
	bool is_first = true;
	glane_rc rc;

	if (s->n == SDMX_JSON_PARTS || !mem_grow(&s->part, &s->cap, s->n + 1, sizeof(*s->part)))
		return fail(
			j->diag, GLANE_E_LIMIT, "SDMX-JSON: more than %d components, or no memory", SDMX_JSON_PARTS);
	json_pull_open(j);
	while ((rc = json_pull_member(j, &is_first)) == GLANE_OK) {
		rc = is_key(j, "id")       ? take_text(j, &x->arena, &part.id)
		     : is_key(j, "role")   ? take_text(j, &x->arena, &said)
		     : is_key(j, "values") ? take_values(x, &part, j)
					   : json_pull_pass(j, 0);
		if (rc != GLANE_OK)
			break;
	}
	if (role == GLANE_ROLE_DIMENSION &&
		(is_time(part.id) || slice_is(said, "time") || slice_is(said, "TIME_PERIOD")))
		part.role = GLANE_ROLE_TIME;
	s->part[s->n++] = part; /* in any case: the index frees its lists */
	if (rc == GLANE_END && !part.id.n)
		return json_pull_fail(j, "a component without an id");
	return rc == GLANE_END ? GLANE_OK : rc;
}

static int level_of(const struct json_pull *j)
{
	return is_key(j, "dataSet")          ? AT_DATASET
	       : is_key(j, "dimensionGroup") ? AT_GROUP
	       : is_key(j, "series")         ? AT_SERIES
	       : is_key(j, "observation")    ? AT_OBS
					     : -1;
}

static glane_rc take_list(
	struct sdmx_json_index *x, struct sdmx_json_structure *s, int role, int level, struct json_pull *j)
{
	bool is_first = true;
	char kind;
	glane_rc rc = json_pull_peek(j, &kind);

	if (rc != GLANE_OK || kind != '[' || level < 0)
		return rc == GLANE_OK ? json_pull_pass(j, 0) : rc;
	json_pull_open(j);
	while ((rc = json_pull_element(j, &is_first)) == GLANE_OK) {
		rc = json_pull_peek(j, &kind);
		if (rc == GLANE_OK)
			rc = kind == '{' ? take_part(x, s, role, level, j)
					 : json_pull_fail(j, "a component that is no object");
		if (rc != GLANE_OK)
			return rc;
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

/* {"dataSet": [...], "series": [...], "observation": [...]} */
static glane_rc take_levels(struct sdmx_json_index *x, struct sdmx_json_structure *s, int role, struct json_pull *j)
{
	bool is_first = true;
	char kind;
	glane_rc rc = json_pull_peek(j, &kind);

	if (rc != GLANE_OK || kind != '{')
		return rc == GLANE_OK ? json_pull_pass(j, 0) : rc;
	json_pull_open(j);
	while ((rc = json_pull_member(j, &is_first)) == GLANE_OK) {
		rc = take_list(x, s, role, level_of(j), j);
		if (rc != GLANE_OK)
			return rc;
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

/* "urn:...=AGENCY:ID(1.0)" */
static struct slice urn_id(struct slice urn)
{
	const char *at = urn.n ? memrchr(urn.p, ':', urn.n) : NULL, *end;
	struct slice s = at ? (struct slice){at + 1, (size_t)(urn.p + urn.n - at - 1)} : (struct slice){NULL, 0};

	end = s.n ? memchr(s.p, '(', s.n) : NULL;
	return end ? (struct slice){s.p, (size_t)(end - s.p)} : (struct slice){NULL, 0};
}

/* The id of the flow, or else of what it is built on, out of the links. */
static glane_rc take_links(struct sdmx_json_index *x, struct sdmx_json_structure *s, struct json_pull *j)
{
	bool is_first = true, is_inner;
	char kind;
	glane_rc rc = json_pull_peek(j, &kind);

	if (rc != GLANE_OK || kind != '[')
		return rc == GLANE_OK ? json_pull_pass(j, 0) : rc;
	json_pull_open(j);
	while ((rc = json_pull_element(j, &is_first)) == GLANE_OK) {
		struct slice urn = {NULL, 0}, rel = {NULL, 0};

		rc = json_pull_peek(j, &kind);
		if (rc != GLANE_OK || kind != '{')
			return rc == GLANE_OK ? json_pull_fail(j, "a link that is no object") : rc;
		json_pull_open(j);
		for (is_inner = true; (rc = json_pull_member(j, &is_inner)) == GLANE_OK;) {
			rc = is_key(j, "urn")   ? take_text(j, &x->arena, &urn)
			     : is_key(j, "rel") ? take_text(j, &x->arena, &rel)
						: json_pull_pass(j, 0);
			if (rc != GLANE_OK)
				return rc;
		}
		if (rc != GLANE_END)
			return rc;
		if (urn_id(urn).n && (slice_is(rel, "dataflow") || !s->id.n))
			s->id = urn_id(urn);
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

static glane_rc take_structure(struct sdmx_json_index *x, struct json_pull *j)
{
	struct sdmx_json_structure *s;
	bool is_first = true;
	char kind;
	glane_rc rc = json_pull_peek(j, &kind);

	if (rc != GLANE_OK || kind != '{')
		return rc == GLANE_OK ? json_pull_pass(j, 0) : rc;
	if (!mem_grow(&x->structure, &x->cap_structures, x->n_structures + 1, sizeof(*x->structure)))
		return no_memory(j);
	s = &x->structure[x->n_structures++];
	*s = (struct sdmx_json_structure){0};
	json_pull_open(j);
	while ((rc = json_pull_member(j, &is_first)) == GLANE_OK) {
		rc = is_key(j, "name")         ? take_text(j, &x->arena, &s->title)
		     : is_key(j, "links")      ? take_links(x, s, j)
		     : is_key(j, "dimensions") ? take_levels(x, s, GLANE_ROLE_DIMENSION, j)
		     : is_key(j, "measures")   ? take_levels(x, s, GLANE_ROLE_MEASURE, j)
		     : is_key(j, "attributes") ? take_levels(x, s, GLANE_ROLE_ATTRIBUTE, j)
					       : json_pull_pass(j, 0);
		if (rc != GLANE_OK)
			return rc;
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

/* ---- datasets ---- */

static glane_rc take_index(struct json_pull *j, uint32_t *ret)
{
	struct slice text;
	int64_t v = -1;
	glane_rc rc = json_pull_text(j, &text);

	if (rc == GLANE_OK && !slice_int(text, 0, UINT32_MAX - 1, &v))
		return json_pull_fail(j, "the number of a structure is none");
	*ret = (uint32_t)v;
	return rc;
}

static glane_rc take_action(struct json_pull *j, char *ret)
{
	static const char *const names[] = {"Information", "Append", "Merge", "Replace", "Delete"};
	struct slice text;
	glane_rc rc = json_pull_text(j, &text);

	for (size_t i = 0; rc == GLANE_OK && i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_is(text, names[i]))
			*ret = *names[i];
	return rc;
}

static glane_rc note_place(struct json_pull *j, char wanted, uint64_t *ret)
{
	char kind;
	glane_rc rc = json_pull_peek(j, &kind);

	if (rc == GLANE_OK && kind == wanted)
		*ret = json_pull_offset(j);
	return rc == GLANE_OK ? json_pull_pass(j, 0) : rc;
}

/* A member of a dataset. */
static glane_rc take_dataset_member(struct sdmx_json_index *x, struct sdmx_json_dataset *d, struct json_pull *j)
{
	const struct {
		const char *key;
		char bracket;
		uint64_t *at;
	} places[] = {{"attributes", '[', &d->attributes_at}, {"dimensionGroupAttributes", '{', &d->groups_at},
		{"series", '{', &d->series_at}, {"observations", '{', &d->obs_at}};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (is_key(j, places[i].key))
			return note_place(j, places[i].bracket, places[i].at);
	if (is_key(j, "structure"))
		return take_index(j, &d->structure);
	if (is_key(j, "action"))
		return take_action(j, &d->action);
	return is_key(j, "validFrom") ? take_text(j, &x->arena, &d->updated) : json_pull_pass(j, 0);
}

static glane_rc take_dataset(struct sdmx_json_index *x, struct json_pull *j)
{
	struct sdmx_json_dataset d = {.action = 'I'};
	bool is_first = true;
	char kind;
	glane_rc rc = json_pull_peek(j, &kind);

	if (rc != GLANE_OK || kind != '{')
		return rc == GLANE_OK ? json_pull_fail(j, "a dataset that is no object") : rc;
	json_pull_open(j);
	while ((rc = json_pull_member(j, &is_first)) == GLANE_OK) {
		rc = take_dataset_member(x, &d, j);
		if (rc != GLANE_OK)
			return rc;
	}
	if (rc != GLANE_END)
		return rc;
	if (x->n_datasets == SDMX_JSON_DATASETS ||
		!mem_grow(&x->dataset, &x->cap_datasets, x->n_datasets + 1, sizeof(*x->dataset)))
		return fail(
			j->diag, GLANE_E_LIMIT, "SDMX-JSON: more than %u datasets, or no memory", SDMX_JSON_DATASETS);
	x->dataset[x->n_datasets++] = d;
	return GLANE_OK;
}

static glane_rc each(
	struct sdmx_json_index *x, struct json_pull *j, glane_rc (*take)(struct sdmx_json_index *, struct json_pull *))
{
	bool is_first = true;
	char kind;
	glane_rc rc = json_pull_peek(j, &kind);

	if (rc != GLANE_OK || kind != '[')
		return rc == GLANE_OK ? json_pull_pass(j, 0) : rc;
	json_pull_open(j);
	while ((rc = json_pull_element(j, &is_first)) == GLANE_OK) {
		rc = take(x, j);
		if (rc != GLANE_OK)
			return rc;
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

static glane_rc take_words(struct sdmx_json_index *x, struct json_pull *j)
{
	bool is_absent;
	struct strbuf b;
	glane_rc rc;

	if (x->words.n)
		strbuf_puts(&x->words, "; ");
	strbuf_init(&b, (size_t)1 << 20);
	rc = sdmx_json_loose(j, &b, &is_absent, 0);
	if (rc == GLANE_OK && !is_absent)
		strbuf_slice(&x->words, (struct slice){b.p, b.n < 500 ? b.n : 500});
	strbuf_release(&b);
	return rc;
}

/* {"error": [{"status": .., "label": ".."}]}, {"errors": [{"code": .., "title": ".."}]}: what their members say, in order. */
static glane_rc take_errors(struct sdmx_json_index *x, struct json_pull *j, unsigned depth)
{
	bool is_first = true;
	char kind;
	glane_rc rc = json_pull_peek(j, &kind);

	if (rc != GLANE_OK || (kind != '{' && kind != '[') || depth > 4)
		return rc == GLANE_OK ? take_words(x, j) : rc;
	json_pull_open(j);
	while ((rc = kind == '{' ? json_pull_member(j, &is_first) : json_pull_element(j, &is_first)) == GLANE_OK) {
		rc = take_errors(x, j, depth + 1);
		if (rc != GLANE_OK)
			return rc;
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

/* The message, or its `data`. */
static glane_rc walk(struct sdmx_json_index *x, struct json_pull *j, unsigned depth)
{
	bool is_first = true;
	char kind;
	glane_rc rc = json_pull_peek(j, &kind);

	if (rc != GLANE_OK || kind != '{')
		return rc == GLANE_OK ? json_pull_fail(j, "no SDMX message: no object") : rc;
	json_pull_open(j);
	while ((rc = json_pull_member(j, &is_first)) == GLANE_OK) {
		x->has_datasets |= is_key(j, "dataSets");
		rc = is_key(j, "data") && depth == 0             ? walk(x, j, 1)
		     : is_key(j, "structure")                    ? take_structure(x, j)
		     : is_key(j, "structures")                   ? each(x, j, take_structure)
		     : is_key(j, "dataSets")                     ? each(x, j, take_dataset)
		     : is_key(j, "error") || is_key(j, "errors") ? take_errors(x, j, 0)
								 : json_pull_pass(j, 0);
		if (rc != GLANE_OK)
			return rc;
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

glane_rc sdmx_json_index(struct sdmx_json_index *x, struct payload *p, struct diag *d)
{
	struct json_pull j;
	struct payload view;
	size_t skip = p->n >= 3 && memcmp(p->p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	glane_rc rc = payload_settle(p, SDMX_JSON_WHOLE);

	if (rc != GLANE_OK)
		return rc;
	sdmx_json_look(&j, &view, p, p->pos + skip, d);
	rc = walk(x, &j, 0);
	if (rc == GLANE_OK)
		rc = json_pull_end(&j);
	json_pull_release(&j);
	return rc;
}
