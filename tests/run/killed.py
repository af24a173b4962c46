#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs that are killed or stopped. kill -9 at random moments: what is committed is always a whole night of a source, and the next
run succeeds with exactly what was published. Signals that ask for an end; the broker or a worker killed alone; children die
with the scheduler. GLANE_TEST_KILLS: how many (40); GLANE_TEST_SEED. TAP on standard output."""
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import support  # noqa: E402

KILLS = int(os.environ.get("GLANE_TEST_KILLS", "40"))
SEED = int(os.environ.get("GLANE_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 30)
CSV = "dataset = D\nindicator = =I\narea = code\nperiod = year\nvalue = value\nretries = 0\n"
AREAS = ("TGO", "BEN", "GHA", "NER", "MLI", "BFA")


class Server(support.Server):
    """One whose clients may be killed at any moment, which is no news."""

    def __init__(self, routes):
        super().__init__(routes)
        self.http.handle_error = lambda *_: None


def source(name, url, more=""):
    return f"[source {name}]\nplugin = csv\nbase_url = {url}\nfiles = {name}.csv\n{CSV}{more}\n"


def published(night, size):
    """What the provider says on a night: some values are revised, a row comes, one goes."""
    rows = {(a, 1900 + y): f"{y + (night if y % 7 == night % 7 else 0)}.{night % 10 if y % 7 == night % 7 else 0}5"
            for a in AREAS for y in range(size)}
    rows["TGO", 1800 + night % 50] = str(night)
    return rows


def text_of(rows):
    return "code,year,value\n" + "".join(f"{a},{y},{v}\n" for (a, y), v in rows.items())


def stored(site, name):
    """Rows of a source, by key; each key once."""
    got = {}
    for r in site.export("--source", name):
        key = (r["area_code"], int(r["period"]))
        assert key not in got, key
        got[key] = r["value"]
    return got


def until(what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = what()
        if got:
            return got
        time.sleep(0.01)
    return what()


def start(site, *words):
    return subprocess.Popen([support.GLANE, "-c", str(site.conf), "run", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


# ---- kill -9 at random moments

def random_kills(suite):
    dice = random.Random(SEED)
    sizes = {"big": 60, "small": 9}
    with Server({}) as server:
        site = suite.site("random", source("big", server.url) + source("small", server.url))
        before, bad, killed, late = {n: {} for n in sizes}, [], 0, 0
        took = 0.3
        for night in range(KILLS):
            now = {n: published(night, size) for n, size in sizes.items()}
            for n in sizes:
                server.routes[f"/{n}.csv"] = support.Answer(text_of(now[n]), "text/csv", etag=f'"{night}"')
            p = start(site, "--all", "-q")
            time.sleep(dice.uniform(0, took))
            p.kill()
            p.communicate()
            killed += p.returncode == -signal.SIGKILL
            if until(lambda: not support.children(p.pid)) is False:
                bad.append(f"night {night}: children live on: {support.children(p.pid)}")
            if (site.store / "format").exists():
                for n in sizes:
                    got = stored(site, n)
                    late += got == now[n]
                    if got not in (before[n], now[n]):
                        bad.append(f"night {night}: {n} is neither the night before nor this one: {len(got)} rows")
            began = time.monotonic()
            r = site.run()
            took = min(2, 0.7 * took + 0.3 * (time.monotonic() - began))
            if r.code != 0 or not set(r.verdicts.values()) <= {"ok", "unchanged"}:
                bad.append(f"night {night}: {r}")
            for n in sizes:
                if stored(site, n) != now[n]:
                    bad.append(f"night {night}: {n} is not what was published")
            if night % 20 == 19 or night == KILLS - 1:
                code, out, err = site.glane("check", "--store")
                if code != 0 or err:
                    bad.append(f"night {night}: {out}{err}")
            before = now
        left = [str(p) for p in (site.store / "tmp").iterdir()] + [str(p) for p in site.store.rglob("*.tmp")]
        suite.same(f"{KILLS} runs killed at random moments (seed {SEED}; {killed} while they ran, {late} sources after their commit): "
                   "a whole night each, and the next run is complete", (bad[:5], left), ([], []))
        suite.true("most of them were killed while they ran", killed > KILLS / 3, killed)
        recorded = [r["recorded_at"] for r in site.export()]
        suite.true("each row keeps the time of its own night", len(set(recorded)) > 1, set(recorded))


# ---- one process of a run

class Slow:
    """Routes of which /slow.csv waits until it is let go."""

    def __init__(self):
        self.asked, self.go = threading.Event(), threading.Event()

    def __call__(self, target):
        if target == "/slow.csv":
            self.asked.set()
            self.go.wait(60)
        return support.Answer(text_of(published(1, 9)), "text/csv")


def asked_to_end(suite):
    for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        slow = Slow()
        with Server(slow) as server:
            site = suite.site(sig.name, source("slow", server.url) + source("early", server.url))
            p = start(site, "--all", "--jobs", "4")
            slow.asked.wait(60)
            until(lambda: (site.store / "state/early/1.json").exists())
            p.send_signal(sig)
            out = p.communicate(timeout=support.TIMEOUT)[0]
            slow.go.set()
            suite.true(f"{sig.name}: a clean end; the source under way is failed, the other one committed",
                       p.returncode == 1 and f"stopped by signal {sig.value}" in out and "early" in out, (p.returncode, out))
            suite.same(f"{sig.name}: no child is left", support.children(p.pid), [])
            suite.same(f"{sig.name}: the report says so", [(s["source"], s["status"]) for s in support.json.loads(
                site.glane("runs", os.listdir(site.store / "runs")[0][:-5])[1])["sources"]], [("early", "ok"), ("slow", "failed")])
            r = support.Run(site.glane("run", "--json"))
            suite.same(f"{sig.name}: what was stopped is still due, the other is not", (r.code, r.verdicts), (0, {"slow": "ok"}))


def lone_kills(suite):
    slow = Slow()
    with Server(slow) as server:
        site = suite.site("broker", source("slow", server.url))
        p = start(site, "--all")
        slow.asked.wait(60)
        for pid, role in support.children(p.pid):
            if role == "@broker":
                os.kill(pid, signal.SIGKILL)
        out = p.communicate(timeout=support.TIMEOUT)[0]
        suite.true("the broker is killed: its sources fail, nothing else", p.returncode == 3 and "broker" in out, (p.returncode, out))
        suite.same("its workers are gone", until(lambda: not support.children(p.pid)), True)
        slow.go.set()
        suite.same("the next run succeeds", site.run().verdicts, {"slow": "ok"})

        site = suite.site("worker", source("early", server.url) + "[source hang]\nplugin = evil\nhow = spin\n")
        p = start(site, "--all", "--jobs", "1")
        worker = until(lambda: [c for c in support.children(p.pid) if c[1] == "@worker" and (site.store / "state/early/1.json").exists()])
        os.kill(worker[0][0], signal.SIGKILL)
        out = p.communicate(timeout=support.TIMEOUT)[0]
        suite.true("a worker is killed: its source fails and says how, the other one is committed",
                   p.returncode == 1 and "signal 9" in out and site.export(), (p.returncode, out))

        p = start(site, "hang")
        until(lambda: [c for c in support.children(p.pid) if c[1] == "@worker"])
        p.send_signal(signal.SIGTERM)
        out = p.communicate(timeout=support.TIMEOUT)[0]
        suite.true("SIGTERM while a plugin hangs: the worker is made to end", p.returncode == 3 and not support.children(p.pid), (p.returncode, out))

        p = start(site, "hang")
        until(lambda: len(support.children(p.pid)) >= 2)
        p.kill()
        p.communicate()
        suite.same("the scheduler is killed: its children die with it", until(lambda: not support.children(p.pid)), True)
        suite.same("and the lock is free", site.run("early").verdicts, {"early": "unchanged"})

    slow = Slow()
    with Server(slow) as server:
        site = suite.site("stopped", source("slow", server.url))
        p = start(site, "--all")
        slow.asked.wait(60)
        p.send_signal(signal.SIGSTOP)
        slow.go.set()
        time.sleep(1)
        p.send_signal(signal.SIGCONT)
        out = p.communicate(timeout=support.TIMEOUT)[0]
        suite.true("stopped for a while and continued: nothing is lost", p.returncode == 0 and len(site.export()) == 55, (p.returncode, out))


def main():
    suite = support.Suite("killed")
    random_kills(suite)
    asked_to_end(suite)
    lone_kills(suite)
    sys.exit(suite.finish())


main()
