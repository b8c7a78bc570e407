"""Curves as CSV: the article's own, others', and ours there and back."""

from __future__ import annotations

import csv
import io
import math
from itertools import product
from pathlib import Path

import msgspec
import numpy as np
import pytest
from comparison_logs import comparison_config, comparison_events, comparison_history
from hypothesis import given
from hypothesis import strategies as st

from clr_tui.engine.analysis.comparison.comparison_report import compare_report
from clr_tui.engine.analysis.comparison.comparison_results import CompareReport
from clr_tui.engine.analysis.comparison.seed_curves import entry_curves
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.recordings.curves_csv import curves_csv, read_curves
from clr_tui.engine.analysis.recordings.recording import open_recording
from clr_tui.engine.errors import UserError
from clr_tui.engine.log import events as ev

COLUMNS = ("optimizer", "seed", "epoch", "train_acc", "train_loss", "val_acc", "val_loss")

CURVES = Path(__file__).parents[2].parent / "shared" / "reference" / "curves_cnn.csv"


def replayed(path) -> RunHistory:
    recording = open_recording(path)
    history = RunHistory(recording.config)
    history.feed(recording.batch)
    return history


@pytest.fixture(scope="module")
def article() -> CompareReport:
    if not CURVES.exists():
        pytest.skip("the reference curves are not here")
    return compare_report(replayed(CURVES))  # 75% is what it times without being asked


PUBLISHED = {  # % at epoch 150 and its sd, best epoch, first epoch at 75%
    "adagrad": ("68.3", "0.6", "69.4", [None] * 3),
    "adadelta": ("77.9", "4.4", "83.1", [28, 33, 31]),
    "rmsprop": ("71.9", "1.8", "72.7", [None] * 3),
    "adam": ("81.5", "1.0", "83.0", [36, 43, 41]),
    "adamax": ("79.2", "1.8", "80.8", [54, 52, 66]),
    "sgd_clr": ("81.3", "1.9", "82.2", [38, 24, 24]),
}


def percent(value: float) -> str:
    return f"{100 * value:.1f}"


@pytest.mark.parametrize("label", PUBLISHED)
def test_an_imported_article_csv_gives_the_published_figures(article, label):
    entry = next(e for e in article.entries if e.label == label)
    final, sd, best, reach = PUBLISHED[label]
    assert percent(entry.validation_last.mean) == final
    assert percent(entry.validation_last.sd) == sd
    assert percent(entry.validation_best.mean) == best
    assert entry.to_target.epochs == reach
    assert entry.to_target.of == 3
    assert entry.test_last is None
    assert entry.seconds.n == 0


def test_what_the_articles_seeds_can_tell_apart(article):
    assert len(article.pairs) == 15
    assert not any(p.paired for p in article.pairs)
    pairs = {frozenset((p.a, p.b)): p for p in article.pairs}
    apart = {k: f"{p.p_adjusted:.3f}" for k, p in pairs.items() if p.distinguishable}
    assert apart == {
        frozenset(("adam", "adagrad")): "0.003",
        frozenset(("adam", "rmsprop")): "0.046",
        frozenset(("sgd_clr", "rmsprop")): "0.046",
    }
    missed = pairs[frozenset(("sgd_clr", "adagrad"))]
    assert f"{missed.p_adjusted:.3f}" == "0.051"
    closest = pairs[frozenset(("sgd_clr", "adam"))]
    sign = 1 if closest.a == "sgd_clr" else -1
    assert f"{100 * sign * closest.difference:.2f}" == "-0.19"
    assert f"{closest.p:.2f}" == "0.89"


def test_the_articles_verdict(article):
    assert article.measure == "validation accuracy, last epoch"
    assert article.verdict == (
        "adam and sgd_clr are not distinguishable with 3 seeds (difference 0.2 ± 4.0 points). "
        "adam is not distinguishable from adamax and adadelta either. "
        "rmsprop and adagrad are distinguishably worse than adam."
    )
    assert [(e.label, e.rank) for e in article.entries] == [
        ("adam", 1),
        ("sgd_clr", 1),
        ("adamax", 1),
        ("adadelta", 1),
        ("rmsprop", 3),
        ("adagrad", 3),  # beaten by one only, for it varies less; but its mean is the lowest
    ]


def test_trials_of_a_file_grow_together_ten_epochs_a_second(tmp_path):
    path = tmp_path / "curves.csv"
    path.write_text(curves_csv(comparison_history(epochs=5)))
    recording = open_recording(path)
    config, events = recording.config, recording.events
    assert config.kind == "compare"
    assert [e.label for e in config.job.entries] == ["adam", "sgd+clr", "rmsprop"]
    assert (config.job.seeds, config.job.epochs) == (3, 5)
    assert config.job.paired is False
    assert [e.seq for e in events] == list(range(len(events)))
    times = [e.time for e in events]
    assert times == sorted(times)
    finished = [e for e in events if isinstance(e, ev.EpochFinished)]
    assert [e.epoch for e in finished] == [n for n in range(1, 6) for _ in range(9)]
    assert {e.time - e.epoch / 10 for e in finished} == {0.0}
    overall = [e for e in events if isinstance(e, ev.Overall)]
    assert [e.fraction for e in overall] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert (overall[-1].done, overall[-1].running, overall[-2].running) == (9, 0, 9)


labels = (
    st.text(st.characters(codec="utf-8", exclude_characters="\0+"), min_size=1, max_size=8)
    .map(str.strip)
    .filter(bool)
)
values = st.none() | st.floats(0, 1)


@given(
    st.lists(labels, min_size=1, max_size=3, unique=True), st.lists(values, min_size=1), st.data()
)
def test_export_loses_no_digit_and_comes_back_the_same(tmp_path_factory, names, accuracies, data):
    epochs = len(accuracies)
    history = RunHistory(comparison_config(names, seeds=2, epochs=epochs))
    for event in comparison_events(names, seeds=2, epochs=epochs, steps_per_epoch=1):
        if isinstance(event, ev.Evaluated) and event.part == "validation":
            loss = data.draw(st.none() | st.floats(allow_nan=False, allow_infinity=False))
            accuracy = accuracies[event.epoch - 1]
            event = msgspec.structs.replace(event, metrics={"accuracy": accuracy}, loss=loss)
        history.apply(event)
    text = curves_csv(history)
    path = tmp_path_factory.mktemp("csv") / "export.csv"
    path.write_bytes(text.encode())
    back = replayed(path)
    assert curves_csv(back) == text
    for entry, again in zip(entry_curves(history), entry_curves(back), strict=True):
        assert again.label == entry.label
        for trial, twin in zip(entry.trials, again.trials, strict=True):
            assert (twin.trial, twin.seed) == (trial.trial, trial.seed)
            for name, part in product(("accuracy", "loss"), ("train", "validation")):
                np.testing.assert_array_equal(twin.values(name, part), trial.values(name, part))


def test_export_is_rfc_4180():
    history = comparison_history(("adamw(betas=(0.9, 0.99))",), seeds=1, epochs=1)
    rows = list(csv.reader(io.StringIO(curves_csv(history))))
    assert rows[0] == list(COLUMNS)
    assert rows[1][:3] == ["adamw(betas=(0.9, 0.99))", "0", "1"]
    trial = history.trials[0]
    assert [float(v) for v in rows[1][3:]] == [
        trial.epochs[0].train_value("accuracy"),
        trial.epochs[0].train_loss,
        trial.evaluations[0].value("accuracy"),
        trial.evaluations[0].loss,
    ]
    assert curves_csv(history).count("\r\n") == 2
    assert curves_csv(RunHistory(comparison_config(labels=()))) == ",".join(COLUMNS) + "\r\n"


def test_columns_in_any_order_among_others_and_no_more_than_needed(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(
        " VAL_ACC ,note,epoch,seed,optimizer\n0.5,a,1,7,b\n,,2,7,b\n\nnan,,1,9,a\n0.25,,4,9,a\n"
    )
    entries = entry_curves(replayed(path))
    assert [e.label for e in entries] == ["b", "a"]
    assert [[t.seed for t in e.trials] for e in entries] == [[7], [9]]
    np.testing.assert_array_equal(
        entries[0].trials[0].values("accuracy", "validation"), [0.5, math.nan]
    )
    assert np.isnan(entries[0].trials[0].values("loss", "train")).all()
    assert entries[1].trials[0].epoch.tolist() == [1, 4]
    assert entries[1].trials[0].state == "done"


def test_best_epoch_so_far_is_the_first_of_equals(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("optimizer,seed,epoch,val_acc\na,0,1,\na,0,2,0.5\na,0,3,0.5\na,0,4,0.6\n")
    finished = [e for e in read_curves(path)[1] if isinstance(e, ev.EpochFinished)]
    best = [(e.best_epoch, e.best_value) for e in finished]
    assert best == [(0, None), (2, 0.5), (2, 0.5), (4, 0.6)]


def test_a_range_test_that_names_its_optimizer_is_a_range_test(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("optimizer,step,lr,loss\nsgd,0,1e-3,2\nsgd,1,1e-2,1\n")
    assert open_recording(path).config.kind == "range-test"


HEADER = b"optimizer,seed,epoch,val_acc\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"optimizer,seed,val_acc\n", "no column 'epoch'"),
        (HEADER, "no epochs"),
        (HEADER + b"adam,0,1,0.5\nadam,0,two,0.5\n", "line 3"),
        (HEADER + b"adam,0,1\n", "line 2"),
        (HEADER + b"adam,0,1,high\n", "line 2"),
        (HEADER + b",0,1,0.5\n", "line 2 .* has no optimizer"),
        (HEADER + b"adam,0,0,0.5\n", "epochs count from 1"),
        (HEADER + b"adam,0,1,81.5\n", "accuracy 81.5: it must be between 0 and 1"),
        (HEADER + b"adam,0,1,0.5\nadam,0,1,0.5\n", "line 3 .* repeats epoch 1 of adam, seed 0"),
        (HEADER + b"adam,0,1,0.5\nadam,0,3,0.5\nadam,0,1,0.5\n", "line 4 .* repeats epoch 1"),
        (HEADER + b"adam,0,3,0.5\nadam,0,2,0.5\n", "line 3 .* after 3: epochs must increase"),
        (HEADER + b"adam,0,1,\xff\n", "not a"),
        (b"name,score\nadam,good\n", "step, lr, loss .*optimizer, seed, epoch, val_acc"),
    ],
)
def test_what_is_no_comparison_gets_one_sentence(tmp_path, content, said):
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    with pytest.raises(UserError, match=said) as caught:
        open_recording(path)
    assert "\n" not in caught.value.message


def test_bare_log_of_a_comparison_tells_its_own_config(tmp_path):
    path = tmp_path / "copied.jsonl"
    told = comparison_events(tuned=True, running=True)
    path.write_bytes(b"".join(msgspec.json.encode(e) + b"\n" for e in told))
    config = open_recording(path).config
    assert (config.kind, config.id) == ("compare", "compare-flowers-1")
    assert [e.label for e in config.job.entries] == ["adam", "sgd+clr", "rmsprop"]
    assert (config.job.seeds, config.job.epochs, config.task.seed) == (3, 8, 0)
    states = [t.state for t in entry_curves(replayed(path))[2].trials]
    assert states == ["waiting"] * 3
    path.write_bytes(b"".join(msgspec.json.encode(e) + b"\n" for e in told[1:]))
    assert open_recording(path).config.kind == "compare"
