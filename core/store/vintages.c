/* SPDX-License-Identifier: MIT */
/* Events of one series: files, row groups and rows of others are passed over. */
#include "store/vintages.h"
#include "store/events.h"
#include <stdio.h>

static bool is_text(const void *arg, struct slice text)
{
	const struct slice *wanted = arg;

	return slice_eq(*wanted, text);
}

static bool may_be_text(const void *arg, struct slice min, struct slice max)
{
	const struct slice *wanted = arg;

	return slice_cmp(*wanted, min) >= 0 && slice_cmp(*wanted, max) <= 0;
}

static void add(struct record_tests *t, size_t column, const struct slice *wanted)
{
	t->v[t->n++] = (struct record_test){.column = column, .fits = is_text, .may_fit = may_be_text, .arg = wanted};
}

glane_rc vintages_run(const struct store *s, const struct row *series, int64_t until,
	glane_rc (*each)(void *arg, const struct row *event), void *arg, struct diag *d)
{
	const struct slice freq = {&series->freq, 1};
	struct record_tests tests = {.n = 0};
	struct events e;
	const struct row *event;
	char source[64];
	glane_rc rc;

	add(&tests, RECORD_DATASET, &series->dataset);
	add(&tests, RECORD_INDICATOR, &series->indicator);
	add(&tests, RECORD_AREA_CODE, &series->area_code);
	add(&tests, RECORD_DIMS, &series->dims);
	add(&tests, RECORD_FREQ, &freq);
	(void)snprintf(source, sizeof(source), "%.*s", SLICE_FMT(series->source));
	rc = events_open(&e, s, source, INT64_MIN, until, &tests, d);
	if (rc < 0)
		return rc;
	while (rc == GLANE_OK) {
		rc = events_next(&e, &event, d);
		if (rc == GLANE_OK && event->recorded_at <= until)
			rc = each(arg, event);
	}
	events_close(&e);
	return rc < 0 ? rc : GLANE_OK;
}
