"""The features of frozen layers: computed no more often than augmentation makes necessary."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.optim import Adam

from clr_tui.engine.log.events import TrialStarted
from clr_tui.engine.settings.config import (
    OptimizerConfig,
    RangeTest,
    RunConfig,
    TaskConfig,
    Train,
)
from clr_tui.engine.tasks import features as features_module
from clr_tui.engine.tasks.dataset import Progress
from clr_tui.engine.tasks.features import FrozenFeatures, Unaugmented
from clr_tui.engine.tasks.image_task import ImageTask
from clr_tui.engine.tasks.parts import Rows
from clr_tui.engine.tasks.resnet34 import TransferResNet34
from clr_tui.engine.training.control import Control, StopFlag
from clr_tui.engine.training.evaluate import evaluate
from clr_tui.engine.training.keepers import MemoryKeeper
from clr_tui.engine.training.preserve import left_as_found
from clr_tui.engine.training.randomness import stream
from clr_tui.engine.training.range_test import run_sweep
from clr_tui.engine.training.session import Session, Trial
from clr_tui.engine.training.trainee import Trainee, make_trainee
from clr_tui.engine.training.training import Training

BLOCK = 16
"""In the tests that count."""


@pytest.fixture
def load_resnet(
    load: Callable[..., ImageTask], file: Path, make_folder
) -> Callable[..., ImageTask]:
    """88 training images, 11 for validation, 11 for the test."""
    folder = make_folder({"cat": 60, "dog": 50})

    def load_resnet(**config: object) -> ImageTask:
        settings: dict[str, object] = {"data": str(folder), "weights": str(file), "image_size": 32}
        return load(model="resnet34", **{**settings, **config})

    return load_resnet


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(features_module, "BLOCK", BLOCK)
    return BLOCK


def make(
    task: ImageTask, seed: int = 0, precision: str = "float32", optimizer: str = "adam"
) -> Trainee:
    config = OptimizerConfig(name=optimizer, momentum=0.0)
    trainee = make_trainee(task, config, batch_size=10, seed=seed, precision=precision)
    trainee.optimizer.param_groups[0]["lr"] = 1e-3
    trainee.model.train()
    return trainee


def steps(trainee: Trainee, count: int, seed: int = 0) -> list[float]:
    torch.manual_seed(stream(seed, "model"))  # of dropout
    return [trainee.step()[0].item() for _ in range(count)]


@contextmanager
def trunk_batches(model: nn.Module) -> Iterator[list[int]]:
    """The sizes of the batches that pass the frozen layers inside."""
    sizes: list[int] = []
    hook = model.get_submodule("net.conv1").register_forward_hook(
        lambda module, args, output: sizes.append(len(output))
    )
    yield sizes
    hook.remove()


def plain(task: ImageTask) -> ImageTask:
    """The same, without a memory for features."""
    return dataclasses.replace(task, features=None)


def test_with_augmentation_once_a_step_and_once_for_each_other_part(load_resnet, blocks):
    task = load_resnet()
    for seed in range(2):
        trainee = make(task, seed)
        with trunk_batches(trainee.model) as sizes:
            for _ in range(2):
                steps(trainee, 3)
                evaluate(trainee, task.validation)
            evaluate(trainee, task.test)
            best = dataclasses.replace(trainee, model=copy.deepcopy(trainee.model))
            with trunk_batches(best.model) as again:
                evaluate(best, task.test)
        # The weights come from a file: what the first seed computed is the second one's too.
        once = [] if seed else [11]
        assert sizes == [10, 10, 10, *once, 10, 10, 10, *once]
        assert again == []


def test_without_augmentation_once_for_all(load_resnet, blocks, told):
    task = load_resnet(augment=False)
    sizes: list[int] = []
    for seed in range(2):
        trainee = make(task, seed)
        with trunk_batches(trainee.model) as some:
            steps(trainee, 20)
            evaluate(trainee, task.validation)
            evaluate(trainee, task.test)
        sizes += some
    assert sizes == [16, 16, 16, 16, 16, 8, 11, 11]
    assert told.progress[-1] == ("computing features of the frozen layers", 88, 88)


@pytest.mark.parametrize("augment", [True, False])
def test_what_serves_all_trials_is_computed_before_the_first(load_resnet, blocks, augment):
    """Of the validation part always, of the training part where nothing is augmented."""
    task = load_resnet(augment=augment)
    trainee = make(task)
    state, generators = copy.deepcopy(trainee.model.state_dict()), torch.get_rng_state()
    with trunk_batches(trainee.model) as sizes:
        trainee.prepare(task.train, task.validation)
    assert sizes == ([11] if augment else [16, 16, 16, 16, 16, 8, 11])
    assert torch.equal(torch.get_rng_state(), generators)
    assert all(torch.equal(t, state[name]) for name, t in trainee.model.state_dict().items())
    assert trainee.model.training
    with trunk_batches(trainee.model) as sizes:
        evaluate(trainee, task.validation)
        steps(trainee, 2)
    assert sizes == ([10, 10] if augment else [])


def train(session: Session) -> None:
    job = Train(base_lr=1e-3, max_lr=1e-3, policy="constant", epochs=1)
    Training(session, job, Trial(0, 0, "adam"), MemoryKeeper()).run()


def sweep(session: Session) -> None:
    run_sweep(session, RangeTest(steps=9), Trial(0, 0, "seed 0"))


@pytest.mark.parametrize("job", [train, sweep])
def test_the_time_of_a_trial_begins_when_features_are_there(load_resnet, told, job):
    """Else the first of a comparison's trials would look slower than the others."""
    reports: list[int] = []

    def emit(event: object) -> None:
        if isinstance(event, TrialStarted):
            reports.append(len(told.progress))

    task = load_resnet(augment=False)
    config = RunConfig(
        id="r", created=0.0, version="0", task=TaskConfig(batch_size=10), job=RangeTest()
    )
    control = Control(list, StopFlag(), emit)
    session = Session(config, task, "float32", emit, control, Path())
    told.progress.clear()
    job(session)
    assert reports == [len(told.progress)] != [0]


def test_random_weights_are_those_of_a_seed(load_resnet, blocks):
    task = load_resnet(weights="none")
    counts = []
    for seed in (0, 0, 1, 0):
        trainee = make(task, seed)
        with trunk_batches(trainee.model) as sizes:
            evaluate(trainee, task.validation)
            evaluate(trainee, task.validation)
        counts.append(len(sizes))
    assert counts == [1, 0, 1, 1]  # the features of one set of weights are kept, no more


def test_a_sweep_that_puts_the_weights_back_loses_nothing(load_resnet, blocks):
    task = load_resnet()
    trainee = make(task)
    evaluate(trainee, task.validation)
    with left_as_found(trainee):
        steps(trainee, 2)
    with trunk_batches(trainee.model) as sizes:
        evaluate(trainee, task.validation)
    assert sizes == []


def test_other_frozen_weights_have_other_features(load_resnet):
    task = load_resnet(weights="none")
    trainee, other = make(task, 0), make(task, 1)
    evaluate(trainee, task.validation)
    trainee.model.load_state_dict(other.model.state_dict())
    other = dataclasses.replace(other, task=plain(task))
    assert evaluate(trainee, task.validation) == evaluate(other, task.validation)
    with torch.no_grad():
        trainee.model.get_submodule("net.bn1").running_mean += 0.5
    expected = evaluate(dataclasses.replace(trainee, task=plain(task)), task.validation)
    assert evaluate(trainee, task.validation) == expected


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_evaluation_is_that_of_the_plain_model_bit_for_bit(load, file, precision):
    """Over more than one block, and before and after a few steps."""
    task = load(model="resnet34", weights=str(file), image_size=32)
    assert len(task.validation) > features_module.BLOCK
    trainee = make(task, precision=precision)
    without = dataclasses.replace(trainee, task=plain(task))
    for _ in range(2):
        for _ in range(2):
            kept = evaluate(trainee, task.validation)
            assert kept == evaluate(without, task.validation)
        steps(trainee, 2)


def test_precisions_are_kept_apart(load_resnet):
    task = load_resnet()
    whole, half = make(task), make(task, precision="bfloat16")
    without = [dataclasses.replace(t, task=plain(task)) for t in (whole, half)]
    expected = [evaluate(t, task.test) for t in without]
    assert expected[0] != expected[1]
    assert [evaluate(t, task.test) for t in (whole, half)] == expected


def features(task: ImageTask, model: nn.Module, chosen: Tensor | slice) -> Tensor:
    batch = task.inputs(task.train, chosen)
    assert isinstance(batch, Unaugmented)
    assert isinstance(model, TransferResNet34)
    return batch.features(model)


def test_kept_features_are_as_exact_as_those_of_another_batch(load_resnet):
    """Images in other batches differ in the last bits alone: by no more than rounding does."""
    task = load_resnet(augment=False)
    model = task.make_model(0)
    chosen = torch.randperm(len(task.train), generator=torch.Generator().manual_seed(1))[:10]
    images = task.normalise(task.train.inputs[chosen])
    one_by_one = torch.cat([model.trunk(image[None]) for image in images])
    exact = copy.deepcopy(model).double().trunk(images.double())
    error = (one_by_one - exact).abs().max()
    assert 0 < error < 1e-3 * exact.abs().max()
    kept = features(task, model, chosen)
    assert kept.is_contiguous(memory_format=torch.channels_last)
    assert not kept.requires_grad
    assert (kept - exact).abs().max() <= 4 * error
    other = features(task, model, chosen.flip(0)).flip(0)
    assert torch.equal(kept, other)


def test_training_on_kept_features_is_training(load_resnet):
    task = load_resnet(augment=False)
    kept, computed = make(task, optimizer="sgd"), make(plain(task), optimizer="sgd")
    first = steps(kept, 1)[0], steps(computed, 1)[0]
    # Rounding in 34 layers, each a sum of thousands, of which errors grow as the square root.
    rounding = 34 * 64 * torch.finfo(torch.float32).eps
    assert first[0] == pytest.approx(first[1], rel=rounding)
    for one, other in zip(kept.model.parameters(), computed.model.parameters(), strict=True):
        assert (one.grad is None) == (other.grad is None) == (not one.requires_grad)
        if one.grad is not None:
            assert (one.grad - other.grad).norm() <= 4 * rounding * other.grad.norm()


@pytest.mark.parametrize("augment", [True, False])
def test_only_the_last_block_and_the_head_change(load_resnet, augment):
    """Of all parameters and buffers, over steps, evaluations and a range of optimizer states."""
    task = load_resnet(augment=augment)
    trainee = make(task)
    before = {name: t.clone() for name, t in trainee.model.state_dict().items()}
    steps(trainee, 9)
    evaluate(trainee, task.validation)
    steps(trainee, 1)
    evaluate(trainee, task.test)
    after = trainee.model.state_dict()
    changed = {name for name, t in before.items() if not torch.equal(t, after[name])}
    trained = {name for name in before if name.startswith(("net.layer4.2.", "net.fc."))}
    assert len(trained) == 2 * 6 + 4
    assert changed == trained
    assert isinstance(trainee.optimizer, Adam)
    assert len(trainee.optimizer.state) == 2 * 3 + 4


@pytest.mark.parametrize("augment", [True, False])
def test_a_trial_is_the_same_alone_and_after_others(load_resnet, augment):
    """Bit for bit: it does not matter for whom features were computed first."""

    def trial(task: ImageTask, seed: int) -> list[float]:
        trainee = make(task, seed)
        curve = []
        for _ in range(2):
            curve += steps(trainee, 4, seed)
            loss, ((correct, count),) = evaluate(trainee, task.validation)
            curve += [loss.item(), correct.item() / count]
        return curve

    alone = trial(load_resnet(augment=augment), 1)
    task = load_resnet(augment=augment)
    first = trial(task, 0)
    assert trial(task, 1) == alone
    assert trial(task, 0) == first != alone


def tiny(n: int = 10) -> Rows:
    images = torch.randint(0, 256, (n, 1, 4, 4), generator=torch.Generator().manual_seed(0))
    return Rows(inputs=images.to(torch.uint8), targets=torch.zeros(n, dtype=torch.int64))


class Doubling(nn.Module):
    """Frozen layers that count how often they are asked."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(2.0), requires_grad=False)
        self.sizes: list[int] = []

    def trunk(self, images: Tensor) -> Tensor:
        self.sizes.append(len(images))
        return images * self.factor

    def trunk_state(self) -> list[Tensor]:
        return [self.factor]


def ignore(what: str, done: int, total: int) -> None:
    pass


def kept_of(limit: int | None = 10**6, told: Progress = ignore) -> FrozenFeatures:
    return FrozenFeatures(torch.device("cpu"), told, limit)


def ask(kept: FrozenFeatures, model: Doubling, part: Rows, chosen: Tensor | slice) -> Tensor:
    found = Unaugmented(part, chosen, Tensor.float, kept).features(model)
    assert torch.equal(found, part.inputs[chosen].float() * model.factor)
    return found


@pytest.fixture
def fours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features_module, "BLOCK", 4)


@pytest.mark.usefixtures("fours")
def test_what_is_read_in_order_is_computed_as_it_is_read():
    kept, model, part = kept_of(), Doubling(), tiny()
    for chosen, sizes in [
        (slice(0, 4), [4]),
        (slice(2, 6), [4]),
        (slice(8, 12), [2]),
        (slice(0, 10), []),
        (torch.tensor([9, 0, 0]), []),
    ]:
        model.sizes.clear()
        ask(kept, model, part, chosen)
        assert model.sizes == sizes


@pytest.mark.usefixtures("fours")
def test_every_part_has_its_own():
    kept, model = kept_of(), Doubling()
    parts = [tiny(), tiny(), tiny(7)]
    for part in (*parts, *parts):
        ask(kept, model, part, torch.tensor([1, 5]))
    assert sum(model.sizes) == 10 + 10 + 7


@pytest.mark.usefixtures("fours")
def test_a_part_that_is_too_large_is_computed_each_time():
    needed = 10 * 16 * 4
    for limit, expected in [(needed, [4, 4, 2]), (needed - 1, [4, 2, 2, 2])]:
        kept, model, part = kept_of(limit), Doubling(), tiny()
        for _ in range(3):
            ask(kept, model, part, torch.tensor([7, 3]))
        assert model.sizes == expected


def test_the_limit_is_a_share_of_all_memory(monkeypatch: pytest.MonkeyPatch):
    part = tiny()
    for memory, calls in [(8 * 640, 1), (8 * 639, 3)]:
        monkeypatch.setattr(features_module, "memory_of", lambda device, memory=memory: memory)
        kept, model = kept_of(None), Doubling()
        ask(kept, model, part, torch.tensor([7, 3]))
        ask(kept, model, part, torch.tensor([7, 3]))
        assert len(model.sizes) == calls


@pytest.mark.usefixtures("fours")
def test_progress_is_told_and_can_end_the_work():
    reports: list[tuple[int, int]] = []

    def told(what: str, done: int, total: int) -> None:
        assert what == "computing features of the frozen layers"
        reports.append((done, total))
        if len(reports) == 2:
            raise KeyError("stop")

    kept, model, part = kept_of(told=told), Doubling(), tiny()
    with pytest.raises(KeyError):
        ask(kept, model, part, torch.tensor([0]))
    ask(kept, model, part, torch.tensor([0]))
    assert reports == [(4, 10), (8, 10), (10, 10)]
    assert model.sizes == [4, 4, 2]


def test_weights_that_were_written_to_are_looked_at_again():
    kept, model, part = kept_of(), Doubling(), tiny()
    everything = slice(0, 10)
    ask(kept, model, part, everything)
    model.factor.fill_(3.0)
    ask(kept, model, part, everything)
    model.factor.fill_(3.0)  # the same again
    ask(kept, model, part, everything)
    assert len(model.sizes) == 2


def test_the_memory_is_that_of_the_features(load_resnet):
    task = load_resnet(augment=False)
    model = task.make_model(0)
    some = features(task, model, torch.arange(3))
    assert some.shape == (3, 512, 1, 1)
    side = math.ceil(task.image_size / 32)
    assert some[0].nbytes == 512 * side * side * 4
