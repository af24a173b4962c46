/* SPDX-License-Identifier: MIT */
/*
 * INI reader (DESIGN section 6): [section] or [section NAME], `key = value`, continuation by indentation (joined by a
 * single blank), '#' comments at the start of a line only (also between continuation lines), lines to 64 KiB, UTF-8
 * with or without BOM, LF or CRLF. What looks like a comment behind a value, a key twice in a section, a section twice, a key
 * before any section: errors with file:line.
 */
#ifndef BASE_CONF_H
#define BASE_CONF_H
#include "base/diag.h"
#include "base/mem.h"

struct conf_entry {
	const char *key, *value; /* value trimmed, may be "" */
	const char *file;
	unsigned line;
	struct conf_entry *next;
	bool used; /* free for the reader of the section */
};
struct conf_section {
	const char *kind, *name; /* [kind name]; name NULL for [kind] */
	const char *file;
	unsigned line;
	struct conf_entry *entries; /* file order */
	struct conf_section *next;
};
struct conf {
	struct arena arena;
	struct conf_section *sections; /* order of reading */
	struct conf_section **tail;
};
void conf_init(struct conf *c);
void conf_release(struct conf *c);
/* Adds the sections of one file; errors say "FILE:LINE: ...". */
glane_rc conf_read(struct conf *c, const char *path, struct diag *d);
glane_rc conf_parse(struct conf *c, const char *file, struct slice text, struct diag *d);
struct conf_entry *conf_find(const struct conf_section *s, const char *key);
/* Next item of a list value: blanks separate, "..." quotes (\" and \\ inside); KEY="a b" is one item, without the
 * quotes. GLANE_END at the end, GLANE_E_CONFIG on an unclosed quote. The item is NUL-terminated in the arena. */
glane_rc conf_item(struct arena *a, const char **cursor, const char **ret, struct diag *d);
/* All items of such a list, which *ret and each item hold in the arena; text NULL: none. GLANE_E_CONFIG, GLANE_E_NOMEM. */
glane_rc conf_items(struct arena *a, const char *text, const char ***ret, size_t *ret_n, struct diag *d);
/* NAME of a source: [a-z0-9][a-z0-9._-]{0,62} (DESIGN section 2). */
bool conf_is_name(struct slice s);
/* A key: [a-z][a-z0-9_.-]{0,62}. */
bool conf_is_key(struct slice s);
/* Keys of a [source] section that glane itself owns (DESIGN section 6); gate.* are among them. */
bool conf_is_host_key(const char *key);
const char *conf_host_key(size_t i); /* the i-th of them but gate.*; NULL behind the last */
#endif
