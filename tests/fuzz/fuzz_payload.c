/* SPDX-License-Identifier: MIT */
/*
 * Payload files: mapped, or out of a zip, 7z or gzip file. First line: glob of the entry ('-': none), its suffix ('-': none),
 * encoding ('-': none); the rest is the file.
 */
#include "base/sha256.h"
#include "fuzz.h"
#include <unistd.h>

#define MAX_BYTES (1 << 20)

struct outcome {
	glane_rc rc;
	uint64_t n;
	char sha256[SHA256_HEX], text[sizeof((struct diag){0}.text)];
};

/* Reads all; `keep` bytes of the window stay each time. What is kept has to stay the same. */
static void read_all(int fd, const struct payload_options *o, size_t keep, struct outcome *ret)
{
	struct diag d;
	struct payload p;
	struct sha256 h;
	size_t old = 0;
	char kept[64];

	*ret = (struct outcome){0};
	diag_clear(&d);
	FUZZ_CHECK(sha256_init(&h));
	ret->rc = payload_open(&p, fd, o, &d);
	while (ret->rc == GLANE_OK) {
		size_t k = p.n < keep ? p.n : keep;

		FUZZ_CHECK(sha256_add(&h, p.p + old, p.n - old));
		FUZZ_CHECK(ret->n == 0 || p.pos + p.n >= ret->n);
		ret->n = p.pos + p.n;
		if (p.last)
			break;
		memcpy(kept, p.p + p.n - k, k);
		ret->rc = payload_more(&p, k);
		old = k;
		FUZZ_CHECK(ret->rc != GLANE_OK || (p.n >= k && memcmp(kept, p.p, k) == 0));
	}
	if (ret->rc == GLANE_OK)
		payload_close(&p);
	else if (p.source)
		payload_close(&p);
	FUZZ_CHECK(ret->rc == GLANE_OK || (ret->rc == d.code && d.text[0]));
	FUZZ_CHECK(ret->n <= (uint64_t)MAX_BYTES * 3);
	FUZZ_CHECK(sha256_end(&h, ret->sha256));
	memcpy(ret->text, d.text, sizeof(ret->text));
}

static const char *given(const char *word)
{
	return word && strcmp(word, "-") != 0 ? word : NULL;
}

FUZZ_TARGET(payload)
{
	struct payload_options o = {.is_archive_ok = true, .max_bytes = MAX_BYTES};
	struct slice line = fuzz_line(&in);
	struct outcome a, b;
	const char **word;
	struct arena arena;
	struct diag d;
	struct payload p;
	size_t n;
	int fd;

	arena_init(&arena, 0);
	word = fuzz_words(&arena, line, 3, &n);
	o.member = given(n > 0 ? word[0] : NULL);
	o.member_suffix = given(n > 1 ? word[1] : NULL);
	o.encoding = given(n > 2 ? word[2] : NULL);
	fd = fuzz_file(in);
	read_all(fd, &o, 0, &a);
	read_all(fd, &o, 37, &b);
	FUZZ_SAY(a.rc == b.rc && a.n == b.n && strcmp(a.sha256, b.sha256) == 0 && strcmp(a.text, b.text) == 0,
		"%d %s\n%d %s", (int)a.rc, a.text, (int)b.rc, b.text);
	diag_clear(&d);
	mem_fail_after((long)(fuzz_hash(in) % 5) + 1, true);
	if (payload_open(&p, fd, &o, &d) == GLANE_OK)
		payload_close(&p);
	mem_fail_after(0, false);
	close(fd);
	arena_release(&arena);
}
