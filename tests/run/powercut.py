#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Power cuts of a real file system (RELIABILITY S7 S8, and S9 for fsync): an ext4 image on a loop device, runs that write a store on it, one after the other, and a shutdown of
the file system at a random moment: what the journal has not written is gone, as it is when the power goes. Then the image is mounted again,
which replays the journal: every commit that was acknowledged before the cut is there, its files byte for byte, none twice; a night under way
is there whole or not at all; `check --store` finds nothing; the next run succeeds without repair. The same with fsync made a no-op loses
commits, and that is seen. GLANE_TEST_CUTS: how many (10; 200 by hand); GLANE_TEST_SEED. Needs root, loop devices and ext4, and is skipped, with the
reason, elsewhere. TAP on standard output."""
import errno
import fcntl
import hashlib
import os
import random
import shutil
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import support  # noqa: E402

RELEASE = os.environ.get("B", "release") == "release"
CUTS = int(os.environ.get("GLANE_TEST_CUTS", "10" if RELEASE else "3"))
SEED = int(os.environ.get("GLANE_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 30)
LIES = 20  # cuts without fsync until a loss is seen
SHUTDOWN, NO_FLUSH = 0x8004587D, 2  # EXT4_IOC_SHUTDOWN, and that the journal is not written before
SOURCES = {"big": 40, "small": 6}
AREAS = ("TGO", "BEN", "GHA", "NER", "MLI", "BFA")
CSV = ("dataset = D\nindicator = =I\narea = code\nperiod = year\nvalue = value\nretries = 0\ngate.max_revised_percent = 100\n"
       "gate.max_factor = 1000000\ngate.max_rescaled_percent = 100\ngate.max_jumped_percent = 100\n")
NO_FSYNC = """int fsync(int fd) { return fd < 0 ? -1 : 0; }
int fdatasync(int fd) { return fd < 0 ? -1 : 0; }
int syncfs(int fd) { return fd < 0 ? -1 : 0; }
"""


class NoMount(Exception):
    """Why no file system can be mounted here."""


def published(name, night):
    """What a source says on a night, as it is stored: some values are revised, a row comes, one goes."""
    rows = {(a, 1900 + y): f"{y + (night if y % 7 == night % 7 else 0)}.5" for a in AREAS for y in range(SOURCES[name])}
    rows["TGO", 1800 + night % 50] = str(night)
    return rows


class Disk:
    """The image and where it is mounted."""

    def __init__(self, folder):
        self.image, self.mnt = folder / "disk.img", folder / "mnt"
        self.mnt.mkdir(exist_ok=True)

    def must(self, *words):
        try:
            done = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=False)
        except OSError as e:
            raise NoMount(f"{words[0]}: {e.strerror}") from e
        if done.returncode != 0:
            raise NoMount(f"{words[0]}: {(done.stderr or done.stdout).strip()[-200:]}")

    def make(self):
        self.image.unlink(missing_ok=True)
        with open(self.image, "wb") as f:
            f.truncate(192 << 20)  # a run wants 64 MiB free
        self.must("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=1,nodiscard", self.image)
        self.mount()

    def mount(self):
        self.must("mount", "-t", "ext4", "-o", "loop", self.image, self.mnt)

    def umount(self):
        """Waits for what still has a file of it open."""
        end = time.monotonic() + support.TIMEOUT
        while subprocess.run(["umount", str(self.mnt)], capture_output=True, check=False).returncode != 0:
            if time.monotonic() > end:
                raise RuntimeError("the file system cannot be unmounted")
            time.sleep(0.05)

    def shutdown(self):
        fd = os.open(self.mnt, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(fd, SHUTDOWN, struct.pack("I", NO_FLUSH))
        except OSError as e:
            raise NoMount(f"ext4 cannot be shut down here: {errno.errorcode.get(e.errno)}") from e
        finally:
            os.close(fd)


class Cutter:
    """One store on the disk, its server, and what it must hold, which is known outside of it."""

    def __init__(self, suite, name, seed, preload=None):
        self.dice, self.bad, self.night = random.Random(seed), [], 0
        self.disk = Disk(suite.folder)
        self.env = {"LD_PRELOAD": str(preload)} if preload else None
        self.server = support.Server({})
        self.server.http.handle_error = lambda *_: None
        self.site = suite.site(name, "".join(f"[source {n}]\nplugin = csv\nbase_url = {self.server.url}\nfiles = {n}.csv\n{CSV}\n" for n in SOURCES))
        conf = self.site.conf.read_text().replace("store = store", f"store = {self.disk.mnt}/store")
        self.site.conf.write_text(conf)
        self.site.store = self.disk.mnt / "store"
        self.fresh()
        self.counts = Counter()
        self.usual = 0.3  # seconds of a run

    def fresh(self):
        """An empty disk."""
        self.vintages, self.files, self.acknowledged = [], {}, 0

    def publish(self):
        self.night += 1
        for n in SOURCES:
            text = "code,year,value\n" + "".join(f"{a},{y},{v}\n" for (a, y), v in published(n, self.night).items())
            self.server.routes[f"/{n}.csv"] = support.Answer(text, "text/csv", etag=f'"{self.night}"')

    def stored(self, *words):
        """Rows of each source by key, and the newest moment of them; a key that is there twice is told."""
        got, newest = {n: {} for n in SOURCES}, ""
        for r in self.site.export(*words):
            key = (r["area_code"], int(r["period"]))
            if key in got[r["source"]]:
                self.bad.append(f"night {self.night}: {r['source']} has {key} twice")
            got[r["source"]][key] = r["value"]
            newest = max(newest, r["recorded_at"])
        return got, newest

    def immutable(self):
        """Files of the stream and of its log that nothing rewrites, and payloads, by their hashes."""
        return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for folder in ("stream", "payloads") for p in (self.site.store / folder).rglob("*")
                if p.is_file() and p.name[0] != "." and p.suffix != ".tmp" and "last_checkpoint" not in p.name and p.suffix != ".crc"}

    def nights(self, stop):
        """Runs one after the other; what each acknowledged before the cut is noted."""
        while not stop.is_set():
            self.publish()
            began = time.monotonic()
            code, out, err = self.site.glane("run", "--all", env=self.env)
            if stop.is_set():
                return
            if code != 0:
                self.bad.append(f"night {self.night}: a run that was not cut: exit {code}: {out}{err}")
                return
            self.usual = 0.5 * self.usual + 0.5 * (time.monotonic() - began)
            self.acknowledged = self.night
            self.counts["acknowledged"] += 1
            if self.dice.random() < 0.3:
                got, newest = self.stored()
                files = self.immutable()
                if not stop.is_set():
                    self.vintages.append((newest, got))
                    self.files = files

    def cut(self):
        """Nights until the power goes; then the disk as it is found."""
        stop = threading.Event()
        worker = threading.Thread(target=self.run_nights, args=(stop,))
        worker.start()
        time.sleep(self.dice.uniform(0, 4 * self.usual))
        stop.set()
        acknowledged = self.acknowledged  # read before the cut: the shutdown lets a sync that waits succeed
        self.disk.shutdown()
        worker.join(support.TIMEOUT)
        self.disk.umount()
        self.disk.mount()
        self.counts["cuts"] += 1
        return acknowledged

    def run_nights(self, stop):
        try:
            self.nights(stop)
        except (OSError, RuntimeError, ValueError, KeyError) as e:
            if not stop.is_set():
                self.bad.append(f"night {self.night}: {e!r}")

    def lost(self, acknowledged):
        """What is wrong with the store that was found; nothing: []."""
        wrong = []
        if not (self.site.store / "format").exists():
            return ["the store is gone"] if acknowledged else []
        try:
            got = self.stored()[0]
        except RuntimeError as e:
            return [str(e)]
        for n in SOURCES:
            fits = [k for k in {acknowledged, self.night} if got[n] == (published(n, k) if k else {})]
            if not fits:
                wrong.append(f"{n} is neither night {acknowledged}, which was acknowledged, nor {self.night}: {len(got[n])} rows")
            elif fits == [self.night]:
                self.counts["late"] += 1
        for path, digest in self.files.items():
            if not os.path.exists(path) or hashlib.sha256(Path(path).read_bytes()).hexdigest() != digest:
                wrong.append(f"{path} is not what it was")
        for moment, rows in self.dice.sample(self.vintages, min(3, len(self.vintages))):
            if self.stored("--as-of", moment)[0] != rows:
                wrong.append(f"as of {moment} it is not what it was")
        code, out, err = self.site.glane("check", "--store")
        # Between its tables a commit may be cut: the next run completes them, and check says so until then.
        if code != 0 and "behind" not in out + err:
            wrong.append(f"check --store: exit {code}: {out}{err}")
        self.counts["behind"] += code != 0
        return wrong

    def next_run(self):
        """Succeeds without repair, and brings what is published."""
        self.publish()
        code, out, err = self.site.glane("run", "--all")
        if code != 0 or self.stored()[0] != {n: published(n, self.night) for n in SOURCES}:
            self.bad.append(f"night {self.night}: the next run: exit {code}: {out}{err}")
        self.acknowledged = self.night
        code, out, err = self.site.glane("check", "--store")
        left = [str(p) for p in (self.site.store / "tmp").iterdir()]
        if code != 0 or err or left:
            self.bad.append(f"night {self.night}: after the next run: check: exit {code}: {out}{err}{left}")


def why_not():
    if os.geteuid() != 0:
        return "it needs root, to mount a file system"
    if not shutil.which("mkfs.ext4"):
        return "there is no mkfs.ext4"
    return ""


def random_cuts(suite):
    cutter = Cutter(suite, "cut", SEED)
    cutter.disk.make()
    try:
        with cutter.server:
            for i in range(CUTS):
                before = len(cutter.bad)
                cutter.bad += [f"cut {i + 1}: {what}" for what in cutter.lost(cutter.cut())]
                if len(cutter.bad) == before:
                    cutter.next_run()
                if len(cutter.bad) > 5:
                    break
    finally:
        cutter.disk.umount()
    fsck = subprocess.run(["fsck.ext4", "-fn", str(cutter.disk.image)], capture_output=True, text=True, check=False)
    n = cutter.counts
    suite.same(f"{n['cuts']} power cuts on ext4 (seed {SEED}; {n['acknowledged']} runs acknowledged before one; {n['late']} nights of a source were whole "
               f"though not acknowledged, {n['behind']} to be completed by the next run): 0 lost, 0 doubled", cutter.bad[:5], [])
    suite.true("runs were acknowledged between the cuts", n["acknowledged"] >= max(1, CUTS // 2), n)
    suite.same("and the file system itself is sound", fsck.returncode, 0)


def lies_are_seen(suite):
    cc = shutil.which("cc")
    if not cc or not RELEASE:
        suite.skip("without fsync a loss is seen", "there is no compiler" if not cc else "a sanitizer wants to be the first library")
        return
    (suite.folder / "nosync.c").write_text(NO_FSYNC)
    subprocess.run([cc, "-shared", "-fPIC", "-o", str(suite.folder / "nosync.so"), str(suite.folder / "nosync.c")], check=True)
    cutter, cuts, seen = Cutter(suite, "lies", SEED, suite.folder / "nosync.so"), 0, []
    with cutter.server:
        while not seen and cuts < LIES and not cutter.bad:
            cuts += 1
            cutter.fresh()
            cutter.disk.make()
            try:
                acknowledged = cutter.cut()
                seen = acknowledged and cutter.lost(acknowledged)
            finally:
                cutter.disk.umount()
    suite.true(f"without fsync a loss is seen: at cut {cuts}: {str(seen)[:150]}", seen, (cutter.bad, cutter.counts))


def main():
    suite = support.Suite("powercut")
    why = why_not()
    try:
        if not why:
            probe = Disk(suite.folder)
            probe.make()
            try:
                probe.shutdown()
            finally:
                probe.umount()
    except NoMount as e:
        why = f"no ext4 can be mounted and cut here: {e}"
    if why:
        suite.skip("power cuts on ext4", why)
        sys.exit(suite.finish())
    random_cuts(suite)
    lies_are_seen(suite)
    sys.exit(suite.finish())


main()
