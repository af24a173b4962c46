#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A canary for a secret (RELIABILITY 3.8), sent in a query, a header, a body, as Basic credentials and along redirects, and sent back by the
provider in every way; a worker and the broker that crash with it. It is used where it may be, and found in no artifact. TAP on standard output."""
import base64
import json
import os
import resource
import signal
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import support

CANARY = "c4n4ry-of-the-secrets-suite/+&"
BASIC = base64.b64encode(f"user:{CANARY}".encode()).decode()
# What no artifact may hold, in any case: the canary's own word, and the beginnings of its other writings.
NEEDLES = [b"c4n4ry", b"63346e347279", *(base64.b64encode(b"x" * i + CANARY.encode())[4 * (i > 0):16 + 4 * (i > 0)] for i in range(3)), BASIC[8:24].encode()]
ENV = {"GLANE_TEST_KEY": CANARY, "GLANE_TEST_BASIC": BASIC}
os.environ.update(ENV)
AUTH = ("auth = KEY=env:GLANE_TEST_KEY BASIC=env:GLANE_TEST_BASIC NONE=env:GLANE_TEST_ABSENT\nretries = 0\nkeep_payloads = all\n"
        "gate.max_quarantined_percent = 100\n")
CSV = "plugin = csv\ndataset = D\nindicator = =I\narea = code\nperiod = year\nvalue = value\n"
JSON = "plugin = json\nfiles = {0}\nselect = rows.*\ndataset = D\nindicator = =I\narea = area\nperiod = year\nvalue = value\nnote = note\n"
suite = support.Suite("secrets")
QUICK = "stall = 3s\njobs = 8"

PATHS = {  # what is asked of the fault server: what comes of it, and a word of the reason
    "echo-404?{auth:KEY}": ("failed", "your key is ***"), "redirect-leak?k={auth:KEY}": ("failed", "would carry a secret away"),
    "redirect-twice?k={auth:KEY}": ("failed", "would carry a secret away"), "401?k={auth:KEY}": ("failed", "bad key"),
    "ok?k={auth:KEY}": ("ok", ""), "redirect?k={auth:KEY}": ("ok", ""), "rst-now?k={auth:KEY}": ("failed", "k=***"),
    "redirect-forbidden?k={auth:KEY}": ("failed", "192.0.2.1"), "gzip-truncated?k={auth:KEY}": ("failed", "k=***"),
    "html200?k={auth:KEY}": ("failed", "Gateway"), "stall?k={auth:KEY}": ("failed", "stalled"), "ok?k={auth:NONE}": ("failed", "GLANE_TEST_ABSENT"),
    "echo-csv?k={auth:KEY}": ("partial", ""), "redirect-to?/echo-csv?k={auth:KEY}": ("partial", ""), "echo-held?k={auth:KEY}": ("partial", ""),
    "echo-ragged?k={auth:KEY}": ("failed", "line 3"), "echo-page?k={auth:KEY}": ("failed", "HTML"), "echo-length?k={auth:KEY}": ("failed", ""),
    "echo-cut-200?k={auth:KEY}": ("failed", "bad key"), "echo-cut-403?k={auth:KEY}": ("failed", "bad key"),
}
OTHERS = {  # section without base_url: likewise
    "header": (JSON.format("echo-json") + "headers = X-Api-Key={auth:KEY}\n", "partial", ""),
    "basic": (JSON.format("echo-json") + "headers = Authorization=\"Basic {auth:BASIC}\"\n", "partial", ""),
    "body": (JSON.format("echo-json") + 'body = {"q":"{auth:KEY}"}\n', "partial", ""),
    "kept": (JSON.format("redirect-kept") + 'body = {"q":"{auth:KEY}"}\n', "failed", "would carry a body with a secret away"),
    "next": (JSON.format("echo-json?k={auth:KEY}") + "paging = next\npage_next = next\n", "partial", ""),
    "crash": ("plugin = evil\nhow = repeat\nurl = {base_url}/echo-csv?k={auth:KEY}\n", "failed", "ended with" if support.WATCHED else "(last words: code,year,value,note TGO,2020,1.5"),
}


def sections(server, others):
    hosts = f"hosts = http://localhost:{server.port}\n"
    text = "".join(f"[source s{i}]\nbase_url = {server.url(i + 1)}\nfiles = {path}\n{CSV}{'note = note' if 'csv' in path or 'held' in path else ''}\n{hosts}{AUTH}\n"
                   for i, path in enumerate(PATHS))
    return text + "".join(f"[source {name}]\nbase_url = {server.url(len(PATHS) + 1)}\n{hosts}{part}{AUTH}\n" for name, (part, _, _) in others.items())


def wanted(others):
    return {**{f"s{i}": v for i, v in enumerate(PATHS.values())}, **{n: v[1:] for n, v in others.items()}}


def found(data):
    return [n for n in NEEDLES if n in data or n in data.lower()]


def holders(folder):
    """Files with the canary, unpacked where they are compressed; our own configuration names only the variable."""
    held = []
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            if found(support.unpacked(data) if path.suffix == ".zst" else data):
                held.append(str(path))
    return held


def everything_shown(site, run):
    """What the commands print of a store, beside the run itself."""
    shown = run.out + run.err
    for words in (("status", "--json"), ("status", "--prometheus"), ("runs",), ("runs", run.report["run"]), ("sources",), ("series",), ("show", "TGO", "I"),
                  ("export",), ("export", "--format", "ndjson"), ("export", "--format", "sdmx-csv"), ("changes",), ("quarantine", "list"), ("check",),
                  ("run", "--all", "--dry-run"), *(("quarantine", "show", n) for n in run.sources)):
        shown += "".join(map(str, site.glane(*words)))
    return shown


def judge(name, run, want):
    if not run.sources:
        raise RuntimeError(run)
    wrong = [(n, s, run.sources[n].get("message")) for n, (s, words) in want.items()
             if run.verdicts[n] != s or words not in run.sources[n].get("message", "")]
    suite.true(f"{name}: used where it may be, struck out of every reason", not wrong, json.dumps(wrong, indent=1))


def echoes(name, *words):
    with support.Faults(suite, addresses=len(PATHS) + 1) as server:
        others = {n: o for n, o in OTHERS.items() if n != "crash" or not words}  # a plugin that crashes takes an in-process run along
        site, want = suite.site(name, sections(server, others), QUICK), wanted(others)
        run = site.run("--all", *words)
        judge(name, run, want)
        shown = everything_shown(site, run)
        again = site.run(*[n for n in want if n not in ("s10", "crash")], *words)  # but the one that stalls
        shown += everything_shown(site, again)
        suite.same(f"{name}: held where a value jumps", again.verdicts["s14"], "held")
        suite.true(f"{name}: it was sent in each way, and echoed", all(server.log.read_text().count(w) > 0 for w in ("c4n4ry", "x-api-key=yes")), server.log.read_text())
        notes = [r["note"] for r in site.export("--source", "s12") if r["note"]]
        suite.true(f"{name}: placeholders stand in the data", notes and "{auth:KEY}" in notes[0], notes)
        states = "".join(p.read_text() for p in (site.store / "state").glob("*/*.json"))
        suite.true(f"{name}: and the request says that its body was touched", '"secrets_struck_out"' in states, states[:2000])
        suite.true(f"{name}: payloads and quarantine are there to be looked into", list((site.store / "payloads").rglob("*.zst")) and
                   list((site.store / "quarantine").rglob("*.json")) and list((site.store / "quarantine").rglob("*.zst")))
        suite.same(f"{name}: nothing that was printed holds it", found(shown.encode()), [])
        suite.same(f"{name}: nor does any file, compressed ones included", holders(site.folder), [])
        if not words:
            rotated(site, server)


def rotated(site, server):
    """Another key, echoed as the first was: the same data."""
    run = site.run("s12", "header", "next", env={"GLANE_TEST_KEY": "an0ther-k3y-of-the-suite"})
    suite.same("a new key that is echoed is no change", {n: sum(s["events"].values()) for n, s in run.sources.items()}, dict.fromkeys(("s12", "header", "next"), 0))
    suite.true("and it was sent", "an0ther" in server.log.read_text())
    code, out, err = site.glane("record", "next", "-o", site.folder / "fixture", env={"GLANE_TEST_ABSENT": "not-absent"})
    suite.true("record gives a fixture without it", code in (0, 1) and (site.folder / "fixture/index.tsv").exists() and not found((out + err).encode()) and
               not holders(site.folder / "fixture"), (code, out, err))


def beyond(*words):
    """A body whose bytes are not searched: what is said of it is."""
    with support.Faults(suite) as server:
        site = suite.site("beyond" + "".join(words), f"[source s]\nbase_url = {server.url()}\nfiles = echo-utf16?k={{auth:KEY}}\n{CSV}{AUTH}", QUICK)
        run = site.run("--all", *words)
        shown = run.out + run.err + "".join(map(str, site.glane("quarantine", "show", "s")))
        suite.true(f"UTF-16{''.join(words)}: a rejected record is shown and kept without it", run.verdicts == {"s": "partial"} and "BEN" in shown and "***" in shown and
                   not found(shown.encode()) and not holders(site.store / "quarantine"), (run, shown))


def cores():
    """Whatever crashes, no core: the worker holds a body, the broker the secret itself, the scheduler the environment."""
    def unlimited():
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    try:
        here = suite.folder / "a-core"
        here.mkdir()
        subprocess.run([sys.executable, "-c", "import os; os.kill(os.getpid(), 11)"], cwd=here, preexec_fn=unlimited, check=False)
        if not list(here.iterdir()):
            suite.skip("cores", "crashing programs leave none in their folder here")
            return
    except (OSError, ValueError):
        suite.skip("cores", "the limit of cores cannot be raised")
        return
    with support.Faults(suite) as server:
        site = suite.site("cores", f"[source s]\nbase_url = {server.url()}\nfiles = stall?k={{auth:KEY}}\n{CSV}{AUTH}"
                          f"[source crash]\nbase_url = {server.url()}\n{OTHERS['crash'][0]}{AUTH}", "jobs = 2\nstall = 60s")
        for victim in ("@broker", "@worker", ""):
            p = subprocess.Popen([support.GLANE, "-c", str(site.conf), "run", "--all", "-q"], cwd=site.folder, preexec_fn=unlimited, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
            until = time.monotonic() + 60
            while not any(role == "@worker" for _, role in support.children(p.pid)) and time.monotonic() < until:
                time.sleep(0.05)
            time.sleep(1)  # the request is under way, secret and all
            pids = [pid for pid, role in support.children(p.pid) if role == victim] if victim else [p.pid]
            for pid in pids:
                os.kill(pid, signal.SIGSEGV)
            try:
                p.wait(2 if victim == "@worker" else support.TIMEOUT)
            except subprocess.TimeoutExpired:
                p.terminate()
                p.wait()
            suite.true(f"cores: {victim or 'the scheduler'} is hit while a request is under way", pids)
        suite.same("cores: none is left", [str(q) for q in site.folder.rglob("*core*") if q.is_file()], [])


def files():
    """Paths of secrets go by the file that names them, wherever the program was started."""
    with support.Faults(suite) as server:
        text = "".join(f"[source {n}]\nbase_url = {server.url()}\nfiles = ok?k={{auth:KEY}}\n{CSV}retries = 0\nauth = KEY=file:../keys/{key}\n"
                       for n, key in (("s", "key"), ("open", "open")))
        site = suite.site("files", text, QUICK)
        (site.folder / "keys").mkdir()
        for name, mode in (("key", 0o600), ("open", 0o644)):
            (site.folder / "keys" / name).write_text(CANARY + "\n")
            (site.folder / "keys" / name).chmod(mode)
        run = site.run()
        suite.true("files: one beside the configuration is found, one that others can read is refused",
                   run.verdicts == {"s": "ok", "open": "failed"} and "chmod 600" in run.sources["open"]["message"], run)
        suite.same("files: it was sent", server.log.read_text().count("c4n4ry"), 1)


def replaced():
    """A key that is replaced while its answer is on the way comes back all the same."""
    site = suite.site("replaced")
    key = site.folder / "key"
    key.write_text(CANARY + "\n")
    key.chmod(0o600)

    def routes(target):
        key.write_text("the-next-0ne-of-the-keys\n")
        said = target.partition("?k=")[2]
        return support.Answer(f"code,year,value,note\nTGO,2020,1.5,{said} {urllib.parse.unquote(said)}\n", "text/csv")
    with support.Server(routes) as server:
        site.configure(f"[source s]\nbase_url = {server.url}\nfiles = a?k={{auth:KEY}}\n{CSV}note = note\nauth = KEY=file:{key}\nkeep_payloads = all\n")
        run = site.run()
        suite.true("a key that was replaced meanwhile: it was sent", run.verdicts == {"s": "ok"} and "c4n4ry" in server.log[0][0], (run, server.log))
    suite.same("and struck out where it came back", ([r["note"] for r in site.export()], holders(site.store)), (["{auth:KEY} {auth:KEY}"], []))


echoes("by workers")
echoes("in process", "--inproc")
beyond()
beyond("--inproc")
cores()
files()
replaced()
sys.exit(suite.finish())
