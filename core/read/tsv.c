/* SPDX-License-Identifier: MIT */
/*
 * Eurostat's TSV (https://ec.europa.eu/eurostat/web/user-guides/data-browser/api-data-access/api-detailed-guidelines): the first
 * cell of the header names the dimensions ("freq,unit,geo\TIME_PERIOD"), the others are periods; the first cell of a line holds
 * the codes, the others a value, flags, both, or ":". A record is a cell, line by line. In memory is one line.
 */
#include "base/mem.h"
#include "base/strbuf.h"
#include "read/record.h"

#define MAX_LINE ((size_t)8 << 20)
#define MAX_DIMS 64
#define TEXT_MAX ((size_t)4096) /* of a record, for quarantine */
#define MAX_PERIODS 100000u
#define VALUE (r->n_dim + 1)

struct tsv {
	struct payload *payload;
	struct diag *diag;
	struct arena arena;
	const char *at;                /* in the window, behind the current line */
	struct slice line, rest;       /* the current line; what is left of its cells */
	struct slice id[MAX_DIMS + 1]; /* dimensions, then time */
	struct slice code[MAX_DIMS];
	struct slice *period;
	size_t n_dim, n_period, cap_period, i_period;
	struct slice value, flag;
	struct strbuf *text, words;
	const char *const *head;
	size_t n_head;
	uint64_t n_line, number, series;
	size_t max_line;
	bool is_read, is_record;
	glane_rc over;
};

static void tsv_close(void *state)
{
	struct tsv *r = state;

	mem_free(r->period);
	arena_release(&r->arena);
	if (r->text)
		strbuf_release(r->text);
	mem_free(r->text);
	strbuf_release(&r->words);
	mem_free(r);
}

static glane_rc tsv_open(void **state, struct payload *p, const struct record_options *o, struct diag *d)
{
	struct tsv *r = mem_zalloc(1, sizeof(*r));

	if (!r)
		return fail(d, GLANE_E_NOMEM, "no memory for a TSV reader");
	r->payload = p, r->diag = d, r->head = o->head, r->n_head = o->n_head;
	r->max_line = o->max_record ? o->max_record : MAX_LINE;
	r->at = p->p;
	arena_init(&r->arena, 0);
	strbuf_init(&r->words, 4096);
	r->text = mem_zalloc(1, sizeof(*r->text));
	if (r->text)
		strbuf_init(r->text, TEXT_MAX);
	if (!r->text || !strbuf_room(r->text, TEXT_MAX)) {
		tsv_close(r);
		return fail(d, GLANE_E_NOMEM, "no memory for a TSV reader");
	}
	*state = r;
	return GLANE_OK;
}

/* The next line without its end; GLANE_END behind the last. */
static glane_rc next_line(struct tsv *r)
{
	size_t seen = 0;

	for (;;) {
		struct payload *p = r->payload;
		const size_t have = (size_t)(p->p + p->n - r->at);
		const char *end = have > seen ? memchr(r->at + seen, '\n', have - seen) : NULL;
		glane_rc rc;

		if ((end ? (size_t)(end - r->at) : have) > r->max_line)
			return fail(r->diag, GLANE_E_LIMIT, "line %llu has more than %zu bytes",
				(unsigned long long)r->n_line + 1, r->max_line);
		if (end || (p->last && have)) {
			r->line = (struct slice){r->at, end ? (size_t)(end - r->at) : have};
			r->at = end ? end + 1 : r->at + have;
			if (r->line.n && r->line.p[r->line.n - 1] == '\r')
				r->line.n--;
			r->n_line++;
			return GLANE_OK;
		}
		if (p->last)
			return GLANE_END;
		rc = payload_more(p, have);
		if (rc != GLANE_OK)
			return rc;
		r->at = p->p;
		seen = have;
	}
}

static glane_rc bad(struct tsv *r, const char *what)
{
	return fail(r->diag, GLANE_E_FORMAT, "Eurostat TSV, line %llu: %s", (unsigned long long)r->n_line, what);
}

static glane_rc no_memory(struct tsv *r)
{
	return fail(r->diag, GLANE_E_NOMEM, "no memory for the header of a TSV");
}

/* The text between two marks of an XML answer; absent where there is none. */
static struct slice between(struct slice s, const char *from, const char *to)
{
	const char *a = s.n ? memmem(s.p, s.n, from, strlen(from)) : NULL;
	const char *b = a ? memmem(a, (size_t)(s.p + s.n - a), to, strlen(to)) : NULL;

	return b ? (struct slice){a + strlen(from), (size_t)(b - a) - strlen(from)} : (struct slice){NULL, 0};
}

/* An answer in another format: an error, or the number under which the answer will be ready (#poll). */
static glane_rc other_document(struct tsv *r)
{
	const struct slice id = between(r->line, "id>", "</"), state = between(r->line, "status>", "</");
	const struct slice fault = between(r->line, "<faultstring>", "</");

	if (slice_has_prefix(r->line, "<") && id.n && state.n) {
		strbuf_visible(&r->words, id);
		return fail(r->diag, GLANE_E_DATA, "the provider answers: the data is being prepared (%.*s, %.*s)",
			SLICE_FMT(id), SLICE_FMT(state));
	}
	if (slice_has_prefix(r->line, "<") && fault.n)
		return fail(r->diag, GLANE_E_DATA, "the provider answers: %.*s", (int)(fault.n > 400 ? 400 : fault.n),
			fault.p);
	return bad(r, "no Eurostat TSV: its first cell has to name dimensions and time, as in unit,geo\\TIME_PERIOD");
}

static glane_rc read_ids(struct tsv *r, struct slice first)
{
	const char *mark = first.n ? memrchr(first.p, '\\', first.n) : NULL;
	struct slice names, time;

	if (!mark)
		return other_document(r);
	names = (struct slice){first.p, (size_t)(mark - first.p)};
	time = slice_trim((struct slice){mark + 1, first.n - names.n - 1});
	for (bool more = true; more;) {
		struct slice id;

		more = names.n && memchr(names.p, ',', names.n);
		id = slice_trim(slice_cut(&names, ','));
		if (!id.n || r->n_dim == MAX_DIMS || !slice_is_utf8(id))
			return bad(r, "a dimension without a name, or more than 64 of them");
		if (!arena_dup(&r->arena, id, &r->id[r->n_dim++]))
			return no_memory(r);
	}
	if (!time.n || !slice_is_utf8(time))
		return bad(r, "the periods have no name");
	return arena_dup(&r->arena, time, &r->id[r->n_dim]) ? GLANE_OK : no_memory(r);
}

static glane_rc read_header(struct tsv *r)
{
	struct slice left;
	glane_rc rc = next_line(r);

	if (rc == GLANE_END)
		return bad(r, "the file is empty");
	if (rc != GLANE_OK)
		return rc;
	if (slice_has_prefix(r->line, "\xEF\xBB\xBF"))
		r->line.p += 3, r->line.n -= 3;
	left = r->line;
	rc = read_ids(r, slice_cut(&left, '\t'));
	while (rc == GLANE_OK && left.p) {
		const struct slice period = slice_trim(slice_cut(&left, '\t'));

		if (!period.n && !left.p) /* a tab at the line's end */
			break;
		if (!period.n || r->n_period == MAX_PERIODS)
			return bad(r, "a period without a name, or more than 100,000 of them");
		if (!mem_grow(&r->period, &r->cap_period, r->n_period + 1, sizeof(*r->period)) ||
			!arena_dup(&r->arena, period, &r->period[r->n_period++]))
			return no_memory(r);
	}
	if (rc == GLANE_OK && !r->n_period)
		rc = bad(r, "a header without periods");
	if (rc == GLANE_OK && r->at[-1] != '\n')
		rc = bad(r, "a header without an end; was the file cut?");
	r->is_read = rc == GLANE_OK;
	return rc;
}

/* The codes of a line. */
static glane_rc read_row(struct tsv *r)
{
	struct slice codes;
	size_t n = 0;
	glane_rc rc;

	do
		rc = next_line(r);
	while (rc == GLANE_OK && r->line.n == 0);
	if (rc != GLANE_OK)
		return rc;
	r->rest = r->line;
	codes = slice_cut(&r->rest, '\t');
	for (bool more = true; more; n++) {
		more = codes.n && memchr(codes.p, ',', codes.n);
		if (n == r->n_dim)
			return bad(r, "more codes than the header has dimensions");
		r->code[n] = slice_trim(slice_cut(&codes, ','));
	}
	if (n != r->n_dim)
		return bad(r, "fewer codes than the header has dimensions; was the file cut?");
	if (r->at[-1] != '\n') /* what is left of a number may be one */
		return bad(r, "a line without an end; was the file cut?");
	r->i_period = 0;
	r->series++;
	return GLANE_OK;
}

static bool are_flags(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!(s.p[i] >= 'a' && s.p[i] <= 'z') && !(s.p[i] >= 'A' && s.p[i] <= 'Z') && !strchr("@ ,", s.p[i]))
			return false;
	return true;
}

/* "12.3 bp", ": c", ":", "9": what follows the value is flags, which are letters and @; else all of it is one text. */
static void read_cell(struct tsv *r, struct slice cell)
{
	size_t n = 0;

	cell = slice_trim(cell);
	if (cell.n && *cell.p == ':')
		n = 1;
	else
		while (n < cell.n && cell.p[n] != ' ')
			n++;
	if (n < cell.n && !are_flags((struct slice){cell.p + n, cell.n - n}))
		n = cell.n;
	r->value = n && (*cell.p != ':' || n > 1) ? (struct slice){cell.p, n} : (struct slice){NULL, 0};
	r->flag = slice_trim((struct slice){cell.p + n, cell.n - n});
	if (!r->flag.n)
		r->flag.p = NULL;
}

static glane_rc step(struct tsv *r)
{
	glane_rc rc = r->is_read ? GLANE_OK : read_header(r);

	if (rc == GLANE_OK && (r->number == 0 || r->i_period + 1 >= r->n_period)) {
		if (r->number && slice_trim(r->rest).n)
			return bad(r, "more cells than the header has periods");
		rc = read_row(r);
	} else if (rc == GLANE_OK) {
		r->i_period++;
	}
	if (rc != GLANE_OK)
		return rc;
	if (!r->rest.p)
		return bad(r, "fewer cells than the header has periods; was the file cut?");
	read_cell(r, slice_cut(&r->rest, '\t'));
	r->number++;
	r->is_record = true;
	return GLANE_OK;
}

static glane_rc tsv_next(void *state)
{
	struct tsv *r = state;

	r->is_record = false;
	if (r->over == GLANE_OK)
		r->over = step(r);
	return r->over;
}

static size_t tsv_columns(const void *state)
{
	const struct tsv *r = state;

	return r->is_read ? r->n_dim + 3 : 0;
}

static struct slice tsv_column(const void *state, size_t i)
{
	const struct tsv *r = state;

	if (i >= tsv_columns(r))
		return (struct slice){NULL, 0};
	return i < VALUE ? r->id[i] : i == VALUE ? SLICE("OBS_VALUE") : SLICE("OBS_FLAG");
}

static struct slice tsv_at(void *state, size_t i)
{
	const struct tsv *r = state;

	if (!r->is_record || i > VALUE + 1)
		return (struct slice){NULL, 0};
	if (i < r->n_dim)
		return r->code[i];
	return i == r->n_dim ? r->period[r->i_period] : i == VALUE ? r->value : r->flag;
}

static struct slice tsv_get(void *state, const char *path)
{
	for (size_t i = 0; i < tsv_columns(state); i++)
		if (slice_is(tsv_column(state, i), path))
			return tsv_at(state, i);
	return (struct slice){NULL, 0};
}

/* Of an answer that is not ready: "#footer" is 413, "#poll" the number under which it will be. */
static struct slice tsv_head(const void *state, size_t i)
{
	const struct tsv *r = state;

	if (i >= r->n_head || !r->words.n)
		return (struct slice){NULL, 0};
	if (strcmp(r->head[i], "#footer") == 0)
		return SLICE("413");
	return strcmp(r->head[i], "#poll") == 0 ? strbuf_get(&r->words) : (struct slice){NULL, 0};
}

static void tsv_where(const void *state, uint64_t *number, uint64_t *line, uint64_t *offset)
{
	const struct tsv *r = state;

	*number = r->number;
	*line = r->n_line;
	*offset = r->payload->pos + (uint64_t)(r->at - r->payload->p);
}

static struct slice tsv_text(const void *state, size_t max)
{
	const struct tsv *r = state;
	struct slice s;

	strbuf_reset(r->text);
	for (size_t i = 0; r->is_record && i < r->n_dim; i++) {
		strbuf_some(r->text, i ? SLICE(",") : SLICE(""));
		strbuf_some(r->text, r->code[i]);
	}
	for (size_t i = 0; r->is_record && i < 3; i++) {
		strbuf_some(r->text, i < 2 ? SLICE("\t") : SLICE(" "));
		strbuf_some(r->text, i == 0 ? r->period[r->i_period] : i == 1 ? r->value : r->flag);
	}
	s = strbuf_get(r->text);
	return s.n > max ? (struct slice){s.p, max} : s;
}

static uint64_t tsv_shape(const void *state)
{
	return ((const struct tsv *)state)->is_read;
}

static uint64_t tsv_series(const void *state)
{
	return ((const struct tsv *)state)->series;
}

static int tsv_role(const void *state, size_t i)
{
	const struct tsv *r = state;

	if (i >= tsv_columns(r))
		return 0;
	if (i <= r->n_dim)
		return i < r->n_dim ? GLANE_ROLE_DIMENSION : GLANE_ROLE_TIME;
	return i == VALUE ? GLANE_ROLE_MEASURE : GLANE_ROLE_ATTRIBUTE;
}

static const struct cube_ops cube_ops = {.shape = tsv_shape, .series = tsv_series, .role = tsv_role};

const struct record_ops tsv_record_ops = {.open = tsv_open,
	.next = tsv_next,
	.at = tsv_at,
	.get = tsv_get,
	.columns = tsv_columns,
	.column = tsv_column,
	.head = tsv_head,
	.where = tsv_where,
	.text = tsv_text,
	.close = tsv_close,
	.cube = &cube_ops};
