#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""JSON APIs by declaration: what the json plugin makes of documents in the providers' form (`glane parse`), and the shipped sections against
a server: pages, error answers, slices that fail alone, secrets in headers, bodies. TAP on standard output."""
import base64
import csv
import html
import io
import json
import os
import re
import sys
import time
import urllib.parse

import support
from support import Answer, TOP

suite = support.Suite("json_apis")
check = suite.same
KIND = "application/json"


def parse(name, words, document, columns, want):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    code, out, err = suite.parse_site.glane("parse", "json", "--dataset=X", *words, payload=body)
    if isinstance(want, str):
        suite.true(name, code in (1, 2) and want in err, (code, out, err))
        return
    rows = [" ".join(r[c] for c in columns.split()) for r in csv.DictReader(io.StringIO(out))]
    check(name, (code, rows), (0, want)) or print("#", err)


def point(area, year, value, dims, **more):
    """A record of the UN SDG API v1."""
    return {"goal": ["4"], "target": ["4.4"], "indicator": ["4.4.1"], "series": "SE_ADT_ACTS", "seriesDescription": "ICT skills", "seriesCount": "9",
            "geoAreaCode": area, "geoAreaName": "?", "timePeriodStart": year, "value": value, "valueType": "Float", "time_detail": None,
            "timeCoverage": None, "upperBound": None, "lowerBound": None, "source": "ITU", "footnotes": [""], "attributes": {"Nature": "C", "Units": "PERCENT"},
            "dimensions": dims, **more}


SDG = [point("768", 2019.0, "12.5", {"Sex": "BOTHSEX", "Type of skill": "ARSP", "Reporting Type": "G"}),
       point("768", 2021.0, "NaN", {"Sex": "BOTHSEX", "Type of skill": "ARSP", "Reporting Type": "G"}),
       point("12", 2021.0, ">95", {"Sex": "FEMALE", "Type of skill": "EMAIL", "Reporting Type": "G"}, footnotes=["Survey"], attributes={"Nature": "E", "Units": "PERCENT"}),
       point("204", 2021.0, 3.25, {})]
DOC = {"series": {"docs": [
    {"dimensions": {"geo": "FRA", "freq": "A"}, "period": ["2019", "2020", "2021"], "value": [8.4, "NA", None], "series_code": "A.FRA", "series_name": "France"},
    {"dimensions": {"geo": "DEU", "freq": "A", "späte \"Reihe\"": "x\u00e9"}, "period": ["2021"], "value": ["3.60"], "series_name": "Germany"}],
    "limit": 1000, "num_found": 2, "offset": 0}}
DBN = ["--select=series.docs.*", "--indicator==U", "--area=dimensions.geo", "--period=period.*", "--value=value.*", "--dims=*=dimensions", "--missing=NA"]
MAPPER = {"values": {"GDP": {"TGO": {"2020": 2.0, "2021": 6.0}, "BEN": {"2021": 7.2}}}, "api": {"version": "1"}}
FLAT = ["--area=c", "--period=y", "--value=v"]


def parsed():
    suite.parse_site = suite.site("parse")
    sdg = ["--select=data.*", "--indicator=series", "--area=geoAreaCode", "--area_scheme=M49", "--period=timePeriodStart", "--value=value",
           "--unit=attributes.Units", "--flags=attributes.Nature", "--status_map=E=E", "--note=footnotes.0", "--dims=*=dimensions"]
    parse("SDG: years with a point, texts as values, NaN is no value, all members of dimensions", sdg, {"data": SDG}, "area dims period value value_text unit status flags note", [
        "TGO Reporting Type=G;Sex=BOTHSEX;Type of skill=ARSP 2019 12.5  PERCENT A C ",
        "TGO Reporting Type=G;Sex=BOTHSEX;Type of skill=ARSP 2021   PERCENT O C ",
        "DZA Reporting Type=G;Sex=FEMALE;Type of skill=EMAIL 2021  >95 PERCENT E E Survey", "BEN  2021 3.25  PERCENT A C "])
    parse("DBnomics: arrays side by side, NA and null are nothing", DBN, DOC, "area dims period value",
          ["FRA freq=A;geo=FRA 2019 8.4", 'DEU freq=A;geo=DEU;späte "Reihe"=xé 2021 3.60'])
    longer = json.loads(json.dumps(DOC))
    longer["series"]["docs"][0]["value"].append(1)
    parse("arrays that do not fit", DBN, longer, "", "value.* holds 4 items, but period.* 3: has the source changed its shape?")
    parse("an array that is gone", DBN, {"series": {"docs": [{"dimensions": {"geo": "FRA"}, "period": ["2020"]}]}}, "", "value.* holds 0 items, but period.* 1")
    parse("DataMapper: names are areas and periods", ["--select=values.GDP.*", "--indicator==GDP", "--area=$key", "--value=*"], MAPPER, "indicator area period value",
          ["GDP TGO 2020 2.0", "GDP TGO 2021 6.0", "GDP BEN 2021 7.2"])
    parse("DataMapper: the item of indicators is a part of select", ["--indicators=GDP", "--select=values.{indicator}.*", "--area=$key", "--value=*"], MAPPER,
          "indicator area period value", ["GDP TGO 2020 2.0", "GDP TGO 2021 6.0", "GDP BEN 2021 7.2"])
    parse("WHO: a number where there is one, else the word", ["--select=value.*", "--area=c", "--period=y", "--value=V=NumericValue|Value", '--missing="No data"'],
          {"value": [{"c": "TGO", "y": 2020, "NumericValue": 59.71, "Value": "59.7 [58.1-61.2]"}, {"c": "BEN", "y": 2020, "NumericValue": None, "Value": "Yes"},
                     {"c": "NER", "y": 2020, "NumericValue": None, "Value": "No data"}]}, "area value value_text", ["TGO 59.71 ", "BEN  Yes"])
    parse("objects side by side go by their names", ["--area=a", "--value=V=v.*", "--flags=f.*"],
          [{"a": "TGO", "v": {"2020": 1, "2021": 2}, "f": {"2021": "p"}}], "indicator period value flags", ["V 2020 1 ", "V 2021 2 p"])
    parse("several values, first of several areas, a multiplier, records not wanted",
          ["--area=i3|i2", "--period=y", "--value", "A=a B=b.n", "--units=A=USD", "--unit_mult=m", "--where=k=x|z"],
          [{"i3": "", "i2": "TGO", "y": "2020Q1", "a": 1, "b": {"n": "2"}, "m": 6, "k": "x"}, {"i3": "BEN", "y": "2020Q1", "a": 9, "b": None, "m": 3, "k": "y"},
           {"i3": "BEN", "y": "2020Q2", "a": 9, "b": None, "m": 3, "k": "z"}], "indicator area period value unit unit_mult",
          ["A TGO 2020-Q1 1 USD 6", "B TGO 2020-Q1 2  6", "A BEN 2020-Q2 9 USD 3"])
    parse("windows-1252", FLAT + ["--area_scheme=NAME", "--encoding=windows-1252"], '[{"c":"Côte d’Ivoire","y":2020,"v":1}]'.encode("windows-1252"), "area", ["CIV"])
    parse("an error answer", FLAT + ["--error=error"], {"error": "no such id"}, "", "the provider answers: no such id")
    parse("an error that is empty is none", FLAT + ["--error=error", "--select=data.*"], {"data": [{"c": "TGO", "y": 2020, "v": 1}], "error": ""}, "value", ["1"])
    parse("no records", FLAT + ["--select=data.*"], {"data": []}, "", "the answer holds no records")
    parse("no records, where that is right", FLAT + ["--select=data.*", "--may_be_empty=yes"], {"data": []}, "value", [])
    parse("a value that no record holds", FLAT, [{"c": "TGO", "y": 2020, "w": 1}], "", "value = v: none of the 1 records holds it")
    parse("a value that is null everywhere is no failure", FLAT, [{"c": "TGO", "y": 2020, "v": None}], "value", [])
    parse("a value without an area", FLAT, [{"c": "", "y": 2020, "v": 1}], "", "a value without an area: 'c' is empty")
    parse("a record without area and value is passed over", FLAT, [{"c": "", "y": 2020, "v": "N/A"}, {"c": "TGO", "y": 2020, "v": 2}], "value", ["2"])
    parse("an object where a value was", FLAT, [{"c": "TGO", "y": 2020, "v": {"a": 1}}], "", "field 'v' is an object, not a single value")
    parse("a list where none may be", FLAT + ["--unit=u.*"], [], "", "unit = u.*: a list has no place there")
    parse("paging that does not exist", FLAT + ["--paging=link"], [], "", "paging = link: write number, offset or next")


LISTS = ["--area=a", "--period=p.*", "--value=V=v.*", "--status=s.*"]


def shapes():
    """What is no record, or no list, among those that are: an answer that is cut must not look like one that is whole."""
    good = [{"c": "TGO", "y": str(1900 + i), "v": i} for i in range(96)]
    alien = "record 97 holds none of the paths of the options"
    parse("an error among the records", FLAT, good + [{"error": "query timed out, result incomplete"}], "", alien)
    parse("an error among the records, with where", FLAT + ["--where=t.k=x"], [dict(r, t={"k": "x"}) for r in good] + [{"error": "timed out"}], "", alien)
    parse("a text among the records", FLAT, good[:1] + ["timed out"], "", "a record must be an object")
    parse("a text where an object of periods was", ["--select=values.*", "--indicator==I", "--area=$key", "--value=*"],
          {"values": {"TGO": {"2020": 1}, "error": "timed out"}}, "", "*: a single value where an array or object belongs")
    parse("records of nulls, and empty ones", ["--area=c", "--period=y", "--value=n.v"], [{"c": None, "y": None}, {}, None, {"c": "TGO", "y": 2020, "n": {"v": 1}}], "value", ["1"])
    parse("an object of periods that is null", ["--select=values.*", "--indicator==I", "--area=$key", "--value=y.*"],
          {"values": {"BEN": {"y": None}, "TGO": {"y": {"2020": 1}}}}, "area value", ["TGO 1"])
    code, _, err = suite.parse_site.glane("parse", "json", "--dataset=X", *FLAT, payload=json.dumps([*good, {"c": "", "y": 1, "v": None}, {"c": "", "y": 1, "v": None}]).encode())
    suite.true("what is passed over is told", code == 0 and "passed over 2 records without area or period" in err, (code, err))
    first = {"a": "BEN", "p": [2019], "v": [1]}
    for name, more, want in (
            ("null", {"v": None}, "v.* holds 0 items, but p.* 2"), ("missing", {}, "v.* holds 0 items, but p.* 2"), ("empty", {"v": []}, "v.* holds 0 items, but p.* 2"),
            ("a number", {"v": 5}, "v.*: a single value where an array"), ("a text", {"v": "error"}, "v.*: a single value where an array"),
            ("without periods", {"v": [1, 2], "p": None}, "v.* holds 2 items, but p.* 0"), ("an object", {"v": {"2019": 1, "2020": 2}}, "one is an array, the other an object"),
            ("of arrays", {"v": [[1], 2]}, "v.*: an array or object is among its single values"), ("of objects", {"v": [1, {"x": 2}]}, "v.*: an array or object is among"),
            ("with a status too few", {"v": [1, 2], "s": ["E"]}, "v.* holds 2 items, but s.* 1"), ("with a status too many", {"v": [1, 2], "s": ["M", "E", "P"]}, "v.* holds 2 items, but s.* 3"),
            ("with one status for all", {"v": [1, 2], "s": "E"}, "s.*: a single value where an array")):
        parse("values side by side: " + name, LISTS, [first, {"a": "TGO", "p": [2019, 2020], **more}], "", want)
    parse("values side by side: without status, with null, with text in brackets", LISTS, [first, {"a": "TGO", "p": [2019, 2020], "v": ["[1]", 2], "s": None}],
          "area period value value_text status", ["BEN 2019 1  A", "TGO 2019  [1] A", "TGO 2020 2  A"])
    parse("members with any name that are texts in brackets, or arrays", ["--area=a", "--value=V=v.*"], [{"a": "TGO", "v": {"2020": "{}", "2021": "[2]"}}],
          "period value_text", ["2020 {}", "2021 [2]"])
    parse("a dimension that is an array", FLAT + ["--dims=*=d"], [{"c": "TGO", "y": 1, "v": 1, "d": {"x": [1]}}], "", "d.*: an array or object is among its single values")
    parse("dimensions that are a text", FLAT + ["--dims=*=d"], [{"c": "TGO", "y": 1, "v": 1, "d": "x"}], "", "d.*: a single value where an array or object belongs")
    parse("dimensions without names", FLAT + ["--dims=*=d"], [{"c": "TGO", "y": 1, "v": 1, "d": [1]}], "", "*=d is an array")
    years = [str(y) for y in range(1900, 1960)]
    mixed = {"v": {y: int(y) for y in years}, "f": {y: "f" + y for y in sorted(years, key=lambda y: y[::-1])}}
    del mixed["f"]["1950"]
    parse("objects side by side, in another order", ["--area=a", "--value=V=v.*", "--flags=f.*"], [{"a": "TGO", **mixed}], "period flags",
          [y + (" f" + y if y != "1950" else " ") for y in years])
    big = {str(n): n for n in range(1000000, 1120000)}
    began = time.monotonic()
    parse("objects of 120,000 members in reverse", ["--area=a", "--value=V=v.*", "--status=f.*", "--where=a=BEN|TGO"],
          [{"a": "BEN", "v": {}}, {"a": "TGO", "v": {"2020": 1, **dict.fromkeys(big)}, "f": {**dict.fromkeys(reversed(big)), "2020": "E"}}], "value status", ["1 E"])
    suite.true("take no time", time.monotonic() - began < 15, time.monotonic() - began)
    code, out, err = suite.parse_site.glane("parse", "json", "--dataset=X", *FLAT, "--indicator=i", payload=json.dumps([dict(r, i=i) for r, i in zip(good, (None, "", "Z"))]).encode())
    suite.true("a value without an indicator goes to quarantine", "1 rows, 0 empty, 2 rejected" in err and "without an indicator" in err, (code, out, err))


def shipped(name, url):
    """The section as it is shipped, with its address alone changed."""
    text = "\n".join(f.read_text() for f in sorted((TOP / "conf/sources.d").glob("*.conf")))
    section = re.search(rf"^\[source {name}\]\n(?:(?![\[#]).*\n?)*", text, re.M).group(0)
    return re.sub(r"^(enabled|base_url|rate)\s*=.*\n", "", section, flags=re.M).rstrip() + f"\nbase_url = {url}\nrate = 500/s\n\n"


def unsdg():
    def answer(target):
        asked = dict(p.split("=") for p in target.split("?")[1].split("&"))
        if not target.startswith("/Series/Data?") or asked["seriesCode"] == "SE_ACS_INTNT":
            return None
        records = [dict(p, series=asked["seriesCode"]) for p in SDG] if asked["seriesCode"] != "IT_MOB_OWN" else []
        page = int(asked["page"])
        return Answer(json.dumps({"size": 3, "totalElements": len(records), "totalPages": (len(records) + 2) // 3, "pageNumber": page, "attributes": [],
                                  "dimensions": [], "data": records[3 * page - 3:3 * page]}), KIND)

    with support.Server(answer) as server:
        site = suite.site("unsdg", shipped("unsdg", server.url) + "retries = 0\n")
        run = site.run()
        check("unsdg: a series that is gone and one that is empty fail alone", run.verdicts, {"unsdg": "partial"})
        suite.true("unsdg: with the reason", "the answer holds no records" in json.dumps(run.sources["unsdg"]), run.sources)
        check("unsdg: rows of all pages", sorted(site.short("dataset indicator area period value value_text")), sorted(
            f"SDG {s} {r}" for s in ("SE_ADT_ACTS", "SE_ACS_CMPTR") for r in ("TGO 2019 12.5 ", "TGO 2021  ", "DZA 2021  >95", "BEN 2021 3.25 ")))
        check("unsdg: pages asked for, the first once more", [re.sub(r".*page=", "", t) for t, s in server.log if "SE_ADT_ACTS" in t and s == 200], ["1", "2", "1"])
        SDG[0]["value"] = "13.5"
        check("unsdg: a revision, and the rest unchanged", (site.run().verdicts, len(site.export())), ({"unsdg": "partial"}, 8))


def dbnomics():
    docs = [{"@frequency": "annual", "dataset_code": "CHELEM-TRADE-CHEL", "provider_code": "CEPII", "series_code": f"AES.AES.CAT.{p}", "series_name": p,
             "dimensions": {"exporter": "AES", "importer": "AES", "product": f"CAT_{p}", "secgroup": "CAT"}, "period": ["1967", "1968", "1969"],
             "period_start_day": ["1967-01-01", "1968-01-01", "1969-01-01"], "value": v} for p, v in (("BA", [4.4180715605, "NA", 5.4290137388]), ("II", [0, 0.0, None]))]

    def answer(target):
        offset = int(re.search(r"offset=(\d+)", target).group(1))
        return Answer(json.dumps({"_meta": {"version": "22.1.17"}, "errors": None, "series": {
            "docs": docs[offset:offset + 1], "limit": 1, "num_found": 2, "offset": offset}}), KIND)

    with support.Server(answer) as server:
        site = suite.site("dbnomics", shipped("dbnomics", server.url))
        run = site.run()
        check("dbnomics: a page for each series, as many as are found, and the first once more", (run.verdicts, [t.split("offset=")[1] for t, _ in server.log]),
              ({"dbnomics": "ok"}, ["0", "1", "0"])) or print("#", run.sources)
        check("dbnomics: observations", site.short("dataset indicator area_code dims period value unit unit_mult"), [
            f"CEPII/CHELEM-TRADE-CHEL CHELEM-TRADE-CHEL AES exporter=AES;importer=AES;product=CAT_{r} USD 6"
            for r in ("BA;secgroup=CAT 1967 4.4180715605", "BA;secgroup=CAT 1969 5.4290137388", "II;secgroup=CAT 1967 0", "II;secgroup=CAT 1968 0.0")])


def pages():
    rows = [{"SpatialDimType": "COUNTRY", "SpatialDim": a, "TimeDim": 2019, "IndicatorCode": "WHOSIS_000001", "Dim1": d, "Dim2": None, "Dim3": None,
             "Value": "64.3 [63-65]", "NumericValue": 64.25, "Comments": None} for a in ("TGO", "BEN") for d in ("SEX_BTSX", "SEX_FMLE")]
    rows.append(dict(rows[0], SpatialDimType="REGION", SpatialDim="AFR"))

    def who(target):
        second = "skip=3" in target
        link = {} if second else {"@odata.nextLink": "/WHOSIS_000001?$skip=3"}
        return Answer(json.dumps({"@odata.context": "x", "value": rows[3:] if second else rows[:3], **link}), KIND) if target.startswith("/WHOSIS") else None

    with support.Server(who) as server:
        site = suite.site("gho", shipped("gho", server.url))
        check("gho: pages by their links, countries only", (site.run().verdicts, site.short("area dims value")), (
            {"gho": "ok"}, [f"{a} DIM1={d} 64.25" for a in ("BEN", "TGO") for d in ("SEX_BTSX", "SEX_FMLE")]))
    mapper = {f"/{i}": Answer(json.dumps({"values": {i: {"TGO": {"2020": n, "2029": 5.5}}}, "api": {"version": "1"}}), KIND) for n, i in enumerate(("NGDP_RPCH", "PCPIPCH"))}
    with support.Server(mapper) as server:
        site = suite.site("imf-datamapper", shipped("imf-datamapper", server.url))
        check("imf-datamapper: each indicator below its own name", (site.run().verdicts, site.short("indicator area period value")), (
            {"imf-datamapper": "ok"}, ["NGDP_RPCH TGO 2020 0", "NGDP_RPCH TGO 2029 5.5", "PCPIPCH TGO 2020 1", "PCPIPCH TGO 2029 5.5"]))
    record = {"DATABASE_ID": "WB_WDI", "INDICATOR": "WB_WDI_IT_NET_USER_ZS", "REF_AREA": "TGO", "SEX": "_T", "OBS_VALUE": "35.2", "UNIT_MEASURE": "PT",
              "UNIT_MULT": "0", "OBS_STATUS": "A"}

    def data360(target):
        skip = int(re.search(r"skip=(\d+)", target).group(1))
        return Answer(json.dumps({"count": 1500, "value": [dict(record, TIME_PERIOD=f"{1900 + k // 12}-{k % 12 + 1:02}") for k in range(skip, min(skip + 1000, 1500))]}), KIND)

    with support.Server(data360) as server:
        site = suite.site("data360", shipped("data360-api", server.url))
        check("data360-api: pages by records left out", (site.run().verdicts, len(site.export())), ({"data360-api": "ok"}, 1500))
        check("data360-api: two requests, and the first once more", [re.search(r"skip=\d+", t).group(0) for t, _ in server.log], ["skip=0", "skip=1000", "skip=0"])


def bodies():
    os.environ["JSON_API_KEY"] = "s3cret"
    with support.Server(lambda t: Answer(json.dumps({"data": [{"c": "TGO", "v": "1.50"}], "error": ""}), KIND)) as server:
        site = suite.site("post", f"""
[source post]
plugin     = json
base_url   = {server.url}/q
dataset    = D
auth       = key=env:JSON_API_KEY
headers    = Ocp-Apim-Subscription-Key={{auth:key}}
body       = {{"indicator":"{{indicator}}","year":{{period}}}}
indicators = A B
periods    = 2020 2021
select     = data.*
error      = error
area       = c
period     = ={{period}}
value      = v
""")
        run = site.run()
        check("a body for each indicator and period", (run.verdicts, sorted(json.loads(b)["indicator"] + str(json.loads(b)["year"]) for _, b in server.posts)),
              ({"post": "ok"}, ["A2020", "A2021", "B2020", "B2021"])) or print("#", run.sources)
        check("the secret goes into the header", {h.get("Ocp-Apim-Subscription-Key") for h, _ in server.posts}, {"s3cret"})
        check("rows under the indicator and the period that were asked for", site.short("indicator period value"),
              [f"{i} {y} 1.50" for i in "AB" for y in (2020, 2021)])


def headers():
    """`headers` is a key of every source: any plugin's requests have them, also those it gives headers of its own."""
    os.environ["HEADER_KEY"] = "s3cret-in-a-header"
    csv_text = b"DATAFLOW,REF_AREA,FREQ,TIME_PERIOD,OBS_VALUE\nX:F(1.0),TGO,A,2020,1.50\n"

    def answer(target):
        return Answer(csv_text, "text/csv") if target.startswith("/data/F") else Answer(b"iso,y,v\nTGO,2020,2.50\n", "text/csv")

    with support.Server(answer) as server:
        (suite.folder / "providers").mkdir()
        (suite.folder / "providers/p.conf").write_text("[provider keyed]\nauth = key=env:HEADER_KEY\nheaders = X-Key={auth:key} Accept=text/x-mine\n")
        table = f"plugin = csv\nbase_url = {server.url}/t.csv\ndataset = D\narea = iso\nperiod = y\nvalue = V=v\n"
        site = suite.site("headers", f"[source mine]\n{table}auth = key=env:HEADER_KEY\nheaders = Authorization=\"Bearer {{auth:key}}\"\n"
                          f"[source flows]\nplugin = sdmx\nbase_url = {server.url}\nflows = F\nprovider = keyed\n")
        site.conf.write_text(site.conf.read_text().replace(f"{TOP}/conf/providers", str(suite.folder / "providers")))
        run = site.run()
        got = {t: h for (t, _), h in zip(server.log, server.headers)}
        check("headers: both sources are read", run.verdicts, {"mine": "ok", "flows": "ok"}) or print("#", run)
        check("headers: a secret in one, for plugin csv", got["/t.csv"].get("Authorization"), "Bearer s3cret-in-a-header")
        check("headers: of a provider, and before the plugin's own", [(got[t].get("X-Key"), got[t].get("Accept")) for t in got if t.startswith("/data/F")],
              [("s3cret-in-a-header", "text/x-mine")])
        check("headers: the secret is nowhere in the store", holders(site, b"s3cret-in-a-header"), [])
        n = len(server.log)
        check("headers: a second night asks the same", (site.run().verdicts, len(server.log) > n), ({"mine": "unchanged", "flows": "unchanged"}, True))
        check("headers: with them", {h.get("Authorization") or h.get("X-Key") for h in server.headers[n:]}, {"Bearer s3cret-in-a-header", "s3cret-in-a-header"})
        site.configure(f"[source mine]\n{table}headers = X-Other=1\n")
        n = len(server.log)
        site.run()
        check("headers: others are asked with at once", [(h.get("X-Other"), h.get("Authorization")) for h in server.headers[n:]][-1:], [("1", None)])
        site.configure(f"[source mine]\n{table}headers = X-Key={{auth:key}}\n")
        code, out, err = site.glane("check", "--conf")
        suite.true("headers: a secret that auth has not", code and "all.conf:8: headers = X-Key={auth:key}: auth has no key" in out + err, (code, out, err))
        site.configure(f"[source mine]\n{table}headers = Connection=close\n")
        code, out, err = site.glane("check", "--conf")
        suite.true("headers: one that breaks the connection is refused", code == 2 and "all.conf:8: headers: header 'Connection' is set by the host alone" in err, (code, out, err))


ECHOED = """
[source echo]
plugin    = json
base_url  = {url}
files     = a?key={{auth:key}}
auth      = key=env:ECHO_KEY other=env:NOT_THERE
paging    = next
page_next = next
select    = data.*
dataset   = D
indicator = =I
area      = c
period    = p
value     = v
retries   = 0
rate      = 500/s
"""


def holders(site, secret):
    """Files of the store that hold it; bodies of answers are what the provider wrote."""
    return [str(path) for path in sorted(site.store.rglob("*")) if path.is_file() and path.suffix != ".zst" and secret in path.read_bytes()]


def quoted(key, case=str.upper):
    return re.sub("%..", lambda m: case(m.group()), urllib.parse.quote(key, safe=""))


def echoed():
    """A provider that writes the key into what it answers: links to further pages, and errors."""
    old, new = "S3cr+t/>>>?Val&e", "Sec0nd+K/y&Val"
    row = {"c": "TGO", "p": "2020", "v": 1}
    state = {"key": old, "write": str, "second": Answer(json.dumps({"data": [dict(row, c="BEN")]}), KIND, etag='"2"')}

    def answer(target):
        if "page2" in target:
            return state["second"]
        link = f"/page2?key={state['write'](state['key'])}&n=1"
        return Answer(json.dumps({"data": [row], "next": link}), KIND)

    for name, write in (("encoded", quoted), ("in lower case", lambda k: quoted(k, str.lower))):
        state.update(key=old, write=write)
        with support.Server(answer) as server:
            site = suite.site("echo " + name, ECHOED.format(url=server.url), "keep_payloads = all")
            run = site.run(env={"ECHO_KEY": old})
            check(f"a link that holds the key, {name}, leads to its page", (run.verdicts, site.short("area value"), len(server.log)), ({"echo": "ok"}, ["BEN 1", "TGO 1"], 3))
            state["key"] = new
            server.log.clear()
            run = site.run(env={"ECHO_KEY": new})
            check("after a new key was set nothing asks with the old one",
                  (run.verdicts["echo"] in ("ok", "unchanged"), {urllib.parse.parse_qs(t.split("?")[1])["key"][0] for t, _ in server.log}), (True, {new}))
            state["second"], whole = Answer('{"data": [{"c": "BEN", "p": "2020", "v": 2}, oops]}', KIND), state["second"]
            run = site.run(env={"ECHO_KEY": new})
            state["second"] = whole
            said = "".join(site.glane(*words)[k] for words in (["status"], ["runs"], ["status", "--json"]) for k in (1, 2)) + run.out + run.err
            check("a page that does not read is named without the key", (run.verdicts, "/page2?key={auth:key}&n=1: " in run.out), ({"echo": "failed"}, True)) or print("#", run)
            for key in (old, new):
                for text in (key, write(key)):
                    check(f"{text} is neither shown nor in the store", (text in said, holders(site, text.encode())), (False, []))

    def base64_of(key, before, alphabet=b"+/"):
        return base64.b64encode((before + key).encode(), alphabet).decode()

    ways = [old, quoted(old), quoted(old, str.lower), json.dumps(old)[1:-1].replace("/", "\\/"), html.escape(old),
            *(base64_of(old, before, alphabet) for before in ("", "u:", "u") for alphabet in (b"+/", b"-_"))]
    for status, kind in ((403, "text/plain"), (500, KIND), (200, "text/html"), (200, "text/json")):
        for i, way in enumerate(ways):
            body = f"no key {way} here" if kind == "text/plain" else f'{{"message": "{"m" * 180} {way} here"}}' if kind == KIND else f"<html><title>{'t' * 190} {way}</title>"
            if kind == "text/json":  # the plugin's reader quotes this one
                body = json.dumps({"error": f"no key {way} here", "data": []})
            with support.Server(lambda _, a=Answer(body, kind, status): a) as server:
                site = suite.site(f"error {status} {kind[5:]} {i}", ECHOED.format(url=server.url) + "error = error\n")
                run = site.run(env={"ECHO_KEY": old})
                told = run.sources["echo"]["message"] + run.err + "".join(site.glane("status")[1:])
                part, mark = way[4:9], "{auth:key}" if kind == "text/json" else "***"  # out of the body, or out of what is quoted of it
                check(f"an error of status {status} ({kind}) that quotes the key as {way}", (run.verdicts, mark in run.sources["echo"]["message"], part in told, holders(site, part.encode())),
                      ({"echo": "failed"}, True, False, [])) or print("#", told)


parsed()
shapes()
unsdg()
dbnomics()
pages()
bodies()
headers()
echoed()
sys.exit(suite.finish())
