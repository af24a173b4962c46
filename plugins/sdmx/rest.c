/* SPDX-License-Identifier: MIT */
/* Addresses of SDMX REST 1.x and 2.x: https://github.com/sdmx-twg/sdmx-rest, doc/data.md, structures.md, availability.md */
#include "rest.h"

#include <stdlib.h>
#include <time.h>

struct flow flow_cut(const struct glane_host *h, glane_run *r, const struct state *s, const char *item)
{
	struct flow f = {"all", "", "latest", item, strcspn(item, "/") < strlen(item) ? strchr(item, '/') + 1 : NULL};
	const int n = (int)strcspn(item, "/"), comma = (int)strcspn(item, ",/");
	const char *next = item + comma + 1;

	f.name = f.id = h->fmt(r, "%.*s", n, item);
	if (comma < n) {
		f.agency = h->fmt(r, "%.*s", comma, item);
		f.id = h->fmt(r, "%.*s", (int)strcspn(next, ",/"), next);
		if (next[strcspn(next, ",/")] == ',')
			f.version = h->fmt(r, "%.*s", (int)strcspn(next + strcspn(next, ",") + 1, "/"),
				next + strcspn(next, ",") + 1);
	}
	if (is(s->rest, "3.0")) /* every address names all three: the latest stable version, of any agency */
		f.name = f.id ? h->fmt(r, "%s/%s/%s", is(f.agency, "all") ? "*" : f.agency, f.id,
					is(f.version, "latest") ? "+" : f.version)
			      : NULL;
	if (!f.key || !*f.key)
		f.key = s->split[0] ? "{split}" : is(s->rest, "3.0") ? "*" : "all";
	return f;
}

static const char *put(const struct glane_host *h, glane_run *r, const char *text, const char *mark, const char *by)
{
	const char *at = text ? strstr(text, mark) : NULL;

	return at ? h->fmt(r, "%.*s%s%s", (int)(at - text), text, by, at + strlen(mark)) : text;
}

const char *data_url(const struct glane_host *h, glane_run *r, const struct state *s, const struct flow *f)
{
	const char *path = s->path[0]           ? s->path
			   : is(s->rest, "3.0") ? "/data/dataflow/{flow}/{key}"
						: "/data/{flow}/{key}";

	return put(h, r,
		put(h, r, h->fmt(r, "{base_url}%s%s%s", strchr("/?", path[0]) ? "" : "/", path, s->slash ? "/" : ""),
			"{flow}", f->name),
		"{key}", f->key);
}

const char *media(const struct state *s, const char *form)
{
	const int is_3 = is(s->rest, "3.0");

	return is(form, "csv")       ? is_3 ? "application/vnd.sdmx.data+csv;version=2.0.0"
					    : "application/vnd.sdmx.data+csv;version=1.0.0"
	       : is(form, "json")    ? is_3 ? "application/vnd.sdmx.data+json;version=2.0.0"
					    : "application/vnd.sdmx.data+json;version=1.0.0"
	       : is(form, "generic") ? "application/vnd.sdmx.genericdata+xml;version=2.1"
	       : is(form, "xml")     ? is_3 ? "application/vnd.sdmx.data+xml;version=3.0.0"
					    : "application/vnd.sdmx.structurespecificdata+xml;version=2.1"
				     : NULL;
}

const char *structure_url(const struct glane_host *h, glane_run *r, const struct state *s, const struct flow *f)
{
	return h->fmt(r,
		is(s->rest, "3.0") ? "{base_url}/structure/dataflow/%s/%s/%s?references=%s"
				   : "{base_url}/dataflow/%s/%s/%s?references=%s",
		is(s->rest, "3.0") && is(f->agency, "all") ? "*" : f->agency, f->id,
		!is(s->rest, "3.0") || !is(f->version, "latest") ? f->version : "+", s->references);
}

const char *available_url(const struct glane_host *h, glane_run *r, const struct state *s, const struct flow *f)
{
	const char *all = is(s->rest, "3.0") ? "*" : "";
	const char *key = put(h, r, f->key, "{split}", strchr(f->key, '.') ? all : is(s->rest, "3.0") ? "*" : "all");

	return h->fmt(r,
		is(s->rest, "3.0") ? "{base_url}/availability/dataflow/%s/%s/%s"
				   : "{base_url}/availableconstraint/%s/%s/all/%s",
		f->name, key ? key : "all", s->split);
}

size_t data_query(
	const struct glane_host *h, glane_run *r, const struct state *s, const char *after, struct glane_kv *q)
{
	const int is_3 = is(s->rest, "3.0");
	size_t n = 0;

	if (is_3 && (s->start[0] || s->end[0]))
		q[n++] = (struct glane_kv){"c[TIME_PERIOD]",
			glane_str_of(h->fmt(r, "%s%s%s%s%s", s->start[0] ? "ge:" : "", s->start,
				s->start[0] && s->end[0] ? "+" : "", s->end[0] ? "le:" : "", s->end))};
	if (!is_3 && s->start[0])
		q[n++] = (struct glane_kv){"startPeriod", glane_str_of(s->start)};
	if (!is_3 && s->end[0])
		q[n++] = (struct glane_kv){"endPeriod", glane_str_of(s->end)};
	if (after)
		q[n++] = (struct glane_kv){"updatedAfter", glane_str_of(after)};
	if (s->last_n)
		q[n++] = (struct glane_kv){"lastNObservations", glane_str_of(h->fmt(r, "%lld", (long long)s->last_n))};
	for (size_t i = 0; i < s->query.n && i < MAX_DIMS; i++)
		q[n++] = s->query.v[i];
	return n;
}

/* FNV-1a: cursors are named by configuration keys, in which a flow's commas and slashes cannot stand. */
static unsigned hash_of(const char *text)
{
	uint32_t h = 2166136261u;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 16777619u;
	return h;
}

struct increment increment_begin(const struct glane_host *h, glane_run *r, const struct state *s, const char *item)
{
	struct increment inc = {
		.keys = {h->fmt(r, "after_%08x", hash_of(item)), h->fmt(r, "full_%08x", hash_of(item))}};
	const char *text;
	int64_t full;

	for (size_t i = 0; i < 2 && inc.keys[0] && inc.keys[1]; i++)
		inc.last[i] = h->cursor(r, inc.keys[i]);
	text = h->fmt(r, "%.*s", (int)inc.last[1].n, inc.last[1].n ? inc.last[1].p : "");
	full = text ? strtoll(text, NULL, 10) : 0;
	if (s->increments && inc.last[0].n && h->now(r) - full < s->full_every)
		inc.after = h->fmt(r, "%.*s", (int)inc.last[0].n, inc.last[0].p);
	return inc;
}

void increment_end(
	const struct glane_host *h, glane_run *r, const struct state *s, const struct increment *inc, glane_rc how)
{
	const time_t begin = (time_t)(h->now(r) - s->overlap);
	glane_str next[2] = {inc->last[0], inc->last[1]};
	char text[32];
	struct tm tm;

	if (!s->increments || !inc->keys[0] || !inc->keys[1])
		return;
	if (how == GLANE_OK && gmtime_r(&begin, &tm) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm)) {
		next[0] = glane_str_of(text);
		next[1] = inc->after ? next[1] : glane_str_of(h->fmt(r, "%lld", (long long)h->now(r)));
	}
	for (size_t i = 0; i < 2; i++)
		if (next[i].n)
			h->set_cursor(r, inc->keys[i], next[i]);
}
