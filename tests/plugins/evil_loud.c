/* SPDX-License-Identifier: MIT */
/* As soon as it is loaded it writes without end to where its description is to go. */
#include <glane/plugin.h>

#include <string.h>
#include <unistd.h>

__attribute__((constructor)) static void at_load(void)
{
	static char words[65536];

	memset(words, 'x', sizeof(words));
	while (write(3, words, sizeof(words)) > 0)
		;
}

static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	(void)h;
	(void)r;
	(void)state;
	return GLANE_OK;
}

GLANE_PLUGIN(.name = "evil_loud", .version = "1", .title = "evil", .run = run);
