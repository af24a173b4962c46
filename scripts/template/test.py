#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The plugin of this folder, offline: the conformance suite over fixture/, and the rows of one answer. TAP on standard output."""
import csv
import io
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(Path(os.environ.get("GLANE_TOP", HERE.parents[1])) / "tests/run"))
import support  # noqa: E402

ANSWER = HERE / "fixture/electricity-1.json"  # one of your fixture's
# The keys of your section, as options: the site has a configuration of its own, which knows no --source of yours.
OPTIONS = ["--indicators=IT.NET.USER.ZS EG.ELC.ACCS.ZS"]

suite = support.Suite(HERE.name)
site = suite.site("site")

code, out, err = site.glane("check-plugin", HERE.name, HERE / "fixture", *OPTIONS)
suite.true("it conforms", code == 0, out + err)

code, out, err = site.glane("parse", HERE.name, "--indicators=EG.ELC.ACCS.ZS", "--empty=keep",
                            payload=ANSWER.read_bytes())
rows = [[r[k] for k in ("indicator", "area", "period", "value", "status", "note")] for r in csv.DictReader(io.StringIO(out))]
suite.same("each record is a row", rows, [["EG.ELC.ACCS.ZS", "BEN", "2022", "56.5", "A", ""],
                                          ["EG.ELC.ACCS.ZS", "BEN", "2023", "", "M", "not collected"]])
sys.exit(suite.finish())
