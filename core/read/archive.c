/* SPDX-License-Identifier: MIT */
/* One entry of a zip or 7z file as a stream; the only file that includes libarchive. */
#include "base/mem.h"
#include "read/source.h"
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <string.h>
#include <strings.h>

#define BLOCK ((size_t)64 << 10)
#define MAX_ENTRIES 65536
#define MAX_NAMES 10 /* listed in a message */

struct archive_source {
	struct payload_source base;
	struct archive *a;
	struct archive_entry *entry; /* ours: libarchive 3.6 does not look whether it got memory for its own */
	int fd;
	uint64_t size, at; /* of the file; of the next block in it */
	const char *kind;  /* "zip", "7z" */
	const char *data;  /* what libarchive gave and was not passed on yet */
	size_t n_data;
	uint64_t made; /* bytes of the entry passed on or held in data */
	bool is_open, is_end;
	struct strbuf name; /* of the entry */
	char block[BLOCK];
};

/* Entries that may be meant: how many, the first of them, and names for the message. */
struct tally {
	size_t n, first;
	bool is_irregular, is_encrypted; /* the first */
	struct strbuf names;
};

static la_ssize_t on_read(struct archive *a, void *arg, const void **ret)
{
	struct archive_source *s = arg;
	size_t n = 0;

	if (source_pread(s->fd, s->at, s->block, BLOCK, &n, NULL) != GLANE_OK) {
		archive_set_error(a, EIO, "cannot read");
		return -1;
	}
	s->at += n;
	*ret = s->block;
	return (la_ssize_t)n;
}

static la_int64_t on_skip(struct archive *a, void *arg, la_int64_t n)
{
	struct archive_source *s = arg;
	uint64_t left = s->at < s->size ? s->size - s->at : 0;
	uint64_t go = n > 0 && (uint64_t)n < left ? (uint64_t)n : (n > 0 ? left : 0);

	(void)a;
	s->at += go;
	return (la_int64_t)go;
}

static la_int64_t on_seek(struct archive *a, void *arg, la_int64_t offset, int whence)
{
	struct archive_source *s = arg;
	int64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (int64_t)s->at : (int64_t)s->size;
	int64_t to;

	if (__builtin_add_overflow(from, offset, &to) || to < 0 || (uint64_t)to > s->size) {
		archive_set_error(a, EINVAL, "an offset lies outside of the file");
		return ARCHIVE_FATAL;
	}
	s->at = (uint64_t)to;
	return to;
}

static glane_rc broken(struct archive_source *s, struct diag *d)
{
	const char *text = s->a ? archive_error_string(s->a) : NULL;

	if (s->a && archive_errno(s->a) == ENOMEM)
		return fail(d, GLANE_E_NOMEM, "%s archive: out of memory", s->kind);
	/* libarchive may only be asked about an archive that it could open. */
	if (s->is_open && archive_read_has_encrypted_entries(s->a) > 0)
		return fail(
			d, GLANE_E_FORMAT, "%s archive: it is encrypted; encrypted archives are not opened", s->kind);
	/* some of its texts end with a line end */
	return fail(d, GLANE_E_FORMAT, "%s archive: damaged or cut short%s%.*s: %.*s", s->kind,
		s->name.n ? ", in " : "", SLICE_FMT(strbuf_get(&s->name)),
		SLICE_FMT(slice_trim(slice_of(text ? text : "no directory of entries"))));
}

static void end(struct archive_source *s)
{
	archive_entry_free(s->entry);
	(void)archive_read_free(s->a);
	s->entry = NULL;
	s->a = NULL;
}

/* (Re)opens the file at its first entry. */
static glane_rc begin(struct archive_source *s, struct diag *d)
{
	end(s);
	s->at = 0;
	s->is_open = false;
	s->a = archive_read_new();
	s->entry = s->a ? archive_entry_new2(s->a) : NULL;
	if (!s->entry)
		return fail(d, GLANE_E_NOMEM, "%s archive: out of memory", s->kind);
	/* The seeking zip reader only: the streaming one would read entries of a file whose end is missing. */
	if (archive_read_support_format_zip_seekable(s->a) != ARCHIVE_OK ||
		archive_read_support_format_7zip(s->a) != ARCHIVE_OK ||
		archive_read_set_read_callback(s->a, on_read) != ARCHIVE_OK ||
		archive_read_set_skip_callback(s->a, on_skip) != ARCHIVE_OK ||
		archive_read_set_seek_callback(s->a, on_seek) != ARCHIVE_OK ||
		archive_read_set_callback_data(s->a, s) != ARCHIVE_OK || archive_read_open1(s->a) != ARCHIVE_OK)
		return broken(s, d);
	s->is_open = true;
	return GLANE_OK;
}

/* The next header; GLANE_END after the last. A name that the locale cannot hold is only a warning. */
static glane_rc header(struct archive_source *s, struct archive_entry **ret, struct diag *d)
{
	int r = archive_read_next_header2(s->a, s->entry);

	*ret = s->entry;
	if (r == ARCHIVE_EOF)
		return GLANE_END;
	return r == ARCHIVE_OK || r == ARCHIVE_WARN ? GLANE_OK : broken(s, d);
}

static void put_wide(struct strbuf *b, const wchar_t *w)
{
	for (; *w; w++) {
		uint32_t u = (uint32_t)*w;

		if (u < 0x80) {
			strbuf_putc(b, (char)u);
			continue;
		}
		if (u >= 0x10000)
			strbuf_putc(b, (char)(0xF0 | (u >> 18 & 7)));
		if (u >= 0x800)
			strbuf_putc(b, (char)(u >= 0x10000 ? 0x80 | (u >> 12 & 0x3F) : 0xE0 | u >> 12));
		strbuf_putc(b, (char)(u >= 0x800 ? 0x80 | (u >> 6 & 0x3F) : 0xC0 | u >> 6));
		strbuf_putc(b, (char)(0x80 | (u & 0x3F)));
	}
}

/* The entry's name as UTF-8, whatever form the archive and the locale leave it in. */
static struct slice entry_name(struct archive_entry *e, struct strbuf *b)
{
	const char *name = archive_entry_pathname_utf8(e);
	const wchar_t *wide = name ? NULL : archive_entry_pathname_w(e);

	strbuf_reset(b);
	if (wide)
		put_wide(b, wide);
	else
		strbuf_puts(b, name ? name : archive_entry_pathname(e) ? archive_entry_pathname(e) : "?");
	return strbuf_get(b);
}

static bool is_climbing(struct slice name)
{
	for (size_t i = 0; i + 2 <= name.n; i++) {
		bool starts = i == 0 || name.p[i - 1] == '/' || name.p[i - 1] == '\\';
		bool ends = i + 2 == name.n || name.p[i + 2] == '/' || name.p[i + 2] == '\\';

		if (starts && ends && name.p[i] == '.' && name.p[i + 1] == '.')
			return true;
	}
	return false;
}

/* A pattern without '/' also meets the last part of a name. */
static bool is_match(struct slice name, const char *pattern)
{
	struct slice base = name;

	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '/')
			base = (struct slice){name.p + i + 1, name.n - i - 1};
	}
	return slice_glob(name, pattern) || (!strchr(pattern, '/') && slice_glob(base, pattern));
}

/* One of ".xml|.json". */
static bool has_suffix(struct slice name, const char *suffixes)
{
	struct slice left = slice_of(suffixes);

	while (left.n) {
		const struct slice one = slice_cut(&left, '|');

		if (name.n >= one.n && strncasecmp(name.p + name.n - one.n, one.p, one.n) == 0)
			return true;
	}
	return false;
}

static void tally_add(struct tally *t, size_t index, struct slice name, struct archive_entry *e)
{
	if (t->n == 0) {
		t->first = index;
		t->is_irregular = archive_entry_filetype(e) != AE_IFREG || archive_entry_hardlink(e) != NULL;
		t->is_encrypted = archive_entry_is_encrypted(e) != 0;
	}
	if (t->n < MAX_NAMES) {
		strbuf_puts(&t->names, t->n ? ", " : "");
		strbuf_visible(&t->names, name.n > 100 ? (struct slice){name.p, 100} : name);
	}
	t->n++;
	if (t->n == MAX_NAMES + 1)
		strbuf_puts(&t->names, ", ...");
}

/* Walks the directory: t[0] what the options name, t[1] every file. */
static glane_rc list(struct archive_source *s, const struct payload_options *o, struct tally t[2], struct diag *d)
{
	struct archive_entry *e = NULL;
	size_t index = 0;
	glane_rc rc;

	for (; (rc = header(s, &e, d)) == GLANE_OK; index++) {
		struct slice name = entry_name(e, &s->name);
		bool is_named;

		if (index == MAX_ENTRIES)
			return fail(d, GLANE_E_LIMIT, "%s archive: more than %d entries", s->kind, MAX_ENTRIES);
		if (is_climbing(name))
			return fail(d, GLANE_E_FORMAT,
				"%s archive: entry '%.*s' points outside of the archive; refused", s->kind,
				SLICE_FMT(name));
		if (o->part && (t[0].n || name.n != strlen(o->part) || strncasecmp(name.p, o->part, name.n) != 0))
			continue;
		if (archive_entry_filetype(e) == AE_IFDIR || slice_has_prefix(name, "__MACOSX/"))
			continue;
		is_named = o->part     ? true
			   : o->member ? is_match(name, o->member)
				       : o->member_suffix && has_suffix(name, o->member_suffix);
		if (is_named)
			tally_add(&t[0], index, name, e);
		tally_add(&t[1], index, name, e);
	}
	strbuf_reset(&s->name);
	return rc == GLANE_END ? GLANE_OK : rc;
}

static glane_rc choose(
	struct archive_source *s, const struct payload_options *o, struct tally t[2], size_t *ret, struct diag *d)
{
	struct tally *c = t[0].n || o->member ? &t[0] : &t[1];

	if (t[0].n == 0 && o->part)
		return GLANE_END;
	if (t[0].n == 0 && t[1].n == 0)
		return fail(d, GLANE_E_DATA, "%s archive: it holds no file", s->kind);
	if (c->n == 0)
		return fail(d, GLANE_E_DATA, "%s archive: no file matches member '%s'; there are: %.*s", s->kind,
			o->member ? o->member : "*", SLICE_FMT(strbuf_get(&t[1].names)));
	if (c->n > 1)
		return fail(d, GLANE_E_DATA, "%s archive: %zu files match, name one with `member`: %.*s", s->kind, c->n,
			SLICE_FMT(strbuf_get(&c->names)));
	if (c->is_irregular || c->is_encrypted)
		return fail(d, GLANE_E_FORMAT, "%s archive: entry '%.*s' is %s; refused", s->kind,
			SLICE_FMT(strbuf_get(&c->names)),
			c->is_irregular ? "a link or device, not a file" : "encrypted");
	*ret = c->first;
	return GLANE_OK;
}

/* Finds the entry, then reopens the archive at it. */
static glane_rc search(struct archive_source *s, const struct payload_options *o, struct diag *d)
{
	struct tally t[2] = {0};
	struct archive_entry *e = NULL;
	size_t index = 0;
	bool is_absent;
	glane_rc rc = begin(s, d);

	strbuf_init(&t[0].names, 0);
	strbuf_init(&t[1].names, 0);
	if (rc == GLANE_OK)
		rc = list(s, o, t, d);
	if (rc == GLANE_OK)
		rc = choose(s, o, t, &index, d);
	is_absent = rc == GLANE_END;
	if (rc == GLANE_OK)
		rc = begin(s, d);
	for (size_t i = 0; rc == GLANE_OK && i <= index; i++)
		rc = header(s, &e, d);
	if (rc == GLANE_OK)
		(void)entry_name(e, &s->name);
	strbuf_release(&t[0].names);
	strbuf_release(&t[1].names);
	return rc == GLANE_END && !is_absent
		       ? fail(d, GLANE_E_IO, "%s archive: the file changed while it was read", s->kind)
		       : rc;
}

/* libarchive gives names in the thread's locale, and none where they do not fit into it: so that is UTF-8 meanwhile. */
static glane_rc locate(struct archive_source *s, const struct payload_options *o, struct diag *d)
{
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0), before = (locale_t)0;
	glane_rc rc;

	if (utf8)
		before = uselocale(utf8);
	rc = search(s, o, d);
	if (utf8) {
		(void)uselocale(before);
		freelocale(utf8);
	}
	return rc;
}

static glane_rc archive_source_read(struct payload_source *base, char *buf, size_t cap, size_t *ret_n, struct diag *d)
{
	struct archive_source *s = (struct archive_source *)base;
	size_t n;

	while (s->n_data == 0 && !s->is_end) {
		const void *data = NULL;
		la_int64_t offset = 0;
		int r = archive_read_data_block(s->a, &data, &s->n_data, &offset);

		/* A warning is a checksum or a size that does not hold. */
		if (r != ARCHIVE_OK && r != ARCHIVE_EOF)
			return broken(s, d);
		s->is_end = r == ARCHIVE_EOF;
		s->n_data = s->is_end ? 0 : s->n_data;
		s->data = data;
		if (s->n_data && (uint64_t)offset != s->made)
			return fail(d, GLANE_E_FORMAT, "%s archive: entry '%.*s' has holes; refused", s->kind,
				SLICE_FMT(strbuf_get(&s->name)));
		s->made += s->n_data;
	}
	n = s->n_data < cap ? s->n_data : cap;
	if (n)
		memcpy(buf, s->data, n);
	s->data = n ? s->data + n : s->data;
	s->n_data -= n;
	*ret_n = n;
	return GLANE_OK;
}

static void archive_source_close(struct payload_source *base)
{
	struct archive_source *s = (struct archive_source *)base;

	end(s);
	strbuf_release(&s->name);
	mem_free(s);
}

glane_rc archive_entry_source(
	struct payload_source **ret, int fd, uint64_t size, const struct payload_options *o, struct diag *d)
{
	struct archive_source *s = mem_zalloc(1, sizeof(*s));
	char magic[8];
	size_t n = 0;
	glane_rc rc;

	if (!s)
		return fail(d, GLANE_E_NOMEM, "archive: out of memory");
	s->base.read = archive_source_read;
	s->base.close = archive_source_close;
	s->fd = fd;
	s->size = size;
	strbuf_init(&s->name, 0);
	rc = source_pread(fd, 0, magic, sizeof(magic), &n, d);
	s->kind = archive_sniff(magic, n) == ARCHIVE_7Z ? "7z" : "zip";
	if (rc == GLANE_OK)
		rc = locate(s, o, d);
	if (rc != GLANE_OK) {
		archive_source_close(&s->base);
		return rc;
	}
	*ret = &s->base;
	return GLANE_OK;
}
