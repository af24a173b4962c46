#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Memory per process is bounded by the largest record: not by the document, nor by how many series it holds. TAP on standard output.

What is measured is anonymous memory (file mappings aside), by sampling; nothing is timed. GLANE_MEMORY_MB: size of the documents (20).
"""
import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

TOP = Path(os.environ.get("GLANE_TOP", Path(__file__).resolve().parents[2]))
sys.path[:0] = [str(TOP / "tests/support"), str(TOP / "tests/bench")]
import editions  # noqa: E402
import measure  # noqa: E402
import messages  # noqa: E402

GLANE = os.environ.get("GLANE", str(TOP / "build/glane"))
OUT = Path(os.environ.get("GLANE_OUT", TOP / "build/release")).resolve()
SIZE = int(os.environ.get("GLANE_MEMORY_MB", "20")) * 1_000_000
WORK = Path(tempfile.mkdtemp(prefix="glane-memory-"))
LIMIT = 32.0  # MiB; 64 is what is promised
SERIES = 300_000
OBSERVATIONS = 1_000_000
results = []


def check(name, fine, detail=""):
    results.append(bool(fine))
    print(("" if fine else "not ") + f"ok {len(results)} - {name}")
    if not fine:
        print("#", str(detail).replace("\n", "\n# ")[:2000])
    sys.stdout.flush()


def configure(sources=""):
    (WORK / "conf/sources.d").mkdir(parents=True, exist_ok=True)
    (WORK / "conf/glane.conf").write_text(f"[glane]\nstore = ../store\nplugin_path = {OUT}/plugins\ntables = {TOP}/conf\n")
    (WORK / "conf/sources.d/wide.conf").write_text(sources)


def glane(*words):
    return [GLANE, "-c", str(WORK / "conf/glane.conf"), *words]


def parse(path, plugin, options):
    rows = WORK / "rows.csv"
    with open(rows, "wb") as out:
        done = measure.measure(glane("parse", plugin, "--max_body=1G", *options), stdin=path, stdout=out)
    return done, rows


def bounded(done, limit=LIMIT):
    print("# anon MiB:", ", ".join(f"{role} {peak:.1f}" for role, peak in sorted(done["anon"].items())))
    return done["code"] == 0 and len(done["anon"]) > 1 and all(peak < limit for peak in done["anon"].values())


def documents():
    for name, (make, plugin, options) in [*measure.JOBS.items(), *((f"message, {n}", job) for n, job in messages.JOBS.items())]:
        path = make(WORK / name, SIZE)
        done, _ = parse(path, plugin, options)
        check(f"{name}: {SIZE // 1_000_000} MB in less than {LIMIT:.0f} MiB", bounded(done), done)
        path.unlink()


WIDE = ["--dataset=D", "--indicator==I", "--area=code", "--area_scheme=LOCAL", "--area_title=name", "--value=*"]


def many_series():
    path = measure.many_series_csv(WORK / "data.csv", SERIES)
    done, rows = parse(path, "csv", WIDE)
    check(f"{SERIES} series in less than {LIMIT:.0f} MiB", bounded(done), done)
    with open(rows, encoding="utf-8") as f:
        wrong = None if next(f).startswith("source,") else "no header"
        n = 0
        for n, line in enumerate(f):
            k, year = n // 2, 2022 + n % 2
            cells = line.split(",")
            if cells[4] != f"R{k:06d}" or cells[7] != str(year) or cells[9] != measure.number(k + n % 2):
                wrong = wrong or f"row {n}: {line}"
    check("every one with its own area, period and value", wrong is None and n + 1 == 2 * SERIES, wrong or n)


def same_series_again():
    """Year by year: each series comes back after 39,999 others."""
    n, years = 40_000, (2019, 2020, 2021)
    path = WORK / "again.csv"
    with open(path, "w", encoding="utf-8") as f:
        f.write("code,year,value,note\n")
        for y in years:
            for k in range(n):
                f.write(f"R{k},{y},{k + y},note {k}\n")
    done, rows = parse(path, "csv", ["--dataset=D", "--indicator==I", "--area=code", "--area_scheme=LOCAL", "--period=year",
                                     "--value=value", "--note=note"])
    check("series and notes that come back later", bounded(done), done)
    want = [(f"R{k}", str(y), str(k + y), f"note {k}") for y in years for k in range(n)]
    with open(rows, encoding="utf-8") as f:
        got = [(c[4], c[7], c[9], c[16]) for c in (line.split(",") for line in f.read().splitlines()[1:])]
    check("have the right rows", got == want, [x for x in zip(got, want) if x[0] != x[1]][:3])


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def whole_run():
    """The tables of a run lie in mapped files: some 30 bytes of anonymous memory for each series."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(WORK)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    options = "".join(o[2:].replace("=", " = ", 1) + "\n" for o in WIDE)
    configure(f"[source wide]\nplugin = csv\nbase_url = http://127.0.0.1:{server.server_port}\nfiles = data.csv\n{options}")
    done = measure.measure(glane("run", "-q", "wide"))
    check(f"a run of {SERIES} series in less than 64 MiB", bounded(done, 64), done)
    export = subprocess.run(glane("export"), capture_output=True, text=True, timeout=300, check=False)
    check("and all of it is in the store", export.stdout.count("\n") == 2 * SERIES + 1, export.stderr[-500:])
    done = measure.measure(glane("run", "-q", "wide"))
    check("as in the second run", bounded(done, 64) if len(done["anon"]) > 1 else done["code"] == 0, done)
    server.shutdown()


def refresh():
    """All memory of the largest process, mapped files too: what is promised is 48 bytes for each observation and 64 MiB."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(WORK)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    total, changed = editions.write(WORK / "one.csv", WORK / "two.csv", OBSERVATIONS)
    shutil.rmtree(WORK / "store", ignore_errors=True)
    for edition in ("one", "two"):
        configure(f"[source wide]\nplugin = csv\nbase_url = http://127.0.0.1:{server.server_port}\nfiles = {edition}.csv\ndataset = D\n"
                  "indicator = indicator\narea = area\narea_scheme = LOCAL\nperiod = year\nvalue = value\ncover = full\n")
        with open(WORK / "report.json", "wb") as out:
            done = measure.measure(glane("run", "--json", "wide"), stdout=out)
        print(f"# {edition}: peak {done['peak']:.1f} MiB, {done['cpu']:.1f} s of CPU")
        check(f"edition {edition} of {total} observations in less than 48 bytes for each and 40 MiB",
              done["code"] == 0 and done["peak"] * 2**20 < 48 * total + 40 * 2**20, done)
    report = json.loads((WORK / "report.json").read_text())["sources"][0]
    check("and the second has the events that it should have", sum(report["events"].values()) == changed, (report, changed))
    server.shutdown()


def main():
    if os.environ.get("B", "release") not in ("release", "debug"):
        print("1..0 # SKIP a sanitizer's own memory would be measured")
        return 0
    try:
        configure()
        documents()
        many_series()
        same_series_again()
        whole_run()
        refresh()
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
    print(f"1..{len(results)}")
    return 0 if all(results) else 1


sys.exit(main())
