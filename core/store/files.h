/* SPDX-License-Identifier: MIT */
/* Names, folders and the write guard that the files of store/ share; nobody else includes this. */
#ifndef STORE_FILES_H
#define STORE_FILES_H
#include "store/store.h"

struct record_reader;
struct delta_file;
#define NO_STORE (-1)  /* in place of the store's descriptor: store_open_if_any() found none */
#define STORE_NAME 192 /* longest name below the store, with NUL */

/* "state/SOURCE/N.json"; GLANE_E_USAGE on a name that is none. */
glane_rc state_name(const char *source, uint64_t n, char ret[STORE_NAME], struct diag *d);
/* "FOLDER/SOURCE". */
glane_rc source_folder(const char *folder, const char *source, char ret[STORE_NAME], struct diag *d);
/* N of "N.json" for the suffix ".json"; 0: another name. */
uint64_t file_number(const char *name, const char *suffix);
bool has_suffix(const char *name, const char *suffix);
/* recorded_at of a commit. */
glane_rc commit_time(const struct store *s, const char *source, uint64_t n, int64_t *ret, struct diag *d);
/* GLANE_E_USAGE for a reader, GLANE_E_IO after a failed write. */
glane_rc store_may_write(const struct store *s, struct diag *d);
/* Passes rc on; GLANE_E_IO ends all writing through this store. */
glane_rc store_wrote(const struct store *s, glane_rc rc);
/* Names the store in the message of a file of it that could not be read; GLANE_E_IO whatever rc, but for GLANE_E_NOMEM. */
glane_rc store_damaged(const struct store *s, glane_rc rc, struct diag *d);
/* A document below the store that must be an object; NULL and the code in *ret_rc: see store_damaged(). */
json_t *read_object(const struct store *s, const char *name, glane_rc *ret_rc, struct diag *d);
/* A time in a state file or report: RFC 3339 text or seconds. False: absent or neither. */
bool json_time(const json_t *j, const char *key, int64_t *ret);
/* A segment's file; NULL where the rows do not come from current. */
const struct delta_file *rows_file(const struct store_cursor *c, size_t segment);
/* The reader that the last row came from, at the place behind it; NULL where the rows do not come from current. */
const struct record_reader *rows_reader(const struct store_cursor *c);
/* As store_rows_as_of(), without the rows of keys that cannot pass the tests; other rows that fail may come. NULL: every row. */
struct record_tests;
glane_rc rows_where(const struct store *s, const char *source, int64_t t, const struct record_tests *tests,
	struct store_cursor *c, struct diag *d);
/* As store_rows_as_of(), whatever current holds. */
glane_rc rows_from_events(const struct store *s, const char *source, int64_t t, struct store_cursor *c, struct diag *d);
/* A row of stream or current with its texts in `texts`, whose old content goes. False: no memory. */
bool row_keep(struct strbuf *texts, const struct row *r, struct row *ret);
/* The key as one text that orders as row_cmp_key() does; replaces what b holds. */
void row_key(struct strbuf *b, const struct row *r);
#endif
