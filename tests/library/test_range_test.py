"""`clr_tui.range_test`: its curve beside other loops, and that it leaves everything as found."""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from given_bench import (
    CUDA,
    Noisy,
    adam,
    cross_entropy,
    in_use,
    loader,
    net,
    rates,
    raw,
    samples,
    sgd,
    sweep_by_hand,
)
from torch import Tensor, nn
from torch.optim import LBFGS, SGD, AdamW, Optimizer
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

import clr_tui
from clr_tui.engine.errors import UserError

SHORT: dict[str, Any] = {"start_lr": 1e-4, "end_lr": 1.0, "steps": 30, "divergence": 1e9}


@pytest.mark.parametrize("make", [sgd, adam])
def test_the_curve_is_that_of_torch_lr_finder(make: Callable[[nn.Module], Optimizer]) -> None:
    lr_finder = pytest.importorskip("torch_lr_finder")
    model = net()
    optimizer = SGD(model.parameters(), lr=1e-4, momentum=0.9)
    if make is adam:
        optimizer = AdamW(model.parameters(), lr=1e-4)  # type: ignore[assignment]
    data = loader()
    torch.manual_seed(8)
    ours = clr_tui.range_test(model, optimizer, cross_entropy, data, **SHORT)
    torch.manual_seed(8)
    finder = lr_finder.LRFinder(model, optimizer, cross_entropy, device="cpu")
    # Its rates reach the end at the last of num_iter steps, ours (as the article's) after it.
    finder.range_test(data, end_lr=1, num_iter=31, smooth_f=0, diverge_th=1e9)
    assert ours.lr.tolist() == pytest.approx(finder.history["lr"][:30], rel=1e-12)
    assert ours.loss.tolist() == finder.history["loss"][:30]  # float32, bit for bit


def test_the_curve_is_that_of_a_loop_by_hand() -> None:
    model, data = net(), loader()
    optimizer = adam(model)
    torch.manual_seed(8)
    ours = clr_tui.range_test(model, optimizer, cross_entropy, data, **SHORT)
    torch.manual_seed(8)
    # The second group keeps its tenth of the first one's rate.
    expected = sweep_by_hand(
        model,
        optimizer,
        cross_entropy,
        lambda: iter(data),
        rates(1e-4, 1.0, 30),
        lambda rate, group: rate * (1.0, 0.1)[group],
    )
    assert ours.lr.tolist() == rates(1e-4, 1.0, 30)
    assert ours.loss.tolist() == pytest.approx(expected, rel=1e-6)


def lbfgs(model: nn.Module) -> Optimizer:
    return LBFGS([p for p in model.parameters() if p.requires_grad], lr=0.1, max_iter=2)


def schedule_free(model: nn.Module) -> Optimizer:
    package = pytest.importorskip("schedulefree")
    optimizer: Optimizer = package.SGDScheduleFree(model.parameters(), lr=0.05)
    optimizer.train()  # type: ignore[attr-defined]
    return optimizer


def sam(model: nn.Module) -> Optimizer:
    package = pytest.importorskip("pytorch_optimizer")
    optimizer: Optimizer = package.SAM(
        [p for p in model.parameters() if p.requires_grad], SGD, lr=0.05, momentum=0.9
    )
    return optimizer


def seeded_loader() -> DataLoader[Any]:
    return loader(generator=torch.Generator().manual_seed(11))


def noisy_loader() -> DataLoader[Any]:
    return DataLoader(Noisy(), batch_size=20, shuffle=True)


@pytest.mark.parametrize("device", CUDA)
@pytest.mark.parametrize("data", [loader, seeded_loader, noisy_loader, samples])
@pytest.mark.parametrize("make", [sgd, adam, lbfgs, schedule_free, sam])
def test_everything_is_left_as_it_was_found(
    make: Callable[[nn.Module], Optimizer], data: Callable[[], Any], device: str
) -> None:
    used = in_use(make, data(), device)
    before = used.fingerprint()
    found = clr_tui.range_test(used.model, used.optimizer, cross_entropy, used.data, **SHORT)
    assert len(found.lr) == 30
    assert used.fingerprint() == before


def test_an_optimizer_that_is_in_its_mode_for_use_stays_in_it() -> None:
    used = in_use(schedule_free)
    used.optimizer.eval()  # type: ignore[attr-defined]
    before = used.fingerprint()
    clr_tui.range_test(used.model, used.optimizer, cross_entropy, used.data, **SHORT)
    assert used.fingerprint() == before


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_everything_is_left_as_found_after_an_error(error: type[BaseException]) -> None:
    used = in_use(adam, noisy_loader())
    seen = 0

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        nonlocal seen
        seen += 1
        if seen == 7:
            raise error
        return cross_entropy(outputs, targets)

    before = used.fingerprint()
    with pytest.raises(error):
        clr_tui.range_test(used.model, used.optimizer, loss, used.data, **SHORT)
    assert used.fingerprint() == before


class LearnedScale(nn.Module):
    """A loss with a weight and a statistic of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.register_buffer("mean", torch.zeros(()))

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        loss = cross_entropy(outputs * self.scale, targets)
        self.mean = 0.9 * self.mean + 0.1 * loss.detach()
        return loss


def test_a_loss_with_weights_and_parameters_of_nobody_are_left_as_found() -> None:
    loss, alone = LearnedScale(), nn.Parameter(torch.ones(3))
    used = in_use()
    used.optimizer.add_param_group({"params": [*loss.parameters(), alone]})
    used.others = [loss, nn.ParameterList([alone])]
    seen = []

    def of(outputs: Tensor, targets: Tensor) -> Tensor:
        seen.append(float(alone[0].detach()))
        return loss(outputs + alone, targets)

    before = used.fingerprint()
    clr_tui.range_test(used.model, used.optimizer, loss, used.data, **SHORT)
    assert used.fingerprint() == before
    clr_tui.range_test(used.model, used.optimizer, of, used.data, **SHORT)
    assert used.fingerprint()["parameters"] == before["parameters"]
    assert float(alone[0].detach()) == 1.0
    assert len(set(seen)) > 10


def train(
    model: nn.Module, optimizer: Optimizer, batches: Iterator[Any], count: int
) -> list[float]:
    model.train()
    losses = []
    for _ in range(count):
        inputs, targets = next(batches)
        optimizer.zero_grad()
        loss = cross_entropy(model(inputs), targets)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def endless(data: Any) -> Iterator[Any]:
    while True:
        yield from data


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"generator": torch.Generator().manual_seed(3)},
        pytest.param({"num_workers": 1, "persistent_workers": True}, marks=pytest.mark.slow),
    ],
    ids=["global", "own", "workers"],
)
def test_a_training_goes_on_as_if_nothing_had_been_between(options: dict[str, Any]) -> None:
    def losses(between: bool) -> list[float]:
        if "generator" in options:
            options["generator"].manual_seed(3)
        random.seed(1)
        np.random.seed(1)
        data = DataLoader(Noisy(), batch_size=20, shuffle=True, **options)
        model = net(2)
        optimizer = adam(model)
        scheduler = clr_tui.CLR(optimizer, [0.06, 0.006], step_size=4, min_momentum=0.8)
        if between:  # before the first epoch, whose order is not drawn yet
            clr_tui.range_test(model, optimizer, cross_entropy, data, **SHORT)
        batches = endless(data)
        seen = train(model, optimizer, batches, 4)  # one epoch, and one batch of the next
        scheduler.step()
        if between:
            clr_tui.range_test(model, optimizer, cross_entropy, data, **SHORT, seeds=2)
        scheduler.step()
        return seen + train(model, optimizer, batches, 6)

    assert losses(between=True) == losses(between=False)


def test_hooks_see_the_sweep_and_can_still_be_removed() -> None:
    used, seen = in_use(adam), []
    hook = used.optimizer.register_step_pre_hook(
        lambda optimizer, *_: seen.append([group["lr"] for group in optimizer.param_groups])
    )
    clr_tui.range_test(used.model, used.optimizer, cross_entropy, used.data, **SHORT)
    assert seen == [pytest.approx([rate, 0.1 * rate]) for rate in rates(1e-4, 1.0, 30)]
    hook.remove()
    used.model.train()
    train(used.model, used.optimizer, iter(used.data), 2)
    assert len(seen) == 30


def test_groups_under_a_scheduler_keep_the_ratios_it_started_from() -> None:
    model, seen = net(), []
    optimizer = adam(model)
    warm_up = torch.optim.lr_scheduler.LambdaLR(optimizer, [lambda step: step, lambda step: 1.0])
    assert optimizer.param_groups[0]["lr"] == 0
    optimizer.register_step_pre_hook(
        lambda optimizer, *_: seen.append([group["lr"] for group in optimizer.param_groups])
    )
    before = copy.deepcopy([{**g, "params": None} for g in optimizer.param_groups])
    clr_tui.range_test(model, optimizer, cross_entropy, loader(), **SHORT)
    assert seen[3] == pytest.approx([rates(1e-4, 1.0, 30)[3], 0.1 * rates(1e-4, 1.0, 30)[3]])
    assert [{**g, "params": None} for g in optimizer.param_groups] == before
    assert warm_up.get_last_lr() == [0, 0.001]


class Counting(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        inputs, targets = samples(80)
        return zip(inputs, targets, strict=True)


def batches() -> list[Any]:
    return list(zip(*(tensor.split(20) for tensor in samples(80)), strict=True))


def as_dict() -> dict[str, Tensor]:
    inputs, targets = samples(80)
    return {"x": inputs, "label": targets}


BATCHES = {
    "list": batches,
    "function": lambda: lambda: iter(batches()),
    "generator function": lambda: lambda: (batch for batch in batches()),
    "loader": lambda: DataLoader(TensorDataset(*samples(80)), batch_size=20),
    "stream": lambda: DataLoader(Counting(), batch_size=20),
    "numpy": lambda: [(x.numpy(), y.numpy()) for x, y in batches()],
    "dict": lambda: [{"x": x, "targets": y} for x, y in batches()],
    "iterator": lambda: iter(batches() * 8),
}


@pytest.mark.parametrize("form", BATCHES)
def test_batches_in_any_form_give_the_same_curve(form: str) -> None:
    model = net()
    torch.manual_seed(8)
    found = clr_tui.range_test(model, sgd(model), cross_entropy, BATCHES[form](), **SHORT)
    torch.manual_seed(8)
    again = BATCHES[form]() if form in ("loader", "stream") else batches()  # loaders draw a seed
    expected = sweep_by_hand(
        model, sgd(model), cross_entropy, lambda: iter(again), rates(1e-4, 1.0, 30)
    )
    assert found.loss.tolist() == pytest.approx(expected, rel=1e-6)
    if form in ("list", "numpy", "dict"):
        assert "each member of data, a list, is a batch" in found.notes[0]
    elif form == "iterator":
        assert "data is an iterator, which can be read only once" in found.notes[0]
    else:
        assert found.notes == []


ROWS = {
    "tuple": samples,
    "dict": as_dict,
    "arrays": lambda: tuple(tensor.numpy() for tensor in samples()),
    "data set": lambda: TensorDataset(*samples()),
    "samples": Noisy,
}


@pytest.mark.parametrize("form", ROWS)
def test_samples_in_any_form_are_shuffled_into_batches(form: str) -> None:
    model, sizes = net(), []

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        sizes.append(len(targets))
        return cross_entropy(outputs, targets)

    options = {**SHORT, "batch_size": 16}
    torch.manual_seed(8)
    found = clr_tui.range_test(model, sgd(model), loss, ROWS[form](), **options)
    assert set(sizes) == {16}
    again = clr_tui.range_test(model, sgd(model), loss, ROWS[form](), **options)
    assert found.loss.tolist() == again.loss.tolist()  # the random state is as it was
    torch.manual_seed(9)
    other = clr_tui.range_test(model, sgd(model), loss, ROWS[form](), **options)
    assert found.loss.tolist() != other.loss.tolist()


def test_less_data_than_a_batch_is_one_batch() -> None:
    model = net()
    found = clr_tui.range_test(model, sgd(model), cross_entropy, samples(10), **SHORT)
    assert len(found.lr) == 30


class Outputs(dict[str, Any]):
    """As models of Hugging Face return them: a dict with attributes."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


class Labelled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = net()

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Any:
        logits = self.inner(x)
        if labels is None:
            return Outputs(logits=logits)
        return Outputs(loss=cross_entropy(logits, labels), logits=logits)


def labelled() -> list[dict[str, Tensor]]:
    return [{"x": x, "labels": y} for x, y in batches()]


def test_a_loss_may_come_from_the_model_or_from_a_step() -> None:
    def step(model: nn.Module, batch: Any) -> Tensor:
        return cross_entropy(model(batch["x"]).logits, batch["labels"])

    def losses(loss: Any, **options: Any) -> list[float]:
        model = Labelled()
        torch.manual_seed(8)
        found = clr_tui.range_test(model, sgd(model), loss, labelled(), **SHORT, **options)
        return found.loss.tolist()

    own = losses(None)
    assert own == losses(None, step=step)
    assert own == losses(lambda outputs, targets: cross_entropy(outputs.logits, targets))


def test_accumulated_batches_are_as_one_large_batch() -> None:
    inputs, targets = samples(240)
    model = nn.Linear(6, 3)

    def losses(size: int, accumulate: int) -> list[float]:
        data = DataLoader(TensorDataset(inputs, targets), batch_size=size)
        found = clr_tui.range_test(
            model, sgd(model), cross_entropy, data, **SHORT, accumulate=accumulate
        )
        return found.loss.tolist()

    assert losses(20, 3) == pytest.approx(losses(60, 1), rel=1e-4)


def test_gradients_are_clipped() -> None:
    model, norms = net(), []

    def note(optimizer: Optimizer, *_: Any) -> None:
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"]]
        norms.append(math.sqrt(sum(float(g.square().sum()) for g in gradients if g is not None)))

    optimizer = sgd(model)
    optimizer.register_step_pre_hook(note)
    clr_tui.range_test(model, optimizer, cross_entropy, loader(), **SHORT, clip=0.01)
    assert norms == pytest.approx([0.01] * 30, rel=1e-3)


def test_the_loss_falls_under_optimizers_that_take_closures() -> None:
    for make in (lbfgs, sam):
        model = net()
        torch.manual_seed(8)
        found = clr_tui.range_test(model, make(model), cross_entropy, loader(), **SHORT)
        assert found.smoothed[-1] < found.smoothed[0]


def test_gradients_can_be_made_differentiable() -> None:
    package = pytest.importorskip("pytorch_optimizer")
    model = net()
    optimizer = package.AdaHessian([p for p in model.parameters() if p.requires_grad], lr=0.1)
    found = clr_tui.range_test(model, optimizer, cross_entropy, loader(), **SHORT, stepping="graph")
    assert found.smoothed[-1] < found.smoothed[0]


def test_seeds_start_from_the_same_weights_in_other_orders() -> None:
    model, data = net(), seeded_loader()
    torch.manual_seed(8)
    three = clr_tui.range_test(model, sgd(model), cross_entropy, data, **SHORT, seeds=3)
    torch.manual_seed(8)
    one = clr_tui.range_test(model, sgd(model), cross_entropy, data, **SHORT)
    again = clr_tui.range_test(model, sgd(model), cross_entropy, data, **SHORT, seeds=3)
    assert len(three.sweeps) == 3
    assert three.sweeps[0].tolist() == one.loss.tolist()
    assert len({tuple(sweep) for sweep in three.sweeps}) == 3
    assert raw(again.sweeps) == raw(three.sweeps)
    assert np.median(three.sweeps, axis=0).tolist() == three.loss.tolist()


def test_devices_that_are_not_used_are_not_seeded(monkeypatch: pytest.MonkeyPatch) -> None:
    def seed(_: int) -> None:
        pytest.fail("all devices are seeded")

    monkeypatch.setattr(torch.cuda, "manual_seed_all", seed)
    model = nn.Linear(6, 3)
    clr_tui.range_test(model, sgd(model), cross_entropy, loader(), **SHORT, seeds=2)


@pytest.mark.parametrize(
    ("data", "options", "steps"),
    [
        (samples(200), {}, 100),  # two epochs are 6 steps
        (samples(6400), {"batch_size": 16}, 800),
        (samples(6400), {"batch_size": 16, "accumulate": 4}, 200),
        (samples(6400), {"batch_size": 4}, 1000),
        (lambda: iter(batches() * 30), {}, 100),  # of no known length
    ],
)
def test_the_length_of_a_sweep(data: Any, options: dict[str, Any], steps: int) -> None:
    model = nn.Linear(6, 3)
    rest = {name: value for name, value in SHORT.items() if name != "steps"}
    found = clr_tui.range_test(model, sgd(model), cross_entropy, data, **rest, **options)
    assert len(found.lr) == steps
    assert found.lr.tolist() == pytest.approx(rates(1e-4, 1.0, steps), rel=1e-12)


def test_precision_is_that_around_the_call_unless_one_is_asked_for() -> None:
    model, seen = net(), set()

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        seen.add(outputs.dtype)
        return cross_entropy(outputs, targets)

    def run(**options: Any) -> set[torch.dtype]:
        seen.clear()
        clr_tui.range_test(model, sgd(model), loss, loader(), **SHORT, **options)
        return set(seen)

    assert run() == {torch.float32}
    assert run(precision="bfloat16") == {torch.bfloat16}
    with torch.autocast("cpu", torch.bfloat16):
        assert run() == {torch.bfloat16}
        assert run(precision="float32") == {torch.float32}
    with torch.no_grad():
        assert run() == {torch.float32}
        assert not torch.is_grad_enabled()


def mistaken(**changed: Any) -> str:
    model = net()
    given: dict[str, Any] = {
        "model": model,
        "optimizer": sgd(model),
        "loss": cross_entropy,
        "data": loader(),
    }
    with pytest.raises(UserError) as caught:
        clr_tui.range_test(**{**given, **SHORT, **changed})
    return caught.value.message


def of_zeros() -> Optimizer:
    return SGD(net().parameters(), lr=0.0)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"model": net}, "model is a function, not a torch.nn.Module"),
        ({"optimizer": "adam"}, "optimizer is a str, not a torch Optimizer"),
        ({"optimizer": sgd(net())}, "the optimizer has no trainable parameter of this model"),
        ({"loss": "mse"}, "loss is a str, not a function"),
        ({"loss": None, "data": [x for x, _ in batches()]}, "without a loss: give loss"),
        ({"step": cross_entropy}, "loss and step are given"),
        ({"data": []}, "data has no data"),
        ({"data": "digits"}, "a batch is a str without targets"),
        ({"data": torch.zeros(40, 6)}, "without targets"),
        ({"data": (torch.zeros(40, 6), torch.zeros(30))}, "40"),
        ({"data": iter(batches())}, "an iterator can be used only once"),
        ({"batch_size": 0}, "batch_size is 0: give a whole number, at least 1"),
        ({"accumulate": 1.5}, "accumulate is 1.5: give a whole number"),
        ({"clip": 0}, "clip is 0: give the largest norm"),
        ({"precision": "float16"}, "precision is 'float16': give one of 'float32', 'bfloat16'"),
        ({"steps": 0}, "steps"),
        ({"start_lr": 1.0, "end_lr": 0.1}, "start_lr 1 is not below end_lr 0.1"),
        ({"end_lr": math.inf}, "end_lr"),
        ({"loss": nn.CrossEntropyLoss(reduction="none")}, "the loss has the shape (20,)"),
        ({"stepping": "twice"}, "stepping is 'twice'"),
    ],
)
def test_a_mistake_is_one_sentence(changed: dict[str, Any], words: str) -> None:
    assert words in mistaken(**changed)


def test_rates_of_zero_have_no_ratios() -> None:
    model = net()
    optimizer = SGD(model.parameters(), lr=0.0)
    assert "all learning rates of the optimizer are 0" in mistaken(model=model, optimizer=optimizer)
    assert "initial_lr" not in optimizer.param_groups[0]


def test_a_mistake_leaves_everything_as_found() -> None:
    used = in_use(sgd, noisy_loader())
    before = used.fingerprint()
    with pytest.raises(UserError):
        clr_tui.range_test(used.model, used.optimizer, None, [torch.zeros(20, 6)], **SHORT)
    assert used.fingerprint() == before
