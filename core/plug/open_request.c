/* SPDX-License-Identifier: MIT */
/* The request that a plugin gives to open(): what is wrong with it, and its copy in the run's arena. */
#include "plug/run.h"

#include <string.h>
#include <strings.h>

#define MAX_HEADERS 32
#define MAX_FIELDS 4096
#define MAX_QUERY 256
#define MAX_SPLIT 1000000
#define MAX_WAIT 3600
#define LEAST_CSV offsetof(struct glane_csv, skip)

static bool any_null(const char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!v || !v[i])
			return true;
	return false;
}

static bool any_null_key(const struct glane_kv *kv, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!kv || !kv[i].k)
			return true;
	return false;
}

const char *request_wrong(const struct glane_request *q)
{
	const char *advance;
	struct glane_csv csv;

	if (!q->url || q->format > GLANE_FMT_PX || q->paging > GLANE_PAGE_NEXT ||
		q->flags & ~(GLANE_REQ_NO_ARCHIVE | GLANE_REQ_MAY_BE_EMPTY))
		return "without a URL, or of a format, paging or flag that does not exist";
	if (q->wait > MAX_WAIT)
		return "that is to wait for more than an hour";
	if (q->n_field > MAX_FIELDS || q->n_head > MAX_HEADERS || q->n_header > MAX_HEADERS || q->n_query > MAX_QUERY ||
		q->n_split > MAX_SPLIT)
		return "with too many fields, heads, headers, query parameters or split items";
	if ((q->field && any_null(q->field, q->n_field)) || any_null(q->head, q->n_head) ||
		any_null_key(q->query, q->n_query) || any_null_key(q->header, q->n_header) || (q->n_split && !q->split))
		return "with a list that holds a null pointer";
	if (q->csv && (!struct_take(&csv, sizeof(csv), q->csv, LEAST_CSV) || csv.zero ||
			      (csv.no_header | csv.ragged | csv.trim) > 1))
		return "with a struct glane_csv without its size, or with what this glane does not know";
	advance = q->paging == GLANE_PAGE_NEXT ? q->page_next : q->page_param;
	if (q->paging != GLANE_PAGE_NONE && (q->format == GLANE_FMT_RAW || !advance || !advance[0]))
		return "for pages, but of raw bytes, or without page_param or page_next";
	return NULL;
}

static bool dup_cstr(struct arena *a, const char **s)
{
	const char *given = *s;

	if (given)
		*s = arena_strndup(a, given, strlen(given));
	return !given || *s;
}

static bool dup_kv(struct arena *a, const struct glane_kv **kv, size_t n)
{
	struct glane_kv *copy = arena_alloc(a, (n + 1) * sizeof(*copy));

	if (!copy)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct slice v;

		copy[i].k = arena_strndup(a, (*kv)[i].k, strlen((*kv)[i].k));
		if (!copy[i].k || !arena_dup(a, slice_from((*kv)[i].v), &v))
			return false;
		copy[i].v = str_from(v);
	}
	*kv = copy;
	return true;
}

/* The configuration's and the plugin's own, without those that the configuration has too. */
static bool dup_headers(struct glane_run *r, struct glane_request *q)
{
	const struct host_job *job = r->job;
	struct glane_kv *all = arena_alloc(&r->arena, (job->n_header + q->n_header + 1) * sizeof(*all));
	size_t n = 0;

	if (!all || !dup_kv(&r->arena, &q->header, q->n_header))
		return false;
	while (n < job->n_header) {
		all[n] = job->header[n];
		n++;
	}
	for (size_t i = 0; i < q->n_header; i++) {
		size_t k = 0;

		while (k < job->n_header && strcasecmp(job->header[k].k, q->header[i].k) != 0)
			k++;
		if (k == job->n_header)
			all[n++] = q->header[i];
	}
	q->header = all;
	q->n_header = n;
	return true;
}

static bool dup_texts(struct arena *a, const char *const **v, size_t n)
{
	const char **copy;

	if (!*v)
		return true;
	copy = arena_alloc(a, (n + 1) * sizeof(*copy));
	if (!copy)
		return false;
	for (size_t i = 0; i < n; i++) {
		copy[i] = arena_strndup(a, (*v)[i], strlen((*v)[i]));
		if (!copy[i])
			return false;
	}
	*v = copy;
	return true;
}

static bool dup_split(struct arena *a, struct glane_request *q)
{
	glane_str *copy = arena_alloc(a, (q->n_split + 1) * sizeof(*copy));

	if (!copy)
		return false;
	for (size_t i = 0; i < q->n_split; i++) {
		struct slice s;

		if (!arena_dup(a, slice_from(q->split[i]), &s))
			return false;
		copy[i] = str_from(s);
	}
	q->split = copy;
	return true;
}

static bool dup_csv(struct arena *a, struct glane_request *q)
{
	struct glane_csv *copy;

	if (!q->csv)
		return true;
	copy = arena_alloc(a, sizeof(*copy));
	if (!copy)
		return false;
	struct_take(copy, sizeof(*copy), q->csv, LEAST_CSV); /* request_wrong() has seen it */
	copy->size = sizeof(*copy);
	q->csv = copy;
	return dup_cstr(a, &copy->encoding) && dup_cstr(a, &copy->sheet);
}

bool request_keep(struct glane_run *r, struct glane_request *q)
{
	struct arena *a = &r->arena;
	const char **texts[] = {&q->url, &q->method, &q->content_type, &q->select, &q->page_param, &q->page_size_param,
		&q->page_pages, &q->page_total, &q->page_next, &q->error, &q->split_sep, &q->member};
	struct slice body;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!dup_cstr(a, texts[i]))
			return false;
	if (!arena_dup(a, slice_from(q->body), &body))
		return false;
	q->body = str_from(body);
	return dup_kv(a, &q->query, q->n_query) && dup_headers(r, q) && dup_texts(a, &q->field, q->n_field) &&
	       dup_texts(a, &q->head, q->n_head) && dup_split(a, q) && dup_csv(a, q);
}
