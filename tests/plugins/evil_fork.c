/* SPDX-License-Identifier: MIT */
/* A plugin that misbehaves: it leaves children behind. */
#include <glane/plugin.h>

#include <unistd.h>
static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	(void)h;
	(void)r;
	(void)state;
	for (int i = 0; i < 5; i++)
		if (fork() == 0)
			for (;;)
				pause();
	return h->fail(r, GLANE_E_DATA, "forked");
}

GLANE_PLUGIN(.name = "evil_fork", .version = "1", .title = "evil", .run = run);
