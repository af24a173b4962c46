/* SPDX-License-Identifier: MIT */
/*
 * CSV records. First line: delimiter, quote ('0': the default of either), then letters: t(rim) r(agged) n(o header) s(mall
 * limits), a digit: lines to skip. Second line: the fields, between blanks; none: all columns. The rest is the document.
 */
#include "fuzz.h"
#include "read/csv_index.h"

static struct glane_csv dialect_of(struct slice line, struct record_options *o)
{
	struct glane_csv c = {.size = sizeof(c)};

	if (line.n > 0 && line.p[0] != '0')
		c.delimiter = line.p[0];
	if (line.n > 1 && line.p[1] != '0')
		c.quote = line.p[1];
	for (size_t i = 2; i < line.n; i++) {
		char l = line.p[i];

		c.trim |= l == 't';
		c.ragged |= l == 'r';
		c.no_header |= l == 'n';
		if (l >= '0' && l <= '9')
			c.skip = (uint32_t)(l - '0');
		if (l == 's') {
			o->max_record = 48;
			o->max_field = 12;
		}
	}
	return c;
}

FUZZ_TARGET(csv)
{
	struct record_options o = {.format = GLANE_FMT_CSV};
	struct glane_csv csv = dialect_of(fuzz_line(&in), &o);
	struct slice fields = fuzz_line(&in);
	struct arena a;
	glane_rc rc;

	arena_init(&a, 0);
	o.csv = &csv;
	if (fields.n)
		o.field = fuzz_words(&a, fields, 8, &o.n_field);
	in = in.p ? in : SLICE("");
	csv_index_level(0); /* the portable code says what the fastest must say */
	rc = fuzz_records(&o, in);
	csv_index_level(-1);
	FUZZ_CHECK(fuzz_records(&o, in) == rc);
	arena_release(&a);
}
