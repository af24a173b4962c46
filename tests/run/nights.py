#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whole nights against a local server: unchanged, revised, empty, collapsed and failed answers, a killed run, plugins that
misbehave. TAP on standard output."""
import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

import support

TOP = Path(os.environ.get("GLANE_TOP", Path(__file__).resolve().parents[2]))
GLANE = os.environ.get("GLANE", str(TOP / "build/glane"))
OUT = Path(os.environ.get("GLANE_OUT", TOP / "build/release")).resolve()
WORK = Path(tempfile.mkdtemp(prefix="glane-nights-"))
results = []
last_pid = 0


def check(name, fine, detail=""):
    results.append(bool(fine))
    print(("" if fine else "not ") + f"ok {len(results)} - {name}")
    if not fine:
        print("#", str(detail).replace("\n", "\n# ")[:3000])
    sys.stdout.flush()


def glane(*args, timeout=120):
    global last_pid
    with subprocess.Popen([GLANE, "-c", str(WORK / "conf/glane.conf"), *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
        last_pid = p.pid
        out, err = p.communicate(timeout=timeout)
    return p.returncode, out, err


def run(*args):
    code, out, err = glane("run", "--json", *args)
    report = json.loads(out) if out else {"sources": []}
    return code, {s["source"]: s for s in report["sources"]}, err


def export(*args):
    return glane("export", *args)[1]


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def files():
    return {str(p.relative_to(WORK)): p.read_bytes() for p in (WORK / "store").rglob("*")
            if p.is_file() and not re.search(r"store/(runs/|state/[^/]+/last.json|broker/limits.json|lock)", str(p))}


def write_csv(lines):
    (WORK / "data.csv").write_text("code,year,value\n" + "".join(f"{c},{y},{v}\n" for c, y, v in lines))


def serve(routes):
    (WORK / "routes.json").write_text(json.dumps(routes))
    server = subprocess.Popen([sys.executable, str(TOP / "tests/support/fault_server.py"), "--routes", str(WORK / "routes.json"),
                               "--log", str(WORK / "log")], stdout=subprocess.PIPE, text=True)
    return server, int(re.search(r"\d+", server.stdout.readline()).group())


def configure(port):
    (WORK / "conf/sources.d").mkdir(parents=True)
    (WORK / "conf/glane.conf").write_text(
        f"[glane]\nstore = ../store\nplugin_path = {OUT}/plugins {OUT}/test-plugins\ntables = {TOP}/conf\njobs = 2\n")
    (WORK / "conf/sources.d/good.conf").write_text(
        f"[source good]\nplugin = csv\nbase_url = http://127.0.0.1:{port}\nfiles = data.csv\ndataset = D\nindicator = =I\n"
        "area = code\nperiod = year\nvalue = value\nretries = 0\n")


def evil_sources():
    text = ""
    for name, how in (("crash", "crash"), ("exit", "leave"), ("hang", "spin"), ("fork", "fork"), ("garbage", "junk_up"),
                      ("leak", "memory_abort")):
        text += f"[source evil-{name}]\nplugin = evil\nhow = {how}\ndeadline = 5s\nmemory = 64M\n"
    text += "[source evil-major]\nplugin = evil_major\n"
    (WORK / "conf/sources.d/evil.conf").write_text(text)


BASE = [("TGO", 2000 + i, f"{i}.50") for i in range(20)] + [("BEN", 2000 + i, f"{i}") for i in range(20)]


def nights():
    write_csv(BASE)
    code, out, err = glane("run", "--dry-run", "good")
    check("a dry run says what would be asked", code == 0 and "/data.csv" in out and not os.path.exists(WORK / "store/state/good"), (code, out, err))
    code, s, err = run("good")
    check("first night: ok", code == 0 and s["good"]["status"] == "ok" and s["good"]["events"]["new"] == 40, (code, s, err))
    first = export()
    check("decimals come back as published", rows(first)[0]["value"] == "0" and {r["value"] for r in rows(first)} >= {"0.50", "19.50"}, first[:300])
    before = files()
    code, s, _ = run("good")
    check("second night: unchanged", code == 0 and s["good"]["status"] == "unchanged", s)
    check("second night: nothing written but the report", files() == before, set(files()) ^ set(before))

    write_csv([(c, y, "7.77" if (c, y) == ("TGO", 2003) else v) for c, y, v in BASE] + [("GHA", 2001, "1e3")])
    code, s, _ = run("good")
    check("a revision and a new row", s["good"]["events"]["revised"] == 1 and s["good"]["events"]["new"] == 1, s)
    check("as of the first run: byte for byte", export("--as-of", sorted(os.listdir(WORK / "store/runs"))[0][:-5]) == first)
    good = export()

    for name, content in (("empty", ""), ("header only", "code,year,value\n"), ("HTML", "<!doctype html><html>busy</html>"),
                          ("ragged", "code,year,value\nTGO,2000\n")):
        (WORK / "data.csv").write_text(content)
        code, s, _ = run("good")
        check(f"{name}: failed, said so, last good data live", code == 3 and s["good"]["status"] == "failed" and export() == good, (code, s))
    write_csv(BASE[:10])
    code, s, _ = run("good")
    check("collapsed: held, last good data live", code == 1 and s["good"]["status"] == "held" and export() == good, (code, s))
    write_csv(BASE[:-1])
    code, s, _ = run("good")
    check("a row that is gone is withdrawn", s["good"]["events"]["withdrawn"] == 2, s)
    check("the store is sound", glane("check", "--store")[0] == 0, glane("check", "--store"))


def killed():
    for i in range(8):
        write_csv([(c, y, f"{v}{i}") for c, y, v in BASE])
        p = subprocess.Popen([GLANE, "-c", str(WORK / "conf/glane.conf"), "run", "good", "-q"], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        time.sleep(0.004 * i)
        p.send_signal(signal.SIGKILL)
        p.wait()
    time.sleep(0.3)
    code, s, err = run("good")
    check("after killed runs one that succeeds", code == 0 and s["good"]["status"] in ("ok", "unchanged"), (code, s, err))
    check("and a sound store", glane("check", "--store")[0] == 0)
    got = {(r["area_code"], r["period"]): r["value"] for r in rows(export())}
    check("with the last values", all(Decimal(got[(c, str(y))]) == Decimal(f"{v}7") for c, y, v in BASE), got)


def evil():
    evil_sources()
    write_csv([(c, y, "5") for c, y, _ in BASE])
    start = time.monotonic()
    code, s, err = run("--all", "--accept")
    took = time.monotonic() - start
    check("evil plugins: exit 1, the good source committed", code == 1 and s["good"]["status"] == "ok", (code, s, err))
    wanted = {"crash": "signal 11", "exit": "exit status 0", "hang": "deadline", "fork": "forked", "garbage": "none of ours",
              "leak": "signal 6", "major": "glane_plugin_v1"}
    if support.WATCHED:  # sanitizers turn signals into exits and lift the memory limit
        wanted.update(crash="ended with", leak="")
    for name, words in wanted.items():
        t = s.get(f"evil-{name}", {})
        check(f"evil-{name}: failed, with the reason", t.get("status") == "failed" and words in t.get("message", ""), t)
    check("and all within their deadlines", took < 40, took)
    check("no process is left behind", not support.children(last_pid), support.children(last_pid))


def main():
    server = None
    try:
        (WORK / "data.csv").write_text("")
        server, port = serve({"/data.csv": {"file": "data.csv", "content_type": "text/csv"}})
        configure(port)
        nights()
        killed()
        evil()
    finally:
        if server:
            server.kill()
        shutil.rmtree(WORK, ignore_errors=True)
    print(f"1..{len(results)}")
    return 0 if all(results) else 1


sys.exit(main())
