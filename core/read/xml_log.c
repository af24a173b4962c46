/* SPDX-License-Identifier: MIT */
/* XML events kept for a while, and the paths into them. */
#include "read/xml_log.h"

void xml_log_init(struct xml_log *l, size_t max_text)
{
	*l = (struct xml_log){.n_node = 0};
	strbuf_init(&l->text, max_text < UINT32_MAX / 2 ? max_text : UINT32_MAX / 2);
}

void xml_log_release(struct xml_log *l)
{
	mem_free(l->node);
	mem_free(l->attr);
	mem_free(l->open);
	strbuf_release(&l->text);
	*l = (struct xml_log){.n_node = 0};
}

static uint32_t innermost(const struct xml_log *l)
{
	return l->n_open ? l->open[l->n_open - 1] : XML_NONE;
}

bool xml_log_open(struct xml_log *l, const char *name)
{
	if (l->n_node >= XML_NONE - 1 || !mem_grow(&l->node, &l->cap_node, l->n_node + 1, sizeof(*l->node)) ||
		!mem_grow(&l->open, &l->cap_open, l->n_open + 1, sizeof(*l->open)))
		return false;
	l->node[l->n_node] = (struct xml_node){.name = name, .parent = innermost(l), .attr = (uint32_t)l->n_attr};
	l->open[l->n_open++] = (uint32_t)l->n_node++;
	return true;
}

bool xml_log_attr(struct xml_log *l, const char *name, bool is_prefixed, struct slice value)
{
	const size_t start = l->text.n;

	if (!mem_grow(&l->attr, &l->cap_attr, l->n_attr + 1, sizeof(*l->attr)))
		return false;
	strbuf_add(&l->text, "", 0); /* an empty value is not an absent one */
	while (value.n) {
		const char *amp = memchr(value.p, '&', value.n);
		size_t n = amp ? (size_t)(amp - value.p) + 1 : value.n;

		strbuf_add(&l->text, value.p, n);
		if (amp && slice_has_prefix((struct slice){amp, value.n - n + 1}, "&#38;"))
			n += strlen("#38;");
		value = (struct slice){value.p + n, value.n - n};
	}
	l->attr[l->n_attr++] = (struct xml_attr){
		.name = name, .is_prefixed = is_prefixed, .text = (uint32_t)start, .n = (uint32_t)(l->text.n - start)};
	l->node[innermost(l)].n_attr++;
	return strbuf_ok(&l->text);
}

bool xml_log_text(struct xml_log *l, struct slice text)
{
	struct xml_node *last = &l->node[l->n_node - 1];
	const size_t start = l->text.n;

	strbuf_slice(&l->text, text);
	if (!strbuf_ok(&l->text))
		return false;
	l->node[innermost(l)].n += (uint32_t)text.n;
	/* Behind an element that was closed, it is another text. */
	if (!last->name && last->parent == innermost(l)) {
		last->n += (uint32_t)text.n;
		return true;
	}
	if (l->n_node >= XML_NONE - 1 || !mem_grow(&l->node, &l->cap_node, l->n_node + 1, sizeof(*l->node)))
		return false;
	l->node[l->n_node] = (struct xml_node){
		.parent = innermost(l), .end = (uint32_t)l->n_node + 1, .text = (uint32_t)start, .n = (uint32_t)text.n};
	l->n_node++;
	return true;
}

void xml_log_close(struct xml_log *l)
{
	l->node[l->open[--l->n_open]].end = (uint32_t)l->n_node;
}

/* Moves len bytes of text down to l->text.n; returns where they stand now. */
static uint32_t text_move(struct xml_log *l, uint32_t from, uint32_t len)
{
	const size_t to = l->text.n;

	if (len)
		memmove(l->text.p + to, l->text.p + from, len);
	l->text.n = to + len;
	return (uint32_t)to;
}

/* Moves a node, its attributes and its text down to the ends of what is kept. All were made in this order. */
static void node_move(struct xml_log *l, struct xml_node n)
{
	const uint32_t first = n.attr;

	if (n.name) {
		n.attr = (uint32_t)l->n_attr;
		for (uint32_t i = 0; i < n.n_attr; i++) {
			struct xml_attr a = l->attr[first + i];

			a.text = text_move(l, a.text, a.n);
			l->attr[l->n_attr++] = a;
		}
	} else {
		n.text = text_move(l, n.text, n.n);
	}
	l->node[l->n_node++] = n;
}

uint32_t xml_log_trim(struct xml_log *l, uint32_t from)
{
	const uint32_t n = (uint32_t)l->n_node;
	uint32_t kept = 0, moved;

	l->n_node = l->n_attr = l->text.n = 0;
	for (; kept < l->n_open && l->open[kept] < from; kept++) {
		struct xml_node nd = l->node[l->open[kept]];

		nd.parent = kept ? kept - 1 : XML_NONE;
		l->open[kept] = kept;
		node_move(l, nd);
	}
	moved = from - kept;
	for (uint32_t i = from; i < n; i++) {
		struct xml_node nd = l->node[i];

		if (nd.parent != XML_NONE)
			nd.parent = nd.parent < from ? kept - 1 : nd.parent - moved;
		nd.end = nd.end ? nd.end - moved : 0;
		node_move(l, nd);
	}
	for (size_t i = kept; i < l->n_open; i++)
		l->open[i] -= moved;
	return moved;
}

static glane_rc path_bad(const char *text, struct diag *d)
{
	return fail(d, GLANE_E_USAGE,
		"path '%s' is none of: @name, a/b, a/@name, ., ../@name (ancestors have attributes only)", text);
}

/* One step of a path: p[0..n). */
static glane_rc path_step(
	struct xml_path *path, const char *p, size_t n, const char *text, xml_intern *intern, void *arg, struct diag *d)
{
	const bool is_attr = n > 0 && *p == '@', is_up = n == 2 && memcmp(p, "..", 2) == 0;
	const char *name;

	if (path->attr || n == (is_attr ? 1 : 0) || path->n + path->up >= XML_PATH_STEPS || (is_up && path->n))
		return path_bad(text, d);
	if (is_up) {
		path->up++;
		return GLANE_OK;
	}
	if (n == 1 && *p == '.')
		return GLANE_OK;
	name = intern(arg, p + (is_attr ? 1 : 0), n - (is_attr ? 1 : 0));
	if (!name)
		return fail(d, GLANE_E_NOMEM, "no memory for path '%s'", text);
	if (is_attr)
		path->attr = name;
	else
		path->step[path->n++] = name;
	return GLANE_OK;
}

glane_rc xml_path_parse(
	struct xml_path *ret, struct arena *a, const char *text, xml_intern *intern, void *arg, struct diag *d)
{
	struct xml_path path = {.up = 0};
	const char *p = text;
	glane_rc rc = GLANE_OK;

	path.step = arena_alloc(a, (strlen(text) + 1) * sizeof(*path.step));
	if (!path.step)
		return fail(d, GLANE_E_NOMEM, "no memory for path '%s'", text);
	for (;;) {
		const size_t n = strcspn(p, "/");

		rc = path_step(&path, p, n, text, intern, arg, d);
		if (rc < 0)
			return rc;
		if (!p[n])
			break;
		p += n + 1;
	}
	if (path.up && (path.n || !path.attr))
		return path_bad(text, d);
	*ret = path;
	return GLANE_OK;
}

struct slice xml_trim(struct slice s)
{
	while (s.n && strchr(" \t\r\n", s.p[s.n - 1]))
		s.n--;
	while (s.n && strchr(" \t\r\n", *s.p)) {
		s.p++;
		s.n--;
	}
	return s;
}

/* An attribute without prefix goes before one of the same local name with a prefix. */
static struct slice find_attr(const struct xml_log *l, const struct xml_node *nd, const char *name)
{
	struct slice found = {NULL, 0};

	for (uint32_t i = 0; i < nd->n_attr; i++) {
		const struct xml_attr *a = &l->attr[nd->attr + i];

		if (a->name != name || (a->is_prefixed && found.p))
			continue;
		found = (struct slice){l->text.p + a->text, a->n};
		if (!a->is_prefixed)
			break;
	}
	return found;
}

/* The texts directly inside an element, joined, without blanks at both ends. */
static struct slice own_text(const struct xml_log *l, uint32_t node, struct arena *a, glane_rc *ret_rc)
{
	const struct xml_node *nd = &l->node[node];
	struct slice s = {"", 0};
	char *out;

	for (uint32_t i = node + 1; i < nd->end; i = l->node[i].end) {
		const struct xml_node *t = &l->node[i];

		if (t->name)
			continue;
		s = (struct slice){l->text.p + t->text, t->n};
		if (t->n == nd->n)
			return xml_trim(s);
	}
	if (nd->n == 0)
		return s;
	out = arena_alloc(a, nd->n);
	if (!out) {
		*ret_rc = GLANE_E_NOMEM;
		return (struct slice){NULL, 0};
	}
	s = (struct slice){out, 0};
	for (uint32_t i = node + 1; i < nd->end; i = l->node[i].end) {
		if (l->node[i].name)
			continue;
		memcpy(out + s.n, l->text.p + l->node[i].text, l->node[i].n);
		s.n += l->node[i].n;
	}
	return xml_trim(s);
}

static struct slice descend(const struct xml_path *path, size_t step, const struct xml_log *l, uint32_t node,
	struct arena *a, glane_rc *ret_rc)
{
	struct slice s = {NULL, 0};

	if (step == path->n)
		return path->attr ? find_attr(l, &l->node[node], path->attr) : own_text(l, node, a, ret_rc);
	for (uint32_t i = node + 1; i < l->node[node].end && !s.p; i = l->node[i].end) {
		if (l->node[i].name == path->step[step])
			s = descend(path, step + 1, l, i, a, ret_rc);
	}
	return s;
}

struct slice xml_path_find(
	const struct xml_path *path, const struct xml_log *l, uint32_t node, struct arena *a, glane_rc *ret_rc)
{
	for (unsigned i = 0; i < path->up; i++) {
		node = l->node[node].parent;
		if (node == XML_NONE)
			return (struct slice){NULL, 0};
	}
	return descend(path, 0, l, node, a, ret_rc);
}
