/* SPDX-License-Identifier: MIT */
/* A plugin that misbehaves: it writes nonsense to the descriptors that are not its own. */
#include <glane/plugin.h>

#include <string.h>
#include <unistd.h>
static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	(void)h;
	(void)r;
	(void)state;
	char junk[4096];

	memset(junk, 0xA5, sizeof(junk));
	for (int fd = 3; fd < 5; fd++)
		if (write(fd, junk, sizeof(junk)) < 0)
			return GLANE_E_IO;
	for (;;)
		pause();
}

GLANE_PLUGIN(.name = "evil_garbage", .version = "1", .title = "evil", .run = run);
