/* SPDX-License-Identifier: MIT */
/* What a source gave that no rule forbids, and that looks like a mistake in its section. */
#include "proc/intake.h"

#include <string.h>

/* The example: whole characters, control bytes made visible. */
void doubt_add(struct doubt *d, struct slice example)
{
	size_t at = 0, n;
	char shown[8];

	d->n++;
	while ((n = slice_show(&example, shown)) != 0 && at + n < sizeof(d->example)) {
		memcpy(d->example + at, shown, n);
		at += n;
	}
	d->example[at] = 0;
}

void intake_doubts(const struct intake *in, struct strbuf *b)
{
	if (in->unknown_areas.n)
		strbuf_fmt(b, "%llu series with areas that no table knows, e.g. '%s' (area_scheme?)",
			(unsigned long long)in->unknown_areas.n, in->unknown_areas.example);
	if (in->unknown_areas.n && in->text_values.n)
		strbuf_puts(b, "; ");
	if (in->text_values.n)
		strbuf_fmt(b, "%llu %s, e.g. '%s' (decimal? group?)", (unsigned long long)in->text_values.n,
			in->text_values.n == 1 ? "value is no number" : "values are no numbers",
			in->text_values.example);
}
