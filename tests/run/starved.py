#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every allocation of a golden run fails (RELIABILITY P3), once and from then on: ours and those inside libxml2, jansson, curl, libarchive, zstd and libc,
in the main process, the broker, the workers and the processes that describe plugins, sandbox and all (tests/tools/glane_starved.c is the program with a
malloc that fails on demand). And every system call of broker and worker fails, once and from then on (strace). No crash, no hang, no leak
in the main process, no partial commit; each source has the night before or this one; the next run succeeds without repair.
Not refused is what crashes without: libseccomp 2.5.4, OpenSSL 3.0 as it begins, reading by jansson 2.14; the program asks for that much
memory before each of them (mem_has). A site is a stack of callers: the first allocation of each is made to fail. GLANE_TEST_POINTS: how many of each kind, spread evenly (0: all; 4).
TAP on standard output."""
import gzip
import io
import os
import re
import shutil
import struct
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import support  # noqa: E402
from support import Answer  # noqa: E402

POINTS = int(os.environ.get("GLANE_TEST_POINTS", "4"))
PATIENCE = 180  # seconds: longer than any limit of a request that gets no answer
ROLES = ("main", "broker", "worker", "describe")  # 1, 2, ... in the control file
TALLY, STACK, STACKS = 536, 656, 65536  # where it has them
SIZE = STACK + 5 * STACKS * 8
XML = '<?xml version="1.0"?><m:StructureSpecificData xmlns:m="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message"><m:Header>' \
      '<m:ID>x</m:ID></m:Header><m:DataSet action="Append">{}</m:DataSet></m:StructureSpecificData>'
# libarchive ends its process where it has no memory, and a payload whose reader ended is read again only when asked to.
ENDS_ITSELF = "Fatal Internal Error in libarchive: "
CSV = "dataset = D\nindicator = =I\narea = code\nperiod = year\nvalue = value\n"
# Calls that cannot fail (brk gives an address, whatever happens), that a process only ends with, or that wait for what another process does.
NEVER = {"exit_group", "exit", "rt_sigreturn", "restart_syscall", "getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "futex",
         "munmap", "sched_yield", "rt_sigprocmask", "close", "brk"}
ERRORS = {"read": "EIO", "write": "EIO", "pread64": "EIO", "pwrite64": "ENOSPC", "fsync": "EIO", "fdatasync": "EIO", "openat": "EMFILE", "poll": "ENOMEM",
          "recvmsg": "ECONNRESET", "sendmsg": "ENOBUFS", "recvfrom": "ECONNRESET", "sendto": "ECONNRESET", "socket": "EMFILE", "renameat2": "EIO",
          "connect": "ENETUNREACH", "mkdirat": "ENOSPC", "linkat": "EIO", "unlinkat": "EIO", "fcntl": "EINVAL", "dup": "EMFILE", "pipe2": "EMFILE"}


def numbers(night):
    return [(a, 2000 + y, f"{y + (night if y % 3 == 0 else 0)}.5") for a in ("TGO", "BEN") for y in range(12)]


class Lab:
    """Sources of every reader, the program with a malloc that fails, and a store with the first of two nights."""

    def __init__(self, suite, server):
        self.suite, self.server = suite, server
        self.glane = suite.folder / "glane"
        shutil.copy2(support.OUT / "tools/glane_starved", self.glane)
        self.control = Path(f"{self.glane}.control")
        url = f"base_url = {server.url}\nretries = 0\n"
        self.site = suite.site("lab", f"[source gz]\nplugin = csv\nfiles = gz.csv\n{CSV}{url}"
                               f"[source zip]\nplugin = csv\nfiles = a.zip\n{CSV}{url}"
                               f"[source xml]\nplugin = sdmx\nflows = F\naccept = xml\ngate.max_revised_percent = 100\n{url}"
                               f"[source json]\nplugin = json\nfiles = a.json\nselect = data.*\n{CSV}{url}")
        self.names = ("gz", "zip", "xml", "json")
        self.template = suite.folder / "template"
        self.publish(1)
        r = self.site.run()
        assert r.code == 0, r
        self.old = self.stored()
        shutil.copytree(self.site.store, self.template, symlinks=True)
        self.publish(2)

    def publish(self, night):
        rows = numbers(night)
        text = "code,year,value\n" + "".join(f"{a},{y},{v}\n" for a, y, v in rows)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as z:
            z.writestr("a.csv", text)
        obs = "".join(f'<Obs FREQ="A" REF_AREA="{a}" TIME_PERIOD="{y}" OBS_VALUE="{v}"/>' for a, y, v in rows)
        data = ",".join(f'{{"code":"{a}","year":"{y}","value":{v}}}' for a, y, v in rows)
        self.server.routes = {
            "/gz.csv": Answer(gzip.compress(text.encode(), mtime=0), "text/csv", headers=[("Content-Encoding", "gzip")]),
            "/a.zip": Answer(packed.getvalue(), "application/zip"),
            "/data/F/all": Answer(XML.format(obs), "application/vnd.sdmx.structurespecificdata+xml;version=2.1"),
            "/a.json": Answer(f'{{"data":[{data}]}}', "application/json")}

    def stored(self):
        """Rows of each source, sorted."""
        found = {n: [] for n in self.names}
        for r in self.site.export():
            found[r["source"]].append((r["area_code"], r["period"], r["value"]))
        return {n: sorted(rows) for n, rows in found.items()}

    def arm(self, role=0, nth=0, lasting=False, command=""):
        with open(self.control, "wb") as f:
            f.truncate(SIZE)
            f.write(struct.pack("=IIQ512sII", role, lasting, nth, command.encode(), 0, 0))

    def tally(self, role):
        """Allocations, refusals, and blocks that were not given back."""
        with open(self.control, "rb") as f:
            f.seek(TALLY + 24 * role)
            return struct.unpack("=QQq", f.read(24))

    def sites(self, role):
        """The first allocation of each stack of callers."""
        with open(self.control, "rb") as f:
            f.seek(STACK + 8 * STACKS * role)
            seen = struct.unpack(f"={STACKS}Q", f.read(8 * STACKS))
        calls = self.tally(role)[0]
        assert 0 < calls <= STACKS, calls
        first = {0: 0}
        for n, stack in enumerate(seen[:calls]):
            first.setdefault(stack, n + 1)
        return sorted(first.values())[1:]

    def run(self):
        """One run of the program under test on the store of the first night."""
        shutil.rmtree(self.site.store)
        shutil.copytree(self.template, self.site.store, symlinks=True)
        try:
            done = subprocess.run([str(self.glane), "-c", str(self.site.conf), "run", "--all", "--jobs", "1"], capture_output=True, text=True,
                                  timeout=PATIENCE, check=False)
        except subprocess.TimeoutExpired:
            return None, "it hangs"
        return done.returncode, done.stdout + done.stderr

    def judge(self, name, code, out, calls=False):
        """What is wrong after a fault in a process of that name; nothing: ''. A worker's trouble is its source's alone, unless the disk is to blame."""
        if code not in ((0, 1, 3, *((5,) if calls else ())) if name in ("worker", "describe") else (0, 1, 2, 3, 5)):
            return f"exit {code}: {out}"
        if re.search(r"ended with signal \d|Segmentation|Aborted|stack smashing|corrupt", out):
            return f"a crash: {out}"
        if code != 0 and not out.strip():
            return f"exit {code} without a word"
        got = self.stored()
        for n in self.names:
            if got[n] not in (self.old[n], self.new[n]):
                return f"{n} has neither the night before nor this one: {got[n]}: {out}"
        if code == 0 and got != self.new:
            return f"exit 0, but a night is not there: {out}"
        r = self.site.run("--all", *(["--retry"] if ENDS_ITSELF in out else []))
        if r.code != 0 or self.stored() != self.new:
            return f"the next run: exit {r.code}: {[s.get('message') for s in r.sources.values()]}{r.err}"
        check = self.site.glane("check", "--store")
        left = list((self.site.store / "tmp").iterdir())
        return "" if check[0] == 0 and not check[2] and not left else f"check: {check}{left}"


def some(found):
    if POINTS == 0 or len(found) <= POINTS:
        return found
    return [found[i * (len(found) - 1) // max(1, POINTS - 1)] for i in range(POINTS)]


def starve(lab, role, name, sites, live):
    for lasting in (False, True):
        if lasting and support.COUNTED:
            lab.suite.skip(f"{name}: no memory from then on", "the counters of this build want some at the end")
            continue
        bad, codes, unmet, chosen = [], Counter(), 0, some(sites)
        for nth in chosen:
            lab.arm(role, nth, lasting)
            code, out = lab.run()
            calls, refused, left = lab.tally(role)
            codes[code] += 1
            unmet += refused == 0
            why = lab.judge(name, code, out)
            if not why and name == "main" and left > live:
                why = f"{left} blocks are not given back, without a fault {live}: {out}"
            if why:
                bad.append(f"allocation {nth}: {why}")
                print(f"# {name}, {'from then on' if lasting else 'once'}, {bad[-1][:600]!r}", flush=True)
        said = ", ".join(f"exit {c}: {n}" for c, n in sorted(codes.items(), key=str))
        lab.suite.true(f"{name}: no memory {'from then on' if lasting else 'once'}, at {len(chosen)} of {len(sites)} sites ({said}; {unmet} not met)",
                       not bad and unmet <= len(chosen) // 4, "\n".join(bad[:5]))


def by_memory(suite, lab):
    lab.arm()
    code, out = lab.run()
    suite.same("without a fault the program with this malloc has the night", (code, lab.stored()), (0, lab.new)) or print(out)
    found = {role: (lab.sites(role), *lab.tally(role)) for role in range(1, len(ROLES) + 1)}
    for role, (sites, calls, _, live) in found.items():
        print(f"# {ROLES[role - 1]}: {calls} allocations, {len(sites)} sites, {live} blocks not given back", flush=True)
    for role, (sites, _, _, live) in found.items():
        starve(lab, role, ROLES[role - 1], sites, live)


# ---- system calls

def trace(lab, role):
    """The calls of the first process of that role, from before main() on, as (name, how many of that name so far)."""
    log = lab.suite.folder / "trace"
    lab.arm(role, command=f"exec strace -qq -o {log} -p $TRACED >/dev/null 2>&1")
    code, out = lab.run()
    counts, found = Counter(), []
    for line in log.read_text(errors="replace").splitlines() if log.exists() else []:
        call = re.match(r"(\w+)\(", line)
        if call:
            counts[call[1]] += 1
            if call[1] not in NEVER:
                found.append((call[1], counts[call[1]]))
    return code, out, found


def by_calls(suite, lab):
    why = "" if shutil.which("strace") else "there is no strace"
    if support.COUNTED:
        why = "a counter that cannot be read at the end is written anew, and what others counted is gone"
    for name in ("broker", "worker"):
        role = ROLES.index(name) + 1
        code, out, found = trace(lab, role) if not why else (0, "", [])
        if not found:
            suite.skip(f"{name}: system calls that fail", why or f"strace may not attach here: exit {code} {out[-200:]}")
            continue
        print(f"# {name}: {len(found)} system calls, {len({c for c, _ in found})} names", flush=True)
        for when in ("", "+"):
            bad, codes, chosen = [], Counter(), some(found)
            for call, k in chosen:
                lab.arm(role, command=f"exec strace -qq -o /dev/null -e trace={call} -e inject={call}:error={ERRORS.get(call, 'ENOMEM')}:when={k}{when} "
                                      "-p $TRACED >/dev/null 2>&1")
                code, out = lab.run()
                codes[code] += 1
                why = lab.judge(name, code, out, calls=True)
                if why:
                    bad.append(f"at {call} {k}: {why}")
                    print(f"# {name}, {'from then on' if when else 'once'}, {bad[-1][:600]!r}", flush=True)
            said = ", ".join(f"exit {c}: {n}" for c, n in sorted(codes.items(), key=str))
            suite.true(f"{name}: a system call fails {'from then on' if when else 'once'}, at {len(chosen)} of {len(found)} ({said})", not bad,
                       "\n".join(bad[:5]))


def main():
    suite = support.Suite("starved")
    if support.WATCHED:
        suite.skip("allocations and system calls that fail", "a sanitizer has a malloc of its own")
        sys.exit(suite.finish())
    with support.Server({}) as server:
        server.http.handle_error = lambda *_: None
        lab = Lab(suite, server)
        r = lab.site.run()
        assert r.code == 0, r
        lab.new = lab.stored()
        by_memory(suite, lab)
        by_calls(suite, lab)
    sys.exit(suite.finish())


main()
