"""CLR training: its steps, its schedule, its orders, its checkpoints, its ends."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import CyclicLR
from training_bench import Bench, Script, make_task, tiny_model

from clr_tui.engine import words
from clr_tui.engine.errors import UserError
from clr_tui.engine.log.commands import Continue, Pause, SaveCheckpoint, SetBounds, Stop
from clr_tui.engine.log.events import (
    BoundsChanged,
    CheckpointSaved,
    CommandRefused,
    Continued,
    Diverged,
    EpochFinished,
    Evaluated,
    Event,
    NonFinite,
    Note,
    Paused,
    Steps,
    TrialFinished,
    TrialStarted,
)
from clr_tui.engine.policies import lr_at
from clr_tui.engine.settings.config import OptimizerConfig, Train
from clr_tui.engine.tasks.parts import Rows
from clr_tui.engine.training import checkpoint
from clr_tui.engine.training.batches import make_batches
from clr_tui.engine.training.keepers import MemoryKeeper
from clr_tui.engine.training.randomness import stream
from clr_tui.engine.training.session import Result, Trial
from clr_tui.engine.training.trainee import Trainee
from clr_tui.engine.training.training import Training, run_training

Make = Callable[..., Bench]
PER_EPOCH = 7  # 70 images in batches of 10
JOB = Train(base_lr=0.01, max_lr=0.05, step_size_epochs=1, epochs=4)


def run(bench: Bench) -> Result:
    return run_training(bench.session, bench.session.config.job)


def naive_measure(model: nn.Module, part: Rows) -> tuple[float, float]:
    """All of the part at once, by torch alone."""
    task = make_task()
    x = part.inputs.float() / 255
    x = (x - task.mean.view(1, -1, 1, 1)) / task.std.view(1, -1, 1, 1)
    model.eval()
    with torch.no_grad():
        logits = model(x)
    loss = nn.functional.cross_entropy(logits, part.targets).item()
    return loss, (logits.argmax(1) == part.targets).sum().item() / len(part)


def test_it_is_what_a_plain_loop_with_cyclic_lr_does(make_bench: Make) -> None:
    bench = make_bench(JOB)
    result = run(bench)

    task = make_task()
    model = task.make_model(stream(0, "weights"))
    sgd = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=1e-9, momentum=0.9)
    schedule = CyclicLR(sgd, base_lr=0.01, max_lr=0.05, step_size_up=7, cycle_momentum=False)
    batches = make_batches(task, 10, seed=0)
    torch.manual_seed(stream(0, "model"))
    losses, rates, validated = [], [], []
    for _ in range(4):
        model.train()
        for _ in range(PER_EPOCH):
            images, labels = batches.draw()
            sgd.zero_grad()
            loss = nn.functional.cross_entropy(model(images), labels)
            loss.backward()
            rates.append(sgd.param_groups[0]["lr"])
            losses.append(loss.item())
            sgd.step()
            schedule.step()
        validated.append(naive_measure(model, task.validation))

    assert bench.script.column("loss") == losses
    assert bench.script.column("lr") == pytest.approx(rates, rel=1e-12)
    assert bench.script.column("step") == list(range(28))
    measured = [e for e in bench.script.of(Evaluated) if e.part == "validation"]
    assert [e.epoch for e in measured] == [1, 2, 3, 4]
    assert [e.step for e in measured] == [7, 14, 21, 28]
    for event, (loss, accuracy) in zip(measured, validated, strict=True):
        assert event.loss == pytest.approx(loss, rel=1e-5)
        assert event.value("accuracy") == accuracy

    epochs = bench.script.of(EpochFinished)
    for number, event in enumerate(epochs):
        mean = sum(losses[number * 7 : number * 7 + 7]) / 7
        assert event.train_loss == pytest.approx(mean, rel=1e-6)
    best = max(range(4), key=lambda i: validated[i][1])
    assert (epochs[-1].best_epoch, epochs[-1].best_value) == (
        best + 1,
        validated[best][1],
    )
    assert result == Result("done", headline=f"{validated[best][1] * 100:.1f} %, epoch {best + 1}")


def test_events_are_emitted_in_order(make_bench: Make) -> None:
    bench = make_bench(JOB)
    run(bench)
    events = bench.script.events
    assert isinstance(events[0], TrialStarted)
    assert (events[0].total_steps, events[0].steps_per_epoch) == (28, 7)
    assert events[1] == BoundsChanged(trial=0, step=0, base_lr=0.01, max_lr=0.05)
    for i, event in enumerate(events):
        if isinstance(event, EpochFinished):
            before = events[i - 1]
            assert isinstance(before, Evaluated)
            assert (before.epoch, before.part) == (event.epoch, "validation")
    assert isinstance(events[-1], TrialFinished)
    assert (events[-1].outcome, events[-1].step) == ("done", 28)
    seconds = [e.elapsed for e in bench.script.of(Steps)]
    assert seconds == sorted(seconds)
    assert all(e.samples_per_second > 0 for e in bench.script.of(Steps))
    assert bench.script.of(Steps)[-1].eta_seconds == 0


def test_test_part_is_measured_for_last_and_best(make_bench: Make) -> None:
    bench = make_bench(Train(base_lr=0.05, max_lr=0.3, step_size_epochs=0.5, epochs=6))
    run(bench)
    tested = {e.checkpoint: e for e in bench.script.of(Evaluated) if e.part == "test"}
    assert list(tested) == ["last", "best"]
    best_epoch = bench.script.of(EpochFinished)[-1].best_epoch
    assert best_epoch < 6, "the test needs a best epoch that is not the last"
    for name, epoch in (("last", 6), ("best", best_epoch)):
        model = tiny_model()
        state = checkpoint.load(bench.folder / "checkpoints" / f"{name}.pt", torch.device("cpu"))
        model.load_state_dict(state["model"])
        loss, accuracy = naive_measure(model, make_task().test)
        assert tested[name].loss == pytest.approx(loss, rel=1e-5)
        assert tested[name].value("accuracy") == accuracy
        assert (tested[name].epoch, state["epoch"], state["step"]) == (epoch, epoch, epoch * 7)


def test_a_stop_while_the_best_is_tested_keeps_the_last(make_bench: Make) -> None:
    job = Train(base_lr=0.05, max_lr=0.3, step_size_epochs=0.5, epochs=6)
    whole, bench = make_bench(job), make_bench(job)
    run(whole)
    last = checkpoint.load(whole.folder / "checkpoints" / "last.pt", torch.device("cpu"))["model"]
    measured: list[Evaluated] = []

    def stop_after_the_last(event: Event) -> None:
        Script.emit(bench.script, event)
        measured.extend([event] if isinstance(event, Evaluated) else [])
        if measured and measured[-1].checkpoint == "last":
            bench.stop.set("stopped by SIGTERM")

    object.__setattr__(bench.session, "emit", stop_after_the_last)
    assert run(bench).outcome == "stopped"
    assert [e.reason for e in bench.script.of(CheckpointSaved)][-1] == "stopped"
    kept = checkpoint.load(bench.folder / "checkpoints" / "last.pt", torch.device("cpu"))["model"]
    assert all(torch.equal(kept[name], value) for name, value in last.items())


@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_best_checkpoint_that_is_lost_costs_only_its_test(
    make_bench: Make, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "SHARE", 1.0)  # all are written at once
    bench = make_bench(Train(base_lr=0.05, max_lr=0.3, step_size_epochs=0.5, epochs=6))
    best = bench.folder / "checkpoints" / "best.pt"

    def lose_it_after_the_last(event: Event) -> None:
        Script.emit(bench.script, event)
        if isinstance(event, Evaluated) and event.checkpoint == "last":
            best.write_bytes(best.read_bytes()[:-50])
            if damage == "gone":
                best.unlink()

    object.__setattr__(bench.session, "emit", lose_it_after_the_last)
    assert run(bench).outcome == "done"
    assert [e.checkpoint for e in bench.script.of(Evaluated) if e.part == "test"] == ["last"]
    (note,) = [e.text for e in bench.script.of(Note) if "best.pt" in e.text]
    reason = "is damaged" if damage == "cut" else "cannot be read: No such file or directory"
    assert note.startswith(f"the checkpoint {best} {reason}: the model of epoch ")
    assert note.endswith(", the best, is not tested")


def test_a_model_that_comes_in_evaluation_mode_is_trained_all_the_same(make_bench: Make) -> None:
    plain, odd = make_bench(JOB), make_bench(JOB, task=make_task(build=lambda: tiny_model().eval()))
    run(plain)
    run(odd)
    assert plain.script.column("loss") == odd.script.column("loss")


def test_length_is_rounded_to_whole_cycles(make_bench: Make) -> None:
    bench = make_bench(Train(base_lr=0.01, max_lr=0.05, step_size_epochs=1, epochs=3))
    run(bench)
    assert len(bench.script.of(EpochFinished)) == 4
    assert not bench.script.of(Note)


def test_cycles_of_an_odd_number_of_steps_end_with_the_training(make_bench: Make) -> None:
    """An epoch has 7 steps, half of it 3.5: rounded, the cycles would drift from the epochs."""
    bench = make_bench(Train(base_lr=0.01, max_lr=0.05, step_size_epochs=0.5, epochs=3))
    run(bench)
    assert not any("mid" in note.text for note in bench.script.of(Note))
    rates = bench.script.column("lr")
    assert rates[0] == rates[7] == rates[14] == 0.01
    assert rates[1:4] == pytest.approx(rates[6:3:-1])


def test_a_training_that_ends_in_mid_cycle_says_so(make_bench: Make) -> None:
    job = Train(base_lr=0.01, max_lr=0.05, step_size_epochs=1, epochs=3, whole_cycles=False)
    bench = make_bench(job)
    run(bench)
    assert len(bench.script.of(EpochFinished)) == 3
    (note,) = bench.script.of(Note)
    assert "in the middle of cycle 2 of 2" in note.text


def test_a_training_too_short_for_its_max_lr_says_so(make_bench: Make) -> None:
    bench = make_bench(Train(base_lr=0.01, max_lr=0.06, policy="one-cycle", epochs=1))
    run(bench)
    rates = bench.script.column("lr")
    assert max(rates) < 0.95 * 0.06
    (note,) = bench.script.of(Note)
    assert f"its highest rate is {words.lr_str(max(rates))}" in note.text


def test_bounds_change_while_it_runs(make_bench: Make) -> None:
    bench = make_bench(JOB)
    bench.script.at_step = {9: [SetBounds(base_lr=0.001, max_lr=0.02)]}
    run(bench)
    changed = bench.script.of(BoundsChanged)[1]
    assert (changed.base_lr, changed.max_lr) == (0.001, 0.02)
    rates = bench.script.column("lr")
    for step, rate in enumerate(rates):
        base, top = (0.01, 0.05) if step < changed.step else (0.001, 0.02)
        expected = lr_at("triangular", step, base_lr=base, max_lr=top, step_size=7, total_steps=28)
        assert math.isclose(rate, expected, rel_tol=1e-12)
    assert changed.step == 10


@pytest.mark.parametrize(
    ("base", "top", "words"),
    [
        (0.1, 0.01, "base_lr 0.1 is not below max_lr 0.01"),
        (0.0, 0.01, "base_lr must be a number above 0, not 0"),
        (math.nan, 0.01, "base_lr must be a number above 0, not nan"),
        (0.001, math.nan, "max_lr must be a number above 0, not nan"),
        (0.001, math.inf, "max_lr must be a number above 0, not inf"),
        (-1.0, 0.01, "base_lr must be a number above 0, not -1"),
        (0.01, 0.01, "not below"),
    ],
)
def test_impossible_bounds_are_refused(
    make_bench: Make, base: float, top: float, words: str
) -> None:
    bench = make_bench(JOB)
    bench.script.at_step = {3: [SetBounds(base_lr=base, max_lr=top)]}
    plain = make_bench(JOB)
    assert run(bench).outcome == "done"
    run(plain)
    (refused,) = bench.script.of(CommandRefused)
    assert refused.command == "set-bounds"
    assert words in refused.reason
    assert len(bench.script.of(BoundsChanged)) == 1
    assert bench.script.column("loss") == plain.script.column("loss")


def test_a_pause_changes_nothing_and_does_not_count(make_bench: Make) -> None:
    bench, plain = make_bench(JOB), make_bench(JOB)
    script = bench.script
    script.at_step = {5: [Pause()]}

    def continue_after_an_hour() -> None:
        bench.clock.now += 3600
        script.order(SetBounds(base_lr=0.01, max_lr=0.05), Continue())

    script.at_event = [(Paused, lambda: script.at_poll.append(continue_after_an_hour))]
    run(bench)
    run(plain)
    assert script.column("loss") == plain.script.column("loss")
    assert script.of(Steps)[-1].elapsed < 1000
    kinds = [type(e) for e in script.events]
    # What was ordered in the pause is carried out in it.
    assert kinds[kinds.index(Paused) + 1 : kinds.index(Continued)] == [BoundsChanged]


def test_stop_in_a_pause(make_bench: Make) -> None:
    bench = make_bench(JOB)
    bench.script.at_step = {5: [Pause()]}
    bench.script.at_event = [(Paused, lambda: bench.stop.set("stopped by SIGTERM"))]
    result = run(bench)
    assert (result.outcome, result.message) == ("stopped", "stopped by SIGTERM")
    assert [e.reason for e in bench.script.of(CheckpointSaved)] == ["stopped"]


def begin_anew(make_bench: Make) -> Training:
    return Training(make_bench(JOB).session, JOB, Trial(0, 0, "triangular"), MemoryKeeper())


def continuation(folder: Path, name: str, make_bench: Make) -> list[float]:
    """The losses of a new training that a checkpoint was put into."""
    torch.manual_seed(1234)
    fresh = begin_anew(make_bench)
    state = checkpoint.load(folder / "checkpoints" / name, torch.device("cpu"))
    checkpoint.restore(state, fresh.trainee, fresh.scheduler)
    losses = []
    fresh.trainee.model.train()
    for _ in range(state["step"], 28):
        losses.append(fresh.trainee.step()[0].item())
        fresh.scheduler.step()
    return losses


def test_a_checkpoint_goes_on_bit_for_bit(make_bench: Make) -> None:
    whole = make_bench(JOB)
    run(whole)
    expected = whole.script.column("loss")

    bench = make_bench(JOB)
    bench.script.at_step = {3: [SaveCheckpoint()], 16: [Stop(reason="enough")]}
    result = run(bench)
    assert (result.outcome, result.message) == ("stopped", "enough")
    saved = [(e.reason, e.path, e.step) for e in bench.script.of(CheckpointSaved)]
    (asked,) = [path for reason, path, _ in saved if reason == "asked"]
    assert saved[-1] == ("stopped", "checkpoints/last.pt", 17)
    assert [e.outcome for e in bench.script.of(TrialFinished)] == ["stopped"]

    assert continuation(bench.folder, "last.pt", make_bench) == expected[17:]
    # The model in mid-epoch, its place in the data, dropout and augmentation.
    assert continuation(bench.folder, Path(asked).name, make_bench) == expected[4:]


def test_a_checkpoint_remembers_moved_bounds(make_bench: Make) -> None:
    bench = make_bench(JOB)
    bench.script.at_step = {2: [SetBounds(base_lr=0.02, max_lr=0.04)], 9: [Stop()]}
    run(bench)
    fresh = begin_anew(make_bench)
    state = checkpoint.load(bench.folder / "checkpoints" / "last.pt", torch.device("cpu"))
    checkpoint.restore(state, fresh.trainee, fresh.scheduler)
    args = {"base_lr": 0.02, "max_lr": 0.04, "step_size": 7, "total_steps": 28}
    assert fresh.trainee.optimizer.param_groups[0]["lr"] == lr_at("triangular", 10, **args)
    fresh.trainee.step()
    fresh.scheduler.step()
    assert fresh.trainee.optimizer.param_groups[0]["lr"] == lr_at("triangular", 11, **args)


def test_a_stop_interrupts_validation(make_bench: Make) -> None:
    bench = make_bench(JOB)

    class StopsInEvaluation(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = tiny_model()

        def forward(self, x: Tensor) -> Tensor:
            if not self.training:
                bench.stop.set("stopped by SIGTERM")
            return self.inner(x)

    big = make_task(build=StopsInEvaluation)
    object.__setattr__(
        big, "validation", Rows(big.train.inputs.repeat(9, 1, 1, 1), big.train.targets.repeat(9))
    )
    object.__setattr__(bench.session, "task", big)
    assert run(bench).outcome == "stopped"
    assert not bench.script.of(Evaluated)
    assert [(e.reason, e.step) for e in bench.script.of(CheckpointSaved)] == [("stopped", 7)]


class Poisoned(nn.Module):
    """Puts out NaN from the given training call on."""

    def __init__(self, call: int) -> None:
        super().__init__()
        self.inner = tiny_model()
        self.left = call

    def forward(self, x: Tensor) -> Tensor:
        self.left -= self.training
        out: Tensor = self.inner(x)
        return out * math.nan if self.left < 0 else out


def test_a_loss_that_is_not_finite_ends_the_training(make_bench: Make) -> None:
    bench = make_bench(JOB, task=make_task(build=lambda: Poisoned(10)))
    result = run(bench)
    rate = lr_at("triangular", 10, base_lr=0.01, max_lr=0.05, step_size=7, total_steps=28)
    assert result.outcome == "failed"
    assert "step 10" in result.message
    assert f"learning rate {words.lr_str(rate)}" in result.message
    assert "lower max_lr" in result.message
    assert bench.script.column("loss")[-1] is None
    assert len(bench.script.column("loss")) == 11
    assert [(e.step, e.lr) for e in bench.script.of(NonFinite)] == [(10, rate)]
    assert [e.step for e in bench.script.of(Diverged)] == [10]
    assert [e.outcome for e in bench.script.of(TrialFinished)] == ["failed"]
    # The checkpoint of the sound epoch is still the last one.
    state = checkpoint.load(bench.folder / "checkpoints" / "last.pt", torch.device("cpu"))
    assert state["epoch"] == 1
    assert all(torch.isfinite(v).all() for v in state["model"].values())


def test_a_loss_that_was_never_finite_is_not_blamed_on_the_rate(make_bench: Make) -> None:
    result = run(make_bench(JOB, task=make_task(build=lambda: Poisoned(0))))
    assert result.outcome == "failed"
    assert "before any update" in result.message
    assert "max_lr" not in result.message


def test_a_run_can_be_repeated_bit_for_bit(make_bench: Make) -> None:
    first, second, other = make_bench(JOB), make_bench(JOB), make_bench(JOB, seed=1)
    run(first)
    torch.rand(100)
    run(second)
    run(other)
    assert first.script.column("loss") == second.script.column("loss")
    assert first.script.column("loss") != other.script.column("loss")


def test_an_unknown_optimizer_and_a_large_batch_are_named(make_bench: Make) -> None:
    job = Train(base_lr=0.1, max_lr=1.0, optimizer=OptimizerConfig(name="sdg"))
    with pytest.raises(UserError, match="'sdg'") as caught:
        run(make_bench(job))
    assert caught.value.field == "optimizer"
    with pytest.raises(UserError, match="which has 9 images") as caught:
        run(make_bench(JOB, task=make_task(train=9)))
    assert caught.value.field == "batch_size"


def test_steps_are_reported_four_times_a_second(make_bench: Make) -> None:
    """The clock is looked at once or twice a step; what matters is seconds, not steps."""
    bench = make_bench(JOB, tick=0.01)
    run(bench)
    chunks = bench.script.of(Steps)
    assert 4 <= len(chunks) < 14
    assert sum(len(c.step) for c in chunks) == 28


def test_a_training_goes_on_without_its_checkpoints(
    make_bench: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The best weights are those in memory then; at the end it waits for room, but not for ever."""
    (tmp_path / "sound").mkdir()
    sound, full = make_bench(JOB, folder=tmp_path / "sound"), make_bench(JOB)
    run(sound)

    def refuse(path: Path, state: object) -> None:
        raise UserError("the disk is full")

    monkeypatch.setattr(checkpoint, "save", refuse)
    monkeypatch.setattr("clr_tui.engine.waiting.END_SECONDS", 0.0)
    run(full)
    assert not (full.folder / "checkpoints" / "best.pt").exists()
    assert [e.outcome for e in full.script.of(TrialFinished)] == ["done"]
    first, *_ = full.script.of(Note)
    assert first.text == (
        "the disk is full; the training goes on, and it is written when it can be"
    )
    assert full.script.of(Evaluated) == sound.script.of(Evaluated)


@pytest.mark.parametrize("error", [UserError("the metric f1 is a list"), ValueError("odd")])
@pytest.mark.parametrize("disk", ["sound", "full"])
def test_any_error_in_a_step_keeps_the_steps_before_it(
    make_bench: Make, monkeypatch: pytest.MonkeyPatch, error: Exception, disk: str
) -> None:
    bench = make_bench(JOB)

    steps, original = itertools.count(), Trainee.step

    def full(path: Path, state: object) -> None:
        raise UserError("the disk is full")

    def step(trainee: Trainee) -> object:
        if next(steps) == 10:
            if disk == "full":
                monkeypatch.setattr(checkpoint, "save", full)
            raise error
        return original(trainee)

    monkeypatch.setattr(Trainee, "step", step)
    with pytest.raises(type(error)):
        run(bench)
    (finished,) = bench.script.of(TrialFinished)
    assert (finished.outcome, finished.step) == ("failed", 10)
    assert str(error) in finished.reason
    state = checkpoint.load(bench.folder / "checkpoints" / "last.pt", torch.device("cpu"))
    assert state["step"] == (10 if disk == "sound" else 7)
