#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Recorded answers of the providers, where they are beside the project ($GLANE_PAYLOADS, by default ../shared/payloads): `parse` gives
every number in file order as it was published: what Python reads in the same bytes, and the counts, first, last, minimum and maximum
of FACTS.json. What is no data is refused with a clear word. TAP on standard output."""
import csv
import hashlib
import io
import json
import sys
from decimal import Decimal

import support
from recordings import RECORDINGS

BAD = [
    ("worldbank/error_120_invalid_value.json", "worldbank", ["--indicators=X"], "The provided parameter value is not valid"),
    ("worldbank/v1_brazil_NOT_JSON.json", "worldbank", ["--indicators=X"], "byte"),
    ("itu/Individuals_Internet_2000-2015.xls", "csv", ["--dataset=X", "--value=*"], "not UTF-8"),
    ("itu/Individuals_Internet_2000-2015.xls", "csv", ["--dataset=X", "--value=*", "--sheet=*"], "save it as .xlsx"),
    ("itu/ITU_ICTPriceBaskets_2008-2023.xlsx", "csv", ["--dataset=X", "--value=*"], "member"),
    ("itu/ITU_ICTPriceBaskets_2008-2023.xlsx", "csv", ["--dataset=X", "--value=*", "--sheet=x"], "there are: Overview"),
    ("worldbank/GemDataEXTR.zip", "csv", ["--dataset=X", "--value=*"], "member"),
    ("worldbank/GemDataEXTR.zip", "csv", ["--dataset=X", "--value=*", "--sheet=*"], "unpack them"),
]


def parse(site, recording):
    """(value, published text) of every row, in file order."""
    code, out, err = site.glane("parse", recording.plugin, *recording.words(), payload=recording.body())
    if code != 0:
        raise RuntimeError(f"exit {code}: {err[-500:]}")
    rows = csv.reader(io.StringIO(out, newline=""))
    head = next(rows)
    value, text = head.index("value"), head.index("value_text")
    return [(r[value], r[text] or r[value]) for r in rows]


def same_text(text, fact):
    """The facts have JSON's numbers as numbers, else the text as it was published."""
    return text == fact if isinstance(fact, str) else Decimal(text) == Decimal(repr(fact))


def compare(suite, site, recording, facts):
    want = [o.text for o in recording.read(recording.body()) if o.number() is not None]
    rows = [r for r in parse(site, recording) if r[0]]
    values = [Decimal(v) for v, _ in rows]
    suite.true(f"{recording.file}: every number in file order, as it was published", [t for _, t in rows] == want,
               next((f"number {i}: {a[1]}, want {b}" for i, (a, b) in enumerate(zip(rows, want)) if a[1] != b), f"{len(rows)} numbers"))
    total = 0.0
    for v in values:
        total += float(v)
    suite.same(f"{recording.file}: numbers, and their sum as the facts have it", (len(rows), total), (facts["n_numeric"], facts["sum_float64"]))
    found = {"first_numeric": rows[0], "last_numeric": rows[-1], "min": rows[values.index(min(values))], "max": rows[values.index(max(values))]}
    wrong = {k: (t, facts[k]["value"]) for k, (_, t) in found.items() if not same_text(t, facts[k]["value"])}
    suite.same(f"{recording.file}: first, last, minimum and maximum", wrong, {})
    counted = site.glane("parse", recording.plugin, *recording.words(), "--empty=keep", "--format=none", payload=recording.body())[2]
    suite.true(f"{recording.file}: rows with empty=keep", counted.splitlines()[-1].startswith(f"glane: {facts['n_obs']} rows, "), counted[-300:])


def main():
    suite = support.Suite("payloads")
    if not RECORDINGS:
        suite.skip("recorded answers", "no recorded payloads beside the project")
        return suite.finish()
    site = suite.site("parse")
    facts = {v["sha256"]: v["facts"] for v in json.loads((support.PAYLOADS / "FACTS.json").read_text())["files"].values()}
    for recording in RECORDINGS:
        compare(suite, site, recording, facts[hashlib.sha256(recording.body()).hexdigest()])
    for file, plugin, options, words in BAD:
        if not (support.PAYLOADS / file).is_file():
            suite.skip(file, "not among the recorded payloads")
            continue
        code, out, err = site.glane("parse", plugin, *options, payload=(support.PAYLOADS / file).read_bytes())
        suite.true(f"{file} is refused with a clear word", code == 1 and words in err and len(err) > 20, (code, out[:200], err[-300:]))
    return suite.finish()


sys.exit(main())
