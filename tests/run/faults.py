#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Faults below the store, by strace: the process killed, or an error returned, at the system calls of a first start, a commit, one
with a checkpoint, a recovery, compact and vacuum; a disk that is really full; a store that cannot be written; locks; runs at once. After each fault the store holds the
night before or this one, whole, and a run without a fault succeeds without repair.
GLANE_TEST_POINTS: how many points of each kind (0: all; 5, of slow variants 2). TAP on standard output."""
import csv
import hashlib
import io
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
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import support  # noqa: E402

POINTS = int(os.environ.get("GLANE_TEST_POINTS", "5" if os.environ.get("B", "release") == "release" else "2"))
# What can change a disk, in the order of a run; whatever lies between two of them leaves the same store.
CHANGES = "write,pwrite64,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,fsync,fdatasync,ftruncate,fchmod"
CSV = "dataset = D\nindicator = =I\narea = code\nperiod = year\nvalue = value\nretries = 0\n"


class Server(support.Server):
    def __init__(self, routes):
        super().__init__(routes)
        self.http.handle_error = lambda *_: None


def night(n):
    return "code,year,value\n" + "".join(f"TGO,{2000 + y},{y if y % 3 else y + n}.5\n" for y in range(30)) + f"BEN,{1990 + n},1\n"


def rows_of(text):
    return sorted(text.splitlines()[1:])


def why_no_strace():
    if not shutil.which("strace"):
        return "there is no strace"
    probe = subprocess.run(["strace", "-qq", "-o", os.devnull, "-e", "inject=fsync:error=EIO", "true"], capture_output=True, text=True, check=False)
    return "" if probe.returncode == 0 else "strace may not trace here: " + probe.stderr.strip()[-200:]


# What is done to a template, where it is no run.
COMMANDS = {"compact": ("compact",), "vacuum": ("vacuum", "--keep", "0s", "--force")}


class Lab:
    """One configuration and its server; stores are made from templates."""

    def __init__(self, suite, server):
        self.suite, self.server = suite, server
        self.site = suite.site("lab", f"[source a]\nplugin = csv\nbase_url = {server.url}\nfiles = a.csv\n{CSV}")
        self.templates = {}

    def publish(self, n):
        self.server.routes["/a.csv"] = support.Answer(night(n), "text/csv", etag=f'"{n}"')

    def run(self, wrap=(), *more, words=("run", "--all")):
        env = os.environ | ({"ASAN_OPTIONS": "detect_leaks=0"} if wrap else {})  # leaks cannot be looked for under ptrace
        done = subprocess.run([*wrap, support.GLANE, "-c", str(self.site.conf), *words, *more], capture_output=True, text=True, env=env,
                              timeout=support.TIMEOUT, check=False)
        return done.returncode, done.stdout + done.stderr

    def stored(self):
        """Rows of the store; None where there is none yet."""
        if not (self.site.store / "format").exists():
            return None
        return sorted(f"{r['area_code']},{r['period']},{r['value']}" for r in self.site.export())

    def put_store(self, template):
        shutil.rmtree(self.site.store, ignore_errors=True)
        if self.templates[template]:
            shutil.copytree(self.templates[template], self.site.store, symlinks=True)

    def keep_store(self, name):
        self.templates[name] = self.suite.folder / f"template-{name}"
        shutil.copytree(self.site.store, self.templates[name], symlinks=True)

    def make_templates(self):
        self.templates["first start"] = None
        self.publish(1)
        self.run()
        self.keep_store("commit")
        self.publish(2)
        # Everything of the commit but its version of the stream, as a killed run leaves it.
        log = self.suite.folder / "trace"
        self.run(["strace", "-qq", "-o", str(log), "-e", "trace=renameat2"])
        renames = [line for line in log.read_text(errors="replace").splitlines() if line.startswith("renameat2(")]
        self.publishing = k = 1 + next(i for i, line in enumerate(renames) if '"00000000000000000002.json"' in line)
        self.put_store("commit")
        code, out = self.run(strace(f"inject=renameat2:signal=SIGKILL:when={k}"))
        assert code in (-signal.SIGKILL, 137), (code, out)
        assert (self.site.store / "state/a/2.json").exists() and self.site.commits() == {"a": 1}
        for part in ("tmp/stream-a-2.parquet", "stream/a-2.parquet", "current/a-2.parquet"):
            (self.site.store / part).write_text("half a ro")
        (self.site.store / "runs/20260101T000000Z.json.tmp").write_text("{")
        self.keep_store("recovery")
        self.make_long_template()

    def make_long_template(self):
        """Nineteen versions, so that the next one brings a checkpoint; the same to be compacted; and compacted, with a payload that
        nothing names."""
        self.put_store("commit")
        for i in range(18):
            self.publish(1 if i % 2 else 3)
            code, out = self.run()
            assert code == 0, out
        assert self.site.commits() == {"a": 19} and self.stored() == rows_of(night(1))
        self.keep_store("checkpoint")
        self.templates["compact"] = self.templates["checkpoint"]
        self.run(words=("compact",))
        body = b"an answer whose commit was never made"
        sha256 = hashlib.sha256(body).hexdigest()
        orphan = self.site.store / "payloads" / sha256[:2]
        orphan.mkdir(exist_ok=True)
        (orphan / sha256).write_bytes(body)
        (orphan / f"{sha256}.json").write_text(json.dumps({"method": "GET", "url": "http://localhost/", "sha256": sha256, "size": len(body),
                                                           "fetched_at": "2026-01-01T00:00:00Z", "request_sha256": "", "status": 200}))
        for name in (sha256, f"{sha256}.json"):
            os.utime(orphan / name, (1, 1))
        self.keep_store("vacuum")
        time.sleep(1.1)  # what is superseded in this very second stays
        code, out = self.run(words=COMMANDS["vacuum"])
        gone = [int(line.split()[1]) for line in out.splitlines()]
        self.suite.true("vacuum removes the joined files, and the payload that nothing names", code == 0 and gone[0] > 19 and gone[1] == 2, out)
        self.publish(2)

    def trace(self, template, calls, more=(), since='"/dev/null", O_RDWR'):
        """The calls that a fault-free run makes, as (name, how many of that name so far): strace counts them like this. Those
        before main() are the dynamic loader's, and left out; or those before the call that has the words `since`."""
        self.put_store(template)
        log = self.suite.folder / "trace"
        code, out = self.work(template, ["strace", "-qq", *more, "-o", str(log), "-e", f"trace=openat,rt_sigaction,{calls}"])
        assert code == 0, out
        counts, found, ours = Counter(), [], bool(more)
        for line in log.read_text(errors="replace").splitlines():
            call = re.match(r"(?:\d+ +)?(\w+)\(", line)
            ours |= since in line
            if call:
                counts[call[1]] += 1
                if ours and call[1] in calls.split(","):
                    found.append((call[1], counts[call[1]]))
        return found

    def work(self, template, wrap):
        """What the template is for."""
        return self.run(wrap, words=COMMANDS.get(template, ("run", "--all")))

    def judge(self, template, code, out):
        """What is wrong after a fault; nothing: ''."""
        old, new = (None if template == "first start" else rows_of(night(1))), rows_of(night(2))
        got = self.stored()
        if template in COMMANDS and got != old:
            return f"upkeep has changed the rows: {got}"
        if got not in (old, new, *([[]] if old is None else [])):
            return f"neither the night before nor this one: {got}"
        if code == 0 and got != new and template not in COMMANDS:
            return f"exit 0, but the rows are not there: {out}"
        code, out = self.run()
        if code != 0 or self.stored() != new:
            return f"the next run: exit {code}: {out}; rows as published: {self.stored() == new}"
        code, out, err = self.site.glane("check", "--store")
        left = [p for p in self.site.store.rglob("*.tmp")] + list((self.site.store / "tmp").iterdir())
        return "" if code == 0 and not err and not left else f"check: {out}{err}{left}"


def strace(inject, more=()):
    return ["strace", "-qq", *more, "-o", os.devnull, "-e", inject]


def some(found):
    """All of them, or so many as are asked for, spread evenly."""
    if POINTS == 0 or len(found) <= POINTS:
        return found
    return [found[i * (len(found) - 1) // max(1, POINTS - 1)] for i in range(POINTS)]


KILLED = (-signal.SIGKILL, 137)


def at_each(lab, template, what, found, fault, want, more=()):
    """The fault at each point; `want` are the exit codes that show that it struck, and was seen."""
    bad, codes, chosen = [], Counter(), some(found)
    for call, k in chosen:
        lab.put_store(template)
        code, out = lab.work(template, strace(f"inject={call}:{fault.format(k=k)}", more))
        codes[code] += 1
        why = lab.judge(template, code, out) if code in want else f"exit {code}, not {want}: {out}"
        if why:
            bad.append(f"at {call} {k}: {why}")
    said = ", ".join(f"exit {c}: {n}" for c, n in sorted(codes.items()))
    lab.suite.true(f"{template}, {what}: {len(chosen)} of {len(found)} points ({said})", not bad, "\n".join(bad[:5]))


def archive_paths(lab):
    """strace options that follow the broker, and look only at the payload archive."""
    archive = lab.site.store / "payloads"
    paths = [archive]
    for body in (lab.templates["recovery"] / "payloads").rglob("*.zst"):
        folder = archive / body.parent.name
        paths += [folder, folder / (body.name + ".tmp"), folder / (body.stem + ".json.tmp")]
    return ["-f", *(word for path in paths for word in ("-P", str(path)))]


def by_strace(suite, lab):
    lab.make_templates()
    lab.publish(2)
    for template in ("first start", "commit", "checkpoint", "recovery", "compact", "vacuum"):
        at_each(lab, template, "S2 killed before each call that changes the disk", lab.trace(template, CHANGES), "signal=SIGKILL:when={k}", KILLED)
    for template in ("first start", "commit"):
        all_, minded = lab.trace(template, CHANGES), lab.trace(template, CHANGES, since="rt_sigaction(SIGTERM, {sa_handler=0x")
        at_each(lab, template, "P8 SIGTERM at each call that changes the disk", minded, "signal=SIGTERM:when={k}", (0, 1, 3))
        at_each(lab, template, "P8 SIGTERM before the run begins", all_[:len(all_) - len(minded)], "signal=SIGTERM:when={k}", (-signal.SIGTERM, 143))
    for template in COMMANDS:
        at_each(lab, template, "S3 EIO from a call that changes the disk", lab.trace(template, CHANGES), "error=EIO:when={k}", (5,))
    more = archive_paths(lab)
    found = lab.trace("commit", CHANGES, more)
    at_each(lab, "commit", "the broker killed at the payload archive", found, "signal=SIGKILL:when={k}", (3,), more)
    at_each(lab, "commit", "ENOSPC at the payload archive", found, "error=ENOSPC:when={k}+", (3, 5), more)
    for calls, error, when in (("write,pwrite64", "ENOSPC", "{k}"), ("write,pwrite64", "EIO", "{k}+"), ("write,pwrite64", "EDQUOT", "{k}+"),
                               ("fsync,fdatasync", "EIO", "{k}"), ("fsync,fdatasync", "EIO", "{k}+"),
                               ("renameat,renameat2,linkat", "EIO", "{k}"), ("renameat,renameat2,linkat", "ENOSPC", "{k}+"),
                               ("mkdirat,unlinkat,fchmod,ftruncate,flock", "EIO", "{k}"), ("mkdirat,unlinkat,fchmod,ftruncate", "EROFS", "{k}+")):
        for template in ("first start", "commit", "checkpoint", "recovery", *COMMANDS) if POINTS == 0 else ("commit",):
            at_each(lab, template, f"{'S5' if 'sync' in calls else 'S3'} {error} from {calls} {'once' if '+' not in when else 'and from then on'}", lab.trace(template, calls),
                    f"error={error}:when={when}", (5,))
    at_each(lab, "commit", "P7 EMFILE from openat", lab.trace("commit", "openat"), "error=EMFILE:when={k}", (0, 2, 3, 5))
    lab.put_store("commit")
    code, out = lab.run(strace(f"inject=renameat2:error=EIO:when={lab.publishing}"), "--json", "-q")
    said = support.Run((code, out[:out.rfind("}") + 1], out))
    suite.true("EIO at the version of the stream: the report says that the source failed, and the store has the night before",
               code == 5 and said.verdicts == {"a": "failed"} and "commit" not in said.sources["a"] and lab.site.commits() == {"a": 1} and
               lab.stored() == rows_of(night(1)), out)
    lab.put_store("commit")
    code, out = lab.run(strace(f"inject=renameat2:error=EIO:when={lab.publishing}"))
    lines = [line.split()[:2] for line in out.splitlines() if line.startswith("a ")]
    suite.true("and no line says that it is ok", code == 5 and lines == [["a", "failed"]], (code, out))
    interrupt(suite, lab)


def interrupt(suite, lab):
    """Every other call from main() on is interrupted once."""
    calls = "read,write,poll,recvmsg,sendmsg,wait4,pread64"
    first = {}
    for call, k in lab.trace("commit", calls):
        first.setdefault(call, k)
    lab.put_store("commit")
    wrap = ["strace", "-qq", "-o", os.devnull, "-e", f"trace={calls}"]
    for call, k in first.items():
        wrap += ["-e", f"inject={call}:error=EINTR:when={k}+2"]
    code, out = lab.run(wrap)
    suite.true(f"S6 EINTR at every other {', '.join(sorted(first))} changes nothing", code == 0 and lab.stored() == rows_of(night(2)), (code, out))


# ---- real disks, modes, locks

HALF = """#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
ssize_t write(int fd, const void *p, size_t n)
{
	ssize_t (*real)(int, const void *, size_t) = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
	return real(fd, p, n > 1 ? n / 2 : n);
}
"""


# statfs() says NFS of every file system.
FAR = """#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/statfs.h>
int fstatfs(int fd, struct statfs *fs)
{
	int (*real)(int, struct statfs *) = (int (*)(int, struct statfs *))dlsym(RTLD_NEXT, "fstatfs");
	int rc = real(fd, fs);

	fs->f_type = 0x6969;
	return rc;
}
int fstatfs64(int fd, struct statfs64 *fs)
{
	return fstatfs(fd, (struct statfs *)fs);
}
"""


def short_writes(suite, lab):
    wrap = support.shim(suite, "writes that take half", HALF)
    if wrap:
        lab.put_store("commit" if "commit" in lab.templates else "first start")
        code, out = lab.run(wrap)
        suite.true("S6 writes that take half of what they are given: all is written", code == 0 and lab.stored() == rows_of(night(2)), (code, out))


def far_away(suite, lab):
    wrap = support.shim(suite, "a network file system", FAR)
    if wrap:
        lab.put_store("first start")
        code, out = lab.run(wrap)
        suite.true("S15 a network file system: exit 5, and why", code == 5 and "network file system" in out and not lab.stored(), (code, out))


def size_limit(suite, lab):
    """RLIMIT_FSIZE, as ulimit -f: write() fails as on a full disk."""
    def limited(*words):
        done = subprocess.run([support.GLANE, "-c", str(lab.site.conf), *words], capture_output=True, text=True, check=False,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600)))
        return done.returncode, done.stdout + done.stderr
    for template in dict.fromkeys(("first start", "commit" if "commit" in lab.templates else "first start")):
        lab.put_store(template)
        before = lab.stored()
        code, out = limited("run", "--all")
        suite.true(f"S4 a limit of file size, {template}: exit 5, the night before stays", code == 5 and lab.stored() in (before, [], None), (code, out))
        suite.true(f"S4 {template}: and the next run succeeds", (lab.run()[0], lab.stored()) == (0, rows_of(night(2))), lab.stored())
    suite.same("S4 export -o: a word, and no file", (limited("export", "-o", str(suite.folder / "x.csv"))[0], (suite.folder / "x.csv").exists()), (5, False))


def mounted(suite, what, options):
    """A tmpfs; None, and a check that was skipped, where none can be mounted."""
    if os.geteuid() != 0:
        suite.skip(what, "needs root, to mount one")
        return None
    disk = Path(tempfile.mkdtemp(prefix="glane-disk-"))
    if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)], capture_output=True, check=False).returncode == 0:
        return disk
    suite.skip(what, "no file system can be mounted here")
    os.rmdir(disk)
    return None


def few_files(suite, lab):
    disk = mounted(suite, "S4 a disk without room for files", "size=400m,nr_inodes=200")
    if not disk:
        return
    try:
        lab.server.log.clear()
        code, out, err = lab.site.glane("--store", disk / "store", "run", "--all")
        suite.true("S4 a disk with room for few files: exit 5, and why", code == 5 and re.search(r"has room for \d+ more files only", err), (code, out, err))
        suite.same("S4 and nothing was asked", lab.server.log, [])
        subprocess.run(["mount", "-o", "remount,nr_inodes=20000", str(disk)], check=True)
        code, out, err = lab.site.glane("--store", disk / "store", "run", "--all")
        suite.true("S4 with room for more it is committed", code == 0, (code, out, err))
    finally:
        subprocess.run(["umount", str(disk)], check=False)
        os.rmdir(disk)


def full_disk(suite, lab):
    disk = mounted(suite, "S4 a full disk", "size=70m")
    if not disk:
        return
    try:
        big = "code,year,value\n" + "".join(f"{a},{y},{'7' * 17}\n" for a in ("TGO", "BEN", "GHA", "NER") for y in range(1000, 2026))
        lab.server.routes["/a.csv"] = support.Answer(big, "text/csv")
        later = big.replace("7" * 17, "8" * 17)
        site = suite.site("disk", f"[source a]\nplugin = csv\nbase_url = {lab.server.url}\nfiles = a.csv\n"
                          f"gate.max_revised_percent = 100\n{CSV}")

        def run():
            return site.glane("--store", disk / "store", "run", "--all")

        (disk / "ballast").write_bytes(b"\0" * (16 << 20))
        code, out, err = run()
        suite.true("S4 less free than a run may need: refused before anything is fetched", code == 5 and "MiB are free" in err, (code, err))
        lab.server.log.clear()
        run()
        suite.same("and nothing was asked", lab.server.log, [])
        (disk / "ballast").unlink()
        code, out, err = run()
        suite.true("with room it is committed", code == 0, (code, out, err))
        good = site.glane("--store", disk / "store", "export")[1]
        # Room at the start that goes while the run is under way: the answer fills the disk before it comes.
        lab.server.routes = filler(lab.server.routes, disk, later)
        code, out, err = run()
        suite.true("S4 a disk that fills while a run is under way: exit 5", code == 5, (code, out, err))
        (disk / "ballast").unlink()
        suite.true("the night before is what there is", site.glane("--store", disk / "store", "export")[1] == good)
        lab.server.routes = {"/a.csv": support.Answer(later, "text/csv")}
        code, out, err = run()
        suite.true("with room again the next run succeeds", code == 0 and "8" * 17 in site.glane("--store", disk / "store", "export")[1], (code, out, err))
        suite.same("and the store is sound", site.glane("--store", disk / "store", "check", "--store")[0], 0)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        lab.server.log.clear()
        code, out, err = run()
        suite.true("S15 a read-only disk: exit 5, and why", code == 5 and "read-only" in (out + err).lower(), (code, out, err))
        suite.same("S15 and nothing was asked", lab.server.log, [])
        suite.same("where it can be read all the same", [site.glane("--store", disk / "store", c)[0] for c in ("export", "status", "runs")], [0, 0, 0])
    finally:
        subprocess.run(["umount", str(disk)], check=False)
        os.rmdir(disk)


def filler(routes, disk, text):
    def answer(_):
        with open(disk / "ballast", "wb") as f:
            try:
                while f.write(b"\0" * (1 << 16)):
                    f.flush()
            except OSError:
                pass
        return support.Answer(text, "text/csv")

    return answer


def shapes(suite, lab):
    lab.publish(2)
    site = lab.site
    elsewhere = suite.folder / "elsewhere"
    elsewhere.mkdir()
    for name in ("stream", "current", "series", "state", "payloads", "runs", "tmp"):
        lab.put_store("first start")
        lab.run()
        shutil.rmtree(site.store / name)
        (site.store / name).symlink_to(elsewhere)
        code, out = lab.run()
        suite.true(f"S15 {name}/ is a link: refused", code == 5 and "link" in out, (code, out))
    suite.same("S15 nothing was written through a link", list(elsewhere.iterdir()), [])
    lab.put_store("first start")
    (site.store).symlink_to(elsewhere)
    code, out = lab.run()
    suite.true("the store itself may be a link to a folder", code == 0 and (elsewhere / "format").exists(), (code, out))
    site.store.unlink()
    lab.run()
    (site.store / "lock").unlink()
    (site.store / "lock").symlink_to("/etc/passwd")
    code, out = lab.run()
    suite.true("S15 the lock is a link: refused", code == 5 and "lock" in out, (code, out))
    (site.store / "lock").unlink()
    (site.store / "lock").write_text("12345\n")
    suite.same("S14 a lock file that a dead run left is none", lab.run()[0], 0)
    before, is_root = lab.stored(), os.geteuid() == 0
    os.chmod(suite.folder, 0o755)
    os.chmod(site.store, 0o555)
    try:
        done = subprocess.run([support.GLANE, "-c", str(site.conf), "run", "--all"], capture_output=True, text=True, check=False,
                              preexec_fn=(lambda: os.setuid(65534)) if is_root else None)
        suite.true("S15 a store that this user may not write: exit 5, and why", done.returncode == 5 and "ermission" in done.stderr + done.stdout, done)
    except PermissionError:
        suite.skip("S15 a store of another owner", "another user cannot come to the program here")
    os.chmod(site.store, 0o755)
    suite.true("S15 and nothing of it has changed", lab.stored() == before)


def at_once(suite, lab):
    lab.put_store("first start")
    many = [start(lab) for _ in range(50)]
    outs = [p.communicate(timeout=support.TIMEOUT)[0] for p in many]
    codes = Counter(p.returncode for p in many)
    suite.true("S14 fifty runs at once: some win, the others are exit 4", codes[0] >= 1 and set(codes) <= {0, 4}, (codes, outs))
    suite.true("S14 each commit is made once", lab.stored() == rows_of(night(2)) and lab.site.commits() == {"a": 1})
    suite.same("and the store is sound", lab.site.glane("check", "--store")[0], 0)


class Held:
    """Routes whose first request waits until it is let go."""

    def __init__(self):
        self.asked, self.go = threading.Event(), threading.Event()

    def __call__(self, _):
        if not self.asked.is_set():
            self.asked.set()
            self.go.wait(60)
        return support.Answer(night(2), "text/csv")


def start(lab):
    return subprocess.Popen([support.GLANE, "-c", str(lab.site.conf), "run", "--all"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def one_holds(suite, lab):
    """One run waits for its server; 49 others come meanwhile."""
    lab.put_store("first start")
    kept, lab.server.routes = lab.server.routes, Held()
    first = start(lab)
    lab.server.routes.asked.wait(60)
    began, many = time.monotonic(), [start(lab) for _ in range(49)]
    outs = [p.communicate(timeout=support.TIMEOUT)[0] for p in many]
    took, waits = time.monotonic() - began, first.poll() is None
    suite.true("S14 one run holds the lock: 49 others end with exit 4 and one line each while it still waits", waits and
               {p.returncode for p in many} == {4} and all(out.count("\n") == 1 and "another run holds the lock" in out for out in outs),
               (waits, [p.returncode for p in many], outs[:3]))
    suite.true("S14 and they did not wait for it", took < (10 if support.SANDBOXED else 60), took)
    lab.server.routes.go.set()
    out = first.communicate(timeout=support.TIMEOUT)[0]
    lab.server.routes = kept
    suite.true("S14 the one that holds it commits", first.returncode == 0 and lab.stored() == rows_of(night(2)) and lab.site.commits() == {"a": 1}, out)


def lock_deleted(suite, lab):
    """Somebody removes the lock while a run holds it: the folder is locked too."""
    lab.put_store("commit" if "commit" in lab.templates else "first start")
    kept, lab.server.routes = lab.server.routes, Held()
    first = start(lab)
    lab.server.routes.asked.wait(60)
    (lab.site.store / "lock").unlink()
    code, out = lab.run()
    lab.server.routes.go.set()
    late = first.communicate(timeout=support.TIMEOUT)[0]
    lab.server.routes = kept
    suite.true("S14 the lock is removed while it is held: exit 4 all the same, and the run that holds it commits", (code, first.returncode) == (4, 0) and
               lab.stored() == rows_of(night(2)) and lab.site.glane("check", "--store")[0] == 0, (code, out, first.returncode, late))
    suite.same("S14 and the next run succeeds", lab.run()[0], 0)


def readers(suite, lab):
    """Exports beside commits, checkpoints and upkeep: each is a night as it was published, none older than the one before."""
    lab.put_store("first start")
    lab.publish(0)
    lab.run()
    seen, wrong, done = [[], []], [], threading.Event()
    nights = {tuple(rows_of(night(n))): n for n in range(26)}

    def read(mine):
        while not done.is_set():
            code, out, err = lab.site.glane("export")
            rows = tuple(sorted(f"{r['area_code']},{r['period']},{r['value']}" for r in csv.DictReader(io.StringIO(out)))) if code == 0 else ()
            if code or rows not in nights:
                wrong.append((code, err, out[-300:]))
                return
            mine.append(nights[rows])
    threads = [threading.Thread(target=read, args=(mine,)) for mine in seen]
    for t in threads:
        t.start()
    codes = []
    for n in range(1, 26):  # the twentieth brings a checkpoint
        lab.publish(n)
        codes.append(lab.run()[0])
        if n % 10 == 0:
            codes.append(lab.run(words=("compact",))[0])
            codes.append(lab.run(words=("vacuum", "--keep", "1d"))[0])
    done.set()
    for t in threads:
        t.join()
    suite.true(f"S16 {len(seen[0] + seen[1])} exports beside 25 commits: each a night that was published", not wrong and set(codes) == {0} and
               all(len(set(mine)) > 3 for mine in seen), (wrong, codes, seen))
    suite.true("S16 none of a night before the one that the same reader saw last", all(mine == sorted(mine) for mine in seen), seen)


def main():
    suite = support.Suite("faults")
    with Server({}) as server:
        lab = Lab(suite, server)
        lab.templates["first start"] = None
        why = why_no_strace()
        if why:
            suite.skip("faults at system calls", why)
        else:
            by_strace(suite, lab)
        lab.publish(2)
        short_writes(suite, lab)
        size_limit(suite, lab)
        shapes(suite, lab)
        far_away(suite, lab)
        at_once(suite, lab)
        one_holds(suite, lab)
        lock_deleted(suite, lab)
        readers(suite, lab)
        few_files(suite, lab)
        full_disk(suite, lab)
    sys.exit(suite.finish())


main()
