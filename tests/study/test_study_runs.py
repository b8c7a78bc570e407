"""How the study's work is done: resumed, in order, by the engine."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from concurrent.futures import Executor, Future

import pieces
import pytest
import run
import torch
from pieces import AtRate, Sweep
from suite import SUITE, Setting, rate

DIGITS, TABLE = SUITE[0], SUITE[1]


class AtOnce(Executor):
    """Does work when it is submitted."""

    def __init__(self) -> None:
        self.done: list[tuple[str, tuple[object, ...]]] = []

    def submit(self, fn, /, *args):
        future: Future[object] = Future()
        try:
            future.set_result(fn(*args))
        except ValueError as error:
            future.set_exception(error)
        if len(args) == 2:
            self.done.append((args[0].name, args[1].key))
        return future


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of training, results as of a task that is best at a rate of 0.01."""

    def do(_setting: Setting, piece: Sweep | AtRate) -> dict[str, object]:
        if isinstance(piece, Sweep):
            kind = "accuracy" if piece.accuracy else "sweep"
            return {"type": kind, "steps": piece.steps, "seed": piece.seed, "loss": [1.0]}
        value = 0.9 - abs(math.log10(piece.lr) + 2) / 10
        return {"type": "training", "lr": piece.lr, "seed": piece.seed, "value": value}

    def prepare(setting: Setting) -> dict[str, object]:
        metric = {"name": "accuracy", "unit": "share", "direction": "max"}
        return {"type": "setting", "setting": setting.described(), "metric": metric}

    monkeypatch.setattr(run, "do", do)
    monkeypatch.setattr(run, "prepare", prepare)


def test_settings_are_done_in_order_and_long_sweeps_last(quick, tmp_path):
    pool = AtOnce()
    later = SUITE[3]
    run.Study([DIGITS, later], run.Store(tmp_path), pool).run(1)
    names = [name for name, _ in pool.done]
    assert names.index(later.name) == names.count(DIGITS.name) - 14, "two more seeds at 7 rates"
    long = pool.done.index((later.name, ("sweep", 1000, 0)))
    assert pool.done.index((later.name, ("training", rate(-8), 2))) < long
    assert pool.done.index((DIGITS.name, ("sweep", 3000, 2))) < names.index(later.name)
    assert len(set(pool.done)) == len(pool.done), "nothing is done twice"


def test_a_study_that_was_killed_goes_on(quick, tmp_path):
    whole = AtOnce()
    run.Study([TABLE], run.Store(tmp_path), whole).run(1)
    file = tmp_path / f"{TABLE.name}.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:7]) + lines[7][:20])  # killed while it wrote
    rest = AtOnce()
    run.Study([TABLE], run.Store(tmp_path), rest).run(1)
    assert rest.done == whole.done[6:]
    assert file.read_text() == "".join(lines)


def test_a_setting_that_fails_is_left_out_and_the_others_go_on(quick, tmp_path, monkeypatch, capfd):
    succeed = run.do

    def do(setting: Setting, piece: Sweep | AtRate) -> dict[str, object]:
        if setting is DIGITS and isinstance(piece, AtRate):
            raise ValueError("no such thing")
        return succeed(setting, piece)

    monkeypatch.setattr(run, "do", do)
    pool = AtOnce()
    run.Study([DIGITS, TABLE], run.Store(tmp_path), pool).run(1)
    assert [key for name, key in pool.done if name == DIGITS.name][-1][0] == "training"
    assert [name for name, _ in pool.done].count(TABLE.name) > 30
    assert f"{DIGITS.name} is left out: no such thing" in capfd.readouterr().out


def test_results_of_a_setting_that_changed_are_refused(tmp_path):
    other = {"type": "setting", "setting": TABLE.described() | {"epochs": 99}}
    (tmp_path / f"{TABLE.name}.jsonl").write_text(json.dumps(other) + "\n")
    with pytest.raises(SystemExit, match="of other settings"):
        run.Store(tmp_path).lines(TABLE)


@pytest.fixture
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_the_engine_does_the_work_and_repeats_it(one_thread):
    first = pieces.do(TABLE, AtRate(rate(-8), 1))
    again = pieces.do(TABLE, AtRate(rate(-8), 1))
    assert first["value"] == again["value"]
    assert 0.04 < first["value"] < 0.2, "the noise of the table, and what a constant would leave"
    assert first["value"] == pytest.approx((first["validation"] + first["test"]) / 2, abs=1e-6)
    sweep = pieces.do(TABLE, Sweep(120, 2))
    assert len(sweep["loss"]) == 120 or sweep["diverged"]
    assert sweep["loss"][0] > 2 * min(sweep["loss"])
    assert pieces.do(TABLE, Sweep(120, 2))["loss"] == sweep["loss"]
