# SPDX-License-Identifier: MIT
"""Two editions of a dataset in the shape of the World Development Indicators, one file each, for what compares whole datasets.

A record is an observation: area, indicator, year, value; area by area, as the bulk download has them. Of nine indicators two have
shares of 15 digits, three counts, four figures of one to three places. In the second edition one observation of a hundred
differs: nine tenths of those have another value, the rest has gone or is new.
"""
import random

AREAS, FIRST, LAST = 266, 1960, 2024
HEAD = "area,indicator,year,value\n"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def code(i):
    return LETTERS[i // 676 % 26] + LETTERS[i // 26 % 26] + LETTERS[i % 26]


def _series(indicator, r):
    """The years and values of a series: a walk."""
    first = FIRST + r.randrange(40)
    years = range(first, min(LAST, first + 20 + r.randrange(30)) + 1)
    kind, value = indicator % 9, r.random()
    places = 1 + kind % 3
    for year in years:
        value += (r.random() - 0.5) * 0.05
        if kind < 2:
            yield year, ("%.13f" % value).rstrip("0") + "1"
        elif kind < 5:
            yield year, str(int(abs(value) * 10 ** (3 + kind + indicator % 2)))
        else:
            yield year, "%.*f" % (places, value * 100)


def _lines(head, year, value, pick):
    """What the two editions say of one observation; `pick` is one of 10,000."""
    line = "%s%d,%s\n" % (head, year, value)
    if pick >= 100:
        return line, line
    if pick >= 95:
        return line, ""
    if pick >= 90:
        return "", line
    return line, "%s%d,%s%d\n" % (head, year, value[:-1], (int(value[-1]) + 1) % 10)


def write(first, second, n):
    """About n observations in each. Returns how many there are in both together, and how many differ."""
    indicators = max(1, round(n / (AREAS * 32)))
    total = changed = 0
    with open(first, "w", encoding="ascii") as one, open(second, "w", encoding="ascii") as two:
        one.write(HEAD)
        two.write(HEAD)
        for area in range(AREAS):
            old, new = [], []
            for k in range(indicators):
                head = "%s,IT.%s.%s.ZS," % (code(area), code(k % 40), code(k))
                for year, value in _series(k, random.Random(area * 65536 + k)):
                    pick = total * 2654435761 % 2**32 // 429497
                    before, after = _lines(head, year, value, pick)
                    old.append(before)
                    new.append(after)
                    total += 1
                    changed += pick < 100
            one.write("".join(old))
            two.write("".join(new))
    return total, changed
