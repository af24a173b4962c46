/* SPDX-License-Identifier: MIT */
/* File checks, dlopen and the handshake: the only file that includes dlfcn.h. */
#include "plug/plugin.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_OPTIONS 256
#define MAX_HOSTS 64
#define MAX_STATE ((uint32_t)1 << 20)

glane_rc plugin_file_check(const char *path, struct diag *d)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return fail(d, GLANE_E_CONFIG, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fail(d, GLANE_E_DENIED, "%s: refused: not a regular file", path);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return fail(d, GLANE_E_DENIED, "%s: refused: writable by group or others (chmod go-w %s)", path, path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return fail(d, GLANE_E_DENIED,
			"%s: refused: owned by user %u, neither root nor the user who runs glane", path,
			(unsigned)st.st_uid);
	return GLANE_OK;
}

static size_t option_size(uint16_t type)
{
	switch (type) {
	case GLANE_OPT_STR:
		return sizeof(const char *);
	case GLANE_OPT_INT:
	case GLANE_OPT_DURATION:
	case GLANE_OPT_SIZE:
		return sizeof(int64_t);
	case GLANE_OPT_BOOL:
		return sizeof(uint8_t);
	case GLANE_OPT_LIST:
		return sizeof(struct glane_list);
	case GLANE_OPT_MAP:
		return sizeof(struct glane_map);
	default:
		return 0;
	}
}

static glane_rc adopt_option(
	const struct plugin *p, const struct glane_opt *o, const char *path, struct option_spec *ret, struct diag *d)
{
	const size_t size = option_size(o->type);

	if (!conf_is_key(slice_of(o->name)) || conf_is_host_key(o->name))
		return fail(d, GLANE_E_DENIED, "%s: refused: option '%.64s' has no usable name, or one of glane's own",
			path, o->name);
	if (size == 0 || o->offset > p->desc.state_size || size > p->desc.state_size - o->offset)
		return fail(d, GLANE_E_DENIED, "%s: refused: option '%s' has an unknown type or lies outside its state",
			path, o->name);
	for (size_t i = 0; i < p->n_options; i++)
		if (strcmp(p->options[i].name, o->name) == 0)
			return fail(d, GLANE_E_DENIED, "%s: refused: option '%s' is declared twice", path, o->name);
	*ret = (struct option_spec){o->name, o->dflt, o->help, o->type, o->flags, o->offset, o->min, o->max};
	return GLANE_OK;
}

/* Rows are opt_stride apart, so that a table of a grown struct glane_opt can be walked. */
static glane_rc adopt_options(struct arena *a, struct plugin *p, const char *path, struct diag *d)
{
	const char *row = (const char *)p->desc.opts;

	p->options = arena_alloc(a, MAX_OPTIONS * sizeof(*p->options));
	if (!p->options)
		return fail(d, GLANE_E_NOMEM, "no memory for the options of %s", path);
	if (!row)
		return GLANE_OK;
	if (p->desc.opt_stride < sizeof(struct glane_opt))
		return fail(d, GLANE_E_DENIED, "%s: refused: its option rows are shorter than this host's", path);
	for (;; row += p->desc.opt_stride) {
		struct glane_opt o;
		glane_rc rc;

		memcpy(&o, row, sizeof(o));
		if (!o.name)
			return GLANE_OK;
		if (p->n_options == MAX_OPTIONS)
			return fail(d, GLANE_E_DENIED, "%s: refused: more than %d options (no closing row?)", path,
				MAX_OPTIONS);
		rc = adopt_option(p, &o, path, &p->options[p->n_options], d);
		if (rc != GLANE_OK)
			return rc;
		p->n_options++;
	}
}

static glane_rc adopt_hosts(struct arena *a, struct plugin *p, const char *path, struct diag *d)
{
	p->hosts = arena_alloc(a, MAX_HOSTS * sizeof(*p->hosts));
	if (!p->hosts)
		return fail(d, GLANE_E_NOMEM, "no memory for the hosts of %s", path);
	for (; p->desc.hosts && p->desc.hosts[p->n_hosts]; p->n_hosts++) {
		if (p->n_hosts == MAX_HOSTS)
			return fail(d, GLANE_E_DENIED, "%s: refused: more than %d hosts", path, MAX_HOSTS);
		p->hosts[p->n_hosts] = p->desc.hosts[p->n_hosts];
	}
	return GLANE_OK;
}

static glane_rc check_versions(const struct glane_plugin *raw, const char *path, struct diag *d)
{
	const size_t least = offsetof(struct glane_plugin, run) + sizeof(raw->run);

	if (raw->size < least || raw->size > 4096)
		return fail(d, GLANE_E_DENIED,
			"%s: refused: its descriptor says it has %u bytes, which cannot be (%zu to 4096)", path,
			raw->size, least);
	if (raw->abi_major != GLANE_ABI_MAJOR)
		return fail(d, GLANE_E_DENIED,
			"%s: refused: built for ABI %u, this glane has ABI %d (rebuild the plugin)", path,
			raw->abi_major, GLANE_ABI_MAJOR);
	if (raw->needs_minor > GLANE_ABI_MINOR)
		return fail(d, GLANE_E_DENIED,
			"%s: refused: needs ABI 1.%u or newer, this glane has 1.%d (update glane)", path,
			raw->needs_minor, GLANE_ABI_MINOR);
	return GLANE_OK;
}

glane_rc plugin_adopt(struct arena *a, const struct glane_plugin *raw, const char *path, const char *name,
	struct plugin *ret, struct diag *d)
{
	struct plugin p;
	glane_rc rc;

	memset(&p, 0, sizeof(p));
	if (!raw)
		return fail(d, GLANE_E_DENIED, "%s: refused: glane_plugin_v1() gives no descriptor", path);
	rc = check_versions(raw, path, d);
	if (rc != GLANE_OK)
		return rc;
	memcpy(&p.desc, raw, raw->size < sizeof(p.desc) ? raw->size : sizeof(p.desc));
	p.desc.size = sizeof(p.desc);
	if (!p.desc.name || !p.desc.run || p.desc.state_size > MAX_STATE)
		return fail(d, GLANE_E_DENIED,
			"%s: refused: its descriptor has no name or no run(), or asks for more than 1 MiB of state",
			path);
	if (strcmp(p.desc.name, name) != 0)
		return fail(d, GLANE_E_DENIED,
			"%s: refused: the plugin calls itself '%.64s', its file '%s': rename one", path, p.desc.name,
			name);
	rc = adopt_options(a, &p, path, d);
	if (rc == GLANE_OK)
		rc = adopt_hosts(a, &p, path, d);
	if (rc == GLANE_OK)
		*ret = p;
	return rc;
}

glane_rc plugin_load(struct arena *a, const char *path, const char *name, struct plugin *ret, struct diag *d)
{
	union {
		void *object;
		const struct glane_plugin *(*function)(void);
	} symbol;
	void *handle;
	glane_rc rc = plugin_file_check(path, d);

	if (rc != GLANE_OK)
		return rc;
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return fail(d, GLANE_E_DENIED, "%s: refused: %s", path, dlerror());
	symbol.object = dlsym(handle, "glane_plugin_v1");
	if (!symbol.object)
		return fail(d, GLANE_E_DENIED,
			"%s: refused: no symbol glane_plugin_v1 (no glane plugin, or one for another ABI major)", path);
	return plugin_adopt(a, symbol.function(), path, name, ret, d);
}
