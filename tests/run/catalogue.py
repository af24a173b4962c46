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


def main():
    bulk()
    periods()
    facts()
    refused()
    cyberlaw()
    languages()
    return suite.finish()


sys.exit(main())
