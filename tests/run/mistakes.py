#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What an administrator gets wrong, and what is said of it: configuration that names what is not there, folders that went missing,
an address that changed, a store that is damaged beside its tables. TAP on standard output."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import support  # noqa: E402

ROWS = "code,year,value\n" + "".join(f"TGO,{2000 + i},{i}.50\n" for i in range(5))


def section(name, url, more=""):
    return (f"[source {name}]\nplugin = csv\nbase_url = {url}\nfiles = a.csv\ndataset = D\nindicator = =I\narea = code\nperiod = year\n"
            f"value = value\nretries = 0\n{more}")


def files(suite, server):
    """Secrets and certificates: check looks whether they could be read, and opens none."""
    site = suite.site("files")
    secret = site.folder / "secret"
    secret.write_text("s3cret-of-the-test\n")
    secret.chmod(0o644)
    for more, code, what in (("auth = key=file:/nowhere/key\n", 1, "auth: /nowhere/key: cannot be read: No such file"),
                             (f"auth = key=file:{secret}\n", 1, "others can read it; chmod 600 it"),
                             (f"auth = key=file:{site.folder}\n", 1, "not a file"),
                             ("ca_extra = /nowhere/ca.pem\n", 1, "ca_extra: /nowhere/ca.pem: cannot be read"),
                             ("auth = key=env:GLANE_TEST_NOPE\n", 0, "there is no GLANE_TEST_NOPE in the environment"),
                             ("enabled = no\nauth = key=file:/nowhere/key\n", 0, "")):
        site.configure(section("a", server.url, more))
        got, out, err = site.glane("check", "--conf")
        line = next(i for i, text in enumerate((site.folder / "sources.d/all.conf").read_text().splitlines(), 1) if text == more.splitlines()[-1])
        suite.true(f"check: {more.splitlines()[-1].replace(str(site.folder), '')}", got == code and what in err and "1 source" in out and
                   (not what or f"all.conf:{line}: " in err) and "s3cret" not in out + err, (got, out, err))
    secret.chmod(0o600)
    site.configure(section("a", server.url, f"auth = key=file:{secret}\n"))
    suite.same("check: a secret that can be read", (site.glane("check", "--conf")[0], site.glane("check", "--conf")[2]), (0, ""))
    for glane, what in (("ca_bundle = /nowhere/ca.pem\n", "ca_bundle: /nowhere/ca.pem: cannot be read"), ("proxy = file:/nowhere/p\n", "proxy: /nowhere/p: cannot")):
        other = suite.site("shared-" + glane.split()[0], section("a", server.url), glane)
        code, _, err = other.glane("check", "--conf")
        suite.true(f"check: {glane.strip()}", code == 1 and what in err, (code, err))


def folders(suite, server):
    """What is not there is never a silent success."""
    site = suite.site("folders", section("a", server.url))
    site.run()
    (site.folder / "sources.d/all.conf").unlink()
    for words in (("run",), ("run", "-q"), ("run", "--all", "--dry-run")):
        code, out, err = site.glane(*words)
        suite.true(f"{' '.join(words)} without any source: 2, also where it is quiet", code == 2 and not out and "no source is configured" in err, (code, out, err))
    suite.same("what the store has is still given", site.glane("export")[1].count("\n"), 6)
    before = site.conf.read_text()
    for key in ("sources", "providers"):
        lines = [line for line in before.splitlines() if not line.startswith(key)] + [f"{key} = /nowhere/x.d"]
        site.conf.write_text("\n".join(lines) + "\n")
        code, _, err = site.glane("check", "--conf")
        suite.true(f"{key} = a folder that is not there", code == 2 and f"glane.conf:{len(lines)}: {key} = /nowhere/x.d: No such file" in err, (code, err))
    (site.folder / "own").mkdir()
    shutil.copy(support.OUT / "plugins/csv.so", site.folder / "own")
    site.conf.write_text(f"[glane]\nplugin_path = own {support.OUT}/plugins\ntables = {support.TOP}/conf\n")
    out = site.glane("plugins")[1]
    suite.same("plugins: which of two of one name is used", [("own/csv.so" in line, "(hidden by the one above)" in line) for line in out.splitlines()
                                                             if line.split()[0] == "csv"] + [out.count("hidden")], [(True, False), (False, True), 1])
    site.conf.write_text(f"[glane]\nplugin_path = /nowhere/a /nowhere/b\ntables = {support.TOP}/conf\n")
    code, out, err = site.glane("plugins")
    suite.true("plugins: none at all", code == 2 and not out and "no folder of plugin_path holds a plugin" in err, (code, out, err))
    for words in (("plugins", "csv"), ("parse", "csv"), ("check-plugin", "csv")):
        code, out, err = site.glane(*words)
        suite.true(f"{' '.join(words)}: where it was looked for", code == 2 and not out and "no plugin 'csv' (csv.so) in the folders of plugin_path (/nowhere/a /nowhere/b)" in err,
                   (code, out, err))


def values(suite, server):
    for key, more, what in (("jobs", "jobs = 300\n", "jobs = 300: not a whole number from 1 to 64"), ("no key", "jbs = 3\n", "[glane] has no key 'jbs'")):
        site = suite.site(f"values-{key.replace(' ', '-')}", section("a", server.url), more)
        code, _, err = site.glane("check", "--conf")
        suite.true(f"glane.conf: {more.strip()}", code == 2 and what in err and "glane.conf:" in err, (code, err))
    site = suite.site("values", section("a", "http://stat office.example"))
    code, _, err = site.glane("check", "--conf")
    suite.true("base_url with a blank", code == 2 and "all.conf:3: base_url = http://stat office.example: a blank" in err, (code, err))
    site.configure(section("a", server.url, "every = sometimes\n"))
    code, out, err = site.glane("sources", "--json")
    suite.true("sources --json of a wrong configuration: nothing on standard output", code == 2 and not out and "every = sometimes" in err, (code, out, err))


def payloads(suite, server):
    if os.geteuid() != 0:
        suite.skip("check: payloads that this user cannot read", "it takes two users")
        return
    site = suite.site("payloads", section("a", server.url))
    site.run()
    (site.store / "payloads").chmod(0o700)
    for folder in (suite.folder, site.folder):
        folder.chmod(0o755)
    who = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--")
    code, out, err = site.glane("check", "--store", wrap=who)
    suite.true("check: payloads that this user cannot read are no 'none'", code == 5 and "payloads       none" not in out and
               "payloads: cannot open the folder: Permission denied" in err, (code, out, err))


def read_only(suite, server):
    """A backup that is mounted read-only is checked by whoever may read it; nothing of it is written."""
    if os.geteuid() != 0 or support.COUNTED:
        suite.skip("check: a store that this user may only read", "it takes two users, and a build that writes no counters")
        return
    site = suite.site("read-only", section("a", server.url))
    site.run()
    for path in (suite.folder, site.folder, *(p for p in site.store.rglob("*") if p.is_dir()), site.store):
        path.chmod(0o755)
    who = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--")
    code, out, err = site.glane("check", "--store", wrap=who)
    suite.true("check: a store that this user may only read", code == 0 and "payloads       1 body, 0 damaged" in out and not err, (code, out, err))
    suite.same("and the other commands that look", [site.glane(*words, wrap=who)[0] for words in (("status",), ("export",), ("runs",), ("changes",), ("sources",),
                                                                                                  ("series",), ("quarantine", "list"), ("vacuum", "--dry-run"))], [0] * 8)
    code, _, err = site.glane("run", "--all", wrap=who)
    suite.true("a run says what it may not do", code == 5 and "may this user write to the store?" in err, (code, err))


def side_files(suite, server):
    """What stands beside the commits and is damaged: which file, and what to do."""
    site = suite.site("side", section("a", server.url) + section("b", server.url))
    site.run()
    for name in ("last", "seen"):
        path = site.store / f"state/a/{name}.json"
        path.write_text("{")
        code, _, err = site.glane("run", "--all")
        found = code == 5 and f"state/a/{name}.json:1: not the JSON" in err and "remove that file" in err
        found = found or name == "seen" and f"state/a/{name}.json" in site.glane("runs", sorted(p.stem for p in (site.store / "runs").iterdir())[-1])[1]
        suite.true(f"a damaged {name}.json: which, and what to do", found, (code, err))
        path.unlink()
        suite.same(f"without {name}.json all is well", site.run().verdicts, {"a": "unchanged", "b": "unchanged"})
    for option in ("--store", "-c"):
        done = subprocess.run([support.GLANE, "-c", str(site.conf), option, "", "status"], capture_output=True, text=True, check=False)
        suite.true(f"{option} '': a script's variable that was empty", done.returncode == 2 and not done.stdout and "the name is empty" in done.stderr, done)


def moved(suite, server):
    """The address of a source is another one now: that the last commit's is no longer permitted is nobody's attack."""
    site = suite.site("moved", section("a", server.url))
    site.run()
    with support.Server({"/a.csv": support.Answer(ROWS, "text/csv")}) as other:
        site.configure(section("a", other.url))
        run = site.run()
        suite.same("base_url is another one: unchanged, without an alarm", (run.code, run.verdicts, run.err, run.sources["a"]["security_events"]),
                   (0, {"a": "unchanged"}, "", 0))
        suite.same("and so offline", ("security" in site.run("--all", "--offline").err, site.run().verdicts), (False, {"a": "unchanged"}))
        site.configure(section("a", other.url).replace("files = a.csv", f"files = {server.url}/a.csv"))
        run = site.run()
    suite.true("an address that a section asks for and does not permit is one, also where the last commit had it", run.code == 3 and
               run.err.count("security: a: ") == 1 and run.sources["a"]["security_events"] == 1, run)


def counts(suite, server):
    """One of something is one."""
    rows = "code,year,value\n" + "".join(f"TGO,{1800 + i},{i}\n" for i in range(200))
    server.routes["/a.csv"] = support.Answer(rows + "TGO,in spring,1\n", "text/csv")
    site = suite.site("counts", section("a", server.url))
    run = site.run("a", "--now", "2026-03-01T03:00:00Z")
    suite.true("one rejected record", run.verdicts == {"a": "partial"} and "1 record in quarantine/" in run.sources["a"]["message"], run)
    for words in (("list",), ("show", "a")):
        out = site.glane("quarantine", *words)[1]
        suite.true(f"quarantine {words[0]}: one record", f"rejected 1 record of run {run.report['run']}\n" in out, out)
    suite.true("runs: one source", re.search(r"exit 1 +1 source  a partial$", site.glane("runs")[1], re.M), site.glane("runs")[1])
    server.routes["/a.csv"] = support.Answer(rows[:1000], "text/csv")
    site.run("a", "--now", "2026-03-02T03:00:00Z")
    out = site.glane("quarantine", "list", "--now", "2026-03-02T03:20:00Z")[1], site.glane("status", "--now", "2026-03-02T03:20:00Z")[1]
    suite.same("a hold of this night: minutes, the same in list and status", [text.count("held for 20 minutes (min_rows_percent)") for text in out], [1, 1])
    out = site.glane("quarantine", "reject", "a")[1]
    suite.true("one slice was held", out.endswith("rejected: 1 slice that was held\n"), out)


def main():
    suite = support.Suite("mistakes")
    with support.Server({"/a.csv": support.Answer(ROWS, "text/csv")}) as server:
        files(suite, server)
        folders(suite, server)
        values(suite, server)
        payloads(suite, server)
        read_only(suite, server)
        side_files(suite, server)
        moved(suite, server)
        counts(suite, server)
    sys.exit(suite.finish())


main()
