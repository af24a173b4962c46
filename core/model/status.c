/* SPDX-License-Identifier: MIT */
/* The letters of SDMX CL_OBS_STATUS. */
#include "model/status.h"

bool status_ok(char c)
{
	return c && memchr("ABCDEFGHIJKLMNOPQSUVW", c, 21);
}

char status_code(struct slice text, bool fold)
{
	char c;

	if (text.n != 1)
		return 0;
	c = *text.p;
	if (fold && c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	return (char)(status_ok(c) ? c : 0);
}
