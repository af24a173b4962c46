/* SPDX-License-Identifier: MIT */
/* One request as the options say it, and its answer. */
#include "mapping.h"

glane_rc answer_read(struct state *s, const char *url)
{
	const struct options *o = &s->o;
	const struct glane_csv csv = {.size = sizeof(csv), .encoding = o->encoding[0] ? o->encoding : NULL};
	struct glane_request q = {.size = sizeof(q), .format = GLANE_FMT_JSON, .url = url, .csv = &csv};
	struct glane_kv query[MAX_QUERY];
	glane_rc rc = mapping_resolve(s);

	for (size_t i = 0; i < o->query.n; i++)
		query[i] = (struct glane_kv){o->query.v[i].k, glane_str_of(mapping_fill(s, o->query.v[i].v.p))};
	q.query = query, q.n_query = o->query.n;
	q.select = mapping_fill(s, o->select), q.field = s->field, q.n_field = s->n_field,
	q.error = o->error[0] ? o->error : NULL;
	q.member = o->member[0] ? o->member : NULL;
	if (o->body[0])
		q.body = glane_str_of(mapping_fill(s, o->body)), q.content_type = "application/json";
	q.paging = !o->paging[0]                      ? GLANE_PAGE_NONE
		   : strcmp(o->paging, "number") == 0 ? GLANE_PAGE_NUMBER
		   : strcmp(o->paging, "offset") == 0 ? GLANE_PAGE_OFFSET
						      : GLANE_PAGE_NEXT;
	q.page_param = o->page_param, q.page_size_param = o->page_size_param[0] ? o->page_size_param : NULL;
	q.page_len = (uint32_t)o->page_len,
	q.page_first = o->page_first >= 0 ? (uint32_t)o->page_first : q.paging == GLANE_PAGE_NUMBER;
	q.page_pages = o->page_pages[0] ? o->page_pages : NULL, q.page_total = o->page_total[0] ? o->page_total : NULL;
	q.page_next = o->page_next[0] ? o->page_next : NULL;
	if (rc == GLANE_OK && !q.select)
		rc = s->h->fail(s->r, GLANE_E_NOMEM, "no memory for select");
	rc = rc == GLANE_OK ? s->h->open(s->r, &q, &s->rd) : rc;
	while (rc == GLANE_OK && (rc = s->h->next(s->rd)) == GLANE_OK)
		rc = record_emit(s);
	if (rc == GLANE_END && s->n_passed)
		s->h->log(s->r, GLANE_LOG_INFO, "%s: passed over %llu records without area or period", url,
			(unsigned long long)s->n_passed);
	if (rc == GLANE_END)
		rc = record_check(s);
	s->h->close(s->rd);
	s->rd = NULL;
	return rc;
}
