/* SPDX-License-Identifier: MIT */
/* Row files. The input is lines, with the header or without: what is read and written again is the same row. */
#include "base/json.h"
#include "fuzz.h"
#include "model/row.h"

static const int widths[] = {ROW_COLUMNS, ROW_COLUMNS + 1, ROW_COLUMNS_ALL};

static void check_json(const struct row *r, int columns)
{
	struct strbuf b;
	json_error_t e;
	json_t *j;

	strbuf_init(&b, 0);
	row_ndjson(&b, r, columns);
	FUZZ_CHECK(b.n && memchr(b.p, '\n', b.n) == b.p + b.n - 1);
	j = json_loadb(b.p, b.n, JSON_REJECT_DUPLICATES, &e);
	FUZZ_SAY(j || json_error_code(&e) == json_error_numeric_overflow || strstr(e.text, "real number overflow") ||
			 json_error_code(&e) == json_error_null_character,
		"%s: %s", e.text, b.p);
	FUZZ_CHECK(!j || json_object_size(j) == (size_t)columns);
	json_decref(j);
	strbuf_release(&b);
}

static void check_scale(struct row r)
{
	struct strbuf b;

	strbuf_init(&b, 0);
	row_scale(&r, &b);
	FUZZ_CHECK(!r.value.n || slice_is_utf8(r.value));
	strbuf_release(&b);
}

static void check_line(struct slice line, int columns)
{
	struct strbuf scratch, scratch2, first, second;
	struct row r = {0}, again = {0};
	struct diag d;

	diag_clear(&d);
	strbuf_init(&scratch, 0);
	strbuf_init(&scratch2, 0);
	strbuf_init(&first, 0);
	strbuf_init(&second, 0);
	if (row_parse_csv(line, columns, &scratch, &r, &d) == GLANE_OK) {
		row_csv(&first, &r, columns);
		FUZZ_SAY(row_parse_csv(strbuf_get(&first), columns, &scratch2, &again, &d) == GLANE_OK, "%s: %s",
			d.text, first.p);
		row_csv(&second, &again, columns);
		FUZZ_SAY(slice_eq(strbuf_get(&first), strbuf_get(&second)), "%s\n%s", first.p, second.p);
		FUZZ_CHECK(
			row_cmp_key(&r, &again) == 0 && row_same_value(&r, &again) && row_same_attributes(&r, &again));
		check_json(&r, columns);
		check_scale(r);
	} else {
		FUZZ_CHECK(d.text[0]);
	}
	strbuf_release(&scratch);
	strbuf_release(&scratch2);
	strbuf_release(&first);
	strbuf_release(&second);
}

FUZZ_TARGET(row)
{
	while (in.p) {
		struct slice line = fuzz_line(&in);

		for (size_t i = 0; i < sizeof(widths) / sizeof(*widths); i++)
			check_line(line, widths[i]);
	}
}
