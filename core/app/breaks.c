/* SPDX-License-Identifier: MIT */
/* Breaks in the providers' codes. */
#include "app/breaks.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

static int add(struct aliases *a, struct list *codes, struct slice code)
{
	const char *text = arena_strndup(&a->arena, code.p, code.n);

	if (!text)
		return complain(EXIT_STORE, "no memory for the filters");
	return take_list(codes, text)
		       ? EXIT_FINE
		       : complain(EXIT_USAGE, "more than %d codes, with those they had before", LIST_MAX);
}

static const char *since_or_on(const struct alias *a)
{
	return a->change == ALIAS_REPLACED || a->change == ALIAS_RETIRED ? " on " : " since ";
}

/* "RL.EST is called GOV_WGI_RL.EST since 2026-07-01 (worldbank)", and what follows from it. */
static void tell(const struct alias *a, const char *consequence)
{
	static const char *const words[ALIAS_CHANGES] = {[ALIAS_RENAMED] = "is called ",
		[ALIAS_REPLACED] = "was replaced by ",
		[ALIAS_RETIRED] = "was retired",
		[ALIAS_RECOMPOSED] = "has other members"};
	const struct slice when = a->change == ALIAS_RECOMPOSED ? a->from : a->to;

	fprintf(stderr, "glane: %.*s %s%.*s%s%.*s (%.*s%s%.*s)%s\n", SLICE_FMT(a->code), words[a->change],
		SLICE_FMT(a->replaced_by), when.n ? since_or_on(a) : "", SLICE_FMT(when), SLICE_FMT(a->source),
		a->note.n ? "; " : "", SLICE_FMT(a->note), consequence);
}

/* What the provider calls an area that no table knows: MEA of WB:MEA. */
static struct slice provider_code(const char *text, bool is_area)
{
	const char *colon = is_area ? strchr(text, ':') : NULL;

	return slice_of(colon ? colon + 1 : text);
}

int breaks_follow(struct aliases *a, struct list *codes, bool is_area)
{
	int code = EXIT_FINE;

	for (size_t i = 0; i < codes->n; i++) { /* it grows on the way */
		for (size_t k = 0; k < a->n && code == EXIT_FINE; k++) {
			const struct alias *one = &a->items[k];
			const struct slice asked = provider_code(codes->v[i], is_area);
			const bool is_old = slice_eq(one->code, asked), is_new = slice_eq(one->replaced_by, asked);
			const struct slice other = is_old ? one->replaced_by : one->code;

			if (one->is_area != is_area || (!is_old && !is_new))
				continue;
			if (one->change == ALIAS_RENAMED && !list_has(codes, other)) {
				tell(one, ": both are looked for");
				code = add(a, codes, other);
			} else if (one->change != ALIAS_RENAMED) {
				tell(one, "");
			}
		}
	}
	return code;
}

static bool is_of(const struct alias *a, const struct source_conf *c)
{
	return slice_is(a->source, c->name) || (c->provider && slice_is(a->source, c->provider));
}

static void warn_of(const struct aliases *a, const struct source_conf *c, const struct conf_entry *e, const char *item)
{
	static const char *const words[] = {"is called ", "was replaced by ", "was retired"};

	for (size_t i = 0; i < a->n; i++) {
		const struct alias *one = &a->items[i];

		if (one->is_area || one->change == ALIAS_RECOMPOSED || !is_of(one, c) || !slice_is(one->code, item))
			continue;
		if (one->to_day != INT64_MAX && one->to_day > clock_utc() / 86400)
			continue;
		fprintf(stderr, "glane: %s:%u: [source %s] asks for %s, which %s%.*s%s%.*s (aliases.csv)\n", e->file,
			e->line, c->name, item, words[one->change], SLICE_FMT(one->replaced_by),
			one->to.n ? since_or_on(one) : "", SLICE_FMT(one->to));
	}
}

/* The items of the key `indicators`, which plugins call so. */
static glane_rc warn_all(struct aliases *a, const struct source_conf *c, const struct conf_entry *e, struct diag *d)
{
	const char *cursor = e->value, *item;
	glane_rc rc;

	while ((rc = conf_item(&a->arena, &cursor, &item, d)) == GLANE_OK)
		warn_of(a, c, e, item);
	return rc == GLANE_END ? GLANE_OK : diag_prefix(d, "%s:%u", e->file, e->line);
}

int breaks_warn(const struct settings *s)
{
	struct aliases a;
	struct diag d;
	int code = EXIT_FINE;

	diag_clear(&d);
	if (aliases_load(&a, s->tables, &d) != GLANE_OK)
		return complain(EXIT_USAGE, "%s", d.text);
	for (size_t i = 0; i < s->n_sources && code == EXIT_FINE; i++) {
		const struct conf_entry *e = conf_find(s->sources[i].section, "indicators");

		if (e && warn_all(&a, &s->sources[i], e, &d) != GLANE_OK)
			code = complain(EXIT_USAGE, "%s", d.text);
	}
	aliases_release(&a);
	return code;
}
