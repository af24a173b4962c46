/* SPDX-License-Identifier: MIT */
/* A plugin that misbehaves: it writes through a null pointer. */
#include <glane/plugin.h>

static int *volatile nowhere;

static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	(void)h;
	(void)r;
	(void)state;
	*nowhere = 1;
	return GLANE_OK;
}

GLANE_PLUGIN(.name = "evil_crash", .version = "1", .title = "evil", .run = run);
