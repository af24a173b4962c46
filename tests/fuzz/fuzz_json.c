/* SPDX-License-Identifier: MIT */
/*
 * JSON records. First line: select; second: fields; third: heads, between blanks; the rest is the document. What the reader
 * takes as a whole document ($lines: many, one behind the other), jansson takes too.
 */
#include "base/json.h"
#include "fuzz.h"

static void compare_parsers(struct slice doc)
{
	const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
	json_error_t e;
	json_t *j;

	if (slice_has_prefix(doc, "\xEF\xBB\xBF"))
		doc = (struct slice){doc.p + 3, doc.n - 3};
	j = json_loadb(doc.p, doc.n, flags, &e);
	/* Numbers beyond int64 and double are jansson's own limits; so is a lone surrogate, which no UTF-8 can hold. */
	FUZZ_SAY(j || json_error_code(&e) == json_error_numeric_overflow || strstr(e.text, "real number overflow"),
		"jansson: %s at %d", e.text, e.position);
	json_decref(j);
}

FUZZ_TARGET(json)
{
	struct record_options o = {.format = GLANE_FMT_JSON};
	struct arena a;

	arena_init(&a, 0);
	in = fuzz_paths(&a, in, &o);
	if (fuzz_records(&o, in) == GLANE_END && strcmp(o.select, "$lines") != 0)
		compare_parsers(in);
	o.max_record = 24;
	o.max_field = 6;
	o.max_depth = 4;
	fuzz_records(&o, in);
	arena_release(&a);
}
