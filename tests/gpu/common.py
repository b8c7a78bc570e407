"""What the scripts share: the device, the data, and clocks that wait for the device.

Every import of the engine's inside is in this file, so that a change in the engine has one place
to be followed here. Only read_runs.py, which must start without torch, has imports of its own.
"""

from __future__ import annotations

import contextlib
import os
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from clr_tui.engine.comparing.trial_memory import trial_need
from clr_tui.engine.errors import describe_error
from clr_tui.engine.log.events import Event, Steps
from clr_tui.engine.nvml import UsageMonitor, device_state, uuid_of
from clr_tui.engine.settings.config import OptimizerConfig, RangeTest, RunConfig, TaskConfig
from clr_tui.engine.settings.optimizer_names import OPTIMIZERS
from clr_tui.engine.tasks import cnn
from clr_tui.engine.tasks.augment import RandomAffine, resampled, sampling_grid
from clr_tui.engine.tasks.cnn import build_cnn
from clr_tui.engine.tasks.devices import choose_device
from clr_tui.engine.tasks.image_task import ImageTask
from clr_tui.engine.tasks.load import load_task
from clr_tui.engine.tasks.measure import correct
from clr_tui.engine.training import checkpoint
from clr_tui.engine.training.compiling import compiled
from clr_tui.engine.training.control import Control, StopFlag
from clr_tui.engine.training.evaluate import evaluate
from clr_tui.engine.training.job import tune_torch
from clr_tui.engine.training.randomness import generator
from clr_tui.engine.training.range_test import run_range_test
from clr_tui.engine.training.recorder import Recorder
from clr_tui.engine.training.schedules import PolicyRate, make_scheduler
from clr_tui.engine.training.session import Session
from clr_tui.engine.training.stopwatch import Stopwatch
from clr_tui.engine.training.trainee import Trainee, make_trainee
from clr_tui.engine.training.warm_up import warm_up

__all__ = [
    "OPTIMIZERS",
    "ImageTask",
    "RandomAffine",
    "Trainee",
    "UsageMonitor",
    "build_cnn",
    "checkpoint",
    "choose_device",
    "compiled",
    "correct",
    "describe_error",
    "device_state",
    "evaluate",
    "generator",
    "resampled",
    "sampling_grid",
    "trial_need",
    "tune_torch",
    "uuid_of",
    "warm_up",
]

DEVICE = torch.device(os.environ.get("DEVICE", "cuda"))
if DEVICE.type == "cuda":
    DEVICE = torch.device("cuda", 0)
CUDA = DEVICE.type == "cuda"
TINY = bool(os.environ.get("TINY"))
"""A dry run: everything runs, nothing for long."""
DATA = os.environ.get("DATA", "digits")
OUT = Path(os.environ.get("OUT", "/tmp"))
BATCH = 16 if TINY else 64
SECONDS = 0.2 if TINY else 1.2
"""How long a speed is measured."""
PRECISION = "bfloat16" if CUDA else "float32"


def wait() -> None:
    """Returns when the device has finished all its work."""
    if CUDA:
        torch.cuda.synchronize()


def now() -> float:
    wait()
    return time.perf_counter()


# --- the engine's parts, made as a run makes them ---


def task(
    size: int = 32, *, model: str = "cnn", augment: bool = True, device: torch.device = DEVICE
) -> ImageTask:
    size = min(size, 16 if model == "cnn" else 64) if TINY else size
    config = TaskConfig(data=DATA, model=model, weights="none", image_size=size, augment=augment)
    return load_task(config, device, lambda *_: None, lambda _: None)


def trainee(
    of: ImageTask, name: str = "sgd", *, precision: str = PRECISION, seed: int = 0
) -> Trainee:
    config = OptimizerConfig(name=name, momentum=0.9)
    made = make_trainee(of, config, batch_size=BATCH, seed=seed, precision=precision)
    made.model.train()
    return made


def constant_rate(made: Trainee) -> None:
    """Gives the optimizer the learning rate that a constant policy gives it."""
    rate = PolicyRate("constant", base_lr=1e-5, max_lr=1e-5, step_size=1.0, total_steps=10)
    make_scheduler(made.optimizer, rate)


class Loop:
    """Steps as a training makes them: schedule, and a recorder that fetches four times a second."""

    def __init__(self, made: Trainee) -> None:
        self.made = made
        rate = PolicyRate(
            "triangular", base_lr=1e-4, max_lr=1e-3, step_size=200.0, total_steps=10**6
        )
        self.scheduler = make_scheduler(made.optimizer, rate)
        self.recorder = Recorder(
            lambda event: None,
            trial=0,
            total_steps=10**6,
            batch_size=BATCH,
            stopwatch=Stopwatch(),
            eager=not CUDA,
            watch=lambda step, lr, loss: None,
            metrics=made.task.metrics,
            means=True,
        )
        self.done = 0

    def __call__(self, steps: int) -> None:
        for _ in range(steps):
            lr = float(self.made.optimizer.param_groups[0]["lr"])
            loss, metrics = self.made.step()
            self.scheduler.step()
            self.recorder.add(self.done, lr, loss, metrics)
            self.done += 1


def sweep_losses(steps: int, device: torch.device, precision: str) -> list[float]:
    """The losses of a whole range test on images of 32x32."""
    sweep = RangeTest(steps=steps, divergence=1e9, end_lr=0.1)
    config = RunConfig(
        id="probe",
        created=0.0,
        version="0",
        job=sweep,
        task=TaskConfig(batch_size=BATCH, seed=0),
    )
    events: list[Event] = []
    control = Control(list, StopFlag(), events.append)
    session = Session(config, task(32, device=device), precision, events.append, control, Path())
    run_range_test(session, sweep)
    return [loss for e in events if isinstance(e, Steps) for loss in e.loss if loss is not None]


@contextlib.contextmanager
def without_dropout() -> Iterator[None]:
    rate, cnn.DROPOUT = cnn.DROPOUT, 0.0
    try:
        yield
    finally:
        cnn.DROPOUT = rate


def transforms(augment: RandomAffine, n: int, size: int, g: torch.Generator) -> torch.Tensor:
    """(n, 2, 3): what the augmentation draws on the CPU for a batch of n images."""
    return augment._transforms(n, size, g)


def augmentation_of(made: Trainee) -> torch.Generator:
    """The generator from which the augmentation of its training batches is drawn."""
    return made.batches._augmenting


def ask_for_features(made: Trainee) -> None:
    """What each step does to learn whether kept features are still those of the model."""
    made.task.features._digest(made.model)


# --- clocks ---


def per_second(
    work: Callable[[int], object],
    *,
    at_a_time: int = 10,
    warm: int = 30,
    seconds: float = SECONDS,
) -> float:
    """Steps per second of `work(steps)`."""
    at_a_time, warm = (1, 2) if TINY else (at_a_time, warm)
    work(warm)
    begin, steps = now(), 0
    while time.perf_counter() - begin < seconds:
        work(at_a_time)
        steps += at_a_time
    return steps / (now() - begin)


def host_microseconds(work: Callable[[int], object], steps: int = 4, rounds: int = 7) -> float:
    """Time that the host needs to launch a step.

    Only a few steps are made in a row, so that the host never has to wait for the device.
    """
    found = []
    for _ in range(1 if TINY else rounds):
        begin = now()
        work(steps)
        found.append((time.perf_counter() - begin) / steps * 1e6)
    return sorted(found)[len(found) // 2]


def kernels(
    work: Callable[[int], object], steps: int = 10
) -> tuple[float, float, dict[str, float]]:
    """Kernels and copies per step, their microseconds on the device, and the slowest by name."""
    steps = 1 if TINY else steps
    kinds = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if CUDA else [])]
    wait()
    with profile(activities=kinds) as seen:
        work(steps)
        wait()
    count, total, names = 0, 0.0, {}
    for event in seen.events():
        on_device = "CUDA" in str(event.device_type)
        if CUDA and (not on_device or getattr(event, "is_user_annotation", False)):
            continue
        if event.name.startswith(("Optimizer.", "ProfilerStep")):
            continue
        spent = event.time_range.elapsed_us() if CUDA else event.self_cpu_time_total
        count += 1
        total += spent
        names[event.name] = names.get(event.name, 0.0) + spent / steps
    slowest = dict(sorted(names.items(), key=lambda item: -item[1])[:12])
    return count / steps, total / steps, slowest


# --- checks ---


def run_checks(checks: tuple[Callable[[], object], ...], wanted: list[str]) -> None:
    """Runs the checks that are named, or all of them; one that fails does not end the others.

    Raises:
        SystemExit: there is no check of that name.
    """
    unknown = set(wanted) - {check.__name__ for check in checks}
    if unknown:
        raise SystemExit(f"no such check: {' '.join(sorted(unknown))}")
    tune_torch(DEVICE)
    for check in checks:
        if not wanted or check.__name__ in wanted:
            _attempt(check)


def _attempt(check: Callable[[], object]) -> None:
    name, begin = check.__name__, time.perf_counter()
    try:
        check()
    except Exception as error:  # noqa: BLE001
        words = " ".join(f"{type(error).__name__}: {error}".split())
        print(f"!! {name}: {words[:400]}", flush=True)
        with (OUT / "tracebacks.txt").open("a") as file:
            file.write(f"\n== {name}\n{traceback.format_exc()}")
        if CUDA:
            torch.cuda.empty_cache()
    print(f"   ({name}: {time.perf_counter() - begin:.1f} s)", flush=True)
