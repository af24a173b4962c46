# SPDX-License-Identifier: MIT
"""`scripts/bench diff`: a refresh in which one observation of a hundred has changed, beside DuckDB and Polars doing the same.

All read the same files: the new edition as CSV, the last state as the Parquet files of our store. All write the new state, sorted by key,
and the events. Ours is `glane run` as cron starts it (fetch from a local server, parse in a worker, diff, commit with fsync; the payload is
not archived). Runs alternate; medians count. Peak memory is VmHWM of the largest process.
"""
import functools
import http.server
import shutil
import statistics
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import editions  # noqa: E402
import measure  # noqa: E402

HERE = Path(__file__).resolve().parent
PACKAGES = ["duckdb", "polars", "pytz"]
OPTIONS = ("dataset = WDI\nindicator = indicator\narea = area\narea_scheme = LOCAL\nperiod = year\nvalue = value\n"
           "cover = full\nmax_body = 4G\ndeadline = 2h\n")


def peers(folder):
    """A Python with the packages, made once; or None and why not."""
    python = folder / "peers/bin/python"
    if not (folder / "peers/done").exists():
        for command in ([sys.executable, "-m", "venv", str(folder / "peers")],
                        [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *PACKAGES]):
            try:
                made = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
            except (OSError, subprocess.TimeoutExpired) as e:
                return None, str(e)
            if made.returncode:
                return None, (made.stdout + made.stderr).strip().replace("\n", " ")[-200:]
        (folder / "peers/done").touch()
    return str(python), ""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def dataset(folder, rows):
    """one.csv, two.csv and same.csv: edition one in other bytes, so that it is parsed and compared."""
    made = folder / "rows"
    if not made.exists() or made.read_text() != str(rows):
        total, changed = editions.write(folder / "one.csv", folder / "two.csv", rows)
        with open(folder / "same.csv", "wb") as to, open(folder / "one.csv", "rb") as source:
            to.write(source.readline().replace(b"area", b'"area"'))
            shutil.copyfileobj(source, to, 1 << 20)
        print(f"dataset: {total} observations, {changed} differ in edition two; "
              f"{(folder / 'one.csv').stat().st_size / 1e6:.0f} MB of CSV", flush=True)
        shutil.rmtree(folder / "store-one", ignore_errors=True)
        made.write_text(str(rows))


class Ours:
    """Stores of one source whose file is one of the editions."""

    def __init__(self, folder, glane, settings):
        self.folder, self.glane, self.settings = folder, glane, settings
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        (folder / "sources.d").mkdir(exist_ok=True)
        (folder / "glane.conf").write_text("[glane]\nstore = store\nkeep_payloads = none\n" + settings)

    def command(self, *words):
        return [self.glane, "-c", str(self.folder / "glane.conf"), *words]

    def run(self, edition, first=False):
        store = self.folder / "store"
        shutil.rmtree(store, ignore_errors=True)
        if not first:
            shutil.copytree(self.folder / "store-one", store)
        (self.folder / "edition.csv").unlink(missing_ok=True)
        (self.folder / "edition.csv").symlink_to(edition)
        # The address says which edition, so that none is taken for an answer that was not modified.
        (self.folder / "sources.d/bench.conf").write_text(
            f"[source bench]\nplugin = csv\nbase_url = http://127.0.0.1:{self.server.server_port}\nfiles = {edition}\n" + OPTIONS)
        return checked(measure.measure(self.command("run", "-q", "bench"), every=0.02), f"run of {edition}")

    def first(self):
        if not (self.folder / "store-one").exists():
            done = self.run("one.csv", first=True)
            show("glane, the first run: everything is new", [done])
            shutil.copytree(self.folder / "store", self.folder / "store-one")

    def export(self):
        shutil.rmtree(self.folder / "store", ignore_errors=True)
        shutil.copytree(self.folder / "store-one", self.folder / "store")
        return checked(measure.measure(self.command("export", "-o", str(self.folder / "export.csv"), "--format", "csv"), every=0.02), "export")


def checked(done, what):
    if done["code"] != 0:
        sys.exit(f"bench: {what} ended with {done['code']}: {done['err'].strip()[-500:]}")
    return done


def median(runs, key):
    return statistics.median(r[key] for r in runs)


def show(what, runs):
    print(f"{what:58} {median(runs, 'wall'):8.2f} s  {median(runs, 'cpu'):8.2f} s of CPU  {max(r['peak'] for r in runs):8.0f} MiB", flush=True)


def compare(what, goal, ours, others, runs):
    """`others`: name -> command. Alternates; prints medians and ratios against each of them, the goal against the first."""
    seen = {name: [] for name in others}
    mine = []
    for _ in range(runs):
        mine.append(ours())
        for name in list(others):
            done = measure.measure(others[name], every=0.02)
            if done["code"] == 0:
                seen[name].append(done)
            else:
                print(f"{name}: {what}: skipped: ended with {done['code']}: {done['err'].strip()[-200:]}", flush=True)
                del others[name]
    show(f"glane, {what}", mine)
    for k, (name, got) in enumerate(seen.items()):
        if got:
            show(f"{name}, the same", got)
            print(f"    ratio to {name}: {median(mine, 'wall') / median(got, 'wall'):.2f} of its time, "
                  f"{median(mine, 'cpu') / median(got, 'cpu'):.2f} of its CPU time" + (f" (goal: {goal})" if k == 0 else ""), flush=True)
    return mine


def bytes_of(pattern):
    return sum(p.stat().st_size for p in pattern)


def report(folder, glane, settings, rows, runs):
    folder.mkdir(parents=True, exist_ok=True)
    dataset(folder, rows)
    ours = Ours(folder, glane, settings)
    python, why = peers(folder)
    current = str(folder / "store-one/current/*.parquet")

    def job(name, edition):
        return [python, str(HERE / "peers.py"), name, current, str(folder / edition), str(folder / name)]

    def jobs(edition, **named):
        return {name: job(what, edition) for name, what in named.items()} if python else {}

    if not python:
        print(f"duckdb and polars: skipped: {why}")
    ours.first()
    with open(folder / "one.csv", "rb") as f:
        n = sum(block.count(b"\n") for block in iter(lambda: f.read(1 << 20), b"")) - 1
    done = compare("refresh with 1 % changed", "1/4 of the time", lambda: ours.run("two.csv"),
                   jobs("two.csv", duckdb="duckdb-merge", polars="polars-merge"), runs)
    peak = max(r["peak"] for r in done)
    print(f"    memory: {max(peak - 64, 0) * 2**20 / n:.1f} bytes per observation + 64 MiB (goal: 48)")
    compare("refresh with nothing changed: parse and diff", "1.3 of the time", lambda: ours.run("same.csv"), jobs("same.csv", duckdb="duckdb-join"), runs)
    compare("export of everything as CSV", "1/3 of the time", ours.export, jobs("one.csv", duckdb="duckdb-csv"), runs)
    size = bytes_of((folder / "store-one/current").glob("*.parquet"))
    print(f"current: {size / 1e6:.1f} MB, {size / n:.2f} bytes per observation (goal: 4)")
    if python:
        done = measure.measure(job("duckdb-parquet", "one.csv"))
        if done["code"] == 0:
            theirs = bytes_of([folder / "duckdb-parquet/same.parquet"])
            print(f"    ratio to duckdb: {size / theirs:.2f} of its size for the same sorted rows, {theirs / 1e6:.1f} MB (goal: 1)")
    ours.server.shutdown()
    return (peak - 64) * 2**20 <= 48 * n
