#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`--inproc` gives what the worker gives, byte for byte: export, report and quarantine of each plugin in plugins/, out of a
payload archive. TAP on standard output."""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(os.environ.get("GLANE_TOP", Path(__file__).resolve().parents[2]))
GLANE = os.environ.get("GLANE", str(TOP / "build/glane"))
OUT = Path(os.environ.get("GLANE_OUT", TOP / "build/release")).resolve()
WORK = Path(tempfile.mkdtemp(prefix="glane-inproc-"))
results = []


def check(name, fine, got=None):
    results.append(bool(fine))
    print(f"{'' if fine else 'not '}ok {len(results)} - {name}")
    if not fine:
        print("\n".join("# " + line for line in str(got)[:3000].splitlines()))
    sys.stdout.flush()


def row(indicator, year, value, status=""):
    return {"indicator": {"id": indicator, "value": "Title"}, "country": {"id": "TG", "value": "Togo"}, "countryiso3code": "TGO",
            "date": str(year), "value": value, "unit": "", "obs_status": status, "decimal": 1}


def page(total, rows, n, pages):
    return json.dumps([{"page": n, "pages": pages, "per_page": 2, "total": total, "sourceid": "2", "lastupdated": "2025-01-28"}, rows])


WB = "https://wb.example/country/all/indicator/{}?format=json&source=2&per_page=2&page={}"
GONE = '[{"message":[{"id":"120","key":"Invalid value","value":"no such indicator"}]}]'
ECB = ('<E xmlns="urn:x"><Cube><Cube time="2026-04-13"><Cube currency="USD" rate="1.1684"/><Cube currency="JPY" rate="186.75"/></Cube>'
       '<Cube time="2026-04-10"><Cube currency="USD" rate="1.1711"/></Cube></Cube></E>')
# 150 rows of which one is refused: below the gate, so that it is partial
TABLE = "iso,year,value,st,note\n" + "".join(f"TGO,{y},{y}.50,E,a note\n" for y in range(1850, 1998)) + "BEN,soon,1,,\nBEN,2020,1234567890123456789.5,,\n"
SOURCES = {
    "worldbank": ("plugin = worldbank\nbase_url = https://wb.example\nper_page = 2\nindicators = A GONE C\n", {
        WB.format("A;GONE;C", 1): GONE, WB.format("GONE", 1): GONE,
        WB.format("A", 1): page(3, [row("A", 2020, 1.5), row("A", 2021, None, "E")], 1, 2), WB.format("A", 2): page(3, [row("A", 2022, 7)], 2, 2),
        WB.format("C", 1): page(1, [row("C", 2020, 7)], 1, 1)}, "partial"),
    "csv": ("plugin = csv\nbase_url = https://data.example\nfiles = table.csv\ndataset = D\nindicator = =I\narea = iso\nperiod = year\n"
            "value = value\nstatus = st\nnote = note\n", {"https://data.example/table.csv": TABLE}, "partial"),
    "ecb": ("plugin = ecb\nbase_url = https://ecb.example\nfeed = 90d\n", {"https://ecb.example/eurofxref-hist-90d.xml": ECB}, "ok"),
    "broken": ("plugin = csv\nbase_url = https://data.example\nfiles = broken.csv\ndataset = D\nindicator = =I\narea = iso\nperiod = year\n"
               "value = value\n", {"https://data.example/broken.csv": "iso,year,value\nTGO,2020\n"}, "failed"),
}


def configure(name):
    folder = WORK / name
    (folder / "sources.d").mkdir(parents=True)
    (folder / "glane.conf").write_text(f"[glane]\nstore = store\nplugin_path = {OUT}/plugins\ntables = {TOP}/conf\n")
    (folder / "sources.d/all.conf").write_text("".join(f"[source {n}]\n{s}\n" for n, (s, _, _) in SOURCES.items()))
    i = 0
    for _, answers, _ in SOURCES.values():
        for url, text in answers.items():
            body, i = text.encode(), i + 1
            sha = hashlib.sha256(body).hexdigest()
            place = folder / "store/payloads" / sha[:2]
            place.mkdir(parents=True, exist_ok=True)
            (place / sha).write_bytes(body)
            side = place / (sha + ".json")
            if side.exists():  # two addresses with one answer
                sha = hashlib.sha256(body + b" ").hexdigest()
                place = folder / "store/payloads" / sha[:2]
                place.mkdir(parents=True, exist_ok=True)
                (place / sha).write_bytes(body + b" ")
                side, body = place / (sha + ".json"), body + b" "
            side.write_text(json.dumps({
                "method": "GET", "url": url, "request_sha256": "", "status": 200, "headers": {}, "size": len(body), "sha256": sha,
                "fetched_at": f"2026-04-13T00:00:{i:02}Z", "content_type": "text/csv" if url.endswith("csv") else "application/json" if
                "wb." in url else "text/xml", "etag": "", "last_modified": ""}))
    return folder


def glane(folder, *words):
    return subprocess.run([GLANE, "-c", folder / "glane.conf", *words], capture_output=True, text=True, timeout=300)


def run(name, *more):
    folder = configure(name)
    done = glane(folder, "run", "--all", "--offline", "--json", "--now", "2026-04-14T00:00:00Z", *more)
    report = json.loads(done.stdout) if done.stdout else {}
    for s in report.get("sources", []):
        s.pop("milliseconds")
        for q in s.get("requests", []):
            q.pop("fetched_at", None)
    quarantine = {p.parent.name: json.loads(p.read_text())["records"] for p in sorted((folder / "store/quarantine").glob("*/*.json"))}
    return done.returncode, report, glane(folder, "export").stdout, quarantine, done.stderr


apart, here = run("apart"), run("here", "--inproc")
by_name = [{s["source"]: s for s in r[1].get("sources", [])} for r in (apart, here)]
check("exit code 1 in both: a slice, a record and a source fail", apart[0] == here[0] == 1, (apart[0], here[0], apart[4], here[4]))
check("the report says which way it went", "none" not in apart[1].get("sandbox").replace("none (sanitizer build)", "").replace("none (coverage build)", "") and here[1].get("sandbox") == "none (--inproc)",
      (apart[1].get("sandbox"), here[1].get("sandbox")))
for source, (_, _, want) in SOURCES.items():
    a, b = (reports.get(source, {}) for reports in by_name)
    check(f"{source}: {want}, and the same report", a.get("status") == want and a == b, f"{json.dumps(a)}\n{json.dumps(b)}")
check("the same export, byte for byte", apart[2] == here[2] and len(apart[2].splitlines()) == 1 + 4 + 149 + 3, f"{apart[2][-500:]}\n--\n{here[2][-500:]}")
check("the same quarantine", apart[3] == here[3] and len(apart[3].get("csv", [])) == 1, (apart[3], here[3]))
print(f"1..{len(results)}")
if all(results):
    shutil.rmtree(WORK)
sys.exit(0 if all(results) else 1)
