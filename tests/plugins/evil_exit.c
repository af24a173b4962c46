/* SPDX-License-Identifier: MIT */
/* A plugin that misbehaves: it exits with status 0 in the middle. */
#include <glane/plugin.h>

#include <stdlib.h>
#include <unistd.h>
static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	(void)h;
	(void)r;
	(void)state;
	_exit(0);
}

GLANE_PLUGIN(.name = "evil_exit", .version = "1", .title = "evil", .run = run);
