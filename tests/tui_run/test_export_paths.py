"""Paths that the file system has no answer for are told, and end nothing."""

from __future__ import annotations

import pytest

from clr_tui.engine.analysis.recordings.recording import open_recording
from clr_tui.engine.errors import UserError
from clr_tui.tui.screens.export_dialog import target

LONG = "x" * 300


@pytest.mark.parametrize("text", ["~zz/a.svg", f"{LONG}/a.svg", f"/{LONG}/{LONG}/a.csv", " "])
def test_an_odd_folder_is_reported(text) -> None:
    with pytest.raises(UserError, match=r"no folder|enter a file name"):
        target(text, [".svg", ".csv"])


def test_a_name_that_is_too_long_is_left_to_the_writing(tmp_path) -> None:
    assert target(f"{tmp_path}/{LONG}.svg", [".svg", ".csv"]).suffix == ".svg"


def test_a_recording_with_a_too_long_name_is_reported(tmp_path) -> None:
    with pytest.raises(UserError, match="there is no"):
        open_recording(tmp_path / LONG)
