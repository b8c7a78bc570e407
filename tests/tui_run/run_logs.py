"""Logs with known content, written as a worker would write them, and an app to show them."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable

import numpy as np

from clr_tui.engine.analysis.recordings.recording import open_recording
from clr_tui.engine.log import events as ev
from clr_tui.engine.log.commands import Command, CommandTail
from clr_tui.engine.log.lock import acquire
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.log.writer import EventWriter
from clr_tui.engine.metrics import ACCURACY
from clr_tui.engine.policies import lr_at
from clr_tui.engine.settings.config import TaskConfig, Train
from clr_tui.tui.app import ClrTuiApp
from clr_tui.tui.keys import keys_for
from clr_tui.tui.widgets.panel import Panel

START = 1_790_000_000.0
TASK = TaskConfig(data="/data/flowers", image_size=32)
SWEEP = 120
PER_EPOCH = 54
SIZES = {"80x24": (80, 24), "160x44": (160, 44)}


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


class Log:
    """A run whose events a test writes as its worker would."""

    def __init__(self, run: RunDir) -> None:
        self.run = run
        self.clock = Clock()
        self.writer = EventWriter(run.events_path, clock=self.clock)
        self._lock: int | None = None

    def live(self) -> Log:
        """The worker lives: its lock is held."""
        self._lock = acquire(self.run.lock_path)
        return self

    def die(self) -> None:
        """The worker is gone."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def tell(self, *events: ev.Event, seconds: float = 0.25) -> Log:
        """Writes events, the clock moving on before each."""
        for event in events:
            self.clock.now += seconds
            self.writer.write(event)
        return self

    def begin(self) -> Log:
        """Until the data are in memory."""
        config = self.run.config()
        return self.tell(
            ev.RunStarted(run=self.run.id, kind=config.kind, version="0.1.0", pid=1),
            ev.DeviceChosen(device="cuda:0", name="NVIDIA H100 80GB HBM3", memory=85 * 10**9),
            ev.TaskReady(
                name="flowers",
                model="cnn",
                classes=["daisy", "dandelion", "rose", "sunflower", "tulip"],
                metrics=[ACCURACY],
                samples="images",
                train=PER_EPOCH * 64,
                validation=430,
                test=430,
                channels=3,
                image_size=32,
                parameters=620_000,
                trainable=620_000,
                batch_size=64,
                steps_per_epoch=PER_EPOCH,
            ),
            ev.DeviceUsage(memory_used=3_100_000_000, memory_total=85 * 10**9, utilisation=0.42),
        )

    def sweep(
        self,
        loss: Callable[[np.ndarray], np.ndarray],
        *,
        trial: int = 0,
        until: int = SWEEP,
        own_optimizer: str | None = None,
    ) -> Log:
        """A sweep of `until` of its steps, in chunks of ten; the seed is the trial's number."""
        self.tell(
            ev.TrialStarted(
                trial=trial,
                seed=trial,
                total_steps=SWEEP,
                steps_per_epoch=PER_EPOCH,
                own_optimizer=own_optimizer,
            )
        )
        steps = np.arange(SWEEP)
        rates = 1e-7 * 1e7 ** (steps / SWEEP)
        losses = loss(rates) + np.random.default_rng(trial).normal(0, 0.02, SWEEP)
        for first in range(0, until, 10):
            part = slice(first, min(first + 10, until))
            self.tell(
                ev.Steps(
                    trial=trial,
                    step=steps[part].tolist(),
                    lr=rates[part].tolist(),
                    loss=losses[part].tolist(),
                    elapsed=float(steps[part][-1] + 1) / 25,
                    samples_per_second=1640.0,
                    eta_seconds=(SWEEP - float(steps[part][-1]) - 1) / 25,
                )
            )
        return self

    def train(self, epochs: float, *, of: int = 16, job: Train | None = None) -> Log:
        """The first `epochs` epochs of a training of `of`."""
        job = job or self.run.config().asked(Train)
        total = of * PER_EPOCH
        self.tell(
            ev.TrialStarted(trial=0, seed=0, total_steps=total, steps_per_epoch=PER_EPOCH),
            ev.BoundsChanged(trial=0, step=0, base_lr=job.base_lr, max_lr=job.max_lr),
        )
        noise = np.random.default_rng(7)
        best, best_epoch = 0.0, 0
        for step in range(0, int(epochs * PER_EPOCH), 18):
            chunk = list(range(step, step + 18))
            rates = [
                lr_at(
                    job.policy,
                    i,
                    base_lr=job.base_lr,
                    max_lr=job.max_lr,
                    step_size=4 * PER_EPOCH,
                    total_steps=total,
                )
                for i in chunk
            ]
            progress = np.array(chunk) / total
            losses = 1.6 * np.exp(-1.8 * progress) + noise.normal(0, 0.06, 18)
            self.tell(
                ev.Steps(
                    trial=0,
                    step=chunk,
                    lr=rates,
                    loss=losses.tolist(),
                    elapsed=(chunk[-1] + 1) / 25,
                    samples_per_second=1640.0,
                    eta_seconds=(total - chunk[-1] - 1) / 25,
                )
            )
            if (step + 18) % PER_EPOCH:
                continue
            epoch = (step + 18) // PER_EPOCH
            accuracy = 0.70 - 0.45 * float(np.exp(-epoch / 5)) + float(noise.normal(0, 0.01))
            if accuracy > best:
                best, best_epoch = accuracy, epoch
            self.tell(
                ev.Evaluated(
                    trial=0,
                    step=step + 18,
                    part="validation",
                    loss=1.65 * float(np.exp(-1.5 * epoch / of)),
                    metrics={"accuracy": accuracy},
                    epoch=epoch,
                    lr=rates[-1],
                ),
                ev.EpochFinished(
                    trial=0,
                    epoch=epoch,
                    step=step + 18,
                    train_loss=float(losses.mean()),
                    train_metrics={"accuracy": accuracy - 0.02},
                    seconds=2.2,
                    best_epoch=best_epoch,
                    best_value=best,
                ),
            )
        return self

    def end(self, outcome: str = "done", message: str = "", field: str | None = None) -> Log:
        """The trial and the run end."""
        steps = 0 if outcome == "failed" else SWEEP
        self.tell(
            ev.TrialFinished(trial=0, outcome=outcome, step=steps),
            ev.RunFinished(outcome=outcome, message=message, field=field),
        )
        self.die()
        return self


def usual(rates: np.ndarray) -> np.ndarray:
    """Loss that falls from 1.64 to 1.5 at about 4e-2 and explodes beyond."""
    fall = 0.14 / (1 + (1e-3 / rates) ** 1.3)
    return 1.64 - fall + 40 * np.maximum(rates - 8e-2, 0)


def flat(rates: np.ndarray) -> np.ndarray:
    """Loss that no rate changes."""
    return np.full_like(rates, 1.609)


def app_of(log: Log, **kwargs) -> ClrTuiApp:
    """An app that shows the run at once."""
    return ClrTuiApp(log.run.path.parent, open_run=log.run, wall=log.clock, **kwargs)


def replay_of(log: Log, **kwargs) -> ClrTuiApp:
    """An app that replays the run's log."""
    recording = open_recording(log.run.path)
    return ClrTuiApp(log.run.path.parent, recording=recording, wall=log.clock, **kwargs)


def message(pilot) -> str:
    """What stands below the charts."""
    return pilot.app.screen.query_one("#message", Panel).text


def panel(pilot) -> str:
    """What stands beside the charts."""
    return pilot.app.screen.query_one("#panel", Panel).text


def title(pilot) -> str:
    """The line at the top."""
    return pilot.app.screen.query_one("#title", Panel).text


def commands(log: Log) -> list[Command]:
    """What was asked of the run."""
    return CommandTail(log.run.commands_path).poll()


async def poll(pilot) -> None:
    """Lets the screen read its log now."""
    pilot.app.screen.poll()
    await pilot.pause()


async def press_every_key(pilot, place: str) -> None:
    """Presses each key that a run screen has, except those that leave it; closes what they open."""
    screen = pilot.app.screen
    for bind in (bind for key in keys_for(place) for bind in key.binds):
        if "leave" in bind.action or "back" in bind.action:
            continue
        for name in bind.keys.split(","):
            await pilot.press(name)
            while pilot.app.screen is not screen:
                opened = pilot.app.screen
                await pilot.press("escape")
                assert pilot.app.screen is not opened, f"{name} cannot be left"


def press(*keys: str) -> Callable[..., Awaitable[None]]:
    """What to do before a snapshot: press these keys."""

    async def pressed(pilot) -> None:
        await pilot.press(*keys)
        await pilot.pause()

    return pressed


async def lighten(pilot) -> None:
    """Before a snapshot: the light theme."""
    pilot.app.theme = "clr-light"
    await pilot.pause()
