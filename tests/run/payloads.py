#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Recorded answers of the providers, where they are beside the project: parse must give exactly what FACTS.json says.

The folder is $GLANE_PAYLOADS, by default ../shared/payloads. TAP on standard output.
"""
import csv
import hashlib
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

TOP = Path(os.environ.get("GLANE_TOP", Path(__file__).resolve().parents[2]))
GLANE = os.environ.get("GLANE", str(TOP / "build/glane"))
FOLDER = Path(os.environ.get("GLANE_PAYLOADS", TOP / "../shared/payloads"))

WB_WIDE = ["--skip=4", "--ragged=yes", "--dataset=WDI", "--indicator=Indicator Code", "--area=Country Code", "--area_scheme=WB", "--value=*"]
ITU = ["--dataset=ITU", "--indicator=seriesCode", "--area=entityIso", "--period=dataYear", "--value=dataValue", "--unit=seriesUnits",
       "--note=dataNote", "--dims=SOURCE=dataSource"]
ITU = [a for a in ITU if not a.startswith("--dims")]
EGDI = ["--dataset=EGDI", "--area=country-code", "--value=EGDI=e-gov-index"]
OWID = ["--dataset=OWID", "--area=Entity", "--area_scheme=NAME", "--period=Year"]
TABLE = [
    ("worldbank/SP.POP.TOTL_all_countries.json", "worldbank", ["--indicators=SP.POP.TOTL"]),
    ("worldbank/GEP_NYGDPMKTPKDZ_FRA.json", "worldbank", ["--indicators=NYGDPMKTPKDZ", "--source=parse"]),
    ("worldbank/API_IT.NET.USER.ZS_DS2_en_csv_v2.csv", "csv", WB_WIDE),
    ("worldbank/API_NY.GDP.PCAP.KD_DS2_en_csv_v2_9908764.csv", "csv", WB_WIDE),
    ("worldbank/API_SP.POP.TOTL_DS2_2025-01-28.csv", "csv", WB_WIDE),
    ("worldbank/databank_WDI_export_YRcols.csv", "csv", ["--ragged=yes", "--dataset=WDI", "--indicator=Series Code", "--area=Country Code",
                                                        "--area_scheme=WB", "--value=*", "--missing=.."]),
    ("ecb/eurofxref-hist.zip", "csv", ["--dataset=EXR", "--indicator==EXR", "--area==U2", "--area_scheme=ECB", "--period=Date",
                                      "--wide=CURRENCY", "--missing=N/A", "--freq=D"]),
    ("ecb/eurofxref_latest.csv", "csv", ["--dataset=EXR", "--indicator==EXR", "--area==U2", "--area_scheme=ECB", "--period=Date",
                                        "--wide=CURRENCY", "--trim=yes", "--freq=D"]),
    ("owid/long_run_life_expectancy.csv", "csv", OWID + ["--value=\"Life expectancy (Gapminder, UN)\""]),
    ("owid/under5_mortality.csv", "csv", OWID + ["--value=\"Under 5 mortality rate [Our World in Data]\""]),
    ("owid/owid-covid-data_2020-08-15.csv.gz", "csv", ["--dataset=COVID", "--area=iso_code|location", "--area_scheme=OWID",
                                                      "--period=date", "--value=total_cases"]),
    ("itu/fixed-broadband-subscriptions.csv", "csv", ITU),
    ("itu/individuals-using-the-internet.csv", "csv", ITU),
    ("egov/egdi-2010.csv", "csv", EGDI + ["--period==2010"]),
    ("egov/egdi-2014.csv", "csv", EGDI + ["--period==2014"]),
    ("egov/egdi-2016.csv", "csv", EGDI + ["--period==2016"]),
    ("lpi/International_LPI_from_2007_to_2023.csv", "csv", ["--dataset=LPI", "--area=Economy", "--area_scheme=NAME", "--period==2023",
                                                           "--value=LPI.OVRL=\"LPI Score\""]),
    ("unctad/US_GDPTotal.csv", "csv", ["--dataset=US.GDPTotal", "--area=Economy", "--area_scheme=UNCTAD", "--period=Year",
                                      "--value=M5=\"US$ at current prices in millions\"", "--flags={value} Missing value",
                                      "--note={value} Footnote", "--status_map=\"Not applicable=M\" \"Not publishable=Q\""]),
]
BAD = [
    ("worldbank/error_120_invalid_value.json", "worldbank", ["--indicators=X"], "The provided parameter value is not valid"),
    ("worldbank/v1_brazil_NOT_JSON.json", "worldbank", ["--indicators=X"], "byte"),
    ("itu/Individuals_Internet_2000-2015.xls", "csv", ["--dataset=X", "--value=*"], ""),
    ("worldbank/GemDataEXTR.zip", "csv", ["--dataset=X", "--value=*"], ""),
]


def parse(file, plugin, options):
    with open(FOLDER / file, "rb") as payload:
        # the csv plugin's `dataset` and the like are options; `source` of parse is the row's column
        done = subprocess.run([GLANE, "-c", str(TOP / "conf/glane.conf"), "parse", plugin, *options], stdin=payload,
                              capture_output=True, timeout=300)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def published(row):
    return row["value_text"] or row["value"]


def differences(file, plugin, options, facts):
    code, out, err = parse(file, plugin, options)
    if code != 0:
        return [f"exit {code}: {err.strip()[-300:]}"]
    rows = list(csv.DictReader(out.splitlines()))
    kept = parse(file, plugin, options + ["--empty=keep"])[1].count("\n") - 1
    numbers = [r for r in rows if r["value"]]
    wrong = []

    def same(what, got, want):
        if got != want:
            wrong.append(f"{what}: {got}, want {want}")

    same("rows with empty=keep", kept, facts["n_obs"])
    same("numbers", len(numbers), facts["n_numeric"])
    if not numbers:
        return wrong
    values = [Decimal(r["value"]) for r in numbers]
    low, high = numbers[values.index(min(values))], numbers[values.index(max(values))]
    for what, row in (("first_numeric", numbers[0]), ("last_numeric", numbers[-1]), ("min", low), ("max", high)):
        want = facts[what]["value"]
        text = published(row)
        if not (text == str(want) if isinstance(want, str) else Decimal(text) == Decimal(repr(want))):
            wrong.append(f"{what}: {text}, want {want}")
    total = 0.0
    for r in numbers:
        total += float(r["value"])
    same("sum", total, facts["sum_float64"])
    return wrong


def main():
    if not FOLDER.is_dir():
        print("1..0 # SKIP no recorded payloads beside the project")
        return 0
    facts = {v["sha256"]: v["facts"] for v in json.load(open(FOLDER / "FACTS.json"))["files"].values()}
    bad, n = 0, 0
    print(f"1..{len(TABLE) + len(BAD)}")
    for file, plugin, options in TABLE:
        n += 1
        digest = hashlib.sha256((FOLDER / file).read_bytes()).hexdigest()
        wrong = differences(file, plugin, options, facts[digest])
        bad += bool(wrong)
        print(("not " if wrong else "") + f"ok {n} - {file}")
        for line in wrong:
            print("#", line)
    for file, plugin, options, words in BAD:
        n += 1
        code, _, err = parse(file, plugin, options)
        fine = code == 1 and words in err
        bad += not fine
        print(("" if fine else "not ") + f"ok {n} - {file} is refused with a clear word")
        print("#", err.strip()[-200:])
        sys.stdout.flush()
    return 1 if bad else 0


sys.exit(main())
