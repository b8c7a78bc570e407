"""What a job sets up around the loop: cores, progress, the device's load, precision."""

from __future__ import annotations

import itertools
import os
import threading
from pathlib import Path

import pytest
import torch
from training_bench import Clock, Script, make_task

from clr_tui.engine.cores import usable_cores
from clr_tui.engine.errors import UserError
from clr_tui.engine.log.events import DeviceUsage, Event, Progress
from clr_tui.engine.settings.config import (
    Compare,
    EntryConfig,
    OptimizerConfig,
    RangeTest,
    RunConfig,
    TaskConfig,
)
from clr_tui.engine.training import device_usage as usage
from clr_tui.engine.training.evaluate import evaluate
from clr_tui.engine.training.job import run_job, throttled_progress
from clr_tui.engine.training.trainee import make_trainee


@pytest.mark.parametrize(
    ("quota", "expected"),
    [("100000 100000\n", 1), ("150000 100000\n", 2), ("max 100000\n", 64), ("nonsense", 64)],
)
def test_a_containers_quota_bounds_the_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str, expected: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    file = tmp_path / "cpu.max"
    assert usable_cores(file) == 64
    file.write_text(quota)
    assert usable_cores(file) == expected


TASK = TaskConfig(data="/there/are/no/images/here", device="cpu")
BAD = OptimizerConfig(name="adamw", options={"weight_decay": -1.0})


@pytest.mark.parametrize(
    ("config", "field"),
    [
        (
            RunConfig(
                id="a",
                created=0.0,
                version="1",
                task=TASK,
                job=RangeTest(optimizer=BAD),
            ),
            "optimizer",
        ),
        (
            RunConfig(
                id="a",
                created=0.0,
                version="1",
                task=TASK,
                job=Compare(entries=[EntryConfig(label="adamw", optimizer=BAD)]),
            ),
            "optimizers",
        ),
    ],
)
def test_options_that_torch_refuses_fail_before_data_is_read(
    config: RunConfig, field: str, tmp_path: Path
) -> None:
    script = Script()
    with pytest.raises(UserError, match="Invalid weight_decay value") as caught:
        run_job(config, script.emit, script, tmp_path)
    assert caught.value.field == field


def test_progress_is_thinned_out_but_ends() -> None:
    script = Script()
    progress = throttled_progress(script.emit, lambda: None, clock=Clock(0.01))
    for done in range(1001):
        progress("decoding images", done, 1000)
    seen = script.of(Progress)
    assert 30 < len(seen) < 50
    assert (seen[0].done, seen[-1].done) == (0, 1000)
    gaps = [b.done - a.done for a, b in itertools.pairwise(seen)]
    assert min(gaps[:-1]) >= 24


def test_what_asks_before_each_report_can_end_the_work() -> None:
    def stop() -> None:
        raise KeyError("stop")

    with pytest.raises(KeyError):
        throttled_progress(lambda event: None, stop)("decoding images", 0, 10)


class Monitor:
    def __init__(self, index: int, uuid: str) -> None:
        assert index == 1

    def read(self) -> tuple[int, int, float | None]:
        return 3, 80, None


def test_the_load_of_the_device_is_reported_until_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "UsageMonitor", Monitor)
    monkeypatch.setattr(usage, "USAGE_SECONDS", 0.01)
    seen: list[Event] = []
    several = threading.Event()

    def emit(event: Event) -> None:
        seen.append(event)
        if len(seen) == 3:
            several.set()

    before = threading.active_count()
    with usage.reporting_usage(torch.device("cuda", 1), emit):
        assert several.wait(60)
    assert threading.active_count() == before
    assert seen[0] == DeviceUsage(device="cuda:1", memory_used=3, memory_total=80, utilisation=None)


def test_the_load_of_each_gpu_of_a_comparison_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    class Any:
        def __init__(self, index: int, uuid: str) -> None:
            self._index = index
            assert uuid == f"u{index}"

        def read(self) -> tuple[int, int, float | None] | None:
            return (self._index, 80, 0.5) if self._index < 3 else None

    monkeypatch.setattr(usage, "UsageMonitor", Any)
    monkeypatch.setattr(usage, "uuid_of", lambda cuda, index: f"u{index}")
    monkeypatch.setattr(usage, "USAGE_SECONDS", 0.01)
    seen: list[str] = []
    both = threading.Event()

    def emit(event: Event) -> None:
        assert isinstance(event, DeviceUsage)
        assert event.device == f"cuda:{event.memory_used}"
        seen.append(event.device)
        if seen[-1] == "cuda:2":
            both.set()

    with usage.reporting_usage(torch.device("cuda", 0), emit) as report_on:
        report_on(["cuda:1", "cuda:2", "cuda:3"])
        assert both.wait(60)
    assert set(seen) <= {"cuda:0", "cuda:1", "cuda:2"}
    with usage.reporting_usage(torch.device("cpu"), emit) as report_on:
        report_on(["cpu"])


def test_a_full_log_ends_the_reports_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "UsageMonitor", Monitor)
    asked = threading.Event()

    def emit(event: Event) -> None:
        asked.set()
        raise UserError("the disk is full")

    # An exception left over in a thread is a warning, which pytest would tell of.
    with usage.reporting_usage(torch.device("cuda", 1), emit):
        assert asked.wait(60)


def test_bfloat16_computes_nearly_the_same() -> None:
    def losses(precision: str) -> list[float]:
        torch.manual_seed(0)
        trainee = make_trainee(
            make_task(), OptimizerConfig(), batch_size=10, seed=0, precision=precision
        )
        trainee.optimizer.param_groups[0]["lr"] = 0.01
        steps = [trainee.step() for _ in range(5)]
        assert all(loss.dtype == torch.float32 for loss, _ in steps)
        assert all(p.dtype == torch.float32 for p in trainee.model.parameters())
        return [loss.item() for loss, _ in steps] + [evaluate(trainee, trainee.task.test)[0].item()]

    whole, half = losses("float32"), losses("bfloat16")
    assert half != whole
    assert half == pytest.approx(whole, rel=0.05)
