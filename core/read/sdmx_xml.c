/* SPDX-License-Identifier: MIT */
/*
 * SDMX-ML data messages (SDMXMessage.xsd, SDMXDataGeneric.xsd, SDMXDataStructureSpecific.xsd of 2.1; 3.0; GenericData, CompactData and
 * MessageGroup of 2.0): series and flat, any dimension at the observation, groups wherever they stand in their dataset. A Delete names
 * observations, series, groups or a whole dataset. What stands around a message, such as a SOAP envelope, is passed over.
 */
#include "read/sdmx_xml.h"

#define HOLD ((size_t)4 << 20)
#define MAX_TEXT ((size_t)64 << 10)

/* The components of a dataset are told with its first observation: those that its beginning shows. */
static bool is_holding(const struct sdmx_xml *s)
{
	return s->is_dataset_open && s->x.payload->pos + s->x.done < s->held_from + HOLD;
}

static bool is_asked(const struct sdmx_xml *s, const char *head)
{
	for (size_t i = 0; i < s->o.n_head; i++)
		if (strcmp(s->o.head[i], head) == 0)
			return true;
	return false;
}

/* The end of the document: what came, where no observation did. */
static glane_rc finish(struct sdmx_xml *s)
{
	if (s->groups == GROUPS_BROKEN)
		return fail(&s->x.found, s->broken.code, "%s", s->broken.text);
	if (s->fault.starved || s->footer.starved || s->poll.starved || s->root.starved)
		return fail(&s->x.found, GLANE_E_NOMEM, "SDMX: no memory for the provider's words");
	if (s->fault.n)
		return fail(&s->x.found, GLANE_E_DATA, "the provider answers: %s", s->fault.p);
	if (!s->is_message)
		return fail(&s->x.found, GLANE_E_FORMAT, "SDMX: %s: the root element is %s",
			s->is_cross ? "cross-sectional and utility messages of SDMX 1.0 and 2.0 are not read; ask for "
				      "another form"
			: s->is_structures ? "structures or metadata, no data"
					   : "no data message",
			s->root.n ? s->root.p : "not there");
	if (s->footer.n && !s->number && !is_asked(s, "#poll"))
		return fail(&s->x.found, GLANE_E_DATA, "the provider answers: %s", s->footer.p);
	if (s->is_cut && s->number)
		return fail(&s->x.found, GLANE_E_DATA, "the data is not whole, the provider says: %s", s->footer.p);
	return GLANE_END;
}

static glane_rc sdmx_next(void *state)
{
	struct sdmx_xml *s = state;

	if (s->over)
		return s->over == GLANE_END ? GLANE_END : fail(s->diag, s->over, "%s", s->x.found.text);
	s->is_record = false;
	while (!sdmx_log_next(&s->log)) {
		if (s->x.failed)
			s->over = s->x.failed;
		else if (s->x.is_ended)
			s->over = finish(s);
		if (s->over)
			return s->over == GLANE_END ? GLANE_END : fail(s->diag, s->over, "%s", s->x.found.text);
		sdmx_log_drained(&s->log);
		do
			xml_push_piece(&s->x, s->obs_start);
		while (!s->x.failed && !s->x.is_ended && is_holding(s));
		if (s->groups == GROUPS_BROKEN) /* what lacks the groups behind the break is not whole */
			s->log.at = s->log.n_closed;
	}
	if (!sdmx_log_ok(&s->log))
		return s->over = fail(s->diag, fail(&s->x.found, GLANE_E_NOMEM, "SDMX: no memory for a series"), "%s",
			       s->x.found.text);
	s->number++;
	s->is_record = true;
	return GLANE_OK;
}

static struct slice sdmx_at(void *state, size_t i)
{
	const struct sdmx_xml *s = state;

	return s->is_record && i < s->log.n_columns ? s->log.value[i] : (struct slice){NULL, 0};
}

static struct slice sdmx_get(void *state, const char *path)
{
	struct sdmx_xml *s = state;
	const struct sdmx_dataset *d = s->is_record ? &s->log.dataset[s->log.shown_dataset] : NULL;

	if (!d)
		return (struct slice){NULL, 0};
	if (*path == '#')
		return strcmp(path, "#dataset") == 0   ? d->id
		       : strcmp(path, "#title") == 0   ? d->title
		       : strcmp(path, "#updated") == 0 ? d->updated
		       : strcmp(path, "#action") == 0  ? (struct slice){&d->action, 1}
						       : (struct slice){NULL, 0};
	for (size_t i = 0; i < s->log.n_columns; i++)
		if (slice_is(s->log.column[i].id, path) && s->log.value[i].p)
			return s->log.value[i];
	return (struct slice){NULL, 0};
}

static size_t sdmx_columns(const void *state)
{
	return ((const struct sdmx_xml *)state)->log.n_columns;
}

static struct slice sdmx_column(const void *state, size_t i)
{
	const struct sdmx_xml *s = state;

	return i < s->log.n_columns ? s->log.column[i].id : (struct slice){NULL, 0};
}

static struct slice sdmx_head(const void *state, size_t i)
{
	const struct sdmx_xml *s = state;
	const struct strbuf *b = i >= s->o.n_head                       ? NULL
				 : strcmp(s->o.head[i], "#footer") == 0 ? &s->footer
				 : strcmp(s->o.head[i], "#poll") == 0   ? &s->poll
									: NULL;

	return b && b->n ? strbuf_get(b) : (struct slice){NULL, 0};
}

static void sdmx_where(const void *state, uint64_t *number, uint64_t *line, uint64_t *offset)
{
	const struct sdmx_xml *s = state;
	const struct sdmx_obs *o = s->is_record ? &s->log.obs[s->log.at - 1] : NULL;

	*number = s->number;
	*line = o ? o->line : 0;
	*offset = o && !s->x.is_latin1 ? o->start : 0;
}

static struct slice sdmx_text(const void *state, size_t max)
{
	const struct sdmx_xml *s = state;
	const struct sdmx_obs *o = s->is_record ? &s->log.obs[s->log.at - 1] : NULL;

	return o ? xml_push_text(&s->x, o->start, o->end, max) : (struct slice){NULL, 0};
}

static uint64_t sdmx_shape(const void *state)
{
	const struct sdmx_xml *s = state;

	return s->is_record ? s->log.shape_no << 16 | s->log.n_columns : 0;
}

static uint64_t sdmx_part(const void *state)
{
	return ((const struct sdmx_xml *)state)->log.shape_no;
}

static uint64_t sdmx_series_no(const void *state)
{
	return ((const struct sdmx_xml *)state)->log.series_no;
}

static int sdmx_role_at(const void *state, size_t i)
{
	const struct sdmx_xml *s = state;

	return i < s->log.n_columns ? s->log.column[i].role : 0;
}

static void sdmx_close(void *state)
{
	struct sdmx_xml *s = state;

	if (!s)
		return;
	xml_push_close(&s->x);
	sdmx_log_release(&s->log);
	strbuf_release(&s->text);
	strbuf_release(&s->values);
	strbuf_release(&s->fault);
	strbuf_release(&s->footer);
	strbuf_release(&s->poll);
	strbuf_release(&s->root);
	arena_release(&s->arena);
	mem_free(s);
}

static glane_rc sdmx_open(void **state, struct payload *p, const struct record_options *o, struct diag *d)
{
	struct sdmx_xml *s = mem_zalloc(1, sizeof(*s));
	glane_rc rc;

	if (!s)
		return fail(d, GLANE_E_NOMEM, "no memory for an SDMX reader");
	s->o = *o;
	s->o.n_field = o->field ? o->n_field : 0;
	s->diag = d;
	s->obs_start = UINT64_MAX;
	arena_init(&s->arena, (size_t)16 << 20);
	sdmx_log_init(&s->log);
	s->log.is_guessed = !s->o.n_field;
	strbuf_init(&s->text, MAX_TEXT);
	strbuf_init(&s->values, MAX_TEXT);
	strbuf_init(&s->fault, 4 * MAX_WORDS);
	strbuf_init(&s->footer, 4 * MAX_WORDS);
	strbuf_init(&s->poll, MAX_TEXT);
	strbuf_init(&s->root, MAX_TEXT);
	rc = sdmx_groups_find(s, p, d);
	if (rc == GLANE_OK)
		rc = xml_push_open(&s->x, p, &sdmx_events, s, MAX_DEPTH, false, d);
	if (rc < 0) {
		sdmx_close(s);
		return rc;
	}
	*state = s;
	return GLANE_OK;
}

static const struct cube_ops sdmx_xml_cube = {
	.shape = sdmx_shape, .series = sdmx_series_no, .role = sdmx_role_at, .part = sdmx_part};
const struct record_ops sdmx_xml_ops = {
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
	.cube = &sdmx_xml_cube,
};
