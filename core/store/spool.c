/* SPDX-License-Identifier: MIT */
/* Rows of a new commit into an unlinked file: unchanged ones byte for byte, events with their stamps. */
#include "store/spool.h"
#include "base/file.h"
#include "store/files.h"
#include "store/merge.h"

#define BLOCK ((size_t)256 << 10)

struct writer {
	const struct diff_input *in;
	const struct slice_result *parts;
	struct diff_result *r;
	struct strbuf out, scratch;
	bool *used; /* payloads */
};

static const char *const words[] = {
	[NEW] = "new", [REVISED] = "revised", [STATUS] = "status", [RESTORED] = "restored", [WITHDRAWN] = "withdrawn"};

static glane_rc flush(struct writer *w, size_t least, struct diag *d)
{
	glane_rc rc;

	if (!strbuf_ok(&w->out))
		return fail(d, GLANE_E_NOMEM, "%s: no memory to write rows", w->in->source);
	if (w->out.n < least)
		return GLANE_OK;
	rc = fd_write(w->r->spool, w->out.p, w->out.n, d);
	strbuf_reset(&w->out);
	return rc;
}

/* What cannot be read back must never be committed. */
static glane_rc check_written(struct writer *w, size_t start, const struct row *r, struct diag *d)
{
	struct slice line = {w->out.p + start, w->out.n - start - 1};
	struct diag own = {0};
	struct row back;
	glane_rc rc;

	if (line.n >= STORE_RECORD_MAX)
		return fail(d, GLANE_E_LIMIT, "%s: a row of %zu bytes; at most %zu can be kept", w->in->source, line.n,
			STORE_RECORD_MAX);
	rc = row_parse_csv(line, ROW_COLUMNS_ALL, &w->scratch, &back, &own);
	if (rc == GLANE_OK && row_cmp_key(r, &back) != 0)
		rc = fail(&own, GLANE_E_DATA, "another key comes back");
	if (rc < 0)
		return fail(d, rc, "%s: a row (%.*s %.*s %.*s) could not be read back: %s", w->in->source,
			SLICE_FMT(r->indicator), SLICE_FMT(r->area_code), SLICE_FMT(r->period), own.text);
	return GLANE_OK;
}

static glane_rc put_event(struct writer *w, const struct merge_step *step, struct diag *d)
{
	struct row r = step->outcome == WITHDRAWN ? *step->old : *step->fresh;
	size_t start = w->out.n;

	r.recorded_at = r.known_at = w->r->recorded_at;
	r.event = slice_of(words[step->outcome]);
	r.cause = slice_of(w->in->cause);
	r.run = slice_of(w->r->run);
	r.payload = step->payload ? w->in->batch->payloads[step->payload - 1] : SLICE("");
	row_csv(&w->out, &r, ROW_COLUMNS_ALL);
	if (!strbuf_ok(&w->out))
		return fail(d, GLANE_E_NOMEM, "%s: no memory to write rows", w->in->source);
	return check_written(w, start, &r, d);
}

/* An absence has no payload of its own: the whole slice is its evidence. */
static void mark_payload(struct writer *w, const struct merge_step *step)
{
	const struct slice_result *part = &w->parts[step->slice];

	if (step->payload && (step->outcome >= NEW || part->withdrawn))
		w->used[step->payload - 1] = true;
}

static glane_rc put(struct writer *w, const struct merge_step *step, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	if (w->parts[step->slice].verdict == SLICE_OK)
		mark_payload(w, step);
	if (w->parts[step->slice].verdict != SLICE_OK || step->outcome == KEEP) {
		if (!step->old)
			return GLANE_OK;
		strbuf_slice(&w->out, step->raw);
	} else if (step->outcome == NOTHING) {
		return GLANE_OK;
	} else {
		rc = put_event(w, step, d);
	}
	w->r->rows++;
	return rc < 0 ? rc : flush(w, BLOCK, d);
}

static glane_rc put_all(struct writer *w, const struct store *s, struct diag *d)
{
	struct merge_step step;
	struct merge m;
	glane_rc rc;

	row_csv_header(&w->out, ROW_COLUMNS_ALL);
	rc = merge_open(&m, s, w->in, d);
	while (rc == GLANE_OK) {
		rc = merge_next(&m, &step, d);
		if (rc == GLANE_OK)
			rc = put(w, &step, d);
	}
	merge_close(&m);
	return rc < 0 ? rc : flush(w, 0, d);
}

static glane_rc list_payloads(const struct writer *w, struct diag *d)
{
	const struct batch *b = w->in->batch;
	struct diff_result *r = w->r;

	r->payloads = arena_alloc(&r->arena, (b->n_payloads + 1) * sizeof(*r->payloads));
	if (!r->payloads)
		return fail(d, GLANE_E_NOMEM, "%s: no memory for the list of payloads", w->in->source);
	for (size_t i = 0; i < b->n_payloads; i++) {
		if (!w->used[i])
			continue;
		if (!arena_dup(&r->arena, b->payloads[i], &r->payloads[r->n_payloads++]))
			return fail(d, GLANE_E_NOMEM, "%s: no memory for the list of payloads", w->in->source);
	}
	return GLANE_OK;
}

glane_rc spool_write(const struct store *s, const struct diff_input *in, const struct slice_result *parts,
	struct diff_result *ret, struct diag *d)
{
	struct writer w = {.in = in, .parts = parts, .r = ret};
	glane_rc rc = store_may_write(s, d);

	if (rc < 0)
		return rc;
	w.used = arena_alloc(&ret->arena, in->batch->n_payloads + 1);
	if (!w.used)
		return fail(d, GLANE_E_NOMEM, "%s: no memory for the list of payloads", in->source);
	ret->spool = file_temp(s->tmp, d);
	if (ret->spool < 0)
		return store_wrote(s, GLANE_E_IO);
	strbuf_init(&w.out, 2 * BLOCK + 2 * STORE_RECORD_MAX);
	strbuf_init(&w.scratch, 2 * STORE_RECORD_MAX);
	rc = put_all(&w, s, d);
	if (rc == GLANE_OK)
		rc = list_payloads(&w, d);
	strbuf_release(&w.out);
	strbuf_release(&w.scratch);
	if (rc == GLANE_E_IO)
		(void)diag_prefix(d, "%s: new rows in %s/tmp", in->source, s->path);
	return store_wrote(s, rc);
}
