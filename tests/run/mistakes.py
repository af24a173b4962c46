#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What an administrator gets wrong, and what is said of it: configuration that names what is not there, folders that went missing,
an address that changed, a store that is damaged beside its tables. TAP on standard output."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import support  # noqa: E402

ROWS = "code,year,value\n" + "".join(f"TGO,{2000 + i},{i}.50\n" for i in range(5))


def section(name, url, more=""):
    return (f"[source {name}]\nplugin = csv\nbase_url = {url}\nfiles = a.csv\ndataset = D\nindicator = =I\narea = code\nperiod = year\n"
            f"value = value\nretries = 0\n{more}")


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


def main():
    suite = support.Suite("mistakes")
    with support.Server({"/a.csv": support.Answer(ROWS, "text/csv")}) as server:
        folders(suite, server)
        values(suite, server)
    sys.exit(suite.finish())


main()
