// SPDX-License-Identifier: MIT
// A plugin in C++20: `make hdr-check` compiles it against today's header.
#include <glane/plugin.h>

static glane_rc run(const struct glane_host *h, glane_run *r, void *)
{
	const glane_str text = GLANE_STR("x"), other = glane_str_of("y");

	return GLANE_HAS(h, slice) && text.n == other.n ? GLANE_OK : h->fail(r, GLANE_E_DATA, "%s", text.p);
}

GLANE_PLUGIN(.name = "cpp", .version = "1", .title = "C++", .run = run);
