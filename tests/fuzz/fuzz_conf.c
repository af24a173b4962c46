/* SPDX-License-Identifier: MIT */
/* Configuration files: what is read and written again reads the same; list values too. */
#include "base/conf.h"
#include "fuzz.h"

static void write_conf(const struct conf *c, struct strbuf *b)
{
	for (const struct conf_section *s = c->sections; s; s = s->next) {
		strbuf_fmt(b, s->name ? "[%s %s]\n" : "[%s]\n", s->kind, s->name);
		for (const struct conf_entry *e = s->entries; e; e = e->next) {
			FUZZ_SAY(*e->key && !strpbrk(e->key, " \t=#[]"), "'%s'", e->key);
			FUZZ_CHECK(conf_find(s, e->key) == e);
			FUZZ_SAY(!*e->value || (!strchr(" \t\r", *e->value) &&
						       !strchr(" \t\r", e->value[strlen(e->value) - 1])),
				"'%s'", e->value);
			FUZZ_CHECK(!strchr(e->value, '\n'));
			strbuf_fmt(b, "%s = %s\n", e->key, e->value);
		}
	}
}

static void quote_item(struct strbuf *b, const char *item)
{
	strbuf_putc(b, '"');
	for (; *item; item++) {
		if (*item == '"' || *item == '\\')
			strbuf_putc(b, '\\');
		strbuf_putc(b, *item);
	}
	strbuf_puts(b, "\" ");
}

static void check_items(const char *value)
{
	struct strbuf quoted, again;
	const char *cursor = value, *item;
	struct arena a;
	struct diag d;
	glane_rc rc;

	arena_init(&a, 0);
	strbuf_init(&quoted, 0);
	strbuf_init(&again, 0);
	diag_clear(&d);
	while ((rc = conf_item(&a, &cursor, &item, &d)) == GLANE_OK)
		quote_item(&quoted, item);
	FUZZ_CHECK(rc == GLANE_END || (rc == GLANE_E_CONFIG && d.text[0]));
	cursor = quoted.p ? quoted.p : "";
	while ((rc = conf_item(&a, &cursor, &item, &d)) == GLANE_OK)
		quote_item(&again, item);
	FUZZ_CHECK(rc == GLANE_END);
	FUZZ_SAY(slice_eq(strbuf_get(&quoted), strbuf_get(&again)), "%s\n%s\n%s", value, quoted.p, again.p);
	strbuf_release(&quoted);
	strbuf_release(&again);
	arena_release(&a);
}

static void check_again(const struct conf *c)
{
	struct strbuf first, second;
	struct conf again;
	struct diag d;

	strbuf_init(&first, 0);
	strbuf_init(&second, 0);
	conf_init(&again);
	diag_clear(&d);
	write_conf(c, &first);
	FUZZ_SAY(conf_parse(&again, "again", strbuf_get(&first), &d) == GLANE_OK, "%s\n%s", d.text, first.p);
	write_conf(&again, &second);
	FUZZ_SAY(slice_eq(strbuf_get(&first), strbuf_get(&second)), "%s\n%s", first.p, second.p);
	conf_release(&again);
	strbuf_release(&first);
	strbuf_release(&second);
}

FUZZ_TARGET(conf)
{
	struct conf c;
	struct diag d;
	glane_rc rc;

	diag_clear(&d);
	conf_init(&c);
	rc = conf_parse(&c, "fuzz.conf", in, &d);
	FUZZ_SAY(rc == GLANE_OK || strstr(d.text, "fuzz.conf:"), "%s", d.text);
	if (rc == GLANE_OK)
		check_again(&c);
	for (const struct conf_section *s = c.sections; rc == GLANE_OK && s; s = s->next)
		for (const struct conf_entry *e = s->entries; e; e = e->next)
			check_items(e->value);
	conf_release(&c);
	mem_fail_after((long)(fuzz_hash(in) % 7) + 1, true);
	conf_init(&c);
	(void)conf_parse(&c, "fuzz.conf", in, &d);
	conf_release(&c);
	mem_fail_after(0, false);
}
