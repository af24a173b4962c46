/* SPDX-License-Identifier: MIT */
/* How much of the catalogue is configured and, where there is a store, has observations: by policy area, and why not. */
#ifndef APP_COVERAGE_H
#define APP_COVERAGE_H
#include "app/app.h"

/* Prints it behind the list of sources, or puts it into `json` (not NULL) as "coverage" and "not_enabled". Nothing where the tables
 * have no catalogue. Returns an exit code: the error was printed. */
int coverage_show(const struct settings *s, json_t *json);
#endif
