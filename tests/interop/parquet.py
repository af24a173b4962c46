#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Parquet against other engines: pyarrow, DuckDB and Polars read what we write, we read what they write, to the last
bit. The packages come from PyPI into build/interop (made once); without them the suite is skipped. Prints TAP.
GLANE_OUT: the build with tools/parquet_tool. GLANE_INTEROP_ROWS: rows of the size comparison (200000)."""
import os
import random
import struct
import subprocess
import sys
import tempfile

TOP = os.environ.get('GLANE_TOP') or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OUT = os.environ.get('GLANE_OUT') or os.path.join(TOP, 'build', 'release')
TOOL = os.path.join(OUT, 'tools', 'parquet_tool')
VENV = os.path.join(TOP, 'build', 'interop')
PACKAGES = ['pyarrow', 'duckdb', 'polars', 'numpy']


def skip(why):
    print('1..0 # SKIP skipped: ' + why)
    sys.exit(0)


def enter_venv():
    """Runs this script again under the interpreter that has the packages."""
    python = os.path.join(VENV, 'bin', 'python')
    done = os.path.join(VENV, 'packages')
    if os.environ.get('GLANE_INTEROP_VENV'):
        skip('the packages are there, but one of them does not load')
    if not os.path.exists(done):
        for command in ([sys.executable, '-m', 'venv', VENV],
                        [python, '-m', 'pip', 'install', '-q', '--disable-pip-version-check'] + PACKAGES):
            try:
                made = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=500)
            except (OSError, subprocess.TimeoutExpired) as e:
                skip('%s: %s' % (command[-1], e))
            if made.returncode:
                skip('no Python environment with %s: %s' % (' '.join(PACKAGES), made.stdout.decode()[-200:].replace('\n', ' ')))
        with open(done, 'w') as f:
            f.write('\n'.join(PACKAGES) + '\n')
    os.environ['GLANE_INTEROP_VENV'] = VENV
    os.execv(python, [python] + sys.argv)


try:
    import duckdb
    import polars
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError:
    enter_venv()

tests = []
tmp = tempfile.TemporaryDirectory(prefix='glane-parquet-')


def test(f):
    tests.append(f)
    return f


def path(name):
    return os.path.join(tmp.name, name)


def tool(*args, text=b'', fails=False):
    p = subprocess.run([TOOL, *args], input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if (p.returncode != 0) != fails:
        raise AssertionError('%s: exit %d: %s' % (args, p.returncode, p.stderr.decode()[:500]))
    return p.stderr.decode() if fails else p.stdout


# ---- the tool's text

def cell(v, kind):
    if v is None:
        return '\\N'
    if kind == 'text':
        return v.replace('\\', '\\\\').replace('\t', '\\t').replace('\n', '\\n')
    if kind == 'double':
        return 'nan' if v != v else v.hex()
    if kind == 'list':
        return '\x1f'.join(cell(x, 'text') for x in v) or '[]'
    if kind == 'map':
        return '\x1f'.join(cell(k, 'text') + '\x1e' + cell(x, 'text') for k, x in v) or '[]'
    return str(int(v))


def uncell(s, kind):
    if s.startswith('\\N'):
        return None
    if kind == 'text':
        return s.replace('\\t', '\t').replace('\\n', '\n').replace('\\\\', '\\')
    if kind == 'double':
        return float.fromhex(s)
    if kind == 'list':
        return [] if s == '[]' else [uncell(x, 'text') for x in s.split('\x1f')]
    if kind == 'map':
        return [] if s == '[]' else [tuple(uncell(y, 'text') for y in x.split('\x1e')) for x in s.split('\x1f')]
    return bool(int(s)) if kind == 'bool' else int(s)


def write(name, columns, data, group_rows=0):
    """columns: [(path, type, flags)]; data: a list per column. Returns the tool's summary by column."""
    lines = ['\t'.join('%s:%s%s' % c for c in columns)]
    lines += ['\t'.join(cell(v, c[1]) for v, c in zip(row, columns)) for row in zip(*data)]
    out = tool('write', path(name), str(group_rows), text=('\n'.join(lines) + '\n').encode())
    return {line.split('\t')[0]: line.split('\t')[1:] for line in out.decode().splitlines()}


def read(name, *specs):
    lines = tool('read', path(name), *specs).decode().split('\n')[:-1]
    columns = [c.split(':') for c in lines[0].split('\t')]
    rows = [line.split('\t') for line in lines[1:]]
    kinds = [c[1].rstrip('?') for c in columns]
    return {c[0]: [uncell(r[i], kinds[i]) for r in rows] for i, c in enumerate(columns)}


def bits(v):
    """Equality to the last bit; one NaN is as good as another."""
    if isinstance(v, float):
        return 'nan' if v != v else struct.pack('<d', v)
    return v


def same(got, want, what):
    assert len(got) == len(want), '%s: %d rows of %d' % (what, len(got), len(want))
    for i, (g, w) in enumerate(zip(got, want)):
        assert bits(g) == bits(w) and type(g) is type(w), '%s: row %d: %r instead of %r' % (what, i, g, w)


# ---- rows

rng = random.Random(20261128)
DOUBLES = [0.0, -0.0, 1.5, -1e308, 5e-324, float('inf'), float('-inf'), 0.1, 1 / 3]
TEXTS = ['', 'a', 'Côte d’Ivoire', '\t tab \\ and\nline', '中文', '😀' * 20, 'x' * 300, '\x7f', 'z\U0010ffff' * 30]


def values(kind, n, spread):
    """n values: constant, few, rising (sorted), or all different."""
    if kind == 'bool':
        return [rng.random() < (0.99 if spread == 'constant' else 0.5) for _ in range(n)]
    if kind == 'text':
        return [{'constant': 'XX', 'few': rng.choice(TEXTS), 'rising': 'k%07d' % (i // 9),
                 'all': '%x-%d' % (rng.getrandbits(70), i)}[spread] for i in range(n)]
    if kind == 'double':
        return [{'constant': 2.5, 'few': rng.choice(DOUBLES), 'rising': i / 7, 'all': rng.uniform(-1e9, 1e9)}[spread]
                for i in range(n)]
    size = {'int8': 8, 'int16': 16, 'int32': 32, 'date': 22, 'int64': 64, 'timestamp': 55}[kind]
    top = (1 << size - 1) - 1
    return [{'constant': top, 'few': rng.choice([-top - 1, top, 0, 7]), 'rising': i * top // (n + 1),
             'all': rng.randint(-top - 1, top)}[spread] for i in range(n)]


def nulls(v, pattern):
    n = len(v)
    return [None if {'none': False, 'all': True, 'some': rng.random() < 0.3, 'blocks': i * 7 // n % 2 == 1,
                     'one': i == n // 2}[pattern] else x for i, x in enumerate(v)]


KINDS = ['text', 'bool', 'int8', 'int16', 'int32', 'int64', 'double', 'date', 'timestamp']
HINTS = {'text': ['auto', 'dictionary', 'plain'], 'bool': ['auto'], 'double': ['auto', 'dictionary', 'plain']}


def table_of_everything(n, patterns):
    columns, data = [], []
    for kind in KINDS:
        for spread in ['constant', 'few', 'rising', 'all']:
            for pattern in patterns:
                hints = HINTS.get(kind, ['auto', 'dictionary', 'delta', 'plain'])
                hint = hints[len(columns) % len(hints)]
                columns.append(('c%d_%s_%s_%s' % (len(columns), kind, spread, pattern), kind,
                                '%s:%s' % ('?' if pattern else '', hint)))
                v = values(kind, n, spread)
                data.append(nulls(v, pattern) if pattern else v)
    return columns, data


def engine_columns(name):
    """(engine, {column: values}); dates and times as the integers that the file holds."""
    t = pq.read_table(path(name), page_checksum_verification=True)
    yield 'pyarrow', {f.name: ints(t[f.name]).to_pylist() for f in t.schema}
    t = duckdb.sql("select * from read_parquet('%s')" % path(name)).to_arrow_table()
    yield 'duckdb', {f.name: ints(t[f.name]).to_pylist() for f in t.schema}
    t = polars.read_parquet(path(name)).to_arrow()
    yield 'polars', {f.name: ints(t[f.name]).to_pylist() for f in t.schema}


def ints(c):
    if pa.types.is_timestamp(c.type):
        assert c.type.tz in ('UTC', 'Etc/UTC'), c.type
        return c.cast(pa.timestamp('us', 'UTC')).cast(pa.int64())
    return c.cast(pa.int32()) if pa.types.is_date32(c.type) else c


@test
def every_type_encoding_and_null_pattern():
    for n, group_rows, patterns in [(1, 0, [None, 'none', 'all']), (700, 0, [None, 'none', 'all', 'some', 'blocks', 'one']),
                                    (23000, 21500, [None, 'some'])]:
        columns, data = table_of_everything(n, patterns)
        summary = write('all.parquet', columns, data, group_rows)
        assert summary['rows'] == [str(n)] and summary['bytes'] == [str(os.path.getsize(path('all.parquet')))]
        ours = read('all.parquet')
        for c, want in zip(columns, data):
            same(ours[c[0]], want, 'glane ' + c[0])
            assert summary[c[0]][0] == str(sum(v is None for v in want)), c[0]
        for engine, got in engine_columns('all.parquet'):
            for c, want in zip(columns, data):
                same(got[c[0]], want, engine + ' ' + c[0])


@test
def statistics_and_indexes():
    n = 100000
    keys = sorted('key%05d' % (i // 3) for i in range(n))
    long_text = ['p' * 40 + 'é' * 40 + str(i % 9) for i in range(n)]
    data = [keys, list(range(n)), [None if i % 4 else i / 8 for i in range(n)], long_text]
    summary = write('stats.parquet', [('k', 'text', ':+'), ('n', 'int64', '+'), ('v', 'double', '?'), ('t', 'text', '')], data, 40000)
    m = pq.ParquetFile(path('stats.parquet')).metadata
    assert m.num_row_groups == 3 and m.created_by.startswith('glane version '), m
    assert m.metadata[b'glane.test'] == b'yes', m.metadata
    for g in range(3):
        rows = range(g * 40000, min(n, (g + 1) * 40000))
        assert [(s.column_index, s.descending) for s in m.row_group(g).sorting_columns] == [(0, False), (1, False)]
        for i in range(4):
            c = m.row_group(g).column(i)
            has_pages = g < 2  # the last row group has a single page, of which the chunk says it all
            assert c.compression == 'ZSTD' and c.has_offset_index == c.has_column_index == has_pages, c
        s = [m.row_group(g).column(i).statistics for i in range(4)]
        assert (s[0].min, s[0].max, s[0].null_count) == (keys[rows[0]], keys[rows[-1]], 0)
        assert (s[1].min, s[1].max) == (rows[0], rows[-1])
        v = [data[2][i] for i in rows if data[2][i] is not None]
        assert (s[2].min, s[2].max, s[2].null_count) == (min(v), max(v), len(rows) - len(v))
        low, high = s[3].min.encode(), s[3].max.encode()
        assert len(low) <= 64 and len(high) <= 68, (low, high)
        assert low <= min(long_text).encode() and high >= max(long_text).encode(), (low, high)
    assert summary['k'] == ['0', keys[0], keys[-1], '11'] and summary['n'] == ['0', '0', str(n - 1)]
    low, high = summary['t'][1].encode(), summary['t'][2].encode()
    assert low == b'p' * 32 and high == b'p' * 31 + b'q' and summary['t'][3] == '00', summary['t']
    got = duckdb.sql("select count(*), min(n), max(k) from '%s' where k = 'key01000'" % path('stats.parquet')).fetchall()
    assert got == [(3, 3000, 'key01000')], got
    got = polars.scan_parquet(path('stats.parquet')).filter(polars.col('n') >= 99990).collect()
    assert got.height == 10, got


@test
def structs_lists_and_maps():
    n = 3000
    lists = [None if i % 5 == 0 else [] if i % 5 == 1 else [None if k % 3 == 2 else 'i%d' % k for k in range(i % 7)] for i in range(n)]
    maps = [None if i % 6 == 0 else [] if i % 6 == 1 else [('k%d' % k, None if k == 1 else 'v%d' % (i % 4)) for k in range(i % 5)]
            for i in range(n)]
    lines = ['id:int64\tadd.path:text?\tadd.size:int64?\tadd.tags:map?\tadd.deep.name:text?\tremove.path:text?\tl:list?\tm:map?']
    add, remove = [], []
    for i in range(n):
        has, deep = i % 3 != 0, i % 2 == 0
        add.append({'path': 'p%d' % i if i % 10 else None, 'size': i, 'tags': maps[i], 'deep': {'name': None if i % 4 else 'd'} if deep else None}
                   if has else None)
        remove.append(None if has else {'path': 'r%d' % i})
        lines.append('\t'.join([str(i), '\\N0' if not has else '\\N1' if i % 10 == 0 else 'p%d' % i, str(i) if has else '\\N0',
                                '\\N0' if not has else '\\N1' if maps[i] is None else cell(maps[i], 'map'),
                                '\\N0' if not has else '\\N1' if not deep else '\\N2' if i % 4 else 'd',
                                '\\N0' if has else 'r%d' % i, cell(lists[i], 'list'), cell(maps[i], 'map')]))
    text = ('\n'.join(lines) + '\n').encode()
    tool('write', path('nested.parquet'), '1100', text=text)
    assert tool('read', path('nested.parquet')) == text
    t = pq.read_table(path('nested.parquet'))
    assert t['add'].to_pylist() == add and t['remove'].to_pylist() == remove
    assert t['l'].to_pylist() == lists and t['m'].to_pylist() == maps
    t = duckdb.sql("select * from '%s'" % path('nested.parquet')).to_arrow_table()
    assert t['add'].to_pylist() == add and t['l'].to_pylist() == lists and t['m'].to_pylist() == maps
    t = polars.read_parquet(path('nested.parquet'))
    assert t['l'].to_list() == lists
    assert [a and a['deep'] for a in t['add'].to_list()] == [a and a['deep'] for a in add]
    # pyarrow's own form of the same, and back
    pq.write_table(pq.read_table(path('nested.parquet')), path('nested2.parquet'), compression='zstd', row_group_size=900)
    assert tool('read', path('nested2.parquet')).decode().split('\n')[1:] == text.decode().split('\n')[1:]


@test
def files_of_others():
    n = 9000
    kinds = [('text', pa.string()), ('bool', pa.bool_()), ('int8', pa.int8()), ('int16', pa.int16()), ('int32', pa.int32()),
             ('int64', pa.int64()), ('double', pa.float64()), ('date', pa.date32()), ('timestamp', pa.timestamp('us', 'UTC'))]
    names, arrays, want = [], [], {}
    for kind, t in kinds:
        for spread in ['few', 'all']:
            for pattern in ['none', 'some', 'all']:
                name = '%s_%s_%s' % (kind, spread, pattern)
                v = nulls(values(kind, n, spread), pattern)
                raw = pa.array(v, pa.int32() if kind == 'date' else pa.int64() if kind == 'timestamp' else t)
                names.append(name)
                arrays.append(raw.cast(t))
                want[name] = v
    others = pa.table(arrays, names=names)
    ints_only = {x: 'DELTA_BINARY_PACKED' for x in names if x.split('_')[0] in ('int32', 'int64', 'date', 'timestamp')}
    for options in [{}, {'use_dictionary': False}, {'data_page_version': '2.0'}, {'data_page_version': '2.0', 'use_dictionary': False},
                    {'compression': 'none'}, {'data_page_size': 2000, 'write_page_index': True, 'write_page_checksum': True},
                    {'use_dictionary': False, 'column_encoding': ints_only}, {'dictionary_pagesize_limit': 3000}]:
        pq.write_table(others, path('pa.parquet'), **{'compression': 'zstd', 'row_group_size': 3000, **options})
        got = read('pa.parquet')
        for name in names:
            same(got[name], want[name], 'pyarrow %r %s' % (options, name))
    for options in ['', ', ROW_GROUP_SIZE 4096']:
        duckdb.sql("copy (select * from others) to '%s' (format parquet, compression zstd%s)" % (path('duck.parquet'), options))
        got = read('duck.parquet')
        for name in names:
            same(got[name], want[name], 'duckdb %s %s' % (options, name))
    polars.from_arrow(others).write_parquet(path('polars.parquet'), compression='zstd', row_group_size=5000)
    got = read('polars.parquet')
    for name in names:
        same(got[name], want[name], 'polars ' + name)
    one = read('pa.parquet', 'int64_all_some:int64?', 'later:text?', 'later_too:double?')
    same(one['int64_all_some'], want['int64_all_some'], 'projection')
    assert one['later'] == [None] * n and one['later_too'] == [None] * n


@test
def what_we_do_not_read_is_named():
    t = pa.table({'a': [1, 2], 'b': ['x', 'y']})
    cases = [({'compression': 'snappy'}, 'a:int64?', 'SNAPPY'), ({'compression': 'gzip'}, 'b:text?', 'GZIP'),
             ({'use_dictionary': False, 'column_encoding': {'b': 'DELTA_BYTE_ARRAY'}}, 'b:text?', 'DELTA_BYTE_ARRAY'),
             ({'use_dictionary': False, 'column_encoding': {'a': 'BYTE_STREAM_SPLIT'}}, 'a:int64?', 'BYTE_STREAM_SPLIT'),
             ({}, 'a:text?', 'another type'), ({}, 'missing:int64', 'no column missing')]
    for options, spec, word in cases:
        pq.write_table(t, path('odd.parquet'), **{'compression': 'zstd', **options})
        said = tool('read', path('odd.parquet'), spec, fails=True)
        assert word in said and 'odd.parquet' in said and spec.split(':')[0] in said, said
    import datetime
    import decimal
    t = pa.table({'d': pa.array([decimal.Decimal('1.5')]), 'f': pa.array([1.0], pa.float32()), 'u': pa.array([1], pa.uint32()),
                  'n': pa.array([[1]]), 'l': pa.array([datetime.datetime(2020, 1, 1)], pa.timestamp('us')), 'good': ['x']})
    pq.write_table(t, path('odd.parquet'), compression='zstd')
    assert read('odd.parquet') == {'good': ['x']}
    for column in ['d', 'f', 'u', 'l', 'n.list.element']:
        said = tool('read', path('odd.parquet'), column + ':int64?', fails=True)
        assert 'not supported' in said and column in said, said
    pq.write_table(pa.table({'t': pa.array([datetime.datetime(2020, 1, 1)])}), path('odd.parquet'), use_deprecated_int96_timestamps=True)
    assert 'INT96' in tool('read', path('odd.parquet'), 't:timestamp?', fails=True)


def wdi_like(n):
    """Sorted rows of the columns of `current`: indicators x areas x years, values with the digits that such series have."""
    data = [[] for _ in range(23)]
    years = 60
    k = 0
    while k < n:
        series, i = divmod(k, years)
        indicator, area = divmod(series, 260)
        level = rng.uniform(0, 100)
        for i in range(years):
            value = None if rng.random() < 0.35 else round(level + rng.gauss(0, 3), 13)
            event = 'new' if rng.random() < 0.97 else 'revised'
            row = ['worldbank', 'WDI', 'IT.IND%04d.ZS' % indicator, 'A%02d' % area, 'A%02d' % area, '', 'A', str(1960 + i),
                   (1960 + i - 1970) * 365, value, '', '%', 0, None if value is None else 13, 'A' if value is not None else 'M', '', '',
                   1790000000000000 + (0 if event == 'new' else 86400000000 * rng.randint(1, 20)), 1790000000000000, event, 'source',
                   '20261123T234435Z', '%064x' % (indicator // 4)]
            for c, v in zip(data, row):
                c.append(v)
        k += years
    return data


@test
def size_beside_duckdb():
    n = int(os.environ.get('GLANE_INTEROP_ROWS', '200000'))
    names = ('source dataset indicator area area_code dims freq period period_start value value_text unit unit_mult decimals status flags '
             'note recorded_at known_at event cause run payload').split()
    kinds = ['text'] * 8 + ['date', 'double', 'text', 'text', 'int32', 'int32'] + ['text'] * 3 + ['timestamp'] * 2 + ['text'] * 4
    data = wdi_like(n)
    write('ours.parquet', [(a, b, '?' if a in ('value', 'decimals') else '') for a, b in zip(names, kinds)], data)
    duckdb.sql("copy (select * from '%s') to '%s' (format parquet, compression zstd)" % (path('ours.parquet'), path('duck.parquet')))
    ours, theirs = os.path.getsize(path('ours.parquet')), os.path.getsize(path('duck.parquet'))
    print('# %d rows: glane %d bytes (%.2f a row), duckdb %d' % (len(data[0]), ours, ours / len(data[0]), theirs))
    assert ours <= theirs, (ours, theirs)


@test
def export_equals_csv():
    """The bundled sample edition, exported as CSV and as Parquet: the same rows in each engine."""
    import csv
    import datetime
    glane = os.environ.get('GLANE') or os.path.join(TOP, 'build', 'glane')
    if not os.path.exists(os.path.join(TOP, 'build', 'glane')):
        print('# without build/glane there is no sample store')
        return
    subprocess.run([os.path.join(TOP, 'scripts', 'sample')], stdout=subprocess.DEVNULL, check=True)
    base = [glane, '-c', os.path.join(TOP, 'conf/sample/glane.conf'), '--store', os.path.join(TOP, 'build/sample/store'), 'export']
    for more in [], ['--withdrawn'], ['--dataset', 'nothing']:
        out = subprocess.run(base + more, stdout=subprocess.PIPE, check=True).stdout.decode()
        want = list(csv.DictReader(out.splitlines()))
        subprocess.run(base + more + ['--format', 'parquet', '-o', path('export.parquet')], check=True)
        header = out.splitlines()[0].split(',')
        assert pq.read_schema(path('export.parquet')).names == header, header
        assert more[:1] == ['--dataset'] or len(want) > 1000, len(want)
        for engine, got in engine_columns('export.parquet'):
            for name in header:
                v = [r[name] for r in want]
                if name == 'value':
                    v = [float(x) if x else None for x in v]
                elif name in ('unit_mult', 'decimals'):
                    v = [int(x) if x else None for x in v]
                elif name == 'period_start':
                    v = [(datetime.date.fromisoformat(x) - datetime.date(1970, 1, 1)).days for x in v]
                elif name in ('recorded_at', 'known_at'):
                    v = [int(datetime.datetime.fromisoformat(x.replace('Z', '+00:00')).timestamp()) * 1000000 for x in v]
                same(got[name], v, engine + ' ' + name)
        print('# %s: %d rows, csv %d bytes, parquet %d' % (' '.join(more) or 'all', len(want), len(out), os.path.getsize(path('export.parquet'))))


def main():
    only = sys.argv[1:]
    if only:
        tests[:] = [f for f in tests if f.__name__ in only]
    if not os.path.exists(TOOL):
        skip('no %s: make test-bins' % TOOL)
    failed = 0
    print('1..%d' % len(tests))
    for i, f in enumerate(tests, 1):
        try:
            f()
            print('ok %d - %s' % (i, f.__name__), flush=True)
        except Exception as e:  # a test that dies has failed
            failed += 1
            print('not ok %d - %s' % (i, f.__name__))
            print('# %s: %s' % (type(e).__name__, str(e)[:2000].replace('\n', '\n# ')), flush=True)
    sys.exit(failed > 0)


main()
