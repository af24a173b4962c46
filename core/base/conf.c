/* SPDX-License-Identifier: MIT */
/* INI reader: lines to sections and entries, every error with file, line and remedy. */
#include "base/conf.h"
#include "base/file.h"
#include "base/strbuf.h"
#include <fcntl.h>

#define FILE_MAX ((size_t)8 << 20)
#define LINE_MAX_BYTES ((size_t)64 << 10)
#define SECTIONS_MAX 4096
#define ENTRIES_MAX 1024
#define SHORT(s) ((s).n > 60 ? 60 : (int)(s).n), (s).p /* for "%.*s": leaves room for the advice */

struct parser {
	struct conf *c;
	const char *file;
	unsigned line;
	struct conf_section *section;
	struct conf_entry *entry; /* the one that an indented line continues; its value is still in `value` */
	struct conf_entry **tail;
	struct strbuf value;
	bool is_quoted; /* at the end of what `value` holds */
	unsigned n_entries;
	struct diag *d;
};

void conf_init(struct conf *c)
{
	*c = (struct conf){0};
	arena_init(&c->arena, 0);
	c->tail = &c->sections;
}

void conf_release(struct conf *c)
{
	arena_release(&c->arena);
	conf_init(c);
}

static glane_rc no_memory(struct parser *p)
{
	return fail(p->d, GLANE_E_NOMEM, "no memory for the configuration");
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct slice trim(struct slice s)
{
	while (s.n && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* Length of the word of letters, digits and "._-" at the start of s. */
static size_t word_len(struct slice s)
{
	size_t n = 0;

	while (n < s.n && ((s.p[n] >= 'a' && s.p[n] <= 'z') || (s.p[n] >= 'A' && s.p[n] <= 'Z') ||
				  (s.p[n] >= '0' && s.p[n] <= '9') || s.p[n] == '.' || s.p[n] == '_' || s.p[n] == '-'))
		n++;
	return n;
}

/* Gives the finished value to its entry. */
static glane_rc end_entry(struct parser *p)
{
	struct slice v = strbuf_get(&p->value);

	if (!p->entry)
		return GLANE_OK;
	p->entry->value = arena_strndup(&p->c->arena, v.p, v.n);
	if (!p->entry->value || !strbuf_ok(&p->value))
		return no_memory(p);
	p->entry = NULL;
	return GLANE_OK;
}

static bool same_name(const char *a, const char *b)
{
	return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

static glane_rc add_section(struct parser *p, struct slice kind, struct slice name)
{
	struct conf_section *s = arena_alloc(&p->c->arena, sizeof(*s));
	const struct conf_section *other;
	unsigned n = 0;

	if (!s)
		return no_memory(p);
	*s = (struct conf_section){.file = p->file, .line = p->line};
	s->kind = arena_strndup(&p->c->arena, kind.p, kind.n);
	s->name = name.n ? arena_strndup(&p->c->arena, name.p, name.n) : NULL;
	if (!s->kind || (name.n && !s->name))
		return no_memory(p);
	for (other = p->c->sections; other; other = other->next, n++) {
		if (same_name(s->kind, other->kind) && same_name(s->name, other->name))
			return fail(p->d, GLANE_E_CONFIG,
				"section [%s%s%s] stands already at %s:%u; rename or remove one of them", s->kind,
				s->name ? " " : "", s->name ? s->name : "", other->file, other->line);
	}
	if (n >= SECTIONS_MAX)
		return fail(p->d, GLANE_E_CONFIG, "more than %d sections; split the configuration", SECTIONS_MAX);
	*p->c->tail = s;
	p->c->tail = &s->next;
	p->section = s;
	p->tail = &s->entries;
	p->n_entries = 0;
	return GLANE_OK;
}

static glane_rc parse_section(struct parser *p, struct slice line)
{
	struct slice inner, kind, name;

	line = trim(line);
	if (line.p[line.n - 1] != ']')
		return fail(p->d, GLANE_E_CONFIG,
			"a section line must end with ']'; write [glane] or [source NAME], a comment on a line "
			"of its own");
	inner = trim((struct slice){line.p + 1, line.n - 2});
	kind = (struct slice){inner.p, word_len(inner)};
	name = trim((struct slice){inner.p + kind.n, inner.n - kind.n});
	if (kind.n == 0 || (name.n && !is_blank(inner.p[kind.n])))
		return fail(p->d, GLANE_E_CONFIG,
			"'%.*s' is no section; write [glane] or [source NAME], in letters, digits, '.', '_', "
			"'-'",
			SHORT(line));
	if (memchr(name.p, ' ', name.n) || memchr(name.p, '\t', name.n) || memchr(name.p, ']', name.n) ||
		memchr(name.p, '[', name.n))
		return fail(p->d, GLANE_E_CONFIG, "'%.*s': a section has one name, without blanks and brackets",
			SHORT(line));
	return add_section(p, kind, name);
}

static glane_rc check_key(struct parser *p, struct slice line, struct slice key)
{
	const struct conf_entry *e;

	if (line.p[0] == ';')
		return fail(p->d, GLANE_E_CONFIG, "';' begins no comment; write '#'");
	if (key.n == 0 || word_len(key) != key.n)
		return fail(p->d, GLANE_E_CONFIG,
			"'%.*s' is no key; keys are of letters, digits, '.', '_', '-' (a longer value goes on in "
			"an indented line)",
			SHORT(key));
	if (!p->section)
		return fail(p->d, GLANE_E_CONFIG,
			"key '%.*s' stands before any section; put [glane] or [source NAME] above it", SHORT(key));
	for (e = p->section->entries; e; e = e->next) {
		if (slice_is(key, e->key))
			return fail(p->d, GLANE_E_CONFIG,
				"key '%s' stands already in line %u of this section; remove one of them", e->key,
				e->line);
	}
	if (p->n_entries >= ENTRIES_MAX)
		return fail(p->d, GLANE_E_CONFIG, "more than %d keys in one section; split it", ENTRIES_MAX);
	return GLANE_OK;
}

/*
 * One line of a value. A '#' behind a blank, outside of quotes, looks like a comment and would be part of the value; #3 is a
 * column's number. Quotes are read as conf_item() reads them, and may be open from one line to the next.
 */
static glane_rc check_value(struct parser *p, struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		const char next = i + 1 < text.n ? text.p[i + 1] : ' ';

		if (text.p[i] == '"')
			p->is_quoted = !p->is_quoted;
		else if (p->is_quoted && text.p[i] == '\\' && (next == '"' || next == '\\'))
			i++;
		else if (text.p[i] == '#' && (i == 0 || is_blank(text.p[i - 1])) && !p->is_quoted &&
			 (next < '0' || next > '9'))
			return fail(p->d, GLANE_E_CONFIG,
				"'%.*s' would be part of the value: a comment stands on a line of its own (a '#' that "
				"is meant, in a list, stands in quotes)",
				SHORT(((struct slice){text.p + i, text.n - i})));
	}
	return GLANE_OK;
}

static glane_rc parse_entry(struct parser *p, struct slice line)
{
	struct slice rest = line, key = trim(slice_cut(&rest, '='));
	struct conf_entry *e;
	glane_rc rc;

	if (!rest.p)
		return fail(p->d, GLANE_E_CONFIG,
			"'%.*s' has no '='; write key = value, or indent the line where it continues a value",
			SHORT(line));
	p->is_quoted = false;
	rc = check_key(p, line, key);
	if (rc == GLANE_OK)
		rc = check_value(p, trim(rest));
	if (rc < 0)
		return rc;
	e = arena_alloc(&p->c->arena, sizeof(*e));
	if (!e)
		return no_memory(p);
	*e = (struct conf_entry){.file = p->file, .line = p->line, .value = ""};
	e->key = arena_strndup(&p->c->arena, key.p, key.n);
	if (!e->key)
		return no_memory(p);
	*p->tail = e;
	p->tail = &e->next;
	p->n_entries++;
	p->entry = e;
	strbuf_reset(&p->value);
	strbuf_slice(&p->value, trim(rest));
	return GLANE_OK;
}

static glane_rc parse_continuation(struct parser *p, struct slice text)
{
	if (!p->entry)
		return fail(p->d, GLANE_E_CONFIG,
			"an indented line continues the value above it, and there is none; begin it in the first "
			"column");
	if (text.p[0] == '#')
		return fail(p->d, GLANE_E_CONFIG,
			"an indented '#' would become part of the value of '%s'; begin the comment in the first "
			"column",
			p->entry->key);
	if (p->value.n)
		strbuf_putc(&p->value, ' ');
	strbuf_slice(&p->value, text);
	return check_value(p, text);
}

static glane_rc check_line(struct parser *p, struct slice line)
{
	if (line.n > LINE_MAX_BYTES)
		return fail(p->d, GLANE_E_CONFIG,
			"the line is longer than %zu bytes; go on in an indented line below it", LINE_MAX_BYTES);
	if (!slice_is_utf8(line))
		return fail(p->d, GLANE_E_CONFIG, "the line is not UTF-8; convert the file to UTF-8");
	for (size_t i = 0; i < line.n; i++) {
		unsigned char c = (unsigned char)line.p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7F)
			return fail(p->d, GLANE_E_CONFIG, "control byte \\x%02x in column %zu; remove it", c, i + 1);
	}
	return GLANE_OK;
}

static glane_rc parse_line(struct parser *p, struct slice line)
{
	struct slice text = trim(line);
	glane_rc rc = check_line(p, line);

	if (rc < 0 || text.n == 0 || line.p[0] == '#')
		return rc;
	if (is_blank(line.p[0]))
		return parse_continuation(p, text);
	rc = end_entry(p);
	if (rc < 0)
		return rc;
	return line.p[0] == '[' ? parse_section(p, line) : parse_entry(p, line);
}

static glane_rc parse_lines(struct parser *p, struct slice text)
{
	glane_rc rc = GLANE_OK;

	if (slice_has_prefix(text, "\xEF\xBB\xBF")) {
		text.p += 3;
		text.n -= 3;
	}
	while (rc == GLANE_OK && text.n) {
		struct slice line = slice_cut(&text, '\n');

		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		p->line++;
		rc = parse_line(p, line);
	}
	if (rc == GLANE_OK)
		rc = end_entry(p);
	if (rc < 0)
		(void)diag_prefix(p->d, "%s:%u", p->file, p->line);
	return rc;
}

glane_rc conf_parse(struct conf *c, const char *file, struct slice text, struct diag *d)
{
	struct parser p = {.c = c, .file = file, .d = d};
	const char *copy = arena_strndup(&c->arena, file, strlen(file));
	glane_rc rc;

	if (!copy)
		return fail(d, GLANE_E_NOMEM, "%s: no memory for the configuration", file);
	p.file = copy;
	strbuf_init(&p.value, FILE_MAX);
	rc = parse_lines(&p, text);
	strbuf_release(&p.value);
	return rc;
}

glane_rc conf_read(struct conf *c, const char *path, struct diag *d)
{
	struct strbuf b;
	glane_rc rc;

	strbuf_init(&b, FILE_MAX);
	rc = file_read(AT_FDCWD, path, FILE_MAX, &b, d);
	if (rc == GLANE_OK)
		rc = conf_parse(c, path, strbuf_get(&b), d);
	strbuf_release(&b);
	return rc;
}

struct conf_entry *conf_find(const struct conf_section *s, const char *key)
{
	for (struct conf_entry *e = s->entries; e; e = e->next) {
		if (strcmp(e->key, key) == 0)
			return e;
	}
	return NULL;
}

/* The first byte behind the item that begins at s, or NULL where a quote is not closed. */
static const char *item_end(const char *s)
{
	bool quoted = false;

	for (; *s && (quoted || !is_blank(*s)); s++) {
		if (*s == '"')
			quoted = !quoted;
		else if (quoted && *s == '\\' && (s[1] == '"' || s[1] == '\\'))
			s++;
	}
	return quoted ? NULL : s;
}

glane_rc conf_item(struct arena *a, const char **cursor, const char **ret, struct diag *d)
{
	const char *s = *cursor + strspn(*cursor, " \t");
	const char *end = item_end(s);
	bool quoted = false;
	char *item, *to;

	if (!*s)
		return GLANE_END;
	if (!end)
		return fail(d, GLANE_E_CONFIG, "a quote is not closed in '%.60s'; add the missing '\"'", s);
	item = to = arena_alloc(a, (size_t)(end - s) + 1);
	if (!item)
		return fail(d, GLANE_E_NOMEM, "no memory for a list of the configuration");
	for (; s < end; s++) {
		if (*s == '"') {
			quoted = !quoted;
			continue;
		}
		if (quoted && *s == '\\' && (s[1] == '"' || s[1] == '\\'))
			s++;
		*to++ = *s;
	}
	*cursor = end;
	*ret = item;
	return GLANE_OK;
}

glane_rc conf_items(struct arena *a, const char *text, const char ***ret, size_t *ret_n, struct diag *d)
{
	const char *cursor = text ? text : "";
	size_t n = 0;
	glane_rc rc = GLANE_OK;

	for (const char *s = cursor + strspn(cursor, " \t"); s && *s; n++) {
		s = item_end(s);
		s = s ? s + strspn(s, " \t") : NULL; /* not closed: conf_item() says so */
	}
	*ret_n = 0;
	*ret = arena_alloc(a, (n + 1) * sizeof(**ret));
	if (!*ret)
		return fail(d, GLANE_E_NOMEM, "no memory for a list of the configuration");
	while (*ret_n < n && (rc = conf_item(a, &cursor, &(*ret)[*ret_n], d)) == GLANE_OK)
		++*ret_n;
	return rc;
}

bool conf_is_name(struct slice s)
{
	if (s.n < 1 || s.n > 63 || word_len(s) != s.n)
		return false;
	if (!((s.p[0] >= 'a' && s.p[0] <= 'z') || (s.p[0] >= '0' && s.p[0] <= '9')))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] >= 'A' && s.p[i] <= 'Z')
			return false;
	}
	return true;
}
