#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`changes` against an oracle that keeps the nights of its own: every event, by run, by time, through every filter, before and
after the stream is compacted; what is opened for it; SDMX-CSV, Parquet, text; `export` in every format; files that appear whole.
TAP on standard output."""
import csv
import datetime
import hashlib
import io
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import measure  # noqa: E402
import support  # noqa: E402

COLUMNS = ("source,dataset,indicator,area,area_code,dims,freq,period,period_start,value,value_text,unit,unit_mult,decimals,status,"
           "flags,note,recorded_at,known_at,event,cause,run,payload").split(",")
KEY = "source dataset indicator area_code dims freq period".split()
ATTRIBUTES = "area value_text unit unit_mult decimals status flags note".split()
SDMX = {"SOURCE": "source", "DATASET": "dataset", "INDICATOR": "indicator", "AREA_CODE": "area_code", "DIMS": "dims", "FREQ": "freq",
        "TIME_PERIOD": "period", "OBS_VALUE": "value", "REF_AREA": "area", "PERIOD_START": "period_start", "VALUE_TEXT": "value_text",
        "UNIT_MEASURE": "unit", "UNIT_MULT": "unit_mult", "DECIMALS": "decimals", "OBS_STATUS": "status", "OBS_FLAGS": "flags",
        "COMMENT_OBS": "note", "RECORDED_AT": "recorded_at", "KNOWN_AT": "known_at"}
FIRST = datetime.datetime(2026, 11, 1, 6, tzinfo=datetime.timezone.utc)
NIGHTS = 36  # enough for the stream to be compacted
READY = 8    # nights before that


def when(night):
    return (FIRST + datetime.timedelta(days=night)).strftime("%Y-%m-%dT%H:%M:%SZ")


def run_id(night):
    return when(night).replace("-", "").replace(":", "")


# ---- what the provider publishes on a night: (source, area, year, sex) -> (value, flag, note)

def published(night):
    rows = {}
    for source, areas in (("alpha", ("BEN", "GHA", "TGO")), ("beta", ("FRA", "TGO"))):
        for a, area in enumerate(areas):
            for year in range(2000, 2015):
                for sex in ("F", "M"):
                    rows[source, area, year, sex] = (f"{(a * 31 + year * 7) % 100}.{year % 10}0", "", "")
    alter = [
        (1, ("alpha", "BEN", 2003, "F"), ("7.77", "", "")),                     # revised
        (1, ("alpha", "BEN", 2004, "F"), (rows["alpha", "BEN", 2004, "F"][0], "p", "")),  # status
        (1, ("alpha", "GHA", 2001, "M"), None),                                 # withdrawn
        (1, ("alpha", "TGO", 2015, "F"), ("1e3", "e", 'a "note", and\nmore')),  # new
        (2, ("alpha", "GHA", 2001, "M"), ("0.5", "", "")),                      # restored with another value
        (2, ("beta", "FRA", 2000, "F"), ("<0.1", "", "")),                      # revised to a text
        (2, ("beta", "TGO", 2014, "M"), None),
        (5, ("alpha", "BEN", 2003, "F"), ("7.770", "", "")),                    # the same number, another digit: status
        (6, ("beta", "TGO", 2014, "M"), (rows["beta", "TGO", 2014, "M"][0], "", "")),  # restored as it was
        (6, ("alpha", "GHA", 2001, "M"), None),                                 # withdrawn again
        (6, ("alpha", "GHA", 2001, "F"), ("-0.30", "", "Ünï")),
    ]
    for at, key, row in alter:
        if at <= night and row is None:
            rows.pop(key, None)
        elif at <= night:
            rows[key] = row
    for later in range(READY, night + 1):  # a revision a night
        rows["alpha", "TGO", 2000 + later % 15, "M"] = (f"{later}.25", "", "")
        rows["beta", "FRA", 2000 + later % 15, "M"] = (f"{later}.75", "", "")
    return rows


def unit_of(source, night):
    return "PT" if source == "alpha" or night < 4 else "IX"  # night 4: another mapping of the same payload


def body(source, night):
    out = io.StringIO(newline="")
    w = csv.writer(out, lineterminator="\n")
    w.writerow(["code", "year", "sex", "value", "flag", "note"])
    for (name, area, year, sex), row in published(night).items():
        if name == source:
            w.writerow([area, year, sex, *row])
    return out.getvalue().encode()


def state(source, night):
    """{key: row of text}: what an export of that night holds of the source."""
    found = {}
    for (name, area, year, sex), (value, flag, note) in published(night).items():
        if name != source:
            continue
        number = {"<0.1": "", "1e3": "1000"}.get(value, value)
        row = dict.fromkeys(COLUMNS, "")
        row.update(source=source, dataset="D-" + source, indicator="IT.X", area=area, area_code=area, dims=f"SEX={sex}", freq="A",
                   period=str(year), period_start=f"{year}-01-01", value=number, value_text="" if number == value else value,
                   unit=unit_of(source, night), unit_mult="3", decimals=str(len(number.partition(".")[2])) if number else "",
                   status="A", flags=flag, note=note)
        found[tuple(row[c] for c in KEY)] = row
    return found


def event_of(old, now):
    """The word for a step from one row to another, None where nothing happened; old is the last state, perhaps a withdrawn one."""
    if old is None:
        return "new" if now else None
    if now is None:
        return None if old["event"] == "withdrawn" else "withdrawn"
    if old["event"] == "withdrawn":
        return "restored"
    same = float(old["value"]) == float(now["value"]) if old["value"] and now["value"] else (
        not old["value"] and not now["value"] and old["value_text"] == now["value_text"])
    if not same:
        return "revised"
    return "status" if any(old[c] != now[c] for c in ATTRIBUTES) else None


def oracle():
    """The events of each night, sorted by key: rows with all columns, as text."""
    known, nights = {}, []
    for night in range(NIGHTS):
        events = []
        for source in ("alpha", "beta"):
            now = state(source, night)
            for key in sorted({k for k in known if k[0] == source} | set(now), key=lambda k: [x.encode() for x in k]):
                word = event_of(known.get(key), now.get(key))
                if word is None:
                    continue
                row = dict(now[key] if word != "withdrawn" else known[key])
                row.update(recorded_at=when(night), known_at=when(night), event=word, run=run_id(night),
                           cause="mapping" if (source, night) == ("beta", 4) else "source",
                           payload="" if word == "withdrawn" else hashlib.sha256(body(source, night)).hexdigest())
                known[key] = row
                events.append(row)
        nights.append(events)
    return nights


def in_order(rows):
    return sorted(rows, key=lambda r: [r[c].encode() for c in KEY] + [r["recorded_at"]])


def since(nights, first, last=None):
    return in_order(r for events in nights[first:last] for r in events)


def net(rows):
    """The last event of each key, in the order of the keys."""
    return in_order({tuple(r[c] for c in KEY): r for r in rows}.values())


# ---- the store

def configure(site, url, night):
    site.configure("".join(
        f"[source {s}]\nplugin = csv\nbase_url = {url}\nfiles = {s}.csv\ndataset = D-{s}\nindicator = =IT.X\narea = code\nperiod = year\n"
        f"value = value\nflags = flag\nnote = note\ndims = SEX=sex\nunit = ={unit_of(s, night)}\nunit_mult = =3\narea_scheme = ISO3\n"
        f"title = =Title of {s}\narea_title = code\ncover = full\nretries = 0\n"
        for s in ("alpha", "beta")))


def one_night(suite, site, server, night):
    server.routes.update({f"/{s}.csv": support.Answer(body(s, night), "text/csv") for s in ("alpha", "beta")})
    configure(site, server.url, night)
    done = site.run("alpha", "beta", "--accept", "--now", when(night))
    if done.code != 0:
        suite.true(f"night {night}", False, done)


def changes(site, *words):
    """The rows of `changes` in csv as dictionaries."""
    code, out, err = site.glane("changes", "--format", "csv", *words)
    if code != 0:
        raise RuntimeError(f"changes {words}: exit {code}: {err}")
    return list(csv.DictReader(io.StringIO(out, newline="")))


def bare(rows):
    """Without the payload of withdrawals: which answer no longer held a key is the store's to say."""
    return [{**r, "payload": ""} if r["event"] == "withdrawn" else r for r in rows]


def differ(got, want):
    return [(g, w) for g, w in zip(got, want) if g != w][:1], len(got), len(want)


def agrees(suite, name, got, want):
    got, want = bare(got), bare(want)
    suite.true(name, got == want, differ(got, want))


# ---- what it says

def events(suite, site, nights, what):
    last = len(nights) - 1
    for night, want in enumerate(nights):
        if night < READY or night == last:
            agrees(suite, f"{what}: run of night {night}, {len(want)} events", changes(site, "--run", run_id(night)), want)
    agrees(suite, f"{what}: without a word, the last run's", changes(site), nights[last])
    agrees(suite, f"{what}: --run DATE is its last run", changes(site, "--run", when(2)[:10]), nights[2])
    agrees(suite, f"{what}: --run TIME is the last run that had begun", changes(site, "--run", when(2)[:10] + "T05:59:59Z"), nights[1])
    for first in (0, 1, 5, last):
        agrees(suite, f"{what}: --since night {first}", changes(site, "--since", when(first)), since(nights, first))
    agrees(suite, f"{what}: --since DATE begins with the day", changes(site, "--since", when(5)[:10]), since(nights, 5))
    agrees(suite, f"{what}: a second later the night is over", changes(site, "--since", when(5)[:18] + "1Z"), since(nights, 6))
    suite.same(f"{what}: --since tomorrow is the header alone", site.glane("changes", "--format", "csv", "--since", "2030-01-01"),
               (0, ",".join(COLUMNS) + "\n", ""))


FILTERS = {
    "--source alpha": lambda r: r["source"] == "alpha",
    "--source alpha --source beta --area TGO": lambda r: r["area"] == "TGO",
    "--dataset D-beta": lambda r: r["dataset"] == "D-beta",
    "--indicator IT.X --freq A": lambda r: True,
    "--indicator IT.Y": lambda r: False,
    "--freq M": lambda r: False,
    "--area BEN --area FRA": lambda r: r["area"] in ("BEN", "FRA"),
    "--group WAEMU": lambda r: r["area"] in ("BEN", "TGO"),
    "--from 2003 --to 2004": lambda r: r["period"] in ("2003", "2004"),
    "--dim SEX=F": lambda r: r["dims"] == "SEX=F",
    "--dim SEX=F --dim SEX=M --source beta": lambda r: r["source"] == "beta",
    "--dim SEX=F --dim AGE=Y": lambda r: False,
    "--catalogue internet-users": lambda r: False,
}


def filters(suite, site, nights):
    want = since(nights, 0, READY)
    for words, keep in FILTERS.items():
        agrees(suite, f"filter {words}", changes(site, "--since", when(0), *words.split()), [r for r in want if keep(r)])
    scaled = changes(site, "--since", when(0), "--scaled", "--area", "BEN", "--from", "2003", "--to", "2003", "--dim", "SEX=F")
    suite.same("--scaled", [(r["value"], r["unit_mult"], r["decimals"], r["event"]) for r in scaled],
               [("21300", "0", "0", "new"), ("7770", "0", "0", "revised"), ("7770", "0", "0", "status")])
    words = ("changes", "--since", when(0), "--format", "csv")
    suite.same("filters that nothing passes: the header, and a word on standard error", site.glane(*words, "--dataset", "nosuch"),
               (0, ",".join(COLUMNS) + "\n", "glane: no change of that time passes the filters\n"))
    for words in (("--area", "Lomé"), ("--freq", "D"), ("--dataset", "nosuch"), ("--to", "1900")):
        code, out, err = site.glane("export", *words)
        suite.true(f"export {' '.join(words)}: the header, and a word on standard error",
                   (code, out.count("\n"), err.count("\n")) == (0, 1, 1) and "no observation" in err, (code, out, err))
    for name in ("Togo", "tgo", "TG", "TOGO"):
        suite.same(f"export --area {name}: the rows of TGO", site.glane("export", "--area", name), site.glane("export", "--area", "TGO"))
    for words, why in ((("--freq", "annual"), "--freq annual: a letter"), (("--freq", "a"), "--freq a: a letter"),
                       (("--from", "2004", "--to", "2003"), "--from '2004' is later than --to '2003'")):
        code, out, err = site.glane("export", *words)
        suite.true(f"export {' '.join(words)}: usage, nothing printed", code == 2 and not out and why in err, (code, out, err))
    suite.same("export of what is there: no word", site.glane("export", "--area", "TGO")[2], "")
    for fmt in ("csv", "ndjson", "sdmx-csv", "parquet"):
        code, out, err = site.glane("export", "--format", fmt, "--from", "garbage")
        suite.true(f"export as {fmt}, a period that is none: 2, and nothing is printed", code == 2 and not out and "garbage" in err, (code, out, err))
    for words, why in (("--since soon", "--since 'soon'"), ("--run 20200101T000000Z", "no run 20200101T000000Z"), ("--run x", "'x'"),
                       ("--run 2020-01-01", "no run had begun"), ("--since 2026-11-01 --run 2026-11-01", "exclude"), ("--dim SEX", "KEY=VALUE"),
                       ("--group NOBODY", "NOBODY"), ("--from soon", "soon"), ("--format xls", "xls"), ("--action X --format sdmx-csv", "--action X"),
                       ("--format sdmx-csv", "--action"), ("--action R", "sdmx-csv"), ("-o /nowhere/file", "/nowhere/file")):
        code, out, err = site.glane("changes", *words.split())
        suite.true(f"changes {words}: 2, and why", code == 2 and not out and why in err, (code, out, err))


# ---- formats

def from_json(text):
    rows = []
    for line in text.splitlines():
        r = json.loads(line, parse_float=str, parse_int=str)
        rows.append({k: "" if v is None else v for k, v in r.items()})
    return rows


def from_sdmx(text):
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    head = {(r["STRUCTURE"], r["STRUCTURE_ID"]) for r in rows}
    actions = {r["ACTION"] for r in rows}
    return [{name: "" if name == "dims" and r[c] == "_Z" else r[c] for c, name in SDMX.items() if c in r} for r in rows], head, actions


def unescape(cell):
    return re.sub(r"\\(.)", lambda m: {"t": "\t", "n": "\n"}.get(m[1], m[1]), cell)


def from_parquet(path):
    """Rows as the tool writes them, their dates and times as text again; values are doubles."""
    done = subprocess.run([str(support.OUT / "tools/parquet_tool"), "read", str(path)], capture_output=True, check=True)
    head, *lines = done.stdout.decode().split("\n")[:-1]
    names = [c.split(":")[0] for c in head.split("\t")]
    rows = []
    for line in lines:
        r = {n: "" if c.startswith("\\N") else unescape(c) for n, c in zip(names, line.split("\t"))}
        r["period_start"] = str(datetime.date(1970, 1, 1) + datetime.timedelta(days=int(r["period_start"])))
        for c in ("recorded_at", "known_at"):
            r[c] = datetime.datetime.fromtimestamp(int(r[c]) // 1000000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        rows.append({**r, "value": float.fromhex(r["value"]) if r["value"] else ""})
    return rows


def as_double(row):
    return {**row, "value": float(row["value"]) if row["value"] else ""}


def formats(suite, site, nights):
    want = since(nights, 0, READY)
    code, out, _ = site.glane("changes", "--since", when(0), "--format", "ndjson")
    agrees(suite, "changes as ndjson", from_json(out), want)
    path = site.folder / "changes.parquet"
    site.glane("changes", "--since", when(0), "--format", "parquet", "-o", path)
    agrees(suite, "changes as parquet", from_parquet(path), [as_double(r) for r in want])
    for action, gone in (("R", False), ("D", True)):
        code, out, err = site.glane("changes", "--since", when(0), "--format", "sdmx-csv", "--action", action)
        rows, head, actions = from_sdmx(out)
        left = [r for r in net(want) if (r["event"] == "withdrawn") == gone]
        suite.true(f"changes as sdmx-csv, {action}: of each key what it came to",
                   code == 0 and left and rows == [{c: r[c] for c in (KEY if gone else SDMX.values())} for r in left] and actions == {action}
                   and head == {("dataflow", "GLANE:OBSERVATIONS(1.0.0)")}, (err, differ(rows, left), actions, head))
    suite.true("deletions say the whole key and nothing else", out.splitlines()[0].split(",")[3:] == list(SDMX)[:7] and
               all(all(cell for cell in line) for line in csv.reader(io.StringIO(out))), out[:300])


def as_exported(night, keep):
    rows = in_order(r for s in ("alpha", "beta") for r in state(s, night).values())
    return [r for r in rows if keep(r)]


def exports(suite, site, nights):
    """Every format, as of every night, through every filter: the same rows, and the oracle's."""
    for words, keep in FILTERS.items():
        for night in (2, READY - 1):
            options = [*words.split(), "--as-of", when(night)]
            want = as_exported(night, keep)
            plain = site.export(*options)
            as_json = from_json(site.glane("export", "--format", "ndjson", *options)[1])
            as_sdmx, _, actions = from_sdmx(site.glane("export", "--format", "sdmx-csv", *options)[1])
            path = site.folder / "all.parquet"
            code, _, err = site.glane("export", "--format", "parquet", "-o", path, *options)
            short = [{c: r[c] for c in COLUMNS[:17]} for r in plain]
            suite.true(f"export {words}, as of night {night}: {len(want)} rows in each format",
                       code == 0 and short == [{c: r[c] for c in COLUMNS[:17]} for r in want] and as_json == plain and as_sdmx == plain and
                       actions in ({"I"}, set()) and from_parquet(path) == [as_double(r) for r in plain], (err, differ(short, want)))


# ---- to read

TEXT = """Since 2026-11-02T06:00:00Z

alpha D-alpha IT.X: Title of alpha [PT x 10^3]
  2026-11-02  Benin SEX=F                  2003         revised    21.30 -> 7.77
  2026-11-06  Benin SEX=F                  2003         status     7.77 -> 7.770
  2026-11-02  Benin SEX=F                  2004         status     28.40, flags '' -> 'p'
  2026-11-07  Ghana SEX=F                  2001         revised    38.10 -> -0.30, note '' -> 'Ünï'
  2026-11-02  Ghana SEX=M                  2001         withdrawn  38.10 -> -
  2026-11-03  Ghana SEX=M                  2001         restored   - -> 0.5 (was 38.10)
  2026-11-07  Ghana SEX=M                  2001         withdrawn  0.5 -> -
  2026-11-02  Togo SEX=F                   2015         new        1000

beta D-beta IT.X: Title of beta [PT x 10^3]
  2026-11-03  France SEX=F                 2000         revised    0.00 -> <0.1

beta D-beta IT.X: Title of beta [IX x 10^3]
  2026-11-05  France SEX=F                 2000 to 2014  status     15 values, the last 98.40, unit 'PT' -> 'IX'  (mapping)
  2026-11-05  France SEX=M                 2000 to 2014  status     15 values, the last 98.40, unit 'PT' -> 'IX'  (mapping)
  2026-11-05  Togo SEX=F                   2000 to 2014  status     15 values, the last 29.40, unit 'PT' -> 'IX'  (mapping)
  2026-11-05  Togo SEX=M                   2000 to 2013  status     14 values, the last 22.30, unit 'PT' -> 'IX'  (mapping)

beta D-beta IT.X: Title of beta [PT x 10^3]
  2026-11-03  Togo SEX=M                   2014         withdrawn  29.40 -> -

beta D-beta IT.X: Title of beta [IX x 10^3]
  2026-11-07  Togo SEX=M                   2014         restored   - -> 29.40, unit 'PT' -> 'IX'

70 changes: 1 new, 3 revised, 61 status, 3 withdrawn, 2 restored
"""


def on_terminal(site, *words):
    """What `changes` writes to a terminal."""
    ours, its = pty.openpty()
    with subprocess.Popen([support.GLANE, "-c", str(site.conf), "changes", *words], stdout=its, stderr=its) as p:
        os.close(its)
        out = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # EIO: the other end is closed
                break
            if not piece:
                break
            out += piece
    os.close(ours)
    return p.returncode, out.decode().replace("\r\n", "\n")


def aligned(suite):
    """A column begins where it begins, however many bytes and characters its label has."""
    labels = ("Togo", "Co\u0302te", "\u6771\u4eac")  # with a mark of no width; twice as wide as its letters
    answer = support.Answer("area,title,year,value\n" + "".join(f"A{i},{t},2020,{i}\n" for i, t in enumerate(labels)), "text/csv")
    with support.Server({"/t.csv": answer}) as server:
        site = suite.site("aligned", f"[source a]\nplugin = csv\nbase_url = {server.url}/t.csv\ndataset = D\narea = area\narea_scheme = OWN\n"
                          "area_title = title\nperiod = year\nvalue = value\n")
        site.run("a", "--now", when(0))
    lines = site.glane("changes", "--format", "text")[1].splitlines()
    ends = [line.split(label)[1].index("2020") for label in labels for line in lines if label in line]
    suite.same("text: wide letters and marks without a width", ends, [29 - 4, 29 - 4, 29 - 4])


def to_read(suite, site):
    suite.same("text: old -> new, titles, one line for what goes together",
               site.glane("changes", "--format", "text", "--since", when(1)), (0, TEXT, ""))
    suite.same("text of a run", site.glane("changes", "--format", "text", "--run", run_id(2), "--source", "beta", "--scaled")[1],
               f"Run {run_id(2)}\n\nbeta D-beta IT.X: Title of beta [PT]\n  France SEX=F                 2000         revised    0 -> <0.1\n"
               "  Togo SEX=M                   2014         withdrawn  29400 -> -\n\n2 changes: 1 revised, 1 withdrawn\n")
    suite.same("text without an event", site.glane("changes", "--format", "text")[1], f"Run {run_id(READY - 1)}: no changes\n")
    suite.same("a terminal gets text", on_terminal(site, "--since", when(1)), (0, TEXT))
    suite.same("a terminal gets csv where it is asked for", on_terminal(site, "--format", "csv"), (0, ",".join(COLUMNS) + "\n"))


# ---- what is opened

def adds(site):
    """{file of the stream: the moments of its first and last event}, as the log of the table has them live."""
    live = {}
    for path in sorted((site.store / "stream/_delta_log").glob("*.json")):
        for line in path.read_text().splitlines():
            action = json.loads(line)
            if "add" in action:
                stats = json.loads(action["add"]["stats"])
                live[action["add"]["path"]] = tuple(stats[k]["recorded_at"].replace(".000Z", "Z") for k in ("minValues", "maxValues"))
            if "remove" in action:
                live.pop(action["remove"]["path"], None)
    return live


def opened(site, *words):
    """The data files that a command opens: [of the stream], [of the other tables]."""
    log = site.folder / "strace"
    site.glane("changes", *words, wrap=["strace", "-f", "-qq", "-e", "trace=openat", "-o", str(log)], env=NO_LEAKS)
    names = re.findall(r'"([^"]+\.parquet)".*= \d', log.read_text())
    stream = {p.name for p in (site.store / "stream").glob("*.parquet")}
    return sorted(n for n in names if n in stream), sorted(n for n in names if n not in stream)


def files_opened(suite, site, what, first, last, *words):
    want = sorted(name for name, (a, b) in adds(site).items() if b >= when(first) and a <= when(last))
    got = opened(site, "--format", "csv", *words)
    suite.true(f"{what}: {len(want)} of {len(adds(site))} files of the stream are opened, and nothing else", got == (want, []), (got, want))


NO_LEAKS = {"ASAN_OPTIONS": "detect_leaks=0"}  # they cannot be looked for under ptrace


def may_trace():
    return bool(shutil.which("strace")) and subprocess.run(
        ["strace", "-qq", "-o", os.devnull, "-e", "inject=fsync:error=EIO", "true"], capture_output=True, check=False).returncode == 0


def bounded(suite, site):
    if not may_trace():
        suite.skip("what is opened", "skipped: no strace that may trace here")
        return
    files_opened(suite, site, "the run of night 2", 2, 2, "--run", run_id(2))
    files_opened(suite, site, "since night 5", 5, 99, "--since", when(5))
    files_opened(suite, site, "a night without events", 3, 3, "--run", run_id(3))
    one = opened(site, "--format", "csv", "--since", when(0), "--dataset", "D-beta", "--from", "2005", "--to", "2005")
    suite.true("filters pass over files by their statistics", one[0] and one[1] == [] and all(n.startswith("beta") for n in one[0]) and
               len(one[0]) < sum(n.startswith("beta") for n in adds(site)), (one, adds(site)))
    new = opened(site, "--format", "text", "--run", run_id(0))
    suite.true("text of new observations opens no older file", len(new[0]) == 2, new)


# ---- a run that was killed between its commit and its report

def killed(suite, site, nights):
    report = site.store / f"runs/{run_id(len(nights) - 1)}.json"
    text = report.read_bytes()
    report.unlink()
    agrees(suite, "a run without a report is the last one", changes(site), nights[-1])
    agrees(suite, "and has its id", changes(site, "--run", run_id(len(nights) - 1)), nights[-1])
    report.write_bytes(text)


# ---- files and pipes

def whole_files(suite, site):
    out = site.folder / "out.csv"
    out.write_text("old")
    out.chmod(0o600)
    link = site.folder / "link.csv"
    link.symlink_to("out.csv")
    want = site.glane("export")[1]
    suite.true("-o through a link replaces what it leads to, rights kept",
               site.glane("export", "-o", link) == (0, "", "") and link.is_symlink() and out.read_text() == want and
               out.stat().st_mode & 0o777 == 0o600, oct(out.stat().st_mode))
    for mask, rights in (("077", 0o600), ("027", 0o640), ("000", 0o644)):
        new = site.folder / f"new-{mask}.csv"
        done = site.glane("export", "-o", new, wrap=["sh", "-c", f'umask {mask}; exec "$@"', "sh"])
        suite.same(f"-o of a new file under umask {mask}", (done, oct(new.stat().st_mode & 0o777)), ((0, "", ""), oct(rights)))
        new.unlink()
    for command in ("export", "changes"):
        code, written, err = site.glane(command, "-o", "")
        suite.true(f"{command} -o '': 2, and why", code == 2 and not written and "-o" in err, (code, written, err))
    damaged = max((site.store / "current").glob("beta-*.parquet"), key=lambda p: p.stat().st_mtime_ns)
    keep = damaged.read_bytes()
    damaged.chmod(0o644)
    for fmt in ("csv", "parquet"):
        damaged.write_bytes(keep[:-1])
        code, _, err = site.glane("export", "--format", fmt, "-o", out)
        damaged.write_bytes(keep)
        suite.true(f"a failed export as {fmt} leaves the old file, and no other",
                   code == 5 and "damaged" in err and out.read_text() == want and not list(site.folder.glob("*.part*")), (code, err))
    damaged.chmod(0o444)
    code, _, err = site.glane("export", "-o", "/dev/full")
    suite.true("a full disk: 5", code == 5 and "No space" in err, (code, err))
    suite.true("-o /dev/stdout", site.glane("export", "-o", "/dev/stdout")[1] == want)
    suite.true("a folder that is not there: 2", site.glane("export", "-o", site.folder / "none/x.csv")[0] == 2)


def readers_that_leave(suite, site):
    for words in (("export",), ("export", "--format", "parquet"), ("changes", "--format", "csv", "--since", when(0))):
        for ignored in (False, True):
            r, w = os.pipe()
            os.close(r)
            done = subprocess.run([support.GLANE, "-c", str(site.conf), *words], stdout=w, stderr=subprocess.PIPE, check=False,
                                  preexec_fn=(lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN)) if ignored else None)
            os.close(w)
            suite.same(f"{' '.join(words[:3])}{', SIGPIPE ignored' if ignored else ''}: nobody reads, silence",
                       (done.returncode, done.stderr), (-signal.SIGPIPE, b""))


def stopped(suite, site):
    out = site.folder / "stopped.csv"
    if not may_trace():
        suite.skip("a signal leaves no half file", "skipped: no strace that may trace here")
        return
    at_once = "rt_sigaction:delay_enter=300000"  # between the file and what removes it
    for sig, inject in ((signal.SIGTERM, "fsync:delay_enter=20000000"), (signal.SIGINT, "fsync:delay_enter=20000000"), (signal.SIGTERM, at_once)):
        with subprocess.Popen(["strace", "-qq", "-o", os.devnull, "-e", f"inject={inject}", support.GLANE, "-c", str(site.conf),
                               "export", "-o", str(out)], stderr=subprocess.DEVNULL, env={**os.environ, **NO_LEAKS}) as p:
            while not list(site.folder.glob("stopped.csv.part-*")) and p.poll() is None:
                time.sleep(0.02)
            for pid in Path(f"/proc/{p.pid}/task/{p.pid}/children").read_text().split():
                os.kill(int(pid), sig)
            p.wait()
        suite.true(f"{sig.name}{', as soon as there is one' if inject == at_once else ''}: no half file is left", not list(site.folder.glob("stopped.csv*")), list(site.folder.glob("stopped*")))


# ---- memory

def big(suite, server):
    """A table of 200,000 rows: what changed last night costs as much as in a small one; all of it needs no more memory."""
    text = "code,year,sex,value,flag,note\n" + "".join(
        f"TGO,{1500 + i % 500},S{i // 500},{i * 7919 % 100000 / 100},,\n" for i in range(200_000))
    site = suite.site("big", "")
    server.routes["/beta.csv"] = support.Answer("code,year,sex,value,flag,note\nTGO,2000,F,1,,\n", "text/csv")
    for night, table in enumerate((text, text.replace("TGO,1500,S0,0.0,", "TGO,1500,S0,1.0,"))):
        server.routes["/alpha.csv"] = support.Answer(table, "text/csv")
        configure(site, server.url, 0)
        suite.same(f"200,000 rows, night {night}", site.run("alpha", "beta", "--now", when(night)).code, 0)
    suite.same("one of them revised", [(r["value"], r["event"]) for r in changes(site)], [("1.0", "revised")])
    if support.WATCHED:
        suite.skip("memory", "skipped: sanitizers take their own")
        return
    peaks = {}
    for words in ((), ("--since", when(0)), ("--since", when(0), "--format", "parquet")):
        peaks[words] = measure.measure([support.GLANE, "-c", str(site.conf), "changes", *words], every=0.001)["anon"].get("main", 0)
    suite.true("memory is that of the open files", peaks[()] < 8 and peaks["--since", when(0)] < 16, peaks)


def main():
    suite = support.Suite("changes")
    nights = oracle()
    with support.Server({}) as server:
        site = suite.site("nights", "")
        code, _, err = site.glane("changes")
        suite.true("no store yet: 5", code == 5 and "no store" in err, (code, err))
        for night in range(READY):
            one_night(suite, site, server, night)
        events(suite, site, nights[:READY], "fresh")
        filters(suite, site, nights)
        aligned(suite)
        formats(suite, site, nights)
        exports(suite, site, nights)
        to_read(suite, site)
        bounded(suite, site)
        whole_files(suite, site)
        readers_that_leave(suite, site)
        stopped(suite, site)
        for night in range(READY, NIGHTS):
            one_night(suite, site, server, night)
        merged = [name for name, (a, b) in adds(site).items() if a != b]
        suite.true("the stream was compacted", merged and len(adds(site)) < NIGHTS, adds(site))
        events(suite, site, nights, "compacted")
        suite.same("compacted: the same text", site.glane("changes", "--format", "text", "--since", when(1), "--to", "1999")[1],
                   f"Since {when(1)}: no changes\n")
        killed(suite, site, nights)
        big(suite, server)
    return suite.finish()


if __name__ == "__main__":
    sys.exit(main())
