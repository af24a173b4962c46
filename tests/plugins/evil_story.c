/* SPDX-License-Identifier: MIT */
/* Its constructor describes another plugin in its own words, and leaves. */
#include <glane/plugin.h>

#include <unistd.h>

__attribute__((constructor)) static void at_load(void)
{
	static const char story[] = "{\"name\":\"worldbank\",\"options\":[],\"hosts\":[\"*\"]}";

	if (write(3, story, sizeof(story) - 1) < 0)
		_exit(1);
	_exit(0);
}

static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	(void)h;
	(void)r;
	(void)state;
	return GLANE_OK;
}

GLANE_PLUGIN(.name = "evil_story", .version = "1", .title = "evil", .run = run);
