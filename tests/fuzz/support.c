/* SPDX-License-Identifier: MIT */
/* What the fuzz targets share. */
#include "fuzz.h"
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct fuzz_target *fuzz_targets;

_Noreturn void fuzz_fail(const char *file, int line, const char *what, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%d: does not hold: %s: ", file, line, what);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}

struct slice fuzz_line(struct slice *in)
{
	struct slice line = slice_cut(in, '\n');

	return line.p ? line : SLICE("");
}

bool fuzz_part(struct slice *in, struct slice *ret)
{
	struct slice rest = *in;
	const char *mark;

	if (!rest.p)
		return false;
	if (slice_has_prefix(rest, "---\n")) {
		*ret = SLICE("");
		*in = (struct slice){rest.p + 4, rest.n - 4};
		return true;
	}
	mark = rest.n ? memmem(rest.p, rest.n, "\n---\n", 5) : NULL;
	*ret = mark ? (struct slice){rest.p, (size_t)(mark - rest.p) + 1} : rest;
	*in = mark ? (struct slice){mark + 5, rest.n - ret->n - 4} : (struct slice){NULL, 0};
	return true;
}

const char *fuzz_cstr(struct arena *a, struct slice s)
{
	const char *nul = s.n ? memchr(s.p, 0, s.n) : NULL;
	const char *copy = arena_strndup(a, s.p ? s.p : "", nul ? (size_t)(nul - s.p) : s.n);

	FUZZ_SAY(copy, "no memory");
	return copy;
}

const char **fuzz_words(struct arena *a, struct slice s, size_t max, size_t *ret_n)
{
	const char **v = arena_alloc(a, (max + 1) * sizeof(*v));

	FUZZ_SAY(v, "no memory");
	*ret_n = 0;
	while (s.p && *ret_n < max) {
		struct slice word = slice_cut(&s, ' ');

		if (word.n)
			v[(*ret_n)++] = fuzz_cstr(a, word);
	}
	return v;
}

uint32_t fuzz_hash(struct slice s)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 16777619u;
	return h ^ h >> 15;
}

int fuzz_file(struct slice s)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	size_t done = 0;

	FUZZ_CHECK(fd >= 0);
	while (done < s.n) {
		ssize_t n = write(fd, s.p + done, s.n - done);

		FUZZ_CHECK(n > 0);
		done += (size_t)n;
	}
	return fd;
}

static char folder[64];
static pid_t folder_owner;

static void folder_remove(void)
{
	char command[128];

	if (getpid() != folder_owner)
		return;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	if (system(command) != 0)
		fprintf(stderr, "cannot remove %s\n", folder);
}

const char *fuzz_folder(void)
{
	if (folder[0] && folder_owner == getpid())
		return folder;
	snprintf(folder, sizeof(folder), "%s/glane-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	FUZZ_CHECK(mkdtemp(folder));
	folder_owner = getpid();
	atexit(folder_remove);
	return folder;
}

void fuzz_put(const char *name, struct slice s)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", fuzz_folder(), name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FUZZ_SAY(fd >= 0 && (s.n == 0 || write(fd, s.p, s.n) == (ssize_t)s.n), "%s", path);
	close(fd);
}

/* ---- records ---- */

static bool is_starving; /* allocations fail: one of two calls may say less */

struct slice fuzz_paths(struct arena *a, struct slice in, struct record_options *o)
{
	struct slice select = fuzz_line(&in), fields = fuzz_line(&in), heads = fuzz_line(&in);

	o->select = fuzz_cstr(a, select);
	o->field = fuzz_words(a, fields, 8, &o->n_field);
	o->head = fuzz_words(a, heads, 4, &o->n_head);
	return in.p ? in : SLICE("");
}

static void put_value(struct strbuf *out, struct slice s)
{
	strbuf_puts(out, s.p ? "|" : "|~");
	strbuf_slice(out, s);
}

/* JSON: members or elements of the record and of what the first field's path begins with. */
static void put_items(struct strbuf *out, struct record_reader *r, const struct record_options *o)
{
	const char *const first = o->field && o->n_field ? o->field[0] : "0";
	char path[64];
	const size_t step = strcspn(first, ".");

	snprintf(path, sizeof(path), "%.*s", (int)(step < sizeof(path) ? step : 0), first);
	for (int k = 0; k < 2; k++) {
		size_t n = 0;
		const struct glane_kv *item = record_items(r, k ? path : "", &n);

		for (size_t i = 0; i < n; i++) {
			strbuf_puts(out, item[i].k ? item[i].k : "-");
			put_value(out, (struct slice){item[i].v.p, item[i].v.n});
		}
	}
}

static void put_record(struct strbuf *out, struct record_reader *r, const struct record_options *o)
{
	/* of SDMX `field` names dimensions, and the text of a record is not kept for as long as it is read */
	const bool is_sdmx = o->format == GLANE_FMT_SDMX, is_bound = o->field && !is_sdmx;
	size_t n = is_bound ? o->n_field : record_columns(r);
	uint64_t number = 0, line = 0, offset = 0;

	record_where(r, &number, &line, &offset);
	strbuf_fmt(out, "%llu %llu %llu", (unsigned long long)number, (unsigned long long)line,
		(unsigned long long)offset);
	while (is_sdmx && n > 0 && !record_at(r, n - 1).p)
		n--; /* a component of a later dataset, known the sooner the larger the window is */
	for (size_t i = 0; i < n; i++)
		put_value(out, record_at(r, i));
	for (size_t i = 0; is_bound && i < n; i++) {
		struct slice at = record_at(r, i), get = record_get(r, o->field[i]);

		FUZZ_SAY(is_starving || (!at.p == !get.p && slice_eq(at, get)), "%s: at %.*s, get %.*s", o->field[i],
			SLICE_FMT(at), SLICE_FMT(get));
	}
	put_items(out, r, o);
	if (!is_sdmx)
		put_value(out, record_text(r, 24));
	strbuf_putc(out, '\n');
}

static glane_rc render(
	const struct record_options *o, struct slice doc, size_t step, struct strbuf *out, struct diag *d)
{
	struct record_reader *r = NULL;
	struct payload p;
	glane_rc rc;

	diag_clear(d);
	payload_memory(&p, doc, step, d);
	rc = record_open(&r, &p, o, d);
	if (rc == GLANE_OK) {
		for (size_t i = 0; i < record_columns(r); i++)
			put_value(out, record_column(r, i));
		strbuf_putc(out, '\n');
		/* Others report through the same diag between two records. */
		while ((diag_clear(d), rc = record_next(r)) == GLANE_OK)
			put_record(out, r, o);
		FUZZ_SAY(record_next(r) == rc, "it goes on after %d", (int)rc);
		for (size_t i = 0; i < o->n_head; i++)
			put_value(out, record_head(r, i));
		record_close(r);
	}
	payload_close(&p);
	FUZZ_SAY(rc == GLANE_END || (rc < 0 && d->code == rc && d->text[0]), "%d without a message", (int)rc);
	return rc;
}

/* A message without the bytes that it quotes at its end, how many of which there are depends on the window, and nothing of libxml2's:
 * by pieces it does not always find the same thing first, nor in the same line. */
static struct slice unquoted(const char *text)
{
	const char *quote = strstr(text, ": '");

	if (slice_has_prefix(slice_of(text), "XML: line"))
		return SLICE("XML");
	return quote ? (struct slice){text, (size_t)(quote - text)} : slice_of(text);
}

static void compare(const struct record_options *o, struct slice doc, size_t step, const struct strbuf *want,
	glane_rc want_rc, const struct diag *want_d)
{
	struct strbuf got;
	struct diag d;
	bool is_limit;
	glane_rc rc;

	strbuf_init(&got, 0);
	rc = render(o, doc, step, &got, &d);
	/* What is too long and malformed may be refused for either. */
	is_limit = (rc == GLANE_E_LIMIT || want_rc == GLANE_E_LIMIT) && rc < 0 && want_rc < 0;
	FUZZ_SAY(rc == want_rc || is_limit, "whole: %d %s\nstep %zu: %d %s", (int)want_rc, want_d->text, step, (int)rc,
		d.text);
	FUZZ_SAY(is_limit || slice_eq(strbuf_get(want), strbuf_get(&got)), "step %zu\n%.*s\nwhole\n%.*s", step,
		SLICE_FMT(strbuf_get(&got)), SLICE_FMT(strbuf_get(want)));
	FUZZ_SAY(is_limit || slice_eq(unquoted(d.text), unquoted(want_d->text)), "step %zu: %s\nwhole: %s", step,
		d.text, want_d->text);
	strbuf_release(&got);
}

static void starve(const struct record_options *o, struct slice doc, uint32_t h, const struct strbuf *want)
{
	struct strbuf got;
	struct diag d;
	glane_rc rc;

	strbuf_init(&got, 0);
	mem_fail_after((long)(h % 61) + 1, h & 64);
	is_starving = true;
	rc = render(o, doc, 1 + h % 31, &got, &d);
	is_starving = false;
	mem_fail_after(0, false);
	FUZZ_SAY(rc != GLANE_END || !strbuf_ok(&got) || slice_eq(strbuf_get(want), strbuf_get(&got)),
		"without memory it gives something else");
	strbuf_release(&got);
}

glane_rc fuzz_records(const struct record_options *o, struct slice doc)
{
	uint32_t h = fuzz_hash(doc);
	struct strbuf whole;
	struct diag d;
	glane_rc rc;

	strbuf_init(&whole, 0);
	rc = render(o, doc, 0, &whole, &d);
	compare(o, doc, 1, &whole, rc, &d);
	compare(o, doc, 2 + h % 97, &whole, rc, &d);
	starve(o, doc, h >> 8, &whole);
	strbuf_release(&whole);
	return rc;
}
