#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The recorded answers of the providers, served by a local server at the providers' own paths: what `run` commits and `export` gives
back is what Python reads in the same bytes, and what FACTS.json says of them. Then a second night. TAP on standard output."""
import csv
import hashlib
import io
import json
import re
import shutil
import sys
from collections import Counter
from decimal import Context, Decimal
from operator import itemgetter

import support
from recordings import RECORDINGS

EXACT = Context(prec=200)
SHOWN = 5


def exact_sum(numbers):
    total = Decimal(0)
    for n in numbers:
        total = EXACT.add(total, n)
    return total


def plain(text):
    """A number without exponent, every digit kept; other text as it is."""
    if text[:1].isdigit() and "e" not in text and "E" not in text:
        return text
    try:
        return format(Decimal(text), "f")
    except ArithmeticError:
        return text


def export(site, source):
    """The rows of one source: (indicator, area_code, dims, period), published text, value."""
    code, out, err = site.glane("export", "--source", source)
    if code != 0:
        raise RuntimeError(err)
    rows = csv.reader(io.StringIO(out, newline=""))
    column = {name: i for i, name in enumerate(next(rows))}
    key = itemgetter(*(column[c] for c in ("indicator", "area_code", "dims", "period")))
    value, text = column["value"], column["value_text"]
    return [(key(r), r[text] or r[value], r[value]) for r in rows]


def names():
    return {re.sub(r"[^a-z0-9]+", "-", r.file.rsplit("/", 1)[1].lower()).strip("-")[:40] + f"-{i}": r for i, r in enumerate(RECORDINGS)}


def routes(found):
    """Each recording under /NAME, as its provider serves it."""
    serve = {name: r.serve(r.body()) for name, r in found.items()}

    def route(target):
        _, name, rest = target.split("/", 2)
        return serve[name]("/" + rest) if name in serve else None
    return route


def compare(suite, site, name, recording, facts):
    held = recording.read(recording.body())
    kept = [o for o in held if o.is_kept()]
    rows = export(site, name)
    got = Counter((key, plain(text)) for key, text, _ in rows)
    want = Counter((o.key, plain(o.text)) for o in kept)
    detail = "" if got == want else (f"{len(rows)} rows, {len(kept)} in the file\nmissing {list((want - got).items())[:SHOWN]}\n"
                                     f"too many {list((got - want).items())[:SHOWN]}")
    suite.true(f"{recording.file}: export gives the same rows", got == want, detail)
    numbers = [n for o in held if (n := o.number()) is not None]
    values = [Decimal(v) for _, _, v in rows if v]
    suite.same(f"{recording.file}: the numbers that the facts count, and their exact sum", (len(values), exact_sum(values)),
               (facts["n_numeric"], exact_sum(numbers)))
    rows = export(site, name + "-keep")
    suite.same(f"{recording.file}: with empty = keep every slot is a row, and no number more",
               (len(rows), sum(bool(v) for _, _, v in rows)), (facts["n_obs"], facts["n_numeric"]))


def second_night(suite, site, server):
    """Nothing changed: no worker, no payload opened, nothing written but the report and what lies outside the commit."""
    before, server.log[:] = site.snapshot(), []
    trace = suite.folder / "trace"
    wrap = ["strace", "-f", "-qq", "-e", "trace=execve,open,openat,creat", "-s", "300", "-o", str(trace)] if shutil.which("strace") else []
    again = site.run(wrap=wrap, env={"ASAN_OPTIONS": "detect_leaks=0"})
    if wrap and not again.sources:  # tracing is not permitted here
        wrap, again = [], site.run()
    suite.same("the second night is all unchanged", (again.code, set(again.verdicts.values())), (0, {"unchanged"}))
    suite.same("the second night reads no row", {(s["rows"], s["rejected"], bool(s["replayed"])) for s in again.sources.values()},
               {(0, 0, True)})
    suite.same("the store is the same, byte for byte", site.snapshot(), before)
    statuses = Counter(status for _, status in server.log)
    suite.true("validators are sent back where the provider gave some", statuses[304] > 0 and statuses[200] > 0 and len(statuses) == 2, statuses)
    if not wrap:
        suite.skip("the second night starts no worker and opens no payload", "strace cannot be used here")
        return
    lines = trace.read_text(errors="replace").splitlines()
    bad = [line for line in lines if '"@worker"' in line or re.search(r"[0-9a-f]{64}\.zst", line)]
    suite.true("the second night starts no worker and opens no payload",
               not bad and any('"@broker"' in line for line in lines), "\n".join(bad[:SHOWN]) or "the trace holds no process of ours")


def ports(suite):
    """base_url alone is the permission for its host and port; hosts is what another one needs."""
    body = b"iso,year,v\nTGO,2020,1.50\n"
    keys = "plugin = csv\ndataset = D\nindicator = =I\narea = iso\nperiod = year\nvalue = v\n"
    want = ["I TGO 2020 1.50"]
    for host in ("127.0.0.1", "localhost", "127.0.0.2", "::1"):
        shown = f"[{host}]" if ":" in host else host
        try:
            server = support.Server({"/data/a.csv": support.Answer(body, "text/csv")}, host)
        except OSError as e:
            suite.skip(f"a source on {shown}", f"no such address here: {e}")
            continue
        with server:
            site = suite.site("on-" + host.replace(":", "_"), f"[source s]\n{keys}base_url = http://{shown}:{server.port}/data\nfiles = a.csv\n")
            run = site.run()
            suite.true(f"a source on {shown}", run.code == 0 and site.short("indicator area period value") == want, run)
    with support.Server({"/a.csv": support.Answer(body, "text/csv")}) as other, support.Server(
            {"/a.csv": support.Answer(b"", status=302, headers=[("Location", other.url + "/a.csv")])}) as server:
        section = f"[source s]\n{keys}base_url = {server.url}\nfiles = a.csv\n"
        site = suite.site("redirected", section)
        run = site.run()
        suite.true("a redirect to another port is refused on a line that says security:",
                   run.code == 3 and "security:" in run.sources["s"]["message"] and not other.log, run)
        for entry in (other.url, f"127.0.0.1:{other.port}"):
            site.configure(section + f"hosts = {entry}\n")
            run = site.run()
            suite.true(f"hosts = {re.sub('[0-9]+$', 'PORT', entry)} permits it",
                       run.code == 0 and site.short("indicator area period value") == want, run)
        site.configure(section + "hosts = example.org:8080\n")
        code, _, err = site.glane("check", "--conf")
        suite.true("a port without a scheme elsewhere is an error that says what to write", code == 2 and "https://HOST:PORT" in err, err)


def main():
    suite = support.Suite("recorded")
    ports(suite)
    if not RECORDINGS:
        suite.skip("recorded answers", "no recorded payloads beside the project")
        return suite.finish()
    facts = {f["sha256"]: f["facts"] for f in json.loads((support.PAYLOADS / "FACTS.json").read_text())["files"].values()}
    found = names()
    with support.Server(routes(found)) as server:
        text = "".join(r.section(name, f"{server.url}/{name}", rate="500/s") + r.section(name + "-keep", f"{server.url}/{name}", rate="500/s", empty="keep")
                       for name, r in found.items())
        site = suite.site("nights", text, "jobs = 4")
        first = site.run()
        suite.same("the first night is all ok", (first.code, set(first.verdicts.values())), (0, {"ok"}))
        for name, s in first.sources.items():
            if s["status"] != "ok":
                print(f"# {name}: {s.get('message')}")
        for name, r in found.items():
            compare(suite, site, name, r, facts[hashlib.sha256(r.body()).hexdigest()])
        second_night(suite, site, server)
        suite.same("and the store is sound", site.glane("check", "--store")[0], 0)
    return suite.finish()


sys.exit(main())
