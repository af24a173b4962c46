/* SPDX-License-Identifier: MIT */
/* jansson, for what we write and for small documents (reports, state, side files); the only header that includes it.
 * Payloads are read by read/json.h, never by this. */
#ifndef BASE_JSON_H
#define BASE_JSON_H
#include "base/diag.h"
#include "base/slice.h"
#include <jansson.h>

/* A document from text; flags are jansson's, path is what messages call it. NULL: GLANE_E_NOMEM, or GLANE_E_FORMAT with the line. */
json_t *json_parse(struct slice text, size_t flags, const char *path, struct diag *d);
/* Bytes of a document that glane writes, and reads again: of 100,000 slices that are held the report has 80 MiB. */
#define JSON_FILE_MAX ((size_t)256 << 20)
/* A document from a file: at most max bytes, no duplicate keys. NULL on error. */
json_t *json_read_file(int dirfd, const char *path, size_t max, struct diag *d);
/* Sorted keys, two blanks of indentation, LF at the end; written as file_replace() does. */
glane_rc json_write_file(int dirfd, const char *path, const json_t *j, bool exclusive, struct diag *d);
/* Member as text or number; the default where it is absent or of another type. Text is borrowed from j. */
const char *json_text(const json_t *j, const char *key, const char *dflt);
int64_t json_int(const json_t *j, const char *key, int64_t dflt);
bool json_flag(const json_t *j, const char *key);
/* Sets a text member from a slice; absent slices and malformed UTF-8 are left out / escaped. False: no memory. */
bool json_set_slice(json_t *j, const char *key, struct slice s);
bool json_set_text(json_t *j, const char *key, const char *s); /* s NULL: left out */
/* Appends the document: compact on one line, or indented by two; keys sorted, control characters escaped (C0, DEL, C1). False: no
 * memory. */
struct strbuf;
bool json_print(struct strbuf *b, const json_t *j, bool compact);
bool json_set_int(json_t *j, const char *key, int64_t v);
#endif
