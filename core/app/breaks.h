/* SPDX-License-Identifier: MIT */
/* What conf/aliases.csv says of codes that a command line or the configuration names. */
#ifndef APP_BREAKS_H
#define APP_BREAKS_H
#include "app/app.h"
#include "model/aliases.h"

/* Puts other codes of what was renamed behind those in `codes`, and tells of every break on stderr. Texts live in the aliases. */
int breaks_follow(struct aliases *a, struct list *codes, bool is_area);
/* Warns of each configured indicator that is retired, replaced or renamed by today. EXIT_FINE, or an exit code: the table is wrong. */
int breaks_warn(const struct settings *s);
#endif
