/* SPDX-License-Identifier: MIT */
/* A shared object for another ABI major: it has no glane_plugin_v1. */
extern int glane_plugin_v9(void);
__attribute__((visibility("default"))) int glane_plugin_v9(void)
{
	return 9;
}
