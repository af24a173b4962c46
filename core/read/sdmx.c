/* SPDX-License-Identifier: MIT */
/* One format, three ways to write it: the first byte says which. */
#include "read/sdmx.h"

#define MAX_BLANKS ((size_t)64 << 10) /* before the message */

/* Where the first byte stands that is no blank, behind a byte-order mark; p->n: nowhere in the window. */
static size_t first_byte(const struct payload *p)
{
	size_t i = p->n >= 3 && memcmp(p->p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	while (i < p->n && (p->p[i] == ' ' || p->p[i] == '\t' || p->p[i] == '\r' || p->p[i] == '\n'))
		i++;
	return i;
}

glane_rc sdmx_ops(const struct record_ops **ret, struct payload *p, struct diag *d)
{
	size_t i;
	glane_rc rc = GLANE_OK;

	while (rc == GLANE_OK && !p->last && (p->n < 256 || first_byte(p) == p->n) && p->n < MAX_BLANKS)
		rc = payload_more(p, p->n);
	if (rc < 0)
		return rc;
	i = first_byte(p);
	if (i == p->n)
		return fail(d, GLANE_E_FORMAT, "SDMX: the message is empty");
	*ret = p->p[i] == '<' ? &sdmx_xml_ops : p->p[i] == '{' || p->p[i] == '[' ? &sdmx_json_ops : &sdmx_csv_ops;
	return GLANE_OK;
}
