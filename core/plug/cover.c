/* SPDX-License-Identifier: MIT */
/* Services that say what was seen: cover, and slice, which may fail alone. */
#include "plug/run.h"

#include "model/period.h"

#include <string.h>

static glane_rc cover_days(struct glane_run *r, glane_str text, int64_t *ret)
{
	struct period p;

	diag_clear(&r->diag);
	if (period_parse(slice_from(text), 'D', &p, &r->diag) != GLANE_OK || p.freq != 'D')
		return run_usage(r, "cover() with a range that is not written as two dates");
	*ret = period_start('D', p.value);
	return GLANE_OK;
}

/* Declares it; why: of a failed one. */
static glane_rc declare(struct glane_run *r, const struct glane_cover *c, const struct diag *why)
{
	struct cover cover = {
		.kind = c->kind, .dataset = slice_from(c->dataset), .indicator = slice_from(c->indicator)};
	glane_rc rc = GLANE_OK;

	if (c->kind > GLANE_COVER_FAILED || !c->dataset.p || !text_ok(cover.dataset) || !text_ok(cover.indicator))
		return run_usage(r, "cover() of an unknown kind or without a dataset");
	if (c->kind == GLANE_COVER_FAILED)
		cover.reason = slice_of(why->code != GLANE_OK ? why->text : "the plugin did not say why");
	if (c->kind == GLANE_COVER_RANGE)
		rc = cover_days(r, c->from, &cover.from);
	if (rc == GLANE_OK && c->kind == GLANE_COVER_RANGE)
		rc = cover_days(r, c->to, &cover.to);
	if (rc == GLANE_OK && cover.from > cover.to)
		rc = run_usage(r, "cover() with a range that ends before it begins");
	if (rc == GLANE_OK)
		rc = run_flush(r);
	if (rc == GLANE_OK)
		rc = run_lost(r, r->seams->cover(r->seams->arg, &cover));
	if (rc != GLANE_OK)
		return rc;
	diag_clear(&r->diag);
	if (c->kind == GLANE_COVER_FAILED) {
		diag_clear(&r->unread);
		r->is_said = false;
	}
	return GLANE_OK;
}

static glane_rc take(struct glane_run *r, const struct glane_cover *given, struct glane_cover *ret, const char *call)
{
	return run_take(r, ret, sizeof(*ret), given, offsetof(struct glane_cover, from), call);
}

static glane_rc host_cover(glane_run *r, const struct glane_cover *given)
{
	const struct diag why = r->diag;
	struct glane_cover c;
	glane_rc rc;

	if (why.code == GLANE_E_CANCELLED || run_check(r) != GLANE_OK)
		return GLANE_E_CANCELLED;
	rc = take(r, given, &c, "cover()");
	return rc == GLANE_OK ? declare(r, &c, &why) : rc;
}

bool run_of_slice(glane_rc how)
{
	return how == GLANE_E_FETCH || how == GLANE_E_FORMAT || how == GLANE_E_DATA || how == GLANE_E_DENIED ||
	       how == GLANE_E_LIMIT;
}

static glane_rc slice_failed(struct glane_run *r, glane_rc how, struct glane_cover *c, const char *what)
{
	struct diag cause = r->diag;

	if (cause.code != how)
		diag_clear(&cause);
	diag_clear(&r->sliced);
	if (what && cause.code != GLANE_OK)
		fail(&r->sliced, how, "%s: %s", what, cause.text);
	else
		fail(&r->sliced, how, "%s", what ? what : cause.code != GLANE_OK ? cause.text : rc_name(how));
	c->kind = GLANE_COVER_FAILED;
	return declare(r, c, &r->sliced);
}

static glane_rc host_slice(glane_run *r, glane_rc how, const struct glane_cover *given, const char *what)
{
	struct glane_cover c;
	glane_rc rc;

	if (how == GLANE_E_CANCELLED || r->diag.code == GLANE_E_CANCELLED || run_check(r) != GLANE_OK)
		return GLANE_E_CANCELLED;
	if (how > GLANE_END)
		return run_usage(r, "slice() of a code that does not exist");
	if (how < GLANE_OK && !run_of_slice(how))
		return how;
	rc = take(r, given, &c, "slice()");
	if (rc != GLANE_OK)
		return rc;
	if (how < GLANE_OK)
		return slice_failed(r, how, &c, what);
	r->has_slice = r->has_slice || c.kind != GLANE_COVER_FAILED;
	return declare(r, &c, &(struct diag){0});
}

void cover_services(struct glane_host *h)
{
	h->cover = host_cover;
	h->slice = host_slice;
}
