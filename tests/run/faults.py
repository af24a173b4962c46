#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Faults below the store, by strace: the process killed, or an error returned, at the system calls of a first start, a commit, one
with a checkpoint, a recovery, compact and vacuum; a disk that is really full; a store that cannot be written; locks; runs at once. After each fault the store holds the
night before or this one, whole, and a run without a fault succeeds without repair.
GLANE_TEST_POINTS: how many points of each kind (0: all; 5, of slow variants 2). TAP on standard output."""
import hashlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
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

    def trace(self, template, calls, more=()):
        """The calls that a fault-free run makes, as (name, how many of that name so far): strace counts them like this. Those
        before main() are the dynamic loader's, and left out."""
        self.put_store(template)
        log = self.suite.folder / "trace"
        code, out = self.work(template, ["strace", "-qq", *more, "-o", str(log), "-e", f"trace=openat,{calls}"])
        assert code == 0, out
        counts, found, ours = Counter(), [], bool(more)
        for line in log.read_text(errors="replace").splitlines():
            call = re.match(r"(?:\d+ +)?(\w+)\(", line)
            ours |= '"/dev/null", O_RDWR' in line
            if call:
                counts[call[1]] += 1
                if ours and call[1] in calls.split(","):
                    found.append((call[1], counts[call[1]]))
        return found

    def work(self, template, wrap):
        """What the template is for."""
        return self.run(wrap, words=COMMANDS.get(template, ("run", "--all")))

    def judge(self, template, code, out, killed):
        """What is wrong after a fault; nothing: ''."""
        old, new = (None if template == "first start" else rows_of(night(1))), rows_of(night(2))
        got = self.stored()
        if template in COMMANDS and got != old:
            return f"upkeep has changed the rows: {got}"
        if killed and code not in (-signal.SIGKILL, 137, 0, 1, 3, 5):
            return f"exit {code}: {out}"
        if not killed and (code < 0 or code > 127):
            return f"a fault that is reported must not crash it: exit {code}: {out}"
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


def at_each(lab, template, what, found, fault, killed=False, more=(), want=None):
    bad, codes, chosen = [], Counter(), some(found)
    for call, k in chosen:
        lab.put_store(template)
        code, out = lab.work(template, strace(f"inject={call}:{fault.format(k=k)}", more))
        codes[code] += 1
        why = lab.judge(template, code, out, killed)
        if not why and want and code not in want:
            why = f"exit {code}, not {want}: {out}"
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
        at_each(lab, template, "killed before each call that changes the disk", lab.trace(template, CHANGES), "signal=SIGKILL:when={k}", True)
    for template in COMMANDS:
        at_each(lab, template, "EIO from a call that changes the disk", lab.trace(template, CHANGES), "error=EIO:when={k}", want=(0, 5))
    more = archive_paths(lab)
    found = lab.trace("commit", CHANGES, more)
    at_each(lab, "commit", "the broker killed at the payload archive", found, "signal=SIGKILL:when={k}", True, more)
    at_each(lab, "commit", "ENOSPC at the payload archive", found, "error=ENOSPC:when={k}+", False, more, (0, 5))
    for calls, error, when in (("write,pwrite64", "ENOSPC", "{k}"), ("write,pwrite64", "EIO", "{k}+"), ("write,pwrite64", "EDQUOT", "{k}+"),
                               ("fsync,fdatasync", "EIO", "{k}"), ("fsync,fdatasync", "EIO", "{k}+"),
                               ("renameat,renameat2,linkat", "EIO", "{k}"), ("renameat,renameat2,linkat", "ENOSPC", "{k}+"),
                               ("mkdirat,unlinkat,fchmod,ftruncate,flock", "EIO", "{k}"), ("mkdirat,unlinkat,fchmod,ftruncate", "EROFS", "{k}+")):
        for template in ("first start", "commit", "checkpoint", "recovery", *COMMANDS) if POINTS == 0 else ("commit",):
            at_each(lab, template, f"{error} from {calls} {'once' if '+' not in when else 'and from then on'}", lab.trace(template, calls),
                    f"error={error}:when={when}", want=(0, 5))
    at_each(lab, "commit", "EMFILE from openat", lab.trace("commit", "openat"), "error=EMFILE:when={k}")
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
    suite.true(f"EINTR at every other {', '.join(sorted(first))} changes nothing", code == 0 and lab.stored() == rows_of(night(2)), (code, out))


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


def short_writes(suite, lab):
    cc = shutil.which("cc")
    if not cc or os.environ.get("B", "release") != "release":
        suite.skip("writes that take half", "there is no compiler" if not cc else "a sanitizer wants to be the first library")
        return
    (suite.folder / "half.c").write_text(HALF)
    subprocess.run([cc, "-shared", "-fPIC", "-o", str(suite.folder / "half.so"), str(suite.folder / "half.c"), "-ldl"], check=True)
    lab.put_store("commit" if "commit" in lab.templates else "first start")
    code, out = lab.run(["env", f"LD_PRELOAD={suite.folder}/half.so"])
    suite.true("writes that take half of what they are given: all is written", code == 0 and lab.stored() == rows_of(night(2)), (code, out))


def size_limit(suite, lab):
    """RLIMIT_FSIZE, as ulimit -f: write() fails as on a full disk."""
    lab.put_store("commit" if "commit" in lab.templates else "first start")
    before = lab.stored()
    done = subprocess.run([support.GLANE, "-c", str(lab.site.conf), "run", "--all"], capture_output=True, text=True, check=False,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600)))
    suite.true("a limit of file size: exit 5, the night before stays", done.returncode == 5 and lab.stored() in (before, []),
               (done.returncode, done.stdout + done.stderr))
    code, out = lab.run()
    suite.true("and the next run succeeds", code == 0 and lab.stored() == rows_of(night(2)), (code, out))


def full_disk(suite, lab):
    if os.geteuid() != 0:
        suite.skip("a full disk", "needs root, to mount one")
        return
    disk = Path(tempfile.mkdtemp(prefix="glane-disk-"))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=70m", "tmpfs", str(disk)], capture_output=True, check=False)
    if mounted.returncode != 0:
        suite.skip("a full disk", "no file system can be mounted here")
        os.rmdir(disk)
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
        suite.true("less free than a run may need: refused before anything is fetched", code == 5 and "MiB are free" in err, (code, err))
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
        suite.true("a disk that fills while a run is under way: exit 5", code == 5, (code, out, err))
        (disk / "ballast").unlink()
        suite.true("the night before is what there is", site.glane("--store", disk / "store", "export")[1] == good)
        lab.server.routes = {"/a.csv": support.Answer(later, "text/csv")}
        code, out, err = run()
        suite.true("with room again the next run succeeds", code == 0 and "8" * 17 in site.glane("--store", disk / "store", "export")[1], (code, out, err))
        suite.same("and the store is sound", site.glane("--store", disk / "store", "check", "--store")[0], 0)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        code, out, err = run()
        suite.true("a read-only disk: exit 5, and why", code == 5 and "read-only" in (out + err).lower(), (code, out, err))
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
        suite.true(f"{name}/ is a link: refused", code == 5 and "link" in out, (code, out))
    suite.same("nothing was written through a link", list(elsewhere.iterdir()), [])
    lab.put_store("first start")
    (site.store).symlink_to(elsewhere)
    code, out = lab.run()
    suite.true("the store itself may be a link to a folder", code == 0 and (elsewhere / "format").exists(), (code, out))
    site.store.unlink()
    lab.run()
    (site.store / "lock").unlink()
    (site.store / "lock").symlink_to("/etc/passwd")
    code, out = lab.run()
    suite.true("the lock is a link: refused", code == 5 and "lock" in out, (code, out))
    (site.store / "lock").unlink()
    (site.store / "lock").write_text("12345\n")
    suite.same("a lock file that a dead run left is none", lab.run()[0], 0)
    if os.geteuid() == 0:
        suite.skip("a store of another owner", "root may write to it")
        return
    os.chmod(site.store, 0o555)
    code, out = lab.run()
    os.chmod(site.store, 0o755)
    suite.true("a store that this user may not write: exit 5", code == 5, (code, out))


def at_once(suite, lab):
    lab.put_store("first start")
    many = [subprocess.Popen([support.GLANE, "-c", str(lab.site.conf), "run", "--all"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            for _ in range(12)]
    outs = [p.communicate(timeout=support.TIMEOUT)[0] for p in many]
    codes = Counter(p.returncode for p in many)
    suite.true("twelve runs at once: some win, the others are exit 4", codes[0] >= 1 and set(codes) <= {0, 4}, (codes, outs))
    suite.true("each commit is made once", lab.stored() == rows_of(night(2)) and lab.site.commits() == {"a": 1})
    suite.same("and the store is sound", lab.site.glane("check", "--store")[0], 0)


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
        at_once(suite, lab)
        full_disk(suite, lab)
    sys.exit(suite.finish())


main()
