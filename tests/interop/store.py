#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A store written by real runs, read by other engines as it lies on disk: delta-rs, Polars, DuckDB, pyarrow and Spark see the rows
of `export --withdrawn`, values to the last bit. The packages come from PyPI into build/interop-delta and build/interop-spark (made
once); without them the suite, or Spark's part of it, is skipped. Prints TAP."""
import csv
import datetime
import io
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(os.environ.get("GLANE_TOP", Path(__file__).resolve().parents[2]))
GLANE = os.environ.get("GLANE", str(TOP / "build/glane"))
OUT = Path(os.environ.get("GLANE_OUT", TOP / "build/release")).resolve()
VENV = TOP / "build/interop-delta"
PACKAGES = ["pyarrow", "deltalake", "polars", "duckdb", "pytz"]
SPARK_PACKAGES = ["pyspark==3.5.3", "delta-spark==3.3.0"]
NIGHTS = int(os.environ.get("GLANE_INTEROP_NIGHTS", "23"))  # enough for a checkpoint


def skip(why):
    print("1..0 # SKIP skipped: " + why)
    sys.exit(0)


def environment(folder, packages):
    """The interpreter of an environment with these packages, made where it is not there; or None and the reason."""
    python, done = folder / "bin/python", folder / "packages"
    if not done.exists():
        for command in ([sys.executable, "-m", "venv", str(folder)],
                        [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages]):
            try:
                made = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=400)
            except (OSError, subprocess.TimeoutExpired) as e:
                return None, f"{command[-1]}: {e}"
            if made.returncode:
                return None, "no environment with " + " ".join(packages) + ": " + made.stdout.decode()[-200:].replace("\n", " ")
        done.write_text("\n".join(packages) + "\n")
    return python, None


def enter_venv():
    """Runs this script again under the interpreter that has the packages."""
    if os.environ.get("GLANE_INTEROP_DELTA"):
        skip("the packages are there, but one of them does not load")
    python, why = environment(VENV, PACKAGES)
    if not python:
        skip(why)
    os.environ["GLANE_INTEROP_DELTA"] = str(VENV)
    os.execv(python, [str(python), *sys.argv])


try:
    import deltalake
    import duckdb
    import polars
    import pyarrow.dataset
    import pyarrow.parquet
except ImportError:
    enter_venv()

WORK = Path(tempfile.mkdtemp(prefix="glane-interop-"))
STORE = WORK / "store"
results = []


def check(name, fine, detail=""):
    results.append(bool(fine))
    print(("" if fine else "not ") + f"ok {len(results)} - {name}")
    if not fine:
        print("#", str(detail).replace("\n", "\n# ")[:3000])
    sys.stdout.flush()


def glane(*args):
    done = subprocess.run([GLANE, "-c", str(WORK / "conf/glane.conf"), *args], capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout, done.stderr


def write_csv(name, rows):
    with open(WORK / name, "w", newline="") as f:
        out = csv.writer(f)
        out.writerow(["code", "year", "value", "flag", "note"])
        out.writerows(rows)


def configure(port):
    (WORK / "conf/sources.d").mkdir(parents=True)
    (WORK / "conf/glane.conf").write_text(
        f"[glane]\nstore = ../store\nplugin_path = {OUT}/plugins\ntables = {TOP}/conf\njobs = 2\n")
    for name in ("first", "second"):
        (WORK / f"conf/sources.d/{name}.conf").write_text(
            f"[source {name}]\nplugin = csv\nbase_url = http://127.0.0.1:{port}\nfiles = {name}.csv\ndataset = D-{name}\n"
            "indicator = =I\narea = code\nperiod = year\nvalue = value\nflags = flag\nnote = note\nunit = =PT\n"
            "area_scheme = ISO3\nretries = 0\nlicence = CC BY 4.0\n")


ODD = ["12.50", "0.1", "-0.30", "1e3", "5e-7", "123456789012345678901234567890", "0.1000000000000000055511151231257827", "1e21",
       "99999999999999.9", "9007199254740993", "-1", "0", "3.14159265358979", "179769313486231570000", "0.000001"]


def rows_of(night, source):
    rows = []
    for a, area in enumerate(("TGO", "BEN", "MLI", "FRA")):
        for y in range(1990, 2020):
            rows.append([area, y, ODD[(a * 7 + y) % len(ODD)], "", ""])
    rows[0][3], rows[1][4] = "p \u00e9", 'says "it", and\nmore'
    if source == "first":
        rows[5][2] = f"{night}.5"                 # a revision every night
        rows.append(["GHA", 1990 + night, "7", "", ""])  # a year appears, the one of the night before is withdrawn
    return rows


def bits(x):
    return None if x is None else struct.pack(">d", x)


def text(v):
    return "" if v is None else str(v)


def moment(v):
    if isinstance(v, datetime.datetime):
        v = v.astimezone(datetime.timezone.utc) if v.tzinfo else v
        return v.strftime("%Y-%m-%dT%H:%M:%SZ")
    return v


def exported(*args):
    """{key: row} of `export --withdrawn`."""
    code, out, err = glane("export", "--withdrawn", *args)
    if code:
        return {"error": err}
    return sorted(tuple(bits(float(v)) if c == "value" and v else None if c == "value" else v for c, v in r.items())
                  for r in csv.DictReader(io.StringIO(out, newline="")))


def engine_rows(records, columns):
    return sorted(tuple(bits(r[c]) if c == "value" else moment(r[c]) if c.endswith("_at") else text(r[c]) for c in columns)
                  for r in records)


def files_of(table, store=STORE, version=None):
    return deltalake.DeltaTable(str(store / table), version=version).file_uris()


def by_deltalake(table, store=STORE, version=None):
    return deltalake.DeltaTable(str(store / table), version=version).to_pyarrow_table().to_pylist()


def by_polars(table, store=STORE, version=None):
    return polars.read_delta(str(store / table), version=version).to_dicts()


def by_pyarrow(table, store=STORE, version=None):
    return [r for f in files_of(table, store, version) for r in pyarrow.parquet.read_table(f.replace("file://", "")).to_pylist()]


def by_duckdb(table, store=STORE, version=None):
    con = duckdb.connect()
    con.sql("SET TimeZone = 'UTC'")
    where = f"read_parquet({[f.replace('file://', '') for f in files_of(table, store, version)]!r})"
    if version is None and not by_duckdb.without:
        try:
            con.sql("INSTALL delta; LOAD delta")
            where = f"delta_scan('{store / table}')"
        except duckdb.Error:
            by_duckdb.how, by_duckdb.without = "by the files that the log names: its Delta reader cannot be had", True
    found = con.sql(f"SELECT * FROM {where}")
    return [dict(zip(found.columns, r)) for r in found.fetchall()]


by_duckdb.how, by_duckdb.without = "by its Delta reader", False
ENGINES = {"deltalake": by_deltalake, "polars": by_polars, "pyarrow": by_pyarrow, "duckdb": by_duckdb}


def compare_engines(columns, want, version=None, store=STORE, what=""):
    for name, read in ENGINES.items():
        try:
            got = engine_rows(read("current", store, version), columns)
        except Exception as e:  # whatever an engine raises is a finding
            check(f"{name}{what}", False, repr(e))
            continue
        differ = [(a, b) for a, b in zip(got, want) if a != b][:2]
        how = f" ({by_duckdb.how})" if name == "duckdb" else ""
        check(f"{name}{how}{what}: the rows of export --withdrawn", got == want, (len(got), len(want), differ))


def nights():
    reports = []
    for night in range(NIGHTS):
        for source in ("first", "second"):
            write_csv(f"{source}.csv", rows_of(night, source))
        code, out, err = glane("run", "--json", "--accept", "first", "second")
        report = json.loads(out) if out else {}
        if code or not report:
            check(f"night {night}", False, (code, out, err))
            return reports
        reports.append((report, deltalake.DeltaTable(str(STORE / "current")).version()))
    return reports


def main():
    server = None
    try:
        routes = {f"/{s}.csv": {"file": f"{s}.csv", "content_type": "text/csv"} for s in ("first", "second")}
        (WORK / "routes.json").write_text(json.dumps(routes))
        server = subprocess.Popen([sys.executable, str(TOP / "tests/support/fault_server.py"), "--routes", str(WORK / "routes.json"),
                                   "--log", str(WORK / "log")], stdout=subprocess.PIPE, text=True)
        configure(int(re.search(r"\d+", server.stdout.readline()).group()))
        reports = nights()
        columns = glane("export", "--withdrawn")[1].split("\n")[0].split(",")
        want = exported()
        check(f"{NIGHTS} nights", len(reports) == NIGHTS and len(want) == 240 + NIGHTS and
              sum(r[-1] == "withdrawn" for r in want) == NIGHTS - 1, (len(reports), len(want)))
        compare_engines(columns, want)
        one_version(reports)
        stream(reports, columns)
        time_travel(reports, columns)
        spark(reports, columns, want)
        skipping()
        series()
        checkpoint(columns, want)
        strangers()
        code, out, err = glane("check", "--store")
        check("check --store finds nothing", code == 0, (out, err))
    finally:
        if server:
            server.terminate()
            server.wait()
        shutil.rmtree(WORK, ignore_errors=True)
    print(f"1..{len(results)}")
    return 0 if all(results) else 1


def one_version(reports):
    versions = [v for _, v in reports]
    check("one run is one version", versions == list(range(1, NIGHTS + 1)), versions)


SPARK = r"""
import json, struct, sys
from delta import configure_spark_with_delta_pip
from pyspark.sql import SparkSession
b = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC")
b = b.config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
b = b.config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
s = configure_spark_with_delta_pip(b).getOrCreate()
for version in sys.argv[2:]:
    rows = s.read.format("delta").option("versionAsOf", version).load(sys.argv[1])
    for r in rows.collect():
        r = r.asDict()
        r["value"] = None if r["value"] is None else struct.pack(">d", r["value"]).hex()
        for c in ("recorded_at", "known_at"):
            r[c] = r[c].strftime("%Y-%m-%dT%H:%M:%SZ")
        r["period_start"] = str(r["period_start"])
        print("ROW" + json.dumps([version, r]))
"""


def skip_spark(why):
    results.append(True)
    print(f"ok {len(results)} - Spark # SKIP skipped: {why}")


def spark(reports, columns, want):
    """Some 400 MB of packages; Spark itself then fetches the jars of Delta."""
    if not shutil.which("java"):
        return skip_spark("there is no Java")
    python, why = environment(TOP / "build/interop-spark", SPARK_PACKAGES)
    if not python:
        return skip_spark(why)
    early = NIGHTS // 2
    done = subprocess.run([python, "-c", SPARK, str(STORE / "current"), str(reports[-1][1]), str(reports[early][1])],
                          capture_output=True, text=True, timeout=900, env={**os.environ, "TZ": "UTC"})
    if done.returncode and "unresolved dependency" in done.stderr + done.stdout:
        return skip_spark("the jars of Delta could not be fetched")
    rows = [json.loads(line[3:]) for line in done.stdout.split("\n") if line.startswith("ROW")]
    report = reports[early][0]
    for version, expected in ((reports[-1][1], want), (reports[early][1], exported("--as-of", report.get("run") or report["id"]))):
        got = sorted(tuple((bytes.fromhex(r[c]) if r[c] else None) if c == "value" else text(r[c]) for c in columns)
                     for v, r in rows if v == str(version))
        check(f"Spark, version {version}: the rows of export --withdrawn", got == expected,
              (len(got), len(expected), [(a, b) for a, b in zip(got, expected) if a != b][:2], done.stderr[-500:]))
    return None


def stream(reports, columns):
    counted = {}
    for report, _ in reports:
        for s in report["sources"]:
            for event, n in s.get("events", {}).items():
                counted[event] = counted.get(event, 0) + n
    got = {}
    rows = by_deltalake("stream")
    for r in rows:
        got[r["event"]] = got.get(r["event"], 0) + 1
    check("the stream has every event of the reports", all(counted.get(e) == n for e, n in got.items()), (counted, got))
    last = {}
    for r in sorted(rows, key=lambda r: r["recorded_at"]):
        last[tuple(r[c] for c in ("source", "dataset", "indicator", "area_code", "dims", "freq", "period"))] = r
    check("the last events are the current rows", engine_rows(last.values(), columns) == engine_rows(by_polars("current"), columns))


def time_travel(reports, columns):
    for i in (0, NIGHTS // 2):
        report, version = reports[i]
        want = exported("--as-of", report["run"] if "run" in report else report["id"])
        compare_engines(columns, want, version=version, what=f", version {version}")


def skipping():
    table = deltalake.DeltaTable(str(STORE / "current"))
    dataset = table.to_pyarrow_dataset()
    every = len(list(dataset.get_fragments()))
    for column, value in (("source", "second"), ("dataset", "D-first")):
        kept = len(list(dataset.get_fragments(filter=pyarrow.dataset.field(column) == value)))
        check(f"a filter on {column} skips files by their statistics", every == 2 and kept == 1, (every, kept))
    kept = len(list(dataset.get_fragments(filter=pyarrow.dataset.field("value") > 1e30)))
    check("a filter on values too", kept == 0, kept)


def series():
    rows = by_deltalake("series")
    want = {(r["source"], r["area_code"]) for r in by_deltalake("current")}
    check("one row per series, with its extent", {(r["source"], r["area_code"]) for r in rows} == want and
          all(r["licence"] == "CC BY 4.0" for r in rows) and
          [(r["first_period"], r["last_period"], r["observations"]) for r in rows
           if (r["source"], r["area_code"]) == ("second", "FRA")] == [("1990", "2019", 30)], rows[:2])


def checkpoint(columns, want):
    """What is older than our checkpoint is removed from a copy: engines need the checkpoint then."""
    copy = WORK / "copy"
    shutil.copytree(STORE, copy)
    log = copy / "current/_delta_log"
    check("there is a checkpoint", (log / f"{20:020}.checkpoint.parquet").exists() and
          json.loads((log / "_last_checkpoint").read_text())["version"] == 20)
    for v in range(20):
        (log / f"{v:020}.json").unlink()
    compare_engines(columns, want, store=copy, what=", from the checkpoint")


def strangers():
    try:
        deltalake.DeltaTable(str(STORE / "stream")).delete("source = 'first'")
        refused = False
    except Exception as e:
        refused = "append" in str(e).lower()
    check("the stream is append-only to others", refused)
    copy = WORK / "foreign"
    shutil.copytree(STORE, copy)
    deltalake.DeltaTable(str(copy / "current")).delete("source = 'first'")
    for command in (("export",), ("run", "--all")):
        code, out, err = glane("--store", str(copy), *command)
        check(f"{command[0]}: a table that another program wrote to is refused", code == 5 and
              f"version {NIGHTS + 1} was written by delta-rs" in err, (code, err))


sys.exit(main())
