"""The sweep: its rates, its early end, what it leaves behind, whether it can be repeated."""

from __future__ import annotations

import copy
import csv
import math
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from training_bench import Bench, Clock, Script, make_task, part, tiny_model

from clr_tui.engine.log.commands import Continue, Pause, SetBounds, Stop
from clr_tui.engine.log.events import (
    CommandRefused,
    Continued,
    Diverged,
    Evaluated,
    Event,
    NonFinite,
    Paused,
    Steps,
    TrialFinished,
    TrialStarted,
)
from clr_tui.engine.metrics import ACCURACY
from clr_tui.engine.settings.config import OptimizerConfig, RangeTest
from clr_tui.engine.training.control import Stopped
from clr_tui.engine.training.range_test import (
    EarlyEnd,
    make_subset,
    run_range_test,
    sweep,
    sweep_lr,
    sweep_steps,
)
from clr_tui.engine.training.recorder import Recorder
from clr_tui.engine.training.stopwatch import Stopwatch
from clr_tui.engine.training.trainee import Trainee, make_trainee

REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "lr_find_cnn.csv"
NO_END = EarlyEnd(0.05, 1e9)
Make = Callable[..., Bench]


@pytest.mark.parametrize(
    ("config", "images", "expected"),
    [
        (RangeTest(), 3453, 108),  # 2 * 3453 / 64 = 107.9
        (RangeTest(), 1258, 100),  # 39.3: never under 100
        (RangeTest(epochs=0.5), 64_000, 500),
        (RangeTest(steps=7), 3453, 7),
    ],
)
def test_length_of_a_sweep(config: RangeTest, images: int, expected: int) -> None:
    assert sweep_steps(config, images, 64) == expected


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference figures are not here")
def test_rates_are_those_of_the_reference_log() -> None:
    config = RangeTest(end_lr=0.1)
    with REFERENCE.open() as file:
        rates = [float(row["lr"]) for row in csv.DictReader(file)]
    assert [sweep_lr(config, i, 108) for i in range(108)] == pytest.approx(rates, rel=1e-12)


def trainee_in_use(batch_size: int = 10) -> Trainee:
    """A model in mid-training: momentum, statistics, gradients, modes, a place in the data."""
    trainee = make_trainee(
        make_task(), OptimizerConfig(), batch_size=batch_size, seed=3, precision="float32"
    )
    for group in trainee.optimizer.param_groups:
        group["lr"] = 0.01
    trainee.model.train()
    for _ in range(9):
        trainee.step()
    trainee.model[2].eval()
    trainee.model[8].bias.grad = None
    trainee.model[0].weight.requires_grad_(False)
    return trainee


def fingerprint(trainee: Trainee) -> dict[str, object]:
    """All that a sweep could touch, as bytes and plain values."""

    def raw(value: object) -> object:
        if isinstance(value, Tensor):
            return (str(value.dtype), tuple(value.shape), value.numpy(force=True).tobytes())
        if isinstance(value, dict):
            return {str(k): raw(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [raw(v) for v in value]
        return value

    model, optimizer = trainee.model, trainee.optimizer
    return {
        "parameters": raw(dict(model.named_parameters())),
        "buffers": raw(dict(model.named_buffers())),
        "identity": [id(t) for t in [*model.parameters(), *model.buffers()]],
        "gradients": raw({n: p.grad for n, p in model.named_parameters()}),
        "requires_grad": [p.requires_grad for p in model.parameters()],
        "modes": [m.training for m in model.modules()],
        "optimizer": raw(optimizer.state_dict()),
        "batches": raw(trainee.batches.state_dict()),
        "torch": raw(torch.get_rng_state()),
        "numpy": raw(list(np.random.get_state()[1:])) and np.random.get_state()[1].tobytes(),
        "python": random.getstate(),
    }


def recorder(
    script: Script, watch: Callable[[int, float, float], str | None], *, eager: bool = True
) -> Recorder:
    return Recorder(
        script.emit,
        trial=0,
        total_steps=100,
        batch_size=10,
        stopwatch=Stopwatch(Clock()),
        eager=eager,
        watch=watch,
        metrics=[ACCURACY],
        means=False,
    )


def touch_everything(step_limit: int | None, error: Exception | None = None) -> Callable[[], None]:
    """An `attend` that also draws from Python's and numpy's generators, and ends the sweep."""
    seen = 0

    def attend() -> str | None:
        nonlocal seen
        seen += 1
        random.random()
        np.random.rand()
        if step_limit is not None and seen > step_limit:
            if error:
                raise error
            return "stopped by the test"
        return None

    return attend


def test_a_sweep_leaves_everything_as_found() -> None:
    trainee, script = trainee_in_use(), Script()
    before = fingerprint(trainee)
    subset = make_subset(trainee.task.validation, 10, seed=0)
    config = RangeTest(steps=30)
    sweep(
        trainee, config, 30, recorder(script, NO_END), subset=subset, attend=touch_everything(None)
    )
    assert len(script.column("step")) == 30
    assert fingerprint(trainee) == before


def test_a_sweep_that_ends_early_leaves_everything_as_found() -> None:
    trainee, script = trainee_in_use(), Script()
    before = fingerprint(trainee)
    taken = recorder(script, EarlyEnd(0.05, 1.0 + 1e-9))
    sweep(trainee, RangeTest(steps=100), 100, taken, attend=touch_everything(None))
    assert taken.end
    assert 0 < len(script.column("step")) < 100
    assert fingerprint(trainee) == before


def test_a_sweep_that_is_stopped_leaves_everything_as_found() -> None:
    trainee, script = trainee_in_use(), Script()
    before = fingerprint(trainee)
    config = RangeTest(steps=30)
    stopped = sweep(
        trainee, config, 30, recorder(script, NO_END), attend=touch_everything(step_limit=11)
    )
    assert stopped == "stopped by the test"
    assert len(script.column("step")) == 11
    assert fingerprint(trainee) == before


class Lazy(nn.Module):
    """Makes its buffer at the first batch."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("level", None)
        self.net = tiny_model()

    def forward(self, batch: Tensor) -> Tensor:
        if self.level is None:
            self.level = batch.mean().detach()
        logits: Tensor = self.net(batch)
        return logits


def test_a_buffer_made_by_the_sweep_is_gone_afterwards() -> None:
    trainee = make_trainee(
        make_task(build=Lazy), OptimizerConfig(), batch_size=10, seed=0, precision="float32"
    )
    sweep(trainee, RangeTest(steps=3), 3, recorder(Script(), NO_END))
    assert trainee.model.level is None


def test_a_sweep_that_raises_leaves_everything_as_found() -> None:
    trainee, script = trainee_in_use(), Script()
    before = fingerprint(trainee)
    with pytest.raises(RuntimeError, match="in the middle"):
        sweep(
            trainee,
            RangeTest(steps=30),
            30,
            recorder(script, NO_END),
            attend=touch_everything(7, RuntimeError("in the middle")),
        )
    assert len(script.column("step")) == 7
    assert fingerprint(trainee) == before


def test_an_unused_optimizer_is_as_unused_afterwards() -> None:
    trainee = make_trainee(
        make_task(), OptimizerConfig(), batch_size=10, seed=0, precision="float32"
    )
    trainee.optimizer.param_groups[0]["note"] = "kept"
    sweep(trainee, RangeTest(steps=5), 5, recorder(Script(), NO_END))
    assert not trainee.optimizer.state
    assert trainee.optimizer.param_groups[0]["note"] == "kept"
    assert all(p.grad is None for p in trainee.model.parameters())


def test_a_parameter_that_was_thawed_is_frozen_again() -> None:
    trainee = trainee_in_use()
    before = fingerprint(trainee)

    def thaw() -> None:
        trainee.model[6].weight.requires_grad_(True)

    sweep(trainee, RangeTest(steps=5), 5, recorder(Script(), NO_END), attend=thaw)
    assert fingerprint(trainee) == before


def test_a_buffer_that_was_replaced_comes_back() -> None:
    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("calls", torch.zeros(1), persistent=False)
            self.inner = tiny_model()

        def forward(self, x: Tensor) -> Tensor:
            self.calls = self.calls + 1  # another tensor in the first one's place
            return self.inner(x)

    trainee = make_trainee(
        make_task(build=Counting), OptimizerConfig(), batch_size=10, seed=0, precision="float32"
    )
    calls = trainee.model.calls
    sweep(trainee, RangeTest(steps=5), 5, recorder(Script(), NO_END))
    assert trainee.model.calls is calls
    assert calls.item() == 0


def test_training_goes_on_as_if_there_had_been_no_sweep() -> None:
    def losses(with_sweep: bool) -> list[float]:
        torch.manual_seed(5)
        trainee = trainee_in_use()
        if with_sweep:
            sweep(trainee, RangeTest(steps=25), 25, recorder(Script(), NO_END))
        return [trainee.step()[0].item() for _ in range(20)]

    assert losses(with_sweep=True) == losses(with_sweep=False)


def curve(make_bench: Make, seed: int = 0, **changes: object) -> tuple[list[float], list[float]]:
    bench = make_bench(RangeTest(steps=40, divergence=1e9, **changes), seed=seed)
    assert run_range_test(bench.session, bench.session.config.job).outcome == "done"
    return bench.script.column("lr"), bench.script.column("loss")


def test_a_curve_can_be_repeated_bit_for_bit(make_bench: Make) -> None:
    first = curve(make_bench)
    torch.manual_seed(99)
    torch.rand(1000)
    assert curve(make_bench) == first
    # Measuring on the subset does not change the curve either.
    assert curve(make_bench, accuracy=True) == first
    assert curve(make_bench, seed=1)[1] != first[1]


def test_trials_are_the_seeds_in_turn(make_bench: Make) -> None:
    bench = make_bench(RangeTest(steps=12, seeds=2, divergence=1e9), seed=4)
    run_range_test(bench.session, bench.session.config.job)
    started = bench.script.of(TrialStarted)
    assert [(t.trial, t.seed, t.total_steps, t.steps_per_epoch) for t in started] == [
        (0, 4, 12, 7),
        (1, 5, 12, 7),
    ]
    second = [x for e in bench.script.of(Steps) if e.trial == 1 for x in e.loss]
    alone = make_bench(RangeTest(steps=12, divergence=1e9), seed=5)
    run_range_test(alone.session, alone.session.config.job)
    assert alone.script.column("loss") == second


def test_losses_are_those_of_torch_lr_finder() -> None:
    lr_finder = pytest.importorskip("torch_lr_finder")

    def fresh() -> Trainee:
        torch.manual_seed(7)
        return make_trainee(
            make_task(), OptimizerConfig(), batch_size=10, seed=0, precision="float32"
        )

    class Feed(lr_finder.TrainDataLoaderIter):
        def __init__(self, trainee: Trainee) -> None:
            self.batches = trainee.batches

        def __next__(self) -> tuple[Tensor, Tensor]:
            return self.batches.draw()

    theirs = fresh()
    for group in theirs.optimizer.param_groups:
        group["lr"] = 1e-5
        del group["initial_lr"]  # it would look like that of a scheduler
    finder = lr_finder.LRFinder(theirs.model, theirs.optimizer, nn.CrossEntropyLoss(), device="cpu")
    torch.manual_seed(8)
    # Its rates reach the end at the last of num_iter steps, ours (as the article's) after it.
    finder.range_test(Feed(theirs), end_lr=1, num_iter=31, smooth_f=0, diverge_th=1e9)

    ours, script = fresh(), Script()
    torch.manual_seed(8)
    config = RangeTest(start_lr=1e-5, end_lr=1.0, steps=30)
    sweep(ours, config, 30, recorder(script, NO_END))
    assert script.column("lr") == pytest.approx(finder.history["lr"][:30], rel=1e-12)
    assert script.column("loss") == pytest.approx(finder.history["loss"][:30], rel=1e-6)


class Poisoned(nn.Module):
    """Puts out NaN from the given call on."""

    def __init__(self, call: int) -> None:
        super().__init__()
        self.inner = tiny_model()
        self.left = call

    def forward(self, x: Tensor) -> Tensor:
        self.left -= self.training
        out: Tensor = self.inner(x)
        return out * math.nan if self.left < 0 else out


@pytest.mark.parametrize("at", [0, 1, 13])
def test_nan_ends_the_sweep_at_its_step(make_bench: Make, at: int) -> None:
    task = make_task(build=lambda: Poisoned(at))
    bench = make_bench(RangeTest(steps=50, end_lr=0.01), task=task)
    result = run_range_test(bench.session, bench.session.config.job)
    assert result.outcome == "done"
    losses = bench.script.column("loss")
    assert len(losses) == at + 1
    assert losses[-1] is None
    assert None not in losses[:-1]
    rate = sweep_lr(bench.session.config.job, at, 50)
    assert [(e.step, e.lr) for e in bench.script.of(NonFinite)] == [(at, rate)]
    (diverged,) = bench.script.of(Diverged)
    assert (diverged.step, diverged.lr) == (at, rate)
    assert "not finite" in diverged.reason
    (finished,) = bench.script.of(TrialFinished)
    assert (finished.outcome, finished.step) == ("done", at + 1)


def test_the_early_end_matches_a_hand_calculation() -> None:
    watch = EarlyEnd(smoothing=0.5, divergence=2.0)
    assert watch(0, 0.1, 1.0) is None  # s = 1
    assert watch(1, 0.2, 0.5) is None  # s = 0.75, the best
    assert watch(2, 0.3, 2.25) is None  # s = 1.5: twice the best, not passed
    reason = watch(3, 0.4, 1.6)  # s = 1.55
    assert reason is not None
    assert "1.55" in reason
    assert "0.75" in reason
    assert "learning rate 4e-1" in reason


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_value_slips_past_the_watch(value: float) -> None:
    watch = EarlyEnd(smoothing=0.05, divergence=4.0)
    assert watch(0, 0.1, 1.0) is None
    assert watch(1, 0.2, value)
    assert EarlyEnd(0.05, 4.0)(0, 0.1, value)


@pytest.mark.parametrize("every", [1, 3, 7, 1000])
def test_the_end_does_not_depend_on_when_losses_are_fetched(every: int) -> None:
    """As on an accelerator: losses come in chunks, the steps made beyond the end are dropped."""

    def run(eager: bool) -> list[Event]:
        trainee = make_trainee(
            make_task(), OptimizerConfig(), batch_size=10, seed=2, precision="float32"
        )
        torch.manual_seed(1)
        script = Script()
        taken = recorder(script, EarlyEnd(0.3, 1.5), eager=eager)
        if not eager:
            taken.stopwatch._clock = Clock(0.25 / every)
        subset = make_subset(trainee.task.validation, 10, seed=0)
        sweep(trainee, RangeTest(steps=100, end_lr=100.0), 100, taken, subset=subset)
        assert taken.end
        rows = list(zip(*(script.column(c) for c in ("step", "lr", "loss")), strict=True))
        evaluated = [(e.step, e.lr, e.loss, e.value("accuracy")) for e in script.of(Evaluated)]
        assert rows[-1][0] == taken.end.step
        return [taken.end, rows, evaluated, len(script.of(NonFinite))]

    assert run(eager=False) == run(eager=True)


def test_accuracy_is_measured_on_one_fixed_subset(make_bench: Make) -> None:
    big = part(2000, 5)
    one, again = make_subset(big, 64, seed=0), make_subset(big, 64, seed=0)
    assert len(one.part) == 512
    assert torch.equal(one.part.inputs, again.part.inputs)
    assert not torch.equal(one.part.inputs, make_subset(big, 64, seed=1).part.inputs)
    # A forward pass of 512 images at most every third step of 64, which costs three passes each.
    assert one.every == 3

    bench = make_bench(RangeTest(steps=20, accuracy=True, divergence=1e9))
    run_range_test(bench.session, bench.session.config.job)
    measured = bench.script.of(Evaluated)
    assert {e.part for e in measured} == {"subset"}
    assert [e.step for e in measured] == list(range(1, 21))
    assert [e.lr for e in measured] == bench.script.column("lr")
    # Shares of the 30 validation images.
    assert all(e.value("accuracy") == round(e.value("accuracy") * 30) / 30 for e in measured)


def test_pause_and_stop_in_a_sweep(make_bench: Make) -> None:
    bench = make_bench(RangeTest(steps=50, seeds=2, divergence=1e9))
    script = bench.script
    script.at_step = {4: [Pause()], 9: [SetBounds(base_lr=1e-3, max_lr=1e-2)], 12: [Stop()]}
    script.at_event = [(Paused, lambda: script.order(Continue()))]
    result = run_range_test(bench.session, bench.session.config.job)
    assert (result.outcome, result.message) == ("stopped", "stopped by request")
    assert script.column("step") == list(range(13))
    assert len(script.of(Paused)) == len(script.of(Continued)) == 1
    (refused,) = script.of(CommandRefused)
    assert refused.command == "set-bounds"
    (finished,) = script.of(TrialFinished)
    assert (finished.outcome, finished.step) == ("stopped", 13)


def test_a_stop_in_mid_step_ends_a_sweep_in_order(make_bench: Make) -> None:
    """A step may take long: where frozen layers compute the features of all images, say."""

    class StopsInStep(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = tiny_model()
            self.calls = 0

        def forward(self, x: Tensor) -> Tensor:
            self.calls += 1
            if self.calls == 8:
                raise Stopped("enough")
            return self.inner(x)

    bench = make_bench(RangeTest(steps=50, seeds=2), task=make_task(build=StopsInStep))
    result = run_range_test(bench.session, bench.session.config.job)
    assert (result.outcome, result.message) == ("stopped", "enough")
    assert bench.script.column("step") == list(range(7))
    (finished,) = bench.script.of(TrialFinished)
    assert (finished.outcome, finished.step, finished.reason) == ("stopped", 7, "enough")


def test_the_model_of_a_sweep_may_be_shared() -> None:
    """A sweep over a copy and over the original, one after the other, see the same model."""
    trainee = trainee_in_use()
    rng = torch.get_rng_state()
    twin = copy.deepcopy(trainee.model.state_dict())
    script, again = Script(), Script()
    sweep(trainee, RangeTest(steps=15), 15, recorder(script, NO_END))
    assert torch.equal(torch.get_rng_state(), rng)
    sweep(trainee, RangeTest(steps=15), 15, recorder(again, NO_END))
    assert script.column("loss") == again.column("loss")
    assert all(torch.equal(v, twin[k]) for k, v in trainee.model.state_dict().items())
