#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Plugins that misbehave (tests/plugins/evil.c), all in one run beside a good source: each costs its own source only, the
report says how it ended, nothing of it is committed, and no process is left (RELIABILITY P1, P2, P4, P7, P8, P9). TAP on standard output.
GLANE_EVIL_ALONE=1 runs each once more, alone with the good source."""
import fcntl
import http.server
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import support

TOP = Path(os.environ.get("GLANE_TOP", Path(__file__).resolve().parents[2]))
GLANE = os.environ.get("GLANE", str(TOP / "build/glane"))
OUT = Path(os.environ.get("GLANE_OUT", TOP / "build/release")).resolve()
WORK = Path(tempfile.mkdtemp(prefix="glane-evil-"))
OPEN = not support.SANDBOXED
GONE = 2 if support.SANDBOXED else 20  # seconds that what dies with the scheduler may take
PATIENCE = 300  # seconds; only a hang takes that long
results = []


def check(name, fine, got=None):
    results.append(bool(fine))
    print(f"{'' if fine else 'not '}ok {len(results)} - {name}")
    if not fine:
        print("\n".join("# " + line for line in str(got)[:3000].splitlines()))
    sys.stdout.flush()


def skip(name, why):
    results.append(True)
    print(f"ok {len(results)} - {name} # SKIP {why}")


class Data(http.server.BaseHTTPRequestHandler):
    value = "1"

    def do_GET(self):
        body = "code,year,value\n" + "".join(f"TGO,{y},{self.value}\n" for y in range(2000, 2020)) if self.path == "/good.csv" else ""
        body = "a;b\n1;2\n" if self.path == "/table.csv" else body
        body = f"page {self.path[6:]}" if self.path.startswith("/page/") else body
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def do_POST(self):
        if self.path == "/slow":
            time.sleep(2)
        self.send_error(501)

    def log_message(self, *_):
        pass


# how: (words of its message, its error, further lines of its section). A deadline only where it is what ends it.
HANG = "deadline = 4s"
ASKS = "url = http://127.0.0.1:PORT/post\nretries = 0\nrate = 100/s"  # frames of its own to the broker
SIG = "ended with" if support.WATCHED else "signal "  # sanitizers make exits of some signals
WAYS = {
    "crash": (SIG if support.WATCHED else "signal 11 (Segmentation fault)", "data", ""),
    "crash_in_init": (SIG if support.WATCHED else "signal 11", "data", ""),
    "crash_in_fini": (SIG if support.WATCHED else "signal 11", "data", ""),
    "crash_at_exit": (SIG if support.WATCHED else "signal 11", "data", ""),
    "abort": (SIG if support.WATCHED else "signal 6 (Aborted) (last words: the line before the abort)", "data", ""),
    "recurse": (SIG if support.WATCHED else "signal 11", "data", "memory = 64M"),
    "leave": ("exit status 0 without reporting its end", "data", ""),
    "loud_at_exit": ("it will be loud", "data", ""),
    "leave_three": ("exit status 3 (last words: a last word)", "data", ""),
    "exec": ("exit status 0 without reporting its end" if OPEN else "it tried what the sandbox forbids", "data", ""),
    "kill_itself": ("signal 9 (Killed), not of glane's", "data", ""),
    "write_file": ("signal 25" if support.WATCHED else "not written", "data", f"url = {WORK}/written"),
    "spin": ("not done within its deadline of 4 s", "cancelled", HANG),
    "ignore_term": ("not done within its deadline of 4 s", "cancelled", HANG),
    "stop_itself": ("not done within its deadline of 4 s", "cancelled", HANG),
    "ignore_cancellation": ("not done within its deadline of 4 s", "cancelled", HANG),
    "endless_rows": ("not done within its deadline of 4 s", "cancelled", HANG),
    "endless_log": ("not done within its deadline of 4 s", "cancelled", HANG),
    "endless_output": ("not done within its deadline of 4 s", "cancelled", HANG),
    "memory_abort": ("signal 6 (Aborted): its memory limit of 48 MiB is used up", "memory", "memory = 48M"),
    "memory_crash": ("signal 11 (Segmentation fault): its memory limit of 48 MiB is used up", "memory", "memory = 48M"),
    "endless_series": ("no memory", "memory", "memory = 48M"),
    "huge_text": ("1 of 1 records (100.0 %) cannot be normalised", "data", ""),
    "fork": ("forked", "data", ""),
    "fork_away": ("forked away", "data", ""),
    "threads": ("threaded", "data", ""),
    "close_and_stay": ("closed its connection, and runs on", "data", ""),
    "close_and_return": ("it could not report", "io", ""),
    "junk_up": ("is none of ours", "format", ""),
    "junk_broker": ("", None, "url = {base_url}/good.csv"),
    "false_progress": ("the worker sent progress that does not read", "format", ""),
    "other_payload": ("rows that name a payload which was not given to it: aaaaaaaa", "format", ""),
    "denied_often": ("denied often", "data", ""),
    "ill_reason": ("x\\x1b[31mred\\x0asecurity: forged", "data", ""),
    "half_a_frame": ("exit status 0 without reporting its end", "data", ""),
    "slow_frame": ("not done within its deadline of 4 s", "cancelled", HANG),  # P4: a byte each 0.2 s
    "bad_handle": ("defect of plugin evil: emit() with a series handle", "usage", ""),
    "bad_push": ("defect of plugin evil: push()", "usage", ""),
    "null_arguments": ("defect of plugin evil: series() without", "usage", ""),
    "bad_format": (SIG, "data", ""),
    "code_42": ("plugin evil returned 42, which is no result", "usage", ""),
    "code_end": ("plugin evil returned 1, which is no result", "usage", ""),
    "code_least": ("plugin evil returned -2147483648, which is no result", "usage", ""),
    "emit_after_fail": ("passed over a failure: the file has no such column", "data", ""),
    "swallow": ("plugin evil passed over a failure", "fetch", "retries = 0"),
    "huge_request": ("a request of 1048", "limit", ASKS),
    "many_requests": ("more than 32 MiB", "limit", ASKS),
    "pipelined": ("not done within its deadline of 4 s", "cancelled", f"{ASKS}\n{HANG}"),
    "repeats": ("the broker has ended", "fetch", ASKS.replace("/post", "/slow")),
    "forbidden": ("not", "denied", "url = http://127.0.0.2:9/secret"),
}
if support.WATCHED:  # no memory limit there
    for way in ("memory_abort", "memory_crash", "endless_series", "recurse"):
        del WAYS[way]
if support.COUNTED:
    del WAYS["write_file"]
LOADING = {  # plugins that are refused before any run of theirs
    "evil_loading": "refused: loading it ended with",
    "evil_story": "refused: it describes itself as 'worldbank'",
    "evil_mute": "refused: it does not answer within 20 s",
    "evil_loud": "refused: it writes more than 1024 KiB while it is asked",
    "evil_null": "refused: glane_plugin_v1() gives no descriptor",
    "evil_major": "refused: no symbol glane_plugin_v1",
    "abi_needs": "refused: needs ABI 1.1 or newer",
}


def configure(folder, port, ways, loading):
    (folder / "sources.d").mkdir(parents=True)
    (folder / "glane.conf").write_text(f"[glane]\nstore = store\nplugin_path = {OUT}/plugins {OUT}/test-plugins\n"
                                       f"tables = {TOP}/conf\njobs = 60\n")
    text = (f"[source good]\nplugin = csv\nbase_url = http://127.0.0.1:{port}\nfiles = good.csv\ndataset = D\nindicator = =I\n"
            "area = code\nperiod = year\nvalue = value\n"
            f"[source grown]\nplugin = abi_grown\nbase_url = http://127.0.0.1:{port}\ntimes = 2\n"
            f"[source older]\nplugin = abi_older\nbase_url = http://127.0.0.1:{port}\ntimes = 2\n")
    for way in ways:
        text += f"[source evil-{way}]\nplugin = evil\nhow = {way}\nbase_url = http://127.0.0.1:{port}\n{WAYS[way][2].replace('PORT', str(port))}\n"
    for name in loading:
        text += f"[source {name}]\nplugin = {name}\n"
    (folder / "sources.d/all.conf").write_text(text)


def descendants(parent):
    """Workers and what they started: their second argument is the process that started them. Zombies count."""
    found = []
    for p in Path("/proc").iterdir():
        try:
            if p.name.isdigit() and (p / "cmdline").read_bytes().split(b"\0")[1:3] in (
                    [b"@worker", str(parent).encode()], [b"@broker", str(parent).encode()], [b"@describe", str(parent).encode()]):
                found.append(int(p.name))
        except OSError:
            pass
    return found


def high_water(pid):
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


class Run:
    """One `glane run` watched to its end."""

    def __init__(self, folder, *words, **more):
        with open(folder / "out", "wb") as out, open(folder / "err", "wb") as err:
            p = subprocess.Popen([GLANE, "-c", folder / "glane.conf", "run", "--all", "--json", *words], stdout=out, stderr=err,
                                 stdin=subprocess.DEVNULL, **more)
        self.kib, until = 0, time.monotonic() + PATIENCE
        while p.poll() is None and time.monotonic() < until:
            self.kib = max(self.kib, high_water(p.pid))
            time.sleep(0.05)
        self.in_time = p.returncode is not None
        if not self.in_time:
            p.kill()
        self.code, self.pid = p.wait(), p.pid
        self.left = descendants(p.pid)
        text = (folder / "out").read_text()
        self.sources = {s["source"]: s for s in json.loads(text)["sources"]} if text else {}
        self.err = (folder / "err").read_text(errors="replace")


def exported(folder):
    done = subprocess.run([GLANE, "-c", folder / "glane.conf", "export"], capture_output=True, text=True, timeout=PATIENCE)
    return [line.split(",")[:3] + line.split(",")[9:10] for line in done.stdout.splitlines()[1:]]


def judge(run, way):
    words, error, _ = WAYS[way]
    s = run.sources.get(f"evil-{way}", {})
    check(f"P1 evil {way}: failed, with the reason", s.get("status") == "failed" and words in s.get("message", "")
          and (error is None or s.get("error") == error) and not s.get("commit"), s)


def together(port):
    quiet = WORK / "quiet"
    configure(quiet, port, [], [])
    base = Run(quiet)
    check("good sources alone: plugins of a later and an earlier minor among them",
          base.code == 0 and {n: s["status"] for n, s in base.sources.items()} == dict(good="ok", grown="ok", older="ok"),
          (base.code, base.sources, base.err))
    folder = WORK / "all"
    configure(folder, port, WAYS, LOADING)
    run = Run(folder)
    check("all evil at once: the run ends, exit code 1", run.in_time and run.code == 1, (run.code, run.err))
    for way in WAYS:
        judge(run, way)
    for name, words in LOADING.items():
        s = run.sources.get(name, {})
        check(f"{name}: refused, with the reason", s.get("status") == "failed" and words in s.get("message", ""), s)
    check("the good sources are committed",
          {n: run.sources.get(n, {}).get("status") for n in ("good", "grown", "older")} == dict(good="ok", grown="ok", older="ok"), run.sources)
    got = exported(folder)
    check("and nothing of the others is", {row[0] for row in got} == {"good", "grown", "older"} and len(got) == 20 + 3 + 2, got)
    check("no process is left, no zombie", not run.left, run.left)
    check("a refused host is told as a security matter", "security:" in run.err, run.err)
    lines = [line for line in run.err.splitlines() if line.startswith("security: evil-denied_often: ")]
    check("of many such matters of a source a hundred are shown, the rest is counted", len(lines) == 101 and lines[-1].endswith(": ... and 200 more")
          and run.sources["evil-denied_often"]["security_events"] == 300, (len(lines), lines[-3:], run.sources["evil-denied_often"]))
    said = [subprocess.run([GLANE, "-c", folder / "glane.conf", *words], capture_output=True, text=True, timeout=PATIENCE).stdout
            for words in (["run", "evil-ill_reason"], ["status"], ["quarantine", "list"], ["runs"], ["plugins", "evil"])]
    check("what it says comes to a terminal without control bytes, on one line", "x\\x1b[31mred\\x0a" in said[0] and "x\\x1b[31mred\\x0a" in said[1] and "misbehaves\\x1b[31m as" in said[4]
          and not any("\033" in text or "\nsecurity: " in text for text in said), said)
    noisy = [line for line in run.err.splitlines() if "and again" in line]
    check("a flood of log lines is dammed, and harmless to a terminal", 0 < len(noisy) <= 100 and "\033" not in run.err, len(noisy))
    logs = run.sources.get("evil-endless_log", {}).get("log", [])
    check("the last log lines stand in the report", len(logs) == 3 and "and again" in logs[-1], logs)
    if support.WATCHED:
        skip("the scheduler's memory does not grow with them", "sanitizers keep freed memory")
    else:
        check(f"the scheduler's memory does not grow with them ({base.kib} -> {run.kib} KiB)", run.kib < base.kib + 64 * 1024, None)
    Data.value = "2"
    configure_again = (folder / "sources.d/all.conf").read_text().split("[source evil-")[0]
    (folder / "sources.d/all.conf").write_text(configure_again)
    run = Run(folder, "--accept")
    check("the next night is as any other", run.code == 0 and run.sources["good"]["status"] == "ok" and {r[3] for r in exported(folder) if r[0] == "good"} == {"2"},
          (run.code, run.sources, run.err))
    check("the store is sound", subprocess.run([GLANE, "-c", folder / "glane.conf", "check", "--store"], capture_output=True).returncode == 0)


def alone(port):
    for way in WAYS:
        folder = WORK / f"alone-{way}"
        configure(folder, port, [way], [])
        run = Run(folder)
        judge(run, way)
        check(f"evil {way}: the others are committed, nothing is left",
              run.code == 1 and [run.sources[n]["status"] for n in ("good", "grown", "older")] == ["ok"] * 3 and not run.left, (run.sources, run.left))


def wait_for(what, seconds=60):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if what():
            return True
        time.sleep(0.05)
    return False


def is_worker(pid):
    try:
        return b"@worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has ended meanwhile
        return False


def ended_from_outside(port):
    """The scheduler is killed, or told to end, while a worker hangs."""
    for sig, code in ((signal.SIGKILL, -9), (signal.SIGTERM, 3), (signal.SIGINT, 3), (signal.SIGHUP, 3)):
        name = signal.Signals(sig).name
        folder = WORK / name
        configure(folder, port, ["ignore_term"], [])
        p = subprocess.Popen([GLANE, "-c", folder / "glane.conf", "run", "-q", "evil-ignore_term"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             stdin=subprocess.DEVNULL)
        working = wait_for(lambda: any(is_worker(c) for c in descendants(p.pid)))
        p.send_signal(sig)
        try:
            got = p.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            p.kill()
            got = p.wait()
        check(f"{name}: the run ends", working and got == code, (working, got))
        check(f"P9 {name}: no worker outlives it by more than {GONE} s", wait_for(lambda: not descendants(p.pid), GONE), descendants(p.pid))
        done = subprocess.run([GLANE, "-c", folder / "glane.conf", "run", "-q", "good"], capture_output=True, timeout=PATIENCE)
        check(f"{name}: the lock is free, the next run succeeds", done.returncode == 0, done)


def few_descriptors(port):
    folder = WORK / "few"
    configure(folder, port, [], [])
    for n in (8, 12, 20, 40):
        done = subprocess.run([GLANE, "-c", folder / "glane.conf", "run", "--all"], capture_output=True, text=True, timeout=PATIENCE,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (n, n)))
        check(f"P7 {n} descriptors: ends with a word or succeeds", done.returncode == 0 or (0 < done.returncode < 6 and (done.stderr or done.stdout)), done)
    done = subprocess.run([GLANE, "-c", folder / "glane.conf", "run", "--all"], capture_output=True, text=True, timeout=PATIENCE)
    check("and all is well with enough of them", done.returncode == 0, done)


def many_pages(port):
    """More pages than there may be open files: kept, read twice, archived."""
    folder = WORK / "pages"
    configure(folder, port, [], [])
    sources = folder / "sources.d/all.conf"
    sources.write_text(f"[source pages]\nplugin = evil\nhow = many_pages\nrate = 1000/s\nbase_url = http://127.0.0.1:{port}\n")
    run = Run(folder, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (150, 150)))
    kept = [p for p in (folder / "store/payloads").rglob("*") if p.is_file() and p.suffix != ".json"]
    check("P7 200 pages and 150 descriptors: read, read again, archived", run.code == 0 and run.sources["pages"]["status"] == "ok" and len(kept) >= 201,
          (run.code, run.sources, len(kept), run.err))
    done = subprocess.run([GLANE, "-c", folder / "glane.conf", "check", "--store"], capture_output=True, text=True)
    check("... each with its hash", done.returncode == 0, done)


def unread(port):
    """Whoever reads what a run says stops reading: neither the run nor the next one waits for that."""
    for stream in ("stdout", "stderr"):
        folder = WORK / f"unread-{stream}"
        configure(folder, port, ["endless_log"], [])
        with open(folder / "sources.d/more.conf", "w") as f:
            for i in range(80):
                f.write(f"[source none-{i:02}]\nplugin = csv\nbase_url = http://127.0.0.1:{port}\nfiles = none-{'x' * 100}.csv\ndataset = D\nretries = 0\n"
                        "indicator = =I\narea = code\nperiod = year\nvalue = value\n")
        reader, writer = os.pipe()
        fcntl.fcntl(writer, 1031, 4096)  # F_SETPIPE_SZ
        p = subprocess.Popen([GLANE, "-c", folder / "glane.conf", "run", "--all"], stdin=subprocess.DEVNULL,
                             **{"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: writer})
        os.close(writer)
        reports = wait_for(lambda: list((folder / "store/runs").glob("*.json")) if (folder / "store/runs").is_dir() else [], PATIENCE)
        check(f"P7 nobody reads its {stream}: the run comes to its end", reports)
        done = subprocess.run([GLANE, "-c", folder / "glane.conf", "run", "-q", "good"], capture_output=True, text=True, timeout=PATIENCE)
        check("... the lock is free, the next run succeeds", wait_for(lambda: done.returncode == 0 or retry(folder), 30), done)
        if stream == "stdout":
            check("... it waits for its reader, without the lock", p.poll() is None, p.returncode)
            p.send_signal(signal.SIGTERM)
            check("... and a signal ends it", wait_for(lambda: p.poll() is not None, 30), p.poll())
        p.kill()
        p.wait()
        with open(reader, "rb") as f:
            text = f.read()
        check("... what was read are whole lines from the first", text.endswith(b"\n") and re.match(rb"(evil|good|none|grown|older|glane: )", text), text[:300])


def retry(folder):
    return subprocess.run([GLANE, "-c", folder / "glane.conf", "run", "-q", "good"], capture_output=True, timeout=PATIENCE).returncode == 0


def parsed(folder):
    """One worker on its own, which nobody gives a deadline."""
    for way, words in (("leave_three", "ended with exit status 3: a last word\n"), ("loud_at_exit", "it will be loud\n")):
        with subprocess.Popen([GLANE, "-c", folder / "glane.conf", "parse", "evil", f"--how={way}"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
            try:
                err = p.communicate(timeout=PATIENCE // 10)[1]
            except subprocess.TimeoutExpired:
                p.kill()
                err = "it does not end"
        check(f"parse {way}: ends, and tells how", p.returncode == 1 and err.endswith(words), (p.returncode, err[-500:]))


def run_deadline(port):
    folder = WORK / "run-deadline"
    configure(folder, port, ["spin"], [])
    conf = folder / "glane.conf"
    conf.write_text(conf.read_text() + "run_deadline = 3s\n")
    sources = folder / "sources.d/all.conf"
    sources.write_text(sources.read_text().replace(HANG, "deadline = 600s"))
    run = Run(folder)
    got = run.sources["evil-spin"]
    check("a run ends by its own deadline; the source that was not done says so, the others are committed",
          run.code == 1 and got["status"] == "failed" and "run_deadline" in got["message"] and run.sources["good"]["status"] == "ok", (run.code, got))


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Data)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    together(server.server_port)
    ended_from_outside(server.server_port)
    few_descriptors(server.server_port)
    many_pages(server.server_port)
    unread(server.server_port)
    run_deadline(server.server_port)
    parsed(WORK / "run-deadline")
    if os.environ.get("GLANE_EVIL_ALONE"):
        alone(server.server_port)
    print(f"1..{len(results)}")
    if all(results):
        shutil.rmtree(WORK)
    sys.exit(0 if all(results) else 1)
