#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every recorded answer and edited copies of it: values, statuses and trailing zeros changed, rows dropped and added, another order.
After each run the stream holds exactly the events that Python finds between the editions, and `--as-of` gives each edition back byte
for byte as it was first exported, also after small files became large ones; an edition again adds nothing. TAP on standard output.

Large files are cut to some thousand values, except with GLANE_LONG=1."""
import csv
import gzip
import io
import os
import random
import re
import sys
import zipfile
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation

import support
from recordings import RECORDINGS, unzipped, world_bank_body, world_bank_rows

VALUES = 10**9 if os.environ.get("GLANE_LONG") else 1500
COMMITS = 32  # more than the files of a source that are left alone
SHOWN = 5
EXACT_DIGITS = 18
CELL = re.compile(r'("(?:[^"]|"")*"|[^,\r\n]*)(,|\r?\n|$)')


# ---- a recorded file whose bytes stay as they are, but for what is edited

def number(text):
    try:
        return Decimal(text) if text[:1] in "-.0123456789" else None
    except InvalidOperation:
        return None


class Csv:
    """Rows are lists of cells as they stand in the file."""

    def __init__(self, recording):
        text = recording.body()
        self.packed = text[:2]
        text = (gzip.decompress(text) if self.packed == b"\x1f\x8b" else unzipped(text)).decode("latin-1")
        records, row, at = [], [], 0
        while at < len(text):
            m = CELL.match(text, at)
            row.append(m[1])
            at = m.end()
            if m[2] != ",":
                records.append(row)
                row = []
        self.end = "\r\n" if "\r\n" in text else "\n"
        skip = recording.options.get("skip", 0) + 1
        self.head, self.rows = records[:skip], records[skip:]
        self.names = [plain_cell(c).removeprefix("\xef\xbb\xbf").strip() for c in self.head[-1]]
        self.options = recording.options
        self.value_columns = self.columns_of_values()
        said = self.options.get("note", "").replace("{value}", self.names[self.value_columns[0]])
        self.said = self.names.index(said) if said else None

    def columns_of_values(self):
        if "wide" in self.options:
            return [i for i, name in enumerate(self.names) if i and name]
        if self.options["value"] == "*":
            return [i for i, name in enumerate(self.names) if re.fullmatch(r"F?(\d{4})( \[YR\1\])?", name)]
        return [self.names.index(self.options["value"].split("=")[-1].strip('"').encode().decode("latin-1"))]

    def numbers(self, row):
        """Columns with a number."""
        return [c for c in self.value_columns if c < len(row) and number(plain_cell(row[c]).strip()) is not None]

    def text(self, row, column):
        return plain_cell(row[column]).strip()

    def put(self, row, column, text):
        row[column] = f'"{text}"' if row[column].startswith('"') else text

    def say(self, row, text):
        if self.said is not None:
            row[self.said] = text
        return self.said is not None

    def other(self, row, n):
        """A row like this one for an area, or a day, that the file does not have."""
        row = list(row)
        if "wide" in self.options:
            day = date(1998, 1, 31) - timedelta(days=n)
            row[0] = day.strftime("%d %B %Y" if " " in row[0].strip() else "%Y-%m-%d")
        else:
            row[self.names.index(self.options["area"].split("|")[0])] = f"Q{n:02}"
        return row

    def body(self, rows):
        text = "".join(",".join(r) + self.end for r in [*self.head, *rows]).encode("latin-1")
        if self.packed == b"\x1f\x8b":
            return gzip.compress(text, 1, mtime=0)
        if self.packed != b"PK":
            return text
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo("data.csv"), text)
        return out.getvalue()


def plain_cell(cell):
    return cell[1:-1].replace('""', '"') if cell.startswith('"') else cell


class WorldBank:
    """Rows are lists of one text, a JSON object."""
    VALUE = re.compile(r'("value"\s*:\s*)(-?[0-9.]+(?:[eE][-+]?[0-9]+)?)')

    def __init__(self, recording):
        self.head, rows = world_bank_rows(recording.body())
        self.rows = [[text] for text in rows]

    def numbers(self, row):
        return [0] if self.VALUE.search(row[0]) else []

    def text(self, row, _):
        return self.VALUE.search(row[0])[2]

    def put(self, row, _, text):
        row[0] = self.VALUE.sub(lambda m: m[1] + text, row[0])

    def say(self, row, text):
        row[0], n = re.subn(r'("obs_status"\s*:\s*)"[^"]*"', lambda m: f'{m[1]}"{text[0]}"', row[0])
        return n > 0

    def other(self, row, n):
        text = re.sub(r'("countryiso3code"\s*:\s*)"[^"]*"', lambda m: f'{m[1]}"Q{n:02}"', row[0])
        return [re.sub(r'("country"\s*:\s*\{\s*"id"\s*:\s*)"[^"]*"', lambda m: f'{m[1]}"Q{n}"', text)]

    def body(self, rows):
        return world_bank_body(self.head, [row[0] for row in rows])


# ---- editions

def bump(text, by):
    """Another number with as many decimals."""
    n = Decimal(text)
    return f"{n + by * Decimal(1).scaleb(min(0, n.as_tuple().exponent)):f}"


def revise(doc, rows, cells, chance):
    for i, c in cells:
        doc.put(rows[i], c, bump(doc.text(rows[i], c), chance.randint(1, 9)))


def cut(doc):
    """The first rows, with so many values."""
    n = left = 0
    for n, row in enumerate(doc.rows, 1):
        left += len(doc.numbers(row))
        if left >= VALUES:
            break
    return doc.rows[:n]


def edited(doc, base, chance):
    """A night's edition: a little of everything, and another order."""
    rows = [list(r) for r in base]
    cells = [(i, c) for i, r in enumerate(rows) for c in doc.numbers(r)]
    chance.shuffle(cells)
    few = 1 + len(cells) // 40
    revise(doc, rows, cells[:few], chance)
    for i, c in cells[few:few + few // 2 + 1]:
        text = doc.text(rows[i], c)
        if "e" not in text.lower():
            doc.put(rows[i], c, text + ("0" if "." in text else ".0"))
    for row in chance.sample(rows, 1 + len(rows) // 60):
        doc.say(row, "Estimated")
    added = [doc.other(row, n) for n, row in enumerate(chance.sample([r for r in rows if doc.numbers(r)], 1), 1)]
    dropped = len(rows) // 40
    chance.shuffle(rows)
    return rows[dropped:] + added


def upheaval(doc, base, chance):
    """Half of the values are others, a third of the rows is gone, some are new."""
    rows = [list(r) for r in base]
    cells = [(i, c) for i, r in enumerate(rows) for c in doc.numbers(r)]
    revise(doc, rows, chance.sample(cells, len(cells) // 2), chance)
    added = [doc.other(row, n) for n, row in enumerate(rows[:3], 2)]
    rows.reverse()
    return rows[len(rows) // 3:] + added


class Source:
    def __init__(self, name, recording):
        self.name, self.recording = name, recording
        chance = random.Random(recording.file)
        doc = (WorldBank if recording.plugin == "worldbank" else Csv)(recording)
        base = cut(doc)
        whole = len(base) == len(doc.rows) and isinstance(doc, Csv)
        rows = {1: base, 2: edited(doc, base, chance), 3: upheaval(doc, base, chance)}
        rows["3 in another order"] = chance.sample(rows[3], len(rows[3]))
        self.bodies = {name: doc.body(r) for name, r in rows.items()}
        if whole:
            self.bodies[1] = recording.body()
        self.observations = {}
        self.known = {}  # key: (text, what is said, event)

    def serve(self, edition):
        """The routes of the provider, whose validators move with the edition."""
        route = self.recording.serve(self.bodies[edition])
        stamp = list(self.bodies).index(edition)

        def answer(target):
            a = route(target)
            if a and a.etag:
                a.etag = f'"{stamp}"'
            if a and a.modified:
                a.modified = f"Mon, 02 Nov 2026 10:00:{stamp:02} GMT"
            return a
        return answer

    def events(self, edition):
        """What is between what is known and this edition, read with Python alone: {key: (event, text, what is said)}."""
        if edition not in self.observations:
            read = self.recording.read(self.bodies[edition])
            self.observations[edition] = {o.key: (o.text, o.said) for o in read if o.is_kept()}
        now, found = self.observations[edition], {}
        for key, (text, said) in now.items():
            before = self.known.get(key)
            event = "new" if not before else "restored" if before[2] == "withdrawn" else event_between(before, text, said)
            if event:
                found[key] = (event, plain(text), said)
                self.known[key] = (text, said, event)
        for key, (text, said, event) in self.known.items():
            if key not in now and event != "withdrawn":
                found[key] = ("withdrawn", plain(text), said)
                self.known[key] = (text, said, "withdrawn")
        return found


def plain(text):
    n = number(text)
    return text if n is None else f"{n:f}"


def event_between(before, text, said):
    a, b = number(before[0]), number(text)
    exact = a is not None and b is not None and max(len(n.as_tuple().digits) for n in (a, b)) <= EXACT_DIGITS
    if a != b if exact else plain(before[0]) != plain(text):
        return "revised"
    return "status" if (plain(before[0]), before[1]) != (plain(text), said) else None


# ---- nights

class Nights:
    def __init__(self, suite, sources):
        self.suite, self.sources, self.routes, self.exports = suite, sources, {}, []

    def route(self, target):
        _, name, rest = target.split("/", 2)
        return self.routes[name]("/" + rest) if name in self.routes else None

    def night(self, site, edition, *words):
        self.routes = {s.name: s.serve(edition) for s in self.sources}
        begin = datetime(2026, 11, 1) + timedelta(days=len(self.exports))
        return site.run("--all", "--now", begin.strftime("%Y-%m-%dT02:00:00Z"), *words)

    def export(self, site, *words):
        code, out, err = site.glane("export", "--withdrawn", *words)
        return out if code == 0 else f"exit {code}: {err}"

    def commit(self, site, edition, *words):
        """A run that must be ok everywhere. What differs between the events in the store and the true ones, as texts."""
        run = self.night(site, edition, *words)
        wrong = [f"{n}: {s['status']}: {s.get('message')}" for n, s in run.sources.items() if s["status"] != "ok"]
        text = self.export(site)
        self.exports.append((run.report.get("run"), text))
        got = {s.name: {} for s in self.sources}
        for r in csv.DictReader(io.StringIO(text, newline="")):
            if r["recorded_at"] == run.report.get("recorded_at"):
                key = (r["indicator"], r["area_code"], r["dims"], r["period"])
                got[r["source"]][key] = (r["event"], plain(r["value_text"] or r["value"]), r["note"] + r["flags"])
        seen = set()
        for s in self.sources:
            want = s.events(edition)
            seen |= {event for event, _, _ in want.values()}
            counted = sum(run.sources.get(s.name, {"events": {}})["events"].values())
            if got[s.name] != want or counted != len(want):
                wrong.append(f"{s.recording.file}: {counted} counted, {len(got[s.name])} in the store, {len(want)} true; {difference(got[s.name], want)}")
        return wrong, seen

    def back(self, site):
        """Which runs --as-of does not give back as they were."""
        return [f"{run}: {text[:300]}" for run, was in self.exports if (text := self.export(site, "--as-of", run)) != was]


def difference(got, want):
    keys = [k for k in [*want, *got] if got.get(k) != want.get(k)]
    return "; ".join(f"{k}: got {got.get(k)}, want {want.get(k)}" for k in keys[:SHOWN])


def nothing(suite, name, nights, site, edition):
    """One more night adds nothing."""
    before = site.snapshot()
    run = nights.night(site, edition)
    suite.same(f"{name}: unchanged", (run.code, set(run.verdicts.values())), (0, {"unchanged"}))
    suite.same(f"{name}: the store is the same, byte for byte", site.snapshot(), before)


def live(suite, nights, site):
    for edition, name, words, events in (
            (1, "as recorded", (), {"new"}),
            (2, "values, statuses, zeros, rows, order", (), {"new", "revised", "status", "withdrawn"}),
            (3, "half of the values, a third of the rows", ("--accept",), {"new", "revised", "status", "withdrawn", "restored"})):
        wrong, seen = nights.commit(site, edition, *words)
        suite.true(f"edition {edition}, {name}: the stream holds the true events of {len(nights.sources)} sources", not wrong, "\n".join(wrong))
        suite.true(f"edition {edition}: of each kind that can be", seen >= events, seen)
    nothing(suite, "edition 3 again", nights, site, 3)
    nothing(suite, "edition 3 in another order", nights, site, "3 in another order")
    nothing(suite, "edition 3 for the third time", nights, site, 3)
    suite.same("each edition comes back byte for byte", nights.back(site), [])


def join(suite, nights, site):
    """Back and forth, until the files of the stream are joined."""
    wrong = []
    for n in range(len(nights.exports), COMMITS):
        bad, _ = nights.commit(site, 1 + n % 2, "--accept")
        wrong += bad
    suite.true(f"{COMMITS} editions, back and forth: the stream holds the true events", not wrong, "\n".join(wrong[:SHOWN]))
    joined = sum('"operation":"OPTIMIZE"' in p.read_text() for p in (site.store / "stream/_delta_log").glob("*.json"))
    suite.true("small files of the stream have become large ones", joined > 0, joined)
    suite.same("each edition still comes back byte for byte", nights.back(site), [])
    suite.same("and the store is sound", site.glane("check", "--store")[0], 0)


def main():
    suite = support.Suite("vintages")
    if not RECORDINGS:
        suite.skip("recorded answers", "no recorded payloads beside the project")
        return suite.finish()
    nights = Nights(suite, [Source(f"s{i:02}", r) for i, r in enumerate(RECORDINGS)])
    with support.Server(nights.route) as server:
        site = suite.site("nights", "".join(s.recording.section(s.name, f"{server.url}/{s.name}", rate="500/s") for s in nights.sources), "jobs = 2")
        live(suite, nights, site)
        join(suite, nights, site)
    return suite.finish()


sys.exit(main())
