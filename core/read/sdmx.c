/* SPDX-License-Identifier: MIT */
/* One format, three ways to write it: the first byte says which. */
#include "read/sdmx.h"

glane_rc sdmx_ops(const struct record_ops **ret, struct payload *p, struct diag *d)
{
	size_t i;
	glane_rc rc = GLANE_OK;

	while (rc == GLANE_OK && p->n < 256 && !p->last)
		rc = payload_more(p, p->n);
	if (rc < 0)
		return rc;
	i = p->n >= 3 && memcmp(p->p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	while (i < p->n && strchr(" \t\r\n", p->p[i]))
		i++;
	if (i == p->n)
		return fail(d, GLANE_E_FORMAT, "SDMX: the message is empty");
	*ret = p->p[i] == '<' ? &sdmx_xml_ops : p->p[i] == '{' || p->p[i] == '[' ? &sdmx_json_ops : &sdmx_csv_ops;
	return GLANE_OK;
}
