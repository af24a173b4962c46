/* SPDX-License-Identifier: MIT */
/* What stands around the datasets of an SDMX-ML message: the header, footers and faults, and what it is that came instead. */
#include "read/sdmx_xml.h"

#include <stdio.h>
#include <strings.h>

struct slice sdmx_attr(const struct xml_push_attr *a, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!a[i].prefix && strcmp((const char *)a[i].name, name) == 0)
			return (struct slice){(const char *)a[i].value, (size_t)(a[i].end - a[i].value)};
	return (struct slice){NULL, 0};
}

struct slice sdmx_keep(struct sdmx_xml *s, struct slice text)
{
	struct slice kept = {NULL, 0};

	if (!arena_dup(&s->arena, text, &kept))
		xml_push_stop(&s->x, GLANE_E_NOMEM, "");
	return kept;
}

/* ---- the header ---- */

static void open_structure(struct sdmx_xml *s, const struct xml_push_attr *a, size_t n)
{
	if (s->n_structures == MAX_STRUCTURES) {
		xml_push_stop(&s->x, GLANE_E_LIMIT, "more than 256 structures in one header");
		return;
	}
	s->structure[s->n_structures++] = (struct structure){.id = sdmx_keep(s, sdmx_attr(a, n, "structureID")),
		.at_obs = sdmx_keep(s, sdmx_attr(a, n, "dimensionAtObservation")),
		.is_explicit = slice_is(sdmx_attr(a, n, "explicitMeasures"), "true") ||
			       slice_is(sdmx_attr(a, n, "explicitMeasures"), "1")};
}

void sdmx_name_structure(struct sdmx_xml *s, struct slice name)
{
	if (s->n_structures && name.n && !s->structure[s->n_structures - 1].name.n)
		s->structure[s->n_structures - 1].name = sdmx_keep(s, name);
}

enum kind sdmx_in_header(struct sdmx_xml *s, const char *name, const struct xml_push_attr *a, size_t n)
{
	if (strcmp(name, "Structure") == 0) {
		open_structure(s, a, n);
		return STRUCTURE;
	}
	s->is_action_due = strcmp(name, "DataSetAction") == 0;
	return s->is_action_due || strcmp(name, "KeyFamilyRef") == 0 ? TEXT : OTHER;
}

enum kind sdmx_in_structure(struct sdmx_xml *s, const char *name, const struct xml_push_attr *a, size_t n)
{
	if (strcmp(name, "Ref") == 0)
		sdmx_name_structure(s, sdmx_attr(a, n, "id"));
	return strcmp(name, "URN") == 0 ? TEXT : REFERENCE;
}

char sdmx_action_of(struct slice s)
{
	static const char *const names[] = {"Information", "Append", "Merge", "Replace", "Delete", "Update"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (s.p && s.n == strlen(names[i]) && strncasecmp(s.p, names[i], s.n) == 0)
			return *names[i] == 'U' ? 'M' : *names[i];
	return 0;
}

/* Rows of an action that nobody knows would be taken for data, those of a deletion too. */
void sdmx_refuse_action(struct sdmx_xml *s, struct slice word)
{
	char why[160];

	(void)snprintf(why, sizeof(why), "action '%.*s' is none of Append, Replace, Delete, Information, Merge",
		(int)(word.n < 64 ? word.n : 64), word.p);
	xml_push_stop(&s->x, GLANE_E_FORMAT, why);
}

/* ---- what is no data ---- */

void sdmx_begin_fault(const struct xml_push_attr *a, size_t n, struct strbuf *b)
{
	const struct slice code = sdmx_attr(a, n, "code");

	if (b->n && code.n)
		strbuf_puts(b, "; ");
	strbuf_slice(b, code);
	if (code.n)
		strbuf_puts(b, ":");
}

/* Whether a footer's message says that the data before it is not whole. */
bool sdmx_says_cut(const struct xml_push_attr *a, size_t n)
{
	return sdmx_code_says_cut(sdmx_attr(a, n, "code")) || slice_is(sdmx_attr(a, n, "severity"), "Error");
}

static bool is_one_of(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(name, list[i]) == 0)
			return true;
	return false;
}

/* Outside of a message: a SOAP envelope, or what it is that came instead. */
enum kind sdmx_in_nothing(struct sdmx_xml *s, const char *name, const struct xml_push_attr *a, size_t n)
{
	static const char *const messages[] = {"GenericData", "StructureSpecificData", "GenericTimeSeriesData",
		"StructureSpecificTimeSeriesData", "CompactData", "MessageGroup"};
	static const char *const others[] = {"Structure", "RegistryInterface", "QueryMessage", "GenericMetadata",
		"StructureSpecificMetadata", "MetadataReport", "CodeLists", "KeyFamilies", "Codelists", "Structures"};
	static const char *const faults[] = {"Error", "Fault", "StatusMessage"};

	if (!s->root.n)
		strbuf_puts(&s->root, name);
	if (is_one_of(name, messages, sizeof(messages) / sizeof(messages[0]))) {
		s->is_message = true;
		return MESSAGE;
	}
	s->is_cross |= strcmp(name, "CrossSectionalData") == 0 || strcmp(name, "UtilityData") == 0;
	s->is_structures |= is_one_of(name, others, sizeof(others) / sizeof(others[0]));
	if (!is_one_of(name, faults, sizeof(faults) / sizeof(faults[0])))
		return OTHER;
	sdmx_begin_fault(a, n, &s->fault);
	return FAULT;
}

void sdmx_end_words(struct strbuf *b, struct slice text)
{
	if (!text.n || b->n > MAX_WORDS)
		return;
	if (b->n)
		strbuf_putc(b, ' ');
	strbuf_slice(b, (struct slice){text.p, text.n < MAX_WORDS ? text.n : MAX_WORDS});
}

/* The first address in a footer. */
void sdmx_find_poll(struct sdmx_xml *s, struct slice text)
{
	const char *at = text.n ? memmem(text.p, text.n, "http", 4) : NULL;
	size_t n = 0;

	if (!at || s->poll.n)
		return;
	while (at + n < text.p + text.n && !strchr(" \t\r\n\"'<>", at[n]))
		n++;
	strbuf_add(&s->poll, at, n);
}
