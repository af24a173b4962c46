#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every recorded file with data of payloads.d/*.tsv over HTTP, as a provider gives it (content type, every other one in gzip): `run`
commits and `export` gives back the rows that `parse` reads in the same bytes. Then a second night. TAP on standard output."""
import csv
import gzip
import io
import re
import shlex
import sys
from collections import Counter

import support
from recordings import entries
from support import Answer

KINDS = {"csv": "text/csv", "xml": "application/xml", "json": "application/json", "tsv": "text/tab-separated-values", "zip": "application/zip",
         "gz": "application/gzip", "px": "text/plain", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
COLUMNS = ("dataset", "indicator", "area_code", "dims", "freq", "period")
CONTENT = ("value", "value_text", "unit", "unit_mult", "status", "flags", "note")
PATHS = {"json": "files", "csv": "files"}  # the option that names what lies below base_url


def answer_of(file, i):
    body, ending = (support.PAYLOADS / file).read_bytes(), file.rsplit(".", 1)[1].lower()
    kind = KINDS.get(ending, "text/plain")
    if i % 2 and ending not in ("zip", "gz", "xlsx"):
        return Answer(gzip.compress(body), kind, etag=f'"{i}"', headers=[("Content-Encoding", "gzip")])
    return Answer(body, kind, etag=f'"{i}"')


def section(i, plugin, words, url):
    options = [w[2:].split("=", 1) for w in words]
    lines = [f"[source s{i}]", f"plugin = {plugin}", f"base_url = {url}/{i}/x"] + [f"{k} = {v}" for k, v in options]
    return "\n".join(lines + ["gate.max_quarantined_percent = 100", ""])


def has_parts(plugin, body):
    """Whether a message has several datasets or actions: it is one transaction, in which what comes later holds."""
    return plugin == "sdmx" and (body.lstrip(b"\xef\xbb\xbf \r\n")[:1] != b"<" or len(re.findall(rb"<(?:\w+:)?DataSet[\s>]", body)) > 1)


def rows_of(text, is_message=False):
    """Each key with what is said of it. Of several rows of one key the last holds in a message of several parts; elsewhere a
    normal value goes before another, and then the first."""
    found = {}
    for r in csv.DictReader(io.StringIO(text, newline="")):
        key, content = tuple(r[c] for c in COLUMNS), tuple(r[c] for c in CONTENT)
        if is_message or key not in found or (r["status"] == "A" and found[key][CONTENT.index("status")] != "A"):
            found[key] = content
    return found


def served():
    return [(i, file, plugin, shlex.split(options)) for i, (file, plugin, options, kind) in enumerate(entries())
            if (kind.split()[0] in ("facts", "rows", "same") or re.fullmatch("deletes .* [1-9]", kind)) and (support.PAYLOADS / file).is_file()]


def main():
    suite = support.Suite("served")
    if not (support.PAYLOADS / "FACTS.json").is_file():
        suite.skip("recorded files over HTTP", "no recorded payloads beside the project")
        return suite.finish()
    files = served()
    answers = {str(i): answer_of(file, i) for i, file, _, _ in files}
    with support.Server(lambda target: answers.get(target.split("/")[1])) as server:
        site = suite.site("served", "".join(section(i, plugin, words, server.url) for i, _, plugin, words in files))
        run = site.run()
        for i, file, plugin, words in files:
            verdict = run.verdicts.get(f"s{i}")
            body = (support.PAYLOADS / file).read_bytes()
            parsed = site.glane("parse", plugin, *words, payload=body)[1]
            want = rows_of(parsed, has_parts(plugin, body))
            got = rows_of(site.glane("export", "--source", f"s{i}")[1])
            fine = got == want and (verdict in ("ok", "partial") or (not want and verdict == "failed"))
            wrong = [(k, got.get(k), want.get(k)) for k in {*got, *want} if got.get(k) != want.get(k)][:3]
            suite.true(f"{file} ({plugin}) over HTTP: {len(want)} rows", fine, (verdict, run.sources.get(f"s{i}", {}).get("message"), len(got), wrong))
        again = Counter(site.run().verdicts.values())
        suite.same("the second night: nothing new", again["ok"], 0)
    return suite.finish()


sys.exit(main())
