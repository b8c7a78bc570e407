"""What comes in from files and goes out to them."""

from __future__ import annotations

import csv
import io
import math

import msgspec
import numpy as np
import pytest
from comparison_logs import comparison_history
from hypothesis import given
from hypothesis import strategies as st
from made_sweeps import REFERENCE, rates, sweep_history, valley_shape

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.recordings.recording import open_recording
from clr_tui.engine.analysis.recordings.steps_csv import epochs_csv, steps_csv
from clr_tui.engine.analysis.report import range_report
from clr_tui.engine.analysis.smoothing import smooth
from clr_tui.engine.errors import UserError
from clr_tui.engine.log import events as ev
from clr_tui.engine.settings.config import RunConfig, Train


def replayed(recording) -> RunHistory:
    history = RunHistory(recording.config)
    history.feed(recording.batch)
    return history


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference logs are not here")
def test_reference_log_comes_in_whole():
    recording = open_recording(REFERENCE)
    with REFERENCE.open() as file:
        rows = list(csv.DictReader(file))
    trial = replayed(recording).trials[0]
    assert trial.loss.tolist() == [float(r["loss"]) for r in rows]
    assert trial.lr.tolist() == [float(r["lr"]) for r in rows]
    assert recording.config.job.smoothing == 1.0
    assert recording.config.job.end_lr == pytest.approx(0.1)
    assert [e.seq for e in recording.events] == list(range(len(recording.events)))
    times = [e.time for e in recording.events]
    assert times == sorted(times)
    assert times[-1] == pytest.approx(10.8)


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(finite | st.just(math.nan), min_size=2, max_size=40))
def test_export_loses_no_digit_and_comes_back_the_same(tmp_path_factory, losses):
    history = sweep_history(losses, losses[::-1])
    path = tmp_path_factory.mktemp("csv") / "export.csv"
    path.write_bytes(steps_csv(history).encode())
    back = replayed(open_recording(path))
    for trial, losses_in in ((0, losses), (1, losses[::-1])):
        np.testing.assert_array_equal(back.trials[trial].loss, losses_in)
        np.testing.assert_array_equal(back.trials[trial].lr, history.trials[trial].lr)


ROWS = [(0, 1e-3, 2.5), (1, 1e-2, 2.25), (2, 1e-1, 2.125)]


def table(header, line):
    return header + "".join(line.format(i, lr, loss) for i, lr, loss in ROWS)


@pytest.mark.parametrize(
    "content",
    [
        table("step,lr,loss\n", "{},{},{}\n"),
        table(",lr,loss\n", "{},{},{}\n"),
        table('"Unnamed: 0","lr","loss"\n', '"{}","{}","{}"\n'),
        "lr,loss\n0.001,2.5\n0.01,2.25\n0.1,2.125\n",
        table("loss,extra,learning_rate,iteration\n", "{2},,{1},{0}\n"),
        table("step;lr;loss\n", "{};{};{}\n").replace(".", ","),
        table("sep=;\r\nstep;lr;loss\r\n", "{};{};{}\r\n"),
        table("step\tlr\tloss\n", "{}\t{}\t{}\n"),
        table("step\tlr\tloss\n", "{}\t{}\t{}\n").replace(".", ","),
        table("\tlr\tloss\n", "{}\t{}\t{}\n"),
        table("# step lr loss\n", "{} {} {}\n"),
        table("  step     lr    loss\n", "{}  {}   {}\n"),
        table("\n# step,lr,loss\n", "{},{},{}\n\n"),
        table("# made by hand\n# step lr loss\n\n", "{} {} {}\n"),
        table("# written in 2024, by hand\n#\nstep;lr;loss\n", "{};{};{}\n").replace(".", ","),
        table("step,lr,loss,größe\n", "{},{},{},µ\n"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_csv_is_read_as_programs_and_spreadsheets_of_any_country_write_it(
    tmp_path, content, encoding
):
    path = tmp_path / "a.csv"
    path.write_bytes(content.encode(encoding))
    trial = replayed(open_recording(path)).trials[0]
    assert trial.step.tolist() == [0, 1, 2]
    assert trial.lr.tolist() == [1e-3, 1e-2, 1e-1]
    assert trial.loss.tolist() == [2.5, 2.25, 2.125]


def test_rates_of_0_before_a_warm_up_are_left_out_with_a_note(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("step,lr,loss\n0,0,3\n1,0.0,3\n" + "7,0.001,2\n8,0.01,1\n9,0.1,2\n")
    recording = open_recording(path)
    assert len(replayed(recording).trials[0]) == 3
    notes = [e.text for e in recording.events if isinstance(e, ev.Note)]
    assert notes == ["2 steps with a learning rate of 0 were left out"]


def fall_of_two_decades(seed, sd):
    """Level at 2.3, falling to 0.5 about 5e-4, rising steeply from 0.3 on, with noise."""
    lr = rates(100, 1e-6, 10.0)
    x = np.log10(lr)
    shape = 2.3 - 1.8 / (1 + np.exp(-3 * (x + 3.3))) + 6 * np.maximum(0, x + 0.5)
    return lr, shape + np.random.default_rng(seed).normal(0, sd, 100)


@pytest.mark.parametrize("sd", [0.01, 0.02, 0.05, 0.1, 0.2])
def test_the_same_numbers_get_the_same_verdict_from_whatever_file(tmp_path, sd):
    """Anybody's CSV of three columns, an export of ours, and the run itself."""
    for seed in range(20):
        lr, loss = fall_of_two_decades(seed, sd)
        run = sweep_history(loss, start=1e-6, end=10.0)
        exported, three = tmp_path / "exported.csv", tmp_path / "three.csv"
        exported.write_bytes(steps_csv(run).encode())
        rows = (
            f"{i},{a!r},{b!r}\n"
            for i, (a, b) in enumerate(zip(lr.tolist(), loss.tolist(), strict=True))
        )
        three.write_text("step,lr,loss\n" + "".join(rows))
        of_run = range_report(run)
        assert of_run.verdict.kind == "recommended"
        for path in (exported, three):
            report = range_report(replayed(open_recording(path)))
            assert report.verdict == of_run.verdict
            assert report.bounds == of_run.bounds


def test_a_curve_smoothed_before_it_came_here_is_not_smoothed_again(tmp_path):
    _, loss = fall_of_two_decades(0, 0.1)
    path = tmp_path / "smoothed.csv"
    path.write_bytes(steps_csv(sweep_history(smooth(loss), start=1e-6, end=10.0)).encode())
    assert open_recording(path).config.job.smoothing == 1


def test_steps_csv_is_rfc_4180():
    text = steps_csv(sweep_history([1.5, np.nan], steps=4))
    assert text == (
        "trial,step,epoch,lr,loss,accuracy,seconds\r\n"
        "0,0,1,1e-07,1.5,,0.1\r\n"
        f"0,1,1,{float(rates(4)[1])!r},,,0.2\r\n"
    )


def test_epochs_csv_puts_each_epoch_beside_its_validation():
    job = Train(base_lr=0.1, max_lr=0.3)
    config = RunConfig(id="train-x-1", created=0.0, version="0", job=job)
    history = RunHistory(config)
    history.apply(ev.TrialStarted(trial=0, seed=0, total_steps=6, steps_per_epoch=3))
    for epoch in (1, 2):
        at = {"trial": 0, "step": 3 * epoch, "epoch": epoch}
        history.apply(
            ev.Evaluated(
                part="validation", loss=0.1 + epoch, metrics={"accuracy": None}, lr=0.3, **at
            )
        )
        history.apply(
            ev.EpochFinished(
                train_loss=0.1,
                train_metrics={"accuracy": 1 / 3},
                seconds=2.5,
                best_epoch=1,
                best_value=None,
                **at,
            )
        )
    rows = list(csv.DictReader(io.StringIO(epochs_csv(history))))
    assert [r["epoch"] for r in rows] == ["1", "2"]
    assert [float(r["validation_loss"]) for r in rows] == [1.1, 2.1]
    assert rows[0]["validation_accuracy"] == ""
    assert float(rows[0]["train_accuracy"]) == 1 / 3
    assert epochs_csv(RunHistory(config)).count("\r\n") == 1


def test_gap_within_a_csv_is_only_a_gap(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("lr,step,loss,more\n1e-3,0,2,x\n1e-2,1,,x\n1e-1,2,nan,x\n1,3,1.5,x\n\n")
    trial = replayed(open_recording(path)).trials[0]
    np.testing.assert_array_equal(trial.loss, [2, np.nan, np.nan, 1.5])
    assert trial.non_finite is None
    path.write_text("step,lr,loss\n0,1e-3,2\n1,1e-2,inf\n2,1e-1,\n")
    assert replayed(open_recording(path)).trials[0].non_finite.step == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"step,lr,loss\n", "no steps"),
        (b"step,lr,loss\n0,1e-3,2\n1,fast,2\n", "line 3"),
        (b"step,lr,loss\n0,1e-3\n", "line 2"),
        (b"step,lr,loss\n0,0,2\n", "no steps with a learning rate above 0"),
        (b"step,lr,loss\n0,1e-3,2\n1,0,2\n", "line 3 .* must be above 0"),
        (b"step,lr,loss\n0,-1e-3,2\n", "must be above 0"),
        (b"sep=;\n\nstep;lr;loss\n0;1e-3;2\n1;1,5e-3;much\n", "line 5"),
        (b"step,lr,loss\n0,nan,2\n", "must be above 0"),
        (b"step,lr,loss\n0,1e-3,2\n1,1e-3,2\n", "does not increase at line 3"),
        (b"step,lr,loss\n1,1e-3,2\n1,1e-2,2\n", "step does not increase"),
        (b"step,lr,loss\n-1,1e-3,2\n", "step does not increase"),
        (b"hello\nworld\n", "no log of a known format"),
        (b"", "holds no values yet"),
        (b"\x89PNG\r\n\x1a\n\x00\xff\xfe,", "no log of a known format"),
        (b"step,lr,loss\n0,1e-3,\xff\xfe\n", "not"),
        (b'{"some": "json"}\n', "no log of a known format"),
    ],
)
def test_what_is_no_log_gets_one_sentence(tmp_path, content, said):
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    with pytest.raises(UserError, match=said) as caught:
        open_recording(path)
    assert "\n" not in caught.value.message


def test_missing_file_names_the_nearest(tmp_path):
    (tmp_path / "lr_find_cnn.csv").touch()
    with pytest.raises(UserError, match=r"did you mean 'lr_find_cnn\.csv'"):
        open_recording(tmp_path / "lr_find_cn.csv")


def test_folder_that_is_not_a_run(tmp_path):
    with pytest.raises(UserError, match="no log of a known format"):
        open_recording(tmp_path)


def write_log(path, history_events):
    lines = [msgspec.json.encode(e) + b"\n" for e in history_events]
    path.write_bytes(b"".join(lines))


SWEEP = [
    ev.RunStarted(seq=0, time=1.0, run="range-test-x-1", kind="range-test", version="0.1.0"),
    ev.TrialStarted(seq=1, time=1.0, trial=0, seed=0, total_steps=3, steps_per_epoch=3),
    ev.Steps(
        seq=2,
        time=2.0,
        trial=0,
        step=[0, 1, 2],
        lr=[0.1, 0.2, 0.4],
        loss=[3.0, 2.0, 1.0],
        elapsed=1,
    ),
]


def test_bare_log_tells_its_own_config(tmp_path):
    path = tmp_path / "copied.jsonl"
    write_log(path, SWEEP)
    recording = open_recording(path)
    assert recording.config.kind == "range-test"
    assert recording.config.id == "range-test-x-1"
    assert recording.config.job.start_lr == 0.1
    assert len(replayed(recording).trials[0]) == 3


def test_bare_log_of_a_training(tmp_path):
    path = tmp_path / "copied.jsonl"
    started = msgspec.structs.replace(SWEEP[0], kind="train")
    bounds = ev.BoundsChanged(seq=3, trial=0, step=0, base_lr=0.01, max_lr=0.5)
    write_log(path, [started, *SWEEP[1:], bounds])
    config = open_recording(path).config
    assert (config.job.base_lr, config.job.max_lr) == (0.01, 0.5)


def test_run_folder_and_its_log_are_the_same_recording(tmp_path):
    write_log(tmp_path / "events.jsonl", SWEEP)
    config = sweep_history(valley_shape(rates(3))).config
    (tmp_path / "run.json").write_bytes(msgspec.json.encode(config))
    for path in (tmp_path, tmp_path / "events.jsonl"):
        recording = open_recording(path)
        assert recording.config == config
        assert len(recording.events) == 3


def test_steps_of_a_comparison_say_whose_they_are():
    label = "adamw(betas=(0.9, 0.95))"
    history = comparison_history(labels=(label, "sgd+clr"), seeds=2, epochs=2, tuned=True)
    rows = list(csv.DictReader(io.StringIO(steps_csv(history))))
    assert {row["optimizer"] for row in rows} == {label, "sgd+clr"}
    assert {row["role"] for row in rows} == {"train", "sweep"}
    trained = {(r["optimizer"], r["seed"], r["trial"]) for r in rows if r["role"] == "train"}
    assert trained == {
        (label, "0", "0"),
        (label, "1", "1"),
        ("sgd+clr", "0", "2"),
        ("sgd+clr", "1", "3"),
    }
