"""The learning-rate range test (L. N. Smith 2017, section 3.3), swept exponentially."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from clr_tui.engine.log.events import Diverged, Note, Progress, Resumed, TrialFinished
from clr_tui.engine.metrics import reads_as_accuracy
from clr_tui.engine.settings.config import SUBSET_SAMPLES, RangeTest
from clr_tui.engine.tasks.parts import Part
from clr_tui.engine.training.control import CommandHandlers, Stopped
from clr_tui.engine.training.evaluate import evaluate
from clr_tui.engine.training.evaluated_weights import evaluated_weights
from clr_tui.engine.training.fitting_batch import saying_what_fits
from clr_tui.engine.training.not_finite import source_of_not_finite
from clr_tui.engine.training.optimizers.adapted_rate import adapted_rate
from clr_tui.engine.training.optimizers.modes import set_mode
from clr_tui.engine.training.optimizers.rates import set_rate
from clr_tui.engine.training.preserve import left_as_found
from clr_tui.engine.training.randomness import generator
from clr_tui.engine.training.recorder import Recorder
from clr_tui.engine.training.resumable_sweep import ResumableSweep
from clr_tui.engine.training.resume_points import Continuation
from clr_tui.engine.training.session import Result, Session, Trial, TrialWork
from clr_tui.engine.training.sweeps_in_time import (
    MIN_STEPS,
    MOST_STEPS,
    SweepBudget,
    SweepCost,
)
from clr_tui.engine.training.trainee import Trainee
from clr_tui.engine.words import lr_str

if TYPE_CHECKING:
    from clr_tui.engine.analysis.history import RunHistory

_STEP_COST = 3
"""Cost of a training step per sample, in forward passes: one forward, two for the backward."""
WARM_STEPS, MEASURED_STEPS = 5, 20
"""To measure the time of a step: the first ones are slow, and do not count."""
MEASURED_SECONDS, MEASURED_SHARE = 3.0, 0.02
"""Measuring goes on for this share of the time to spend, or for so long if that is less."""


def sweep_steps(config: RangeTest, samples: int, batch_size: int) -> int:
    """Length of a sweep: `steps` if given, else epochs * samples / batch size, at least 100."""
    if config.steps is not None:
        return config.steps
    return max(round(config.epochs * samples / batch_size), MIN_STEPS)


def sweep_lr(config: RangeTest, step: int, steps: int) -> float:
    """The rate at step i of N: start * (end/start)^(i/N)."""
    return float(config.start_lr * (config.end_lr / config.start_lr) ** (step / steps))


class EarlyEnd:
    """Ends a sweep when the smoothed loss exceeds a multiple of its best, or is not finite.

    Smooths like `engine.analysis.smoothing`: s_i = a * loss_i + (1 - a) * s_(i-1), s_0 = loss_0.

    Args:
        smoothing: a.
        divergence: the multiple.
        source: given the step of a loss that is not finite, says where that comes from, or "".
    """

    def __init__(
        self,
        smoothing: float,
        divergence: float,
        source: Callable[[int], str] = lambda _step: "",
    ) -> None:
        self._source = source
        self._smoothing = smoothing
        self._divergence = divergence
        self._smoothed: float | None = None
        self._best = math.inf

    def state_dict(self) -> dict[str, float | None]:
        """The smoothed loss and its best."""
        return {"smoothed": self._smoothed, "best": self._best}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores what `state_dict` returned."""
        self._smoothed, self._best = state["smoothed"], state["best"]

    def __call__(self, step: int, lr: float, loss: float) -> str | None:
        """Takes the loss of the next step; returns why the sweep must end with it, or None."""
        if self._smoothed is None:
            self._smoothed = loss
        else:
            self._smoothed = self._smoothing * loss + (1 - self._smoothing) * self._smoothed
        if not math.isfinite(self._smoothed):
            said = f"the loss is not finite at step {step}"
            why = self._source(step)
            return f"{said}: {why}" if why else f"{said}, learning rate {lr_str(lr)}"
        self._best = min(self._best, self._smoothed)
        if self._smoothed <= self._divergence * self._best:
            return None
        return (
            f"the smoothed loss, {self._smoothed:.3g}, passed {self._divergence:g} times its best, "
            f"{self._best:.3g}, at learning rate {lr_str(lr)}"
        )


@dataclass(frozen=True)
class Subset:
    """The validation samples for Smith's own range test, accuracy against rate."""

    part: Part
    every: int
    """Steps between measurements, such that they take at most about half of the work. Depends on
    the numbers of samples, not on timing, so that a sweep can be repeated."""


def make_subset(validation: Part, batch_size: int, seed: int) -> Subset:
    """Up to `SUBSET_SAMPLES` samples of the validation part, drawn by `seed`."""
    part = validation.subset(SUBSET_SAMPLES, generator(seed, "subset"))
    return Subset(part, every=max(1, math.ceil(len(part) / (_STEP_COST * batch_size))))


def sweep(
    trainee: Trainee,
    config: RangeTest,
    steps: int,
    recorder: Recorder,
    *,
    subset: Subset | None = None,
    attend: Callable[[], str | None] = lambda: None,
    first: int = 0,
    between: Callable[[int], None] = lambda step: None,
) -> str | None:
    """Sweeps the rate up over `trainee`, and leaves it bit for bit unchanged.

    Args:
        recorder: takes each step, and ends the sweep if its watch says so.
        subset: if given, loss and metrics are measured on it during the sweep.
        attend: called before each step; a sentence from it stops the sweep.
        first: the step to begin with.
        between: called after `attend` with the number of steps done.

    Returns:
        The sentence that stopped the sweep; None if it ran to its end, early or not.
    """
    with left_as_found(trainee):
        trainee.model.train()
        set_mode(trainee.optimizer, "train")
        try:
            for step in range(first, steps):
                stopped = attend()
                between(step)
                if stopped is not None or recorder.end:
                    return stopped
                lr = sweep_lr(config, step, steps)
                set_rate(trainee.optimizer, lr)
                trainee.remembered.follow(lr)
                recorder.add(step, lr, *trainee.step(), adapted_rate(trainee.optimizer))
                if recorder.end:
                    return None
                if subset and (step + 1) % subset.every == 0:
                    with evaluated_weights(trainee):
                        recorder.add_evaluation(step + 1, lr, *evaluate(trainee, subset.part))
            return None
        except Stopped as stopped:  # during a long step
            return str(stopped)
        finally:
            recorder.flush()


def run_range_test_job(work: TrialWork) -> Result:
    """Runs the range test of a run, or continues it."""
    session, config = work.session(), work.config.asked(RangeTest)
    with saying_what_fits(session, config.optimizer, None):
        return run_range_test(session, config, work.past, resumable=True)


def run_range_test(
    session: Session, config: RangeTest, past: RunHistory | None = None, *, resumable: bool = False
) -> Result:
    """Runs all trials of a range test: the same sweep with one seed after another.

    Args:
        past: what earlier workers did: sweeps that are done are not made again.
        resumable: whether to write resume points.
    """
    task = session.config.task
    subset = None
    if config.accuracy and not reads_as_accuracy(session.task.primary):
        text = f"{session.task.primary.name} is not measured: Smith's rule needs an accuracy"
        session.emit(Note(level="warning", text=text))
    elif config.accuracy:
        session.task.check_validation()
        subset = make_subset(session.task.validation, session.samples_per_step, task.seed)
    before = _before(past) if resumable else None
    if past is not None and past.time is not None:  # the plan holds, as sweeps have one length
        config = past.config.asked(RangeTest)
    elif config.time is not None:
        cost = _cost_of_sweeps(session, config, subset)
        budget = SweepBudget(config.time, session.control.spent, cost, session.emit)
        return _run_seeds(session, config, subset, before, budget)
    return _run_seeds(session, config, subset, before)


def _before(past: RunHistory | None) -> dict[int, int | None]:
    """The sweeps that earlier workers began, by number: the steps logged; None if it is done."""
    trials = past.trials.values() if past else ()
    return {one.trial: None if one.outcome == "done" else one.steps_logged for one in trials}


def _run_seeds(
    session: Session,
    config: RangeTest,
    subset: Subset | None,
    before: dict[int, int | None] | None,
    budget: SweepBudget | None = None,
) -> Result:
    """Sweeps with one seed after another, as many as `budget` or else `config` say.

    Args:
        before: see `_before`; None: nothing is written to resume the run with.
    """
    first, number, stopped = session.config.task.seed, 0, None
    if budget is not None:
        config = replace(config, seeds=budget.seeds, steps=budget.steps)
    seeds = config.seeds
    steps = sweep_steps(config, len(session.task.train), session.samples_per_step)
    while number < seeds and stopped is None:
        trial = Trial(number=number, seed=first + number, label=f"seed {first + number}")
        beyond = steps * (seeds - 1 - number)
        number += 1
        continuation = None
        if before is not None:
            logged = before.get(trial.number)
            if logged is None and trial.number in before:
                continue
            points = session.resume_points(trial, at_most=logged)
            continuation = Continuation(points, logged)
        stopped = run_sweep(
            session,
            config,
            trial,
            subset=subset,
            steps_beyond=beyond,
            continuation=continuation,
        )
        if budget is not None and stopped is None:
            seeds = budget.seeds_after(number)
    if budget is not None:
        budget.end(number)
    return Result("done") if stopped is None else Result("stopped", stopped)


def _cost_of_sweeps(session: Session, config: RangeTest, subset: Subset | None) -> SweepCost:
    """Measures a few steps at the lowest rates; the sweeps that follow are not affected.

    Raises:
        Stopped: the run was stopped.
    """
    session.emit(Progress(what="measuring the time of a step", done=0, total=1))
    quiet = dataclasses.replace(session, emit=lambda _: None)
    seed, measured = session.config.task.seed, [subset.part] if subset else []
    # The first one also computes what later ones share, such as features of frozen layers.
    session.trainee(config.optimizer, seed, *measured, lr=None)
    began = session.clock()
    trainee = session.trainee(config.optimizer, seed, *measured, lr=None)
    per_sweep = session.clock() - began
    enough = WARM_STEPS + max(MEASURED_STEPS, subset.every if subset else 0)
    seconds = min(MEASURED_SECONDS, MEASURED_SHARE * (config.time or 0.0))
    steps, since = 0, began

    def attend() -> str | None:
        nonlocal steps, since
        session.control.raise_if_stopped()
        now = session.clock()
        if steps == WARM_STEPS:
            since = now
        if steps >= enough and now - since >= seconds:
            return "measured"
        steps += 1
        return None

    recorder = quiet.recorder(Trial(0, seed, ""), MOST_STEPS, watch=lambda *_: None, means=False)
    sweep(trainee, config, MOST_STEPS, recorder, subset=subset, attend=attend)
    session.control.raise_if_stopped()  # `sweep` returns on a stop
    per_step = (session.clock() - since) / max(steps - WARM_STEPS, 1)
    return SweepCost(per_step=per_step, per_sweep=per_sweep)


def run_sweep(
    session: Session,
    config: RangeTest,
    trial: Trial,
    *,
    subset: Subset | None = None,
    steps_beyond: int = 0,
    continuation: Continuation | None = None,
) -> str | None:
    """Runs one sweep, from its first event to its last; `subset` and the result are as in `sweep`.

    Args:
        steps_beyond: steps of the run after this sweep, to estimate the time left.
        continuation: to continue the sweep of an earlier worker, and to write resume points.

    Raises:
        Stopped: the run was stopped before the sweep began.
        UserError: the sweep cannot be continued.
    """
    trainee = session.trainee(
        config.optimizer, trial.seed, *([subset.part] if subset else []), lr=None
    )
    steps = sweep_steps(config, len(session.task.train), session.samples_per_step)
    source = partial(source_of_not_finite, session.task, trial.seed)
    watch = EarlyEnd(config.smoothing, config.divergence, source)
    recorder = session.recorder(trial, steps, watch=watch, means=False, steps_beyond=steps_beyond)
    points = continuation.points if continuation else None
    resumable = ResumableSweep(session.task, trainee, recorder, watch, points)
    done = resumable.restore()
    if done or (continuation and continuation.logged is not None):
        session.emit(Resumed(trial=trial.number, step=done))
    if not done:
        session.emit(trial.started(steps, trainee))
    orders = CommandHandlers(before_pause=recorder.flush)

    def attend() -> str | None:
        reason = session.control.handle_commands(orders, recorder.stopwatch)
        resumable.stopping = reason is not None
        return reason

    stopped = sweep(
        trainee,
        config,
        steps,
        recorder,
        subset=subset,
        attend=attend,
        first=done,
        between=resumable.save_if_due,
    )
    resumable.end(stopped)
    end = recorder.end
    if end:
        session.emit(Diverged(trial=trial.number, step=end.step, lr=end.lr, reason=end.reason))
    session.emit(
        TrialFinished(
            trial=trial.number,
            outcome="done" if stopped is None else "stopped",
            step=recorder.steps,
            reason=stopped or (end.reason if end else ""),
        )
    )
    return stopped
