/* SPDX-License-Identifier: MIT */
/* Row files and state files of a store, damaged in any way. The rows, then a line "---" and the state's document. */
#include "fuzz.h"
#include "store/files.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct store store_here(void)
{
	static const char *const folders[] = {"stream", "stream/fuzz", "state", "state/fuzz"};
	struct store s = {.tmp = -1, .lock = -1};
	static char path[128];

	snprintf(path, sizeof(path), "%s", fuzz_folder());
	s.path = path;
	s.dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FUZZ_CHECK(s.dir >= 0);
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		FUZZ_CHECK(mkdirat(s.dir, folders[i], 0700) == 0 || errno == EEXIST);
	return s;
}

/* All rows; where none was refused, they are the file behind its header. */
static void check_rows(const struct store *s, struct slice file)
{
	struct store_cursor c;
	struct strbuf raw;
	struct row r;
	struct diag d;
	size_t calls = 0;
	bool good = true;
	glane_rc rc;

	diag_clear(&d);
	strbuf_init(&raw, 0);
	rc = rows_open(s, "fuzz", 1, false, &c, &d);
	FUZZ_CHECK(rc == GLANE_OK || (rc == d.code && strstr(d.text, "1.csv")));
	if (rc == GLANE_OK) {
		do {
			diag_clear(&d);
			rc = store_rows_next(&c, &r, &d);
			FUZZ_CHECK(rc == GLANE_OK || rc == GLANE_END || (rc == d.code && d.text[0]));
			good = good && (rc == GLANE_OK || rc == GLANE_END);
			if (rc == GLANE_OK)
				strbuf_slice(&raw, c.raw);
			FUZZ_CHECK(++calls <= file.n + 2);
		} while (rc != GLANE_END);
		FUZZ_CHECK(
			!good || (raw.n <= file.n && memcmp(raw.p ? raw.p : "", file.p + file.n - raw.n, raw.n) == 0));
		store_rows_close(&c);
	}
	strbuf_release(&raw);
}

FUZZ_TARGET(store)
{
	struct store s = store_here();
	struct slice rows = SLICE(""), state = SLICE("");
	struct diag d;
	json_t *j = NULL;
	int64_t t;
	glane_rc rc;

	(void)fuzz_part(&in, &rows);
	(void)fuzz_part(&in, &state);
	fuzz_put("stream/fuzz/1.csv", rows);
	fuzz_put("state/fuzz/1.json", state);
	check_rows(&s, rows);
	diag_clear(&d);
	rc = store_state(&s, "fuzz", 1, &j, &d);
	FUZZ_CHECK(rc == GLANE_OK ? json_is_object(j) : rc == d.code && d.text[0]);
	json_decref(rc == GLANE_OK ? j : NULL);
	diag_clear(&d);
	rc = commit_time(&s, "fuzz", 1, &t, &d);
	FUZZ_CHECK(rc == GLANE_OK || (rc == d.code && d.text[0]));
	close(s.dir);
}
