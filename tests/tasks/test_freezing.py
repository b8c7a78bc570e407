"""Freezing up to a layer, or all but the last: what stays, and what is still trained."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import TaskConfig
from clr_tui.engine.tasks.initial_model import initial_model
from clr_tui.engine.tasks.resnet34 import TransferResNet34


def built(freeze: str, model: str = "shufflenet_v2_x0_5") -> nn.Module:
    task = TaskConfig(model=model, weights="none", freeze=freeze)
    size = 64 if model.startswith("mobilenet") else 32
    return initial_model(task, size, lambda *_: None, lambda _: None).builder(3, ["a", "b"])()


def changed_by_a_step(model: nn.Module) -> set[str]:
    before = copy.deepcopy(model.state_dict())
    sgd = torch.optim.SGD(model.train().parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    for _ in range(2):  # some heads start at zero, so nothing before them moves at first
        sgd.zero_grad()
        logits = model(torch.randn(4, 3, 64, 64))
        nn.functional.cross_entropy(logits, torch.tensor([0, 1, 0, 0])).backward()
        sgd.step()
    after = model.state_dict()
    return {
        name.removeprefix("net.") for name in after if not torch.equal(after[name], before[name])
    }


def test_a_layer_and_all_before_it_stay_with_their_statistics():
    changed = changed_by_a_step(built("stage3"))
    parts = {name.partition(".")[0] for name in changed}
    assert parts == {"stage4", "conv5", "fc"}


def test_a_layer_within_a_layer():
    changed = changed_by_a_step(built("stage3.4"))
    assert not [name for name in changed if name.startswith(("conv1", "stage2", "stage3.4"))]
    assert [name for name in changed if name.startswith("stage3.5")]


@pytest.mark.parametrize(
    ("model", "head"), [("shufflenet_v2_x0_5", "fc"), ("mobilenet_v3_small", "classifier.3")]
)
def test_all_but_last(model, head):
    net = built("all-but-last", model)
    assert changed_by_a_step(net) == {f"{head}.weight", f"{head}.bias"}
    # Dropout before the last layer belongs to what is trained.
    dropout = [m for m in net.train().modules() if isinstance(m, nn.Dropout)]
    assert all(module.training for module in dropout)
    assert not any(m.training for m in net.modules() if isinstance(m, nn.BatchNorm2d))
    assert not any(module.training for module in net.eval().modules())


def test_nothing_is_frozen_unless_asked_for():
    assert all(p.requires_grad for p in built("").parameters())
    assert all(p.requires_grad for p in built("none").parameters())


def test_resnet34_is_the_articles_unless_something_else_is_to_be_frozen():
    assert isinstance(built("", "resnet34"), TransferResNet34)
    plain = built("none", "resnet34")
    assert not isinstance(plain, TransferResNet34)
    assert all(p.requires_grad for p in plain.parameters())
    trained = {name for name, p in built("layer4.1", "resnet34").named_parameters()
               if p.requires_grad}  # fmt: skip
    assert {name.rpartition(".")[0] for name in trained} == {
        "net.fc",
        *(f"net.layer4.2.{layer}" for layer in ("conv1", "bn1", "conv2", "bn2")),
    }


@pytest.mark.parametrize(
    ("freeze", "said"),
    [
        ("stage9", "shufflenet_v2_x0_5 has no layer 'stage9'; did you mean 'stage"),
        ("xyz", "its layers are conv1, maxpool, stage2, stage3, stage4, conv5, fc"),
        ("fc", "leaves nothing of shufflenet_v2_x0_5 to train"),
    ],
)
def test_what_cannot_be_frozen(freeze, said):
    with pytest.raises(UserError) as caught:
        built(freeze)
    assert caught.value.field == "freeze"
    assert said in caught.value.message


def test_frozen_layers_that_are_random_are_noted():
    notes: list[str] = []
    task = TaskConfig(model="shufflenet_v2_x0_5", weights="none", freeze="stage2")
    initial_model(task, 32, lambda *_: None, notes.append)
    assert len(notes) == 1
    assert "its frozen layers are random" in notes[0]
