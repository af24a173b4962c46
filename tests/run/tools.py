#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tools of who adds a source: check-plugin passes what is shipped and fails what misbehaves, new-plugin's template works,
record keeps what a provider said and no secret. TAP on standard output."""
import base64
import csv
import gzip
import hashlib
import html
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import evil  # noqa: E402
import support  # noqa: E402
from support import OUT, TOP  # noqa: E402

SAMPLE = TOP / "conf/sample"
# plugin: (payloads, options). What is shipped has to pass.
SHIPPED = {
    "worldbank": ([SAMPLE / "worldbank/page-1.json", SAMPLE / "worldbank/page-2.json"],
                  ["--countries=TGO BEN", "--indicators=EG.ELC.ACCS.ZS NY.GDP.PCAP.KD SP.POP.TOTL", "--date=2009:2023", "--per_page=1000"]),
    "csv": ([SAMPLE / "unctad/US_GDPTotal.csv"],
            ["--base_url=https://sample.example", "--files=US_GDPTotal.csv", "--dataset=X", "--area=Economy", "--area_scheme=UNCTAD",
             "--period=Year", '--value="US$ at current prices in millions"']),
    "ecb": ([SAMPLE / "ecb/eurofxref-hist-90d.xml"], ["--feed=90d"]),
}
STARTED = time.time()
LINES = "".join(f"TGO,{year},{year % 7}.5\n" for year in range(2000, 2020)).encode()


def failures(out):
    return [line for line in out.splitlines() if line.startswith(("not ok", "#"))]


def check_plugin(suite):
    site = suite.site("check")
    for name, (payloads, options) in SHIPPED.items():
        code, out, err = site.glane("check-plugin", name, *payloads, *options)
        suite.true(f"{name} conforms", code == 0 and re.search(r"^1\.\.\d+$", out, re.M), failures(out) + [err])
        code, out, err = site.glane("check-plugin", name)
        suite.true(f"{name} conforms, without payloads", code == 0 and "SKIP no PAYLOADS" in out, failures(out) + [err])
    for name in sorted(p.stem for p in (OUT / "plugins").glob("*.so")):
        if name not in SHIPPED and not (TOP / "plugins" / name / "test.py").exists():
            code, out, err = site.glane("check-plugin", name)
            suite.true(f"{name} conforms, without payloads", code == 0, failures(out) + [err])


def misbehaved(suite):
    site = suite.site("evil")
    table = site.folder / "table.csv"
    table.write_text("a;b\n1;2\n")

    def one(way):
        url = f"{site.folder}/written" if way == "write_file" else "http://127.0.0.2:9/secret"
        return way, site.glane("check-plugin", "evil", table, f"--how={way}", "--base_url=http://127.0.0.1:9", f"--url={url}",
                               "--memory=64M", "--seconds=3")

    with ThreadPoolExecutor(4) as pool:
        for way, (code, out, err) in pool.map(one, evil.WAYS):
            bad = [line for line in out.splitlines() if line.startswith("not ok") and "says what it is for" not in line]
            suite.true(f"evil does not conform: {way}", code == 1 and bad and re.search(r"^1\.\.\d+$", out, re.M), out + err)
    for name in evil.LOADING:
        code, out, err = site.glane("check-plugin", name)
        suite.true(f"{name} does not conform", code == 1 and out.splitlines()[1].startswith("not ok 1 - "), out + err)


def plausible(suite):
    """What no single run shows."""
    site = suite.site("blind")
    lines = site.folder / "lines.txt"
    lines.write_bytes(LINES)
    for how, word, needle in (("blind", "can be given to parse", "--format is a word of parse"), ("blind", "cut after", "a cover that withdraws, although rows are missing"),
                              ("blind", "HTML", "a cover that withdraws, although rows are missing"),
                              ("stubborn", "cancelled at call", "does not return GLANE_E_CANCELLED"),
                              ("random", "again give the same", "differ")):
        code, out, err = site.glane("check-plugin", "blind", lines, f"--how={how}", "--base_url=https://x.example")
        found = [(a, b) for a, b in zip(out.splitlines(), out.splitlines()[1:]) if a.startswith("not ok") and word in a and needle in b]
        suite.true(f"a plugin that is {how} does not conform: {word}", code == 1 and found, out + err)


PAGES = ['{"rows":[{"area":"TGO","year":2020,"value":1},{"area":"TGO","year":2021,"value":2}]}', '{"rows":[{"area":"BEN","year":2020,"value":1},{"area":"BEN","year":2021,"value":2}]}']
ROW = '{"dataset":"D","indicator":"I","area":"%s","period":"2020","value":"%s"}\n'
FULL = '{"cover":"full","dataset":"%s"}\n'


def loses(suite):
    """What a run would withdraw, or not take, fails; what it would take otherwise than it was meant is said."""
    site = suite.site("loses")
    for i, text in enumerate(PAGES):
        (site.folder / f"{i}.json").write_text(text)
    code, out, err = site.glane("check-plugin", "pages", site.folder / "0.json", site.folder / "1.json", "--by=hand", "--max=2")
    suite.true("as many rows of the same page are not the rows of two", code == 1 and re.search(r"^not ok \d+ - the same page again and again$", out, re.M), out + err)
    for name, text, want in (
            ("fine", ROW % ("TGO", 1) + FULL % "D", []),
            ("two values", ROW % ("TGO", 1) + ROW % ("TGO", 2) + FULL % "D", ["not ok - no observation has two values", "has '1' and '2'"]),
            ("the same twice", ROW % ("TGO", 1) * 2 + FULL % "D", []),
            ("another dataset", ROW % ("TGO", 1) + FULL % "E", ["not ok - every row is of a slice", "such as those of D / I"]),
            ("no cover", ROW % ("TGO", 1), ["# warning: no cover()"]),
            ("unknown area", ROW % ("Atlantis", 1) + FULL % "D", ["# warning: 1 series with areas that no table knows, e.g. 'Atlantis'"])):
        path = site.folder / (name.replace(" ", "-") + ".json")
        path.write_text(text)
        code, out, err = site.glane("check-plugin", "exec", path)
        found = re.sub(r"^(not ok) \d+", r"\1", out, flags=re.M)
        fails = any(w.startswith("not ok") for w in want)
        suite.true(f"lines to check-plugin: {name}", code == (1 if fails else 0) and all(w in found for w in want) and ("# warning" in out) == ("# warning" in str(want)),
                   (code, failures(out), err))
    code, out, err = site.glane("check-plugin", "exec", site.folder / "fine.json", site.folder / "fine.json")
    suite.true("an answer that nobody asks for", code == 1 and "nobody asked for as many answers" in out, (code, failures(out), err))


def recorded_ones(suite):
    """What record prints, check-plugin takes: hosts, program, empty, POST."""
    def lines(name, body):
        path = site.folder / name
        path.write_text(body)
        path.chmod(0o755)
        return path

    with support.Server({"/a.csv": support.Answer(b"a,p,v\nTGO,2020,1\nBEN,2021,\n", "text/csv"), "/rain.txt": support.Answer(b"TGO 2020 1\nBEN 2021 2\n", "text/plain")}) as server:
        site = suite.site("recorded")
        table = "files = {0}/a.csv\ndataset = D\nindicator = =I\narea = a\nperiod = p\nvalue = v\nretries = 0\n".format(server.url)
        rain = lines("rain.py", '#!/usr/bin/env python3\nimport json, os, sys\nfor line in sys.stdin:\n    a, p, v = line.split()\n'
                     '    print(json.dumps({"dataset": os.environ["GLANE_SOURCE"], "indicator": "I", "area": a, "period": p, "value": v}))\n'
                     'print(json.dumps({"cover": "full", "dataset": "rain"}))\n')
        site.configure(f"[source far]\nplugin = csv\nbase_url = https://example.org\nhosts = {server.url}\nempty = keep\n{table}"
                       f"[source rain]\nplugin = exec\nprogram = {rain}\nbase_url = {server.url}\nrequests = {{base_url}}/rain.txt\nretries = 0\nmax_body = 1M\nmemory = 200M\n")
        for name, plugin in (("far", "csv"), ("rain", "exec")):
            code, _, err = site.glane("record", name, "-o", site.folder / name)
            suite.true(f"{name} is recorded", code == 0 and f"check-plugin {plugin} {site.folder / name} --source={name}" in err, err)
            code, out, err = site.glane("check-plugin", plugin, site.folder / name, f"--source={name}")
            suite.true(f"{name} conforms", code == 0 and "# 2 rows of 1 requests" in out, (code, failures(out), err))
    posts(suite, suite.site("posts"))


def posts(suite, site):
    """Answers to one URL are told apart by the request's body; none is left over."""
    folder = site.folder / "posts"
    folder.mkdir()
    head = "https://facts.example/R/cur/Facts?culture=en"
    index = "https://unctadstat-api.unctad.org/api/reportMetadata/R/en\t0.json\tapplication/json\tGET\t-\t-\t-\n"
    (folder / "0.json").write_text('{"version":1,"lastUpdated":"2025-01-01T00:00:00"}')
    words = ["--report=R", "--facts_url=https://facts.example", "--base_url=https://unctadstat-api.unctad.org", "--select=Economy/Code, Year, M5022/Value",
             '--filters="Year in (2020)" "Year in (2021)"']
    for year in (2020, 2021):
        parts = (("$select", "Economy/Code, Year, M5022/Value"), ("$filter", f"Year in ({year})"), ("$format", "csv"), ("compress", "gz"))
        body = "".join(f'--glane-form\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in parts) + "--glane-form--\r\n"
        (folder / f"{year}.csv").write_text(f"Year,Economy_Code,M5022_Value\n{year},768,1\n{year},204,2\n")
        index += f"{head}\t{year}.csv\ttext/csv\tPOST\t{hashlib.sha256(body.encode()).hexdigest()}\t-\t-\n"
    (site.folder / "sources.d/all.conf").write_text("[source s]\nplugin = unctadstat\nhosts = https://facts.example\n"
                                                    + "".join(f"{w[2:].replace('=', ' = ', 1)}\n" for w in words if "base_url" not in w))
    (folder / "index.tsv").write_text(index)
    code, out, err = site.glane("check-plugin", "unctadstat", folder, "--source=s")
    suite.true("two POST requests to one URL, two answers", code == 0 and "# 4 rows of 3 requests" in out, (code, failures(out), err))
    (folder / "index.tsv").write_text(index + f"{head}\t2020.csv\ttext/csv\tPOST\t{'0' * 64}\t-\t-\n")
    code, out, err = site.glane("check-plugin", "unctadstat", folder, "--source=s")
    suite.true("an answer to another body is never asked for", code == 1 and f"nobody asked for {head}" in out, (code, failures(out), err))
    (folder / "index.tsv").write_text("\n")
    code, out, err = site.glane("check-plugin", "unctadstat", folder, "--source=s")
    suite.true("a folder without a line is no fixture", code == 2 and "names no answer" in err and not out, (code, out, err))
    os.mkfifo(folder / "fifo.csv")
    for file, want in (("../posts/2020.csv", "'../posts/2020.csv' is no file of the folder"), ("/dev/zero", "'/dev/zero' is no file of the folder"),
                       ("..", "a folder, not a regular file"), ("fifo.csv", "a FIFO or pipe, not a regular file")):
        (folder / "index.tsv").write_text(f"{head}\t{file}\ttext/csv\tGET\t-\n")
        code, out, err = site.glane("check-plugin", "unctadstat", folder, "--source=s")
        suite.true(f"an index that names {file}: refused", code == 2 and want in err and not out, (code, out, err))


def usage(suite):
    site = suite.site("usage")
    for words, needle in ((["no-such"], "no plugin 'no-such'"), (["ecb", "/nowhere/a.xml"], "/nowhere/a.xml"),
                          (["ecb", "--memory=3"], "a size"), (["ecb", "--seconds=0"], "a number"), (["ecb", "--x"], "not --KEY=VALUE"), (["ecb", "--source=z"], "no such source"),
                          (["ecb", "--words=xx"], "no language 'xx'")):
        code, out, err = site.glane("check-plugin", *words)
        suite.true(f"check-plugin {' '.join(words)}: usage", code == 2 and needle in err, (code, out, err))
    code, out, err = site.glane("check-plugin", "ecb", "--no_such_option=1")
    suite.true("an option that the plugin lacks is told", code == 1 and "no_such_option" in out, (code, out, err))


def template(suite):
    run = subprocess.run([TOP / "scripts/template/test.py"], capture_output=True, text=True, check=False)
    suite.true("the template passes its own test", run.returncode == 0 and "not ok" not in run.stdout, run.stdout + run.stderr)
    new = suite.folder / "new"
    (new / "out/plugins").mkdir(parents=True)
    run = subprocess.run([TOP / "scripts/new-plugin", "institute", new], capture_output=True, text=True, check=False)
    suite.true("new-plugin makes one", run.returncode == 0 and (new / "institute/institute.c").exists(), run.stdout + run.stderr)
    left = [p.name for p in (new / "institute").rglob("*") if p.suffix != ".py" and p.is_file() and "template" in p.read_text()]
    suite.same("nothing is called template any more", left, [])
    flags = ["-fsanitize=address,undefined"] if "asan" in OUT.name else []
    run = subprocess.run([*shlex.split(os.environ.get("CC", "cc")), "-std=c11", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared",
                          f"-I{TOP}/core/include", *flags, "-o", new / "out/plugins/institute.so", new / "institute/institute.c"],
                         capture_output=True, text=True, check=False)
    suite.true("it compiles with the public header alone", run.returncode == 0, run.stderr)
    (new / "out/plugins/institute.so").chmod(0o755)
    run = subprocess.run([new / "institute/test.py"], capture_output=True, text=True, check=False,
                         env={**os.environ, "GLANE_OUT": str(new / "out"), "GLANE_TOP": str(TOP)})
    suite.true("it passes its test", run.returncode == 0 and "not ok" not in run.stdout, run.stdout + run.stderr)
    for words in ([], ["Upper"], ["a/b"], ["institute", new], ["../x"]):
        run = subprocess.run([TOP / "scripts/new-plugin", *words], capture_output=True, text=True, check=False)
        suite.true(f"new-plugin {words[:1]} refuses", run.returncode == 2 and run.stderr, run.stdout + run.stderr)


SECRET = 'c4n4ry/"&<secret>+%=='
FORMS = (SECRET, urllib.parse.quote(SECRET, safe=""), urllib.parse.quote(SECRET, safe="").lower(), json.dumps(SECRET)[1:-1],
         SECRET.replace("\\", "\\\\").replace('"', '\\"').replace("/", "\\/"), html.escape(SECRET, quote=False), html.escape(SECRET).replace("&#x27;", "'"),
         base64.b64encode(SECRET.encode()).decode(), base64.urlsafe_b64encode(b"user:" + SECRET.encode()).decode().rstrip("="), SECRET.encode().hex(),
         urllib.parse.quote(urllib.parse.quote(SECRET, safe=""), safe=""), SECRET.replace("/", "\\x2F"), SECRET.replace("/", "&#0047;"))


def canary(suite):
    """A provider that sends the secret back in every way: nothing of the fixture holds it, and it still replays."""
    echo = "; ".join(FORMS).replace('"', '""')
    body = f'area,year,value,remark\nTGO,2022,36.0,"{echo}"\nTGO,2023,37.0223,\n'.encode()
    with support.Server({}) as server:
        server.routes["/a.csv?key=" + urllib.parse.quote(SECRET, safe="")] = support.Answer(body, "text/csv", etag='"v1"')
        section = (f"[source s]\nplugin = csv\nbase_url = {server.url}\nfiles = a.csv?key={{auth:key}}\nauth = key=env:CANARY\n"
                   "dataset = D\nindicator = =I\narea = area\nperiod = year\nvalue = value\nnote = remark\n")
        site = suite.site("canary", section)
        code, out, err = site.glane("record", "s", "-o", site.folder / "fixture", env={"CANARY": SECRET})
        asked = list(server.log)
    suite.true("record keeps the answers", code == 0 and "1 answer in " in err, (code, out, err, asked))
    files = {"0001.csv": b"", "index.tsv": b"", **{p.name: p.read_bytes() for p in (site.folder / "fixture").iterdir()}}
    suite.same("an index and a file", sorted(files), ["0001.csv", "index.tsv"])
    everything = b"\n".join(files.values()) + out.encode() + err.encode()
    suite.same("no form of the secret is in it", [f for f in FORMS if f.encode() in everything or b"c4n4ry" in everything], [])
    suite.true("placeholders are", files["0001.csv"].count(b"{auth:key}") >= len(set(FORMS)) - 1 and b"?key={auth:key}\t" in files["index.tsv"],
               files)
    suite.true("the validator too", b'\t"v1"\t' in files["index.tsv"], files["index.tsv"])
    suite.true("the store was not touched, nor one left behind", not site.store.exists(), list(site.folder.iterdir()))
    code, _, err = site.glane("record", "s", "-o", site.folder / "fixture", env={"CANARY": SECRET})
    suite.true("an earlier fixture is not overwritten", code == 2 and "index.tsv already" in err, err)
    code, out, err = site.glane("check-plugin", "csv", site.folder / "fixture", "--source=s")
    suite.true("check-plugin takes it", code == 0, failures(out) + [err])
    subprocess.run([TOP / "scripts/seed", site.folder / "fixture", site.store], check=True, capture_output=True)
    suite.same("run --offline gives no answer to a secret to whoever asks", site.run("--offline", "--all").verdicts, {"s": "failed"})
    subprocess.run([TOP / "scripts/seed", site.folder / "fixture", site.store, "s"], check=True, capture_output=True)
    run = site.run("--offline", "--all")
    suite.same("run --offline takes it", (run.code, run.verdicts, run.sources["s"].get("rows")), (0, {"s": "ok"}, 2))


def packed(suite):
    """A secret inside an archive is struck out of it, or the archive is named; one that cannot be struck out is never sent."""
    body = f"a,p,v,n\nTGO,2020,1,{base64.b64encode(b'user:c4n4ry+secret').decode()} c4n4ry%252Bsecret\n".encode()
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w") as z:
        z.writestr("a.csv", body)
    answers = {"/a.gz": gzip.compress(body), "/b.gz": gzip.compress(b"a,p,v,n\nBEN,2020,1,\n"), "/c.zip": box.getvalue()}
    with support.Server({}) as server:
        server.routes = lambda target: support.Answer(answers[target], "application/octet-stream")
        section = (f"[source s]\nplugin = csv\nbase_url = {server.url}\nfiles = {{0}}\nauth = key=env:CANARY\ndataset = D\nindicator = =I\narea = a\n"
                   "period = p\nvalue = v\nnote = n\nretries = 0\n")
        site = suite.site("packed", section.format("a.gz b.gz"))
        code, out, err = site.glane("record", "s", "-o", site.folder / "gz", env={"CANARY": "c4n4ry+secret"})
        files = {p.name: p.read_bytes() for p in (site.folder / "gz").iterdir()}
        suite.same("a gzip file that holds a secret is written unpacked", (code, sorted(files), files.get("0001.txt", b"").count(b"{auth:key}")),
                   (0, ["0001.txt", "0002.gz", "index.tsv"], 2))
        code, out, err = site.glane("check-plugin", "csv", site.folder / "gz", "--source=s")
        suite.true("check-plugin takes it", code == 0, (code, failures(out), err))
        site.configure(section.format("c.zip"))
        code, out, err = site.glane("record", "s", "-o", site.folder / "zip", env={"CANARY": "c4n4ry+secret"})
        suite.true("a zip file is kept and named, and the exit says so", code == 1 and "0001.zip" in err and "not looked into" in err
                   and (site.folder / "zip/index.tsv").exists(), (code, err))
        asked = len(server.log)
        for name, env, needle in (("short", {"CANARY": "abc"}, "shorter than 4"), ("unset", {}, "the environment has no CANARY")):
            code, out, err = site.glane("record", "s", "-o", site.folder / name, env=env)
            suite.same(f"a secret that is {name}: nothing is asked for", (code, needle in err, len(server.log), (site.folder / name).exists()), (2, True, asked, False))


def words(suite):
    """A file as a central bank of French-speaking countries writes it."""
    body = ("Code pays;Pays;Période;Indice des prix;Taux directeur\nTG;Togo;JAN2020;101,2;2,50\nTG;Togo;AOÛT 2020;101,5;nd\n"
            "TG;Togo;Trim1-2020;101,4;-\nBJ;Bénin;1er trimestre 2020;99,8;…\nBJ;Bénin;31 décembre 2020;1\u00a0002,5;2,00\n").encode("utf-8")
    want = [["IPC", "TGO", "M", "2020-01", "101.2"], ["TD", "TGO", "M", "2020-01", "2.50"], ["IPC", "TGO", "M", "2020-08", "101.5"],
            ["IPC", "TGO", "Q", "2020-Q1", "101.4"], ["IPC", "BEN", "Q", "2020-Q1", "99.8"], ["IPC", "BEN", "D", "2020-12-31", "1002.5"],
            ["TD", "BEN", "D", "2020-12-31", "2.00"]]
    keys = ["indicator", "area", "freq", "period", "value"]
    with support.Server({"/f.csv": support.Answer(body, "text/csv")}) as server:
        section = (f"[source s]\nplugin = csv\nbase_url = {server.url}\nfiles = f.csv\ndataset = D\narea = Code pays\narea_scheme = ISO2\n"
                   'period = Période\nvalue = IPC="Indice des prix" TD="Taux directeur"\ndelimiter = ;\ndecimal = ,\ngroup = blank\nwords = fr\n')
        site = suite.site("words", section)
        run = site.run()
        suite.same("words = fr: the run", (run.verdicts, run.code), ({"s": "ok"}, 0))
        rows = list(csv.DictReader(io.StringIO(site.glane("export")[1])))
        suite.same("words = fr: the rows", sorted([r[k] for k in keys] for r in rows), sorted(want))
        suite.same("the second night is unchanged", site.run().verdicts, {"s": "unchanged"})
        site.configure(section.replace("words = fr", "words = fr xx"))
        code, _, err = site.glane("check", "--conf")
        suite.true("a language that the table lacks names file, line and table", code == 2 and "all.conf:13" in err and "words.csv has no language 'xx'" in err, err)
        site.configure(section.replace("words = fr\n", ""))
        run = site.run()
        suite.true("without it such periods are rejected, and the configuration's change is seen", run.sources["s"]["status"] != "unchanged", run)
    options = [f"--{line.replace(' = ', '=', 1)}" for line in section.splitlines()[4:-1]]
    code, out, err = site.glane("parse", "csv", *options, "--words=fr", payload=body)
    suite.same("parse --words=fr: the same, in file order", [[r[k] for k in keys] for r in csv.DictReader(io.StringIO(out))], want)
    code, out, err = site.glane("parse", "csv", *options, "--words=fr", "--inproc", payload=body)
    suite.same("and in-process", [[r[k] for k in keys] for r in csv.DictReader(io.StringIO(out))], want)


def records(suite):
    with support.Server({"/a.csv": support.Answer(b"x,y\n1,2\n", "text/csv"), "/b.csv": support.Answer(b"area,year,value\nTGO,2020,1\n", "text/csv")}) as server:
        site = suite.site("records", f"[source s]\nplugin = csv\nbase_url = {server.url}\nfiles = b.csv a.csv\ndataset = D\nindicator = =I\n"
                          "area = area\nperiod = year\nvalue = value\nretries = 0\n"
                          f"[source gone]\nplugin = csv\nbase_url = {server.url}\nfiles = z.csv\ndataset = D\narea = a\nperiod = y\nvalue = v\nretries = 0\n")
        code, _, err = site.glane("record", "s", "-o", site.folder / "s")
        files = {p.name: p.read_bytes() for p in (site.folder / "s").iterdir()}
        suite.true("answers that the plugin fails on are recorded as well", code == 1 and files.get("index.tsv", b"").count(b"\n") == 2, (err, files))
        code, _, err = site.glane("record", "gone", "-o", site.folder / "gone")
        suite.true("where nothing is answered nothing is recorded", code == 1 and "nothing was answered" in err, (code, err))
        code, _, err = site.glane("record", "no-such", "-o", site.folder / "x")
        suite.true("an unknown source is told", code == 2 and "no-such" in err, (code, err))
    left = [p for p in Path(tempfile.gettempdir()).glob("glane-record-*") if p.stat().st_uid == os.getuid() and p.stat().st_mtime > STARTED]
    suite.same("no store is left behind", left, [])


def seeds(suite):
    """Requests with the same answer: each is in the archive that seed makes."""
    section = "[source {0}]\nplugin = csv\nbase_url = https://x.example\nfiles = {1}\ndataset = D\nindicator = =I\narea = a\nperiod = p\nvalue = v\n"
    site = suite.site("seeds", section.format("s", "a.csv b.csv c.csv") + section.format("t", "d.csv"))
    for folder, names in (("one", "abc"), ("two", "d")):
        (site.folder / folder).mkdir()
        (site.folder / folder / "0001.csv").write_text("a,p,v\nTGO,2020,1\n")
        (site.folder / folder / "index.tsv").write_text("".join(f"https://x.example/{n}.csv\t0001.csv\ttext/csv\tGET\t-\t-\t-\n" for n in names))
        done = subprocess.run([TOP / "scripts/seed", site.folder / folder, site.store], check=False, capture_output=True, text=True)
        suite.same(f"seed {folder} counts its answers", (done.returncode, done.stdout, done.stderr), (0, f"{len(names)}\n", ""))
    run = site.run("--offline", "--all")
    suite.same("run --offline finds each", (run.code, run.verdicts), (0, {"s": "ok", "t": "ok"}))
    code, out, err = site.glane("check")
    suite.true("and the store is sound", code == 0, out + err)


def main():
    suite = support.Suite("tools")
    for part in (check_plugin, misbehaved, plausible, loses, recorded_ones, usage, template, canary, packed, words, records, seeds):
        if not sys.argv[1:] or part.__name__ in sys.argv[1:]:
            part(suite)
    shutil.rmtree(evil.WORK, ignore_errors=True)
    return suite.finish()


if __name__ == "__main__":
    sys.exit(main())
