"""A user's task trains as torch's own loop over the same data does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from own_bench import made, session, torchs_losses
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

import clr_tui
from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import OptimizerConfig, Train
from clr_tui.engine.training.trainee import make_trainee
from clr_tui.engine.training.training import run_training

STEPS = 50
N = 64


def net() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.Tanh(), nn.Linear(16, 1))


def samples() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(N, 4, generator=generator)
    return x, x.sum(1, keepdim=True) ** 2


class Curves(Dataset[Any]):
    """Like `samples`, one by one."""

    def __init__(self) -> None:
        self.x, self.y = samples()

    def __len__(self) -> int:
        return N

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.x[index], self.y[index]


def task(train: Any, **more: Any) -> clr_tui.Task:
    return clr_tui.Task(
        model=net, train=train, validation=samples(), loss=functional.mse_loss, **more
    )


def trained(given: clr_tui.Task, steps: int = STEPS, **config: Any) -> list[float]:
    """The losses of its first steps."""
    trainee = make_trainee(
        made(given, **config),
        OptimizerConfig(),
        lr=0.01,
        batch_size=config.get("batch_size", 10),
        seed=0,
        precision="float32",
    )
    trainee.model.train()
    return [float(trainee.step()[0]) for _ in range(steps)]


def torchs(given: clr_tui.Task, batches: Any, steps: int = STEPS) -> list[float]:
    fresh = make_trainee(
        made(given), OptimizerConfig(), lr=0.01, batch_size=10, seed=0, precision="float32"
    )
    return torchs_losses(fresh.model, batches, functional.mse_loss, steps)


@pytest.mark.parametrize("drop_last", [True, False])
def test_a_loader_is_used_as_it_is(drop_last: bool) -> None:
    def loader() -> DataLoader[Any]:
        order = torch.Generator().manual_seed(3)
        data = TensorDataset(*samples())
        return DataLoader(data, 10, shuffle=True, generator=order, drop_last=drop_last)

    given = task(loader())
    expected = torchs(given, loader())
    assert trained(given) == pytest.approx(expected, rel=1e-6)
    # Another trial has the same order: the loader is as it was before the first.
    assert trained(task(loader())) == pytest.approx(expected, rel=1e-6)


def batches_by_hand() -> Iterator[tuple[Tensor, Tensor]]:
    x, y = samples()
    yield from zip(x.split(8), y.split(8), strict=True)


@pytest.mark.parametrize(
    "train", [batches_by_hand, list(batches_by_hand())], ids=["function", "list"]
)
def test_batches_of_an_iterable(train: Any) -> None:
    given = task(train)
    engine = made(given)
    assert engine.train.steps == 8
    expected = torchs(given, list(batches_by_hand()))
    assert trained(given) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("data", [samples(), TensorDataset(*samples())], ids=["rows", "dataset"])
def test_tensors(data: Any) -> None:
    given = task(data)
    losses = trained(given)
    fresh = make_trainee(
        made(given), OptimizerConfig(), lr=0.01, batch_size=10, seed=0, precision="float32"
    )
    drawn = (fresh.batches.draw() for _ in range(STEPS))
    expected = torchs_losses(fresh.model, drawn, functional.mse_loss, STEPS)
    assert losses == pytest.approx(expected, rel=1e-6)


def test_a_dataset_is_shuffled_by_the_trials_seed() -> None:
    given = task(Curves())
    torch.manual_seed(7)
    losses = trained(given)
    torch.manual_seed(7)
    assert trained(given) == losses
    fresh = make_trainee(
        made(given), OptimizerConfig(), lr=0.01, batch_size=10, seed=0, precision="float32"
    )
    torch.manual_seed(7)
    loader = DataLoader(Curves(), 10, shuffle=True, drop_last=True)
    expected = torchs_losses(fresh.model, loader, functional.mse_loss, STEPS)
    assert losses == pytest.approx(expected, rel=1e-6)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device is here")
def test_batches_are_copied_ahead_of_their_use_on_cuda() -> None:
    from clr_tui.engine.tasks.prefetch import Ahead, moved

    cuda = torch.device("cuda")
    batches = [torch.full((1 << 20,), float(n)).pin_memory() for n in range(50)]
    ahead = Ahead(iter(batches), lambda batch: (moved(batch, cuda), ()), cuda)
    sums = []
    for inputs, _ in ahead:
        for _ in range(20):  # the device falls behind
            inputs = inputs * 1.0
        sums.append(inputs.sum())
    assert [float(total) / (1 << 20) for total in sums] == [float(n) for n in range(50)]


def of_rows(**names: Any) -> list[Any]:
    return [{name: column[i] for name, column in names.items()} for i in range(64)]


@pytest.mark.parametrize(
    "train",
    [
        list(zip(*samples(), strict=True)),
        [(x.numpy(), int(y > 1)) for x, y in zip(*samples(), strict=True)],
        of_rows(x=samples()[0], label=samples()[1], name=[f"sample {i}" for i in range(64)]),
    ],
    ids=["tensors", "numbers", "dicts"],
)
def test_a_list_of_samples_is_a_dataset(train: list[Any]) -> None:
    engine = made(replace(task(train), model=Named, loss=flat_loss))
    assert (engine.train.steps, engine.train.samples, engine.train.batch_size) == (6, 60, 10)


def flat_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    return functional.mse_loss(outputs.flatten(), targets.flatten().float())


class Named(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = net()

    def forward(self, x: Tensor, name: Any = None) -> Tensor:
        return self.net(x)


class Table:
    """Rows in the form of a table of pandas."""

    def __init__(self, rows: Tensor) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.rows.double().numpy()


def test_tables_are_arrays() -> None:
    x, y = samples()
    assert trained(task((Table(x), Table(y)))) == trained(task((x, y)))


class Flow(IterableDataset[Any]):
    """Like `samples`, of a length that nobody knows."""

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return zip(*samples(), strict=True)


@pytest.mark.parametrize("train", [Flow(), DataLoader(Flow(), 10)], ids=["dataset", "loader"])
def test_samples_of_unknown_length_are_counted(train: Any) -> None:
    engine = made(task(train))
    assert (engine.train.steps, engine.train.samples, engine.train.batch_size) == (7, 64, 10)


def test_a_list_of_what_may_be_batches_says_that_it_is_taken_for_that() -> None:
    notes: list[str] = []
    made(task(list(batches_by_hand())), notes)
    assert notes == [
        "each member of train, a list, is a batch, the first of 8: if they are samples, give a"
        " Dataset"
    ]


@pytest.mark.parametrize(
    ("part", "said"),
    [("train", "the training data has"), ("validation", "the data to measure on has")],
)
def test_a_function_that_gives_its_iterator_twice_is_a_mistake(
    tmp_path: Path, part: str, said: str
) -> None:
    batches = [(torch.ones(4, 2), torch.ones(4, 1))] * 3
    once = iter(batches)
    data: dict[str, Any] = {"train": batches, "validation": batches, part: lambda: once}
    given = clr_tui.Task(
        model=lambda: nn.Linear(2, 1), loss=functional.mse_loss, steps_per_epoch=3, **data
    )
    job = Train(base_lr=0.01, max_lr=0.01, policy="constant", epochs=1)
    with pytest.raises(UserError, match=f"^{said} no batches any more") as caught:
        run_training(session(given, job, tmp_path)[0], job)
    assert caught.value.field == "task"
