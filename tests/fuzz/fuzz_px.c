/* SPDX-License-Identifier: MIT */
/* PC-Axis: the whole input is the document, in windows of any size. */
#include "fuzz.h"

FUZZ_TARGET(px)
{
	const struct record_options o = {.format = GLANE_FMT_PX};

	fuzz_records(&o, in);
}
