#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`series` and `show`: what they say is what `export` gives, at every moment; three editions of one table, one by one."""
import csv
import io
import json
import re
import shutil
import sys

import support

NOW = ["2026-01-10T06:00:00Z", "2026-02-10T06:00:00Z", "2026-03-10T06:00:00Z"]
AREAS = ("TGO", "BEN", "CIV", "SEN", "FRA")
MEMBERS = {"BEN", "BFA", "CIV", "GNB", "MLI", "NER", "SEN", "TGO"}  # WAEMU
OTHERS = {"CAF", "CMR", "COG", "GAB", "GNQ", "TCD"}  # CEMAC
BLOCKS = "▁▂▃▄▅▆▇█"


def value(edition, i, area, year):
    """Figures that differ by area and grow; each later edition corrects the last two years of one area."""
    base = round(10 + 7 * sorted(AREAS).index(area) + 1.25 * (year - 2010) + 100 * i, 2)
    return base + (0.5 * edition if area == "TGO" and year >= 2019 and i == 0 else 0)


def table(edition):
    lines = ["code,title,area,year,sex,value,flag"]
    for i, (code, title) in enumerate((("NET", "Utilisateurs d'Internet (% de la population)"), ("GDP.PC", "Produit intérieur brut"))):
        for area in AREAS:
            for year in range(2010, 2021 + (edition > 0)):
                for sex in ("_T", "F") if i == 0 else ("_T",):
                    if edition == 2 and (area, year, sex, i) == ("TGO", 2010, "_T", 0):
                        continue  # gone in the last edition
                    text = f"{value(edition, i, area, year):.2f}" if (area, year) != ("FRA", 2015) else "confidential"
                    lines.append(f'{code},{title},{area},{year},{sex},{text},{"e" if year == 2020 else ""}')
    return "\n".join(lines) + "\n"


SECTION = """[source demo]
plugin = csv
base_url = {url}/t.csv
dataset = DEMO
indicator = code
title = title
area = area
area_scheme = ISO3
period = year
dims = SEX=sex
value = value
flags = flag
units = NET=PT
unit_mults = GDP.PC=6
licence = CC BY 4.0
attribution = The office of statistics
cover = full
"""


def words(line):
    return re.split(r"\s{2,}", line.strip())


def check_series(suite, site):
    exported = site.export("--source", "demo")
    code, out, err = site.glane("series", "--format", "csv")
    listed = list(csv.DictReader(io.StringIO(out)))
    want = {}
    for r in exported:
        key = (r["source"], r["dataset"], r["indicator"], r["area_code"], r["dims"], r["freq"])
        first, _, n = want.get(key, (r["period"], None, 0))
        want[key] = (first, r["period"], n + 1)
    got = {(s["source"], s["dataset"], s["indicator"], s["area_code"], s["dims"], s["freq"]):
           (s["first_period"], s["last_period"], int(s["observations"])) for s in listed}
    suite.same("series --format csv is what the export has", (code, err, got), (0, "", want))
    suite.same("and it has titles, unit and licence", {(s["title"], s["unit"], s["licence"]) for s in listed if s["indicator"] == "NET"},
               {("Utilisateurs d'Internet (% de la population)", "PT", "CC BY 4.0")})
    code, out, _ = site.glane("series", "--format", "ndjson")
    again = [json.loads(line) for line in out.splitlines()]
    suite.same("as NDJSON the same", [{k: str(v) for k, v in s.items()} for s in again], listed)
    lines = site.glane("series")[1].splitlines()
    suite.same("without a filter a line is an indicator", [words(line)[:4] + words(line)[4:6] for line in lines[1:]],
               [["demo", "DEMO", "GDP.PC", "A", "5", "5"], ["demo", "DEMO", "NET", "A", "5", "10"]])
    suite.same("with --area a series", len(site.glane("series", "--area", "TGO")[1].splitlines()), 1 + 3)
    suite.same("with --each every series", len(site.glane("series", "--each")[1].splitlines()), 1 + 15)
    suite.same("words, without case and accents", len(site.glane("series", "--each", "INTERIEUR", "brut")[1].splitlines()), 1 + 5)
    suite.true("a unit with its multiplier", "PT" in lines[2] and "x 10^6" in lines[1] and
               "brut (x 10^6)" in site.glane("series", "--each", "gdp", "tgo")[1], lines)
    suite.same("words of codes and areas", len(site.glane("series", "--each", "gdp", "tgo")[1].splitlines()), 1 + 1)
    suite.same("words of an area's name, where the provider gives none", len(site.glane("series", "--each", "TOGO")[1].splitlines()), 1 + 3)
    suite.same("a period filter overlaps", len(site.glane("series", "--each", "--from", "2030")[1].splitlines()), 0)
    code, out, err = site.glane("series", "zebra")
    suite.same("nothing found: exit 0, a word on standard error", (code, out, "no series" in err), (0, "", True))
    code, out, err = site.glane("series", "--format", "csv", "--from", "garbage")
    suite.same("a period that is none: 2, and nothing is printed", (code, out, "garbage" in err), (2, "", True))


def check_show(suite, site, runs):
    env = {"LC_ALL": "C.UTF-8"}
    one = ("TGO", "NET", "--dim", "SEX=_T")
    code, out, err = site.glane("show", *one, env=env)
    exported = {r["period"]: r for r in site.export("--area", "TGO", "--indicator", "NET", "--dim", "SEX=_T")}
    found = {line.split()[0]: line.split()[1] for line in out.splitlines() if re.match(r"\d{4} ", line)}
    suite.same("show has every value of the export, and what was withdrawn", (code, err, found),
               (0, "", {**{p: r["value"] for p, r in exported.items()}, "2010": "withdrawn"}))
    suite.true("its head", all(t in out for t in ("Togo (TGO): Utilisateurs d'Internet", "unit: PT", "licence: CC BY 4.0",
                                                  "attribution: The office of statistics", "last recorded: 2026-03-10T06:00:00Z")), out)
    suite.true("its sparkline rises", f"{BLOCKS[0]}" in out and re.search(f"[{BLOCKS}]{{11}}", out).group(0)[-1] == BLOCKS[-1], out)
    revised = next(line for line in out.splitlines() if line.startswith("2020"))
    want = f"{value(2, 0, 'TGO', 2020):.2f}  e      2026-03-10  {value(1, 0, 'TGO', 2020):.2f} (2 revisions)"
    suite.true("a revised value, since when, and what was before", want in revised, revised)
    for i, run in enumerate(runs):
        then = site.export("--area", "TGO", "--indicator", "NET", "--dim", "SEX=_T", "--as-of", run)
        out = site.glane("show", *one, "--as-of", run, "--json")[1]
        got = {o["period"]: o["value"] for o in json.loads(out)["observations"] if o["event"] != "withdrawn"}
        suite.same(f"show --as-of is the export as of run {i + 1}", got, {r["period"]: float(r["value"]) for r in then})
    triangle(suite, site, one, runs)
    for area in ("tgo", "Togo", "TG"):
        suite.same(f"the area as {area}", site.glane("show", area, *one[1:], env=env)[1], site.glane("show", *one, env=env)[1])
    suite.true("the indicator by words", "GDP.PC" in site.glane("show", "BEN", "produit", "interieur")[1])
    suite.true("and by its code in lower case", "Produit" in site.glane("show", "BEN", "gdp.pc")[1])
    code, out, err = site.glane("show", "TGO", "NET")
    suite.true("two series: a line each, and how to choose", code == 0 and out.count("Utilisateurs") == 2 and "2 series" in err and
               "--freq" in err, out + err)
    out = site.glane("show", "TGO", "i", env=env)[1]
    suite.true("each with its frequency, its unit and multiplier, and over which time it changed",
               "SEX=F, annual, unit: PT" in out and "GDP.PC SEX=_T, annual, unit: x 10^6" in out and out.count("+7.25 in 5 years") == 2, out)
    listed = json.loads(site.glane("show", "TGO", "i", "--json")[1])
    suite.same("and so in JSON", {(s["indicator"], s["title"][:7], s["unit"], s["unit_mult"]) for s in listed},
               {("NET", "Utilisa", "PT", 0), ("GDP.PC", "Produit", "", 6)})
    out = site.glane("show", *one, "--ascii")[1] + site.glane("show", *one, env={"LC_ALL": "C"})[1]
    suite.true("--ascii, and a locale without UTF-8", out.isascii() and "@" in out, out)
    suite.true("a value that is no number stays text", re.search(r"2015 +confidential", site.glane("show", "FRA", "GDP.PC")[1]))
    code, out, err = site.glane("show", "Atlantis", "NET")
    suite.same("nothing found: exit 0, a word on standard error", (code, out, "no series of 'NET' for Atlantis" in err), (0, "", True))
    for missing in (("Atlantis", "NET"), ("TGO", "NET", "--dim", "SEX=_T", "--from", "2030"), ("--group", "CEMAC", "NET")):
        code, out, err = site.glane("show", *missing, "--json")
        suite.true(f"show {' '.join(missing)}: what left nothing", ("passes the filters" if "--from" in missing else "is in the store") in err, err)
        suite.same(f"show {' '.join(missing)} --json: an empty list", (code, out, err.count("\n")), (0, "[]\n", 1))
    code, out, err = site.glane("show", "TGO", "internet-users")
    suite.true("nothing of an id of the catalogue: whose it would be", (code, out) == (0, "") and "(catalogue.csv: IT.NET.USER.ZS of source worldbank)" in err, err)
    suite.same("no indicator: usage", site.glane("show", "TGO")[0], 2)
    suite.same("no such group: usage", site.glane("show", "--group", "XYZ", "NET")[0], 2)


def triangle(suite, site, one, runs):
    """Every column of the triangle, filled from the left, is the export as of its run."""
    lines = site.glane("show", *one, "--vintages")[1].splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("PERIOD"))
    ends = [m.end() for m in re.finditer(r"\S+", lines[head])]
    suite.same("a column of the triangle for each run", lines[head].split()[1:], [now[:10] for now in NOW])
    for k in range(len(runs)):
        known = {}
        for line in lines[head + 1:]:
            for column in range(k + 1):
                cell = line[ends[column]:ends[column + 1]].strip()
                if cell:
                    known[line.split()[0]] = cell
        then = site.export("--area", "TGO", "--indicator", "NET", "--dim", "SEX=_T", "--as-of", runs[k])
        suite.same(f"the triangle's column {k + 1} is the export as of then", {p: v for p, v in known.items() if v != "withdrawn"},
                   {r["period"]: r["value"] for r in then})


def check_group(suite, site):
    code, out, err = site.glane("show", "--group", "WAEMU", "GDP.PC", env={"LC_ALL": "C.UTF-8"})
    lines = out.splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("RANK"))
    last = {r["area"]: float(r["value"]) for r in site.export("--indicator", "GDP.PC", "--from", "2021") if r["area"] in MEMBERS}
    want = [(str(i + 1), f"{v:.2f}", f"+{1.25 * 5:.2f}") for i, (_, v) in enumerate(sorted(last.items(), key=lambda x: -x[1]))]
    got = [(line.split()[0], words(line)[3], words(line)[4]) for line in lines[head + 1:head + 1 + len(want)]]
    suite.same("members by their latest value, with the change over five years", (code, err, got), (0, "", want))
    rest = lines[head + 1 + len(want):]
    suite.true("members without data stand last", len(rest) == len(MEMBERS) - len(want) and all("no data" in line for line in rest), out)
    table = json.loads(site.glane("show", "--group", "WAEMU", "GDP.PC", "--json")[1])[0]
    suite.same("a group's unit and multiplier", (table["unit"], table["unit_mult"]), ("", 6))
    members = table["members"]
    two_groups(suite, site)
    code, out, err = site.glane("show", "--group", "WAEMU", "NET")
    suite.true("two measures: a table each", code == 0 and out.count("RANK") == 2 and "SEX=F" in out and err == "", out + err)
    suite.same("the same as JSON", [(str(m["rank"]), f"{m['value']:.2f}", f"+{m['change']:.2f}") for m in members if "rank" in m], want)


def two_groups(suite, site):
    """Who is asked for has a line, with data or without; nobody else has."""
    def areas(*words):
        shown, = json.loads(site.glane("show", "GDP.PC", "--json", *words)[1])
        return shown["group"], {m["area"]: m.get("value") is not None for m in shown["members"]}

    have = MEMBERS & set(AREAS)
    suite.same("two groups: both are named, the members of both are there", areas("--group", "WAEMU", "--group", "CEMAC"),
               ("WAEMU, CEMAC", {a: a in have for a in MEMBERS | OTHERS}))
    suite.same("a group and its other name: each member once", areas("--group", "WAEMU", "--group", "UEMOA")[1], {a: a in have for a in MEMBERS})
    suite.same("--area: members that it filters away are not said to be without data",
               areas("--group", "WAEMU", "--area", "TGO", "--area", "GNB"), ("WAEMU", {"TGO": True, "GNB": False}))
    out = site.glane("show", "--group", "WAEMU", "--group", "CEMAC", "GDP.PC")[1]
    suite.true("both stand in the heading", out.startswith("WAEMU, CEMAC (members of "), out)


def main():
    suite = support.Suite("show")
    answer = support.Answer(table(0), "text/csv")
    with support.Server({"/t.csv": answer}) as server:
        site = suite.site("demo", SECTION.format(url=server.url))
        runs = []
        for edition, now in enumerate(NOW):
            answer.body = table(edition).encode()
            run = site.run("demo", "--now", now)
            suite.same(f"edition {edition + 1} is committed", run.verdicts, {"demo": "ok"})
            runs.append(run.report["run"])
    check_series(suite, site)
    check_show(suite, site, runs)
    check_group(suite, site)
    before = site.glane("show", "TGO", "NET", "--dim", "SEX=_T", "--json")[1]
    shutil.rmtree(site.store / "current")
    shutil.rmtree(site.store / "series")
    listed = list(csv.DictReader(io.StringIO(site.glane("series", "--format", "csv")[1])))
    suite.same("without current and series: the series come from the stream", (len(listed), sum(int(s["observations"]) for s in listed)),
               (15, len(site.export())))
    after = json.loads(site.glane("show", "TGO", "NET", "--dim", "SEX=_T", "--json")[1])
    suite.same("and show says the same", after["observations"], json.loads(before)["observations"])
    shutil.rmtree(site.store)
    suite.same("no store: exit 5", [site.glane("series")[0], site.glane("show", "TGO", "NET")[0]], [5, 5])
    return suite.finish()


if __name__ == "__main__":
    sys.exit(main())
