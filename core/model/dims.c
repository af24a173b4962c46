/* SPDX-License-Identifier: MIT */
/* Dimensions as one canonical text. */
#include "model/dims.h"

#define DIMS_MAX 64

static bool is_coded(unsigned char c)
{
	return c < 0x20 || c == 0x7f || c == '%' || c == ';' || c == '=';
}

static void put_coded(struct strbuf *b, struct slice s)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t from = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (!is_coded(c))
			continue;
		strbuf_add(b, s.p + from, i - from);
		strbuf_add(b, (char[]){'%', hex[c >> 4], hex[c & 15]}, 3);
		from = i + 1;
	}
	if (from < s.n)
		strbuf_add(b, s.p + from, s.n - from);
}

/* What a byte is written as, as a number that sorts like it. */
static unsigned weight(unsigned char c)
{
	return is_coded(c) ? ((unsigned)'%' << 8) | c : (unsigned)c << 8;
}

/* Order of two keys as they are written. */
static int cmp_written(const char *a, const char *b)
{
	size_t i = 0;

	while (a[i] && a[i] == b[i])
		i++;
	if (!a[i] || !b[i])
		return (a[i] != 0) - (b[i] != 0);
	return weight((unsigned char)a[i]) < weight((unsigned char)b[i]) ? -1 : 1;
}

/* Pairs with a value, sorted by insertion; stable, so that a key twice ends up side by side. */
static glane_rc sort_pairs(
	const struct glane_kv *kv, size_t n, const struct glane_kv **sorted, size_t *ret_n, struct diag *d)
{
	size_t used = 0;

	if (n > DIMS_MAX)
		return fail(d, GLANE_E_LIMIT, "series has %zu dimensions: at most %d are allowed", n, DIMS_MAX);
	for (size_t i = 0; i < n; i++) {
		size_t at = used;

		if (!kv[i].v.p)
			continue;
		if (!kv[i].k || !*kv[i].k)
			return fail(d, GLANE_E_DATA, "dimension %zu of the series has no name: give it one", i + 1);
		for (; at > 0 && cmp_written(kv[i].k, sorted[at - 1]->k) < 0; at--)
			sorted[at] = sorted[at - 1];
		if (at > 0 && strcmp(kv[i].k, sorted[at - 1]->k) == 0)
			return fail(
				d, GLANE_E_DATA, "dimension '%s' stands twice in one series: name it once", kv[i].k);
		sorted[at] = &kv[i];
		used++;
	}
	*ret_n = used;
	return GLANE_OK;
}

glane_rc dims_print(struct strbuf *b, const struct glane_kv *kv, size_t n, struct diag *d)
{
	const struct glane_kv *sorted[DIMS_MAX];
	size_t used = 0;
	glane_rc rc = sort_pairs(kv, n, sorted, &used, d);

	if (rc)
		return rc;
	for (size_t i = 0; i < used; i++) {
		if (i)
			strbuf_putc(b, ';');
		put_coded(b, slice_of(sorted[i]->k));
		strbuf_putc(b, '=');
		put_coded(b, (struct slice){sorted[i]->v.p, sorted[i]->v.n});
	}
	if (!strbuf_ok(b))
		return fail(d, strbuf_rc(b), "dimensions of a series: %s",
			b->starved ? "no memory" : "their text is too long");
	return GLANE_OK;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Next byte of a coded text; -1 where it is not coded as dims_print() does. Moves *i behind it. */
static int next_byte(struct slice s, size_t *i)
{
	unsigned char c = (unsigned char)s.p[(*i)++];
	int high, low;

	if (!is_coded(c))
		return c;
	if (c != '%' || s.n - *i < 2)
		return -1;
	high = hex_digit(s.p[*i]);
	low = hex_digit(s.p[*i + 1]);
	*i += 2;
	return high < 0 || low < 0 || !is_coded((unsigned char)(high * 16 + low)) ? -1 : high * 16 + low;
}

static bool is_well_coded(struct slice s)
{
	for (size_t i = 0; i < s.n;) {
		if (next_byte(s, &i) < 0)
			return false;
	}
	return true;
}

/* True where `coded` stands for `bare`. */
static bool means(struct slice coded, struct slice bare)
{
	size_t i = 0, at = 0;

	while (i < coded.n) {
		int c = next_byte(coded, &i);

		if (c < 0 || at == bare.n || c != (unsigned char)bare.p[at])
			return false;
		at++;
	}
	return at == bare.n;
}

static bool find(struct slice dims, struct slice key, struct slice *ret_value)
{
	while (dims.n) {
		struct slice pair = slice_cut(&dims, ';');
		struct slice k = slice_cut(&pair, '=');

		if (pair.p && means(k, key)) {
			*ret_value = pair;
			return true;
		}
	}
	return false;
}

bool dims_get(struct slice dims, struct slice key, struct strbuf *b)
{
	struct slice value;

	if (!find(dims, key, &value) || !is_well_coded(value))
		return false;
	for (size_t i = 0; i < value.n;)
		strbuf_putc(b, (char)next_byte(value, &i));
	return true;
}

bool dims_has(struct slice dims, struct slice key, struct slice value)
{
	struct slice coded;

	return find(dims, key, &coded) && means(coded, value);
}

bool dims_ok(struct slice dims)
{
	struct slice last = {NULL, 0};
	size_t n = 0;

	while (dims.p && (dims.n || n)) {
		struct slice pair = slice_cut(&dims, ';');
		struct slice key = slice_cut(&pair, '=');

		if (!pair.p || !key.n || n++ == DIMS_MAX || (last.p && slice_cmp(last, key) >= 0) ||
			!is_well_coded(key) || !is_well_coded(pair))
			return false;
		last = key;
	}
	return true;
}
