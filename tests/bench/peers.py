# SPDX-License-Identifier: MIT
"""The work of a refresh done with DuckDB or Polars on the files of our store: peers.py JOB CURRENT_GLOB CSV FOLDER.

Runs in the environment that scripts/bench makes for it. Jobs: duckdb-merge and polars-merge read `current` and the new edition,
join them by key, write the new `current`, sorted by key, and the events, both as Parquet with zstd; duckdb-join is the full outer join of
an edition that has not changed, all columns compared; duckdb-csv writes `current` as one CSV; duckdb-parquet as one Parquet file.
Prints how many events (or rows) there were.
"""
import sys
from pathlib import Path

KEY = ["source", "dataset", "indicator", "area_code", "dims", "freq", "period"]
MADE = ["recorded_at", "known_at", "event", "cause", "run", "payload"]  # columns that an event brings
STAMP, RUN, PAYLOAD = "2026-01-02 03:04:05+00", "20260102T030405Z", "0" * 64


def duckdb_open(current, new):
    import duckdb

    db = duckdb.connect()
    db.execute("SET threads = 2; SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
    db.execute(f"CREATE VIEW old AS SELECT * FROM read_parquet('{current}')")
    # Columns as ours has them; the decimals are those of the text.
    db.execute(f"""CREATE VIEW fresh AS SELECT 'bench' AS source, 'WDI' AS dataset, indicator, 'LOCAL:' || area AS area,
        area AS area_code, '' AS dims, 'A' AS freq, year AS period, make_date(year::INT, 1, 1) AS period_start, value::DOUBLE AS value,
        NULL::VARCHAR AS value_text, NULL::VARCHAR AS unit, 0 AS unit_mult,
        CASE WHEN contains(value, '.') THEN length(value) - strpos(value, '.') ELSE 0 END::INT AS decimals, 'A' AS status,
        NULL::VARCHAR AS flags, NULL::VARCHAR AS note FROM read_csv('{new}', all_varchar = true, header = true)""")
    return db


DIFFERS = " OR ".join(f"o.{c} IS DISTINCT FROM n.{c}" for c in ("value", "decimals", "value_text", "area", "unit", "unit_mult", "status", "flags",
                                                              "note"))
ON = " AND ".join(f"o.{c} = n.{c}" for c in KEY)


def duckdb_merge(current, new, folder):
    db = duckdb_open(current, new)
    names = [r[0] for r in db.execute("DESCRIBE old").fetchall()]
    columns = ", ".join(f"CASE WHEN n.source IS NULL THEN o.{c} WHEN word IS NULL THEN o.{c} ELSE n.{c} END AS {c}"
                        for c in names if c not in MADE)
    made = ", ".join(f"CASE WHEN word IS NULL THEN o.{c} ELSE {v} END AS {c}" for c, v in (
        ("recorded_at", f"TIMESTAMPTZ '{STAMP}'"), ("known_at", f"TIMESTAMPTZ '{STAMP}'"), ("event", "word"), ("cause", "'source'"),
        ("run", f"'{RUN}'"), ("payload", f"'{PAYLOAD}'")))
    db.execute(f"""CREATE TEMP TABLE merged AS SELECT {columns}, {made}, word IS NOT NULL AS is_event FROM (SELECT o, n,
        CASE WHEN o.source IS NULL THEN 'new' WHEN n.source IS NULL THEN 'withdrawn' WHEN o.value IS DISTINCT FROM n.value THEN 'revised'
        WHEN {DIFFERS} THEN 'status' END AS word FROM old AS o FULL JOIN fresh AS n ON {ON})""")
    order = ", ".join(KEY)
    how = f"ORDER BY {order}) TO '{folder}/%s' (FORMAT parquet, COMPRESSION zstd)"
    db.execute("COPY (SELECT * EXCLUDE (is_event) FROM merged " + how % "current.parquet")
    db.execute("COPY (SELECT * EXCLUDE (is_event) FROM merged WHERE is_event " + how % "stream.parquet")
    return db.execute("SELECT count(*) FROM merged WHERE is_event").fetchone()[0]


def duckdb_join(current, new, _):
    db = duckdb_open(current, new)
    return db.execute(f"SELECT count(*) FROM old AS o FULL JOIN fresh AS n ON {ON} WHERE o.source IS NULL OR n.source IS NULL OR {DIFFERS}"
                      ).fetchone()[0]


def duckdb_csv(current, new, folder):
    db = duckdb_open(current, new)
    db.execute("SET threads = 1; SET preserve_insertion_order = true")
    return db.execute(f"COPY (SELECT * EXCLUDE (event, cause, run, payload) FROM old) TO '{folder}/current.csv' (HEADER)").fetchone()[0]


def duckdb_parquet(current, new, folder):
    db = duckdb_open(current, new)
    db.execute("SET preserve_insertion_order = true")
    return db.execute(f"COPY old TO '{folder}/same.parquet' (FORMAT parquet, COMPRESSION zstd)").fetchone()[0]


def polars_fresh(new):
    import polars as pl

    text, none = pl.String, pl.lit(None, dtype=pl.String)
    value = pl.col("value")
    return pl.scan_csv(new, schema={"area": text, "indicator": text, "year": text, "value": text}).select(
        pl.lit("bench").alias("source"), pl.lit("WDI").alias("dataset"), "indicator", ("LOCAL:" + pl.col("area")).alias("area"),
        pl.col("area").alias("area_code"), pl.lit("").alias("dims"), pl.lit("A").alias("freq"), pl.col("year").alias("period"),
        pl.date(pl.col("year").cast(pl.Int32), 1, 1).alias("period_start"), value.cast(pl.Float64), none.alias("value_text"),
        none.alias("unit"), pl.lit(0, dtype=pl.Int32).alias("unit_mult"),
        pl.when(value.str.contains(".", literal=True)).then(value.str.len_bytes() - value.str.find(".", literal=True) - 1).otherwise(0)
        .cast(pl.Int32).alias("decimals"), pl.lit("A").alias("status"), none.alias("flags"), none.alias("note"))


def polars_merge(current, new, folder):
    import datetime

    import polars as pl

    old = pl.scan_parquet(current)
    names = old.collect_schema()
    both = old.join(polars_fresh(new), on=KEY, how="full", suffix=" n", maintain_order="none")
    kept = [c for c in names if c not in MADE]
    differs = pl.any_horizontal(pl.col(c).ne_missing(pl.col(c + " n")) for c in kept if c not in KEY)
    both = both.with_columns(
        pl.when(pl.col("source").is_null()).then(pl.lit("new")).when(pl.col("source n").is_null()).then(pl.lit("withdrawn"))
        .when(pl.col("value").ne_missing(pl.col("value n"))).then(pl.lit("revised")).when(differs).then(pl.lit("status")).alias("word"))
    stamp = pl.lit(datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)).cast(names["recorded_at"])
    made = dict(zip(MADE, (stamp, stamp, pl.col("word"), pl.lit("source"), pl.lit(RUN), pl.lit(PAYLOAD))))
    takes_new = pl.col("word").is_not_null() & (pl.col("word") != "withdrawn")
    merged = both.select(*(pl.when(takes_new).then(pl.col(c + " n")).otherwise(pl.col(c)).alias(c) for c in kept),
                         *(pl.when(pl.col("word").is_null()).then(pl.col(c)).otherwise(v).alias(c) for c, v in made.items()),
                         pl.col("word").is_not_null().alias("is_event")).sort(KEY).collect(engine="streaming")
    merged.drop("is_event").write_parquet(f"{folder}/current.parquet", compression="zstd")
    events = merged.filter("is_event").drop("is_event")
    events.write_parquet(f"{folder}/stream.parquet", compression="zstd")
    return events.height


JOBS = {"duckdb-merge": duckdb_merge, "duckdb-join": duckdb_join, "duckdb-csv": duckdb_csv, "duckdb-parquet": duckdb_parquet,
        "polars-merge": polars_merge}
if __name__ == "__main__":
    Path(sys.argv[4]).mkdir(parents=True, exist_ok=True)
    print(JOBS[sys.argv[1]](*sys.argv[2:5]))
