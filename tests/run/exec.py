#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sources in other languages (`program`): what the program gets, what its lines become, and that one that misbehaves costs only its source."""
import csv
import io
import os
import signal
import subprocess
import sys
import time

import support
from support import Answer

suite = support.Suite("exec")
BODY = "TGO,2020,1.50\nBEN,2021,0.10\n"
ROWS = ["I TGO 2020 1.50", "I BEN 2021 0.10"]
READ = """#!/usr/bin/env python3
import json, sys
for line in sys.stdin:
    area, period, value = line.strip().split(",")
    print('{"dataset":"D","indicator":"%s","area":"%s","area_scheme":"ISO3","period":"%s","value":%s}' % ("I", area, period, value))
print('{"cover":"full","dataset":"D"}')
"""
SHELL = """#!/bin/sh
tr , ' ' | while read -r area period value; do
    echo "{\\"dataset\\":\\"D\\",\\"indicator\\":\\"I\\",\\"area\\":\\"$area\\",\\"period\\":\\"$period\\",\\"value\\":\\"$value\\"}"
done
"""
SINGER = """#!/usr/bin/env python3
import json, sys
print(json.dumps({"type": "SCHEMA", "stream": "s", "schema": {"properties": {}}, "key_properties": ["c"]}))
for line in sys.stdin:
    c, y, v = line.strip().split(",")
    print(json.dumps({"type": "RECORD", "stream": "s", "record": {"c": c, "y": y, "v": v, "sex": "F"}}))
    print(json.dumps({"type": "RECORD", "stream": "other", "record": {"c": c, "y": y, "v": "9"}}))
print(json.dumps({"type": "STATE", "value": {"at": 5}}))
"""
LINE = '{"dataset":"D","indicator":"I","area":"TGO","period":"2020","value":"1"}'
PY = "#!/usr/bin/env python3\nimport os, signal, sys, time\n"


def program(name, text, mode=0o755):
    path = suite.folder / name
    path.write_text(text)
    path.chmod(mode)
    return path


def parse(name, text, *words, payload=BODY.encode(), mode=0o755):
    path = program(name, text, mode)
    return suite_site.glane("parse", "exec", f"--program={path}", *words, payload=payload)


def short(text, columns="indicator area period value"):
    return [" ".join(r[c] for c in columns.split()) for r in csv.DictReader(io.StringIO(text))]


def alive(word):
    """Processes with that argument."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            words = open(f"/proc/{entry}/cmdline", "rb").read().split(b"\0") if entry.isdigit() else []
        except OSError:
            continue
        if word.encode() in words:
            found.append(int(entry))
    return found


suite_site = suite.site("parse")

# ---- what lines become
for name, text, words, columns, want in [
        ("python", READ, [], "indicator area period value", ROWS),
        ("shell", SHELL, [], "indicator area period value", ROWS),
        ("singer", SINGER, ["--map=indicator=record.i area=record.c period=record.y value=record.v", "--values=dataset=D indicator=I",
                            "--dims=SEX=record.sex", "--stream=s"], "indicator area dims period value",
         ["I TGO SEX=F 2020 1.50", "I BEN SEX=F 2021 0.10"]),
        ("dims", "#!/bin/sh\necho '" + LINE.replace('"value"', '"dims":"SEX=F;AGE=Y15","unit_mult":3,"status":"E","note":"n","value"') + "'\n", [],
         "dims unit_mult status note value", ["AGE=Y15;SEX=F 3 E n 1"]),
        ("the last line needs no newline", f"#!/bin/sh\nprintf '%s' '{LINE}'\n", [], "area value", ["TGO 1"]),
        ("standard input is closed early", f"#!/bin/sh\nexec <&-\necho '{LINE}'\n", [], "area value", ["TGO 1"]),
        ("what it leaves behind is killed", PY + f"print('{LINE}', flush=True)\nif os.fork() == 0:\n    os.close(1)\n    time.sleep(600)\n", [], "area value", ["TGO 1"]),
        ("lines of a process that outlives it count", f"#!/bin/sh\n(sleep 1; echo '{LINE.replace('TGO', 'BEN')}')&\necho '{LINE}'\n", [], "area value", ["TGO 1", "BEN 1"])]:
    code, out, err = parse(name.replace(" ", "-"), text, *words)
    suite.same(f"lines: {name}", (code, short(out, columns)), (0, want)) or print("# " + err[-500:])

big = BODY.encode() * 200000
code, out, err = parse("read", READ, "--format=none", payload=big)
suite.true("400,000 lines through both pipes", code == 0 and "400000 rows" in err, err)

code, out, err = parse("odd", f"#!/bin/sh\necho '{LINE}'\necho '{{\"indicator\":\"I\"}}'\necho '{LINE.replace('2020', 'soon')}'\n")
suite.same("rows that make no sense go to quarantine by their lines, with what is missing", (code, short(out), [w for w in (
    'record 2, line 2: a row needs "dataset"', "record 3, line 3: period 'soon'") if w not in err]), (1, ["I TGO 2020 1"], []))
extra = LINE.replace('"area"', '"country"')
code, out, err = parse("extra", f"#!/bin/sh\necho '{extra}'\n")
suite.true("a key that no row has fails the source, with those that there are", code == 1 and "no row has a key 'country': `map` or `ignore` it" in err
           and "area area_scheme" in err, err)
for words, want in ((["--map=area=country"], ["TGO 1"]), (["--ignore=country"], [" 1"]), (["--ignore=*"], [" 1"])):
    code, out, err = parse("extra", f"#!/bin/sh\necho '{extra}'\n", *words)
    suite.same(f"it is mapped, or ignored: {words[0]}", (code, short(out, "area value")), (0, want)) or print("# " + err)

# ---- what fails
for name, text, want in [
        ("crashes", f"#!/bin/sh\necho '{LINE}'\necho 'my last words' >&2\nkill -SEGV $$\n", ["signal 11", "my last words"]),
        ("exits with 3", f"#!/bin/sh\necho '{LINE}'\nexit 3\n", ["exit status 3"]),
        ("garbage", "#!/bin/sh\necho '<html>no</html>'\n", ["JSON", "XML or HTML: 'no'"]),
        ("half a last line", f"#!/bin/sh\necho '{LINE}'\nprintf '{{\"dataset\":\"D\",\"ind'\n", ["ends too early"]),
        ("nothing", "#!/bin/sh\nexit 0\n", ["empty"]),
        ("a cover of no kind", "#!/bin/sh\necho '{\"cover\":\"all\",\"dataset\":\"D\"}'\n", ['cover "all": write full, none, range or failed']),
        ("a cover of no dataset", "#!/bin/sh\necho '{\"cover\":\"full\"}'\n", ['a cover line needs "dataset"']),
        ("an array", f"#!/bin/sh\necho '{LINE}'\necho '[{LINE}]'\n", ["record 2, line 2: a record must be an object {...}, not an array"]),
        ("rows without a value", "#!/bin/sh\necho '" + LINE.replace(',"value":"1"', "") + "'\n", ["1 rows, none with a value"]),
        ("no first line", f"echo '{LINE}'\n", ["#!/usr/bin/env python3"]),
        ("its own words", "#!/bin/sh\necho '{\"error\":\"the sheet is gone\"}'\n", ["the program says: the sheet is gone"]),
        ("dims as an object", "#!/bin/sh\necho '" + LINE.replace('"value"', '"dims":{"SEX":"F"},"value"') + "'\n", ["dims"]),
        ("no interpreter", "#!/nowhere/python\n", ["cannot be started", "interpreter"]),
        ("its output is held", PY + f"print('{LINE}', flush=True)\nif os.fork() == 0:\n    time.sleep(600)\n", ["left a process behind that still holds its output"]),
        ("writes a file", f"#!/bin/sh\necho x > {suite.folder}/written && echo '{LINE}'\n", ["ended with"])]:
    if name == "writes a file" and support.COUNTED:
        continue  # a build that writes its counters has no limit of file size
    code, out, err = parse("fails", text)
    suite.true(f"fails: {name}", code == 1 and all(w in err for w in want) and "byte 0: program" not in err, f"{code} {err}")

begun = time.monotonic()
code, out, err = parse("flood", f"#!/bin/sh\nyes '{LINE}'\n", "--format=none", "--max_body=1G")
suite.true("a gigabyte and no end: stopped at max_body", code == 1 and "max_body" in err, err[-500:])
print(f"# 1 GiB of output took {time.monotonic() - begun:.1f} s")
code, out, err = parse("loud", f"#!/bin/sh\nyes words | head -100000 >&2\necho '{LINE}'\n")
suite.true("standard error is bounded", code == 0 and err.count("words") <= 200, err.count("words"))

for name, mode, want in [("group can write", 0o775, "writable by group"), ("not executable", 0o644, "not executable")]:
    code, out, err = parse("refused", READ, mode=mode)
    suite.true(f"refused: {name}", code == 1 and want in err, err)

code, out, err = parse("env", PY + "print(*sorted(os.environ), *[f for f in range(3, 60) if os.path.exists(f'/proc/self/fd/{f}')], *sys.argv[1:], file=sys.stderr)\n"
                       f"print('{LINE}')\n", "--arguments=a 'b c'")
suite.true("arguments, a clean environment, no further descriptors",
           "GLANE_NOW GLANE_PAYLOAD_SHA256 GLANE_SOURCE GLANE_URL LC_ALL PATH PYTHONDONTWRITEBYTECODE PYTHONUTF8 a" in err, err)

# ---- nights

def section(name, url, path, more=""):
    return f"[source {name}]\nplugin = exec\nbase_url = {url}\nprogram = {path}\nrate = 500/s\nretries = 0\n{more}\n"


with support.Server({"/a": Answer(BODY, "text/plain", etag='"1"')}) as server:
    good = program("good.py", READ)
    stubborn = program("stubborn.py", PY + f"signal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('{LINE}', flush=True)\n"
                       "time.sleep(600)\n")
    crash = program("crash.py", READ + "raise SystemExit('no more')\n")
    site = suite.site("nights", section("good", server.url + "/a", "../../good.py") + section("hang", server.url + "/a", stubborn, "deadline = 3s")
                      + section("crash", server.url + "/a", crash))
    begun = time.monotonic()
    run = site.run(env={"SECRET_WORD": "xyzzy"})
    suite.same("one crashes, one hangs and ignores SIGTERM: each costs its own source",
               {k: v in ("failed", "cancelled") for k, v in run.verdicts.items()}, {"good": False, "hang": True, "crash": True})
    suite.true("the deadline holds", time.monotonic() - begun < 20, f"{time.monotonic() - begun}")
    suite.same("nothing of the others is committed", (run.verdicts["good"], site.short("source indicator area period value")),
               ("ok", ["good " + r for r in sorted(ROWS, key=lambda r: r.split()[1])]))
    time.sleep(0.3)
    suite.same("the one that hung is gone", alive(str(stubborn)), [])

    site = suite.site("again", section("good", server.url + "/a", "../../good.py"))
    good.write_text(READ + "print('was here', file=sys.stderr)\n")
    first, second = site.run(), site.run()
    suite.same("an unchanged night runs no program", (first.verdicts, 'was here' in first.err + first.out, second.verdicts, 'was here' in second.err + second.out),
               ({"good": "ok"}, True, {"good": "unchanged"}, False))
    good.write_text(READ.replace('"period"', '"unit":"PT","period"'))
    run = site.run()
    suite.same("an edited program reads the archived answer again, for the cause `mapping`",
               (run.verdicts, run.sources["good"]["cause"], {r["unit"] for r in site.export()}), ({"good": "ok"}, "mapping", {"PT"}))
    good.unlink()
    suite.true("a program that is gone fails its source", site.run().verdicts == {"good": "failed"})
    site = suite.site("many", section("many", server.url, program("once.sh", SHELL), "requests = " + " ".join(f"{server.url}/a?{i}" for i in range(100))))
    server.routes.update({f"/a?{i}": Answer(f"TGO,{1900 + i},1\n", "text/plain") for i in range(100)})
    run = site.run()
    suite.same("a hundred requests, a program each", (run.verdicts, run.sources["many"].get("rows")), ({"many": "ok"}, 100)) or print(f"# {run}")
    site = suite.site("csv", f"[source c]\nplugin = csv\nbase_url = {server.url}/a\nprogram = {program('head.sh', '#!/bin/sh' + chr(10) + 'echo a,p,v; cat' + chr(10))}\n"
                      "dataset = D\nindicator = =I\narea = a\nperiod = p\nvalue = v\nrate = 500/s\n")
    site.run()
    suite.same("a program before another plugin", sorted(site.short("indicator area period value")), sorted(ROWS))
    singer = ("map = indicator=record.i area=record.c period=record.y value=record.v\nvalues = dataset=D indicator=I\nstream = s\n")
    server.routes["/s"] = Answer(BODY, "text/plain", etag='"1"')
    program("singer.py", SINGER)
    site = suite.site("covers", section("all", server.url + "/s", "../../singer.py", singer + "cover = full")
                      + section("some", server.url + "/s", "../../singer.py", singer + "cover = none")
                      + section("say", server.url + "/s", "../../singer.py", singer))
    site.run()
    server.routes["/s"] = Answer(BODY.splitlines(True)[0], "text/plain", etag='"2"')
    run = site.run("--all", "--accept")
    suite.same("cover = full withdraws what is gone, none and no word do not", (run.code, sorted(site.short("source area"))),
               (0, ["all TGO", "say BEN", "say TGO", "some BEN", "some TGO"])) or print(f"# {run}")
    site = suite.site("bare", f"[source b]\nplugin = exec\nbase_url = {server.url}/s\nretries = 0\n[source u]\nplugin = exec\n"
                      f"base_url = {server.url}\nrequests = s\nretries = 0\n")
    run = site.run()
    suite.true("no program: asked for", "is `program = ...` set?" in run.sources["b"]["message"], run)
    suite.true("a request without its scheme: how it is written", "write {base_url}/s" in run.sources["u"]["message"], run)
    site = suite.site("wrong html", "[source w]\nplugin = exec\nhtml = yes\n")
    code, out, err = site.glane("check", "--conf")
    suite.true("html without a program is an error of the configuration", code == 2 and "all.conf:3" in err + out, err + out)
    site = suite.site("wrong", "[source w]\nplugin = exec\narguments = a\n")
    code, out, err = site.glane("check", "--conf")
    suite.true("arguments without a program are an error of the configuration", code != 0 and "all.conf:3" in err + out, err + out)

# ---- glane itself is killed


def wait_for(fine, seconds):
    end = time.monotonic() + seconds
    while not fine() and time.monotonic() < end:
        time.sleep(0.02)
    return fine()


with support.Server({"/a": Answer(BODY, "text/plain")}) as server:
    for name, more in (("a child", "sleep {0} & sleep {0}"), ("a grandchild", "sh -c 'sleep {0}; true'"), ("one in a session of its own", "setsid sh -c 'sleep {0}; true' & sleep {0}"),
                       ("one whose parent is gone", "sh -c 'setsid sleep {0} &'; sleep {0}")):
        word = f"1000.{os.getpid()}"
        site = suite.site("kill " + name, section("x", server.url + "/a", program("kill.sh", f"#!/bin/sh\necho '{LINE}'\n" + more.format(word) + "\n")))
        glane = subprocess.Popen([support.GLANE, "-c", str(site.conf), "run", "--all"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        started = wait_for(lambda word=word, more=more: len(alive(word)) >= more.count("{0}"), 20)
        glane.kill()
        glane.wait()
        gone = wait_for(lambda word=word: not alive(word), 1)
        suite.true(f"kill -9 of the run takes what a program started with it within a second: {name}", started and gone, (started, alive(word)))
        for pid in alive(word):
            os.kill(pid, 9)

# ---- a program is of our user, but not of our kind
AS_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups") if os.getuid() == 0 else ()
try:
    may = not support.WATCHED and subprocess.run([*AS_NOBODY, "test", "-x", support.GLANE, "-a", "-r", support.OUT / "plugins/exec.so"], check=False).returncode == 0
except OSError:
    may = False
if may:
    suite.folder.chmod(0o755)
    PEEK = PY + f"""
import glob
for path in glob.glob("/proc/[0-9]*/environ"):
    try:
        if b"xyzzy" in open(path, "rb").read():
            print("found in", open(path[:-7] + "cmdline").read().replace(chr(0), " "), file=sys.stderr)
    except OSError:
        pass
n = 0
try:
    while n < 20000:
        if os.fork() == 0:
            os.close(1)
            time.sleep(60)
            os._exit(0)
        n += 1
except OSError:
    pass
print("forked", "many" if n >= 100 else n, "and no end" if n == 20000 else "and was stopped", file=sys.stderr)
print('{LINE}')
"""
    with support.Server({"/a": Answer(BODY, "text/plain")}) as server:
        site = suite.site("nobody", section("x", server.url + "/a", program("peek.py", PEEK), "auth = key=env:GLANE_TEST_PEEK"))
        for path in (site.folder, *site.folder.rglob("*")):
            if AS_NOBODY:
                os.chown(path, 65534, 65534)
        run = site.run(env={"GLANE_TEST_PEEK": "xyzzy"}, wrap=AS_NOBODY)
        said = " ".join(run.sources["x"]["log"]) if run.sources else ""
        suite.same("a program reads no process of glane's, and does not fork without end", (run.verdicts, said), ({"x": "ok"}, "forked many and was stopped")) or print("#", run)
else:
    suite.skip("a program reads no process of glane's, and does not fork without end", "no setpriv, the program is out of reach for other users, or a leak checker has to attach to it")

# ---- a page of HTML under status 200
PAGE = "<!DOCTYPE html><html><title>Maintenance</title><body>TGO,1892,7</body></html>"
MANY = "".join(f"TGO,{1900 + i},{i}\n" for i in range(100))
state = {"b": "TGO,1890,1\nTGO,1891,2\n"}
with support.Server(lambda t: Answer(MANY if t == "/a" else state["b"], "text/plain")) as server:
    lines = program("lines.py", READ.replace("for line in sys.stdin:", "for line in sys.stdin.read().replace('<body>', '\\n').replace('</body>', '\\n').split():\n    if line.count(',') != 2: continue"))
    text = section("x", server.url, lines, "requests = {base_url}/a {base_url}/b")
    site = suite.site("page", text)
    first = site.run()
    state["b"] = PAGE
    run = site.run()
    suite.same("a page where data was is an error, and withdraws nothing", (first.verdicts, run.verdicts, "HTML page" in run.sources["x"]["message"], site.short("period", "--to", "1899")),
               ({"x": "ok"}, {"x": "failed"}, True, ["1890", "1891"])) or print("#", first, run)
    site.configure(text + "html = yes\n")
    run = site.run()
    suite.same("html = yes: the program reads it", (run.verdicts, run.sources["x"]["events"]["withdrawn"], site.short("period value", "--to", "1899")), ({"x": "ok"}, 2, ["1892 7"])) or print("#", run)
    suite.same("html = yes: and again", site.run().verdicts, {"x": "unchanged"})
    site.configure(text)
    state["b"] = PAGE.replace("1892", "1893")
    run = site.run()
    suite.same("without it again: another page is an error", run.verdicts, {"x": "failed"}) or print("#", run)

# ---- a script whose last command is `exec glane run`: what it has in the background (a `tee` of its log) is not the run's
with support.Server({"/a": Answer(BODY, "text/plain")}) as server:
    leaves = program("leaves", READ + "import os, time\nif os.fork() == 0:\n    os.setsid()\n    os.close(1)\n    time.sleep(600)\n")
    site = suite.site("background", section("x", server.url, leaves, "requests = {base_url}/a"))
    noted = suite.folder / "background.pid"
    begun = time.monotonic()
    run = site.run(wrap=["sh", "-c", f'sleep 300 >&- 2>&- & echo $! > {noted}; exec "$@"', "sh"])
    pid = int(noted.read_text())
    try:
        os.kill(pid, 0)
        alive = True
    except ProcessLookupError:
        alive = False
    suite.same("what the caller has in the background lives on", (run.verdicts, alive), ({"x": "ok"}, True)) or print("#", run)
    suite.true("... and nobody waits for it", time.monotonic() - begun < 60, time.monotonic() - begun)
    if alive:
        os.kill(pid, signal.SIGKILL)
sys.exit(suite.finish())
