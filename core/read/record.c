/* SPDX-License-Identifier: MIT */
/* Records of any format: passes each call on to the reader of the format. */
#include "read/record.h"
#include "read/sdmx.h"

#include <string.h>
#include <strings.h>

struct record_reader {
	const struct record_ops *ops;
	void *state;
	const struct payload *payload;
};

static const struct record_ops *ops_of(uint8_t format)
{
	switch (format) {
	case GLANE_FMT_CSV:
	case GLANE_FMT_XLSX: /* the payload has made CSV of it */
		return &csv_record_ops;
	case GLANE_FMT_JSON:
		return &json_record_ops;
	case GLANE_FMT_XML:
		return &xml_record_ops;
	case GLANE_FMT_JSONSTAT:
		return &jsonstat_record_ops;
	case GLANE_FMT_TSV:
		return &tsv_record_ops;
	case GLANE_FMT_PX:
		return &px_record_ops;
	default:
		return NULL;
	}
}

glane_rc record_open(struct record_reader **ret, struct payload *p, const struct record_options *o, struct diag *d)
{
	const struct record_ops *ops = ops_of(o->format);
	struct record_reader *r;
	glane_rc rc = o->format == GLANE_FMT_SDMX ? sdmx_ops(&ops, p, d) : GLANE_OK;

	if (rc < 0)
		return rc;
	if (!ops)
		return fail(d, GLANE_E_USAGE, "records: format %u has none", (unsigned)o->format);
	r = mem_zalloc(1, sizeof(*r));
	if (!r)
		return fail(d, GLANE_E_NOMEM, "records: out of memory");
	r->ops = ops;
	r->payload = p;
	rc = ops->open(&r->state, p, o, d);
	if (rc != GLANE_OK) {
		mem_free(r);
		return rc;
	}
	*ret = r;
	return GLANE_OK;
}

glane_rc record_next(struct record_reader *r)
{
	return r->ops->next(r->state);
}

struct slice record_at(struct record_reader *r, size_t i)
{
	return r->ops->at(r->state, i);
}

struct slice record_get(struct record_reader *r, const char *path)
{
	return r->ops->get(r->state, path);
}

const struct glane_kv *record_items(struct record_reader *r, const char *path, size_t *ret_n)
{
	*ret_n = 0;
	return r->ops->items ? r->ops->items(r->state, path, ret_n) : NULL;
}

size_t record_columns(const struct record_reader *r)
{
	return r->ops->columns(r->state);
}

struct slice record_column(const struct record_reader *r, size_t i)
{
	return r->ops->column(r->state, i);
}

struct slice record_head(const struct record_reader *r, size_t i)
{
	return r->ops->head ? r->ops->head(r->state, i) : (struct slice){NULL, 0};
}

void record_where(const struct record_reader *r, uint64_t *ret_number, uint64_t *ret_line, uint64_t *ret_offset)
{
	*ret_number = *ret_line = *ret_offset = 0;
	if (!r->payload->failed)
		r->ops->where(r->state, ret_number, ret_line, ret_offset);
}

struct slice record_text(const struct record_reader *r, size_t max)
{
	return r->ops->text(r->state, max);
}

uint64_t record_shape(const struct record_reader *r)
{
	return r->ops->cube ? r->ops->cube->shape(r->state) : 0;
}

uint64_t record_part(const struct record_reader *r)
{
	return r->ops->cube && r->ops->cube->part ? r->ops->cube->part(r->state) : record_shape(r);
}

uint64_t record_series(const struct record_reader *r)
{
	return r->ops->cube ? r->ops->cube->series(r->state) : 0;
}

int record_role(const struct record_reader *r, size_t i)
{
	return r->ops->cube ? r->ops->cube->role(r->state, i) : 0;
}

struct slice record_label(struct record_reader *r, size_t i)
{
	return r->ops->cube && r->ops->cube->label ? r->ops->cube->label(r->state, i) : (struct slice){NULL, 0};
}

void record_close(struct record_reader *r)
{
	if (!r)
		return;
	r->ops->close(r->state);
	mem_free(r);
}

bool record_is_time(struct slice id)
{
	static const char *const ids[] = {"time", "TIME_PERIOD", "year", "tid", "period", "date", "month", "quarter",
		"ano", "anno", "jahr", "rok", "vuosi"};

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		if (id.n == strlen(ids[i]) && strncasecmp(id.p, ids[i], id.n) == 0)
			return true;
	return id.n > 6 && strncasecmp(id.p, "TLIST(", 6) == 0;
}
