/* SPDX-License-Identifier: MIT */
/* The conformance suite: a plugin's descriptor and options. No code of the plugin runs here. */
#include "app/conform.h"

#include "app/app.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void conform_test(struct conform *c, bool fine, const char *detail, const char *fmt, ...)
{
	char what[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	c->n++;
	c->n_failed += !fine;
	print_visible("%sok %u - %s", fine ? "" : "not ", c->n, what);
	if (!fine && detail && detail[0])
		print_visible("# %s", detail); /* one line: what a plugin says is no result of ours */
	fflush(stdout);
}

void conform_skip(struct conform *c, const char *why, const char *what)
{
	c->n++;
	printf("ok %u - %s # SKIP %s\n", c->n, what, why);
	fflush(stdout);
}

/* A text that the type takes, and one that it refuses (NULL: it takes every text). */
static const char *sample(const struct option_spec *o, struct arena *a)
{
	switch (o->type) {
	case GLANE_OPT_INT:
		return arena_fmt(a, "%lld", (long long)(o->min < o->max ? o->min : 1));
	case GLANE_OPT_BOOL:
		return "yes";
	case GLANE_OPT_MAP:
		return "KEY=x";
	case GLANE_OPT_DURATION:
		return "1h";
	case GLANE_OPT_SIZE:
		return "1M";
	default:
		return "x";
	}
}

static const char *wrong(const struct option_spec *o)
{
	switch (o->type) {
	case GLANE_OPT_INT:
		return "many";
	case GLANE_OPT_BOOL:
		return "perhaps";
	case GLANE_OPT_MAP:
		return "no-equals-sign";
	case GLANE_OPT_LIST:
		return "\"unclosed";
	case GLANE_OPT_DURATION:
		return "soon";
	case GLANE_OPT_SIZE:
		return "large";
	default:
		return NULL;
	}
}

/* The given section without `skip`, what is required made up where it is not given, and key = value in front; value NULL: no such. */
static bool section_with(struct conform *c, const char *key, const char *value, bool skip, struct conf_section *ret)
{
	const struct plugin *p = c->plain.desc;
	const struct conf_entry *e = c->plain.section->entries;
	struct conf_entry **tail = &ret->entries;
	size_t n = 0;
	struct conf_entry *list;

	for (const struct conf_entry *i = e; i; i = i->next)
		n++;
	list = arena_alloc(c->arena, (n + p->n_options + 1) * sizeof(*list));
	if (!list)
		return false;
	*ret = *c->plain.section;
	ret->entries = NULL;
	if (value) {
		*list = (struct conf_entry){.key = key, .value = value, .file = "check-plugin"};
		*tail = list;
		tail = &list++->next;
	}
	for (; e; e = e->next) {
		if ((value || skip) && strcmp(e->key, key) == 0)
			continue;
		*list = *e;
		list->next = NULL;
		*tail = list;
		tail = &list++->next;
	}
	for (size_t i = 0; i < p->n_options; i++) {
		const struct option_spec *o = &p->options[i];

		if (!(o->flags & GLANE_OPT_REQUIRED) || conf_find(ret, o->name) || (skip && strcmp(o->name, key) == 0))
			continue;
		*list = (struct conf_entry){.key = o->name, .value = sample(o, c->arena), .file = "check-plugin"};
		*tail = list;
		tail = &list++->next;
	}
	return true;
}

static bool is_taken(struct conform *c, const char *key, const char *value, bool skip, struct diag *why)
{
	struct conf_section s;

	diag_clear(why);
	if (!section_with(c, key, value, skip, &s))
		return fail(why, GLANE_E_NOMEM, "no memory for options") == GLANE_OK;
	return options_fill(c->arena, c->plain.desc, &s, NULL, why) == GLANE_OK;
}

/* What parse and check-plugin would take for a word of their own; glane's keys of a section are refused when a plugin is loaded. */
static const char *shadowed(const struct plugin *p)
{
	static const char *const words[] = {"source", "format", "limit", "inproc", "seconds"};

	for (size_t i = 0; i < p->n_options; i++)
		for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++)
			if (strcmp(p->options[i].name, words[k]) == 0)
				return words[k];
	return NULL;
}

static void test_option(struct conform *c, const struct option_spec *o)
{
	const char *bad = wrong(o);
	struct diag why;

	conform_test(c, o->help && o->help[0], "a person who configures a source sees nothing else",
		"option %s says what it is for", o->name);
	if (o->dflt)
		conform_test(c, is_taken(c, o->name, o->dflt, false, &why), why.text,
			"option %s: its default '%s' is taken", o->name, o->dflt);
	if (bad)
		conform_test(c, !is_taken(c, o->name, bad, false, &why) && why.code == GLANE_E_CONFIG, why.text,
			"option %s (%s): '%s' is refused", o->name, option_type_name(o->type), bad);
	if (o->type == GLANE_OPT_INT && o->min < o->max && o->max < INT64_MAX)
		conform_test(c,
			!is_taken(c, o->name, arena_fmt(c->arena, "%lld", (long long)o->max + 1), false, &why) &&
				why.code == GLANE_E_CONFIG,
			why.text, "option %s: %lld, above its maximum, is refused", o->name, (long long)o->max + 1);
	if (o->flags & GLANE_OPT_REQUIRED)
		conform_test(c, !is_taken(c, o->name, NULL, true, &why) && why.code == GLANE_E_CONFIG, why.text,
			"option %s is required: a section without it is refused", o->name);
}

glane_rc conform_options(struct conform *c, struct diag *d)
{
	const struct plugin *p = c->plain.desc;
	const char *word = shadowed(p);
	struct conf_section s;
	struct diag why;

	if (!section_with(c, NULL, NULL, false, &s))
		return fail(d, GLANE_E_NOMEM, "no memory for options");
	conform_test(c, p->desc.title && p->desc.title[0] && p->desc.version && p->desc.version[0],
		"GLANE_PLUGIN(.version = ..., .title = ...)", "it has a title and a version");
	conform_test(c, !word,
		word ? arena_fmt(c->arena, "--%s is a word of parse or check-plugin: rename the option", word) : NULL,
		"each option can be given to parse and check-plugin");
	conform_test(c, is_taken(c, NULL, NULL, false, &why), why.text, "the options given are taken");
	conform_test(c, !is_taken(c, "no-such-option", "x", false, &why) && why.code == GLANE_E_CONFIG, why.text,
		"an unknown option is refused");
	for (size_t i = 0; i < p->n_options; i++)
		test_option(c, &p->options[i]);
	return GLANE_OK;
}
