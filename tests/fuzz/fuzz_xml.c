/* SPDX-License-Identifier: MIT */
/* XML records. First line: select; second: fields; third: heads, between blanks; the rest is the document. */
#include "fuzz.h"

FUZZ_TARGET(xml)
{
	struct record_options o = {.format = GLANE_FMT_XML};
	struct slice select = fuzz_line(&in), fields = fuzz_line(&in), heads = fuzz_line(&in);
	struct arena a;

	arena_init(&a, 0);
	o.select = fuzz_cstr(&a, select);
	o.field = fuzz_words(&a, fields, 8, &o.n_field);
	o.head = fuzz_words(&a, heads, 4, &o.n_head);
	in = in.p ? in : SLICE("");
	fuzz_records(&o, in);
	o.max_record = 64;
	o.max_field = 8;
	o.max_depth = 4;
	fuzz_records(&o, in);
	arena_release(&a);
}
