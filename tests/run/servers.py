#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whole runs against servers that do wrong what can be done wrong: each source with its verdict and its reason, the others
committed, old data live, no secret anywhere, pages that move, breakers and rates kept across runs. TAP on standard output."""
import ipaddress
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import support

suite = support.Suite("servers")
QUICK = "stall = 3s\njobs = 8"
CSV = "plugin = csv\ndataset = D\nindicator = =I\narea = code\nperiod = year\nvalue = value\ngate.max_future_days = 4000000\n"

# What a server may do, by the rows of RELIABILITY 2.3 in their order: the word of the error, and what its message says beside the URL.
ROWS = {
    "H1 less than announced": {"cl-long": ("fetch", ""), "chunk-cut": ("fetch", ""), "chunk-no-last": ("fetch", "")},
    "H2 connections": {"empty-reply": ("fetch", "Empty reply"), "rst": ("fetch", ""), "rst-now": ("fetch", ""), "stall": ("fetch", "stalled"),
                       "status-only": ("fetch", ""), "head-only": ("fetch", "")},
    "H3 no length": {"close-delimited": ("fetch", "length unproven")},
    "H4 two lengths": {"cl-short": ("fetch", "longer than its Content-Length"), "two-cl": ("fetch", "two different Content-Length"),
                       "cl-list": ("fetch", "Content-Length")},
    "H5 length and chunks": {"cl-and-te": ("fetch", "both Content-Length and Transfer-Encoding"), "te-unknown": ("fetch", "Transfer-Encoding"),
                             "te-twice": ("fetch", "Transfer-Encoding")},
    "H6 lengths that cannot be": {"cl-negative": ("fetch", ""), "cl-overflow": ("fetch", ""), "cl-huge": ("limit", "max_body"), "cl-word": ("fetch", ""),
                                  "cl-hex": ("fetch", "")},
    "H7 chunks that cannot be": {"chunk-not-hex": ("fetch", ""), "chunk-overflow": ("fetch", ""), "chunk-negative": ("fetch", "")},
    "H8 gzip cut": {"gzip-truncated": ("format", "cut short"), "gzip-empty": ("format", "cut short"), "gzip-member-cut": ("format", "cut short")},
    "H9 gzip damaged": {"gzip-corrupt": ("format", "damaged"), "gzip-crc": ("format", "damaged"), "gzip-not": ("format", "damaged")},
    "H10 gzip and more": {"gzip-trailing": ("format", "bytes follow the end")},  # members: gzip-members below
    "H11 encodings": {"encoding-unknown": ("fetch", "Content-Encoding"), "encoding-chain": ("fetch", "Content-Encoding"),
                      "encoding-chain10": ("fetch", "Content-Encoding")},
    "H12 without end": {"gzip-bomb": ("limit", "bomb"), "chunk-endless": ("limit", "max_body")},
    "H13 drips": {"header-drip": ("fetch", "stalled"), "drip": ("fetch", "stalled")},
    "H14 floods": {"header-flood": ("limit", "header"), "header-huge": ("fetch", "header line"), "endless-103": ("limit", "header")},
    "H15 no HTTP": {"http09": ("fetch", ""), "http99": ("fetch", ""), "binary": ("fetch", ""), "header-nul": ("fetch", ""), "status-word": ("fetch", "")},
    "H16 redirects to other schemes": {
        "redirect-file": ("denied", "file:///etc/passwd"), "redirect-ftp": ("denied", "ftp://"),
        **{f"to-{word}": ("denied", "only http and https") for word in ("file-upper", "file-short", "gopher", "dict", "smb", "ldap")},
        "to-user": ("denied", "without user:password")},
    "H17 redirects without end": {"redirect-loop": ("fetch", "more than 5 redirects"), "redirect-nowhere": ("fetch", "without a Location"),
                                  "to-blank": ("fetch", ""),
                                  "to-long": ("fetch", ""), "to-wide": ("fetch", "no good URL")},
    # H18 down from https: in tls()
    "H19 redirects to other hosts": {"redirect-forbidden": ("denied", "192.0.2.1"), "redirect-other-host": ("denied", "localhost"),
                                     "to-no-host": ("denied", "not allowed")},
    # H20 local addresses: in spellings()
    "H21 statuses and pages": {
        "html200": ("format", "Gateway is busy"), "xml200": ("format", "XML where CSV was asked"), "empty200": ("format", "empty"), "204": ("fetch", "HTTP 204"),
        "206": ("fetch", "not asked for"), "304": ("fetch", "not asked for"), "401": ("config", "bad key"), "403": ("config", "Forbidden here"),
        "404": ("fetch", "no such"), "404-long": ("fetch", "\\x1b[31mword"), "407": ("config", "the proxy wants to know who we are"), "410": ("fetch", "gone for good"),
        "500": ("fetch", "oops"), "600": ("fetch", "HTTP 600")},
    "H22 come back later": {"429-plain": ("fetch", "HTTP 429"), "503-plain": ("fetch", "HTTP 503"), "503-far": ("fetch", "HTTP 503"),
                            "503-wrong": ("fetch", "HTTP 503")},
    # H23 certificates: in tls(); H24 bodies that differ: in liars() and second_night()
}
FAULTS = {name: verdict for row in ROWS.values() for name, verdict in row.items()}
# What is strange, but right: RFC 9110 and 9112 have it, and the data is all there.
FINE = ("ok", "http10", "two-cl-same", "chunked", "gzip", "gzip-members", "deflate", "deflate-bare", "redirect", "redirect-relative",
        "resume", "resume-gzip", "resume-changed", "resume-weak", "429-then-ok", "500-then-ok", "rst-then-ok", "html-then-ok",
        "503-retry-after")


def source(name, base, path, more="retries = 0\n"):
    return f"[source {name}]\nbase_url = {base}\nfiles = {path}\n{CSV}{more}\n"


def committed(site):
    """The sources that have anything in the stream, in the state or among the rows."""
    names = {q.parent.name for q in (site.store / "state").glob("*/*") if q.name != "last.json"}
    return names | set(site.commits()) | {r["source"] for r in site.export()}


def verdicts(run, wanted, url_of):
    """Checks the reasons of the sources that are to fail, one line of TAP each where it is wrong."""
    wrong = []
    for name, (error, words) in wanted.items():
        s = run.sources.get(name, {})
        message = s.get("message", "")
        if s.get("status") != "failed" or s.get("error") != error or words not in message or url_of(name) not in message:
            wrong.append(f"{name}: {s.get('status')} {s.get('error')} {message!r}, not {error} {words!r}")
        if error == "denied" and not message.startswith("security: "):
            wrong.append(f"{name}: no security event: {message!r}")
    return wrong


def first_night():
    names = [*FAULTS, *FINE]
    with support.Faults(suite, addresses=len(names) + 1) as server:
        at = {name: f"{server.url(i + 2)}" for i, name in enumerate(names)}
        site = suite.site("first", "".join(
            source(f"x-{n}", at[n], n + "/a" if n in FINE else n, "retries = 2\n" if n in FINE else "retries = 0\nmax_body = 8M\n")
            for n in names) + source("good", server.url(), "ok") + source("refused", "http://127.0.0.1:1", "ok"), QUICK)
        run = site.run()
        suite.same("servers: exit 1, as some fail and some do not", run.code, 1)
        for row, faults in ROWS.items():
            wrong = verdicts(run, {f"x-{n}": v for n, v in faults.items()}, lambda n: f"GET {at[n[2:]]}/{n[2:]}")
            suite.true(f"{row}: {len(faults)} with their verdict, URL and cause", not wrong, "\n".join(wrong))
        wrong = verdicts(run, {"refused": ("fetch", "")}, lambda _: "GET http://127.0.0.1:1/ok")
        suite.true("H2 connections: nobody listens", not wrong, wrong)
        suite.true(f"servers: {len(FAULTS)} faults", len(FAULTS) >= 60, len(FAULTS))
        good = {n: run.verdicts.get(f"x-{n}") for n in FINE}
        suite.same("servers: what is strange but right is read", {n: v for n, v in good.items() if v != "ok"}, {})
        suite.same("servers: committed are those that succeeded, and nothing of the others", committed(site),
                   {"good"} | {f"x-{n}" for n in FINE})
        rows = {n: len([r for r in site.export("--source", f"x-{n}")]) for n in ("chunked", "gzip-members", "resume-gzip", "redirect")}
        suite.same("servers: whole answers", rows, {"chunked": 7999, "gzip-members": 7999, "resume-gzip": 7999, "redirect": 2})
        denied = [n for n in FAULTS if FAULTS[n][0] == "denied"]
        lines = [line for line in run.err.splitlines() if line.startswith("security: ")]
        suite.true("servers: each refused redirect is a line that begins with security:",
                   len(lines) == len(denied) and all(any(f"x-{n}:" in line for line in lines) for n in denied), run.err)
        suite.same("servers: and is counted in the report", {n: run.sources[f"x-{n}"]["security_events"] for n in denied}, dict.fromkeys(denied, 1))
        suite.same("servers: the store is sound", site.glane("check", "--store")[0], 0)
        bad = [f"x-{n}" for n in ("401", "404", "gzip-truncated")]
        suite.same("servers: exit 3 where all that was asked failed", site.run(*bad).code, 3)
        suite.same("servers: a redirect of five hops is followed, one of six is not",
                   [site_of_hops(server, n) for n in (5, 6)], ["ok", "failed"])


def site_of_hops(server, n):
    return suite.site(f"hops{n}", source("s", server.url(), f"redirect-n?{n}"), QUICK).run().verdicts["s"]


# H20: in how many ways one can say an address of this machine or of its neighbours, and what it is.
LOCAL = {
    "127.0.0.1": ("127.0.0.1", "127.1", "127.0.1", "0x7f000001", "0x7f.0.0.1", "0X7F.1", "2130706433", "017700000001", "0177.0.0.1", "127.000.000.001",
                  "%31%32%37.0.0.1", "127.0.0.1."),
    "0.0.0.0": ("0.0.0.0", "0", "0x0", "00000000000"),
    "169.254.169.254": ("169.254.169.254", "2852039166", "0xa9fea9fe", "0xa9.0xfe.0xa9.0xfe", "0251.0376.0251.0376", "025177524776", "169.254.43518"),
    "100.64.0.1": ("100.64.0.1", "0x64400001", "100.127.255.254"), "10.0.0.1": ("10.0.0.1", "10.1"), "192.168.1.1": ("192.168.1.1", "0xc0a80101"),
    "224.0.0.1": ("224.0.0.1", "255.255.255.255"),
    "::1": ("[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]", "[::ffff:a9fe:a9fe]", "[::ffff:100.64.0.1]", "[::]", "[fe80::1]", "[fd00:ec2::254]", "[ff02::1]"),
    "localhost": ("localhost", "LOCALHOST", "localhost.", "a.localhost"),
}


def to(url):
    return "redirect-to?" + urllib.parse.quote(url, safe="")


def is_odd(spelt):
    """No address as one writes it: an entry of hosts that says it permits nothing."""
    try:
        ipaddress.ip_address(spelt.strip("[]"))
        return False
    except ValueError:
        return spelt.rstrip(".").lower() != "localhost" and spelt[-1] != "."


def spellings():
    """A redirect to each is refused, also where the configuration names a host that is spelt like that."""
    names = [x for all_ in LOCAL.values() for x in all_]
    with support.Faults(suite, addresses=2) as server:
        text = ""
        for i, spelt in enumerate(names):
            more = "retries = 0\nrate = 1000/s\n" + (f"hosts = {'*.localhost' if spelt == 'a.localhost' else spelt}\n" if is_odd(spelt) else "")
            text += source(f"http{i}", server.url(2), to(f"http://{spelt}:{server.port}/ok"), more)
            text += source(f"https{i}", server.url(2), to(f"https://{spelt}/ok"), more)
        run = suite.site("spellings", text, QUICK).run()
        wrong = [(spelt, run.sources[n]) for i, spelt in enumerate(names) for n in (f"http{i}", f"https{i}")
                 if run.sources[n].get("error") != "denied" or not run.sources[n]["message"].startswith("security: ")]
        suite.true(f"H20 local addresses: {len(names)} spellings, each a security event", not wrong, "\n".join(map(str, wrong)))
        suite.same("H20 local addresses: none was asked", [line for line in server.log.read_text().splitlines() if " /ok " in line], [])


def second_night():
    """Servers that were well yesterday."""
    with support.Faults(suite, addresses=len(FAULTS) + 1) as server:
        at = {name: server.url(i + 2) for i, name in enumerate(FAULTS)}
        site = suite.site("second", "".join(source(f"x-{n}", at[n], f"night/{n}", "retries = 0\nmax_body = 8M\n") for n in FAULTS) +
                          source("good", server.url(), "night/grown"), QUICK)
        run = site.run()
        suite.same("nights: all is well at first", (run.code, set(run.verdicts.values())), (0, {"ok"}))
        before, files = site.glane("export"), site.snapshot()
        run = site.run()
        suite.same("nights: nothing changes while the servers are well", (run.code, set(run.verdicts.values())), (0, {"unchanged"}))
        server.switch.touch()
        run = site.run()
        suite.same("nights: exit 1 when all but two turn bad", (run.code, run.verdicts["good"], run.verdicts["x-304"]), (1, "ok", "unchanged"))
        wanted = {f"x-{n}": FAULTS[n] for n in FAULTS if n != "304"}
        wrong = verdicts(run, wanted, lambda n: f"GET {at[n[2:]]}/night/{n[2:]}")
        suite.true("nights: each with its verdict, URL and cause", not wrong, "\n".join(wrong))
        denied = [n for n in FAULTS if FAULTS[n][0] == "denied"]
        suite.same("nights: a refused redirect is one security event", {n: run.sources[f"x-{n}"]["security_events"] for n in denied},
                   dict.fromkeys(denied, 1))
        after = site.glane("export")
        others = [[line for line in text[1].splitlines() if not line.startswith("good,")] for text in (before, after)]
        suite.same("nights: the last good data of each stays live", others[1], others[0])
        mine = {n: h for n, h in site.snapshot().items() if "x-" in n}
        suite.same("nights: not a file of theirs has changed", mine, {n: h for n, h in files.items() if "x-" in n})
        suite.same("nights: the good one has its new row", len(site.export("--source", "good")), 3)
        server.switch.unlink()
        run = site.run("x-cl-short", "x-html200", "x-stall")
        suite.same("nights: and when they are well again, nothing has happened", (run.code, set(run.verdicts.values())), (0, {"unchanged"}))


def liars():
    """The same ETag with another body: what counts is the digest."""
    with support.Faults(suite) as server:
        site = suite.site("liar", source("s", server.url(), "etag-liar"), QUICK)
        got = [(site.run().verdicts["s"], site.short("period value")[-1]) for _ in range(3)]
        suite.same("H24 validators: an ETag that stays while the body changes hides nothing", got, [("ok", f"2021 {i}") for i in (1, 2, 3)])


# The system's own minimum of TLS is out of the way: who refuses TLS 1.1 is the program.
LAX = """openssl_conf = lax
[lax]
ssl_conf = ssl
[ssl]
system_default = all
[all]
MinProtocol = TLSv1
CipherString = DEFAULT@SECLEVEL=0
"""


def tls():
    if not shutil.which("openssl"):
        suite.skip("tls", "the openssl command is not there")
        return
    folder = suite.folder / "certificates"
    folder.mkdir()
    (suite.folder / "lax.cnf").write_text(LAX)
    lax = {"OPENSSL_CONF": str(suite.folder / "lax.cnf")}
    server = support.Faults(suite, "--tls", str(folder), env=lax)
    wanted = {"expired": ("denied", "has expired"), "early": ("denied", "not yet valid"), "wronghost": ("denied", "not trusted"),
              "selfsigned": ("denied", "self-signed")}
    with server:
        def base(kind):
            return f"https://localhost:{server.ports[kind]}"
        site = suite.site("tls", "".join(source(f"x-{k}", base(k), "ok") for k in wanted) + source("good", base("good"), "ok") +
                          source("x-cut", base("good"), "close-delimited") +
                          source("x-down", base("good"), to(f"http://localhost:{server.port}/ok"), f"retries = 0\nhosts = http://localhost:{server.port}\n") +
                          source("x-plain", f"https://localhost:{server.port}", "ok") + source("other", base("good"), "ok", "retries = 0\nenabled = no\n"),
                          QUICK + f"\nca_bundle = {folder}/ca.pem")
        run = site.run()
        suite.same("tls: exit 1, the good one committed", (run.code, committed(site)), (1, {"good"}))
        wrong = verdicts(run, {**{f"x-{k}": v for k, v in wanted.items()}}, lambda n: f"GET {base(n[2:])}/ok")
        wrong += verdicts(run, {"x-cut": ("fetch", "length unproven")}, lambda _: "/close-delimited")
        suite.true("H23 certificates: each with its verdict, URL and cause", not wrong, "\n".join(wrong))
        wrong = verdicts(run, {"x-down": ("denied", "from https down to")}, lambda _: base("good"))
        suite.true("H18 down from https: refused, though the host is allowed", not wrong, "\n".join(wrong))
        wrong = verdicts(run, {"x-plain": ("fetch", "")}, lambda _: f"https://localhost:{server.port}")
        suite.true("H23 certificates: a server that speaks no TLS", not wrong, "\n".join(wrong))
        site = suite.site("untrusted", source("s", base("good"), "ok") +
                          source("t", base("good"), "ok", f"retries = 0\nca_extra = {folder}/ca.pem\n"), QUICK)
        run = site.run()
        suite.same("tls: without ca_bundle or ca_extra our authority is nobody's", run.verdicts, {"s": "failed", "t": "ok"})
        proxied(server, folder)
        old_tls(suite.site("tls11", source("x-tls11", base("tls11"), "ok"), QUICK + f"\nca_bundle = {folder}/ca.pem\nsandbox = seccomp"), base("tls11"), lax)


def old_tls(site, base, lax):
    """Only the program refuses TLS 1.1 here; the sandbox would keep the broker from reading `lax`."""
    willing = subprocess.run(["openssl", "s_client", "-connect", base[len("https://"):], "-tls1_1"], input="", capture_output=True, text=True,
                             env={**os.environ, **lax}, check=False)
    suite.true("H23 TLS 1.1: the system itself would speak it", willing.returncode == 0 and "TLSv1.1" in willing.stdout, willing)
    wrong = verdicts(site.run(env=lax), {"x-tls11": ("fetch", "protocol version")}, lambda _: f"GET {base}/ok")
    suite.true("H23 TLS 1.1: refused", not wrong, "\n".join(wrong))


def proxied(server, folder):
    """Hosts that exist only behind the proxy."""
    text = source("tunnel", "https://data.example", "ok") + source("plain", "http://data.example", "ok") + \
        source("refused", "https://refuse.example", "ok") + source("busy", "https://busy.example", "ok") + \
        source("hangs", "https://hang.example", "ok") + source("asks", "http://auth.example", "ok")
    site = suite.site("proxy", text, QUICK + f"\nca_bundle = {folder}/ca.pem\nproxy = {server.url()}")
    run = site.run()
    suite.same("proxy: through the tunnel and plain", {n: run.verdicts[n] for n in ("tunnel", "plain")}, {"tunnel": "ok", "plain": "ok"})
    wrong = verdicts(run, {"refused": ("config", "the proxy refuses to connect"), "busy": ("fetch", "the proxy cannot connect"),
                           "hangs": ("fetch", "through the proxy"), "asks": ("config", "the proxy wants to know who we are")}, lambda _: "GET http")
    suite.true("proxy: one that refuses, fails or hangs is named as the cause", not wrong, "\n".join(wrong))
    site = suite.site("password", text, "proxy = http://user:secret@127.0.0.1:1")
    code, _, err = site.glane("run", "--all")
    suite.true("proxy: a password in the clear is an error of the configuration, with file and line",
               code == 2 and "glane.conf:" in err and "env:NAME or file:PATH" in err and "secret" not in err.replace("a secret", ""), err)


def retries():
    """By class; never past the deadline."""
    with support.Faults(suite, addresses=8) as server:
        site = suite.site("retries", "".join((
            source("once", server.url(1), "404", "retries = 3\n"), source("config", server.url(2), "401", "retries = 3\n"),
            source("again", server.url(3), "500-then-ok/r", "retries = 1\n"), source("damaged", server.url(4), "gzip-truncated", "retries = 3\n"),
            source("asked", server.url(5), "503-then?1", "retries = 1\n"), source("dated", server.url(6), "503-then?date", "retries = 1\n"),
            source("late", server.url(7), "503-then?200", "retries = 20\ndeadline = 20s\n"),
            source("jitter", server.url(8), "500", "retries = 20\ndeadline = 4s\n"))), QUICK)
        began = time.monotonic()
        run = site.run()
        took = time.monotonic() - began
        asked = [line.split()[1].split("?")[0].split("/")[1] for line in server.log.read_text().splitlines()]
        suite.same("retries: by class (H9, H21)", {n: asked.count(n) for n in ("404", "401", "500-then-ok", "gzip-truncated")},
                   {"404": 1, "401": 1, "500-then-ok": 2, "gzip-truncated": 2})
        suite.same("H22 retries: Retry-After in seconds and as a date is waited for",
                   {n: run.verdicts[n] for n in ("again", "asked", "dated")}, {"again": "ok", "asked": "ok", "dated": "ok"})
        suite.true("H22 retries: one beyond the deadline is not waited for", run.verdicts["late"] == "failed" and took < 150 and
                   "HTTP 503" in run.sources["late"]["message"], (took, run.sources["late"]))
        suite.true("retries: nor does backoff pass it; the last failure is the reason", run.verdicts["jitter"] == "failed" and
                   "HTTP 500" in run.sources["jitter"]["message"], run.sources["jitter"])


def pauses():
    """A host that asked for a pause gets it from the next runs too, for five minutes at most; other hosts are asked."""
    with support.Faults(suite, addresses=3) as server:
        wishes = {"week": (1, "503-then?604800", 300), "minute": (2, "503-then?60", 60)}
        site = suite.site("pauses", "".join(source(n, server.url(at), path, "retries = 0\ndeadline = 3s\n") for n, (at, path, _) in wishes.items()) +
                          source("good", server.url(3), "ok"), QUICK)
        began = time.time()
        run = site.run()
        ended = time.time()
        wrong = verdicts(run, {n: ("fetch", "HTTP 503") for n in wishes}, lambda _: "/503-then")
        suite.true("H22 pauses: two hosts ask for one", run.code == 1 and not wrong, wrong)
        kept = json.loads((site.store / "broker/limits.json").read_text())["hosts"]
        until = {n: kept[f"127.0.0.{at}"]["blocked_until"] for n, (at, _, _) in wishes.items()}
        suite.true("H22 pauses: what they asked for is kept, five minutes at most",
                   all(began + seconds - 1 <= until[n] <= ended + seconds + 1 for n, (_, _, seconds) in wishes.items()), (began, until, ended))
        server.log.write_text("")
        run = site.run()
        suite.same("H22 pauses: the next run asks those hosts for nothing, the other one it does",
                   [line.split()[1] for line in server.log.read_text().splitlines()], ["/ok"])
        wrong = verdicts(run, {n: ("fetch", "asked for a pause") for n in wishes}, lambda _: "/503-then")
        suite.true("H22 pauses: and each source says why", run.code == 1 and run.verdicts["good"] == "unchanged" and not wrong, "\n".join(wrong))


def breakers():
    with support.Faults(suite) as server:
        site = suite.site("breakers", "".join(source(f"dead{i}", server.url(), f"night/rst-now?{i}") for i in range(8)), QUICK)
        server.switch.touch()
        run = site.run("--all", "--jobs", "1")
        held = [n for n, s in run.sources.items() if "is not asked before" in s["message"]]
        suite.true("breakers: after five requests without an answer a host is left alone, and the message says so",
                   run.code == 3 and len(held) == 3 and len(server.log.read_text().splitlines()) == 0, run)
        kept = json.loads((site.store / "broker/limits.json").read_text())
        suite.true("breakers: kept beside the rate budgets", f"127.0.0.1:{server.port}" in kept["breakers"] and "127.0.0.1" in kept["hosts"], kept)
        server.switch.unlink()
        run = site.run()
        suite.true("breakers: the next run does not ask either", run.code == 3 and "glane run dead0" in run.sources["dead0"]["message"], run)
        suite.same("breakers: a source named by hand is asked at once", site.run("dead3").verdicts, {"dead3": "ok"})
        suite.same("breakers: and then all are", site.run().code, 0)
        bad = "".join(source(f"bad{i}", server.url(), f"500?{i}") for i in range(6))
        site = suite.site("breakers-500", bad + source("good", server.url(), "ok?good"), QUICK)
        for night in (1, 2):
            run = site.run("--all", "--jobs", "1")
            suite.true(f"breakers: six URLs answered with 500 cost no other source of the host anything, run {night}",
                       run.verdicts["good"] in ("ok", "unchanged") and all("HTTP 500" in run.sources[f"bad{i}"]["message"] for i in range(6)), run)
    with support.Faults(suite) as server:
        gone = server.url()
    site = suite.site("breakers-refused", "".join(source(f"gone{i}", gone, f"ok?{i}") for i in range(6)), QUICK)
    run = site.run("--all", "--jobs", "1")
    suite.same("breakers: a host that refuses connections is left alone", len([n for n, s in run.sources.items() if "is not asked before" in s["message"]]), 1)


def rates():
    """A budget that the first run used up is not full again for the second."""
    with support.Faults(suite) as server:
        site = suite.site("rates", source("slow", server.url(), "etag", "retries = 0\nrate = 1/h\ndeadline = 2s\n"), QUICK)
        first = site.run()
        kept = json.loads((site.store / "broker/limits.json").read_text())["hosts"]["127.0.0.1"]
        suite.true("rates: what is left of the budget is kept", first.verdicts == {"slow": "ok"} and 0 <= kept["millitokens"] < 1000, kept)
        second = site.run()
        suite.same("rates: the second run waits for its turn, and asks nobody before", (second.verdicts, len(server.log.read_text().splitlines())),
                   ({"slow": "failed"}, 1))
        suite.same("rates: what the first one brought stays live", len(site.export()), 2)


# ---- pages

def page(rows, **more):
    return support.Answer(json.dumps({"rows": rows, **more}), "application/json")


def row(i):
    return {"area": "TGO", "year": str(1900 + i), "value": str(i)}


def number(target):
    query = dict(p.partition("=")[::2] for p in target.partition("?")[2].split("&"))
    return int(query.get("at", "0")), query


def by_number(rows, /, **more):
    """rows: those of each page; more: what the answer declares, or a function of the page's number that gives it."""
    def answer(target):
        i = number(target)[0]
        return page([row(k) for k in rows[i]] if i < len(rows) else [], **{k: v(i) if callable(v) else v for k, v in more.items()})
    return answer


def by_link(links, pages):
    def answer(target):
        at = int((target + "&at=0").partition("at=")[2].partition("&")[0])
        return page([row(k) for k in pages[at]], next=links.get(at))
    return answer


PAGES = [  # name, options, server, verdict, words or number of rows
    ("three pages by number", "total = yes", by_number([[0, 1], [2, 3], [4]], total=5), "ok", 5),
    ("three pages of a declared number", "pages = yes", by_number([[0, 1], [2, 3], [4]], pages=3), "ok", 5),
    ("without any declaration, until a short page", "", by_number([[0, 1], [2, 3], [4]]), "ok", 5),
    ("until an empty page", "", by_number([[0, 1], [2, 3]]), "ok", 4),
    ("by offset", "by = offset\ntotal = yes", lambda t: page([row(k) for k in range(number(t)[0], min(number(t)[0] + 2, 5))], total=5), "ok", 5),
    ("a page that is repeated", "total = yes", by_number([[0, 1], [0, 1], [4]], total=5), "failed", "is the same as one before it"),
    ("a page that comes back later", "total = yes", by_number([[0, 1], [2, 3], [0, 1]], total=6), "failed", "is the same as one before it"),
    ("a page that is lost", "total = yes", by_number([[0, 1], [], [4]], total=5), "failed", "declares 5 records, its pages held 2"),
    ("a page that is cut", "pages = yes\ntotal = yes", by_number([[0, 1], [2], [4]], pages=3, total=5), "failed", "declares 5 records, its pages held 4"),
    ("a total that changes", "total = yes", by_number([[0, 1], [2, 3], [4]], total=lambda i: 5 + i), "failed", "changed from 5 to 6"),
    ("a number of pages that changes", "pages = yes", by_number([[0, 1], [2, 3], [4]], pages=lambda i: 3 - i), "failed", "changed from 3 to 2"),
    ("more records than declared", "total = yes\npages = yes", by_number([[0, 1], [2, 3], [4, 5]], pages=3, total=5), "failed", "declares 5 records"),
    ("a record that moved to the next page", "total = yes", by_number([[0, 1], [1, 2], [3]], total=5), "failed", "1 records came twice over the pages"),
    ("a total that is not declared", "total = yes", by_number([[0, 1], [2, 3], [4]]), "failed", "number of records at 'total' is missing"),
    ("a number of pages that is null", "pages = yes", by_number([[0, 1], [2, 3], [4]], pages=None), "failed", "number of pages at 'pages' is missing"),
    ("by the next link", "by = next", by_link({0: "data?at=1", 1: "?at=2"}, [[0, 1], [2], [3]]), "ok", 4),
    ("a link to itself", "by = next", by_link({0: "data?at=1", 1: "data?at=1"}, [[0, 1], [2]]), "failed", "leads to a page that was read before"),
    ("links that go round", "by = next", by_link({0: "data?at=1", 1: "data?at=2", 2: "data?at=1"}, [[0, 1], [2], [3]]), "failed", "was read before"),
    ("links that go round to the first", "by = next", by_link({0: "data?at=1", 1: "data"}, [[0, 1], [2]]), "failed", "is the same as one before it"),
    ("a link to a host that is not allowed", "by = next", by_link({0: "http://192.0.2.1/data"}, [[0, 1]]), "failed", "security: GET http://192.0.2.1"),
    ("an error in the second page", "", lambda t: None if number(t)[0] else page([row(0), row(1)]), "failed", "HTTP 404"),
]


def paging():
    """Every case is a source of one run, below a path of its own."""
    def answer(target):
        case, _, rest = target[2:].partition("/")
        return PAGES[int(case)][2](f"/{rest}")
    with support.Server(answer) as server:
        site = suite.site("pages", "".join(f"[source s{i:02}]\nplugin = pages\nbase_url = {server.url}/p{i}\nretries = 0\nrate = 1000/s\n{case[1]}\n"
                                           for i, case in enumerate(PAGES)), QUICK)
        run = site.run()
        held = committed(site)
        for i, (name, _, _, verdict, want) in enumerate(PAGES):
            s = f"s{i:02}"
            got = len(site.export("--source", s)) if verdict == "ok" else run.sources[s].get("message", "")
            fine = run.verdicts[s] == verdict and (got == want if verdict == "ok" else want in got and s not in held)
            suite.true(f"D3 pages: {name}", fine, json.dumps(run.sources[s], indent=1))


def drifting():
    """One record of 250 moved to the next page while they were read, and pushed another over the border unseen."""
    first = [list(range(0, 100)), list(range(100, 200)), list(range(200, 250))]
    second = [first[0], [99, *range(100, 199)], first[2]]
    state = {"pages": first}
    with support.Server(lambda target: by_number(state["pages"], total=250)(target)) as server:
        site = suite.site("drift", f"[source s]\nplugin = pages\nbase_url = {server.url}\nretries = 0\nrate = 1000/s\ngate.max_future_days = 4000000\nlen = 100\ntotal = yes\n")
        good = site.run().verdicts, site.glane("export")
        state["pages"] = second
        run = site.run()
        suite.true("D3 pages: few records that came twice make a source partial", (run.code, run.verdicts) == (1, {"s": "partial"}) and
                   "came twice over the pages" in run.sources["s"]["message"], run)
        suite.same("pages: and the one that was not seen is not withdrawn", (good[0], site.glane("export")), ({"s": "ok"}, good[1]))
        state["pages"] = first
        suite.same("pages: the next run is whole again", site.run().verdicts, {"s": "unchanged"})


def moving():
    """D3: the first of 250 records goes while the list is read, and another comes at its end: number and pages are right, and record 100 was
    on none of them. The first page, asked for once more after the last, is another one then."""
    old, new = list(range(250)), list(range(1, 251))
    state = {"stamp": 0}

    def answer(target):
        """The list is `rows`; `then` stands in its place once the first page was asked for, and on every other page at any time."""
        i = number(target)[0]
        rows = state["rows"] if i == 0 or not state["then"] else state["then"]
        state["stamp"] += 1
        if i == 0 and state["then"]:
            state["rows"], state["then"] = state["then"], None
        elif i == 0 and state["again"] and state["asked"]:
            return state["again"]
        state["asked"] = True
        one = page([row(k) for k in rows[100 * i:100 * i + 100]], total=250, **({} if state["tag"] else {"stamp": state["stamp"]}))
        if state["tag"]:
            one.etag = '"' + str(hash(one.body)) + '"'
        return one
    with support.Server(answer) as server:
        def night(site, rows=old, then=None, tag=True, again=None, words=()):
            state.update(rows=rows, then=then, tag=tag, again=again, asked=False)
            server.log.clear()
            run = site.run(*words)
            return run, run.verdicts["s"], sorted(s for _, s in server.log), sorted(int(r["period"]) - 1900 for r in site.export())

        def fresh(name, rate="1000/s"):
            return suite.site(f"moving-{name}", f"[source s]\nplugin = pages\nbase_url = {server.url}\nretries = 0\nrate = {rate}\n"
                              "gate.max_future_days = 4000000\nlen = 100\ntotal = yes\n")
        site = fresh("etag")
        run, *got = night(site)
        suite.same("D3 moving: a still list of three pages is four requests, of which the last is answered with 304", got, ["ok", [200, 200, 200, 304], old])
        run, *got = night(site, old, new)
        suite.same("D3 moving: one that moves while it is read is partial, and nothing of it is withdrawn", (run.code, got),
                   (1, ["partial", [200, 200, 200, 304], list(range(251))]))
        suite.true("D3 moving: the report says why", "1 lists of pages changed while they were read" in run.sources["s"]["message"] and run.sources["s"]["lists_moved"] == 1 and
                   any("this first page is another one" in line for line in run.sources["s"]["log"]), run.sources["s"])
        suite.same("D3 moving: the next run reads it anew", night(site, new)[1:], ("ok", [200, 304, 304, 304], new))
        suite.same("D3 moving: and the one after that only asks", night(site, new)[1:], ("unchanged", [304, 304, 304], new))
        suite.same("D3 moving: --offline asks nobody", night(site, new, words=("--offline", "s"))[1:], ("unchanged", [], new))
        run, verdict, asked, _ = night(fresh("first"), old, new)
        suite.same("D3 moving: a first night that moves", (verdict, asked), ("partial", [200, 200, 200, 200]))
        run, verdict, asked, _ = night(fresh("gone"), old, again=support.Answer(b"busy", "text/plain", 503))
        suite.true("D3 moving: a first page that cannot be had again proves nothing", (verdict, asked) == ("partial", [200, 200, 200, 503]) and
                   any("could not be asked for again" in line for line in run.sources["s"]["log"]), run)
        site = fresh("stamp")
        for n, want in enumerate(("ok", "unchanged", "unchanged")):
            suite.same(f"D3 moving: an envelope with the time of its answer is no alarm, night {n + 1}", night(site, tag=False)[1:], (want, [200] * 4, old))
        suite.same("D3 moving: without validators too", night(site, old, new, tag=False)[1:], ("partial", [200] * 4, list(range(251))))
        suite.same("D3 moving: nor does it pass in-process", night(fresh("inproc"), old, new, words=("--inproc", "s"))[1], "partial")
        run = night(fresh("budget", rate="1/s"))[0]
        suite.true("D3 moving: the fourth request waits for its turn in the budget as well", run.sources["s"]["milliseconds"] >= 2900, run)


def splitting():
    """400 codes of 9 characters do not fit one URL."""
    codes = [f"CODE.{i:04}" for i in range(400)]
    seen = []

    def answer(target):
        ids = target.partition("/data/")[2].partition("?")[0].split(";")
        seen.append(ids)
        return page([{"area": "TGO", "year": str(1000 + codes.index(c)), "value": "1"} for c in ids])
    with support.Server(answer) as server:
        text = f"[source s]\nplugin = pages\nbase_url = {server.url}\nby = none\npath = data/{{split}}\nrate = 1000/s\nitems = {' '.join(codes)}\n"
        site = suite.site("split", text)
        run = site.run()
        suite.same("split: every code is asked for once, in order, in URLs of a length that servers take",
                   (run.code, [c for ids in seen for c in ids], max(len(t) for t, _ in server.log) < 1600, len(site.export())),
                   (0, codes, True, 400))
        seen.clear()
        site = suite.site("split70", text + "max = 70\n")
        run = site.run()
        suite.same("split: in seventies where that is the provider's limit", (run.code, {len(i) for i in seen}, len(seen)), (0, {70, 50}, 6))


# ---- payloads

def bodies(site):
    return len([p for p in (site.store / "payloads").rglob("*") if p.is_file() and p.suffix != ".json"])


def keeping():
    """keep_payloads: what lies in the archive after a first night, an unchanged one, and one that fails to parse."""
    wanted = {"events": (1, 1, 1), "all": (1, 1, 2), "none": (0, 0, 0)}
    for word, want in wanted.items():
        state = {"text": "code,year,value\nTGO,2020,1\n"}
        with support.Server(lambda _, state=state: support.Answer(state["text"], "text/csv", etag='"' + str(len(state["text"])) + '"')) as server:
            site = suite.site(f"keep-{word}", source("s", server.url, "a.csv", f"retries = 0\nkeep_payloads = {word}\n"))
            got, said = [], []
            for text in (state["text"], state["text"], "code,year,value\nTGO\n"):
                state["text"] = text
                said.append(site.run().verdicts["s"])
                got.append(bodies(site))
            suite.same(f"keep_payloads = {word}: bodies after each night", (tuple(got), said), (want, ["ok", "unchanged", "failed"]))
            suite.same(f"keep_payloads = {word}: the store is sound", site.glane("check", "--store")[0], 0)
    # two pages, of which one changes: the other is answered with 304, and has to be fetched again where nothing is kept
    for word, asked in (("events", 1), ("none", 2)):
        state = {"b": "2"}

        def answer(target, state=state):
            c = target.strip("/").partition(".")[0]
            return support.Answer(f"code,year,value\nTGO,{2020 + (c == 'b')},{state['b'] if c == 'b' else 1}\n", "text/csv", etag=f'"{state[c] if c in state else 1}"')
        with support.Server(answer) as server:
            site = suite.site(f"keep2-{word}", source("s", server.url, "a.csv b.csv"), f"keep_payloads = {word}")
            site.run()
            server.log.clear()
            state["b"] = "3"
            run = site.run()
            suite.same(f"H24 keep_payloads = {word}, for all sources: a page that did not change beside one that did",
                       (run.verdicts, len([t for t, _ in server.log if t == "/a.csv"]), site.short("period value")),
                       ({"s": "ok"}, asked, ["2020 1", "2021 3"]))
    site = suite.site("keep-wrong", source("s", "http://127.0.0.1:1", "a", "keep_payloads = some\n"))
    code, _, err = site.glane("check", "--conf")
    suite.true("keep_payloads: another word is an error with file and line", code == 2 and "all.conf:" in err and "events" in err, (code, err))


PARTS = (first_night, spellings, second_night, liars, tls, retries, pauses, breakers, rates, paging, drifting, moving, splitting, keeping)
for part in PARTS:
    if len(sys.argv) < 2 or part.__name__ in sys.argv[1:]:
        part()
sys.exit(suite.finish())
