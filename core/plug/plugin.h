/* SPDX-License-Identifier: MIT */
/* Loading a plugin (worker only) and describing it to processes that never load one. */
#ifndef PLUG_PLUGIN_H
#define PLUG_PLUGIN_H
#include "base/conf.h"
#include "base/json.h"

struct option_spec { /* one row of a plugin's option table */
	const char *name, *dflt, *help;
	uint16_t type, flags;
	uint32_t offset;
	int64_t min, max;
};
struct plugin { /* a descriptor made safe: copied by min(size), every pointer checked */
	struct glane_plugin desc;
	struct option_spec *options;
	size_t n_options;
	const char **hosts;
	size_t n_hosts;
};
/*
 * Checks the file before anything of it is mapped: regular (no symbolic link: its target could be swapped), not group- or
 * world-writable, owned by root or the effective user; its folder so owned, and not world-writable unless sticky. Every refusal, here and below, is GLANE_E_DENIED with one line that
 * names the file, the reason and what to do; a file that is not there is GLANE_E_CONFIG.
 */
glane_rc plugin_file_check(const char *path, struct diag *d);
/* A whole shared object of this machine's kind: headers and segments lie within the file. */
glane_rc plugin_elf_check(const char *path, struct diag *d);
/* Both checks, dlopen(RTLD_NOW | RTLD_LOCAL), symbol, handshake; never unloaded. `name` is what the file name says. */
glane_rc plugin_load(struct arena *a, const char *path, const char *name, struct plugin *ret, struct diag *d);
/* The handshake alone, on a descriptor in memory (tests). */
glane_rc plugin_adopt(struct arena *a, const struct glane_plugin *raw, const char *path, const char *name,
	struct plugin *ret, struct diag *d);
/* To and from the small document that `worker --describe` prints; what comes back is checked like foreign input. */
json_t *plugin_describe(const struct plugin *p);
glane_rc plugin_from_json(struct arena *a, const json_t *j, struct plugin *ret, struct diag *d);

/*
 * Fills `state` (zeroed, state_size bytes; NULL: check only) from the entries of a source's section: typed, range-checked,
 * defaults applied; unknown keys (that are not `used`) and missing required ones are errors with FILE:LINE. Values live in the arena.
 */
glane_rc options_fill(
	struct arena *a, const struct plugin *p, const struct conf_section *section, void *state, struct diag *d);
const char *option_type_name(uint16_t type);
#endif
