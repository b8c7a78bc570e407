"""A clock that is set back or forward: every reader shows the same part of the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.recordings.recording import open_recording
from clr_tui.engine.log import events as ev
from clr_tui.engine.log.rundir import RunDir, create_run
from clr_tui.engine.log.writer import EventWriter
from clr_tui.engine.settings.config import RangeTest, TaskConfig
from clr_tui.tui.exporting import history_at
from clr_tui.tui.sources import ReplaySource
from clr_tui.tui.text.device_lines import device_lines

DAY = 86400.0
CLOCKS = {
    "steady": [100, 101, 102, 103, 104],
    "back": [100, 101, 102 - DAY, 103 - DAY, 104 - DAY],
    "forward": [100, 101, 102 + DAY, 103 + DAY, 104 + DAY],
}


def run_at(folder: Path, times: list[float]) -> RunDir:
    run = create_run(folder, task=TaskConfig(), job=RangeTest(), version="0")
    clock = iter(times)
    writer = EventWriter(run.events_path, clock=lambda: next(clock))
    writer.write(ev.RunStarted(run=run.id, kind="range-test"))
    writer.write(ev.DeviceChosen(device="cpu", name="2 threads"))
    for text in "abc":
        writer.write(ev.Note(level="info", text=text))
    writer.close()
    return run


@pytest.mark.parametrize("name", CLOCKS)
def test_a_printed_replay_shows_what_the_screen_shows(tmp_path: Path, name: str) -> None:
    recording = open_recording(run_at(tmp_path, CLOCKS[name]).path)
    shown = []
    for at in (0.0, 0.3, 0.6, 0.8, 1.0):
        source = ReplaySource(recording.batch, lambda: 0.0, at=at)
        screen = RunHistory(recording.config)
        screen.feed(source.poll())
        notes = [note.text for note in history_at(recording, at).notes]
        assert notes == [note.text for note in screen.notes]
        shown.append("".join(notes))
    assert shown == (["", "", "", "", "abc"] if name == "forward" else ["", "", "a", "ab", "abc"])


def test_the_duration_leaves_out_what_the_clock_was_set_back(tmp_path: Path) -> None:
    recording = open_recording(run_at(tmp_path, CLOCKS["back"]).path)
    history = history_at(recording, 1.0)
    history.apply(ev.RunFinished(outcome="done", time=108 - DAY))
    assert history.last_time - history.first_time - history.away == pytest.approx(7)  # one unseen
    assert any("0:07" in str(line) for line in device_lines(history, ended=True))
