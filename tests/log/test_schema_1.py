"""Logs of schema 1 read as before: literal lines, and the events of today that they are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.log import events as ev
from clr_tui.engine.log.decoding import LineDecoder
from clr_tui.engine.log.packed_log import read_packed
from clr_tui.engine.log.tail import read_events
from clr_tui.engine.metrics import ACCURACY
from clr_tui.engine.settings.config import RunConfig, Train

CONFIG = RunConfig(id="train-1", created=0.0, version="0.3", job=Train(base_lr=0.01, max_lr=0.1))
STARTED = (
    '{"type":"run-started","seq":0,"time":10.0,"run":"train-1","kind":"train","schema":1,'
    '"version":"0.3","host":"h","pid":7}'
)
LINES = {
    STARTED: ev.RunStarted(
        seq=0, time=10.0, run="train-1", kind="train", schema=1, version="0.3", host="h", pid=7
    ),
    '{"type":"task-ready","seq":1,"time":11.0,"name":"digits","model":"cnn","classes":["0","1"],'
    '"train":1259,"validation":269,"test":269,"channels":1,"image_size":8,"parameters":90,'
    '"trainable":80,"batch_size":64,"steps_per_epoch":19,"skipped":2}': ev.TaskReady(
        seq=1,
        time=11.0,
        name="digits",
        model="cnn",
        train=1259,
        validation=269,
        test=269,
        parameters=90,
        trainable=80,
        batch_size=64,
        steps_per_epoch=19,
        metrics=[ACCURACY],
        samples="images",
        classes=["0", "1"],
        channels=1,
        image_size=8,
        skipped=2,
    ),
    '{"type":"steps","seq":2,"time":12.0,"trial":0,"step":[0,1],"lr":[0.1,0.2],"loss":[2.5,null],'
    '"accuracy":[0.5,null],"elapsed":0.5,"images_per_second":1640.5,"left":60.5}': ev.Steps(
        seq=2,
        time=12.0,
        trial=0,
        step=[0, 1],
        lr=[0.1, 0.2],
        loss=[2.5, None],
        metrics={"accuracy": [0.5, None]},
        elapsed=0.5,
        samples_per_second=1640.5,
        eta_seconds=60.5,
    ),
    '{"type":"steps","seq":3,"time":12.0,"trial":1,"step":[0],"lr":[0.1],"loss":[2.5],'
    '"accuracy":null,"elapsed":0.5,"images_per_second":null,"left":null}': ev.Steps(
        seq=3, time=12.0, trial=1, step=[0], lr=[0.1], loss=[2.5], elapsed=0.5
    ),
    '{"type":"evaluated","seq":4,"time":13.0,"trial":0,"step":19,"part":"test","loss":1.5,'
    '"accuracy":0.75,"lr":0.1,"epoch":1,"checkpoint":"best"}': ev.Evaluated(
        seq=4,
        time=13.0,
        trial=0,
        step=19,
        part="test",
        loss=1.5,
        metrics={"accuracy": 0.75},
        lr=0.1,
        epoch=1,
        checkpoint="best",
    ),
    '{"type":"epoch-finished","seq":5,"time":14.0,"trial":0,"epoch":1,"step":19,"train_loss":1.25,'
    '"train_accuracy":0.5,"seconds":3.0,"best_epoch":1,"best_accuracy":0.75}': ev.EpochFinished(
        seq=5,
        time=14.0,
        trial=0,
        epoch=1,
        step=19,
        train_loss=1.25,
        train_metrics={"accuracy": 0.5},
        seconds=3.0,
        best_epoch=1,
        best_value=0.75,
    ),
    '{"type":"rate-chosen","seq":6,"time":15.0,"entry":1,"lr":0.01,"base_lr":0.002,'
    '"source":"tuned","trial":9,"steps":100,"images":6400,"seconds":2.5,"note":"n"}': ev.RateChosen(
        seq=6,
        time=15.0,
        entry=1,
        lr=0.01,
        base_lr=0.002,
        source="tuned",
        trial=9,
        steps=100,
        samples=6400,
        seconds=2.5,
        note="n",
    ),
    '{"type":"overall","seq":7,"time":16.0,"done":1,"failed":2,"stopped":3,"running":4,"total":10,'
    '"fraction":0.5,"left":90.5}': ev.Overall(
        seq=7,
        time=16.0,
        done=1,
        failed=2,
        stopped=3,
        running=4,
        total=10,
        fraction=0.5,
        eta_seconds=90.5,
    ),
    '{"type":"trial-finished","seq":8,"time":17.0,"trial":0,"outcome":"done","step":19,'
    '"reason":""}': ev.TrialFinished(seq=8, time=17.0, trial=0, outcome="done", step=19),
}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_text("".join(f"{line}\n" for line in LINES))
    return path


def test_every_event_that_changed_reads_as_today(log: Path) -> None:
    batch = read_events(log)
    assert batch.events == list(LINES.values())
    assert (batch.corrupt, batch.unknown, batch.newer_schema) == (0, {}, None)
    packed = RunHistory(CONFIG)
    packed.feed(read_packed(log))
    history = RunHistory(CONFIG)
    history.feed(batch)
    for found in (packed, history):
        np.testing.assert_array_equal(found.trials[0].metric("accuracy"), [0.5, np.nan])
        assert found.primary == ACCURACY


def test_lines_are_known_without_the_first(log: Path) -> None:
    """As in the last lines of a log."""
    decode = LineDecoder()
    assert [decode(line.encode()) for line in list(LINES)[1:]] == list(LINES.values())[1:]


def test_a_log_goes_on_in_schema_2(log: Path) -> None:
    """A run that a newer version resumes."""
    later = [
        ev.RunStarted(run="train-1", kind="train"),
        ev.Steps(trial=0, step=[2], lr=[0.1], loss=[1.0], metrics={"mae": [0.25]}, eta_seconds=1.5),
        ev.Evaluated(trial=0, step=3, part="validation", loss=1.0, metrics={"mae": 0.5}),
    ]
    with log.open("ab") as file:
        for event in later:
            file.write(json.dumps(_plain(event)).encode() + b"\n")
    assert read_events(log).events[len(LINES) :] == later


def _plain(event: ev.Event) -> dict[str, object]:
    import msgspec

    plain: dict[str, object] = msgspec.to_builtins(event)
    return plain


def test_a_line_of_schema_1_in_a_log_of_schema_2_is_corrupt(tmp_path: Path) -> None:
    """Known by its first line, such a log is read once a line."""
    path = tmp_path / "events.jsonl"
    second = STARTED.replace('"schema":1', '"schema":2')
    evaluated = next(line for line in LINES if '"evaluated"' in line)
    path.write_text(f"{second}\n{evaluated}\n")
    assert read_events(path).corrupt == 1


def as_float32_shares(count: int, images: int, block: int = 256) -> float:
    """How early versions added up the correct images of a part."""
    total = np.float32(0)
    for start in range(0, images, block):
        size = min(block, images - start)
        right = min(max(count - start, 0), size)
        total += np.float32(np.float32(right) / np.float32(size)) * np.float32(size / images)
    return float(total)


def logged(path: Path, accuracy: float, images: int) -> list[ev.AnyEvent]:
    """Validation, test and epoch of an early log, which all have this accuracy."""
    ready = next(line for line in LINES if '"task-ready"' in line).replace("269", str(images))
    lines = [STARTED, ready]
    for kind, part in (("evaluated", "validation"), ("evaluated", "test"), ("epoch-finished", "")):
        line = json.loads(next(line for line in LINES if f'"{kind}"' in line))
        line |= {"best_accuracy": accuracy} if part == "" else {"accuracy": accuracy, "part": part}
        lines.append(json.dumps(line))
    path.write_text("".join(f"{line}\n" for line in lines))
    return read_events(path).events[2:]


@pytest.mark.parametrize(("count", "images"), [(19, 20), (285, 300), (2565, 2700), (700, 700)])
def test_shares_of_early_logs_are_counts_again(tmp_path: Path, count: int, images: int) -> None:
    found = logged(tmp_path / "log", as_float32_shares(count, images), images)
    validation, test, finished = found
    assert validation.metrics == test.metrics == {"accuracy": count / images}
    assert finished.best_value == count / images


def test_what_is_no_share_of_the_images_stays_as_it_is(tmp_path: Path) -> None:
    assert logged(tmp_path / "log", 0.8123, 430)[0].metrics == {"accuracy": 0.8123}
