#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The sdmx plugin against a web service: addresses of REST 2.1 and 3.0, forms that are refused, structures and availability, increments that
never withdraw, deletions that do; recorded messages as their providers serve them. TAP on standard output."""
import csv
import gzip
import io
import json
import sys
import zipfile
from collections import Counter
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent))
import support
from support import Answer

suite = support.Suite("sdmx")
check = suite.same
NS = 'xmlns:m="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message"'
# European Central Bank, reference rates of January 2013.
RATES = {("NZD", "2013-01-18"): "1.5931", ("NZD", "2013-01-21"): "1.5925", ("RUB", "2013-01-18"): "40.3426", ("RUB", "2013-01-21"): "40.3000"}


def sdmx_csv(rates, action=None):
    head = "DATAFLOW" if action is None else "STRUCTURE,STRUCTURE_ID,ACTION"
    lines = [head + ",FREQ,CURRENCY,TIME_PERIOD,OBS_VALUE,OBS_STATUS"]
    for (currency, day), value in rates.items():
        first = "ECB:EXR(1.0)" if action is None else f"dataflow,ECB:EXR(1.0),{action}"
        lines.append(f"{first},D,{currency},{day},{value},A")
    return "\n".join(lines) + "\n"


def message(*datasets):
    """Structure-specific datasets, each (action, rates)."""
    body = ""
    for action, rates in datasets:
        body += f'<m:DataSet action="{action}">' + "".join(
            f'<Obs FREQ="D" CURRENCY="{c}" TIME_PERIOD="{d}" OBS_VALUE="{v}" OBS_STATUS="A"/>' for (c, d), v in rates.items()) + "</m:DataSet>"
    return f'<?xml version="1.0"?><m:StructureSpecificData {NS}><m:Header><m:ID>x</m:ID></m:Header>{body}</m:StructureSpecificData>'


STRUCTURE = f"""<m:Structure {NS} xmlns:s="s"><m:Structures><s:DataStructures><s:DataStructure id="EXR"><s:DataStructureComponents><s:DimensionList>
<s:Dimension id="FREQ" position="1"/><s:Dimension id="CURRENCY" position="2"/><s:TimeDimension id="TIME_PERIOD" position="3"/></s:DimensionList>
</s:DataStructureComponents></s:DataStructure></s:DataStructures></m:Structures></m:Structure>"""
AVAILABLE = f"""<m:Structure {NS} xmlns:s="s" xmlns:c="c"><m:Structures><s:Constraints><s:ContentConstraint><s:CubeRegion><c:KeyValue id="CURRENCY">
<c:Value>NZD</c:Value><c:Value>RUB</c:Value></c:KeyValue></s:CubeRegion></s:ContentConstraint></s:Constraints></m:Structures></m:Structure>"""
CSV_TYPE, XML_TYPE = "application/vnd.sdmx.data+csv;version=1.0.0", "application/vnd.sdmx.structurespecificdata+xml;version=2.1"


def rates_of(site):
    return {(dict(p.split("=") for p in r["dims"].split(";"))["CURRENCY"], r["period"]): r["value"] for r in site.export()}


def events_of(site):
    return Counter(e["event"] for e in csv.DictReader(io.StringIO(site.glane("changes", "--format=csv")[1])))


def addresses():
    routes = {"/rest/data/ECB,EXR,1.0/D..": Answer(gzip.compress(sdmx_csv(RATES).encode()), CSV_TYPE, headers=[("Content-Encoding", "gzip")]),
              "/v2/data/dataflow/ECB/EXR/1.0/D.*": Answer(sdmx_csv(RATES, "I"), "application/vnd.sdmx.data+csv;version=2.0.0"),
              "/wb/data/WDI/all/": Answer(message(("Append", RATES)), XML_TYPE),
              "/wb/dataflow/all/WDI/latest": Answer(STRUCTURE, "application/vnd.sdmx.structure+xml;version=2.1"),
              "/part/availableconstraint/EXR/D./all/CURRENCY": Answer(AVAILABLE, "application/xml")}

    def answer(target):
        url = urlsplit(target)
        if url.path.startswith("/part/data/EXR/D."):
            wanted = unquote(url.path.rsplit(".", 1)[1]).split("+")
            return Answer(sdmx_csv({k: v for k, v in RATES.items() if k[0] in wanted}), CSV_TYPE)
        return routes.get(url.path)

    with support.Server(answer) as server:
        site = suite.site("addresses", f"""
[source rest1]
plugin   = sdmx
base_url = {server.url}/rest
flows    = ECB,EXR,1.0/D..
start    = 2013-01-18
query    = detail=full
[source rest2]
plugin   = sdmx
base_url = {server.url}/v2
rest     = 3.0
flows    = ECB,EXR,1.0/D.*
start    = 2013-01-18
end      = 2013-01-21
[source slash]
plugin    = sdmx
base_url  = {server.url}/wb
flows     = WDI
accept    = json xml
structure = yes
slash     = yes
retries   = 0
[source part]
plugin    = sdmx
base_url  = {server.url}/part
flows     = EXR/D.{{split}}
split     = CURRENCY
split_max = 1
""")
        run = site.run()
        check("every service is read", run.verdicts, {n: "ok" for n in ("rest1", "rest2", "slash", "part")})
        for name in ("rest1", "rest2", "slash", "part"):
            rows = {(r["dims"], r["period"]): r["value"] for r in site.export("--source", name)}
            check(f"{name}: four observations", rows, {(f"CURRENCY={c}", d): v for (c, d), v in RATES.items()})
        queries = {urlsplit(t).path: parse_qs(urlsplit(t).query) for t, _ in server.log}
        check("REST 2.1: parameters", queries["/rest/data/ECB,EXR,1.0/D.."], {"startPeriod": ["2013-01-18"], "detail": ["full"]})
        check("REST 3.0: parameters", queries["/v2/data/dataflow/ECB/EXR/1.0/D.*"], {"c[TIME_PERIOD]": ["ge:2013-01-18+le:2013-01-21"]})
        check("availability splits what is asked for", [t for t, _ in server.log if t.startswith("/part")],
              ["/part/availableconstraint/EXR/D./all/CURRENCY", "/part/data/EXR/D.NZD", "/part/data/EXR/D.RUB"])


def forms():
    """A service that has XML only: the CSV that is asked for first is refused."""
    asked = []

    def answer(target):
        asked.append(target)
        return Answer(b'{"error":"Not Acceptable"}', "application/json", 406) if len(asked) % 2 else Answer(message(("Append", RATES)), XML_TYPE)

    with support.Server(answer) as server:
        site = suite.site("forms", f"[source x]\nplugin = sdmx\nbase_url = {server.url}\nflows = EXR\naccept = csv xml\n")
        run = site.run()
        check("a form that is refused is followed by the next", (run.verdicts, len(asked), rates_of(site)), ({"x": "ok"}, 2, RATES))


def messages():
    """A message at base_url is whole, unless it says that it updates."""
    less = {k: v for k, v in list(RATES.items())[1:]}

    def xml(action, rates):
        return Answer(message((action, rates)).replace("<m:DataSet ", '<m:DataSet dataflowID="EXR" '), XML_TYPE)
    answers = {"/csv": lambda rates: Answer(sdmx_csv(rates), CSV_TYPE), "/info": lambda rates: xml("Information", rates),
               "/news": lambda rates: xml("Append", rates), "/full": lambda rates: xml("Append", rates)}
    now = {"rates": RATES}
    with support.Server(lambda target: answers[target](now["rates"])) as server:
        site = suite.site("messages", "".join(f"[source {n[1:]}]\nplugin = sdmx\nbase_url = {server.url}{n}\ngate.max_withdrawn_percent = 100\ngate.min_rows_percent = 0\n"
                                              + ("cover = full\n" if n == "/full" else "") for n in answers))
        first = site.run()
        check("messages at base_url", first.verdicts, {n[1:]: "ok" for n in answers})
        now["rates"] = less
        site.run()
        left = {n[1:]: len(site.export("--source", n[1:])) for n in answers}
        check("what a whole message no longer has is withdrawn", left, {"csv": len(less), "info": len(less), "news": len(RATES), "full": len(less)})
        code, _, err = site.glane("parse", "sdmx", "--cover=all", payload=sdmx_csv(RATES).encode())
        suite.true("a cover that does not exist", code == 2 and "cover = all: auto, none or full" in err, (code, err))


def increments():
    state = {"all": dict(RATES), "news": None}

    def answer(target):
        query = parse_qs(urlsplit(target).query)
        if "updatedAfter" not in query:
            return Answer(message(("Append", state["all"])), XML_TYPE)
        state["after"] = query["updatedAfter"][0]
        if state["news"] is None:
            return Answer(b'<Error><ErrorMessage code="100"><Text>No Results Found</Text></ErrorMessage></Error>', "application/xml", 404)
        return Answer(message(*state["news"]), XML_TYPE)

    with support.Server(answer) as server:
        site = suite.site("increments", f"[source x]\nplugin = sdmx\nbase_url = {server.url}\nflows = EXR\naccept = xml\nincrements = yes\n"
                          "gate.max_revised_percent = 100\ngate.max_withdrawn_percent = 100\ngate.min_rows_percent = 0\nkeep_payloads = all\n")
        first = site.run("--now", "2026-11-01T02:00:00Z")
        check("the first night asks for everything", (first.verdicts, rates_of(site)), ({"x": "ok"}, RATES))
        quiet = site.run("x", "--now", "2026-11-02T02:00:00Z")
        check("an increment without news changes nothing", (quiet.verdicts, rates_of(site)), ({"x": "unchanged"}, RATES))
        check("it begins before the run that it follows", state.get("after"), "2026-10-30T02:00:00Z")
        state["news"] = [("Append", {("NZD", "2013-01-21"): "1.6000", ("NZD", "2013-01-22"): "1.5900"})]
        news = site.run("x", "--now", "2026-11-03T02:00:00Z")
        want = {**RATES, ("NZD", "2013-01-21"): "1.6000", ("NZD", "2013-01-22"): "1.5900"}
        check("an increment adds and revises, and never withdraws", (news.verdicts, rates_of(site)), ({"x": "ok"}, want))
        check("its events", events_of(site), Counter({"revised": 1, "new": 1}))
        state["news"] = [("Delete", {("RUB", "2013-01-18"): "40.3426", ("NZD", "2013-01-22"): "1.5900"}), ("Append", {("NZD", "2013-01-22"): "1.5800"})]
        gone = site.run("x", "--now", "2026-11-04T02:00:00Z")
        want = {k: v for k, v in want.items() if k != ("RUB", "2013-01-18")} | {("NZD", "2013-01-22"): "1.5800"}
        check("a message is applied in its order: what is deleted is withdrawn, what comes back stays", (gone.verdicts, rates_of(site)), ({"x": "ok"}, want))
        check("its events, too", events_of(site), Counter({"withdrawn": 1, "revised": 1}))
        state["all"] = {("NZD", "2013-01-18"): "1.5931"}
        whole = site.run("x", "--now", "2026-12-05T02:00:00Z")
        check("after 30 days everything is asked for again, and what is gone is withdrawn", (whole.verdicts, rates_of(site)),
              ({"x": "ok"}, {("NZD", "2013-01-18"): "1.5931"}))


def missed():
    """A flow that fails while another is committed: its next increment begins where its last one did, or what was updated between is lost."""
    asked, broken = [], set()

    def answer(target):
        flow, query = urlsplit(target).path.split("/")[2], parse_qs(urlsplit(target).query)
        asked.append((flow, query.get("updatedAfter", ["all"])[0][:10]))
        return Answer(b"no", "text/plain", 500) if flow in broken else Answer(message(("Append", {**RATES, ("NZD", f"2012-01-{len(nights) + 1:02}"): "1.5"})), XML_TYPE)

    nights = []
    with support.Server(answer) as server:
        site = suite.site("missed", f"[source x]\nplugin = sdmx\nbase_url = {server.url}\nflows = A B\naccept = xml\nincrements = yes\nretries = 0\nrate = 500/s\n")
        for day, gone in (("01", "B"), ("05", ""), ("10", "A"), ("15", "A"), ("20", "")):
            broken.clear()
            broken.update(gone)
            asked.clear()
            run = site.run("x", "--now", f"2026-11-{day}T02:00:00Z")
            nights.append((run.verdicts["x"], *sorted(set(asked))))
        check("a flow that failed is asked from where it was", nights, [
            ("partial", ("A", "all"), ("B", "all")), ("ok", ("A", "2026-10-30"), ("B", "all")), ("partial", ("A", "2026-11-03"), ("B", "2026-11-03")),
            ("partial", ("A", "2026-11-03"), ("B", "2026-11-08")), ("ok", ("A", "2026-11-03"), ("B", "2026-11-13"))])


def late_groups():
    """Behind 5 MB of series, as it is, in an archive, and from a program."""
    series = "".join(f'<Series FREQ="D" CURRENCY="C{i:05}"><Obs TIME_PERIOD="2013-01-18" OBS_VALUE="{i}"/></Series>\n' for i in range(60000))
    groups = "".join(f'<Group CURRENCY="C{i:05}" UNIT_MULT="{i % 9}"/>' for i in range(60000))
    body = xml_message(("Append", series + groups)).encode()
    site = suite.site("late groups", "")
    for what, payload in (("as it is", body), ("in an archive", gzip.compress(body, 1))):
        code, out, err = site.glane("parse", "sdmx", payload=payload)
        found = Counter(r["unit_mult"] == str(int(r["value"]) % 9) for r in csv.DictReader(io.StringIO(out)))
        check(f"late groups reach every series: {what}", (code, found, len(body) > 5 << 20), (0, Counter({True: 60000}), True))
    code, _, err = site.glane("parse", "sdmx", "--program=/bin/cat", payload=body)
    suite.true("late groups out of a program are refused", code == 1 and "have it write groups first" in err, (code, err[-300:]))


DAYS = ("2013-01-18", "2013-01-21", "2013-01-22")
BOOK = {(c, d): f"{k}.{i}5" for k, c in enumerate(("CHF", "NZD", "RUB"), 1) for i, d in enumerate(DAYS)}


def xml_message(*datasets):
    """(action, elements) each."""
    return f'<m:StructureSpecificData {NS}><m:Header><m:ID>x</m:ID></m:Header>' + "".join(
        f'<m:DataSet action="{action}" dataflowID="EXR">{body}</m:DataSet>' for action, body in datasets) + "</m:StructureSpecificData>"


def observations(rates, more=""):
    return "".join(f'<Obs FREQ="D" CURRENCY="{c}" TIME_PERIOD="{d}" OBS_VALUE="{v}" OBS_STATUS="E" CONF_STATUS="C" OBS_COM="see" {more}/>'
                   for (c, d), v in rates.items())


def csv_rows(*rows):
    return "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,CURRENCY,TIME_PERIOD,OBS_VALUE,OBS_STATUS,CONF_STATUS,UNIT_MULT\n" + "".join(
        f"dataflow,ECB:EXR(1.0),{r}\n" for r in rows)


def json_message(*datasets):
    def values(ids):
        return [{"id": i} for i in ids]
    structure = {"links": [{"rel": "dataflow", "urn": "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=ECB:EXR(1.0)"}],
                 "dimensions": {"series": [{"id": "FREQ", "values": values("D")}, {"id": "CURRENCY", "values": values(("CHF", "NZD", "RUB"))}],
                                "observation": [{"id": "TIME_PERIOD", "values": values(DAYS)}]},
                 "measures": {"observation": [{"id": "OBS_VALUE"}]},
                 "attributes": {"observation": [{"id": "OBS_STATUS"}]}}
    return json.dumps({"data": {"structures": [structure], "dataSets": [{"action": a, **more} for a, more in datasets]}})


def deletions():
    """By a part of the key, of everything, of attributes alone; each night asked twice: the second adds nothing."""
    def without(rates, currency=None, day=None):
        return {k: v for k, v in rates.items() if not (currency in (None, k[0]) and day in (None, k[1]))}
    whole = xml_message(("Append", observations(BOOK)))
    new = {("NZD", DAYS[0]): "2.05", ("CHF", DAYS[2]): "7.00"}
    no_nzd = without(BOOK, "NZD")
    nights = [
        ("everything", whole, BOOK, {"new": 9}),
        ("XML: a series", xml_message(("Delete", '<Series FREQ="D" CURRENCY="NZD"/>')), no_nzd, {"withdrawn": 3}),
        ("XML: by the day", xml_message(("Delete", f'<Obs TIME_PERIOD="{DAYS[0]}"/>')), without(no_nzd, day=DAYS[0]), {"withdrawn": 2}),
        ("XML: a whole dataset, then set again", xml_message(("Append", observations(BOOK)), ("Delete", ""), ("Append", observations(new))),
         new, {"withdrawn": 3, "restored": 1, "revised": 1}),
        ("everything again", whole, BOOK, {"restored": 7, "revised": 1}),
        ("CSV: by one dimension, and a key that is not there", csv_rows("D,,RUB,,,,,", "D,D,USD,2013-01-18,,,,"), without(BOOK, "RUB"), {"withdrawn": 3}),
        ("CSV: by currency and day, a value named", csv_rows(f"D,,CHF,{DAYS[1]},-,,,"), without(without(BOOK, "RUB"), "CHF", DAYS[1]), {"withdrawn": 1}),
        ("CSV: everything, and what comes behind", csv_rows("D,,,,,,,", f"M,D,NZD,{DAYS[0]},2.05,E,C,"), {("NZD", DAYS[0]): "2.05"},
         {"withdrawn": 4, "status": 1}),
        ("all of it", whole, BOOK, {"restored": 8, "status": 1}),
        ("JSON: series by a part of their key", json_message(("Delete", {"series": {":1": {}, "0:2": {"observations": {"1": []}}}})),
         without(without(BOOK, "NZD"), "RUB", DAYS[1]), {"withdrawn": 4}),
        ("JSON: a whole dataset, then set again", json_message(("Delete", {}), ("Replace", {"series": {"0:1": {"observations": {"0": ["2.05", "E"]}}}})),
         {("NZD", DAYS[0]): "2.05"}, {"withdrawn": 5, "restored": 1}),
    ]
    now = {"body": ""}
    with support.Server(lambda target: Answer(now["body"], {"<": XML_TYPE, "{": "application/json"}.get(now["body"][0], CSV_TYPE))) as server:
        options = "\n".join(f"gate.{k} = 1000" for k in ("max_withdrawn_percent", "max_revised_percent", "max_unit_changed_percent", "max_lost_codes_percent",
                                                       "max_rescaled_percent", "max_jumped_percent"))
        site = suite.site("deletions", f"[source x]\nplugin = sdmx\nbase_url = {server.url}\ndataset = EXR\n{options}\ngate.min_rows_percent = 0\n"
                          "gate.max_factor = 1000000\n")
        for what, body, want, events in nights:
            now["body"] = body
            run = site.run("x")
            check(what, (run.verdicts, rates_of(site), events_of(site)), ({"x": "ok"}, want, Counter(events)))
            now["body"] = body.replace("<m:ID>x", "<m:ID>y") + " " if body[0] in "<{" else '"dataflow"'.join(body.rsplit("dataflow", 1))
            check(f"{what}: the same once more", (site.run("x").verdicts, rates_of(site)), ({"x": "unchanged"}, want))
        attributes(site, now, whole)


def two_values():
    """Two values of one observation in one dataset contradict; of two datasets, or behind another action, the later one holds."""
    one, two = ('<Series FREQ="D" CURRENCY="NZD">' + f'<Obs TIME_PERIOD="{DAYS[0]}" OBS_VALUE="{v}"/>' + '</Series>' for v in "12")
    bodies = {"csv": (csv_rows(f"A,D,NZD,{DAYS[0]},1,,,", f"A,D,NZD,{DAYS[0]},2,,,"), None),
              "csv1": (sdmx_csv({("NZD", DAYS[0]): "1"}) + f"ECB:EXR(1.0),D,NZD,{DAYS[0]},2,A\n", None),
              "estimate": (csv_rows(f"A,D,NZD,{DAYS[0]},1,A,,", f"A,D,NZD,{DAYS[0]},2,E,,"), "1"),
              "actions": (csv_rows(f"A,D,NZD,{DAYS[0]},1,,,", f"R,D,NZD,{DAYS[0]},2,,,"), "2"),
              "xml": (xml_message(("Append", one + two)), None),
              "datasets": (xml_message(("Append", one), ("Append", two)), "2"),
              "columns": (xml_message(("Append", one + two.replace("/></S", ' OBS_STATUS="A"/></S'))), None)}
    with support.Server(lambda target: Answer(bodies[target[1:]][0], XML_TYPE if bodies[target[1:]][0][0] == "<" else CSV_TYPE)) as server:
        site = suite.site("two values", "".join(f"[source {n}]\nplugin = sdmx\nbase_url = {server.url}/{n}\ndataset = EXR\n" for n in bodies))
        run = site.run()
        check("two values of one key", run.verdicts, {n: "ok" if want else "failed" for n, (_, want) in bodies.items()})
        for name, (_, want) in bodies.items():
            if want:
                check(f"{name}: the one that holds", [r["value"] for r in site.export("--source", name)], [want])
            else:
                suite.true(f"{name}: says which", "has two values, '1' and '2'" in json.dumps(run.sources[name]), run.sources[name])


def reporting_years():
    """A reporting year from July on: its months are those of the calendar, its years are ranges, and its first day is no part of the key."""
    body = xml_message(("Append", '<Series FREQ="M" CURRENCY="NZD" REPORTING_YEAR_START_DAY="--07-01"><Obs TIME_PERIOD="2010-M01" OBS_VALUE="1"/>'
                        '<Obs TIME_PERIOD="2010-08" OBS_VALUE="2"/></Series><Series FREQ="A" CURRENCY="NZD" REPORTING_YEAR_START_DAY="--07-01">'
                        '<Obs TIME_PERIOD="2010-A1" OBS_VALUE="3"/></Series><Series FREQ="Q" CURRENCY="NZD" REPORTING_YEAR_START_DAY="--07">'
                        '<Obs TIME_PERIOD="2010-Q1" OBS_VALUE="4"/></Series>'))
    site = suite.site("reporting years", "")
    for what, payload in (("of the series", body), ("of the dataset", body.replace(' REPORTING_YEAR_START_DAY="--07-01"', "")
                                                    .replace('dataflowID="EXR"', 'dataflowID="EXR" REPORTING_YEAR_START_DAY="--07-01"'))):
        code, out, err = site.glane("parse", "sdmx", payload=payload.encode())
        check(f"the first day of a reporting year {what}", (code, [(r["dims"], r["period"], r["period_start"]) for r in csv.DictReader(io.StringIO(out))]),
              (1, [("CURRENCY=NZD", "2010-07", "2010-07-01"), ("CURRENCY=NZD", "2010-08", "2010-08-01"),
                   ("CURRENCY=NZD", "2010-07-01/P1Y", "2010-07-01")]))
        suite.true(f"one {what} that is no day goes to quarantine", "period '2010-Q1' of a reporting year that begins on '--07' is none" in err, err)


def attribute_rows():
    """SDMX-CSV 2.0: attributes for a part of the key."""
    head = "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,CURRENCY,TIME_PERIOD,OBS_VALUE,OBS_STATUS,UNIT_MULT,TITLE\n"
    value = f"dataflow,ECB:EXR(1.0),I,D,NZD,{DAYS[0]},1.5,A,,\n"
    site = suite.site("attribute rows", "")
    code, out, err = site.glane("parse", "sdmx", payload=(head + "dataflow,ECB:EXR(1.0),I,D,NZD,,,,,Rates\n" + value).encode())
    check("attributes for a part of the key: the values are read", (code, [r["value"] for r in csv.DictReader(io.StringIO(out))]), (1, ["1.5"]))
    suite.true("attributes for a part of the key: quarantine says what the row is", "a row without period and value, of attributes" in err, err)
    code, out, err = site.glane("parse", "sdmx", payload=(head + "dataflow,ECB:EXR(1.0),I,D,NZD,,,,6,\n" + value).encode())
    own = f"dataflow,ECB:EXR(1.0),I,D,NZD,{DAYS[0]},2.5,A,3,\n"
    for what, rows, want in (("every observation says its own: read", (own,), True), ("one does not, behind it: refused", (own, value), False)):
        site_code, rows_out, said = site.glane("parse", "sdmx", payload=(head + "dataflow,ECB:EXR(1.0),I,D,NZD,,,,6,\n" + "".join(rows)).encode())
        suite.true(f"a multiplier for a part of the key, {what}", site_code == 1 and ("2.5" in rows_out) == want and
                   ("unit or multiplier in" in said) != want, (site_code, rows_out, said))
    suite.true("a multiplier for a part of the key: refused", code == 1 and "unit or multiplier in period ''" in err and "1.5" not in out, (code, out, err))


def quarters():
    """INSEE's FREQ = T is a quarter; the standard's is four months."""
    body = xml_message(("Append", "".join(f'<Series FREQ="T" CURRENCY="{c}"><Obs TIME_PERIOD="{p}" OBS_VALUE="1"/></Series>'
                                          for c, p in (("CHF", "2026-Q2"), ("NZD", "2026Q2"), ("RUB", "2026-T2")))))
    code, out, err = suite.site("quarters", "").glane("parse", "sdmx", payload=body.encode())
    check("the period says what a frequency T is", (code, [(r["dims"], r["freq"], r["period"]) for r in csv.DictReader(io.StringIO(out))]),
          (0, [("CURRENCY=CHF", "Q", "2026-Q2"), ("CURRENCY=NZD", "Q", "2026-Q2"), ("CURRENCY=RUB", "T", "2026-T2")]))


def business_days():
    """A day that is named without its frequency is one of a series of business days too."""
    book = "".join(f'<Obs FREQ="{f}" CURRENCY="NZD" TIME_PERIOD="{d}" OBS_VALUE="1"/>' for f in "BDM" for d in (("2013-01",) if f == "M" else DAYS))
    now = {"body": xml_message(("Append", book))}
    with support.Server(lambda target: Answer(now["body"], XML_TYPE)) as server:
        site = suite.site("business", f"[source x]\nplugin = sdmx\nbase_url = {server.url}\ndataset = EXR\ndimensions = FREQ CURRENCY TIME_PERIOD\n"
                          "gate.max_withdrawn_percent = 100\ngate.min_rows_percent = 0\n")
        site.run()
        for what, element, left in (("without a frequency", f'<Obs CURRENCY="NZD" TIME_PERIOD="{DAYS[0]}"/>', {"B": 2, "D": 2, "M": 1}),
                                    ("with one", f'<Obs FREQ="B" CURRENCY="NZD" TIME_PERIOD="{DAYS[1]}"/>', {"B": 1, "D": 2, "M": 1})):
            now["body"] = xml_message(("Delete", element))
            run = site.run("x")
            check(f"a day {what}", (run.verdicts, Counter(r["freq"] for r in site.export())), ({"x": "ok"}, Counter(left)))


def attributes(site, now, whole):
    def said(currency):
        return Counter((r["value"] != "", r["status"], r["flags"], r["note"]) for r in site.export() if r["dims"].endswith(currency))
    now["body"] = whole
    site.run("x")
    full = Counter({(True, "E", "C", "see"): 3})
    check("status, flags and note as published", said("RUB"), full)
    for what, body, want in (
            ("the status of a series", xml_message(("Delete", '<Series FREQ="D" CURRENCY="RUB" OBS_STATUS="-"/>')), {(True, "A", "C", "see"): 3}),
            ("flags and note of a day", xml_message(("Delete", f'<Obs CURRENCY="RUB" TIME_PERIOD="{DAYS[0]}" CONF_STATUS="-" OBS_COM="-"/>')),
             {(True, "A", "C", "see"): 2, (True, "A", "", ""): 1}),
            ("flags of all, by a group", xml_message(("Delete", '<Group FREQ="D" CONF_STATUS="-" TITLE="-"/>')), {(True, "A", "", "see"): 2, (True, "A", "", ""): 1})):
        now["body"] = body
        run = site.run("x")
        check(f"attributes alone: {what}", (run.verdicts, said("RUB"), set(events_of(site))), ({"x": "ok"}, Counter(want), {"status"}))
        check(f"attributes alone: {what}, once more", site.run("x").verdicts, {"x": "unchanged"})
    now["body"] = csv_rows("D,D,RUB,,,,,-")
    run = site.run("x")
    suite.true("a multiplier alone goes to quarantine", "a deletion of a unit or its multiplier alone" in run.err + json.dumps(run.sources), run)
    check("and its values stay", sum(said("RUB").values()), 3)


def mass_deletions():
    """The gate holds what a single word would withdraw; numbers without end are refused."""
    now = {"body": xml_message(("Append", observations(BOOK)))}
    with support.Server(lambda target: Answer(now["body"], XML_TYPE if now["body"][0] == "<" else CSV_TYPE)) as server:
        site = suite.site("mass", f"[source x]\nplugin = sdmx\nbase_url = {server.url}\ndataset = EXR\n")
        site.run()
        now["body"] = xml_message(("Delete", ""))
        run = site.run("x")
        check("a whole dataset is held", (run.verdicts, len(rates_of(site))), ({"x": "held"}, 9))
        code, out, err = site.glane("quarantine", "accept", "x")
        check("until a person accepts", (code, rates_of(site)), (0, {}))
        now["body"] = csv_rows(*(f"D,D,C{i},,,,," for i in range(250001)))
        run = site.run("x")
        suite.true("too many deletions", run.verdicts == {"x": "failed"} and "more than 250000 deletions" in json.dumps(run.sources), run.sources)


def errors():
    answers = {"/gone": Answer('<Error><ErrorMessage code="150"><Text>Semantic error: no flow X</Text></ErrorMessage></Error>', "application/xml", 200),
               "/html": Answer("<!DOCTYPE html><html><title>Sorry</title></html>", "text/html"),
               "/none": Answer('<Error><ErrorMessage code="100"><Text>No Results Found</Text></ErrorMessage></Error>', "application/xml", 404),
               "/json": Answer(json.dumps({"errors": [{"code": 400, "title": "bad key"}]}), "application/json")}
    with support.Server(lambda target: answers.get("/" + target.split("/")[1])) as server:
        site = suite.site("errors", "".join(
            f"[source {n[1:]}]\nplugin = sdmx\nbase_url = {server.url}{n}\nflows = X\naccept = any\nretries = 0\n" for n in answers))
        run = site.run()
        check("what is no data fails", set(run.verdicts.values()), {"failed"})
        for name, words in (("gone", "150: Semantic error"), ("html", "Sorry"), ("none", "404"), ("json", "bad key")):
            suite.true(f"{name}: in the provider's words", words in json.dumps(run.sources[name]), run.sources[name])


def beside():
    """Errors beside data, SDMX-JSON: of a message that is whole they are told, of one that was cut it fails."""
    site = suite.site("beside")
    data = {"structure": {"dimensions": {"observation": [{"id": "CURRENCY", "values": [{"id": "NZD"}]}, {"id": "TIME_PERIOD", "values": [{"id": "2013"}]}]}},
            "dataSets": [{"observations": {"0:0": [1.5]}}]}
    for name, status, words, want in (("a warning", 400, "beside the data the provider says: 400; too much", 0),
                                      ("a cut", 510, "the data is not whole, the provider says: 510; too much", 1)):
        body = json.dumps({"data": data, "errors": [{"code": status, "title": "too much"}]}).encode()
        code, out, err = site.glane("parse", "sdmx", "--dataset=X", payload=body)
        suite.true(f"{name} beside the data", code == want and words in err and (",1.5," in out) == (want == 0), (code, out, err))


def zipped():
    """A zip with a message and a text beside it: the message is read."""
    site = suite.site("zipped")
    for name, body in (("a.XML", message(("Information", RATES))), ("a.csv", sdmx_csv(RATES))):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as z:
            z.writestr(name, body)
            z.writestr("readme.txt", "Nothing")
        code, rows, err = site.glane("parse", "sdmx", "--dataset=X", payload=out.getvalue())
        check(f"{name} beside a text", (code, len(list(csv.DictReader(io.StringIO(rows))))), (0, 4)) or print(err)


def recorded():
    """A message as it was recorded, at an address of its provider: the exact sum comes out of the store."""
    files = {"insee/IPI-2010-A21_structurespecific_2.1.xml": (XML_TYPE, "FREQ PRODUIT NATURE"), "insee/IPI-2010-A21_generic_2.1.xml": (XML_TYPE, ""),
             "bis/BIS_DER_generic_series.xml": (XML_TYPE, ""), "oecd/sdmxjson1_TOURISM_INBOUND.json": ("application/json", ""),
             "eurostat/large_csv_2.csv": (CSV_TYPE, ""), "ecb/bsi_weekly_compact_2.0.xml": (XML_TYPE, "")}
    if not (support.PAYLOADS / "FACTS.json").is_file():
        suite.skip("recorded messages", "no recorded payloads beside the project")
        return
    facts = json.loads((support.PAYLOADS / "FACTS.json").read_text())["files"]
    for file, (kind, dimensions) in files.items():
        if not (support.PAYLOADS / file).is_file():
            suite.skip(file, "not among the recorded payloads")
            continue
        body, want = (support.PAYLOADS / file).read_bytes(), facts[file]["facts"]
        with support.Server(lambda target, b=body, k=kind: Answer(gzip.compress(b), k, headers=[("Content-Encoding", "gzip")])) as server:
            site = suite.site(file.replace("/", "-"), f"[source x]\nplugin = sdmx\nbase_url = {server.url}\nflows = A,F,1.0/all\naccept = any\n"
                              f"dimensions = {dimensions}\ngate.row_limits = 1\n")
            run = site.run()
            values = [Decimal(r["value"]) for r in site.export() if r["value"]]
            suite.true(f"{file}: numbers and sum", run.verdicts == {"x": "ok"} and len(values) == want["n_numeric"] and
                       abs(float(sum(values)) - want["sum_float64"]) <= 1e-9 * max(1.0, abs(want["sum_float64"])),
                       (run.verdicts, len(values), want["n_numeric"], sum(values), want["sum_float64"], run.err[-300:]))
            check(f"{file}: a second night changes nothing", site.run("x").verdicts, {"x": "unchanged"})


addresses()
forms()
messages()
increments()
missed()


late_groups()
deletions()
two_values()
reporting_years()
attribute_rows()
quarters()
business_days()
mass_deletions()
errors()
beside()
zipped()
recorded()
sys.exit(suite.finish())
