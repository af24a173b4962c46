#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The plugin ABI that is frozen: a plugin built on the day of the freeze does in `glane run` what it did then, and scripts/abi-check refuses
every change of the header that is not an addition at an end. TAP on standard output."""
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import support
from support import OUT, TOP, Answer

suite = support.Suite("abi")
check = suite.same
FROZEN = TOP / "tests/abi/plugin-1.0.h"
HEADER = FROZEN.read_text(encoding="utf-8")
NEXT = ("#define GLANE_ABI_MINOR 0", "#define GLANE_ABI_MINOR 1")


def verdict(name, edits):
    """What abi-check says of the frozen header with these edits, each of a text that stands there."""
    text = HEADER
    for old, new in edits:
        if old not in text:
            raise RuntimeError(f"{name}: nothing to edit: {old}")
        text = text.replace(old, new, 1)
    path = suite.folder / "plugin.h"
    path.write_text(text, encoding="utf-8")
    done = subprocess.run([TOP / "scripts/abi-check", FROZEN, path], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def changes():
    allowed = {
        "nothing": [],
        "other words in comments": [("/* seconds since 1970, fixed per run */", "/* Unix time */")],
        "a member at the end of a struct": [NEXT, ("	glane_str from, to;\n", "	glane_str from, to, why;\n")],
        "members at the end that leave no padding": [NEXT, ("	uint32_t wait, again;\n", "	uint32_t wait, again;\n	uint32_t pause;\n	uint32_t zero;\n")],
        "a service at the end of the table": [NEXT, ("\n};\n#define GLANE_LOG_DEBUG", "\n	glane_rc (*rest)(glane_run *);\n};\n#define GLANE_LOG_DEBUG")],
        "an option's member": [NEXT, ("	int64_t min, max;", "	int64_t min, max, step;")],
        "a macro and a struct": [NEXT, ("#define GLANE_LOG_DEBUG", "#define GLANE_FMT_ODS 9\nstruct glane_new {\n	uint32_t size, zero;\n};\n#define GLANE_LOG_DEBUG")],
    }
    for name, edits in allowed.items():
        check(f"allowed: {name}", verdict(name, edits), (0, ""))
    refused = {
        "a member inserted": ([("	uint32_t kind;\n", "	uint32_t kind;\n	glane_str source;\n")], "struct glane_cover: member 3 was `glane_str dataset`, is `glane_str source`"),
        "a member removed": ([("	uint32_t split_chars;", "	/* gone */")], "struct glane_request: member 30 was `uint32_t split_chars`, is `const char * member`"),
        "the last member removed": ([("	glane_str updated;", "")], "struct glane_series: member 15 was `glane_str updated`, is gone"),
        "two members in each other's place": ([("	glane_str from, to;", "	glane_str to, from;")], "struct glane_cover: member 5"),
        "a type of another width": ([("	uint32_t page_len;", "	uint64_t page_len;")], "was `uint32_t page_len`, is `uint64_t page_len`"),
        "a type of the same width": ([("	int32_t unit_mult; /* SDMX", "	uint32_t unit_mult; /* SDMX")], "was `int32_t unit_mult`, is `uint32_t unit_mult`"),
        "a member that lost its const": ([("	const struct glane_csv *csv;", "	struct glane_csv *csv;")], "was `const struct glane_csv * csv`"),
        "a member renamed": ([("	glane_str dataset;\n	glane_str indicator; /* absent", "	glane_str table;\n	glane_str indicator; /* absent")], "is `glane_str table`"),
        "a service with a parameter more": ([("glane_rc (*cover)(glane_run *, const struct glane_cover *);", "glane_rc (*cover)(glane_run *, const struct glane_cover *, int32_t);")],
                                            "member 24 was `glane_rc ( * cover ) ( glane_run * , const struct glane_cover * )`"),
        "a service that gives something else": ([("int64_t (*now)(glane_run *);", "int32_t (*now)(glane_run *);")], "was `int64_t ( * now ) ( glane_run * )`"),
        "a callback's parameter": ([("void (*fini)(\n		void *state)", "void (*fini)(\n		glane_run *, void *state)")], "struct glane_plugin: member 15"),
        "a service inserted": ([NEXT, ("	void (*close)", "	void (*rewind)(glane_reader *);\n	void (*close)")], "struct glane_host: member 15"),
        "a macro's value": ([("#define GLANE_COVER_FAILED 3", "#define GLANE_COVER_FAILED 4")], "GLANE_COVER_FAILED: was `GLANE_COVER_FAILED 3`"),
        "a code's sign": ([("#define GLANE_E_DATA (-4)", "#define GLANE_E_DATA 4")], "GLANE_E_DATA: was"),
        "a macro removed": ([("#define GLANE_ROLE_AREA 5 ", "/* */")], "GLANE_ROLE_AREA: is gone"),
        "what GLANE_PLUGIN() writes": ([("		.opt_stride = sizeof(struct glane_opt), ", "		")], "GLANE_PLUGIN: was"),
        "the major": ([("#define GLANE_ABI_MAJOR 1", "#define GLANE_ABI_MAJOR 2")], "GLANE_ABI_MAJOR: was"),
        "a typedef": ([("typedef int32_t glane_rc;", "typedef int64_t glane_rc;")], "`typedef int32_t glane_rc`: is gone, or has changed"),
        "a function of the header": ([("	text.n = s ? strlen(s) : 0;", "	text.n = strlen(s);")], "`static inline glane_str glane_str_of"),
        "a pair behind a function": ([("struct glane_kv {\n	const char *k;", "struct glane_kv {\n	glane_str k;")], "struct glane_kv: member 1 was `const char * k`"),
        "a struct packed": ([("	glane_str from, to;\n};", "	glane_str from, to;\n} __attribute__((packed));")], "struct glane_cover: was declared"),
        "a packing of all": ([("typedef int32_t glane_rc;", "#pragma pack(1)\ntypedef int32_t glane_rc;")], "# pragma pack ( 1 )"),
        "a type under another name": ([("typedef int32_t glane_rc;", "#define uint8_t uint16_t\ntypedef int32_t glane_rc;"), NEXT], "was at"),
        "an observation that grows": ([NEXT, ("	uint32_t note;  /*", "	uint32_t more;\n	uint32_t note;  /*")], "struct glane_obs: member 7"),
        "an observation that grows at its end": ([NEXT, ("0: none */\n};\n\n#define GLANE_OBS_LAST", "0: none */\n	uint64_t more;\n};\n\n#define GLANE_OBS_LAST")], "can never grow"),
        "a text that grows": ([NEXT, ("	size_t n;\n} glane_str;", "	size_t n, cap;\n} glane_str;")], "struct glane_str: has no size of its own"),
        "growth without a minor": ([("	glane_str from, to;", "	glane_str from, to, why;")], "GLANE_ABI_MINOR has to be 1 or more"),
        "a macro without a minor": ([("#define GLANE_LOG_DEBUG", "#define GLANE_FMT_ODS 9\n#define GLANE_LOG_DEBUG")], "GLANE_ABI_MINOR has to be 1 or more"),
        "growth that leaves padding": ([NEXT, ("	uint32_t wait, again;\n", "	uint32_t wait, again, pause;\n")], "struct glane_request: 4 bytes of padding"),
    }
    for name, (edits, want) in refused.items():
        code, said = verdict(name, edits)
        suite.true(f"refused: {name}", code == 1 and want in said, (code, said, want))
    done = subprocess.run([TOP / "scripts/abi-check"], capture_output=True, text=True, check=False)
    check("today's header is the frozen one and what came behind it", (done.returncode, done.stdout + done.stderr), (0, ""))


TEXTS = {
    "/table.csv?q=a%20b": "a heading\narea;sex;year;V\n TG ;'F;M';2020;1.234,5\nTG;M;2021;\nBJ;F;2020;2\n",
    "/pages?size=1&page=1": '{"stamp":"s1","pages":2,"total":3,"rows":[{"y":1,"v":{"a":1,"b":"x"}}]}',
    "/pages?size=1&page=2": '{"stamp":"s2","pages":2,"total":3,"rows":[{"y":2,"v":{}},{"y":3,"v":{"c":null}}]}',
    "/split/a+b": "[1,2]",
    "/split/c": "[3]",
    "/bytes": "0123456789",
    "/doc.xml": "<D><List of='x'><Item id='1'/><Item id='2'/></List></D>",
    "/cube.csv": "DATAFLOW,SUBJECT,REF_AREA,FREQ,TIME_PERIOD,OBS_VALUE\nA:C(1.0),POP,TGO,A,2020,1.5\n",
    "/there": "[]",
}
ROWS = [
    "CUBE POP TGO  2020 1.5 A   0", "F BYTES TGO  2002 1 A  x1 x2 525 0", "F CUBE TGO  2003 1 A  TIME_PERIOD 0 0",
    "F OPTIONS TGO  2000 1 A  default is 7 90s 2048b 1 0|x|y|K:v|L:w x 0", "F PAGES TGO  2001 1 A  s1/1 a=1;s1/1 b=x;s2/3 c=; 3 0",
    "F PUSH TGO  2020-Q1 12.50 A x pushed 2", "F PUSH TGO  2020-Q2 2 A   0", "TABLE V BJ SEX=F 2020 2 E f n 6", "TABLE V TG SEX=F%3BM 2020 1234.5 E f n 6"]
COLUMNS = "dataset indicator area_code dims period value status flags note unit_mult"


def night(name, so):
    kinds = {"json": "application/json", "xml": "application/xml", "csv": "text/csv"}

    def answer(target):
        text = TEXTS.get(target)
        kind = kinds.get(re.sub(r".*\.|\?.*", "", target), "application/json" if (text or "")[:1] in "[{" else "text/plain")
        return Answer(text.encode(), kind) if text is not None else None

    (suite.folder / name).mkdir()
    (suite.folder / name / "frozen.so").write_bytes(so.read_bytes())
    (suite.folder / name / "frozen.so").chmod(0o644)
    with support.Server(answer) as server:
        site = suite.site(f"{name}-site", f"[source old]\nplugin = frozen\nbase_url = {server.url}\nmust = is\nnumber = 7\nlist = x y\nretries = 0\nrate = 500/s\n"
                          "gate.max_quarantined_percent = 100\n")
        site.conf.write_text(re.sub(r"plugin_path = .*", f"plugin_path = {suite.folder / name}", site.conf.read_text()))
        run = site.run()
        check(f"{name}: one slice is gone and one record refused, the rest is committed", (run.verdicts, run.code), ({"old": "partial"}, 1)) or print("#", run)
        suite.true(f"{name}: with the reasons", all(w in str(run) for w in ("gone was not read", "said by the plugin, number 1")), run)
        got = site.short(COLUMNS)
        check(f"{name}: what it gives, by every service", [r for r in got if " CURSOR " not in r], ROWS)
        check(f"{name}: no cursor the first night", [r for r in got if " CURSOR " in r], ["F CURSOR TGO  2004 1 A  before:  0"])
        site.run()
        check(f"{name}: its cursor the second", [r for r in site.short(COLUMNS) if " CURSOR " in r], ["F CURSOR TGO  2004 1 A  before: yes 0"])
        check(f"{name}: conforms to what a plugin may do", site.glane("plugins", "frozen")[0], 0)
        site.configure(f"[source old]\nplugin = frozen\nbase_url = {server.url}\nmust = is\nnumber = 10\n")
        suite.true(f"{name}: its options are checked", "number = 10: not between 1 and 9" in site.glane("check", "--conf")[2])


changes()
night("rebuilt", OUT / "test-plugins/frozen.so")
kept = TOP / f"tests/abi/frozen-{platform.machine().replace('_', '-')}.so"
if kept.exists():
    night("kept", kept)
    if shutil.which("nm"):
        names = subprocess.run(["nm", "-D", "--defined-only", kept], capture_output=True, text=True, check=True).stdout.split()
        check("the binary exports one symbol", names[2::3], ["glane_plugin_v1"])
else:
    suite.skip("the binary that was kept", f"there is none for {platform.machine()}; the one rebuilt from the frozen header ran")
sys.exit(suite.finish())
