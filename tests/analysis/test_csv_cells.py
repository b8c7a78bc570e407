"""Texts in a CSV neither run in a spreadsheet nor steer a terminal, and come back the same."""

from __future__ import annotations

import csv
import io
import unicodedata

import pytest
from comparison_logs import comparison_history
from hypothesis import example, given
from hypothesis import strategies as st

from clr_tui.engine.analysis.comparison.seed_curves import entry_curves
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.recordings.csv_cells import original, to_csv
from clr_tui.engine.analysis.recordings.curves_csv import curves_csv
from clr_tui.engine.analysis.recordings.recording import open_recording
from clr_tui.engine.analysis.recordings.steps_csv import epochs_csv, steps_csv

HOSTILE = [
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\uff1d1",
    "'=1",
    "a;=1",
    "a; =1",
    "\x1b]52;c;aGk=\x07",
    "\x1b[2J",
    "\u202eadam",
    "a\u2028b",
    "\U000e0001",
    "\x9b2J",
]


def cell(text: str) -> str:
    """The text as a spreadsheet has it."""
    (_, (found,)) = csv.reader(io.StringIO(to_csv(["x"], [[text]])))
    return found


def is_safe(text: str) -> bool:
    controls = any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in text)
    return not controls and not text.lstrip().startswith(tuple("=+-@\uff1d\uff0b\uff0d\uff20"))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_harmless(text: str) -> None:
    assert all(is_safe(part) for part in cell(text).split(";"))
    assert original(cell(text)) == text


@given(st.text(st.characters(exclude_characters="\0")) | st.text("\\xuU01b5c';=-e\x1b "))
@example("\\x1b")
@example("\\x5c")
@example("\\\x1b")
@example("''=")
def test_every_text_survives_a_csv_round_trip(text: str) -> None:
    assert is_safe(cell(text).lstrip(" ")) or text.startswith(" ")
    assert original(cell(text)) == text


@pytest.mark.parametrize(
    "text", ["adam(betas=(0.9,0.99))", "sgd+clr", "SGD – größer", "C:\\x\\u", "it's", "'quoted'"]
)
def test_plain_texts_are_written_as_they_are(text: str) -> None:
    assert cell(text) == original(text) == text


def test_numbers_stay_numbers() -> None:
    assert to_csv(["a", "b", "c"], [[-1, -0.5, None]]) == "a,b,c\r\n-1,-0.5,\r\n"


# What follows a plus is an entry's policy.
@pytest.mark.parametrize("text", [text for text in HOSTILE if "+" not in text])
def test_labels_of_a_comparison(text: str, tmp_path) -> None:
    """Each CSV that is written, and the one that replays."""
    history = comparison_history(("adam", text), seeds=2, epochs=2)
    for made in (steps_csv(history), epochs_csv(history), curves_csv(history)):
        assert all(is_safe(c) for row in csv.reader(io.StringIO(made)) for c in row)
    path = tmp_path / "curves.csv"
    path.write_text(curves_csv(history), newline="")
    recording = open_recording(path)
    back = RunHistory(recording.config)
    back.feed(recording.batch)
    assert [entry.label for entry in entry_curves(back)] == ["adam", text]
    assert curves_csv(back) == curves_csv(history)
