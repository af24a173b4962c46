/* SPDX-License-Identifier: MIT */
/* A list of a JSON-stat dataset (values, statuses) cell by cell: dense, sparse in order, sparse in no order, or one for all. */
#include "read/jsonstat.h"

#include <stdlib.h>

static int by_index(const void *a, const void *b)
{
	const struct jsonstat_member *x = a, *y = b;

	return x->index < y->index ? -1 : x->index > y->index;
}

/* Notes where the members stand and sorts them. */
static glane_rc sort_members(struct jsonstat_cells *c, struct diag *d)
{
	bool is_first = true;
	glane_rc rc;

	if (c->list.n > JSONSTAT_UNORDERED)
		return fail(d, GLANE_E_LIMIT, "JSON-stat: a sparse object of more than %u members that are in no order",
			JSONSTAT_UNORDERED);
	json_pull_open(&c->pull);
	while ((rc = json_pull_member(&c->pull, &is_first)) == GLANE_OK) {
		struct slice text;
		struct jsonstat_member m = {.at = 0};

		rc = jsonstat_number(&c->pull, &m.index);
		m.at = json_pull_offset(&c->pull);
		if (rc == GLANE_OK)
			rc = json_pull_text(&c->pull, &text);
		if (rc == GLANE_OK && !mem_grow(&c->member, &c->cap_member, c->n_member + 1, sizeof(*c->member)))
			rc = fail(d, GLANE_E_NOMEM, "no memory for a sparse object in no order");
		if (rc != GLANE_OK)
			return rc;
		c->member[c->n_member++] = m;
	}
	if (rc != GLANE_END)
		return rc;
	qsort(c->member, c->n_member, sizeof(*c->member), by_index);
	for (size_t i = 1; i < c->n_member; i++)
		if (c->member[i].index == c->member[i - 1].index)
			return fail(d, GLANE_E_FORMAT, "JSON-stat: position %llu of a sparse object comes twice",
				(unsigned long long)c->member[i].index);
	return GLANE_OK;
}

/* Stands before the next member of an ordered sparse object. */
static glane_rc pend(struct jsonstat_cells *c)
{
	glane_rc rc = json_pull_member(&c->pull, &c->is_first);

	c->is_pending = rc == GLANE_OK;
	if (rc == GLANE_OK)
		rc = jsonstat_number(&c->pull, &c->pending);
	return rc == GLANE_END ? GLANE_OK : rc;
}

static glane_rc open_list(struct jsonstat_cells *c, uint64_t n, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	if (c->list.kind == '{' && c->list.is_unordered)
		return sort_members(c, d);
	if (c->list.kind != '"')
		json_pull_open(&c->pull);
	if (c->list.kind == '{')
		return pend(c);
	/* status: one text, or an array of one, is that of every cell */
	if (c->list.kind == '[' && (c->list.n == n || c->list.n == 0))
		return GLANE_OK;
	if (c->list.kind == '[')
		rc = json_pull_element(&c->pull, &c->is_first);
	if (rc == GLANE_OK)
		rc = json_pull_text(&c->pull, &c->all);
	return rc;
}

glane_rc jsonstat_cells_open(
	struct jsonstat_cells *c, const struct jsonstat_list *l, uint64_t n, const struct payload *p, struct diag *d)
{
	*c = (struct jsonstat_cells){.whole = p, .list = *l, .is_first = true};
	if (!l->kind)
		return GLANE_OK;
	if (l->kind == '{' && l->top > n)
		return fail(d, GLANE_E_FORMAT,
			"JSON-stat: position %llu of a sparse object is beyond the %llu cells of the dataset",
			(unsigned long long)(l->top - 1), (unsigned long long)n);
	json_pull_look(&c->pull, &c->view, p, l->at, d);
	c->is_open = true;
	return open_list(c, n, d);
}

static glane_rc next_sparse(struct jsonstat_cells *c, uint64_t i, struct slice *ret)
{
	glane_rc rc;

	if (c->list.is_unordered) {
		if (c->i_member == c->n_member || c->member[c->i_member].index != i)
			return GLANE_OK;
		payload_view(&c->view, c->whole, c->member[c->i_member++].at);
		json_pull_reset(&c->pull);
		return json_pull_text(&c->pull, ret);
	}
	if (c->is_pending && c->pending < i) { /* its value was given the last time */
		rc = pend(c);
		if (rc != GLANE_OK)
			return rc;
	}
	return c->is_pending && c->pending == i ? json_pull_text(&c->pull, ret) : GLANE_OK;
}

glane_rc jsonstat_cells_next(struct jsonstat_cells *c, uint64_t i, struct slice *ret)
{
	glane_rc rc;

	*ret = c->all;
	if (c->all.p || !c->is_open || c->list.n == 0 || c->list.kind == '"')
		return GLANE_OK;
	if (c->list.kind == '{')
		return next_sparse(c, i, ret);
	rc = json_pull_element(&c->pull, &c->is_first);
	if (rc == GLANE_OK)
		rc = json_pull_text(&c->pull, ret);
	return rc == GLANE_END ? json_pull_fail(&c->pull, "a list of a dataset ends too early") : rc;
}

glane_rc jsonstat_cells_peek(struct jsonstat_cells *c, uint64_t from, uint64_t *ret)
{
	glane_rc rc = GLANE_OK;

	*ret = UINT64_MAX;
	if (!c->is_open)
		return GLANE_OK;
	if (c->list.is_unordered) {
		*ret = c->i_member < c->n_member ? c->member[c->i_member].index : UINT64_MAX;
		return GLANE_OK;
	}
	if (c->is_pending && c->pending < from) /* its value was given the last time */
		rc = pend(c);
	if (rc == GLANE_OK && c->is_pending)
		*ret = c->pending;
	return rc;
}

void jsonstat_cells_close(struct jsonstat_cells *c)
{
	if (c->is_open)
		json_pull_release(&c->pull);
	mem_free(c->member);
	*c = (struct jsonstat_cells){.is_open = false};
}
