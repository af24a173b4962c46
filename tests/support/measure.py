# SPDX-License-Identifier: MIT
"""Large inputs in the shapes of providers, and what a command costs in CPU time and in memory per process. For scripts/bench
and for the suites that keep the memory promise."""
import os
import subprocess
import time

YEARS = [str(y) for y in range(1960, 2025)]
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
NAMES = ["Togo", "Ghana", "Benin", "Burkina Faso", '"Côte d\'Ivoire"', '"Korea, Rep."', '"Egypt, Arab Rep."', "Türkiye",
         "Sub-Saharan Africa (IDA & IBRD countries)", "Viet Nam"]
FLAGS = [("", ""), ("E", "Estimated"), ("", '"Data refer to the fiscal year, ending 30 June."'), ("", '"Break; see ""Methodology"""')]


def code(i):
    return LETTERS[i // 676 % 26] + LETTERS[i // 26 % 26] + LETTERS[i % 26]


def number(i):
    """Digits that vary in length and places, the same on every machine."""
    x = i * 2654435761 % 2**32
    return f"{x / 10 ** (x % 7):.{x % 5}f}"


def _fill(path, size, head, chunks, tail=""):
    """Writes chunk after chunk until the file has so many bytes."""
    with open(path, "w", encoding="utf-8", newline="") as f:
        n = f.write(head)
        for chunk in chunks:
            n += f.write(chunk)
            if n >= size:
                break
        f.write(tail)
    return path


def _endless():
    i = 0
    while True:
        yield i
        i += 1


def worldbank_json(path, size):
    """The API's document of one call, 40 indicators and more: [{page...}, [record, ...]]."""
    def record(k, area, year):
        value = "null" if (area * 7 + year) % 9 == 0 else number(k * 20011 + area * 65 + year)
        return ('{"indicator":{"id":"SP.POP.T%03d","value":"Population, total"},"country":{"id":"%s","value":"Country number %d"},'
                '"countryiso3code":"%s","date":"%s","value":%s,"unit":"","obs_status":"","decimal":0}'
                % (k, code(area)[1:], area, code(area), YEARS[64 - year], value))
    records, n = [], 0
    for k in _endless():
        page = [record(k, area, year) for area in range(264) for year in range(58)]
        records.append(",".join(page))
        n += len(page)
        if sum(map(len, records)) >= size:
            break
    head = '[{"page":1,"pages":1,"per_page":%d,"lastupdated":"2018-04-24","total":%d},[' % (n, n)
    with open(path, "w", encoding="utf-8") as f:
        f.write(head)
        for i, text in enumerate(records):
            f.write(("," if i else "") + text)
        f.write("]]")
    return path


def wide_csv(path, size):
    """The bulk file of the World Bank: a record is a series, a column a year; a good third of the cells are filled."""
    cells = [number(i) for i in range(20011)]

    def records():
        for k in _endless():
            first, filled = k * 7 % 40, k * 13 % 50
            row = [cells[(k * 65 + i) % 20011] if first <= i < first + filled else "" for i in range(65)]
            yield '%s,%s,"Indicator number %d (%% of total, modelled)",IT.NET.%s.ZS,%s\n' % (
                NAMES[k // 1504 % 10], code(k // 1504 % 264), k % 1504, code(k % 1504), ",".join(row))
    return _fill(path, size, "\ufeffCountry Name,Country Code,Indicator Name,Indicator Code," + ",".join(YEARS) + "\n", records())


def long_csv(path, size):
    """Data360, UNSD, OWID: a record is an observation, in series of some thirty years."""
    def series():
        for k in _endless():
            head = 'IT_NET_%s,"Individuals using the Internet, series %d",%s,%s,' % (
                code(k // 264), k // 264, code(k % 264), NAMES[k % 10])
            flag, note = FLAGS[k % 4]
            yield "".join("%s%s,%s,Percent,C,%s,%s\n" % (head, YEARS[y], number(k * 65 + y), flag, note) for y in range(30, 62))
    return _fill(path, size, "SeriesCode,SeriesDescription,GeoAreaCode,GeoAreaName,TimePeriod,Value,Units,Nature,Flag,FootNote\n", series())


def ecb_xml(path, size):
    """The history feed of the ECB, of a currency area that has kept books since the year 1."""
    currencies = [code(i * 577 % 17576) for i in range(40)]

    def days():
        for k in _endless():
            day = "%04d-%02d-%02d" % (9999 - k // 336, 12 - k // 28 % 12, 28 - k % 28)
            yield '<Cube time="%s">%s</Cube>' % (day, "".join(
                '<Cube currency="%s" rate="%s"/>' % (c, number(k * 40 + i)) for i, c in enumerate(currencies)))
    head = ('<?xml version="1.0" encoding="UTF-8"?><gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" '
            'xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><gesmes:subject>Reference rates</gesmes:subject>'
            '<gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender><Cube>')
    return _fill(path, size, head, days(), "</Cube></gesmes:Envelope>")


def many_series_csv(path, n):
    """n records, each a series of its own."""
    def records():
        for k in range(n):
            yield "Region %d,R%06d,%s,%s\n" % (k, k, number(k), number(k + 1))
    return _fill(path, 1 << 62, "name,code,2022,2023\n", records())


JOBS = {  # name: (maker, plugin, options of the plugin)
    "json": (worldbank_json, "worldbank", ["--indicators=SP.POP.TOTL"]),
    "wide": (wide_csv, "csv", ["--dataset=WDI", "--indicator=Indicator Code", "--area=Country Code", "--area_scheme=WB",
                               "--title=Indicator Name", "--value=*"]),
    "long": (long_csv, "csv", ["--dataset=SDG", "--indicator=SeriesCode", "--area=GeoAreaCode", "--area_scheme=WB", "--period=TimePeriod",
                               "--title=SeriesDescription", "--value=Value", "--unit=Units", "--flags=Flag", "--note=FootNote"]),
    "xml": (ecb_xml, "ecb", ["--feed=hist"]),
}


def _tree(pid):
    """The process and all below it."""
    pids = [pid]
    for p in pids:
        try:
            with open(f"/proc/{p}/task/{p}/children", encoding="ascii") as f:
                pids += [int(c) for c in f.read().split()]
        except OSError:
            continue
    return pids


def _anon(pid):
    """(what the process is, its anonymous memory in KiB); None once it has gone."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            words = f.read().split(b"\0")
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
            for line in f:
                if line.startswith("RssAnon:"):
                    role = [w.decode() for w in words[:2] if w.startswith(b"@")]
                    return (role[0] if role else "main"), int(line.split()[1])
    except OSError:
        pass
    return None


def measure(command, stdin=None, stdout=subprocess.DEVNULL, every=0.01, env=None):
    """Runs the command. Returns its exit code, wall and CPU seconds of it and what it waited for, and the peak of anonymous memory of
    each role in MiB."""
    peaks = {}
    began = time.monotonic()
    with open(stdin or os.devnull, "rb") as given:
        child = subprocess.Popen(command, stdin=given, stdout=stdout, stderr=subprocess.PIPE, env=env)
    while True:
        for pid in _tree(child.pid) if every else []:
            seen = _anon(pid)
            if seen:
                peaks[seen[0]] = max(peaks.get(seen[0], 0), seen[1] / 1024)
        done, status, usage = os.wait4(child.pid, os.WNOHANG if every else 0)
        if done:
            break
        time.sleep(every)
    child.returncode = os.waitstatus_to_exitcode(status)
    err = child.stderr.read().decode(errors="replace")
    child.stderr.close()
    return {"code": child.returncode, "wall": time.monotonic() - began, "cpu": usage.ru_utime + usage.ru_stime, "anon": peaks, "err": err}
