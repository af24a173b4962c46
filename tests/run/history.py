#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A long history: night after night many sources revise, withdraw, bring back and fail by chance, through `glane run`; the clock of
each night is a day later. An oracle outside of the store must agree on every verdict, every event and, byte for byte, every vintage.
What a night writes is bounded by the sources that changed, and the store by its events and payloads, without any pruning by hand.

history.py [--nights N] [--sources N] [--seed N] [--out DIR]    TAP; with DIR also nights.csv and history.svg

GLANE_LONG=1: 1,000 nights of 50 sources; `scripts/bench history` is that with figures under build/bench."""
import argparse
import csv
import datetime
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import support
from support import Answer, GLANE, TOP

sys.path.insert(0, str(TOP / "tests/support"))
import measure  # noqa: E402
import plot  # noqa: E402
import provider  # noqa: E402
from provider import COLUMNS, OPTIONS, Oracle, Provider, count  # noqa: E402

FIRST = datetime.datetime(2100, 1, 1, 2, 0, tzinfo=datetime.timezone.utc)  # later than any time of change of a file
FILES_PER_CHANGE = 4  # stream, current, series; and one that takes the place of many small ones of the stream
TABLES = ("stream", "current", "series")
CLASSES = (*TABLES, "log", "checkpoints", "state", "runs", "payloads", "other")
LONG = bool(os.environ.get("GLANE_LONG"))
VERSIONS = 60  # of a log: those since the last checkpoint but one, and those of a week
SHOWN = 5


def class_of(path):
    top = path.split("/")[0]
    if "/_delta_log/" in path:
        return "log" if path.endswith(".json") else "checkpoints"
    return top if top in CLASSES else "other"


def listing(store):
    """Every file: its inode, size and time of change."""
    found = {}
    for folder, _, names in os.walk(store):
        for name in names:
            path = os.path.join(folder, name)
            s = os.stat(path)
            found[os.path.relpath(path, store)] = (s.st_ino, s.st_size, s.st_mtime_ns)
    return found


def owner(path):
    """The source that a data file or a state belongs to; None: it belongs to none."""
    part = path.split("/")
    if part[0] in TABLES and part[1] != "_delta_log":
        return part[1].split("-")[0]
    return part[1] if part[0] == "state" and part[-1][0].isdigit() else None


class History:
    def __init__(self, suite, nights, n_sources, seed):
        self.suite, self.n_nights, self.random = suite, nights, random.Random(seed)
        sizes = [int(40 * 100 ** self.random.random()) for _ in range(n_sources)]
        # The first one has news nearly every night, as exchange rates have.
        self.providers = [Provider(f"s{i:02}", seed, n, 0.09 if i else 0.95) for i, n in enumerate(sizes)]
        self.smallest = min(self.providers, key=lambda p: len(p.rows)).name
        self.oracles = {p.name: Oracle(p.name) for p in self.providers}
        self.answers, self.vintages, self.figures, self.wrong = {}, [], [], defaultdict(list)
        self.before, self.last_seen = {}, {}
        self.library = suite.folder / "later.so"
        cc = os.environ.get("CC", "cc").split()
        subprocess.run([*cc, "-D_GNU_SOURCE", "-O2", "-shared", "-fPIC", "-o", self.library, TOP / "tests/bench/later.c"], check=True)

    def site(self, server):
        return self.suite.site("nights", "".join(f"[source {p.name}]\n{OPTIONS}base_url = {server.url}\nfiles = {p.name}.csv\n"
                                                 for p in self.providers), "jobs = 2")

    # ---- a night

    def publish(self, p, kind):
        """What the provider answers tonight; it may have a new edition that a failure hides until it is over."""
        etag = f'"{p.name}-{p.edition}"' if p.has_etag else None
        body = p.body()
        return {"error": Answer("busy", "text/plain", 500), "empty": Answer("", "text/csv"), "cut": Answer(body, "text/csv", cut=9),
                "html": Answer("<!doctype html><html><body>maintenance</body></html>", "text/html"),
                "header": Answer(provider.HEADER + "\n", "text/csv"),
                "collapsed": Answer(p.body(len(p.rows) * 2 // 5), "text/csv")}.get(kind) or Answer(body, "text/csv", etag=etag)

    def tonight(self, night):
        kinds = {p.name: p.night() if night else provider.CHANGED for p in self.providers}
        self.answers = {f"/{p.name}.csv": self.publish(p, kinds[p.name]) for p in self.providers
                        if kinds[p.name] != provider.SAME or not self.last_seen.get(p.name)} | {
                            f"/{p.name}.csv": self.last_seen[p.name] for p in self.providers
                            if kinds[p.name] == provider.SAME and self.last_seen.get(p.name)}
        for p in self.providers:  # an answer may be given again as long as it is the edition's own
            self.last_seen[p.name] = None if kinds[p.name] in provider.FAILURES else self.answers[f"/{p.name}.csv"]
        return kinds

    def expect(self, kinds, moment):
        """The verdict of each source, and its events."""
        verdicts, events = {}, {}
        for p in self.providers:
            kind, events[p.name] = kinds[p.name], {}
            if kind in provider.FAILURES:
                verdicts[p.name] = "held" if kind == "collapsed" else "failed"
                continue
            events[p.name] = self.oracles[p.name].learn(p.rows, moment)
            verdicts[p.name] = "ok" if events[p.name] else "unchanged"
        return verdicts, events

    def night(self, site, night):
        begin = FIRST + datetime.timedelta(days=night)
        moment = begin.strftime("%Y-%m-%dT%H:%M:%SZ")
        env = self.clock(begin)
        kinds = self.tonight(night)
        report = self.suite.folder / "report.json"
        with open(report, "wb") as out:
            done = measure.measure([GLANE, "-c", str(site.conf), "run", "--json", "--all", "--now", moment], stdout=out, every=0, env=env)
        sources = {s["source"]: s for s in json.loads(report.read_text())["sources"]}
        run = json.loads(report.read_text())["run"]
        verdicts, events = self.expect(kinds, moment)
        got = {name: s["status"] for name, s in sources.items()}
        self.agree("verdicts", night, {n: (v, sources.get(n, {}).get("message")) for n, v in got.items() if v != verdicts[n]} | {
            n: ("missing", None) for n in verdicts if n not in got}, {})
        self.agree("events", night, {n: c for n, s in sources.items() if (c := {k: v for k, v in s["events"].items() if v})},
                   {n: count(e) for n, e in events.items() if e})
        self.vintages.append((run, self.digest(True), self.digest(False)))
        self.weigh(night, site, run, events, verdicts, done)
        return env

    def clock(self, begin):
        options = os.environ.get("ASAN_OPTIONS", "")
        return {**os.environ, "LD_PRELOAD": str(self.library), "GLANE_TEST_LATER": str(int(begin.timestamp() - time.time())),
                "ASAN_OPTIONS": options + ":verify_asan_link_order=0:detect_leaks=0"}

    def agree(self, what, night, got, want):
        if got != want:
            self.wrong[what].append(f"night {night}: got {got}, want {want}")

    def digest(self, withdrawn):
        whole = hashlib.sha256((COLUMNS + (",event" if withdrawn else "") + "\n").encode())
        for p in self.providers:
            whole.update(self.oracles[p.name].text(withdrawn))
        return whole.hexdigest()

    # ---- what it costs

    def weigh(self, night, site, run, events, verdicts, done):
        now = listing(site.store)
        changed = {name for name, e in events.items() if e}
        fresh = {path: meta for path, meta in now.items() if self.before.get(path) != meta}
        data = Counter(owner(path) for path in fresh if owner(path) and not path.startswith("state/"))
        self.agree("files of sources that did not change", night, sorted(p for p in fresh if owner(p) and owner(p) not in changed), [])
        self.agree("data files of a source that changed", night, {n: c for n, c in data.items() if c > FILES_PER_CHANGE}, {})
        sizes = Counter()
        for path, meta in now.items():
            sizes[class_of(path)] += meta[1]
        lines = sum(len(self.oracles[name].line(key)) + len(f",source,{run},") + 64 for name, e in events.items() for key in e)
        self.figures.append({
            "night": night + 1, "changed": len(changed), "failed": sum(v in ("failed", "held") for v in verdicts.values()),
            "events": sum(map(len, events.values())), "event_bytes": lines,
            "payload_bytes": sum(m[1] for p, m in now.items() if p.endswith(".zst")), "store_bytes": sum(sizes.values()), "files": len(now),
            "written_files": len(fresh), "written_bytes": sum(m[1] for m in fresh.values()),
            "data_written": sum(m[1] for p, m in fresh.items() if owner(p)), "run_ms": done["wall"] * 1e3, "run_cpu_ms": done["cpu"] * 1e3,
            "open_ms": 0, "open_cpu_ms": 0, **{f"{c}_bytes": sizes[c] for c in CLASSES if c != "payloads"}, "payload_files_bytes": sizes["payloads"]})
        self.before = now

    def open_time(self, site, env):
        """The store opened and its smallest source exported: the best of five."""
        command = [GLANE, "-c", str(site.conf), "export", "--source", self.smallest]
        done = [measure.measure(command, every=0, env=env) for _ in range(5)]
        self.figures[-1].update(open_ms=min(d["wall"] for d in done) * 1e3, open_cpu_ms=min(d["cpu"] for d in done) * 1e3)

    # ---- what is known of it

    def vintage(self, site, i, withdrawn=True):
        run, *digests = self.vintages[i]
        words = ["--withdrawn"] if withdrawn else []
        out = subprocess.run([GLANE, "-c", str(site.conf), "export", "--as-of", run, *words], capture_output=True, check=False,
                             timeout=support.TIMEOUT)
        fine = out.returncode == 0 and hashlib.sha256(out.stdout).hexdigest() == digests[not withdrawn]
        return "" if fine else f"as of {run} (night {i + 1}): {out.stderr.decode()[:300] or 'other rows'}"

    def look(self, site, night):
        """Now, and some nights of the past."""
        for i in [night, *self.random.sample(range(night + 1), min(3, night + 1))]:
            self.agree("vintages on the way", night, self.vintage(site, i, withdrawn=bool(i % 2)), "")

    def live(self, out):
        """Night after night; SIGTERM ends a long history early, and what there is is judged."""
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "n_nights", len(self.vintages)))
        with support.Server(lambda target: self.answers.get(target)) as server:
            site = self.site(server)
            while (night := len(self.vintages)) < self.n_nights:
                env = self.night(site, night)
                if night % 10 == 9 or night == self.n_nights - 1:
                    self.open_time(site, env)
                if night % 50 == 49:
                    self.look(site, night)
                if out and night % 100 == 99:
                    print("# " + self.summary(night - 99, night + 1), flush=True)
        return site

    def summary(self, first, last):
        part = self.figures[first:last]
        mean = lambda key: sum(f[key] for f in part) / len(part)  # noqa: E731
        opened = [f for f in part if f["open_ms"]]
        open_ms, open_cpu = (sum(f[key] for f in opened) / max(1, len(opened)) for key in ("open_ms", "open_cpu_ms"))
        return (f"nights {first + 1}-{last}: {mean('changed'):.1f} changed, {mean('failed'):.1f} failed, {mean('events'):.0f} events; "
                f"run {mean('run_ms'):.0f} ms ({mean('run_cpu_ms'):.0f} of CPU), open {open_ms:.0f} ms ({open_cpu:.0f}); wrote "
                f"{mean('written_bytes') / 1e3:.0f} kB in {mean('written_files'):.0f} files; store {part[-1]['store_bytes'] / 1e6:.2f} MB, "
                f"{part[-1]['files']} files")


def growth(history):
    """Growth of the store since its first night, events and payloads since then, and where the bytes are."""
    first, last = history.figures[0], history.figures[-1]
    grown = last["store_bytes"] - first["store_bytes"]
    events = sum(f["event_bytes"] for f in history.figures[1:])
    payloads = last["payload_bytes"] - first["payload_bytes"]
    parts = ", ".join(f"{key.removesuffix('_bytes')} {(last[key] - first[key]) / 1e6:.2f}" for key in
                      (*(f"{c}_bytes" for c in CLASSES if c != "payloads"), "payload_files_bytes"))
    return grown, events, payloads, (f"grown by {grown / 1e6:.2f} MB in {len(history.figures) - 1} nights; events {events / 1e6:.2f} MB, "
                                     f"payloads {payloads / 1e6:.2f} MB: {grown / max(1, events + payloads):.2f} times; MB: {parts}")


def judge(suite, history, site):
    n, m = len(history.figures), len(history.providers)
    for what in ("verdicts", "events", "vintages on the way"):
        wrong = history.wrong[what]
        suite.true(f"{n} nights, {m} sources: the oracle agrees on {what}", not wrong, "\n".join(wrong[:SHOWN]))
    seen = Counter()
    for o in history.oracles.values():
        seen.update(event for _, event, _ in o.known.values())
    suite.true("each kind of event is there to be seen", set(seen) == set(provider.EVENTS), seen)
    bad = [text for i in range(n) if (text := history.vintage(site, i))]
    suite.true(f"each of {n} vintages comes back byte for byte as the oracle writes it", not bad, "\n".join(bad[:SHOWN]))
    for what in ("files of sources that did not change", "data files of a source that changed"):
        wrong = history.wrong[what]
        suite.true(f"what a night writes is bounded: {what}", not wrong, "\n".join(wrong[:SHOWN]))
    kept = {table: len(list((site.store / table / "_delta_log").glob("*.json"))) for table in TABLES}
    suite.true(f"no log keeps more than {VERSIONS} versions", max(kept.values()) <= VERSIONS, kept)
    code, out, err = site.glane("check", "--store")
    suite.true("the store is sound", code == 0, out + err)


def write_figures(history, out):
    out.mkdir(parents=True, exist_ok=True)
    with open(out / "nights.csv", "w", newline="", encoding="ascii") as f:
        table = csv.DictWriter(f, history.figures[0])
        table.writeheader()
        table.writerows({k: round(v, 1) if isinstance(v, float) else v for k, v in row.items()} for row in history.figures)
    series = {key: [f[key] for f in history.figures] for key in history.figures[0]}
    events = list(plot.running(series["event_bytes"]))
    (out / "history.svg").write_text(plot.page([
        ("store, MB", {"store": plot.scaled(series["store_bytes"], 1e-6),
                       "2 x (events + payloads)": [2e-6 * (e + p) for e, p in zip(events, series["payload_bytes"])]}),
        ("run, ms", {"wall": series["run_ms"], "CPU": series["run_cpu_ms"]}),
        ("open and export the smallest source, ms", {"wall": [v or None for v in series["open_ms"]],
                                                    "CPU": [v or None for v in series["open_cpu_ms"]]}),
        ("written per night, kB", {"all": plot.scaled(series["written_bytes"], 1e-3), "data files": plot.scaled(series["data_written"], 1e-3)}),
        ("sources per night", {"changed": series["changed"], "failed": series["failed"]}),
        ("files", {"in the store": series["files"], "written": series["written_files"]})], "nights"), encoding="utf-8")


def main():
    p = argparse.ArgumentParser(prog="history.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--nights", type=int, default=1000 if LONG else 64)
    p.add_argument("--sources", type=int, default=50 if LONG else 25)
    p.add_argument("--seed", type=int, default=int(os.environ.get("GLANE_TEST_SEED", "1")))
    p.add_argument("--out", type=Path)
    a = p.parse_args()
    suite = support.Suite("history")
    print(f"# seed {a.seed}")
    history = History(suite, a.nights, a.sources, a.seed)
    site = history.live(a.out)
    judge(suite, history, site)
    grown, events, payloads, text = growth(history)
    print("# " + text)
    most = 2 if len(history.figures) >= 300 else 3  # young files of the stream are not yet joined
    suite.true(f"the store grows by no more than {most} times its events and payloads", grown <= most * (events + payloads), text)
    if a.out:
        write_figures(history, a.out)
    return suite.finish()


if __name__ == "__main__":
    sys.exit(main())
