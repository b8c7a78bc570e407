"""Tasks of all kinds that are no classification of images, each through a whole training."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from own_bench import made, session
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset, IterableDataset

import clr_tui
from clr_tui.engine.comparing.protocol import Setup
from clr_tui.engine.comparing.trial_runner import TrialRunner
from clr_tui.engine.errors import UserError
from clr_tui.engine.log.events import EpochFinished, Evaluated, Note, TrialFinished
from clr_tui.engine.settings.config import OptimizerConfig, RangeTest, Train
from clr_tui.engine.tasks.parts import Rows
from clr_tui.engine.training.batches import make_batches
from clr_tui.engine.training.keepers import MemoryKeeper
from clr_tui.engine.training.optimizers.rates import set_rate
from clr_tui.engine.training.range_test import EarlyEnd, run_range_test, sweep
from clr_tui.engine.training.session import Trial
from clr_tui.engine.training.trainee import Trainee
from clr_tui.engine.training.training import Training

EPOCHS = 2


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def mae(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs - targets).abs().mean()


def regression() -> clr_tui.Task:
    x = draw(50, 3)
    return clr_tui.Task(
        model=lambda: nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0)),
        train=(x, x.sum(1)),
        validation=(x[:13], x[:13].sum(1)),
        test=(x[:7], x[:7].sum(1)),
        loss=functional.mse_loss,
        metrics={
            "mae": (mae, "min"),
            "near": lambda o, t: ((o - t).abs() < 1).float().mean(),
            "largest": (lambda o, t: float((o - t).abs().max()), "min"),
        },
    )


class Sum(nn.Module):
    """Two inputs, by place or by name."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(3, 1), nn.Linear(2, 1)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return (self.a(a) + self.b(b)).squeeze(1)


def two_inputs() -> clr_tui.Task:
    a, b = draw(50, 3), draw(50, 2)
    target = a.sum(1) - b.sum(1)
    return clr_tui.Task(
        model=Sum, train=(a, b, target), validation=((a, b), target), loss=functional.mse_loss
    )


def by_name() -> clr_tui.Task:
    data = {"a": draw(50, 3), "b": draw(50, 2), "Target": draw(50)}
    return clr_tui.Task(
        model=Sum, train=data, validation=data, loss=functional.mse_loss, metrics={"mae": mae}
    )


class Words(Dataset[Any]):
    """Sequences of several lengths; the class is that of the first word."""

    def __len__(self) -> int:
        return 50

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        words = torch.randint(
            1, 20, (2 + index % 5,), generator=torch.Generator().manual_seed(index)
        )
        return words, int(words[0] > 9)


def padded(samples: list[tuple[Tensor, int]]) -> tuple[Tensor, Tensor, Tensor]:
    words = pad_sequence([words for words, _ in samples], batch_first=True)
    lengths = torch.tensor([len(words) for words, _ in samples])
    return words, lengths, torch.tensor([label for _, label in samples])


class Reader(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(20, 6, padding_idx=0)
        self.rnn = nn.GRU(6, 8, batch_first=True)
        self.head = nn.Linear(8, 2)

    def forward(self, words: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(
            self.words(words), lengths, batch_first=True, enforce_sorted=False
        )
        return self.head(self.rnn(packed)[1][-1])


def accuracy(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs.argmax(1) == targets).float().mean()


def sequences() -> clr_tui.Task:
    return clr_tui.Task(
        model=Reader,
        train=Words(),
        collate=padded,
        loss=functional.cross_entropy,
        metrics={"accuracy": accuracy},
    )


def segmentation() -> clr_tui.Task:
    images = draw(30, 1, 8, 8)

    def flip(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        return batch if torch.rand(()) < 0.5 else (batch[0].flip(-1), batch[1].flip(-1))

    return clr_tui.Task(
        model=lambda: nn.Conv2d(1, 2, 3, padding=1),
        train=(images, (images[:, 0] > 0).long()),
        loss=functional.cross_entropy,
        metrics={"accuracy": accuracy},
        augment=flip,
    )


def left_over() -> clr_tui.Task:
    x = draw(41, 3)
    data = torch.utils.data.TensorDataset(x, x.sum(1, keepdim=True))
    return clr_tui.Task(
        model=lambda: nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Linear(8, 1)),
        train=DataLoader(data, 10),
        validation=DataLoader(data, 8),
        loss=functional.mse_loss,
    )


class Endless(IterableDataset[Any]):
    def __iter__(self) -> Any:
        for seed in range(1_000_000):
            x = draw(3, seed=seed)
            yield {"x": x, "y": x.sum()}


def own_step(model: nn.Module, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    off = model(batch["x"]).squeeze(1) - batch["y"]
    return {"loss": off.square().mean(), "mae": off.abs().mean()}


def endless() -> clr_tui.Task:
    few = [{"x": draw(5, 3, seed=seed), "y": draw(5, 3, seed=seed).sum(1)} for seed in range(3)]
    return clr_tui.Task(
        model=lambda: nn.Linear(3, 1),
        train=Endless(),
        validation=few,
        step=own_step,
        steps_per_epoch=4,
    )


def lazy() -> clr_tui.Task:
    x = draw(50, 3)
    return clr_tui.Task(
        model=lambda: nn.Sequential(nn.LazyLinear(8), nn.LazyBatchNorm1d(), nn.LazyLinear(1)),
        train=(x, x.sum(1, keepdim=True)),
        loss=functional.mse_loss,
        parameters=lambda model: [
            {"params": model[0].parameters(), "lr": 1.0},
            {"params": [*model[1].parameters(), *model[2].parameters()], "lr": 0.1},
        ],
    )


class Uncopied(nn.Module):
    """A lock and a tensor of a graph cannot be copied; statistics are not in the state dict."""

    seen: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.utils.parametrizations.weight_norm(nn.Linear(3, 3))
        self.out = nn.Linear(3, 3)
        self.out.weight = self.linear.parametrizations.weight.original1  # tied
        self.lock = threading.Lock()
        self.register_buffer("seen", torch.zeros(()), persistent=False)
        self.noise = torch.Generator().manual_seed(1)
        self.luck = random.Random(2)
        self.dice = np.random.default_rng(3)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.seen += 1
        noisy = self.linear(x) * (1 + 0.1 * torch.randn(()) + 0.1 * self.drawn())
        return self.out(noisy).sum(1, keepdim=True)

    def drawn(self) -> float:
        """From generators of its own."""
        return (
            float(torch.randn((), generator=self.noise)) + self.luck.random() + self.dice.random()
        )


def uncopied() -> clr_tui.Task:
    x = draw(50, 3)
    return clr_tui.Task(
        model=Uncopied(), train=(x, x.sum(1, keepdim=True)), loss=functional.mse_loss
    )


KINDS = [
    regression,
    two_inputs,
    by_name,
    sequences,
    segmentation,
    left_over,
    endless,
    lazy,
    uncopied,
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_whole_training(kind: Callable[[], clr_tui.Task]) -> None:
    job = Train(base_lr=0.001, max_lr=0.02, step_size_epochs=1, epochs=EPOCHS)
    run, script = session(kind(), job)
    Training(run, job, Trial(0, 0, "own"), MemoryKeeper()).run()
    (end,) = script.of(TrialFinished)
    assert (end.outcome, end.reason) == ("done", "")
    epochs = script.of(EpochFinished)
    assert len(epochs) == EPOCHS
    assert epochs[-1].step == end.step == EPOCHS * (end.step // EPOCHS)
    names = {metric.name for metric in run.task.metrics}
    for event in script.of(Evaluated):
        assert event.loss is not None
        assert set(event.metrics) == names
        assert None not in event.metrics.values()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_sweep_leaves_everything_as_it_found_it(kind: Callable[[], clr_tui.Task]) -> None:
    job = RangeTest(steps=7, end_lr=0.1, divergence=1e6)
    run, script = session(kind(), job)
    trainee = run.trainee(OptimizerConfig(), 0, lr=None)
    before, random = everything(trainee), torch.get_rng_state()
    losses = []
    for number in range(2):
        recorder = run.recorder(Trial(number, 0, "own"), 7, watch=EarlyEnd(0.05, 1e6), means=False)
        assert sweep(trainee, job, 7, recorder) is None
        assert everything(trainee) == before
        assert torch.equal(torch.get_rng_state(), random)
        losses.append(script.column("loss")[7 * number :])
    assert len(losses[0]) == 7
    assert losses[0] == losses[1]


def everything(trainee: Trainee) -> dict[str, Any]:
    """Parameters and buffers, persistent or not, and how they are used."""
    model = trainee.model
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    values: dict[str, Any] = {
        name: (value.tolist(), value.requires_grad, value.grad) for name, value in tensors.items()
    }
    return values | {"optimizer": trainee.optimizer.state_dict(), "training": model.training}


def test_a_model_that_cannot_be_copied_is_put_back_for_each_trial() -> None:
    notes: list[str] = []
    task = made(uncopied(), notes)
    assert any("Uncopied cannot be copied" in note for note in notes)
    first = task.make_model(0)
    weights = [p.clone() for p in first.parameters()]
    with torch.no_grad():
        for p in first.parameters():
            p.zero_()
        first.seen.fill_(9)
    again = task.make_model(1)
    assert all(torch.equal(p, q) for p, q in zip(again.parameters(), weights, strict=True))
    assert again.seen == 0
    assert again.out.weight is again.linear.parametrizations.weight.original1


@pytest.mark.parametrize("as_function", [True, False])
def test_trials_of_one_model_do_not_share_its_weights(as_function: bool) -> None:
    net = nn.Linear(3, 1)
    before = net.weight.tolist()
    x = draw(50, 3)
    task = made(
        clr_tui.Task(
            model=(lambda: net) if as_function else net,
            train=(x, x.sum(1, keepdim=True)),
            loss=functional.mse_loss,
        )
    )
    first = task.make_model(0)
    with torch.no_grad():
        first.weight.zero_()
    assert task.make_model(1).weight.tolist() == before


def test_samples_are_held_out_where_there_is_no_validation_data() -> None:
    notes: list[str] = []
    task = made(sequences(), notes, batch_size=15)
    assert (len(task.train), len(task.validation), len(task.test)) == (45, 5, 0)
    assert [note for note in notes if "held out" in note or "a tenth" in note]
    data = Words()
    words = {tuple(data[index][0].tolist()) for index in range(len(data))}
    seen: set[tuple[int, ...]] = set()
    for part in (task.train, task.validation):
        for (inputs, lengths), _ in part.open():
            seen |= {tuple(row[:n].tolist()) for row, n in zip(inputs, lengths, strict=True)}
    assert seen == words


@pytest.mark.parametrize(("last", "steps"), [("drop", 4), ("keep", 5)])
@pytest.mark.parametrize("as_rows", [True, False])
def test_the_last_batch_of_samples_is_that_of_the_settings(
    last: str, steps: int, as_rows: bool
) -> None:
    x = draw(45, 3)
    data = (x, x.sum(1)) if as_rows else [(row, float(row.sum())) for row in x]
    given = clr_tui.Task(
        model=lambda: nn.Sequential(nn.Linear(3, 1), nn.Flatten(0)),
        train=data,
        validation=data,
        loss=lambda outputs, targets: functional.mse_loss(outputs, targets.float()),
    )
    run, _ = session(given, RangeTest(), last_batch=last)
    trainee = run.trainee(OptimizerConfig(), 0, lr=0.1)
    assert trainee.steps_per_epoch == steps
    sizes = [len(trainee.batches.draw()[1]) for _ in range(steps)]
    assert sizes == [10, 10, 10, 10, 5][:steps]


def test_a_loader_without_validation_data_can_be_swept_but_not_trained() -> None:
    given = replace(left_over(), validation=None)
    run, script = session(given, RangeTest(steps=5))
    run_range_test(run, RangeTest(steps=5))
    assert len(script.column("loss")) == 5
    job = Train(base_lr=0.001, max_lr=0.02)
    with pytest.raises(UserError, match="no validation data") as told:
        Training(run, job, Trial(0, 0, "own"), MemoryKeeper())
    assert told.value.field == "task"


def test_ratios_of_groups_survive_sweeps_and_policies() -> None:
    job = Train(base_lr=0.001, max_lr=0.02, step_size_epochs=1, epochs=2)
    run, script = session(lazy(), job)
    training = Training(run, job, Trial(0, 0, "own"), MemoryKeeper())
    seen = []

    def ratio() -> None:
        first, second = training.trainee.optimizer.param_groups
        seen.append(second["lr"] / first["lr"])

    script.at_poll.append(ratio)
    training.run()
    ratio()
    assert seen == pytest.approx([0.1, 0.1])
    assert max(script.column("lr")) == pytest.approx(0.02)


def test_gradients_are_accumulated_and_clipped_as_by_hand() -> None:
    x = draw(48, 3)
    y = 9 * x.sum(1, keepdim=True)
    given = clr_tui.Task(
        model=lambda: nn.Linear(3, 1),
        train=[(x[i : i + 4], y[i : i + 4]) for i in range(0, 48, 4)],
        validation=(x, y),
        loss=functional.mse_loss,
        accumulate=3,
        clip=0.5,
    )
    run, _ = session(given, RangeTest())
    trainee = run.trainee(OptimizerConfig(), 0, lr=0.1)
    assert (trainee.steps_per_epoch, run.samples_per_step) == (4, 12)
    model = run.task.make_model(0)
    model.load_state_dict(trainee.model.state_dict())
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    for step in range(4):
        whole = slice(12 * step, 12 * step + 12)
        optimizer.zero_grad()
        loss = functional.mse_loss(model(x[whole]), y[whole])
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        assert float(trainee.step()[0]) == pytest.approx(loss.item(), rel=1e-5)


@pytest.mark.parametrize("drawn", [0, 3, 7])
def test_the_position_in_a_stream_is_restored(drawn: int) -> None:
    data = torch.utils.data.TensorDataset(draw(50, 3), draw(50, 1))
    for generator in (None, torch.Generator().manual_seed(4)):
        given = clr_tui.Task(
            model=lambda: nn.Linear(3, 1),
            train=DataLoader(data, 10, shuffle=True, generator=generator),
            loss=functional.mse_loss,
        )
        batches = make_batches(made(given), 10, 0)
        torch.manual_seed(6)
        for _ in range(drawn):
            batches.draw()
        state, random_state = batches.state_dict(), torch.get_rng_state()
        expected = [batches.draw()[0].tolist() for _ in range(9)]
        torch.set_rng_state(random_state)
        batches.load_state_dict(state)
        assert [batches.draw()[0].tolist() for _ in range(9)] == expected


def test_a_data_set_is_read_once_into_memory_if_it_is_to_be_cached() -> None:
    reads = []

    class Counted(Dataset[Any]):
        def __len__(self) -> int:
            return 30

        def __getitem__(self, index: int) -> tuple[Tensor, float]:
            reads.append(index)
            return torch.full((2,), float(index)), float(index)

    given = clr_tui.Task(
        model=lambda: nn.Linear(2, 1),
        train=Counted(),
        validation=(draw(4, 2), draw(4)),
        loss=lambda outputs, targets: functional.mse_loss(outputs.squeeze(1), targets.float()),
        cache=True,
    )
    task = made(given)
    assert isinstance(task.train, Rows)
    batches = make_batches(task, 10, 0)
    seen = torch.cat([batches.draw()[1] for _ in range(3)])
    assert sorted(seen.tolist()) == list(range(30))
    assert sorted(reads) == list(range(30))


def test_samples_whose_batches_differ_in_width_cannot_be_cached() -> None:
    widths = iter(range(3, 100))

    def collate(samples: list[Any]) -> tuple[Tensor, Tensor]:
        return torch.zeros(len(samples), next(widths)), torch.zeros(len(samples))

    given = clr_tui.Task(
        model=Reader,
        train=[(n, 0) for n in range(300)],
        validation=(draw(4, 2), draw(4)),
        loss=functional.mse_loss,
        cache=True,
        collate=collate,
    )
    with pytest.raises(UserError, match=r"train cannot be cached.*shape"):
        made(given)


def own_optimizer(model: nn.Module) -> torch.optim.Optimizer:
    first, last = model.children()
    groups = [{"params": first.parameters()}, {"params": last.parameters(), "lr": 0.2}]
    return torch.optim.SGD(groups, lr=0.1)


def with_optimizer(make: Callable[[nn.Module], Any]) -> clr_tui.Task:
    x = draw(50, 3)
    return clr_tui.Task(
        model=lambda: nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1)),
        train=(x, x.sum(1, keepdim=True)),
        loss=functional.mse_loss,
        optimizer=make,
    )


def test_the_tasks_own_optimizer_keeps_the_ratios_of_its_groups() -> None:
    run, script = session(with_optimizer(own_optimizer), RangeTest())
    trainee = run.trainee(OptimizerConfig(), 0, lr=0.5)
    notes = [event.text for event in script.events if isinstance(event, Note)]
    assert notes == ["the task makes its own optimizer, SGD, which is used instead of the default"]
    assert type(trainee.optimizer) is torch.optim.SGD
    assert [group["lr"] for group in trainee.optimizer.param_groups] == [0.5, 1.0]
    set_rate(trainee.optimizer, 0.01)
    assert [group["lr"] for group in trainee.optimizer.param_groups] == [0.01, 0.02]
    # One that is asked for by name goes before it.
    asked = run.trainee(OptimizerConfig(name="adam"), 0, lr=0.5)
    assert type(asked.optimizer) is torch.optim.Adam


ELSEWHERE = nn.Linear(3, 1)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda model: None, "returned None"),
        (lambda model: torch.optim.SGD(ELSEWHERE.parameters(), lr=0.1), "not those of the model"),
    ],
    ids=["none", "elsewhere"],
)
def test_a_wrong_optimizer_is_one_sentence(make: Callable[[nn.Module], Any], said: str) -> None:
    run, _ = session(with_optimizer(make), RangeTest())
    with pytest.raises(UserError, match=said) as told:
        run.trainee(OptimizerConfig(), 0, lr=0.5)
    assert "test_own_kinds.py" in told.value.message


def test_a_comparison_trains_only_the_optimizers_that_it_names() -> None:
    run, script = session(with_optimizer(own_optimizer), Train(max_lr=0.5, base_lr=0.1))
    threads = torch.get_num_threads()
    setup = Setup(config=run.config, device="cpu", threads=threads, folder="")
    runner = TrialRunner(setup, cast(Any, None), cast(Any, None))
    runner._task = run.task
    reporter = cast(Any, SimpleNamespace(report=script.emit))
    trainee = runner._session(reporter, run.control).trainee(OptimizerConfig(), 0, lr=0.5)
    (group,) = trainee.optimizer.param_groups
    assert (group["lr"], group["momentum"]) == (0.5, 0.9)
