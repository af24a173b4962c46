/* SPDX-License-Identifier: MIT */
/* Integrity of payloads/: each body must have the SHA-256 that is its name. */
#include "base/file.h"
#include "base/sha256.h"
#include "base/zst.h"
#include "store/files.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BODY_MAX ((uint64_t)16 << 30)
#define HEX ((size_t)64)

struct bodies {
	const struct store *s;
	struct strbuf *b;
	uint64_t *findings;
	const char *folder; /* two digits */
	struct diag *d;
};

/* A store that is read has no tmp/ of its own to write to. */
static int scratch_file(const struct store *s, struct diag *d)
{
	int fd = s->tmp >= 0 ? file_temp(s->tmp, NULL)
			     : openat(AT_FDCWD, "/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		fd = memfd_create("payload", MFD_CLOEXEC);
	if (fd < 0)
		(void)fail(d, GLANE_E_IO, "cannot create a temporary file: %s", strerror(errno));
	return fd;
}

static glane_rc hash_compressed(const struct store *s, int in, char hex[SHA256_HEX], struct diag *d)
{
	int out = scratch_file(s, d);
	glane_rc rc = out < 0 ? GLANE_E_IO : zst_decompress(in, out, BODY_MAX, d);

	if (rc == GLANE_OK)
		rc = sha256_fd(out, hex, d);
	fd_close(&out);
	return rc;
}

static glane_rc hash_body(const struct store *s, int dir, const char *name, char hex[SHA256_HEX], struct diag *d)
{
	int in = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	glane_rc rc;

	if (in < 0)
		return fail(d, GLANE_E_IO, "cannot open: %s", strerror(errno));
	rc = has_suffix(name, ".zst") ? hash_compressed(s, in, hex, d) : sha256_fd(in, hex, d);
	fd_close(&in);
	return rc;
}

/* Bodies are 64 digits, with .zst or without; side files and parts of a killed run are not looked at. */
static glane_rc check_body(void *arg, int dir, const char *name)
{
	struct bodies *w = arg;
	struct diag own = {0};
	char hex[SHA256_HEX];

	if (strlen(name) < HEX || !is_sha256_hex((struct slice){name, HEX}) ||
		(name[HEX] && strcmp(name + HEX, ".zst") != 0))
		return GLANE_OK;
	if (hash_body(w->s, dir, name, hex, &own) == GLANE_OK &&
		(memcmp(hex, name, HEX) != 0 || memcmp(name, w->folder, 2) != 0))
		(void)fail(&own, GLANE_E_IO, "other bytes than were stored (SHA-256)");
	if (own.code == GLANE_E_NOMEM)
		return fail(w->d, own.code, "payloads/%s/%s: %s", w->folder, name, own.text);
	if (own.code) {
		(void)diag_prefix(&own, "payloads/%s/%s", w->folder, name);
		strbuf_puts(w->b, own.text);
		strbuf_putc(w->b, '\n');
		++*w->findings;
	}
	return GLANE_OK;
}

static glane_rc check_folder(void *arg, int dir, const char *name)
{
	struct bodies *w = arg;

	if (strlen(name) != 2)
		return GLANE_OK;
	w->folder = name;
	return folder_each(dir, name, check_body, w, w->d);
}

glane_rc check_payloads(const struct store *s, struct strbuf *b, uint64_t *findings, struct diag *d)
{
	struct bodies w = {.s = s, .b = b, .findings = findings, .d = d};

	return folder_each(s->dir, "payloads", check_folder, &w, d);
}
