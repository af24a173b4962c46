/* SPDX-License-Identifier: MIT */
/* TLS: verification that nothing switches off, and the certificates it trusts. */
#ifndef NET_FETCH_TLS_H
#define NET_FETCH_TLS_H
#include "net/fetch_priv.h"

glane_rc fetch_tls(const struct fetch *r, CURL *easy, struct diag *d);
#endif
