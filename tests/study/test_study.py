"""The study's own machinery, on results that are made up or take seconds to make."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
import workloads
from advise import said_of
from goals import Goal
from judge import Truth, enclosed, judged
from made_curves import COUNT, deserving, rates, undeserving
from plan import MOST_SEEDS, Results, is_enclosed, is_firm, next_pieces
from points import more_error, points
from report import page, uncertain_settings
from scipy.optimize import minimize_scalar
from scipy.stats import sem
from suite import DEFAULTS, SUITE, Setting, is_held_out, rate, step_of
from summaries import OURS, Study
from torch.nn import functional

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
        pieces = next_pieces(Results(setting, lines), long=False)
        trainings = [piece for piece in pieces if piece.key[0] == "training"]
        if not trainings:
            return lines
        _, lr, seed = trainings[0].key
        step = round(step_of(lr))
        lines.append(training(step, seed, hill(step, best, fails)))
    raise AssertionError("the plan does not end")


@pytest.mark.parametrize(("best", "fails"), [(-6, 0), (-16, 8), (3, 8), (-9, -7), (-4, -3)])
def test_the_plan_encloses_the_best_rate_wherever_it_is(best, fails):
    known = Results(DIGITS, finished(DIGITS, best, fails))
    assert is_enclosed(known)
    assert known.best() == best
    near = range(best - 3, min(best + 3, fails) + 1)
    assert all(len(known.values[step]) == 3 for step in near), "a step near the best lacks seeds"
    assert min(known.values) <= best - 8


def test_only_what_is_missing_is_done():
    lines = finished(DIGITS, -6)
    dropped = next(line for line in lines if line["type"] == "training" and line["seed"] == 2)
    lines.remove(dropped)
    known = Results(DIGITS, lines)
    assert not is_enclosed(known)
    (piece,) = next_pieces(known, long=False)
    assert piece.key == ("training", dropped["lr"], 2)


def with_noise(sigma: float) -> Results:
    """All that the plan asks for before long sweeps, with noise of so many points."""
    rng = np.random.default_rng(1)
    lines = [line for line in finished(DIGITS, -4) if line["type"] != "training"]
    lines += [{"type": "accuracy", "steps": 300, "seed": seed} for seed in range(3)]
    for _ in range(500):
        pieces = next_pieces(Results(DIGITS, lines), long=False)
        trainings = [piece for piece in pieces if piece.key[0] == "training"]
        if not trainings:
            return Results(DIGITS, lines)
        _, lr, seed = trainings[0].key
        step = round(step_of(lr))
        value = (hill(step, fails=9) or 0) + sigma / 100 * rng.standard_normal()
        lines.append(training(step, seed, value))
    raise AssertionError("the plan does not end")


@pytest.mark.parametrize(
    ("sigma", "least", "most"), [(0.1, 3, 3), (1.2, 4, MOST_SEEDS), (9.0, MOST_SEEDS, MOST_SEEDS)]
)
def test_more_seeds_follow_until_the_best_rate_is_firm(sigma, least, most):
    known = with_noise(sigma)
    best = known.best()
    assert best is not None
    assert least <= len(known.values[best]) <= most
    assert is_firm(known) is (sigma < 9)
    near = range(best - 3, best + 4)
    assert len({len(known.values[step]) for step in near}) == 1, "a seed is not left half done"


def test_a_standard_error_pools_the_seeds_of_rates_that_are_alike():
    at = {-4: [0.90, 0.92, 0.97], -5: [0.91, 0.92, 0.93], -6: [0.5, 0.9, 0.7], -8: [0.925]}
    lines = [HEADER, *(training(step, i, v) for step in at for i, v in enumerate(at[step]))]
    pooled = np.sqrt(np.mean([np.var(at[-4], ddof=1), np.var(at[-5], ddof=1)]))
    assert Results(DIGITS, lines).standard_error() == pytest.approx(100 * pooled / 3**0.5)
    alone = [HEADER, *(training(-4, i, v) for i, v in enumerate(at[-4]))]
    assert Results(DIGITS, alone).standard_error() == pytest.approx(100 * sem(at[-4]))
    assert Results(DIGITS, alone[:2]).standard_error() == math.inf


def test_a_figure_that_is_missed_says_by_how_much():
    short = Goal("intervals", "intervals that hold it", 0.9, 0.78, "{:.0%}", least=True)
    assert (short.is_reached, short.missed_by) == (False, "12 in 100")
    assert short.row == "| intervals that hold it | at least 90% | 78% | no |"
    assert Goal("factor", "the same", 2, 2.0).is_reached
    assert Goal("factor", "the same", 2, 2.25).missed_by == "0.25"


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


ERROR = {"metric": {"name": "mse", "unit": "number", "direction": "min"}, "constant": 4.0}


def test_an_error_is_lost_in_hundredths_of_what_a_constant_guess_leaves():
    header = {**HEADER, **ERROR}
    lines = [header, *(training(s, 0, 1 + 0.21 * abs(s + 4)) for s in range(-9, 0))]
    truth = Truth.of(lines)
    assert truth.best == pytest.approx(75), "a quarter of the variance is left"
    assert truth.lost(rate(-4)) == 0
    assert truth.lost(rate(-6)) == pytest.approx(100 * 0.42 / 4)
    assert truth.more_error(rate(-5)) == pytest.approx(10), "the root of 1.21"


def test_the_entropy_is_no_root_and_an_accuracy_no_error():
    text = {"metric": {"name": "cross-entropy", "direction": "min"}, "constant": 3.0}
    assert points({**HEADER, **text}, 1.5) == pytest.approx(50)
    assert more_error({**HEADER, **text}, 50, 45) == pytest.approx(10)
    assert points(HEADER, 0.97) == pytest.approx(97)
    assert math.isnan(more_error(HEADER, 97, 96))


def test_no_constant_guess_of_the_table_loses_less_than_the_one_that_is_compared_with():
    table = workloads.load("table", 64, torch.device("cpu"))
    targets = torch.cat([table.validation.targets, table.test.targets])

    def loss(guess: float) -> float:
        return functional.mse_loss(torch.full_like(targets, guess), targets).item()

    assert workloads.constant_loss("table") == pytest.approx(minimize_scalar(loss).fun, rel=1e-5)


def test_no_constant_guess_of_the_text_loses_less_than_the_one_that_is_compared_with():
    text = workloads.load("text", 64, torch.device("cpu"))
    letters = torch.cat([text.validation.targets, text.test.targets]).flatten()

    def loss(logits: torch.Tensor) -> float:
        return functional.cross_entropy(logits.expand(len(letters), -1), letters).item()

    known = workloads.constant_loss("text")
    assert known is not None
    logits = torch.tensor(np.bincount(letters.numpy()) / len(letters)).log().clamp(min=-50)
    assert loss(logits) == pytest.approx(known, rel=1e-5)
    noise = 0.05 * torch.randn(20, len(logits), generator=torch.Generator().manual_seed(0))
    assert all(loss(logits + by) > known for by in noise)


def test_results_of_errors_say_what_a_constant_guess_loses():
    for path in sorted((ROOT / "tests" / "study" / "results").glob("*.jsonl")):
        with path.open() as file:
            header = json.loads(file.readline())
        if header.get("metric", {}).get("direction") == "min":
            # The text differs a little between versions of Python.
            expected = workloads.constant_loss(header["setting"]["kind"])
            assert header["constant"] == pytest.approx(expected, rel=0.01), path.name


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
    means = np.convolve(case.losses[0], np.ones(51) / 51, "valid")
    lowest = np.log10(rates(case.steps))[25 + np.argmin(means)]
    assert math.log10(said.recommended) == pytest.approx(lowest, abs=0.5)


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


def stored(folder: Path, noise: float = 0.0) -> None:
    """Writes results of the digits, whose seeds differ by so many points, with a torn last line."""
    lines = [line for line in finished(DIGITS, -6) if line["type"] != "sweep"]
    for line in lines[1:]:
        if line["value"] is not None:
            line["value"] += noise / 100 * line["seed"]
    case = next(case for case in deserving() if case.steps == 300)
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
    (folder / f"{DIGITS.name}.jsonl").write_text(text + '{"type":"trai')


def test_the_page_tells_what_advice_costs(tmp_path):
    stored(tmp_path)
    case = next(case for case in deserving() if case.steps == 300)
    (setting,) = judged(tmp_path)
    study = Study(tmp_path)
    alone = [a for a in study.advice if a.rule == OURS and a.sweeps == 1]
    assert len(alone) == 3
    lost = setting.truth.lost(said_of(case).recommended or math.nan)
    assert [a.lost for a in alone] == pytest.approx([lost] * 3)
    words = page(study, ["", "", ""])
    assert f"1 of {len(SUITE)} settings are in" in words
    assert f"| {OURS} | 100% | {lost:.1f} |" in words


def test_a_setting_that_is_not_firm_does_not_count_but_is_listed(tmp_path):
    stored(tmp_path, noise=2.0)
    assert judged(tmp_path) == []
    (setting,) = enclosed(tmp_path)
    assert setting.standard_error == pytest.approx(2 / math.sqrt(3))
    study = Study(tmp_path)
    assert study.settings == []
    assert study.advice == []
    words = uncertain_settings(study)
    assert f"| `{DIGITS.name}` | choosing | {rate(-6):.2g} |" in words
    assert f"`{SUITE[1].name}`" in words.split("Not trained at all rates yet")[1]


def test_results_of_a_setting_that_changed_are_not_judged(tmp_path):
    stored(tmp_path)
    file = tmp_path / f"{DIGITS.name}.jsonl"
    file.write_text(file.read_text().replace('"epochs": 8', '"epochs": 4', 1))
    with pytest.raises(SystemExit, match="of other settings"):
        enclosed(tmp_path)


def test_what_is_said_of_short_sweeps_is_what_the_page_counts():
    docs = ROOT / "docs"
    verdicts = (docs / "advice.md").read_text().partition("## Verdicts on measured sweeps")[2]
    rough = {}
    for steps in (100, 300):
        row = re.search(rf"^\| {steps} \| (\d+) \| .*recommended (\d+)", verdicts, re.MULTILINE)
        rough[steps] = (int(row[1]) - int(row[2]), int(row[1]))
    assert rough[300][0] == 0
    said = " ".join((docs / "range-test.md").read_text().split())
    short, longer = "{} of {}".format(*rough[100]), rough[300][1]
    assert f"({short}), and none of 300 (of {longer})" in said
    code = " ".join((ROOT / "engine" / "training" / "sweeps_in_time.py").read_text().split())
    assert f"{short} sweeps of 100 steps were too rough" in code
    assert f"none of {longer} sweeps of 300" in code


def test_the_page_in_the_docs_is_made_from_the_results_that_are_here():
    text = (ROOT / "docs" / "advice.md").read_text()
    here = judged(ROOT / "tests" / "study" / "results")
    assert f"{len(here)} of {len(SUITE)} settings are in" in text
    assert all(f"`{j.setting.name}` | " in text for j in enclosed(ROOT / "tests/study/results"))
