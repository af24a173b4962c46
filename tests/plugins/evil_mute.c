/* SPDX-License-Identifier: MIT */
/* As soon as it is loaded it closes what it could be heard by, and stays. */
#include <glane/plugin.h>

#include <unistd.h>

__attribute__((constructor)) static void at_load(void)
{
	for (int fd = 1; fd <= 3; fd++)
		close(fd);
	for (;;)
		sleep(1000);
}

static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	(void)h;
	(void)r;
	(void)state;
	return GLANE_OK;
}

GLANE_PLUGIN(.name = "evil_mute", .version = "1", .title = "evil", .run = run);
