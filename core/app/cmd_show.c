/* SPDX-License-Identifier: MIT */
#include "app/app.h"
int cmd_show(const struct app *a, int argc, char **argv)
{
	(void)a; (void)argc; (void)argv;
	return 0;
}
