/* SPDX-License-Identifier: MIT */
/* Header fields that decide whether a body can be trusted. */
#include "net/fetch_answer.h"
#include "base/clock.h"
#include "net/curl.h"
#include "net/fetch_decode.h"

#define BYTES ((size_t)256 << 10)
#define LINES 100
#define STRONG_DATE 60 /* seconds */

static void clear_section(struct answer *a)
{
	arena_release(&a->arena);
	arena_init(&a->arena, 0);
	*a = (struct answer){
		.arena = a->arena,
		.bytes = a->bytes,
		.lines = a->lines,
		.length = -1,
		.retry_after = -1,
		.range_first = -1,
		.range_total = -1,
		.etag = "",
		.last_modified = "",
		.content_type = "",
		.date = "",
		.location = "",
	};
}

void answer_init(struct answer *a)
{
	*a = (struct answer){0};
	arena_init(&a->arena, 0);
	clear_section(a);
}

void answer_release(struct answer *a)
{
	arena_release(&a->arena);
}

bool etag_is_strong(const char *etag)
{
	size_t n = strlen(etag);

	return n > 2 && etag[0] == '"' && etag[n - 1] == '"';
}

/* Is the date a strong validator? */
static bool date_is_strong(const struct answer *a)
{
	int64_t modified, sent;

	return time_parse_http(slice_of(a->last_modified), &modified) && time_parse_http(slice_of(a->date), &sent) &&
	       sent - modified >= STRONG_DATE;
}

const char *answer_validator(const struct answer *a)
{
	if (a->ranges_refused)
		return NULL;
	if (*a->etag)
		return etag_is_strong(a->etag) ? a->etag : NULL;
	return date_is_strong(a) ? a->last_modified : NULL;
}

const char *answer_modified(const struct answer *a)
{
	int64_t modified, sent;

	return *a->etag || !time_parse_http(slice_of(a->last_modified), &modified) ||
			       !time_parse_http(slice_of(a->date), &sent) || sent - modified >= STRONG_DATE
		       ? a->last_modified
		       : "";
}

static bool is_name(struct slice name, const char *want)
{
	return name.n == strlen(want) && curl_strnequal(name.p, want, name.n);
}

static glane_rc keep(struct answer *a, const char **to, struct slice value, struct diag *d)
{
	const char *copy;

	/* RFC 9110 5.5. A validator that held one could not be sent back, and would stop every later run. */
	for (size_t i = 0; i < value.n; i++) {
		if (((unsigned char)value.p[i] < ' ' && value.p[i] != '\t') || value.p[i] == 0x7f)
			return fail(d, GLANE_E_FETCH, "a header with a control byte");
	}
	copy = arena_strndup(&a->arena, value.p, value.n);
	if (!copy)
		return fail(d, GLANE_E_NOMEM, "no memory for a header");
	*to = copy;
	return GLANE_OK;
}

static glane_rc on_length(struct answer *a, struct slice value, struct diag *d)
{
	int64_t n;

	if (!slice_int(value, 0, INT64_MAX, &n))
		return fail(d, GLANE_E_FETCH, "Content-Length '%.*s' is no length", SLICE_FMT(value));
	if (a->length >= 0 && a->length != n)
		return fail(d, GLANE_E_FETCH, "two different Content-Length headers (%lld and %lld)",
			(long long)a->length, (long long)n);
	a->length = n;
	return GLANE_OK;
}

static glane_rc on_transfer_encoding(struct answer *a, struct slice value, struct diag *d)
{
	if (!is_name(value, "chunked"))
		return fail(d, GLANE_E_FETCH, "Transfer-Encoding '%.*s', which was not asked for", SLICE_FMT(value));
	a->chunked = true;
	return GLANE_OK;
}

/* A second Content-Encoding header would be a chain. */
static void on_coding(struct answer *a, struct slice value)
{
	a->coding = a->coding == CODING_NONE ? coding_of(value) : CODING_UNKNOWN;
}

static void on_retry_after(struct answer *a, struct slice value)
{
	int64_t n;

	if (slice_int(value, 0, INT64_MAX, &n))
		a->retry_after = n;
	else if (time_parse_http(value, &n))
		a->retry_after = n > clock_utc() ? n - clock_utc() : 0;
}

/* "bytes FIRST-LAST/TOTAL" (RFC 9110 14.4) */
static void on_range(struct answer *a, struct slice value)
{
	struct slice rest = value, first, last;
	int64_t f, l, t = -1;

	if (value.n < 6 || !curl_strnequal(value.p, "bytes ", 6))
		return;
	rest = (struct slice){value.p + 6, value.n - 6};
	first = slice_cut(&rest, '-');
	last = slice_cut(&rest, '/');
	if (!slice_int(first, 0, INT64_MAX, &f) || !slice_int(last, f, INT64_MAX - 1, &l))
		return;
	if (!slice_is(rest, "*") && !slice_int(rest, l + 1, INT64_MAX, &t))
		return;
	a->range_first = f;
	a->range_last = l;
	a->range_total = t;
}

static glane_rc on_field(struct answer *a, struct slice name, struct slice value, struct diag *d)
{
	if (is_name(name, "content-length"))
		return on_length(a, value, d);
	if (is_name(name, "transfer-encoding"))
		return on_transfer_encoding(a, value, d);
	if (is_name(name, "etag"))
		return keep(a, &a->etag, value, d);
	if (is_name(name, "last-modified"))
		return keep(a, &a->last_modified, value, d);
	if (is_name(name, "content-type"))
		return keep(a, &a->content_type, value, d);
	if (is_name(name, "date"))
		return keep(a, &a->date, value, d);
	if (is_name(name, "location"))
		return keep(a, &a->location, value, d);
	if (is_name(name, "content-encoding"))
		on_coding(a, value);
	else if (is_name(name, "retry-after"))
		on_retry_after(a, value);
	else if (is_name(name, "content-range"))
		on_range(a, value);
	else if (is_name(name, "accept-ranges"))
		a->ranges_refused = is_name(value, "none");
	return GLANE_OK;
}

/* "HTTP/1.1 200 OK" */
static void on_status(struct answer *a, struct slice line)
{
	struct slice rest = line, code;
	int64_t n;

	clear_section(a);
	(void)slice_cut(&rest, ' ');
	code = slice_cut(&rest, ' ');
	a->status = slice_int(code, 0, 999, &n) ? (int)n : 0;
}

static glane_rc on_end(struct answer *a, struct diag *d)
{
	if (a->status < 200)
		return GLANE_OK;
	a->done = true;
	if (a->chunked && a->length >= 0)
		return fail(d, GLANE_E_FETCH, "both Content-Length and Transfer-Encoding");
	return GLANE_OK;
}

glane_rc answer_line(struct answer *a, struct slice line, struct diag *d)
{
	struct slice text = slice_trim(line), value = text, name;

	a->bytes += line.n;
	a->lines++;
	if (a->bytes > BYTES || a->lines > LINES)
		return fail(d, GLANE_E_LIMIT, "a header of more than %d lines or %zu bytes", LINES, BYTES);
	if (a->done)
		return GLANE_OK;
	if (slice_has_prefix(line, "HTTP/")) {
		on_status(a, text);
		return GLANE_OK;
	}
	if (!text.n)
		return on_end(a, d);
	name = slice_cut(&value, ':');
	/* A folded line (RFC 9112 5.2) belongs to a field that we may have read already: obsolete, and no server's need. */
	if (line.p[0] == ' ' || line.p[0] == '\t')
		return fail(d, GLANE_E_FETCH, "a folded header line");
	return value.p ? on_field(a, name, slice_trim(value), d) : GLANE_OK;
}
