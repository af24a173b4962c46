#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Nights on which nothing changed: every source is `unchanged`, no worker starts, nothing is written but the report and what lies
outside the commit; what only seems to change (stamps, order, digests) is told from what does. TAP on standard output."""
import json
import re
import shutil
import sys
from email.utils import formatdate

import support
from support import Answer

KEYS = "plugin = csv\ndataset = D\nindicator = =I\narea = iso\nperiod = year\nvalue = v\nrate = 500/s\n"
DATE = "Mon, 02 Nov 2026 10:00:00 GMT"


def table(*rows):
    return "iso,year,v\n" + "".join(",".join(r) + "\n" for r in rows)


BODY = table(("TGO", "2020", "1.50"), ("TGO", "2021", "1.60"), ("BEN", "2020", "2"))


def traced(suite, site, *words):
    """A run, and the lines of its trace that show a worker, or a payload that is opened; None: no tracing here."""
    trace = suite.folder / "trace"
    if not shutil.which("strace"):
        return site.run(*words), None
    run = site.run(*words, env={"ASAN_OPTIONS": "detect_leaks=0"},
                   wrap=["strace", "-f", "-qq", "-e", "trace=execve,open,openat,creat", "-s", "300", "-o", str(trace)])
    if not run.sources:
        return site.run(*words), None
    return run, [line for line in trace.read_text(errors="replace").splitlines() if '"@worker"' in line or re.search(r"[0-9a-f]{64}\.zst", line)]


def silent(suite, name, site, server, statuses):
    """One more night: unchanged, nothing read, the store the same byte for byte."""
    before, server.log[:] = site.snapshot(), []
    run, lines = traced(suite, site)
    suite.same(f"{name}: unchanged", (run.code, set(run.verdicts.values())), (0, {"unchanged"}))
    suite.same(f"{name}: what the provider was asked", sorted({s for _, s in server.log}), statuses)
    suite.same(f"{name}: the store is the same, byte for byte", site.snapshot(), before)
    if lines is None:
        suite.skip(f"{name}: no worker, no payload", "strace cannot be used here")
    else:
        suite.same(f"{name}: no worker, no payload", lines, [])


def validators(suite):
    for name, answer, statuses in (("an ETag", Answer(BODY, "text/csv", etag='"1"'), [304]), ("a weak ETag", Answer(BODY, "text/csv", etag='W/"1"'), [304]),
                                   ("Last-Modified", Answer(BODY, "text/csv", modified=DATE), [304]),
                                   # a second change within its minute would have the same stamp (RFC 9110 8.8.2.2)
                                   ("Last-Modified of just now", Answer(BODY, "text/csv", modified=formatdate(usegmt=True)), [200]), ("no validator", Answer(BODY, "text/csv"), [200])):
        with support.Server({"/a.csv": answer}) as server:
            site = suite.site(name.replace(" ", "-"), f"[source s]\n{KEYS}base_url = {server.url}\nfiles = a.csv\n")
            suite.same(f"{name}: the first night", site.run().verdicts, {"s": "ok"})
            silent(suite, name, site, server, statuses)
            silent(suite, f"{name}, once more", site, server, statuses)


def pages(suite):
    def answer(target):
        page = int(target.rsplit("page=", 1)[1])
        rows = [{"indicator": {"id": i, "value": i}, "country": {"id": "TG", "value": "Togo"}, "countryiso3code": "TGO", "date": str(2000 + page),
                 "value": page + 0.5, "unit": "", "obs_status": "", "decimal": 1} for i in ("A", "B")]
        return Answer(json.dumps([{"page": page, "pages": 5, "per_page": 2, "total": 10, "lastupdated": "2026-01-01"}, rows]), "application/json")
    with support.Server(answer) as server:
        site = suite.site("pages", f"[source wb]\nplugin = worldbank\nbase_url = {server.url}\nindicators = A B\nper_page = 2\nrate = 500/s\n")
        first = site.run()
        suite.same("pages: the first night", (first.verdicts, len(site.export())), ({"wb": "ok"}, 10))
        silent(suite, "pages", site, server, [200])
        suite.same("pages: each was asked once more", sorted(t[-6:] for t, _ in server.log), [f"page={i}" for i in range(1, 6)])


def many(suite):
    """More sources at once than jobs, and than descriptors that fit one message."""
    with support.Server(lambda target: Answer(BODY, "text/csv", etag='"1"')) as server:
        site = suite.site("many", "".join(f"[source s{i:02}]\n{KEYS}base_url = {server.url}/{i}\nfiles = a.csv\n" for i in range(40)))
        first = site.run()
        suite.same("40 sources: the first night", (first.code, list(first.verdicts.values())), (0, ["ok"] * 40))
        silent(suite, "40 sources", site, server, [304])


def seeming(suite):
    """Bytes that change without a change of any row; then one that does."""
    routes = {"/a.csv": Answer(BODY, "text/csv")}
    with support.Server(routes) as server:
        section = f"[source s]\n{KEYS}base_url = {server.url}\nfiles = a.csv\ngate.max_withdrawn_percent = 100\ngate.min_rows_percent = 1\n"
        site = suite.site("seeming", section)
        site.run()
        before, rows = site.snapshot(), site.export()
        lines = BODY.splitlines(keepends=True)
        routes["/a.csv"] = Answer(lines[0] + "".join(reversed(lines[1:])), "text/csv")
        run = site.run()
        suite.same("other order of rows: unchanged, and nothing is kept of it", (run.code, run.verdicts, site.snapshot() == before), (0, {"s": "unchanged"}, True))
        silent(suite, "other order of rows, the night after", site, server, [200])
        site.configure(section + "licence = CC BY 4.0\n")
        run = site.run()
        suite.same("a licence that is added changes no row", (run.code, run.verdicts, site.export() == rows), (0, {"s": "unchanged"}, True))
        routes["/a.csv"] = Answer(BODY.replace("1.60", "1.6"), "text/csv")
        run = site.run()
        suite.same("1.60 that becomes 1.6 is no revision but a status event", (run.verdicts, {k: n for k, n in run.sources["s"]["events"].items() if n}),
                   ({"s": "ok"}, {"status": 1}))
        site.configure(section.replace("indicator = =I", "indicator = =J"))
        server.log.clear()
        run = site.run()
        suite.same("other options: the payload of the last commit is read again, for the cause `mapping`",
                   (run.verdicts, run.sources["s"]["cause"], {r["indicator"] for r in site.export()}), ({"s": "ok"}, "mapping", {"J"}))


suite = support.Suite("unchanged")
validators(suite)
pages(suite)
many(suite)
seeming(suite)
sys.exit(suite.finish())
