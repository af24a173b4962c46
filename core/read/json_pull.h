/* SPDX-License-Identifier: MIT */
/*
 * JSON taken value by value out of a moving window, for formats whose shape is known: the caller says what may come. All that
 * is passed is checked (grammar, UTF-8, depth, names that an object has twice are the caller's to see).
 */
#ifndef READ_JSON_PULL_H
#define READ_JSON_PULL_H
#include "base/strbuf.h"
#include "read/json_scan.h"
#include "read/payload.h"

#define JSON_PULL_DEPTH 64
#define JSON_PULL_TEXT ((size_t)1 << 20) /* bytes of one name or value */

struct json_pull {
	struct payload *p; /* borrowed */
	struct json_cursor c;
	const char *at;
	struct strbuf key; /* name of the member that json_pull_member() gave, decoded */
	struct strbuf text;
	bool has_holes; /* "[,0]": what is not there is null, as the World Bank writes it */
	struct diag *diag;
};
void json_pull_init(struct json_pull *j, struct payload *p, struct diag *d);
void json_pull_release(struct json_pull *j);
/* The window of j->p is another one: goes on at its beginning. */
void json_pull_reset(struct json_pull *j);
uint64_t json_pull_offset(const struct json_pull *j);
/* The first byte of the next value (or of what stands in its place) in *ret. */
glane_rc json_pull_peek(struct json_pull *j, char *ret);
/* Passes the bracket of an object or array that peek has shown. */
void json_pull_open(struct json_pull *j);
/* Inside of an object: the next member, GLANE_END at '}'. *is_first: true at first. The value stands next. */
glane_rc json_pull_member(struct json_pull *j, bool *is_first);
/* Inside of an array: the next element stands next, GLANE_END at ']'. */
glane_rc json_pull_element(struct json_pull *j, bool *is_first);
/* A scalar: its text without quotes, decoded; absent for null. Until the next call. An object or array is GLANE_E_FORMAT. */
glane_rc json_pull_text(struct json_pull *j, struct slice *ret);
/*
 * A container that begins with this bracket: take() reads each value, of an object with its name in j->key (until the next call), and what it
 * returns ends the walk unless it is GLANE_OK. A value of another kind is passed.
 */
typedef glane_rc json_pull_take(void *arg, struct json_pull *j);
glane_rc json_pull_each(struct json_pull *j, char bracket, json_pull_take *take, void *arg);
/* A reader with a window of its own on a settled payload, from an offset on. */
void json_pull_look(struct json_pull *j, struct payload *view, const struct payload *p, uint64_t at, struct diag *d);
/* Passes a value of any kind. */
glane_rc json_pull_pass(struct json_pull *j, unsigned depth);
/* Nothing but blanks follows. */
glane_rc json_pull_end(struct json_pull *j);
glane_rc json_pull_fail(struct json_pull *j, const char *what);
#endif
