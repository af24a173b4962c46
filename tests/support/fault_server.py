#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A loopback HTTP server for tests: faults by path, and recorded answers by a routes table.

usage: fault_server.py [--port N] [--routes FILE] [--log FILE] [--tls DIR] [--addresses N] [--csv] [--switch FILE]
                       [--until-eof]

Prints its port on stdout and serves until it is killed, or with --until-eof until its stdin is closed. It listens on 127.0.0.1
(to 127.0.0.N with --addresses: hosts of their own for rates and breakers) and, where there is IPv6, on ::1.

With --tls it makes a CA (DIR/ca.pem, by openssl) and certificates, and prints "PORT KIND=PORT..." for the kinds of TLS_KINDS.
Every plain port is also a proxy, for hosts under "example" that all lead to this server: "refuse", "auth", "busy" and "hang"
behave like their names, others are served, by TLS after CONNECT.

Scenarios are the names in SCENARIOS below, as
the first part of the path ("/gzip-truncated"); counters of those that change after the first request are kept per full
path, so that "/429-then-ok?a" and "/429-then-ok?b" do not disturb each other.

With --csv the small and the long answer are CSV that any cut leaves readable. "/night/SCENARIO" is the small answer, with an
ETag, as long as FILE of --switch does not exist, and SCENARIO after that.

FILE of --routes is JSON: {"PATH?QUERY or PREFIX": {"file": NAME, "content_type": ..., "status": 200, "etag": true,
"gzip": true, "delay": SECONDS, "location": URL}}. The exact path with its query wins, then the exact path, then the longest prefix that ends
in "*". NAME is relative to FILE. Requests are logged as "METHOD PATH STATUS HEADERS", HEADERS being those of
if-none-match, if-modified-since, if-range, range and accept-encoding that were sent; x-api-key and proxy-authorization as "=yes".
"""
import argparse
import base64
import gzip
import hashlib
import json
import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import urllib.parse
import warnings
import zlib

DATA = b'[{"page":1,"note":"' + b"0123456789abcdef" * 4096 + b'"}]'
SMALL = b'{"ok":true}'
HTML = b"<!DOCTYPE html>\n<html><head><title>Gateway is busy</title></head><body>Sorry</body></html>"
JSON_TYPE = "application/json"

lock = threading.Lock()
counts = {}
routes = {}
routes_dir = "."
switch = None
log_file = None
port = 0


def times_seen(key):
    with lock:
        counts[key] = counts.get(key, 0) + 1
        return counts[key]


def log(request, status):
    if log_file:
        sent = [f"{k}={v}" for k, v in sorted(request.headers.items())
                if k in ("if-none-match", "if-modified-since", "if-range", "range", "accept-encoding")]
        sent += [f"{k}=yes" for k in ("x-api-key", "proxy-authorization") if k in request.headers]
        with lock:
            log_file.write(" ".join([request.method, request.target, str(status)] + sent) + "\n")
            log_file.flush()


class Request:
    """One request; its answers are written to the socket as they are."""

    def __init__(self, sock, reader):
        self.sock = sock
        self.close = False
        line = reader.readline(65536).decode("latin-1").split()
        if len(line) != 3:
            raise EOFError
        self.method, self.target, _ = line
        self.host = ""
        if self.method == "CONNECT":
            self.host = self.target.partition(":")[0]
        elif self.target.startswith("http://"):  # we are its proxy
            self.host, _, rest = self.target[7:].partition("/")
            self.target = "/" + rest
        self.path = self.target.split("?")[0]
        self.headers, self.lines = {}, []
        while True:
            line = reader.readline(65536).decode("latin-1").rstrip("\r\n")
            if not line:
                break
            self.lines.append(line)
            name, _, value = line.partition(":")
            self.headers[name.strip().lower()] = value.strip()
        self.body = reader.read(int(self.headers.get("content-length", "0")))

    def head(self, status=200, headers=(), length=None):
        lines = [f"HTTP/1.1 {status} Status"]
        lines += [f"{k}: {v}" for k, v in headers]
        if length is not None:
            lines.append(f"Content-Length: {length}")
        if self.close:
            lines.append("Connection: close")
        log(self, status)
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def raw(self, data):
        self.close = True
        self.sock.sendall(data)

    def answer(self, status=200, body=None, ctype=None, headers=()):
        body = SMALL if body is None else body
        headers = [("Content-Type", ctype or JSON_TYPE), *headers]
        self.sock.sendall(self.head(status, headers, len(body)) + body)

    def broken(self, data, **kw):
        """An answer after which the connection cannot be used."""
        self.close = True
        self.sock.sendall(self.head(**kw) + data)

    def reset(self):
        self.close = True
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


def chunks(data, last=True):
    out = b"".join(b"%x\r\n%s\r\n" % (len(data[i:i + 5000]), data[i:i + 5000]) for i in range(0, len(data), 5000))
    return out + (b"0\r\n\r\n" if last else b"")


def with_ranges(r, data, etag, headers=(), ctype=None, status=200):
    """Conditional and range requests on a body with a strong validator."""
    headers = [("ETag", etag), *headers]
    span = r.headers.get("range", "")
    if r.headers.get("if-none-match") == etag:
        r.sock.sendall(r.head(304, headers))
    elif span.startswith("bytes=") and r.headers.get("if-range") in (None, etag):
        first = int(span[6:].split("-")[0])
        part = data[first:]
        r.answer(206, part, ctype, [*headers, ("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")])
    else:
        r.answer(status, data, ctype, headers)


def cut_after(r, data, n, headers):
    r.broken(data[:n], headers=[("Content-Type", JSON_TYPE), *headers], length=len(data))


def resume(r, etag='"v1"', later='"v1"', total=1, coded=False):
    """Breaks off in the middle `total` times; a Range continues, also inside a gzip stream."""
    data = packed() if coded else DATA
    headers = [("Content-Encoding", "gzip")] if coded else []
    n = times_seen(r.target)
    if n > total:
        return with_ranges(r, data, later, headers)
    start = 0
    if r.headers.get("range"):
        start = int(r.headers["range"][6:].split("-")[0])
        headers.append(("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}"))
    rest = data[start:]
    r.broken(rest[:len(rest) // 2], status=206 if start else 200, length=len(rest),
             headers=[("Content-Type", JSON_TYPE), ("ETag", etag), *headers])


def resume_big(r, size=8 << 20, piece=3 << 19):
    """Breaks off after every 1.5 MiB."""
    span = r.headers.get("range", "bytes=0-")
    start = int(span[6:].split("-")[0])
    headers = [("ETag", '"big"')]
    if start:
        headers.append(("Content-Range", f"bytes {start}-{size - 1}/{size}"))
    r.broken(b"x" * min(piece, size - start), status=206 if start else 200, length=size - start, headers=headers)


def block(i):
    """1 MiB that no other place of a body has."""
    return (b"%015d\n" % i) + b"x" * ((1 << 20) - 16)


def resume_huge(r):
    """SIZE-PIECE[-KIND] in MiB: breaks off after each PIECE. KIND: "date" has a strong Last-Modified only, "fresh" one that
    is as young as the answer, "bare" no validator at all."""
    size, piece, *kind = query(r).split("-")
    size, piece, kind = int(size) << 20, int(piece) << 20, "".join(kind)
    now = time.time()
    modified = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(1700000000 if kind == "date" else now - 10))
    validator = {"": ("ETag", '"huge"'), "bare": ("X-None", "1")}.get(kind, ("Last-Modified", modified))
    headers = [validator, ("Date", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(now)))]
    start = 0
    if r.headers.get("range") and r.headers.get("if-range") == validator[1]:
        start = int(r.headers["range"][6:].split("-")[0])
        headers.append(("Content-Range", f"bytes {start}-{size - 1}/{size}"))
    r.close = True
    r.sock.sendall(r.head(206 if start else 200, headers, size - start))
    end = min(start + piece, size)
    while start < end:
        part = block(start >> 20)[start & 0xfffff:][:end - start]
        r.sock.sendall(part)
        start += len(part)


def through_proxy(r):
    """True where the request was for the proxy itself to answer."""
    name = r.host.split(".")[0] if r.host.partition(":")[0].endswith(".example") else ""
    if name in ("refuse", "auth", "busy"):
        r.answer({"refuse": 403, "auth": 407, "busy": 502}[name], b"<html><title>Proxy says no</title></html>", "text/html")
    elif name == "hang":
        stall(r)
    else:
        return False
    return True


def drip(r, pause, data):
    r.close = True
    r.sock.sendall(r.head(headers=[("Content-Type", JSON_TYPE)], length=len(data)))
    for byte in data:
        time.sleep(pause)
        r.sock.sendall(bytes([byte]))


def head_drip(r, data):
    r.close = True
    for byte in data:
        time.sleep(0.2)
        r.sock.sendall(bytes([byte]))


def steady(r, pieces=12, pause=0.5):
    """Slow, but never silent."""
    r.close = True
    r.sock.sendall(r.head(length=pieces << 10))
    for _ in range(pieces):
        time.sleep(pause)
        r.sock.sendall(b"x" * 1024)


def stall(r):
    """Takes the request and says nothing until the client leaves."""
    r.close = True
    r.sock.settimeout(30)
    r.sock.recv(1)


def endless(r, first, piece, pieces=100000):
    r.close = True
    r.sock.sendall(first)
    for _ in range(pieces):
        r.sock.sendall(piece)


def redirect(r, location, status=302):
    r.answer(status, b"", headers=[("Location", location.encode().decode("latin-1"))])


def first_fails(r, status, headers=()):
    if times_seen(r.target) == 1:
        r.answer(status, b'{"message":"slow down"}', headers=headers)
    else:
        r.answer()


def other(path):
    """The same server under another host name: another origin."""
    return f"http://localhost:{port}{path}"


def packed(data=None):
    return gzip.compress(DATA if data is None else data, 6, mtime=0)


def coded(r, data, coding="gzip"):
    r.answer(body=data, headers=[("Content-Encoding", coding)])


def bare_deflate(data):
    z = zlib.compressobj(6, zlib.DEFLATED, -15)
    return z.compress(data) + z.flush()


def bomb():
    """64 MiB of blanks; made without packing them all, so that nobody waits for it."""
    z = zlib.compressobj(9, zlib.DEFLATED, 31)
    first, again = (z.compress(b" " * (1 << 20)) + z.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + again * 63


def corrupt(data, at):
    return data[:at] + bytes([data[at] ^ 0xff]) + data[at + 1:]


def type_and(*more):
    return [("Content-Type", JSON_TYPE), *more]


def query(r):
    return urllib.parse.unquote(r.target.partition("?")[2])


def said(r):
    """Every secret that came with the request, in several writings."""
    given = [query(r), r.headers.get("x-api-key", ""), r.headers.get("authorization", ""), r.body.decode()]
    given = [g for g in given if g]
    return " ".join(given + [urllib.parse.quote(g, safe="") for g in given] + [base64.b64encode(b"x:" + g.encode()).decode() for g in given] +
                    [g.encode().hex() for g in given] + [json.dumps(g) for g in given]).replace('"', "'")


def echo_headers(r):
    echo = said(r)
    return [("ETag", f'"{echo}"'), ("Last-Modified", echo), ("X-Echo", echo), ("Set-Cookie", f"k={echo}"), ("Link", f"</next?{echo}>; rel=next")]


def echo_cut(r, status):
    """What is quoted of an error's body ends within the key."""
    words = '"message": "bad key '
    body = '{"pad": "' + "x" * (4096 - 20 - len('{"pad": "", ' + words)) + f'", {words}{said(r)}"}}'
    r.answer(status, body.encode(), ctype="application/json")


def echo_csv(r, value="1.5"):
    """In a note, and in a record that cannot be normalised."""
    body = f'code,year,value,note\nTGO,2020,{value},"{said(r)}"\nTGO,"{said(r)}",2,\nBEN,2020,2,\n'.encode()
    r.answer(body=body, headers=echo_headers(r), ctype="text/csv; x=" + urllib.parse.quote(said(r)))


def echo_json(r):
    """The same in JSON, with a link to a second page."""
    rows = [{"area": "TGO", "year": "2020", "value": "1", "note": said(r)}, {"area": "TGO", "year": said(r), "value": "2"}]
    answer = {"rows": rows, "next": f"/echo-json?page=2&{r.target.partition('?')[2]}"} if "page=2" not in r.target else {
        "rows": [{"area": "BEN", "year": "2020", "value": "3", "note": said(r)}]}
    r.answer(body=json.dumps(answer).encode(), headers=echo_headers(r), ctype="application/json")


SCENARIOS = {
    "ok": lambda r: r.answer(),
    "data": lambda r: r.answer(body=DATA),
    "http10": lambda r: r.raw(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(SMALL) + SMALL),
    "gzip": lambda r: coded(r, packed()),
    "gzip-members": lambda r: coded(r, packed(DATA[:1000]) + packed(DATA[1000:])),
    "gzip-truncated": lambda r: coded(r, packed()[:-12]),
    "gzip-corrupt": lambda r: coded(r, corrupt(packed(), 100)),
    "gzip-crc": lambda r: coded(r, corrupt(packed(), len(packed()) - 6)),
    "gzip-not": lambda r: coded(r, SMALL),
    "gzip-trailing": lambda r: coded(r, packed() + b"junk"),
    "gzip-empty": lambda r: coded(r, b""),
    "gzip-bomb": lambda r: coded(r, bomb()),
    "deflate": lambda r: coded(r, zlib.compress(DATA), "deflate"),
    "deflate-bare": lambda r: coded(r, bare_deflate(DATA), "deflate"),
    "encoding-unknown": lambda r: coded(r, SMALL, "br"),
    "encoding-chain": lambda r: coded(r, SMALL, "gzip, gzip"),
    "cl-long": lambda r: r.broken(SMALL, headers=type_and(), length=100),
    "cl-short": lambda r: r.raw(r.head(headers=type_and(), length=len(SMALL)) + SMALL + b"TGO,2021,3\n"),
    "cl-negative": lambda r: r.broken(SMALL, headers=type_and(("Content-Length", "-5"))),
    "cl-overflow": lambda r: r.broken(SMALL, headers=type_and(("Content-Length", "9" * 30))),
    "cl-huge": lambda r: r.broken(SMALL, headers=type_and(("Content-Length", "99000000000"))),
    "two-cl": lambda r: r.broken(SMALL, headers=type_and(("Content-Length", "5")), length=len(SMALL)),
    "two-cl-same": lambda r: r.broken(SMALL, headers=type_and(("Content-Length", str(len(SMALL)))), length=len(SMALL)),
    "cl-and-te": lambda r: r.broken(chunks(SMALL), headers=type_and(("Transfer-Encoding", "chunked")), length=len(SMALL)),
    "te-unknown": lambda r: r.broken(chunks(SMALL), headers=type_and(("Transfer-Encoding", "gzip, chunked"))),
    "chunked": lambda r: r.broken(chunks(DATA), headers=type_and(("Transfer-Encoding", "chunked"))),
    "chunk-cut": lambda r: r.broken(chunks(DATA)[:7000], headers=type_and(("Transfer-Encoding", "chunked"))),
    "chunk-no-last": lambda r: r.broken(chunks(DATA, False), headers=type_and(("Transfer-Encoding", "chunked"))),
    "chunk-not-hex": lambda r: r.broken(b"zz\r\nhello\r\n", headers=type_and(("Transfer-Encoding", "chunked"))),
    "chunk-overflow": lambda r: r.broken(b"fffffffffffffffff\r\nhello\r\n", headers=type_and(("Transfer-Encoding", "chunked"))),
    "chunk-negative": lambda r: r.broken(b"-5\r\nhello\r\n0\r\n\r\n", headers=type_and(("Transfer-Encoding", "chunked"))),
    "te-twice": lambda r: r.broken(chunks(chunks(SMALL)), headers=type_and(("Transfer-Encoding", "chunked, chunked"))),
    "cl-list": lambda r: r.broken(SMALL, headers=type_and(("Content-Length", f"{len(SMALL)}, 5"))),
    "cl-word": lambda r: r.broken(SMALL, headers=type_and(("Content-Length", "eleven"))),
    "cl-hex": lambda r: r.broken(SMALL, headers=type_and(("Content-Length", hex(len(SMALL))))),
    "encoding-chain10": lambda r: coded(r, SMALL, ", ".join(["gzip"] * 10)),
    "gzip-member-cut": lambda r: coded(r, packed(SMALL) + packed(SMALL)[:-9]),
    "status-only": lambda r: r.raw(b"HTTP/1.1 200 OK\r\n"),
    "status-word": lambda r: r.raw(b"HTTP/1.1 fine\r\nContent-Length: %d\r\n\r\n" % len(SMALL) + SMALL),
    "head-only": lambda r: r.raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: %d\r\n\r\n" % len(SMALL)),
    "header-drip": lambda r: head_drip(r, b"HTTP/1.1 200 OK\r\nX-Slow: " + b"y" * 300),
    "407": lambda r: r.answer(407, b"<html><title>Who are you?</title></html>", "text/html"),
    "503-wrong": lambda r: r.answer(503, headers=[("Retry-After", "-99999999999999999999")]),
    "chunk-endless": lambda r: endless(r, r.head(headers=type_and(("Transfer-Encoding", "chunked"))),
                                       b"10000\r\n" + b"x" * 65536 + b"\r\n"),
    "close-delimited": lambda r: r.broken(SMALL, headers=type_and()),
    "html200": lambda r: r.answer(body=HTML, ctype="text/html"),
    "html-then-ok": lambda r: r.answer(body=HTML, ctype="text/html") if times_seen(r.target) == 1 else r.answer(),
    "xml200": lambda r: r.answer(body=b"<?xml version='1.0'?><error>no data</error>", ctype="text/xml"),
    "empty200": lambda r: r.answer(body=b""),
    "204": lambda r: r.sock.sendall(r.head(204)),
    "206": lambda r: r.answer(206, SMALL, headers=[("Content-Range", f"bytes 0-{len(SMALL) - 1}/{len(SMALL)}")]),
    "304": lambda r: r.sock.sendall(r.head(304)),
    "401": lambda r: r.answer(401, b'{"message":"bad key"}'),
    "403": lambda r: r.answer(403, b"<html><head><title>Forbidden here</title></head></html>", "text/html"),
    "404-nothing": lambda r: r.answer(404, b'<?xml version="1.0"?><Error><ErrorMessage code="100"><Text>No Results Found</Text></ErrorMessage></Error>'),
    "404": lambda r: r.answer(404, b'{"error":{"code":7,"message":"no such\\u0020series"}}'),
    "404-long": lambda r: r.answer(404, b"\x1b[31m" + b"word " * 20000, "text/plain"),
    "404-gzip": lambda r: r.answer(404, packed(b'{"message":"packed words"}'), headers=[("Content-Encoding", "gzip")]),
    "410": lambda r: r.answer(410, b"gone for good", "text/plain"),
    "500": lambda r: r.answer(500, b"oops", "text/plain"),
    "500-then-ok": lambda r: first_fails(r, 500),
    "600": lambda r: r.answer(600),
    "429-then-ok": lambda r: first_fails(r, 429),
    "503-retry-after": lambda r: first_fails(r, 503, [("Retry-After", "1")]),
    "503-far": lambda r: r.answer(503, headers=[("Retry-After", "Wed, 01 Jan 2999 00:00:00 GMT")]),
    "redirect": lambda r: redirect(r, "/ok", 301),
    "redirect-relative": lambda r: redirect(r, "../x/../ok?a=b"),
    "redirect-echo": lambda r: redirect(r, "/echo-headers"),
    "redirect-other-host": lambda r: redirect(r, other("/echo-headers")),
    "redirect-leak": lambda r: redirect(r, other("/ok?" + r.target.partition("?")[2])),
    "redirect-twice": lambda r: redirect(r, "/redirect-leak?" + r.target.partition("?")[2]),
    "redirect-forbidden": lambda r: redirect(r, "http://192.0.2.1/ok"),
    "redirect-metadata": lambda r: redirect(r, "http://169.254.169.254/latest/meta-data"),
    "redirect-loop": lambda r: redirect(r, r.target),
    "redirect-file": lambda r: redirect(r, "file:///etc/passwd"),
    "redirect-ftp": lambda r: redirect(r, "ftp://127.0.0.1/x"),
    "redirect-nowhere": lambda r: r.answer(302, b""),
    "redirect-placeholder": lambda r: redirect(r, "/echo-url?x={auth:KEY}"),
    "redirect-kept": lambda r: redirect(r, other("/echo-body"), 307),
    "redirect-post": lambda r: redirect(r, "/echo-body", int(query(r))),
    "echo-headers": lambda r: r.answer(body=json.dumps(r.lines).encode()),
    "echo-url": lambda r: r.answer(body=json.dumps(r.target).encode()),
    "echo-body": lambda r: r.answer(body=json.dumps([r.method, r.body.decode(), r.headers.get("content-type", "")]).encode()),
    "echo-404": lambda r: r.answer(404, ("your key is " + query(r) + " " + r.headers.get("x-api-key", "")).encode(), "text/plain"),
    "echo-cut-200": lambda r: echo_cut(r, 200),
    "echo-cut-403": lambda r: echo_cut(r, 403),
    "echo-csv": echo_csv,
    "echo-json": echo_json,
    "echo-held": lambda r: echo_csv(r, "1.5" if times_seen(r.path) == 1 else "150000"),
    "echo-utf16": lambda r: r.answer(body=f'code,year,value\nTGO,2020,1\nBEN,"{said(r)}",2\n'.encode("utf-16"), ctype="text/csv"),
    "echo-ragged": lambda r: r.answer(body=f'code,year,value\nTGO,2020,1\n"{said(r)}"\n'.encode()),
    "echo-page": lambda r: r.answer(body=f"<!DOCTYPE html><html><title>{said(r)}</title></html>".encode(), ctype="text/html"),
    "echo-length": lambda r: r.broken(SMALL, headers=type_and(*echo_headers(r)), length=4000),
    "drip": lambda r: drip(r, 0.2, SMALL * 20),
    "slow": lambda r: (time.sleep(0.3), r.answer()),
    "stall": stall,
    "steady": steady,
    "etag-liar": lambda r: r.answer(body=SMALL + b"TGO,2021,%d\n" % times_seen(r.target), headers=[("ETag", '"same"')]),
    "empty-reply": lambda r: setattr(r, "close", True),
    "rst": lambda r: (r.sock.sendall(r.head(headers=type_and(), length=len(DATA)) + DATA[:5000]), time.sleep(0.1), r.reset()),
    "503-then": lambda r: first_fails(r, 503, [("Retry-After", query(r) if query(r) != "date" else time.strftime(
        "%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 2)))]),
    "rst-now": lambda r: r.reset(),
    "503-plain": lambda r: r.answer(503),
    "429-plain": lambda r: r.answer(429),
    "rst-then-ok": lambda r: r.reset() if times_seen(r.target) == 1 else r.answer(),
    "header-flood": lambda r: endless(r, b"HTTP/1.1 200 OK\r\n", b"X-Flood: 1\r\n", 100000),
    "header-huge": lambda r: endless(r, b"HTTP/1.1 200 OK\r\nX-Huge: ", b"x" * 65536, 100),
    "header-nul": lambda r: r.raw(b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: %d\r\n\r\n" % len(SMALL) + SMALL),
    "endless-103": lambda r: endless(r, b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
    "http09": lambda r: r.raw(SMALL),
    "http99": lambda r: r.raw(b"HTTP/9.9 200 OK\r\nContent-Length: %d\r\n\r\n" % len(SMALL) + SMALL),
    "binary": lambda r: r.raw(bytes(range(256)) * 8),
    "etag": lambda r: with_ranges(r, SMALL, '"e1"', [("Last-Modified", "Mon, 02 Nov 2026 10:00:00 GMT")]),
    "resume": resume,
    "resume-gzip": lambda r: resume(r, coded=True),
    "resume-changed": lambda r: resume(r, later='"v2"'),
    "resume-weak": lambda r: resume(r, etag='W/"v1"', later='W/"v1"'),
    "resume-often": lambda r: resume(r, total=6),
    "resume-big": resume_big,
    "resume-huge": resume_huge,
    "alpn": lambda r: r.answer(body=json.dumps(r.sock.selected_alpn_protocol()).encode()),
    "grown": lambda r: r.answer(body=SMALL + b"TGO,2021,3\n"),
    "redirect-to": lambda r: redirect(r, query(r)),
    "redirect-n": lambda r: redirect(r, f"/redirect-n?{int(query(r)) - 1}") if int(query(r)) > 0 else r.answer(),
    "resume-total": lambda r: cut_after(r, DATA, 9000, [("ETag", '"v1"')]) if times_seen(r.target) == 1 else r.broken(
        DATA[9000:] + b" ", status=206, length=len(DATA) - 8999,
        headers=[("ETag", '"v1"'), ("Content-Range", f"bytes 9000-{len(DATA)}/{len(DATA) + 1}")]),
    "resume-wrong": lambda r: cut_after(r, DATA, 9000, [("ETag", '"v1"')]) if times_seen(r.target) == 1 else (
        r.answer(206, DATA[10:], headers=[("ETag", '"v1"'), ("Content-Range", f"bytes 10-{len(DATA) - 1}/{len(DATA)}")])
        if "range" in r.headers else r.answer(body=DATA)),
}


TARGETS = {"file-upper": "FILE:///etc/passwd", "file-short": "file:/etc/passwd", "gopher": "gopher://127.0.0.1/x", "dict": "dict://127.0.0.1/x",
           "smb": "smb://127.0.0.1/x", "ldap": "ldap://127.0.0.1/x", "user": "http://user:pw@127.0.0.1/ok", "no-host": "http:///ok", "blank": "http://a b/",
           "wide": "http://\uff11\uff12\uff17.0.0.1/", "long": "http://127.0.0.1/" + "x" * 9000}
SCENARIOS.update({f"to-{name}": lambda r, to=to: redirect(r, to) for name, to in TARGETS.items()})


def find_route(target):
    path = target.split("?")[0]
    for key in (target, path):
        if key in routes:
            return routes[key]
    prefixes = [k for k in routes if k.endswith("*") and target.startswith(k[:-1])]
    return routes[max(prefixes, key=len)] if prefixes else None


def serve_route(r, route):
    if "delay" in route:
        time.sleep(route["delay"])
    if "location" in route:
        return redirect(r, route["location"])
    data = b""
    if "file" in route:
        with open(os.path.join(routes_dir, route["file"]), "rb") as f:
            data = f.read()
    ctype = route.get("content_type", "application/octet-stream")
    status, headers = route.get("status", 200), []
    if route.get("gzip") and "gzip" in r.headers.get("accept-encoding", ""):
        data = packed(data)
        headers.append(("Content-Encoding", "gzip"))
    if route.get("etag"):
        return with_ranges(r, data, '"' + hashlib.sha256(data).hexdigest()[:16] + '"', headers, ctype, status)
    return r.answer(status, data, ctype, headers)


TLS_KINDS = ("good", "expired", "early", "wronghost", "selfsigned", "tls11")
NAMES = "DNS:localhost,DNS:data.example,IP:127.0.0.1,IP:::1"
contexts = {}


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def make_certificate(folder, kind):
    names = "DNS:other.invalid" if kind == "wronghost" else NAMES
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{kind}.key", "-subj", f"/CN={kind}"]
    if kind in ("ca", "selfsigned"):
        usage = ["-addext", f"subjectAltName={names}"] if kind == "selfsigned" else []
        return openssl(folder, "req", "-x509", "-config", "openssl.cnf", *key, *usage, "-days", "30", "-out", f"{kind}.pem")
    dates = {"expired": ("20200101000000Z", "20200201000000Z"), "early": ("20990101000000Z", "20990201000000Z")}
    start, end = dates.get(kind, ("20200101000000Z", "20990101000000Z"))
    with open(os.path.join(folder, f"{kind}.ext"), "w", encoding="ascii") as f:
        f.write(f"subjectAltName={names}\n")
    openssl(folder, "req", "-config", "openssl.cnf", *key, "-out", f"{kind}.csr")
    return openssl(folder, "ca", "-batch", "-config", "openssl.cnf", "-in", f"{kind}.csr", "-out", f"{kind}.pem", "-extfile", f"{kind}.ext",
                   "-startdate", start, "-enddate", end, "-notext")


def make_certificates(folder):
    with open(os.path.join(folder, "openssl.cnf"), "w", encoding="ascii") as f:
        f.write("[req]\ndistinguished_name = dn\nx509_extensions = v3\n[dn]\n[v3]\nbasicConstraints = CA:TRUE\n"
                "[ca]\ndefault_ca = us\n[us]\nprivate_key = ca.key\ncertificate = ca.pem\ndatabase = index\nserial = serial\n"
                "new_certs_dir = .\ndefault_md = sha256\npolicy = any\nunique_subject = no\n[any]\ncommonName = supplied\n")
    for name, text in (("index", ""), ("serial", "1000\n")):
        with open(os.path.join(folder, name), "w", encoding="ascii") as f:
            f.write(text)
    for kind in ("ca", *TLS_KINDS):
        if kind != "tls11":
            make_certificate(folder, kind)
    for kind in TLS_KINDS:
        name = os.path.join(folder, "good" if kind == "tls11" else kind)
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        c.load_cert_chain(name + ".pem", name + ".key")
        c.set_alpn_protocols(["h2", "http/1.1"])
        if kind == "tls11":
            warnings.simplefilter("ignore", DeprecationWarning)
            c.set_ciphers("ALL:@SECLEVEL=0")
            c.minimum_version, c.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        contexts[kind] = c


def serve(sock, kind=None):
    try:
        if kind:
            sock = contexts[kind].wrap_socket(sock, server_side=True)
    except (OSError, ValueError):
        sock.close()
        return
    reader = sock.makefile("rb")
    try:
        while True:
            r = Request(sock, reader)
            if through_proxy(r):
                break
            if r.method == "CONNECT":
                log(r, 200)
                sock.sendall(b"HTTP/1.1 200 Connected\r\nProxy-Agent: fault\r\n\r\n")
                return serve(sock, "good")
            route = find_route(r.target)
            name = r.path.split("/")[1] if r.path.startswith("/") else ""
            if route:
                serve_route(r, route)
            elif name == "night" and not (switch and os.path.exists(switch)):
                with_ranges(r, SMALL, '"night"', ctype=JSON_TYPE)
            elif name == "night":
                SCENARIOS[r.path.split("/")[2]](r)
            elif name in SCENARIOS:
                SCENARIOS[name](r)
            else:
                r.answer(404, b'{"message":"no route"}')
            if r.close:
                break
    except (OSError, EOFError, ValueError):
        pass
    finally:
        try:
            reader.close()
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        sock.close()


def watch_parent():
    """Ends with the test that started it, however that ended."""
    try:
        while os.read(0, 4096):
            pass
    except OSError:
        pass
    os._exit(0)


def accept(listener, kind):
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=serve, args=(sock, kind), daemon=True).start()


def listen(address, kind=None):
    listener = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.listen(128)
    threading.Thread(target=accept, args=(listener, kind), daemon=True).start()
    return listener


def main():
    global port, routes, routes_dir, log_file, switch, SMALL, DATA, JSON_TYPE
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--routes")
    parser.add_argument("--log")
    parser.add_argument("--tls")
    parser.add_argument("--csv", action="store_true")
    parser.add_argument("--switch")
    parser.add_argument("--addresses", type=int, default=1)
    parser.add_argument("--until-eof", action="store_true", help="end when stdin is closed")
    args = parser.parse_args()
    if args.routes:
        routes_dir = os.path.dirname(os.path.abspath(args.routes))
        with open(args.routes, encoding="utf-8") as f:
            routes = json.load(f)
    switch = args.switch
    if args.csv:
        SMALL, JSON_TYPE = b"code,year,value\nTGO,2020,1.5\nBEN,2020,2\n", "text/csv"
        DATA = b"code,year,value\n" + b"".join(b"TGO,%04d,%d\n" % (i, i) for i in range(1, 8000))
    if args.log:
        log_file = open(args.log, "a", encoding="utf-8")
    first = listen(("127.0.0.1", args.port))
    port = first.getsockname()[1]
    line = [str(port)]
    for i in range(2, args.addresses + 1):
        listen((f"127.0.0.{i}", port))
    try:
        listen(("::1", port))
        line.append("ipv6=" + str(port))
    except OSError:
        pass
    if args.tls:
        make_certificates(args.tls)
        line += [f"{kind}={listen(('127.0.0.1', 0), kind).getsockname()[1]}" for kind in TLS_KINDS]
    print(*line, flush=True)
    if args.until_eof:
        threading.Thread(target=watch_parent, daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    sys.exit(main())
