#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds and rejected records through real runs: kept and heard of every night, shown, accepted, rejected, expired, released,
replayed, and whole after a kill at any moment. TAP on standard output."""
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time

import support
from support import Answer

BASE = [("TGO", 2000 + i, f"{i}.50") for i in range(20)] + [("BEN", 2000 + i, f"{i}") for i in range(20)]


def table(rows):
    return "code,year,value\n" + "".join(f"{c},{y},{v}\n" for c, y, v in rows)


def section(name, url, files="a.csv", more=""):
    return (f"[source {name}]\nplugin = csv\nbase_url = {url}\nfiles = {files}\ndataset = D\nindicator = =I\narea = code\n"
            f"period = year\nvalue = value\nretries = 0\n{more}")


def day(n, hour=3):
    return f"2026-03-{n:02}T{hour:02}:00:00Z"


def night(site, n, *words, hour=3):
    return site.run("--all", "--now", day(n, hour), *words)


def status(site, name="s", when=day(28)):
    return {s["source"]: s for s in json.loads(site.glane("status", "--json", "--now", when)[1])}[name]


def hold_files(site, name="s"):
    folder = site.store / "quarantine" / name
    return sorted(p.name for p in folder.iterdir()) if folder.exists() else []


def document(site, name="s"):
    return json.loads((site.store / "quarantine" / name / "hold.json").read_text())


def unpacked(path):
    """The text of a small .zst file of any number of frames."""
    return support.unpacked(path.read_bytes()).decode()


def sound(suite, name, site):
    code, out, err = site.glane("check", "--store")
    suite.true(f"{name}: the store is sound", code == 0, out + err)


SHRUNK = [r for r in BASE if r[1] < 2010] + [("GHA", 2001, "7.0")]  # half of it withdrawn, one new


def held(suite, server):
    """A collapsed answer: its payload and its diff are kept, and it is heard of every night, whatever the server sends."""
    server.routes["/a.csv"] = Answer(table(BASE), "text/csv", etag='"1"')
    site = suite.site("held", section("s", server.url, more="every = 1w\n"))
    night(site, 1)
    before = site.export()
    server.routes["/a.csv"] = Answer(table(SHRUNK), "text/csv", etag='"2"')
    first = night(site, 9)
    suite.same("a collapsed answer is held: exit 1", (first.code, first.verdicts), (1, {"s": "held"}))
    run = first.report["run"]
    suite.same("its diff is kept beside the document", hold_files(site), [f"{run}.ndjson.zst", "hold.json"])
    events = [json.loads(line) for line in unpacked(site.store / f"quarantine/s/{run}.ndjson.zst").splitlines()]
    suite.same("the diff: every event, the old row beside the new one",
               (sorted({e["event"] for e in events}), sum(e["event"] == "withdrawn" for e in events), [e["old"] for e in events if e["event"] == "new"],
                {e["old"]["value"] is not None for e in events if e["event"] == "withdrawn"}), (["new", "withdrawn"], 20, [None], {True}))
    payload = document(site)["runs"][run]["requests"][0]["sha256"]
    suite.true("its payload is in the archive", list(site.store.glob(f"payloads/{payload[:2]}/{payload}*.zst")) != [], payload)
    suite.same("the rows stay", site.export(), before)
    files = {p: (site.store / "quarantine/s" / p).read_bytes() for p in hold_files(site)}
    server.log.clear()
    again = site.run("--now", day(10))  # a weekly source, due every night while something of it is held
    suite.same("heard of the night after, though it is due once a week", (again.code, again.verdicts, len(server.log)), (1, {"s": "held"}, 1))
    suite.true("with its age", "held since 2026-03-09" in again.sources["s"]["message"], again)
    suite.same("the same answer: the same hold, file by file", {p: (site.store / "quarantine/s" / p).read_bytes() for p in hold_files(site)}, files)
    code, out, _ = site.glane("run", "--now", day(11), "-q")
    suite.true("a quiet run says it too", code == 1 and re.match(r"s +held +.*held since 2026-03-09", out), out)
    server.routes["/a.csv"] = Answer(table(SHRUNK[:-1]), "text/csv", etag='"3"')
    other = night(site, 12)
    doc = document(site)
    suite.same("another collapsed answer: another diff, the same `since`",
               (hold_files(site), [(h["since"], h["run"], h["withdrawn"], h["new"]) for h in doc["holds"]]),
               ([f"{other.report['run']}.ndjson.zst", "hold.json"], [(1773025200, other.report["run"], 20, 0)]))
    site.run("s", "--now", day(12, 4), "--offline")
    suite.same("a run without network leaves it alone", document(site), doc)
    server.routes["/a.csv"] = Answer("", "text/csv")
    failed = night(site, 13)
    suite.same("a failed night leaves it alone", (failed.verdicts, document(site)), ({"s": "failed"}, doc))
    code, out, _ = site.glane("status", "--now", day(14))
    suite.true("status: how long, and by which gate", re.search(r"held for 5 days .*min_rows_percent", out), out)
    suite.same("status --json", [(h["rule"], h["age_seconds"], h["run"], h["ends"]) for h in status(site, when=day(14))["holds"]],
               [("min_rows_percent", 5 * 86400, other.report["run"], day(16))])
    out = site.glane("status", "--prometheus", "--now", day(14))[1]
    suite.true("status --prometheus", f'glane_hold_age_seconds{{source="s",dataset="D",indicator="",rule="min_rows_percent"}} {5 * 86400}\n' in out, out)
    sound(suite, "held", site)
    server.routes["/a.csv"] = Answer(table(BASE), "text/csv", etag='"1"')
    back = night(site, 15)
    suite.same("the last commit's answer again, by a 304: nothing is held any more",
               (back.code, back.verdicts, server.log[-1][1], hold_files(site), status(site)["holds"]), (0, {"s": "unchanged"}, 304, [], []))


def world(url, name="wb", indicators="A B", more=""):
    return f"[source {name}]\nplugin = worldbank\nbase_url = {url}\nindicators = {indicators}\nrate = 500/s\nretries = 0\n{more}"


def series(values, updated="2026-01-01"):
    """{indicator: {(area, year): value}} as a World Bank server."""
    def answer(target):
        names = re.split(";|%3B", re.search(r"indicator/([^?]+)", target)[1])
        if not set(names) <= set(values):
            return None
        rows = [{"indicator": {"id": name, "value": name}, "country": {"id": a, "value": a}, "countryiso3code": a, "date": str(y), "value": v,
                 "unit": "", "obs_status": "", "decimal": 1} for name in names for (a, y), v in values[name].items()]
        return Answer(json.dumps([{"page": 1, "pages": 1, "per_page": 1000, "total": len(rows), "lastupdated": updated}, rows]), "application/json")
    return answer


def grid(add=0.0, years=10):
    return {(a, 2000 + i): i + 0.5 + add for a in ("TGO", "BEN") for i in range(years)}


def accepted(suite, server):
    """Two slices are held, a third one goes on; one is accepted, then the other, out of the archive."""
    values = {"A": grid(), "B": grid(1), "C": grid(2)}
    server.routes = series(values)
    site = suite.site("accepted", world(server.url, indicators="A B C"))
    night(site, 1)
    values.update(A=grid(years=5), B=grid(1, years=4), C={**grid(2), ("GHA", 2003): 3.0})
    run = night(site, 2)
    suite.same("two slices of three are held, the third one goes on",
               (run.code, run.verdicts, [s["status"] for s in run.sources["wb"]["slices"]]), (1, {"wb": "partial"}, ["held", "held", "ok"]))
    server.log.clear()
    code, out, err = site.glane("quarantine", "list", "--now", day(4))
    suite.true("list", code == 0 and not err and len(re.findall(r"^wb +held for 2 days \(min_rows_percent\)", out, re.M)) == 2, out + err)
    items = json.loads(site.glane("quarantine", "list", "--json", "--now", day(4))[1])
    suite.same("list --json", [(i["kind"], i["source"], i["indicator"], i["withdrawn"], i["age_seconds"]) for i in items],
               [("hold", "wb", "A", 10, 172800), ("hold", "wb", "B", 12, 172800)])
    code, out, err = site.glane("quarantine", "show", "wb", "--limit", "3")
    lines = re.findall(r"^  withdrawn  (\S+ (\w) \w+ \d+): (\S+) -> nothing$", out, re.M)
    suite.same("show: the reason and the first events of each", (code, err, [(i, v) for _, i, v in lines], out.count("below gate.min_rows_percent")),
               (0, "", [("A", "5.5"), ("A", "6.5"), ("A", "7.5"), ("B", "5.5"), ("B", "6.5"), ("B", "7.5")], 2))
    suite.same("show: what to do next, once", out.count("next: glane quarantine accept wb commits it, reject drops it (or glane run wb --accept)"), 1)
    suite.same("show RUN", site.glane("quarantine", "show", run.report["run"], "--limit", "3")[1], out)

    before = site.export()
    code, out, err = site.glane("quarantine", "accept", "wb", "--indicator", "A", "--now", day(4))
    suite.true("accept of one slice: exit 0, and its line", code == 0 and re.match(r"wb +ok .* 10 withdrawn.*accepted, held since 2026-03-02", out), (code, out, err))
    want = [r for r in before if not (r["indicator"] == "A" and int(r["period"]) >= 2005)]
    suite.same("the store: these events and nothing else", site.export(), want)
    suite.same("the other one is still held", ([h["indicator"] for h in document(site, "wb")["holds"]], status(site, "wb")["status"]), (["B"], "partial"))
    suite.same("nobody was asked", server.log, [])
    report = json.loads(site.glane("runs", sorted(p.stem for p in (site.store / "runs").iterdir())[-1])[1])
    suite.same("a run of its own, whose cause is the source", (report["sources"][0]["cause"], report["sources"][0]["commit"], report["now"]), ("source", 3, day(4)))
    suite.same("it is no check of the source", status(site, "wb")["checked"], day(2))
    code, out, err = site.glane("quarantine", "accept", "wb", "--indicator", "A")
    suite.true("once more: a usage error, since it is not held", code == 2 and "is held" in err, (code, out, err))
    code, out, err = site.glane("quarantine", "accept", "wb", "--now", day(5))
    suite.same("accept of what is left", (code, err, site.export(), hold_files(site, "wb"), status(site, "wb")["status"]),
               (0, "", [r for r in want if not (r["indicator"] == "B" and int(r["period"]) >= 2004)], [], "ok"))
    code, out, err = site.glane("quarantine", "accept", "wb")
    suite.true("nothing left: a clear word, exit 0", code == 0 and not out and "nothing of wb is held" in err, (code, out, err))
    rows = site.export()
    suite.same("the nights after are silent", [(r.code, r.verdicts) for r in (night(site, 6), night(site, 7))], [(0, {"wb": "unchanged"})] * 2)
    suite.same("and change nothing", site.export(), rows)
    sound(suite, "accepted", site)
    # Held on two nights: two answers to parse, one command.
    values.update(A=grid(years=2))
    night(site, 8)
    values.update(B=grid(1, years=1))
    night(site, 9)
    doc = document(site, "wb")
    suite.same("held on two nights", ([h["indicator"] for h in doc["holds"]], len(doc["runs"]), len(hold_files(site, "wb"))), (["A", "B"], 2, 3))
    before = site.export()
    code, out, err = site.glane("quarantine", "accept", "wb", "--now", day(10))
    suite.same("both are accepted, each out of its own answers", (code, out.count("accepted"), hold_files(site, "wb"), site.export()),
               (0, 2, [], [r for r in before if not (r["indicator"] == "A" and int(r["period"]) >= 2002 or r["indicator"] == "B" and int(r["period"]) >= 2001)]))
    suite.same("and the nights after are silent", [(r.code, r.verdicts) for r in (night(site, 11), night(site, 12))], [(0, {"wb": "unchanged"})] * 2)
    sound(suite, "accepted on two nights", site)


def refused(suite, server):
    """What an accept must refuse."""
    server.routes = {"/a.csv": Answer(table(BASE), "text/csv")}
    site = suite.site("refused", section("s", server.url) + section("none", server.url, more="keep_payloads = none\n"))
    night(site, 1)
    server.routes["/a.csv"] = Answer(table(SHRUNK), "text/csv")
    night(site, 2)
    code, _, err = site.glane("quarantine", "accept", "none")
    suite.true("keep_payloads = none: what to do instead", code == 1 and "run none --accept" in err, (code, err))
    rows = site.export("--source", "s")
    site.configure(section("s", server.url, more="unit = =kg\n"))
    code, out, err = site.glane("quarantine", "accept", "s")
    suite.true("options that changed: not what was held", code == 1 and "reads otherwise" in out and site.export("--source", "s") == rows, (code, out, err))
    site.configure(section("s", server.url))
    payload = document(site)["runs"][document(site)["holds"][0]["run"]]["requests"][0]["sha256"]
    body = next(site.store.glob(f"payloads/{payload[:2]}/{payload}*.zst"))
    body.rename(body.with_suffix(".away"))
    code, out, err = site.glane("quarantine", "accept", "s")
    suite.true("a payload that is gone", code == 1 and "not in the archive" in out and site.export("--source", "s") == rows, (code, out, err))
    code, out, err = site.glane("check", "--store")
    suite.true("check --store names it", code == 5 and payload in err, (code, out, err))
    body.with_suffix(".away").rename(body)
    sound(suite, "refused", site)
    diff = next((site.store / "quarantine/s").glob("*.ndjson.zst"))
    text = diff.read_bytes()
    for name, damaged in (("other bytes", text[:-9] + bytes([text[-9] ^ 1]) + text[-8:]), ("cut", text[:len(text) // 2]), ("empty", b"")):
        diff.write_bytes(damaged)
        code, out, err = site.glane("check", "--store")
        suite.true(f"check --store: a diff of {name}", code == 5 and diff.name in err, (code, out, err))
        code, out, err = site.glane("quarantine", "show", "s")
        suite.true(f"show: a diff of {name}", code == 5 and diff.name in err, (code, out, err))
    diff.write_bytes(text)
    site.configure(section("s", server.url) + section("none", server.url, more="keep_payloads = none\n"))
    file = site.store / "quarantine/s/hold.json"
    text = file.read_bytes()
    for name, damaged in (("cut", text[:len(text) // 2]), ("no holds", b"{}"), ("empty", b"")):
        file.write_bytes(damaged)
        words = [site.glane("quarantine", *w)[::2] for w in (("list",), ("show", "s"), ("accept", "s"), ("reject", "s"))]
        suite.true(f"a damaged document ({name}): exit 5, the file and what to do",
                   all(code == 5 and "hold.json" in err and "remove the file" in err for code, err in words), words)
        code, out, err = site.glane("check", "--store")
        suite.true(f"a damaged document ({name}): check --store", code == 5 and "hold.json" in err, (code, out, err))
        run = night(site, 3)
        suite.true(f"a damaged document ({name}): the source fails, the other one goes on",
                   (run.code, run.verdicts) == (5, {"none": "held", "s": "failed"}) and "hold.json" in run.sources["s"]["message"] and
                   "broker" not in run.err, (run, run.err))
    file.write_bytes(text)
    other = file.with_name("rejected.json")
    other.write_bytes(b"{")
    run = night(site, 3)
    suite.true("a damaged rejected.json: likewise", (run.code, run.verdicts) == (5, {"none": "held", "s": "failed"}) and
               "rejected.json" in run.sources["s"]["message"], (run, run.err))
    other.unlink()
    diff.unlink()
    night(site, 4)
    doc = document(site)
    code, out, err = site.glane("quarantine", "show", "s")
    suite.same("a diff that is gone: written anew by the next night, with the same age",
               (code, err, [h["since"] for h in doc["holds"]], len(hold_files(site)), "withdrawn" in out), (0, "", [1772420400], 2, True))
    sound(suite, "refused, mended", site)
    file.unlink()
    suite.same("without it the next night holds it anew", (night(site, 4).verdicts["s"], len(document(site)["holds"])), ("held", 1))
    for words in ((), ("what",), ("accept",), ("accept", "nobody"), ("list", "nobody"), ("show",), ("show", "20200101T000000Z"), ("replay", "s", "x"),
                  ("accept", "s", "s"), ("list", "--limit", "x"), ("show", "s", "--json"), ("reject", "s", "--json"), ("accept", "s", "--dataset", "nothing")):
        code, out, err = site.glane("quarantine", *words)
        suite.true(f"usage: quarantine {' '.join(words)}", code == 2 and not out and err.startswith("glane: "), (code, out, err))
    for verb in ("accept", "reject", "replay"):
        code, out, err = site.glane("--store", str(site.folder / "nowhere"), "quarantine", verb, "s")
        suite.true(f"{verb} in a store that is not there: exit 5, and none is made", code == 5 and "no store at" in err and
                   not (site.folder / "nowhere").exists(), (code, out, err))
    code, out, err = site.glane("quarantine", "--help")
    suite.true("--help", code == 0 and all(w in out for w in ("accept", "replay", "gate.hold_days")) and not err, out + err)


def rejected(suite, server):
    server.routes = {"/a.csv": Answer(table(BASE), "text/csv")}
    site = suite.site("rejected", section("s", server.url))
    night(site, 1)
    rows = site.export()
    server.routes["/a.csv"] = Answer(table(SHRUNK), "text/csv")
    night(site, 2)
    code, out, err = site.glane("quarantine", "reject", "s", "--now", day(3))
    suite.true("reject", code == 0 and "rejected: 1" in out and not err, (code, out, err))
    listed = json.loads(site.glane("quarantine", "list", "--json")[1])
    suite.same("list --json: what was rejected", [(i["kind"], i["rule"], i["at"], i["why"]) for i in listed], [("rejected_hold", "min_rows_percent", day(3), "rejected")])
    for words in (("list",), ("show", "s"), ("show", listed[0]["run"])):
        code, out, err = site.glane("quarantine", *words)
        suite.true(f"{' '.join(words[:1])}: when, by which gate and why",
                   code == 0 and re.match(r"s +rejected on 2026-03-03 \(min_rows_percent\): D: .*gate.min_rows_percent", out), (code, out, err))
    suite.same("nothing is held any more", (hold_files(site), status(site)["holds"], status(site)["status"]), (["rejected.json"], [], "unchanged"))
    again = night(site, 4)
    suite.true("the same answer is dropped without a hold, and says so",
               (again.code, again.verdicts) == (0, {"s": "unchanged"}) and "was rejected on 2026-03-03" in again.sources["s"]["message"], again)
    suite.same("the rows stay", (site.export() == rows, status(site)["holds"]), (True, []))
    server.routes["/a.csv"] = Answer(table(SHRUNK[:-2]), "text/csv")
    suite.same("another answer is judged anew", (night(site, 5).verdicts, len(document(site)["holds"])), ({"s": "held"}, 1))
    server.routes["/a.csv"] = Answer(table(SHRUNK), "text/csv")
    suite.same("the rejected one again", (night(site, 6).verdicts, hold_files(site)), ({"s": "unchanged"}, ["rejected.json"]))
    took = night(site, 7, "--accept")
    suite.same("run --accept takes it all the same, and nothing is rejected any more", (took.verdicts, len(site.export()), hold_files(site)), ({"s": "ok"}, 21, []))
    server.routes["/a.csv"] = Answer(table(BASE), "text/csv")
    night(site, 8, "--accept")
    server.routes["/a.csv"] = Answer(table(SHRUNK), "text/csv")
    suite.same("so that the way back and forth is judged anew", night(site, 9).verdicts, {"s": "held"})
    # Another gate lets pass what was rejected.
    site.glane("quarantine", "reject", "s", "--now", day(10))
    suite.same("rejected again", [night(site, n).verdicts for n in (11, 12)], [{"s": "unchanged"}] * 2)
    site.configure(section("s", server.url, more="gate.max_rows_percent = 900\n"))
    suite.true("another gate that holds it too: rejected still, and silent again",
               ["was rejected" in night(site, n).sources["s"].get("message", "") for n in (13, 14)] == [True, False])
    site.configure(section("s", server.url, more="gate.min_rows_percent = 10\ngate.max_withdrawn_percent = 90\n"))
    took = night(site, 15)
    suite.same("a gate that lets it pass takes it", (took.verdicts, len(site.export()), hold_files(site)), ({"s": "ok"}, 21, []))
    sound(suite, "rejected", site)


def offline(suite, server):
    """Without network what is held stays, unless it is taken then."""
    server.routes = {"/a.csv": Answer(table(BASE), "text/csv")}
    site = suite.site("offline", section("s", server.url, more="gate.max_rows_percent = 100000\n"))
    night(site, 1)
    server.routes["/a.csv"] = Answer(table(SHRUNK), "text/csv")
    night(site, 2)
    # The last commit's answers under another option: every row is another one, and what is held was made beside the old ones.
    site.configure(section("s", server.url, more="unit = =kg\n"))
    run = site.run("s", "--offline", "--accept", "--now", day(3))
    suite.same("run --offline --accept: what it commits is not held any more",
               (run.verdicts, hold_files(site), status(site)["holds"]), ({"s": "ok"}, [], []))
    suite.same("the night after judges anew", (night(site, 4).verdicts, [h["since"] for h in document(site)["holds"]]), ({"s": "held"}, [1772593200]))
    sound(suite, "offline", site)


def many(suite, server):
    """More slices than anybody looks at, rejected at once."""
    names = [f"I{i}" for i in range(70)]
    values = {name: grid() for name in names}
    server.routes = series(values)
    site = suite.site("many", world(server.url, indicators=" ".join(names)))
    night(site, 1)
    values.update({name: grid(years=2) for name in names})
    night(site, 2)
    code, out, err = site.glane("quarantine", "reject", "wb", "--now", day(3))
    suite.true("70 slices are rejected", code == 0 and "rejected: 70" in out, (code, out, err))
    suite.same("none of them is held anew", (night(site, 4).verdicts, hold_files(site, "wb")), ({"wb": "unchanged"}, ["rejected.json"]))


def apart(suite, server):
    """Held on two nights; the payload of the one is gone: the other one is accepted all the same."""
    values = {"A": grid(), "B": grid(1)}
    server.routes = series(values)
    site = suite.site("apart", world(server.url))
    night(site, 1)
    values.update(A=grid(years=2))
    night(site, 2)
    values.update(B=grid(1, years=1))
    night(site, 3)
    doc = document(site, "wb")
    first = min(doc["runs"])
    payloads = [{r["sha256"] for r in doc["runs"][run]["requests"]} for run in sorted(doc["runs"])]
    for sha256 in payloads[0] - payloads[1]:
        next(site.store.glob(f"payloads/{sha256[:2]}/{sha256}*.zst")).unlink()
    code, out, err = site.glane("quarantine", "accept", "wb", "--json", "--now", day(4))
    reports = [json.loads(line) for line in out.splitlines()]
    suite.same("each run of its own, a report a line; exit 1 for the one that failed",
               (code, sorted(r["sources"][0]["status"] for r in reports), [h["run"] for h in document(site, "wb")["holds"]]), (1, ["failed", "ok"], [first]))


def seen(suite, server):
    """What a provider writes reaches no terminal raw."""
    def rows(n):
        return Answer("code,year,value,note\n" + "".join(f"{c},{y},{v},x\x1b[31my\n" for c, y, v in BASE[:n]), "text/csv")
    server.routes = {"/a.csv": rows(40)}
    site = suite.site("seen", section("s", server.url, more="flags = note\n"))
    night(site, 1)
    server.routes["/a.csv"] = rows(5)
    run = night(site, 2)
    code, out, err = site.glane("quarantine", "show", "s")
    suite.true("show: control bytes are written out", code == 0 and "\x1b" not in out and "x\\x1b[31my" in out, (run, code, out, err))


def expired(suite, server):
    server.routes = {"/a.csv": Answer(table(BASE), "text/csv")}
    site = suite.site("expired", section("s", server.url) + section("short", server.url, more="gate.hold_days = 2\n"))
    night(site, 1)
    rows = site.export()
    server.routes["/a.csv"] = Answer(table(SHRUNK), "text/csv")
    night(site, 2)
    run = night(site, 4)
    listed = [i for i in json.loads(site.glane("quarantine", "list", "short", "--json")[1]) if i["kind"] == "rejected_hold"]
    suite.same("list: rejected by its age", [(i["why"], i["at"]) for i in listed], [("expired", day(4))])
    suite.true("gate.hold_days = 2: over after two days; the default is not", run.verdicts == {"s": "held", "short": "unchanged"} and
               "since 2026-03-02 is rejected after 2 days" in run.sources["short"]["message"], run)
    suite.same("the last moment of seven days", site.run("s", "--now", "2026-03-09T02:59:59Z").verdicts, {"s": "held"})
    shutil.copytree(site.store, site.folder / "saved", symlinks=True)
    code, out, _ = site.glane("run", "s", "--now", day(9), "-q")
    suite.true("a quiet run says that it is over, once", code == 0 and re.match(r"s +unchanged .*is rejected after 7 days", out), (code, out))
    suite.same("and is silent then", site.glane("run", "s", "--now", day(10), "-q")[:2], (0, ""))
    shutil.rmtree(site.store)
    (site.folder / "saved").rename(site.store)
    server.routes["/a.csv"] = Answer("", "text/csv")
    run = night(site, 9)
    suite.true("seven days, on a night that fails: rejected all the same", run.verdicts["s"] == "failed" and
               "is rejected after 7 days" in run.sources["s"]["message"] and hold_files(site) == ["rejected.json"], run)
    server.routes["/a.csv"] = Answer(table(SHRUNK), "text/csv")
    suite.same("the answer again: dropped", (night(site, 10).verdicts["s"], hold_files(site)), ("unchanged", ["rejected.json"]))
    suite.same("the rows stay", site.export(), rows)
    sound(suite, "expired", site)


def released(suite, server):
    """A mass revision: a second identical fetch releases it where the provider's own stamp moved, and only there."""
    values = {"A": grid(years=40), "B": grid(years=40)}
    server.routes = series(values, "2026-01-01")
    site = suite.site("released", world(server.url))
    night(site, 1)
    values["A"] = grid(1, years=40)
    runs = [night(site, n) for n in (2, 3, 4)]
    suite.same("a mass revision without a new stamp is held, however often it is said",
               [(r.verdicts, [s.get("rule") for s in r.sources["wb"]["slices"]]) for r in runs], [({"wb": "partial"}, ["max_revised_percent", None])] * 3)
    before = site.export()
    server.routes = series(values, "2026-03-04")
    suite.same("with a new stamp and another diff: held", (values.update(A=grid(2, years=40)), night(site, 5).verdicts, site.export() == before)[1:],
               ({"wb": "partial"}, True))
    suite.same("the same again within six hours: held", (night(site, 5, hour=8).verdicts, site.export() == before), ({"wb": "partial"}, True))
    site.run("wb", "--offline", "--now", day(5, 20))
    suite.same("without network the same payload is no second answer", (site.export() == before, len(document(site, "wb")["holds"])), (True, 1))
    run = night(site, 6)
    suite.true("the night after: released by itself", run.verdicts == {"wb": "ok"} and run.code == 0 and
               run.sources["wb"]["message"].startswith("released: held since 2026-03-02") and run.sources["wb"]["events"]["revised"] == 80, run)
    suite.same("its rows are there, nothing is held", (sorted({float(r["value"]) for r in site.export("--indicator", "A")})[:2], hold_files(site, "wb")),
               ([2.5, 3.5], []))
    values["A"] = grid(2, years=3)
    server.routes = series(values, "2026-03-09")
    suite.same("another gate is never released by itself", [night(site, n).verdicts for n in (10, 11, 12)], [{"wb": "partial"}] * 3)
    suite.same("and its rows stay", len(site.export()), 160)
    sound(suite, "released", site)


def replayed(suite, server):
    """Records that cannot be normalised, by the name of an area column, and read again once the options are mended."""
    server.routes = {"/a.csv": Answer("code,year,value,when\n" + "".join(f"TGO,{1870 + i},{i}.5,{1870 + i}\n" for i in range(150)) +
                                      "BEN,oops,7.5,2001\nBEN,oops,8.5,2002\n", "text/csv")}
    site = suite.site("replayed", section("s", server.url, more="gate.max_quarantined_percent = 2\n"))
    first = night(site, 1)
    run = first.report["run"]
    suite.same("two records are rejected", (first.code, first.verdicts, first.sources["s"]["rejected"]), (1, {"s": "partial"}, 2))
    records = json.loads((site.store / f"quarantine/s/{run}.json").read_text())["records"]
    body = server.routes["/a.csv"].body
    suite.same("each with stage, rule and place", [(r["stage"], r["rule"], body[r["offset"]:].split(b"\n")[0].decode(), r["line"]) for r in records],
               [("normalise", "period", "BEN,oops,7.5,2001", 152), ("normalise", "period", "BEN,oops,8.5,2002", 153)])
    code, out, err = site.glane("quarantine", "show", "s")
    suite.true("show: the records", code == 0 and "normalise, rule period" in out and "BEN,oops,7.5,2001" in out and records[0]["payload"] in out, out + err)
    suite.same("list", [(i["kind"], i["records"], i["run"]) for i in json.loads(site.glane("quarantine", "list", "--json")[1])], [("rejected", 2, run)])
    server.log.clear()
    code, out, err = site.glane("quarantine", "replay", "s", "--now", day(2))
    suite.true("replay with the same options: what remains", code == 1 and re.match(r"s +partial .*2 records in quarantine", out), (code, out, err))
    site.configure(section("s", server.url, more="gate.max_quarantined_percent = 2\n").replace("period = year", "period = when"))
    code, out, err = site.glane("quarantine", "replay", "s", "--now", day(3))
    suite.true("with another column: committed", code == 0 and re.match(r"s +ok .* 2 new", out), (code, out, err))
    suite.same("the records are rows now", [(r["area"], r["period"], r["value"]) for r in site.export("--area", "BEN")],
               [("BEN", "2001", "7.5"), ("BEN", "2002", "8.5")])
    suite.same("nobody was asked", server.log, [])
    sound(suite, "replayed", site)
    # A run before the last commit: its answers may be older than the rows.
    server.routes["/a.csv"] = Answer("code,year,value,when\n" + "".join(f"TGO,{1870 + i},9.5,{1870 + i}\n" for i in range(150)), "text/csv")
    site.configure(section("s", server.url, more="gate.max_quarantined_percent = 2\n" + "".join(
        f"gate.{k} = 100\n" for k in ("max_withdrawn_percent",)) + "gate.min_rows_percent = 1\n").replace("period = year", "period = when"))
    site.run("s", "--accept", "--now", day(4))
    rows = site.export()
    code, out, err = site.glane("quarantine", "replay", "s", run, "--now", day(5))
    suite.same("replay of a run before the last commit brings nothing back", (code, site.export() == rows), (0, True))
    # Too many: the source fails, its payload is kept, and a replay can mend it.
    server.routes["/b.csv"] = Answer("code,year,value,when\n" + "".join(f"TGO,no {i},{i}.5,{1870 + i}\n" for i in range(30)), "text/csv")
    site.configure(section("t", server.url, "b.csv"))
    run = site.run("t", "--now", day(6))
    suite.true("a share above the cap fails the source", run.verdicts == {"t": "failed"} and "gate.max_quarantined_percent" in run.sources["t"]["message"], run)
    server.log.clear()
    site.configure(section("t", server.url, "b.csv").replace("period = year", "period = when"))
    code, out, err = site.glane("quarantine", "replay", "t", "--now", day(7))
    suite.same("and a replay mends it without network", (code, len(site.export("--source", "t")), server.log, status(site, "t")["status"]), (0, 30, [], "ok"))
    # What came after the run that is replayed: its verdict is the last one.
    server.routes["/c.csv"] = Answer("code,year,value,when\n" + "".join(f"TGO,no {i},{i}.5,{1870 + i}\n" for i in range(30)), "text/csv")
    site.configure(section("u", server.url, "c.csv"))
    site.run("u", "--now", day(8))
    server.routes["/c.csv"] = Answer("gone", "text/plain", status=404)
    site.run("u", "--now", day(9))
    site.configure(section("u", server.url, "c.csv").replace("period = year", "period = when"))
    code, out, err = site.glane("quarantine", "replay", "u", "--now", day(10))
    suite.same("a replay of the run before a failed one: its rows come, the failure stays",
               (code, len(site.export("--source", "u")), status(site, "u")["status"], status(site, "u")["checked"]), (0, 30, "failed", day(9)))
    sound(suite, "replayed", site)


def kept_for(suite, server):
    """Documents of rejected records: 30 days, but the newest one stays."""
    server.routes = {"/a.csv": Answer("code,year,value\n" + "".join(f"TGO,{1870 + i},{i}\n" for i in range(150)) + "BEN,oops,7.5\n", "text/csv")}
    site = suite.site("kept", section("s", server.url))
    runs = [site.run("s", "--now", f"2026-{m:02}-{d:02}T03:00:00Z").report["run"] for m, d in ((3, 1), (3, 20), (4, 10))]
    suite.same("documents of more than 30 days go", hold_files(site), [f"{r}.json" for r in runs[1:]])
    site.run("s", "--now", "2026-09-01T03:00:00Z")
    suite.same("and only the newest is left after months", len(hold_files(site)), 1)


def killed(suite, server):
    """kill -9 at random moments of an accept: the hold or its commit, whole; and it can be accepted then."""
    server.routes = {"/a.csv": Answer(table(BASE), "text/csv")}
    site = suite.site("killed", section("s", server.url))
    night(site, 1)
    server.routes["/a.csv"] = Answer(table(SHRUNK), "text/csv")
    night(site, 2)
    before = site.export()
    shutil.copytree(site.store, site.folder / "saved", symlinks=True)
    started = time.monotonic()
    site.glane("quarantine", "accept", "s", "--now", day(3))
    took = time.monotonic() - started
    after = site.export()
    suite.same("what an accept makes of it", (len(before), len(after), hold_files(site)), (40, 21, []))
    (site.store / "quarantine" / "s" / "20260302T030000Z.ndjson.zst").write_bytes(b"left behind")
    night(site, 5)
    suite.same("a diff that nothing names goes with the next run", hold_files(site), [])
    seed = int(os.environ.get("GLANE_TEST_SEED", random.randrange(1 << 30)))
    chance, wrong, seen = random.Random(seed), [], {"before": 0, "after": 0}
    for i in range(int(os.environ.get("GLANE_TEST_KILLS", "12"))):
        shutil.rmtree(site.store)
        shutil.copytree(site.folder / "saved", site.store, symlinks=True)
        with subprocess.Popen([support.GLANE, "-c", str(site.conf), "quarantine", "accept", "s", "--now", day(3)], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as p:
            time.sleep(chance.uniform(0, 1.1 * took))
            p.kill()
        time.sleep(0.05)  # its children end with it
        rows = [{k: v for k, v in r.items()} for r in site.export()]
        seen["before" if rows == before else "after"] += 1
        if rows not in (before, after):
            wrong.append((i, "rows", len(rows)))
        code, out, err = site.glane("check", "--store")
        if code != 0 and "behind the stream" not in err:  # what the next run mends
            wrong.append((i, "check", out + err))
        for _ in range(50):  # the lock of a broker that is ending
            code, out, err = site.glane("quarantine", "accept", "s", "--now", day(4))
            if code != 4:
                break
            time.sleep(0.1)
        if code == 0 and hold_files(site):  # it was killed before it could remove the diff: the next run does
            night(site, 5)
        if code != 0 or [r["value"] for r in site.export()] != [r["value"] for r in after] or hold_files(site):
            wrong.append((i, "accept again", code, out, err, hold_files(site)))
    suite.true(f"killed at {sum(seen.values())} moments: all or nothing, and it can be accepted then ({seen})", not wrong, (seed, wrong))


def crashed_night(suite, server):
    """kill -9 at random moments of a night that holds: no hold, or a whole one."""
    server.routes = {"/a.csv": Answer(table(BASE), "text/csv")}
    site = suite.site("crashed", section("s", server.url))
    night(site, 1)
    server.routes["/a.csv"] = Answer(table(SHRUNK), "text/csv")
    shutil.copytree(site.store, site.folder / "saved", symlinks=True)
    started = time.monotonic()
    night(site, 2)
    took, chance, wrong, holds = time.monotonic() - started, random.Random(), [], 0
    for i in range(int(os.environ.get("GLANE_TEST_KILLS", "8"))):
        shutil.rmtree(site.store)
        shutil.copytree(site.folder / "saved", site.store, symlinks=True)
        with subprocess.Popen([support.GLANE, "-c", str(site.conf), "run", "s", "--now", day(2)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as p:
            time.sleep(chance.uniform(0.5 * took, 1.5 * took))
            p.kill()
        time.sleep(0.05)
        code, out, err = site.glane("check", "--store")
        listed = json.loads(site.glane("quarantine", "list", "--json")[1])
        holds += len(listed)
        if (code != 0 and "behind the stream" not in err) or len(listed) > 1:
            wrong.append((i, code, out, err, listed))
        for _ in range(50):
            run = night(site, 3)
            if run.code != 4:
                break
            time.sleep(0.1)
        if run.verdicts != {"s": "held"} or len(document(site)["holds"]) != 1 or len(hold_files(site)) != 2:
            wrong.append((i, run, hold_files(site)))
    suite.true(f"a night killed at random: no hold or a whole one ({holds} whole)", not wrong, wrong)


suite = support.Suite("quarantine")
with support.Server({}) as local:
    for part in (held, accepted, refused, rejected, offline, many, apart, seen, expired, released, replayed, kept_for, killed, crashed_night):
        part(suite, local)
sys.exit(suite.finish())
