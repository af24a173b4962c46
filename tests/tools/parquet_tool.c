/* SPDX-License-Identifier: MIT */
/*
 * Parquet files from and to text, through core/store/parquet.h; for tests/interop/parquet.py.
 *   parquet_tool write FILE [GROUP_ROWS] < TEXT   parquet_tool read FILE [PATH:TYPE...] > TEXT   parquet_tool copy FROM TO
 * The text's first line is the schema, cells are separated by TAB: PATH:TYPE[?][:HINT][+]; "?" nullable, "+" sorted by.
 * A null is \N, or \NL with its level; items of lists are separated by 0x1f, keys from values by 0x1e, an empty list is [];
 * tabs, line ends and backslashes are \t, \n, \\; doubles are C99 hexadecimal, so that no bit is lost.
 */
#include "base/file.h"
#include "base/mem.h"
#include "store/parquet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ROWS 4096

static const char *const types[] = {
	"text", "bool", "int8", "int16", "int32", "int64", "double", "date", "timestamp", "list", "map"};
static const char *const hints[] = {"auto", "dictionary", "delta", "plain"};

struct cells { /* one column of a batch */
	uint8_t level[ROWS], flag[ROWS];
	struct slice text[ROWS];
	int32_t i32[ROWS];
	int64_t i64[ROWS];
	double f64[ROWS];
	uint32_t offset[ROWS + 1];
	struct slice *item, *value;
	size_t n, cap_item, cap_value;
};

static void die(const char *what)
{
	(void)fprintf(stderr, "parquet_tool: %s\n", what);
	exit(1);
}

static int index_of(const char *const *names, int n, struct slice s)
{
	for (int i = 0; i < n; i++)
		if (slice_is(s, names[i]))
			return i;
	die("an unknown type or hint");
	return 0;
}

/* PATH:TYPE[?][:HINT][+]; true: sorted by it. */
static bool parse_column(struct slice s, struct parquet_column *c, struct arena *a)
{
	bool sorted = s.n && s.p[s.n - 1] == '+';
	struct slice name, type;
	int t;

	s.n -= sorted;
	name = slice_cut(&s, ':');
	type = slice_cut(&s, ':');
	*c = (struct parquet_column){.path = arena_strndup(a, name.p, name.n)};
	c->nullable = type.n && type.p[type.n - 1] == '?';
	type.n -= c->nullable;
	t = index_of(types, 11, type);
	c->type = t > 8 ? PARQUET_TEXT : (enum parquet_type)t;
	c->shape = t > 8 ? (enum parquet_shape)(t - 8) : PARQUET_ONE;
	if (s.n)
		c->hint = (enum parquet_hint)index_of(hints, 4, s);
	return sorted;
}

/* \t, \n, \\ in place. */
static struct slice unescape(char *p, size_t n)
{
	size_t to = 0;

	for (size_t i = 0; i < n; i++, to++) {
		p[to] = p[i];
		if (p[i] == '\\' && i + 1 < n) {
			i++;
			p[to] = p[i] == 't' ? '\t' : p[i] == 'n' ? '\n' : p[i];
		}
	}
	return (struct slice){p, to};
}

static bool is_null(const char *p, size_t n)
{
	return n >= 2 && p[0] == '\\' && p[1] == 'N';
}

static void add_item(struct slice **v, size_t *cap, size_t n, char *p, size_t length)
{
	if (!mem_grow(v, cap, n + 1, sizeof(**v)))
		die("no memory");
	(*v)[n] = is_null(p, length) ? (struct slice){NULL, 0} : unescape(p, length);
}

static void parse_items(struct cells *b, bool is_map, char *p, size_t n)
{
	char *end = p + n;

	if (n == 2 && p[0] == '[' && p[1] == ']')
		return;
	for (;;) {
		char *stop = memchr(p, 0x1f, (size_t)(end - p)), *mid;

		stop = stop ? stop : end;
		mid = is_map ? memchr(p, 0x1e, (size_t)(stop - p)) : NULL;
		add_item(&b->item, &b->cap_item, b->n, p, (size_t)((mid ? mid : stop) - p));
		if (mid)
			add_item(&b->value, &b->cap_value, b->n, mid + 1, (size_t)(stop - mid - 1));
		b->n++;
		if (stop == end)
			return;
		p = stop + 1;
	}
}

static void parse_cell(const struct parquet_column *c, struct cells *b, size_t row, char *p, size_t n)
{
	unsigned max = parquet_level_max(c);

	b->level[row] = (uint8_t)(is_null(p, n) ? (n > 2 ? p[2] - '0' : 0) : (int)max);
	if (b->level[row] == max && c->shape != PARQUET_ONE)
		parse_items(b, c->shape == PARQUET_MAP, p, n);
	else if (b->level[row] == max && c->type == PARQUET_TEXT)
		b->text[row] = unescape(p, n);
	else if (b->level[row] == max && c->type == PARQUET_DOUBLE)
		b->f64[row] = strtod(p, NULL);
	else if (b->level[row] == max)
		b->i64[row] = strtoll(p, NULL, 10);
	b->i32[row] = (int32_t)b->i64[row];
	b->flag[row] = b->i64[row] != 0;
	b->offset[row + 1] = (uint32_t)b->n;
}

static struct parquet_vector vector_of(const struct cells *b)
{
	return (struct parquet_vector){.level = b->level,
		.text = b->n ? b->item : b->text,
		.i32 = b->i32,
		.i64 = b->i64,
		.f64 = b->f64,
		.flag = b->flag,
		.offset = b->offset,
		.value = b->value};
}

static void check(glane_rc rc, const struct diag *d)
{
	if (rc < 0)
		die(d->text);
}

/* All of stdin, lines in place. */
static void write_rows(struct parquet_writer *w, const struct parquet_column *c, size_t n, char *p, const char *end)
{
	struct cells **b = mem_zalloc(n, sizeof(struct cells *));
	struct parquet_vector v[PARQUET_COLUMNS_MAX];
	struct diag d;
	size_t row = 0;

	diag_clear(&d);
	for (size_t i = 0; i < n; i++)
		b[i] = mem_zalloc(1, sizeof(**b));
	while (p < end) {
		for (size_t i = 0; i < n; i++) {
			char *stop = memchr(p, i + 1 < n ? '\t' : '\n', (size_t)(end - p));

			if (!stop)
				die("a line is cut");
			*stop = 0;
			parse_cell(&c[i], b[i], row, p, (size_t)(stop - p));
			p = stop + 1;
		}
		if (++row < ROWS && p < end)
			continue;
		for (size_t i = 0; i < n; i++)
			v[i] = vector_of(b[i]);
		check(parquet_writer_add(w, v, row, &d), &d);
		for (size_t i = 0; i < n; i++)
			b[i]->n = 0;
		row = 0;
	}
	for (size_t i = 0; i < n; i++) {
		mem_free(b[i]->item);
		mem_free(b[i]->value);
		mem_free(b[i]);
	}
	mem_free(b);
}

static int create(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		die(strerror(errno));
	return fd;
}

static void print_summary(const struct parquet_column *c, size_t n, const struct parquet_summary *s)
{
	(void)printf("bytes\t%llu\nrows\t%llu\ngroups\t%zu\n", (unsigned long long)s->bytes,
		(unsigned long long)s->rows, s->groups);
	for (size_t i = 0; i < n; i++) {
		const struct parquet_stats *t = &s->column[i];

		(void)printf("%s\t%lld", c[i].path, t->has_nulls ? (long long)t->nulls : -1);
		if (t->has_bounds && c[i].type == PARQUET_TEXT)
			(void)printf("\t%.*s\t%.*s\t%d%d", SLICE_FMT(t->min_text), SLICE_FMT(t->max_text), t->min_exact,
				t->max_exact);
		else if (t->has_bounds && c[i].type == PARQUET_DOUBLE)
			(void)printf("\t%a\t%a", t->min_f64, t->max_f64);
		else if (t->has_bounds)
			(void)printf("\t%lld\t%lld", (long long)t->min_int, (long long)t->max_int);
		(void)printf("\n");
	}
}

static void write_file(const char *name, size_t group_rows)
{
	static const char *const meta[1][2] = {{"glane.test", "yes"}};
	struct parquet_column c[PARQUET_COLUMNS_MAX];
	uint32_t sorted[PARQUET_COLUMNS_MAX];
	struct parquet_options o = {.group_rows = group_rows, .sorted = sorted, .meta = meta, .n_meta = 1};
	struct parquet_summary summary;
	struct parquet_writer *w;
	struct strbuf in;
	struct slice head;
	struct arena a;
	struct diag d;
	size_t n = 0;
	int fd = create(name);

	diag_clear(&d);
	arena_init(&a, 0);
	strbuf_init(&in, (size_t)8 << 30);
	for (size_t got = 1; got;) {
		char *to = strbuf_room(&in, 1 << 20);

		if (!to)
			die("no memory");
		got = fread(to, 1, 1 << 20, stdin);
		in.n += got;
	}
	head = (struct slice){in.p, (size_t)((char *)memchr(in.p, '\n', in.n) - in.p)};
	for (struct slice rest = head; rest.p && n < PARQUET_COLUMNS_MAX; n++)
		if (parse_column(slice_cut(&rest, '\t'), &c[n], &a))
			sorted[o.n_sorted++] = (uint32_t)n;
	check(parquet_writer_open(fd, c, n, &o, &w, &d), &d);
	write_rows(w, c, n, in.p + head.n + 1, in.p + in.n);
	check(parquet_writer_finish(w, &summary, &d), &d);
	print_summary(c, n, &summary);
	parquet_writer_free(w);
	strbuf_release(&in);
	arena_release(&a);
	if (close(fd) != 0)
		die(strerror(errno));
}

static void put_text(struct strbuf *b, struct slice s)
{
	if (!s.p)
		strbuf_puts(b, "\\N");
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\t' || s.p[i] == '\n' || s.p[i] == '\\') {
			strbuf_putc(b, '\\');
			strbuf_putc(b, s.p[i] == '\t' ? 't' : s.p[i] == '\n' ? 'n' : '\\');
		} else {
			strbuf_putc(b, s.p[i]);
		}
}

static void put_cell(struct strbuf *b, const struct parquet_column *c, const struct parquet_vector *v, size_t i)
{
	unsigned max = parquet_level_max(c);

	if (v->level && v->level[i] < max) {
		strbuf_puts(b, "\\N");
		if (max > 1)
			strbuf_int(b, v->level[i]);
	} else if (c->shape != PARQUET_ONE) {
		if (v->offset[i] == v->offset[i + 1])
			strbuf_puts(b, "[]");
		for (uint32_t k = v->offset[i]; k < v->offset[i + 1]; k++) {
			if (k > v->offset[i])
				strbuf_putc(b, 0x1f);
			put_text(b, v->text[k]);
			if (c->shape == PARQUET_MAP) {
				strbuf_putc(b, 0x1e);
				put_text(b, v->value[k]);
			}
		}
	} else if (c->type == PARQUET_TEXT) {
		put_text(b, v->text[i]);
	} else if (c->type == PARQUET_DOUBLE) {
		strbuf_fmt(b, "%a", v->f64[i]);
	} else if (c->type == PARQUET_INT64 || c->type == PARQUET_TIMESTAMP) {
		strbuf_int(b, v->i64[i]);
	} else {
		strbuf_int(b, c->type == PARQUET_BOOL ? v->flag[i] : v->i32[i]);
	}
}

static struct parquet_reader *open_file(const char *name, int *ret_fd)
{
	struct parquet_reader *r;
	struct diag d;

	diag_clear(&d);
	*ret_fd = open(name, O_RDONLY | O_CLOEXEC);
	if (*ret_fd < 0)
		die(strerror(errno));
	check(parquet_reader_open(*ret_fd, name, &r, &d), &d);
	return r;
}

static void read_file(const char *name, char **specs, int n_specs)
{
	struct parquet_column given[PARQUET_COLUMNS_MAX];
	const struct parquet_column *c;
	struct parquet_vector v[PARQUET_COLUMNS_MAX];
	struct parquet_reader *r;
	struct strbuf b;
	struct arena a;
	struct diag d;
	size_t n, rows;
	glane_rc rc;
	int fd;

	diag_clear(&d);
	arena_init(&a, 0);
	strbuf_init(&b, (size_t)1 << 30);
	r = open_file(name, &fd);
	c = parquet_reader_columns(r, &n);
	for (int i = 0; i < n_specs; i++)
		(void)parse_column(slice_of(specs[i]), &given[i], &a);
	if (n_specs) {
		c = given;
		n = (size_t)n_specs;
	}
	for (size_t i = 0; i < n; i++)
		strbuf_fmt(&b, "%s%s:%s%s", i ? "\t" : "", c[i].path,
			types[c[i].shape ? 8 + (int)c[i].shape : (int)c[i].type], c[i].nullable ? "?" : "");
	strbuf_putc(&b, '\n');
	check(parquet_reader_select(r, c, n, &d), &d);
	while ((rc = parquet_reader_next(r, v, &rows, &d)) == GLANE_OK) {
		for (size_t i = 0; i < rows; i++)
			for (size_t k = 0; k < n; k++) {
				put_cell(&b, &c[k], &v[k], i);
				strbuf_putc(&b, k + 1 < n ? '\t' : '\n');
			}
		if (!strbuf_ok(&b) || fwrite(b.p, 1, b.n, stdout) != b.n)
			die("cannot write");
		strbuf_reset(&b);
	}
	check(rc, &d);
	(void)fwrite(b.p ? b.p : "", 1, b.n, stdout);
	strbuf_release(&b);
	parquet_reader_free(r);
	arena_release(&a);
	(void)close(fd);
}

static void copy_file(const char *from, const char *to)
{
	struct parquet_vector v[PARQUET_COLUMNS_MAX];
	const struct parquet_column *c;
	struct parquet_summary summary;
	struct parquet_writer *w;
	struct parquet_reader *r;
	struct diag d;
	size_t n, rows;
	glane_rc rc;
	int in, out = create(to);

	diag_clear(&d);
	r = open_file(from, &in);
	c = parquet_reader_columns(r, &n);
	check(parquet_reader_select(r, c, n, &d), &d);
	check(parquet_writer_open(out, c, n, NULL, &w, &d), &d);
	while ((rc = parquet_reader_next(r, v, &rows, &d)) == GLANE_OK)
		check(parquet_writer_add(w, v, rows, &d), &d);
	check(rc, &d);
	check(parquet_writer_finish(w, &summary, &d), &d);
	print_summary(c, n, &summary);
	parquet_writer_free(w);
	parquet_reader_free(r);
	(void)close(in);
	if (close(out) != 0)
		die(strerror(errno));
}

int main(int argc, char **argv)
{
	if (argc >= 3 && strcmp(argv[1], "write") == 0)
		write_file(argv[2], argc > 3 ? strtoul(argv[3], NULL, 10) : 0);
	else if (argc >= 3 && strcmp(argv[1], "read") == 0)
		read_file(argv[2], argv + 3, argc - 3);
	else if (argc == 4 && strcmp(argv[1], "copy") == 0)
		copy_file(argv[2], argv[3]);
	else
		die("write FILE [GROUP_ROWS] | read FILE [PATH:TYPE...] | copy FROM TO");
	return fflush(stdout) == 0 ? 0 : 1;
}
