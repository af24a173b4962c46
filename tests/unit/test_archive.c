/* SPDX-License-Identifier: MIT */
/* Entries of zip, 7z and gzip files as streams: the right one, whole and checked, or a clear refusal. */
#include "base/file.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "read/payload.h"
#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define CAP ((size_t)4 << 20)

struct entry {
	const char *name;
	struct slice data;
	unsigned type; /* 0: a file */
	const char *link;
};
#define FILE_OF(name, text) ((struct entry){name, SLICE(text), 0, NULL})
static const char csv[] = "id,v\n1,2\n3,4\n";
#define CSV ((struct slice){csv, sizeof(csv) - 1})

/* Writes the entries; format "zip", "7zip", or "gzip" (the first entry only). */
static void pack(struct strbuf *b, const char *format, const char *options, const struct entry *e, size_t n)
{
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0), before = uselocale(utf8);
	struct archive *a = archive_write_new();
	char *out = mem_alloc(CAP);
	size_t used = 0;

	assert_true(a && out);
	if (strcmp(format, "gzip") == 0) {
		assert_int_equal(archive_write_add_filter_gzip(a), ARCHIVE_OK);
		assert_int_equal(archive_write_set_format_raw(a), ARCHIVE_OK);
	} else {
		assert_int_equal(archive_write_set_format_by_name(a, format), ARCHIVE_OK);
	}
	if (options)
		assert_int_equal(archive_write_set_options(a, options), ARCHIVE_OK);
	if (options && strstr(options, "encryption"))
		assert_int_equal(archive_write_set_passphrase(a, "secret"), ARCHIVE_OK);
	assert_int_equal(archive_write_set_bytes_in_last_block(a, 1), ARCHIVE_OK);
	assert_int_equal(archive_write_open_memory(a, out, CAP, &used), ARCHIVE_OK);
	for (size_t i = 0; i < n; i++) {
		struct archive_entry *h = archive_entry_new();

		archive_entry_update_pathname_utf8(h, e[i].name);
		archive_entry_set_filetype(h, e[i].type ? e[i].type : AE_IFREG);
		archive_entry_set_perm(h, 0644);
		archive_entry_set_size(h, (la_int64_t)e[i].data.n);
		if (e[i].link)
			archive_entry_set_symlink(h, e[i].link);
		assert_true(archive_write_header(a, h) >= ARCHIVE_WARN);
		if (e[i].data.n)
			assert_int_equal(archive_write_data(a, e[i].data.p, e[i].data.n), e[i].data.n);
		archive_entry_free(h);
	}
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	(void)archive_write_free(a);
	(void)uselocale(before);
	freelocale(utf8);
	strbuf_reset(b);
	strbuf_add(b, out, used);
	mem_free(out);
	assert_true(strbuf_ok(b));
}

/* Opens the bytes as a file and reads what comes out to its end, keeping `keep` bytes each time. */
static glane_rc unpack(
	struct slice in, const struct payload_options *o, size_t keep, struct strbuf *out, struct diag *d)
{
	int fd = memfd_create("archive", 0);
	struct payload p;
	glane_rc rc;

	assert_true(fd >= 0);
	assert_int_equal(fd_write(fd, in.p, in.n, NULL), GLANE_OK);
	rc = payload_open(&p, fd, o, d);
	if (rc == GLANE_OK)
		strbuf_add(out, p.p, p.n);
	while (rc == GLANE_OK && !p.last) {
		size_t left = p.n < keep ? p.n : keep;

		rc = payload_more(&p, left);
		if (rc == GLANE_OK && memcmp(p.p, out->p + out->n - left, left) != 0)
			fail_msg("the kept bytes changed");
		if (rc == GLANE_OK)
			strbuf_add(out, p.p + left, p.n - left);
	}
	payload_close(&p);
	(void)close(fd);
	return rc;
}

static void expect(struct slice in, const struct payload_options *o, glane_rc want, struct slice data, const char *text)
{
	struct diag d = {0};
	struct strbuf out;
	glane_rc rc;

	strbuf_init(&out, 0);
	rc = unpack(in, o, 3, &out, &d);
	if (rc != want || (text && !strstr(d.text, text)))
		fail_msg("%d instead of %d: %s", rc, want, d.text);
	if (rc == GLANE_OK)
		assert_true(slice_eq(strbuf_get(&out), data));
	strbuf_release(&out);
}

static const struct payload_options plain = {.is_archive_ok = true, .member_suffix = ".csv"};

static void test_formats(void **state)
{
	static const struct {
		const char *format, *options;
	} rows[] = {
		{"zip", NULL},
		{"zip", "zip:compression=store"},
		{"7zip", NULL},
		{"7zip", "7zip:compression=deflate"},
		{"7zip", "7zip:compression=store"},
		{"gzip", NULL},
	};
	const struct entry e = {"data.csv", CSV, 0, NULL}, empty = {"empty.csv", {"", 0}, 0, NULL};
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct payload_options off = {.is_archive_ok = false};

		pack(&b, rows[i].format, rows[i].options, &e, 1);
		expect(strbuf_get(&b), &plain, GLANE_OK, CSV, NULL);
		expect(strbuf_get(&b), &off, GLANE_OK, strbuf_get(&b), NULL);
		pack(&b, rows[i].format, rows[i].options, &empty, 1);
		expect(strbuf_get(&b), &plain, GLANE_OK, SLICE(""), NULL);
	}
	strbuf_release(&b);
}

static void test_choice(void **state)
{
	const struct entry e[] = {
		{"out/", {"", 0}, AE_IFDIR, NULL},
		FILE_OF("out/README.txt", "read"),
		FILE_OF("out/data.CSV", "a"),
		FILE_OF("out/\xC3\xA9t\xC3\xA9.tsv", "b"),
		FILE_OF("__MACOSX/out/._data.csv", "junk"),
		FILE_OF("x.tsv", "c"),
	};
	static const struct {
		const char *member, *suffix;
		glane_rc rc;
		const char *out, *text;
	} rows[] = {
		{NULL, ".csv", GLANE_OK, "a", NULL},
		{"x.tsv", NULL, GLANE_OK, "c", NULL},
		{"data.*", ".tsv", GLANE_OK, "a", NULL},
		{"*/\xC3\xA9?\xC3\xA9.tsv", NULL, GLANE_OK, "b", NULL},
		{"*.tsv", ".csv", GLANE_E_DATA, NULL,
			"2 files match, name one with `member`: out/\xC3\xA9t\xC3\xA9.tsv, x.tsv"},
		{"out/*", NULL, GLANE_E_DATA, NULL, "3 files match"},
		{"*.xml", NULL, GLANE_E_DATA, NULL,
			"no file matches member '*.xml'; there are: out/README.txt, out/data.CSV"},
		{NULL, ".xml|.json|.csv", GLANE_OK, "a", NULL},
		{NULL, ".tsv|.csv", GLANE_E_DATA, NULL, "3 files match"},
		{NULL, ".json", GLANE_E_DATA, NULL, "4 files match"},
		{NULL, NULL, GLANE_E_DATA, NULL, "4 files match"},
	};
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	for (int i = 0; i < 2; i++) {
		pack(&b, i ? "7zip" : "zip", i ? NULL : "zip:hdrcharset=UTF-8", e, COUNT(e));
		for (size_t k = 0; k < COUNT(rows); k++) {
			struct payload_options o = {
				.is_archive_ok = true, .member = rows[k].member, .member_suffix = rows[k].suffix};

			expect(strbuf_get(&b), &o, rows[k].rc, slice_of(rows[k].out), rows[k].text);
		}
	}
	strbuf_release(&b);
}

static void test_many(void **state)
{
	struct entry e[12];
	char names[12][8] = {{0}};
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	for (size_t i = 0; i < COUNT(e); i++) {
		names[i][0] = (char)('a' + i);
		memcpy(names[i] + 1, ".csv", 5);
		e[i] = (struct entry){names[i], CSV, 0, NULL};
	}
	pack(&b, "zip", NULL, e, COUNT(e));
	expect(strbuf_get(&b), &plain, GLANE_E_DATA, CSV, "12 files match, name one with `member`: a.csv, b.csv");
	expect(strbuf_get(&b), &plain, GLANE_E_DATA, CSV, "i.csv, j.csv, ...");
	e[1].name = e[0].name = "same.csv";
	pack(&b, "zip", NULL, e, 2);
	expect(strbuf_get(&b), &plain, GLANE_E_DATA, CSV, "2 files match, name one with `member`: same.csv, same.csv");
	strbuf_release(&b);
}

static void test_refused(void **state)
{
	static const char *const climbing[] = {"../data.csv", "a/../../data.csv", "..", "a\\..\\data.csv"};
	const struct entry e = {"data.csv", CSV, 0, NULL}, link = {"data.csv", {"", 0}, AE_IFLNK, "/etc/passwd"};
	struct payload_options member = {.is_archive_ok = true, .member = "data.csv"};
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	for (size_t i = 0; i < COUNT(climbing); i++) {
		const struct entry two[] = {e, {climbing[i], CSV, 0, NULL}};

		pack(&b, "zip", NULL, two, 2);
		expect(strbuf_get(&b), &plain, GLANE_E_FORMAT, CSV, "points outside of the archive; refused");
	}
	for (int i = 0; i < 2; i++) {
		pack(&b, i ? "7zip" : "zip", NULL, &link, 1);
		expect(strbuf_get(&b), &plain, GLANE_E_FORMAT, CSV,
			"'data.csv' is a link or device, not a file; refused");
		expect(strbuf_get(&b), &member, GLANE_E_FORMAT, CSV, "is a link or device");
	}
	pack(&b, "7zip", NULL, &e, 0);
	expect(strbuf_get(&b), &plain, GLANE_E_DATA, CSV, "it holds no file");
	pack(&b, "zip", NULL, &e, 0); /* libarchive sees no archive in it */
	expect(strbuf_get(&b), &plain, GLANE_E_FORMAT, CSV, "damaged or cut short");
	pack(&b, "zip", "zip:encryption=zipcrypt", &e, 1);
	expect(strbuf_get(&b), &plain, GLANE_E_FORMAT, CSV, "is encrypted; refused");
	strbuf_release(&b);
}

static void test_nested(void **state)
{
	static const char *const formats[] = {"zip", "7zip", "gzip"};
	const struct entry e = {"data.csv", CSV, 0, NULL};
	struct strbuf inner, outer;

	(void)state;
	strbuf_init(&inner, 0);
	strbuf_init(&outer, 0);
	for (size_t i = 0; i < COUNT(formats); i++) {
		for (size_t k = 0; k < COUNT(formats); k++) {
			struct entry again = {"data.csv", {NULL, 0}, 0, NULL};

			pack(&inner, formats[i], NULL, &e, 1);
			again.data = strbuf_get(&inner);
			pack(&outer, formats[k], NULL, &again, 1);
			expect(strbuf_get(&outer), &plain, GLANE_E_FORMAT, CSV, "nested archives are not opened");
		}
	}
	strbuf_release(&inner);
	strbuf_release(&outer);
}

static void test_cut(void **state)
{
	static const char *const formats[] = {"zip", "7zip", "gzip"};
	const struct entry e = {"data.csv", CSV, 0, NULL};
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	for (size_t i = 0; i < COUNT(formats); i++) {
		pack(&b, formats[i], NULL, &e, 1);
		for (size_t n = 8; n < b.n; n++)
			expect((struct slice){b.p, n}, &plain, GLANE_E_FORMAT, CSV, NULL);
	}
	strbuf_release(&b);
}

/* Any single damaged byte: an error, or the very same data. */
static void test_damaged(void **state)
{
	static const char *const formats[] = {"zip", "7zip", "gzip"};
	const struct entry e = {"data.csv", CSV, 0, NULL};
	struct strbuf b, out;
	size_t n_refused = 0;

	(void)state;
	strbuf_init(&b, 0);
	strbuf_init(&out, 0);
	for (size_t i = 0; i < COUNT(formats); i++) {
		pack(&b, formats[i], i == 0 ? "zip:compression=store" : NULL, &e, 1);
		for (size_t n = 8 * 6; n < b.n * 8; n++) {
			struct diag d = {0};
			glane_rc rc;

			b.p[n / 8] = (char)(b.p[n / 8] ^ 1 << n % 8);
			strbuf_reset(&out);
			rc = unpack(strbuf_get(&b), &plain, 0, &out, &d);
			assert_true(rc == GLANE_OK ? slice_eq(strbuf_get(&out), CSV) : d.text[0] != 0);
			n_refused += rc != GLANE_OK;
			b.p[n / 8] = (char)(b.p[n / 8] ^ 1 << n % 8);
		}
	}
	assert_true(n_refused > 1000);
	pack(&b, "zip", "zip:compression=store", &e, 1);
	for (size_t n = 0; n + CSV.n <= b.n; n++) {
		if (memcmp(b.p + n, csv, CSV.n) == 0)
			b.p[n] = 'x';
	}
	expect(strbuf_get(&b), &plain, GLANE_E_FORMAT, CSV, "in data.csv: ZIP bad CRC");
	strbuf_release(&b);
	strbuf_release(&out);
}

static void test_trailing(void **state)
{
	const struct entry e = {"data.csv", CSV, 0, NULL};
	struct strbuf b, two;

	(void)state;
	strbuf_init(&b, 0);
	strbuf_init(&two, 0);
	pack(&b, "zip", NULL, &e, 1);
	strbuf_puts(&b, "junk");
	expect(strbuf_get(&b), &plain, GLANE_OK, CSV, NULL);
	pack(&b, "gzip", NULL, &e, 1);
	strbuf_slice(&two, strbuf_get(&b));
	strbuf_slice(&two, strbuf_get(&b));
	expect(strbuf_get(&two), &plain, GLANE_OK, SLICE("id,v\n1,2\n3,4\nid,v\n1,2\n3,4\n"), NULL);
	strbuf_puts(&b, "junk");
	expect(strbuf_get(&b), &plain, GLANE_E_FORMAT, CSV, "bytes follow the end of the compressed stream");
	strbuf_release(&b);
	strbuf_release(&two);
}

/* Larger than every buffer on the way, in windows that keep little and much. */
static void test_large(void **state)
{
	static const char *const formats[] = {"zip", "7zip", "gzip"};
	struct strbuf data, b, out;

	(void)state;
	strbuf_init(&data, 0);
	strbuf_init(&b, 0);
	strbuf_init(&out, 0);
	for (unsigned i = 0; data.n < (1 << 20) + 12345; i++)
		strbuf_fmt(&data, "%u,%u\n", i, i * 2654435761U);
	for (size_t i = 0; i < COUNT(formats); i++) {
		const struct entry e = {"data.csv", strbuf_get(&data), 0, NULL};

		pack(&b, formats[i], NULL, &e, 1);
		for (size_t keep = 0; keep < 900000; keep = keep * 31 + 7) {
			struct diag d = {0};

			strbuf_reset(&out);
			assert_int_equal(unpack(strbuf_get(&b), &plain, keep, &out, &d), GLANE_OK);
			assert_true(slice_eq(strbuf_get(&out), strbuf_get(&data)));
		}
	}
	strbuf_release(&data);
	strbuf_release(&b);
	strbuf_release(&out);
}

static void test_bombs(void **state)
{
	static const char *const formats[] = {"zip", "7zip", "gzip"};
	const size_t n = (size_t)24 << 20;
	struct payload_options small = {.is_archive_ok = true, .max_bytes = 1 << 20};
	struct entry e = {"data.csv", {NULL, n}, 0, NULL};
	char *zeros = mem_zalloc(n, 1);
	struct strbuf b;

	(void)state;
	assert_non_null(zeros);
	strbuf_init(&b, 0);
	e.data.p = zeros;
	for (size_t i = 0; i < COUNT(formats); i++) {
		pack(&b, formats[i], NULL, &e, 1);
		expect(strbuf_get(&b), &small, GLANE_E_LIMIT, CSV, "more than 1048576 bytes come out");
	}
	pack(&b, "7zip", NULL, &e, 1); /* LZMA: thousands to one */
	expect(strbuf_get(&b), &plain, GLANE_E_LIMIT, CSV, "1032 times an archive's size");
	strbuf_release(&b);
	mem_free(zeros);
}

static void test_no_memory(void **state)
{
	static const char *const formats[] = {"zip", "gzip"};
	const struct entry e = {"data.csv", CSV, 0, NULL};
	struct strbuf b, out;

	(void)state;
	strbuf_init(&b, 0);
	strbuf_init(&out, 0);
	strbuf_puts(&out, "room enough for what comes out of it");
	for (size_t i = 0; i < COUNT(formats); i++) {
		glane_rc rc = GLANE_E_NOMEM;
		long n;

		pack(&b, formats[i], NULL, &e, 1);
		for (n = 1; rc != GLANE_OK && n < 40; n++) {
			struct diag d = {0};

			strbuf_reset(&out);
			mem_fail_after(n, false);
			rc = unpack(strbuf_get(&b), &plain, 0, &out, &d);
			mem_fail_after(0, false);
			assert_true(rc == GLANE_OK || d.text[0]);
		}
		assert_int_equal(rc, GLANE_OK);
		assert_in_range(n, 3, 20);
	}
	strbuf_release(&b);
	strbuf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_trailing),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_bombs),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("archive", tests, NULL, NULL);
}
