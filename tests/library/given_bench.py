"""Models, data and loops for the tests of the library calls."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer
from torch.utils.data import DataLoader, Dataset, TensorDataset

CUDA = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
"""The devices to test on."""
cross_entropy = nn.CrossEntropyLoss()


def samples(n: int = 200) -> tuple[Tensor, Tensor]:
    """Points in the plane, and which of three sectors each is in."""
    generator = torch.Generator().manual_seed(5)
    inputs = torch.randn(n, 6, generator=generator)
    return inputs, inputs[:, :3].argmax(1)


class Net(nn.Module):
    """All that a sweep must put back: batch norm, dropout, a frozen layer, a generator."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 16)
        self.norm = nn.BatchNorm1d(16)
        self.drop = nn.Dropout(0.2)
        self.frozen = nn.Linear(16, 16).requires_grad_(False)
        self.last = nn.Linear(16, 3)
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64), persistent=False)
        self.noise = np.random.default_rng(3)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.calls += 1
            x = x * (1 + 0.01 * self.noise.random())
        hidden = self.drop(self.norm(self.first(x)).relu())
        out: Tensor = self.last(hidden + self.frozen(hidden))
        return out


def net(seed: int = 0, device: str = "cpu") -> Net:
    torch.manual_seed(seed)
    return Net().to(device)


def sgd(model: nn.Module) -> Optimizer:
    return SGD(model.parameters(), lr=0.05, momentum=0.9)


def adam(model: nn.Module) -> Optimizer:
    groups = [
        {"params": [p for n, p in model.named_parameters() if n != "last.weight"]},
        {"params": [p for n, p in model.named_parameters() if n == "last.weight"], "lr": 0.001},
    ]
    return Adam(groups, lr=0.01, amsgrad=True)


class Noisy(Dataset[Any]):
    """Draws from all generators, among them two of its own."""

    def __init__(self) -> None:
        self.inputs, self.targets = samples(60)
        self.own = torch.Generator().manual_seed(1)
        self.numpy = np.random.default_rng(2)

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        scale = 1 + 0.01 * (random.random() + np.random.rand() + float(torch.rand(())))
        scale += 0.01 * (self.numpy.random() + float(torch.rand((), generator=self.own)))
        return self.inputs[i] * scale, self.targets[i]


def loader(**options: Any) -> DataLoader[Any]:
    return DataLoader(TensorDataset(*samples()), batch_size=20, shuffle=True, **options)


def sweep_by_hand(
    model: nn.Module,
    optimizer: Optimizer,
    loss: Callable[[Any, Any], Tensor],
    batches: Callable[[], Iterator[Any]],
    rates: list[float],
    group: Callable[[float, int], float] = lambda rate, _: rate,
) -> list[float]:
    """The losses of a sweep as one would write it.

    Args:
        group: (rate, number of the group) -> the group's rate.
    """
    model.train()
    losses, batch = [], batches()
    for rate in rates:
        try:
            inputs, targets = next(batch)
        except StopIteration:
            batch = batches()
            inputs, targets = next(batch)
        for i, options in enumerate(optimizer.param_groups):
            options["lr"] = group(rate, i)
        optimizer.zero_grad()
        found = loss(model(inputs), targets)
        found.backward()
        optimizer.step()
        losses.append(float(found.detach()))
    return losses


def rates(start: float, end: float, steps: int) -> list[float]:
    return [start * (end / start) ** (step / steps) for step in range(steps)]


def raw(value: object) -> object:
    """Any nesting of tensors and arrays as bytes and plain values, to compare to the bit."""
    if isinstance(value, Tensor):
        return str(value.dtype), tuple(value.shape), value.detach().cpu().numpy().tobytes()
    if isinstance(value, np.ndarray):
        return str(value.dtype), value.shape, value.tobytes()
    if isinstance(value, dict):
        return {str(key): raw(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [raw(member) for member in value]
    return value


@dataclass
class InUse:
    """A model in the middle of a training, with everything that could be changed."""

    model: Net
    optimizer: Optimizer
    data: Any
    others: list[Any] = field(default_factory=list)

    def fingerprint(self) -> dict[str, object]:
        """All that a range test could touch, as bytes and plain values."""
        model, optimizer = self.model, self.optimizer
        found = {
            "parameters": raw(dict(model.named_parameters())),
            "buffers": raw(dict(model.named_buffers())),
            "identity": [id(t) for t in [*model.parameters(), *model.buffers()]],
            "gradients": raw({n: p.grad for n, p in model.named_parameters()}),
            "requires_grad": [p.requires_grad for p in model.parameters()],
            "modes": [m.training for m in model.modules()],
            "own generator": model.noise.bit_generator.state,
            "optimizer": raw(optimizer.state_dict()),
            "attributes": sorted(vars(optimizer)),
            "torch": raw(torch.get_rng_state()),
            "numpy": raw(list(np.random.get_state()[1:])),
            "python": random.getstate(),
            "others": raw([list(m.parameters()) + list(m.buffers()) for m in self.others]),
        }
        if torch.cuda.is_available():
            found["cuda"] = raw(torch.cuda.get_rng_state())
        for name in ("generator", "dataset"):
            one = getattr(self.data, name, None)
            if isinstance(one, torch.Generator):
                found[name] = raw(one.get_state())
            if isinstance(one, Noisy):
                found[name] = [raw(one.own.get_state()), one.numpy.bit_generator.state]
        return copy.deepcopy(found)


def in_use(
    make: Callable[[nn.Module], Optimizer] = sgd, data: Any = None, device: str = "cpu"
) -> InUse:
    """A model after some steps: momentum, statistics, gradients, modes."""
    model = net(1, device)
    optimizer = make(model)
    random.seed(4)
    np.random.seed(4)
    inputs, targets = (tensor.to(device) for tensor in samples(40))
    for _ in range(3):

        def closure() -> Tensor:
            optimizer.zero_grad()
            loss = cross_entropy(model(inputs), targets)
            loss.backward()
            return loss

        optimizer.step(closure)  # type: ignore[arg-type]
    model.first.bias.grad = None
    model.eval()
    model.drop.train()
    return InUse(model, optimizer, loader() if data is None else data)
