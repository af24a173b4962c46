/* SPDX-License-Identifier: MIT */
/* JSON-stat: the whole input is the document. What is taken as one is JSON that jansson takes too. */
#include "base/json.h"
#include "fuzz.h"

FUZZ_TARGET(jsonstat)
{
	static const char *const heads[] = {"#footer"};
	const struct record_options o = {.format = GLANE_FMT_JSONSTAT, .head = heads, .n_head = 1};
	json_error_t e;
	json_t *j;

	if (fuzz_records(&o, in) != GLANE_END)
		return;
	if (slice_has_prefix(in, "\xEF\xBB\xBF"))
		in = (struct slice){in.p + 3, in.n - 3};
	j = json_loadb(in.p, in.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, &e);
	FUZZ_SAY(j || json_error_code(&e) == json_error_numeric_overflow || strstr(e.text, "real number overflow"),
		"jansson: %s at %d", e.text, e.position);
	json_decref(j);
}
