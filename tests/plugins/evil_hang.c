/* SPDX-License-Identifier: MIT */
/* A plugin that misbehaves: it never returns. */
#include <glane/plugin.h>


static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	(void)h;
	(void)r;
	(void)state;
	for (volatile unsigned i = 0;; i++)
		;
}

GLANE_PLUGIN(.name = "evil_hang", .version = "1", .title = "evil", .run = run);
