/* SPDX-License-Identifier: MIT */
/* A query's filters as tests of columns. store/ only. */
#ifndef STORE_MATCH_TESTS_H
#define STORE_MATCH_TESTS_H
#include "store/match.h"
#include "store/record.h"

struct match_tests { /* its tests point at it: it stays where it is */
	const struct query *q;
	struct slice source;
	struct record_tests tests;
};
/* The tests that every row of the source in the table passes which m lets through; others may pass too. Nothing to release. */
void match_tests_init(struct match_tests *t, const struct match *m, struct slice source, int table);
#endif
