/* SPDX-License-Identifier: MIT */
/* What of a source's configuration can be seen to be wrong without asking anybody. */
#ifndef APP_CHECK_SOURCES_H
#define APP_CHECK_SOURCES_H
#include "app/app.h"

/* Of a source that has been described: its program, base_url, addresses, and the secrets that it names. EXIT_FINE, or EXIT_SOME:
 * each was printed. */
int check_source(const struct source_conf *c);
/* The same of [glane]: its certificates, its proxy's secret. */
int check_shared(const struct settings *s);
#endif
