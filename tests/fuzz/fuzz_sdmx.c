/* SPDX-License-Identifier: MIT */
/* SDMX messages: the whole input is the message, in whichever form it begins like; with the dimensions named, and without. */
#include "fuzz.h"

FUZZ_TARGET(sdmx)
{
	static const char *const dimensions[] = {"FREQ", "CURRENCY", "TIME_PERIOD"};
	static const char *const heads[] = {"#footer", "#poll"};
	struct record_options o = {.format = GLANE_FMT_SDMX};

	fuzz_records(&o, in);
	o.field = dimensions, o.n_field = 3, o.head = heads, o.n_head = 2;
	fuzz_records(&o, in);
}
