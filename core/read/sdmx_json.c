/* SPDX-License-Identifier: MIT */
/*
 * SDMX-JSON data messages, the draft, 1.0 and 2.x (https://github.com/sdmx-twg/sdmx-json, data-message/docs): in series or flat, whatever
 * stands at the observation; attributes of datasets, groups, series and observations as indexes or values. Holes in arrays are null, as
 * one provider writes them. Memory is bounded by the structures.
 */
#include "read/sdmx_json.h"

static glane_rc no_memory(struct sdmx_json *r)
{
	return fail(r->diag, GLANE_E_NOMEM, "SDMX-JSON: no memory for a dataset");
}

/* ---- datasets ---- */

static glane_rc take_outer(struct sdmx_json *r, uint64_t at)
{
	struct payload view;
	struct json_pull j;
	struct strbuf b;
	glane_rc rc;

	sdmx_json_look(&j, &view, r->payload, at, r->diag);
	strbuf_init(&b, 0);
	sdmx_json_clear_cells(r, AT_DATASET);
	rc = sdmx_json_take_attributes(r, &j, AT_DATASET, &b);
	sdmx_json_settle_cells(r, AT_DATASET, &b);
	for (size_t i = 0; rc == GLANE_OK && i < r->s->n; i++)
		if (r->s->part[i].level == AT_DATASET && r->s->part[i].role == GLANE_ROLE_ATTRIBUTE &&
			!arena_dup(&r->arena, r->value[i], &r->value[i]))
			rc = no_memory(r);
	strbuf_release(&b);
	json_pull_release(&j);
	return rc;
}

/* To the observations; the end of the dataset where there are none. */
static void begin_body(struct sdmx_json *r)
{
	const struct sdmx_json_dataset *d = &r->index.dataset[r->dataset - 1];

	r->stage = BETWEEN;
	if (!d->series_at && !d->obs_at)
		return;
	json_pull_release(&r->j);
	sdmx_json_look(&r->j, &r->view, r->payload, d->series_at ? d->series_at : d->obs_at, r->diag);
	json_pull_open(&r->j);
	r->stage = d->series_at ? SERIES : FLAT;
	r->is_first = true;
}

/* What is deleted is named at the innermost level. Without a word on what, it is everything. */
static void begin_deletion(struct sdmx_json *r)
{
	const struct sdmx_json_dataset *d = &r->index.dataset[r->dataset - 1];

	begin_body(r);
	if (d->groups_at) {
		json_pull_release(&r->j);
		sdmx_json_look(&r->j, &r->view, r->payload, d->groups_at, r->diag);
		json_pull_open(&r->j);
		r->stage = GROUPS;
		r->is_first = true;
	} else if (r->stage == BETWEEN && !d->attributes_at) {
		r->is_record = true;
		r->series++;
		r->number++;
	}
}

static glane_rc begin_dataset(struct sdmx_json *r)
{
	const struct sdmx_json_dataset *d = &r->index.dataset[r->dataset++];
	glane_rc rc = GLANE_OK;

	if (d->structure >= r->index.n_structures)
		return fail(r->diag, GLANE_E_FORMAT,
			"SDMX-JSON: dataset %zu names structure %u, of which there is none", r->dataset, d->structure);
	r->s = &r->index.structure[d->structure];
	r->shape++;
	sdmx_json_groups_release(r);
	arena_release(&r->arena);
	memset(r->value, 0, sizeof(r->value));
	memset(r->label, 0, sizeof(r->label));
	for (size_t i = 0; i < r->s->n; i++)
		r->cell[i].at = SIZE_MAX;
	for (size_t i = sdmx_json_next_part(r, 0, GLANE_ROLE_DIMENSION, AT_DATASET); rc == GLANE_OK && i != SIZE_MAX;
		i = sdmx_json_next_part(r, i + 1, GLANE_ROLE_DIMENSION, AT_DATASET))
		rc = r->s->part[i].n ? sdmx_json_set_code(r, i, 0) : GLANE_OK;
	r->is_deletion = d->action == 'D';
	if (rc == GLANE_OK && r->is_deletion) {
		begin_deletion(r);
		return GLANE_OK;
	}
	if (rc == GLANE_OK && d->attributes_at)
		rc = take_outer(r, d->attributes_at);
	if (rc == GLANE_OK && d->groups_at)
		rc = sdmx_json_take_groups(r, d->groups_at);
	for (int level = AT_DATASET; rc == GLANE_OK && level <= AT_SERIES; level++)
		sdmx_json_set_defaults(r, level);
	if (rc == GLANE_OK)
		begin_body(r);
	return rc;
}

/* A group of a deletion: which of its attributes go. */
static glane_rc next_group(struct sdmx_json *r)
{
	uint32_t code[SDMX_JSON_PARTS];
	glane_rc rc = json_pull_member(&r->j, &r->is_first);

	sdmx_json_clear_level(r, GLANE_ROLE_ATTRIBUTE, AT_GROUP);
	for (int level = AT_SERIES; level <= AT_OBS; level++)
		sdmx_json_clear_level(r, 0, level);
	if (rc == GLANE_END) {
		begin_body(r);
		return GLANE_OK;
	}
	r->start = json_pull_offset(&r->j);
	memset(code, 0xff, sizeof(code));
	if (rc == GLANE_OK)
		rc = sdmx_json_group_key(r, &r->j, code);
	for (size_t i = 0; rc == GLANE_OK && i < r->s->n; i++)
		rc = code[i] != UINT32_MAX ? sdmx_json_set_code(r, i, code[i]) : GLANE_OK;
	if (rc == GLANE_OK)
		rc = sdmx_json_take_group(r, &r->j, &r->series_text);
	if (rc != GLANE_OK)
		return rc;
	r->is_record = true;
	r->series++;
	r->number++;
	return GLANE_OK;
}

/* ---- series and observations ---- */

/* Attributes of the series that begins, which may stand behind its observations. */
static glane_rc series_attributes(struct sdmx_json *r)
{
	struct payload view;
	struct json_pull j;
	bool is_first = true, is_done = false;
	glane_rc rc;

	strbuf_reset(&r->series_text);
	sdmx_json_clear_level(r, GLANE_ROLE_ATTRIBUTE, AT_SERIES);
	sdmx_json_clear_cells(r, AT_SERIES);
	if (sdmx_json_next_part(r, 0, GLANE_ROLE_ATTRIBUTE, AT_SERIES) == SIZE_MAX)
		return GLANE_OK;
	sdmx_json_look(&j, &view, r->payload, json_pull_offset(&r->j), r->diag);
	json_pull_open(&j);
	while (!is_done && (rc = json_pull_member(&j, &is_first)) == GLANE_OK) {
		is_done = slice_is(strbuf_get(&j.key), "attributes");
		rc = is_done ? sdmx_json_take_attributes(r, &j, AT_SERIES, &r->series_text) : json_pull_pass(&j, 0);
		if (rc != GLANE_OK)
			break;
	}
	json_pull_release(&j);
	sdmx_json_settle_cells(r, AT_SERIES, &r->series_text);
	sdmx_json_set_defaults(r, AT_SERIES);
	return rc == GLANE_END ? GLANE_OK : rc;
}

/* Inside of a series' object: to its observations; the end of the object where there are none. */
static glane_rc find_observations(struct sdmx_json *r)
{
	char kind;
	glane_rc rc;

	while ((rc = json_pull_member(&r->j, &r->is_first_obs)) == GLANE_OK) {
		if (slice_is(strbuf_get(&r->j.key), "observations")) {
			rc = json_pull_peek(&r->j, &kind);
			if (rc == GLANE_OK && kind == '{') {
				json_pull_open(&r->j);
				r->stage = OBS;
				r->is_first_obs = true;
				return GLANE_OK;
			}
		}
		if (rc == GLANE_OK)
			rc = json_pull_pass(&r->j, 0);
		if (rc != GLANE_OK)
			return rc;
	}
	r->stage = SERIES;
	return rc == GLANE_END ? GLANE_OK : rc;
}

/* A series without observations: of a deletion it stands for all that it could have. */
static glane_rc end_bare(struct sdmx_json *r)
{
	if (!r->is_deletion || r->has_obs)
		return GLANE_OK;
	sdmx_json_clear_level(r, 0, AT_OBS);
	r->is_record = r->has_obs = true;
	r->series++;
	r->number++;
	return GLANE_OK;
}

static glane_rc next_series(struct sdmx_json *r)
{
	char kind;
	glane_rc rc = json_pull_member(&r->j, &r->is_first);

	if (rc == GLANE_END) {
		r->stage = BETWEEN;
		return GLANE_OK;
	}
	if (rc == GLANE_OK)
		rc = sdmx_json_take_key(r, strbuf_get(&r->j.key), AT_SERIES, AT_SERIES);
	if (rc == GLANE_OK)
		rc = json_pull_peek(&r->j, &kind);
	if (rc == GLANE_OK && kind != '{')
		return json_pull_fail(&r->j, "a series that is no object");
	if (rc == GLANE_OK)
		rc = series_attributes(r);
	if (rc != GLANE_OK)
		return rc;
	r->start = json_pull_offset(&r->j);
	json_pull_open(&r->j);
	r->is_first_obs = true;
	r->has_obs = false;
	rc = find_observations(r);
	return rc == GLANE_OK && r->stage == SERIES ? end_bare(r) : rc;
}

/* Measures in their order, then attributes. */
static glane_rc take_observation(struct sdmx_json *r)
{
	size_t i = sdmx_json_next_part(r, 0, GLANE_ROLE_MEASURE, AT_OBS);
	int role = GLANE_ROLE_MEASURE;
	bool is_first = true;
	char kind;
	glane_rc rc = json_pull_peek(&r->j, &kind);

	strbuf_reset(&r->obs_text);
	sdmx_json_clear_level(r, GLANE_ROLE_ATTRIBUTE, AT_OBS);
	sdmx_json_clear_level(r, GLANE_ROLE_MEASURE, AT_OBS);
	sdmx_json_clear_cells(r, AT_OBS);
	if (rc == GLANE_OK && kind == 'n' && r->is_deletion)
		return json_pull_pass(&r->j, 0);
	if (rc == GLANE_OK && kind != '[')
		return json_pull_fail(&r->j, "an observation that is no array");
	json_pull_open(&r->j);
	while (rc == GLANE_OK && (rc = json_pull_element(&r->j, &is_first)) == GLANE_OK) {
		if (i == SIZE_MAX && role == GLANE_ROLE_MEASURE) {
			role = GLANE_ROLE_ATTRIBUTE;
			i = sdmx_json_next_part(r, 0, role, AT_OBS);
		}
		rc = i == SIZE_MAX ? json_pull_pass(&r->j, 0) : sdmx_json_take(r, &r->j, i, &r->obs_text);
		if (i != SIZE_MAX)
			i = sdmx_json_next_part(r, i + 1, role, AT_OBS);
	}
	sdmx_json_settle_cells(r, AT_OBS, &r->obs_text);
	sdmx_json_set_defaults(r, AT_OBS);
	return rc == GLANE_END ? GLANE_OK : rc;
}

static uint64_t hash_series(const struct sdmx_json *r)
{
	uint64_t h = 0;

	for (size_t i = 0; i < r->s->n; i++)
		if (sdmx_is_of_series(r->s->part[i].id, r->s->part[i].role) && r->value[i].p)
			h = hash_bytes(r->value[i].p, r->value[i].n, h + i + 1);
	return h;
}

static glane_rc next_obs(struct sdmx_json *r)
{
	uint64_t hash;
	glane_rc rc;

	rc = json_pull_member(&r->j, r->stage == FLAT ? &r->is_first : &r->is_first_obs);
	if (rc == GLANE_END && r->stage == FLAT) {
		r->stage = BETWEEN;
		return GLANE_OK;
	}
	if (rc == GLANE_END) {
		r->is_first_obs = false;
		rc = find_observations(r);
		return rc == GLANE_OK && r->stage == SERIES ? end_bare(r) : rc;
	}
	r->start = json_pull_offset(&r->j);
	if (rc == GLANE_OK)
		rc = sdmx_json_take_key(r, strbuf_get(&r->j.key), r->stage == FLAT ? AT_SERIES : AT_OBS, AT_OBS);
	if (rc == GLANE_OK)
		rc = take_observation(r);
	if (rc != GLANE_OK)
		return rc;
	r->has_obs = true;
	if (r->is_deletion) /* what is deleted is named at the innermost level */
		sdmx_json_clear_level(r, GLANE_ROLE_ATTRIBUTE, AT_SERIES);
	else if (r->n_groups)
		sdmx_json_apply_groups(r);
	hash = hash_series(r);
	r->series += hash != r->hash || r->series == 0;
	r->hash = hash;
	r->is_record = true;
	r->number++;
	return GLANE_OK;
}

/* The end of the message: errors may stand beside its data. */
static glane_rc finish(struct sdmx_json *r)
{
	const struct strbuf *words = &r->index.words;

	if (words->n && !r->number)
		return fail(r->diag, GLANE_E_DATA, "the provider answers: %s", words->p);
	if (r->index.is_cut)
		return fail(r->diag, GLANE_E_DATA, "the data is not whole, the provider says: %s", words->p);
	return GLANE_END;
}

static glane_rc sdmx_next(void *state)
{
	struct sdmx_json *r = state;
	glane_rc rc = GLANE_OK;

	if (r->over)
		return r->over;
	r->is_record = false;
	while (rc == GLANE_OK && !r->is_record) {
		if (r->stage == BETWEEN && r->dataset == r->index.n_datasets)
			rc = finish(r);
		else if (r->stage == BETWEEN)
			rc = begin_dataset(r);
		else if (r->stage == GROUPS)
			rc = next_group(r);
		else
			rc = r->stage == SERIES ? next_series(r) : next_obs(r);
	}
	return r->over = rc;
}

/* ---- what is asked of a record ---- */

static struct slice sdmx_at(void *state, size_t i)
{
	const struct sdmx_json *r = state;

	return r->is_record && i < r->s->n ? r->value[i] : (struct slice){NULL, 0};
}

static struct slice sdmx_get(void *state, const char *path)
{
	struct sdmx_json *r = state;
	struct sdmx_json_dataset *d = r->is_record ? &r->index.dataset[r->dataset - 1] : NULL;

	if (!d)
		return (struct slice){NULL, 0};
	if (*path == '#')
		return strcmp(path, "#dataset") == 0   ? r->s->id
		       : strcmp(path, "#title") == 0   ? r->s->title
		       : strcmp(path, "#updated") == 0 ? d->updated
		       : strcmp(path, "#action") == 0  ? (struct slice){&d->action, 1}
						       : (struct slice){NULL, 0};
	for (size_t i = 0; i < r->s->n; i++)
		if (slice_is(r->s->part[i].id, path))
			return r->value[i];
	return (struct slice){NULL, 0};
}

static size_t sdmx_columns(const void *state)
{
	const struct sdmx_json *r = state;

	return r->s ? r->s->n : 0;
}

static struct slice sdmx_column(const void *state, size_t i)
{
	const struct sdmx_json *r = state;

	return r->s && i < r->s->n ? r->s->part[i].id : (struct slice){NULL, 0};
}

static struct slice sdmx_head(const void *state, size_t i)
{
	const struct sdmx_json *r = state;

	return i < r->n_head && strcmp(r->head[i], "#footer") == 0 && r->index.words.n ? strbuf_get(&r->index.words)
										       : (struct slice){NULL, 0};
}

static void sdmx_where(const void *state, uint64_t *number, uint64_t *line, uint64_t *offset)
{
	const struct sdmx_json *r = state;

	*number = r->number;
	*line = 0;
	*offset = r->start;
}

static struct slice sdmx_text(const void *state, size_t max)
{
	const struct sdmx_json *r = state;
	const uint64_t end = json_pull_offset(&r->j);
	size_t n;

	if (!r->is_record || r->start < r->view.pos || end > r->view.pos + r->view.n)
		return (struct slice){NULL, 0};
	n = (size_t)(end - r->start);
	return (struct slice){r->view.p + (r->start - r->view.pos), n < max ? n : max};
}

static uint64_t sdmx_shape(const void *state)
{
	return ((const struct sdmx_json *)state)->shape;
}

static uint64_t sdmx_series(const void *state)
{
	return ((const struct sdmx_json *)state)->series;
}

static int sdmx_role_at(const void *state, size_t i)
{
	const struct sdmx_json *r = state;

	return r->s && i < r->s->n ? r->s->part[i].role : 0;
}

static struct slice sdmx_label(void *state, size_t i)
{
	const struct sdmx_json *r = state;

	return r->is_record && i < r->s->n ? r->label[i] : (struct slice){NULL, 0};
}

static void sdmx_close(void *state)
{
	struct sdmx_json *r = state;

	json_pull_release(&r->j);
	sdmx_json_index_release(&r->index);
	strbuf_release(&r->series_text);
	strbuf_release(&r->obs_text);
	sdmx_json_groups_release(r);
	mem_free(r->group_shape);
	arena_release(&r->arena);
	mem_free(r);
}

/* A measure of its own where the structure names none: 1.0 and the draft have OBS_VALUE alone. */
static glane_rc add_measure(struct sdmx_json *r)
{
	for (size_t k = 0; k < r->index.n_structures; k++) {
		struct sdmx_json_structure *s = &r->index.structure[k];
		bool has = false;

		for (size_t i = 0; i < s->n; i++)
			has |= s->part[i].role == GLANE_ROLE_MEASURE;
		if (has)
			continue;
		if (s->n == SDMX_JSON_PARTS || !mem_grow(&s->part, &s->cap, s->n + 1, sizeof(*s->part)))
			return no_memory(r);
		s->part[s->n++] = (struct sdmx_json_part){.id = slice_of("OBS_VALUE"),
			.role = GLANE_ROLE_MEASURE,
			.level = AT_OBS,
			.position = UINT32_MAX};
	}
	return GLANE_OK;
}

static glane_rc sdmx_open(void **state, struct payload *p, const struct record_options *o, struct diag *d)
{
	struct sdmx_json *r = mem_zalloc(1, sizeof(*r));
	glane_rc rc;

	if (!r)
		return fail(d, GLANE_E_NOMEM, "no memory for an SDMX-JSON reader");
	r->payload = p;
	r->diag = d;
	r->head = o->head;
	r->n_head = o->n_head;
	arena_init(&r->arena, SDMX_JSON_TEXT);
	arena_init(&r->index.arena, SDMX_JSON_TEXT);
	strbuf_init(&r->index.words, 0);
	strbuf_init(&r->series_text, 0);
	strbuf_init(&r->obs_text, 0);
	rc = sdmx_json_index(&r->index, p, d);
	if (rc == GLANE_OK && !r->index.has_datasets)
		rc = r->index.words.n
			     ? fail(d, GLANE_E_DATA, "the provider answers: %s", r->index.words.p)
			     : fail(d, GLANE_E_FORMAT, "SDMX-JSON: no dataSets: structures, or no SDMX message");
	if (rc == GLANE_OK)
		rc = add_measure(r);
	if (rc < 0) {
		sdmx_close(r);
		return rc;
	}
	sdmx_json_look(&r->j, &r->view, p, p->pos, d); /* messages name its place */
	*state = r;
	return GLANE_OK;
}

static const struct cube_ops sdmx_json_cube = {
	.shape = sdmx_shape, .series = sdmx_series, .role = sdmx_role_at, .label = sdmx_label};
const struct record_ops sdmx_json_ops = {
	.open = sdmx_open,
	.next = sdmx_next,
	.at = sdmx_at,
	.get = sdmx_get,
	.columns = sdmx_columns,
	.column = sdmx_column,
	.head = sdmx_head,
	.where = sdmx_where,
	.text = sdmx_text,
	.close = sdmx_close,
	.cube = &sdmx_json_cube,
};
