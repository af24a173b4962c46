/* SPDX-License-Identifier: MIT */
/* What is known of a provider ([provider NAME]) stands in for the keys that a source of it leaves out. */
#include "sched/settings.h"

#include <string.h>

static glane_rc provider_check(const struct conf_section *p, struct diag *d)
{
	const struct conf_entry *e = conf_find(p, "provider");

	if (!p->name || !conf_is_name(slice_of(p->name)))
		return fail(d, GLANE_E_CONFIG,
			"%s:%u: [provider NAME]: a name is [a-z0-9][a-z0-9._-]*, at most 63 characters", p->file,
			p->line);
	if (!e)
		return GLANE_OK;
	return fail(d, GLANE_E_CONFIG, "%s:%u: [provider %s] cannot take from another provider: write its keys here",
		e->file, e->line, p->name);
}

glane_rc providers_check(const struct conf *c, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	for (const struct conf_section *p = c->sections; p && rc == GLANE_OK; p = p->next)
		if (strcmp(p->kind, "provider") == 0)
			rc = provider_check(p, d);
	return rc;
}

static const struct conf_section *find(const struct conf *c, const char *name)
{
	for (const struct conf_section *p = c->sections; p; p = p->next)
		if (strcmp(p->kind, "provider") == 0 && p->name && strcmp(p->name, name) == 0)
			return p;
	return NULL;
}

glane_rc provider_apply(struct conf *c, struct conf_section *source, struct diag *d)
{
	const struct conf_entry *named = conf_find(source, "provider");
	const struct conf_section *p = named ? find(c, named->value) : NULL;
	struct conf_entry **tail = &source->entries;

	if (!named)
		return GLANE_OK;
	if (!p)
		return fail(d, GLANE_E_CONFIG,
			"%s:%u: no section is called [provider %.63s]; the shipped ones stand in conf/providers",
			named->file, named->line, named->value);
	while (*tail)
		tail = &(*tail)->next;
	for (const struct conf_entry *e = p->entries; e; e = e->next) {
		if (conf_find(source, e->key))
			continue;
		*tail = arena_alloc(&c->arena, sizeof(**tail));
		if (!*tail)
			return fail(d, GLANE_E_NOMEM, "no memory for the configuration");
		**tail = (struct conf_entry){.key = e->key, .value = e->value, .file = e->file, .line = e->line};
		tail = &(*tail)->next;
	}
	return GLANE_OK;
}
