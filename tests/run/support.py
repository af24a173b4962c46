# SPDX-License-Identifier: MIT
"""What the suites of this folder share: TAP checks, a folder with configuration and store, the program, a local HTTP server.

    suite = support.Suite("name")
    with support.Server({"/a.csv": support.Answer(b"...", "text/csv")}) as server:
        site = suite.site("first", f"[source s]\nplugin = csv\nbase_url = {server.url}\n...")
        suite.same("it runs", site.run().verdicts, {"s": "ok"})
    sys.exit(suite.finish())
"""
import csv
import ctypes
import hashlib
import http.server
import io
import json
import lzma
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from pathlib import Path

sys.dont_write_bytecode = True
TOP = Path(os.environ.get("GLANE_TOP", Path(__file__).resolve().parents[2]))
GLANE = os.environ.get("GLANE", str(TOP / "build/glane"))
OUT = Path(os.environ.get("GLANE_OUT", TOP / "build/release")).resolve()
BUILD = OUT.name if OUT.name in ("asan", "tsan", "cov", "valgrind") else os.environ.get("B", "release")
WATCHED = BUILD in ("asan", "tsan", "valgrind")  # limits of memory are lifted, and signals become exits
COUNTED = BUILD in ("cov", "valgrind")  # they write files as they end, so that others can
SANDBOXED = not WATCHED and not COUNTED
PAYLOADS = Path(os.environ.get("GLANE_PAYLOADS", TOP / "../shared/payloads"))
TIMEOUT = float(os.environ.get("GLANE_TIMEOUT", "300"))  # of one command, on a loaded machine
# What a run may write without a change: its report and what lies outside the commit.
OUTSIDE_COMMIT = ("runs/", "broker/limits.json", "lock")


def seven_zip(name, body):
    """A 7z archive of one file, LZMA2 (7zFormat.txt of the LZMA SDK)."""
    def number(n):
        return bytes([n]) if n < 0x80 else b"\xff" + struct.pack("<Q", n)

    packed = lzma.compress(body, lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 23, "preset": 1}])
    streams = (b"\x06" + number(0) + number(1) + b"\x09" + number(len(packed)) + b"\x00"  # where the packed bytes are
               + b"\x07\x0b\x01\x00" + b"\x01\x21\x21\x01\x16"  # one folder, one coder: LZMA2 with 8 MiB
               + b"\x0c" + number(len(body)) + b"\x0a\x01" + struct.pack("<I", zlib.crc32(body)) + b"\x00"
               + b"\x08\x00\x00")  # one file in it
    names = b"\x00" + name.encode("utf-16-le") + b"\x00\x00"
    header = b"\x01\x04" + streams + b"\x05\x01\x11" + number(len(names)) + names + b"\x00\x00"
    start = struct.pack("<QQI", len(packed), len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\x00\x04" + struct.pack("<I", zlib.crc32(start)) + start + packed + header


class Suite:
    """Counts checks, prints TAP, owns a temporary folder that stays where a check failed."""

    def __init__(self, name):
        self.folder = Path(tempfile.mkdtemp(prefix=f"glane-{name}-"))
        self.n, self.n_failed = 0, 0

    def true(self, name, fine, detail=""):
        self.n += 1
        self.n_failed += not fine
        print(f"{'' if fine else 'not '}ok {self.n} - {name}")
        if not fine and detail != "":
            print("# " + str(detail)[:4000].replace("\n", "\n# "))
        sys.stdout.flush()
        return bool(fine)

    def same(self, name, got, want):
        return self.true(name, got == want, f" got {got}\nwant {want}")

    def skip(self, name, why):
        self.n += 1
        print(f"ok {self.n} - {name} # SKIP {why}")

    def site(self, name, sections="", glane=""):
        return Site(self.folder / name, sections, glane)

    def finish(self):
        """The exit status, after the plan."""
        print(f"1..{self.n}")
        if self.n_failed:
            print(f"# what was left: {self.folder}")
        else:
            shutil.rmtree(self.folder)
        return 1 if self.n_failed else 0


class Run:
    """What one `glane run --json` came to."""

    def __init__(self, done):
        self.code, self.out, self.err = done
        self.report = json.loads(self.out) if self.out.strip() else {"sources": []}
        self.sources = {s["source"]: s for s in self.report["sources"]}
        self.verdicts = {name: s["status"] for name, s in self.sources.items()}

    def __repr__(self):
        return f"exit {self.code}: " + json.dumps(self.sources, indent=1) + self.err[-2000:]


class Site:
    """A folder with glane.conf, sources.d/all.conf (the text `sections`) and a store; `glane` are further lines of [glane]."""

    def __init__(self, folder, sections="", glane=""):
        self.folder, self.store = folder, folder / "store"
        folder.mkdir(parents=True)
        self.conf = folder / "glane.conf"
        self.conf.write_text(f"[glane]\nstore = store\nplugin_path = {OUT}/plugins {OUT}/test-plugins\ntables = {TOP}/conf\n"
                             f"providers = {TOP}/conf/providers\n{glane}\n")
        (folder / "sources.d").mkdir()
        self.configure(sections)

    def configure(self, sections, name="all"):
        (self.folder / f"sources.d/{name}.conf").write_text(sections)

    def glane(self, *words, payload=b"", env=None, wrap=()):
        """Exit status, standard output and error of a command on this folder; `wrap` goes before the program."""
        done = subprocess.run([*wrap, GLANE, "-c", str(self.conf), *map(str, words)], input=payload, capture_output=True, timeout=TIMEOUT,
                              env=None if env is None else {**os.environ, **env}, check=False)
        return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")

    def run(self, *words, **more):
        """`glane run --json` of the sources and options in `words`; of every enabled source, due or not, without words."""
        return Run(self.glane("run", "--json", *(words or ["--all"]), **more))

    def export(self, *words):
        """The rows of an export as dictionaries; an error as an exception."""
        code, out, err = self.glane("export", *words)
        if code != 0:
            raise RuntimeError(f"export {words}: exit {code}: {err}")
        return list(csv.DictReader(io.StringIO(out, newline="")))

    def short(self, columns, *words):
        """The rows of an export, one text per row with these columns."""
        return [" ".join(r[c] for c in columns.split()) for r in self.export(*words)]

    def commits(self):
        """{source: its newest commit}, as the log of the stream says."""
        found = {}
        for path in sorted((self.store / "stream/_delta_log").glob("*.json")):
            for line in path.read_text().splitlines():
                txn = json.loads(line).get("txn", {})
                if txn.get("appId", "").startswith("glane:"):
                    found[txn["appId"][len("glane:"):]] = txn["version"]
        return found

    def snapshot(self, outside=False):
        """Every file of the store by its path: the hash of its bytes; without what lies outside the commit."""
        found = {}
        for path in sorted(self.store.rglob("*")):
            name = path.relative_to(self.store).as_posix()
            if path.is_file() and (outside or not (name.startswith(OUTSIDE_COMMIT) or name.endswith(("/last.json", "/seen.json")))):
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found


def shim(suite, name, source):
    """A library that is loaded before others, of these lines of C; None, and a check that was skipped, where it cannot be."""
    cc = shutil.which("cc")
    if not cc or os.environ.get("B", "release") != "release":
        suite.skip(name, "there is no compiler" if not cc else "a sanitizer wants to be the first library")
        return None
    path = suite.folder / f"{name.replace(' ', '-')}.so"
    path.with_suffix(".c").write_text(source)
    subprocess.run([cc, "-shared", "-fPIC", "-o", str(path), str(path.with_suffix(".c")), "-ldl"], check=True)
    return ["env", f"LD_PRELOAD={path}"]


def unpacked(data):
    """What small zstd frames hold, by the library that glane itself is linked with."""
    room = ctypes.create_string_buffer(1 << 22)
    unpack = ctypes.CDLL("libzstd.so.1").ZSTD_decompress
    unpack.restype, unpack.argtypes = ctypes.c_size_t, [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
    n = unpack(room, len(room), data, len(data))
    assert n <= len(room), "not a zstd frame"
    return room.raw[:n]


class Answer:
    """One answer of the server. A validator is sent where `etag` or `modified` is given, and then asked for it is a 304. With `cut`
    so many bytes that were announced never come."""

    def __init__(self, body, kind="application/octet-stream", status=200, etag=None, modified=None, headers=(), cut=0):
        self.body = body.encode() if isinstance(body, str) else body
        self.kind, self.status, self.etag, self.modified, self.headers, self.cut = kind, status, etag, modified, headers, cut


class Server:
    """HTTP/1.1 on a free port of the loopback. `routes`: path with query (or path alone) -> Answer, or a function of the
    request's target that gives an Answer or None. What was asked is in `log`, as (target, status); headers and body of a POST in
    `posts`, headers of all in `headers`."""

    def __init__(self, routes, host="127.0.0.1"):
        self.routes, self.log, self.posts, self.headers = routes, [], [], []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16  # head and body in one piece: Nagle's algorithm would wait between them

            def do_GET(self):
                outer.answer(self)

            def do_POST(self):
                self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.answer(self)

            def log_message(self, *_):
                pass

        class Listener(http.server.ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
            request_queue_size = 64

        self.http = Listener((host, 0), Handler)
        self.port = self.http.server_port
        self.url = f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def find(self, target):
        if callable(self.routes):
            return self.routes(target)
        return self.routes.get(target) or self.routes.get(target.split("?")[0])

    def answer(self, request):
        a = self.find(request.path) or Answer(b'{"message":"no route"}', "application/json", 404)
        seen = (a.etag and request.headers.get("If-None-Match") == a.etag) or (
            a.modified and not a.etag and request.headers.get("If-Modified-Since") == a.modified)
        status = 304 if seen else a.status
        self.log.append((request.path, status))
        self.headers.append(dict(request.headers))
        if request.command == "POST":
            self.posts.append((dict(request.headers), request.body))
        request.send_response(status)
        for name, value in (("ETag", a.etag), ("Last-Modified", a.modified), *a.headers):
            if value:
                request.send_header(name, value)
        if not seen:
            request.send_header("Content-Type", a.kind)
            request.send_header("Content-Length", str(len(a.body)))
            request.close_connection = a.cut > 0
        try:
            request.end_headers()
            if not seen:
                request.wfile.write(a.body[:len(a.body) - a.cut])
            request.wfile.flush()
        except ConnectionError:  # the client has left
            request.close_connection = True

    def __enter__(self):
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()


class Faults:
    """tests/support/fault_server.py, a host of its own for each source: 127.0.0.N."""

    def __init__(self, suite, *options, addresses=1, env=None):
        self.folder = suite.folder / f"server{time.monotonic_ns()}"
        self.folder.mkdir()
        self.switch, self.log = self.folder / "switch", self.folder / "log"
        self.log.touch()
        self.process = subprocess.Popen(
            [sys.executable, str(TOP / "tests/support/fault_server.py"), "--until-eof", "--csv", "--switch", str(self.switch),
             "--addresses", str(addresses), "--log", str(self.log), *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **(env or {})})
        words = self.process.stdout.readline().split()
        self.port, self.ports = int(words[0]), dict(w.split("=") for w in words[1:])

    def url(self, n=1):
        return f"http://127.0.0.{n}:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def children(pid):
    """Processes that this scheduler started: their second argument is its process id."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            words = Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0") if entry.isdigit() else []
        except OSError:
            continue
        if len(words) > 2 and words[1].startswith(b"@") and words[2] == str(pid).encode():
            found.append((int(entry), words[1].decode()))
    return found
