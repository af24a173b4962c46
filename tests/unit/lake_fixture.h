/* SPDX-License-Identifier: MIT */
/* The oracle of the tests of the lake: what each night published, whatever the store says of it. */
#ifndef LAKE_FIXTURE_H
#define LAKE_FIXTURE_H
#include "store/lake.h"
#include "store_fixture.h"
#include <dirent.h>

#define KEYS 24

/* Three series of eight years; night n revises those of one series. */
static inline size_t lake_night(struct cell *cells, uint64_t n)
{
	static const char *const areas[] = {"BEN", "MLI", "TGO"};
	size_t k = 0;

	for (size_t a = 0; a < 3; a++) {
		for (int y = 0; y < 8; y++)
			cells[k++] = (struct cell){"I", areas[a], 2000 + y, 0, 0, NULL, 0};
		for (uint64_t i = 1; i <= n; i++) {
			if (i % 3 != a)
				continue;
			for (size_t c = k - 8; c < k; c++)
				cells[c].coef = (int64_t)i;
		}
	}
	return k;
}

/* Everything, withdrawn keys too, as it was known at a moment. */
static inline void lake_export(const struct store *s, struct strbuf *b, int64_t as_of)
{
	struct query q = {.as_of = as_of, .withdrawn = true};
	struct diag d = {0};

	if (fixture_export(s, &q, b, &d) != GLANE_OK)
		fail_msg("%s", d.text);
}

/* Findings of `check --store`, which are printed. */
static inline uint64_t lake_check(const struct store *s)
{
	uint64_t rows, findings = 0;
	struct strbuf b;

	strbuf_init(&b, 0);
	assert_int_equal(store_check(s, &b, &rows, &findings, NULL), GLANE_OK);
	if (findings)
		print_message("%s", b.p);
	strbuf_release(&b);
	return findings;
}

/* Where a line of the text begins so, at `from` or behind it; or NULL. */
static inline const char *lake_line(const char *text, const char *from, const char *begin)
{
	while ((from = strstr(from, begin)) && from != text && from[-1] != '\n')
		from++;
	return from;
}

/* Every observation of the source's night n stands in the export once, and of the source nothing else. */
static inline void lake_holds(const char *text, const char *source, uint64_t n)
{
	struct cell cells[KEYS];
	size_t k = lake_night(cells, n), lines = 0;
	struct strbuf want;
	char prefix[80];

	strbuf_init(&want, 0);
	for (size_t i = 0; i < k; i++) {
		const char *at;

		strbuf_reset(&want);
		strbuf_fmt(&want, "%s,DS,I,%s,%s,,A,%d,%d-01-01,%d,", source, cells[i].area, cells[i].area,
			(int)cells[i].year, (int)cells[i].year, (int)cells[i].coef);
		at = lake_line(text, text, want.p);
		if (!at || lake_line(text, at + 1, want.p))
			fail_msg("%s: once is wanted: %s", at ? "twice" : "missing", want.p);
	}
	(void)snprintf(prefix, sizeof(prefix), "%s,", source);
	for (const char *p = text; (p = lake_line(text, p, prefix)); p++)
		lines++;
	assert_int_equal(lines, k);
	strbuf_release(&want);
}

static inline void remove_tree(const char *path, const char *name)
{
	char full[192];

	(void)snprintf(full, sizeof(full), "%s%s%s", path, *name ? "/" : "", name);
	(void)nftw(full, fixture_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

/* Files are never written twice, so that links will do. */
static inline void copy_tree(const char *from, const char *to)
{
	DIR *dir = opendir(from);
	const struct dirent *e;

	if (!dir)
		return; /* the store before the first start */
	assert_int_equal(mkdir(to, 0755), 0);
	while ((e = readdir(dir))) {
		char a[320], b[320];
		struct stat st;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || strcmp(e->d_name, "lock") == 0)
			continue;
		(void)snprintf(a, sizeof(a), "%s/%s", from, e->d_name);
		(void)snprintf(b, sizeof(b), "%s/%s", to, e->d_name);
		assert_int_equal(lstat(a, &st), 0);
		if (S_ISDIR(st.st_mode))
			copy_tree(a, b);
		else
			assert_int_equal(link(a, b), 0);
	}
	(void)closedir(dir);
}
#endif
