"""Speed rests on it: no step waits for the device, and what there is to tell is fetched at once.

There need be no accelerator for this. Runs on the CPU take the way of one, and every read is
written down; and steps are made on fake CUDA tensors, of which torch knows all but the values, so
that whatever asks for a value is seen.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from frozen_bench import frozen_task
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from training_bench import Bench, make_task

from clr_tui.engine.log.events import EpochFinished, Evaluated, Event, Steps
from clr_tui.engine.metrics import ACCURACY
from clr_tui.engine.settings.config import OptimizerConfig, RangeTest, Train
from clr_tui.engine.settings.optimizer_names import OPTIMIZERS
from clr_tui.engine.tasks.augment import RandomAffine
from clr_tui.engine.tasks.cnn import build_cnn
from clr_tui.engine.tasks.image_task import ImageTask
from clr_tui.engine.tasks.measure import Counted, correct
from clr_tui.engine.tasks.parts import Rows
from clr_tui.engine.training.batches import make_batches
from clr_tui.engine.training.compiling import compiled
from clr_tui.engine.training.evaluate import evaluate
from clr_tui.engine.training.keepers import MemoryKeeper
from clr_tui.engine.training.optimizers.recipes import make_optimizer
from clr_tui.engine.training.range_test import run_range_test
from clr_tui.engine.training.recorder import FLUSH_SECONDS, Recorder
from clr_tui.engine.training.schedules import PolicyRate, make_scheduler
from clr_tui.engine.training.session import Session, Trial
from clr_tui.engine.training.stopwatch import Stopwatch
from clr_tui.engine.training.trainee import Trainee, make_trainee
from clr_tui.engine.training.training import Training

Make = Callable[..., Bench]
aten = torch.ops.aten
STEPS_A_FLUSH = 4
FETCH = "fetch"
WAITS = {"adafactor", "lbfgs"}
"""torch's adafactor reads the norm of every parameter at every step, its lbfgs the loss."""


class Reads(TorchDispatchMode):
    """Tells of each operation for whose result the program must wait, on CUDA."""

    def __init__(self, tell: Callable[[str], object], device: str) -> None:
        super().__init__()
        self._tell = tell
        self._device = device
        """Where reading means waiting."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = str(func)
        if name.startswith("aten._fused_"):
            return None  # in place; of those of SGD nothing is known without a device
        if func is aten._local_scalar_dense.default:
            if args[0].device.type == self._device:
                self._tell(name)
            return func(*args, **kwargs) if self._device == "cpu" else 0.5
        if self._asks_for_values(func, args):
            self._tell(name)
        result = func(*args, **kwargs)
        if func in (aten._to_copy.default, aten.copy_.default):
            self._look_at_copy(name, args, kwargs, result)
        return result

    def _asks_for_values(self, func: Any, args: tuple[Any, ...]) -> bool:
        if not any(leaf.device.type == self._device for leaf in _tensors(args)):
            return False
        if func in (aten.index.Tensor, aten.index_put_.default):
            masked = any(t.dtype is torch.bool for t in _tensors(args[1]))
            # A number that is to be put where a mask says so is a fill.
            filled = len(args) > 2 and args[2].dim() == 0 and args[2].device.type == "cpu"
            return masked and not filled
        return torch.Tag.data_dependent_output in func.tags or (
            torch.Tag.dynamic_output_shape in func.tags
        )

    def _look_at_copy(self, name: str, args: Any, kwargs: Any, result: Tensor) -> None:
        source = args[1] if name.startswith("aten.copy_") else args[0]
        if source.device.type == result.device.type:
            return
        waits_not = kwargs.get("non_blocking", args[2:3] == (True,))
        if result.device.type == "cpu" or not waits_not:
            self._tell(f"{name} from {source.device.type} to {result.device.type}")


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


# Whole runs, on the CPU, the way of an accelerator.


@contextmanager
def journal(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str | Event]]:
    """Writes down, in their order, each step, read and event. Each step takes 1/4 of a flush."""
    entries: list[str | Event] = []
    emit, step = bench.script.emit, Trainee.step

    def stepping(trainee: Trainee) -> tuple[Tensor, Tensor]:
        entries.append("step")
        bench.clock.now += FLUSH_SECONDS / STEPS_A_FLUSH
        return step(trainee)

    def telling(event: Event) -> None:
        entries.append(event)
        emit(event)

    def noting(name: str, read: Callable[..., Any]) -> Callable[..., Any]:
        def noted(tensor: Tensor, *args: Any, **kwargs: Any) -> Any:
            entries.append(name)
            return read(tensor, *args, **kwargs)

        return noted

    monkeypatch.setattr(Trainee, "step", stepping)
    monkeypatch.setattr(Session, "is_synchronous", False)
    monkeypatch.setattr(Tensor, "tolist", noting(FETCH, Tensor.tolist))
    for name in ("numpy", "__array__"):  # these pass by the dispatcher
        monkeypatch.setattr(Tensor, name, noting(name, getattr(Tensor, name)))
    bench.session = dataclasses.replace(bench.session, emit=telling)
    with Reads(entries.append, "cpu"):
        yield entries


def from_first_to_last_step(entries: list[str | Event]) -> list[str | Event]:
    first = entries.index("step")
    return entries[first : len(entries) - entries[::-1].index("step")]


def between_steps(entries: list[str | Event]) -> list[list[str | Event]]:
    """What happened after each step, before the next."""
    found: list[list[str | Event]] = []
    for entry in entries:
        if entry == "step":
            found.append([])
        else:
            found[-1].append(entry)
    return found


def test_a_sweep_reads_once_a_flush_and_never_else(
    make_bench: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make_bench(RangeTest(steps=40, divergence=1e9), tick=0.0)
    with journal(bench, monkeypatch) as entries:
        run_range_test(bench.session, bench.session.config.job)
    told = [e for e in entries if isinstance(e, Steps)]
    assert [len(e.step) for e in told] == [STEPS_A_FLUSH] * (40 // STEPS_A_FLUSH)
    reads = [e for e in entries if isinstance(e, str) and e != "step"]
    assert reads == [FETCH] * len(told)
    for i, after in enumerate(between_steps(from_first_to_last_step(entries)), start=1):
        if i % STEPS_A_FLUSH == 0 and i < 40:
            assert after[0] == FETCH
            assert [type(e) for e in after[1:]] == [Steps]
        else:
            assert after == []


def test_measurements_of_a_sweep_come_with_its_flushes(
    make_bench: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make_bench(RangeTest(steps=40, divergence=1e9, accuracy=True), tick=0.0)
    with journal(bench, monkeypatch) as entries:
        run_range_test(bench.session, bench.session.config.job)
    told = [e for e in entries if isinstance(e, Steps)]
    measured = [e for e in entries if isinstance(e, Evaluated)]
    assert len(measured) == 40
    # Those of the steps, and those of the measurements since the last flush.
    flushes = len(told) + 1
    reads = [e for e in entries if isinstance(e, str) and e != "step"]
    assert set(reads) == {FETCH}
    assert len(told) < len(reads) <= 2 * flushes


@pytest.mark.parametrize("augmented", [True, False])
def test_frozen_weights_are_not_read_in_a_sweep(
    augmented: bool, make_bench: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether their features are still good, their digest tells, which must be known by then."""
    config = RangeTest(steps=40, divergence=1e9, accuracy=True)
    bench = make_bench(config, tick=0.0, task=frozen_task(augmented=augmented))
    with journal(bench, monkeypatch) as entries:
        run_range_test(bench.session, config)
    assert "numpy" in entries
    reads = [e for e in from_first_to_last_step(entries) if isinstance(e, str) and e != "step"]
    assert set(reads) == {FETCH}


def test_a_training_reads_once_a_flush_and_at_the_ends_of_epochs(
    make_bench: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Train(base_lr=1e-3, max_lr=1e-2, epochs=4, whole_cycles=False)
    bench = make_bench(config, tick=0.0, task=make_task(train=105))
    with journal(bench, monkeypatch) as entries:
        Training(bench.session, config, Trial(0, 0, "one"), MemoryKeeper()).run()
    per_epoch = 10
    told = [e for e in entries if isinstance(e, Steps)]
    assert [len(e.step) for e in told] == [4, 4, 2] * 4
    for i, after in enumerate(between_steps(from_first_to_last_step(entries)), start=1):
        reads = [e for e in after if isinstance(e, str)]
        events = [type(e) for e in after if isinstance(e, Event)]
        if i % per_epoch == 0 and i < 40:
            # The flush, then loss and accuracy on the validation part.
            assert reads == [FETCH, *[str(aten._local_scalar_dense.default)] * 2]
            assert events == [Steps, Evaluated, EpochFinished]
        elif i % per_epoch in (4, 8):
            assert (reads, events) == ([FETCH], [Steps])
        elif i < 40:
            assert after == []


def test_a_read_in_a_step_is_seen(make_bench: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the tests above would show nothing."""
    bench = make_bench(RangeTest(steps=8, divergence=1e9), tick=0.0)

    def measuring(change: Callable[[Tensor, Tensor], Tensor]) -> None:
        def measured(self: ImageTask, logits: Tensor, labels: Tensor) -> tuple[Counted, ...]:
            total, of = correct(logits, labels)
            return (Counted(change(total, labels), of),)

        monkeypatch.setattr(ImageTask, "measured", measured)

    measuring(lambda total, labels: total * 1 + 0 * labels.max())
    with journal(bench, monkeypatch) as entries:
        run_range_test(bench.session, bench.session.config.job)
    assert {e for e in entries if isinstance(e, str)} == {"step", FETCH}
    measuring(lambda total, labels: torch.tensor(total.item()))
    with journal(bench, monkeypatch) as entries:
        run_range_test(bench.session, bench.session.config.job)
    assert entries.count(str(aten._local_scalar_dense.default)) == 8


def test_rates_in_effect_are_fetched_together() -> None:
    events: list[Event] = []
    taken = recorder(events.append)
    for step in range(8):  # some optimizers have a number first, then a tensor
        rate = torch.tensor([0.5**step]) if step else 1.0
        taken.add(step, 0.1, torch.tensor(1.0), [Counted(torch.tensor(3.0), 4)], rate)
    found: list[str] = []
    with Reads(found.append, "cpu"):
        taken.flush()
    assert found == []
    (steps,) = (event for event in events if isinstance(event, Steps))
    assert steps.effective_lr == [0.5**step for step in range(8)]


# Steps on fake CUDA tensors.

fakes_cuda = pytest.mark.skipif(
    torch.__version__ < (2, 10) and not torch.cuda.is_available(),
    reason="before torch 2.10, fake CUDA tensors need a driver",
)


def on_cuda(task: ImageTask) -> ImageTask:
    def moved(part: Rows) -> Rows:
        return Rows(inputs=part.inputs.to("cuda"), targets=part.targets.to("cuda"))

    return dataclasses.replace(
        task,
        train=moved(task.train),
        validation=moved(task.validation),
        mean=task.mean.to("cuda"),
        std=task.std.to("cuda"),
        augment=RandomAffine(),
    )


def fake_trainee(optimizer: OptimizerConfig) -> Trainee:
    """A trainee as on CUDA; to be made, and to be used, where tensors are fake."""
    task = on_cuda(make_task())
    with torch.device("cuda"):
        model = build_cnn(task.channels, task.image_size, len(task.classes))
    made = make_optimizer(optimizer, model)
    return Trainee(task, model, made, make_batches(task, 10, 0))


def no_backward(model: nn.Module) -> Callable[..., None]:
    """In place of `Tensor.backward`, whose engine wants a device: gradients without values."""

    def backward(loss: Tensor, **_: object) -> None:
        for p in model.parameters():
            p.grad = torch.empty_like(p)

    return backward


def recorder(emit: Callable[[Event], object] = lambda event: None) -> Recorder:
    """One that never flushes by itself."""
    return Recorder(
        emit,
        trial=0,
        total_steps=100,
        batch_size=10,
        stopwatch=Stopwatch(lambda: 0.0),
        eager=False,
        watch=lambda step, lr, loss: None,
        metrics=[ACCURACY],
        means=True,
    )


def few_steps(trainee: Trainee, steps: int, taken: Recorder) -> None:
    """As a training and a sweep make them."""
    rate = PolicyRate("triangular", base_lr=1e-3, max_lr=1e-2, step_size=4.0, total_steps=100)
    scheduler = make_scheduler(trainee.optimizer, rate)
    for step in range(steps):
        lr = float(trainee.optimizer.param_groups[0]["lr"])
        taken.add(step, lr, *trainee.step())
        scheduler.step()


@fakes_cuda
@pytest.mark.parametrize("name", sorted(OPTIMIZERS.keys() - {"lbfgs", "muon"}))
def test_no_step_on_cuda_waits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[str] = []
    # torch's default on CUDA, but not for fake tensors. Those of one kernel have no such choice.
    options = {} if name in ("sgd", "adam", "adamw", "adafactor") else {"foreach": True}
    optimizer = OptimizerConfig(name=name, momentum=0.9, options=options)
    with FakeTensorMode(allow_non_fake_inputs=True), Reads(found.append, "cuda"):
        trainee = fake_trainee(optimizer)
        monkeypatch.setattr(Tensor, "backward", no_backward(trainee.model))
        trainee.model.train()
        few_steps(trainee, 1, recorder())  # makes what the optimizer remembers
        found.clear()
        few_steps(trainee, 9, recorder())  # on into the next epoch
        assert bool(found) == (name in WAITS), found


@fakes_cuda
def test_no_evaluation_on_cuda_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[str] = []
    with FakeTensorMode(allow_non_fake_inputs=True), Reads(found.append, "cuda"):
        trainee = fake_trainee(OptimizerConfig())
        found.clear()
        loss, metrics = evaluate(trainee, trainee.task.validation)
        assert found == []
        recorder().add_evaluation(1, 0.1, loss, metrics)
        assert found == []
        float(loss)
        assert len(found) == 1


# The same, where there is a device.

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device is here")


@contextmanager
def waiting_forbidden() -> Iterator[None]:
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def real_trainee(name: str, *, compile: bool = False) -> Trainee:
    task = on_cuda(make_task(build=lambda: build_cnn(2, 8, 3)))
    optimizer = OptimizerConfig(name=name, momentum=0.9)
    made = make_trainee(task, optimizer, batch_size=10, seed=0, precision="bfloat16")
    if compile:
        made = compiled(made, lambda event: None)
        assert made.forward is not None
    made.model.train()
    return made


@needs_cuda
@pytest.mark.parametrize(
    ("name", "compile"),
    [*itertools.product(sorted(set(OPTIMIZERS) - WAITS), [False]), ("sgd", True)],
)
def test_no_step_waits_says_cuda_itself(name: str, compile: bool) -> None:
    trainee, taken = real_trainee(name, compile=compile), recorder()
    few_steps(trainee, 3, taken)
    evaluate(trainee, trainee.task.validation)
    with waiting_forbidden():
        few_steps(trainee, 20, taken)
        loss, metrics = evaluate(trainee, trainee.task.validation)
        taken.add_evaluation(20, 0.1, loss, metrics)
        with pytest.raises(RuntimeError, match="synchronizing"):
            taken.flush()
