/* SPDX-License-Identifier: MIT */
/* The keys of the gate: names, defaults, what they hold back. */
#include "store/gate.h"
#include "base/slice.h"

#define KEY(field) "gate." #field, offsetof(struct gate_limits, field)
#define PERCENT 0, 1000

const struct gate_key gate_keys[] = {
	{KEY(min_rows_percent), PERCENT, "90",
		"holds a slice of which fewer live rows would be left; where the answer is of a range of periods, also "
		"in that range"},
	{KEY(max_withdrawn_percent), PERCENT, "10",
		"holds a slice of which more rows would be withdrawn; where the answer is of a range of periods, also "
		"in that range"},
	{KEY(max_rows_percent), 0, 100000, "200",
		"holds a slice that would grow beyond this; only where the answer lists all of it"},
	{KEY(max_revised_percent), PERCENT, "25", "holds a slice of which more values would be revised"},
	{KEY(max_lost_codes_percent), PERCENT, "5",
		"holds a slice that would lose more of its areas, its indicators or the codes of a dimension (percent "
		"of those codes)"},
	{KEY(max_new_codes_percent), 0, 100000, "25",
		"holds a slice that would gain more such codes; only where the answer lists all of it"},
	{KEY(max_unit_changed_percent), PERCENT, "1",
		"holds a slice of which more rows would get another unit or unit multiplier"},
	{KEY(max_freq_changed_percent), PERCENT, "1",
		"holds a slice of which more rows would be of series that go on at another frequency only"},
	{KEY(max_factor), 2, 1e18, "100",
		"holds a slice in which a value would change by this factor, to a magnitude that its series never had"},
	{KEY(max_rescaled_percent), PERCENT, "1",
		"holds a slice of which more values would be revised by 10, 100, 1000 or another power of ten"},
	{KEY(max_jumped_percent), PERCENT, "10",
		"holds a slice of whose new values more are 100 times larger or smaller than all earlier ones of their "
		"series "
		"(percent of the new values in series with at least five; at least three of them)"},
	{KEY(max_future_days), 0, 1e7, "1100",
		"holds a slice with a period that begins so many days after today and after the newest one of the last "
		"commit; of a "
		"first commit, 36500 days after today"},
	{KEY(max_backward_days), 0, 1e6, "0", "holds a slice whose newest period would go back by more days"},
	{KEY(max_stale_days), 0, 1e6, "0",
		"fails a slice whose answer the provider has stamped so many days earlier than the last one"},
	{KEY(max_quarantined_percent), PERCENT, "1",
		"fails a source of whose records more cannot be read, contradict others or came twice (percent of the "
		"records)"},
	{KEY(min_judged_rows), 0, 1e9, "50",
		"a slice with fewer rows is too small to be judged by revisions, growth, codes and its newest period"},
	{KEY(hold_days), 1, 365, "7", "rejects what is held after so many days"},
	{KEY(row_limits), 1, 1e12, "10000 65535 65536 1048575 1048576",
		"holds a slice with exactly so many rows where the last commit had another number: programs and "
		"services cut there"},
	{NULL, 0, 0, 0, NULL, NULL},
};

static bool take_list(struct gate_limits *g, const struct gate_key *k, struct slice text)
{
	g->n_row_limits = 0;
	while ((text = slice_trim(text)).n) {
		const struct slice item = slice_cut(&text, ' ');
		int64_t v;

		if (g->n_row_limits == GATE_ROW_LIMITS || !slice_int(item, (int64_t)k->min, (int64_t)k->max, &v))
			return false;
		g->row_limits[g->n_row_limits++] = (double)v;
	}
	return true;
}

bool gate_set(struct gate_limits *g, const struct gate_key *k, const char *text)
{
	int64_t v;

	if (k->offset == offsetof(struct gate_limits, row_limits))
		return take_list(g, k, slice_of(text));
	if (!slice_int(slice_of(text), (int64_t)k->min, (int64_t)k->max, &v))
		return false;
	*(double *)(void *)((char *)g + k->offset) = (double)v;
	return true;
}

void gate_defaults(struct gate_limits *ret)
{
	*ret = (struct gate_limits){.accept = false};
	for (const struct gate_key *k = gate_keys; k->name; k++)
		(void)gate_set(ret, k, k->dflt);
}
