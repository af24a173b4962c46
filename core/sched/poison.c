/* SPDX-License-Identifier: MIT */
/* Payloads that killed their reader: kept by their hash in last.json, beside what read them. */
#include "sched/task.h"

#include <string.h>

#define MOST 16 /* payloads of one source; the oldest go first */

/* What reads the payloads of a source, as one text: another plugin, section or memory limit may do better. */
static const char *reader_of(const struct task *t)
{
	return arena_fmt(
		&t->run->arena, "%s %s %llu", t->plugin_digest, t->options_digest, (unsigned long long)t->conf->memory);
}

static const json_t *current(const json_t *last, const char *reader)
{
	const json_t *p = json_object_get(last, "poison");

	return reader && strcmp(json_text(p, "reader", ""), reader) == 0 ? json_object_get(p, "payloads") : NULL;
}

const json_t *poison_list(const struct task *t)
{
	return t->run->options->retry ? NULL : current(t->last, reader_of(t));
}

unsigned poison_times(const json_t *last)
{
	const int64_t n = json_int(json_object_get(last, "poison"), "times", 0);

	return n < 0 ? 0 : n > 30 ? 30 : (unsigned)n;
}

static bool add(json_t *list, const char *sha256)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_string_value(json_array_get(list, i)), sha256) == 0)
			return true;
	while (json_array_size(list) >= MOST)
		json_array_remove(list, 0);
	return json_array_append_new(list, json_string(sha256)) == 0;
}

/* What was read all the same, to the end of its run, is poison no more. */
static const json_t *still_known(const json_t *last, const char *reader, const struct task *t)
{
	return t->run->options->retry && t->verdict != V_FAILED ? NULL : current(last, reader);
}

static bool has_died(const struct task *t)
{
	return t->killed && t->intake.taken[0];
}

bool poison_keep(struct task *t, glane_rc rc, const char *message)
{
	if (!has_died(t) || !t->run->has_broker || t->conf->keep_payloads == KEEP_NONE || run_is_trial(t->run) ||
		!message)
		return false;
	t->rc = rc;
	t->refusal = message;
	t->phase = TASK_ARCHIVING;
	return broker_keep(t, t->intake.taken) == GLANE_OK;
}

void poison_kept(struct task *t, glane_rc rc, struct slice message)
{
	const char *sha256 = t->intake.taken;

	t->store_trouble = rc == GLANE_E_IO;
	if (rc == GLANE_OK)
		task_fail(t, t->rc, "%s; what it read is kept: payloads/%.2s/%s.zst", t->refusal, sha256, sha256);
	else
		task_fail(t, t->rc, "%s; what it read could not be kept: %.*s", t->refusal, SLICE_FMT(message));
}

bool poison_put(json_t *last, const struct task *t)
{
	const char *reader = reader_of(t);
	const json_t *known = still_known(last, reader, t);
	const bool dies = has_died(t);
	/* a source that was well since fails for another reason, or it costs a request alone */
	const bool is_row = known && poison_times(last) > 0;
	const int64_t times = t->verdict == V_FAILED && (dies || is_row) ? poison_times(last) + 1 : 0;
	json_t *list = known ? json_deep_copy(known) : json_array(), *p = json_object();
	bool ok = reader && list && p && (!dies || add(list, t->intake.taken));

	ok = ok && json_set_text(p, "reader", reader) && json_set_int(p, "times", times) &&
	     json_object_set(p, "payloads", list) == 0;
	json_object_del(last, "poison");
	if (ok && json_array_size(list) > 0)
		ok = json_object_set(last, "poison", p) == 0;
	json_decref(list);
	json_decref(p);
	return ok;
}
