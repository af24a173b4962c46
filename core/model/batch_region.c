/* SPDX-License-Identifier: MIT */
#include "model/batch_region.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#define STEP ((size_t)256 << 10)
#define RESERVE_MAX ((size_t)1 << 34)
#define RESERVE_MIN ((size_t)1 << 24)

glane_rc region_open(struct region *r, int dir, struct diag *d)
{
	void *p = MAP_FAILED;

	*r = (struct region){.fd = file_temp(dir, d)};
	if (r->fd < 0)
		return GLANE_E_IO;
	for (r->reserved = RESERVE_MAX; r->reserved >= RESERVE_MIN && p == MAP_FAILED; r->reserved /= 2)
		p = mmap(NULL, r->reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED) {
		fd_close(&r->fd);
		return fail(d, GLANE_E_NOMEM, "no address space for the tables of the run");
	}
	r->reserved *= 2; /* the loop halves once more than it fails */
	r->p = p;
	return GLANE_OK;
}

/* Takes the disk before the pages are used: a write into a hole that finds the disk full would kill the process. */
static glane_rc grow(struct region *r, size_t n, struct diag *d)
{
	const size_t step = r->mapped / 4 > STEP ? (r->mapped / 4 + STEP - 1) / STEP * STEP : STEP;
	const size_t more = n > step ? (n + STEP - 1) / STEP * STEP : step;
	int err;
	void *p;

	if (more > r->reserved - r->mapped)
		return fail(d, GLANE_E_LIMIT, "the tables of the run exceed %zu bytes; split the source", r->reserved);
	do
		err = posix_fallocate(r->fd, (off_t)r->mapped, (off_t)more);
	while (err == EINTR);
	if (err)
		return fail(d, GLANE_E_IO, "cannot reserve %zu bytes for the tables of the run: %s; free some disk",
			more, strerror(err));
	p = mmap(r->p + r->mapped, more, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, r->fd, (off_t)r->mapped);
	if (p == MAP_FAILED)
		return fail(d, GLANE_E_NOMEM, "cannot map the tables of the run: %s", strerror(errno));
	r->mapped += more;
	return GLANE_OK;
}

void *region_more(struct region *r, size_t n, struct diag *d)
{
	char *p;

	if (n > r->mapped - r->n && grow(r, n, d) != GLANE_OK)
		return NULL;
	p = r->p + r->n;
	r->n += n;
	return p;
}

void region_close(struct region *r)
{
	if (!r->p)
		return;
	(void)munmap(r->p, r->reserved);
	fd_close(&r->fd);
	*r = (struct region){.fd = -1};
}
