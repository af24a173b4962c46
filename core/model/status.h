/* SPDX-License-Identifier: MIT */
/* SDMX CL_OBS_STATUS (SDMX cross-domain code lists 2.x; SOURCES section 2.8). */
#ifndef MODEL_STATUS_H
#define MODEL_STATUS_H
#include "base/slice.h"

bool status_ok(char c); /* one of A B C D E F G H I J K L M N O P Q S U V W */
/* One known letter (case folded only where `fold`); 0: not a code of the list: keep it whole as a flag. */
char status_code(struct slice text, bool fold);
#endif
