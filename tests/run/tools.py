#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tools of who adds a source: check-plugin passes what is shipped and fails what misbehaves, new-plugin's template works,
record keeps what a provider said and no secret. TAP on standard output."""
import os
import re
import shlex
import shutil
import subprocess
import sys
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
    for how, word, needle in (("blind", "cut after", "a cover that withdraws, although rows are missing"),
                              ("blind", "HTML", "a cover that withdraws, although rows are missing"),
                              ("stubborn", "cancelled at call", "does not return GLANE_E_CANCELLED"),
                              ("random", "again give the same", "differ")):
        code, out, err = site.glane("check-plugin", "blind", lines, f"--how={how}", "--base_url=https://x.example")
        found = [(a, b) for a, b in zip(out.splitlines(), out.splitlines()[1:]) if a.startswith("not ok") and word in a and needle in b]
        suite.true(f"a plugin that is {how} does not conform: {word}", code == 1 and found, out + err)


def usage(suite):
    site = suite.site("usage")
    for words, needle in ((["no-such"], "no plugin 'no-such'"), (["ecb", "/nowhere/a.xml"], "/nowhere/a.xml"),
                          (["ecb", "--memory=3"], "a size"), (["ecb", "--seconds=0"], "a number"), (["ecb", "--x"], "not --KEY=VALUE")):
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


def main():
    suite = support.Suite("tools")
    check_plugin(suite)
    misbehaved(suite)
    plausible(suite)
    usage(suite)
    template(suite)
    shutil.rmtree(evil.WORK, ignore_errors=True)
    return suite.finish()


if __name__ == "__main__":
    sys.exit(main())
