/* SPDX-License-Identifier: MIT */
/* Descriptors of complete bodies. */
#ifndef NET_BODY_H
#define NET_BODY_H
#include "base/diag.h"

/* A second descriptor of the same (unlinked) file, read-only, at offset 0: what may be handed to a worker. Negative:
 * GLANE_E_IO with a message. */
int body_reopen(int fd, struct diag *d);
#endif
