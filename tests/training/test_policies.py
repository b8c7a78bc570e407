"""The policies against torch's own schedulers, on a real optimizer through a real LambdaLR."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
import torch
from torch.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    CyclicLR,
    LinearLR,
    LRScheduler,
    OneCycleLR,
    SequentialLR,
)

from clr_tui.engine.errors import UserError
from clr_tui.engine.policies import (
    lr_at,
    phase,
    shortfall,
    step_size_steps,
    whole_cycle_epochs,
)
from clr_tui.engine.settings.config import POLICIES, Policy
from clr_tui.engine.training.schedules import PolicyRate, make_scheduler
from clr_tui.engine.words import lr_str

STEPS = 10_000
BOUNDS = [(1e-7, 1.0), (6.1e-4, 3.594e-3)]


def optimizer() -> torch.optim.SGD:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5, momentum=0.9)


def rates(sgd: torch.optim.Optimizer, scheduler: LRScheduler, steps: int) -> list[float]:
    seen = []
    for _ in range(steps):
        seen.append(float(sgd.param_groups[0]["lr"]))
        sgd.step()
        scheduler.step()
    return seen


def ours(
    policy: Policy,
    bounds: tuple[float, float],
    step_size: float,
    gamma: float = 0.9994,
    total_steps: int = STEPS,
    **shares: float,
) -> list[float]:
    sgd = optimizer()
    rate = PolicyRate(
        policy,
        base_lr=bounds[0],
        max_lr=bounds[1],
        step_size=step_size,
        total_steps=total_steps,
        gamma=gamma,
        **shares,
    )
    return rates(sgd, make_scheduler(sgd, rate), total_steps)


def close(a: list[float], b: list[float]) -> bool:
    assert len(a) == len(b)
    return all(math.isclose(x, y, rel_tol=1e-12, abs_tol=0.0) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("bounds", BOUNDS)
@pytest.mark.parametrize("step_size", [7, 26.5, 76, 128.7, 3333])
@pytest.mark.parametrize(
    ("policy", "mode"),
    [
        ("triangular", "triangular"),
        ("triangular2", "triangular2"),
        ("exp-range-amplitude", "exp_range"),
    ],
)
def test_triangles_equal_cyclic_lr(
    policy: Policy, mode: str, step_size: float, bounds: tuple[float, float]
) -> None:
    sgd = optimizer()
    theirs = CyclicLR(
        sgd,
        base_lr=bounds[0],
        max_lr=bounds[1],
        step_size_up=step_size,
        mode=mode,
        gamma=0.9994,
        cycle_momentum=False,
    )
    assert close(ours(policy, bounds, step_size), rates(sgd, theirs, STEPS))


@pytest.mark.parametrize("bounds", BOUNDS)
@pytest.mark.parametrize("total", [STEPS, 9_973, 107, 13, 4, 3, 2, 1])
def test_one_cycle_equals_one_cycle_lr(total: int, bounds: tuple[float, float]) -> None:
    sgd = optimizer()
    theirs = OneCycleLR(
        sgd,
        max_lr=bounds[1],
        total_steps=total,
        div_factor=bounds[1] / bounds[0],
        three_phase=True,
        anneal_strategy="linear",
        cycle_momentum=False,
    )
    expected = []
    for step in range(total):
        expected.append(float(sgd.param_groups[0]["lr"]))
        sgd.step()
        if step < total - 1:
            theirs.step()
    assert close(ours("one-cycle", bounds, 5, total_steps=total), expected)


@pytest.mark.parametrize("bounds", BOUNDS)
@pytest.mark.parametrize(("total", "warmup"), [(STEPS, 0.05), (997, 0.3), (13, 0.1), (5, 0.0)])
def test_cosine_equals_torch_s_after_a_linear_warm_up(
    total: int, warmup: float, bounds: tuple[float, float]
) -> None:
    rise = round(warmup * total)
    sgd = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=bounds[1])
    parts: list[LRScheduler] = [CosineAnnealingLR(sgd, total - rise)]
    if rise:
        parts.insert(0, LinearLR(sgd, bounds[0] / bounds[1], total_iters=rise))
    theirs = SequentialLR(sgd, parts, milestones=[rise] if rise else [])
    expected = rates(sgd, theirs, total)
    found = ours("cosine", bounds, 5, total_steps=total, warmup=warmup)
    # Torch computes each rate from the last one; near 0 the roundings of all steps add up.
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12 * bounds[1])


@pytest.mark.parametrize("bounds", BOUNDS)
@pytest.mark.parametrize(
    ("total", "warmup", "decay"), [(STEPS, 0.05, 0.2), (997, 0.5, 0.5), (13, 0.1, 0.3)]
)
def test_warmup_stable_decay_equals_torch_s_schedulers_in_sequence(
    total: int, warmup: float, decay: float, bounds: tuple[float, float]
) -> None:
    rise, fall = round(warmup * total), total - round(decay * total)
    sgd = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=bounds[1])
    theirs = SequentialLR(
        sgd,
        [
            LinearLR(sgd, bounds[0] / bounds[1], total_iters=rise),
            ConstantLR(sgd, 1.0, total_iters=1),
            LinearLR(sgd, 1.0, 0.0, total_iters=total - fall),
        ],
        milestones=[rise, max(fall, rise)],
    )
    expected = rates(sgd, theirs, total)
    found = ours("warmup-stable-decay", bounds, 5, total_steps=total, warmup=warmup, decay=decay)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12 * bounds[1])


def momenta(optimizer: torch.optim.Optimizer, scheduler: LRScheduler, steps: int) -> list[float]:
    seen = []
    for step in range(steps):
        group = optimizer.param_groups[0]
        seen.append(float(group["betas"][0] if "betas" in group else group["momentum"]))
        optimizer.step()
        if step < steps - 1:
            scheduler.step()
    return seen


def parameter() -> list[torch.nn.Parameter]:
    return [torch.nn.Parameter(torch.zeros(1))]


@pytest.mark.parametrize("step_size", [7, 26.5, 333])
@pytest.mark.parametrize(
    ("policy", "mode"),
    [
        ("triangular", "triangular"),
        ("triangular2", "triangular2"),
        ("exp-range", "exp_range"),
        ("exp-range-amplitude", "exp_range"),
    ],
)
def test_momentum_moves_as_that_of_cyclic_lr(policy: Policy, mode: str, step_size: float) -> None:
    sgd = torch.optim.SGD(parameter(), lr=0.1, momentum=0.95)
    theirs = CyclicLR(
        sgd,
        0.1,
        0.6,
        step_size_up=step_size,
        mode=mode,
        gamma=0.9994,
        base_momentum=0.85,
        max_momentum=0.95,
    )
    expected = momenta(sgd, theirs, 1000)
    sgd = torch.optim.SGD(parameter(), lr=0.1, momentum=0.95)
    rate = PolicyRate(
        policy, base_lr=0.1, max_lr=0.6, step_size=step_size, total_steps=1000, gamma=0.9994
    )
    assert close(momenta(sgd, make_scheduler(sgd, rate, 0.85), 1000), expected)


@pytest.mark.parametrize("total", [1000, 107, 13])
def test_the_first_beta_moves_as_that_of_one_cycle_lr(total: int) -> None:
    adam = torch.optim.AdamW(parameter(), lr=0.1, betas=(0.95, 0.99))
    theirs = OneCycleLR(
        adam, 0.6, total_steps=total, three_phase=True, anneal_strategy="linear", div_factor=6.0
    )
    expected = momenta(adam, theirs, total)
    adam = torch.optim.AdamW(parameter(), lr=0.1, betas=(0.95, 0.99))
    rate = PolicyRate("one-cycle", base_lr=0.1, max_lr=0.6, step_size=5, total_steps=total)
    assert close(momenta(adam, make_scheduler(adam, rate, 0.85), total), expected)


@pytest.mark.parametrize("policy", ["cosine", "warmup-stable-decay"])
def test_momentum_is_lowest_where_the_rate_is_highest(policy: Policy) -> None:
    sgd = torch.optim.SGD(parameter(), lr=0.1, momentum=0.95)
    rate = PolicyRate(policy, base_lr=0.1, max_lr=0.6, step_size=5, total_steps=100, warmup=0.2)
    seen = momenta(sgd, make_scheduler(sgd, rate, 0.85), 100)
    assert seen[0] == 0.95
    assert seen[20] == pytest.approx(0.85)
    assert min(seen) >= 0.85
    assert 0.94 < seen[-1] <= 0.95


@pytest.mark.parametrize(
    ("optimizer", "words"),
    [
        (torch.optim.Adagrad(parameter(), lr=0.1), "Adagrad has no momentum"),
        (torch.optim.SGD(parameter(), lr=0.1), "SGD has no momentum"),
        (torch.optim.SGD(parameter(), lr=0.1, momentum=0.5), "not below the momentum of SGD, 0.5"),
    ],
)
def test_only_momentum_that_is_there_can_move(optimizer: torch.optim.Optimizer, words: str) -> None:
    rate = PolicyRate("triangular", base_lr=0.1, max_lr=0.6, step_size=5, total_steps=100)
    with pytest.raises(UserError, match=words):
        make_scheduler(optimizer, rate, 0.85)


def exact_triangle(step: int, step_size: int) -> Fraction:
    """Smith 2017, section 3.2, listing 1: x = |iter / stepsize - 2 * cycle + 1|, in fractions."""
    cycle = 1 + step // (2 * step_size)
    x = abs(Fraction(step, step_size) - 2 * cycle + 1)
    return max(Fraction(0), 1 - x)


@pytest.mark.parametrize("step_size", [50, 76, 432])
def test_triangular_is_the_listing_of_the_paper(step_size: int) -> None:
    base, top = Fraction(1, 1000), Fraction(6, 1000)
    expected = [float(base + (top - base) * exact_triangle(i, step_size)) for i in range(STEPS)]
    got = ours("triangular", (1e-3, 6e-3), step_size)
    assert got == pytest.approx(expected, rel=1e-11)


def test_exp_range_decays_both_bounds() -> None:
    got = ours("exp-range", (1e-3, 6e-3), 100, gamma=0.999)
    for step in range(0, STEPS, 37):
        low, high = 1e-3 * 0.999**step, 6e-3 * 0.999**step
        expected = low + (high - low) * float(exact_triangle(step, 100))
        assert math.isclose(got[step], expected, rel_tol=1e-11)
    # At the bottom of the tenth cycle the lower bound itself has decayed.
    assert math.isclose(got[2000], 1e-3 * 0.999**2000, rel_tol=1e-12)


def test_linear_decay_ends_at_the_base() -> None:
    total = 800
    args = {"base_lr": 1e-3, "max_lr": 9e-3, "step_size": 100, "total_steps": total}
    peaks = [lr_at("linear-decay", step, **args) for step in (100, 300, 500, 700)]
    assert peaks == pytest.approx([1e-3 + 8e-3 * (1 - step / 800) for step in (100, 300, 500, 700)])
    assert [lr_at("linear-decay", step, **args) for step in (0, 200, 800, 900)] == [1e-3] * 4


def test_triangular2_goes_flat_after_a_thousand_cycles() -> None:
    # torch's CyclicLR raises OverflowError here.
    args = {"base_lr": 1e-3, "max_lr": 9e-3, "step_size": 1, "total_steps": 9000}
    assert lr_at("triangular2", 5001, **args) == 1e-3


def test_constant_is_max_lr() -> None:
    assert set(ours("constant", (1e-3, 6e-3), 10, total_steps=50)) == {6e-3}


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_stays_positive_and_under_max(policy: Policy) -> None:
    got = ours(policy, (1e-4, 1e-1), 38, total_steps=500)
    assert all(0 < lr <= 1e-1 * (1 + 1e-12) for lr in got)


def test_an_unknown_policy_is_an_error() -> None:
    with pytest.raises(ValueError, match="sawtooth"):
        lr_at("sawtooth", 0, base_lr=1, max_lr=2, step_size=1, total_steps=1)  # type: ignore[arg-type]


def test_new_bounds_keep_the_phase() -> None:
    sgd = optimizer()
    args = {"step_size": 40, "total_steps": 400}
    rate = PolicyRate("triangular", base_lr=1e-3, max_lr=6e-3, **args)
    schedule = make_scheduler(sgd, rate)
    for _ in range(100):
        sgd.step()
        schedule.step()
    schedule.set_bounds(base_lr=1e-2, max_lr=2e-2)
    new = {"base_lr": 1e-2, "max_lr": 2e-2, **args}
    assert sgd.param_groups[0]["lr"] == lr_at("triangular", 100, **new)
    sgd.step()
    schedule.step()
    assert sgd.param_groups[0]["lr"] == lr_at("triangular", 101, **new)
    assert schedule.last_epoch == 101


def test_the_phase_in_words() -> None:
    def words(policy: Policy, step: int, total: int = 80) -> str:
        return phase(policy, step, step_size=10, total_steps=total).words

    assert words("triangular", 0) == "cycle 1 of 4, rising"
    assert words("triangular", 10) == "cycle 1 of 4, falling"
    assert words("triangular", 39) == "cycle 2 of 4, falling"
    assert words("triangular", 40) == "cycle 3 of 4, rising"
    assert words("triangular", 80) == "at the end of cycle 4 of 4"
    assert words("triangular", 70, total=70) == "in the middle of cycle 4 of 4"
    assert words("one-cycle", 0) == "cycle 1 of 1, rising"
    assert words("one-cycle", 30) == "cycle 1 of 1, falling"
    assert words("one-cycle", 60) == "cycle 1 of 1, annealing"
    assert words("constant", 5) == "constant rate"


def test_rising_is_what_the_rate_does() -> None:
    args = {"step_size": 10, "total_steps": 80}
    for step in range(80):
        rate = lr_at("triangular", step, base_lr=1.0, max_lr=2.0, **args)
        later = lr_at("triangular", step + 1, base_lr=1.0, max_lr=2.0, **args)
        assert (phase("triangular", step, **args).direction == "rising") == (later > rate)


@pytest.mark.parametrize(
    ("policy", "epochs", "step_size", "expected"),
    [
        ("triangular", 16, 4, 16),
        ("triangular2", 17, 4, 24),
        ("exp-range", 1, 4, 8),
        ("linear-decay", 5, 0.5, 5),
        ("triangular", 1, 0.75, 3),
        ("triangular", 5, 1.5, 6),
        ("triangular", 1, 0.01, 1),
        ("one-cycle", 17, 4, 17),
        ("constant", 3, 4, 3),
    ],
)
def test_epochs_are_rounded_up_to_whole_cycles(
    policy: Policy, epochs: int, step_size: float, expected: int
) -> None:
    assert whole_cycle_epochs(policy, epochs, step_size) == expected


def test_step_size_is_converted_to_whole_steps() -> None:
    assert step_size_steps(4, 54) == 216
    assert step_size_steps(0.001, 54) == 1
    assert step_size_steps(0.5, 53) == 26.5


@pytest.mark.parametrize("per_epoch", [53, 54, 19, 7, 1])
@pytest.mark.parametrize("size", [0.5, 0.75, 1.5, 0.1, 0.7, 2.3, 4])
def test_cycles_of_whole_epochs_end_with_the_training(size: float, per_epoch: int) -> None:
    step_size = step_size_steps(size, per_epoch)
    if step_size == 1 and size * per_epoch < 1:
        return  # a cycle cannot be shorter than two steps
    epochs = next(n for n in range(1, 100) if math.isclose(n / (2 * size), round(n / (2 * size))))
    total = epochs * per_epoch
    args = {"step_size": step_size, "total_steps": total}
    end = phase("triangular", total, **args)
    assert end.whole
    assert end.words == f"at the end of cycle {round(epochs / (2 * size))} of {end.cycles}"
    last = lr_at("triangular", total, base_lr=1e-3, max_lr=9e-3, **args)
    assert last == pytest.approx(1e-3, abs=1e-12)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("total", [1, 2, 3, 5, 6, 11, 60, 1000, 123_457])
def test_a_shortfall_names_the_highest_rate_of_all_steps(policy: Policy, total: int) -> None:
    args = {"base_lr": 1e-3, "max_lr": 1e-2, "step_size": max(1.0, total / 8), "total_steps": total}
    highest = max(lr_at(policy, step, **args) for step in range(total))
    said = shortfall(policy, **args)
    if policy.startswith("exp-range") or policy == "linear-decay":
        assert not said  # they never reach it, by design
    elif highest < 0.95e-2:
        assert said.endswith(f"to reach its max_lr of 1e-2: its highest rate is {lr_str(highest)}")
    else:
        assert not said


def test_one_cycle_of_few_steps_falls_short() -> None:
    def said(total: int) -> str:
        return shortfall("one-cycle", base_lr=1e-2 / 6, max_lr=1e-2, step_size=4, total_steps=total)

    assert said(5) == (
        "5 steps are too few for one-cycle to reach its max_lr of 1e-2: its highest rate is 1.7e-3"
    )
    assert not said(20)


def test_complete_is_only_the_end_of_a_cycle() -> None:
    def complete(policy: Policy, step: int, total: int = 80) -> bool:
        return phase(policy, step, step_size=10, total_steps=total).complete

    assert [step for step in range(81) if complete("triangular", step)] == [20, 40, 60, 80]
    assert not complete("triangular", 70, total=70)
    assert [step for step in range(81) if complete("one-cycle", step)] == [80]
    assert complete("constant", 33)
