/* SPDX-License-Identifier: MIT */
/* The statistics of an add against the rows of its file: a wrong bound would hide rows from every engine. */
#include "base/clock.h"
#include "model/decimal.h"
#include "store/check.h"
#include <inttypes.h>

static struct slice text_of(const json_t *j)
{
	return json_is_string(j) ? (struct slice){json_string_value(j), json_string_length(j)}
				 : (struct slice){NULL, 0};
}

static bool number_of(const json_t *j, enum record_kind kind, int64_t *ret)
{
	if (kind != RECORD_DAY && kind != RECORD_MOMENT) {
		*ret = json_is_integer(j) ? (int64_t)json_integer_value(j) : 0;
		return json_is_integer(j);
	}
	if (!time_parse(text_of(j), ret))
		return false;
	if (kind == RECORD_DAY)
		*ret = (*ret - (((*ret % 86400) + 86400) % 86400)) / 86400;
	return true;
}

static bool int_within(int64_t v, const json_t *min, const json_t *max, enum record_kind kind)
{
	int64_t low, high;

	return number_of(min, kind, &low) && number_of(max, kind, &high) && low <= v && v <= high;
}

static bool text_within(struct slice v, const json_t *min, const json_t *max)
{
	return text_of(min).p && text_of(max).p && slice_cmp(text_of(min), v) <= 0 && slice_cmp(v, text_of(max)) <= 0;
}

static bool real_within(double v, const json_t *min, const json_t *max)
{
	return json_is_number(min) && json_is_number(max) && json_number_value(min) <= v && v <= json_number_value(max);
}

/* False: outside its bounds. *ret_null tells that there is nothing to compare. */
static bool within(const struct record_field *f, bool nullable, const char *record, const json_t *min,
	const json_t *max, bool *ret_null)
{
	const char *member = record + f->offset;
	struct slice text = {member, 1};
	int32_t i32;
	int64_t i64;

	*ret_null = false;
	switch (f->kind) {
	case RECORD_TEXT:
	case RECORD_VALUE:
		memcpy(&text, member, sizeof(text));
		*ret_null = nullable && text.n == 0;
		if (*ret_null)
			return true;
		return f->kind == RECORD_TEXT ? text_within(text, min, max)
					      : real_within(decimal_text_double(text), min, max);
	case RECORD_LETTER:
		return text_within(text, min, max);
	case RECORD_INT:
	case RECORD_PLACES:
		memcpy(&i32, member, sizeof(i32));
		*ret_null = f->kind == RECORD_PLACES && i32 < 0;
		return *ret_null || int_within(i32, min, max, f->kind);
	case RECORD_DAY:
	case RECORD_MOMENT:
	case RECORD_COUNT:
		break;
	}
	memcpy(&i64, member, sizeof(i64));
	return int_within(i64, min, max, f->kind);
}

bool stats_open(struct stats_check *c, int table, struct slice stats)
{
	const struct delta_schema *s = &lake_schemas[table];

	*c = (struct stats_check){.table = table};
	c->json = stats.p ? json_parse(stats, JSON_REJECT_DUPLICATES, "", NULL) : NULL;
	for (size_t i = 0; i < s->n; i++) {
		const char *name = s->columns[i].path;

		c->min[i] = json_object_get(json_object_get(c->json, "minValues"), name);
		c->max[i] = json_object_get(json_object_get(c->json, "maxValues"), name);
	}
	return c->json != NULL;
}

const char *stats_row(struct stats_check *c, const void *record)
{
	const struct delta_schema *s = &lake_schemas[c->table];

	for (size_t i = 0; i < s->n; i++) {
		bool null;

		if (!within(&record_fields[c->table][i], s->columns[i].nullable, record, c->min[i], c->max[i], &null))
			return s->columns[i].path;
		c->nulls[i] += null;
	}
	return NULL;
}

const char *stats_end(struct stats_check *c)
{
	const struct delta_schema *s = &lake_schemas[c->table];
	const json_t *counts = json_object_get(c->json, "nullCount");
	const char *wrong = NULL;

	for (size_t i = 0; i < s->n && !wrong; i++) {
		if (json_int(counts, s->columns[i].path, -1) != (int64_t)c->nulls[i])
			wrong = s->columns[i].path;
	}
	json_decref(c->json);
	c->json = NULL;
	return wrong;
}
