"""A page as one HTML file that needs nothing else, with the charts as SVG."""

from __future__ import annotations

from html import escape

from clr_tui.tui.charts.svg import to_svg
from clr_tui.tui.text.page import Page, Table

_WIDTH, _HEIGHT = 960, 420
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2328; background: #fff;
  max-width: 980px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.what { color: #59636e; margin-top: .2rem; }
figure { margin: 1rem 0; } figure svg { max-width: 100%; height: auto; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid #d1d9e0; }
.right { text-align: right; } td code { font-size: .92em; overflow-wrap: anywhere; }
details { margin-top: 1rem; } summary { cursor: pointer; font-weight: 600; }
"""


def html(page: Page) -> str:
    """Write a page as an HTML document without scripts, links or requests."""
    conclusions = "".join(f"<p>{escape(sentence)}</p>\n" for sentence in page.conclusions)
    charts = "".join(
        f"<figure>{to_svg(chart, _WIDTH, _HEIGHT, dark=False, clip=f'data-{place}')}</figure>\n"
        for place, chart in enumerate(page.charts)
    )
    tables = "".join(f"<h2>{escape(one.heading)}</h2>\n{_table(one)}" for one in page.tables)
    background = "".join(
        f"<details><summary>{escape(one.heading)}</summary>\n{_table(one)}</details>\n"
        for one in page.background
    )
    # The policy keeps a browser from loading anything, should a text ever become markup.
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(page.title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{escape(page.title)}</h1>
<p class="what">{escape(page.what)}, {escape(page.state)}</p>
{conclusions}{charts}{tables}{background}</body>
</html>
"""


def _table(one: Table) -> str:
    head = ""
    if any(one.columns):
        cells = (f"<th{_aligned(one, i)}>{escape(c)}</th>" for i, c in enumerate(one.columns))
        head = f"<thead><tr>{''.join(cells)}</tr></thead>\n"
    rows = "".join(f"<tr>{_cells(one, row)}</tr>\n" for row in one.rows)
    return f'<div class="scroll"><table>\n{head}<tbody>\n{rows}</tbody></table></div>\n'


def _cells(one: Table, row: tuple[str, ...]) -> str:
    shown = []
    for place, cell in enumerate(row):
        text = f"<code>{escape(cell)}</code>" if place in one.verbatim else escape(cell)
        shown.append(f"<td{_aligned(one, place)}>{text}</td>")
    return "".join(shown)


def _aligned(one: Table, place: int) -> str:
    return ' class="right"' if place in one.right else ""
