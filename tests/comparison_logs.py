"""Comparisons made by hand: the events that a worker would write, the same at every call.

Trials are told one after the other, `epochs` of `steps_per_epoch` steps each, in the order of
their numbers (`entry * seeds + i`). The first two labels end alike, each further one clearly
lower. A label with a policy ("sgd+clr") cycles between two rates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.log import events as ev
from clr_tui.engine.log.rundir import RunDir, create_run
from clr_tui.engine.metrics import ACCURACY
from clr_tui.engine.policies import lr_at
from clr_tui.engine.settings.config import (
    Compare,
    EntryConfig,
    OptimizerConfig,
    RunConfig,
    TaskConfig,
)

START = 1_790_000_000.0
TICK = 0.25
"""Seconds between events."""
LABELS = ("adam", "sgd+clr", "rmsprop")
TOP = (0.815, 0.812, 0.74, 0.70, 0.66, 0.62, 0.58, 0.54)
"""Accuracy that an entry comes near, in the order of the entries."""
SWEEP_STEPS = 100
RATES = {"adam": 1e-3, "rmsprop": 1e-2, "adagrad": 1e-2, "adadelta": 1.0, "adamax": 2e-3}
BATCH = 64
RUN = "compare-flowers-1"


def entry_config(label: str) -> EntryConfig:
    """The entry that a label asks for; a policy runs between 6e-4 and 3.6e-3."""
    name, _, policy = label.partition("+")
    optimizer = OptimizerConfig(name=name.partition("(")[0], momentum=0.0)
    if not policy:
        return EntryConfig(label=label, optimizer=optimizer)
    kind = "triangular" if policy == "clr" else policy
    return EntryConfig(label=label, optimizer=optimizer, policy=kind, lr=3.6e-3, base_lr=6e-4)


def comparison_config(
    labels: Sequence[str] = LABELS,
    seeds: int = 3,
    epochs: int = 8,
    *,
    tuned: bool = False,
    target: float | None = None,
    first_seed: int = 0,
    paired: bool = True,
) -> RunConfig:
    """What was asked for. A cycle has 8 epochs; the length is not rounded to whole cycles."""
    return RunConfig(
        id=RUN,
        created=START,
        version="0.1.0",
        task=TaskConfig(data="/data/flowers", image_size=32, batch_size=BATCH, seed=first_seed),
        job=Compare(
            entries=[entry_config(label) for label in labels],
            seeds=seeds,
            epochs=epochs,
            whole_cycles=False,
            rates="tuned" if tuned else "default",
            target=target,
            paired=paired,
        ),
    )


def comparison_events(
    labels: Sequence[str] = LABELS,
    seeds: int = 3,
    epochs: int = 8,
    *,
    steps_per_epoch: int = 10,
    running: bool = False,
    failed: tuple[int, int] | None = None,
    tuned: bool = False,
    until_epoch: int | None = None,
) -> list[ev.AnyEvent]:
    """The log of a comparison.

    Args:
        running: the first half of the trials (rounded down) is done, the next two stand at half
            their epochs, the rest wait; the run goes on.
        failed: (entry, i): that trial's loss is not finite halfway.
        tuned: each entry's rate comes from a sweep of 100 steps.
        until_epoch: every trial has begun and stands there; the run goes on. Takes the place of
            `running`.
    """
    plan = _Plan(tuple(labels), seeds, epochs, steps_per_epoch, tuned, failed)
    stands = {}  # epochs done of the trials that are under way
    if until_epoch is not None:
        stands = dict.fromkeys(range(plan.total), until_epoch)
    elif running:
        stands = dict.fromkeys(range(plan.total // 2, plan.total // 2 + 2), epochs // 2)
    begun = plan.total // 2 + 2 if running and until_epoch is None else plan.total
    told = [*_opening(plan), *_rates(plan), *_trials(plan, min(begun, plan.total), stands)]
    if not stands:
        told += _ending(plan)
    return [
        msgspec.structs.replace(event, seq=seq, time=START + TICK * seq)
        for seq, event in enumerate(told)
    ]


def comparison_history(
    labels: Sequence[str] = LABELS,
    seeds: int = 3,
    epochs: int = 8,
    *,
    target: float | None = None,
    **told,
) -> RunHistory:
    """The same, gathered, with its configuration."""
    tuned = told.get("tuned", False)
    config = comparison_config(labels, seeds, epochs, tuned=tuned, target=target)
    history = RunHistory(config)
    for event in comparison_events(labels, seeds, epochs, **told):
        history.apply(event)
    return history


def write_run(
    folder: Path,
    labels: Sequence[str] = LABELS,
    seeds: int = 3,
    epochs: int = 8,
    *,
    target: float | None = None,
    **told,
) -> RunDir:
    """A run in the runs folder `folder`, as a worker would leave it; no worker holds its lock."""
    config = comparison_config(labels, seeds, epochs, tuned=told.get("tuned", False), target=target)
    run = create_run(folder, task=config.task, job=config.job, version="0.1.0")
    made = msgspec.structs.replace(run.config(), created=START)
    run.config_path.write_bytes(msgspec.json.encode(made))
    first, *rest = comparison_events(labels, seeds, epochs, **told)
    events = [msgspec.structs.replace(first, run=run.id), *rest]
    run.events_path.write_bytes(b"".join(msgspec.json.encode(e) + b"\n" for e in events))
    return run


@dataclass(frozen=True)
class _Plan:
    labels: tuple[str, ...]
    seeds: int
    epochs: int
    per_epoch: int
    tuned: bool
    failed: tuple[int, int] | None

    @property
    def total(self) -> int:
        return len(self.labels) * self.seeds


def _opening(plan: _Plan) -> Iterator[ev.AnyEvent]:
    yield ev.RunStarted(run=RUN, kind="compare", version="0.1.0", host="here", pid=1)
    yield ev.DeviceChosen(device="cpu", name="2 CPU threads", torch="2.6.0")
    yield ev.TaskReady(
        name="flowers",
        model="cnn",
        classes=["daisy", "dandelion", "rose", "sunflower", "tulip"],
        metrics=[ACCURACY],
        samples="images",
        train=plan.per_epoch * BATCH,
        validation=1000,
        test=1000,
        channels=3,
        image_size=32,
        parameters=620_000,
        trainable=620_000,
        batch_size=BATCH,
        steps_per_epoch=plan.per_epoch,
    )
    yield ev.PoolReady(jobs=2, threads=1, devices=["cpu"], reason="2 cores")


def _rates(plan: _Plan) -> Iterator[ev.AnyEvent]:
    for entry, label in enumerate(plan.labels):
        config = entry_config(label)
        lr = config.lr or RATES.get(config.optimizer.name, 1e-3)
        if not plan.tuned:
            source = "given" if config.lr else "default"
            yield ev.RateChosen(entry=entry, lr=lr, base_lr=config.base_lr, source=source)
            continue
        trial = plan.total + entry
        yield from _sweep(plan, trial, entry, label)
        yield ev.RateChosen(
            entry=entry,
            lr=lr,
            base_lr=config.base_lr,
            source="tuned",
            trial=trial,
            steps=SWEEP_STEPS,
            samples=SWEEP_STEPS * BATCH,
            seconds=4.0,
        )


def _sweep(plan: _Plan, trial: int, entry: int, label: str) -> Iterator[ev.AnyEvent]:
    yield ev.TrialStarted(
        trial=trial,
        seed=0,
        total_steps=SWEEP_STEPS,
        steps_per_epoch=plan.per_epoch,
        label=label,
        entry=entry,
        role="sweep",
    )
    lr = 1e-7 * 1e8 ** (np.arange(SWEEP_STEPS) / SWEEP_STEPS)
    loss = 1.64 - 0.14 / (1 + (1e-3 / lr) ** 1.3) + 0.4 * np.maximum(lr - 8e-2, 0)
    yield ev.Steps(
        trial=trial,
        step=list(range(SWEEP_STEPS)),
        lr=lr.tolist(),
        loss=loss.tolist(),
        elapsed=4.0,
    )
    yield ev.TrialFinished(trial=trial, outcome="done", step=SWEEP_STEPS)


def _trials(plan: _Plan, begun: int, stands: dict[int, int]) -> Iterator[ev.AnyEvent]:
    steps = failures = ended = 0
    for trial in range(begun):
        entry, i = divmod(trial, plan.seeds)
        until = stands.get(trial, plan.epochs)
        broken = plan.failed == (entry, i) and until > plan.epochs // 2
        until = plan.epochs // 2 if broken else until
        under_way = sum(1 for t in stands if t <= trial)
        at = {"total": plan.total, "stopped": 0}
        yield ev.TrialStarted(
            trial=trial,
            seed=i,
            total_steps=plan.epochs * plan.per_epoch,
            steps_per_epoch=plan.per_epoch,
            label=plan.labels[entry],
            entry=entry,
        )
        yield from _epochs(plan, trial, until)
        steps += until * plan.per_epoch
        if trial not in stands:
            yield from _failure(plan, trial, until) if broken else _test(plan, trial)
            failures, ended = failures + broken, ended + 1
        fraction = steps / (plan.total * plan.epochs * plan.per_epoch)
        yield ev.Overall(
            done=ended - failures,
            failed=failures,
            running=under_way,
            fraction=fraction,
            eta_seconds=round((1 - fraction) * 600.0, 1),
            **at,
        )


def _epochs(plan: _Plan, trial: int, until: int) -> Iterator[ev.AnyEvent]:
    entry = trial // plan.seeds
    curve = _accuracies(plan, trial)
    for epoch in range(1, until + 1):
        accuracy = float(curve[epoch - 1])
        first, last = (epoch - 1) * plan.per_epoch, epoch * plan.per_epoch
        best = int(np.argmax(curve[:epoch]))
        rates = _schedule(plan, entry, range(first, last))
        yield ev.Steps(
            trial=trial,
            step=list(range(first, last)),
            lr=rates,
            loss=np.linspace(*_losses(curve, epoch), plan.per_epoch).tolist(),
            metrics={"accuracy": [accuracy - 0.02] * plan.per_epoch},
            elapsed=2.0 * epoch - 0.2,
            samples_per_second=320.0,
            eta_seconds=2.0 * (plan.epochs - epoch),
        )
        yield ev.Evaluated(
            trial=trial,
            step=last,
            part="validation",
            loss=1.6 * (1 - accuracy) + 0.1,
            metrics={"accuracy": accuracy},
            lr=rates[-1],
            epoch=epoch,
        )
        yield ev.EpochFinished(
            trial=trial,
            epoch=epoch,
            step=last,
            train_loss=_losses(curve, epoch)[1],
            train_metrics={"accuracy": accuracy - 0.02},
            seconds=2.0,
            best_epoch=best + 1,
            best_value=float(curve[best]),
        )


def _accuracies(plan: _Plan, trial: int) -> np.ndarray:
    """On the validation part, by epoch; thousandths, as a part of a thousand images gives."""
    epochs = np.arange(1, plan.epochs + 1)
    top = TOP[trial // plan.seeds % len(TOP)]
    noise = np.random.default_rng([1, trial]).normal(0, 0.01, plan.epochs)
    curve = top - 0.45 * np.exp(-4.0 * epochs / plan.epochs) + noise
    return np.round(np.clip(curve, 0, 1), 3)


def _losses(curve: np.ndarray, epoch: int) -> tuple[float, float]:
    """Of training, at the beginning and the end of an epoch."""
    before = float(curve[epoch - 2]) if epoch > 1 else 0.2
    return 1.6 * (1 - before), 1.6 * (1 - float(curve[epoch - 1]))


def _schedule(plan: _Plan, entry: int, steps: range) -> list[float]:
    config = entry_config(plan.labels[entry])
    lr = config.lr or RATES.get(config.optimizer.name, 1e-3)
    return [
        lr_at(
            config.policy,
            step,
            base_lr=config.base_lr or lr,
            max_lr=lr,
            step_size=4.0 * plan.per_epoch,
            total_steps=plan.epochs * plan.per_epoch,
        )
        for step in steps
    ]


def _test(plan: _Plan, trial: int) -> Iterator[ev.AnyEvent]:
    curve = _accuracies(plan, trial)
    best = int(np.argmax(curve))
    for name, at in (("last", plan.epochs - 1), ("best", best)):
        accuracy = round(float(curve[at]) - 0.004, 3)
        yield ev.Evaluated(
            trial=trial,
            step=(at + 1) * plan.per_epoch,
            part="test",
            loss=1.6 * (1 - accuracy) + 0.1,
            metrics={"accuracy": accuracy},
            epoch=at + 1,
            checkpoint=name,
        )
    step = plan.epochs * plan.per_epoch
    yield ev.TrialFinished(trial=trial, outcome="done", step=step)


def _failure(plan: _Plan, trial: int, until: int) -> Iterator[ev.AnyEvent]:
    step = until * plan.per_epoch
    lr = _schedule(plan, trial // plan.seeds, range(step, step + 1))[0]
    reason = f"the loss is not finite at step {step}, learning rate {lr:.1e}"
    yield ev.NonFinite(trial=trial, step=step, lr=lr)
    yield ev.Diverged(trial=trial, step=step, lr=lr, reason=reason)
    yield ev.TrialFinished(trial=trial, outcome="failed", step=step, reason=reason)


def _ending(plan: _Plan) -> list[ev.AnyEvent]:
    message = f"1 of {plan.total} trials failed" if plan.failed else ""
    headline = f"{plan.labels[0]} leads"
    return [ev.RunFinished(outcome="done", message=message, headline=headline)]
