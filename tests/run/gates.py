#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The gate between diff and commit: a year of nightly editions and the real pairs of payloads pass where nothing is wrong with them;
each anomaly that a provider can make is held or refused by its rule, keeps the last good rows, and the next good answer passes."""
import csv
import gzip
import io
import os
import re
import sys
from datetime import date, timedelta
from decimal import Decimal

import support
from recordings import table, unzipped, world_bank
from support import Answer, PAYLOADS

suite = support.Suite("gates")
NIGHTS = int(os.environ.get("GLANE_NIGHTS", "260"))  # of the year; fewer are spread over it
FLAWS = ("held", "failed", "partial")


class Feed:
    """One file on a local server, another one each night, and a source of `plugin` that reads it."""

    def __init__(self, name, options, plugin="csv", path="/data.csv", kind="text/csv", serve=None):
        self.body, self.path, self.kind, self.serve = b"", path, kind, serve
        self.server = support.Server(self.answer)
        self.server.__enter__()
        self.site = suite.site(name, f"[source s]\nplugin = {plugin}\nbase_url = {self.server.url}\n"
                               + "".join(f"{k} = {v}\n" for k, v in options.items()))

    def answer(self, target):
        if self.serve:
            return self.serve(self.body, target)
        return Answer(self.body, self.kind) if target == self.path else None

    def night(self, body, *words):
        """The report of the source after a night with this answer."""
        self.body = body.encode() if isinstance(body, str) else body
        run = self.site.run("s", *words)
        if "s" not in run.sources:
            raise RuntimeError(run)
        return run.sources["s"]

    def rows(self):
        return self.site.export()

    def close(self):
        self.server.__exit__()


def rules(source):
    """The rules by which slices, or all of the source, were held back."""
    return [r for r in [source.get("rule"), *(p.get("rule") for p in source["slices"])] if r]


def reason(source):
    return next((p["reason"] for p in source["slices"] if p.get("reason")), source.get("message", ""))


def as_csv(header, rows):
    out = io.StringIO()
    w = csv.writer(out, lineterminator="\n")
    w.writerow(header)
    w.writerows(rows)
    return out.getvalue()


def spread(items, n):
    """n of the items, from the first to the last."""
    return items if len(items) <= n else [items[i * (len(items) - 1) // (n - 1)] for i in range(n)]


# ---- real history ----

def every_night(name, feed, editions, last):
    """Each edition (moment, body) in order; `last`: {key: value} of the last one, keys as in `key`."""
    flaws, events = [], 0
    for moment, body in editions:
        source = feed.night(body, "--now", moment)
        if source["status"] in FLAWS or rules(source):
            flaws.append((moment, source["status"], rules(source), reason(source)))
        events += sum(source["events"].values())
    suite.same(f"{name}: nothing is held in {len(editions)} nights", flaws, [])
    got = {(r["area_code"], r["dims"], r["period"]): Decimal(r["value"]) for r in feed.rows() if r["value"]}
    suite.true(f"{name}: the last edition is what is there", got == last, f"{len(got)} rows, wanted {len(last)}")
    suite.true(f"{name}: there was something to judge", events >= len(last), events)
    feed.close()


def rates_year():
    path = PAYLOADS / "ecb/eurofxref-hist.zip"
    if not path.is_file():
        suite.skip("a year of exchange rates", "the recorded payloads are not here")
        return
    header, records = table(unzipped(path.read_bytes()))
    records = sorted((r for r in records if r), key=lambda r: r[0])
    end = records[-1][0]
    year = [r[0] for r in records if r[0] > f"{int(end[:4]) - 1}{end[4:]}"]
    begin = f"{int(end[:4]) - 1}-01-01"
    feed = Feed("rates", {"files": "data.csv", "dataset": "EXR", "indicator": "=EXR", "area": "=U2", "area_scheme": "ECB", "period": "Date",
                          "freq": "D", "wide": "CURRENCY", "missing": "N/A"})
    shown = {r[0]: [r for r in records if begin <= r[0]][:i + 1] for i, r in enumerate(x for x in records if begin <= x[0])}
    editions = [(f"{day}T16:00:00Z", as_csv(header, reversed(shown[day]))) for day in spread(year, NIGHTS)]
    last = {("U2", f"CURRENCY={c.strip()}", r[0]): Decimal(v) for r in shown[end] for c, v in list(zip(header, r))[1:]
            if c.strip() and v.strip() not in ("", "N/A")}
    suite.true("the year is one", len(year) >= 250, len(year))
    every_night("exchange rates", feed, editions, last)


def covid_month():
    path = PAYLOADS / "owid/owid-covid-data_2020-08-15.csv.gz"
    if not path.is_file():
        suite.skip("a month of case counts", "the recorded payloads are not here")
        return
    header, records = table(gzip.decompress(path.read_bytes()))
    at = [header.index(c) for c in ("iso_code", "location", "date", "total_cases")]
    records = [tuple(r[i] for i in at) for r in records]
    days = sorted({r[2] for r in records})[-31:]
    feed = Feed("cases", {"files": "data.csv", "dataset": "COVID", "area": "iso|location", "area_scheme": "OWID", "period": "date",
                          "value": "cases"})
    editions = [(f"{day}T20:00:00Z", as_csv(["iso", "location", "date", "cases"], [r for r in records if r[2] <= day]))
                for day in spread(days, min(31, max(2, NIGHTS // 8)))]
    last = {(r[0] or r[1], "", r[2]): Decimal(r[3]) for r in records if r[3]}
    every_night("case counts", feed, editions, last)


# ---- real pairs ----

def world_bank_answer(code):
    """The API of the World Bank for one indicator: `body` is the stamp and its rows."""
    def serve(body, target):
        if f"/indicator/{code}" not in target:
            return None
        stamp, _, rows = body.decode().partition("\n")
        head = f'{{"page":1,"pages":1,"per_page":20000,"total":{rows.count("countryiso3code")},"lastupdated":"{stamp}"}}'
        return Answer(f"[{head},[{rows}]]", "application/json;charset=utf-8")
    return serve


def world_bank_edition(code, stamp, values):
    return stamp + "\n" + ",".join(
        f'{{"indicator":{{"id":"{code}","value":"{code}"}},"country":{{"id":"{area}","value":"{area}"}},"countryiso3code":"{area}",'
        f'"date":"{year}","value":{value},"unit":"","obs_status":"","decimal":0}}' for (area, year), value in values.items())


def wide(file, skip, code):
    """{(area, year): text} of one indicator of a World Bank table."""
    header, records = table((PAYLOADS / file).read_bytes(), skip)
    names = ("Series Code", "Indicator Code")
    at, area = next(i for i, h in enumerate(header) if h in names), header.index("Country Code")
    return {(r[area], h[:4]): r[i] for r in records if len(r) > at and r[at] == code for i, h in enumerate(header)
            if re.match(r"\d{4}", h) and i < len(r) and r[i].strip() not in ("", "..")}


def common_areas(a, b):
    both = {k[0] for k in a} & {k[0] for k in b}
    return [{k: v for k, v in x.items() if k[0] in both} for x in (a, b)]


def revision_pair(name, code, old, new, stamps, want):
    """An edition and the one of years later: `want` is what holds it back, and rightly so."""
    feed = Feed(f"pair-{code}-{want}", {"indicators": code, "per_page": 20000}, "worldbank", serve=world_bank_answer(code))
    first = feed.night(world_bank_edition(code, stamps[0], old), "--now", f"{stamps[0]}T20:00:00Z")
    before = feed.rows()
    second = feed.night(world_bank_edition(code, stamps[1], new), "--now", f"{stamps[1]}T20:00:00Z")
    suite.same(f"{name}: the first edition is taken", (first["status"], rules(first)), ("ok", []))
    suite.same(f"{name}: the second is held by {want}", (second["status"], rules(second)), ("held", [want]))
    suite.true(f"{name}: and keeps the first", feed.rows() == before and len(before) == len(old), len(before))
    third = feed.night(world_bank_edition(code, stamps[1], new), "--accept", "--now", f"{stamps[1]}T21:00:00Z")
    suite.same(f"{name}: a person accepts it", (third["status"], third["events"]["revised"] > 0), ("ok", True))
    fourth = feed.night(world_bank_edition(code, stamps[0], old), "--now", f"{stamps[1]}T22:00:00Z")
    suite.same(f"D8 {name}: the old edition again is refused by its stamp", (fourth["status"], rules(fourth)), ("failed", ["max_stale_days"]))
    feed.close()


def world_bank_pairs():
    files = ("worldbank/SP.POP.TOTL_all_countries.json", "worldbank/API_SP.POP.TOTL_DS2_2025-01-28.csv",
             "worldbank/API_NY.GDP.PCAP.KD_DS2_en_csv_v2_9908764.csv", "worldbank/databank_WDI_export_YRcols.csv")
    if not all((PAYLOADS / f).is_file() for f in files):
        suite.skip("two editions of the World Bank", "the recorded payloads are not here")
        return
    old = {(o.key[1], o.key[3]): o.text for o in world_bank((PAYLOADS / files[0]).read_bytes()) if o.text}
    new = wide(files[1], 4, "SP.POP.TOTL")
    # 47 aggregates have other codes in 2025, with a sixth of all rows.
    revision_pair("population as published", "SP.POP.TOTL", old, new, ("2018-04-24", "2025-01-28"), "max_withdrawn_percent")
    # Two thirds of all figures are others after seven years of censuses.
    revision_pair("population of economies", "SP.POP.TOTL", *common_areas(old, new), ("2018-04-24", "2025-01-28"), "max_revised_percent")
    # US dollars of 2010 in one, of 2015 in the other: every figure.
    revision_pair("GDP per head", "NY.GDP.PCAP.KD", *common_areas(wide(files[2], 4, "NY.GDP.PCAP.KD"), wide(files[3], 0, "NY.GDP.PCAP.KD")),
                  ("2018-05-02", "2025-01-28"), "max_revised_percent")


def egdi_pairs():
    bodies = {y: PAYLOADS / f"egov/egdi-{y}.csv" for y in (2010, 2014, 2016)}
    if not all(p.is_file() for p in bodies.values()):
        suite.skip("three editions of the EGDI", "the recorded payloads are not here")
        return
    bodies = {f"/egdi-{y}.csv": p.read_bytes() for y, p in bodies.items()}
    with support.Server(lambda target: Answer(bodies[target], "text/csv") if target in bodies else None) as server:
        site, found = suite.site("egdi"), []
        for years in ("2010", "2010 2014", "2010 2014 2016"):
            site.configure(f"[source s]\nplugin = csv\nbase_url = {server.url}\nfiles = egdi-{{period}}.csv\nperiods = {years}\ndataset = EGDI\n"
                           "area = country-code\nperiod = ={period}\nvalue = EGDI=e-gov-index OSI=osi\n")
            source = site.run("s").sources["s"]
            found.append((source["status"], rules(source)))
        suite.same("EGDI: three editions, one after the other", found, [("ok", [])] * 3)


def rates_pair():
    path = PAYLOADS / "ecb/eurofxref_latest.csv"
    if not path.is_file():
        suite.skip("history and latest rates", "the recorded payloads are not here")
        return
    header, records = table(unzipped((PAYLOADS / "ecb/eurofxref-hist.zip").read_bytes()))
    keys = {"files": "data.csv", "dataset": "EXR", "indicator": "=EXR", "area": "=U2", "area_scheme": "ECB", "period": "Date", "freq": "D",
            "wide": "CURRENCY", "missing": "N/A", "trim": "yes", "cover": "none"}
    feed = Feed("latest", keys)
    first = feed.night(as_csv(header, records[1:101]), "--now", "2026-04-12T16:00:00Z")
    second = feed.night(path.read_bytes(), "--now", "2026-04-13T16:00:00Z")
    suite.same("the latest rates behind the history", [(s["status"], rules(s)) for s in (first, second)], [("ok", []), ("ok", [])])
    suite.true("one day of rates", 25 < second["events"]["new"] < 35 and second["events"]["revised"] == 0, second["events"])
    feed.close()


# ---- anomalies ----

HEADER = ("area", "year", "sex", "value", "unit", "mult")
AREAS = [a + b + c for a in "BCD" for b in "AEIOU" for c in "NRST"]  # 60
YEARS = range(2005, 2025)
SEXES = ("F", "M", "T")
MOMENT = "2025-06-01T03:00:00Z"


def value(i):
    """Two digits behind the point, 10 to 99."""
    return f"{10 + i * 37 % 8990 / 100:.2f}"


BASE = [[a, str(y), s, value(i * 61 + k * 7 + n), "PT", "0"] for i, a in enumerate(AREAS) for k, y in enumerate(YEARS)
        for n, s in enumerate(SEXES)]


def changed(choose, change):
    """A copy of the base: `change` of every row that `choose` wants (None: the row is left out)."""
    rows = [change(list(r)) if choose(r) else r for r in BASE]
    return [r for r in rows if r]


def set_value(f):
    def change(r):
        r[3] = f(r[3])
        return r
    return change


def put(i, text):
    def change(r):
        r[i] = text(r[i]) if callable(text) else text
        return r
    return change


def times(factor):
    return set_value(lambda v: format((Decimal(v) * Decimal(factor)).quantize(Decimal("0.0001")).normalize(), "f"))


def gone(_):
    return None


def nth(n):
    index = {tuple(r): i for i, r in enumerate(BASE)}
    return lambda r: index[tuple(r)] % n == 0


# The anomaly of RELIABILITY 2.5, the answer, what becomes of it, its rule, what its reason shows.
SEEDS = [
    ("D1 header only", [], "failed", None, "no observations"),
    ("D2 an eighth of the rows is gone", changed(lambda r: r[1] < "2008", gone), "held", "min_rows_percent", "3060 live rows .* 3600.*BAN SEX=F 2005"),
    ("D2 rows double", BASE + [[a, str(y), s, value(y), "PT", "0"] for a in AREAS for y in range(1980, 2005) for s in SEXES], "held",
     "max_rows_percent", "8100 live rows .* 3600.*BAN SEX=F 1980"),
    ("D4 another unit", changed(lambda r: r[0] == "BAN", put(4, "USD")), "held", "max_unit_changed_percent",
     "60 of 3600 .*BAN SEX=F 2005: 'PT' -> 'USD'"),
    ("D4 another multiplier", changed(lambda r: True, put(5, "3")), "held", "max_unit_changed_percent", r"3600 of 3600 .*10\^0 -> 10\^3"),
    ("D4 another frequency", changed(lambda r: True, put(1, lambda y: y + "-Q4")), "held", "max_freq_changed_percent", "3600 of 3600.*BAN SEX=F"),
    ("D4 another base year", changed(lambda r: r[2] == "T", times("1.0873")), "held", "max_revised_percent", "1200 of 3600.*BAN SEX=T 2005: .* -> "),
    ("D5 a third is revised", changed(nth(3), times("1.03")), "held", "max_revised_percent", "1200 of 3600"),
    ("D5 one value a hundredfold", changed(lambda r: r[:3] == ["DUT", "2020", "F"], times(100)), "held", "max_factor",
     "1 in all: I DUT SEX=F 2020: 31.98 -> 3198"),
    ("D5 an area a thousandth", changed(lambda r: r[0] == "DOS", times("0.001")), "held", "max_factor", "60 in all: I DOS"),
    ("D5 an area tenfold", changed(lambda r: r[0] == "DOS", times(10)), "held", "max_rescaled_percent", "60 of 3600 .*DOS"),
    ("D5 the new values a thousandfold", BASE + [[a, "2025", s, value(i) + "7e3", "PT", "0"] for i, a in enumerate(AREAS) for s in SEXES], "held",
     "max_jumped_percent", "180 of 180 new values.*BAN SEX=F 2025"),
    ("D6 four of sixty areas vanish", changed(lambda r: r[0] in AREAS[:4], gone), "held", "max_lost_codes_percent", "areas: 4 gone, the last commit had 60, .*: BAN"),
    ("D7 a period far in the future", BASE + [["BAN", "2099", "F", "12.1", "PT", "0"]], "held", "max_future_days", "2099-01-01.*: I BAN SEX=F 2099"),
    ("D7 the newest period is gone", changed(lambda r: r[1] == "2024", gone), "held", "max_backward_days", "2023-01-01.*2024-01-01.*BAN SEX=F 2024"),
    ("D7 two values for a period", BASE + changed(nth(50), times("1.5"))[::50], "failed", "max_quarantined_percent", "contradict others.*has two values"),
    ("D10 a third more areas", BASE + [[a[:2] + "X", y, s, v, u, m] for a, y, s, v, u, m in BASE if a[2] == "N"][:3600] +
     [[a[:2] + "Z", y, s, v, u, m] for a, y, s, v, u, m in BASE if a[2] == "N"], "held", "max_new_codes_percent", "areas: 30 new, the last commit had 60, .*: BAX"),
    ("D10 a dimension gets other codes", changed(lambda r: True, put(2, lambda s: "SEX_" + s)), "held", "max_withdrawn_percent", "3600 of 3600"),
]


def anomalies():
    feed = Feed("anomalies", {"files": "data.csv", "dataset": "D", "indicator": "=I", "area": "area", "period": "year", "value": "value",
                              "dims": "SEX=sex", "unit": "unit", "unit_mult": "mult"})
    good = as_csv(HEADER, BASE)
    suite.same("the good edition", feed.night(good, "--now", MOMENT)["status"], "ok")
    before, kept = feed.rows(), feed.site.snapshot()
    for name, rows, status, rule, shows in SEEDS:
        bad = feed.night(as_csv(HEADER, rows), "--now", MOMENT)
        suite.same(f"{name}: {status} by {rule or 'no rule'}", (bad["status"], rules(bad)), (status, [rule] if rule else []))
        suite.true(f"{name}: the reason shows it", re.search(shows, reason(bad)), reason(bad))
        suite.true(f"{name}: the last good rows stay", feed.rows() == before)
        suite.same(f"{name}: the next good answer passes", feed.night(good, "--now", MOMENT)["status"], "unchanged")
    suite.true("no anomaly left an event", {k: v for k, v in feed.site.snapshot().items() if k.startswith("stream/")}
               == {k: v for k, v in kept.items() if k.startswith("stream/")})
    ordinary(feed, good)
    feed.close()


def ordinary(feed, good):
    """What is no anomaly, and what a person lets pass."""
    nights = [
        ("one area in sixty is withdrawn", changed(lambda r: r[0] == "BAN", gone), {"withdrawn": 60}),
        ("and comes back", BASE, {"restored": 60}),
        ("a fifth is revised", changed(nth(5), times("1.01")), {"revised": 720}),
        ("and back", BASE, {"revised": 720}),
        ("a new year", BASE + [[a, "2025", s, value(i), "PT", "0"] for i, a in enumerate(AREAS) for s in SEXES], {"new": 180}),
        ("a typing error of the provider is put right", None, {"revised": 1}),
    ]
    rows = nights[4][1]
    wrong = [times(100)(list(r)) if r[:3] == ["DUT", "2020", "F"] else r for r in rows]
    for name, answer, events in nights[:5]:
        s = feed.night(as_csv(HEADER, answer), "--now", MOMENT)
        suite.same(f"{name}: passes", (s["status"], {k: n for k, n in s["events"].items() if n}), ("ok", events))
    s = feed.night(as_csv(HEADER, wrong), "--now", MOMENT, "--accept")
    suite.same("--accept lets what would be held pass", (s["status"], s["events"]["revised"]), ("ok", 1))
    s = feed.night(as_csv(HEADER, rows), "--now", MOMENT)
    suite.same("a single error put right passes by itself", (s["status"], s["events"]["revised"]), ("ok", 1))
    s = feed.night(as_csv(HEADER, rows + changed(nth(50), times("1.5"))[::50]), "--now", MOMENT, "--accept")
    suite.same("--accept takes no two values for a period", (s["status"], rules(s)), ("failed", ["max_quarantined_percent"]))
    feed.night(good, "--now", MOMENT, "--accept")
    flips = [feed.night(as_csv(HEADER, x), "--now", MOMENT) for x in (changed(nth(3), times("1.03")), BASE, changed(nth(3), times("1.03")), BASE)]
    suite.same("D9 A, B, A, B, A: B is held each time, A stands", [s["status"] for s in flips], ["held", "unchanged"] * 2)
    suite.same("D11 the same again: nothing", sum(feed.night(good, "--now", MOMENT)["events"].values()), 0)


def stale():
    """A mirror that lags behind: its stamp is older than that of the last commit."""
    values = {(a, y): value(i * 31 + y) for i, a in enumerate(AREAS) for y in range(2015, 2025)}
    feed = Feed("stale", {"indicators": "X.Y", "per_page": 20000}, "worldbank", serve=world_bank_answer("X.Y"))
    first = feed.night(world_bank_edition("X.Y", "2025-01-28", values), "--now", MOMENT)
    before = feed.rows()
    old = feed.night(world_bank_edition("X.Y", "2025-01-01", {**values, ("BAN", 2024): "11.11"}), "--now", MOMENT)
    suite.same("D8 an older stamp than ours: refused, the rows stay", (first["status"], old["status"], rules(old), feed.rows() == before),
               ("ok", "failed", ["max_stale_days"], True))
    again = feed.night(world_bank_edition("X.Y", "2025-02-01", {**values, ("BAN", 2024): "11.11"}), "--now", MOMENT)
    suite.same("D8 a newer one passes", (again["status"], again["events"]["revised"]), ("ok", 1))
    feed.close()


def cut_list():
    """A list that a spreadsheet or a service cuts, as the first answer and as a later one."""
    options = {"files": "data.csv", "dataset": "D", "indicator": "=I", "area": "area", "period": "year", "value": "value"}
    rows = [[f"A{i:03}", str(1990 + y), str(i + y)] for i in range(400) for y in range(26)]
    cut = as_csv(HEADER[:2] + ("value",), rows[:10000])
    feed = Feed("cut", options)
    first = feed.night(cut, "--now", MOMENT)
    suite.same("D2 a first answer of exactly 10,000 rows", (first["status"], rules(first)), ("held", ["row_limits"]))
    whole = feed.night(as_csv(HEADER[:2] + ("value",), rows), "--now", MOMENT)
    suite.same("the whole list passes", (whole["status"], whole["events"]["new"]), ("ok", 10400))
    again = feed.night(cut, "--now", MOMENT)
    suite.same("D2 a list cut at 10,000 rows", (again["status"], rules(again)), ("held", ["row_limits"]))
    suite.true("says how many there were", re.search("exactly 10000 rows.*10400", reason(again)), reason(again))
    feed.close()
    # what an .xls sheet holds, with its header and without one; the numbers of .xlsx: test_gate
    rows = [[f"A{i:03}", str(1900 + y), str(i + y)] for i in range(700) for y in range(100)]
    for n in (65535, 65536):
        feed = Feed(f"cut-{n}", options)
        suite.same(f"D2 a list of 70,000 rows, before it is cut at {n}", feed.night(as_csv(HEADER[:2] + ("value",), rows), "--now", MOMENT)["status"], "ok")
        cut = feed.night(as_csv(HEADER[:2] + ("value",), rows[:n]), "--now", MOMENT)
        suite.same(f"D2 is held at {n}", (cut["status"], rules(cut)), ("held", ["row_limits"]))
        feed.close()


def cut_window():
    """A feed of the last sixty days that is cut between them, behind a history beside which its sixty days are few."""
    days = [(date(2022, 1, 1) + timedelta(i)).isoformat() for i in range(1000)]
    currencies = [a + b + "X" for a in "ABCDE" for b in "AEIOUY"]

    def xml(shown, few=()):
        cubes = "".join(f'<Cube time="{day}">' + "".join(f'<Cube currency="{c}" rate="{value(days.index(day) * 31 + i)}"/>' for i, c in
                        enumerate(currencies[:3] if day in few else currencies)) + "</Cube>" for day in shown)
        return f"<Envelope><Cube>{cubes}</Cube></Envelope>"

    feed = Feed("window", {}, "ecb", "/eurofxref-hist-90d.xml", "text/xml")
    window = days[-60:]
    found = [feed.night(xml(shown), "--now", MOMENT) for shown in (days, window)]
    suite.same("a feed of sixty days behind a thousand", [(s["status"], s["events"]["new"]) for s in found], [("ok", 30000), ("unchanged", 0)])
    cut = feed.night(xml(window, window[1:-1]), "--now", MOMENT)
    suite.same("D2 seven eighths of a window are gone", (cut["status"], rules(cut)), ("held", ["min_rows_percent"]))
    suite.true("says how many there were in it", "234 live rows in the range where the last commit had 1800," in reason(cut), reason(cut))
    suite.same("the whole window passes", feed.night(xml(window), "--now", MOMENT)["status"], "unchanged")
    suite.same("and nothing is withdrawn", len(feed.rows()), 30000)
    feed.close()


def small():
    """A slice of a few rows changes as it likes, but does not vanish."""
    options = {"files": "data.csv", "dataset": "D", "indicator": "=I", "area": "area", "period": "year", "value": "value"}
    feed = Feed("small", options)
    nights = ["BEN,2020,1\nTGO,2020,2.5\nGHA,2020,3\n", "BEN,2020,2\nTGO,2020,4\nGHA,2020,7\nGHA,2021,8\n",
              "BEN,2020,3\nTGO,2020,9\nGHA,2020,1\nGHA,2021,20\nMLI,2021,4\nNER,2021,4\nCIV,2021,1\nBFA,2021,1\n"]
    found = [feed.night("area,year,value\n" + n, "--now", MOMENT) for n in nights]
    suite.same("a small slice is revised, and grows", [(s["status"], rules(s)) for s in found], [("ok", [])] * 3)
    feed.close()


anomalies()
stale()
cut_list()
cut_window()
small()
world_bank_pairs()
egdi_pairs()
rates_pair()
covid_month()
rates_year()
sys.exit(suite.finish())
