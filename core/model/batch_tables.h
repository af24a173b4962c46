/* SPDX-License-Identifier: MIT */
/* Where the tables of a batch lie; private to core/model/batch*. */
#ifndef MODEL_BATCH_TABLES_H
#define MODEL_BATCH_TABLES_H
#include "model/batch.h"

glane_rc tables_init(struct batch *b, int spool_dir, struct diag *d);
void tables_release(struct batch *b);
glane_rc batch_no_memory(struct diag *d, const char *what);
#endif
