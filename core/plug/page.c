/* SPDX-License-Identifier: MIT */
/* Which URL comes next: splitting a long list over requests, paging inside each, and the checks that no page was lost. */
#include "plug/run.h"

#include "net/url.h"

#include <string.h>

#define MAX_PAGES 100000
#define SPLIT_CHARS 1500

static struct slice head_of(struct glane_reader *rd, size_t index_plus_1)
{
	return index_plus_1 && rd->records ? record_head(rd->records, index_plus_1 - 1) : (struct slice){NULL, 0};
}

/* 3, "3" or 3.0 */
static bool head_number(struct glane_reader *rd, size_t index_plus_1, int64_t *ret)
{
	struct slice s = head_of(rd, index_plus_1);
	const char *point = s.n ? memchr(s.p, '.', s.n) : NULL;

	while (point && s.n && s.p[s.n - 1] == '0')
		s.n--;
	s.n -= point && point == s.p + s.n - 1;
	return slice_int(s, 0, INT64_MAX, ret);
}

/* As many items as split_max and split_chars permit, from split_at on; at least one. */
static glane_rc split_chunk(struct glane_reader *rd, struct strbuf *joined, struct diag *d)
{
	const struct glane_request *q = &rd->req;
	const struct slice sep = slice_of(q->split_sep ? q->split_sep : ";");
	const size_t chars = q->split_chars ? q->split_chars : SPLIT_CHARS;
	size_t i = rd->split_at;

	for (; i < q->n_split; i++) {
		const size_t before = joined->n;

		if (q->split_max && i - rd->split_at == q->split_max)
			break;
		if (i > rd->split_at)
			strbuf_slice(joined, sep);
		strbuf_percent(joined, slice_from(q->split[i]), "");
		if (joined->n > chars && i > rd->split_at) {
			joined->n = before;
			break;
		}
	}
	rd->split_to = i;
	return strbuf_ok(joined) ? GLANE_OK : fail(d, GLANE_E_NOMEM, "no memory for a URL");
}

/* Replaces "{split}" of the URL by the joined items; the rest is url_expand()'s. */
static glane_rc put_split(struct strbuf *b, const char *url, struct slice joined, struct diag *d)
{
	const char *mark = strstr(url, "{split}");

	if (!mark)
		return fail(d, GLANE_E_USAGE, "a request with split items, but without {split} in its URL");
	strbuf_add(b, url, (size_t)(mark - url));
	strbuf_slice(b, joined);
	strbuf_puts(b, mark + strlen("{split}"));
	return strbuf_ok(b) ? GLANE_OK : fail(d, GLANE_E_NOMEM, "no memory for a URL");
}

static glane_rc keep_url(struct glane_reader *rd, struct strbuf *b, const char **ret, struct diag *d)
{
	if (!strbuf_ok(b) || b->n > 8000)
		return fail(d, GLANE_E_LIMIT, "a URL exceeds 8,000 characters");
	*ret = arena_strndup(&rd->run->arena, b->p, b->n);
	return *ret ? GLANE_OK : fail(d, GLANE_E_NOMEM, "no memory for a URL");
}

static void page_numbers(struct glane_reader *rd, struct strbuf *b)
{
	const struct glane_request *q = &rd->req;
	const uint64_t step = q->paging == GLANE_PAGE_OFFSET ? rd->chunk_records : rd->page;
	struct strbuf n;

	strbuf_init(&n, 64);
	if (q->page_size_param && q->page_len) {
		strbuf_int(&n, q->page_len);
		url_add_query(b, &(struct glane_kv){q->page_size_param, {n.p, n.n}}, 1);
	}
	/* The first page goes without its number only where the plugin names no parameter. */
	if (q->page_param && (q->paging == GLANE_PAGE_NUMBER || q->paging == GLANE_PAGE_OFFSET)) {
		strbuf_reset(&n);
		strbuf_int(&n, (int64_t)(q->page_first + step));
		url_add_query(b, &(struct glane_kv){q->page_param, {n.p, n.n}}, 1);
	}
	strbuf_release(&n);
}

static glane_rc build(struct glane_reader *rd, const char **ret, struct diag *d)
{
	struct glane_run *r = rd->run;
	const struct glane_request *q = &rd->req;
	const char *base = r->job->base_url;
	const struct glane_kv known = {"base_url", {base ? base : NULL, base ? strlen(base) : 0}};
	struct strbuf joined, url, b;
	glane_rc rc = GLANE_OK;

	strbuf_init(&joined, 1 << 16);
	strbuf_init(&url, 1 << 16);
	strbuf_init(&b, 1 << 16);
	if (!base && strstr(q->url, "{base_url}"))
		rc = fail(d, GLANE_E_CONFIG, "[source %s] needs 'base_url': its plugin has no default", r->job->source);
	if (rc == GLANE_OK && q->n_split)
		rc = split_chunk(rd, &joined, d);
	if (rc == GLANE_OK && q->n_split)
		rc = put_split(&url, q->url, strbuf_get(&joined), d);
	else
		strbuf_puts(&url, q->url);
	if (rc == GLANE_OK)
		rc = url_expand(&b, strbuf_ok(&url) ? url.p : "", &known, 1, d);
	if (rc == GLANE_OK) {
		url_add_query(&b, q->query, q->n_query);
		page_numbers(rd, &b);
		rc = keep_url(rd, &b, ret, d);
	}
	strbuf_release(&joined);
	strbuf_release(&url);
	strbuf_release(&b);
	return rc;
}

static glane_rc chunk_start(struct glane_reader *rd, const char **ret, struct diag *d)
{
	glane_rc rc;

	*ret = NULL;
	rd->page = rd->page_records = rd->chunk_records = 0;
	rd->chunk_pages = rd->chunk_total = -1;
	map_release(&rd->seen);
	map_init(&rd->seen, &rd->run->arena);
	rc = build(rd, ret, d);
	rd->first = *ret;
	return rc;
}

glane_rc page_first(struct glane_reader *rd, const char **ret, struct diag *d)
{
	rd->split_at = 0;
	return chunk_start(rd, ret, d);
}

/*
 * A declared count that changes from page to page means that the data moved under us. Where the first page does not hold the count
 * that the plugin names, nothing would tell that a page is lost.
 */
static glane_rc declared(
	struct glane_reader *rd, size_t head, const char *path, int64_t *kept, const char *what, struct diag *d)
{
	const struct slice text = head_of(rd, head);
	int64_t n;
	const bool is_there = head_number(rd, head, &n);

	if (!is_there && (!path || rd->page > 0))
		return GLANE_OK;
	if (!is_there)
		return fail(d, GLANE_E_DATA,
			"the number of %s at '%s' is %s%.*s: has the source changed its shape? Without it no check "
			"tells that a page is lost",
			what, path, text.n ? "no whole number: " : "missing", (int)(text.n < 40 ? text.n : 40),
			text.n ? text.p : "");
	if (*kept >= 0 && *kept != n)
		return fail(d, GLANE_E_DATA,
			"the number of %s changed from %lld to %lld between pages: the data moved, run again", what,
			(long long)*kept, (long long)n);
	*kept = n;
	return GLANE_OK;
}

/* Whether this text (a page's hash, the address of a next link) came before in this chunk; kept for the next question. */
static glane_rc seen_before(struct glane_reader *rd, const char *text, bool *ret, struct diag *d)
{
	bool is_new;

	if (!map_put(&rd->seen, slice_of(text), 0, NULL, &is_new))
		return fail(d, GLANE_E_NOMEM, "no memory for the list of pages");
	*ret = !is_new;
	return GLANE_OK;
}

static glane_rc page_new(struct glane_reader *rd, struct diag *d)
{
	bool seen = false;
	glane_rc rc = seen_before(rd, rd->sha256, &seen, d);

	if (rc == GLANE_OK && seen)
		rc = fail(d, GLANE_E_DATA, "page %llu is the same as one before it: the provider repeats itself",
			(unsigned long long)rd->page + 1);
	return rc;
}

glane_rc page_done(struct glane_reader *rd, struct diag *d)
{
	glane_rc rc;

	if (rd->req.paging == GLANE_PAGE_NONE)
		return GLANE_OK;
	rc = declared(rd, rd->head_pages, rd->req.page_pages, &rd->chunk_pages, "pages", d);
	if (rc == GLANE_OK)
		rc = declared(rd, rd->head_total, rd->req.page_total, &rd->chunk_total, "records", d);
	if (rc == GLANE_OK && rd->page_records > 0)
		rc = page_new(rd, d);
	if (rc == GLANE_OK && rd->page_records == 0 && (int64_t)rd->page + 1 < rd->chunk_pages)
		rc = fail(d, GLANE_E_DATA, "page %llu of %lld holds no records", (unsigned long long)rd->page + 1,
			(long long)rd->chunk_pages);
	if (rc == GLANE_OK && rd->page + 1 >= MAX_PAGES)
		rc = fail(d, GLANE_E_LIMIT, "more than %d pages", MAX_PAGES);
	return rc;
}

static bool more_pages(const struct glane_reader *rd)
{
	if (rd->chunk_pages >= 0)
		return (int64_t)rd->page + 1 < rd->chunk_pages;
	if (rd->chunk_total >= 0)
		return (int64_t)rd->chunk_records < rd->chunk_total && rd->page_records > 0;
	return rd->page_records > 0 && rd->page_records >= rd->req.page_len;
}

static glane_rc follow_link(struct glane_reader *rd, const char **ret, struct diag *d)
{
	const struct slice link = head_of(rd, rd->head_next);
	const char *text;
	bool seen = false;
	glane_rc rc;

	if (link.n == 0)
		return GLANE_END;
	text = arena_strndup(&rd->run->arena, link.p, link.n);
	if (!text)
		return fail(d, GLANE_E_NOMEM, "no memory for a URL");
	rc = url_resolve(&rd->run->arena, rd->url, text, ret, d);
	if (rc == GLANE_OK)
		rc = seen_before(rd, rd->url, &seen, d);
	if (rc == GLANE_OK)
		rc = seen_before(rd, *ret, &seen, d);
	if (rc == GLANE_OK && seen)
		rc = fail(d, GLANE_E_DATA, "the link to the next page leads to a page that was read before");
	return rc;
}

static glane_rc chunk_complete(const struct glane_reader *rd, struct diag *d)
{
	if ((int64_t)rd->page + 1 < rd->chunk_pages)
		return fail(d, GLANE_E_DATA, "the provider declares %lld pages, its links end after page %llu",
			(long long)rd->chunk_pages, (unsigned long long)rd->page + 1);
	if (rd->chunk_total >= 0 && (int64_t)rd->chunk_records != rd->chunk_total)
		return fail(d, GLANE_E_DATA,
			"the provider declares %lld records, its pages held %llu: the data moved or a page was cut",
			(long long)rd->chunk_total, (unsigned long long)rd->chunk_records);
	return GLANE_OK;
}

glane_rc page_next(struct glane_reader *rd, const char **ret, struct diag *d)
{
	glane_rc rc = GLANE_END;

	*ret = NULL;
	if (rd->req.paging == GLANE_PAGE_NEXT)
		rc = follow_link(rd, ret, d);
	else if (rd->req.paging != GLANE_PAGE_NONE && more_pages(rd))
		rc = GLANE_OK;
	if (rc < GLANE_OK)
		return rc;
	if (rc == GLANE_OK) {
		if (rd->page == 0)
			memcpy(rd->first_sha256, rd->sha256, sizeof(rd->first_sha256));
		rd->page++;
		rd->run->counts.turned++;
		rd->page_records = 0;
		return *ret ? GLANE_OK : build(rd, ret, d);
	}
	rc = chunk_complete(rd, d);
	if (rc == GLANE_OK && rd->page > 0)
		rc = page_again(rd, d);
	if (rc != GLANE_OK || rd->split_to >= rd->req.n_split)
		return rc;
	rd->split_at = rd->split_to;
	return chunk_start(rd, ret, d);
}
