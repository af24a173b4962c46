/* SPDX-License-Identifier: MIT */
/* A plugin's descriptor as a small document, for processes that never load one. */
#include "plug/plugin.h"

#include <string.h>

#define MAX_TEXT 4096 /* as load.c takes */

static json_t *describe_option(const struct option_spec *o)
{
	json_t *j = json_object();

	if (!j)
		return NULL;
	if (!json_set_text(j, "name", o->name) || !json_set_text(j, "default", o->dflt) ||
		!json_set_text(j, "help", o->help) || !json_set_int(j, "type", o->type) ||
		!json_set_int(j, "flags", o->flags) || !json_set_int(j, "min", o->min) ||
		!json_set_int(j, "max", o->max)) {
		json_decref(j);
		return NULL;
	}
	return j;
}

json_t *plugin_describe(const struct plugin *p)
{
	json_t *j = json_object(), *options = json_array(), *hosts = json_array();
	bool ok = j && options && hosts;

	for (size_t i = 0; ok && i < p->n_options; i++)
		ok = json_array_append_new(options, describe_option(&p->options[i])) == 0;
	for (size_t i = 0; ok && i < p->n_hosts; i++)
		ok = json_array_append_new(hosts, json_string(p->hosts[i])) == 0;
	ok = ok && json_set_text(j, "name", p->desc.name) && json_set_text(j, "version", p->desc.version) &&
	     json_set_text(j, "title", p->desc.title) && json_set_text(j, "base_url", p->desc.base_url) &&
	     json_set_int(j, "abi_minor", p->desc.abi_minor) && json_object_set(j, "options", options) == 0 &&
	     json_object_set(j, "hosts", hosts) == 0;
	json_decref(options);
	json_decref(hosts);
	if (ok)
		return j;
	json_decref(j);
	return NULL;
}

static glane_rc copy_text(struct arena *a, const json_t *j, const char *key, const char **ret, struct diag *d)
{
	const char *text = json_text(j, key, NULL);

	*ret = NULL;
	if (!text)
		return GLANE_OK;
	if (strlen(text) > MAX_TEXT)
		return fail(d, GLANE_E_DENIED, "a plugin's description holds a text of more than %d bytes", MAX_TEXT);
	*ret = arena_strndup(a, text, strlen(text));
	return *ret ? GLANE_OK : fail(d, GLANE_E_NOMEM, "no memory for a plugin's description");
}

static glane_rc option_from_json(struct arena *a, const json_t *j, struct option_spec *o, struct diag *d)
{
	glane_rc rc = copy_text(a, j, "name", &o->name, d);

	if (rc == GLANE_OK)
		rc = copy_text(a, j, "default", &o->dflt, d);
	if (rc == GLANE_OK)
		rc = copy_text(a, j, "help", &o->help, d);
	o->type = (uint16_t)json_int(j, "type", 0);
	o->flags = (uint16_t)json_int(j, "flags", 0);
	o->min = json_int(j, "min", 0);
	o->max = json_int(j, "max", 0);
	if (rc == GLANE_OK && (!o->name || !conf_is_key(slice_of(o->name)) || conf_is_host_key(o->name) ||
				      o->type < GLANE_OPT_STR || o->type > GLANE_OPT_SIZE))
		rc = fail(d, GLANE_E_DENIED, "a plugin's description holds an option without name or type");
	return rc;
}

glane_rc plugin_from_json(struct arena *a, const json_t *j, struct plugin *ret, struct diag *d)
{
	const json_t *options = json_object_get(j, "options"), *hosts = json_object_get(j, "hosts");
	struct plugin p;
	glane_rc rc;

	memset(&p, 0, sizeof(p));
	rc = copy_text(a, j, "name", &p.desc.name, d);
	if (rc == GLANE_OK)
		rc = copy_text(a, j, "version", &p.desc.version, d);
	if (rc == GLANE_OK)
		rc = copy_text(a, j, "title", &p.desc.title, d);
	if (rc == GLANE_OK)
		rc = copy_text(a, j, "base_url", &p.desc.base_url, d);
	if (rc != GLANE_OK)
		return rc;
	p.desc.abi_minor = (uint16_t)json_int(j, "abi_minor", 0);
	p.n_options = json_array_size(options);
	p.n_hosts = json_array_size(hosts);
	if (!p.desc.name || p.n_options > 256 || p.n_hosts > 64)
		return fail(d, GLANE_E_DENIED, "a plugin's description has no name, or too many options or hosts");
	p.options = arena_alloc(a, (p.n_options + 1) * sizeof(*p.options));
	p.hosts = arena_alloc(a, (p.n_hosts + 1) * sizeof(*p.hosts));
	if (!p.options || !p.hosts)
		return fail(d, GLANE_E_NOMEM, "no memory for a plugin's description");
	for (size_t i = 0; rc == GLANE_OK && i < p.n_options; i++)
		rc = option_from_json(a, json_array_get(options, i), &p.options[i], d);
	for (size_t i = 0; rc == GLANE_OK && i < p.n_hosts; i++) {
		const char *host = json_string_value(json_array_get(hosts, i));

		p.hosts[i] = host ? arena_strndup(a, host, strlen(host)) : NULL;
		if (!p.hosts[i])
			rc = fail(d, GLANE_E_DENIED, "a plugin's description holds a host that is no text");
	}
	if (rc == GLANE_OK)
		*ret = p;
	return rc;
}
