/* SPDX-License-Identifier: MIT */
/* Conversion to UTF-8 while reading: ISO-8859-1, ISO-8859-15, windows-1252 (WHATWG index without its C1 rows), UTF-16 (RFC 2781). */
#include "base/mem.h"
#include "read/source.h"
#include <string.h>
#include <strings.h>

struct cursor {
	const unsigned char *in, *in_end;
	char *out, *out_end;
};
struct converter {
	struct payload_source base;
	struct payload inner;
	size_t used; /* of inner's window */
	/* Converts while there are whole characters in and 4 bytes of room out; false: malformed at c->in. */
	bool (*run)(struct cursor *c);
	const char *name;
};

/* windows-1252, bytes 0x80 to 0x9F; 0: not a character. */
static const uint16_t cp1252[32] = {
	0x20AC,
	0,
	0x201A,
	0x0192,
	0x201E,
	0x2026,
	0x2020,
	0x2021,
	0x02C6,
	0x2030,
	0x0160,
	0x2039,
	0x0152,
	0,
	0x017D,
	0,
	0,
	0x2018,
	0x2019,
	0x201C,
	0x201D,
	0x2022,
	0x2013,
	0x2014,
	0x02DC,
	0x2122,
	0x0161,
	0x203A,
	0x0153,
	0,
	0x017E,
	0x0178,
};

static void put(struct cursor *c, uint32_t u)
{
	if (u < 0x80) {
		*c->out++ = (char)u;
		return;
	}
	if (u < 0x800) {
		*c->out++ = (char)(0xC0 | u >> 6);
	} else {
		if (u < 0x10000) {
			*c->out++ = (char)(0xE0 | u >> 12);
		} else {
			*c->out++ = (char)(0xF0 | u >> 18);
			*c->out++ = (char)(0x80 | (u >> 12 & 0x3F));
		}
		*c->out++ = (char)(0x80 | (u >> 6 & 0x3F));
	}
	*c->out++ = (char)(0x80 | (u & 0x3F));
}

/* Copies ASCII eight bytes at a time. */
static void copy_ascii(struct cursor *c)
{
	uint64_t word;

	while (c->in_end - c->in >= 8 && c->out_end - c->out >= 8) {
		memcpy(&word, c->in, 8);
		if (word & UINT64_C(0x8080808080808080))
			return;
		memcpy(c->out, &word, 8);
		c->in += 8;
		c->out += 8;
	}
}

static bool run_latin1(struct cursor *c)
{
	while (c->in < c->in_end && c->out_end - c->out >= 4) {
		copy_ascii(c);
		for (int i = 0; i < 8 && c->in < c->in_end && c->out_end - c->out >= 4; i++)
			put(c, *c->in++);
	}
	return true;
}

static uint32_t latin9(uint32_t u)
{
	static const struct {
		uint8_t byte;
		uint16_t u;
	} other[] = {{0xA4, 0x20AC}, {0xA6, 0x160}, {0xA8, 0x161}, {0xB4, 0x17D}, {0xB8, 0x17E}, {0xBC, 0x152},
		{0xBD, 0x153}, {0xBE, 0x178}};

	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		if (other[i].byte == u)
			return other[i].u;
	return u;
}

static bool run_latin9(struct cursor *c)
{
	while (c->in < c->in_end && c->out_end - c->out >= 4) {
		copy_ascii(c);
		for (int i = 0; i < 8 && c->in < c->in_end && c->out_end - c->out >= 4; i++)
			put(c, latin9(*c->in++));
	}
	return true;
}

static bool run_cp1252(struct cursor *c)
{
	while (c->in < c->in_end && c->out_end - c->out >= 4) {
		copy_ascii(c);
		for (int i = 0; i < 8 && c->in < c->in_end && c->out_end - c->out >= 4; i++) {
			uint32_t u = *c->in;

			if (u >= 0x80 && u < 0xA0)
				u = cp1252[u - 0x80];
			if (u == 0 && *c->in != 0)
				return false;
			put(c, u);
			c->in++;
		}
	}
	return true;
}

static inline bool run_utf16(struct cursor *c, int hi, int lo)
{
	while (c->in_end - c->in >= 2 && c->out_end - c->out >= 4) {
		uint32_t u = (uint32_t)c->in[hi] << 8 | c->in[lo], v;

		if (u >= 0xDC00 && u < 0xE000)
			return false;
		if (u >= 0xD800 && u < 0xDC00) {
			if (c->in_end - c->in < 4)
				return true;
			v = (uint32_t)c->in[2 + hi] << 8 | c->in[2 + lo];
			if (v < 0xDC00 || v >= 0xE000)
				return false;
			u = 0x10000 + ((u - 0xD800) << 10) + (v - 0xDC00);
			c->in += 2;
		}
		put(c, u);
		c->in += 2;
	}
	return true;
}

static bool run_utf16le(struct cursor *c)
{
	return run_utf16(c, 1, 0);
}

static bool run_utf16be(struct cursor *c)
{
	return run_utf16(c, 0, 1);
}

static glane_rc bad(struct converter *s, const char *what, struct diag *d)
{
	return fail(d, GLANE_E_FORMAT, "payload: %s at byte %llu is not %s; is `encoding` right?", what,
		(unsigned long long)s->inner.pos + s->used, s->name);
}

static glane_rc convert_read(struct payload_source *base, char *buf, size_t cap, size_t *ret_n, struct diag *d)
{
	struct converter *s = (struct converter *)base;

	for (;;) {
		const unsigned char *in = (const unsigned char *)s->inner.p;
		struct cursor c = {in + s->used, in + s->inner.n, buf, buf + cap};
		bool ok = s->run(&c);
		size_t left = (size_t)(c.in_end - c.in);
		glane_rc rc;

		s->used = s->inner.n - left;
		if (!ok && c.out == buf)
			return bad(s, "what stands", d);
		if (c.out > buf || (left == 0 && s->inner.last)) {
			*ret_n = (size_t)(c.out - buf);
			return GLANE_OK;
		}
		if (s->inner.last)
			return bad(s, "half a character", d);
		rc = payload_more(&s->inner, left);
		if (rc != GLANE_OK)
			return rc;
		s->used = 0;
	}
}

static void convert_close(struct payload_source *base)
{
	struct converter *s = (struct converter *)base;

	payload_close(&s->inner);
	mem_free(s);
}

static const struct charset {
	const char *name, *alias;
	bool (*run)(struct cursor *c); /* NULL: nothing to convert */
} charsets[] = {
	{"UTF-8", "utf8", NULL},
	{"ISO-8859-1", "latin1", run_latin1},
	{"ISO-8859-15", "latin9", run_latin9},
	{"windows-1252", "cp1252", run_cp1252},
	{"UTF-16LE", "utf16le", run_utf16le},
	{"UTF-16BE", "utf16be", run_utf16be},
};

static const struct charset *charset_find(const char *name)
{
	for (size_t i = 0; i < sizeof(charsets) / sizeof(charsets[0]); i++) {
		if (strcasecmp(name, charsets[i].name) == 0 || strcasecmp(name, charsets[i].alias) == 0)
			return &charsets[i];
	}
	return NULL;
}

/* The character set that a byte-order mark at the start tells, and the mark's length. */
static const char *bom_find(const struct payload *p, size_t *ret_n)
{
	*ret_n = 2;
	if (p->n >= 2 && memcmp(p->p, "\xFF\xFE", 2) == 0)
		return "UTF-16LE";
	if (p->n >= 2 && memcmp(p->p, "\xFE\xFF", 2) == 0)
		return "UTF-16BE";
	*ret_n = 3;
	return p->n >= 3 && memcmp(p->p, "\xEF\xBB\xBF", 3) == 0 ? "UTF-8" : NULL;
}

static glane_rc converter_open(struct payload *p, const struct charset *set, struct diag *d)
{
	struct converter *s = mem_zalloc(1, sizeof(*s));

	if (!s)
		return fail(d, GLANE_E_NOMEM, "payload: out of memory");
	s->base.read = convert_read;
	s->base.close = convert_close;
	s->run = set->run;
	s->name = set->name;
	s->inner = *p;
	/* The bytes that go in are limited already; one of them becomes three at most. */
	*p = (struct payload){.p = "", .source = &s->base, .limit = p->limit * 3, .diag = p->diag};
	return payload_more(p, 0);
}

glane_rc charset_open(struct payload *p, const char *encoding, struct diag *d)
{
	const char *name = encoding ? encoding : "UTF-8", *marked;
	const struct charset *set;
	size_t mark;

	if (strcasecmp(name, "binary") == 0)
		return GLANE_OK;
	marked = bom_find(p, &mark);
	set = charset_find(marked ? marked : name);
	if (!set && strcasecmp(name, "UTF-16") == 0)
		return fail(d, GLANE_E_FORMAT,
			"payload: no byte-order mark where encoding = UTF-16 needs one; say UTF-16LE or UTF-16BE");
	if (!charset_find(name) && strcasecmp(name, "UTF-16") != 0)
		return fail(d, GLANE_E_CONFIG,
			"encoding '%s' is not known; there are UTF-8, ISO-8859-1, ISO-8859-15, windows-1252, UTF-16, "
			"UTF-16LE, UTF-16BE and binary",
			name);
	if (marked) {
		p->p += mark;
		p->n -= mark;
		p->pos += mark;
	}
	return set && set->run ? converter_open(p, set, d) : GLANE_OK;
}

static bool has_c1(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80 && (unsigned char)s.p[i] < 0xA0)
			return true;
	return false;
}

bool charset_ansi(struct strbuf *out, struct slice s, bool is_latin9)
{
	char *room = strbuf_room(out, s.n * 3 + 4);
	struct cursor c = {.in = (const unsigned char *)s.p, .in_end = (const unsigned char *)s.p + s.n};

	if (!room)
		return true; /* strbuf_ok() tells */
	c.out = room, c.out_end = room + s.n * 3 + 4;
	if (!(is_latin9 && !has_c1(s) ? run_latin9(&c) : run_cp1252(&c)))
		return false;
	out->n += (size_t)(c.out - room);
	return true;
}
