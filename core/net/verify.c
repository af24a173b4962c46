/* SPDX-License-Identifier: MIT */
/* Content sniffing: the providers' error pages, empty answers and cut documents that HTTP calls a success. */
#include "net/verify.h"
#include "base/strbuf.h"

#define WORDS 200 /* characters quoted of an answer */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Does s begin with the lower-case ASCII text, in any case? */
static bool begins(struct slice s, const char *text)
{
	size_t n = strlen(text);

	if (s.n < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (lower(s.p[i]) != text[i])
			return false;
	}
	return true;
}

static struct slice skip(struct slice s, size_t n)
{
	return (struct slice){s.p + n, s.n - n};
}

static struct slice skip_blanks(struct slice s)
{
	while (s.n && is_blank(*s.p))
		s = skip(s, 1);
	return s;
}

/* What follows the first `end` in s; empty where there is none. */
static struct slice behind(struct slice s, const char *end)
{
	const char *at = s.n ? memmem(s.p, s.n, end, strlen(end)) : NULL;

	return at ? skip(s, (size_t)(at - s.p) + strlen(end)) : (struct slice){s.p + s.n, 0};
}

static struct slice skip_bom(struct slice s)
{
	return slice_has_prefix(s, "\xef\xbb\xbf") ? skip(s, 3) : s;
}

bool body_is_html(struct slice head)
{
	static const char *const roots[] = {
		"<!doctype html", "<html", "<head", "<body", "<title", "<script", "<meta", "<h1", "<center", "<style"};
	struct slice s = skip_blanks(skip_bom(head));

	while (begins(s, "<!--") || begins(s, "<?xml"))
		s = skip_blanks(begins(s, "<!--") ? behind(s, "-->") : behind(s, "?>"));
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		size_t n = strlen(roots[i]);

		if (begins(s, roots[i]) && (s.n == n || !is_word(s.p[n])))
			return true;
	}
	return false;
}

bool body_is_archive(struct slice s)
{
	static const struct slice magic[] = {
		{"PK\003\004", 4}, {"PK\005\006", 4}, {"7z\274\257\047\034", 6}, {"\037\213", 2}};

	for (size_t i = 0; i < sizeof(magic) / sizeof(magic[0]); i++) {
		if (s.n >= magic[i].n && memcmp(s.p, magic[i].p, magic[i].n) == 0)
			return true;
	}
	return false;
}

static bool is_utf16(struct slice s)
{
	return slice_has_prefix(s, "\xff\xfe") || slice_has_prefix(s, "\xfe\xff");
}

/* The last byte that is neither blank nor NUL (UTF-16, padding); NUL where there is none, which no check takes for a cut. */
static char last_of(struct slice tail)
{
	while (tail.n && (is_blank(tail.p[tail.n - 1]) || tail.p[tail.n - 1] == '\0'))
		tail.n--;
	return tail.n ? tail.p[tail.n - 1] : '\0';
}

/* The string after the first `"key" :` in JSON text, still escaped. */
static struct slice json_string(struct slice s, const char *key)
{
	struct slice t = skip_blanks(behind(s, key));
	size_t n = 0;

	if (!t.n || *t.p != ':')
		return (struct slice){NULL, 0};
	t = skip_blanks(skip(t, 1));
	if (!t.n || *t.p != '"')
		return (struct slice){NULL, 0};
	t = skip(t, 1);
	while (n < t.n && t.p[n] != '"')
		n += t.p[n] == '\\' && n + 1 < t.n ? 2 : 1;
	return (struct slice){t.p, n};
}

static struct slice json_words(struct slice s)
{
	static const char *const keys[] = {
		"\"message\"", "\"detail\"", "\"error_description\"", "\"error\"", "\"value\"", "\"title\""};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct slice text = json_string(s, keys[i]);

		if (text.n)
			return text;
	}
	return s;
}

static struct slice html_title(struct slice s)
{
	for (struct slice t = s; t.n; t = skip(t, 1)) {
		struct slice text;
		const char *end;

		if (!begins(t, "<title"))
			continue;
		text = behind(t, ">");
		end = text.n ? memchr(text.p, '<', text.n) : NULL;
		text.n = end ? (size_t)(end - text.p) : text.n;
		return slice_trim(text);
	}
	return (struct slice){NULL, 0};
}

/* Text without tags, runs of blanks made one. */
static void plain_words(struct strbuf *b, struct slice s, bool markup)
{
	bool tag = false, gap = false;

	for (size_t i = 0; i < s.n && b->n < 4 * (size_t)WORDS; i++) {
		if (markup && (s.p[i] == '<' || s.p[i] == '>')) {
			tag = s.p[i] == '<';
			gap = true;
		} else if (is_blank(s.p[i])) {
			gap = true;
		} else if (!tag) {
			if (gap && b->n)
				strbuf_putc(b, ' ');
			gap = false;
			strbuf_putc(b, s.p[i]);
		}
	}
}

/* At most WORDS characters, cut between characters. */
static struct slice first_characters(struct slice s)
{
	size_t i = 0, characters = 0;

	for (; i < s.n; i++) {
		if (((unsigned char)s.p[i] & 0xc0) != 0x80 && characters++ == WORDS)
			break;
	}
	return (struct slice){s.p, i};
}

void body_words(struct strbuf *b, struct slice head)
{
	struct slice s = skip_blanks(skip_bom(head)), chosen = s, cut;
	struct strbuf text;

	if (body_is_html(s) && html_title(s).n)
		chosen = html_title(s);
	else if (s.n && (*s.p == '{' || *s.p == '['))
		chosen = json_words(s);
	strbuf_init(&text, 0);
	plain_words(&text, chosen, chosen.p == s.p && s.n && *s.p == '<');
	if (strbuf_ok(&text)) {
		cut = first_characters(strbuf_get(&text));
		strbuf_visible(b, cut);
		if (cut.n < text.n)
			strbuf_puts(b, "...");
	}
	strbuf_release(&text);
}

static glane_rc refuse(struct slice head, const char *what, const char *content_type, struct diag *d)
{
	struct strbuf words;
	glane_rc rc;

	strbuf_init(&words, 0);
	body_words(&words, head);
	rc = fail(d, GLANE_E_FORMAT, "%s (%s): \"%s\"", what,
		content_type && *content_type ? content_type : "no content type", words.p ? words.p : "");
	strbuf_release(&words);
	return rc;
}

static bool looks_xml(struct slice s, char last)
{
	return begins(s, "<?xml") || (s.n > 1 && *s.p == '<' && (is_word(s.p[1]) || s.p[1] == '!') && last == '>');
}

/* Tells a JSON document from a CSV whose first cell begins with a bracket. */
static bool looks_json(struct slice s, char last)
{
	struct slice inner = s.n ? skip_blanks(skip(s, 1)) : s;
	char next = inner.n ? *inner.p : '\0';

	if (s.n && *s.p == '{')
		return last == '}' && (next == '"' || next == '}');
	if (s.n && *s.p == '[')
		return last == ']' && (strchr("{[\"]-tfn", next) || (next >= '0' && next <= '9'));
	return false;
}

static glane_rc verify_json(struct slice s, char last, const char *content_type, struct diag *d)
{
	if (*s.p == '<')
		return refuse(s, "XML where JSON was asked", content_type, d);
	if ((*s.p == '{' && strchr("}", last)) || (*s.p == '[' && strchr("]", last)))
		return GLANE_OK;
	if (*s.p == '{' || *s.p == '[')
		return refuse(s, "the JSON does not end in its closing bracket; was it cut?", content_type, d);
	if (*s.p == '"' ? last == '"' : (strchr("-tfn", *s.p) || (*s.p >= '0' && *s.p <= '9')) && is_word(last))
		return GLANE_OK;
	return refuse(s, "the answer is no JSON", content_type, d);
}

static glane_rc verify_xml(struct slice s, char last, const char *content_type, struct diag *d)
{
	if (looks_json(s, last))
		return refuse(s, "JSON where XML was asked", content_type, d);
	if (*s.p != '<')
		return refuse(s, "the answer is no XML", content_type, d);
	if (last && last != '>')
		return refuse(s, "the XML does not end in '>'; was it cut?", content_type, d);
	return GLANE_OK;
}

static glane_rc verify_csv(struct slice s, char last, const char *content_type, struct diag *d)
{
	if (looks_json(s, last))
		return refuse(s, "JSON where CSV was asked", content_type, d);
	if (looks_xml(s, last))
		return refuse(s, "XML where CSV was asked", content_type, d);
	return GLANE_OK;
}

bool body_says_nothing(struct slice words)
{
	static const char *const says[] = {
		"no result", "noresult", "no record", "norecord", "no data", "nodata", "code=\"100\""};

	for (size_t i = 0; i < words.n; i++)
		for (size_t k = 0; k < sizeof(says) / sizeof(says[0]); k++)
			if (begins(skip(words, i), says[k]))
				return true;
	return false;
}

glane_rc body_verify(
	struct slice head, struct slice tail, uint64_t size, uint8_t format, const char *content_type, struct diag *d)
{
	struct slice s = skip_blanks(skip_bom(head));
	char last = last_of(tail);

	if (size == 0 && format & FORMAT_MAY_BE_EMPTY)
		return GLANE_OK;
	if (format & FORMAT_NO_HTML && body_is_html(head))
		return refuse(head, "an HTML page where data was asked", content_type, d);
	format &= (uint8_t) ~(FORMAT_MAY_BE_EMPTY | FORMAT_NO_HTML);
	if (size == 0)
		return fail(d, GLANE_E_FORMAT, "the answer is empty (0 bytes)");
	if (format == GLANE_FMT_RAW || body_is_archive(head))
		return GLANE_OK;
	if (!s.n && size <= head.n)
		return fail(d, GLANE_E_FORMAT, "the answer is empty (%llu blanks)", (unsigned long long)size);
	if (body_is_html(s))
		return refuse(s, "an HTML page where data was asked", content_type, d);
	if (is_utf16(s) && (format == GLANE_FMT_JSON || format == GLANE_FMT_JSONSTAT))
		return fail(d, GLANE_E_FORMAT, "the JSON is in UTF-16; RFC 8259 allows UTF-8 only");
	/* A head of blanks alone, or UTF-16, is the reader's to judge. */
	if (!s.n || is_utf16(s))
		return GLANE_OK;
	switch (format) {
	case GLANE_FMT_XLSX: /* an old .xls is the reader's to name */
		return slice_has_prefix(head, "\xd0\xcf\x11\xe0")
			       ? GLANE_OK
			       : refuse(s, "the answer is no .xlsx workbook", content_type, d);
	case GLANE_FMT_JSON:
	case GLANE_FMT_JSONSTAT:
		return verify_json(s, last, content_type, d);
	case GLANE_FMT_XML:
		return verify_xml(s, last, content_type, d);
	case GLANE_FMT_SDMX: /* whichever of the three it begins like */
		return *s.p == '<'                  ? verify_xml(s, last, content_type, d)
		       : *s.p == '{' || *s.p == '[' ? verify_json(s, last, content_type, d)
						    : GLANE_OK;
	case GLANE_FMT_TSV: /* Eurostat answers in XML where the data is not ready: the reader tells */
		return *s.p == '<' ? GLANE_OK : verify_csv(s, last, content_type, d);
	default:
		return verify_csv(s, last, content_type, d);
	}
}
