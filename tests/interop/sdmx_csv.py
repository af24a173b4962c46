#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""SDMX-CSV 2.0 of `export` and `changes`, read by pysdmx and sdmx1: every key, value and attribute as the csv has it, the action, the
structure. The packages come from PyPI into build/interop-sdmx (made once); without them the suite is skipped. Prints TAP."""
import csv
import io
import logging
import os
import subprocess
import sys
from pathlib import Path

TOP = Path(os.environ.get("GLANE_TOP", Path(__file__).resolve().parents[2]))
VENV = TOP / "build/interop-sdmx"
PACKAGES = ["pysdmx[data]", "sdmx1"]
sys.path.insert(0, str(TOP / "tests/run"))
import support  # noqa: E402


def skip(why):
    print("1..0 # SKIP skipped: " + why)
    sys.exit(0)


def enter_venv():
    """Runs this script again under the interpreter that has the packages."""
    python, done = VENV / "bin/python", VENV / "packages"
    if os.environ.get("GLANE_INTEROP_SDMX"):
        skip("the packages are there, but one of them does not load")
    if not done.exists():
        for command in ([sys.executable, "-m", "venv", str(VENV)],
                        [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *PACKAGES]):
            try:
                made = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=500, check=False)
            except (OSError, subprocess.TimeoutExpired) as e:
                skip(f"{command[-1]}: {e}")
            if made.returncode:
                skip("no Python environment with " + " ".join(PACKAGES) + ": " + made.stdout.decode()[-200:].replace("\n", " "))
        done.write_text("\n".join(PACKAGES) + "\n")
    os.environ["GLANE_INTEROP_SDMX"] = str(VENV)
    os.execv(python, [str(python), *sys.argv])


try:
    import sdmx
    from pysdmx.io import read_sdmx
    from sdmx.model import common, v30
except ImportError:
    enter_venv()

KEY = {"SOURCE": "source", "DATASET": "dataset", "INDICATOR": "indicator", "AREA_CODE": "area_code", "DIMS": "dims", "FREQ": "freq",
       "TIME_PERIOD": "period"}
REST = {"OBS_VALUE": "value", "REF_AREA": "area", "PERIOD_START": "period_start", "VALUE_TEXT": "value_text", "UNIT_MEASURE": "unit",
        "UNIT_MULT": "unit_mult", "DECIMALS": "decimals", "OBS_STATUS": "status", "OBS_FLAGS": "flags", "COMMENT_OBS": "note",
        "RECORDED_AT": "recorded_at", "KNOWN_AT": "known_at"}
ODD = ["12.50", "-0.30", "1e3", "123456789012345678901234567890", "0", "<0.1"]
HEAD = "code,year,sex,value,flag,note\n"


def table(night):
    lines = [f"{area},{2000 + i},{sex},{value},," for area in ("TGO", "BEN") for i, value in enumerate(ODD) for sex in ("F", "M")]
    lines += [f"GHA,{2000 + i},F,{i}.5,," for i in range(40)]
    if night:
        lines[0] = 'TGO,2000,F,12.5,p é,"says ""it"", and more"'  # no line break: sdmx1 drops it
        del lines[5], lines[10]
        lines.append("GHA,1999,M,7,,")
    return HEAD + "\n".join(lines) + "\n"


def want(rows, columns):
    return [{c: "_Z" if c == "DIMS" and not r["dims"] else r[name] for c, name in columns.items()} for r in rows]


def numbers(rows):
    """pandas, below pysdmx, makes a column of numbers where it can."""
    def number(text):
        try:
            return float(text)
        except ValueError:
            return text
    return [{**r, "OBS_VALUE": number(r["OBS_VALUE"])} if "OBS_VALUE" in r else r for r in rows]


def by_pysdmx(path):
    """([row], structures)."""
    found = read_sdmx(path, validate=False)
    rows = [r for d in found.data for r in d.data.to_dict("records")]
    return [{k: "" if v != v or v is None else str(v) for k, v in r.items()} for r in rows], {str(d.structure) for d in found.data}


def by_sdmx1(path, columns):
    """([row], actions)."""
    dsd = v30.DataStructureDefinition(id="OBSERVATIONS", maintainer=common.Agency(id="GLANE"), version="1.0.0")
    for c in KEY:
        dsd.dimensions.getdefault(id=c)
    dsd.measures.getdefault(id="OBS_VALUE")
    for c in list(REST)[1:]:
        dsd.attributes.getdefault(id=c)
    flow = v30.Dataflow(id="OBSERVATIONS", maintainer=common.Agency(id="GLANE"), version="1.0.0", structure=dsd)
    rows, actions = [], set()
    for d in sdmx.read_sdmx(path, structure=flow).data:
        actions.add(d.action.name)
        for o in d.obs:
            r = {k: str(v.value) for k, v in o.dimension.values.items()}
            r.update({k: str(v.value) for k, v in o.attached_attribute.items()}, OBS_VALUE="" if o.value is None else str(o.value))
            rows.append({c: r.get(c, "") for c in columns})
    return rows, actions


def compare(suite, what, site, words, rows, columns, action):
    path = site.folder / "out.csv"
    code, _, err = site.glane(*words, "-o", path)
    left = want(rows, columns)
    if not suite.true(f"{what}: {len(left)} rows are written", code == 0 and left, err):
        return
    got, structures = by_pysdmx(path)
    suite.true(f"{what}: by pysdmx", numbers(got) == numbers(left) and structures == {"Dataflow=GLANE:OBSERVATIONS(1.0.0)"},
               ([(a, b) for a, b in zip(got, left) if a != b][:1], len(got), structures))
    got, actions = by_sdmx1(path, columns)
    suite.true(f"{what}: by sdmx1", got == left and actions == {action}, ([(a, b) for a, b in zip(got, left) if a != b][:1], len(got), actions))


def main():
    logging.disable()  # sdmx1 tells of each column that deletions do without
    suite = support.Suite("sdmx")
    with support.Server({}) as server:
        text = "".join(f"[source {name}]\nplugin = csv\nbase_url = {server.url}\nfiles = t.csv\ndataset = D\nindicator = =I\narea = code\n"
                       f"period = year\nvalue = value\nflags = flag\nnote = note\nunit = =PT\ncover = full\nretries = 0\n{more}"
                       for name, more in (("one", "dims = SEX=sex\n"), ("two", "where = sex=F\n")))
        site = suite.site("store", text)
        for night in range(2):
            server.routes["/t.csv"] = support.Answer(table(night), "text/csv")
            run = site.run("--accept", "--all", "--now", f"2026-11-0{night + 1}T06:00:00Z")
            suite.same(f"night {night}", run.verdicts, {"one": "ok", "two": "ok"})
    compare(suite, "export", site, ("export", "--format", "sdmx-csv"), site.export(), {**KEY, **REST}, "information")
    compare(suite, "export as of the first night", site, ("export", "--format", "sdmx-csv", "--as-of", "2026-11-01"),
            site.export("--as-of", "2026-11-01"), {**KEY, **REST}, "information")
    events = list(csv.DictReader(io.StringIO(site.glane("changes", "--format", "csv")[1], newline="")))
    for action, gone, name in (("R", False, "replace"), ("D", True, "delete")):
        compare(suite, f"changes, {name}", site, ("changes", "--format", "sdmx-csv", "--action", action),
                [r for r in events if (r["event"] == "withdrawn") == gone], KEY if gone else {**KEY, **REST}, name)
    return suite.finish()


if __name__ == "__main__":
    sys.exit(main())
