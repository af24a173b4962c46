/* SPDX-License-Identifier: MIT */
/* Small JSON documents by jansson. */
#include "base/json.h"
#include "base/file.h"
#include "base/mem.h"

/* jansson 2.14 asserts where a text that it reads finds no memory, so what it could take is asked for first: a document of nothing but
 * short numbers takes 21 times its bytes. */
json_t *json_parse(struct slice text, size_t flags, const char *path, struct diag *d)
{
	json_error_t e = {0}; /* jansson leaves its code as it was where it cannot begin, and says nothing */
	json_t *j = NULL;
	const bool has = mem_has(24 * text.n + ((size_t)64 << 10));

	if (has)
		j = json_loadb(text.p ? text.p : "", text.n, flags, &e);
	if (!j && (!has || !e.text[0] || json_error_code(&e) == json_error_out_of_memory))
		(void)fail(d, GLANE_E_NOMEM, "%s: no memory to read it", path);
	else if (!j)
		(void)fail(d, GLANE_E_FORMAT, "%s:%d: not the JSON that was expected: %s", path, e.line, e.text);
	return j;
}

json_t *json_read_file(int dirfd, const char *path, size_t max, struct diag *d)
{
	struct strbuf b;
	json_t *j = NULL;

	strbuf_init(&b, max);
	if (file_read(dirfd, path, max, &b, d) == GLANE_OK)
		j = json_parse(strbuf_get(&b), JSON_REJECT_DUPLICATES, path, d);
	strbuf_release(&b);
	return j;
}

glane_rc json_write_file(int dirfd, const char *path, const json_t *j, bool exclusive, struct diag *d)
{
	struct strbuf b;
	glane_rc rc;

	strbuf_init(&b, JSON_FILE_MAX);
	if (!json_print(&b, j, false))
		rc = fail(d, GLANE_E_NOMEM, "%s: no memory to write it, or more than %zu bytes", path, b.max);
	else
		rc = GLANE_OK;
	strbuf_putc(&b, '\n');
	if (rc == GLANE_OK && !strbuf_ok(&b))
		rc = fail(d, GLANE_E_NOMEM, "%s: no memory to write it", path);
	if (rc == GLANE_OK)
		rc = file_replace(dirfd, path, strbuf_get(&b), exclusive, d);
	strbuf_release(&b);
	return rc;
}

const char *json_text(const json_t *j, const char *key, const char *dflt)
{
	const json_t *v = json_object_get(j, key);

	return json_is_string(v) ? json_string_value(v) : dflt;
}

int64_t json_int(const json_t *j, const char *key, int64_t dflt)
{
	const json_t *v = json_object_get(j, key);

	return json_is_integer(v) ? (int64_t)json_integer_value(v) : dflt;
}

bool json_flag(const json_t *j, const char *key)
{
	return json_is_true(json_object_get(j, key));
}

/* NUL is escaped as well: a string with one could be written but not read back. */
static json_t *text_value(struct slice s)
{
	struct strbuf b;
	json_t *v = NULL;

	if (slice_is_utf8(s) && !memchr(s.p, '\0', s.n))
		return json_stringn(s.p, s.n);
	strbuf_init(&b, 0);
	strbuf_visible(&b, s);
	if (strbuf_ok(&b))
		v = json_stringn(strbuf_get(&b).p, b.n);
	strbuf_release(&b);
	return v;
}

bool json_set_slice(json_t *j, const char *key, struct slice s)
{
	return !s.p || json_object_set_new(j, key, text_value(s)) == 0;
}

bool json_set_text(json_t *j, const char *key, const char *s)
{
	return json_set_slice(j, key, slice_of(s));
}

bool json_set_int(json_t *j, const char *key, int64_t v)
{
	return json_object_set_new(j, key, json_integer(v)) == 0;
}
