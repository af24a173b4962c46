/* SPDX-License-Identifier: MIT */
/* What is due: named sources now, others when their interval has passed. */
#include "sched/task.h"

#define SIX_HOURS INT64_C(21600)
#define DAY INT64_C(86400)

/* Whether its section, or its program, was edited after it failed. */
static bool is_mended(const struct source_conf *c, const json_t *last)
{
	const char *with = json_text(last, "failed_with", "");
	char now[65];

	return with[0] && c->desc && source_options_digest(c, now, NULL) == GLANE_OK && strcmp(with, now) != 0;
}

/* A payload that kills its reader is asked for at twice the interval each time, up to a day. */
static int64_t backed_off(int64_t every, unsigned times)
{
	for (; times > 0 && every < DAY; times--)
		every = 2 * every < DAY ? 2 * every : DAY;
	return every;
}

/* Due a little early, so that a nightly cron that starts at slightly different times never skips a night (DESIGN section 6).
 * What is held is asked for again, and heard of, every night. */
bool source_due(const struct run *r, const struct source_conf *c, const json_t *last)
{
	const int64_t checked = json_int(last, "checked", INT64_MIN);
	const bool held = json_array_size(json_object_get(last, "holds")) > 0;
	const int64_t most = held && c->every > DAY ? DAY : c->every;
	const int64_t every = backed_off(most, poison_times(last));
	const int64_t early = every / 4 < SIX_HOURS ? every / 4 : SIX_HOURS;

	return checked == INT64_MIN || checked > r->now || r->now >= checked + every - early || is_mended(c, last);
}

static bool tagged(const struct run_options *o, const struct source_conf *c)
{
	for (size_t i = 0; i < o->n_tags; i++)
		for (size_t j = 0; j < c->n_tags; j++)
			if (strcmp(o->tags[i], c->tags[j]) == 0)
				return true;
	return o->n_tags == 0;
}

static bool wanted(const struct run *r, const struct source_conf *c, const json_t *last)
{
	const struct run_options *o = r->options;

	for (size_t i = 0; i < o->n_names; i++)
		if (strcmp(o->names[i], c->name) == 0)
			return true;
	if (o->n_names > 0 || !c->enabled || !tagged(o, c))
		return false;
	return o->all || source_due(r, c, last);
}

glane_rc plan_tasks(struct run *r, struct diag *d)
{
	struct settings *s = r->settings;

	r->tasks = mem_zalloc(s->n_sources + 1, sizeof(*r->tasks));
	if (!r->tasks)
		return fail(d, GLANE_E_NOMEM, "no memory for the plan");
	for (size_t i = 0; i < s->n_sources; i++) {
		struct task *t = &r->tasks[r->n_tasks];
		json_t *last = NULL;
		glane_rc rc = store_last_read(&r->store, s->sources[i].name, &last, d);

		if (rc != GLANE_OK)
			return rc;
		if (!wanted(r, &s->sources[i], last)) {
			json_decref(last);
			continue;
		}
		t->run = r;
		t->conf = &s->sources[i];
		t->id = (uint32_t)r->n_tasks + 1;
		t->last = last;
		t->broker_end = t->worker.pidfd = t->worker.output = -1;
		t->cause = "source";
		r->n_tasks++;
	}
	return GLANE_OK;
}
