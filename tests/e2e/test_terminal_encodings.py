"""Charts in terminals and pipes whose encoding has no braille."""

from __future__ import annotations

import subprocess
import sys

import pytest
from homes import Home
from trained_run import trained

ENCODINGS = {
    "C": ({"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, "ascii"),
    "latin-1": ({"PYTHONIOENCODING": "latin-1"}, "latin-1"),
    "ascii with errors": ({"PYTHONIOENCODING": "ascii:replace"}, "ascii"),
}


def holds_a_chart(text: str) -> bool:
    """Whether there is an axis, and a row with most of a curve."""
    rows = [row for row in text.splitlines() if "|" in row]
    return any("+" in row for row in text.splitlines()) and any(
        sum(char in "'.:#" for char in row) > 10 for row in rows
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ENCODINGS)
def test_printed_charts_have_characters_of_the_encoding(home: Home, name: str) -> None:
    given, encoding = ENCODINGS[name]
    command = [sys.executable, "-m", "clr_tui.tui", "replay", trained(home), "--headless"]
    result = subprocess.run(command, capture_output=True, env=home.env | given, check=True)
    text = result.stdout.decode(encoding)
    assert "?" not in text
    assert holds_a_chart(text)


@pytest.mark.slow
@pytest.mark.parametrize("name", ENCODINGS)
def test_the_screen_has_characters_of_the_encoding(home: Home, name: str) -> None:
    given, encoding = ENCODINGS[name]
    home.env |= given
    terminal = home.open("attach", trained(home), columns=100, rows=30)
    terminal.wait_for("accuracy, %")
    while terminal.read(1.5):
        pass
    text = terminal.output.decode(encoding)  # fails for bytes of any other
    assert "\N{REPLACEMENT CHARACTER}" not in text
    shown = terminal.text
    assert shown.count("?") == 1  # the key for help
    assert holds_a_chart(shown)
