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

struct taking { /* what is read, and where it goes */
	struct sdmx_json_index *x;
	struct sdmx_json_structure *s;
	struct sdmx_json_part *part;
	int role, level;
	struct slice id, name, value, role_said, urn, href, rel;
};

static glane_rc object_due(struct json_pull *j, const char *otherwise)
{
	char kind;
	glane_rc rc = json_pull_peek(j, &kind);

	return rc == GLANE_OK && kind != '{' ? json_pull_fail(j, otherwise) : rc;
}

static glane_rc take_value_member(void *arg, struct json_pull *j)
{
	struct taking *t = arg;

	return is_key(j, "id")      ? take_text(j, &t->x->arena, &t->id)
	       : is_key(j, "name")  ? take_text(j, &t->x->arena, &t->name)
	       : is_key(j, "value") ? take_text(j, &t->x->arena, &t->value)
				    : json_pull_pass(j, 0);
}

static bool part_grow(struct sdmx_json_part *part)
{
	const uint32_t cap = part->cap ? 2 * part->cap : 8;
	struct slice *code, *label;

	if (part->n < part->cap)
		return true;
	code = mem_realloc(part->code, cap, sizeof(*code));
	part->code = code ? code : part->code;
	label = code ? mem_realloc(part->label, cap, sizeof(*label)) : NULL;
	part->label = label ? label : part->label;
	part->cap = code && label ? cap : part->cap;
	return code && label;
}

/* An object with id and name, a text, or null. */
static glane_rc take_value(void *arg, struct json_pull *j)
{
	struct taking *t = arg;
	struct sdmx_json_part *part = t->part;
	char kind;
	glane_rc rc = json_pull_peek(j, &kind);

	t->id = t->name = t->value = (struct slice){NULL, 0};
	if (rc == GLANE_OK)
		rc = kind == '{' ? json_pull_each(j, '{', take_value_member, t) : take_text(j, &t->x->arena, &t->id);
	if (rc != GLANE_OK)
		return rc;
	if (!part_grow(part))
		return no_memory(j);
	part->code[part->n] = t->id.p ? t->id : t->value.p ? t->value : t->name;
	part->label[part->n++] = t->name;
	return GLANE_OK;
}

static bool is_time(struct slice id)
{
	return slice_is(id, "TIME_PERIOD") || slice_is(id, "TIME") || slice_is(id, "time_period");
}

static glane_rc take_position(struct json_pull *j, uint32_t *ret)
{
	struct slice text;
	int64_t v;
	char kind;
	glane_rc rc = json_pull_peek(j, &kind);

	if (rc == GLANE_OK && (kind < '0' || kind > '9')) /* not said */
		return json_pull_pass(j, 0);
	if (rc == GLANE_OK)
		rc = json_pull_text(j, &text);
	if (rc == GLANE_OK && slice_int(text, 0, UINT32_MAX - 1, &v))
		*ret = (uint32_t)v;
	return rc;
}

static glane_rc take_part_member(void *arg, struct json_pull *j)
{
	struct taking *t = arg;

	return is_key(j, "id")            ? take_text(j, &t->x->arena, &t->part->id)
	       : is_key(j, "role")        ? take_text(j, &t->x->arena, &t->role_said)
	       : is_key(j, "default")     ? take_text(j, &t->x->arena, &t->part->otherwise)
	       : is_key(j, "keyPosition") ? take_position(j, &t->part->position)
	       : is_key(j, "values")      ? json_pull_each(j, '[', take_value, t)
					  : json_pull_pass(j, 0);
}

/* One component, of the role and level of the list that it stands in. */
static glane_rc take_part(void *arg, struct json_pull *j)
{
	struct taking *t = arg;
	struct sdmx_json_part part = {.role = t->role, .level = t->level, .position = UINT32_MAX};
	glane_rc rc = object_due(j, "a component that is no object");

	if (rc != GLANE_OK)
		return rc;
	if (t->s->n == SDMX_JSON_PARTS || !mem_grow(&t->s->part, &t->s->cap, t->s->n + 1, sizeof(*t->s->part)))
		return fail(
			j->diag, GLANE_E_LIMIT, "SDMX-JSON: more than %d components, or no memory", SDMX_JSON_PARTS);
	t->part = &part;
	t->role_said = (struct slice){NULL, 0};
	rc = json_pull_each(j, '{', take_part_member, t);
	if (part.role == GLANE_ROLE_DIMENSION &&
		(is_time(part.id) || slice_is(t->role_said, "time") || slice_is(t->role_said, "TIME_PERIOD")))
		part.role = GLANE_ROLE_TIME;
	for (uint32_t i = 0; i < part.n; i++)
		if (part.otherwise.n && slice_eq(part.code[i], part.otherwise))
			part.otherwise_label = part.label[i];
	t->s->part[t->s->n++] = part; /* in any case: the index frees its lists */
	return rc == GLANE_OK && !part.id.n ? json_pull_fail(j, "a component without an id") : rc;
}

/* {"dataSet": [...], "series": [...], "observation": [...]} */
static glane_rc take_level(void *arg, struct json_pull *j)
{
	struct taking *t = arg;

	t->level = is_key(j, "dataSet")          ? AT_DATASET
		   : is_key(j, "dimensionGroup") ? AT_GROUP
		   : is_key(j, "series")         ? AT_SERIES
		   : is_key(j, "observation")    ? AT_OBS
						 : -1;
	return t->level < 0 ? json_pull_pass(j, 0) : json_pull_each(j, '[', take_part, t);
}

static glane_rc take_levels(struct taking *t, int role, struct json_pull *j)
{
	t->role = role;
	return json_pull_each(j, '{', take_level, t);
}

static glane_rc take_link_member(void *arg, struct json_pull *j)
{
	struct taking *t = arg;

	return is_key(j, "urn")    ? take_text(j, &t->x->arena, &t->urn)
	       : is_key(j, "href") ? take_text(j, &t->x->arena, &t->href)
	       : is_key(j, "rel")  ? take_text(j, &t->x->arena, &t->rel)
				   : json_pull_pass(j, 0);
}

/* The id in the address of a flow: .../dataflow/AGENCY/ID/VERSION (sdmx-twg/sdmx-rest). */
static struct slice flow_at(struct slice href)
{
	static const char mark[] = "/dataflow/";
	const char *at = href.n ? memmem(href.p, href.n, mark, sizeof(mark) - 1) : NULL;
	struct slice left = {at, at ? (size_t)(href.p + href.n - at) : 0};

	if (!at)
		return left;
	left.p += sizeof(mark) - 1, left.n -= sizeof(mark) - 1;
	(void)slice_cut(&left, '/'); /* the agency */
	return slice_cut(&left, '/');
}

/* The id of the flow, or else of what it is built on. */
static glane_rc take_link(void *arg, struct json_pull *j)
{
	struct taking *t = arg;
	struct slice id;
	glane_rc rc = object_due(j, "a link that is no object");

	t->urn = t->href = t->rel = (struct slice){NULL, 0};
	if (rc == GLANE_OK)
		rc = json_pull_each(j, '{', take_link_member, t);
	id = sdmx_flow_id(t->urn);
	if (!id.n && slice_is(t->rel, "dataflow"))
		id = flow_at(t->href);
	if (rc == GLANE_OK && id.n && (slice_is(t->rel, "dataflow") || !t->s->id.n))
		t->s->id = id;
	return rc;
}

static glane_rc take_structure_member(void *arg, struct json_pull *j)
{
	struct taking *t = arg;

	return is_key(j, "name")         ? take_text(j, &t->x->arena, &t->s->title)
	       : is_key(j, "links")      ? json_pull_each(j, '[', take_link, t)
	       : is_key(j, "dimensions") ? take_levels(t, GLANE_ROLE_DIMENSION, j)
	       : is_key(j, "measures")   ? take_levels(t, GLANE_ROLE_MEASURE, j)
	       : is_key(j, "attributes") ? take_levels(t, GLANE_ROLE_ATTRIBUTE, j)
					 : json_pull_pass(j, 0);
}

static glane_rc take_structure(void *arg, struct json_pull *j)
{
	struct sdmx_json_index *x = arg;
	struct taking t = {.x = x};
	char kind;
	glane_rc rc = json_pull_peek(j, &kind);

	if (rc != GLANE_OK || kind != '{')
		return rc == GLANE_OK ? json_pull_pass(j, 0) : rc;
	if (!mem_grow(&x->structure, &x->cap_structures, x->n_structures + 1, sizeof(*x->structure)))
		return no_memory(j);
	t.s = &x->structure[x->n_structures++];
	*t.s = (struct sdmx_json_structure){0};
	return json_pull_each(j, '{', take_structure_member, &t);
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

	if (rc != GLANE_OK || !text.n)
		return rc;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_is(text, names[i])) {
			*ret = *names[i];
			return rc;
		}
	return json_pull_fail(j, "the action of a dataset is none of Append, Replace, Delete, Information, Merge");
}

static glane_rc note_place(struct json_pull *j, char wanted, uint64_t *ret)
{
	char kind;
	glane_rc rc = json_pull_peek(j, &kind);

	if (rc == GLANE_OK && kind == wanted)
		*ret = json_pull_offset(j);
	return rc == GLANE_OK ? json_pull_pass(j, 0) : rc;
}

struct dataset_taking {
	struct sdmx_json_index *x;
	struct sdmx_json_dataset d;
};

static glane_rc take_dataset_member(void *arg, struct json_pull *j)
{
	struct dataset_taking *t = arg;
	const struct {
		const char *key;
		char bracket;
		uint64_t *at;
	} places[] = {{"attributes", '[', &t->d.attributes_at}, {"dimensionGroupAttributes", '{', &t->d.groups_at},
		{"series", '{', &t->d.series_at}, {"observations", '{', &t->d.obs_at}};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (is_key(j, places[i].key))
			return note_place(j, places[i].bracket, places[i].at);
	if (is_key(j, "structure"))
		return take_index(j, &t->d.structure);
	if (is_key(j, "action"))
		return take_action(j, &t->d.action);
	return is_key(j, "validFrom") ? take_text(j, &t->x->arena, &t->d.updated) : json_pull_pass(j, 0);
}

static glane_rc take_dataset(void *arg, struct json_pull *j)
{
	struct sdmx_json_index *x = arg;
	struct dataset_taking t = {x, {.action = 'I'}};
	glane_rc rc = object_due(j, "a dataset that is no object");

	if (rc == GLANE_OK)
		rc = json_pull_each(j, '{', take_dataset_member, &t);
	if (rc != GLANE_OK)
		return rc;
	if (x->n_datasets == SDMX_JSON_DATASETS ||
		!mem_grow(&x->dataset, &x->cap_datasets, x->n_datasets + 1, sizeof(*x->dataset)))
		return fail(
			j->diag, GLANE_E_LIMIT, "SDMX-JSON: more than %u datasets, or no memory", SDMX_JSON_DATASETS);
	x->dataset[x->n_datasets++] = t.d;
	return GLANE_OK;
}

static glane_rc take_words(struct sdmx_json_index *x, struct json_pull *j)
{
	const bool is_code = is_key(j, "code") || is_key(j, "status");
	bool is_absent;
	struct strbuf b;
	glane_rc rc;

	if (x->words.n)
		strbuf_puts(&x->words, "; ");
	strbuf_init(&b, (size_t)1 << 20);
	rc = sdmx_json_loose(j, &b, &is_absent, 0);
	if (rc == GLANE_OK && !is_absent)
		strbuf_slice(&x->words, (struct slice){b.p, b.n < 500 ? b.n : 500});
	x->is_cut |= rc == GLANE_OK && is_code && sdmx_code_says_cut(strbuf_get(&b));
	if (rc == GLANE_OK && (b.starved || x->words.starved))
		rc = fail(j->diag, GLANE_E_NOMEM, "SDMX-JSON: no memory for the provider's words");
	strbuf_release(&b);
	return rc;
}

struct errors_taking {
	struct sdmx_json_index *x;
	unsigned depth;
};

/* {"error": [{"status": .., "label": ".."}]}, {"errors": [{"code": .., "title": ".."}]}: what their members say, in order. */
static glane_rc take_errors(void *arg, struct json_pull *j)
{
	struct errors_taking *t = arg;
	char kind;
	glane_rc rc = json_pull_peek(j, &kind);

	if (rc != GLANE_OK || (kind != '{' && kind != '[') || t->depth > 4)
		return rc == GLANE_OK ? take_words(t->x, j) : rc;
	t->depth++;
	rc = json_pull_each(j, kind, take_errors, t);
	t->depth--;
	return rc;
}

/* The members of the message, or of its `data`. */
static glane_rc take_message_member(void *arg, struct json_pull *j)
{
	struct sdmx_json_index *x = arg;
	struct errors_taking errors = {x, 0};

	x->has_datasets |= is_key(j, "dataSets");
	if (is_key(j, "data") && !x->is_in_data) {
		glane_rc rc = object_due(j, "no SDMX message: no object");

		x->is_in_data = true;
		if (rc == GLANE_OK)
			rc = json_pull_each(j, '{', take_message_member, x);
		x->is_in_data = false;
		return rc;
	}
	return is_key(j, "structure")                      ? take_structure(x, j)
	       : is_key(j, "structures")                   ? json_pull_each(j, '[', take_structure, x)
	       : is_key(j, "dataSets")                     ? json_pull_each(j, '[', take_dataset, x)
	       : is_key(j, "error") || is_key(j, "errors") ? take_errors(&errors, j)
							   : json_pull_pass(j, 0);
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
	rc = object_due(&j, "no SDMX message: no object");
	if (rc == GLANE_OK)
		rc = json_pull_each(&j, '{', take_message_member, x);
	if (rc == GLANE_OK)
		rc = json_pull_end(&j);
	json_pull_release(&j);
	return rc;
}
