/* SPDX-License-Identifier: MIT */
/* JSON value by value: a token that the window cuts is scanned again in the next window. */
#include "read/json_pull.h"

void json_pull_init(struct json_pull *j, struct payload *p, struct diag *d)
{
	*j = (struct json_pull){.p = p, .diag = d};
	strbuf_init(&j->key, JSON_PULL_TEXT);
	strbuf_init(&j->text, JSON_PULL_TEXT);
	json_pull_reset(j);
}

void json_pull_release(struct json_pull *j)
{
	strbuf_release(&j->key);
	strbuf_release(&j->text);
}

static void window(struct json_pull *j)
{
	j->at = j->p->p;
	j->c.end = j->p->p + j->p->n;
	j->c.last = j->p->last;
}

void json_pull_reset(struct json_pull *j)
{
	window(j);
	j->c.bad = j->c.what = NULL;
}

uint64_t json_pull_offset(const struct json_pull *j)
{
	return j->p->pos + (uint64_t)(j->at - j->p->p);
}

glane_rc json_pull_fail(struct json_pull *j, const char *what)
{
	return fail(j->diag, GLANE_E_FORMAT, "JSON, byte %llu: %s", (unsigned long long)json_pull_offset(j), what);
}

/* A scan has ended without success: more bytes, or the error. */
static glane_rc more(struct json_pull *j)
{
	const size_t keep = (size_t)(j->c.end - j->at);
	glane_rc rc;

	if (j->c.what) {
		j->at = j->c.bad;
		return json_pull_fail(j, j->c.what);
	}
	if (keep > JSON_PULL_TEXT)
		return fail(j->diag, GLANE_E_LIMIT, "JSON, byte %llu: a value of more than %zu bytes",
			(unsigned long long)json_pull_offset(j), JSON_PULL_TEXT);
	rc = payload_more(j->p, keep);
	if (rc == GLANE_OK)
		window(j);
	return rc;
}

glane_rc json_pull_peek(struct json_pull *j, char *ret)
{
	for (;;) {
		glane_rc rc;

		j->at = json_blanks(j->at, j->c.end);
		if (j->at < j->c.end) {
			*ret = *j->at;
			return GLANE_OK;
		}
		(void)json_scan_cut(&j->c);
		rc = more(j);
		if (rc != GLANE_OK)
			return rc;
	}
}

void json_pull_open(struct json_pull *j)
{
	j->at++;
}

/* Commas and the end of a container; at its next value or name otherwise. */
static glane_rc advance(struct json_pull *j, char close, bool *is_first)
{
	char ch = 0;
	glane_rc rc = json_pull_peek(j, &ch);

	if (rc != GLANE_OK)
		return rc;
	if (ch == close) {
		j->at++;
		return GLANE_END;
	}
	if (!*is_first) {
		if (ch != ',')
			return json_pull_fail(j, close == '}' ? "',' or '}' was expected" : "',' or ']' was expected");
		j->at++;
		rc = json_pull_peek(j, &ch);
	}
	*is_first = false;
	return rc;
}

/* Scans a scalar; *ret holds its raw bytes until the window moves. */
static glane_rc scan(struct json_pull *j, struct slice *ret, uint8_t *ret_kind)
{
	for (;;) {
		const char *end = json_scan_scalar(&j->c, j->at, ret_kind);
		glane_rc rc;

		if (end) {
			*ret = (struct slice){j->at, (size_t)(end - j->at)};
			j->at = end;
			return GLANE_OK;
		}
		rc = more(j);
		if (rc != GLANE_OK)
			return rc;
	}
}

static glane_rc no_memory(struct json_pull *j)
{
	return fail(j->diag, GLANE_E_NOMEM, "no memory for a text of %zu bytes of JSON", j->text.max);
}

/* Appends the decoded text to the buffer. */
static bool put_text(struct strbuf *b, struct slice raw, uint8_t kind)
{
	const struct slice inner = {raw.p + 1, raw.n - 2};

	if (kind == JSON_ESCAPED && strbuf_room(b, inner.n + 1))
		b->n += json_decode(inner, b->p + b->n);
	else
		strbuf_slice(b, inner);
	return strbuf_ok(b);
}

glane_rc json_pull_member(struct json_pull *j, bool *is_first)
{
	struct slice raw = {NULL, 0};
	uint8_t kind = 0;
	char ch = 0;
	glane_rc rc = advance(j, '}', is_first);

	if (rc != GLANE_OK)
		return rc;
	if (*j->at != '"')
		return json_pull_fail(j, "a member name in quotes was expected");
	rc = scan(j, &raw, &kind);
	strbuf_reset(&j->key);
	if (rc == GLANE_OK && !put_text(&j->key, raw, kind))
		rc = no_memory(j);
	if (rc == GLANE_OK)
		rc = json_pull_peek(j, &ch);
	if (rc != GLANE_OK)
		return rc;
	if (ch != ':')
		return json_pull_fail(j, "':' was expected");
	j->at++;
	return json_pull_peek(j, &ch);
}

glane_rc json_pull_element(struct json_pull *j, bool *is_first)
{
	return advance(j, ']', is_first);
}

glane_rc json_pull_text(struct json_pull *j, struct slice *ret)
{
	struct slice raw = {NULL, 0};
	uint8_t kind = 0;
	char ch = 0;
	glane_rc rc = json_pull_peek(j, &ch);

	if (rc == GLANE_OK && j->has_holes && (ch == ',' || ch == ']')) {
		*ret = (struct slice){NULL, 0};
		return GLANE_OK;
	}
	if (rc == GLANE_OK && (ch == '{' || ch == '['))
		return json_pull_fail(j, "an object or array stands where a single value belongs");
	if (rc == GLANE_OK)
		rc = scan(j, &raw, &kind);
	if (rc != GLANE_OK)
		return rc;
	if (kind == JSON_ESCAPED) {
		strbuf_reset(&j->text);
		if (!put_text(&j->text, raw, kind))
			return no_memory(j);
		*ret = strbuf_get(&j->text);
	} else if (kind == JSON_STRING) {
		*ret = (struct slice){raw.p + 1, raw.n - 2};
	} else {
		*ret = kind == JSON_NULL ? (struct slice){NULL, 0} : raw;
	}
	return GLANE_OK;
}

static glane_rc pass_one(void *arg, struct json_pull *j)
{
	const unsigned *depth = arg;

	return json_pull_pass(j, *depth + 1);
}

glane_rc json_pull_each(struct json_pull *j, char bracket, json_pull_take *take, void *arg)
{
	bool is_first = true;
	char ch = 0;
	glane_rc rc = json_pull_peek(j, &ch);

	if (rc != GLANE_OK || ch != bracket)
		return rc == GLANE_OK ? json_pull_pass(j, 0) : rc;
	json_pull_open(j);
	while ((rc = bracket == '{' ? json_pull_member(j, &is_first) : json_pull_element(j, &is_first)) == GLANE_OK) {
		rc = take(arg, j);
		if (rc != GLANE_OK)
			return rc;
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

void json_pull_look(struct json_pull *j, struct payload *view, const struct payload *p, uint64_t at, struct diag *d)
{
	payload_view(view, p, at);
	json_pull_init(j, view, d);
}

glane_rc json_pull_pass(struct json_pull *j, unsigned depth)
{
	struct slice raw = {NULL, 0};
	uint8_t kind = 0;
	char ch = 0;
	glane_rc rc = json_pull_peek(j, &ch);

	if (rc != GLANE_OK || (j->has_holes && (ch == ',' || ch == ']')))
		return rc;
	if (ch != '{' && ch != '[')
		return scan(j, &raw, &kind);
	if (depth >= JSON_PULL_DEPTH)
		return fail(j->diag, GLANE_E_LIMIT, "JSON, byte %llu: more than %d containers inside each other",
			(unsigned long long)json_pull_offset(j), JSON_PULL_DEPTH);
	return json_pull_each(j, ch, pass_one, &depth);
}

glane_rc json_pull_end(struct json_pull *j)
{
	for (;;) {
		glane_rc rc;

		j->at = json_blanks(j->at, j->c.end);
		if (j->at < j->c.end)
			return json_pull_fail(j, "the document goes on behind its end");
		if (j->c.last)
			return GLANE_OK;
		j->c.what = NULL;
		rc = more(j);
		if (rc != GLANE_OK)
			return rc;
	}
}
