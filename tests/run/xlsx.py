#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Workbooks through `glane parse csv --sheet`: which sheet, parts and their names, encodings, dates; and what is refused. TAP on
standard output."""
import csv
import io
import sys
import zipfile

import support

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
DOC = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT_DOC = "http://purl.oclc.org/ooxml/officeDocument/relationships"
WORDS = ["--dataset=D", "--indicator==I", "--area=code", "--area_scheme=LOCAL", "--value=*"]
STRINGS = ["code", "TG", "Côte & <d'Ivoire>", "BJ"]
ROWS = ("<row r='1'><c r='A1' t='inlineStr'><is><t>A title</t></is></c></row>"
        "<row r='3'><c r='A3' t='s'><v>0</v></c><c r='B3'><v>2020</v></c><c r='C3'><v>2021</v></c></row>"
        "<row r='4'><c r='A4' t='s'><v>1</v></c><c r='B4'><v>37.022300000000001</v></c></row>"
        "<row r='5'><c r='A5' t='s'><v>3</v></c><c r='C5'><v>1E-3</v></c></row>")
WANT = [("TG", "2020", "37.0223"), ("BJ", "2021", "0.001")]


def escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;")


def workbook(rows=ROWS, main=MAIN, doc=DOC, encoding="utf-8", states=("hidden", ""), drop=(), more=None, compress=zipfile.ZIP_DEFLATED):
    sheets = "".join(f"<sheet name='S&amp;{i + 1}' sheetId='{i + 7}' r:id='rId{i + 1}'{f' state={chr(39)}{s}{chr(39)}' if s else ''}/>"
                     for i, s in enumerate(states))
    rels = "".join(f"<Relationship Id='rId{i + 1}' Type='{doc}/worksheet' Target='worksheets/sheet{i + 1}.xml'/>" for i in range(len(states)))
    parts = {
        "_rels/.rels": f"<Relationships><Relationship Id='r' Type='{doc}/officeDocument' Target='/xl/workbook.xml'/></Relationships>",
        "xl/workbook.xml": f"<workbook xmlns='{main}' xmlns:r='{doc}'><sheets>{sheets}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f"<Relationships>{rels}<Relationship Id='a' Type='{doc}/sharedStrings' Target='sharedStrings.xml'/>"
                                      f"<Relationship Id='b' Type='{doc}/styles' Target='styles.xml'/></Relationships>",
        "xl/sharedStrings.xml": f"<sst xmlns='{main}'>" + "".join(f"<si><t>{escape(s)}</t><rPh sb='0' eb='1'><t>no</t></rPh></si>"
                                                                   for s in STRINGS) + "</sst>",
        "xl/styles.xml": f"<styleSheet xmlns='{main}'><numFmts><numFmt numFmtId='170' formatCode='dd/mm/yyyy'/></numFmts><cellStyleXfs>"
                         "<xf numFmtId='14'/></cellStyleXfs><cellXfs><xf numFmtId='0'/><xf numFmtId='170'/></cellXfs></styleSheet>",
    }
    for i in range(len(states)):
        parts[f"xl/worksheets/sheet{i + 1}.xml"] = f"<worksheet xmlns='{main}'><sheetData>" + \
            (rows if i == len(states) - 1 else "<row><c><v>1</v></c></row>") + "</sheetData></worksheet>"
    parts.update(more or {})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compress) as z:
        for name, text in parts.items():
            if name not in drop:
                head = f"<?xml version='1.0' encoding='{encoding.upper()}' standalone='yes'?>"
                z.writestr(name, (head + text).encode(encoding))
    return out.getvalue()


def main():
    suite = support.Suite("xlsx")
    site = suite.site("parse")

    def same(name, body, *options, want=WANT):
        code, out, err = site.glane("parse", "csv", *WORDS, *options, payload=body)
        rows = [(r["area_code"], r["period"], r["value"]) for r in csv.DictReader(io.StringIO(out, newline=""))]
        suite.true(name, code == 0 and rows == want, (code, rows, err))

    def refused(name, body, words, *options):
        code, _, err = site.glane("parse", "csv", *WORDS, *options, payload=body)
        suite.true(name, code == 1 and words in err, (code, err))

    book = workbook()
    same("the first visible sheet", book, "--sheet=*", "--skip=2")
    same("a sheet by its name", book, "--sheet=S&2", "--skip=2")
    same("a sheet by its number", book, "--sheet=2", "--skip=2")
    same("strict OOXML", workbook(main=STRICT, doc=STRICT_DOC), "--sheet=*", "--skip=2")
    same("UTF-16 parts", workbook(encoding="utf-16"), "--sheet=*", "--skip=2")
    same("UTF-8 with a mark, entries stored", workbook(encoding="utf-8-sig", compress=zipfile.ZIP_STORED), "--sheet=*", "--skip=2")
    same("without styles", workbook(drop=("xl/styles.xml",)), "--sheet=*", "--skip=2")
    dated = ROWS.replace("<c r='B3'>", "<c r='B3' s='1'>").replace("<v>2020</v>", "<v>43831</v>")
    beside = ROWS.replace("<c r='C5'><v>1E-3</v></c>", "<c r='C5'><v>1E-3</v></c><c r='F5' t='inlineStr'><is><t>a remark</t></is></c>")
    same("a cell beside the table, where nothing says how wide the sheet is", workbook(rows=beside), "--sheet=*", "--skip=2")
    same("a date in the header", workbook(rows=dated), "--sheet=*", "--skip=2", want=[("TG", "2020-01-01", "37.0223"), WANT[1]])
    same("a decimal comma in the configuration", book, "--sheet=*", "--skip=2", "--decimal=,", "--group=.")
    for cell, why in (("<f>A1</f><v/>", "#NOT-COMPUTED: a formula without its result"), ("<f>A1</f>", "#NOT-COMPUTED"), ("' t='e'><v>#DIV/0!</v>", "#DIV/0!: an error in a cell")):
        rows = ROWS.replace("<c r='B4'><v>37.022300000000001</v>", f"<c r='B4'>{cell}".replace("'>' t", "' t"))
        code, out, err = site.glane("parse", "csv", *WORDS, "--sheet=*", "--skip=2", payload=workbook(rows=rows))
        suite.true(f"{why} goes to quarantine, the rest is read", "1 rows, 2 empty, 1 rejected" in err and why in err and "BJ" in out, (code, out, err))
    same("#N/A is missing", workbook(rows=ROWS.replace("<c r='B4'><v>37.022300000000001</v>", "<c r='B4' t='e'><v>#N/A</v>")), "--sheet=*", "--skip=2", want=WANT[1:])
    refused("a sheet that is not there", book, "no sheet 'X'; there are: S&1, S&2", "--sheet=X")
    refused("no visible sheet", workbook(states=("hidden", "veryHidden")), "no visible sheet", "--sheet=*")
    refused("a workbook without its sheet", workbook(drop=("xl/worksheets/sheet2.xml",)), "part of the sheet is missing", "--sheet=*")
    refused("a workbook without its main part", workbook(drop=("xl/workbook.xml",)), "xl/workbook.xml is missing", "--sheet=*")
    refused("an old .xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "save it as .xlsx", "--sheet=*")
    refused("a CSV", b"code,2020\nTG,1\n", "does not begin like a zip", "--sheet=*")
    refused("an entity", workbook(more={"xl/sharedStrings.xml": "<!DOCTYPE a [<!ENTITY e 'x'>]><sst><si><t>&e;</t></si></sst>"}), "DOCTYPE",
            "--sheet=*")
    refused("a bomb", workbook(rows="<row><c t='inlineStr'><is><t>" + "x" * (2 << 20) + "</t></is></c></row>"), "too long", "--sheet=*")
    broken = bytearray(book)
    broken[book.index(b"xl/worksheets/sheet2.xml") + 60] ^= 0x55
    refused("a damaged sheet", bytes(broken), "damaged", "--sheet=*", "--skip=2")
    silent = [n for n in range(4, len(book), 131) if site.glane("parse", "csv", *WORDS, "--sheet=*", "--skip=2", payload=book[:n])[0] == 0]
    suite.same("a workbook cut anywhere", silent, [])
    return suite.finish()


sys.exit(main())
