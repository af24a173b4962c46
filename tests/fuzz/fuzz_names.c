/* SPDX-License-Identifier: MIT */
/* Names and dimensions. First line: a name; second: a canonical text of dimensions, perhaps; then KEY=VALUE lines. */
#include "fuzz.h"
#include "model/dims.h"
#include "model/fold.h"
#include "model/status.h"

#define PAIRS 8

static void check_name(struct slice name)
{
	struct strbuf once, twice;

	strbuf_init(&once, 0);
	strbuf_init(&twice, 0);
	name_fold(&once, name);
	name_fold(&twice, strbuf_get(&once));
	FUZZ_CHECK(!slice_is_utf8(name) || slice_is_utf8(strbuf_get(&once)));
	FUZZ_SAY(!slice_is_utf8(name) || slice_trim(strbuf_get(&once)).n == once.n, "'%s'", once.p);
	for (size_t i = 0; i < once.n; i++)
		FUZZ_SAY(!(once.p[i] >= 'A' && once.p[i] <= 'Z') && !strchr("\t\n'", once.p[i]), "'%s'", once.p);
	strbuf_release(&once);
	strbuf_release(&twice);
}

static void check_pairs(const struct glane_kv *kv, size_t n)
{
	struct strbuf b, value;
	struct diag d;

	diag_clear(&d);
	strbuf_init(&b, 0);
	strbuf_init(&value, 0);
	if (dims_print(&b, kv, n, &d) == GLANE_OK) {
		FUZZ_SAY(dims_ok(strbuf_get(&b)), "%s", b.p);
		for (size_t i = 0; i < n; i++) {
			const struct slice key = slice_of(kv[i].k), want = {kv[i].v.p, kv[i].v.n};

			if (!want.p)
				continue;
			strbuf_reset(&value);
			FUZZ_SAY(dims_get(strbuf_get(&b), key, &value), "%s: %s", b.p, kv[i].k);
			FUZZ_SAY(slice_eq(strbuf_get(&value), want), "%s: %s", b.p, kv[i].k);
			FUZZ_CHECK(dims_has(strbuf_get(&b), key, want));
		}
	} else {
		FUZZ_CHECK(d.text[0]);
	}
	strbuf_release(&b);
	strbuf_release(&value);
}

FUZZ_TARGET(names)
{
	struct glane_kv kv[PAIRS];
	struct arena a;
	struct strbuf b;
	struct slice canonical;
	size_t n = 0;
	char c;

	arena_init(&a, 0);
	check_name(fuzz_line(&in));
	canonical = fuzz_line(&in);
	strbuf_init(&b, 0);
	if (dims_ok(canonical))
		FUZZ_CHECK(!dims_get(canonical, SLICE(""), &b));
	strbuf_release(&b);
	c = status_code(canonical, true);
	FUZZ_CHECK(c == 0 || status_ok(c));
	FUZZ_CHECK(status_code(canonical, false) == 0 || status_code(canonical, false) == c);
	while (in.p && n < PAIRS) {
		struct slice value = fuzz_line(&in), key = slice_cut(&value, '=');

		kv[n].k = fuzz_cstr(&a, key);
		kv[n++].v = (glane_str){value.p, value.n};
	}
	check_pairs(kv, n);
	arena_release(&a);
}
