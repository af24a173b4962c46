#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every command as a person, cron or a monitor sees it: exit codes, what goes where, --help, a terminal and a pipe, what is due,
dry runs, trials, states and metrics. TAP on standard output."""
import fcntl
import json
import os
import pty
import re
import select
import shlex
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import support  # noqa: E402

COMMANDS = ("run", "sources", "plugins", "status", "runs", "export", "changes", "parse", "check")
ROWS = "code,year,value\n" + "".join(f"TGO,{2000 + i},{i}.50\nBEN,{2000 + i},{i}\n" for i in range(20))
CSV = "dataset = D\nindicator = =I\narea = code\nperiod = year\nvalue = value\nretries = 0\n"
RUN_ID = re.compile(r"^\d{8}T\d{6}Z(-\d+)?$")


def source(name, url, files="a.csv", more=""):
    return f"[source {name}]\nplugin = csv\nbase_url = {url}\nfiles = {files}\n{CSV}{more}\n"


def bare(*words, **more):
    done = subprocess.run([support.GLANE, *words], capture_output=True, text=True, timeout=support.TIMEOUT, check=False, **more)
    return done.returncode, done.stdout, done.stderr


# ---- words and options

def usage(suite):
    code, out, err = bare("--help")
    suite.true("--help: on standard output, every command named", code == 0 and not err and all(f"  {c}" in out for c in COMMANDS), out + err)
    code, out, err = bare("--version")
    suite.true("--version", code == 0 and re.match(r"glane \d+\.\d+\.\d+ \(plugin ABI 1\.\d+\)\n$", out) and not err, out + err)
    code, out, err = bare()
    suite.true("no command: 2, help on standard error", code == 2 and not out and "COMMAND" in err, (code, out, err))
    for command in COMMANDS:
        for option in ("--help", "-h"):
            code, out, err = bare(command, option)
            suite.true(f"{command} {option}", code == 0 and out.startswith(f"glane {command}") and not err, (code, out, err))
        if command != "parse":
            code, out, err = bare(command, "--nonsense")
            suite.true(f"{command} with an unknown option: 2, named", code == 2 and not out and "--nonsense" in err, (code, out, err))
    for words, what in (((("fetch",)), "no command 'fetch'"), (("--nonsense", "run"), "--nonsense"), (("-c",), "-c"), (("--store",), "--store"),
                        (("run", "--limit"), "needs a value"), (("run", "--limit", "0"), "--limit 0"), (("run", "--limit=x"), "--limit x"),
                        (("run", "--jobs", "65"), "--jobs 65"), (("run", "-j", "-1"), "--jobs -1"), (("run", "--now", "tomorrow"), "--now tomorrow"),
                        (("run", "--all=yes"), "takes no value"), (("sources", "word"), "one word too many"), (("export", "--format", "xls"), "xls"),
                        (("status", "--json", "--prometheus"), "exclude each other"), (("run", *["--tag=a"] * 65), "more than 64 times"),
                        (("parse",), "KEY=VALUE")):
        code, out, err = bare(*words)
        suite.true(f"glane {' '.join(words[:3])}: 2, and why", code == 2 and not out and what in err, (code, out, err))
    suite.same("help, help help, help COMMAND: as --help", [bare("help"), bare("help", "help"), bare("help", "plugins")],
               [bare("--help"), bare("--help"), bare("plugins", "--help")])
    for word, near in (("stauts", "status"), ("export-", "export"), ("chekc-plugin", "check-plugin")):
        code, _, err = bare(word)
        suite.true(f"a misspelt command: {word}", code == 2 and f"did you mean '{near}'?" in err, err)
    suite.same("one that is like none", "did you mean" in bare("fetch")[2], False)
    for word in ("status", "changes", "export"):
        code, _, err = bare(word, "ons-trade")
        suite.true(f"{word} with the name of a source: how it is said", code == 2 and "--source ons-trade" in err, err)
    code, _, err = bare("-c", "/nowhere/glane.conf", "sources")
    suite.true("no such configuration: 2", code == 2 and "/nowhere/glane.conf" in err, err)
    alone = suite.site("alone")
    alone.conf.write_text("[glane]\n")
    code, _, err = alone.glane("export")
    suite.true("no tables beside a configuration: the key that says where they are", code == 2 and "economies.csv: not there (`tables = DIR` in [glane]" in err,
               (code, err))


# ---- exit codes

def exit_codes(suite, server):
    site = suite.site("codes", source("good", server.url) + source("other", server.url, "b.csv"))
    r = site.run()
    suite.same("0: every source is ok", (r.code, r.verdicts), (0, {"good": "ok", "other": "ok"}))
    r = site.run()
    suite.same("0: every source is unchanged", (r.code, r.verdicts), (0, {"good": "unchanged", "other": "unchanged"}))
    server.routes["/b.csv"] = support.Answer("<html>", "text/html")
    r = site.run()
    suite.same("1: one failed, the rest is committed", (r.code, r.verdicts["other"]), (1, "failed"))
    server.routes["/b.csv"] = support.Answer("code,year,value\nTGO,2000,1\n", "text/csv")
    r = site.run("other")
    suite.same("1: one that is held is no failure", (r.code, r.verdicts), (1, {"other": "held"}))
    server.routes["/b.csv"] = support.Answer("", "text/csv")
    r = site.run("other")
    suite.same("3: every source failed", (r.code, r.verdicts), (3, {"other": "failed"}))
    for words, what in ((("nobody",), "no source is called 'nobody'"),):
        r = site.run(*words)
        suite.true("2: an unknown source", r.code == 2 and what in r.err and not r.out, r)
    site.configure("[source bad]\nplugin = csv\nevery = sometimes\n", "bad")
    code, out, err = site.glane("run", "--all")
    suite.true("2: an error of the configuration, with file and line, and nothing is started", code == 2 and "bad.conf:3" in err and not out, err)
    (site.folder / "sources.d/bad.conf").unlink()
    os.mkfifo(site.folder / "sources.d/fifo.conf")
    code, out, err = site.glane("sources")
    suite.true("2: a FIFO among the sources is not waited for", code == 2 and "fifo.conf: a FIFO or pipe, not a regular file" in err and not out, err)
    (site.folder / "sources.d/fifo.conf").unlink()
    before = site.snapshot(outside=True)
    with open(site.store / "lock", "r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code, out, err = site.glane("run", "--all")
        suite.true("4: another run holds the lock; one line", code == 4 and not out and err.count("\n") == 1 and "lock" in err, (code, out, err))
        suite.same("4: it wrote nothing", site.snapshot(outside=True), before)
        code, out, err = site.glane("run", "--dry-run", "--all")
        suite.true("a dry run takes no lock", code == 0 and f"GET {server.url}/a.csv" in out, (code, out, err))
        suite.true("readers need no lock", site.glane("status")[0] == 0 and site.glane("export")[0] == 0)
    (site.store / "format").write_text("99\n")
    codes = [site.glane(*words)[0] for words in (("run", "--all"), ("export",), ("runs",), ("status",), ("check", "--store"), ("run", "--dry-run"))]
    suite.same("5: a store of an unknown format", codes, [5] * 6)
    blocked = suite.site("blocked", source("good", server.url))
    blocked.store.write_text("a file\n")
    codes = [blocked.glane(*words)[0] for words in (("run", "--all"), ("run", "--dry-run", "--all"), ("export",), ("status",))]
    suite.same("5: the store is a file", codes, [5] * 4)
    foreign = suite.site("foreign", source("good", server.url))
    foreign.store.mkdir()
    (foreign.store / "letters.txt").write_text("mine\n")
    suite.same("5: a folder that is no store and not empty, also in a dry run",
               [foreign.glane("run", "--all", *w)[0] for w in ((), ("--dry-run",))], [5, 5])
    suite.same("and it stays as it was", os.listdir(foreign.store), ["letters.txt"])
    with open("/dev/full", "wb") as full:
        done = subprocess.run([support.GLANE, "-c", str(site.conf), "--store", str(suite.folder / "first/store"), "sources"], stdout=full,
                              stderr=subprocess.PIPE, check=False)
    suite.true("5: the result cannot be written", done.returncode == 5 and b"cannot write the result" in done.stderr, done)


# ---- what goes where

def streams(suite, server):
    site = suite.site("streams", source("good", server.url) + source("late", server.url, "late.csv"))
    code, out, err = site.glane("run", "good")
    suite.true("a pipe gets one plain line per source, standard error nothing",
               code == 0 and err == "" and re.match(r"^good +ok +40 rows: 40 new, 0 revised.*\n$", out) and "\033" not in out, (out, err))
    suite.same("-q: silent on success", site.glane("run", "good", "-q"), (0, "", ""))
    code, out, err = site.glane("run", "--all", "-q")
    suite.true("-q: what failed is said, and only that", code == 1 and out.startswith("late ") and out.count("\n") == 1 and "\033" not in out + err,
               (out, err))
    suite.same("-q: nothing is due, nothing is said", site.glane("run", "-q"), (0, "", ""))
    code, out, err = site.glane("run")
    suite.true("nothing is due: said on standard error", code == 0 and out == "" and "nothing is due" in err, (out, err))
    code, out, err = site.glane("run", "good", "--json")
    report = json.loads(out)
    suite.true("--json: the report alone on standard output", err == "" and RUN_ID.match(report["run"]) and report["exit"] == 0, out + err)
    suite.same("the same report lies in runs/", json.loads(site.glane("runs", report["run"])[1]), report)
    code, out, err = site.glane("runs")
    lines = out.splitlines()
    suite.true("runs: one line per run, newest last", code == 0 and len(lines) == 4 and lines[-1].startswith(report["run"]) and
               "late failed" in lines[2] and "exit 1" in lines[2], out)
    suite.same("runs of an id that is none, of one that is not there: 2", [site.glane("runs", w)[0] for w in ("x", "20010101T000000Z")], [2, 2])


def on_terminal(argv, columns, env):
    """Exit status and everything a terminal of so many columns was sent."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execvpe(argv[0], argv, env)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    got, end = b"", time.monotonic() + support.TIMEOUT
    while time.monotonic() < end:
        try:
            data = os.read(fd, 65536) if select.select([fd], [], [], 1)[0] else None
        except OSError:
            break
        if data == b"":
            break
        got += data or b""
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), got.decode("utf-8", "replace")


def terminal(suite):
    def slow(target):
        if target == "/data.csv":
            time.sleep(1.5)
        return support.Answer(ROWS, "text/csv")

    with support.Server(slow) as server:
        site = suite.site("terminal", source("slow", server.url, "data.csv"))
        argv = [support.GLANE, "-c", str(site.conf), "run", "slow"]
        env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": "xterm"}
        code, text = on_terminal(argv, 200, env)
        lines = re.findall(r"\033\[K(slow [^\r\n]*)", text)
        suite.true("a terminal sees progress: bytes, rows, what it waits for",
                   code == 0 and lines and all(re.match(r"slow +\d[\d.]* k?M?B.* +\d+ rows.*  \S", line) for line in lines), repr(text))
        suite.true("and each line is drawn over the last one", "\033[1A\r\033[J" in text, repr(text))
        suite.true("then the result in colour", re.search(r"slow +\033\[32mok +\033\[0m 40 rows", text), repr(text))
        code, text = on_terminal(argv, 60, {**env, "NO_COLOR": "1"})
        lines = re.findall(r"\033\[K(slow [^\r\n]*)", text)
        suite.true("no line is wider than the terminal, no colour where NO_COLOR says so",
                   code == 0 and lines and max(map(len, lines)) < 60 and "\033[3" not in text and "unchanged" in text, repr(text))
        code, text = on_terminal([*argv, "-q"], 80, env)
        suite.same("-q: silent on a terminal too", (code, text), (0, ""))
        code, text = on_terminal([*argv, "--json"], 80, env)
        suite.true("--json: no progress between", code == 0 and json.loads(text), repr(text))


# ---- what is asked

def dry(suite, server):
    site = suite.site("dry", source("good", server.url) + source("off", server.url, "off.csv", "enabled = no"))
    server.log.clear()
    code, out, err = site.glane("run", "--dry-run")
    suite.true("a dry run lists the requests", code == 0 and f"GET {server.url}/a.csv" in out and "off.csv" not in out, (code, out, err))
    suite.true("it makes no store and asks nobody", not site.store.exists() and not server.log, (os.listdir(site.folder), server.log))
    site.run()
    before = site.snapshot(outside=True)
    code, out, err = site.glane("run", "--dry-run", "--all")
    suite.true("after a run it knows the sizes", code == 0 and f"(about {len(ROWS)} bytes)" in out, (code, out, err))
    suite.same("and writes nothing", site.snapshot(outside=True), before)
    code, out, _ = site.glane("run", "--dry-run", "--all", "--json")
    suite.same("--dry-run --json: the requests", [q["url"] for s in json.loads(out)["sources"] for q in s["requests"]], [f"{server.url}/a.csv"])
    for root, dirs, _ in os.walk(site.store):
        for name in dirs:
            os.chmod(os.path.join(root, name), 0o555)
    os.chmod(site.store, 0o555)
    suite.same("a store that may only be read is enough", site.glane("run", "--dry-run", "--all")[0], 0)
    for root, dirs, _ in os.walk(site.store):
        for name in dirs:
            os.chmod(os.path.join(root, name), 0o755)
    os.chmod(site.store, 0o755)


def options(suite, server):
    server.routes["/b.csv"] = support.Answer(ROWS, "text/csv")
    site = suite.site("options", source("one", server.url, "a.csv", "tags = daily small\n") + source("two", server.url, "b.csv", "tags = weekly\n") +
                      source("off", server.url, "c.csv", "enabled = no\ntags = daily\n"))
    r = site.run("one", "--limit", "7")
    suite.true("--limit: a trial, nothing committed, no report",
               r.code == 0 and r.verdicts == {"one": "trial"} and r.sources["one"]["rows"] <= 7 and not os.listdir(site.store / "runs") and
               not site.commits(), r)
    suite.same("--tag: its sources, also where not due, if enabled", site.run("--tag", "daily").verdicts, {"one": "ok"})
    code, out, err = site.glane("run", "--tag", "daily", "--tag", "nosuch")
    suite.true("--tag that no source has: 2", code == 2 and not out and "no source has the tag 'nosuch'" in err, (code, out, err))
    suite.same("--tag twice: either", site.run("--tag", "daily", "--tag=weekly", "--all").verdicts, {"one": "unchanged", "two": "ok"})
    suite.same("a disabled source runs where it is named", (site.run("off").code, site.run("--all").verdicts.get("off")), (3, None))
    suite.same("--jobs 1", site.run("--all", "-j1").verdicts, {"one": "unchanged", "two": "unchanged"})
    r = site.run("one", "--now", "2030-01-02T03:04:05Z")
    suite.same("--now: the time and the id of the run", (r.report["now"], r.report["run"]), ("2030-01-02T03:04:05Z", "20300102T030405Z"))
    server.routes["/b.csv"] = support.Answer("code,year,value\nTGO,2000,0.50\n", "text/csv")
    suite.same("a collapse is held", site.run("two").verdicts, {"two": "held"})
    r = site.run("two", "--accept")
    suite.same("--accept commits it", (r.verdicts, r.sources["two"]["events"]["withdrawn"]), ({"two": "ok"}, 39))
    server.log.clear()
    r = site.run("--all", "--offline")
    suite.same("--offline asks nobody", (r.verdicts, server.log), ({"one": "unchanged", "two": "unchanged"}, []))
    fresh = suite.site("offline", source("one", server.url))
    r = fresh.run("--offline")
    suite.true("--offline without an archive says so", r.code == 3 and "not in the payload archive" in r.err + r.out, r)
    suite.same("--inproc comes to the same", suite.site("inproc", source("one", server.url)).run("--inproc").verdicts, {"one": "ok"})


def due(suite, server):
    site = suite.site("due", source("daily", server.url, "a.csv", "every = 1d\n") + source("weekly", server.url, "a.csv", "every = 1w\n"))

    def at(when):
        code, out, _ = site.glane("run", "--json", "--now", when)
        return code, {s["source"]: s["status"] for s in json.loads(out)["sources"]} if out else {}

    both, day = {"daily": "ok", "weekly": "ok"}, {"daily": "unchanged"}
    suite.same("the first night: all", at("2026-03-01T03:17:09Z"), (0, both))
    suite.same("17:59 hours later: nothing", at("2026-03-01T21:16:09Z"), (0, {}))
    suite.same("the next night, some minutes early", at("2026-03-02T03:01:00Z"), (0, day))
    nights = [at(f"2026-03-{n:02}T03:{17 + n % 3 * 20}:{n:02}Z")[1] for n in range(3, 8)]
    suite.same("no night is skipped, whatever the minute", nights, [day] * 5)
    suite.same("six days and 18 hours: the weekly one", at("2026-03-07T21:18:00Z")[1], {"weekly": "unchanged"})
    suite.same("P10 after a month without a run: once, not once per night missed", [at(f"2026-04-10T03:{m}:00Z")[1] for m in (17, 18)],
               [{"daily": "unchanged", "weekly": "unchanged"}, {}])
    suite.same("the clock went back by a year: due", at("2025-04-10T03:17:00Z")[1], {"daily": "unchanged", "weekly": "unchanged"})


def mended(suite, server):
    """A source that failed is due as soon as its section is another one."""
    every = "every = 1d\n"
    site = suite.site("mended", source("one", server.url, more=every).replace("value = value", "value = valeur"))

    def due():
        out = site.glane("run", "--json")[1]
        return {s["source"]: s["status"] for s in json.loads(out)["sources"]} if out else {}

    suite.same("a section with a column that is not there", due(), {"one": "failed"})
    suite.same("as it stands it waits for its time", due(), {})
    site.configure(source("one", server.url, more=every))
    suite.same("mended it is due at once", due(), {"one": "ok"})
    site.configure(source("one", server.url, more=every + "unit = =PT\n"))
    suite.same("what did not fail is not asked earlier for it", due(), {})


def doubts(suite, server):
    """What no rule forbids and looks like a mistake: told by parse, by the line of the run, by its report and by status."""
    text = "code,year,value\nBénin,2020,\"1,5\"\nTogo,2020,2\nTogo,2021,n.a. (see note)\n"
    server.routes["/doubts.csv"] = support.Answer(text, "text/csv", etag='"1"')
    site = suite.site("doubts", source("one", server.url, "doubts.csv"))
    want = "2 series with areas that no table knows, e.g. 'Togo' (area_scheme?); 1 value is no number, e.g. '1,5' (decimal? group?)"
    err = site.glane("parse", "csv", *shlex.split("--dataset=D --indicator==I --area=code --period=year --value=value"), payload=text.encode())[2]
    suite.true("doubts: parse", f"glane: {want}\n" in err, err)
    out = site.glane("run")[1]
    suite.true("doubts: the line of the run", f"; {want}\n" in out, out)
    report = json.loads(sorted((site.store / "runs").glob("*.json"))[-1].read_text())["sources"][0]
    suite.same("doubts: the report", (report["unknown_areas"], report["text_values"]), (2, 1))
    site.run("--all")
    suite.true("doubts: status, also after a night on which nothing was read", f" {want}\n" in site.glane("status")[1], site.glane("status"))
    site.configure(source("one", server.url, "doubts.csv", "area_scheme = NAME\ndecimal = ,\n"))
    suite.true("doubts: gone with their cause", site.glane("run", "one")[0] == 0 and "no table" not in site.glane("status")[1], site.glane("status"))


def reasons(suite, server):
    """What stops a run is told, not what it met before and could do without."""
    def damage_report():
        file = max((site.folder / "store/runs").glob("*.json"), key=lambda f: f.stat().st_mtime_ns)
        file.write_text("{")
        return file.name

    site = suite.site("reasons", source("one", server.url))
    site.run()
    damage_report()
    suite.same("reasons: a report that does not read stops no run", site.run().code, 0)
    report = damage_report()
    (site.folder / "store/state/one/last.json").write_text("{")
    code, _, err = site.glane("run", "one")
    suite.true("reasons: what stops it is told", code == 5 and "last.json" in err and report not in err, (code, err))


def no_event(suite, server):
    """Other bytes, same rows: parsed once, then these bytes vouch for the rows as well."""
    def answer(path, text, etag):
        server.routes[path] = support.Answer(text, "text/csv", etag=etag)

    def night():
        server.log.clear()
        s = site.run().sources["two"]
        return s["status"], s["rows"], sorted(status for _, status in server.log)

    answer("/1.csv", ROWS, '"1"')
    answer("/2.csv", "code,year,value\nGHA,2000,1\n", '"1"')
    site = suite.site("no event", source("two", server.url, "1.csv 2.csv"))
    suite.same("first night", night(), ("ok", 41, [200, 200]))
    kept = site.snapshot()
    answer("/1.csv", "".join(ROWS.splitlines(True)[:1] + ROWS.splitlines(True)[:0:-1]), '"2"')
    suite.same("the same rows in another order: read once", night(), ("unchanged", 41, [200, 304]))
    suite.same("no reader the night after: its validators hold", night(), ("unchanged", 0, [304, 304]))
    suite.same("no commit and no payload came of it", {k: v for k, v in site.snapshot().items() if "/seen.json" not in k}, kept)
    answer("/2.csv", "code,year,value\nGHA,2000,2\n", '"2"')
    suite.same("the other page changes: the one whose body was not kept is fetched again", night(), ("ok", 41, [200, 200, 304]))
    suite.same("and all is there", sorted(site.short("area value", "--from", "2000", "--to", "2000")), ["BEN 0", "GHA 2", "TGO 0.50"])
    suite.same("then nothing changes", night(), ("unchanged", 0, [304, 304]))
    suite.same("every body that the commit names is kept", site.glane("check")[0], 0)
    answer("/1.csv", ROWS, '"3"')
    night()
    site.configure(source("two", server.url, "1.csv 2.csv", "unit = =PT\n"))
    suite.same("other options: read again, although nothing changed at the provider",
               (night()[0], {r["cause"] if "cause" in r else r["unit"] for r in site.export()}), ("ok", {"PT"}))
    answer("/1.csv", ROWS, '"4"')
    night()
    bodies = len([k for k in site.snapshot() if k.startswith("payloads/")])
    site.configure(source("two", server.url, "1.csv 2.csv", "unit = =PT\nkeep_payloads = all\n"))
    answer("/1.csv", ROWS + "\n", '"5"')
    suite.same("keep_payloads = all keeps what gave no event too", (night()[0], len([k for k in site.snapshot() if k.startswith("payloads/")])),
               ("unchanged", bodies + 2))
    suite.same("offline, where only the commit's own answers are kept", site.run("--all", "--offline").verdicts, {"two": "unchanged"})


# ---- what is there

def metrics_of(text):
    """The metrics of a text exposition, checked: HELP and TYPE first, one group per name, no series twice, numbers."""
    seen, typed, current = {}, set(), None
    assert text.endswith("\n")
    for line in text.splitlines():
        head = re.match(r"# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$", line)
        if head:
            if head[1] == "HELP":
                assert head[2] not in typed, line
                current = head[2]
                typed.add(current)
            else:
                assert head[2] == current and head[3] in ("gauge", "counter"), line
            continue
        m = re.match(r'([a-zA-Z_:][a-zA-Z0-9_:]*)\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\} (-?\d+)$', line)
        assert m and m[1] == current, line
        assert (m[1], m[2]) not in seen, line
        seen[m[1], m[2]] = int(m[3])
    return seen


def left_behind(suite, site, server):
    """A source whose section was removed or renamed: its rows stay, and status says so."""
    before = (site.folder / "sources.d/all.conf").read_text()
    site.configure(before.replace("[source one]", "[source uno]"))
    code, out, err = site.glane("status")
    heads = {line.split()[0]: line[25:36].strip() for line in out.splitlines() if line[0] != " "}
    suite.same("status: a source that no section names any more", (code, err, heads),
               (0, "", {"off": "disabled", "two": "held", "uno": "never run", "one": "no section"}))
    suite.true("and what that means", re.search(r"\none .* 40 rows\n +what it had stays in the tables; its section was removed or renamed\n", out), out)
    all_of = {s["source"]: (s["configured"], s["enabled"], s["overdue"], s["rows"], s["holds"]) for s in json.loads(site.glane("status", "--json")[1])}
    suite.same("in JSON: configured is false, and it is never overdue", (all_of["one"], all_of["uno"][0]), ((False, False, False, 40, []), True))
    suite.same("--source takes it", site.glane("status", "--source", "one")[1].count("no section"), 1)
    suite.true("metrics are of what is configured", 'source="one"' not in site.glane("status", "--prometheus")[1])
    site.configure(before)


def states(suite, server):
    server.routes["/b.csv"] = support.Answer(ROWS, "text/csv")
    site = suite.site("states", source("one", server.url, more="every = 1d\n") + source("two", server.url, "b.csv") +
                      source("off", server.url, "b.csv", "enabled = no\n"))
    code, out, err = site.glane("status")
    suite.true("status before the first run", code == 0 and out.count("never run") == 2 and "disabled" in out and not site.store.exists(), out + err)
    site.run("--all", "--now", "2026-03-01T03:00:00Z")
    server.routes["/b.csv"] = support.Answer("code,year,value\nTGO,2000,0.50\n", "text/csv")
    site.run("two", "--now", "2026-03-02T03:00:00Z")
    site.run("two", "--now", "2026-03-04T03:00:00Z")

    def state(name, when="2026-03-05T03:00:00Z"):
        return {s["source"]: s for s in json.loads(site.glane("status", "--json", "--now", when)[1])}[name]

    code, out, _ = site.glane("status", "--source", "two", "--source", "off")
    suite.same("status --source: these alone", (code, [line.split()[0] for line in out.splitlines() if line[0] != " "]), (0, ["off", "two"]))
    suite.true("status --source of an unknown one: 2", (r := site.glane("status", "--source", "ons-trad"))[0] == 2 and "no source is called 'ons-trad'" in r[2], r)
    for words in (("export",), ("changes",), ("series",), ("show", "TGO", "I")):
        code, out, err = site.glane(*words, "--source", "ons-trad")
        suite.true(f"{words[0]} --source of an unknown one: 2", code == 2 and not out and "no source is called 'ons-trad'" in err, (code, out, err))
    (site.folder / "sources.d/all.conf").rename(site.folder / "sources.d/gone")
    suite.same("export --source of one that only the store knows", site.glane("export", "--source", "one")[1].count("\n"), 41)
    (site.folder / "sources.d/gone").rename(site.folder / "sources.d/all.conf")
    left_behind(suite, site, server)
    one, two = state("one"), state("two")
    suite.same("newest period, rows, times, overdue", [one[k] for k in ("status", "newest_period", "rows", "checked", "changed", "overdue")],
               ["ok", "2019", 40, "2026-03-01T03:00:00Z", "2026-03-01T03:00:00Z", True])
    suite.same("not yet overdue after one interval and a half", state("one", "2026-03-02T15:00:00Z")["overdue"], False)
    suite.same("a hold keeps its age over the nights", (two["status"], [(h["dataset"], h["since"], h["age_seconds"]) for h in two["holds"]]),
               ("held", [("D", "2026-03-02T03:00:00Z", 3 * 86400)]))
    suite.same("a disabled source is never overdue", (state("off")["overdue"], state("off")["enabled"]), (False, False))
    out = site.glane("status", "--now", "2026-03-05T03:00:00Z")[1]
    suite.true("status for people: newest period, OVERDUE, held for", "newest 2019" in out and "OVERDUE" in out and "held for 3 days" in out, out)
    try:
        m, why = metrics_of(site.glane("status", "--prometheus", "--now", "2026-03-05T03:00:00Z")[1]), ""
    except AssertionError as e:
        m, why = {}, e
    suite.true("--prometheus: a valid exposition", m, why)
    suite.same("--prometheus: values", [m.get(k) for k in (
        ("glane_source_status", 'source="two",status="held"'), ("glane_source_overdue", 'source="one"'), ("glane_source_rows", 'source="one"'),
        ("glane_source_checked_timestamp_seconds", 'source="two"'), ("glane_hold_age_seconds", 'source="two",dataset="D",indicator="",rule="min_rows_percent"'))],
        [1, 1, 40, 1772593200, 3 * 86400])
    server.routes["/b.csv"] = support.Answer("", "text/csv")
    site.run("two", "--now", "2026-03-05T04:00:00Z")
    out = site.glane("status", "--source", "two")[1]
    suite.true("status of one that fails: its last success", out.count("last success") == 1 and "last success 2026-03-04T03:00:00Z\n" in out, out)
    suite.same("a failed night does not end a hold", [h["since"] for h in state("two")["holds"]], ["2026-03-02T03:00:00Z"])
    server.routes["/b.csv"] = support.Answer(ROWS, "text/csv")
    site.run("two", "--now", "2026-03-06T03:00:00Z")
    suite.same("it ends with the data that is back", (state("two")["status"], state("two")["holds"]), ("unchanged", []))
    server.routes["/b.csv"] = support.Answer(ROWS.replace("TGO,2019,19.50\n", "").replace("BEN,2019,19\n", ""), "text/csv")
    site.run("two", "--now", "2026-03-07T03:00:00Z")
    suite.same("the newest period goes back where rows were withdrawn", (state("two")["newest_period"], state("two")["rows"]), ("2018", 38))
    server.routes["/b.csv"] = support.Answer(ROWS + "TGO,2021-Q3,5\n", "text/csv")
    r = site.run("two", "--now", "2026-03-08T03:00:00Z")
    suite.same("and on with new ones", (r.verdicts, state("two")["newest_period"]), ({"two": "ok"}, "2021-Q3"))


def listings(suite, server):
    site = suite.site("listings", source("one", server.url, "a.csv", "tags = daily\nlicence = CC BY 4.0\nevery = 12h\n"))
    code, out, err = site.glane("sources")
    suite.true("sources", code == 0 and not err and re.match(rf"one +csv +enabled +every 12h +{server.url}  tags: daily\n\nCOVERAGE", out), out + err)
    s = json.loads(site.glane("sources", "--json")[1])["sources"]
    suite.same("sources --json", [(x["source"], x["plugin"], x["every_seconds"], x["tags"], x["licence"]) for x in s],
               [("one", "csv", 43200, ["daily"], "CC BY 4.0")])
    plain = suite.site("plugins")
    plain.conf.write_text(f"[glane]\nplugin_path = {support.OUT}/plugins\ntables = {support.TOP}/conf\n")
    code, out, err = plain.glane("plugins")
    suite.true("plugins: what is installed, sorted", code == 0 and [line.split()[0] for line in out.splitlines()] == sorted(p.stem for p in (support.OUT / "plugins").glob("*.so")), out)
    code, out, err = site.glane("plugins")
    suite.true("plugins: one that is refused is named and hides no other", code == 1 and "csv " in out and "evil_major" in err, (code, out, err))
    code, out, err = site.glane("plugins", "csv")
    suite.true("plugins NAME: options, types, help", code == 0 and re.search(r"^  delimiter +\S+ +\w", out, re.M) and "ABI 1." in out, out)
    suite.true("plugins NAME: the keys of every source", re.search(r"^  plugin provider enabled .* tags .* program arguments .*gate\.\*", out, re.M), out)
    suite.same("plugins of an unknown name: 2", site.glane("plugins", "nobody")[0], 2)
    code, out, err = site.glane("check")
    suite.true("check before the first run", code == 0 and "1 source\n" in out and "none at" in out and not site.store.exists(), (code, out, err))
    suite.same("check --store where there is none: 5", site.glane("check", "--store")[0], 5)
    site.run()
    code, out, err = site.glane("check")
    suite.true("check: both, no finding", code == 0 and "40 rows, 0 findings" in out and "1 body, 0 damaged" in out and not err, out + err)
    rows = next((site.store / "stream").glob("one-*.parquet"))
    rows.chmod(0o644)
    data = bytearray(rows.read_bytes())
    data[len(data) // 2] ^= 1
    rows.write_bytes(data)
    code, out, err = site.glane("check", "--store")
    suite.true("check --store: damage is 5, with the file", code == 5 and f"stream/{rows.name}" in err, (code, out, err))
    site.configure("[source two]\nplugin = nobody\n", "two")
    code, out, err = site.glane("check", "--conf")
    suite.true("check --conf: file and line of what is wrong", code == 2 and "two.conf:1" in err and "nobody" in err, err)
    site.configure(f"[source two]\nplugin = csv\n{CSV}files = a.csv\n"
                   "[source three]\nplugin = jsonstat\nurl = internet.json\nbase_url = https://example.org\n"
                   "[source four]\nplugin = exec\nprogram = nothing.py\nrequests = https://example.org/?k={auth:ky}\nauth = key=env:K\n"
                   "[source five]\nplugin = exec\nprogram = all.conf\n"
                   f"[source six]\nplugin = csv\nenabled = no\nbase_url = https://example.org\n{CSV}"
                   f"[source seven]\nplugin = csv\nhosts = example.org\n{CSV}files = https://example.org/a.csv?k={{auth:k}}\nauth = k=env:K\n"
                   f"[source eight]\nplugin = csv\n{CSV}files = https://example.org/a.csv?k={{auth:k}}\nauth = k=env:K\n", "two")
    code, out, err = site.glane("check", "--conf")
    wants = ["two.conf:1: [source two] needs 'base_url", ": url = internet.json: no address; below base_url write {base_url}/internet.json",
             "four: program: ", "nothing.py", ": requests = https://example.org/?k={auth:ky}: auth has no ky",
             "five: program: ", "not executable", "[source five] needs 'base_url",
             "[source eight] has auth: a secret is sent only to what the configuration names"]
    suite.same("check --conf: what can be said without asking anybody", (code, [w for w in wants if w not in err], "six" in err or "seven" in err), (1, [], False)) \
        or print("# " + err)
    for what, text, want in [
            ("of a disabled source", "[source two]\nplugin = csv\nenabled = no\nfiles = a\ndataset = D\nindicator = =I\nperiod = p\nvalue = v\naera = b\n", ("two.conf:9", "did you mean 'area'")),
            ("of a provider that nobody names", "[provider two]\nplugin = csv\nlicenze = b\n", ("two.conf:3", "did you mean 'licence'")),
            ("of the host's, there", "[provider two]\nplugin = csv\nevery = soon\n", ("two.conf:3", "not an interval")),
            ("of the gate's, there", "[provider two]\nplugin = csv\ngate.min_row = 3\n", ("two.conf:3", "no gate"))]:
        site.configure(text, "two")
        code, out, err = site.glane("check", "--conf")
        suite.true(f"check --conf: a misspelt key {what}", code == 2 and all(w in err for w in want), (code, err))
    for what, text in [("a provider that leaves keys to its sources", "[provider two]\nplugin = csv\nbase_url = http://127.0.0.1:1\n"), ("one without a plugin", "[provider two]\narea = b\n"),
                       ("a disabled source whose plugin is not here", "[source two]\nplugin = nobody\nenabled = no\nx = y\n")]:
        site.configure(text, "two")
        suite.same(f"check --conf: {what} is fine", site.glane("check", "--conf")[0], 0)
    (site.folder / "sources.d/two.conf").unlink()
    code, out, err = site.glane("parse", "csv", "--dataset=D", "--indicator==I", "--area=code", "--period=year", "--value=value", payload=ROWS.encode())
    suite.true("parse: rows on standard output, the count on standard error", code == 0 and out.count("\n") == 41 and "40 rows" in err, (out, err))
    words = ("parse", "csv", "--dataset=D", "--indicator==I", "--area=code", "--period=year", "--value=value")
    code, out, err = site.glane(*words, payload=ROWS.encode(), env={"TMPDIR": "/no/such/folder"})
    suite.true("parse: a pipe has to be kept somewhere", code == 1 and "/no/such/folder" in err, (code, err))
    suite.same("parse: an empty TMPDIR is none", site.glane(*words, payload=ROWS.encode(), env={"TMPDIR": ""})[0], 0)
    example = next(line for line in (support.TOP / "README.md").read_text().splitlines() if "build/glane parse csv" in line)
    words = shlex.split(example.partition("<")[0])[1:]
    code, out, err = site.glane(*words, payload=(support.TOP / "conf/sample/lpi/lpi-2023.csv").read_bytes())
    suite.same("parse: the example of the README", (code, out.count("\n"), err), (0, 19, "glane: 18 rows, 0 empty, 0 rejected\n"))


# ---- control characters that a provider sends: nothing for a terminal to obey, and the same text for who reads it

def controls(suite, server):
    name = "I\x1b[2J\x7f\u0085\u009b\\\u00e9"
    row = {"dataset": "D", "indicator": name, "area": "TGO", "area_scheme": "ISO3"}
    rows = [json.dumps({**row, "period": 2000 + i, "value": i}) for i in range(20)]
    cover = json.dumps({"cover": "full", "dataset": "D", "indicator": name})
    server.routes["/c"] = support.Answer("\n".join([*rows, cover]), "text/plain")
    site = suite.site("controls", f"[source c]\nplugin = exec\nprogram = ../cat\nrequests = {server.url}/c\nhosts = {server.url}\n")
    (site.folder / "cat").write_text("#!/bin/sh\nexec cat\n")
    (site.folder / "cat").chmod(0o755)
    site.run("c", "--now", "2026-03-01T03:00:00Z")
    server.routes["/c"] = support.Answer("\n".join([rows[0], cover]), "text/plain")
    held = site.run("c", "--now", "2026-03-02T03:00:00Z")
    suite.same("a slice with control characters in its name is held", held.verdicts, {"c": "held"})
    outs = {words[0]: site.glane(*words)[1] for words in (("status", "--json"), ("runs", held.report["run"]),
                                                          ("show", "TGO", name, "--json"), ("series", "--format", "ndjson"), ("quarantine", "list", "--json"))}
    outs["prometheus"] = site.glane("status", "--prometheus")[1]
    suite.same("no control character comes out", [w for w, out in outs.items() if re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", out)], [])
    suite.same("JSON gives the name back", [json.loads(outs["status"])[0]["holds"][0]["indicator"], json.loads(outs["show"])["indicator"],
                                            json.loads(outs["runs"])["sources"][0]["slices"][0]["indicator"], json.loads(outs["series"])["indicator"]], [name] * 4)
    shown = r"I\\x1b[2J\\x7f\\xc2\\x85\\xc2\\x9b" + "\\\\\u00e9"
    suite.true("a label says which they were, by the escapes that it may have", metrics_of(outs["prometheus"]) and f'indicator="{shown}"' in outs["prometheus"],
               outs["prometheus"])
    suite.true("the export has them as they are", name in site.glane("export")[1])


def main():
    suite = support.Suite("commands")
    usage(suite)
    with support.Server({"/a.csv": support.Answer(ROWS, "text/csv", etag='"1"'), "/b.csv": support.Answer(ROWS, "text/csv")}) as server:
        exit_codes(suite, server)
        streams(suite, server)
        dry(suite, server)
        options(suite, server)
        due(suite, server)
        mended(suite, server)
        doubts(suite, server)
        reasons(suite, server)
        no_event(suite, server)
        states(suite, server)
        listings(suite, server)
        controls(suite, server)
    terminal(suite)
    for root, dirs, _ in os.walk(suite.folder):
        for name in dirs:
            os.chmod(os.path.join(root, name), 0o755)
    sys.exit(suite.finish())


main()
