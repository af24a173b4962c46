/* SPDX-License-Identifier: MIT */
/* Workbooks: a cell that holds an error, or a formula that nobody has computed, is no observation. */
#include "plug/run.h"

#include <stdio.h>

/* #DIV/0! #NAME? #REF! #VALUE! ..., and what the reader writes for a formula without its result. */
static bool is_error(struct slice s)
{
	s = slice_trim(s);
	return s.n > 1 && s.p[0] == '#' && s.p[1] >= 'A' && s.p[1] <= 'Z';
}

static glane_rc sheet_emit(glane_run *r, const struct glane_row *row)
{
	const struct slice value = row && row->size >= offsetof(struct glane_row, status) ? slice_from(row->value)
											  : (struct slice){NULL, 0};
	struct glane_host plain;
	char reason[160];

	if (r->current && r->current->req.format == GLANE_FMT_XLSX && is_error(value) && run_check(r) == GLANE_OK) {
		(void)snprintf(reason, sizeof(reason),
			slice_is(value, "#NOT-COMPUTED") ? "%.*s: a formula without its result: save the workbook with "
							   "a spreadsheet program"
							 : "%.*s: an error in a cell of the workbook",
			(int)(value.n < 40 ? value.n : 40), value.p);
		return run_reject(r, "cell", reason);
	}
	emit_services(&plain);
	return plain.emit(r, row);
}

void sheet_services(struct glane_host *h)
{
	h->emit = sheet_emit;
}
