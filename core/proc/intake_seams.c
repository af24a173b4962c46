/* SPDX-License-Identifier: MIT */
/* The checks of intake.c without a wire: the seams of a run in-process. */
#include "proc/intake_checks.h"

static glane_rc seam_payload(void *arg, const char *sha256)
{
	struct intake *in = arg;

	return intake_payload(in, slice_of(sha256), in->here);
}

static glane_rc seam_series(void *arg, const struct series *s)
{
	struct intake *in = arg;
	struct series copy = *s;

	return intake_series(in, &copy, in->here);
}

static glane_rc seam_note(void *arg, const struct note *n)
{
	struct intake *in = arg;

	return intake_note(in, n, in->here);
}

static glane_rc seam_period(void *arg, struct slice text)
{
	struct intake *in = arg;

	return intake_period(in, text, in->here);
}

static glane_rc seam_obs(void *arg, const struct glane_obs *obs, size_t n)
{
	struct intake *in = arg;

	return intake_obs(in, obs, n, in->here);
}

static glane_rc seam_cover(void *arg, const struct cover *c)
{
	struct intake *in = arg;

	return intake_cover(in, c, in->here);
}

static glane_rc seam_erase(void *arg, const struct erase *e)
{
	struct intake *in = arg;

	return intake_erase(in, e, in->here);
}

static glane_rc seam_cursor(void *arg, struct slice key, struct slice value)
{
	struct intake *in = arg;

	return intake_cursor(in, key, value, in->here);
}

static glane_rc seam_reject(void *arg, const struct host_reject *q)
{
	struct intake *in = arg;

	return intake_reject(in, q, in->here);
}

static void seam_log(void *arg, int level, struct slice text)
{
	intake_log(arg, level, text);
}

static glane_rc seam_progress(void *arg, uint64_t rows, uint64_t bytes)
{
	struct intake *in = arg;

	in->progress_rows = rows;
	in->progress_bytes = bytes;
	return GLANE_OK;
}

void intake_seams(struct intake *in, struct host_seams *ret, struct diag *d)
{
	in->here = d;
	*ret = (struct host_seams){.arg = in,
		.payload = seam_payload,
		.series = seam_series,
		.note = seam_note,
		.period = seam_period,
		.obs = seam_obs,
		.cover = seam_cover,
		.erase = seam_erase,
		.cursor = seam_cursor,
		.reject = seam_reject,
		.log = seam_log,
		.progress = seam_progress};
}
