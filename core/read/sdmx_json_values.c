/* SPDX-License-Identifier: MIT */
/* Values of the components of SDMX-JSON: indexes into the structure's lists, or texts in the data; keys of series and observations. */
#include "read/sdmx_json.h"

static glane_rc no_memory(struct sdmx_json *r)
{
	return fail(r->diag, GLANE_E_NOMEM, "SDMX-JSON: no memory for a dataset");
}

void sdmx_json_clear_level(struct sdmx_json *r, int role, int level)
{
	for (size_t i = 0; i < r->s->n; i++)
		if (r->s->part[i].level == level && (!role || r->s->part[i].role == role))
			r->value[i] = r->label[i] = (struct slice){NULL, 0};
}

void sdmx_json_set_defaults(struct sdmx_json *r, int level)
{
	for (size_t i = 0; !r->is_deletion && i < r->s->n; i++) {
		const struct sdmx_json_part *part = &r->s->part[i];

		if (part->level != level || part->role != GLANE_ROLE_ATTRIBUTE || r->value[i].p || !part->otherwise.n)
			continue;
		r->value[i] = part->otherwise;
		r->label[i] = part->otherwise_label;
	}
}

glane_rc sdmx_json_set_code(struct sdmx_json *r, size_t i, uint64_t code)
{
	const struct sdmx_json_part *part = &r->s->part[i];
	char text[200];

	if (code >= part->n) {
		(void)snprintf(text, sizeof(text), "component %.*s has no value number %llu",
			(int)(part->id.n < 60 ? part->id.n : 60), part->id.p, (unsigned long long)code);
		return json_pull_fail(&r->j, text);
	}
	r->code[i] = (uint32_t)code;
	r->value[i] = part->code[code];
	r->label[i] = part->label[code];
	return GLANE_OK;
}

/* The next value of an array for component i: an index where it has such a value (a sample of the standard has one that leads
 * nowhere: it stays a text), else a text, appended to b. */
glane_rc sdmx_json_take(struct sdmx_json *r, struct json_pull *j, size_t i, struct strbuf *b)
{
	const struct sdmx_json_part *part = &r->s->part[i];
	bool is_absent = false;
	const size_t at = b->n;
	int64_t code;
	char kind;
	glane_rc rc = json_pull_peek(j, &kind);

	if (rc == GLANE_OK && (kind == ',' || kind == ']'))
		return GLANE_OK;
	if (rc == GLANE_OK)
		rc = sdmx_json_loose(j, b, &is_absent, 0);
	if (rc != GLANE_OK || is_absent)
		return rc;
	if (!strbuf_ok(b))
		return no_memory(r);
	if (part->n && kind >= '0' && kind <= '9' &&
		slice_int((struct slice){b->p + at, b->n - at}, 0, part->n - 1, &code)) {
		b->n = at;
		return sdmx_json_set_code(r, i, (uint64_t)code);
	}
	r->cell[i] = (struct cell){at, b->n - at};
	strbuf_putc(b, '\0');
	return GLANE_OK;
}

/* Texts of cells are looked up once the buffer has stopped to move. */
void sdmx_json_settle_cells(struct sdmx_json *r, int level, const struct strbuf *b)
{
	for (size_t i = 0; i < r->s->n; i++)
		if (r->s->part[i].level == level && r->cell[i].at != SIZE_MAX)
			r->value[i] = (struct slice){b->p + r->cell[i].at, r->cell[i].n};
}

void sdmx_json_clear_cells(struct sdmx_json *r, int level)
{
	for (size_t i = 0; i < r->s->n; i++)
		if (r->s->part[i].level == level)
			r->cell[i].at = SIZE_MAX;
}

/* The component behind `at` of this role and level; SIZE_MAX: none. */
size_t sdmx_json_next_part(const struct sdmx_json *r, size_t at, int role, int level)
{
	for (; at < r->s->n; at++)
		if (r->s->part[at].level == level &&
			(r->s->part[at].role == role ||
				(role == GLANE_ROLE_DIMENSION && r->s->part[at].role == GLANE_ROLE_TIME)))
			return at;
	return SIZE_MAX;
}

/* An array of attributes. */
glane_rc sdmx_json_take_attributes(struct sdmx_json *r, struct json_pull *j, int level, struct strbuf *b)
{
	size_t i = sdmx_json_next_part(r, 0, GLANE_ROLE_ATTRIBUTE, level);
	bool is_first = true;
	char kind;
	glane_rc rc = json_pull_peek(j, &kind);

	if (rc != GLANE_OK || kind != '[')
		return rc == GLANE_OK ? json_pull_pass(j, 0) : rc;
	json_pull_open(j);
	while ((rc = json_pull_element(j, &is_first)) == GLANE_OK) {
		rc = i == SIZE_MAX ? json_pull_fail(j, "more attributes than the structure has")
				   : sdmx_json_take(r, j, i, b);
		if (rc != GLANE_OK)
			return rc;
		i = sdmx_json_next_part(r, i + 1, GLANE_ROLE_ATTRIBUTE, level);
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

glane_rc sdmx_json_take_key(struct sdmx_json *r, struct slice key, int from, int to)
{
	struct slice left = key;
	bool more = true;

	for (int level = from; level <= to; level++) {
		if (level == AT_GROUP)
			continue;
		for (size_t i = sdmx_json_next_part(r, 0, GLANE_ROLE_DIMENSION, level); i != SIZE_MAX;
			i = sdmx_json_next_part(r, i + 1, GLANE_ROLE_DIMENSION, level)) {
			int64_t code = -1;
			struct slice part;
			glane_rc rc;

			if (!more)
				return json_pull_fail(&r->j, "a key with fewer parts than there are dimensions");
			more = left.n && memchr(left.p, ':', left.n);
			part = slice_cut(&left, ':');
			if (r->is_deletion && (part.n == 0 || slice_is(part, "~"))) {
				r->code[i] = UINT32_MAX;
				r->value[i] = r->label[i] = part.n ? SLICE("~") : (struct slice){NULL, 0};
				continue;
			}
			if (!slice_int(part, 0, UINT32_MAX - 1, &code))
				return json_pull_fail(&r->j, "a part of a key that is no number");
			rc = sdmx_json_set_code(r, i, (uint64_t)code);
			if (rc != GLANE_OK)
				return rc;
		}
	}
	/* a flat message without dimensions at the observation has one empty part */
	return more && left.n ? json_pull_fail(&r->j, "a key with more parts than there are dimensions") : GLANE_OK;
}
