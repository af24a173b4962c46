/* SPDX-License-Identifier: MIT */
/* A plugin that misbehaves: it never returns. */
#include <glane/plugin.h>

static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	(void)h;
	(void)r;
	(void)state;
	for (volatile unsigned i = 0; i < 10; i = i & 7)
		;
	return GLANE_OK;
}

GLANE_PLUGIN(.name = "evil_hang", .version = "1", .title = "evil", .run = run);
