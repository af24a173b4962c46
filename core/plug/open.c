/* SPDX-License-Identifier: MIT */
/* Services that give records: open, next, get, at, head, read, close. */
#include "plug/run.h"

#include "model/decimal.h"

#include <string.h>
#include <unistd.h>

#define PROGRESS_EVERY 4096

static bool heads_build(struct glane_reader *rd)
{
	const struct glane_request *q = &rd->req;
	const char *const extra[] = {q->page_pages, q->page_total, q->page_next, q->error};
	size_t *const at[] = {&rd->head_pages, &rd->head_total, &rd->head_next, &rd->head_error};
	size_t n = q->n_head;

	rd->heads = arena_alloc(&rd->run->arena, (n + 5) * sizeof(*rd->heads));
	if (!rd->heads)
		return false;
	if (n)
		memcpy(rd->heads, q->head, n * sizeof(*rd->heads));
	for (size_t i = 0; i < 4; i++) {
		if (!extra[i])
			continue;
		rd->heads[n++] = extra[i];
		*at[i] = n;
	}
	rd->n_heads = n;
	return true;
}

/* ---- pages ---- */

void page_close(struct glane_reader *rd)
{
	if (rd->records)
		record_close(rd->records);
	rd->records = NULL;
	if (rd->open) {
		payload_close(&rd->payload);
		close(rd->fd);
	}
	rd->open = false;
}

/* What it holds of the kernel and of memory: a run may open any number of readers. */
static void reader_release(struct glane_reader *rd)
{
	page_close(rd);
	cube_close(rd);
	map_release(&rd->seen);
}

void reader_close(struct glane_reader *rd)
{
	if (!rd || rd->closed)
		return;
	reader_release(rd);
	rd->kept = NULL;
	rd->closed = true;
}

/* It gives no further record (rc: why), and is released; head() still answers. */
static glane_rc reader_end(struct glane_reader *rd, glane_rc rc)
{
	struct glane_run *r = rd->run;
	const size_t n = rd->records ? rd->req.n_head : 0;
	struct slice *kept = arena_alloc(&r->arena, (n + 1) * sizeof(*kept));
	bool ok = kept != NULL;

	for (size_t i = 0; ok && i < n; i++)
		ok = arena_dup(&r->arena, record_head(rd->records, i), &kept[i]);
	rd->kept = ok && n ? kept : NULL;
	reader_release(rd);
	if (!ok && rc >= GLANE_OK)
		rc = run_no_memory(r, "last page's heads");
	rd->ended = rc;
	return rc;
}

/* "URL: record 12, line 13: " before the message of a failure; the provider's own words where it sent an error document. */
static glane_rc explain(struct glane_reader *rd, glane_rc rc)
{
	struct diag *d = &rd->run->diag;
	const size_t head = rd->head_error;
	const struct slice words = head && rd->records ? record_head(rd->records, head - 1) : (struct slice){NULL, 0};
	uint64_t number = 0, line = 0, offset = 0;

	if (rc >= GLANE_OK || rc == GLANE_E_CANCELLED)
		return rc;
	if (words.n) {
		diag_clear(d);
		return fail(d, GLANE_E_DATA, "%s: the provider answers: %.*s", rd->url, SLICE_FMT(words));
	}
	if (d->code == GLANE_OK)
		fail(d, rc, "%s", rc_name(rc));
	if (rd->records)
		record_where(rd->records, &number, &line, &offset);
	if (number && line)
		return diag_prefix(
			d, "%s: record %llu, line %llu", rd->url, (unsigned long long)number, (unsigned long long)line);
	if (number)
		return diag_prefix(d, "%s: record %llu, byte %llu", rd->url, (unsigned long long)number,
			(unsigned long long)offset);
	return diag_prefix(d, "%s", rd->url);
}

static const char *member_suffix(uint8_t format)
{
	static const char *const suffixes[] = {
		NULL, ".csv", ".json", ".xml", ".xml|.json|.csv", ".json", ".tsv", NULL, ".px"};

	return format < sizeof(suffixes) / sizeof(suffixes[0]) ? suffixes[format] : NULL;
}

static glane_rc filter_open(struct glane_reader *rd, const char *encoding)
{
	struct glane_run *r = rd->run;
	const struct host_piece piece = {rd->fd, rd->url, rd->sha256};
	struct payload_source *s = NULL;
	glane_rc rc = r->job->filter->open(r->job->filter, r->seams, &piece, &s, &r->diag);

	return rc == GLANE_OK ? payload_stream(&rd->payload, s, encoding, r->job->max_body, &r->diag) : rc;
}

static glane_rc payload_of(struct glane_reader *rd, struct payload *ret, struct diag *d)
{
	const struct glane_request *q = &rd->req;
	const bool is_sheet = q->format == GLANE_FMT_XLSX;
	const struct payload_sheet sheet = {
		q->csv ? q->csv->sheet : NULL, q->csv ? q->csv->skip : 0, q->csv ? q->csv->decimal : '\0'};
	const struct payload_options o = {.is_archive_ok = !(q->flags & GLANE_REQ_NO_ARCHIVE),
		.member = q->member,
		.member_suffix = member_suffix(q->format),
		.encoding = q->csv && !is_sheet ? q->csv->encoding : NULL,
		.sheet = is_sheet ? &sheet : NULL,
		.max_bytes = rd->run->job->max_body};

	return payload_open(ret, rd->fd, &o, d);
}

static glane_rc payload_again(void *arg, struct payload *ret, struct diag *d)
{
	return payload_of(arg, ret, d);
}

glane_rc page_begin(struct glane_reader *rd)
{
	struct glane_run *r = rd->run;
	const struct glane_request *q = &rd->req;
	const bool is_sheet = q->format == GLANE_FMT_XLSX;
	/* A workbook's rows end where their last cell does. */
	const struct glane_csv rows = {.size = sizeof(rows),
		.skip = q->csv ? q->csv->skip : 0,
		.ragged = 1,
		.no_header = q->csv ? q->csv->no_header : 0,
		.trim = q->csv ? q->csv->trim : 0};
	const struct record_options ro = {.format = q->format,
		.select = q->select,
		.field = q->field,
		.n_field = q->n_field,
		.head = rd->heads,
		.n_head = rd->n_heads,
		.csv = is_sheet ? &rows : q->csv,
		.is_sparse = !r->job->keep_empty,
		.again = r->job->filter ? NULL : payload_again, /* a program is run once */
		.again_arg = rd};
	glane_rc rc = r->job->filter ? filter_open(rd, q->csv && !is_sheet ? q->csv->encoding : NULL)
				     : payload_of(rd, &rd->payload, &r->diag);

	if (rc != GLANE_OK) {
		close(rd->fd);
		return rc;
	}
	rd->open = true;
	rd->raw_at = 0;
	cube_turn(rd);
	if (q->format != GLANE_FMT_RAW)
		rc = record_open(&rd->records, &rd->payload, &ro, &r->diag);
	return rc;
}

struct host_request page_request(const struct glane_reader *rd, const char *url)
{
	const struct glane_request *q = &rd->req;
	const char *method = q->method ? q->method : q->body.p ? "POST" : "GET";
	const bool is_filtered = rd->run->job->filter != NULL;

	return (struct host_request){method, url, q->header, q->n_header, slice_from(q->body), q->content_type,
		is_filtered ? GLANE_FMT_RAW : q->format, /* only the filter knows what it takes */
		q->flags & GLANE_REQ_MAY_BE_EMPTY, is_filtered, q->again, q->wait};
}

static glane_rc page_open(struct glane_reader *rd, const char *url)
{
	struct glane_run *r = rd->run;
	const struct glane_request *q = &rd->req;
	const struct host_request request = page_request(rd, url);
	struct host_answer answer = {.fd = -1};
	glane_rc rc;

	rd->url = url;
	page_close(rd);
	diag_clear(&r->diag);
	rd->req.wait = 0; /* further pages are not waited for */
	rc = r->seams->fetch(r->seams->arg, &request, &answer, &r->diag);
	if (answer.url.n && !slice_is(answer.url, url)) {
		const char *shown = arena_strndup(&r->arena, answer.url.p, answer.url.n);

		rd->url = shown ? shown : "?";
	}
	if (rc != GLANE_OK)
		return run_failed(r, rc > GLANE_OK ? GLANE_OK : rc) == GLANE_OK ? GLANE_END : rc;
	if (answer.size == 0 && q->flags & GLANE_REQ_MAY_BE_EMPTY) {
		close(answer.fd);
		return GLANE_END;
	}
	rd->fd = answer.fd;
	rd->size = answer.size;
	memcpy(rd->sha256, answer.sha256, sizeof(rd->sha256));
	r->counts.bytes += answer.size;
	rc = page_begin(rd);
	if (rc == GLANE_OK)
		rc = run_use_payload(r, rd);
	return explain(rd, rc);
}

static glane_rc host_open(glane_run *r, const struct glane_request *given, glane_reader **ret)
{
	struct glane_request q;
	struct glane_reader *rd;
	const char *url, *wrong;
	glane_rc rc = run_check(r);

	if (rc != GLANE_OK)
		return rc;
	diag_clear(&r->diag);
	if (!ret)
		return run_usage(r, "open() without a place for the reader");
	*ret = NULL;
	rc = run_take(r, &q, sizeof(q), given, offsetof(struct glane_request, method), "open()");
	if (rc != GLANE_OK)
		return rc;
	wrong = request_wrong(&q);
	if (wrong) {
		fail(&r->diag, GLANE_E_USAGE, "defect of plugin %s: open() %s", r->job->plugin->desc.name, wrong);
		return run_lost(r, GLANE_E_USAGE);
	}
	rd = arena_alloc(&r->arena, sizeof(*rd));
	if (!rd)
		return fail(&r->diag, GLANE_E_NOMEM, "no memory for a reader");
	rd->run = r;
	rd->fd = -1;
	map_init(&rd->seen, &r->arena);
	rd->req = q;
	if (!request_keep(r, &rd->req) || !heads_build(rd))
		return fail(&r->diag, GLANE_E_NOMEM, "no memory for a request");
	rd->next_open = r->readers;
	r->readers = rd;
	rc = page_first(rd, &url, &r->diag);
	if (rc == GLANE_OK)
		rc = page_open(rd, url);
	if (rc < GLANE_OK) {
		reader_close(rd);
		return run_unread(r, rc);
	}
	if (!r->is_said)
		diag_clear(&r->unread);
	rd->ended = rc;
	*ret = rd; /* GLANE_END: there is no further payload (parse has one), the reader is at its end */
	return GLANE_OK;
}

/* ---- records ---- */

static glane_rc page_turn(struct glane_reader *rd)
{
	struct glane_run *r = rd->run;
	const char *url = NULL;
	glane_rc rc;

	if (rd->head_error && record_head(rd->records, rd->head_error - 1).n)
		return explain(rd, GLANE_E_DATA);
	diag_clear(&r->diag);
	rc = page_done(rd, &r->diag);
	if (rc == GLANE_OK)
		rc = page_next(rd, &url, &r->diag);
	if (rc != GLANE_OK)
		return diag_prefix(&r->diag, "%s", rd->url);
	if (!url)
		return GLANE_END;
	return page_open(rd, url);
}

/* To the next record, over the end of pages. */
static glane_rc step(struct glane_reader *rd)
{
	struct glane_run *r = rd->run;
	glane_rc rc;

	do {
		if (r->current != rd) {
			rc = run_use_payload(r, rd);
			if (rc != GLANE_OK)
				return rc;
		}
		rc = record_next(rd->records);
		if (rc == GLANE_OK)
			return rc;
		rc = rc == GLANE_END ? page_turn(rd) : explain(rd, rc);
		if (rc == GLANE_OK)
			rc = run_check(r);
	} while (rc == GLANE_OK);
	return rc;
}

static glane_rc host_next(glane_reader *rd)
{
	struct glane_run *r;
	glane_rc rc;

	if (!rd)
		return GLANE_E_USAGE;
	r = rd->run;
	rc = run_check(r);
	if (rc != GLANE_OK)
		return rc;
	if (rd->ended < GLANE_OK && r->diag.code == GLANE_OK)
		return fail(&r->diag, rd->ended, "%s: it has failed before", rd->url);
	if (rd->ended != GLANE_OK)
		return rd->ended;
	if (rd->closed || !rd->records)
		return run_usage(r, "next() of a reader that is closed, or of raw bytes");
	rc = step(rd);
	if (rc != GLANE_OK)
		return run_unread(r, rc == GLANE_E_CANCELLED ? rc : reader_end(rd, rc));
	rd->page_records++;
	rd->chunk_records++;
	if (rd->chunk_records % PROGRESS_EVERY == 0)
		rc = run_lost(r, r->seams->progress(r->seams->arg, r->counts.rows, r->counts.bytes));
	return rc;
}

static glane_str host_get(glane_reader *rd, const char *path)
{
	return rd && path && rd->records ? str_from(record_get(rd->records, path)) : (glane_str){NULL, 0};
}

static glane_str host_at(glane_reader *rd, size_t i)
{
	return rd && rd->records ? str_from(record_at(rd->records, i)) : (glane_str){NULL, 0};
}

static const struct glane_kv *host_items(glane_reader *rd, const char *path, size_t *ret_n)
{
	size_t n = 0;
	const struct glane_kv *kv = rd && path && rd->records ? record_items(rd->records, path, &n) : NULL;

	if (ret_n)
		*ret_n = n;
	return kv;
}

static size_t host_columns(glane_reader *rd)
{
	return rd && rd->records ? record_columns(rd->records) : 0;
}

static glane_str host_column(glane_reader *rd, size_t i)
{
	return rd && rd->records ? str_from(record_column(rd->records, i)) : (glane_str){NULL, 0};
}

static glane_str host_head(glane_reader *rd, size_t i)
{
	if (!rd || i >= rd->req.n_head)
		return (glane_str){NULL, 0};
	if (rd->kept)
		return str_from(rd->kept[i]);
	return rd->records ? str_from(record_head(rd->records, i)) : (glane_str){NULL, 0};
}

static int64_t host_read(glane_reader *rd, void *buf, size_t n)
{
	struct payload *p;
	glane_rc rc;

	if (!rd)
		return GLANE_E_USAGE;
	rc = run_check(rd->run);
	if (rc != GLANE_OK || rd->ended != GLANE_OK)
		return rc != GLANE_OK ? rc : rd->ended < GLANE_OK ? rd->ended : 0;
	if (rd->req.format != GLANE_FMT_RAW || !rd->open || !buf)
		return run_usage(rd->run, "read() of a reader of records, of a closed one, or to nowhere");
	p = &rd->payload;
	rc = rd->run->current == rd ? GLANE_OK : run_use_payload(rd->run, rd);
	if (rc != GLANE_OK)
		return rc;
	if (rd->raw_at == p->n) {
		if (p->last)
			return reader_end(rd, GLANE_END) == GLANE_END ? 0 : rd->ended;
		diag_clear(&rd->run->diag);
		rc = payload_more(p, 0);
		if (rc != GLANE_OK)
			return run_unread(rd->run, reader_end(rd, explain(rd, rc)));
		rd->raw_at = 0;
	}
	if (n > p->n - rd->raw_at)
		n = p->n - rd->raw_at;
	memcpy(buf, p->p + rd->raw_at, n);
	rd->raw_at += n;
	return (int64_t)n;
}

void open_services(struct glane_host *h)
{
	h->open = host_open;
	h->next = host_next;
	h->get = host_get;
	h->at = host_at;
	h->items = host_items;
	h->columns = host_columns;
	h->column = host_column;
	h->head = host_head;
	h->read = host_read;
	h->close = reader_close;
}
