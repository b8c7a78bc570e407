"""The result of a range test as a notebook shows it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape

from clr_tui.engine.analysis.sweep.suggest import Suggestion
from clr_tui.tui.text import numbers
from clr_tui.tui.text.clean import plain

_LEFT = ' style="text-align: left"'


def html_of(svg: str, suggestions: Sequence[Suggestion], verdict: str, notes: Sequence[str]) -> str:
    """The picture, the verdict and a table of the rules.

    The picture is an image of its own: ids within an SVG hold for the whole page, and another
    result on the same page has the same ones.
    """
    source = f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
    rows = "".join(_row(one) for one in suggestions)
    sentences = "".join(f"<p>{_text(sentence)}</p>" for sentence in (verdict, *notes))
    return (
        f'<div><img src="{source}" alt="loss against learning rate" style="max-width: 100%">'
        f"{sentences}<table><thead><tr><th{_LEFT}>rule</th><th>max_lr</th><th{_LEFT}>formula</th>"
        f"</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(one: Suggestion) -> str:
    lr = numbers.lr(one.lr).strip()
    rule = f"<b>{_text(one.rule)}</b>" if one.recommended else _text(one.rule)
    formula = f"{one.formula} - {one.caution}" if one.caution else one.formula
    return f"<tr><td{_LEFT}>{rule}</td><td>{lr}</td><td{_LEFT}>{_text(formula)}</td></tr>"


def _text(text: str) -> str:
    return escape(plain(text))
