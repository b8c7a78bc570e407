"""A page as Markdown: charts as text, which shows wherever Markdown does."""

from __future__ import annotations

from clr_tui.tui.cli.plain_text import chart_lines
from clr_tui.tui.text.markdown import escaped, fenced, paragraph, table, verbatim
from clr_tui.tui.text.page import Page, Table

WIDTH, HEIGHT = 96, 16
"""Of a chart in characters: what a pull request shows without scrolling."""


def markdown(page: Page) -> str:
    """Write a page as GitHub-flavoured Markdown."""
    lines = [f"## {escaped(page.title)}", "", f"{escaped(page.what)}, {escaped(page.state)}"]
    for sentence in page.conclusions:
        lines += ["", paragraph(sentence)]
    for chart in page.charts:
        drawn = [line.rstrip() for line in chart_lines(chart, WIDTH, HEIGHT)]
        lines += ["", *fenced(drawn)]
    for one in page.tables:
        lines += ["", f"### {escaped(one.heading)}", "", *_table(one)]
    for one in page.background:
        lines += ["", f"<details><summary>{escaped(one.heading)}</summary>", ""]
        lines += [*_table(one), "", "</details>"]
    return "\n".join(lines) + "\n"


def _table(one: Table) -> list[str]:
    rows = (
        [
            verbatim(cell) if place in one.verbatim else escaped(cell)
            for place, cell in enumerate(row)
        ]
        for row in one.rows
    )
    return table([escaped(name) for name in one.columns], rows, one.right)
