"""Logs that are damaged or huge beyond reason: what is intact is shown, the rest is said."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from comparison_logs import comparison_events

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.recordings.recording import open_recording
from clr_tui.engine.analysis.report import report_of
from clr_tui.engine.log import events as ev
from clr_tui.engine.log import tail as tail_module
from clr_tui.engine.log.decoding import MAX_TEXT
from clr_tui.engine.log.tail import LogTail
from clr_tui.tui.exporting import history_at
from clr_tui.tui.text.status import log_notices


def log_of(folder: Path, lines: list[bytes]) -> Path:
    path = folder / "log.jsonl"
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def encoded(events: list[ev.AnyEvent]) -> list[bytes]:
    return [msgspec.json.encode(event) for event in events]


def history_of(path: Path) -> RunHistory:
    return history_at(open_recording(path), 1.0)


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        ([17], "1 line of the log is missing: what is shown may be wrong."),
        ([0, 1, 40], "3 lines of the log are missing: what is shown may be wrong."),
    ],
)
def test_lines_that_are_missing_are_counted_and_said_once(tmp_path, gone, words) -> None:
    lines = encoded(comparison_events())
    path = log_of(tmp_path, [line for i, line in enumerate(lines) if i not in gone])
    history = history_of(path)
    assert log_notices(history) == [words]
    tail, missing = LogTail(path), 0
    while (batch := tail.poll(4096)).more:
        missing += batch.missing
    assert missing + batch.missing == len(gone)


def test_a_damaged_line_is_not_missing_too(tmp_path) -> None:
    lines = encoded(comparison_events())
    lines[3], lines[7] = b"?" * 50, b'{"type":"party","seq":7}'
    history = history_of(log_of(tmp_path, lines))
    assert (history.corrupt, history.unknown, history.missing) == (1, {"party": 1}, 0)


@pytest.mark.parametrize("junk", [bytes(512), b"x" * (1 << 19), b"\xff" * 100, b"{"])
def test_a_log_whose_first_line_is_damaged_is_read(tmp_path, junk) -> None:
    events = comparison_events()
    history = history_of(log_of(tmp_path, [junk, *encoded(events[1:])]))
    assert history.corrupt == 1
    assert len(history.trials) == 9
    assert history.config.kind == "compare"


def test_long_texts_are_cut(tmp_path) -> None:
    notes = [ev.Note(level="info", text="x" * 1_000_000)] * 3
    batch = LogTail(log_of(tmp_path, encoded([*comparison_events(("a" * 10**6, "b")), *notes])))
    events = batch.poll().events
    texts = [e.text for e in events if isinstance(e, ev.Note)]
    texts += [e.label for e in events if isinstance(e, ev.TrialStarted)]
    assert {len(text) for text in texts} == {MAX_TEXT, 1}
    assert all(len(text) == 1 or text.endswith("…") for text in texts)


def test_trials_without_end_take_no_memory_without_end(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(tail_module, "_MAX_TRIALS", 20)
    real = comparison_events()
    more = [ev.Diverged(trial=i, step=0, lr=0.1, reason="") for i in range(500)]
    history = history_of(log_of(tmp_path, encoded([*real, *more])))
    assert len(history.trials) == 20
    assert history.corrupt == 480


def test_damage_without_end_is_not_tried_line_by_line(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(tail_module, "_PATIENCE", 100)
    events = encoded(comparison_events())
    path = log_of(tmp_path, [*events[:9], *[b"{}"] * 50_000, *events[9:]])
    tail, found, corrupt = LogTail(path), 0, 0
    more = True
    while more:
        batch = tail.poll(1 << 14)
        found, corrupt, more = found + len(batch.events), corrupt + batch.corrupt, batch.more
    assert found >= 9
    assert found + corrupt == len(events) + 50_000


@pytest.mark.parametrize("lr", [-1e-3, 0.0, 1e308, 5e-324])
def test_a_rate_that_cannot_be_costs_its_own_step(tmp_path, lr) -> None:
    count = 60
    rates = [1e-5 * 10 ** (4 * i / count) for i in range(count)]
    rates[30] = lr
    events: list[ev.AnyEvent] = [
        ev.RunStarted(run="r", kind="range-test"),
        ev.TrialStarted(trial=0, seed=0, total_steps=count, steps_per_epoch=10),
        ev.Steps(trial=0, step=list(range(count)), lr=rates, loss=[2 - i / 60 for i in range(60)]),
        ev.Evaluated(trial=0, step=9, part="subset", loss=1.0, metrics={"accuracy": 0.5}, lr=lr),
        ev.RunFinished(outcome="done"),
    ]
    history = history_of(log_of(tmp_path, encoded(events)))
    from clr_tui.engine.analysis.sweep.curve import curve_of

    curve = curve_of(history)
    assert curve.lr.tolist() == rates[:30] + rates[31:]
    assert len(curve.loss) == len(curve.seeds[0]) == count - 1
    assert report_of(history, live=False).run == "r"


@pytest.mark.parametrize("kind", [ev.Evaluated, ev.EpochFinished, ev.TrialFinished])
def test_a_step_beyond_64_bits_is_damage(tmp_path, kind: type[ev.AnyEvent]) -> None:
    events = encoded(comparison_events(seeds=2, epochs=2))
    tag = str(kind.__struct_config__.tag).encode()
    places = [i for i, line in enumerate(events) if b'"type":"%s"' % tag in line]
    fields = msgspec.json.decode(events[places[0]]) | {"step": 10**30}
    events[places[0]] = json.dumps(fields).encode()
    history = history_of(log_of(tmp_path, events))
    assert (history.corrupt, history.missing) == (1, 0)
