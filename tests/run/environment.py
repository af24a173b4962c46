#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The same run under different environments leaves identical bytes in the store (RELIABILITY P12); clocks that jump never turn time back in it (P11).
TAP on standard output."""
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import support  # noqa: E402

NOW = "2026-03-29T00:59:59Z"  # the second before clocks go forward in much of Europe
CSV = "dataset = D\nindicator = =I\narea = code\nperiod = when\nvalue = value\nretries = 0\n"
TEXT = ("code,when,value,note\n" + "".join(f"TGO,2020-{m:02}-{d:02},{m}.{d:02},\"Côte; d’Ivoire, n°{d}\"\n" for m in range(1, 13) for d in (1, 15, 28)) +
        "BEN,13 April 2019,1234567.50,été\nGHA,2020-W53,0.1e-3,İstanbul ı\n")
URL = "https://data.example/a.csv"


def site_of(suite, name):
    """A store whose archive holds the answer, as if it had been fetched: an offline run gives the same bytes each time."""
    site = suite.site(name, f"[source a]\nplugin = csv\nbase_url = https://data.example\nfiles = a.csv\nnote = note\n{CSV}")
    body = TEXT.encode()
    sha = hashlib.sha256(body).hexdigest()
    place = site.store / "payloads" / sha[:2]
    place.mkdir(parents=True)
    (place / sha).write_bytes(body)
    (place / f"{sha}.json").write_text(json.dumps({
        "method": "GET", "url": URL, "request_sha256": "", "status": 200, "headers": {}, "size": len(body), "sha256": sha,
        "fetched_at": "2026-03-28T00:00:00Z", "content_type": "text/csv; charset=utf-8", "etag": '"1"', "last_modified": ""}))
    return site


def table_ids(site):
    """Each store draws the ids of its tables by lot, and its files carry their first digits."""
    ids = []
    for log in sorted(site.store.glob("*/_delta_log/00000000000000000000.json")):
        ids.append(re.search(rb'"id":"([-0-9a-f]{36})"', log.read_bytes()).group(1))
    return ids


def content(site):
    """Every file of the store: its mode and its bytes, of a report without what it measured, of a log without the clock and the lot."""
    found, ids = {}, table_ids(site)
    for path in sorted(site.store.rglob("*")):
        data = b""
        if path.is_file():
            data = path.read_bytes()
        if path.parent.name == "runs":
            report = json.loads(data)
            for part in (report, *report["sources"]):
                part.pop("milliseconds")
            data = json.dumps(report, sort_keys=True).encode()
        if path.parent.name == "_delta_log":
            data = re.sub(rb'"(timestamp|createdTime|modificationTime)":\d+', rb'"\1":0', data)
            for i, lot in enumerate(ids):
                data = data.replace(lot, b"ID%d" % i).replace(b"-" + lot[:8] + b"-", b"-ID%d-" % i)
        name = path.relative_to(site.store).as_posix()
        for i, lot in enumerate(ids):
            name = name.replace(f"-{lot[:8].decode()}-", f"-ID{i}-")
        found[name] = (oct(path.lstat().st_mode), hashlib.sha256(data).hexdigest())
    return found


def own_making(got):
    """What the test itself put there, with the test's umask."""
    return [k for k in got if k.startswith("payloads")]


def vanish(path):
    """For a child: its working folder is removed while it stands in it."""
    os.makedirs(path)
    os.chdir(path)
    os.rmdir(path)


BASE = {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}
CRON = BASE | {"HOME": "/root", "LOGNAME": "root", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}
ENVIRONMENTS = [  # name, environment, what the child does before it starts, standard descriptors that are closed
    ("cron's tiny environment", CRON, None, ()),
    ("no environment at all", BASE, None, ()),
    ("an empty PATH", CRON | {"PATH": ""}, None, ()),
    ("LANG and LC_ALL de_DE.UTF-8", CRON | {"LANG": "de_DE.UTF-8", "LC_ALL": "de_DE.UTF-8"}, None, ()),
    ("LC_ALL tr_TR.UTF-8", CRON | {"LC_ALL": "tr_TR.UTF-8"}, None, ()),
    ("LC_ALL C", CRON | {"LC_ALL": "C"}, None, ()),
    ("a locale that is not there", CRON | {"LC_ALL": "xx_XX.klingon"}, None, ()),
    ("TZ Pacific/Kiritimati", CRON | {"TZ": "Pacific/Kiritimati"}, None, ()),
    ("TZ America/St_Johns", CRON | {"TZ": "America/St_Johns"}, None, ()),
    ("TZ Europe/Berlin, in the hour of the change", CRON | {"TZ": "Europe/Berlin"}, None, ()),
    ("TZ that is nonsense", CRON | {"TZ": "::"}, None, ()),
    ("umask 000", CRON, lambda: os.umask(0), ()),
    ("umask 077", CRON, lambda: os.umask(0o77), ()),
    ("standard input closed", CRON, None, (0,)),
    ("standard output closed", CRON, None, (1,)),
    ("standard error closed", CRON, None, (2,)),
    ("all three closed", CRON, None, (0, 1, 2)),
    ("the working folder removed", CRON, "vanish", ()),
    ("SIGPIPE and SIGCHLD ignored", CRON, "signals", ()),
]


def ignored():
    import signal
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)


def matrix(suite):
    first = None
    for name, env, before, closed in ENVIRONMENTS:
        site = site_of(suite, "same")  # the same path each time: it stands in nothing that is stored, but then nothing differs

        def prepare(before=before, closed=closed):
            if before == "vanish":
                vanish(str(suite.folder / "gone"))
            elif before == "signals":
                ignored()
            elif before:
                before()
            for fd in closed:
                os.close(fd)

        done = subprocess.run([support.GLANE, "-c", str(site.conf), "run", "--all", "--offline", "--now", NOW], env=env, preexec_fn=prepare,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=support.TIMEOUT, check=False)
        got = content(site)
        if first is None:
            suite.true("a run under cron", done.returncode == 0 and len(site.export()) == 38, done)
            first, kept = got, site.glane("export", env=None)[1]
        else:
            if name == "umask 077":
                others = [k for k, (mode, _) in got.items() if int(mode, 8) & 0o77]
                suite.same("umask 077: nobody else may read the store", others, own_making(got))
                got = {k: (first[k][0], v[1]) for k, v in got.items() if k in first}
            differ = {k: (first.get(k), got.get(k)) for k in {*first, *got} if first.get(k) != got.get(k)}
            suite.true(f"P12 {name}: identical bytes", done.returncode == 0 and not differ, (done, differ))
            out = subprocess.run([support.GLANE, "-c", str(site.conf), "export"], env=env, capture_output=True, check=False).stdout.decode()
            suite.true(f"{name}: the same export", out == kept)
        shutil.rmtree(site.folder)


# ---- clocks that jump

def clocks(suite):
    def publish(server, value):
        server.routes["/a.csv"] = support.Answer(f"code,when,value\nTGO,2020,{value}\nBEN,2020,1\n", "text/csv")

    with support.Server({}) as server:
        site = suite.site("clocks", f"[source a]\nplugin = csv\nbase_url = {server.url}\nfiles = a.csv\n{CSV}")
        seen, exports, ids = [], [], []
        for value, now in enumerate(("2026-03-01T03:00:00Z", "2026-02-28T03:00:00Z", "1970-01-01T00:00:00Z", "2039-01-19T03:14:08Z", "2026-03-02T03:00:00Z",
                                     "2026-03-02T03:00:00Z", "9999-12-31T23:59:00Z", "2026-03-03T03:00:00Z")):
            publish(server, value)
            r = site.run("--all", "--now", now)
            row = [x for x in site.export() if x["area_code"] == "TGO"][0]
            seen.append((r.verdicts.get("a"), row["value"], r.sources["a"].get("commit")))
            exports.append((row["recorded_at"], site.glane("export")[1]))
            ids.append(r.report.get("run"))
        suite.same("each run commits, in the order of its number, whatever its clock says", seen, [("ok", str(n), n + 1) for n in range(8)])
        times = [t for t, _ in exports]
        suite.true("recorded_at never goes backwards", times == sorted(times), times)
        suite.true("and follows the clock where it can", (times[0], times[2]) == ("2026-03-01T03:00:00Z", "2026-03-01T03:00:02Z") and times[3] == "2039-01-19T03:14:08Z", times)
        suite.same("two runs of one second have two ids", (len(set(ids)), ids[5]), (8, "20260302T030000Z-2"))
        suite.same("--as-of each run gives what the export gave then", [site.glane("export", "--as-of", i)[1] for i in ids], [e for _, e in exports])
        suite.same("the store is sound", site.glane("check", "--store"), (0, site.glane("check", "--store")[1], ""))
        suite.same("a source that was last asked in the future is asked", json.loads(site.glane("run", "--json", "--now", "2026-03-01T00:00:00Z")[1])
                   ["sources"][0]["status"], "unchanged")
    for now in ("2026-02-30T00:00:00Z", "10000-01-01T00:00:00Z", "2026-03-01 at three", "1"):
        code, _, err = site.glane("run", "--now", now)
        suite.true(f"--now {now}: refused", code == 2 and "not a time" in err, (code, err))


# What the machine's own clock says: CLOCK_SHIFT seconds more, from the CLOCK_AFTER-th time on that a process asks.
CLOCK = """#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static long shift(void)
{
	static int asked;
	const char *by = getenv("CLOCK_SHIFT"), *after = getenv("CLOCK_AFTER");

	return by && ++asked > (after ? atoi(after) : 0) ? atol(by) : 0;
}
int clock_gettime(clockid_t id, struct timespec *t)
{
	int (*real)(clockid_t, struct timespec *) = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	int rc = real(id, t);

	if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
		t->tv_sec += shift();
	return rc;
}
time_t time(time_t *ret)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	if (ret)
		*ret = t.tv_sec;
	return t.tv_sec;
}
int gettimeofday(struct timeval *tv, void *tz)
{
	struct timespec t;

	(void)tz;
	clock_gettime(CLOCK_REALTIME, &t);
	*tv = (struct timeval){t.tv_sec, t.tv_nsec / 1000};
	return 0;
}
"""


def machine_clock(suite):
    """The clock of the machine, not --now: wrong by a day, in 1970, beyond 2038, and stepping while a run is under way."""
    wrap = support.shim(suite, "a clock that jumps", CLOCK)
    if not wrap:
        return
    day, now = 86400, int(time.time())
    state = {"n": 0}

    def slow(_):
        time.sleep(0.3)
        return support.Answer(f"code,when,value\nTGO,2020,{state['n']}\nBEN,2020,1\n", "text/csv")
    with support.Server(slow) as server:
        site = suite.site("machine", f"[source a]\nplugin = csv\nbase_url = {server.url}\nfiles = a.csv\ndeadline = 60s\n{CSV}", "stall = 30s")
        seen, times, years = [], [], []
        for by, after in ((0, 0), (-day, 0), (day, 0), (5 - now, 0), (2177452800 - now, 0), (day, 6), (-day, 6), (-now + 5, 6), (0, 0)):
            state["n"] += 1
            r = site.run("--all", wrap=(*wrap, f"CLOCK_SHIFT={by}", f"CLOCK_AFTER={after}"))
            row = [x for x in site.export() if x["area_code"] == "TGO"][0]
            seen.append((r.verdicts.get("a"), row["value"], r.sources.get("a", {}).get("commit")))
            times.append(row["recorded_at"])
            years.append(r.report.get("run", "")[:4])
        suite.same("P11 whatever the machine's clock says, each run is in time and commits in its order", seen, [("ok", str(n), n) for n in range(1, 10)])
        suite.true("P11 the library was asked", years[3] == "1970" and years[4] == "2039", years)
        suite.true("P11 recorded_at never goes backwards", times == sorted(times), times)
        suite.same("P11 and the store is sound", site.glane("check", "--store")[0], 0)


def main():
    suite = support.Suite("environment")
    matrix(suite)
    clocks(suite)
    machine_clock(suite)
    sys.exit(suite.finish())


main()
