/* SPDX-License-Identifier: MIT */
/* It crashes as soon as it is loaded, in a constructor. */
#include <glane/plugin.h>

__attribute__((constructor)) static void at_load(void)
{
	__builtin_trap(); /* which no sanitizer turns into words of its own */
}

static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	(void)h;
	(void)r;
	(void)state;
	return GLANE_OK;
}

GLANE_PLUGIN(.name = "evil_loading", .version = "1", .title = "evil", .run = run);
