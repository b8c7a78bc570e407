"""The study's own machinery, on results that are made up or take seconds to make."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from advise import said_of
from judge import Truth, judged
from made_curves import COUNT, deserving, undeserving
from plan import Results, is_enclosed, next_pieces
from report import page
from suite import DEFAULTS, SUITE, Setting, is_held_out, rate, step_of
from summaries import OURS, Study

from clr_tui.engine.settings.entries import parse_optimizer
from clr_tui.engine.training.optimizers.classes import default_lr

ROOT = Path(__file__).parents[2]
DIGITS = SUITE[0]
HEADER = {
    "type": "setting",
    "setting": DIGITS.described(),
    "metric": {"name": "accuracy", "unit": "share", "direction": "max"},
    "samples": {"train": 1259, "validation": 269, "test": 269},
}


def training(step: int, seed: int, value: float | None) -> dict[str, object]:
    outcome = "failed" if value is None else "done"
    return {"type": "training", "lr": rate(step), "seed": seed, "outcome": outcome, "value": value}


def hill(step: int, best: int = -4, fails: int = 0) -> float | None:
    """The accuracy at a step of the ladder: best at one, none from another on."""
    return None if step >= fails else 0.95 - 0.01 * (step - best) ** 2


def finished(setting: Setting, best: int, fails: int = 0) -> list[dict[str, object]]:
    """All trainings that the plan asks for, of a task with that best rate; no sweeps."""
    lines: list[dict[str, object]] = [HEADER]
    for steps, seeds in setting.sweeps:
        for seed in range(seeds):
            lines.append({"type": "sweep", "steps": steps, "seed": seed})
    for _ in range(100):
        pieces = next_pieces(Results(setting, lines, 1), long=False)
        trainings = [piece for piece in pieces if piece.key[0] == "training"]
        if not trainings:
            return lines
        _, lr, seed = trainings[0].key
        step = round(step_of(lr))
        lines.append(training(step, seed, hill(step, best, fails)))
    raise AssertionError("the plan does not end")


@pytest.mark.parametrize(("best", "fails"), [(-6, 0), (-16, 8), (3, 8), (-9, -7), (-4, -3)])
def test_the_plan_encloses_the_best_rate_wherever_it_is(best, fails):
    known = Results(DIGITS, finished(DIGITS, best, fails), 1)
    assert is_enclosed(known)
    assert known.best() == best
    near = range(best - 3, min(best + 3, fails) + 1)
    assert all(len(known.values[step]) == 3 for step in near), "a step near the best lacks seeds"
    assert min(known.values) <= best - 8


def test_only_what_is_missing_is_done():
    lines = finished(DIGITS, -6)
    dropped = next(line for line in lines if line["type"] == "training" and line["seed"] == 2)
    lines.remove(dropped)
    known = Results(DIGITS, lines, 1)
    assert not is_enclosed(known)
    (piece,) = next_pieces(known, long=False)
    assert piece.key == ("training", dropped["lr"], 2)


def test_points_lost_are_read_between_the_rates_of_the_grid():
    lines = [HEADER, *(training(s, seed, hill(s)) for s in range(-10, 2) for seed in range(3))]
    truth = Truth.of(lines)
    assert truth.best_lr == rate(-4)
    assert truth.lost(rate(-4)) == 0
    assert truth.lost(rate(-6)) == pytest.approx(4)
    assert truth.lost(math.sqrt(rate(-6) * rate(-5))) == pytest.approx((4 + 1) / 2, rel=1e-4)
    assert truth.lost(rate(1)) == pytest.approx(36, rel=1e-4), "as bad as the worst, if it failed"
    low, high = truth.plateau
    assert (step_of(low), step_of(high)) == pytest.approx((-5, -3), abs=0.06)
    assert truth.luck == pytest.approx(0), "seeds that agree choose the same rate"


def test_an_error_is_lost_in_percent_of_the_best():
    header = {**HEADER, "metric": {"name": "mse", "unit": "number", "direction": "min"}}
    lines = [header, *(training(s, 0, (1 + 0.1 * abs(s + 4)) ** 2) for s in range(-9, 0))]
    truth = Truth.of(lines)
    assert truth.lost(rate(-4)) == 0
    assert truth.lost(rate(-6)) == pytest.approx(20)


def test_luck_is_what_choosing_by_noise_gains():
    """Without any difference between rates, all that the best one gains is luck."""
    rng = np.random.default_rng(0)
    lucks = []
    for _ in range(200):
        lines = [HEADER]
        lines += [
            training(s, seed, 0.9 + 0.01 * rng.standard_normal())
            for s in range(7)
            for seed in range(3)
        ]
        truth = Truth.of(lines)
        lucks.append(truth.best - 90 - truth.luck)
    assert np.mean(lucks) == pytest.approx(0, abs=4 * np.std(lucks) / math.sqrt(200))


def test_made_curves_are_of_many_kinds_and_the_same_each_time():
    bad, good = undeserving(), deserving()
    assert len(bad) == len(good) == COUNT
    assert len(Counter(case.kind for case in bad)) >= 9
    again = undeserving()[17]
    assert all(
        np.array_equal(*pair, equal_nan=True)
        for pair in zip(again.losses, bad[17].losses, strict=True)
    )


def test_a_made_valley_is_read_near_its_lowest_point():
    case = next(case for case in deserving() if case.steps == 1000)
    said = said_of(case)
    assert said.verdict == "recommended"
    assert said.recommended is not None


def test_half_of_each_kind_of_task_is_held_out():
    for kind in ("digits", "table", "text", "frozen", "flowers32"):
        held = [is_held_out(setting) for setting in SUITE if setting.kind == kind]
        assert len(held) / 3 <= sum(held) <= len(held) * 2 / 3, kind


@pytest.mark.parametrize("optimizer", DEFAULTS)
def test_default_rates_are_those_of_the_classes(optimizer):
    config = parse_optimizer(optimizer)
    if ":" in config.name:
        pytest.importorskip(config.name.split(":")[0].split(".")[0])
    assert default_lr(config) == DEFAULTS[optimizer]


def test_the_page_tells_what_advice_costs(tmp_path):
    lines = finished(DIGITS, -6)
    case = next(case for case in deserving() if case.steps == 300)
    lines = [line for line in lines if line["type"] != "sweep"]
    for seed in range(3):
        lines.append(
            {
                "type": "sweep",
                "steps": case.steps,
                "seed": seed,
                "start_lr": case.start,
                "end_lr": case.end,
                "diverged": case.diverged,
                "loss": [float(f"{x:.4g}") for x in case.losses[0]],
            }
        )
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (tmp_path / f"{DIGITS.name}.jsonl").write_text(text + '{"type":"trai')  # torn
    (setting,) = judged(tmp_path)
    study = Study(tmp_path)
    alone = [a for a in study.advice if a.rule == OURS and a.sweeps == 1]
    assert len(alone) == 3
    lost = setting.truth.lost(said_of(case).recommended or math.nan)
    assert [a.lost for a in alone] == pytest.approx([lost] * 3)
    words = page(study, ["", "", ""])
    assert f"1 of {len(SUITE)} settings are in" in words
    assert f"| {OURS} | 100% | {lost:.1f} |" in words


def test_the_page_in_the_docs_is_made_from_the_results_that_are_here():
    text = (ROOT / "docs" / "advice.md").read_text()
    here = judged(ROOT / "tests" / "study" / "results")
    assert f"{len(here)} of {len(SUITE)} settings are in" in text
    assert all(f"`{j.setting.name}` | " in text for j in here)
