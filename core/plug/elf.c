/* SPDX-License-Identifier: MIT */
/* A look at a file before dlopen() maps it: one that was cut short would end the process with SIGBUS, without a word. */
#include "plug/plugin.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if UINTPTR_MAX > UINT32_MAX
typedef Elf64_Ehdr elf_head;
typedef Elf64_Phdr elf_segment;
#define OUR_CLASS ELFCLASS64
#else
typedef Elf32_Ehdr elf_head;
typedef Elf32_Phdr elf_segment;
#define OUR_CLASS ELFCLASS32
#endif
#define MAX_SEGMENTS 128

static glane_rc cut(const char *path, struct diag *d)
{
	return fail(d, GLANE_E_DENIED, "%s: refused: the file ends before its contents do (copy it again)", path);
}

static bool inside(uint64_t at, uint64_t n, uint64_t size)
{
	return at <= size && n <= size - at;
}

static glane_rc check_segments(int fd, const elf_head *h, uint64_t size, const char *path, struct diag *d)
{
	if (h->e_phentsize != sizeof(elf_segment) || h->e_phnum == 0 || h->e_phnum > MAX_SEGMENTS)
		return fail(d, GLANE_E_DENIED, "%s: refused: no shared object (link it with -shared)", path);
	if (!inside(h->e_phoff, (uint64_t)h->e_phnum * sizeof(elf_segment), size) ||
		!inside(h->e_shoff, (uint64_t)h->e_shnum * h->e_shentsize, size))
		return cut(path, d);
	for (unsigned i = 0; i < h->e_phnum; i++) {
		elf_segment s;
		const off_t at = (off_t)(h->e_phoff + i * sizeof(s));

		if (pread(fd, &s, sizeof(s), at) != (ssize_t)sizeof(s) || !inside(s.p_offset, s.p_filesz, size))
			return cut(path, d);
	}
	return GLANE_OK;
}

glane_rc plugin_elf_check(const char *path, struct diag *d)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	elf_head h;
	ssize_t n;
	glane_rc rc;

	if (fd < 0 || fstat(fd, &st) != 0) {
		rc = fail(d, GLANE_E_DENIED, "%s: refused: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return rc;
	}
	n = pread(fd, &h, sizeof(h), 0);
	if (n < SELFMAG || memcmp(h.e_ident, ELFMAG, SELFMAG) != 0)
		rc = fail(d, GLANE_E_DENIED, "%s: refused: no shared object at all (remove it from the folder)", path);
	else if (n < (ssize_t)sizeof(h))
		rc = cut(path, d);
	else if (h.e_ident[EI_CLASS] != OUR_CLASS || h.e_type != ET_DYN)
		rc = fail(d, GLANE_E_DENIED, "%s: refused: no shared object for this machine (rebuild it here)", path);
	else
		rc = check_segments(fd, &h, (uint64_t)st.st_size, path, d);
	close(fd);
	return rc;
}
