/* SPDX-License-Identifier: MIT */
/*
 * Paths into a JSON document (see json.h for how they are written), and the tree of all paths that one reader looks for,
 * so that a walk over the document finds them all.
 */
#ifndef READ_JSON_PATH_H
#define READ_JSON_PATH_H
#include "base/diag.h"
#include "base/mem.h"

struct json_step {
	struct slice name;
	int64_t index; /* the name as a position; -1: it is none */
	bool star;
};
struct json_path {
	struct json_step *step;
	size_t n;
};
#define JSON_PATH_STEPS 64

/* Steps live in the arena. "" has none. A '*' is GLANE_E_USAGE unless is_star_ok; so are empty steps. */
glane_rc json_path_parse(struct json_path *ret, struct arena *a, const char *text, bool is_star_ok, struct diag *d);

/* The scalar at path inside `text`, a value that was checked before: raw (quotes included) with its kind; absent where
 * there is no scalar. Member names with escapes are decoded into `a`; out of memory, nothing is found and *ret_rc is set. */
struct slice json_path_find(
	const struct json_path *path, struct slice text, struct arena *a, uint8_t *ret_kind, glane_rc *ret_rc);
/* The members of the object, or the elements of the array (key absent), at path inside `text`, in order: keys end in NUL, the text of
 * a scalar is decoded, absent for null, an object or array stands as it is written. NULL: there is none (or *ret_rc is set). */
struct glane_kv *json_path_items(
	const struct json_path *path, struct slice text, struct arena *a, size_t *ret_n, glane_rc *ret_rc);
/* The text of a raw scalar: without quotes, escapes decoded into `a`; absent for null (and out of memory). */
struct slice json_unquote(struct slice raw, uint8_t kind, struct arena *a, glane_rc *ret_rc);

/* A tree of paths. Node 0 means "on no path", node JSON_ROOT is where the paths begin. */
#define JSON_ROOT 1
#define JSON_NO_SLOT UINT32_MAX
struct json_node {
	struct json_step step;
	const char *path; /* where a path ends here: its text; else NULL */
	uint32_t child, next;
	uint32_t lead, after; /* guesses: the child that came first, and the sibling that came next, the last time */
	uint32_t slot;        /* json_record.h: where the value of the current record stands */
	bool is_seen;         /* json.c: the document has this place already */
	struct slice value;   /* decoded text, where it is kept */
};
struct json_tree {
	struct json_node *node;
	size_t n, cap;
};
glane_rc json_tree_add(struct json_tree *t, struct arena *a, const char *text, uint32_t *ret_node, struct diag *d);
void json_tree_release(struct json_tree *t);
/* The child of a node by member name or by position; 0: none. json_tree_guess() looks first at the one that came here in
 * the last object: *last is the child found before in this object, 0 at first. */
uint32_t json_tree_guess(struct json_tree *t, uint32_t node, struct slice name, uint32_t *last);
uint32_t json_tree_member(const struct json_tree *t, uint32_t node, struct slice name);
uint32_t json_tree_element(const struct json_tree *t, uint32_t node, uint64_t index);
/* The text of a path that ends at the node or below it, for messages. */
const char *json_tree_path(const struct json_tree *t, uint32_t node);
#endif
