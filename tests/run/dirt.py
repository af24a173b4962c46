#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The dirt of real files, through `glane parse csv`: encodings, line ends, marks, preambles, footers, local numbers, many columns;
and what no one could read, which is refused with a word. TAP on standard output."""
import csv
import io
import os
import subprocess
import sys
from pathlib import Path

TOP = Path(os.environ.get("GLANE_TOP", Path(__file__).resolve().parents[2]))
GLANE = os.environ.get("GLANE", str(TOP / "build/glane"))
OUT = Path(os.environ.get("GLANE_OUT", TOP / "build/release")).resolve()
CONF = OUT / "dirt.conf"
BASE = ["--dataset=D", "--indicator==I", "--area=code", "--area_scheme=LOCAL", "--area_title=name", "--period=year", "--value=value",
        "--note=note"]
ROWS = [("CI", "2020", "1234.50", "Côte d'Ivoire, « x »"), ("TG", "2021", "-0.5", "two\nlines"), ("GH", "2022", "7", "")]
results = []


def check(name, fine, detail=""):
    results.append(bool(fine))
    print(("" if fine else "not ") + f"ok {len(results)} - {name}")
    if not fine:
        print("#", str(detail).replace("\n", "\n# ")[:2000])
    sys.stdout.flush()


def parse(data, *options):
    done = subprocess.run([GLANE, "-c", str(CONF), "parse", "csv", *BASE, *options], input=data, capture_output=True, timeout=120,
                          check=False)
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode(), newline="")))
    return done.returncode, rows, done.stderr.decode()


def text(eol="\n", delimiter=",", number=str, notes=True, head="", tail=""):
    lines = [delimiter.join(["code", "name", "year", "value", "note"])]
    for area, year, value, note in ROWS:
        note = (note if notes else "").replace("\n", eol)
        lines.append(delimiter.join([area, "", year, number(value), f'"{note}"' if note else ""]))
    return head + eol.join(lines) + eol + tail


def same(name, data, *options, notes=True, eol="\n"):
    code, rows, err = parse(data, *options)
    got = [(r["area_code"], r["period"], r["value"], r["note"]) for r in rows]
    want = [(a, y, v, n.replace("\n", eol) if notes else "") for a, y, v, n in ROWS]
    check(name, code == 0 and got == want, (code, got, err))


def refused(name, data, words, *options):
    code, rows, err = parse(data, *options)
    check(name, code == 1 and words in err, (code, rows[:3], err))


def readable():
    for eol, word in (("\n", "LF"), ("\r\n", "CRLF"), ("\r", "CR")):
        same(f"{word} line ends, in quotes too", text(eol).encode(), eol=eol)
        same(f"{word} and a byte-order mark", text(eol).encode("utf-8-sig"), eol=eol)
    same("line ends of all kinds", text().replace("\n", "\r\n", 1).encode() + b"\r\r\n\n")
    same("UTF-16LE by its mark", "\ufeff".encode("utf-16-le") + text().encode("utf-16-le"))
    same("UTF-16BE by its mark", "\ufeff".encode("utf-16-be") + text().encode("utf-16-be"))
    same("UTF-16LE by its name", text().encode("utf-16-le"), "--encoding=UTF-16LE")
    same("Latin-1", text().encode("latin-1"), "--encoding=ISO-8859-1")
    same("windows-1252", text().encode("cp1252"), "--encoding=windows-1252")
    same("semicolons", text(delimiter=";").encode(), "--delimiter=;")
    same("tabs", text(delimiter="\t").encode(), "--delimiter=tab")
    same("a preamble", text(head='A title; "with a quote\n\nSource, and more\n').encode(), "--skip=3")
    same("footers", text(tail="\n\nSource: a provider\nLast Updated: 2024\n").encode(), "--ragged=yes")
    same("blanks around cells", text(delimiter=" , ", notes=False).encode(), "--trim=yes", notes=False)
    same("no line end at the end", text().rstrip("\n").encode())
    comma = {"1234.50": "1.234,50", "-0.5": "-0,5", "7": "7"}
    same("decimal comma and points between thousands", text(delimiter=";", number=comma.get).encode(), "--delimiter=;", "--decimal=,",
         "--group=.")
    blank = {"1234.50": "1\u00a0234,50", "-0.5": "-0,5", "7": "7"}
    same("blanks between thousands", text(delimiter=";", number=blank.get).encode(), "--delimiter=;", "--decimal=,", "--group=blank")
    quoted = {"1234.50": '"1,234.50"', "-0.5": "-0.5", "7": '"7"'}
    same("quoted numbers with commas between thousands", text(number=quoted.get).encode(), "--group=,")


def large():
    columns = [f"c{i}" for i in range(4000)]
    data = ",".join(["code", "name", "year", "note", "value", *columns]) + "\n"
    data += ",".join(["TG", "", "2020", "", "5", *["1"] * 4000]) + "\n"
    code, rows, err = parse(data.encode())
    check("4,005 columns", code == 0 and [r["value"] for r in rows] == ["5"], (code, err))
    extra = ",".join(f"x{i}" for i in range(12000))
    code, rows, err = parse((data.split("\n")[0] + "," + extra + "\n" + data.split("\n")[1] + "," * 12000 + "\n").encode())
    check("16,005 columns", code == 0 and [r["value"] for r in rows] == ["5"], (code, err))
    refused("too many columns", ("a," * 20000 + "b\n").encode(), "columns")
    note = "x" * 60000
    code, rows, err = parse(f"code,name,year,value,note\nTG,,2020,5,{note}\n".encode())
    check("a field of 60,000 bytes", code == 0 and [r["note"] for r in rows] == [note], (code, err))
    refused("a field without end", b"code,name,year,value,note\nTG,,2020,5," + b"x" * 2_000_000 + b"\n", "longer than")
    refused("a quote without end", b'code,name,year,value,note\nTG,,2020,5,"' + b"x,\n" * 4_000_000, "")


def unreadable():
    head = b"code,name,year,value,note\n"
    refused("no header", b"", "before its header")
    refused("a NUL", head + b"TG,,2020,5\0,\n", "NUL")
    refused("Latin-1 taken for UTF-8", text().encode("latin-1"), "not UTF-8")
    refused("half of a character", head + b"TG,,2020,5,\xc3\n", "not UTF-8")
    refused("an odd byte of UTF-16", b"\xff\xfe" + text().encode("utf-16-le") + b"x", "half a character")
    refused("an open quote", head + b'TG,,2020,5,"x\n', "never ends")
    refused("a quote inside of a cell", head + b'TG,,2020,5,x"y\n', "line 2")
    refused("a short record", head + b"TG,,2020,5,\nGH,2020\n", "line 3: 2 cells")
    refused("another header", b"a,b\n1,2\n", "no such column")
    refused("a page instead of a file", b"<!DOCTYPE html><html><body>Not found</body></html>", "no such column")
    code, rows, err = parse(head + b"TG,,2020,1e999,\nGH,,20-21,5,\nBJ,,2020,6,\n")
    check("a number and a period that cannot be are rejected, the rest is read",
          code == 1 and [r["value"] for r in rows] == ["6"] and "2 rejected" in err, (code, rows, err))


def main():
    CONF.parent.mkdir(parents=True, exist_ok=True)
    CONF.write_text(f"[glane]\nstore = dirt-store\nplugin_path = {OUT}/plugins\ntables = {TOP}/conf\n")
    readable()
    large()
    unreadable()
    CONF.unlink()
    print(f"1..{len(results)}")
    return 0 if all(results) else 1


sys.exit(main())
