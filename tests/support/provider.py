# SPDX-License-Identifier: MIT
"""Providers that live through nights, and the oracle beside the store: each provider publishes a CSV of its own, revises, withdraws,
brings back, reorders and fails by chance of a seed; the oracle keeps what a faithful reader must know of it, and writes down what
`export` must print of any vintage. Nothing here reads a store."""
import csv
import io
import random
from collections import Counter
from decimal import Decimal

AREAS = ("AGO BDI BEN BFA BWA CAF CIV CMR COD COG COM CPV DJI DZA EGY ERI ETH GAB GHA GIN GMB GNB GNQ KEN LBR LBY LSO MAR MDG MLI MOZ MRT "
         "MUS MWI NAM NER NGA RWA SDN SEN SLE SOM STP SWZ SYC TCD TGO TUN TZA UGA ZAF ZMB ZWE BGD BTN KHM LAO LKA MMR NPL").split()
COLUMNS = ("source,dataset,indicator,area,area_code,dims,freq,period,period_start,value,value_text,unit,unit_mult,decimals,status,flags,"
           "note,recorded_at,known_at")
OPTIONS = ("plugin = csv\ndataset = D\nindicator = indicator\narea = area\nperiod = period\nvalue = value\nstatus = status\nflags = flag\n"
           "note = note\nunit = =PT\nrate = 500/s\nretries = 0\n"
           # What comes back has a value of its own, of any size.
           "gate.max_factor = 1000000000000000000\ngate.max_rescaled_percent = 100\ngate.max_jumped_percent = 100\n")
HEADER = "indicator,area,period,value,status,flag,note"
EVENTS = ("new", "revised", "status", "withdrawn", "restored")
SAME, CHANGED, SHUFFLED = "same", "changed", "shuffled"
FAILURES = ("error", "empty", "cut", "html", "header", "collapsed")  # of which only `collapsed` is data, and held


def quoted(cells):
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()


class Cell:
    """What a provider says of one key: the text of the value, and what stands beside it."""
    __slots__ = ("text", "status", "flag", "note")

    def __init__(self, text, status="A", flag="", note=""):
        self.text, self.status, self.flag, self.note = text, status, flag, note

    def number(self):
        try:
            return Decimal(self.text)
        except ArithmeticError:
            return None

    def attributes(self):
        return self.text, self.status, self.flag, self.note

    def event_after(self, before):
        """`revised`, `status`, or None where nothing has changed."""
        if self.attributes() == before.attributes():
            return None
        a, b = self.number(), before.number()
        same = self.text == before.text if a is None or b is None else a == b
        return "status" if same else "revised"


class Provider:
    """One source: `rows` is its edition, key (indicator, area, period) -> Cell; body() as it publishes it tonight."""

    def __init__(self, name, seed, n_rows, change=0.09):
        """`change`: the chance of a new edition in a night."""
        self.name, self.random, self.chance = name, random.Random(f"{seed} {name}"), change
        n_indicators = 1 + n_rows // 800
        n_areas = min(len(AREAS), max(4, n_rows // 24))
        n_years = -(-n_rows * 6 // 5 // (n_indicators * n_areas))
        grid = [(f"I{i}", area, str(2023 - year)) for i in range(n_indicators) for area in AREAS[:n_areas] for year in range(n_years)]
        self.random.shuffle(grid)
        self.rows = {key: self.cell(key) for key in grid[:n_rows]}
        self.unused, self.gone = grid[n_rows:], {}
        self.has_etag, self.edition, self.order = self.random.random() < 0.7, 1, list(self.rows)

    def cell(self, key):
        odd = self.random.random()
        if odd < 0.02:
            return Cell("", "M", "", "not collected")
        if odd < 0.03:
            return Cell("<0.1", "A", "below detection")
        if odd < 0.04:
            return Cell(f"{self.random.randrange(10**17, 10**18 - 10)}", "E", "e", 'long, "exact"')
        places = self.random.choice((0, 1, 2, 2, 3, 6))
        return Cell(f"{self.random.uniform(10, 90) * (1 + int(key[0][1:])):.{places}f}")

    def some(self, keys, share):
        """At least one, and few; often none."""
        keys = list(keys)
        return self.random.sample(keys, min(len(keys), 1 + int(len(keys) * share * self.random.random())))

    def revise(self, key):
        old = self.rows[key]
        number = old.number()
        if number is None or "e" in old.flag:
            self.rows[key] = Cell(f"{self.random.uniform(10, 90):.2f}", old.status if old.text else "A", "", old.note)
            return
        places = max(0, -number.as_tuple().exponent)
        new = number + number * self.random.randint(-40, 40) / 1000
        self.rows[key] = Cell(f"{new:.{places}f}", old.status, old.flag, old.note)

    def restate(self, key):
        """The same number with another status, flag, note or number of decimals."""
        old = self.rows[key]
        how = self.random.randrange(4)
        if how == 0 and old.text:
            self.rows[key] = Cell(old.text, "P" if old.status == "A" else "A", old.flag, old.note)
        elif how == 1:
            self.rows[key] = Cell(old.text, old.status, self.random.choice(("b", "p", "b p")), old.note)
        elif how == 2:
            self.rows[key] = Cell(old.text, old.status, old.flag, f"footnote {self.random.randrange(1000)}, of the provider")
        elif old.number() is not None and len(old.text) < 12:
            self.rows[key] = Cell(old.text + ("0" if "." in old.text else ".0"), old.status, old.flag, old.note)

    def change(self):
        """A new edition, at times with hardly a difference, at times with all of them."""
        for key in self.some(self.rows, 0.04):
            self.revise(key)
        if self.random.random() < 0.4:
            for key in self.some(self.rows, 0.02):
                self.restate(key)
        if self.random.random() < 0.3:
            for key in self.some(self.gone, 1):
                old = self.gone.pop(key)
                self.rows[key] = old if self.random.random() < 0.5 else self.cell(key)
        if self.random.random() < 0.3:
            for key in self.some(self.rows, 0.02):
                self.gone[key] = self.rows.pop(key)
        if self.random.random() < 0.4:
            for key in self.some(self.unused, 0.05):
                self.unused.remove(key)
                self.rows[key] = self.cell(key)
        listed = set(self.order)
        self.order = [k for k in self.order if k in self.rows] + [k for k in self.rows if k not in listed]
        self.edition += 1

    def shuffle(self):
        self.random.shuffle(self.order)
        self.edition += 1

    def night(self):
        """What happens tonight."""
        chance = self.random.random()
        if chance < 0.01:
            self.shuffle()
            return SHUFFLED
        if chance < 0.04:
            return self.random.choice(FAILURES)
        if chance < 0.04 + self.chance:
            self.change()
            return CHANGED
        return SAME

    def body(self, n=None):
        return HEADER + "\n" + "".join(quoted([*key, *self.rows[key].attributes()]) for key in self.order[:n])


class Oracle:
    """What must be known of one source: each key's last cell, its event and when that was recorded."""

    def __init__(self, source):
        self.source, self.known, self.texts = source, {}, {}

    def learn(self, rows, moment):
        """Takes an edition as seen in the run of that moment; the events it must bring, counted, and their keys."""
        events = {}
        for key, cell in rows.items():
            before = self.known.get(key)
            if before is None:
                events[key] = "new"
            elif before[1] == "withdrawn":
                events[key] = "restored"
            else:
                events[key] = cell.event_after(before[0])
            if events[key]:
                self.known[key] = (cell, events[key], moment)
        for key, (cell, event, _) in self.known.items():
            if key not in rows and event != "withdrawn":
                events[key] = "withdrawn"
                self.known[key] = (cell, "withdrawn", moment)
        events = {key: event for key, event in events.items() if event}
        if events:
            self.texts.clear()
        return events

    def line(self, key):
        """A row as `export --withdrawn` prints it."""
        cell, event, moment = self.known[key]
        number = cell.number()
        places = "" if number is None else str(max(0, -number.as_tuple().exponent))
        is_double = number is not None and f"{float(cell.text):.{places}f}" == cell.text
        return quoted([self.source, "D", key[0], key[1], key[1], "", "A", key[2], f"{key[2]}-01-01", "" if number is None else cell.text,
                       "" if is_double else cell.text, "PT", "0", places, cell.status, cell.flag, cell.note, moment, moment, event])

    def text(self, withdrawn):
        """What `export` prints of this source, without the header, in the order of keys."""
        if withdrawn not in self.texts:
            lines = (self.line(key) for key in sorted(self.known) if withdrawn or self.known[key][1] != "withdrawn")
            self.texts[withdrawn] = "".join(line if withdrawn else line[:line.rindex(",")] + "\n" for line in lines).encode()
        return self.texts[withdrawn]


def count(events):
    return {kind: n for kind, n in Counter(events.values()).items() if n}
