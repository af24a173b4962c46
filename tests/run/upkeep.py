#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""compact and vacuum by hand: what they say, what they leave alone, whom they do not disturb. TAP on standard output."""
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import support  # noqa: E402

CSV = "dataset = D\nindicator = =I\narea = code\nperiod = year\nvalue = value\nretries = 0\n"
AT_ONCE = ("--keep", "0s", "--force")


def section(name, url, more=""):
    return f"[source {name}]\nplugin = csv\nbase_url = {url}\nfiles = {name}.csv\n{CSV}{more}\n"


def text_of(night, rows=30):
    return "code,year,value\n" + "".join(f"TGO,{1000 + y},{y if y % 3 else y + night}\n" for y in range(rows))


def made(suite, server, name, nights=4, rows=30, more=""):
    """A store of two sources, and what it exported after each night: (run, text)."""
    site, seen = suite.site(name, section("a", server.url, more) + section("b", server.url, more)), []
    for night in range(1, nights + 1):
        for path in ("/a.csv", "/b.csv"):
            server.routes[path] = support.Answer(text_of(night, rows), "text/csv")
        run = site.run()
        seen.append((run.report["run"], site.glane("export")[1]))
    return site, seen


def live(site, table="stream"):
    """Files that the table's log names as live."""
    files = set()
    for path in sorted((site.store / table / "_delta_log").glob("*.json")):
        for line in path.read_text().splitlines():
            action = json.loads(line)
            files |= {action["add"]["path"]} if "add" in action else set()
            files -= {action["remove"]["path"]} if "remove" in action else set()
    return files


def on_disk(site, table="stream"):
    return {p.name for p in (site.store / table).glob("*.parquet")}


def usage(suite, server):
    site = suite.site("none", section("a", server.url))
    for words in (("compact",), ("vacuum",), ("compact", "--dry-run"), ("vacuum", "--dry-run")):
        code, out, err = site.glane(*words)
        suite.true(f"{' '.join(words)} without a store: exit 5, and none is made", code == 5 and "no store" in err and not site.store.exists(),
                   (code, out, err))
    site, _ = made(suite, server, "usage", 1)
    before = site.snapshot(True)
    for words, why in ((("compact", "nope"), "no source 'nope'"), (("vacuum", "a"), "one word too many"), (("vacuum", "--keep", "8d"), "7d or less"),
                       (("vacuum", "--keep", "59m"), "--force"), (("vacuum", "--keep", "soon"), "not a duration")):
        code, out, err = site.glane(*words)
        suite.true(f"{' '.join(words)}: exit 2, and why", code == 2 and why in err and not out, (code, out, err))
    suite.same("none of them changed anything", site.snapshot(True), before)
    for command in ("compact", "vacuum"):
        code, out, err = site.glane(command, "--help")
        suite.true(f"{command} --help", code == 0 and out.startswith(f"glane {command}") and not err, (code, out, err))


def joined(suite, server):
    site, seen = made(suite, server, "joined")
    before, tables = site.snapshot(True), live(site)
    code, out, err = site.glane("compact", "--dry-run")
    suite.true("compact --dry-run counts", code == 0 and [line.split()[:3] for line in out.splitlines()] == [["a", "4", "files,"], ["b", "4", "files,"]]
               and not err, (code, out, err))
    suite.same("and changes nothing", site.snapshot(True), before)
    code, out, err = site.glane("compact", "a")
    now = live(site)
    suite.true("compact of a source joins its files", code == 0 and out.startswith("a ") and "now 1 file" in out and len(out.splitlines()) == 1,
               (code, out, err))
    suite.same("and no other's", sorted(f[0] for f in now), ["a"] + ["b"] * 4)
    code, out, err = site.glane("compact")
    suite.true("compact of all joins the rest", code == 0 and "nothing to join" in out.splitlines()[0] and "now 1 file" in out.splitlines()[1], out)
    suite.same("one file of the stream for each", sorted(f[0] for f in live(site)), ["a", "b"])
    suite.same("every vintage is as it was first exported", [site.glane("export", "--as-of", run)[1] for run, _ in seen], [text for _, text in seen])
    suite.same("the store is sound", site.glane("check", "--store")[0], 0)
    suite.true("what was joined is still there for readers of older versions", tables <= on_disk(site), tables - on_disk(site))
    before = site.snapshot()
    code, out, err = site.glane("vacuum")
    suite.true("vacuum leaves what was joined a moment ago", code == 0 and out.split()[1] == "0" and site.snapshot() == before, (code, out, err))
    time.sleep(1.1)  # what is superseded in this very second stays
    expected = site.glane("vacuum", "--dry-run", *AT_ONCE)[1]
    suite.same("vacuum --dry-run changes nothing", site.snapshot(), before)
    code, out, err = site.glane("vacuum", *AT_ONCE)
    suite.same("vacuum removes as many files and bytes as it had said", (code, out.replace(" removed", "")), (0, expected.replace(" would go", "")))
    suite.same("what is live is what is left", [on_disk(site, t) for t in ("stream", "current", "series")],
               [live(site, t) for t in ("stream", "current", "series")])
    suite.same("again every vintage is there", [site.glane("export", "--as-of", run)[1] for run, _ in seen], [text for _, text in seen])
    suite.same("and the store is sound", site.glane("check", "--store")[0], 0)
    suite.same("a run goes on from there", site.run().verdicts, {"a": "unchanged", "b": "unchanged"})


def put_payload(site, body, days):
    """A body in the archive that was written so many days ago; its hash."""
    sha256 = hashlib.sha256(body).hexdigest()
    folder = site.store / "payloads" / sha256[:2]
    folder.mkdir(exist_ok=True)
    (folder / sha256).write_bytes(body)
    (folder / f"{sha256}.json").write_text(json.dumps({"method": "GET", "url": "http://localhost/", "sha256": sha256, "size": len(body),
                                                       "fetched_at": "2026-01-01T00:00:00Z", "request_sha256": "", "status": 200}))
    for name in (sha256, f"{sha256}.json"):
        os.utime(folder / name, (time.time() - days * 86400,) * 2)
    return sha256


def payloads(site):
    return {p.name[:64] for p in (site.store / "payloads").rglob("*") if p.is_file()}


def unnamed_payloads(suite, server):
    site, _ = made(suite, server, "payloads")
    for path in (site.store / "payloads").rglob("*"):
        os.utime(path, (1, 1))
    named = payloads(site)
    old, young, held = put_payload(site, b"old", 30), put_payload(site, b"young", 0), put_payload(site, b"held", 30)
    (site.store / "quarantine/a").mkdir(parents=True)
    (site.store / "quarantine/a/20260101T000000Z.json").write_text(json.dumps({"records": [{"payload": held}]}))
    partial = site.store / "payloads" / old[:2] / f"{'0' * 64}.zst.tmp"
    partial.write_bytes(b"half")
    code, out, err = site.glane("vacuum")
    suite.true("vacuum removes the old payload that nothing names, and the half one", code == 0 and out.splitlines()[1].split()[1] == "3", (code, out, err))
    suite.same("and leaves what a commit, a quarantined record or an hour's age protects", payloads(site), named | {young, held})
    run = site.run("--all", "--offline")
    suite.true("a run without the network still has its answers", run.code == 0 and set(run.verdicts.values()) == {"unchanged"}, run)
    suite.same("the store is sound", site.glane("check", "--store")[0], 0)
    site.configure(section("a", server.url) + section("b", server.url, "keep_payloads = all"))
    old = put_payload(site, b"old", 30)
    code, out, err = site.glane("vacuum")
    suite.true("keep_payloads = all keeps all", code == 0 and "all kept" in out and old in payloads(site), (code, out, err))


def beside_others(suite, server):
    """A run holds the lock; a reader is under way."""
    site, seen = made(suite, server, "beside", 3, 3000)
    reader = subprocess.Popen([support.GLANE, "-c", str(site.conf), "export"], stdout=subprocess.PIPE)
    first = os.read(reader.stdout.fileno(), 1000)  # the pipe is full long before the export's end
    suite.same("compact and vacuum while an export is under way", [site.glane(*w)[0] for w in (("compact",), ("vacuum", "--keep", "1h"))], [0, 0])
    text = (first + reader.communicate(timeout=support.TIMEOUT)[0]).decode()
    suite.true("it is whole", reader.returncode == 0 and text == seen[-1][1], (reader.returncode, len(text), len(seen[-1][1])))
    with subprocess.Popen(["flock", str(site.store / "lock"), "sh", "-c", "echo held; read line"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        for words in (("compact",), ("vacuum",)):
            code, out, err = site.glane(*words)
            suite.true(f"{words[0]} while a run holds the lock: exit 4", code == 4 and "holds the lock" in err and not out, (code, out, err))
        suite.same("a dry run needs no lock", [site.glane(c, "--dry-run")[0] for c in ("compact", "vacuum")], [0, 0])
        holder.communicate(b"\n")


def main():
    suite = support.Suite("upkeep")
    with support.Server({}) as server:
        usage(suite, server)
        joined(suite, server)
        unnamed_payloads(suite, server)
        beside_others(suite, server)
    sys.exit(suite.finish())


main()
