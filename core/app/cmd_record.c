/* SPDX-License-Identifier: MIT */
/* glane record: a run of one source into a store that is thrown away, and its answers as a fixture. */
#include "app/app.h"
#include "net/fetch_secret.h"

#include "base/file.h"
#include "base/inflate.h"
#include "base/json.h"
#include "net/archive_side.h"
#include "proc/broker.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_BODY ((size_t)1 << 30)

static const char help[] =
	"glane record SOURCE [-o DIR]\n"
	"\n"
	"Runs a configured source into a store that is thrown away, and keeps what the provider "
	"answered: DIR/index.tsv\n"
	"(URL, file, content type, method, SHA-256 of the request's body, ETag, Last-Modified; in "
	"order of asking; - is\n"
	"none) and a file for each answer. Secrets of the source are struck out, {auth:NAME} stands "
	"in their place. What\n"
	"is recorded also serves where the plugin failed on it. For glane check-plugin, and "
	"scripts/seed, which makes it\n"
	"the archive of a store for glane run --offline.\n"
	"\n"
	"  -o, --output DIR   default: SOURCE.recorded; it must not hold an index.tsv\n"
	"A gzip file that holds one is written unpacked; zip and 7z files are not looked into where there are "
	"secrets, which is said.\n"
	"Exit: 0, 1 where the source failed, nothing was answered or an archive is to be looked into, 2 "
	"usage.\n";

struct recorded {
	struct archive_entry e;
	size_t order; /* of asking, where that is known */
};
struct recording {
	struct settings s;
	struct source_conf *source;
	struct arena *arena;
	char store[4096];
	struct recorded *v;
	size_t n, cap;
	json_t *requests; /* of the commit, in order; NULL: there was none */
	struct archive archive;
	struct secret_finder secrets;
	size_t n_unseen; /* archives that were not looked into */
	int dir;         /* the fixture's */
	struct strbuf index, body;
};

/* ---- what was archived ---- */

static size_t order_of(const struct recording *k, const struct archive_entry *e)
{
	const size_t n = json_array_size(k->requests);
	size_t i = 0;

	for (; i < n; i++) {
		const json_t *q = json_array_get(k->requests, i);

		if (strcmp(json_text(q, "url", ""), e->url) == 0 && strcmp(json_text(q, "sha256", ""), e->sha256) == 0)
			break;
	}
	return i;
}

static glane_rc take_side(void *arg, int dir, const char *folder, const char *name, struct diag *d)
{
	struct recording *k = arg;
	const size_t len = strlen(name);
	struct archive_entry *e;
	size_t n;
	glane_rc rc;

	if (len < 5 || strcmp(name + len - 5, ".json") != 0)
		return GLANE_OK;
	(void)folder;
	rc = archive_side_read(k->arena, dir, name, &e, &n, d);
	for (size_t i = 0; rc == GLANE_OK && i < n; i++) {
		if (!mem_grow(&k->v, &k->cap, k->n + 1, sizeof(*k->v)))
			return fail(d, GLANE_E_NOMEM, "no memory for the list of answers");
		k->v[k->n++] = (struct recorded){e[i], order_of(k, &e[i])};
	}
	return rc;
}

static int by_order(const void *x, const void *y)
{
	const struct recorded *a = x, *b = y;

	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	if (a->e.fetched_at != b->e.fetched_at)
		return a->e.fetched_at < b->e.fetched_at ? -1 : 1;
	return strcmp(a->e.url, b->e.url);
}

static glane_rc list_answers(struct recording *k, const struct store *st, struct diag *d)
{
	json_t *state = NULL;
	uint64_t n = 0;
	glane_rc rc = store_commit_number(st, k->source->name, &n, d);

	if (rc == GLANE_OK && n)
		rc = store_state(st, k->source->name, n, &state, d);
	if (rc == GLANE_OK)
		rc = archive_open(&k->archive, st->dir, false, d);
	if (rc == GLANE_OK) {
		k->requests = json_object_get(state, "requests");
		rc = archive_walk(k->archive.dir, take_side, k, d);
		k->requests = NULL;
	}
	if (k->n)
		qsort(k->v, k->n, sizeof(*k->v), by_order);
	json_decref(state);
	return rc;
}

/* ---- the fixture ---- */

static const char *suffix_of(const struct archive_entry *e, struct slice body, bool *ret_packed)
{
	static const struct {
		const char *word, *suffix;
	} types[] = {{"json", "json"}, {"xml", "xml"}, {"tab-separated", "tsv"}, {"csv", "csv"}, {"html", "html"}};

	*ret_packed = true;
	if (slice_has_prefix(body, "PK\003\004"))
		return "zip";
	if (slice_has_prefix(body, "\037\213"))
		return "gz";
	if (slice_has_prefix(body, "7z\274\257"))
		return "7z";
	*ret_packed = false;
	for (size_t i = 0; e->content_type && i < sizeof(types) / sizeof(types[0]); i++)
		if (strstr(e->content_type, types[i].word))
			return types[i].suffix;
	return "txt";
}

/* A cell of the index: struck out, tabs and line ends as blanks; - where it is empty. */
static void add_cell(struct recording *k, const char *text, char end)
{
	const size_t from = k->index.n;

	secret_replace(&k->secrets, slice_of(text && text[0] ? text : "-"), false, NULL, &k->index);
	for (size_t i = from; strbuf_ok(&k->index) && i < k->index.n; i++)
		if (k->index.p[i] == '\t' || k->index.p[i] == '\n' || k->index.p[i] == '\r')
			k->index.p[i] = ' ';
	strbuf_putc(&k->index, end);
}

static glane_rc read_body(
	struct recording *k, int tmp, const struct archive_entry *e, struct strbuf *raw, struct diag *d)
{
	uint64_t size = 0;
	int fd = -1;
	char *room;
	ssize_t n = 0;
	glane_rc rc = archive_get(&k->archive, e->sha256, tmp, &fd, &size, d);

	while (rc == GLANE_OK && (room = strbuf_room(raw, 65536)) && (n = read(fd, room, 65536)) > 0)
		raw->n += (size_t)n;
	if (rc == GLANE_OK && (n < 0 || !strbuf_ok(raw)))
		rc = fail(d, GLANE_E_LIMIT, "%s: its answer cannot be read, or is larger than 1 GiB", e->url);
	fd_close(&fd);
	return rc;
}

static glane_rc unpack(struct slice packed, struct strbuf *to, struct diag *d)
{
	struct inflater *z = inflater_new(INFLATE_GZIP);
	glane_rc rc = z ? GLANE_OK : fail(d, GLANE_E_NOMEM, "no memory to unpack an answer");
	size_t n = 1;

	while (rc == GLANE_OK && (packed.n || n > 0)) {
		char *room = strbuf_room(to, 65536);

		rc = room ? inflater_add(z, &packed, room, 65536, &n, d)
			  : fail(d, GLANE_E_LIMIT, "more than 1 GiB comes out of an answer");
		to->n += rc == GLANE_OK ? n : 0;
	}
	if (rc == GLANE_OK)
		rc = inflater_end(z, d);
	inflater_free(z);
	return rc;
}

/* An archive stays as it is, but for a gzip file that holds a secret: that is written unpacked, which a reader takes as well. */
static void strike_packed(
	struct recording *k, const struct archive_entry *e, struct slice raw, const char *name, const char **suffix)
{
	struct strbuf inside;
	bool packed = true;
	struct diag why;
	size_t n = 0;

	diag_clear(&why);
	strbuf_init(&inside, MAX_BODY);
	if (strcmp(*suffix, "gz") == 0 && unpack(raw, &inside, &why) == GLANE_OK) {
		const char *unpacked = suffix_of(e, strbuf_get(&inside), &packed);

		n = packed ? 0 : secret_replace(&k->secrets, strbuf_get(&inside), false, NULL, &k->body);
		if (n)
			*suffix = unpacked;
	}
	if (n == 0) {
		strbuf_reset(&k->body);
		strbuf_slice(&k->body, raw);
	}
	secret_wipe(&inside);
	k->n_unseen += packed;
	if (packed)
		fprintf(stderr,
			"glane: %s.%s (%s) is an archive that was not looked into: unpack it and search it for the "
			"secrets of %s before you give it to anyone\n",
			name, *suffix, e->url, k->source->name);
}

static glane_rc write_answer(struct recording *k, int tmp, size_t i, struct diag *d)
{
	const struct archive_entry *e = &k->v[i].e;
	const char *suffix;
	struct strbuf raw;
	char name[64], number[32];
	bool packed;
	glane_rc rc;

	strbuf_init(&raw, MAX_BODY);
	strbuf_reset(&k->body);
	rc = read_body(k, tmp, e, &raw, d);
	if (rc == GLANE_OK) {
		suffix = suffix_of(e, strbuf_get(&raw), &packed);
		snprintf(number, sizeof(number), "%04zu", i + 1);
		if (packed && k->secrets.n)
			strike_packed(k, e, strbuf_get(&raw), number, &suffix);
		else
			secret_replace(&k->secrets, strbuf_get(&raw), false, NULL, &k->body);
		snprintf(name, sizeof(name), "%s.%s", number, suffix);
		add_cell(k, e->url, '\t');
		add_cell(k, name, '\t');
		add_cell(k, e->content_type, '\t');
		add_cell(k, e->method, '\t');
		add_cell(k, e->body_sha256, '\t');
		add_cell(k, e->etag, '\t');
		add_cell(k, e->last_modified, '\n');
		rc = strbuf_ok(&k->body) && strbuf_ok(&k->index)
			     ? file_replace(k->dir, name, strbuf_get(&k->body), false, d)
			     : fail(d, GLANE_E_NOMEM, "%s: no memory for its answer", e->url);
	}
	secret_wipe(&raw);
	return rc;
}

static glane_rc write_all(struct recording *k, const char *output, struct diag *d)
{
	const int tmp = dir_open(AT_FDCWD, k->store, false, d);
	glane_rc rc = tmp < 0 ? d->code : GLANE_OK;

	for (size_t i = 0; rc == GLANE_OK && i < k->n; i++)
		rc = write_answer(k, tmp, i, d);
	if (rc == GLANE_OK)
		rc = file_replace(k->dir, "index.tsv", strbuf_get(&k->index), false, d);
	if (tmp >= 0)
		close(tmp);
	if (rc != GLANE_OK)
		return rc;
	fprintf(stderr, "glane: %zu answer%s in %s%s\n", k->n, k->n == 1 ? "" : "s", output,
		k->source->n_secrets ? ", the secrets of its auth struck out" : "");
	fprintf(stderr, "glane: tried on them by: glane check-plugin %s %s --source=%s\n", k->source->plugin, output,
		k->source->name);
	return GLANE_OK;
}

/* ---- the run ---- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

static int run_into(struct recording *k)
{
	const char *names[] = {k->source->name, NULL};
	const struct run_options o = {.names = names, .n_names = 1, .now = INT64_MIN};

	k->s.store = k->store;
	k->source->keep_payloads = KEEP_ALL;
	return run_all(&k->s, &o);
}

static int record_into(struct recording *k, const char *output)
{
	struct store st;
	struct diag d;
	int code = run_into(k);
	glane_rc rc;

	if (code == EXIT_USAGE || code == EXIT_STORE)
		return code;
	diag_clear(&d);
	rc = store_open(&st, k->store, false, &d);
	if (rc == GLANE_OK) {
		rc = list_answers(k, &st, &d);
		if (rc == GLANE_OK && k->n == 0)
			rc = fail(
				&d, GLANE_E_FETCH, "%s: nothing was answered, so nothing is recorded", k->source->name);
		if (rc == GLANE_OK)
			rc = write_all(k, output, &d);
		archive_close(&k->archive);
		store_close(&st);
	}
	if (rc != GLANE_OK)
		return complain(EXIT_SOME, "record: %s", d.text);
	return code == EXIT_FINE && !k->n_unseen ? EXIT_FINE : EXIT_SOME;
}

static int record(struct recording *k, const char *output)
{
	struct diag d;
	int code;

	diag_clear(&d);
	if (secret_finder_load(&k->secrets, k->source->secrets, k->source->n_secrets, &d) != GLANE_OK)
		return complain(EXIT_USAGE, "record: %s", d.text); /* before anything is asked for */
	k->dir = dir_open(AT_FDCWD, output, true, &d);
	if (k->dir < 0)
		return complain(EXIT_USAGE, "%s", d.text);
	if (file_exists(k->dir, "index.tsv"))
		return complain(EXIT_USAGE, "%s holds an index.tsv already: name another folder with -o", output);
	snprintf(k->store, sizeof(k->store), "%s/glane-record-XXXXXX", app_tmp());
	if (!mkdtemp(k->store))
		return complain(EXIT_SOME, "%s: %s", k->store, strerror(errno));
	k->archive.dir = -1;
	strbuf_init(&k->index, (size_t)64 << 20);
	strbuf_init(&k->body, MAX_BODY);
	code = record_into(k, output);
	nftw(k->store, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	strbuf_release(&k->index);
	strbuf_release(&k->body);
	mem_free(k->v);
	return code;
}

int cmd_record(const struct app *a, int argc, char **argv)
{
	struct list words = {{NULL}, 0};
	const char *output = NULL;
	const struct arg args[] = {{"output", 'o', true, take_text, &output}};
	struct recording *k;
	bool done;
	int code;

	if (!args_parse(argc, argv, args, 1, &words, help, &done))
		return EXIT_USAGE;
	if (done)
		return flush_out();
	if (words.n != 1)
		return complain(EXIT_USAGE, "record: name one source (glane sources lists them)");
	k = mem_zalloc(1, sizeof(*k));
	if (!k)
		return complain(EXIT_SOME, "no memory");
	k->dir = -1;
	code = app_settings(a, &k->s);
	k->arena = &k->s.arena;
	k->source = code == EXIT_FINE ? settings_find(&k->s, words.v[0]) : NULL;
	if (code == EXIT_FINE && !k->source)
		code = complain(EXIT_USAGE, "record: there is no source '%s' (glane sources lists them)", words.v[0]);
	if (code == EXIT_FINE && !output)
		output = arena_fmt(k->arena, "%s.recorded", words.v[0]);
	if (code == EXIT_FINE && k->source)
		code = output ? record(k, output) : complain(EXIT_SOME, "no memory");
	secret_finder_release(&k->secrets);
	fd_close(&k->dir);
	settings_release(&k->s);
	mem_free(k);
	return code;
}
