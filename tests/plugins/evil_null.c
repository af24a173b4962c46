/* SPDX-License-Identifier: MIT */
/* A plugin that gives no descriptor. */
#include <glane/plugin.h>

__attribute__((visibility("default"))) const struct glane_plugin *glane_plugin_v1(void);
const struct glane_plugin *glane_plugin_v1(void)
{
	return NULL;
}
