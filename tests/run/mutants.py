#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Damaged payloads through `glane parse` of every source plugin: each ends by itself with status 0 or 1, its rows can be read,
and a refusal is one clear line. The damage is fixed by a seed; GLANE_TEST_MUTANTS is how many (160). TAP on standard output."""
import concurrent.futures
import csv
import gzip
import io
import os
import random
import re
import sys
import zipfile

import support

MUTANTS = int(os.environ.get("GLANE_TEST_MUTANTS", "160"))
SPECIAL = [b"\0", b"\n", b"\r", b'"', b"'", b",", b";", b"<", b">", b"&", b"{", b"}", b"[", b"]", b":", b"\\", b"-", b".", b"e", b"9" * 30, b" ", b"\xff",
           b"\xc3", b"\xef\xbb\xbf", b"\xff\xfe", b"\x1f\x8b\x08", b"PK\3\4", b"null", b"1e999", b"\xe2\x80\xae", b"\x1b[31m"]
LONG = "area,name,year,sex,value,status,note\n" + "".join(
    f'{area},"{name}",{year},F,{i}.5{i},{status},"a ""note"", {i}"\n' for i, (area, name, year, status) in enumerate(
        [("TGO", "Togo", 2019, "A"), ("BEN", "Bénin", 2020, "E"), ("CIV", "Côte d'Ivoire", "2020-Q3", "x"), ("TGO", "Togo", "2021-05", ""), ("BEN", "Bénin", 2022, "M")]))
WIDE = "x\ny\nCode,Name,2019,2020,2021 [YR2021],\nTGO,Togo,1,..,3.25,\nBEN,Benin,,2,-4e3,\n"
LONG_ARGS = ["csv", "--dataset=D", "--indicator==I", "--area=area", "--period=year", "--value=value", "--dims=SEX=sex", "--status=status", "--note=note"]
WIDE_ARGS = ["csv", "--dataset=D", "--indicator==I", "--area=Code", "--value=*", "--ignore=Name", "--skip=2", "--ragged=yes"]
PAGE = ('[{"page":1,"pages":1,"per_page":50,"total":3,"sourceid":"2","lastupdated":"2026-01-02"},[' + ",".join(
    '{"indicator":{"id":"SP.POP","value":"Population"},"country":{"id":"%s","value":"%s"},"countryiso3code":"%s","date":"%s","value":%s,"unit":"",'
    '"obs_status":"%s","decimal":0}' % row for row in [("TG", "Togo", "TGO", "2020", "8278724", ""), ("BJ", "B\\u00e9nin", "BEN", "2021", "12.5", "E"),
                                                       ("1A", "Arab World", "ARB", "2022", "null", "")]) + "]]")
RATES = ('<?xml version="1.0" encoding="UTF-8"?>\n<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/'
         '2002-08-01/eurofxref">\n<gesmes:subject>Reference rates</gesmes:subject>\n<Cube>\n<Cube time="2026-11-20"><Cube currency="USD" rate="1.1684"/>'
         '<Cube currency="JPY" rate="178.20"/></Cube>\n<Cube time="2026-11-19"><Cube currency="USD" rate="1.1700"/></Cube>\n</Cube>\n</gesmes:Envelope>\n')


def zipped(name, text):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), text)
    return out.getvalue()


CASES = [
    ("csv, a row per observation", LONG_ARGS, LONG.encode()),
    ("csv, a column per year", WIDE_ARGS, WIDE.encode()),
    ("csv, windows-1252", [*LONG_ARGS, "--encoding=windows-1252"], LONG.encode("cp1252")),
    ("csv, UTF-16", LONG_ARGS, LONG.encode("utf-16")),
    ("csv in a zip file", LONG_ARGS, zipped("data.csv", LONG)),
    ("csv in gzip", LONG_ARGS, gzip.compress(LONG.encode(), mtime=0)),
    ("worldbank", ["worldbank", "--indicators=SP.POP"], PAGE.encode()),
    ("ecb", ["ecb"], RATES.encode()),
]


def damaged(good, draw):
    """The payload cut, or with one to four changes."""
    data = bytearray(good)
    if draw.randrange(5) == 0:
        return bytes(data[:draw.randrange(len(data))])
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(data) + 1)
        kind = draw.randrange(5)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            data[at:at + draw.randint(1, 20)] = b""
        elif kind == 2:
            data[at:at] = draw.choice(SPECIAL)
        elif kind == 3:
            data[at:at + 1] = draw.choice(SPECIAL)
        else:
            start = draw.randrange(len(data) + 1)
            data[at:at] = data[start:start + draw.randint(1, 200)]
    return bytes(data)


def wrong(code, out, err):
    """What is not as it must be, or nothing."""
    lines = err.splitlines()
    counted = [re.fullmatch(r"glane: (\d+) rows, (\d+) empty, (\d+) rejected", line) for line in lines]
    counts = next((c for c in counted if c), None)
    if code not in (0, 1):
        return f"exit status {code}"
    if not counts or any(not line.startswith("glane: ") for line in lines):
        return "standard error is something else than its lines"
    if any(ord(c) < 32 or ord(c) == 127 for line in lines for c in line):
        return "a byte in a message that no terminal should see"
    # Beside the count and what is said of records, the last line is the failure.
    about = [line for line in lines if line != counts[0] and not line.startswith("glane: rejected: record ")
             and not re.search("areas that no table knows|values? (is|are) no number", line) and ": passed over " not in line
             and "columns that are no period" not in line]
    if len(about) > 1 or bool(about or int(counts[3])) != (code == 1):
        return f"{len(about)} lines of failure, exit status {code}"
    if about and not re.search(r"standard-input.*: .{10}|: the file has no |no column holds values", about[0]):
        return "a refusal that does not say where"
    if about and re.search(r": (format|data|limit|io|usage|no memory)$", about[0]):
        return "a refusal that does not say why"
    rows = list(csv.DictReader(io.StringIO(out, newline="")))
    # What was under way when the payload failed is counted, but not written.
    if (len(rows) != int(counts[1]) and not about) or len(rows) > int(counts[1]):
        return f"{len(rows)} rows that read, {counts[1]} counted"
    if any(None in r or None in r.values() for r in rows):
        return "a row with another number of cells"
    return None


def main():
    suite = support.Suite("mutants")
    site = suite.site("parse")
    each = max(1, MUTANTS // len(CASES))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, (plugin, *options), good in CASES:
            code, out, err = site.glane("parse", plugin, *options, payload=good)
            suite.true(f"{name}: whole, it has rows", code in (0, 1) and out.count("\n") > 2 and not wrong(code, out, err), (code, out, err))
            draw = random.Random(name)
            mutants = [damaged(good, draw) for _ in range(each)]
            results = pool.map(lambda data, words=("parse", plugin, *options): site.glane(*words, payload=data), mutants)
            found = []
            for data, (code, out, err) in zip(mutants, results):
                why = wrong(code, out, err)
                if why:
                    found.append(f"{why}\n{data!r}\n{err}")
            suite.true(f"{name}: {each} damaged ones end as they must", not found, "\n".join(found[:3]))
    return suite.finish()


sys.exit(main())
