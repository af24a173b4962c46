# SPDX-License-Identifier: MIT
"""The recorded answers of the providers that the three source plugins read: how a source is configured for each, how the provider
would serve it, and what it holds, read here with Python's own modules and nothing of glane."""
import csv
import gzip
import io
import json
import re
import zipfile
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from support import Answer, PAYLOADS, seven_zip


class Obs:
    """One slot of a file: what identifies it, its text, and what the provider says about it beside the text."""
    __slots__ = ("key", "text", "said")

    def __init__(self, indicator, area, dims, period, text, said=""):
        self.key, self.text, self.said = (indicator, area, dims, period), text, said

    def is_kept(self):
        return bool(self.text or self.said)

    def number(self):
        try:
            return Decimal(self.text) if self.text else None
        except InvalidOperation:
            return None


class Recording:
    """`options`: of the plugin, without base_url. `serve`: the recorded bytes -> routes of the provider, below base_url. `read`: the
    recorded bytes -> every Obs in file order."""

    def __init__(self, file, plugin, options, serve, read):
        self.file, self.plugin, self.options, self.serve, self.read = file, plugin, options, serve, read

    def body(self):
        return (PAYLOADS / self.file).read_bytes()

    def section(self, name, base_url, **more):
        keys = {"plugin": self.plugin, "base_url": base_url, **self.options, **more}
        return f"[source {name}]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items()) + "\n"

    def words(self):
        """The options as `glane parse` takes them, for one plain file; its own --source means the column of that name."""
        period = str(self.options.get("periods", ""))
        return [f"--{k}={str(v).replace('{period}', period)}" for k, v in self.options.items()
                if k not in ("source", "files", "member", "periods")]


def table(text, skip=0, encoding="utf-8-sig"):
    """Header and records of a CSV."""
    records = list(csv.reader(io.StringIO(text.decode(encoding), newline="")))[skip:]
    return records[0], records[1:]


def long_csv(indicator, area, period, value, said=lambda r: "", encoding="utf-8-sig"):
    """A record is an observation; the arguments take it as a dictionary. `value` is a column's name."""
    def read(body):
        header, records = table(body, encoding=encoding)
        rows = (dict(zip(header, r)) for r in records)
        return [Obs(indicator(r), area(r), "", period(r), r[value], said(r)) for r in rows]
    return read


def wide_years(area, indicator, skip=0, missing=()):
    """A column per year, whatever else its header says."""
    def read(body):
        header, records = table(body, skip)
        years = [(i, m.group(1)) for i, m in ((i, re.fullmatch(r"F?(\d{4})(?: \[YR\1\])?", h)) for i, h in enumerate(header)) if m]
        at_area, at_indicator = header.index(area), header.index(indicator)
        return [Obs(r[at_indicator], r[at_area], "", year, "" if r[i] in missing else r[i])
                for r in records if len(r) > at_area and r[at_area] for i, year in years]
    return read


def exchange_rates(day=lambda text: text):
    """A column per currency; N/A where there is no rate."""
    def read(body):
        header, records = table(unzipped(body))
        currencies = [(i, h.strip()) for i, h in enumerate(header) if i and h.strip()]
        return [Obs("EXR", "U2", f"CURRENCY={c}", day(r[0].strip()), r[i].strip() if r[i].strip() != "N/A" else "")
                for r in records if r for i, c in currencies]
    return read


def unzipped(body):
    if not body.startswith(b"PK"):
        return body
    archive = zipfile.ZipFile(io.BytesIO(body))
    return archive.read(archive.namelist()[0])


def world_bank(body):
    rows = json.loads(body.decode("utf-8-sig"), parse_float=str, parse_int=str)[1]
    return [Obs(r["indicator"]["id"], r["countryiso3code"] or r["country"]["id"], "", r["date"],
                "" if r["value"] is None else str(r["value"]), r.get("obs_status") or "") for r in rows]


def world_bank_rows(body):
    """The head of the document, and the text of each row with every byte kept."""
    text = body.decode("utf-8-sig")
    decode = json.JSONDecoder().raw_decode
    head, at = decode(text, text.index("{"))
    rows, at = [], text.index("[", at)
    while (at := text.find("{", at)) >= 0:
        _, end = decode(text, at)
        rows.append(text[at:end])
        at = end
    return head, rows


def world_bank_body(head, rows):
    return ("[" + json.dumps(head) + ",[" + ",".join(rows) + "]]").encode()


def world_bank_pages(path):
    """The API itself: pages of per_page rows, cut out of the recorded document."""
    def serve(body):
        head, rows = world_bank_rows(body)

        def answer(target):
            url, query = urlsplit(target), parse_qs(urlsplit(target).query)
            if url.path != path or query.get("format") != ["json"] or "source" not in query:
                return Answer('[{"message":[{"id":"120","key":"Invalid value","value":"not what was recorded"}]}]', "application/json")
            size, page = int(query.get("per_page", ["50"])[0]), int(query.get("page", ["1"])[0])
            envelope = {**head, "page": page, "pages": -(-len(rows) // size), "per_page": size, "total": len(rows)}
            return Answer(world_bank_body(envelope, rows[(page - 1) * size:page * size]), "application/json;charset=utf-8")
        return answer
    return serve


def at(target, kind, pack=lambda body: body, **more):
    """One file at one address."""
    def serve(body):
        answer = Answer(pack(body), kind, **more)
        return lambda asked: answer if asked == target else None
    return serve


def zipped(names):
    """A zip in which the recorded file is the first of these entries."""
    def pack(body):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for i, name in enumerate(names):
                archive.writestr(name, body if i == 0 else "a,b\n1,2\n")
        return out.getvalue()
    return pack


def wb_bulk(file, code):
    """The bulk download of one indicator: a zip with the data and two tables of metadata."""
    names = [f"API_{code}_DS2_en_csv_v2_1.csv", f"Metadata_Indicator_API_{code}_DS2_en_csv_v2_1.csv",
             f"Metadata_Country_API_{code}_DS2_en_csv_v2_1.csv"]
    return Recording(file, "csv", {**WB_WIDE, "files": f"en/indicator/{code}?downloadformat=csv", "member": "API_*.csv"},
                     at(f"/en/indicator/{code}?downloadformat=csv", "application/zip", zipped(names)),
                     wide_years("Country Code", "Indicator Code", skip=4))


def owid(file, slug, column):
    return Recording(file, "csv", {"files": f"{slug}.csv?v=1&csvType=full", "dataset": slug, "area": "Entity", "area_scheme": "OWID_NAME",
                                   "period": "Year", "value": f'"{column}"'},
                     at(f"/{slug}.csv?v=1&csvType=full", "text/csv", etag='W/"1"'),
                     long_csv(lambda r: column, lambda r: r["Entity"], lambda r: r["Year"], column))


def itu(file, code):
    return Recording(file, "csv", {"files": f"download?codesid={code}", **ITU}, at(f"/download?codesid={code}", "text/csv; charset=utf-8"),
                     long_csv(lambda r: r["seriesCode"], lambda r: r["entityIso"], lambda r: r["dataYear"], "dataValue",
                              lambda r: r["dataNote"]))


def egdi(year):
    return Recording(f"egov/egdi-{year}.csv", "csv",
                     {"files": "egdi-{period}.csv", "periods": year, "dataset": "EGDI", "area": "country-code", "period": "={period}",
                      "value": "EGDI=e-gov-index"},
                     at(f"/egdi-{year}.csv", "application/octet-stream", modified="Mon, 02 Nov 2026 10:00:00 GMT"),
                     long_csv(lambda r: "EGDI", lambda r: r["country-code"], lambda r: str(year), "e-gov-index"))


def gdp(body):
    return long_csv(lambda r: GDP, lambda r: r["Economy"], lambda r: r["Year"], GDP,
                    lambda r: r[GDP + " Footnote"] + r[GDP + " Missing value"])(body)


def covid(body):
    return long_csv(lambda r: "total_cases", lambda r: r["iso_code"] or r["location"], lambda r: r["date"], "total_cases")(gzip.decompress(body))


GDP = "US$ at current prices in millions"
WB_WIDE = {"skip": 4, "ragged": "yes", "dataset": "WDI", "indicator": "Indicator Code", "area": "Country Code", "area_scheme": "WB",
           "title": "Indicator Name", "value": "*"}
ITU = {"dataset": "ITU", "indicator": "seriesCode", "area": "entityIso", "area_scheme": "ITU", "period": "dataYear", "value": "dataValue", "unit": "seriesUnits",
       "note": "dataNote"}
RATES = {"dataset": "EXR", "indicator": "=EXR", "area": "=U2", "area_scheme": "ECB", "period": "Date", "freq": "D", "wide": "CURRENCY"}
RECORDINGS = [
    Recording("worldbank/SP.POP.TOTL_all_countries.json", "worldbank", {"indicators": "SP.POP.TOTL", "per_page": 4000},
              world_bank_pages("/country/all/indicator/SP.POP.TOTL"), world_bank),
    Recording("worldbank/GEP_NYGDPMKTPKDZ_FRA.json", "worldbank",
              {"indicators": "NYGDPMKTPKDZ", "database": 27, "countries": "FRA", "language": "fr", "per_page": 7},
              world_bank_pages("/fr/country/FRA/indicator/NYGDPMKTPKDZ"), world_bank),
    wb_bulk("worldbank/API_IT.NET.USER.ZS_DS2_en_csv_v2.csv", "IT.NET.USER.ZS"),
    wb_bulk("worldbank/API_NY.GDP.PCAP.KD_DS2_en_csv_v2_9908764.csv", "NY.GDP.PCAP.KD"),
    wb_bulk("worldbank/API_SP.POP.TOTL_DS2_2025-01-28.csv", "SP.POP.TOTL"),
    Recording("worldbank/databank_WDI_export_YRcols.csv", "csv",
              {"ragged": "yes", "dataset": "WDI", "indicator": "Series Code", "area": "Country Code", "area_scheme": "WB", "value": "*",
               "files": "WDI.csv"},
              at("/WDI.csv", "text/csv", etag='"2025-01-28"'), wide_years("Country Code", "Series Code", missing=[".."])),
    Recording("ecb/eurofxref-hist.zip", "csv", {**RATES, "files": "eurofxref-hist.zip", "missing": "N/A"},
              at("/eurofxref-hist.zip", "application/zip", etag='"e1"'), exchange_rates()),
    Recording("ecb/eurofxref_latest.csv", "csv", {**RATES, "files": "eurofxref.zip", "trim": "yes"},
              at("/eurofxref.zip", "application/x-zip-compressed", zipped(["eurofxref.csv"])),
              exchange_rates(lambda text: datetime.strptime(text, "%d %B %Y").strftime("%Y-%m-%d"))),
    owid("owid/long_run_life_expectancy.csv", "long-run-life-expectancy", "Life expectancy (Gapminder, UN)"),
    owid("owid/under5_mortality.csv", "under5-mortality", "Under 5 mortality rate [Our World in Data]"),
    Recording("owid/owid-covid-data_2020-08-15.csv.gz", "csv",
              {"files": "owid-covid-data.csv.gz", "dataset": "COVID", "area": "iso_code|location", "area_scheme": "OWID", "period": "date",
               "value": "total_cases"},
              at("/owid-covid-data.csv.gz", "application/gzip"), covid),
    itu("itu/fixed-broadband-subscriptions.csv", 19303),
    itu("itu/individuals-using-the-internet.csv", 11624),
    egdi(2010), egdi(2014), egdi(2016),
    Recording("lpi/International_LPI_from_2007_to_2023.csv", "csv",
              {"files": "International_LPI_from_2007_to_2023.csv", "dataset": "LPI", "area": "Economy", "area_scheme": "WB_NAME",
               "period": "=2023", "value": 'LPI.OVRL="LPI Score"'},
              at("/International_LPI_from_2007_to_2023.csv", "text/csv"),
              long_csv(lambda r: "LPI.OVRL", lambda r: r["Economy"], lambda r: "2023", "LPI Score")),
    Recording("unctad/US_GDPTotal.csv", "csv",
              {"files": "US.GDPTotal/US_GDPTotal", "dataset": "US.GDPTotal", "area": "Economy", "area_title": "Economy Label",
               "area_scheme": "UNCTAD", "period": "Year", "value": f'"{GDP}"', "flags": "{value} Missing value",
               "note": "{value} Footnote", "status_map": '"Not applicable=M" "Not publishable=Q"'},
              at("/US.GDPTotal/US_GDPTotal", "application/octet-stream", lambda body: seven_zip("US_GDPTotal.csv", body)), gdp),
]
RECORDINGS = [r for r in RECORDINGS if (PAYLOADS / r.file).is_file()]


def entries():
    """The lines of payloads.d/*.tsv: file, plugin, options, what is expected (payloads.py says how)."""
    for table in sorted(Path(__file__).with_name("payloads.d").glob("*.tsv")):
        for number, line in enumerate(table.read_text().splitlines(), 1):
            if line and not line.startswith("#"):
                cells = line.split("\t")
                if len(cells) != 4:
                    raise SystemExit(f"{table.name}, line {number}: {len(cells)} cells, not file, plugin, options, expectation")
                yield cells
