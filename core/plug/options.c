/* SPDX-License-Identifier: MIT */
/* A plugin's options: from the text of the configuration to typed members of its state. */
#include "plug/plugin.h"

#include "base/clock.h"

#include <string.h>

#define MAX_ITEMS 65536

const char *option_type_name(uint16_t type)
{
	static const char *const names[] = {
		"?", "text", "integer", "yes/no", "list", "KEY=VALUE list", "duration", "size"};

	return names[type < sizeof(names) / sizeof(names[0]) ? type : 0];
}

struct setting { /* one option being set */
	struct arena *a;
	const struct option_spec *spec;
	const char *text;
	char *at; /* member, or NULL: check only */
};

static glane_rc set_int(const struct setting *s, struct diag *d)
{
	const struct option_spec *o = s->spec;
	const struct slice text = slice_of(s->text);
	int64_t v;
	bool ok;

	if (o->type == GLANE_OPT_DURATION)
		ok = duration_parse(text, false, &v);
	else if (o->type == GLANE_OPT_SIZE)
		ok = size_parse(text, &v);
	else
		ok = slice_int(text, INT64_MIN, INT64_MAX, &v);
	if (!ok)
		return fail(d, GLANE_E_CONFIG, "%s = %.80s: not %s %s", o->name, s->text,
			o->type == GLANE_OPT_INT ? "an" : "a", option_type_name(o->type));
	if (o->min != o->max && (v < o->min || v > o->max))
		return fail(d, GLANE_E_CONFIG, "%s = %.80s: not between %lld and %lld", o->name, s->text,
			(long long)o->min, (long long)o->max);
	if (s->at)
		memcpy(s->at, &v, sizeof(v));
	return GLANE_OK;
}

static glane_rc set_bool(const struct setting *s, struct diag *d)
{
	static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const uint8_t v = i & 1;

		if (strcmp(s->text, words[i]) != 0)
			continue;
		if (s->at)
			memcpy(s->at, &v, sizeof(v));
		return GLANE_OK;
	}
	return fail(d, GLANE_E_CONFIG, "%s = %.80s: neither yes nor no", s->spec->name, s->text);
}

/* Splits the text into items; *ret has *ret_n of them. */
static glane_rc items(const struct setting *s, const char ***ret, size_t *ret_n, struct diag *d)
{
	const glane_rc rc = conf_items(s->a, s->text, ret, ret_n, d);

	if (rc == GLANE_OK && *ret_n > MAX_ITEMS)
		return fail(d, GLANE_E_LIMIT, "%s: more than %d items", s->spec->name, MAX_ITEMS);
	return rc;
}

static glane_rc set_list(const struct setting *s, struct diag *d)
{
	struct glane_list list;
	const char **v = NULL;
	size_t n = 0;
	glane_rc rc = items(s, &v, &n, d);

	if (rc != GLANE_OK)
		return rc;
	list = (struct glane_list){v, n};
	if (s->at)
		memcpy(s->at, &list, sizeof(list));
	return GLANE_OK;
}

static glane_rc set_map(const struct setting *s, struct diag *d)
{
	struct glane_map map;
	struct glane_kv *kv;
	const char **v = NULL;
	size_t n = 0;
	glane_rc rc = items(s, &v, &n, d);

	if (rc != GLANE_OK)
		return rc;
	kv = arena_alloc(s->a, (n + 1) * sizeof(*kv));
	if (!kv)
		return fail(d, GLANE_E_NOMEM, "no memory for option %s", s->spec->name);
	for (size_t i = 0; i < n; i++) {
		const char *equals = strchr(v[i], '=');

		if (!equals || equals == v[i])
			return fail(d, GLANE_E_CONFIG, "%s: item '%.80s' is not KEY=VALUE", s->spec->name, v[i]);
		kv[i].k = arena_strndup(s->a, v[i], (size_t)(equals - v[i]));
		if (!kv[i].k)
			return fail(d, GLANE_E_NOMEM, "no memory for option %s", s->spec->name);
		kv[i].v = (glane_str){equals + 1, strlen(equals + 1)};
	}
	map = (struct glane_map){kv, n};
	if (s->at)
		memcpy(s->at, &map, sizeof(map));
	return GLANE_OK;
}

static glane_rc set_option(const struct setting *s, struct diag *d)
{
	switch (s->spec->type) {
	case GLANE_OPT_STR:
		if (s->at)
			memcpy(s->at, &s->text, sizeof(s->text));
		return GLANE_OK;
	case GLANE_OPT_BOOL:
		return set_bool(s, d);
	case GLANE_OPT_LIST:
		return set_list(s, d);
	case GLANE_OPT_MAP:
		return set_map(s, d);
	default:
		return set_int(s, d);
	}
}

static const struct option_spec *find_spec(const struct plugin *p, const char *key)
{
	for (size_t i = 0; i < p->n_options; i++)
		if (strcmp(p->options[i].name, key) == 0)
			return &p->options[i];
	return NULL;
}

#define MAX_EDITS 2

/* The key that was probably meant: the plugin's or one of glane's own; NULL: none is near. */
static const char *nearest(const struct plugin *p, const char *key)
{
	const char *best = NULL, *other;
	size_t least = strlen(key) < 4 ? 2 : MAX_EDITS + 1;

	for (size_t i = 0; (other = i < p->n_options ? p->options[i].name : conf_host_key(i - p->n_options)) != NULL;
		i++) {
		const size_t n = slice_edits(slice_of(key), slice_of(other));

		if (n < least)
			best = other, least = n;
	}
	return best;
}

static glane_rc unknown_key(const struct plugin *p, const char *key, struct diag *d)
{
	const char *near = nearest(p, key);

	if (near)
		return fail(
			d, GLANE_E_CONFIG, "plugin %s has no option '%s': did you mean '%s'?", p->desc.name, key, near);
	return fail(d, GLANE_E_CONFIG,
		"plugin %s has no option '%s' (`glane plugins %s` lists its own, conf/README.md those of every source)",
		p->desc.name, key, p->desc.name);
}

static glane_rc located(struct diag *d, const struct conf_entry *e)
{
	return e->line ? diag_prefix(d, "%s:%u", e->file, e->line) : diag_prefix(d, "%s", e->file);
}

static glane_rc set_given(const struct setting *base, const struct plugin *p, const struct conf_section *section,
	char *state, struct diag *d)
{
	for (const struct conf_entry *e = section->entries; e; e = e->next) {
		struct setting s = *base;
		glane_rc rc;

		if (conf_is_host_key(e->key))
			continue;
		s.spec = find_spec(p, e->key);
		if (!s.spec) {
			unknown_key(p, e->key, d);
			return located(d, e);
		}
		s.text = e->value;
		s.at = state ? state + s.spec->offset : NULL;
		rc = set_option(&s, d);
		if (rc != GLANE_OK)
			return located(d, e);
	}
	return GLANE_OK;
}

glane_rc options_fill(
	struct arena *a, const struct plugin *p, const struct conf_section *section, void *state, struct diag *d)
{
	struct setting s = {.a = a};
	char *bytes = state;

	for (size_t i = 0; i < p->n_options; i++) {
		const struct option_spec *o = &p->options[i];
		const struct conf_entry *e = conf_find(section, o->name);
		glane_rc rc;

		if (e && (!(o->flags & GLANE_OPT_REQUIRED) || e->value[0]))
			continue;
		if (o->flags & GLANE_OPT_REQUIRED) {
			fail(d, GLANE_E_CONFIG, "[source %s] needs '%s': %s", section->name ? section->name : "?",
				o->name, o->help ? o->help : "see the plugin's README");
			return section->line ? diag_prefix(d, "%s:%u", section->file, section->line)
					     : diag_prefix(d, "%s", section->file);
		}
		if (!o->dflt)
			continue;
		s.spec = o;
		s.text = o->dflt;
		s.at = bytes ? bytes + o->offset : NULL;
		rc = set_option(&s, d);
		if (rc != GLANE_OK)
			return diag_prefix(d, "default of plugin %s", p->desc.name);
	}
	return set_given(&s, p, section, bytes, d);
}
