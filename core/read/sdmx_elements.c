/* SPDX-License-Identifier: MIT */
/* What the elements of the datasets of an SDMX-ML message mean: groups, series, observations. */
#include "read/sdmx_xml.h"

#include <strings.h>

#define MAX_VALUE ((size_t)1 << 20)

/* ---- attributes of elements ---- */

static void log_failed(struct sdmx_xml *s)
{
	if (s->log.n_columns == SDMX_COLUMNS)
		xml_push_stop(&s->x, GLANE_E_LIMIT, "more than 512 components");
	else
		xml_push_stop(&s->x, GLANE_E_LIMIT, "no memory, or more than 64 MiB of groups and datasets");
}

static void cell_failed(struct sdmx_xml *s)
{
	if (s->log.level == SDMX_AT_NOTHING)
		xml_push_stop(&s->x, GLANE_E_FORMAT, "a component outside of dataset, group, series and observation");
	else
		log_failed(s);
}

static void end_group(struct sdmx_xml *s)
{
	if (s->log.level != SDMX_AT_GROUP || sdmx_log_group_end(&s->log))
		return;
	xml_push_stop(&s->x, GLANE_E_LIMIT,
		sdmx_log_shapes(&s->log, (uint32_t)s->log.n_dataset - 1).n == SDMX_SHAPES
			? "groups of more than 64 different sets of components in a dataset: ask for less at a time"
			: "no memory, or more than 64 MiB of groups");
}

static void put(struct sdmx_xml *s, uint32_t column, const struct xml_push_attr *value)
{
	struct strbuf *b = sdmx_log_cell(&s->log, column);

	if (b && (size_t)(value->end - value->value) > MAX_VALUE)
		xml_push_stop(&s->x, GLANE_E_LIMIT, "a value is longer than 1 MiB");
	if (b)
		xml_push_value(b, value);
	if (!b || !sdmx_log_cell_end(&s->log))
		cell_failed(s);
}

static void put_text(struct sdmx_xml *s, uint32_t column, struct slice text)
{
	struct strbuf *b = sdmx_log_cell(&s->log, column);

	if (b)
		strbuf_slice(b, text);
	if (!b || !sdmx_log_cell_end(&s->log))
		cell_failed(s);
}

static struct slice name_of(const struct xml_push_attr *a)
{
	return slice_of((const char *)a->name);
}

static uint32_t column(struct sdmx_xml *s, struct slice id, int role)
{
	return sdmx_log_column(&s->log, id, role);
}

static int role_of(const struct sdmx_xml *s, struct slice id)
{
	return sdmx_role(id, s->o.field, s->o.n_field);
}

/* The components that stand as XML attributes; `roles`: which of them, as bits of their roles. */
static void put_components(struct sdmx_xml *s, const struct xml_push_attr *a, size_t n, unsigned roles)
{
	for (size_t i = 0; i < n && !s->x.failed; i++) {
		const int role = a[i].prefix ? 0 : role_of(s, name_of(&a[i]));

		if (role && roles & 1u << role)
			put(s, column(s, name_of(&a[i]), role), &a[i]);
	}
}
/* Of the observations in a series one dimension alone differs; empty: nobody says which. */
static struct slice dimension_of_obs(const struct sdmx_xml *s, const struct xml_push_attr *a, size_t n)
{
	const struct slice said = s->current ? s->current->at_obs : (struct slice){NULL, 0};

	for (size_t i = 0; i < n && !said.n; i++)
		if (!a[i].prefix && role_of(s, name_of(&a[i])) == GLANE_ROLE_TIME)
			return name_of(&a[i]);
	return slice_is(said, "AllDimensions") ? (struct slice){NULL, 0} : said;
}

/* Explicit measures: the type of the observation names its value of the dimension; structure-specific messages alone have types. */
static void put_explicit(struct sdmx_xml *s, const struct xml_push_attr *a, size_t n)
{
	const struct slice own = s->current->at_obs;

	if (!own.n || slice_is(own, "AllDimensions") || role_of(s, own) == GLANE_ROLE_TIME)
		return;
	for (size_t i = 0; i < n; i++)
		if (!a[i].prefix && slice_eq(name_of(&a[i]), own))
			return;
	for (size_t i = 0; i < n; i++) {
		struct xml_push_attr type = a[i];
		const unsigned char *colon;

		if (!type.prefix || strcmp((const char *)type.name, "type") != 0)
			continue;
		colon = memchr(type.value, ':', (size_t)(type.end - type.value));
		type.value = colon ? colon + 1 : type.value;
		put(s, column(s, own, GLANE_ROLE_DIMENSION), &type);
		return;
	}
	if (n)
		xml_push_stop(&s->x, GLANE_E_FORMAT,
			"an observation without the type that names its measure (explicitMeasures): ask for the data "
			"by "
			"TIME_PERIOD or AllDimensions");
}

/* The components of an observation in a series: what looks like another dimension is an attribute, or a measure that has to be named. */
static void put_obs(struct sdmx_xml *s, const struct xml_push_attr *a, size_t n)
{
	const struct slice own = dimension_of_obs(s, a, n);

	if (s->current && s->current->is_explicit)
		put_explicit(s, a, n);
	for (size_t i = 0; i < n && !s->x.failed; i++) {
		const struct slice id = name_of(&a[i]);
		int role = a[i].prefix ? 0 : role_of(s, id);

		if (role == GLANE_ROLE_DIMENSION && !s->o.n_field && own.n && !slice_eq(id, own))
			role = GLANE_ROLE_ATTRIBUTE;
		if (role)
			put(s, column(s, id, role), &a[i]);
	}
}
#define KEYS (1u << GLANE_ROLE_DIMENSION | 1u << GLANE_ROLE_TIME)
#define REST (1u << GLANE_ROLE_MEASURE | 1u << GLANE_ROLE_ATTRIBUTE)

/* ---- datasets ---- */

static void find_structure(struct sdmx_xml *s, struct slice ref)
{
	s->current = s->n_structures == 1 ? &s->structure[0] : NULL;
	for (size_t i = 0; i < s->n_structures; i++)
		if (ref.n && slice_eq(s->structure[i].id, ref))
			s->current = &s->structure[i];
}

/* Where what may be deleted as a whole begins. */
static void note_place(struct sdmx_xml *s)
{
	s->bare_line = xml_push_line(&s->x), s->bare_start = xml_push_tag(&s->x);
}

static bool is_deletion(const struct sdmx_xml *s)
{
	return s->log.n_dataset && s->log.dataset[s->log.n_dataset - 1].action == 'D';
}

/* A deletion may leave out dimensions: what those that it names mean is seen beside those that were named to the reader. */
static void put_dimensions(struct sdmx_xml *s)
{
	for (size_t i = 0; i < s->o.n_field && !s->x.failed; i++) {
		const struct slice id = slice_of(s->o.field[i]);
		bool is_there = false;

		for (size_t k = 0; k < s->log.n_columns && !is_there; k++)
			is_there = s->log.column[k].id.n == id.n && strncasecmp(s->log.column[k].id.p, id.p, id.n) == 0;
		if (!is_there && column(s, id, role_of(s, id)) == SDMX_NONE)
			log_failed(s);
	}
}

static void open_dataset(struct sdmx_xml *s, const struct xml_push_attr *a, size_t n)
{
	static const char *const own[] = {"action", "structureRef", "setID", "dataScope", "datasetID", "keyFamilyURI",
		"dataflowID", "dataflowAgencyID", "dataProviderID", "dataProviderSchemeID",
		"dataProviderSchemeAgencyId", "dataProviderSchemeAgencyID", "reportingBeginDate", "reportingEndDate",
		"validFromDate", "validToDate", "publicationYear", "publicationPeriod", "isExternalReference"};
	struct slice id = s->family;
	const struct slice word = xml_push_find(a, n, "action");
	const char action = sdmx_action_of(word);

	if (word.n && !action)
		sdmx_refuse_action(s, word);
	find_structure(s, xml_push_find(a, n, "structureRef"));
	if (s->current && s->current->name.n)
		id = s->current->name;
	if (!id.n)
		id = xml_push_find(a, n, "dataflowID");
	if (!sdmx_log_dataset(&s->log, id, (struct slice){NULL, 0}, xml_push_find(a, n, "validFromDate"),
		    action      ? action
		    : s->action ? s->action
				: 'I'))
		log_failed(s);
	s->has_series = s->is_bare = false;
	s->is_dataset_open = true, s->held_from = xml_push_tag(&s->x);
	note_place(s);
	if (is_deletion(s))
		put_dimensions(s);
	for (size_t i = 0; i < n && !s->x.failed; i++) {
		bool is_own = a[i].prefix != NULL;

		for (size_t k = 0; k < sizeof(own) / sizeof(own[0]); k++)
			is_own |= strcasecmp((const char *)a[i].name, own[k]) == 0;
		if (!is_own)
			put(s, column(s, name_of(&a[i]), GLANE_ROLE_ATTRIBUTE), &a[i]);
	}
}

static void open_obs(struct sdmx_xml *s)
{
	if (!sdmx_log_obs(&s->log, s->obs_line, s->obs_start))
		log_failed(s);
	s->is_obs_due = false;
}

/* In a flat message every observation is its own series: its key stands in the series, the rest in the observation. */
static void begin_obs(struct sdmx_xml *s, const struct xml_push_attr *a, size_t n, bool is_flat)
{
	s->obs_line = xml_push_line(&s->x), s->obs_start = xml_push_tag(&s->x);
	s->is_obs_due = s->has_series = true;
	s->is_bare = false;
	if (is_flat && !sdmx_log_series(&s->log))
		log_failed(s);
	if (is_flat)
		put_components(s, a, n, KEYS);
	if (!is_flat || n)
		open_obs(s);
	if (is_flat)
		put_components(s, a, n, REST);
	else
		put_obs(s, a, n);
}

static void begin_bare(struct sdmx_xml *s)
{
	s->has_series = s->is_bare = true;
	if (!sdmx_log_series(&s->log))
		log_failed(s);
}

static void begin_series(struct sdmx_xml *s, const struct xml_push_attr *a, size_t n)
{
	note_place(s);
	begin_bare(s);
	put_components(s, a, n, KEYS | REST);
}

/* The end of a series, group or dataset without an observation: of a deletion it stands for all that it could have. */
static void end_bare(struct sdmx_xml *s)
{
	const bool is_named = s->is_bare && is_deletion(s) && s->groups != GROUPS_SOUGHT && !s->x.failed;

	s->is_bare = false;
	if (is_named && !sdmx_log_obs(&s->log, s->bare_line, s->bare_start))
		log_failed(s);
	else if (is_named)
		sdmx_log_obs_end(&s->log, xml_push_offset(&s->x));
	s->log.level = SDMX_AT_NOTHING;
}

/* Attributes that are deleted are no group's: they are told as those of a series are. */
static enum kind begin_group(struct sdmx_xml *s, const struct xml_push_attr *a, size_t n)
{
	s->log.level = SDMX_AT_NOTHING;
	if (is_deletion(s) ? s->groups == GROUPS_SOUGHT : s->groups == GROUPS_KNOWN || s->groups == GROUPS_BROKEN)
		return GROUP;
	note_place(s);
	if (is_deletion(s))
		begin_bare(s);
	else if (s->has_series && s->groups == GROUPS_AS_THEY_COME)
		xml_push_stop(&s->x, GLANE_E_FORMAT,
			"a group behind series, in what a program wrote and cannot be read twice: have it write groups "
			"first");
	else if (!sdmx_log_group(&s->log))
		log_failed(s);
	for (size_t i = 0; i < n && !s->x.failed; i++) /* its `type` is the group's name, of generic messages */
		if (strcmp((const char *)a[i].name, "type") != 0)
			put_components(s, &a[i], 1, KEYS | REST);
	return GROUP;
}

/* Without a word on what, a deletion is of everything; one of the dataset's attributes is of nothing that is kept. */
static void end_dataset(struct sdmx_xml *s)
{
	s->is_dataset_open = false;
	if (!is_deletion(s) || s->has_series || s->log.dataset[s->log.n_dataset - 1].n)
		return;
	begin_bare(s);
	end_bare(s);
}

static enum kind in_dataset(struct sdmx_xml *s, const char *name, const struct xml_push_attr *a, size_t n)
{
	if (strcmp(name, "Series") == 0) {
		begin_series(s, a, n);
		return SERIES;
	}
	if (strcmp(name, "Obs") == 0) {
		begin_obs(s, a, n, true);
		return OBS;
	}
	if (strstr(name, "Group") || (strcmp(name, "Atts") == 0 && n)) /* 3.0: attributes of a part of the key */
		return begin_group(s, a, n);
	if (strcmp(name, "Attributes") == 0 || strcmp(name, "Atts") == 0) {
		if (s->log.level != SDMX_AT_DATASET)
			xml_push_stop(&s->x, GLANE_E_FORMAT, "attributes of a dataset behind its groups or series");
		return ATTRIBUTES;
	}
	return strcmp(name, "KeyFamilyRef") == 0 ? TEXT : OTHER;
}

/* <Value id="" value=""/>, of 2.0 <Value concept="" value=""/> */
static void put_value(struct sdmx_xml *s, const struct xml_push_attr *a, size_t n, bool is_key)
{
	const struct xml_push_attr *value = NULL;
	struct slice id = sdmx_attr(a, n, "id");

	if (!id.n)
		id = sdmx_attr(a, n, "concept");
	for (size_t i = 0; i < n; i++)
		if (!a[i].prefix && strcmp((const char *)a[i].name, "value") == 0)
			value = &a[i];
	if (!id.n || !value) {
		xml_push_stop(&s->x, GLANE_E_FORMAT, "a Value without id and value");
		return;
	}
	if (!is_key && s->is_obs_due)
		open_obs(s);
	if (!is_key)
		put(s, column(s, id, GLANE_ROLE_ATTRIBUTE), value);
	else
		put(s,
			column(s, id,
				slice_is(id, "TIME_PERIOD") || slice_is(id, "TIME") ? GLANE_ROLE_TIME
										    : GLANE_ROLE_DIMENSION),
			value);
}

static void put_one(struct sdmx_xml *s, const struct xml_push_attr *a, size_t n, struct slice id, int role)
{
	if (s->is_obs_due)
		open_obs(s);
	for (size_t i = 0; i < n && !s->x.failed; i++)
		if (!a[i].prefix && strcmp((const char *)a[i].name, "value") == 0)
			put(s, column(s, id, role), &a[i]);
}

static void put_dimension(struct sdmx_xml *s, const struct xml_push_attr *a, size_t n)
{
	struct slice id = sdmx_attr(a, n, "id");

	if (!id.n)
		id = s->current && s->current->at_obs.n ? s->current->at_obs : slice_of("TIME_PERIOD");
	put_one(s, a, n, id,
		slice_is(id, "TIME_PERIOD") || slice_is(id, "TIME") ? GLANE_ROLE_TIME : GLANE_ROLE_DIMENSION);
}

/* 3.0: a measure or an attribute that stands as an element, with one value or several. */
static void begin_component(struct sdmx_xml *s, struct slice id)
{
	const bool is_measure = role_of(s, id) == GLANE_ROLE_MEASURE;

	if (s->is_obs_due)
		open_obs(s);
	s->component = column(s, id, is_measure ? GLANE_ROLE_MEASURE : GLANE_ROLE_ATTRIBUTE);
	s->has_value = false;
	strbuf_reset(&s->values);
}

static void add_value(struct sdmx_xml *s, struct slice text)
{
	if (s->has_value)
		strbuf_putc(&s->values, ';');
	strbuf_slice(&s->values, text);
	s->has_value = true;
}

static void end_component(struct sdmx_xml *s)
{
	if (!strbuf_ok(&s->values))
		xml_push_stop(&s->x, GLANE_E_LIMIT, "no memory, or the values of a component are longer than 64 KiB");
	else if (s->has_value)
		put_text(s, s->component, strbuf_get(&s->values));
}

static enum kind in_series(
	struct sdmx_xml *s, const char *name, const struct xml_push_attr *a, size_t n, enum kind here)
{
	if (strcmp(name, "Obs") == 0 && here != OBS) {
		begin_obs(s, a, n, false);
		return OBS;
	}
	if (strcmp(name, "Series") == 0 && here == GROUP) { /* 2.0: series stand inside their group */
		end_group(s);
		begin_series(s, a, n);
		return SERIES;
	}
	if (here == GROUP && s->log.level == SDMX_AT_NOTHING) /* one that is known */
		return OTHER;
	if (strcmp(name, "SeriesKey") == 0 || strcmp(name, "ObsKey") == 0 || strcmp(name, "GroupKey") == 0)
		return KEY;
	if (strcmp(name, "Attributes") == 0 || strcmp(name, "Atts") == 0)
		return ATTRIBUTES;
	if (strcmp(name, "ObsDimension") == 0)
		put_dimension(s, a, n);
	else if (strcmp(name, "ObsValue") == 0)
		put_one(s, a, n, sdmx_attr(a, n, "id").n ? sdmx_attr(a, n, "id") : slice_of("OBS_VALUE"),
			GLANE_ROLE_MEASURE);
	if (strcmp(name, "Comp") == 0) {
		begin_component(s, sdmx_attr(a, n, "id"));
		return COMPONENT;
	}
	return strcmp(name, "Time") == 0 ? TEXT : OTHER;
}

static enum kind in_message(struct sdmx_xml *s, const char *name, const struct xml_push_attr *a, size_t n)
{
	if (strcmp(name, "Header") == 0)
		return HEADER;
	if (strcmp(name, "DataSet") == 0) {
		open_dataset(s, a, n);
		return DATASET;
	}
	return strcmp(name, "Footer") == 0 ? FOOTER : OTHER;
}

static void on_open(void *arg, const char *name, const struct xml_push_attr *a, size_t n)
{
	struct sdmx_xml *s = arg;
	const enum kind here = s->depth ? (enum kind)s->kind[s->depth - 1] : OTHER;
	enum kind next = OTHER;

	strbuf_reset(&s->text);
	if (here == OTHER && !s->is_message)
		next = sdmx_in_nothing(s, name, a, n);
	else if (here == MESSAGE)
		next = in_message(s, name, a, n);
	else if (here == HEADER)
		next = sdmx_in_header(s, name, a, n);
	else if (here == STRUCTURE || here == REFERENCE)
		next = sdmx_in_structure(s, name, a, n);
	else if (here == DATASET)
		next = in_dataset(s, name, a, n);
	else if (here == SERIES || here == OBS || here == GROUP)
		next = in_series(s, name, a, n, here);
	else if (here == KEY || here == ATTRIBUTES)
		put_value(s, a, n, here == KEY);
	else if (here == COMPONENT)
		next = TEXT;
	else if (here == FAULT || here == FOOTER) {
		s->is_cut |= here == FOOTER && sdmx_says_cut(a, n);
		sdmx_begin_fault(a, n, here == FAULT ? &s->fault : &s->footer);
		next = here;
	}
	if (!s->x.failed)
		s->kind[s->depth++] = (uint8_t)next;
}

static void end_text(struct sdmx_xml *s, enum kind around)
{
	const struct slice text = slice_trim(strbuf_get(&s->text));

	if (around == HEADER && s->is_action_due) {
		s->action = sdmx_action_of(text);
		if (text.n && !s->action)
			sdmx_refuse_action(s, text);
	} else if (around == HEADER)
		s->family = s->family.n ? s->family : sdmx_keep(s, text);
	else if (around == STRUCTURE || around == REFERENCE)
		sdmx_name_structure(s, sdmx_flow_id(text));
	else if (around == DATASET && s->log.n_dataset)
		s->log.dataset[s->log.n_dataset - 1].id = sdmx_keep(s, text);
	else if (around == OBS) {
		if (s->is_obs_due)
			open_obs(s);
		put_text(s, column(s, slice_of("TIME_PERIOD"), GLANE_ROLE_TIME), text);
	} else if (around == COMPONENT) {
		add_value(s, text);
	}
}

static void on_close(void *arg, const char *name)
{
	struct sdmx_xml *s = arg;
	const enum kind kind = (enum kind)s->kind[--s->depth];
	const enum kind around = s->depth ? (enum kind)s->kind[s->depth - 1] : OTHER;

	(void)name;
	if (kind == TEXT || kind == REFERENCE)
		end_text(s, around);
	else if (kind == SERIES || (kind == GROUP && s->log.level != SDMX_AT_GROUP))
		end_bare(s);
	else if (kind == OBS) {
		if (s->is_obs_due)
			open_obs(s);
		if (s->log.n_obs)
			sdmx_log_obs_end(&s->log, xml_push_offset(&s->x));
		s->obs_start = UINT64_MAX;
		s->log.level = SDMX_AT_NOTHING; /* what a series says itself stands before its observations */
	} else if (kind == GROUP)
		end_group(s);
	else if (kind == COMPONENT)
		end_component(s);
	else if (kind == DATASET)
		end_dataset(s);
	else if (kind == FAULT)
		sdmx_end_words(&s->fault, slice_trim(strbuf_get(&s->text)));
	else if (kind == FOOTER) {
		sdmx_end_words(&s->footer, slice_trim(strbuf_get(&s->text)));
		sdmx_find_poll(s, strbuf_get(&s->text));
	}
	strbuf_reset(&s->text);
}

static void on_text(void *arg, struct slice text)
{
	struct sdmx_xml *s = arg;
	const enum kind here = s->depth ? (enum kind)s->kind[s->depth - 1] : OTHER;

	if (here != TEXT && here != REFERENCE && here != FAULT && here != FOOTER)
		return;
	strbuf_slice(&s->text, text);
	if (!strbuf_ok(&s->text))
		xml_push_stop(&s->x, GLANE_E_LIMIT, "no memory, or a text is longer than 64 KiB");
}

const struct xml_push_events sdmx_events = {on_open, on_close, on_text};
