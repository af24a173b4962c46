#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The source plugins without a network: what each makes of a document (`glane parse`), and of a whole source whose
answers lie in a payload archive (`glane run --offline`): paging, slices that fail alone, covers. TAP on standard output."""
import csv
import gzip
import hashlib
import io
import json
import sys
import zipfile

import support
from support import Answer

suite = support.Suite("plugins")
check = suite.same


def short(text, columns):
    """The rows of an export, as one text per row with the columns that matter."""
    return [" ".join(r[c] for c in columns.split()) for r in csv.DictReader(io.StringIO(text))]


# ---- parse: name, options, document, columns, rows

LONG = "code,name,year,sex,value,st\nTGO,Togo,2020,F,1.50,E\nTGO,Togo,2020,M,..,\nBEN,Benin,2020,F,x,p\n,,,,,\nSource: us,,,,,\n"
SIDES = ("Year,Economy,GDP,GDP Footnote,GDP Missing value,POP,POP Footnote,POP Missing value\n"
         "2020,768,5,a note,,,,Not applicable\n2020,204,6,,,7,,\n")
CSV = [
    ("long: area, period, dimension, status; footers are passed over",
     ["--area=code", "--period=year", "--value=value", "--dims=SEX=sex", "--status=st"], LONG,
     "indicator area dims period value value_text status flags",
     ["value TGO SEX=F 2020 1.50  E ", "value BEN SEX=F 2020  x A p"]),
    ("where: only some records, one of several texts", ["--area=code", "--period=year", "--value=V=value", "--where=sex=M|F code=BEN"], LONG,
     "indicator area period value_text", ["V BEN 2020 x"]),
    ("a column by its number, an alternative that is empty, one that need not be there",
     ["--area=none|code", "--period=#3", "--value=value", "--note=remark|", "--where=code=TGO"], LONG, "area period value", ["TGO 2020 1.50"]),
    ("status words become letters, the word stays a flag",
     ["--area=code", "--period=year", "--value=value", "--status=st", "--status_map=p=P", "--where=code=BEN"], LONG,
     "area status flags", ["BEN P p"]),
    ("a column per year in three spellings",
     ["--indicator==I", "--area=code", "--value=*"], "code,name,2019,F2020,2021 [YR2021]\nTGO,Togo,1,2,\nBEN,Benin,..,,3\n",
     "indicator area period value", ["I TGO 2019 1", "I TGO 2020 2", "I BEN 2021 3"]),
    ("FAOSTAT: a column per year with its flags, M49 behind an apostrophe",
     ["--indicator=Element Code", "--area=Area Code (M49)", "--area_scheme=M49", '--dims=ITEM="Item Code"', "--flags={value}F", "--value=*"],
     'Area Code (M49),Area,Item Code,Element Code,Y2019,Y2019F,Y2020,Y2020F\n\'768,Togo,15,5510,12.5,A,13,E\n', "indicator area dims period value flags",
     ["5510 TGO ITEM=15 2019 12.5 A", "5510 TGO ITEM=15 2020 13 E"]),
    ("a column per currency", ["--indicator==EXR", "--area==U2", "--period=Date", "--wide=CURRENCY", "--trim=yes", "--missing=N/A"],
     "Date, USD, XOF,\n13 April 2026, 1.1684, N/A,\n", "indicator dims period value", ["EXR CURRENCY=USD 2026-04-13 1.1684"]),
    ("a column per indicator, where nothing but the period is said", ["--area=Entity", "--area_scheme=NAME", "--period=Year"],
     'Entity,Year,"Life expectancy (UN)"\nTogo,2020,61.03\n', "indicator area period value", ["Life expectancy (UN) TGO 2020 61.03"]),
    ("a column per area", ["--indicator==I", "--wide=area", "--period=year", "--area_scheme=ISO2"], "year,TG,BJ\n2020,1,2\n",
     "area area_code value", ["TGO TG 1", "BEN BJ 2"]),
    ("a column per indicator: what stands beside them is no indicator; what is ignored neither",
     ["--area=Economy", "--area_scheme=UNCTAD", "--period=Year", "--wide=indicator", "--flags={value} Missing value",
      "--note={value} Footnote", '--status_map="Not applicable=M"', "--units=GDP=USD", "--unit_mults=GDP=6", "--ignore=Comment"],
     SIDES.replace("Year,Economy", "Year,Economy,Comment").replace("768,", "768,c,").replace("204,", "204,c,"),
     "indicator area value unit unit_mult status flags note",
     ["GDP TGO 5 USD 6 A  a note", "POP TGO   0 M Not applicable ", "GDP BEN 6 USD 6 A  ", "POP BEN 7  0 A  "]),
    ("semicolons, decimal comma, blanks as grouping, preamble, a date by its format",
     ["--delimiter=;", "--decimal=,", "--group=blank", "--skip=2", "--area=a", "--period=d", "--period_format=dd/mm/yyyy", "--value=v"],
     "Report\n\na;d;v\nTGO;17/05/2020;1 234,50\n", "period value", ["2020-05-17 1234.50"]),
    ("tabs, no header, no quotes", ["--delimiter=tab", "--no_header=yes", "--quote=none", "--area=1", "--period=2", "--value=V=3"],
     'TGO\t2020\t1\nBEN\t2020\t"2\n', "indicator area value value_text", ["V TGO 1 ", 'V BEN  "2']),
    ("multiplier by words, as in the IMF's WEO: years beside them, marks for nothing, a footer",
     ["--delimiter=tab", "--ragged=yes", "--area=ISO", "--indicator=Code", "--value=*", "--unit=Units", "--unit_mult=Scale", "--group=,", "--missing=-- n/a"],
     "ISO\tCode\tUnits\tScale\t1980\t2029\tEstimates Start After\nTGO\tNGDPD\tU.S. dollars\tBillions\t1.136\t1,234.5\t2021\n"
     "TGO\tNGDP_RPCH\tPercent change\t\t--\t5.5\t2021\nTGO\tLP\tPersons\tMILLIONS\t2.7\tn/a\t\n\nInternational Monetary Fund, April 2024\n",
     "indicator period value unit unit_mult", ["NGDPD 1980 1.136 U.S. dollars 9", "NGDPD 2029 1234.5 U.S. dollars 9",
                                              "NGDP_RPCH 2029 5.5 Percent change 0", "LP 1980 2.7 Persons 6"]),
    ("multiplier by column", ["--area=a", "--period=p", "--value=v", "--unit_mult=m", "--unit==USD"],
     "a,p,v,m\nTGO,2020,1,3\nTGO,2021,2,6\n", "period value unit unit_mult", ["2020 1 USD 3", "2021 2 USD 6"]),
]
YEARS = ["--indicator==I", "--area=code"]
PLAIN = ["--area=code", "--period=y", "--value=v"]
EDGES = [  # the same formats as other files have them
    ("columns in another order", ["--indicator=Ind", "--area=Country Code", "--value=*"], "2021,Ind,2020,Country Code,Name\n1,A,2,TGO,x\n",
     "indicator area period value", ["A TGO 2021 1", "A TGO 2020 2"]),
    ("year headers in every spelling, in any order, with blanks; other columns are passed over", YEARS,
     'code,Name,2021 [YR2021],F2020,YR2019,"2018 ",2017,x2016,\nTGO,Togo,1,2,3,4,5,6,\n', "period value",
     ["2021 1", "2020 2", "2019 3", "2018 4", "2017 5"]),
    ("years with marks: the mark becomes the flags of what has a value, or a status", YEARS + ["--status_map=p=P"],
     "code,2019,2020 (p),2021*,2022e,2022 rank,20230\nTGO,1,2,3,,5,6\n", "period value status flags", ["2019 1 A ", "2020 2 P p", "2021 3 A *"]),
    ("headers of halves, quarters, months, weeks, days", YEARS, "code,2019Q1,2019-Q2,2019M01,2019-02,2019S1,2019W05,2019-03-01\nTGO,1,2,3,4,5,6,7\n",
     "freq period value", ["Q 2019-Q1 1", "Q 2019-Q2 2", "M 2019-01 3", "M 2019-02 4", "S 2019-S1 5", "W 2019-W05 6", "D 2019-03-01 7"]),
    ("short footers after blank lines", YEARS + ["--ragged=yes"],
     '"code","1960 [YR1960]","1961 [YR1961]"\n"TGO","1",".."\n\n\n"Data from database: WDI"\n"Last Updated: 01/28/2025"\n', "period value", ["1960 1"]),
    ("CRLF, newlines and quotes inside quotes", PLAIN + ["--note=n"], 'code,y,v,n\r\nTGO,2020,1,"two\r\nlines, ""q"""\r\nBEN,2020,2,x\r\n',
     "area value note", ['TGO 1 two\r\nlines, "q"', "BEN 2 x"]),
    ("CR alone ends lines", PLAIN, "code,y,v\rTGO,2020,1\rBEN,2020,2\r", "area value", ["TGO 1", "BEN 2"]),
    ("no newline at the end, a BOM at the beginning", PLAIN, "\ufeffcode,y,v\nTGO,2020,1", "area value", ["TGO 1"]),
    ("windows-1252", PLAIN + ["--area_scheme=NAME", "--encoding=windows-1252"], "code,y,v\nC\xf4te d\x92Ivoire,2020,1\n".encode("latin-1"),
     "area area_code", ["CIV Côte d’Ivoire"]),
    ("Latin-1", PLAIN + ["--area_scheme=NAME", "--encoding=ISO-8859-1"], "code,y,v\nB\xe9nin,2020,1\n".encode("latin-1"), "area", ["BEN"]),
    ("UTF-16 by its mark", PLAIN, "code,y,v\nTGO,2020,1\n".encode("utf-16"), "area value", ["TGO 1"]),
    ("decimal comma and points", PLAIN + ["--delimiter=;", "--decimal=,", "--group=."],
     "code;y;v\nTGO;2020;1.234.567,80\nBEN;2020;-12,5\nGHA;2020;1.23\n", "value value_text", ["1234567.80 ", "-12.5 ", " 1.23"]),
    ("thousands separated by commas, where they stand right", PLAIN + ["--group=,"], 'code,y,v\nTGO,2020,"1,234,567.80"\nBEN,2020,"12,5"\n',
     "value value_text", ["1234567.80 ", " 12,5"]),
    ("thousands separated by blanks of several kinds", PLAIN + ["--group=blank"], "code,y,v\nTGO,2020,1\u00a0234\nBEN,2020,1\u202f234.5\nGHA,2020,1 234\n",
     "value", ["1234", "1234.5", "1234"]),
    ("cells that stand for nothing, with blanks around them; a text that looks like one", PLAIN + ["--missing=.. - N/A …"],
     "code,y,v\nTGO,2020,..\nBEN,2020, - \nGHA,2020,…\nNER,2020,-5\nMLI,2020,...\nSEN,2020,\nNGA,2020,  \n", "area value value_text", ["NER -5 ", "MLI  ..."]),
    ("a number that stands for nothing", PLAIN + ["--missing=9999 -"], "code,y,v\nTGO,2020,9999\nBEN,2020,99990\nGHA,2020, 9999 \nNER,2020,-\n",
     "area value value_text", ["BEN 99990 "]),
    ("numbers as they come: blanks, signs, points, exponents, more digits than a double has; texts stay", PLAIN,
     "code,y,v\nTGO,2020, 7.0 \nTGO,2021,+5\nTGO,2022,.5\nTGO,2023,1e3\nTGO,2024,12345678901234567890.5\nTGO,2025,<0.1\nTGO,2026,12%\n",
     "value value_text", ["7.0 ", "5 +5", "0.5 .5", "1000 1e3", "12345678901234567890.5 12345678901234567890.5", " <0.1", " 12%"]),
    ("ITU's newlines without quotes: the rest of such a record is no record", ["--ragged=yes", "--indicator=SeriesCode", "--area=AreaCode",
     "--period=Year", "--value=Value", "--note=Notes"],
     "SeriesID,SeriesCode,Year,AreaCode,Value,Notes,Source,LastModifiedOn\n1,i99H,2020,TGO,24.5,,Survey of the\nministry,2025-01-01\n"
     "1,i99H,2021,TGO,,,,2025-01-01\n1,i99H,2022,TGO,37.6,Estimate,ITU,2025-01-01\n", "indicator area period value note",
     ["i99H TGO 2020 24.5 ", "i99H TGO 2022 37.6 Estimate"]),
    ("UNCTAD's periods", PLAIN, "code,y,v\nTGO,1950Q01,1\nTGO,1950M01,2\nTGO,1950S02,3\n", "period", ["1950-Q1", "1950-01", "1950-S2"]),
]
WRONG = [  # what is not there fails with a word that says it, what cannot be is an error of the configuration
    ("a column that is not there", ["--area=Code", "--value=value"], LONG, "area = Code: the file has no such column (=Code for a constant); there are: code, name,"),
    ("a value that is not there", ["--value=V=Value"], LONG, "value = Value: the file has no such column; there are"),
    ("a constant without its sign", ["--area=code", "--period=year", "--value=value", "--indicator=CIM"], LONG, "(=CIM for a constant)"),
    ("a year as the value, and no period", ["--area=code", "--indicator==I", "--value=2019"], "code,2019\nTGO,1\n",
     "with years as columns write value = *", 2),
    ("nothing passes where", ["--area=code", "--period=year", "--value=value", "--where=sex=X"], LONG, "where: none of the 5 records passes"),
    ("a delimiter in quotes", ["--area=code", "--value=value", "--delimiter=';'"], LONG,
     "delimiter = ';': write one character without quotes, or tab", 2),
    ("a cover misspelt", ["--area=code", "--value=value", "--cover=fulll"], LONG, "cover = fulll: write full or none", 2),
    ("two columns of one name", ["--area=a", "--value=v"], "a,a,v\n1,2,3\n", "two columns have that name"),
    ("side columns that fit nothing", ["--area=code", "--period=year", "--value=value", "--note={value} Footnote"], LONG,
     "note = {value} Footnote: the file has no such column"),
    ("no column holds values", ["--indicator==I", "--area=code"], "code,name\nTGO,Togo\n", "no column holds values"),
    ("headers are periods, and nothing says the indicator", ["--area=code"], "code,2020\nTGO,1\n", "the value columns are periods: write indicator = COLUMN or =CODE", 2),
    ("a record that is too short", PLAIN, "code,y,v\nTGO,2020\n", "csv line 2: 2 cells where the header has 3"),
    ("a record that is too long", PLAIN, "code,y,v\nTGO,2020,1,2\n", "csv line 2: 4 cells where the header has 3"),
    ("a quote that never ends", PLAIN, 'code,y,v\nTGO,2020,"1\n', "csv line 2: the record that begins here has a quoted cell that never ends"),
    ("bytes that are no UTF-8", PLAIN, "code,y,v\nB\xe9nin,2020,1\n".encode("latin-1"), "csv line 2: 0xE9 at byte 10 is not UTF-8; set `encoding`"),
    ("a growth range of two years", PLAIN, "code,y,v\nTGO,19801981,1\n", "period '19801981'"),
    ("a week that no year has", PLAIN, "code,y,v\nTGO,2021W99,1\n", "period '2021W99'"),
    ("a frequency that does not exist", ["--area=code", "--value=value", "--freq=Y"], LONG, "freq = Y: write one of A S T Q M W D B", 2),
]


def parse_csv(site):
    for name, options, text, columns, want in CSV + EDGES:
        code, out, err = site.glane("parse", "csv", "--dataset=D", *options, payload=text.encode() if isinstance(text, str) else text)
        check(f"csv: {name}", short(out, columns) if code == 0 else err, want)
    for name, options, text, words, *want in WRONG:
        code, _, err = site.glane("parse", "csv", "--dataset=D", *options, payload=text.encode() if isinstance(text, str) else text)
        check(f"csv: {name}", (code, words if words in err else err), (want[0] if want else 1, words))
    code, _, err = site.glane("parse", "csv", "--dataset=D", "--area=code", "--period=year", "--value=value",
                         payload=b"code,year,value\n,2020,1\nTGO,2020,2\nTGO,soon,3\n")
    check("csv: a value without an area, and one without a period, are refused", "1 rows, 0 empty, 2 rejected" in err, True)


def document(total, rows, page=1, pages=1, updated="2025-01-28"):
    return json.dumps([{"page": page, "pages": pages, "per_page": 2, "total": total, "sourceid": "2", "lastupdated": updated}, rows])


def row(indicator, iso3, year, value, status="", iso2="TG"):
    return {"indicator": {"id": indicator, "value": "Title"}, "country": {"id": iso2, "value": "Togo"}, "countryiso3code": iso3,
            "date": str(year), "value": value, "unit": "", "obs_status": status, "decimal": 1}


ECB = ('<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">'
       '<Cube><Cube time="2026-04-13"><Cube currency="USD" rate="1.1684"/><Cube currency="JPY" rate="186.75"/></Cube>'
       '<Cube time="2026-04-10"><Cube currency="USD" rate="1.1711"/></Cube></Cube></gesmes:Envelope>')


def parse_others(site):
    text = "\ufeff" + document(3, [row("A.B", "TGO", 2020, 1.5), row("A.B", "", 2020, None, "E", "1A"), row("A.B", "TGO", 2021, None)])
    _, out, err = site.glane("parse", "worldbank", "--indicators=A.B", payload=text.encode())
    check("worldbank: a null is padding where no status says more; without ISO3 the country's id is the area",
          short(out, "dataset indicator area_code period value status"), ["WDI A.B TGO 2020 1.5 A", "WDI A.B 1A 2020  E"])
    _, _, err = site.glane("parse", "worldbank", "--indicators=A.B", payload=b'[{"message":[{"id":"175","key":"k","value":"was deleted"}]}]')
    check("worldbank: an error envelope says the provider's words", "the provider answers: was deleted" in err, True)
    xml = '\ufeff<?xml version="1.0" encoding="utf-8"?>\n<wb:error xmlns:wb="http://www.worldbank.org">\n  <wb:message id="120" key="Invalid value">' \
          "The provided parameter value is not valid</wb:message>\n</wb:error>"
    _, _, err = site.glane("parse", "worldbank", "--indicators=A.B", payload=xml.encode())
    check("worldbank: an error in XML says the provider's words", "XML or HTML: 'The provided parameter value is not valid'" in err, True) or print(err)
    _, _, err = site.glane("parse", "worldbank", "--indicators=A.B", payload=document(9, [row("A.B", "TGO", 2020, 1)]).encode())
    check("worldbank: fewer rows than declared are no success", "declares 9 records" in err, True)
    _, out, _ = site.glane("parse", "ecb", payload=ECB.encode())
    check("ecb: rates by currency and day", short(out, "indicator area_code dims freq period value unit"),
          ["EXR U2 CURRENCY=USD;CURRENCY_DENOM=EUR D 2026-04-13 1.1684 USD", "EXR U2 CURRENCY=JPY;CURRENCY_DENOM=EUR D 2026-04-13 186.75 JPY",
           "EXR U2 CURRENCY=USD;CURRENCY_DENOM=EUR D 2026-04-10 1.1711 USD"])


# ---- whole sources, out of an archive

def archive(site, answers):
    """Every answer (URL: text, media type) as if it had been fetched."""
    for i, (url, (text, kind)) in enumerate(answers.items()):
        body = text.encode()
        name = hashlib.sha256(body).hexdigest()
        place = site.store / "payloads" / name[:2]
        place.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(body)
        (place / (name + ".json")).write_text(json.dumps({
            "method": "GET", "url": url, "request_sha256": "", "status": 200, "headers": {}, "size": len(body), "sha256": name,
            "fetched_at": f"2026-04-13T00:00:{i:02}Z", "content_type": kind, "etag": "", "last_modified": ""}))


def verdicts(run):
    return run.code, run.verdicts


def wb_url(indicators, page, more=""):
    return f"https://wb.example/country/TGO/indicator/{';'.join(indicators)}?format=json&source=2{more}&per_page=2&page={page}"


def worldbank():
    site = suite.site("worldbank", """
[source wb]
plugin     = worldbank
base_url   = https://wb.example
countries  = TGO
per_page   = 2
indicators = A GONE C
""")
    rows = [row("A", "TGO", y, y) for y in (2020, 2021, 2022)]
    archive(site, {
        wb_url(["A", "GONE", "C"], 1): ('[{"message":[{"id":"120","key":"Invalid value","value":"no such indicator"}]}]', "application/json"),
        wb_url(["GONE"], 1): ('[{"message":[{"id":"120","key":"Invalid value", "value":"no such indicator"}]}]', "application/json"),
        wb_url(["A"], 1): (document(3, rows[:2], 1, 2), "application/json"),
        wb_url(["A"], 2): (document(3, rows[2:], 2, 2), "application/json"),
        wb_url(["C"], 1): (document(1, [row("C", "TGO", 2020, 7)]), "application/json"),
    })
    check("worldbank: an indicator that is gone costs only its slice", verdicts(site.run("--all", "--offline")), (1, {"wb": "partial"}))
    check("worldbank: the others are there, page by page", site.short("indicator period value"),
          ["A 2020 2020", "A 2021 2021", "A 2022 2022", "C 2020 7"])


def slices():
    head = "iso,year,value\n"
    site = suite.site("slices", """
[source each]
plugin     = csv
base_url   = https://data.example
files      = {indicator}.csv
indicators = ONE TWO THREE
dataset    = D
area       = iso
period     = year
value      = value

[source years]
plugin     = csv
base_url   = https://data.example
files      = {period}/all.csv
periods    = 2020 2021
dataset    = Y
indicator  = =I
area       = iso
period     = ={period}
value      = value
""")
    archive(site, {"https://data.example/ONE.csv": (head + "TGO,2020,1\n", "text/csv"),
                     "https://data.example/TWO.csv": ("iso,when,value\nTGO,2020,2\n", "text/csv"),
                     "https://data.example/THREE.csv": (head + "TGO,2020,3\n", "text/csv"),
                     "https://data.example/2020/all.csv": ("iso,value\nTGO,4\n", "text/csv"),
                     "https://data.example/2021/all.csv": ("iso,value\nTGO,5\n", "text/csv")})
    check("csv: a file that fails costs only its indicator", verdicts(site.run("--all", "--offline")), (1, {"each": "partial", "years": "ok"}))
    check("csv: each indicator is a slice, each period a file", site.short("dataset indicator period value"),
          ["D ONE 2020 1", "D THREE 2020 3", "Y I 2020 4", "Y I 2021 5"])


def feed(days):
    cubes = "".join(f'<Cube time="{day}">' + "".join(f'<Cube currency="{c}" rate="1.5"/>' for c in currencies.split()) + "</Cube>"
                    for day, currencies in days)
    return f'<E xmlns="urn:x"><Cube>{cubes}</Cube></E>', "text/xml"


def two_nights(name, section, path, first, second):
    """Runs a source on one answer and then on another; its verdicts."""
    answers = {}
    with support.Server(answers) as server:
        site = suite.site(name, f"[source s]\nbase_url = {server.url}\n{section}\n"
                          "gate.max_withdrawn_percent = 100\ngate.min_rows_percent = 1\n")
        seen = []
        for text, kind in (first, second):
            answers[path] = Answer(text, kind)
            seen.append(verdicts(site.run()))
    check(f"{name}: two nights", seen, [(0, {"s": "ok"})] * 2)
    return site


def covers():
    """The next night's answer lacks a day that rolled off, and a rate of a day that is still there."""
    for name, path, want in (("90d", "/eurofxref-hist-90d.xml", ["2026-04-13 USD", "2026-04-10 USD", "2026-04-14 USD"]),
                             ("hist", "/eurofxref-hist.xml", ["2026-04-13 USD", "2026-04-14 USD"]),
                             ("daily", "/eurofxref-daily.xml", ["2026-04-13 JPY", "2026-04-13 USD", "2026-04-14 USD"])):
        first = [("2026-04-13", "USD JPY")] if name == "daily" else [("2026-04-13", "USD JPY"), ("2026-04-10", "USD")]
        second = [("2026-04-14", "USD")] if name == "daily" else [("2026-04-14", "USD"), ("2026-04-13", "USD")]
        site = two_nights(f"ecb {name}", f"plugin = ecb\nfeed = {name}", path, feed(first), feed(second))
        check(f"ecb {name}: what the feed does not cover stays", sorted(site.short("period unit")), sorted(want))
    site = two_nights("worldbank dates", "plugin = worldbank\nper_page = 9\nindicators = A\ndate = 2020:2021",
                        "/country/all/indicator/A?format=json&source=2&date=2020:2021&per_page=9&page=1",
                        (document(2, [row("A", "TGO", 2021, 1), row("A", "TGO", 2020, 1)]), "application/json"),
                        (document(1, [row("A", "TGO", 2021, 1)]), "application/json"))
    check("worldbank dates: the years asked for are covered", site.short("period"), ["2021"])


def hollow():
    """One of several files has its header and nothing else."""
    routes = {"/a.csv": Answer("code,y,v\nTGO,2020,1\nTGO,2021,1\n", "text/csv"), "/b.csv": Answer("code,y,v\nBEN,2020,1\n", "text/csv")}
    with support.Server(routes) as server:
        section = (f"[source s]\nplugin = csv\nbase_url = {server.url}\nfiles = a.csv b.csv\ndataset = D\nindicator = =I\narea = code\nperiod = y\nvalue = v\n"
                   "gate.max_withdrawn_percent = 100\ngate.min_rows_percent = 0\n")
        site = suite.site("hollow", section)
        site.run()
        routes["/b.csv"] = Answer("code,y,v\n", "text/csv")
        run = site.run()
        suite.true("csv: a file without records beside others fails, and nothing is withdrawn",
                   run.verdicts == {"s": "failed"} and "b.csv holds no records" in run.sources["s"]["message"] and len(site.export()) == 3, run)
        site.configure(section + "may_be_empty = yes\n")
        check("csv: unless it may be empty", (site.run().verdicts, len(site.export())), ({"s": "ok"}, 2))


def archives():
    """One file in a gzip, a zip with others beside it, a 7z; plain text under whatever media type."""
    body = b"code,year,value\nTGO,2020,1.50\n"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("Metadata.csv", "a,b\n1,2\n")
        z.writestr("data/API_X.csv", body)
    packed = packed.getvalue()
    keys = "plugin = csv\ndataset = D\nindicator = =I\narea = code\nperiod = year\nvalue = value\nretries = 0\n"
    with support.Server({"/a.csv.gz": Answer(gzip.compress(body), "application/gzip"), "/a.zip": Answer(packed, "application/zip"),
                         "/a": Answer(support.seven_zip("a.csv", body), "application/octet-stream"), "/a.csv": Answer(body, "text/plain"),
                         "/download": Answer(body, "")}) as server:
        sections = "".join(f"[source {name}]\n{keys}base_url = {server.url}\nfiles = {file}\n{more}\n" for name, file, more in (
            ("gzip", "a.csv.gz", ""), ("zip", "a.zip", "member = API_*.csv"), ("7z", "a", ""), ("plain", "a.csv", ""), ("untyped", "download", ""),
            ("two", "a.zip", "")))
        site = suite.site("archives", sections)
        run = site.run()
        check("csv: gzip, zip, 7z, any media type; a zip with two tables wants a member", verdicts(run),
              (1, {"gzip": "ok", "zip": "ok", "7z": "ok", "plain": "ok", "untyped": "ok", "two": "failed"}))
        check("csv: and says so", "member" in run.sources["two"].get("message", ""), True)
    check("csv: the same row out of each", sorted(site.short("source period value")),
          sorted(f"{name} 2020 1.50" for name in ("gzip", "zip", "7z", "plain", "untyped")))


def world_bank(routes, more=""):
    with support.Server(routes) as server:
        site = suite.site(f"wb{suite.n}", f"[source wb]\nplugin = worldbank\nbase_url = {server.url}/v2\nper_page = 2\nretries = 0\n"
                          f"rate = 500/s\n{'' if 'indicators' in more else 'indicators = A'}\n{more}\n")
        return site, site.run(), server.log


def worldbank_answers():
    """The API as it is: many pages, a BOM, languages, aggregates; and the ways in which it says no, all of them with status 200."""
    def paged(n, updated=lambda page: "2025-01-28", bom=""):
        rows = [row("A", "TGO", 1960 + i, f"{i}.50") for i in range(n)]
        pages = -(-n // 2)

        def answer(target):
            page = int(target.rsplit("page=", 1)[1])
            return Answer(bom + document(n, rows[2 * page - 2:2 * page], page, pages, updated(page)), "application/json;charset=utf-8")
        return answer

    site, run, log = world_bank(paged(41, bom="\ufeff"), "language = fr\ncountries = all\ndatabase = 57\n")
    check("worldbank: 21 pages, each with a BOM, and the first once more", (run.code, len(site.export()), len(log)), (0, 41, 22))
    check("worldbank: language, countries, database and page stand in the URL",
          (log[0][0], site.short("dataset")[0]), ("/v2/fr/country/all/indicator/A?format=json&source=57&per_page=2&page=1", "WB57"))
    _, run, _ = world_bank(paged(6, updated=lambda page: f"2025-01-2{page}"))
    check("worldbank: lastupdated that moves between two pages is no consistent answer",
          (run.code, "lastupdated was 2025-01-21" in run.sources["wb"]["message"]), (3, True))
    codes = [f"LONG.INDICATOR.CODE.NUMBER.{i:03}" for i in range(70)]

    def several(target):
        asked = target.split("?")[0].rsplit("/", 1)[1].split(";")
        return Answer(document(len(asked), [row(code, "TGO", 2020, 1) for code in asked], 1, 1), "application/json")
    site, run, log = world_bank(several, "indicators = " + " ".join(codes))
    calls = [t.split("?")[0].rsplit("/", 1)[1] for t, _ in log]
    check("worldbank: 70 long codes go in few calls of at most 60 codes and 1,500 characters",
          (run.code, len(calls) <= 4, max(len(c) for c in calls) <= 1500, max(c.count(";") for c in calls) < 60,
           [c for call in calls for c in call.split(";")] == codes, site.short("indicator") == codes), (0, True, True, True, True, True))
    aggregates = [row("A", "WLD", 2020, 1, iso2="1W"), row("A", "AFE", 2020, 2, iso2="ZH"), row("A", "", 2020, 3, iso2="ZQ"), row("A", "XKX", 2020, 4, iso2="XK")]
    site, run, _ = world_bank(lambda target: Answer(document(4, aggregates), "application/json"))
    check("worldbank: aggregates are areas of their own, or the UN's where the definition is the same",
          site.short("area area_code value"), ["WB:AFE AFE 2", "M49:001 WLD 1", "XKX XKX 4", "WB:MEA ZQ 3"])
    for name, text, kind, words in (
            ("an error envelope", '[{"message":[{"id":"175","key":"Invalid format","value":"The indicator was not found."}]}]', "application/json",
             "The indicator was not found."),
            ("an error in XML after a BOM", '\ufeff<?xml version="1.0"?><wb:error xmlns:wb="http://www.worldbank.org"><wb:message id="120" '
             'key="Invalid value">No such value.</wb:message></wb:error>', "text/xml", "No such value."),
            ("an HTML page", "<!DOCTYPE html><html><head><title>Request Error</title></head></html>", "text/html", "Request Error"),
            ("no rows", '[{"page":0,"pages":0,"per_page":null,"total":0},null]', "application/json", ""),
            ("an empty list", document(0, [], 1, 0), "application/json", ""),
            ("an empty page among others", document(4, [], 1, 2), "application/json", "records"),
            ("an empty body", "", "application/json", "empty")):
        site, run, _ = world_bank(lambda target, text=text, kind=kind: Answer(text, kind))
        check(f"worldbank: {name} is no success, and says why",
              (run.code, run.verdicts["wb"], words in run.sources["wb"]["message"] or run.sources["wb"]["message"], site.export()), (3, "failed", True, []))


site = suite.site("parse")
parse_csv(site)
parse_others(site)
worldbank()
worldbank_answers()
slices()
archives()
covers()
hollow()
sys.exit(suite.finish())
