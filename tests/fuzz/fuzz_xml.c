/* SPDX-License-Identifier: MIT */
/* XML records. First line: select; second: fields; third: heads, between blanks; the rest is the document. */
#include "fuzz.h"

FUZZ_TARGET(xml)
{
	struct record_options o = {.format = GLANE_FMT_XML};
	struct arena a;

	arena_init(&a, 0);
	in = fuzz_paths(&a, in, &o);
	fuzz_records(&o, in);
	o.max_record = 64;
	o.max_field = 8;
	o.max_depth = 4;
	fuzz_records(&o, in);
	arena_release(&a);
}
