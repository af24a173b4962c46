/* SPDX-License-Identifier: MIT */
/* A plugin that misbehaves: it takes all the memory there is. */
#include <glane/plugin.h>

#include <stdlib.h>
#include <string.h>
static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	(void)h;
	(void)r;
	(void)state;
	for (;;) {
		char *p = malloc((size_t)1 << 20);

		if (!p)
			abort();
		memset(p, 1, (size_t)1 << 20);
	}
}

GLANE_PLUGIN(.name = "evil_leak", .version = "1", .title = "evil", .run = run);
