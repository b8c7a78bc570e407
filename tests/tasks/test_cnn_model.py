"""The CNN: shapes, seeds, layout, and that it learns."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from clr_tui.engine.tasks.cnn import build_cnn
from clr_tui.engine.tasks.image_task import ImageTask


@pytest.mark.parametrize("size", [8, 9, 15, 16, 17, 32, 33, 64, 100, 128])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_any_size_and_channel_count(size, channels):
    model = build_cnn(channels, size, classes=7)
    assert model(torch.zeros(2, channels, size, size)).shape == (2, 7)


def test_blocks_until_the_image_is_two_or_three_pixels_wide():
    def poolings(size: int) -> int:
        return sum(isinstance(m, nn.MaxPool2d) for m in build_cnn(3, size, 5).modules())

    assert [poolings(size) for size in (8, 15, 16, 32, 64, 128)] == [2, 2, 3, 4, 5, 6]


def test_dropout_stands_in_the_linear_layers_only():
    layers = list(build_cnn(3, 32, 5).children())
    flat = next(i for i, layer in enumerate(layers) if isinstance(layer, nn.Flatten))
    assert not any(isinstance(layer, nn.Dropout) for layer in layers[:flat])
    assert any(isinstance(layer, nn.Dropout) for layer in layers[flat:])


def states_equal(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_weights_depend_on_the_seed_alone(load):
    task: ImageTask = load()
    first = task.make_model(3)
    torch.rand(17)
    assert states_equal(first, task.make_model(3))
    assert not states_equal(first, task.make_model(4))


def test_making_a_model_leaves_the_global_generator_as_it_was(load):
    task: ImageTask = load()
    torch.manual_seed(5)
    expected = torch.rand(4)
    torch.manual_seed(5)
    task.make_model(0)
    assert torch.equal(torch.rand(4), expected)


def test_models_are_in_channels_last_and_training_mode(load):
    model = load().make_model(0)
    assert model.training
    second = [m for m in model.modules() if isinstance(m, nn.Conv2d)][1]
    assert second.weight.is_contiguous(memory_format=torch.channels_last)


def test_loss_and_accuracy_are_those_of_the_definition(load):
    task = load()
    logits = torch.tensor([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 3.0], [1.0, 0.0, 0.0]])
    labels = torch.tensor([0, 1, 2, 2])
    by_hand = -logits.softmax(dim=1).log()[torch.arange(4), labels].mean()
    torch.testing.assert_close(task.loss(logits, labels), by_hand)
    ((right, of),) = task.measured(logits, labels)
    assert (right.item(), of) == (3, 4)


def test_it_learns_the_digits(load):
    """Three epochs at a rate in the middle of its range; chance is 10 %."""
    task: ImageTask = load()
    model = task.make_model(0)
    sgd = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9)
    draws = torch.Generator().manual_seed(0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for _ in range(3):
            for batch in torch.randperm(len(task.train), generator=draws).split(64):
                images = task.normalise(task.augment(task.train.inputs[batch], draws))
                sgd.zero_grad()
                task.loss(model(images), task.train.targets[batch]).backward()
                sgd.step()
    model.eval()
    with torch.no_grad():
        logits = model(task.normalise(task.validation.inputs))
    ((right, of),) = task.measured(logits, task.validation.targets)
    assert right > 0.8 * of


def test_digits_can_be_asked_for_larger(load):
    task = load(image_size=32)
    assert task.train.inputs.shape == (1259, 1, 32, 32)
    assert task.train.inputs.dtype == torch.uint8
    assert task.image_size == 32
