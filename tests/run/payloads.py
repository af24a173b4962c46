#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Recorded answers of the providers, where they are beside the project ($GLANE_PAYLOADS, by default ../shared/payloads): `parse` gives
every number in file order as it was published: what Python reads in the same bytes, and the counts, first, last, minimum and maximum
of FACTS.json. What is no data is refused with a clear word. TAP on standard output.

payloads.d/*.tsv: a line for each further file: FILE, PLUGIN, OPTIONS (words of a shell), and what is expected: `facts` (those of FACTS.json;
`facts PATH`: those below it), `same FILE` (as the facts of another), `rows N numbers M` (counted with another program;
`... rejected R`: and R go to quarantine), `deletes N rows M` (as the message says), `none REGEX` (no data: refused with these words), or
`skip WHY`. A file of the folder that no table names is a failure."""
import csv
import hashlib
import io
import json
import re
import shlex
import sys
from collections import Counter
from decimal import Decimal

import support
from recordings import RECORDINGS, entries

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


def facts_below(facts, path):
    for part in path.split("."):
        facts = facts[part] if part else facts
    return facts


def check_facts(suite, what, out, counted, facts):
    """Rows of `parse` beside the facts: counts, texts that are no number, and in file order the first, last, least and most, and the sum."""
    rows = [(r["value"], r["value_text"] or r["value"]) for r in csv.DictReader(io.StringIO(out, newline=""))]
    numbers = [(Decimal(v), t) for v, t in rows if v]
    total = 0.0
    for v, _ in numbers:
        total += float(v)
    suite.same(f"{what}: numbers and their sum", (len(numbers), total if numbers else facts.get("sum_float64", 0.0)),
               (facts.get("n_numeric", 0), facts.get("sum_float64", 0.0)))
    texts = Counter(t for v, t in rows if not v and t)
    want = {k: n for k, n in (facts.get("non_numeric_values") or {}).items() if k not in ("<null>", "<empty>")}
    suite.same(f"{what}: texts that are no number", dict(texts), want)
    if numbers and "first_numeric" in facts:
        least, most = min(v for v, _ in numbers), max(v for v, _ in numbers)
        found = {"first_numeric": numbers[0][1], "last_numeric": numbers[-1][1], "min": next(t for v, t in numbers if v == least),
                 "max": next(t for v, t in numbers if v == most)}
        wrong = {k: (t, facts[k]["value"]) for k, t in found.items() if facts.get(k) and not same_text(t, facts[k]["value"])}
        suite.same(f"{what}: first, last, minimum and maximum", wrong, {})
    suite.true(f"{what}: {facts['n_obs']} rows with empty=keep", counted.splitlines()[-1].startswith(f"glane: {facts['n_obs']} rows"), counted[-300:])


def check_entry(suite, site, file, plugin, options, expectation, by_file):
    body, words, what = (support.PAYLOADS / file).read_bytes(), shlex.split(options), f"{file} ({plugin})"
    kind, _, rest = expectation.partition(" ")
    facts = by_file.get(file)
    if kind == "skip":
        suite.skip(what, rest)
        return
    code, out, err = site.glane("parse", plugin, *words, payload=body)
    if kind == "none":
        suite.true(f"{what} is refused with a clear word", code == 1 and re.search(rest, err) and len(err) > 20, (code, out[:200], err[-300:]))
        return
    if kind == "deletes":
        n, m = re.fullmatch(r"(\d+) rows (\d+)", rest).groups()
        suite.true(f"{what}: deletions and rows", code == 0 and f"deletions: {n};" in err and f"{m} rows, " in err and len(out.splitlines()) == int(m) + 1,
                   (code, out[-300:], err[-300:]))
        return
    n, m, rejected = (re.fullmatch(r"(\d+) numbers (\d+)(?: rejected (\d+))?", rest) if kind == "rows" else re.match("()()()", "")).groups()
    if code != (1 if rejected else 0) or (rejected and not err.rstrip().endswith(f" {rejected} rejected")):
        suite.true(f"{what} is read", False, (code, err[-500:]))
        return
    if kind == "rows":
        rows = list(csv.DictReader(io.StringIO(out, newline="")))
        suite.same(f"{what}: rows and numbers", (len(rows), sum(1 for r in rows if r["value"])), (int(n), int(m)))
        return
    if kind == "same":
        facts, rest = by_file[rest], ""
    counted = site.glane("parse", plugin, *words, "--empty=keep", "--format=none", payload=body)[2]
    check_facts(suite, what, out, counted, facts_below(facts, rest))


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
    named = {r.file for r in RECORDINGS} | {b[0] for b in BAD}
    by_file = {k: v["facts"] for k, v in json.loads((support.PAYLOADS / "FACTS.json").read_text())["files"].items()}
    for file, plugin, options, expectation in entries():
        named.add(file)
        if (support.PAYLOADS / file).is_file():
            check_entry(suite, site, file, plugin, options, expectation, by_file)
        else:
            suite.skip(file, "not among the recorded payloads")
    there = {str(p.relative_to(support.PAYLOADS)) for p in support.PAYLOADS.glob("*/*") if p.is_file()}
    suite.same("every recorded file is named by a table", sorted(there - named), [])
    return suite.finish()


sys.exit(main())
