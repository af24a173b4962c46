#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ten bugs of the kind that lose data (RELIABILITY S9), each put into a copy of the source: the harness of the store must catch every one of them
(who has never seen it fail does not know that it can). A seed that fits the source no more is a failure too: adapt it.
GLANE_TEST_SEEDS: numbers of those to try, as 3,7 (all). TAP on standard output."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import support  # noqa: E402

LATE_STATE = """
	for (size_t it = 0; rc == GLANE_OK && (e = map_next(&s->lake->pending, &it));) {
		char late[STORE_NAME], name[STORE_NAME];

		(void)snprintf(name, sizeof(name), "state/%.*s/%llu.json", SLICE_FMT(e->key), (unsigned long long)e->value);
		(void)snprintf(late, sizeof(late), "state/%.*s/late.json", SLICE_FMT(e->key));
		(void)io->renameat2(s->dir, late, s->dir, name, 0);
	}
"""
# What it is; the edits (file, what stands there, what stands there then); the test that is to fail, and which of it.
SEEDS = [
    ("data files are not synced", [("core/store/record_write.c", "rc = fd_sync(w->fd, w->name, d);", "rc = GLANE_OK;")], "test_crash", "test_commit"),
    ("log entries and states are not synced", [("core/base/file.c", "rc = fd_sync(fd, name, d);", "rc = GLANE_OK;")], "test_crash", "test_commit"),
    ("folders are not synced", [("core/base/file.c", 'return fd_sync(dir, "its folder", d);', "return rc;"),
                                ("core/store/lake.c", "glane_rc rc = sync_folders(s, d);", "glane_rc rc = s ? GLANE_OK : sync_folders(s, d);")],
     "test_crash", "test_commit"),
    ("renamed first, synced then", [("core/base/file.c", "rc = fd_sync(fd, name, d);", "rc = GLANE_OK;"),
                                    ("core/base/file.c", "	return fd_sync(dir, \"its folder\", d);",
                                     "	{\n		int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);\n\n		rc = fd_sync(dir, name, d);\n"
                                     "		if (rc == GLANE_OK)\n			rc = fd_sync(fd, name, d);\n		fd_close(&fd);\n	}\n"
                                     "	return rc;")], "test_crash", "test_commit"),
    ("superseded files are removed before the version that supersedes them",
     [("core/store/change.c", "			delta_put_remove(b, f, now, false);",
       "			delta_put_remove(b, f, now, false);\n		if (f)\n			(void)io->unlinkat(t->dir, f->path.p, 0);")],
     "test_crash", "test_compact"),
    ("page checksums are not compared", [("core/store/parquet_page.c", "if (h->has_crc && crc32_of(*ret) != h->crc)",
                                          "if (h->has_crc && crc32_of(*ret) != h->crc && h->has_crc > 1)")],
     "test_parquet", "test_every_flipped_bit"),
    ("a count is off by one", [("core/store/record.c", '"{\\"numRecords\\":%" PRIu64, s->rows);', '"{\\"numRecords\\":%" PRIu64, s->rows + 1);')],
     "test_crash", "test_commit"),
    ("acknowledged before the outcome is known", [("core/store/lake.c", "	rc = publish(s, first, d);", "	rc = publish(s, first, d) < 0 ? GLANE_OK : GLANE_OK;")],
     "test_crash", "test_commit"),
    ("the state follows after the commit", [("core/store/commit.c", "return json_write_file(s->dir, name, state, true, d);",
                                             "(void)snprintf(folder, sizeof(folder), \"state/%s/late.json\", source);\n"
                                             "	return json_write_file(s->dir, folder, state, false, d);"),
                                            ("core/store/lake.c", "	rc = publish(s, first, d);", "	rc = publish(s, first, d);" + LATE_STATE),
                                            ("core/store/lake.c", "	if (s->lake->pending.n == 0 && !s->lake->upkeep)",
                                             "	const struct map_entry *e;\n\n	if (s->lake->pending.n == 0 && !s->lake->upkeep)"),
                                            ("core/store/lake.c", '#include "base/file.h"', '#include "base/file.h"\n#include "base/io.h"')],
     "test_crash", "test_commit"),
    ("a failed fsync is tried again", [("core/base/file.c", "if (io->fsync(fd) < 0)", "if (io->fsync(fd) < 0 && io->fsync(fd) < 0)")],
     "test_crash", "test_commit"),
]


class Workshop:
    """A copy of the source with what is built of it, so that only what is changed is built anew."""

    def __init__(self, folder):
        self.folder, self.spoilt = folder, {}
        folder.mkdir()
        for name in ("Makefile", "core", "plugins", "tests", "scripts", "conf"):
            source = support.TOP / name
            if source.is_dir():
                shutil.copytree(source, folder / name, symlinks=True)
            else:
                shutil.copy2(source, folder / name)
        shutil.copytree(support.OUT, folder / "build/release", symlinks=True,
                        ignore=lambda path, names: [n for n in names if Path(path) == support.OUT and n in ("log", "fuzz", "hdr")])

    def spoil(self, edits):
        """Puts back what was spoilt, then edits. What does not fit: the name of that file, else ''."""
        for path, text in self.spoilt.items():
            path.write_text(text)
        self.spoilt = {}
        for name, before, after in edits:
            path = self.folder / name
            text = path.read_text()
            self.spoilt.setdefault(path, text)
            if text.count(before) != 1:
                return name
            path.write_text(text.replace(before, after))
        return ""

    def build(self, test):
        done = subprocess.run(["make", "-s", "-C", str(self.folder), "-j2", "WERROR=0", f"build/release/tests/{test}"], capture_output=True, text=True,
                              check=False, env={k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "B", "OUT", "MFLAGS")})
        return "" if done.returncode == 0 else done.stdout + done.stderr

    def run(self, test, which):
        env = os.environ | {"TMPDIR": str(self.folder / "tmp"), "CMOCKA_MESSAGE_OUTPUT": "STDOUT"}
        (self.folder / "tmp").mkdir(exist_ok=True)
        done = subprocess.run([str(self.folder / "build/release/tests" / test), which], capture_output=True, text=True, errors="replace", env=env,
                              timeout=600, check=False)
        shutil.rmtree(self.folder / "tmp")
        return done.returncode, done.stdout + done.stderr


def has(out, word, which):
    return re.search(rf"^\[ *{word} *\] (---)? *{which}$", out, re.M)


def said(code, out, which):
    """The first thing that this test tells where it failed by a check of its own; ''."""
    if not 0 < code < 100 or not has(out, "FAILED", which) or re.search("exception|[Ss]etup failed|GROUP SETUP", out) or ": error: Failure!" not in out:
        return ""
    told = [re.sub(r"^\[ *ERROR *\] --- |^ERROR: ", "", line) for line in out.splitlines() if re.match(r"\[ *ERROR *\]|ERROR:", line)]
    return ([line for line in told if line.strip() and "error: Failure!" not in line] or [""])[0][:160]


def sound(shop, seeds):
    """What of the named tests does not pass in the copy before anything is spoilt."""
    bad = []
    for test, which in dict.fromkeys((test, which) for _, _, test, which in seeds):
        trouble = shop.build(test)
        code, out = (-1, trouble) if trouble else shop.run(test, which)
        if code or not has(out, "OK", which):
            bad.append(f"{test} {which}: status {code}: {out[-1000:]}")
    return bad


def main():
    suite = support.Suite("seeded")
    why = ("only the release build is seeded" if os.environ.get("B", "release") != "release" else
           "" if shutil.which("make") and shutil.which(os.environ.get("CC", "cc")) else "there is no compiler")
    chosen = [int(n) for n in os.environ.get("GLANE_TEST_SEEDS", "").split(",") if n] or range(1, len(SEEDS) + 1)
    if why:
        suite.skip("seeded bugs", why)
        sys.exit(suite.finish())
    shop, caught = Workshop(suite.folder / "copy"), 0
    bad = sound(shop, [SEEDS[n - 1] for n in chosen])
    suite.true("S9 the control: unspoilt, each of these tests runs and passes", not bad, "\n".join(bad))
    for n in chosen:
        name, edits, test, which = SEEDS[n - 1]
        unfit = shop.spoil(edits)
        trouble = f"{unfit} has changed: adapt the seed" if unfit else shop.build(test)
        code, out = (0, trouble) if trouble else shop.run(test, which)
        told = said(code, out, which)
        caught += told != ""
        suite.true(f"S9 seed {n}, {name}: " + ("caught: " + told if told else "not caught"), told != "", f"status {code}: {out[-2000:]}")
    suite.same("S9 seeded bugs that the harness catches", caught, len(chosen))
    sys.exit(suite.finish())


main()
