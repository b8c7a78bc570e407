"""Optimizers of torch and other packages against their authors' own loops, step by step."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer
from training_bench import make_task

from clr_tui.engine.settings.config import OptimizerConfig
from clr_tui.engine.training.evaluate import evaluate
from clr_tui.engine.training.evaluated_weights import evaluated_weights
from clr_tui.engine.training.optimizers.rates import set_rate
from clr_tui.engine.training.trainee import Trainee, make_trainee

STEPS = 50
Loop = Callable[[nn.Module, "Batches", Optimizer], list[float]]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """More only wait for one another with a model this small."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Batches:
    """The batches of a trainee, for a loop that knows nothing of it."""

    def __init__(self, trainee: Trainee) -> None:
        self._batches = trainee.batches

    def __iter__(self) -> Any:
        for _ in range(STEPS):
            yield self._batches.draw()


def make(name: str, lr: float, **options: Any) -> Trainee:
    config = OptimizerConfig(name=name, momentum=0.0, options=options)
    return make_trainee(make_task(), config, lr=lr, batch_size=10, seed=0, precision="float32")


def ours(trainee: Trainee, lr: float) -> list[float]:
    torch.manual_seed(5)
    trainee.model.train()
    set_rate(trainee.optimizer, lr)
    return [float(trainee.step()[0]) for _ in range(STEPS)]


def free(model: nn.Module) -> list[nn.Parameter]:
    return [p for p in model.parameters() if p.requires_grad]


def loss_of(model: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    return nn.functional.cross_entropy(model(inputs), targets)


def once(model: nn.Module, batches: Batches, *optimizers: Optimizer) -> list[float]:
    """The loop of every tutorial."""
    torch.manual_seed(5)
    model.train()
    losses = []
    for inputs, targets in batches:
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss = loss_of(model, inputs, targets)
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        losses.append(loss.item())
    return losses


def test_schedule_free_is_its_own_loop() -> None:
    """README of facebookresearch/schedule_free: train() before training, eval() before measuring,
    with batch norm computed anew."""
    module = pytest.importorskip("schedulefree")
    mine = make("schedulefree:AdamWScheduleFree", 0.01)
    losses = ours(mine, 0.01)
    other = make("sgd", 0.01)
    theirs = module.AdamWScheduleFree(free(other.model), lr=0.01)
    theirs.train()
    expected = once(other.model, Batches(other), theirs)
    assert losses == pytest.approx(expected, abs=1e-6)
    trained = [p.clone() for p in mine.model.parameters()]
    theirs.eval()
    task, size = mine.task, mine.batches.batch_size
    norm = other.model[1]
    assert isinstance(norm, nn.BatchNorm2d)
    norm.reset_running_stats()
    norm.momentum = None
    other.model.eval()
    norm.train()
    order = torch.randperm(len(task.train), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for chosen in order.split(size)[: len(task.train) // size]:
            other.model(task.inputs(task.train, chosen))  # type: ignore[arg-type]
    norm.eval()
    inputs = task.inputs(task.validation, slice(None))  # type: ignore[arg-type]
    with torch.no_grad():
        expected_loss = loss_of(other.model, inputs, task.validation.targets).item()  # type: ignore[union-attr]
    before = evaluate(mine, task.validation)[0].item()
    with evaluated_weights(mine):
        assert evaluate(mine, task.validation)[0].item() == pytest.approx(expected_loss, abs=1e-6)
    assert before != pytest.approx(expected_loss, abs=1e-4)
    after = list(mine.model.parameters())
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(trained, after, strict=True))


@pytest.mark.parametrize(
    ("name", "lr", "options"),
    [
        ("prodigyopt:Prodigy", 1.0, {}),
        ("lion_pytorch:Lion", 1e-3, {"weight_decay": 0.1, "decoupled_weight_decay": True}),
        ("pytorch_optimizer:ADOPT", 1e-2, {}),
        ("pytorch_optimizer:SOAP", 1e-2, {}),
        ("pytorch_optimizer:AdaFactor", 1e-2, {}),
        ("pytorch_optimizer:AdaBound", 1e-2, {}),
        ("pytorch_optimizer:MARS", 1e-2, {}),
        ("pytorch_optimizer:ApolloDQN", 1e-2, {}),
        ("pytorch_optimizer:DAdaptSGD", 1.0, {}),
    ],
)
def test_what_is_stepped_once_is_its_own_loop(
    name: str, lr: float, options: dict[str, Any]
) -> None:
    module, _, class_name = name.partition(":")
    made = getattr(pytest.importorskip(module), class_name)
    mine, other = make(name, lr, **options), make("sgd", 0.01)
    expected = once(other.model, Batches(other), made(free(other.model), lr=lr, **options))
    assert ours(mine, lr) == pytest.approx(expected, abs=1e-6)


def test_torchs_muon_takes_matrices_and_adamw_the_rest() -> None:
    """As in torch's documentation, the kernels as matrices of a row for each output."""
    if not hasattr(torch.optim, "Muon"):
        pytest.skip("this torch has no Muon")
    mine, other = make("muon", 0.02, adamw_lr=1e-3), make("sgd", 0.01)
    other.model.to(memory_format=torch.contiguous_format)
    matrices = [p for p in free(other.model) if p.ndim >= 2]
    views = [nn.Parameter(p.detach().flatten(1)) for p in matrices]  # they share memory
    muon = torch.optim.Muon(views, lr=0.02)
    adamw = AdamW([p for p in free(other.model) if p.ndim < 2], lr=1e-3)
    torch.manual_seed(5)
    other.model.train()
    expected = []
    for inputs, targets in Batches(other):
        other.model.zero_grad()
        loss = loss_of(other.model, inputs, targets)
        loss.backward()
        for p, view in zip(matrices, views, strict=True):
            assert p.grad is not None
            view.grad = p.grad.flatten(1)
        muon.step()
        adamw.step()
        expected.append(loss.item())
    assert ours(mine, 0.02) == pytest.approx(expected, abs=1e-6)


def test_muon_keeps_kernels_that_lie_channels_last() -> None:
    if not hasattr(torch.optim, "Muon"):
        pytest.skip("this torch has no Muon")
    one, other = make("muon", 0.02), make("muon", 0.02)
    one.model.to(memory_format=torch.contiguous_format)
    other.model.to(memory_format=torch.channels_last)
    assert ours(other, 0.02) == pytest.approx(ours(one, 0.02), abs=1e-4)


@pytest.mark.parametrize("name", ["Muon", "MuonClip"])  # the latter's base class asks for flags
def test_a_muon_with_flagged_groups_is_its_own_loop(name: str) -> None:
    module = pytest.importorskip("pytorch_optimizer")
    mine, other = make(f"pytorch_optimizer:{name}", 0.02, adamw_lr=1e-3), make("sgd", 0.01)
    matrices = [p for p in free(other.model) if p.ndim >= 2]
    rest = [p for p in free(other.model) if p.ndim < 2]
    groups = [{"params": matrices, "use_muon": True}, {"params": rest, "use_muon": False}]
    made = getattr(module, name)(groups, lr=0.02, adamw_lr=1e-3)
    expected = once(other.model, Batches(other), made)
    assert ours(mine, 0.02) == pytest.approx(expected, abs=1e-6)


def test_sam_is_its_own_loop() -> None:
    """Its documentation: gradients, then a step with a closure that computes them again."""
    module = pytest.importorskip("pytorch_optimizer")
    options = {"rho": 0.1, "momentum": 0.9}
    mine = make("pytorch_optimizer:SAM", 0.05, base_optimizer="sgd", **options)
    other = make("sgd", 0.01)
    sam = module.SAM(free(other.model), SGD, lr=0.05, **options)
    torch.manual_seed(5)
    other.model.train()
    expected = []
    for inputs, targets in Batches(other):

        def closure(inputs: Tensor = inputs, targets: Tensor = targets) -> Tensor:
            sam.zero_grad()
            loss = loss_of(other.model, inputs, targets)
            loss.backward()
            return loss

        expected.append(closure().item())
        sam.step(closure)
    assert ours(mine, 0.05) == pytest.approx(expected, abs=1e-6)


def test_lbfgs_is_its_own_loop() -> None:
    mine, other = make("lbfgs", 0.5, max_iter=4), make("sgd", 0.01)
    other.model.to(memory_format=torch.contiguous_format)  # it views gradients as vectors
    lbfgs = torch.optim.LBFGS(free(other.model), lr=0.5, max_iter=4)
    torch.manual_seed(5)
    other.model.train()
    expected = []
    for inputs, targets in Batches(other):
        seen: list[float] = []

        def closure(
            inputs: Tensor = inputs, targets: Tensor = targets, seen: list[float] = seen
        ) -> Tensor:
            lbfgs.zero_grad()
            loss = loss_of(other.model, inputs, targets)
            loss.backward()
            seen.append(loss.item())
            return loss

        lbfgs.step(closure)  # type: ignore[arg-type]
        expected.append(seen[0])
    assert ours(mine, 0.5) == pytest.approx(expected, abs=1e-6)


def test_adahessian_is_its_own_loop() -> None:
    module = pytest.importorskip("pytorch_optimizer")
    mine, other = make("pytorch_optimizer:AdaHessian", 0.05), make("sgd", 0.01)
    optimizer = module.AdaHessian(free(other.model), lr=0.05)
    torch.manual_seed(5)
    other.model.train()
    expected = []
    for inputs, targets in Batches(other):
        optimizer.zero_grad()
        loss = loss_of(other.model, inputs, targets)
        loss.backward(create_graph=True)
        optimizer.step()
        expected.append(loss.item())
    assert ours(mine, 0.05) == pytest.approx(expected, abs=1e-6)


def test_lookahead_is_its_own_loop() -> None:
    module = pytest.importorskip("pytorch_optimizer")
    mine = make("pytorch_optimizer:Lookahead", 1e-2, optimizer="adamw", k=3, weight_decay=0.1)
    other = make("sgd", 0.01)
    inner = AdamW(free(other.model), lr=1e-2, weight_decay=0.1)
    expected = once(other.model, Batches(other), module.Lookahead(inner, k=3))
    assert ours(mine, 1e-2) == pytest.approx(expected, abs=1e-6)


def test_a_lookahead_without_parameters_of_its_own_is_its_own_loop() -> None:
    module = pytest.importorskip("timm.optim")
    mine = make("timm.optim:Lookahead", 1e-2, base_optimizer="adamw", k=3, weight_decay=0.1)
    other = make("sgd", 0.01)
    inner = AdamW(free(other.model), lr=1e-2, weight_decay=0.1)
    expected = once(other.model, Batches(other), module.Lookahead(inner, k=3))
    assert ours(mine, 1e-2) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    "name", ["schedulefree", "prodigyopt", "lion_pytorch", "pytorch_optimizer"]
)
def test_the_real_packages_are_there(name: str) -> None:
    """They are an extra for the tests: without them the tests above would pass by skipping."""
    importlib.import_module(name)
