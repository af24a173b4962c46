/* SPDX-License-Identifier: MIT */
/*
 * SDMX-ML of which groups may stand behind their series: a first look takes the groups of all datasets, the reading that follows only
 * applies them. It parses the message without its series and observations, which are most of it and are passed over byte by byte.
 * A message that shows no group, and its end, is not looked at any further.
 */
#include "read/sdmx_xml.h"

#define MAX_MARKUP ((size_t)2 << 20) /* bytes of a tag or comment: more than the parser takes */
#define HEAD ((size_t)4096)          /* bytes in which the root's start tag has to begin */
#define TAIL ((size_t)512)           /* and its end tag to stand */

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80 ||
	       c == '_' || c == ':' || c == '-' || c == '.';
}

/* The name that begins at p. */
static struct slice name_at(const char *p, const char *end)
{
	size_t n = 0;

	while (p + n < end && is_name(p[n]))
		n++;
	return (struct slice){p, n};
}

/* ---- does it have to be looked at? ---- */

/* The root element's name as it is written; absent: not among these bytes. */
static struct slice root_of(struct slice s)
{
	const char *end = s.p + s.n, *at = s.n ? memchr(s.p, '<', s.n) : NULL;

	while (at && at + 1 < end && !is_name(at[1])) {
		const bool is_comment = slice_has_prefix((struct slice){at, (size_t)(end - at)}, "<!--");
		const char *behind = is_comment ? memmem(at, (size_t)(end - at), "-->", 3) : at + 1;

		at = behind ? memchr(behind, '<', (size_t)(end - behind)) : NULL;
	}
	return at ? name_at(at + 1, end) : (struct slice){NULL, 0};
}

/* Whether a start tag in here has a name with "Group" in it; that of the root does not count. */
static bool names_group(struct slice s, struct slice root)
{
	const char *at = s.p, *end = s.p + s.n;

	while (at < end && (at = memmem(at, (size_t)(end - at), "Group", 5))) {
		const char *from = at;

		while (from > s.p && is_name(from[-1]))
			from--;
		if (from > s.p && from[-1] == '<' && !slice_eq(name_at(from, end), root))
			return true;
		at += 5;
	}
	return false;
}

static bool ends_with_root(struct slice s, struct slice root)
{
	s = slice_trim(s);
	if (!root.n || s.n < root.n + 3 || s.p[s.n - 1] != '>')
		return false;
	s = slice_trim((struct slice){s.p, s.n - 1});
	return s.n > root.n + 2 && memcmp(s.p + s.n - root.n, root.p, root.n) == 0 &&
	       memcmp(s.p + s.n - root.n - 2, "</", 2) == 0;
}

/* Goes through all of p. */
static glane_rc is_plain(struct payload *p, bool *ret)
{
	char name[TAIL];
	struct slice root;
	bool has_group = false;
	glane_rc rc = GLANE_OK;

	while (rc == GLANE_OK && p->n < HEAD && !p->last)
		rc = payload_more(p, p->n);
	if (rc != GLANE_OK)
		return rc;
	root = root_of((struct slice){p->p, p->n < HEAD ? p->n : HEAD});
	root.n = root.n < sizeof(name) ? root.n : 0;
	if (root.n)
		root.p = memcpy(name, root.p, root.n);
	while (rc == GLANE_OK && !has_group) {
		has_group = names_group((struct slice){p->p, p->n}, root);
		if (p->last)
			break;
		rc = has_group ? GLANE_OK : payload_more(p, p->n < 2 * TAIL ? p->n : 2 * TAIL);
	}
	*ret = rc == GLANE_OK && !has_group && ends_with_root((struct slice){p->p, p->n}, root);
	return rc;
}

/* ---- the look ---- */

struct look {
	struct sdmx_xml *s;
	struct payload *p;
	size_t from, at; /* in the window: what the parser has yet to see; what is looked at next */
	char inside;     /* of what is passed over: 'S', 'O'; NUL: nothing is */
};

static void give(struct look *l, size_t to)
{
	if (!l->inside && to > l->from)
		xml_push_bytes(&l->s->x, (struct slice){l->p->p + l->from, to - l->from}, false);
	l->from = to;
}

/* Keeps the bytes from `at` on; false: there are no more, or none that could be read. */
static bool turn(struct look *l, glane_rc *rc)
{
	const size_t keep = l->p->n - l->at;

	if (l->p->last || keep > MAX_MARKUP)
		return false;
	give(l, l->at);
	*rc = payload_more(l->p, keep);
	l->from = l->at = 0;
	return *rc == GLANE_OK;
}

/* Behind the text that ends this markup, from `skip` bytes behind its beginning on; SIZE_MAX: it does not end. */
static size_t end_of(struct look *l, size_t skip, const char *mark, glane_rc *rc)
{
	do {
		const char *from = l->p->p + l->at + skip, *end = l->p->p + l->p->n;
		const char *found = from < end ? memmem(from, (size_t)(end - from), mark, strlen(mark)) : NULL;

		if (found)
			return (size_t)(found - l->p->p) + strlen(mark);
	} while (turn(l, rc));
	return SIZE_MAX;
}

/* The same of a start tag, in whose values '>' may stand. */
static size_t end_of_tag(struct look *l, glane_rc *rc)
{
	do {
		char quote = '\0';

		for (size_t i = l->at; i < l->p->n; i++) {
			const char c = l->p->p[i];

			if (quote ? c == quote : c == '"' || c == '\'')
				quote = quote ? '\0' : c;
			else if (!quote && c == '>')
				return i + 1;
		}
	} while (turn(l, rc));
	return SIZE_MAX;
}

static struct slice local_name(struct slice name)
{
	const char *colon = name.n ? memchr(name.p, ':', name.n) : NULL;

	return colon ? (struct slice){colon + 1, (size_t)(name.p + name.n - colon - 1)} : name;
}

static char kind_of(struct slice name)
{
	name = local_name(name);
	return slice_is(name, "Series") ? 'S' : slice_is(name, "Obs") ? 'O' : '\0';
}

/* An element's tag at `at`, whose name is in the window; SIZE_MAX: it does not end. */
static size_t pass_tag(struct look *l, glane_rc *rc)
{
	const char *p = l->p->p + l->at;
	const bool is_end = p[1] == '/';
	const char kind = kind_of(name_at(p + 1 + is_end, l->p->p + l->p->n));
	size_t end;

	if (is_end ? !l->inside || kind != l->inside : l->inside || !kind)
		return l->at + 1;
	end = is_end ? end_of(l, 2, ">", rc) : end_of_tag(l, rc);
	if (end == SIZE_MAX)
		return end;
	give(l, is_end ? end : l->at);
	if (is_end || l->p->p[end - 2] != '/')
		l->inside = is_end ? '\0' : kind;
	l->from = end;
	return end;
}

static size_t pass_markup(struct look *l, glane_rc *rc)
{
	const struct slice rest = {l->p->p + l->at, l->p->n - l->at};

	if (rest.n < 2)
		return SIZE_MAX;
	if (l->inside && is_name(rest.p[1])) /* most of what comes */
		return l->at + 1;
	if (slice_has_prefix(rest, "<!--"))
		return end_of(l, 4, "-->", rc);
	if (slice_has_prefix(rest, "<![CDATA["))
		return end_of(l, 9, "]]>", rc);
	if (slice_has_prefix(rest, "<?"))
		return end_of(l, 2, "?>", rc);
	return pass_tag(l, rc);
}

#define AHEAD 256 /* bytes that tell what a markup is, names included */

static glane_rc go_through(struct look *l)
{
	struct sdmx_xml *s = l->s;
	glane_rc rc = GLANE_OK;

	while (rc == GLANE_OK && !s->x.failed) {
		const char *next = memchr(l->p->p + l->at, '<', l->p->n - l->at);
		size_t end;

		l->at = next ? (size_t)(next - l->p->p) : l->p->n;
		if (l->p->n - l->at < AHEAD && !l->p->last) {
			if (!turn(l, &rc))
				break;
			continue;
		}
		end = next ? pass_markup(l, &rc) : SIZE_MAX;
		if (end == SIZE_MAX)
			break;
		l->at = end;
	}
	give(l, l->p->n);
	if (rc == GLANE_OK)
		xml_push_bytes(&s->x, (struct slice){NULL, 0}, true);
	return rc;
}

/* As if nothing had been read, but for columns and groups. */
static void forget(struct sdmx_xml *s)
{
	s->depth = s->n_structures = 0;
	s->current = NULL;
	s->family = (struct slice){NULL, 0};
	s->action = '\0';
	s->is_message = s->is_structures = s->is_cross = s->is_cut = s->is_obs_due = s->is_dataset_open = false;
	strbuf_reset(&s->text);
	strbuf_reset(&s->fault);
	strbuf_reset(&s->footer);
	strbuf_reset(&s->poll);
	strbuf_reset(&s->root);
	s->log.n_dataset = 0;
	s->log.level = SDMX_AT_NOTHING;
}

static glane_rc look_at(struct sdmx_xml *s, struct payload *p, struct diag *d)
{
	struct look l = {.s = s, .p = p};
	glane_rc rc = xml_push_open(&s->x, p, &sdmx_events, s, MAX_DEPTH, false, d);

	l.from = l.at = s->x.done;
	s->groups = GROUPS_SOUGHT;
	if (rc == GLANE_OK)
		rc = go_through(&l);
	if (rc == GLANE_OK && s->x.failed == GLANE_E_NOMEM)
		rc = fail(d, GLANE_E_NOMEM, "no memory for the groups of an SDMX message");
	/* the reading itself finds what is wrong, and names its place; until then nothing is known to be whole */
	s->groups = s->x.failed ? GROUPS_BROKEN : GROUPS_KNOWN;
	s->broken = s->x.found;
	xml_push_close(&s->x);
	forget(s);
	return rc;
}

/* A window of its own on what p has, from its beginning; GLANE_END: there is no way back. */
static glane_rc look_again(
	const struct sdmx_xml *s, const struct payload *p, struct payload *ret, bool *ret_own, struct diag *d)
{
	*ret_own = p->step == 0;
	if (p->step) {
		payload_view(ret, p, p->pos);
		return GLANE_OK;
	}
	return s->o.again ? s->o.again(s->o.again_arg, ret, d) : GLANE_END;
}

glane_rc sdmx_groups_find(struct sdmx_xml *s, const struct payload *p, struct diag *d)
{
	struct payload view;
	bool is_own, plain = false;
	glane_rc rc = look_again(s, p, &view, &is_own, d);

	if (rc != GLANE_OK)
		return rc == GLANE_END ? GLANE_OK : rc;
	rc = is_plain(&view, &plain);
	if (is_own)
		payload_close(&view);
	if (rc != GLANE_OK || plain)
		return rc;
	rc = look_again(s, p, &view, &is_own, d);
	if (rc == GLANE_OK) {
		rc = look_at(s, &view, d);
		if (is_own)
			payload_close(&view);
	}
	return rc;
}
