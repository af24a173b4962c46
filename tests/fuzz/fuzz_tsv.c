/* SPDX-License-Identifier: MIT */
/* Eurostat's TSV: the whole input is the document, in windows of any size; a second time with short lines. */
#include "fuzz.h"

FUZZ_TARGET(tsv)
{
	static const char *const heads[] = {"#footer", "#poll"};
	struct record_options o = {.format = GLANE_FMT_TSV, .head = heads, .n_head = 2};

	fuzz_records(&o, in);
	o.max_record = 24;
	fuzz_records(&o, in);
}
