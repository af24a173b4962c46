/* SPDX-License-Identifier: MIT */
/* The tables of areas: economies, areas and groups, a line "---" between them, then codes to map: "SCHEME CODE". */
#include "fuzz.h"
#include "model/areas.h"

static void check_code(const struct areas *a, struct slice scheme, struct slice code)
{
	struct strbuf b, again;
	bool known = false, known_again = false;

	strbuf_init(&b, 0);
	strbuf_init(&again, 0);
	areas_map(a, scheme, code, &b, &known);
	areas_map(a, scheme, code, &again, &known_again);
	FUZZ_CHECK(known == known_again && slice_eq(strbuf_get(&b), strbuf_get(&again)));
	FUZZ_CHECK((code.n == 0) == (b.n == 0));
	if (!known) {
		FUZZ_CHECK(b.n == scheme.n + 1 + code.n && memcmp(b.p, scheme.p, scheme.n) == 0);
		FUZZ_CHECK(b.p[scheme.n] == ':' && memcmp(b.p + scheme.n + 1, code.p, code.n) == 0);
	}
	FUZZ_CHECK(areas_name(a, strbuf_get(&b)).n > 0 || b.n == 0);
	(void)areas_in_group(a, scheme, strbuf_get(&b), 18262);
	strbuf_release(&b);
	strbuf_release(&again);
}

static void check_groups(const struct areas *a)
{
	const struct map_entry *e;
	size_t it = 0;

	while ((e = map_next(&a->groups, &it)) != NULL) {
		FUZZ_CHECK(areas_has_group(a, e->key));
		for (const struct area_member *m = a->group_list[e->value]; m; m = m->next) {
			FUZZ_CHECK(m->from <= m->to);
			FUZZ_CHECK(areas_in_group(a, e->key, m->area, m->from) &&
				   areas_in_group(a, e->key, m->area, m->to));
		}
	}
}

FUZZ_TARGET(areas)
{
	static const char *const files[] = {"economies.csv", "areas.csv", "groups.csv"};
	struct slice part;
	struct areas a;
	struct diag d;
	glane_rc rc;

	for (size_t i = 0; i < 3; i++)
		fuzz_put(files[i], fuzz_part(&in, &part) ? part : SLICE(""));
	diag_clear(&d);
	rc = areas_load(&a, fuzz_folder(), &d);
	FUZZ_SAY(rc == GLANE_OK || (rc == d.code && strstr(d.text, ".csv")), "%s", d.text);
	if (rc == GLANE_OK) {
		while (in.p) {
			struct slice code = fuzz_line(&in), scheme = slice_cut(&code, ' ');

			check_code(&a, scheme, code.p ? code : SLICE(""));
		}
		check_groups(&a);
		areas_release(&a);
	}
	diag_clear(&d);
	mem_fail_after((long)(fuzz_hash(part) % 40) + 1, false);
	if (areas_load(&a, fuzz_folder(), &d) == GLANE_OK)
		areas_release(&a);
	mem_fail_after(0, false);
}
