#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs that are killed or stopped. kill -9 at random moments: what is committed is always a whole night of a source, what a run said
is there, and the next run succeeds with exactly what was published. Signals that ask for an end; the broker or a worker killed alone; children die
with the scheduler. GLANE_TEST_KILLS: how many (1,000; 60 under a sanitizer); GLANE_TEST_SEED. TAP on standard output."""
import concurrent.futures
import fcntl
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

KILLS = int(os.environ.get("GLANE_TEST_KILLS", "1000" if os.environ.get("B", "release") == "release" else "60"))
SEED = int(os.environ.get("GLANE_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 30)
CSV = "dataset = D\nindicator = =I\narea = code\nperiod = year\nvalue = value\nretries = 0\ngate.max_revised_percent = 100\ngate.max_factor = 1000000\ngate.max_rescaled_percent = 100\ngate.max_jumped_percent = 100\n"
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


def until(what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = what()
        if got:
            return got
        time.sleep(0.01)
    return what()


# How long what died with the scheduler may take to be gone; nobody needs more, but a machine under valgrind.
GONE = 2 if support.SANDBOXED else 20


def is_locked(site):
    with open(site.store / "lock", "rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def start(site, *words):
    return subprocess.Popen([support.GLANE, "-c", str(site.conf), "run", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


# ---- kill -9 at random moments

class Struck:
    """One store whose commands are killed at random moments of their usual time; what it must hold is known outside of it."""

    SIZES = {"big": 40, "small": 6}

    def __init__(self, suite, number, seed):
        self.dice, self.bad, self.night = random.Random(seed), [], 0
        self.killed = self.late = self.whole = self.acknowledged = 0
        self.server = Server({})
        self.site = suite.site(f"random-{number}", "".join(source(n, self.server.url) for n in self.SIZES))
        self.held = {n: {} for n in self.SIZES}  # what was seen last
        self.vintages = []  # (moment, rows of all)
        self.usual = {"run": 0.3, "compact": 0.05, "vacuum": 0.05}

    def wrong(self, what):
        self.bad.append(f"{self.site.folder.name}, night {self.night}: {what}")

    def publish(self):
        self.night += 1
        now = {n: published(self.night, size) for n, size in self.SIZES.items()}
        for n in self.SIZES:
            self.server.routes[f"/{n}.csv"] = support.Answer(text_of(now[n]), "text/csv", etag=f'"{self.night}"')
        return now

    def stored(self, *words):
        """Rows of each source by key, each key once, and the newest moment of them."""
        got, newest = {n: {} for n in self.SIZES}, ""
        if not (self.site.store / "format").exists():
            return got, newest
        for r in self.site.export(*words):
            key = (r["area_code"], int(r["period"]))
            if key in got[r["source"]]:
                self.wrong(f"{r['source']} has {key} twice")
            got[r["source"]][key] = r["value"]
            newest = max(newest, r["recorded_at"])
        return got, newest

    def look(self, now, said):
        """After a command ended, however: each source has the night that it had, or this one; this one where that was said."""
        got, newest = self.stored()
        for n in self.SIZES:
            acknowledged = any(line.split()[:2] == [n, "ok"] for line in said.splitlines())
            self.acknowledged += acknowledged
            self.whole += got[n] == now[n] != self.held[n]
            if got[n] not in ([now[n]] if acknowledged else [self.held[n], now[n]]):
                self.wrong(f"{n} is neither the night before nor this one, or not what was said: {len(got[n])} rows\n{said}")
        if newest and got != self.held:
            self.vintages.append((newest, got))
        self.held = got

    def kill_one(self):
        """A run, or now and then an upkeep by hand, is killed; what comes next finds what it left."""
        now = self.publish()
        words = self.dice.choice([["run", "--all"]] * 8 + [["compact"], ["vacuum", "--keep", "0s", "--force"]])
        if not (self.site.store / "format").exists():
            words = ["run", "--all"]
        p = subprocess.Popen([support.GLANE, "-c", str(self.site.conf), *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(self.dice.uniform(0, 1.1 * self.usual[words[0]]))
        p.kill()
        said, err = p.communicate()
        self.killed += p.returncode == -signal.SIGKILL
        if p.returncode not in (-signal.SIGKILL, 0):
            self.wrong(f"{words}: exit {p.returncode}: {said}{err}")
        whole = self.whole
        self.look(now, said if words[0] == "run" else "")
        self.late += self.whole - whole
        return p.pid

    def time_of(self, *words):
        began = time.monotonic()
        code, out, err = self.site.glane(*words)
        self.usual[words[0]] = min(2, 0.5 * self.usual[words[0]] + 0.5 * (time.monotonic() - began))
        if code != 0 or err:
            self.wrong(f"{words}: exit {code}: {out}{err}")
        return out

    def finish_one(self):
        """Nothing is killed: all of the night is there."""
        now = self.publish()
        out = self.time_of("run", "--all")
        self.look(now, out)
        if self.held != now:
            self.wrong(f"not what was published: {out}")

    def check(self):
        self.time_of("compact", "--dry-run")
        self.time_of("vacuum", "--dry-run")
        code, out, err = self.site.glane("check", "--store")
        if code != 0 or err:
            self.wrong(f"check: {out}{err}")
        for moment, rows in self.dice.sample(self.vintages, min(3, len(self.vintages))):
            if self.stored("--as-of", moment)[0] != rows:
                self.wrong(f"as of {moment} it is not what it was")

    def strike(self, kills):
        with self.server:
            self.finish_one()
            for i in range(kills):
                pid = self.kill_one()
                if i % 20 == 19:
                    if until(lambda: not support.children(pid), GONE) is False:
                        self.wrong(f"children live on: {support.children(pid)}")
                if i % 5 == 4:
                    self.finish_one()
                if i % 20 == 19:  # behind a run: a kill between the tables leaves current behind, which check tells
                    self.check()
                if len(self.bad) > 5:
                    break
            self.finish_one()
            self.check()
        left = [str(p) for p in (self.site.store / "tmp").iterdir()] + [str(p) for p in self.site.store.rglob("*.tmp")
                                                                        if "payloads" not in p.parts]
        if left:
            self.wrong(f"left over: {left}")
        return self


def random_kills(suite):
    stores = max(1, min(3, KILLS // 10))
    struck = [Struck(suite, i, SEED + i) for i in range(stores)]
    share = [KILLS // stores + (i < KILLS % stores) for i in range(stores)]
    with concurrent.futures.ThreadPoolExecutor(stores) as pool:
        list(pool.map(Struck.strike, struck, share))
    killed, late, said = (sum(getattr(s, name) for s in struck) for name in ("killed", "late", "acknowledged"))
    suite.same(f"S1 {KILLS} kills at random moments (seed {SEED}; {killed} while it ran, {late} commits were made before it, {said} said): a "
               "whole night each, none that was said is lost, every vintage stays, the next run is complete", [b for s in struck for b in s.bad][:5], [])
    suite.true("most of them were killed while they ran", killed > KILLS / 3, killed)
    suite.true("nights before and after their commit were met", 0 < late, late)
    recorded = [r["recorded_at"] for r in struck[0].site.export()]
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
            suite.true(f"P8 {sig.name}: a clean end; the source under way is failed, the other one committed",
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
        until(lambda: [c for c in support.children(p.pid) if c[1] == "@worker"])
        suite.true("P9 a run that hangs holds the lock", is_locked(site))
        killed = time.monotonic()
        p.kill()
        p.wait()
        suite.true(f"P9 the scheduler is killed: its children are gone within {GONE} s", until(lambda: not support.children(p.pid), GONE),
                   support.children(p.pid))
        suite.true("P9 and the lock is free by then", until(lambda: not is_locked(site), killed + GONE - time.monotonic()), time.monotonic() - killed)
        p.stdout.close()
        suite.same("P9 and the next run is as any other", site.run("early").verdicts, {"early": "unchanged"})

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
        suite.true("P8 stopped for a while and continued: nothing is lost", p.returncode == 0 and len(site.export()) == 55, (p.returncode, out))


def stopped_too_long(suite):
    """The scheduler sleeps past the deadline of a source, whose answer comes meanwhile."""
    slow = Slow()
    with Server(slow) as server:
        site = suite.site("overslept", source("slow", server.url, "deadline = 2s\n"))
        p = start(site, "--all", "--json")
        slow.asked.wait(60)
        p.send_signal(signal.SIGSTOP)
        slow.go.set()
        time.sleep(4)
        p.send_signal(signal.SIGCONT)
        out, _ = p.communicate(timeout=support.TIMEOUT)
        said = support.Run((p.returncode, out[out.find("{"):out.rfind("}") + 1], out))
        rows, verdict = len(site.export()), said.verdicts.get("slow")
        late = verdict == "failed" and "deadline" in said.sources["slow"]["message"]
        suite.true("P8 stopped for longer than a deadline: it goes on, and says what came of it",
                   (p.returncode, rows) == ((0, 55) if verdict == "ok" else (3, 0)) and (late or verdict == "ok"), (p.returncode, rows, out))
        suite.same("P8 no child is left, and the lock is free", (support.children(p.pid), is_locked(site)), ([], False))
        suite.same("P8 and the next run has it all", (site.run().code, len(site.export())), (0, 55))


def main():
    suite = support.Suite("killed")
    random_kills(suite)
    asked_to_end(suite)
    lone_kills(suite)
    stopped_too_long(suite)
    sys.exit(suite.finish())


main()
