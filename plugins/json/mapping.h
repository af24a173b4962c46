/* SPDX-License-Identifier: MIT */
/* Which path means what: the options of the json plugin, and what they come to for one answer. */
#ifndef JSON_MAPPING_H
#define JSON_MAPPING_H
#include <glane/plugin.h>

#include <string.h>

#define MAX_VALUES 256
#define MAX_DIMS 64
#define MAX_WHERE 16
#define MAX_QUERY 64
#define MAX_OR 4
#define MAX_FIELDS 1024

struct options {
	struct glane_list files, indicators, periods, value, missing;
	struct glane_map query, dims, where, status_map, units, unit_mults;
	const char *select, *error, *body, *encoding, *member;
	const char *dataset, *indicator, *area, *area_scheme, *area_title, *period, *freq;
	const char *unit, *unit_mult, *title, *status, *flags, *note, *cover;
	const char *paging, *page_param, *page_size_param, *page_pages, *page_total, *page_next;
	int64_t page_len, page_first;
	uint8_t may_be_empty;
};
struct cell { /* a constant; the first of some paths that is not empty; or a list of which each item belongs to an observation */
	glane_str constant;
	uint16_t field[MAX_OR], n;
	const char *list; /* path of an array or object, or NULL */
	const struct glane_kv *item;
	size_t n_item;                  /* of the current record */
	const struct glane_kv **sorted; /* its members by name, or NULL: they stand in the order of the value's */
};
struct value {
	struct cell cell;
	glane_str code;
	const char *path;
	uint8_t has_code, is_seen; /* seen: a record held the path, be it null */
};
enum { SIDE_STATUS, SIDE_FLAGS, SIDE_NOTE, SIDES }; /* what is said of one observation beside period and value */
struct state {
	struct options o;
	const struct glane_host *h;
	glane_run *r;
	glane_reader *rd;
	const char *item, *item_period; /* what {indicator} and {period} stand for now, or NULL */
	/* of the current answer */
	glane_str dataset;
	struct cell indicator, area, area_title, period, unit, unit_mult, title, side[SIDES];
	struct cell dims[MAX_DIMS], where[MAX_WHERE];
	struct value values[MAX_VALUES];
	size_t n_values, n_field;
	const char *field[MAX_FIELDS];
	uint64_t n_records, n_passed; /* passed over: without area or period */
	uint64_t alien;               /* number of the first record that holds no path of an option */
};

/* The text with {indicator} and {period} filled in; NULL: no memory. */
const char *mapping_fill(const struct state *s, const char *text);
/* Refuses options that cannot be. */
glane_rc mapping_check(const struct state *s);
/* Binds every path to a field; before the answer is opened. */
glane_rc mapping_resolve(struct state *s);
/* One request, with all its pages, to observations. */
glane_rc answer_read(struct state *s, const char *url);
/* Whether the record has a member at the path, be it null. */
int list_holds(const struct state *s, const char *path);
/* Fails where a single value stands instead of the list, or anything else among its items. */
glane_rc list_check(const struct state *s, const char *list, const struct glane_kv *item, size_t n);
/* Fails where the items of c (option `text`) and of the value do not belong together one by one. */
glane_rc list_pair(const struct state *s, struct cell *c, const char *text, const struct value *v, int may_be_none);
/* What the list c says of item k of the value: the item of the same name in an object, of the same place in an array. */
glane_str list_text(const struct cell *c, const struct cell *value, size_t k);
/* The current record to observations. */
glane_rc record_emit(struct state *s);
/* After the last record: a value that none of them held. */
glane_rc record_check(struct state *s);

static inline int str_same(glane_str a, glane_str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
#endif
