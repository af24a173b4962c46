#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What serves the readiness catalogue: the unctadstat plugin and the Cyberlaw Tracker against a server that answers as UNCTAD does, what a
source takes from its provider, coverage by policy area, codes that were renamed, dated groups. TAP on standard output."""
import csv
import gzip
import json
import re
import sys

import support
from support import Answer, TOP

suite = support.Suite("catalogue")
check = suite.same

META = '{"name":"US.PortCalls","version":2231,"lastUpdated":"2026-03-04T00:00:00","defaults":{"rowAxe":[{"field":"Economy","isTime":false}]}}'
MEDIAN = "Median time in port (days)"
AGE = "Average age of vessels"
HEAD = ("Period,Period Label,Frequency,Frequency Label,Economy,Economy Label,CommercialMarket,CommercialMarket Label," +
        ",".join(f"{m},{m} Footnote,{m} Missing value" for m in (MEDIAN, AGE)) + "\n")
FIRST = HEAD + ('2018S01,"S1 2018",S,"Semi-annual",768,"Togo",00,"All ships",1.1,,,14,"a note",\n'
                '2018S02,"S2 2018",S,"Semi-annual",012,"Algeria",00,"All ships",,,"Not available or not separately reported",,,\n')
SECOND = HEAD + ('2023S01,"S1 2023",S,"Semi-annual",12,"Algeria",05,"Container ships",0.95,,,,,\n'
                 '2023S01,"S1 2023",S,"Semi-annual",0000,"World",00,"All ships",1.02,,,,,\n')
PORTS = 'report = US.PortCalls\nmeasures = M3761="Median time in port (days)"\nunits = M3761=days\n'


def unctad(report, files):
    """What UNCTADstat answers for a report: metadata, the list of its bulk files, and each as CSV in 7z."""
    base = f"/api/reportMetadata/{report}"
    name = report.replace(".", "_")
    routes = {f"{base}/en": Answer(META, "application/json"),
              f"{base}/bulkfiles/en": Answer(json.dumps([{"fileId": 900 + i, "fileBlobName": f"{name}_{i}", "fileSize": 1} for i in range(len(files))]),
                                             "application/json")}
    for i, text in enumerate(files):
        routes[f"{base}/bulkfile/{900 + i}/en"] = Answer(support.seven_zip(f"{name}.csv", text.encode()), "application/octet-stream",
                                                         headers=[("Content-Disposition", f"attachment; filename={name}.csv.7z")])
    return routes


def section(name, more, url):
    return f"[source {name}]\nplugin = unctadstat\nbase_url = {url}\nrate = 500/s\n{more}\n"


def bulk():
    with support.Server(unctad("US.PortCalls", [FIRST, SECOND])) as server:
        site = suite.site("bulk", section("p", PORTS, server.url))
        run = site.run()
        check("unctadstat: the files that the report's list names", (run.code, run.verdicts, [t for t, _ in server.log]), (0, {"p": "ok"}, [
            "/api/reportMetadata/US.PortCalls/en", "/api/reportMetadata/US.PortCalls/bulkfiles/en",
            "/api/reportMetadata/US.PortCalls/bulkfile/900/en", "/api/reportMetadata/US.PortCalls/bulkfile/901/en"])) or print("#", run)
        check("unctadstat: every measure, dimensions, economies without their zeros, groups, reasons and notes",
              sorted(site.short("indicator area area_code dims period value unit status flags note")), sorted([
                  f"{AGE} TGO 768 CommercialMarket=00 2018-S1 14  A  a note", "M3761 TGO 768 CommercialMarket=00 2018-S1 1.1 days A  ",
                  "M3761 DZA 012 CommercialMarket=00 2018-S2  days L Not available or not separately reported ",
                  "M3761 DZA 12 CommercialMarket=05 2023-S1 0.95 days A  ", "M3761 M49:001 0000 CommercialMarket=00 2023-S1 1.02 days A  "]))
        check("unctadstat: the report's day of update is the stamp of its series",
              {json.loads(line)["updated"] for line in site.glane("series", "--format", "ndjson")[1].splitlines()}, {"2026-03-04T00:00:00"})
        check("unctadstat: the same again is unchanged", site.run().verdicts, {"p": "unchanged"})
        server.routes.update(unctad("US.PortCalls", [FIRST]))
        site.configure(section("p", PORTS + "gate.max_withdrawn_percent = 100\ngate.min_rows_percent = 0\n", server.url))
        site.run()
        check("unctadstat: what a report no longer holds is withdrawn", len(site.export()), 3)


def periods():
    text = ("Year,Economy,Economy Label,Flow,Flow Label,Growth rate,Growth rate Footnote,Growth rate Missing value\n"
            '19801981,768,"Togo",01,"Imports",2.5,,\n19952000,768,"Togo",01,"Imports",-1.25,,\n')
    quarter = "Quarter,Quarter Label,Economy,Economy Label,Index (Average Q1 2023 = 100),Index (Average Q1 2023 = 100) Footnote,Index (Average Q1 2023 = 100) Missing value\n2006Q01,Q1,768,Togo,13.5,,\n"
    month = "Month,Month Label,Economy,Economy Label,Index,Index Footnote,Index Missing value\n1995M12,Dec,768,Togo,7,,\n"
    with support.Server({**unctad("US.TradeMerchGR", [text]), **unctad("US.LSCI", [quarter]), **unctad("US.UCPI_M", [month])}) as server:
        site = suite.site("periods", section("g", "report = US.TradeMerchGR\n", server.url) + section("l", "report = US.LSCI\nmeasures = M6047=*\n", server.url) +
                          section("m", "report = US.UCPI_M\nmeasures = M1=*\n", server.url))
        run = site.run()
        check("unctadstat: ranges, quarters, months; CODE=* keeps the code when the label names another base year",
              (run.code, sorted(site.short("dataset indicator dims freq period value"))), (0, sorted([
                  "US.TradeMerchGR Growth rate Flow=01 I 1980-01-01/1981-12-31 2.5", "US.TradeMerchGR Growth rate Flow=01 I 1995-01-01/2000-12-31 -1.25",
                  "US.LSCI M6047  Q 2006-Q1 13.5", "US.UCPI_M M1  M 1995-12 7"])))


def facts():
    body = ("Economy_Code,Economy_Label,Flow_Code,Year,M5022_Value,M5022_MissingValue_Label\n"
            "768,Togo,02,2020,25.75,\n204,Benin,02,2020,,Not publishable\n")
    routes = {**unctad("US.X", []), "/US.X/cur/Facts": Answer(gzip.compress(body.encode()), "application/octet-stream")}
    with support.Server(routes) as server:
        site = suite.site("facts", section("k", f"report = US.X\nfacts_url = {server.url}\nauth = ClientId=env:UN_ID ClientSecret=env:UN_KEY\n"
                          'select = Economy/Code, Year, M5022/Value\nfilters = "Year in (2020)"\n', server.url))
        run = site.run(env={"UN_ID": "me", "UN_KEY": "s3cret"})
        check("unctadstat with a key: rows of gzip CSV", (run.code, sorted(site.short("indicator area dims period value status flags"))),
              (0, ["M5022 BEN Flow=02 2020  Q Not publishable", "M5022 TGO Flow=02 2020 25.75 A "])) or print("#", run)
        head, form = server.posts[0] if server.posts else ({}, b"")
        check("unctadstat with a key: both headers, and the form as the service wants it",
              (head.get("ClientId"), head.get("ClientSecret"), re.findall(rb'name="([^"]+)"\r\n\r\n([^\r]*)\r\n', form)),
              ("me", "s3cret", [(b"$select", b"Economy/Code, Year, M5022/Value"), (b"$filter", b"Year in (2020)"), (b"$format", b"csv"), (b"compress", b"gz")]))
        check("unctadstat with a key: the secret is nowhere in the store",
              [p for p in site.folder.rglob("*") if p.is_file() and b"s3cret" in p.read_bytes()], [])


def recorded():
    path = support.PAYLOADS / "unctad/US_GDPTotal.csv"
    if not path.is_file():
        suite.skip("unctadstat: the recorded bulk file", "no recorded payloads beside the project")
        return
    with support.Server(unctad("US.GDPTotal", [path.read_text()])) as server:
        site = suite.site("recorded", section("g", "report = US.GDPTotal\n", server.url))
        suite.same("unctadstat: the recorded bulk file", site.run().verdicts, {"g": "ok"})
        rows = site.export("--indicator", "US$ at current prices in millions")
        values = [r for r in rows if r["value"]]
        with path.open(newline="") as f:
            want = [(r["Economy"], r["Year"], r["US$ at current prices in millions"]) for r in csv.DictReader(f)]
        check("unctadstat: every row of it, as published", (len(rows), len(values)), (16126, 14767))
        check("unctadstat: every value of it", sorted((r["area_code"], r["period"], r["value"]) for r in values), sorted(w for w in want if w[2]))
        check("unctadstat: the reasons why others are empty", {(r["status"], r["flags"]) for r in rows if not r["value"]}, {("M", "Not applicable"), ("Q", "Not publishable")})


def providers():
    site = suite.site("providers", "[source s]\nprovider = p\ndataset = X\n")
    site.configure("[provider p]\nplugin = csv\nbase_url = http://127.0.0.1:1\narea = iso\n\nperoid = year\n", "a")
    code, out, err = site.glane("check", "--conf")
    suite.true("a provider's key that the plugin does not know: the place where it stands", code == 2 and "sources.d/a.conf:6" in err and "peroid" in err, (code, err))
    site.configure("[provider p]\nplugin = csv\nbase_url = http://127.0.0.1:1\narea = iso\n", "a")
    check("sources --json: what a source takes from its provider", [(s["provider"], s["plugin"], s["base_url"]) for s in json.loads(site.glane("sources", "--json")[1])["sources"]],
          [("p", "csv", "http://127.0.0.1:1")])


def refused():
    cases = [("no file", "report = US.PortCalls\n", unctad("US.PortCalls", []), "has no bulk file"),
             ("a label that is gone", PORTS.replace(MEDIAN, "Median"), unctad("US.PortCalls", [FIRST]), "no measure is called 'Median'"),
             ("CODE=* where there are two", "report = US.PortCalls\nmeasures = M=*\n", unctad("US.PortCalls", [FIRST]), "there are 2 of them"),
             ("no economy", "report = US.PortCalls\n", unctad("US.PortCalls", ["Year,Value\n2020,1\n"]), "no column of an Economy"),
             ("an unknown report", "report = US.Nothing\n", unctad("US.PortCalls", [FIRST]), "404")]
    for what, more, routes, words in cases:
        with support.Server(routes) as server:
            run = suite.site(f"refused-{what.replace(' ', '-').replace('*', 'x')}", section("p", more, server.url)).run()
            suite.true(f"unctadstat: {what} is an error that says so",
                       run.verdicts == {"p": "failed"} and words in run.sources["p"].get("message", ""), run)


def shipped(name, url):
    """A section of conf/sources.d with base_url alone changed."""
    text = "\n".join(f.read_text() for f in sorted((TOP / "conf/sources.d").glob("*.conf")))
    found = re.search(rf"^\[source {name}\]\n(?:(?![\[#]).*\n?)*", text, re.M).group(0)
    return re.sub(r"^(enabled|base_url)\s*=.*\n", "", found, flags=re.M) + f"base_url = {url}\nrate = 500/s\n"


def cyberlaw():
    head = "code,country,Electronic Transactions,Consumer Protection,Privacy and Data Protection,Cybercrime,Indirect Taxation,Africa,Asia and Oceania\n"
    rows = ("768,Togo,Legislation,No Data,Legislation,Legislation,No Legislation,1,0\n108,Burundi,Draft Legislation,No Legislation,No Legislation,Legislation,No Legislation,1,0\n"
            "428,Latvia,Legislation,Legislation,Legislation,Legislation,Legislation,0,1\n004,Afghanistan,Legislation,No Legislation,No Legislation,Legislation,No Legislation,0,1\n")
    with support.Server({"/data.csv": Answer(head + rows, "text/plain")}) as server:
        site = suite.site("cyberlaw", shipped("cyberlaw", server.url))
        run = site.run()
        check("cyberlaw: five laws of each economy, no flags of groups", (run.code, len(site.export())), (0, 20)) or print("#", run)
        check("cyberlaw: No Data is not No Legislation", sorted(site.short("indicator value_text status", "--area=TGO")), [
            "Consumer Protection No Data O", "Cybercrime Legislation A", "Electronic Transactions Legislation A", "Indirect Taxation No Legislation A",
            "Privacy and Data Protection Legislation A"])
        check("cyberlaw: a draft; the catalogue finds a law", site.short("area value_text", "--catalogue=law-etransactions", "--area=BDI"), ["BDI Draft Legislation"])


def languages():
    rows = list(csv.DictReader(line for line in (TOP / "conf/catalogue.csv").read_text().splitlines() if not line.startswith("#")))
    check("the catalogue: every indicator has a label in both languages", [r["id"] for r in rows if not r["title"] or not r["title_fr"]], [])
    check("the catalogue: labels tell indicators apart", len({r["title_fr"] for r in rows}), len(rows))
    by = {r["id"]: r for r in rows}
    check("the catalogue: logarithms, caps and targets where they are stated",
          sorted((r["id"], r["scale"] or "", r["cap"] or "", r["target"] or "") for r in rows if r["scale"] or r["cap"] or r["target"]), [
              ("bandwidth-per-user", "log", "", ""), ("basket-mobile-data", "", "", "2"), ("enrolment-secondary", "", "100", ""),
              ("mobile-cellular", "", "120", ""), ("remittance-cost", "", "", "3"), ("secure-servers", "log", "", "")])
    check("the catalogue: French as the UN writes it", by["internet-users"]["title_fr"], "Particuliers utilisant l'Internet")


SMALL = """id,number,policy_area,title,source,dataset,indicator,dims,unit,direction,interval,title_fr,scale,cap,target
a,1,ICT,A,one,D,A,,,1,A,A,,,
b,1,ICT,B,one,D,B,,,1,A,B,,,
c,2,ICT,C,one,D,C,,,1,A
d,3,LEG,D,two,E,D,,,1,A
e,4,LEG,E,three,E,,,,1,A
f,5,PAY,F,two,E,F,,,1,A
"""


def coverage():
    with support.Server({"/a.csv": Answer("iso,year,A,B\nTGO,2020,1,\nTGO,2021-Q3,,2\nBEN,2019,3,\n", "text/csv")}) as server:
        one = f"[source one]\nplugin = csv\nbase_url = {server.url}\nfiles = a.csv\ndataset = D\narea = iso\nperiod = year\nvalue = A B\n"
        site = suite.site("coverage", one + "[source two]\nplugin = csv\nenabled = no\nreason = a key is needed\ndataset = E\n")
        for table in ("economies.csv", "areas.csv", "groups.csv", "aliases.csv"):
            (site.folder / table).write_bytes((TOP / "conf" / table).read_bytes())
        (site.folder / "catalogue.csv").write_text(SMALL)
        site.conf.write_text(site.conf.read_text().replace(f"tables = {TOP}/conf", "tables = ."))
        code, out, err = site.glane("sources")
        check("sources: coverage by policy area without a store", (code, [line.split() for line in out.split("\n\n")[1].splitlines()], err), (0, [
            "COVERAGE INDICATORS ENABLED DISABLED NO SECTION".split(), "ICT 2 2 0 0".split(), "LEG 2 0 1 1".split(), "PAY 1 0 1 0".split(),
            "all 5 2 2 1".split(), "two (2): a key is needed".split(), "three (1): no section of sources.d has this name".split()], ""))
        site.run()
        found = json.loads(site.glane("sources", "--json")[1])
        check("sources --json: with a store, also what has data and its newest period", found["coverage"], [
            {"policy_area": "ICT", "indicators": 2, "enabled": 2, "disabled": 0, "no_section": 0, "with_data": 1, "newest_period": "2021-Q3"},
            {"policy_area": "LEG", "indicators": 2, "enabled": 0, "disabled": 1, "no_section": 1, "with_data": 0},
            {"policy_area": "PAY", "indicators": 1, "enabled": 0, "disabled": 1, "no_section": 0, "with_data": 0}])
        check("sources --json: why the others are not enabled", found["not_enabled"], [
            {"source": "two", "state": "disabled", "reason": "a key is needed", "indicators": ["d", "f"]},
            {"source": "three", "state": "no_section", "reason": "no section of sources.d has this name", "indicators": ["e"]}])
        site.glane("run")
        text = site.glane("sources")[1]
        suite.true("sources: the same in the text", re.search(r"^ICT +2 +2 +0 +0 +1  2021-Q3$", text, re.M) is not None, text)
        (site.folder / "catalogue.csv").write_text(SMALL.replace("c,2", "C,2"))
        code, out, err = site.glane("sources")
        suite.true("sources: a mistake in the catalogue is named", code == 2 and "catalogue.csv:4: 'C' is no id" in err, (code, err))
        (site.folder / "catalogue.csv").unlink()
        check("sources: without a catalogue there is no coverage", (site.glane("sources")[0], "COVERAGE" in site.glane("sources")[1]), (0, False))


def renamed():
    body = "iso,year,RL.EST,GOV_WGI_RL.EST,NEW\nTGO,2020,1,,7\nTGO,2021,,2,\n"
    with support.Server({"/a.csv": Answer(body, "text/csv")}) as server:
        one = f"[source one]\nplugin = csv\nbase_url = {server.url}\nfiles = a.csv\ndataset = D\narea = iso\nperiod = year\nvalue = RL.EST GOV_WGI_RL.EST NEW\n"
        site = suite.site("renamed", one)
        run = site.run("--now", "2026-08-01T00:00:00Z")
        check("renamed: the store has both codes", run.code, 0)
        both = ["GOV_WGI_RL.EST 2021 2", "RL.EST 2020 1"]
        for code in ("RL.EST", "GOV_WGI_RL.EST"):
            check(f"renamed: export --indicator {code} finds the other code too", sorted(site.short("indicator period value", "--indicator", code)), both)
            said = "RL.EST is called GOV_WGI_RL.EST since 2026-07-01 (worldbank): both are looked for\n"
            for words in (("export",), ("series",), ("changes", "--since", "2020-01-01")):
                status, out, err = site.glane(*words, "--indicator", code)
                suite.true(f"renamed: {words[0]} --indicator {code} says so", status == 0 and said in err and "RL.EST" in out and "NEW" not in out, (status, out, err))
            status, out, err = site.glane("show", "TGO", code)
            suite.true(f"renamed: show TGO {code} too", status == 0 and said in err and "  Togo  2021        2 " in out and "  Togo  2020        1 " in out, (out, err))
        status, out, err = site.glane("export", "--indicator", "HD.HCI.OVRL")
        suite.true("replaced: another measure is told, not mixed in", status == 0 and "was replaced by HD.HCIP.OVRL.TO" in err and len(out.splitlines()) == 1, err)
        told = [site.glane(*words)[2] for words in (("export", "--area", "MEA"), ("export", "--area", "WB:MEA"), ("show", "WB:MEA", "i99H"), ("show", "MEA", "i99H"))]
        suite.true("recomposed: other members are told, however the area is written", all("MEA has other members since 2025-07-01" in t for t in told), told)
        check("an indicator without a break: not a word", site.glane("export", "--indicator", "NEW")[2], "")
        site.configure("[source wgi]\nprovider = worldbank\nindicators = GOV_WGI_RL.EST RL.EST IC.BUS.EASE.XQ\n\n[source other]\nplugin = csv\nbase_url = https://example.org\nindicators = RL.EST\ndataset = X\n")
        for words in (("sources",), ("check", "--conf")):
            status, out, err = site.glane(*words)
            check(f"{words[0]}: a configured indicator that is gone is named with its place, of its provider alone", (status, err), (0,
                  f"glane: {site.folder}/sources.d/all.conf:3: [source wgi] asks for RL.EST, which is called GOV_WGI_RL.EST since 2026-07-01 (aliases.csv)\n"
                  f"glane: {site.folder}/sources.d/all.conf:3: [source wgi] asks for IC.BUS.EASE.XQ, which was retired on 2021-09-16 (aliases.csv)\n"))


def groups():
    body = "iso,year,V\n" + "".join(f"{a},2020,1\n" for a in ("BEN", "BFA", "MLI", "NER", "STP", "TGO", "GHA", "AFG"))
    with support.Server({"/a.csv": Answer(body, "text/csv")}) as server:
        site = suite.site("groups", f"[source one]\nplugin = csv\nbase_url = {server.url}\nfiles = a.csv\ndataset = D\narea = iso\nperiod = year\nvalue = V\n")
        site.run("--now", "2024-06-01T00:00:00Z")

        def members(group, *more):
            code, out, err = site.glane("export", "--group", group, *more)
            return sorted(r["area"] for r in csv.DictReader(out.splitlines())), err

        for group, day, want in (("ECOWAS", "2025-01-28", "BEN BFA GHA MLI NER TGO"), ("ECOWAS", "2025-01-29", "BEN GHA TGO"), ("CEDEAO", "2025-01-29", "BEN GHA TGO"),
                                 ("LDC", "2024-12-12", "AFG BEN BFA MLI NER STP TGO"), ("LDC", "2024-12-13", "AFG BEN BFA MLI NER TGO"),
                                 ("AES", "2024-12-01", "BFA MLI NER"), ("LIC", "2025-07-01", "AFG BFA MLI NER TGO"), ("LIC", "2025-06-30", ""), ("MEA", "2026-01-01", "AFG"),
                                 ("UEMOA", "2026-01-01", "BEN BFA MLI NER TGO")):
            check(f"groups: {group} as of {day}, and it says so", members(group, "--as-of", day)[0:1] + (f"glane: {group} has its members of {day}\n" in members(group, "--as-of", day)[1],),
                  (want.split(), True))
        check("groups: an instant of that day", members("LDC", "--as-of", "2024-12-13T00:00:00Z")[0], "AFG BEN BFA MLI NER TGO".split())
        check("groups: members of another day than the figures", members("ECOWAS", "--members-of", "2025-01-28"),
              ("BEN BFA GHA MLI NER TGO".split(), "glane: ECOWAS has its members of 2025-01-28\n"))
        suite.true("groups: one without members that day is told", "glane: LIC has no members on 2020-01-01 (groups.csv)\n" in members("LIC", "--members-of", "2020-01-01")[1])
        check("groups: what is no day", site.glane("export", "--group", "LIC", "--members-of", "2020")[0], 2)
        found = [json.loads(site.glane("show", "--group", "ECOWAS", "V", "--json", *more)[1])[0] for more in ((), ("--as-of", "2025-01-28"))]
        check("groups: show ranks the members of that day, and says which",
              [(len(f["members"]), f["members_of"] == "2025-01-28", "MLI" in [m["area"] for m in f["members"]]) for f in found], [(12, False, False), (15, True, True)])
        suite.true("groups: the heading too", site.glane("show", "--group", "ECOWAS", "V", "--as-of", "2025-01-28")[1].startswith("ECOWAS (members of 2025-01-28): "))


def tables():
    rows = [r for r in csv.reader(line for line in (TOP / "conf/groups.csv").read_text().splitlines() if not line.startswith("#")) if r]
    now = {}
    for r in rows:
        if not (r[3:4] and r[3]) and not r[1].startswith("="):
            now.setdefault(r[0], []).append(r[1])
    check("groups: how many members", {g: len(now[g]) for g in "LDC LLDC SIDS ECOWAS WAEMU CEMAC AU AES LIC LMC UMC HIC EAS ECS LCN MEA NAC SAS SSF".split()}, {
        "LDC": 44, "LLDC": 32, "SIDS": 39, "ECOWAS": 12, "WAEMU": 8, "CEMAC": 6, "AU": 55, "AES": 3, "LIC": 25, "LMC": 50, "UMC": 54, "HIC": 86,
        "EAS": 38, "ECS": 57, "LCN": 42, "MEA": 23, "NAC": 3, "SAS": 6, "SSF": 48})
    incomes, regions = ([a for g in names.split() for a in now[g]] for names in ("LIC LMC UMC HIC", "EAS ECS LCN MEA NAC SAS SSF"))
    check("groups: each economy of the World Bank has one region, and one income but for two",
          (len(set(regions)), len(regions), len(set(incomes)), sorted(set(regions) - set(incomes))), (217, 217, 215, ["ETH", "VEN"]))


def main():
    coverage()
    renamed()
    groups()
    tables()
    bulk()
    periods()
    facts()
    recorded()
    providers()
    refused()
    cyberlaw()
    languages()
    return suite.finish()


sys.exit(main())
