"""Terminals and pipes whose encoding lacks most characters of a chart."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from rich.cells import cell_len

from clr_tui.tui.charts.cells import to_text
from clr_tui.tui.charts.chart import Axis, Band, Chart, Mark, Series, VLine
from clr_tui.tui.charts.draw import draw
from clr_tui.tui.charts.palette import PLAIN
from clr_tui.tui.cli import console_codec, nearest_characters
from clr_tui.tui.kinds.compare.entry_style import glyph_of


@pytest.fixture(autouse=True)
def registered():
    nearest_characters.register()
    console_codec.register()


def written(text: str, encoding: str) -> str:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, errors=nearest_characters.NAME, newline="")
    stream.write(text)
    stream.flush()
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize(
    "encoding", ["ascii", "latin-1", "cp437", "cp1252", "koi8-r", console_codec.NAME]
)
def test_a_chart_keeps_its_shape_and_columns(encoding):
    x = np.arange(40.0)
    chart = Chart(
        series=(Series(x, np.cos(x / 6), "a loss", "loss"), Series(x, x / 40, "other", "raw")),
        x=Axis(label="step"),
        vlines=(VLine(20.0, "max", "max"),),
        bands=(Band(10.0, 20.0),),
        marks=(Mark(30.0, label="rule"),),
        title="loss · smoothed …",
    )
    drawn = to_text(draw(chart, 70, 20, PLAIN))
    shown = written(drawn, encoding)
    assert "?" not in shown
    lines = list(zip(drawn.split("\n"), shown.split("\n"), strict=True))
    assert all(len(one) == len(other) for one, other in lines)
    assert sum(char not in " " for char in shown) == sum(char not in " \u2800" for char in drawn)


def test_what_the_encoding_has_is_left_alone():
    assert written("naïve ± 3 │ ⣿", "latin-1") == "naïve ± 3 | #"
    assert written("│─┤", "cp437") == "│─┤"
    assert written("⣿│ ü", "utf-8") == "⣿│ ü"


def test_a_half_filled_cell_of_dots_shows_which_half():
    assert written("⠉⣀⡇⣿⠀", "ascii") == "'.:# "


def test_letters_lose_their_accents_and_wide_ones_keep_their_width():
    text = "Blüten Ærø 猫 e\u0301"
    shown = written(text, "ascii")
    assert shown == "Bluten ?r? ?? e"
    assert len(shown) == cell_len(text)


def test_glyphs_of_curves_stay_distinct():
    glyphs = [glyph_of(entry) for entry in range(15)]
    shown = [written(glyph, "ascii") for glyph in glyphs]
    assert len(set(shown)) == len(set(glyphs))
    assert "?" not in shown


def test_the_linux_console_gets_utf_8_of_what_its_fonts_have(monkeypatch):
    assert written("│ é ±½█ \u28ff\u2801 ━● 中 \udcff", console_codec.NAME) == "│ é ±½█ #' -@ ?? ?"
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    for term, expected in (("linux", sys.platform == "linux"), ("xterm-256color", False)):
        monkeypatch.setenv("TERM", term)
        assert console_codec.is_console(terminal) is expected
    monkeypatch.setenv("TERM", "linux")
    assert not console_codec.is_console(io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
