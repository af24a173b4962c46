#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The source plugins without a network: what each makes of a document (`glane parse`), and of a whole source whose
answers lie in a payload archive (`glane run --offline`): paging, slices that fail alone, covers. TAP on standard output."""
import csv
import hashlib
import http.server
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

TOP = Path(os.environ.get("GLANE_TOP", Path(__file__).resolve().parents[2]))
GLANE = os.environ.get("GLANE", str(TOP / "build/glane"))
OUT = Path(os.environ.get("GLANE_OUT", TOP / "build/release")).resolve()
WORK = Path(tempfile.mkdtemp(prefix="glane-plugins-"))
results = []


def check(name, got, want):
    fine = got == want
    results.append(fine)
    print(f"{'' if fine else 'not '}ok {len(results)} - {name}")
    if not fine:
        print(f"#  got {got}\n# want {want}")
    sys.stdout.flush()


def configure(name, sections=""):
    """A folder with glane.conf and these sections; its store is empty."""
    folder = WORK / name
    (folder / "sources.d").mkdir(parents=True)
    (folder / "glane.conf").write_text(f"[glane]\nstore = store\nplugin_path = {OUT}/plugins\ntables = {TOP}/conf\n")
    (folder / "sources.d/all.conf").write_text(sections)
    return folder


def glane(folder, *words, payload=None):
    done = subprocess.run([GLANE, "-c", folder / "glane.conf", *words], input=payload, capture_output=True, timeout=120)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


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
    ("a column per currency", ["--indicator==EXR", "--area==U2", "--period=Date", "--wide=CURRENCY", "--trim=yes", "--missing=N/A"],
     "Date, USD, XOF,\n13 April 2026, 1.1684, N/A,\n", "indicator dims period value", ["EXR CURRENCY=USD 2026-04-13 1.1684"]),
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
    ("multiplier by column", ["--area=a", "--period=p", "--value=v", "--unit_mult=m", "--unit==USD"],
     "a,p,v,m\nTGO,2020,1,3\nTGO,2021,2,6\n", "period value unit unit_mult", ["2020 1 USD 3", "2021 2 USD 6"]),
]
WRONG = [  # what is not there fails with a word that says it, what cannot be is an error of the configuration
    ("a column that is not there", ["--area=Code", "--value=value"], LONG, "area = Code: the file has no such column; there are: code, name,"),
    ("a value that is not there", ["--value=V=Value"], LONG, "value = Value: the file has no such column"),
    ("two columns of one name", ["--area=a", "--value=v"], "a,a,v\n1,2,3\n", "two columns have that name"),
    ("side columns that fit nothing", ["--area=code", "--period=year", "--value=value", "--note={value} Footnote"], LONG,
     "note = {value} Footnote: the file has no such column"),
    ("no column holds values", ["--indicator==I", "--area=code"], "code,name\nTGO,Togo\n", "no column holds values"),
    ("headers are periods, and nothing says the indicator", ["--area=code"], "code,2020\nTGO,1\n", "indicator = ... is needed", 2),
    ("a frequency that does not exist", ["--area=code", "--value=value", "--freq=Y"], LONG, "freq cannot be that", 2),
]


def parse_csv():
    folder = configure("parse")
    for name, options, text, columns, want in CSV:
        code, out, err = glane(folder, "parse", "csv", "--dataset=D", *options, payload=text.encode())
        check(f"csv: {name}", short(out, columns) if code == 0 else err, want)
    for name, options, text, words, *want in WRONG:
        code, _, err = glane(folder, "parse", "csv", "--dataset=D", *options, payload=text.encode())
        check(f"csv: {name}", (code, words if words in err else err), (want[0] if want else 1, words))
    code, _, err = glane(folder, "parse", "csv", "--dataset=D", "--area=code", "--period=year", "--value=value",
                         payload=b"code,year,value\n,2020,1\nTGO,2020,2\nTGO,soon,3\n")
    check("csv: a value without an area, and one without a period, are refused", "1 rows, 0 empty, 2 rejected" in err, True)


def document(total, rows, page=1, pages=1):
    return json.dumps([{"page": page, "pages": pages, "per_page": 2, "total": total, "sourceid": "2", "lastupdated": "2025-01-28"}, rows])


def row(indicator, iso3, year, value, status="", iso2="TG"):
    return {"indicator": {"id": indicator, "value": "Title"}, "country": {"id": iso2, "value": "Togo"}, "countryiso3code": iso3,
            "date": str(year), "value": value, "unit": "", "obs_status": status, "decimal": 1}


ECB = ('<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">'
       '<Cube><Cube time="2026-04-13"><Cube currency="USD" rate="1.1684"/><Cube currency="JPY" rate="186.75"/></Cube>'
       '<Cube time="2026-04-10"><Cube currency="USD" rate="1.1711"/></Cube></Cube></gesmes:Envelope>')


def parse_others():
    folder = WORK / "parse"
    text = "\ufeff" + document(3, [row("A.B", "TGO", 2020, 1.5), row("A.B", "", 2020, None, "E", "1A"), row("A.B", "TGO", 2021, None)])
    _, out, err = glane(folder, "parse", "worldbank", "--indicators=A.B", payload=text.encode())
    check("worldbank: a null is padding where no status says more; without ISO3 the country's id is the area",
          short(out, "dataset indicator area_code period value status"), ["WDI A.B TGO 2020 1.5 A", "WDI A.B 1A 2020  E"])
    _, _, err = glane(folder, "parse", "worldbank", "--indicators=A.B", payload=b'[{"message":[{"id":"175","key":"k","value":"was deleted"}]}]')
    check("worldbank: an error envelope says the provider's words", "the provider answers: was deleted" in err, True)
    _, _, err = glane(folder, "parse", "worldbank", "--indicators=A.B", payload=document(9, [row("A.B", "TGO", 2020, 1)]).encode())
    check("worldbank: fewer rows than declared are no success", "declares 9 records" in err, True)
    _, out, _ = glane(folder, "parse", "ecb", payload=ECB.encode())
    check("ecb: rates by currency and day", short(out, "indicator area_code dims freq period value unit"),
          ["EXR U2 CURRENCY=USD;CURRENCY_DENOM=EUR D 2026-04-13 1.1684 USD", "EXR U2 CURRENCY=JPY;CURRENCY_DENOM=EUR D 2026-04-13 186.75 JPY",
           "EXR U2 CURRENCY=USD;CURRENCY_DENOM=EUR D 2026-04-10 1.1711 USD"])


# ---- whole sources, out of an archive

def archive(folder, answers):
    """Every answer (URL: text, media type) as if it had been fetched."""
    for i, (url, (text, kind)) in enumerate(answers.items()):
        body = text.encode()
        name = hashlib.sha256(body).hexdigest()
        place = folder / "store/payloads" / name[:2]
        place.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(body)
        (place / (name + ".json")).write_text(json.dumps({
            "method": "GET", "url": url, "request_sha256": "", "status": 200, "headers": {}, "size": len(body), "sha256": name,
            "fetched_at": f"2026-04-13T00:00:{i:02}Z", "content_type": kind, "etag": "", "last_modified": ""}))


def run(folder, *more):
    code, out, err = glane(folder, "run", "--all", "--json", *more)
    return code, {s["source"]: s["status"] for s in json.loads(out)["sources"]} if out else err


def wb_url(indicators, page, more=""):
    return f"https://wb.example/country/TGO/indicator/{';'.join(indicators)}?format=json&source=2{more}&per_page=2&page={page}"


def worldbank():
    folder = configure("worldbank", """
[source wb]
plugin     = worldbank
base_url   = https://wb.example
countries  = TGO
per_page   = 2
indicators = A GONE C
""")
    rows = [row("A", "TGO", y, y) for y in (2020, 2021, 2022)]
    archive(folder, {
        wb_url(["A", "GONE", "C"], 1): ('[{"message":[{"id":"120","key":"Invalid value","value":"no such indicator"}]}]', "application/json"),
        wb_url(["GONE"], 1): ('[{"message":[{"id":"120","key":"Invalid value", "value":"no such indicator"}]}]', "application/json"),
        wb_url(["A"], 1): (document(3, rows[:2], 1, 2), "application/json"),
        wb_url(["A"], 2): (document(3, rows[2:], 2, 2), "application/json"),
        wb_url(["C"], 1): (document(1, [row("C", "TGO", 2020, 7)]), "application/json"),
    })
    check("worldbank: an indicator that is gone costs only its slice", run(folder, "--offline"), (1, {"wb": "partial"}))
    check("worldbank: the others are there, page by page", short(glane(folder, "export")[1], "indicator period value"),
          ["A 2020 2020", "A 2021 2021", "A 2022 2022", "C 2020 7"])


def slices():
    head = "iso,year,value\n"
    folder = configure("slices", """
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
    archive(folder, {"https://data.example/ONE.csv": (head + "TGO,2020,1\n", "text/csv"),
                     "https://data.example/TWO.csv": ("iso,when,value\nTGO,2020,2\n", "text/csv"),
                     "https://data.example/THREE.csv": (head + "TGO,2020,3\n", "text/csv"),
                     "https://data.example/2020/all.csv": ("iso,value\nTGO,4\n", "text/csv"),
                     "https://data.example/2021/all.csv": ("iso,value\nTGO,5\n", "text/csv")})
    check("csv: a file that fails costs only its indicator", run(folder, "--offline"), (1, {"each": "partial", "years": "ok"}))
    check("csv: each indicator is a slice, each period a file", short(glane(folder, "export")[1], "dataset indicator period value"),
          ["D ONE 2020 1", "D THREE 2020 3", "Y I 2020 4", "Y I 2021 5"])


def feed(days):
    cubes = "".join(f'<Cube time="{day}">' + "".join(f'<Cube currency="{c}" rate="1.5"/>' for c in currencies.split()) + "</Cube>"
                    for day, currencies in days)
    return f'<E xmlns="urn:x"><Cube>{cubes}</Cube></E>', "text/xml"


class Nights(http.server.BaseHTTPRequestHandler):
    answers = {}

    def do_GET(self):
        text, kind = self.answers.get(self.path, ("", ""))
        self.send_response(200 if text else 404)
        self.send_header("Content-Type", kind or "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


def two_nights(name, section, path, first, second):
    """Runs a source on one answer and then on another; its verdicts."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Nights)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    folder = configure(name, f"[source s]\nbase_url = http://127.0.0.1:{server.server_port}\n{section}\n"
                       "gate.max_withdrawn_percent = 100\ngate.min_rows_percent = 1\n")
    verdicts = []
    for answer in (first, second):
        Nights.answers = {path: answer}
        verdicts.append(run(folder))
    server.shutdown()
    check(f"{name}: two nights", verdicts, [(0, {"s": "ok"})] * 2)
    return folder


def covers():
    """The next night's answer lacks a day that rolled off, and a rate of a day that is still there."""
    for name, path, want in (("90d", "/eurofxref-hist-90d.xml", ["2026-04-13 USD", "2026-04-10 USD", "2026-04-14 USD"]),
                             ("hist", "/eurofxref-hist.xml", ["2026-04-13 USD", "2026-04-14 USD"]),
                             ("daily", "/eurofxref-daily.xml", ["2026-04-13 JPY", "2026-04-13 USD", "2026-04-14 USD"])):
        first = [("2026-04-13", "USD JPY")] if name == "daily" else [("2026-04-13", "USD JPY"), ("2026-04-10", "USD")]
        second = [("2026-04-14", "USD")] if name == "daily" else [("2026-04-14", "USD"), ("2026-04-13", "USD")]
        folder = two_nights(f"ecb {name}", f"plugin = ecb\nfeed = {name}", path, feed(first), feed(second))
        check(f"ecb {name}: what the feed does not cover stays", sorted(short(glane(folder, "export")[1], "period unit")), sorted(want))
    folder = two_nights("worldbank dates", "plugin = worldbank\nper_page = 9\nindicators = A\ndate = 2020:2021",
                        "/country/all/indicator/A?format=json&source=2&date=2020:2021&per_page=9&page=1",
                        (document(2, [row("A", "TGO", 2021, 1), row("A", "TGO", 2020, 1)]), "application/json"),
                        (document(1, [row("A", "TGO", 2021, 1)]), "application/json"))
    check("worldbank dates: the years asked for are covered", short(glane(folder, "export")[1], "period"), ["2021"])


parse_csv()
parse_others()
worldbank()
slices()
covers()
print(f"1..{len(results)}")
if all(results):
    shutil.rmtree(WORK)
sys.exit(0 if all(results) else 1)
