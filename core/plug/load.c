/* SPDX-License-Identifier: MIT */
/* File checks, dlopen and the handshake: the only file that includes dlfcn.h. */
#include "plug/plugin.h"

#include "base/file.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_OPTIONS 256
#define MAX_HOSTS 64
#define MAX_STATE ((uint32_t)1 << 20)
#define MAX_TEXT 4096 /* bytes of a descriptor's texts */

/* Who may rename in the folder may swap the file between check and load. Its group may: that of umask 002 is the user's own. */
static glane_rc check_folder(const char *path, struct diag *d)
{
	char folder[4096];
	struct stat st;

	path_dir(path, folder, sizeof(folder));
	if (stat(folder, &st) != 0)
		return fail(d, GLANE_E_CONFIG, "%s: its folder: %s", path, strerror(errno));
	if ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX))
		return fail(d, GLANE_E_DENIED,
			"%s: refused: its folder is writable by others, who could put another file there (chmod o-w "
			"%s)",
			path, folder);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return fail(d, GLANE_E_DENIED,
			"%s: refused: its folder is owned by user %u, neither root nor the user who runs glane (chown "
			"it)",
			path, (unsigned)st.st_uid);
	return GLANE_OK;
}

glane_rc plugin_file_check(const char *path, struct diag *d)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return fail(d, GLANE_E_CONFIG, "%s: %s", path, strerror(errno));
	if (S_ISLNK(st.st_mode))
		return fail(d, GLANE_E_DENIED,
			"%s: refused: a symbolic link, whose target may change: put the file itself there", path);
	if (!S_ISREG(st.st_mode))
		return fail(d, GLANE_E_DENIED, "%s: refused: not a regular file (remove it from the folder)", path);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return fail(d, GLANE_E_DENIED, "%s: refused: writable by group or others (chmod go-w %s)", path, path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return fail(d, GLANE_E_DENIED,
			"%s: refused: owned by user %u, neither root nor the user who runs glane (chown it)", path,
			(unsigned)st.st_uid);
	return check_folder(path, d);
}

/* Bytes and alignment of an option's member; 0 bytes: no such type. */
static size_t option_size(uint16_t type, size_t *ret_align)
{
	static const struct {
		size_t size, align;
	} types[] = {{0, 1}, {sizeof(const char *), _Alignof(const char *)}, {sizeof(int64_t), _Alignof(int64_t)},
		{sizeof(uint8_t), 1}, {sizeof(struct glane_list), _Alignof(struct glane_list)},
		{sizeof(struct glane_map), _Alignof(struct glane_map)}, {sizeof(int64_t), _Alignof(int64_t)},
		{sizeof(int64_t), _Alignof(int64_t)}};
	const size_t i = type < sizeof(types) / sizeof(types[0]) ? type : 0;

	*ret_align = types[i].align;
	return types[i].size;
}

static bool text_is_fine(const char *s, size_t max)
{
	const size_t n = s ? strnlen(s, max + 1) : 0;

	return n <= max && slice_is_utf8((struct slice){s, n});
}

static glane_rc adopt_option(
	const struct plugin *p, const struct glane_opt *o, const char *path, struct option_spec *ret, struct diag *d)
{
	size_t align;
	const size_t size = option_size(o->type, &align);

	if (!text_is_fine(o->name, 63) || !conf_is_key(slice_of(o->name)))
		return fail(d, GLANE_E_DENIED,
			"%s: refused: the name of option %zu is no key: [a-z][a-z0-9_.-]{0,62} (mend the plugin)", path,
			p->n_options + 1);
	if (conf_is_host_key(o->name))
		return fail(d, GLANE_E_DENIED,
			"%s: refused: option '%s' has the name of a key of glane's own (rename it)", path, o->name);
	if (size == 0)
		return fail(d, GLANE_E_DENIED, "%s: refused: option '%s' is of a type (%u) that does not exist here",
			path, o->name, o->type);
	if (o->flags & ~GLANE_OPT_REQUIRED)
		return fail(d, GLANE_E_DENIED, "%s: refused: option '%s' has flags (%u) that do not exist here", path,
			o->name, o->flags);
	if (o->offset > p->desc.state_size || size > p->desc.state_size - o->offset || o->offset % align != 0)
		return fail(d, GLANE_E_DENIED,
			"%s: refused: option '%s' lies outside its state of %u bytes, or not where its type may "
			"(use offsetof)",
			path, o->name, p->desc.state_size);
	if (!text_is_fine(o->dflt, MAX_TEXT) || !text_is_fine(o->help, MAX_TEXT))
		return fail(d, GLANE_E_DENIED, "%s: refused: default or help of option '%s' is no text up to %d bytes",
			path, o->name, MAX_TEXT);
	for (size_t i = 0; i < p->n_options; i++)
		if (strcmp(p->options[i].name, o->name) == 0)
			return fail(d, GLANE_E_DENIED, "%s: refused: option '%s' is declared twice (rename one)", path,
				o->name);
	*ret = (struct option_spec){o->name, o->dflt, o->help, o->type, o->flags, o->offset, o->min, o->max};
	return GLANE_OK;
}

/* Rows are opt_stride apart, so that a table of a grown struct glane_opt can be walked, and one of a shorter. */
static glane_rc adopt_options(struct arena *a, struct plugin *p, const char *path, struct diag *d)
{
	const char *row = (const char *)p->desc.opts;
	const size_t stride = p->desc.opt_stride;

	p->options = arena_alloc(a, MAX_OPTIONS * sizeof(*p->options));
	if (!p->options)
		return fail(d, GLANE_E_NOMEM, "no memory for the options of %s", path);
	if (!row)
		return GLANE_OK;
	if (stride < offsetof(struct glane_opt, min) || stride > 1024 || stride % sizeof(void *) != 0)
		return fail(d, GLANE_E_DENIED,
			"%s: refused: its option rows are %zu bytes apart, which cannot be (use GLANE_PLUGIN())", path,
			stride);
	for (;; row += stride) {
		struct glane_opt o = {0};
		glane_rc rc;

		memcpy(&o, row, stride < sizeof(o) ? stride : sizeof(o));
		if (!o.name)
			return GLANE_OK;
		if (p->n_options == MAX_OPTIONS)
			return fail(d, GLANE_E_DENIED,
				"%s: refused: more than %d options (does the table lack its closing row, {0}?)", path,
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
			return fail(d, GLANE_E_DENIED,
				"%s: refused: more than %d hosts (does the list lack its closing NULL?)", path,
				MAX_HOSTS);
		if (!text_is_fine(p->desc.hosts[p->n_hosts], 255))
			return fail(d, GLANE_E_DENIED, "%s: refused: host %zu is no text up to 255 bytes", path,
				p->n_hosts + 1);
		p->hosts[p->n_hosts] = p->desc.hosts[p->n_hosts];
	}
	return GLANE_OK;
}

static glane_rc check_versions(const struct glane_plugin *raw, const char *path, struct diag *d)
{
	const size_t least = offsetof(struct glane_plugin, run) + sizeof(raw->run);

	if (raw->size < least || raw->size > 4096)
		return fail(d, GLANE_E_DENIED,
			"%s: refused: its descriptor says it has %u bytes, which cannot be (%zu to 4096): use "
			"GLANE_PLUGIN()",
			path, raw->size, least);
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
	if (!p.desc.name || !p.desc.run)
		return fail(d, GLANE_E_DENIED, "%s: refused: its descriptor has no name or no run() (mend the plugin)",
			path);
	if (p.desc.state_size > MAX_STATE)
		return fail(d, GLANE_E_DENIED,
			"%s: refused: it asks for %u bytes of state, more than 1 MiB (allocate in run())", path,
			p.desc.state_size);
	if (!text_is_fine(p.desc.name, 63) || !text_is_fine(p.desc.version, 63) ||
		!text_is_fine(p.desc.title, MAX_TEXT) || !text_is_fine(p.desc.base_url, MAX_TEXT))
		return fail(d, GLANE_E_DENIED,
			"%s: refused: its name, version, title or base_url is no UTF-8, or too long (63 bytes; %d)",
			path, MAX_TEXT);
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

	if (rc == GLANE_OK)
		rc = plugin_elf_check(path, d);
	if (rc != GLANE_OK)
		return rc;
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return fail(d, GLANE_E_DENIED, "%s: refused: it does not load: %s", path, dlerror());
	symbol.object = dlsym(handle, "glane_plugin_v1");
	if (!symbol.object)
		return fail(d, GLANE_E_DENIED,
			"%s: refused: no symbol glane_plugin_v1: no glane plugin, or one for another ABI major "
			"(rebuild it)",
			path);
	return plugin_adopt(a, symbol.function(), path, name, ret, d);
}
