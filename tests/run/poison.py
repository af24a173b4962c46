#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A payload that killed its reader is not read again (RELIABILITY D12): not while it, the plugin, its options and its memory are the same; it
is kept, so that the end can be tried again; the source backs off, says so, and is itself again with another payload. TAP on standard output."""
import hashlib
import sys
import time

import support
from support import Answer

suite = support.Suite("poison")
GOOD, BAD, WORSE = "code,value\nTGO,1\n", "code,value\nTGO,1\nboom,2\n", "code,value\nboom,1\n"
routes = {"/a.csv": Answer(GOOD, "text/csv"), "/table.csv": Answer("a;b\n1;2\n", "text/csv")}
SECTION = "[source evil]\nplugin = evil\nhow = crash_by_boom\nurl = {base_url}/a.csv\nevery = 6h\nretries = 0\nbase_url = "
REFUSED = "ended the process that read it in an earlier run"
DIED = "ended with"


def night(site, hour, *words):
    run = site.run("--now", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1767225600 + round(3600 * hour))), *words)  # from 2026-01-01 on
    evil = run.sources.get("evil")
    return evil and (evil["status"], "died" if DIED in evil.get("message", "") else "refused" if REFUSED in evil.get("message", "") else "")


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def bodies(site):
    """What the archive holds: hash -> the body, and when its file was written."""
    return {q.name[:64]: (support.unpacked(q.read_bytes()), q.stat().st_mtime_ns) for q in (site.store / "payloads").glob("*/*.zst")}


def is_kept(site, text):
    """The body stands under its hash, with a side file that says where it came from."""
    body, side = bodies(site).get(digest(text)), list((site.store / "payloads").glob(f"*/{digest(text)}.json"))
    return body is not None and body[0] == text.encode() and len(side) == 1 and "/a.csv" in side[0].read_text()


def keeping(url):
    """The payload that killed its reader is kept, once, and goes when nobody speaks of it any more."""
    for word in ("events", "none", "all"):
        routes["/a.csv"] = Answer(GOOD, "text/csv")
        site = suite.site(f"keep-{word}", SECTION + url + f"\nkeep_payloads = {word}\n")
        night(site, 0, "--all")
        routes["/a.csv"] = Answer(BAD, "text/csv")
        evil = site.run("--all").sources["evil"]
        suite.same(f"keep_payloads = {word}: whether the payload that killed its reader is kept", is_kept(site, BAD), word != "none")
        suite.same(f"keep_payloads = {word}: and whether the report says so, and where",
                   f"what it read is kept: payloads/{digest(BAD)[:2]}/{digest(BAD)}.zst" in evil["message"], word != "none")
    routes["/a.csv"] = Answer(GOOD, "text/csv")
    site = suite.site("keep", SECTION + url + "\n")
    night(site, 0, "--all")
    good = set(bodies(site))
    routes["/a.csv"] = Answer(BAD, "text/csv")
    night(site, 24, "--all")
    before = bodies(site)
    suite.same("nothing else is kept with it", set(before), good | {digest(BAD)})
    routes["/a.csv"] = Answer("gone", "text/csv", 404)
    code, out, err = site.glane("parse", "evil", "--how=crash_by_boom", "--url=x", payload=before[digest(BAD)][0])
    suite.true("with the provider's file gone, the payload still kills its reader", code != 0 and "ended with" in err, (code, out, err))
    routes["/a.csv"] = Answer(BAD, "text/csv")
    suite.same("a night that refuses it keeps nothing more", (night(site, 48, "--all"), bodies(site)), (("failed", "refused"), before))
    suite.same("nor does one that reads it again", (night(site, 49, "--retry", "evil"), bodies(site)), (("failed", "died"), before))
    suite.same("the store is sound", site.glane("check", "--store")[0], 0)
    site.glane("vacuum", "--keep", "0h", "--force")
    suite.same("vacuum leaves it while it is known", set(bodies(site)), set(before))
    routes["/a.csv"] = Answer(GOOD, "text/csv")
    site.configure(SECTION + url + "\nmemory = 128M\n")
    night(site, 72, "--all")
    time.sleep(1.1)  # vacuum counts whole seconds
    site.glane("vacuum", "--keep", "0h", "--force")
    suite.same("and takes it once it is not", set(bodies(site)), good)
    for how in ("--limit=1", "--dry-run"):
        routes["/a.csv"] = Answer(WORSE, "text/csv")
        site.run(how, "evil")
        suite.same(f"a trial ({how}) leaves nothing behind", set(bodies(site)), good)


def backing_off(url):
    """Asked for at twice the interval each time, up to a day; a quarter of it early, six hours at most, as every source is."""
    routes["/a.csv"] = Answer(BAD, "text/csv")
    site = suite.site("steps", SECTION.replace("every = 6h", "every = 1h") + url + "\n")
    night(site, 0)
    at = 0
    for times, hours in enumerate((2, 4, 8, 16, 24, 24), 1):
        due = at + hours - min(hours / 4, 6)
        suite.same(f"after {times} nights of it: due after {hours} hours, and not before", (night(site, due - 1 / 60), night(site, due)),
                   (None, ("failed", "refused")))
        at = due


with support.Server(routes) as server:
    keeping(server.url)
    backing_off(server.url)
    routes["/a.csv"] = Answer(GOOD, "text/csv")
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
