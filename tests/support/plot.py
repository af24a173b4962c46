# SPDX-License-Identifier: MIT
"""Line charts as one SVG, of lists of numbers."""
from itertools import accumulate as running  # noqa: F401
from xml.sax.saxutils import escape

COLOURS = ("#1f4e79", "#c55a11", "#548235")
WIDTH, HEIGHT, LEFT, GAP = 460, 170, 60, 46


def scaled(values, factor):
    return [v * factor for v in values]


def step(top):
    """A round distance of three to six marks up to `top`."""
    size = 10 ** len(str(int(top))) / 10 if top >= 1 else 0.01
    return next(size * n for n in (0.5, 1, 2, 5, 10) if top / (size * n) <= 6)


def chart(title, lines, x0, y0, x_title):
    n = max(len(values) for values in lines.values())
    top = max((v for values in lines.values() for v in values if v is not None), default=0) or 1
    at = lambda i, v: f"{x0 + LEFT + i * (WIDTH - LEFT) / max(1, n - 1):.1f},{y0 + HEIGHT * (1 - v / top):.1f}"  # noqa: E731
    out = [f'<text x="{x0 + LEFT}" y="{y0 - 8}" font-weight="bold">{escape(title)}</text>']
    every, mark = step(top), 0.0
    while mark <= top:
        y = y0 + HEIGHT * (1 - mark / top)
        out.append(f'<path d="M{x0 + LEFT},{y:.1f}h{WIDTH - LEFT}" stroke="#ddd"/><text x="{x0 + LEFT - 6}" y="{y + 4:.1f}" '
                   f'text-anchor="end">{mark:g}</text>')
        mark += every
    out.append(f'<text x="{x0 + WIDTH}" y="{y0 + HEIGHT + 16}" text-anchor="end">{n} {escape(x_title)}</text>')
    for i, (name, values) in enumerate(lines.items()):
        points = " ".join(at(k, v) for k, v in enumerate(values) if v is not None)
        out.append(f'<polyline points="{points}" fill="none" stroke="{COLOURS[i]}" stroke-width="1.3"/>'
                   f'<text x="{x0 + LEFT + 8}" y="{y0 + 14 + 15 * i}" fill="{COLOURS[i]}">{escape(name)}</text>')
    return "".join(out)


def page(charts, x_title):
    """`charts`: (title, {name: values}) each; None is no point. Two side by side."""
    rows = -(-len(charts) // 2)
    body = "\n".join(chart(title, lines, 20 + i % 2 * (WIDTH + 40), 40 + i // 2 * (HEIGHT + GAP), x_title) for i, (title, lines) in enumerate(charts))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * WIDTH + 100}" height="{rows * (HEIGHT + GAP) + 40}" '
            f'font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="#fff"/>\n{body}\n</svg>\n')
