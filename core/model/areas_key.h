/* SPDX-License-Identifier: MIT */
/* What areas.c and areas_load.c share: how a code is looked up. */
#ifndef MODEL_AREAS_KEY_H
#define MODEL_AREAS_KEY_H
#include "model/areas.h"

/* The scheme's entry, or NULL. */
const struct area_scheme *areas_scheme(const struct areas *a, struct slice scheme);
/* Writes "SCHEME\0code" as the scheme compares its codes. */
void areas_key(const struct areas *a, struct slice scheme, struct slice code, struct strbuf *key);
#endif
