/* SPDX-License-Identifier: MIT */
/* A text with its escapes undone, level by level, each place of it once. */
#include "net/secret_undo.h"

#include "base/mem.h"

#include <string.h>

#define ENTITY 16        /* characters between & and ; */
#define RING (1ul << 17) /* more bytes than one character can take: (ENTITY + 1)^SECRET_LEVELS */
#define AHEAD 1024

static uint32_t undone(struct secret_search *s, size_t at, unsigned level);

static uint32_t lap_of(const struct secret_search *s, size_t at)
{
	return (uint32_t)(at >> s->bits) + 1;
}

/* The character there when escapes were undone so many times, and behind it (<< 8) how many bytes it takes; 0: the text ends. */
static uint32_t next_char(struct secret_search *s, size_t at, unsigned level)
{
	if (at >= s->text.n)
		return 0;
	if (!level || !secret_is_escape((unsigned char)s->text.p[at]))
		return 1u << 8 | (unsigned char)s->text.p[at];
	if (s->ring) {
		const struct secret_undone *u = &s->ring[at & s->mask];

		if (u->lap == lap_of(s, at) && u->n >= level)
			return u->v[level];
	}
	return undone(s, at, level);
}

static int hex(unsigned char c)
{
	const unsigned char lower = c | 0x20;

	return c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The character that n hexadecimal digits are, one of ASCII; 0: there are none. */
static uint32_t code(struct secret_search *s, size_t at, unsigned level, size_t n)
{
	const size_t from = at;
	unsigned v = 0;

	for (size_t i = 0; i < n; i++) {
		const uint32_t c = next_char(s, at, level);
		const int digit = hex((unsigned char)c);

		if (!c || digit < 0)
			return 0;
		at += c >> 8;
		v = v << 4 | (unsigned)digit;
	}
	return v < 256 ? (uint32_t)(at - from) << 8 | v : 0;
}

/* What stands between & and ; as a character; false: none of ours. */
static bool entity_char(const char *name, size_t n, unsigned char *ret)
{
	static const struct {
		const char *text;
		char c;
	} names[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
	const bool is_hex = n > 2 && (name[1] | 0x20) == 'x';
	const unsigned base = is_hex ? 16 : 10;
	unsigned v = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_is((struct slice){name, n}, names[i].text)) {
			*ret = (unsigned char)names[i].c;
			return true;
		}
	if (n < 2 || name[0] != '#')
		return false;
	for (size_t i = is_hex ? 2 : 1; i < n; i++) {
		const int digit = hex((unsigned char)name[i]);

		if (digit < 0 || (unsigned)digit >= base || v > 255)
			return false;
		v = v * base + (unsigned)digit;
	}
	*ret = (unsigned char)v;
	return v > 0 && v < 128;
}

static bool is_name_char(unsigned char c)
{
	return c == '#' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static uint32_t entity(struct secret_search *s, size_t at, unsigned level)
{
	const size_t from = at;
	unsigned char is = 0;
	char name[ENTITY];

	for (size_t n = 0; n < ENTITY; n++) {
		const uint32_t c = next_char(s, at, level);

		at += c >> 8;
		if ((unsigned char)c == ';')
			return entity_char(name, n, &is) ? (uint32_t)(at - from) << 8 | is : 0;
		if (!c || !is_name_char((unsigned char)c))
			return 0;
		name[n] = (char)c;
	}
	return 0;
}

/* Behind a backslash. */
static bool is_itself(unsigned char c)
{
	return c == '\\' || c == '/' || c == '"' || c == '\'' || !c;
}

static uint32_t backslash(struct secret_search *s, size_t at, unsigned level)
{
	const uint32_t first = next_char(s, at, level);
	const unsigned char c = (unsigned char)first;
	uint32_t v = 0;

	if (c == 'u' || c == 'x')
		v = code(s, at + (first >> 8), level, c == 'u' ? 4 : 2);
	if (v)
		return v + (first >> 8 << 8);
	return is_itself(c) ? first : 0;
}

/* `now` with one more level undone. */
static uint32_t undo(struct secret_search *s, size_t at, unsigned level, uint32_t now)
{
	const size_t rest = at + (now >> 8);
	const unsigned char c = (unsigned char)now;
	const uint32_t v = c == '%'   ? code(s, rest, level, 2)
			   : c == '&' ? entity(s, rest, level)
				      : backslash(s, rest, level);

	return v ? v + (now >> 8 << 8) : now;
}

/* At a glance: the escape there is none, on any level. */
static bool is_none(const struct secret_search *s, size_t at)
{
	const unsigned char c = (unsigned char)s->text.p[at],
			    next = at + 1 < s->text.n ? (unsigned char)s->text.p[at + 1] : ' ';
	const struct secret_undone *u = s->ring ? &s->ring[(at + 1) & s->mask] : NULL;

	if (secret_is_escape(next))
		return u && u->lap == lap_of(s, at + 1) && u->n == SECRET_LEVELS && u->last == 0 &&
		       (c != '\\' || next != '\\');
	return c == '%'   ? hex(next) < 0
	       : c == '&' ? !is_name_char(next)
			  : !is_itself(next) && next != 'u' && next != 'x';
}

/* Of an escape. Each level is made of the one before, of this place and of some further on: no deeper than there are levels. */
static void know(struct secret_search *s, struct secret_undone *u, size_t at, unsigned level)
{
	const uint32_t lap = lap_of(s, at);
	uint32_t now = 1u << 8 | (unsigned char)s->text.p[at];

	if (u->lap != lap) {
		u->v[0] = now;
		u->lap = lap;
		u->n = u->last = 0;
		u->starts = s->finder->starts[(unsigned char)now] & SECRET_STARTS;
	}
	now = u->v[u->n];
	if (u->n == 0 && is_none(s, at)) {
		for (level = 1; level <= SECRET_LEVELS; level++)
			u->v[level] = now;
		u->n = SECRET_LEVELS;
		return;
	}
	for (unsigned k = u->n; k < level; k++) {
		if (secret_is_escape((unsigned char)now))
			now = undo(s, at, k, now);
		else
			level = SECRET_LEVELS; /* it is the same on each */
		if (now != u->v[k]) {
			u->last = (uint8_t)(k + 1);
			u->starts |= s->finder->starts[(unsigned char)now] & SECRET_STARTS;
		}
		u->v[k + 1] = now;
	}
	u->n = (uint8_t)level;
}

static uint32_t undone(struct secret_search *s, size_t at, unsigned level)
{
	struct secret_undone here = {.lap = 0}, *u = s->ring ? &s->ring[at & s->mask] : &here;

	know(s, u, at, level);
	return u->v[level];
}

const struct secret_undone *secret_undone(struct secret_search *s, size_t at, struct secret_undone *here)
{
	struct secret_undone *u = s->ring ? &s->ring[at & s->mask] : here;

	if (u->lap != lap_of(s, at) || u->n < SECRET_LEVELS)
		know(s, u, at, SECRET_LEVELS);
	return u;
}

void secret_read_ahead(struct secret_search *s, size_t at)
{
	const size_t end = s->text.n - at < AHEAD ? s->text.n : at + AHEAD;
	struct secret_undone here;

	if (!s->ring) {
		while (s->mask + 1 < RING && s->mask + 1 < s->text.n)
			s->mask = 2 * s->mask + 1;
		s->bits = (unsigned)__builtin_popcountl(s->mask);
		s->ring = mem_zalloc(s->mask + 1, sizeof(*s->ring));
	}
	for (size_t i = end; s->ring && i-- > at;)
		if (secret_is_escape((unsigned char)s->text.p[i]))
			(void)secret_undone(s, i, &here);
	s->ahead = end;
}
