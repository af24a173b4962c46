#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every recorded SDMX message that sdmx1 can read, observation for observation as `glane parse sdmx` reads it: dimensions, period, value.
Known differences, and who is right:
- structure-specific messages without their structure: sdmx1 takes every attribute of a Series for a dimension, glane those that are no
  well-known attribute. Only the dimensions of glane are compared; named dimensions (`dimensions`) leave no difference.
- values: sdmx1 gives JSON numbers as floats, glane their digits. They are compared as floats.
The packages come with sdmx_csv.py; without them, or without the recordings, the suite is skipped. Prints TAP."""
import csv
import io
import sys
import warnings
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from sdmx_csv import sdmx, skip, support  # noqa: E402  (enters the environment with the packages)

# Where a message is read with options: what its structure would say.
OPTIONS = {"insee/IPI-2010-A21_structurespecific_2.1.xml": ["--dimensions=FREQ PRODUIT NATURE"],
           "sdmx_std/ecb_exr_ng-ts-ss_2.1.xml": ["--dimensions=FREQ CURRENCY CURRENCY_DENOM EXR_TYPE EXR_VAR"],
           "sdmx_std/ecb_exr_ng-flat-ss_2.1.xml": ["--dimensions=FREQ CURRENCY CURRENCY_DENOM EXR_TYPE EXR_VAR"]}


def number(text):
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def by_sdmx1(path, ids):
    """(dimensions among ids, period, value) of every observation; None: sdmx1 does not read it, and why."""
    try:
        message = sdmx.read_sdmx(path)
    except Exception as e:  # whatever it raises: assertions, parse errors, its own
        return None, type(e).__name__
    if not hasattr(message, "data") or message.data is None:
        return None, "no data message"
    got = Counter()
    for dataset in message.data:
        for obs in dataset.obs:
            key = {k: str(getattr(v, "value", v)) for k, v in obs.key.values.items()}
            key.update({k: str(getattr(v, "value", v)) for k, v in (obs.dimension.values.items() if obs.dimension else ())})
            value = number(getattr(obs, "value", None))
            got[(frozenset((k.upper(), v) for k, v in key.items() if k.upper() in ids), key.get("TIME_PERIOD"),
                 None if value is None or value != value else value)] += 1
    return got, ""


def by_glane(site, file):
    words = ["--dataset=X", "--indicator==I", "--area==ZZ", "--empty=keep", *OPTIONS.get(file, [])]
    code, out, err = site.glane("parse", "sdmx", *words, payload=(support.PAYLOADS / file).read_bytes())
    if code != 0:
        return None, err
    rows, ids = [], set()
    for r in csv.DictReader(io.StringIO(out, newline="")):
        key = dict(part.split("=", 1) for part in r["dims"].split(";") if part)
        ids |= {k.upper() for k in key}
        rows.append((key, r["freq"], r["period"], number(r["value"])))
    return rows, ids


def main():
    if not (support.PAYLOADS / "FACTS.json").is_file():
        skip("no recorded payloads beside the project")
    warnings.simplefilter("ignore")
    suite, read = support.Suite("sdmx_messages"), 0
    site = suite.site("parse")
    files = sorted(str(p.relative_to(support.PAYLOADS)) for p in support.PAYLOADS.glob("*/*") if p.suffix == ".xml" or "sdmxjson" in p.name)
    for file in files:
        rows, ids = by_glane(site, file)
        got, why = by_sdmx1(support.PAYLOADS / file, ids if rows else set())
        if got is None or not sum(got.values()):
            print(f"# {file}: not by sdmx1 ({why or 'no observations'}), {'read' if rows else 'refused'} by glane")
            continue
        want = Counter((frozenset((k.upper(), v.replace("%3B", ";").replace("%3D", "=").replace("%25", "%")) for k, v in key.items()), period, value)
                       for key, _, period, value in rows or [])
        read += 1
        suite.true(f"{file}: {sum(want.values())} observations as sdmx1 has them", got == want, (rows is None and ids, list((got - want).items())[:2], list((want - got).items())[:2]))
    suite.true("sdmx1 read more than a dozen of them", read > 12, read)
    return suite.finish()


if __name__ == "__main__":
    sys.exit(main())
