"""Compiled code trains as the model itself would, or the model itself does."""

from __future__ import annotations

import dataclasses
import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from frozen_bench import FrozenTiny, frozen_task
from torch import Tensor, nn
from training_bench import Bench, Script, make_task, part

from clr_tui.engine.log.events import (
    EpochFinished,
    Evaluated,
    Event,
    Note,
    Progress,
    Steps,
    TrialStarted,
)
from clr_tui.engine.settings.config import (
    OptimizerConfig,
    RangeTest,
    RunConfig,
    TaskConfig,
    Train,
)
from clr_tui.engine.tasks.image_task import ImageTask
from clr_tui.engine.training import job
from clr_tui.engine.training.compiling import (
    COMPILING,
    compiled,
    options_on,
    without_compile_off_cuda,
)
from clr_tui.engine.training.control import Control, StopFlag
from clr_tui.engine.training.evaluate import evaluate
from clr_tui.engine.training.job import without_repeated_notes
from clr_tui.engine.training.range_test import run_range_test
from clr_tui.engine.training.trainee import Trainee, make_trainee
from clr_tui.engine.training.training import run_training

Make = Callable[..., Bench]
Function = Callable[[Any], Tensor]
CPU = torch.device("cpu")
SWEEP = RangeTest(steps=30, divergence=1e9)
EPS = 2.0**-24
"""Half the distance from 1 to the next float32: the error of one rounding."""

needs_compiler = pytest.mark.skipif(
    not any(map(shutil.which, ("g++", "clang++", "c++"))), reason="no C++ compiler is here"
)


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    yield
    torch.compiler.reset()


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is given to `torch.compile`, which makes nothing of it: quick."""
    seen: list[Any] = []

    def compile(function: Function, **options: Any) -> Function:
        seen.append(function)
        return lambda batch: function(batch)

    monkeypatch.setattr(torch, "compile", compile)
    return seen


def fresh(task: ImageTask | None = None, seed: int = 3) -> Trainee:
    trainee = make_trainee(
        task or make_task(), OptimizerConfig(), batch_size=10, seed=seed, precision="float32"
    )
    trainee.model.train()
    return trainee


def losses(trainee: Trainee, steps: int, lr: float = 0.02) -> list[float]:
    torch.manual_seed(5)
    found = []
    for _ in range(steps):
        for group in trainee.optimizer.param_groups:
            group["lr"] = lr
        found.append(trainee.step()[0].item())
    return found


def everything(trainee: Trainee) -> dict[str, Any]:
    """All that a step could touch, as bytes and plain values."""

    def raw(value: Any) -> Any:
        return value.numpy(force=True).tobytes() if isinstance(value, Tensor) else value

    return {
        "model": {name: raw(value) for name, value in trainee.model.state_dict().items()},
        "gradients": [raw(p.grad) for p in trainee.model.parameters()],
        "modes": [m.training for m in trainee.model.modules()],
        "optimizer": str(trainee.optimizer.state_dict()),
        "batches": {name: raw(value) for name, value in trainee.batches.state_dict().items()},
        "random": raw(torch.get_rng_state()),
    }


def asked(bench: Bench) -> Bench:
    """The bench's run, but with `--compile`."""
    config = bench.session.config
    config = msgspec.structs.replace(
        config, task=msgspec.structs.replace(config.task, compile=True)
    )
    bench.session = dataclasses.replace(bench.session, config=config)
    return bench


# As good as the model itself.


class Smooth(nn.Module):
    """No kinks, so that rounding moves what it computes in proportion."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(2, 4, 3, padding=1),
            nn.BatchNorm2d(4),
            nn.Tanh(),
            nn.Flatten(),
            nn.Dropout(0.25),
            nn.Linear(256, 3),
        )

    def forward(self, batch: Tensor) -> Tensor:
        return self.net(batch.to(self.net[0].weight.dtype))


@pytest.mark.slow
@needs_compiler
def test_compiled_code_is_as_near_to_the_truth_as_the_model() -> None:
    """The truth: the same run in float64, dropout and all. The tolerance: what the model itself
    misses it by at most until then, times 8, since compiled code adds in another order; and the
    rounding of the loss itself where the model happens to hit it.
    """
    task = make_task(build=Smooth)
    exact = fresh(task)
    exact.model.double()
    truth = losses(exact, 60)
    by_model = losses(fresh(task), 60)
    code = compiled(fresh(task), lambda event: None)
    assert code.forward is not None
    by_code = losses(code, 60)
    misses = [abs(a - b) for a, b in zip(by_model, truth, strict=True)]
    for i, widest in enumerate(itertools.accumulate(misses, max)):
        assert abs(by_code[i] - truth[i]) <= 8 * (widest + EPS * abs(truth[i]))
    assert max(misses) < 1e-3  # else the test would let anything pass
    assert abs(truth[-1] - truth[0]) > 0.1


@pytest.mark.slow
@needs_compiler
def test_a_compiled_run_ends_as_the_plain_one(make_bench: Make) -> None:
    """From the first event to checkpoints that a run without compiler could go on from."""
    config = Train(base_lr=1e-3, max_lr=1e-2, epochs=2, whole_cycles=False)
    plain, bench = make_bench(config), asked(make_bench(config))
    run_training(plain.session, config)
    expected = torch.load(plain.folder / "checkpoints" / "last.pt", weights_only=True)
    run_training(bench.session, config)
    assert bench.script.of(Note) == plain.script.of(Note)
    assert [type(e) for e in bench.script.events if not isinstance(e, Progress)] == [
        type(e) for e in plain.script.events
    ]
    # 14 small steps: nothing has grown beyond the rounding of sums of at most 640 terms.
    near = pytest.approx(plain.script.column("loss"), rel=640 * EPS)
    assert bench.script.column("loss") == near
    state = torch.load(bench.folder / "checkpoints" / "last.pt", weights_only=True)
    assert list(state["model"]) == list(expected["model"])
    for name in ("order", "shuffling", "augmenting"):
        assert torch.equal(state["batches"][name], expected["batches"][name])
    assert torch.equal(state["random"]["torch"], expected["random"]["torch"])
    for kind in (Evaluated, EpochFinished):
        assert len(bench.script.of(kind)) == len(plain.script.of(kind))


@pytest.mark.slow
@needs_compiler
def test_nothing_remains_of_compiling() -> None:
    trainee = fresh()
    torch.manual_seed(11)
    before = everything(trainee)
    candidate = compiled(trainee, lambda event: None)
    assert candidate.forward is not None
    assert everything(trainee) == before


@pytest.mark.slow
@needs_compiler
def test_evaluation_is_that_of_the_model() -> None:
    """To the last bit, in the middle of a compiled training; and it compiles nothing."""
    trainee, plain = compiled(fresh(), lambda event: None), fresh()
    assert trainee.forward is not None
    losses(trainee, 5)
    plain.model.load_state_dict(trainee.model.state_dict())
    odd = part(17, 4)
    expected = evaluate(plain, odd)
    with torch.compiler.set_stance("fail_on_recompile"):
        assert evaluate(trainee, odd) == expected
        losses(trainee, 3)


# What there is to compile.


def test_only_the_trained_part_where_features_are_kept(given: list[Any]) -> None:
    trainee = fresh(frozen_task(augmented=False))
    candidate = compiled(trainee, lambda event: None)
    assert given == [trainee.model.head]
    assert losses(candidate, 12) == losses(fresh(frozen_task(augmented=False)), 12)


def test_the_whole_model_where_images_are_augmented(given: list[Any]) -> None:
    trainee = fresh(frozen_task(augmented=True))
    candidate = compiled(trainee, lambda event: None)
    assert given == [trainee.model]
    assert isinstance(trainee.model, FrozenTiny)
    assert losses(candidate, 12) == losses(fresh(frozen_task(augmented=True)), 12)


def test_torch_knows_the_options() -> None:
    for device in (CPU, torch.device("cuda", 0)):
        torch.compile(tiny, options=options_on(device))  # else it raises
    assert options_on(torch.device("cuda", 0))["triton.cudagraphs"] is True
    assert "triton.cudagraphs" not in options_on(CPU)


def tiny(batch: Tensor) -> Tensor:
    return batch + 1


# Where it cannot be had.


def broken(model: nn.Module) -> Function:
    """Fails in the middle of a step, statistics moved and chance drawn."""

    def forward(batch: Tensor) -> Tensor:
        model(batch)
        raise RuntimeError("the compiler broke\nin many\nwords")

    return forward


@pytest.fixture
def breaking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", lambda function, **options: broken(function))


def test_after_a_failure_all_is_as_before(breaking: None) -> None:
    trainee, events = fresh(), []
    losses(trainee, 3)
    before = everything(trainee)
    assert compiled(trainee, events.append) is trainee
    assert everything(trainee) == before
    assert [e.text for e in events if isinstance(e, Note)] == [
        "the model is not compiled, and is trained as it is:"
        " RuntimeError: the compiler broke in many words"
    ]


def test_a_compiler_that_is_not_there_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a Python that is too new for it: making the code fails, not running it."""

    def missing(function: Function, **options: Any) -> Function:
        raise RuntimeError("torch.compile is not supported on Python 3.99+")

    monkeypatch.setattr(torch, "compile", missing)
    trainee, events = fresh(), []
    before = everything(trainee)
    assert compiled(trainee, events.append) is trainee
    assert everything(trainee) == before
    assert len([e for e in events if isinstance(e, Note)]) == 1


def test_a_run_without_compiler_is_the_plain_run(breaking: None, make_bench: Make) -> None:
    config = msgspec.structs.replace(SWEEP, seeds=2)
    plain, bench = make_bench(config), asked(make_bench(config))
    run_range_test(plain.session, config)
    run_range_test(bench.session, config)
    assert bench.script.column("loss") == plain.script.column("loss")
    told: list[Event] = []
    say = without_repeated_notes(told.append)
    for event in bench.script.events:  # as a job passes them on
        say(event)
    assert len([e for e in told if isinstance(e, Note)]) == 1
    assert [e for e in told if not isinstance(e, Note)] == [
        e for e in bench.script.events if not isinstance(e, Note)
    ]


def test_no_cpp_compiler(tmp_path: Path) -> None:
    import torch._inductor.config as settings
    from torch._inductor.utils import fresh_inductor_cache

    events: list[Event] = []
    with fresh_inductor_cache(dir=str(tmp_path)), settings.patch({"cpp.cxx": ("no-such-cxx",)}):
        trainee = compiled(fresh(), events.append)
    assert trainee.forward is None
    assert [e.text for e in events if isinstance(e, Note)] == [
        "the model is not compiled, and is trained as it is: no working C++ compiler was found"
    ]
    assert losses(trainee, 8) == losses(fresh(), 8)


def without_triton() -> Exception:
    """What torch raises: an error of its own kind since 2.7."""
    from torch._inductor import exc

    if hasattr(exc, "TritonMissing"):
        return RuntimeError(f"TritonMissing: {exc.TritonMissing(None)}")
    return RuntimeError("Cannot find a working triton installation. Either the package is not")


def test_no_triton(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(function: Function, **options: Any) -> Function:
        def forward(batch: Tensor) -> Tensor:
            raise without_triton()

        return forward

    monkeypatch.setattr(torch, "compile", missing)
    events: list[Event] = []
    compiled(fresh(), events.append)
    assert [e.text.partition(": ")[2] for e in events if isinstance(e, Note)] == [
        "triton is not installed"
    ]


def test_off_cuda_compiling_is_skipped_with_a_note() -> None:
    config = RunConfig(
        id="a-1", created=0.0, version="0", task=TaskConfig(compile=True), job=RangeTest()
    )
    events: list[Event] = []
    assert without_compile_off_cuda(config, torch.device("cuda", 0), events.append) is config
    assert events == []
    assert not without_compile_off_cuda(config, CPU, events.append).task.compile
    assert [e.text for e in events] == [
        "the model is not compiled: compile needs CUDA, but this run uses cpu"
    ]
    plain = msgspec.structs.replace(config, task=TaskConfig())
    assert without_compile_off_cuda(plain, CPU, events.append) is plain
    assert len(events) == 1


def test_a_job_on_the_cpu_compiles_nothing(
    given: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(job, "use_all_cores", lambda: None)
    task = TaskConfig(compile=True, device="cpu")
    sweep = RangeTest(steps=3, seeds=2)
    config = RunConfig(id="a-1", created=0.0, version="0", task=task, job=sweep)
    script = Script()
    control = Control(script.poll, StopFlag(), script.emit)
    assert job.run_job(config, script.emit, control, tmp_path).outcome == "done"
    assert given == []
    assert len([e for e in script.of(Note) if "not compiled" in e.text]) == 1
    assert COMPILING not in [e.what for e in script.of(Progress)]


# The time that it takes.


@pytest.mark.parametrize("config", [SWEEP, Train(base_lr=1e-3, max_lr=1e-2, epochs=4)])
def test_compiling_is_reported_and_not_counted_in_the_pace(
    config: RangeTest | Train, make_bench: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = asked(make_bench(config, tick=0.01))
    ready = False

    def compile(function: Function, **options: Any) -> Function:
        def forward(batch: Any) -> Tensor:
            nonlocal ready
            bench.clock.now += 0.0 if ready else 100.0
            ready = True
            return function(batch)

        return forward

    monkeypatch.setattr(torch, "compile", compile)
    if isinstance(config, RangeTest):
        run_range_test(bench.session, config)
    else:
        run_training(bench.session, config)
    assert ready
    first = [e for e in bench.script.events if isinstance(e, Progress | TrialStarted)]
    assert [(e.what, e.done, e.total) for e in first[:2]] == [(COMPILING, 0, 1), (COMPILING, 1, 1)]
    assert isinstance(first[2], TrialStarted)
    told = bench.script.of(Steps)
    assert max(e.elapsed for e in told) < 50
    assert max(e.eta_seconds for e in told) < 50
    assert min(e.samples_per_second for e in told) > 10


needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device is here")


@needs_cuda
def test_cuda_graphs_train_as_the_model() -> None:
    """Losses that are held beyond their step too: they must not be written over."""

    def moved(task: ImageTask) -> ImageTask:
        def to(images: Any) -> Any:
            return dataclasses.replace(
                images, inputs=images.inputs.cuda(), targets=images.targets.cuda()
            )

        return dataclasses.replace(
            task,
            train=to(task.train),
            validation=to(task.validation),
            test=to(task.test),
            mean=task.mean.cuda(),
            std=task.std.cuda(),
        )

    task = moved(make_task(build=lambda: nn.Sequential(nn.Flatten(), nn.Linear(128, 3))))
    results = []
    for make in (lambda t: t, lambda t: compiled(t, lambda event: None)):
        trainee = make(fresh(task))
        held = []
        for group in trainee.optimizer.param_groups:
            group["lr"] = 0.01
        for i in range(30):
            held.append(trainee.step()[0])
            if i % 7 == 0:
                evaluate(trainee, task.validation)
        results.append(torch.stack(held).tolist())
    assert trainee.forward is not None
    assert results[1] == pytest.approx(results[0], rel=1e-3)
