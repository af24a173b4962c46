/* SPDX-License-Identifier: MIT */
/* Each rule of the gate is a function that says whether it trips, and why. */
#include "store/verdict.h"
#include "base/clock.h"
#include <string.h>

#define DAY 86400
#define FIRST_FUTURE_DAYS 36500 /* of a first commit: projections to 2100 are none too far */
#define JUMPED_AT_LEAST 3

struct judged {
	const struct slice_result *p;
	const struct tally *t;
	const struct gate_limits *g;
	const struct cover *c;
	int64_t today;    /* days */
	bool from_source; /* false: our own tables and options changed, or the answer is an old one that only adds */
	struct strbuf *why;
};
struct rule {
	const char *name;
	bool (*trips)(const struct judged *j);
	enum slice_verdict verdict;
	bool first; /* judges a slice of which nothing was there to compare with, too */
};

static bool is_above(uint64_t n, uint64_t of, double percent)
{
	return (double)n * 100 > (double)of * percent;
}

static bool is_full(const struct judged *j)
{
	return j->c && j->c->kind == GLANE_COVER_FULL;
}

static bool is_range(const struct judged *j)
{
	return j->c && j->c->kind == GLANE_COVER_RANGE;
}

static bool is_large(const struct judged *j, uint64_t rows)
{
	return rows > 0 && (double)rows >= j->g->min_judged_rows;
}

/* Rows with a row to be compared with: a withdrawn one, too, had a value and a unit. */
static uint64_t compared(const struct slice_result *p)
{
	return p->before + p->restored;
}

static unsigned long long live_after(const struct slice_result *p)
{
	return p->before + p->added + p->restored - p->withdrawn;
}

static void add_example(const struct judged *j, enum tally_example which)
{
	if (j->t->example[which])
		strbuf_fmt(j->why, ": %s", j->t->example[which]);
}

/* "N of M live rows WHAT, above gate.RULE = LIMIT"; what the counts are of is the last commit. */
static bool say(const struct judged *j, uint64_t n, const char *what, const char *rule, double limit)
{
	strbuf_fmt(j->why, "%llu of %llu live rows %s, above gate.%s = %g", (unsigned long long)n,
		(unsigned long long)j->p->before, what, rule, limit);
	return true;
}

/* The same of rows that are compared. */
static bool say_compared(const struct judged *j, uint64_t n, const char *what, const char *rule, double limit)
{
	strbuf_fmt(j->why, "%llu of %llu live%s rows %s, above gate.%s = %g", (unsigned long long)n,
		(unsigned long long)compared(j->p), j->p->restored ? " and restored" : "", what, rule, limit);
	return true;
}

static bool say_example(const struct judged *j, enum tally_example which)
{
	add_example(j, which);
	return true;
}

static void add_day(const struct judged *j, int64_t day)
{
	char text[32];

	time_format(day * DAY, text);
	strbuf_fmt(j->why, "%.10s", text);
}

static bool stale(const struct judged *j)
{
	const struct tally *t = j->t;
	char was[32], is[32];

	if (!j->from_source || t->stamp == TALLY_NEVER || t->stamp_before == TALLY_NEVER ||
		(double)(t->stamp_before - t->stamp) <= j->g->max_stale_days * DAY)
		return false;
	time_format(t->stamp, is);
	time_format(t->stamp_before, was);
	strbuf_fmt(j->why, "the provider stamped this answer %s, the last one %s, beyond gate.max_stale_days = %g", is,
		was, j->g->max_stale_days);
	return true;
}

static bool row_limits(const struct judged *j)
{
	const struct slice_result *p = j->p;

	if (!j->from_source || p->rows == p->before)
		return false;
	for (size_t i = 0; i < j->g->n_row_limits; i++) {
		if ((double)p->rows != j->g->row_limits[i])
			continue;
		strbuf_fmt(j->why,
			"exactly %llu rows, where the last commit had %llu: one of gate.row_limits, so they may be cut",
			(unsigned long long)p->rows, (unsigned long long)p->before);
		add_example(j, p->withdrawn ? TALLY_WITHDRAWN : TALLY_NEW);
		return true;
	}
	return false;
}

static bool unit_changed(const struct judged *j)
{
	return is_above(j->t->unit_changed, compared(j->p), j->g->max_unit_changed_percent) &&
	       say_compared(j, j->t->unit_changed, "get another unit", "max_unit_changed_percent",
		       j->g->max_unit_changed_percent) &&
	       say_example(j, TALLY_UNIT);
}

static bool freq_changed(const struct judged *j)
{
	return is_above(j->t->freq_changed, j->p->before, j->g->max_freq_changed_percent) &&
	       say(j, j->t->freq_changed, "are of series that go on at another frequency only",
		       "max_freq_changed_percent", j->g->max_freq_changed_percent) &&
	       say_example(j, TALLY_FREQ);
}

static bool too_few(const struct judged *j, unsigned long long after, unsigned long long before, const char *where)
{
	if ((double)after * 100 >= (double)before * j->g->min_rows_percent)
		return false;
	strbuf_fmt(j->why, "%llu live rows%s where the last commit had %llu, below gate.min_rows_percent = %g", after,
		where, before, j->g->min_rows_percent);
	return true;
}

/* A range is judged by itself: beside a long history all of it is little. */
static bool min_rows(const struct judged *j)
{
	const struct tally *t = j->t;

	if (is_range(j) && j->p->rows == 0 && j->p->withdrawn > 0)
		strbuf_fmt(j->why, "no observations where %llu were, below gate.min_rows_percent = %g",
			(unsigned long long)j->p->withdrawn, j->g->min_rows_percent);
	else if (!(is_range(j) && too_few(j, t->covered_after, t->covered_before, " in the range")) &&
		 !too_few(j, live_after(j->p), j->p->before, ""))
		return false;
	return say_example(j, TALLY_WITHDRAWN);
}

static bool withdrawn(const struct judged *j)
{
	const struct tally *t = j->t;
	const double limit = j->g->max_withdrawn_percent;

	if (is_range(j) && is_above(t->covered_withdrawn, t->covered_before, limit))
		strbuf_fmt(j->why,
			"%llu of %llu live rows in the range withdrawn, above gate.max_withdrawn_percent = %g",
			(unsigned long long)t->covered_withdrawn, (unsigned long long)t->covered_before, limit);
	else if (!is_above(j->p->withdrawn, j->p->before, limit) ||
		 !say(j, j->p->withdrawn, "withdrawn", "max_withdrawn_percent", limit))
		return false;
	return say_example(j, TALLY_WITHDRAWN);
}

/* Codes of the rows that the cover includes. */
static bool codes(const struct judged *j, const struct tally_codes *c, const char *what, const char *rule, double limit)
{
	if (!is_large(j, j->t->covered_before) || !is_above(c->n, c->of, limit))
		return false;
	strbuf_fmt(j->why, "%s: %llu %s, the last commit had %llu, above gate.%s = %g: %s", c->kind,
		(unsigned long long)c->n, what, (unsigned long long)c->of, rule, limit, c->code);
	return true;
}

static bool lost_codes(const struct judged *j)
{
	return codes(j, &j->t->lost, is_range(j) ? "gone from the range" : "gone", "max_lost_codes_percent",
		j->g->max_lost_codes_percent);
}

static bool new_codes(const struct judged *j)
{
	return j->from_source && is_full(j) &&
	       codes(j, &j->t->gained, "new", "max_new_codes_percent", j->g->max_new_codes_percent);
}

static bool max_rows(const struct judged *j)
{
	const unsigned long long after = live_after(j->p);

	if (!j->from_source || !is_full(j) || !is_large(j, j->p->before) ||
		!is_above(after, j->p->before, j->g->max_rows_percent))
		return false;
	strbuf_fmt(j->why, "%llu live rows where the last commit had %llu, above gate.max_rows_percent = %g", after,
		(unsigned long long)j->p->before, j->g->max_rows_percent);
	return say_example(j, TALLY_NEW);
}

static bool backward(const struct judged *j)
{
	const struct tally *t = j->t;

	if (!is_large(j, j->p->before) || t->newest_before == TALLY_NEVER || t->newest_after == TALLY_NEVER ||
		(double)(t->newest_before - t->newest_after) <= j->g->max_backward_days)
		return false;
	strbuf_puts(j->why, "the newest period begins ");
	add_day(j, t->newest_after);
	strbuf_puts(j->why, ", that of the last commit ");
	add_day(j, t->newest_before);
	strbuf_fmt(j->why, ", beyond gate.max_backward_days = %g", j->g->max_backward_days);
	return say_example(j, TALLY_GONE);
}

static bool future(const struct judged *j)
{
	const struct tally *t = j->t;
	const double days =
		j->p->before || j->g->max_future_days > FIRST_FUTURE_DAYS ? j->g->max_future_days : FIRST_FUTURE_DAYS;
	const int64_t from = t->newest_before > j->today ? t->newest_before : j->today;

	if (t->newest_after == TALLY_NEVER || (double)(t->newest_after - from) <= days)
		return false;
	strbuf_puts(j->why, "a period begins ");
	add_day(j, t->newest_after);
	strbuf_fmt(j->why, ", beyond gate.max_future_days = %g after ", days);
	add_day(j, from);
	return say_example(j, TALLY_NEWEST);
}

static bool factor(const struct judged *j)
{
	if (j->t->factor == 0)
		return false;
	strbuf_fmt(j->why, "values change by a factor of gate.max_factor = %g or more, %llu in all", j->g->max_factor,
		(unsigned long long)j->t->factor);
	return say_example(j, TALLY_FACTOR);
}

static bool rescaled(const struct judged *j)
{
	return is_above(j->t->rescaled, compared(j->p), j->g->max_rescaled_percent) &&
	       say_compared(j, j->t->rescaled, "revised by a power of ten", "max_rescaled_percent",
		       j->g->max_rescaled_percent) &&
	       say_example(j, TALLY_RESCALED);
}

static bool jumped(const struct judged *j)
{
	const struct tally *t = j->t;

	if (t->jumped < JUMPED_AT_LEAST || !is_above(t->jumped, t->appended, j->g->max_jumped_percent))
		return false;
	strbuf_fmt(j->why,
		"%llu of %llu new values are two orders of magnitude away from all of their series, above "
		"gate.max_jumped_percent = %g",
		(unsigned long long)t->jumped, (unsigned long long)t->appended, j->g->max_jumped_percent);
	return say_example(j, TALLY_JUMPED);
}

static bool revised(const struct judged *j)
{
	return is_large(j, compared(j->p)) && is_above(j->t->revised, compared(j->p), j->g->max_revised_percent) &&
	       say_compared(j, j->t->revised, "revised", "max_revised_percent", j->g->max_revised_percent) &&
	       say_example(j, TALLY_REVISED);
}

/* What explains most comes first. */
static const struct rule rules[] = {
	{"max_stale_days", stale, SLICE_FAILED, false},
	{"row_limits", row_limits, SLICE_HELD, true},
	{"max_unit_changed_percent", unit_changed, SLICE_HELD, false},
	{"max_freq_changed_percent", freq_changed, SLICE_HELD, false},
	{"min_rows_percent", min_rows, SLICE_HELD, false},
	{"max_withdrawn_percent", withdrawn, SLICE_HELD, false},
	{"max_lost_codes_percent", lost_codes, SLICE_HELD, false},
	{"max_new_codes_percent", new_codes, SLICE_HELD, false},
	{"max_rows_percent", max_rows, SLICE_HELD, false},
	{"max_backward_days", backward, SLICE_HELD, false},
	{"max_future_days", future, SLICE_HELD, true},
	{"max_factor", factor, SLICE_HELD, false},
	{"max_rescaled_percent", rescaled, SLICE_HELD, false},
	{"max_jumped_percent", jumped, SLICE_HELD, false},
	{"max_revised_percent", revised, SLICE_HELD, false},
};

static bool has_event(const struct slice_result *p)
{
	return p->added || p->revised || p->status || p->withdrawn || p->restored;
}

/* The name of a further rule goes behind the reason of the first one. */
static void add_rule(struct slice_result *p, const struct rule *rule, struct strbuf *why, size_t said)
{
	if (!p->rule) {
		p->rule = rule->name;
		p->verdict = rule->verdict;
		return;
	}
	why->n = said;
	strbuf_fmt(why, "; gate.%s too", rule->name);
}

bool gate_judge(struct slice_result *p, const struct tally *t, const struct diff_input *in, const struct cover *c,
	struct arena *a)
{
	struct strbuf why;
	const struct judged j = {.p = p,
		.t = t,
		.g = &in->gate,
		.c = c,
		.today = in->now / DAY,
		.from_source = strcmp(in->cause, "mapping") != 0 && !in->additions,
		.why = &why};

	if (in->gate.accept || !has_event(p))
		return false;
	strbuf_init(&why, 0);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const size_t said = why.n;

		if ((compared(p) || rules[i].first) && rules[i].trips(&j))
			add_rule(p, &rules[i], &why, said);
	}
	if (p->rule)
		p->reason = strbuf_ok(&why) ? arena_strndup(a, why.p, why.n) : NULL;
	strbuf_release(&why);
	return p->rule != NULL;
}
