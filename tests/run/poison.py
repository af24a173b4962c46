#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A payload that killed its reader is not read again (RELIABILITY D12): not while it, the plugin, its options and its memory are the same;
the source backs off, says so, and is itself again with another payload. TAP on standard output."""
import os
import sys

import support
from support import Answer

suite = support.Suite("poison")
GOOD, BAD, WORSE = "code,value\nTGO,1\n", "code,value\nTGO,1\nboom,2\n", "code,value\nboom,1\n"
routes = {"/a.csv": Answer(GOOD, "text/csv"), "/table.csv": Answer("a;b\n1;2\n", "text/csv")}
SECTION = "[source evil]\nplugin = evil\nhow = crash_by_boom\nurl = {base_url}/a.csv\nevery = 6h\nretries = 0\nbase_url = "
REFUSED = "ended the process that read it in an earlier run"
DIED = "ended with"


def night(site, hour, *words):
    run = site.run("--now", f"2026-01-{1 + hour // 24:02d}T{hour % 24:02d}:00:00Z", *words)
    evil = run.sources.get("evil")
    return evil and (evil["status"], "died" if DIED in evil.get("message", "") else "refused" if REFUSED in evil.get("message", "") else "")


with support.Server(routes) as server:
    site = suite.site("site", SECTION + server.url + "\n")
    suite.same("a good payload", night(site, 0, "--all"), ("ok", ""))
    routes["/a.csv"] = Answer(BAD, "text/csv")
    suite.same("one that kills its reader", night(site, 24, "--all"), ("failed", "died"))
    suite.same("is not read again", night(site, 48, "--all"), ("failed", "refused"))
    suite.same("nor where the source is named", night(site, 72, "evil"), ("failed", "refused"))
    suite.true("status says so", REFUSED in site.glane("status", "--source", "evil")[1] or REFUSED in site.glane("status", "--json")[1],
               site.glane("status", "--json")[1])
    suite.same("the last good rows stand", site.short("area value"), [":TGO 1"])
    suite.same("nothing is due six hours later: it backs off", night(site, 78, ), None)
    suite.same("nor after twelve", night(site, 84), None)
    suite.same("but within a day", night(site, 96), ("failed", "refused"))
    suite.same("--retry reads it all the same", night(site, 97, "--retry", "evil"), ("failed", "died"))
    routes["/a.csv"] = Answer(WORSE, "text/csv")
    suite.same("another payload is read", night(site, 120, "--all"), ("failed", "died"))
    routes["/a.csv"] = Answer(BAD, "text/csv")
    suite.same("both are known", night(site, 144, "--all"), ("failed", "refused"))
    site.configure(SECTION + server.url + "\nmemory = 128M\n")
    suite.same("with more memory it is tried again", night(site, 168, "--all"), ("failed", "died"))
    suite.same("and known again", night(site, 192, "--all"), ("failed", "refused"))
    routes["/a.csv"] = Answer(GOOD + "BEN,2\n", "text/csv")
    suite.same("a good payload heals it", night(site, 216, "--all"), ("ok", ""))
    suite.true("a source that is well is due as ever", night(site, 222) is not None)

    # another answer was to blame: what --retry reads to its end is no poison any more, and what fails for other reasons does not back off
    routes.update({"/a.csv": Answer(GOOD, "text/csv"), "/behind.csv": Answer("code,value\nboom,2020\n", "text/csv")})
    site = suite.site("behind", SECTION.replace("crash_by_boom", "crash_behind_boom") + server.url + "\n")
    suite.same("two payloads that are good", night(site, 0, "--all"), ("ok", ""))
    routes["/a.csv"] = Answer(BAD, "text/csv")
    suite.same("the second kills its reader, for the first", night(site, 24, "--all"), ("failed", "died"))
    routes["/a.csv"] = Answer(GOOD + "BEN,2\n", "text/csv")
    suite.same("it is refused beside a good one too", night(site, 48, "--all"), ("failed", "refused"))
    suite.same("--retry reads both", night(site, 49, "--retry", "evil"), ("ok", ""))
    routes["/a.csv"] = Answer(GOOD + "BEN,2\nNER,3\n", "text/csv")
    suite.same("and the next night", night(site, 72, "--all"), ("ok", ""))
    for n in range(3):
        del routes["/behind.csv"]
        suite.same(f"a failure of another kind, {n + 1}", night(site, 78 + 6 * n), ("failed", ""))
        routes["/behind.csv"] = Answer("code,value\nboom,2020\n", "text/csv")

    # one bad page costs its slice alone
    routes.update({"/b.csv": Answer("code,year,value\nTGO,2020,1\n", "text/csv")})
    site = suite.site("beside", SECTION + server.url + "\n[source good]\nplugin = csv\nbase_url = " + server.url +
                      "\nfiles = b.csv\ndataset = D\nindicator = =I\narea = code\nperiod = year\nvalue = value\n")
    routes["/a.csv"] = Answer(BAD, "text/csv")
    for n, want in enumerate(["ok", "unchanged", "unchanged"]):
        run = site.run("--all")
        suite.same(f"a good source beside it, run {n + 1}", (run.verdicts["good"], run.verdicts["evil"]), (want, "failed"))
sys.exit(suite.finish())
