"""A training that is resumed is the one that was never interrupted, bit for bit on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from resuming import Crashes, Prompt, curves, history_of, resumed_events, weights
from torch import nn
from training_bench import Bench, make_task, tiny_model
from training_bench import make_bench as bench_in

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.errors import UserError
from clr_tui.engine.log.commands import SetBounds, Stop
from clr_tui.engine.log.events import BoundsChanged, Event, Note, Resumed, TrialStarted
from clr_tui.engine.settings.config import OptimizerConfig, Train
from clr_tui.engine.training.keepers import DiskKeeper, MemoryKeeper
from clr_tui.engine.training.resume_points import Continuation
from clr_tui.engine.training.session import Result, Trial
from clr_tui.engine.training.training import Training

JOB = Train(base_lr=0.01, max_lr=0.1, step_size_epochs=1, epochs=4)
PER_EPOCH = 7
ORDER = SetBounds(base_lr=0.02, max_lr=0.2)


class Odd(nn.Module):
    """A model with state that no state dict has."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = tiny_model()
        self.draws = torch.Generator().manual_seed(3)
        self.register_buffer("calls", torch.zeros(1), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            with torch.no_grad():
                self.calls += 1
            x = x + 0.01 * self.calls * torch.rand(1, generator=self.draws)
        out: torch.Tensor = self.inner(x)
        return out


def run(
    bench: Bench,
    *,
    past: RunHistory | None = None,
    every: float = 0.0,
    memory: bool = False,
    emit: Callable[[Event], object] | None = None,
) -> Result:
    session = bench.session
    if emit is not None:
        object.__setattr__(session, "emit", emit)
    job = session.config.asked(Train)
    trial = Trial(0, 0, "triangular")
    keeper: DiskKeeper | MemoryKeeper = MemoryKeeper()
    if not memory:
        keeper = DiskKeeper(bench.folder, session.emit, session.task.device)

    def note(text: str) -> None:
        session.emit(Note(level="warning", text=text))

    began = past.trials.get(0) if past else None
    logged = began.steps_logged if began else None
    points = Prompt(bench.folder / "checkpoints", 0, note, every=every, at_most=logged)
    bounds: Sequence[BoundsChanged] = began.bounds if began else ()
    return Training(session, job, trial, keeper, Continuation(points, logged, bounds)).run()


def new_bench(job: Train, folder: Path, build: Callable[[], nn.Module] = tiny_model) -> Bench:
    folder.mkdir(parents=True, exist_ok=True)
    return bench_in(job, folder, task=make_task(build=build))


SCHEDULES = {
    "policy": JOB,
    "adam": Train(
        base_lr=1e-3,
        max_lr=1e-2,
        epochs=4,
        step_size_epochs=1,
        optimizer=OptimizerConfig(name="adam"),
    ),
    "plateau": Train(base_lr=0.01, max_lr=0.1, epochs=4, scheduler="ReduceLROnPlateau(patience=0)"),
    "one_cycle": Train(base_lr=0.01, max_lr=0.1, epochs=4, scheduler="OneCycleLR"),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_from_wherever_it_was_killed(name: str, tmp_path: Path) -> None:
    memory = name == "adam"  # as in comparisons
    job, whole = SCHEDULES[name], new_bench(SCHEDULES[name], tmp_path / "whole", Odd)
    whole.script.at_step = {9: [ORDER]} if name == "policy" else {}
    crashes = Crashes(whole.session.emit, whole.folder, tmp_path / "images", every=13)
    assert run(whole, emit=crashes, memory=memory).outcome == "done"
    assert not list((whole.folder / "checkpoints").glob("*resume*"))
    expected = curves(history_of(whole.session.config, crashes.events))
    begun = []
    assert len(crashes.at) > 2
    for number, count in enumerate(crashes.at):
        # Some logs lack their last event, as after a full disk.
        before = crashes.events[: count - number % 2]
        again = new_bench(job, tmp_path / "images" / str(count), Odd)
        past = history_of(again.session.config, before)
        if name == "policy" and len(past.trials[0].bounds) == 1:
            if len(past.trials[0]) > 9:
                continue  # the order was lost with the worker
            again.script.at_step = {9: [ORDER]}
        assert run(again, past=past, memory=memory).outcome == "done"
        (resumed,) = again.script.of(Resumed)
        begun.append(resumed.step)
        assert (resumed.step == 0) == bool(again.script.of(TrialStarted))
        log = resumed_events(before, again.script.events)
        assert curves(history_of(again.session.config, log)) == expected
        assert weights(again.folder) == weights(whole.folder)
    assert any(step % PER_EPOCH for step in begun)  # within epochs, too
    assert max(begun) > PER_EPOCH


def test_from_a_stop_by_command(tmp_path: Path) -> None:
    whole, bench = new_bench(JOB, tmp_path / "a"), new_bench(JOB, tmp_path / "b")
    run(whole, every=1e9)
    bench.script.at_step = {16: [Stop(reason="enough")]}
    assert run(bench, every=1e9).outcome == "stopped"
    again = new_bench(JOB, tmp_path / "b")
    past = history_of(bench.session.config, bench.script.events)
    assert run(again, past=past, every=1e9).outcome == "done"
    assert [e.step for e in again.script.of(Resumed)] == [17]
    log = resumed_events(bench.script.events, again.script.events)
    expected = curves(history_of(whole.session.config, whole.script.events))
    assert curves(history_of(again.session.config, log)) == expected
    assert weights(again.folder) == weights(whole.folder)


def test_other_data_and_another_model_are_refused(tmp_path: Path) -> None:
    bench = new_bench(JOB, tmp_path)
    bench.script.at_step = {16: [Stop()]}
    run(bench)
    past = history_of(bench.session.config, bench.script.events)
    other = bench_in(JOB, tmp_path, task=make_task(train=71))
    with pytest.raises(UserError, match="the data is not what it was when the run began"):
        run(other, past=past)
    with pytest.raises(UserError, match="the model or the optimizer is another one now") as caught:
        run(new_bench(JOB, tmp_path, Odd), past=past)
    assert "\n" not in caught.value.message
