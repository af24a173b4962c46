#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hostile documents (RELIABILITY 2.4) through `glane parse`: X.. XML, J.. JSON, C.. CSV, A.. archives, each with its verdict, one line of
reason and no more processor time and memory than a small bound; T..: samples cut at every byte. Some through whole runs, where a document
must not be able to fetch, read a file or take the last good data along. TAP on standard output."""
import collections
import concurrent.futures
import csv
import gzip
import io
import json
import os
import struct
import socket
import subprocess
import sys
import warnings
import zipfile
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import support

# What a defect would pass, not what it takes: a quadratic attribute list burns minutes, an entity that is unfolded takes gigabytes.
CPU, MEMORY = 20, 256 << 10  # seconds, KiB
ATTRIBUTES = 128  # of one element, namespaces among them: core/read/xml_push.c
suite = support.Suite("hostile")
SITE = suite.site("parse")
DEEP = suite.folder / "one/two/three"  # where documents are read: a name that climbs stays in the suite's folder
DEEP.mkdir(parents=True)
CANARY = suite.folder / "canary"
CANARY.write_text("c4n4ry-of-a-file")

OPTIONS = {
    "xml": ["ecb"],
    "sdmx": ["sdmx", "--dataset=D", "--indicator==I"],
    "json": ["json", "--select=rows.*", "--dataset=D", "--indicator==I", "--area=a", "--period=y", "--value=v"],
    "stat": ["jsonstat", "--dataset=D", "--indicator==I"],
    "csv": ["csv", "--dataset=D", "--indicator==I", "--area=code", "--area_scheme=LOCAL", "--period=year", "--value=value", "--note=note"],
    "tsv": ["eurostat", "--datasets=isoc"],
    "px": ["jsonstat", "--px=yes", "--dataset=D", "--indicator==I"],
}
OPTIONS["small"] = [*OPTIONS["csv"], "--max_body=4M"]
Case = collections.namedtuple("Case", "id what kind body code words rows notes", defaults=("", None, None))


def rates(inside="<Cube currency='USD' rate='1.5'/>", head="", attributes=""):
    return f"{head}<Envelope{attributes}><Cube><Cube time='2026-11-20'>{inside}</Cube></Cube></Envelope>".encode()


def entities(n, levels):
    text = "<!ENTITY e0 'lol'>" + "".join(f"<!ENTITY e{i} '{f'&e{i - 1};' * n}'>" for i in range(1, levels))
    return rates(f"<Cube currency='&e{levels - 1};' rate='1'/>", f"<!DOCTYPE Envelope [{text}]>")


def doctype(inside, use="&x;", tail=""):
    return rates(f"<Cube currency='USD' rate='1.5'/><note>{use}</note>", f"<?xml version='1.0'?><!DOCTYPE Envelope [{inside}]{tail}>")


def xml_cases():
    yield "X01", "a billion laughs", entities(10, 10), "DOCTYPE"
    yield "X02", "one entity, quadratically", doctype(f"<!ENTITY x '{'a' * 50000}'>", "&x;" * 20000), "DOCTYPE"
    yield "X03", "an entity that is a file", doctype(f"<!ENTITY x SYSTEM 'file://{CANARY}'>"), "DOCTYPE"
    yield "X04", "an entity that is an address", doctype("<!ENTITY x SYSTEM 'http://127.0.0.1:9/x'>"), "DOCTYPE"
    yield "X05", "a parameter entity", doctype(f"<!ENTITY % p SYSTEM 'file://{CANARY}'> %p;", ""), "DOCTYPE"
    yield "X06", "an external document type", rates(head=f"<!DOCTYPE Envelope SYSTEM 'file://{CANARY}'>"), "DOCTYPE"
    yield "X07", "a public document type", rates(head="<!DOCTYPE Envelope PUBLIC '-//X//EN' 'http://127.0.0.1:9/x.dtd'>"), "DOCTYPE"
    yield "X08", "attributes by default", doctype("<!ATTLIST Cube rate CDATA '7'>", ""), "DOCTYPE"
    yield "X09", "a document type of 20 MB", rates(head="<!DOCTYPE Envelope [" + "<!ENTITY a 'b'>" * 1400000 + "]>"), "DOCTYPE"
    yield "X10", "depth 257", rates("<a>" * 257 + "</a>" * 257), "deep"
    yield "X11", "depth 1,000,000", rates("<a>" * 1000000), "deep"
    yield "X12", "300,000 attributes", rates("<Cube currency='USD' rate='1' " + "".join(f"a{i}='1' " for i in range(300000)) + "/>"), "too long"
    yield "X13", "40,000 namespaces", rates(attributes="".join(f" xmlns:n{i}='u{i}'" for i in range(40000))), "too long"
    many = [f" a{i}='1'" for i in range(ATTRIBUTES - 1)]
    yield "X40", f"{ATTRIBUTES + 1} attributes", rates("<Cube currency='USD' rate='1.5'" + "".join(many) + "/>"), "too many attributes"
    yield "X41", f"{ATTRIBUTES} attributes", rates("<Cube currency='USD' rate='1.5'" + "".join(many[1:]) + "/>"), None
    spaces = [f" xmlns:n{i}='u{i}'" for i in range(ATTRIBUTES + 1)]
    yield "X42", f"{ATTRIBUTES + 1} namespaces", rates(attributes="".join(spaces)), "too many attributes"
    yield "X43", f"{ATTRIBUTES} namespaces", rates(attributes="".join(spaces[1:])), None
    yield "X44", "attributes and namespaces, together one too many", rates(attributes="".join(spaces[:64] + many[:65])), "too many attributes"
    yield "X14", "a text of 11 MB", rates("<Cube currency='USD' rate='1'>" + "x" * (11 << 20) + "</Cube>"), "a text is too long"
    yield "X15", "an attribute of 11 MB", rates("<Cube currency='USD' rate='" + "1" * (11 << 20) + "'/>"), "too long"
    yield "X16", "a NUL", rates("<Cube currency='U\0D' rate='1'/>"), "does not begin like"
    yield "X17", "bytes that are no UTF-8", rates().replace(b"USD", b"\xff\xfe\xfd"), "not proper UTF-8"
    yield "X18", "UTF-8 that says UTF-16, as some libraries write it", rates(head="<?xml version='1.0' encoding='UTF-16'?>"), None
    yield "X39", "Latin-1 that says UTF-8", rates("<Cube currency='\u00c9' rate='1'/>", "<?xml version='1.0' encoding='UTF-8'?>").decode().encode("latin-1"), "not proper UTF-8"
    yield "X19", "an encoding nobody knows", rates(head="<?xml version='1.0' encoding='x-c4n4ry'?>"), "x-c4n4ry"
    yield "X20", "an HTML page", b"<!DOCTYPE html><html><head><title>Busy</title></head><body><p>Sorry<br></body></html>", "DOCTYPE"
    yield "X21", "XHTML, well-formed", b"<html xmlns='http://www.w3.org/1999/xhtml'><body><p>Sorry</p></body></html>", "no place for records"
    yield "X22", "two roots", rates() + rates(), "line 1"
    yield "X23", "text behind the root", rates() + b"junk", "line 1"
    yield "X24", "an attribute twice", rates("<Cube currency='USD' currency='EUR' rate='1'/>"), "line 1"
    yield "X25", "elements that cross", rates("<a><b></a></b>"), "line 1"
    yield "X26", "an entity nobody declared", rates("<a>&nbsp;</a>"), "line 1"
    yield "X27", "a character that is none", rates("<a>&#xD800;</a>"), "line 1"
    yield "X28", "an open comment", rates("<!-- "), "Comment not terminated"
    yield "X29", "an open CDATA section", rates("<a><![CDATA[ x"), "line 1"
    yield "X30", "gzip behind the first element", rates()[:40] + gzip.compress(rates()), "does not begin like"
    yield "X31", "an element name of 11 MB", rates("<" + "n" * (11 << 20) + "/>"), "too long"
    yield "X32", "a comment of 30 MB", rates("<!--" + "x" * (30 << 20) + "-->"), "too long"
    yield "X33", "an instruction of 30 MB", rates("<?p " + "x" * (30 << 20) + "?>"), "too long"
    yield "X34", "nothing", b"", "empty"
    yield "X35", "a declaration in the middle", rates("<?xml version='1.0'?>"), "line 1"
    yield "X36", "XInclude is an element like any other", rates(
        f"<Cube currency='USD' rate='1.5'/><x:include xmlns:x='http://www.w3.org/2001/XInclude' href='file://{CANARY}' parse='text'/>"), None
    yield "X37", "UTF-16 by its mark", rates().decode().encode("utf-16"), None
    yield "X38", "a style sheet is not fetched", rates(head="<?xml version='1.0'?><?xml-stylesheet href='http://127.0.0.1:9/x.xsl'?>"), None


def rows(text, more=""):
    return (f'{{"rows":[{text}]{more}}}').encode()


ONE = '{"a":"TGO","y":"2020","v":1.5}'


def json_cases():
    yield "J01", "a member twice", rows('{"a":"TGO","y":"2020","v":1,"v":2}'), "twice", 1
    yield "J02", "a member twice, once escaped", rows('{"a":"TGO","y":"2020","v":1,"\\u0076":2}'), "twice", 1
    yield "J03", "bytes behind the end", rows(ONE) + b"]", "further bytes", 1
    yield "J04", "two documents", rows(ONE) + b"\n" + rows(ONE), "further bytes", 1
    yield "J05", "nothing", b"", "empty", 1
    yield "J06", "blanks", b" \r\n\t ", "empty", 1
    yield "J07", "NaN", rows('{"a":"TGO","y":"2020","v":NaN}'), "a JSON value was expected", 1
    yield "J08", "Infinity", rows('{"a":"TGO","y":"2020","v":-Infinity}'), "lacks digits", 1
    yield "J09", "1e999", rows('{"a":"TGO","y":"2020","v":1e999}'), "1 rejected", 1
    yield "J10", "depth 65", rows('{"a":"TGO","y":"2020","v":1,"x":' + "[" * 65 + "]" * 65 + "}"), "deep", 1
    yield "J11", "depth 3,000", rows('{"a":"TGO","y":"2020","v":1,"x":' + "[" * 3000 + "]" * 3000 + "}"), "deep", 1
    yield "J12", "depth 10,000,000", b"[" * 10000000, "deep", 1
    yield "J13", "objects in objects", b'{"a":' * 1000000, "deep", 1
    yield "J14", "the character 0", rows('{"a":"TGO\\u0000","y":"2020","v":1}'), "u0000", 1
    yield "J15", "bytes that are no UTF-8", rows(ONE).replace(b"TGO", b"T\xffO"), "UTF-8", 1
    yield "J16", "half of a surrogate", rows('{"a":"\\ud800","y":"2020","v":1}'), "surrogate", 1
    yield "J17", "overlong UTF-8", rows(ONE).replace(b"TGO", b"T\xc0\x80"), "UTF-8", 1
    yield "J18", "a string of 40 MB", rows('{"a":"' + "x" * (40 << 20) + '","y":"2020","v":1}'), "more than 8388608 bytes", 1
    yield "J19", "a number of 2 MB", rows('{"a":"TGO","y":"2020","v":' + "1" * (2 << 20) + "}"), "more than 1048576 bytes", 1
    yield "J20", "an object where a number should be", rows('{"a":"TGO","y":"2020","v":{"x":1}}'), "object", 1
    yield "J21", "a list where a text should be", rows('{"a":["TGO"],"y":"2020","v":1}'), "array", 1
    yield "J22", "a list instead of the object", b"[1,2,3]", "no place for records", 1
    yield "J23", "an object instead of the list of records", b'{"rows":{"message":"try later"}}', "must be an object", 1
    yield "J24", "an error instead of the records", b'{"error":{"code":7}}', "no place for records", 1
    yield "J25", "a text instead of a document", b'"rows"', "single value", 1
    yield "J26", "null", b"null", "no place for records", 1
    yield "J27", "an HTML page", b"<!DOCTYPE html><html><body>Busy</body></html>", "XML or HTML: 'Busy'", 1
    yield "J28", "a comment", rows(ONE + "/* x */"), "was expected", 1
    yield "J29", "a comma too many", rows(ONE + ","), "was expected", 1
    yield "J30", "a bare control byte", rows('{"a":"T\nO","y":"2020","v":1}'), "control byte", 1
    yield "J31", "JSONP", b"callback(" + rows(ONE) + b");", "was expected", 1
    yield "J32", "a record that is a number", rows("7"), "must be an object", 1
    yield "J33", "UTF-16 without a mark", rows(ONE).decode().encode("utf-16-le"), "expected", 1
    yield "J34", "01", rows('{"a":"TGO","y":"2020","v":01}'), "begins with 0", 1
    yield "J35", "a million members", rows('{"a":"TGO","y":"2020","v":1,' + ",".join(f'"k{i}":1' for i in range(1000000)) + "}"), "more than 8388608 bytes", 1
    yield "J36", "a mark in front", b"\xef\xbb\xbf" + rows(ONE), "", ["1.5"]
    yield "J37", "an integer of 40 digits", rows('{"a":"TGO","y":"2020","v":' + "1234567890" * 4 + "}"), "", ["1234567890" * 4]
    yield "J38", "40 digits behind the point", rows('{"a":"TGO","y":"2020","v":0.' + "1234567890" * 4 + "}"), "", ["0." + "1234567890" * 4]
    yield "J39", "minus nought", rows('{"a":"TGO","y":"2020","v":-0}'), "", ["0"]
    yield "J40", "1e-999", rows('{"a":"TGO","y":"2020","v":1e-999}'), "1 rejected", 1
    yield "J41", "1.10 stays 1.10", rows('{"a":"TGO","y":"2020","v":1.10}'), "", ["1.10"]
    yield "J42", "2^53 + 1", rows('{"a":"TGO","y":"2020","v":9007199254740993}'), "", ["9007199254740993"]


HEAD = "code,year,value,note\n"
LINE = "TG,2020,5,\n"


def csv_cases():
    good, bad = [], []

    def refused(what, body, words=""):
        bad.append((what, body.encode() if isinstance(body, str) else body, words))

    def read(what, body, values, notes=None, said=""):
        good.append((what, body.encode() if isinstance(body, str) else body, values, notes, said))
    refused("an open quote", HEAD + 'TG,2020,5,"x\n', "never ends")
    refused("an open quote before 30 MB", HEAD + 'TG,2020,5,"' + "x,\n" * (10 << 20), "")
    refused("a quote in the middle", HEAD + 'TG,2020,5,x"y\n', "line 2")
    refused("text behind a quote", HEAD + 'TG,2020,5,"x"y\n', "closing quote")
    refused("a NUL", HEAD + "TG,2020,5\0,\n", "NUL")
    refused("a line of 128 MB", HEAD + "x" * (128 << 20), "longer than")
    refused("a NUL for a gigabyte", None, "NUL")
    refused("100,000 columns", ",".join(f"c{i}" for i in range(100000)) + "\n", "columns")
    refused("a record of 100,000 cells", HEAD + "," * 100000 + "\n", "columns")
    refused("a short record", HEAD + "TG,2020\n", "line 2: 2 cells")
    refused("a long record", HEAD + "TG,2020,5,,x\n", "line 2: 5 cells")
    refused("a column that was renamed", HEAD.replace("value", "wert") + LINE, "value")
    refused("a column that is missing", "code,year,note\nTG,2020,\n", "value")
    refused("a column twice", "code,year,value,value,note\nTG,2020,5,6,\n", "value")
    refused("semicolons instead of commas", (HEAD + LINE).replace(",", ";"), "no such column")
    refused("tabs instead of commas", (HEAD + LINE).replace(",", "\t"), "no such column")
    refused("UTF-16 without a mark", (HEAD + LINE).encode("utf-16-le"), "NUL")
    refused("UTF-16, an odd byte", (HEAD + LINE).encode("utf-16") + b"x", "half a character")
    refused("Latin-1 taken for UTF-8", (HEAD + "TG,2020,5,é\n").encode("latin-1"), "not UTF-8")
    refused("half of a character at the end", (HEAD + "TG,2020,5,").encode() + b"\xc3", "not UTF-8")
    refused("overlong UTF-8", HEAD.encode() + b"TG,2020,5,\xc0\xaf\n", "not UTF-8")
    refused("surrogates in UTF-8", HEAD.encode() + b"TG,2020,5,\xed\xa0\x80\n", "not UTF-8")
    refused("nothing", "", "before its header")
    refused("line ends alone", "\n\r\n\r", "before its header")
    refused("an HTML page", "<!DOCTYPE html>\n<html><body>Not found</body></html>\n", "no such column")
    refused("JSON", '{"rows":[]}\n', "line 1")
    refused("a number in words", HEAD + "TG,2020,1e999,\n", "1 rejected")
    refused("a period that cannot be", HEAD + "TG,2020-13,5,\n", "1 rejected")
    refused("30 February", HEAD + "TG,2020-02-30,5,\n", "1 rejected")
    refused("an area that is empty", HEAD + ",2020,5,\n", "1 rejected")
    refused("a title above the header", "A title of a table\n" + HEAD + LINE, "no such column")
    refused("a footer", HEAD + LINE + "Source: somebody\n", "line 3: 1 cells")
    refused("a note of 200 KB", HEAD + "TG,2020,5," + "x" * 200000 + "\n", "")
    refused("random bytes", bytes(range(256)) * 1000, "")
    read("a header alone: no rows here, a failure where it is a source's answer (R03)", HEAD, [])
    read("a decimal comma: text, and a word on it", HEAD + 'TG,2020,"1,5",\n', [""], said="1 value is no number, e.g. '1,5' (decimal? group?)")
    read("commas between thousands: likewise", HEAD + 'TG,2020,"1,234.5",\n', [""], said="1 value is no number")
    read("LF", HEAD + LINE, ["5"])
    read("CRLF", (HEAD + LINE).replace("\n", "\r\n"), ["5"])
    read("CR", (HEAD + LINE).replace("\n", "\r"), ["5"])
    read("line ends of all kinds", HEAD.replace("\n", "\r\n") + LINE + "GH,2021,6,\rBJ,2022,7,\n", ["5", "6", "7"])
    read("a mark in front", "\ufeff" + HEAD + LINE, ["5"])
    read("UTF-16 by its mark", (HEAD + LINE).encode("utf-16"), ["5"])
    read("no line end at the end", (HEAD + LINE).rstrip("\n"), ["5"])
    read("columns in another order", "note,value,code,year\n,5,TG,2020\n", ["5"])
    read("a column that is new", "code,year,value,note,new\nTG,2020,5,,x\n", ["5"])
    read("a first cell that a spreadsheet takes for a formula", HEAD + 'TG,2020,5,"=cmd|\' /C calc\'!A0"\nGH,2020,6,+1\nBJ,2020,7,-1+1\nNE,2020,8,@SUM(1)\nML,2020,9,"\tx"\n',
         ["5", "6", "7", "8", "9"], ["=cmd|' /C calc'!A0", "+1", "-1+1", "@SUM(1)", "\tx"])
    read("line ends in quotes", HEAD + 'TG,2020,5,"a\r\nb\nc"\n', ["5"], ["a\r\nb\nc"])
    read("quotes in quotes", HEAD + 'TG,2020,5,"""x"""\n', ["5"], ['"x"'])
    read("a control byte and an escape sequence", HEAD + "TG,2020,5,\x1b[31mred\x07\n", ["5"], None)
    read("16,000 columns", "code,year,value,note," + ",".join(f"c{i}" for i in range(16000)) + "\nTG,2020,5," + "," * 16000 + "\n", ["5"])
    read("exactly 65,536 records", HEAD + "".join(f"A{i},2020,5,\n" for i in range(65536)), 65536)
    read("exactly 1,048,576 records", HEAD + "A,2020,5,\n" * 1048576, 1048576)
    for i, (what, body, words) in enumerate(bad):
        yield Case(f"C{i + 1:02}", what, "csv", body, 1, words)
    for i, (what, body, found, notes, said) in enumerate(good):
        yield Case(f"C{len(bad) + i + 1:02}", what, "csv", body, 0, said, found, notes)


def zip_of(*entries, compression=zipfile.ZIP_DEFLATED, **attributes):
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", compression) as z:
        warnings.simplefilter("ignore")  # two entries of one name
        for name, data in entries:
            info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            info.compress_type = compression
            for k, v in attributes.items():
                setattr(info, k, v)
            z.writestr(info, data)
    return out.getvalue()


def overlapping(body, n=200):
    """Every entry of the directory is the same compressed bytes."""
    local = zip_of(("a.csv", body))
    end = local.index(b"PK\5\6")
    start = struct.unpack("<I", local[end + 16:end + 20])[0]
    directory = b"".join(local[start:end].replace(b"a.csv", b"%05d" % i) for i in range(n))
    return local[:start] + directory + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, n, n, len(directory), start, 0)


def changed(data, at, new):
    return data[:at] + new + data[at + len(new):]


def archive_cases():
    body, many = (HEAD + LINE).encode(), (HEAD + "A,2020,5,\n" * 800000).encode()
    good, seven, packed = zip_of(("a.csv", body)), support.seven_zip("a.csv", body), gzip.compress(body)
    at, checksum = good.index(b"PK\1\2"), struct.pack("<I", zlib.crc32(body))
    return [
        ("A01", "a name that climbs", "csv", zip_of(("../../a.csv", body)), "outside of the archive"),
        ("A02", "an absolute name: nothing is written by it", "csv", zip_of(("/etc/a.csv", body)), 1),
        ("A03", "a symbolic link", "csv", zip_of(("a.csv", b"/etc/passwd"), create_system=3, external_attr=0o120777 << 16), "a link or device"),
        ("A04", "200 entries of the same bytes: one is read", "csv", overlapping(many), 800000),
        ("A05", "an archive in the archive", "csv", zip_of(("a.csv", zip_of(("b.csv", body)))), "nested archives are not opened"),
        ("A06", "encrypted", "csv", changed(changed(good, 6, b"\1\0"), at + 8, b"\1\0"), "encrypted"),
        ("A07", "a wrong checksum", "csv", changed(changed(good, 14, b"\1\2\3\4"), at + 16, b"\1\2\3\4"), "bad CRC"),
        ("A08", "two entries of one name", "csv", zip_of(("a.csv", body), ("a.csv", body)), "2 files match"),
        ("A09", "two files", "csv", zip_of(("a.csv", body), ("b.csv", body)), "2 files match"),
        ("A10", "no file", "csv", zip_of(), "damaged or cut short"),
        ("A11", "zip, more than max_body comes out", "small", zip_of(("a.csv", many)), "4194304"),
        ("A12", "gzip, more than max_body comes out", "small", gzip.compress(many), "4194304"),
        ("A13", "120,000 entries", "csv", zip_of(*((f"{i}", b"") for i in range(120000)), compression=zipfile.ZIP_STORED), "more than 65536 entries"),
        ("A14", "a line of 400 MB, a thousand to one", "csv", zip_of(("a.csv", body + b"0" * (400 << 20))), "longer than"),
        ("A15", "gzip, bytes behind it", "csv", packed + b"junk", "bytes follow the end"),
        ("A16", "gzip in gzip", "csv", gzip.compress(packed), "nested archives are not opened"),
        ("A17", "gzip, a wrong checksum", "csv", changed(packed, len(packed) - 8, b"\0\0\0\0"), "damaged"),
        ("A18", "7z, a wrong checksum", "csv", seven.replace(checksum, b"\1\2\3\4"), "damaged"),
        ("A19", "7z, a name that climbs", "csv", support.seven_zip("../a.csv", body), "outside of the archive"),
        ("A20", "7z, packed bytes changed", "csv", changed(seven, 40, b"\xff\xff\xff\xff"), ""),
        ("A21", "a directory that points beyond the end", "csv", good[:-6] + struct.pack("<IH", 0x7fffffff, 0), "damaged"),
        ("A22", "a folder", "csv", zip_of(("a.csv/", b"")), "holds no file"),
        ("A23", "a method that nobody has", "csv", changed(changed(good, 8, b"\x63\0"), at + 10, b"\x63\0"), "damaged"),
        ("A24", "a length that is a lie", "csv", changed(changed(good, 22, b"\1\0\0\0"), at + 24, b"\1\0\0\0"), "wrong size"),
        ("A25", "two gzip members are one file", "csv", packed + gzip.compress(LINE.encode()), 2),
    ]


Done = collections.namedtuple("Done", "code out err seconds kib")


class Measure:
    """Starts programs from a process that was made while this one was small: what they take at most is counted from their fork on."""

    def __init__(self):
        self.ask, asked = socket.socketpair()
        if os.fork() == 0:
            self.ask.close()
            self.serve(asked)
        asked.close()
        self.answers = self.ask.makefile("rb")

    @staticmethod
    def serve(asked):
        for line in asked.makefile("rb"):
            words, *paths = json.loads(line)
            with open(paths[0], "rb") as data, open(paths[1], "wb") as out, open(paths[2], "wb") as err:
                p = subprocess.Popen(words, stdin=data, stdout=out, stderr=err, cwd=DEEP)
                _, status, used = os.wait4(p.pid, 0)  # of its worker too, which it waits for
            asked.sendall(json.dumps([os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss]).encode() + b"\n")
        os._exit(0)

    def __call__(self, *what):
        self.ask.sendall(json.dumps(what).encode() + b"\n")
        return json.loads(self.answers.readline())


measure = Measure()


def parse(kind, body):
    paths = [str(suite.folder / name) for name in ("in", "out", "err")]
    with open(paths[0], "wb") as data:
        data.write(HEAD.encode() if body is None else body)
        if body is None:  # a gigabyte that is not there
            data.truncate(1 << 30)
    code, seconds, kib = measure([str(Path(support.GLANE).resolve()), "-c", str(SITE.conf), "parse", *OPTIONS[kind]], *paths)
    return Done(code, *(Path(q).read_bytes().decode("utf-8", "replace") for q in paths[1:]), seconds, kib)


def values(done):
    return list(csv.DictReader(io.StringIO(done.out, newline="")))


def wrong(c, done):
    """What is not as it must be."""
    if done.code != c.code:
        return "exit status"
    lines = done.err.splitlines()
    if c.words not in done.err:
        return "words"
    if any(not line.startswith("glane: ") or len(line) > 4000 or line.endswith("\\x0a") for line in lines) or any(ord(ch) < 32 for line in lines for ch in line):
        return "more than clear lines on standard error"
    if "c4n4ry-of-a-file" in done.out + done.err:
        return "the content of a file that it named"
    if not support.WATCHED and (done.seconds > CPU or done.kib > MEMORY):
        return f"{done.seconds:.1f} s, {done.kib >> 10} MiB"
    if c.rows is not None and not c.code:
        got = values(done)
        if isinstance(c.rows, int):
            return None if len(got) == c.rows else f"{len(got)} rows"
        if [r["value"] for r in got] != c.rows:
            return "values"
        if c.notes and [r["note"] for r in got] != c.notes:
            return "notes"
    return None


def cases():
    for name, what, body, words in xml_cases():
        yield Case(name, what, "xml", body, 0 if words is None else 1, words or "", ["1.5"] if words is None else None)
    for name, what, body, words, ends in json_cases():
        yield Case(name, what, "json", body, 1 if ends == 1 else 0, words, ends if isinstance(ends, list) else None)
    yield from csv_cases()
    for name, what, kind, body, ends in archive_cases():
        yield Case(name, what, kind, body, 0, "", ends) if isinstance(ends, int) else Case(name, what, kind, body, 1, ends)


def written():
    """What is called as the entries of the archives are, wherever their names could lead to from the folder in which they are read."""
    return {str(path) for path in [*suite.folder.rglob("[ab].csv"), *(Path(at) / "a.csv" for at in ("/", "/etc", "/tmp", suite.folder.parent))] if path.exists()}


def table():
    counts = collections.Counter()
    for c in cases():
        before = written()
        done = parse(c.kind, c.body)
        why = wrong(c, done) or "; ".join(f"{path} was written" for path in written() - before)
        suite.true(f"{c.id} {c.what}: {'refused' if c.code else 'read'}", not why, f"{why}: {done._replace(out=done.out[:500])}")
        counts[c.id[0]] += 1
    suite.true(f"as many as were promised: {dict(counts)}", all(counts[k] >= n for k, n in {"X": 25, "J": 25, "C": 40, "A": 10}.items()))


# ---- cut at every byte

TABLE = 'code,year,value,note\nTG,2020,1.5,"a, ""b"""\nGH,2021,-20,é\n'
SDMX = ('<m:StructureSpecificData xmlns:m="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message"><m:DataSet><Series FREQ="A" REF_AREA="TG">'
        '<Obs TIME_PERIOD="2020" OBS_VALUE="1.5"/></Series></m:DataSet></m:StructureSpecificData>')
SAMPLES = [  # kind, document, whether it says itself where it ends
    ("T01", "csv", TABLE.encode(), False),
    ("T02", "csv", TABLE.encode("utf-16"), False),
    ("T03", "tsv", b"freq,unit,geo\\TIME_PERIOD\t2020 \t2021 \nA,PC,TG\t1.5 \t2 b\n", False),
    ("T04", "sdmx", b"DATAFLOW,FREQ,REF_AREA,TIME_PERIOD,OBS_VALUE\nX:D(1.0),A,TG,2020,1.5\nX:D(1.0),A,TG,2021,2.5\n", False),
    ("T05", "json", rows(ONE + "," + ONE.replace("2020", "2021"), ',"n":1'), True),
    ("T06", "stat", b'{"version":"2.0","class":"dataset","id":["geo","time"],"size":[1,2],"dimension":{"geo":{"category":{"index":["TG"]}},"time":{"category":'
                    b'{"index":["2020","2021"]}}},"role":{"geo":["geo"],"time":["time"]},"value":[1,2]}', True),
    ("T07", "px", b'STUB="geo";\nHEADING="time";\nCONTENTS="c";\nUNITS="u";\nVALUES("geo")="Togo";\nVALUES("time")="2020","2021";\nDATA=\n1 2.5;', True),
    ("T08", "xml", rates(), True),
    ("T09", "sdmx", SDMX.encode(), True),
    ("T10", "csv", gzip.compress(TABLE.encode(), mtime=0), True),
    ("T11", "csv", zip_of(("a.csv", TABLE.encode())), True),
    ("T12", "csv", support.seven_zip("a.csv", TABLE.encode()), True),
]


def shown(out):
    return [(r["area_code"], r["period"], r["value"], r["note"]) for r in csv.DictReader(io.StringIO(out, newline=""))]


def cut_wrong(done, whole, has_end):
    """A cut that could be seen is a failure; of the rest all rows but the last are those of the whole, and that one is a part of it."""
    code, out, err = done
    got = shown(out)
    if code not in (0, 1) or any(not line.startswith("glane: ") for line in err.splitlines()):
        return f"exit {code}: {err}"
    if has_end:
        return None if code == 1 and got == whole[:len(got)] else f"exit {code}, {got}"
    n = len(got)
    same = n <= len(whole) and (not n or got[:n - 1] == whole[:n - 1] and all(w.startswith(g) for g, w in zip(got[-1], whole[n - 1])))
    return None if same else f"{got}"


def cuts():
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, kind, body, has_end in SAMPLES:
            code, out, err = SITE.glane("parse", *OPTIONS[kind], payload=body)
            whole = shown(out)
            done = pool.map(lambda n, kind=kind, body=body: SITE.glane("parse", *OPTIONS[kind], payload=body[:n]), range(len(body)))
            found = [f"at {n}: {why}" for n, why in enumerate(cut_wrong(d, whole, has_end) for d in done) if why]
            suite.true(f"{name} {kind}, cut at each of {len(body)} bytes: {'refused' if has_end else 'nothing but what was there'}",
                       code == 0 and whole and not found, "\n".join([err, *found[:5]]))


# ---- whole runs

def runs():
    """The same through a server: the source fails, its last good rows stay, nothing is asked for that a document names."""
    feed = "plugin = ecb\n"
    table_of = "plugin = csv\nfiles = a.csv\ndataset = D\nindicator = =I\narea = code\narea_scheme = LOCAL\nperiod = year\nvalue = value\n"
    body = (HEAD + LINE).encode()
    with support.Server({}) as server:
        trap = f"{server.url}/trap"
        bad = {"R01": (feed, doctype(f"<!ENTITY x SYSTEM '{trap}'>"), "text/xml", "DOCTYPE"),
               "R02": (feed, rates(head=f"<!DOCTYPE Envelope SYSTEM '{trap}'>"), "text/xml", "DOCTYPE"),
               "R03": (table_of, HEAD.encode(), "text/csv", "no observations"), "R04": (table_of, zip_of(("../a.csv", body)), "application/zip", "outside"),
               "R05": (table_of, gzip.compress(body)[:-9], "application/gzip", ""), "R06": (table_of, HEAD.encode() + b'TG,2020,5,"x\n', "text/csv", "never ends"),
               "R07": (feed, entities(10, 10), "text/xml", "DOCTYPE")}
        state = {"bad": False}

        def answer(target):
            name = target.split("/")[1]
            if name not in bad:
                return None
            section, data, kind, _ = bad[name]
            good = rates() if section == feed else body
            return support.Answer(data if state["bad"] else good, kind if state["bad"] else "text/xml" if section == feed else "text/csv")
        server.routes = answer
        site = suite.site("run", "".join(f"[source {n.lower()}]\nbase_url = {server.url}/{n}\nretries = 0\n{b[0]}" for n, b in bad.items()))
        first = site.run()
        suite.same("runs: all is well at first", (first.code, set(first.verdicts.values())), (0, {"ok"}))
        before = site.glane("export")
        state["bad"] = True
        run = site.run()
        for name, (_, _, _, words) in bad.items():
            s = run.sources[name.lower()]
            suite.true(f"{name}: failed, with the reason", s["status"] == "failed" and words in s["message"], s)
        suite.same("runs: the last good rows stay", (run.code, site.glane("export")), (3, before))
        suite.same("runs: nothing that a document names was asked for", [t for t, _ in server.log if "trap" in t], [])


table()
cuts()
runs()
sys.exit(suite.finish())
