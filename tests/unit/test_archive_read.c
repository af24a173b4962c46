/* SPDX-License-Identifier: MIT */
/* gzip, zip and 7z files as payloads: golden, cut at every byte, kept and split at every byte, damaged, hostile. */
#include "base/file.h"
#include "base/mem.h"
#include "read/payload.h"
#include <archive.h>
#include <archive_entry.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "support/families.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TEXT "id,name,value\n1,Togo,1.5\n2,\"C\xC3\xB4te d'Ivoire\",2.25\n3,Ghana,-7\n"

struct entry {
	const char *name, *text;
};
struct packed {
	char bytes[8192];
	size_t n;
};

/* `step` is how many bytes of each window are kept. */
static glane_rc read_file(const void *arg, struct slice doc, size_t step, struct strbuf *out, struct diag *d)
{
	struct payload_options o = {.is_archive_ok = true};
	int fd = memfd_create("payload", 0);
	struct payload p;
	glane_rc rc;

	if (arg)
		o = *(const struct payload_options *)arg;
	assert_true(fd >= 0);
	assert_int_equal(fd_write(fd, doc.p, doc.n, NULL), GLANE_OK);
	rc = payload_open(&p, fd, &o, d);
	while (rc == GLANE_OK) {
		const size_t keep = p.n < step ? p.n : step;

		if (p.last) {
			strbuf_add(out, p.p, p.n);
			break;
		}
		strbuf_add(out, p.p, p.n - keep);
		rc = payload_more(&p, keep);
	}
	payload_close(&p);
	close(fd);
	return rc;
}

static void pack_gzip(struct packed *to, const char *text, size_t n)
{
	z_stream z = {.zalloc = NULL};

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (Bytef *)(uintptr_t)text;
	z.avail_in = (uInt)n;
	z.next_out = (Bytef *)to->bytes + to->n;
	z.avail_out = (uInt)(sizeof(to->bytes) - to->n);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	to->n += z.total_out;
	deflateEnd(&z);
}

static void add_entry(struct archive *a, const struct entry *e)
{
	struct archive_entry *head = archive_entry_new();

	archive_entry_set_pathname(head, e->name);
	archive_entry_set_filetype(head, e->text ? AE_IFREG : AE_IFLNK);
	archive_entry_set_perm(head, 0644);
	if (e->text)
		archive_entry_set_size(head, (la_int64_t)strlen(e->text));
	else
		archive_entry_set_symlink(head, "/etc/passwd");
	assert_int_equal(archive_write_header(a, head), ARCHIVE_OK);
	if (e->text)
		assert_int_equal(archive_write_data(a, e->text, strlen(e->text)), (la_ssize_t)strlen(e->text));
	archive_entry_free(head);
}

static void pack(struct packed *to, bool is_zip, const struct entry *entries, size_t n)
{
	struct archive *a = archive_write_new();

	assert_int_equal(is_zip ? archive_write_set_format_zip(a) : archive_write_set_format_7zip(a), ARCHIVE_OK);
	assert_int_equal(archive_write_set_bytes_in_last_block(a, 1), ARCHIVE_OK);
	assert_int_equal(archive_write_open_memory(a, to->bytes, sizeof(to->bytes), &to->n), ARCHIVE_OK);
	for (size_t i = 0; i < n; i++)
		add_entry(a, &entries[i]);
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_write_free(a);
}

static void make(struct packed files[4])
{
	static const struct entry one[] = {{"data.csv", TEXT}};

	memset(files, 0, 4 * sizeof(files[0]));
	pack_gzip(&files[0], TEXT, strlen(TEXT));
	pack_gzip(&files[1], TEXT, 20); /* two members are one file */
	pack_gzip(&files[1], &TEXT[20], strlen(TEXT) - 20);
	pack(&files[2], true, one, 1);
	pack(&files[3], false, one, 1);
}

static const char *const names[4] = {"gzip", "gzip of two members", "zip", "7z"};

static void test_golden(void **state)
{
	struct packed files[4];

	(void)state;
	make(files);
	for (size_t i = 0; i < 4; i++) {
		const struct family f = {.name = names[i], .read = read_file, .doc = {files[i].bytes, files[i].n}};

		family_golden(&f, GLANE_OK, TEXT);
	}
}

/* A cut archive is an error, wherever it is cut, and what came out of it before is the beginning of the file. */
static void test_cut(void **state)
{
	struct packed files[4];

	(void)state;
	make(files);
	for (size_t i = 0; i < 4; i++)
		for (size_t n = 6; n < files[i].n; n++) { /* shorter ones are not known for what they are */
			const struct family f = {
				.name = names[i], .read = read_file, .doc = {files[i].bytes, files[i].n}};
			struct strbuf out;
			struct diag d;
			glane_rc rc = family_read(&f, n, n % 7, &out, &d);
			const size_t first = i == 1 ? files[0].n : 0;

			/* the first of two members is a whole file: the only cut that nobody could tell */
			if (rc >= 0 && !(first && strcmp(out.p, TEXT) != 0 && out.n == 20))
				fail_msg("%s cut at %zu: taken for whole: '%s'", names[i], n, out.p);
			assert_int_equal(strncmp(out.p, TEXT, out.n), 0);
			strbuf_release(&out);
		}
}

static void test_split(void **state)
{
	struct packed files[4];

	(void)state;
	make(files);
	for (size_t i = 0; i < 4; i++) {
		const struct family f = {.name = names[i], .read = read_file, .doc = {files[i].bytes, files[i].n}};

		family_split(&f);
	}
}

/* Every byte damaged: an error, or the same text (names, times and padding may be anything). */
static void test_damaged(void **state)
{
	struct packed files[4];

	(void)state;
	make(files);
	for (size_t i = 0; i < 4; i++)
		for (size_t k = 0; k < files[i].n; k++)
			for (unsigned bit = 0; bit < 8; bit += 3) {
				struct family f = {
					.name = names[i], .read = read_file, .doc = {files[i].bytes, files[i].n}};
				struct strbuf out;
				struct diag d;
				glane_rc rc;

				files[i].bytes[k] ^= (char)(1 << bit);
				rc = family_read(&f, f.doc.n, 0, &out, &d);
				if (rc >= 0 && k >= 6 && strcmp(out.p, TEXT) != 0)
					fail_msg("%s, bit %u of byte %zu: '%s'", names[i], bit, k, out.p);
				strbuf_release(&out);
				files[i].bytes[k] ^= (char)(1 << bit);
			}
}

static void test_entries(void **state)
{
	static const struct entry several[] = {{"readme.txt", "read me"}, {"a/data.csv", TEXT}, {"meta.csv", "x\n"}},
				  one_csv[] = {{"readme.txt", "read me"}, {"a/data.csv", TEXT}},
				  link[] = {{"data.csv", NULL}}, up[] = {{"../../data.csv", TEXT}};
	static const struct {
		const struct entry *entries;
		size_t n;
		const char *member, *suffix;
		glane_rc rc;
		const char *text; /* of the file, or in the message */
	} rows[] = {
		{several, 3, "a/*.csv", NULL, GLANE_OK, TEXT},
		{several, 3, "readme*", ".csv", GLANE_OK, "read me"},
		{several, 3, NULL, ".csv", GLANE_E_DATA, "a/data.csv"},
		{several, 3, NULL, NULL, GLANE_E_DATA, "3 files match"},
		{several, 3, "*.xml", NULL, GLANE_E_DATA, "there are: readme.txt"},
		{one_csv, 2, NULL, ".csv", GLANE_OK, TEXT},
		{link, 1, NULL, NULL, GLANE_E_FORMAT, "refused"},
		{up, 1, NULL, NULL, GLANE_E_FORMAT, "points outside of the archive"},
	};

	(void)state;
	for (int is_zip = 0; is_zip < 2; is_zip++)
		for (size_t i = 0; i < COUNT(rows); i++) {
			const struct payload_options o = {
				.is_archive_ok = true, .member = rows[i].member, .member_suffix = rows[i].suffix};
			struct packed file = {.n = 0};
			struct family f = {.name = is_zip ? "zip" : "7z", .read = read_file, .arg = &o};
			struct strbuf out;
			struct diag d;
			glane_rc rc;

			pack(&file, is_zip, rows[i].entries, rows[i].n);
			f.doc = (struct slice){file.bytes, file.n};
			rc = family_read(&f, f.doc.n, 0, &out, &d);
			if (rc != rows[i].rc || !strstr(rc < 0 ? d.text : out.p, rows[i].text))
				fail_msg("%s, row %zu: %d %s%s", f.name, i, (int)rc, d.text, out.p);
			strbuf_release(&out);
		}
}

static void test_bombs(void **state)
{
	const struct payload_options small = {.is_archive_ok = true, .max_bytes = 1000};
	const size_t n = (size_t)3 << 20;
	char *zeros = mem_zalloc(n + 1, 1);
	struct packed file = {.n = 0};
	struct family f = {.name = "bomb", .read = read_file, .arg = &small};
	struct strbuf out;
	struct diag d;

	(void)state;
	assert_non_null(zeros);
	memset(zeros, '0', n);
	pack_gzip(&file, zeros, n);
	f.doc = (struct slice){file.bytes, file.n};
	assert_int_equal(family_read(&f, f.doc.n, 0, &out, &d), GLANE_E_LIMIT);
	strbuf_release(&out);
	for (int is_zip = 0; is_zip < 2; is_zip++) {
		const struct entry e = {"zeros.csv", zeros};

		memset(&file, 0, sizeof(file));
		pack(&file, is_zip, &e, 1);
		f.doc = (struct slice){file.bytes, file.n};
		assert_int_equal(family_read(&f, f.doc.n, 0, &out, &d), GLANE_E_LIMIT);
		strbuf_release(&out);
	}
	mem_free(zeros);
}

/* What is no archive is a file like any other, and one that asks to be left alone is left alone. */
static void test_left_alone(void **state)
{
	static const struct payload_options raw = {.encoding = "binary"};
	struct packed files[4];

	(void)state;
	make(files);
	for (size_t i = 0; i < 4; i++) {
		const struct family f = {
			.name = names[i], .read = read_file, .arg = &raw, .doc = {files[i].bytes, files[i].n}};
		struct strbuf out;
		struct diag d;

		assert_int_equal(family_read(&f, f.doc.n, 3, &out, &d), GLANE_OK);
		assert_true(out.n == files[i].n && memcmp(out.p, files[i].bytes, out.n) == 0);
		strbuf_release(&out);
	}
}

static void test_trailing(void **state)
{
	static const char *const tails[] = {"x", "\x1f", "\x1f\x8b", "trailing bytes"};
	struct packed file;

	(void)state;
	for (size_t i = 0; i < COUNT(tails); i++) {
		struct family f = {.name = "gzip and more", .read = read_file};
		struct strbuf out;
		struct diag d;

		memset(&file, 0, sizeof(file));
		pack_gzip(&file, TEXT, strlen(TEXT));
		memcpy(file.bytes + file.n, tails[i], strlen(tails[i]));
		f.doc = (struct slice){file.bytes, file.n + strlen(tails[i])};
		assert_int_equal(family_read(&f, f.doc.n, 0, &out, &d), GLANE_E_FORMAT);
		strbuf_release(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_bombs),
		cmocka_unit_test(test_left_alone),
		cmocka_unit_test(test_trailing),
	};

	return cmocka_run_group_tests_name("archive_read", tests, NULL, NULL);
}
