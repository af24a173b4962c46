#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""JSON-stat and Eurostat: what the plugins make of documents in the providers' form (`glane parse`), and whole runs against a server:
slices that fail alone, covers, queries by POST, answers that are prepared first. TAP on standard output."""
import gzip
import io
import json
import sys
import time
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import support
from support import Answer

suite = support.Suite("cubes")
check = suite.same
FLAGS = "dataset indicator area dims period value value_text unit status flags"

# Eurostat's statistics API, isoc_ci_ifp_iu (individuals who used the internet): two countries, two years; the true figures.
USERS = {"version": "2.0", "class": "dataset", "label": "Individuals - internet use", "source": "ESTAT", "updated": "2024-12-17T23:00:00+0100",
         "value": {"0": 93.09, "1": 94.55, "2": 85.0}, "status": {"1": "b", "3": "|C"},
         "id": ["freq", "indic_is", "unit", "ind_type", "geo", "time"], "size": [1, 1, 1, 1, 2, 2],
         "dimension": {
             "freq": {"label": "Time frequency", "category": {"index": {"A": 0}, "label": {"A": "Annual"}}},
             "indic_is": {"category": {"index": {"I_IU3": 0}, "label": {"I_IU3": "Last internet use: in last 3 months"}}},
             "unit": {"category": {"index": {"PC_IND": 0}, "label": {"PC_IND": "Percentage of individuals"}}},
             "ind_type": {"category": {"index": {"IND_TOTAL": 0}, "label": {"IND_TOTAL": "All individuals"}}},
             "geo": {"category": {"index": {"EL": 1, "DE": 0}, "label": {"DE": "Germany", "EL": "Greece"}}},
             "time": {"category": {"index": {"2022": 0, "2023": 1}, "label": {"2022": "2022", "2023": "2023"}}}},
         "extension": {"lang": "EN", "id": "ISOC_CI_IFP_IU", "agencyId": "ESTAT", "version": "1.0"}}
# PxWeb (Statistics Denmark, 1.x, HISB3): a bundle of one, roles inside of `dimension`.
PXWEB = {"dataset": {"dimension": {
    "BEV": {"label": "movement", "category": {"index": {"M": 0, "K": 1}, "label": {"M": "Men", "K": "Women"}}},
    "ContentsCode": {"category": {"index": {"HISB3": 0}, "label": {"HISB3": "Population"}, "unit": {"HISB3": {"base": "Number", "decimals": 0}}}},
    "Tid": {"category": {"index": {"2022": 0, "2023": 1}, "label": {"2022": "2022", "2023": "2023"}}},
    "id": ["BEV", "ContentsCode", "Tid"], "size": [2, 1, 2], "role": {"metric": ["ContentsCode"], "time": ["Tid"]}},
    "label": "Population", "updated": "2024-02-12T07:00:00Z", "value": [2923, 2949, 2951, 2984], "extension": {"px": {"tableid": "HISB3"}}}}
PX = ('CHARSET="ANSI";LANGUAGE="fi";MATRIX="rates";TITLE="Korkoja väliltä";UNITS="per cent";STUB="Maa","Tieto";HEADING="Vuosi";CONTVARIABLE="Tieto";'
      'VALUES("Maa")="Togo","Bénin";CODES("Maa")="TG","BJ";VALUES("Tieto")="Korko";CODES("Tieto")="RATE";VALUES("Vuosi")="2000","2001";'
      'TIMEVAL("Vuosi")=TLIST(A1,"2000"-"2001");DATA=\r\n2.90 3.64 \r\n".." ".";\r\n').encode("latin-1")
TSV = ("freq,indic_is,unit,geo\\TIME_PERIOD\t2022 \t2023 \nA,I_IU3,PC_IND,DE\t93.09 \t94.55 b\nA,I_IU3,PC_IND,EL\t85.00 bp\t: c\n"
       "A,I_IU3,PC_IND,UK\t: \t: u\n")
TSV_OLD = "unit,geo\\time\t2021W99 \t2020 \nMIO_EUR,AT\t1.0 \t2.50 \n"
QUEUED = ('<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Body><ns0:syncResponse><ns0:queued><ns0:id>n-1</ns0:id>'
          "<ns0:status>SUBMITTED</ns0:status></ns0:queued></ns0:syncResponse></env:Body></env:Envelope>")
FOOTER = """<?xml version="1.0" encoding="UTF-8"?>
<message:GenericData xmlns:footer="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message/footer"
 xmlns:common="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/common" xmlns:message="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message">
<message:Header><message:ID>cf8d</message:ID><message:Test>false</message:Test><message:Prepared>2018-11-23T13:15:30</message:Prepared></message:Header>
<footer:Footer><footer:Message code="413" severity="Infomation"><common:Text>Due to the large query the response will be written to a file which
will be located under URL: {0}</common:Text><common:Text>{0}</common:Text></footer:Message></footer:Footer></message:GenericData>"""
GENERIC = """<?xml version="1.0" encoding="UTF-8"?>
<message:GenericData xmlns:generic="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/data/generic"
 xmlns:message="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message"><message:Header><message:ID>x</message:ID>
<message:Structure structureID="S" dimensionAtObservation="TIME_PERIOD"/></message:Header><message:DataSet structureRef="S"><generic:Series>
<generic:SeriesKey><generic:Value id="UNIT" value="CLV05_MEUR"/><generic:Value id="NA_ITEM" value="B1GQ"/><generic:Value id="GEO" value="AL"/>
<generic:Value id="FREQ" value="A"/></generic:SeriesKey><generic:Obs><generic:ObsDimension value="2017"/><generic:ObsValue value="9820.6"/>
<generic:Attributes><generic:Value id="OBS_STATUS" value="e"/></generic:Attributes></generic:Obs></generic:Series></message:DataSet></message:GenericData>"""
WARNING = {"warning": {"status": 413, "label": "ASYNCHRONOUS_RESPONSE. Your request will be treated asynchronously. Please try again later."}}
TOO_BIG = {"error": [{"status": 413, "id": 413, "label": "EXTRACTION_TOO_BIG: The requested extraction is too big"}]}


def parse(site, name, words, document, want):
    body = document if isinstance(document, bytes) else document.encode() if isinstance(document, str) else json.dumps(document).encode()
    code, out, err = site.glane("parse", *words, payload=body)
    rows = list(support.csv.DictReader(io.StringIO(out)))
    got = [" ".join(r[c] for c in FLAGS.split()) for r in rows] if code == 0 else [err.strip()]
    if isinstance(want, str):
        suite.true(name, code in (1, 2) and want in got[0], (code, got))
    else:
        check(name, got, want)


def parsed():
    site = suite.site("parse")
    parse(site, "jsonstat: sparse values and statuses, Eurostat's geo and unit are found by their names", ["jsonstat", "--area_scheme=EUROSTAT", "--status_map=b=B"], USERS, [
        "ISOC_CI_IFP_IU I_IU3 DEU ind_type=IND_TOTAL;unit=PC_IND 2022 93.09  PC_IND A ",
        "ISOC_CI_IFP_IU I_IU3 DEU ind_type=IND_TOTAL;unit=PC_IND 2023 94.55  PC_IND B b",
        "ISOC_CI_IFP_IU I_IU3 GRC ind_type=IND_TOTAL;unit=PC_IND 2022 85.0  PC_IND A ",
        "ISOC_CI_IFP_IU I_IU3 GRC ind_type=IND_TOTAL;unit=PC_IND 2023   PC_IND C |C"])
    parse(site, "jsonstat: a flag behind Eurostat's mark for nothing", ["jsonstat", "--area_scheme=EUROSTAT", "--status_map=b=B c=C"],
          {**USERS, "value": {"0": 1, "1": 2, "2": 3}, "status": {"1": "b", "3": ":c"}}, [
        "ISOC_CI_IFP_IU I_IU3 DEU ind_type=IND_TOTAL;unit=PC_IND 2022 1  PC_IND A ", "ISOC_CI_IFP_IU I_IU3 DEU ind_type=IND_TOTAL;unit=PC_IND 2023 2  PC_IND B b",
        "ISOC_CI_IFP_IU I_IU3 GRC ind_type=IND_TOTAL;unit=PC_IND 2022 3  PC_IND A ", "ISOC_CI_IFP_IU I_IU3 GRC ind_type=IND_TOTAL;unit=PC_IND 2023   PC_IND C :c"])
    wide = {"class": "dataset", "id": ["geo", "item", "time"], "size": [2, 5100, 100], "role": {"time": ["time"]}, "extension": {"id": "X"},
            "dimension": {"geo": {"category": {"index": ["TG", "BJ"]}}, "item": {"category": {"index": [f"i{i}" for i in range(5100)]}},
                          "time": {"category": {"index": [str(1900 + i) for i in range(100)]}}}}
    last = 2 * 5100 * 100 - 1
    want = ["TG i0 1901 1 ", "TG i0 1903 2 ", "TG i5099 1999  x", "BJ i0 1900 3 ", "BJ i5099 1999 4 x"]
    for order, value in (("in order", [(1, 1), (3, 2), (510000, 3), (last, 4)]), ("in no order", [(last, 4), (3, 2), (510000, 3), (1, 1)])):
        table = {**wide, "value": dict(value), "status": {"509999": "x", str(last): "x"}}
        code, out, err = site.glane("parse", "jsonstat", "--area=geo", payload=json.dumps(table).encode())
        check(f"jsonstat: a million cells with hardly a value are not walked through, {order}",
              [f"{r['area_code']} {r['dims'].split('=')[1]} {r['period']} {r['value']} {r['flags']}" for r in support.csv.DictReader(io.StringIO(out))], want)
        suite.true(f"jsonstat: of those only the first cell is given empty, {order}", "5 rows, 1 empty" in err, err)
    parse(site, "jsonstat: a bundle, the metric's unit, an area by constant, one code of a dimension",
          ["jsonstat", "--area==DK", "--where=BEV=K"], PXWEB,
          ["HISB3 HISB3 DNK BEV=K 2022 2951  Number A ", "HISB3 HISB3 DNK BEV=K 2023 2984  Number A "])
    parse(site, "jsonstat: the indicator of two dimensions, one left out", ["jsonstat", "--area==DK", "--indicator=ContentsCode+BEV", "--dataset=X",
          "--where=BEV=M"], PXWEB, ["X HISB3.M DNK  2022 2923  Number A ", "X HISB3.M DNK  2023 2949  Number A "])
    thousands = json.loads(json.dumps(PXWEB).replace('"base": "Number"', '"label": "thousands of persons", "base": "Number", "multiplier": 3'))
    code, out, err = site.glane("parse", "jsonstat", "--area==DK", payload=json.dumps(thousands).encode())
    check("jsonstat: a multiplier goes with the base unit", (code, {(r["unit"], r["unit_mult"]) for r in support.csv.DictReader(io.StringIO(out))}), (0, {("Number", "3")})) or print(err)
    parse(site, "jsonstat: an address without its scheme", ["jsonstat", "--url=internet.json"], USERS, "write {base_url}/internet.json")
    parse(site, "jsonstat: a value that is too short", ["jsonstat"], {**USERS, "value": [1, 2]}, "'value' has 2 elements, but the sizes make 4 cells")
    parse(site, "jsonstat: an error", ["jsonstat"], TOO_BIG, "the provider answers: 413: EXTRACTION_TOO_BIG")
    for option, why in (("--area=PAYS", "area = PAYS"), ("--indicator=IND", "indicator = IND"), ("--time=WHEN", "time = WHEN"), ("--where=SEX=F", "where = SEX")):
        parse(site, f"jsonstat: {option} names what is not there", ["jsonstat", option], USERS, f"{why}: the dataset has no such component; there are: ")
    anonymous = {k: v for k, v in USERS.items() if k != "extension"}
    code, _, err = site.glane("parse", "jsonstat", payload=json.dumps(anonymous).encode())
    suite.true("jsonstat: a message that does not name its dataset", code != 0 and "set `dataset`" in err, (code, err))
    for name, code, want in (("TLIST(Q1)", "20101", "Q 2010-Q1"), ("TLIST(M1)", "202001", "M 2020-01"), ("TLIST(H1)", "20102", "S 2010-S2"),
                             ("TLIST(A1)", "2010", "A 2010"), ("TLIST(M1)", "2020M01", "M 2020-01"), ("Kvartal", "2010K1", "Q 2010-Q1"),
                             ("Uge", "2010U05", "W 2010-W05")):
        dataset = {"class": "dataset", "id": ["geo", name], "size": [1, 1], "role": {"time": [name]}, "value": [1], "extension": {"id": "X"},
                   "dimension": {"geo": {"category": {"index": ["TG"]}}, name: {"category": {"index": [code]}}}}
        _, out, err = site.glane("parse", "jsonstat", "--area=geo", payload=json.dumps(dataset).encode())
        check(f"jsonstat: {code} of {name}", [f"{r['freq']} {r['period']}" for r in support.csv.DictReader(io.StringIO(out))], [want]) or print(err)
    parse(site, "px: PC-Axis in ISO-8859-1, symbols as flags, one of them mapped", ["jsonstat", "--px=yes", "--status_map=..=M", "--area=Maa"], PX, [
        "rates RATE TGO  2000 2.90  per cent A ", "rates RATE TGO  2001 3.64  per cent A ",
        "rates RATE BEN  2000  .. per cent M ..", "rates RATE BEN  2001  . per cent O ."])
    untimed = 'MATRIX="m";TITLE="t";STUB="geo";HEADING="Jahr";VALUES("geo")="TG";%sVALUES("Jahr")="2000","2001";DATA=1 2 ;'
    for name, codes in (("texts", ""), ("codes", 'CODES("Jahr")="2000","2001";'), ("texts, where the codes count", 'CODES("Jahr")="0","1";')):
        parse(site, f"px: time without TIMEVAL, by its name: {name}", ["jsonstat", "--px=yes", "--area=geo"], untimed % codes,
              ["m m TGO  2000 1   A ", "m m TGO  2001 2   A "])
    parse(site, "px: nothing says what the time is", ["jsonstat", "--px=yes", "--area=geo"], (untimed % "").replace("Jahr", "Column"),
          "no component of the dataset says that it is the time: name it with `time`; there are: geo, Column")
    parse(site, "px: an option says what the time is", ["jsonstat", "--px=yes", "--area=geo", "--time=Column"], (untimed % "").replace("Jahr", "Column"),
          ["m m TGO  2000 1   A ", "m m TGO  2001 2   A "])
    parse(site, "px: a file that was cut", ["jsonstat", "--px=yes"], PX.decode("latin-1")[:-3], "cell 4 of 4")
    parse(site, "px: JSON where PC-Axis was asked", ["jsonstat", "--px=yes"], '{"error": "Table not found"}', "Table not found")
    parse(site, "eurostat: TSV with flags, without values, with both", ["eurostat", "--datasets=X"], TSV, [
        "X I_IU3 DEU unit=PC_IND 2022 93.09  PC_IND A ", "X I_IU3 DEU unit=PC_IND 2023 94.55  PC_IND B b",
        "X I_IU3 GRC unit=PC_IND 2022 85.00  PC_IND B bp", "X I_IU3 GRC unit=PC_IND 2023   PC_IND C c",
        "X I_IU3 GBR unit=PC_IND 2023   PC_IND U u"])
    code, out, err = site.glane("parse", "eurostat", "--datasets=X", payload=TSV_OLD.encode())
    suite.true("eurostat: a week that no year has goes to quarantine, the rest is read",
               "1 rows, 0 empty, 1 rejected" in err and "2021W99" in err and ",2020,2020-01-01,2.50," in out, (code, out, err))
    parse(site, "eurostat: what is being prepared, and there is no more", ["eurostat", "--datasets=X"], QUEUED, "without data")
    parse(site, "eurostat: a cell with more than a value and its flags stays one text", ["eurostat", "--datasets=X"], "unit,geo\\time\t2020 \nPC,AT\t1 234 \n",
          ["X X AUT unit=PC 2020  1 234 PC A "])
    parse(site, "eurostat: a mark of confidentiality alone", ["eurostat", "--datasets=X"], "unit,geo\\time\t2020 \t2021 \nPC,AT\t: @C\t: b@C\n",
          ["X X AUT unit=PC 2020   PC C @C", "X X AUT unit=PC 2021   PC B b@C"])
    for columns, cells, want in (("OBS_FLAG,CONF_STATUS", ",,C", " |C|C"), ("OBS_FLAG,CONF_STATUS", "5,p,N", "5|A|p; N"),
                                 ("OBS_FLAG,CONF_STATUS", "5,p,F", "5|A|p"), ("CONF_STATUS,OBS_CONF", "5,,N", "5|A|N"),
                                 ("CONF_STATUS", "5,C", "5|A|C"), ("OBS_STATUS,CONF_STATUS", ",O,C", "|O|C")):
        code, out, err = site.glane("parse", "sdmx", payload=f"DATAFLOW,freq,geo,TIME_PERIOD,OBS_VALUE,{columns}\nESTAT:X(1.0),A,EL,2010,{cells}\n".encode())
        check(f"sdmx: confidentiality beside flags: {columns}: {cells}",
              ["|".join(r[c] for c in ("value", "status", "flags")) for r in support.csv.DictReader(io.StringIO(out))], [want.strip()]) or print(err)
    for column, option in (("UNIT_MULT", []), ("UNIT_MULTIPLIER", []), ("POWERCODE", []), ("SCALE", ["--unit_mult=SCALE"])):
        for head, cells in ((f"REF_AREA,TIME_PERIOD,OBS_VALUE,{column},OBS_FOOTNOTE", "TG,2010,5,3,seen"), (f"{column},REF_AREA,TIME_PERIOD,OBS_VALUE,OBS_FOOTNOTE", "3,TG,2010,5,seen")):
            code, out, err = site.glane("parse", "sdmx", *option, payload=f"DATAFLOW,{head}\nX:X(1.0),{cells}\n".encode())
            check(f"sdmx: a multiplier by its other names: {head}", ["|".join(r[c] for c in ("value", "unit_mult", "note")) for r in support.csv.DictReader(io.StringIO(out))],
                  ["5|3|seen"]) or print(err)
    bdm = "<StructureSpecificData><DataSet>" + "".join(f'<Series IDBANK="{n}" FREQ="T" TITLE_EN="x" REF_AREA="FM" UNIT_MULT="0"><Obs TIME_PERIOD="2023-Q4" OBS_VALUE="{v}"/></Series>'
                                                       for n, v in (("001", 7.3), ("002", 7.4))) + "</DataSet></StructureSpecificData>"
    code, out, err = site.glane("parse", "sdmx", "--dataset=X", "--area_scheme=INSEE", payload=bdm.encode())
    check("sdmx: INSEE's series by their numbers, where nothing else tells them apart", ["|".join(r[c] for c in ("indicator", "area", "freq", "value")) for r in
          support.csv.DictReader(io.StringIO(out))], ["001|INSEE:FM|Q|7.3", "002|INSEE:FM|Q|7.4"]) or print(err)
    grouped = ('<StructureSpecificData><DataSet><Group INDICATOR="I" {}/><Series REF_AREA="TG" INDICATOR="I"><Obs TIME_PERIOD="2010" OBS_VALUE="5"/></Series>'
               '{}</DataSet></StructureSpecificData>')
    other = '<Series REF_AREA="BJ" INDICATOR="I" UNIT="XOF" SCALE="3"><Obs TIME_PERIOD="2010" OBS_VALUE="6"/></Series>'
    for what, further, want in (("of a group", "", ["5|EUR|9"]), ("of a group, and of another series", other, ["5|EUR|9", "6|XOF|3"])):
        code, out, err = site.glane("parse", "sdmx", "--dataset=X", "--unit_mult=SCALE", payload=grouped.format('UNIT="EUR" SCALE="9"', further).encode())
        check(f"sdmx: unit and multiplier {what} under ids that could be dimensions", ["|".join(r[c] for c in ("value", "unit", "unit_mult")) for r in
              support.csv.DictReader(io.StringIO(out))], want) or print(err)
    parse(site, "eurostat: a line without its end", ["eurostat", "--datasets=X"], "unit,geo\\time\t2020 \nPC,AT\t1.5", "was the file cut?")
    code, _, err = site.glane("parse", "eurostat", "--datasets=X", "--answer=jsonstat", "--filters=geo=" + "|".join(f"G{i}" for i in range(200)), payload=b"{}")
    suite.true("eurostat: more codes than an address takes", code == 2 and "more than 126 codes in filters" in err, (code, err))
    code, _, err = site.glane("parse", "eurostat", "--datasets=X", "--answer=xml", payload=b"x")
    suite.true("eurostat: an answer that does not exist", code == 2 and "answer is tsv, sdmx or jsonstat" in err, (code, err))


def posted(server):
    """Type and body of each POST request."""
    return [(headers.get("Content-Type"), body) for headers, body in server.posts]


def jsonstat_runs():
    kind = "application/json"
    table = {"ok": Answer(json.dumps(USERS), kind, etag='"1"')}
    routes = {"/v/ok": table["ok"], "/v/gone": Answer('{"error":"Table not found"}', kind), "/v/short": Answer(json.dumps({**USERS, "value": [1]}), kind),
              "/px": Answer(json.dumps(PXWEB), kind)}
    with support.Server(lambda target: routes.get(target.split("?")[0])) as server:
        query = '{"query":[{"code":"Tid","selection":{"filter":"all","values":["*"]}}],"response":{"format":"json-stat"}}'
        site = suite.site("jsonstat", f"""
[source tables]
plugin      = jsonstat
base_url    = {server.url}/v
datasets    = ok gone short
area_scheme = EUROSTAT
query       = lang=en
[source px]
plugin   = jsonstat
base_url = {server.url}/px
area     = =DK
body     = {query}
""")
        run = site.run()
        check("jsonstat: a dataset that is gone and one that is wrong fail alone", run.verdicts, {"tables": "partial", "px": "ok"})
        said = json.dumps(run.sources["tables"])
        suite.true("jsonstat: with the provider's words, and with what is wrong", "Table not found" in said and "'value' has 1 elements" in said, run)
        check("jsonstat: rows of what was read", len(site.export()), 4 + 4)
        check("jsonstat: the query goes into the address and the body as JSON",
              (sorted(t for t, _ in server.log if t.startswith("/v/ok")), posted(server)), (["/v/ok?lang=en"], [("application/json", query.encode())]))
        less = json.loads(json.dumps(USERS))
        del less["value"]["2"], less["status"]
        routes["/v/ok"] = Answer(json.dumps(less), kind)
        less_px = {"dataset": {**PXWEB["dataset"], "value": [2923, None, 2951, 2984]}}
        routes["/px"] = Answer(json.dumps(less_px), kind)
        site.run()
        rows = site.short("dataset area period value", "--dataset", "HISB3")
        check("jsonstat: what a query by POST no longer has is not withdrawn", len(rows), 4)


def eurostat_runs():
    packed = gzip.compress(TSV.encode())
    prepared = {"asked": 0, "warned": 0, "filed": 0}

    def zipped(name, text):
        body = io.BytesIO()
        with zipfile.ZipFile(body, "w") as z:
            z.writestr(name, text)
        return body.getvalue()

    def answer(target):
        path = target.split("?")[0]
        if path == "/sdmx/2.1/data/file":
            return Answer(FOOTER.format(server.url + "/file/7JUd"), "application/xml")
        if path == "/file/7JUd":
            prepared["filed"] += 1
            return Answer(zipped("x.xml", GENERIC), "application/zip") if prepared["filed"] > 1 else Answer("not yet", "text/plain", 404)
        if path == "/sdmx/2.1/data/small":
            return Answer(packed, "application/gzip")
        if path in ("/sdmx/2.1/data/large", "/sdmx/2.1/data/never"):
            return Answer(QUEUED if path.endswith("large") else QUEUED.replace("n-1", "n-2"), "application/xml")
        if path == "/1.0/async/data/n-1":
            prepared["asked"] += 1
            return Answer(zipped("n-1.tsv", TSV), "application/zip") if prepared["asked"] > 2 else Answer("not yet", "text/plain", 404)
        if path == "/statistics/1.0/data/later":
            prepared["warned"] += 1
            return Answer(json.dumps(USERS if prepared["warned"] > 2 else WARNING), "application/json", 200)
        return Answer(json.dumps(TOO_BIG), "application/json", 200) if path == "/statistics/1.0/data/big" else None

    with support.Server(answer) as server:
        site = suite.site("eurostat", f"""
[source bulk]
plugin     = eurostat
base_url   = {server.url}
datasets   = small large never
poll_every = 1s
poll_times = 3
retries    = 0
[source sdmx]
plugin     = eurostat
base_url   = {server.url}
datasets   = file
answer     = sdmx
poll_every = 1s
retries    = 0
[source api]
plugin     = eurostat
base_url   = {server.url}
datasets   = later big
answer     = jsonstat
filters    = geo=DE|EL sinceTimePeriod=2022
poll_every = 1s
""")
        began = time.monotonic()
        run = site.run()
        took = time.monotonic() - began
        check("eurostat: what is prepared in time is read, what is not, or is refused, fails alone", run.verdicts, {"bulk": "partial", "api": "partial", "sdmx": "ok"})
        suite.true("eurostat: with the reason", "never: the provider prepares" in repr(run) and "(413)" in repr(run) and "EXTRACTION_TOO_BIG" in repr(run), run)
        suite.true("eurostat: the broker waits between two questions", 3 < took < 60, took)
        check("eurostat: the answer under its number, asked for until it is there", [s for t, s in server.log if t == "/1.0/async/data/n-1"], [404, 404, 200])
        check("eurostat: the same request again where the answer gives no number", prepared["warned"], 3)
        suite.true("eurostat: filters are a parameter for each code",
                   any(t.endswith("?format=JSON&lang=en&geo=DE&geo=EL&sinceTimePeriod=2022") for t, _ in server.log), server.log)
        got = {}
        for row in site.export():
            got.setdefault(row["dataset"], []).append(" ".join(row[c] for c in ("area", "period", "value", "status")))
        want = ["DEU 2022 93.09 A", "DEU 2023 94.55 B", "GRC 2022 85.00 B", "GRC 2023  C", "GBR 2023  U"]
        check("eurostat: the file that a footer names", got.pop("file", None), ["ALB 2017 9820.6 E"])
        check("eurostat: bulk", {k: sorted(v) for k, v in got.items()}, {
            "small": sorted(want), "large": sorted(want), "later": sorted(["DEU 2022 93.09 A", "DEU 2023 94.55 B", "GRC 2022 85.0 A", "GRC 2023  C"])})
        again = site.run()
        suite.true("eurostat: a second run changes nothing", set(again.verdicts.values()) <= {"partial", "unchanged"}, again)


parsed()
jsonstat_runs()
eurostat_runs()
sys.exit(suite.finish())
