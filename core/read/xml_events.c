/* SPDX-License-Identifier: MIT */
/* Callbacks that may fail, over the push parser. */
#include "read/xml_events.h"
#include "base/mem.h"
#include <string.h>

struct xml_events {
	struct xml_push push;
	const struct xml_handler *h;
	void *arg;
	struct diag *d;
};

/* The verdict of a callback; its message stands in the diag. */
static void take(struct xml_events *x, glane_rc rc)
{
	if (rc != GLANE_OK && x->push.failed == GLANE_OK)
		x->push.failed = fail(&x->push.found, rc, "%s", x->d ? x->d->text : "");
}

static void on_open(void *arg, const char *name, const struct xml_push_attr *attr, size_t n)
{
	struct xml_events *x = arg;
	const struct xml_attributes a = {attr, n};

	take(x, x->h->open(x->arg, name, &a));
}

static void on_close(void *arg, const char *name)
{
	struct xml_events *x = arg;

	take(x, x->h->close(x->arg, name));
}

static void on_text(void *arg, struct slice text)
{
	struct xml_events *x = arg;

	take(x, x->h->text(x->arg, text));
}

glane_rc xml_events_open(
	struct xml_events **ret, struct payload *p, const struct xml_handler *h, void *arg, struct diag *d)
{
	static const struct xml_push_events events = {on_open, on_close, on_text};
	struct xml_events *x = mem_zalloc(1, sizeof(*x));
	glane_rc rc;

	if (!x)
		return fail(d, GLANE_E_NOMEM, "no memory for an XML parser");
	x->h = h;
	x->arg = arg;
	x->d = d;
	rc = xml_push_open(&x->push, p, &events, x, 0, true, d);
	if (rc < 0)
		xml_events_close(x);
	else
		*ret = x;
	return rc;
}

glane_rc xml_events_feed(struct xml_events *x, size_t max)
{
	x->push.piece = max;
	if (!x->push.failed && !x->push.is_ended)
		xml_push_piece(&x->push, UINT64_MAX);
	if (x->push.failed)
		return fail(x->d, x->push.failed, "%s", x->push.found.text);
	return x->push.is_ended ? GLANE_END : GLANE_OK;
}

void xml_events_close(struct xml_events *x)
{
	if (!x)
		return;
	xml_push_close(&x->push);
	mem_free(x);
}

struct slice xml_attribute(const struct xml_attributes *a, const char *name)
{
	return xml_push_find(a->v, a->n, name);
}

void xml_attribute_text(const struct xml_attributes *a, const char *name, struct strbuf *b)
{
	strbuf_reset(b);
	for (size_t i = 0; i < a->n; i++)
		if (strcmp((const char *)a->v[i].name, name) == 0) {
			xml_push_value(b, &a->v[i]);
			return;
		}
}
