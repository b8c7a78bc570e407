"""Classifiers of torchvision and timm by name: heads, sizes, published weights."""

from __future__ import annotations

from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from torch import nn
from torchvision import models
from torchvision.models.vision_transformer import interpolate_embeddings

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.catalogue import TORCHVISION
from clr_tui.engine.settings.config import TaskConfig
from clr_tui.engine.tasks import download
from clr_tui.engine.tasks.fitted_weights import fitted, shapes_of
from clr_tui.engine.tasks.initial_model import InitialModel, initial_model
from clr_tui.engine.tasks.published_weights import downloaded
from clr_tui.engine.tasks.torchvision_models import build_torchvision, published_by_torchvision
from clr_tui.engine.tasks.weights import Weights


def chosen(model: str, size: int = 64, **config: str) -> InitialModel:
    task = TaskConfig(**{"model": model, "weights": "none", **config})  # type: ignore[arg-type]
    return initial_model(task, size, lambda *_: None, lambda _: None)


def test_the_table_is_torchvisions_own_list():
    assert sorted(TORCHVISION) == sorted(models.list_models(module=models))
    for name, model in TORCHVISION.items():
        newest = models.get_model_weights(name).DEFAULT
        assert [model.image_size] == newest.transforms().crop_size, name


@pytest.mark.parametrize(
    "name", ["resnet18", "convnext_tiny", "vit_b_16", "mobilenet_v3_small", "efficientnet_b0"]
)
def test_all_layers_learn_from_small_images(name):
    model = chosen(name).builder(3, ["a", "b", "c"])().train()
    logits = model(torch.randn(4, 3, 64, 64))
    assert logits.shape == (4, 3)
    nn.functional.cross_entropy(logits, torch.tensor([0, 1, 2, 0])).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_grey_images_are_repeated_for_three_channels(load):
    task = load(model="shufflenet_v2_x0_5", weights="none", image_size=32)
    images = task.inputs(task.train, slice(0, 4))
    assert images.shape == (4, 3, 32, 32)
    assert torch.equal(images[:, 0], images[:, 2])
    assert task.make_model(0)(images).shape == (4, 10)
    assert torch.equal(task.make_model(0)(images), task.make_model(0)(images))


@pytest.mark.parametrize("name", ["googlenet", "inception_v3", "regnet_y_400mf", "maxvit_t"])
def test_models_with_ways_of_their_own_have_one_output(name):
    size = TORCHVISION[name].image_size
    model = chosen(name, size)._outline(3, 5).train()
    with torch.device("meta"):
        assert model(torch.empty(2, 3, size, size)).shape == (2, 5)


@pytest.mark.parametrize(
    ("name", "size", "words"),
    [
        ("alexnet", 32, "alexnet does not take images of 32x32 pixels (.*, such as 224"),
        ("vit_b_16", 100, "the side must be a multiple of 16 pixels"),
        ("maxvit_t", 64, "maxvit_t does not take images of 64x64"),
    ],
)
def test_a_size_that_a_model_cannot_take(name, size, words):
    with pytest.raises(UserError, match=words.replace("(.*", r"\(.*")) as caught:
        chosen(name, size)
    assert caught.value.field == "image_size"


def test_a_size_is_said_before_anything_is_downloaded_or_decoded(monkeypatch):
    def never(request, timeout):
        raise AssertionError("asked the network")

    monkeypatch.setattr(download, "urlopen", never)
    with pytest.raises(UserError) as caught:
        chosen("vit_b_16", 100, weights="imagenet")
    assert caught.value.field == "image_size"


def test_offline_the_sentence_names_file_and_folder(monkeypatch, tmp_path):
    def offline(request, timeout):
        raise URLError(OSError(101, "Network is unreachable"))

    monkeypatch.setattr(download, "urlopen", offline)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(UserError) as caught:
        chosen("convnext_tiny", weights="imagenet")
    assert caught.value.field == "weights"
    said = caught.value.message
    assert "https://download.pytorch.org/models/convnext_tiny-983f1562.pth" in said
    assert f"into the folder {tmp_path / 'checkpoints'}" in said
    assert "Network is unreachable" in said


def test_published_weights_come_with_their_own_normalisation():
    found = published_by_torchvision("efficientnet_v2_l", 480)
    assert (found.mean, found.std) == ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def test_a_file_in_torch_hubs_folder_is_the_published_one(monkeypatch, tmp_path):
    """Names, head and statistics as in torchvision, for a model whose layers have been renamed."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        theirs = models.mnasnet0_5(weights=None)
    url = models.MNASNet0_5_Weights.DEFAULT.url
    (tmp_path / "checkpoints").mkdir()
    torch.save(theirs.state_dict(), tmp_path / "checkpoints" / url.rpartition("/")[2])
    model = chosen("mnasnet0_5", weights="imagenet").builder(3, ["a", "b"])()
    images = torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(model.eval().layers(images), theirs.eval().layers(images))
    assert model.classifier[1].out_features == 2


def test_old_names_of_torchvisions_files_are_known():
    for name, new, old in [
        ("densenet121", "denselayer1.norm1.weight", "denselayer1.norm.1.weight"),
        ("vit_b_32", "encoder_layer_0.mlp.0.weight", "encoder_layer_0.mlp.linear_1.weight"),
    ]:
        with torch.device("meta"):
            model = build_torchvision(name, 3, 224, 1000)
        state = model.state_dict()
        renamed = {key.replace(new, old): value for key, value in state.items()}
        assert renamed.keys() != state.keys()
        found = fitted(Weights("w", renamed), shapes_of(model), (), name)
        assert found.state.keys() == state.keys()
        assert found.notes == []


def test_position_embeddings_are_interpolated_as_torchvision_does():
    generator = torch.Generator().manual_seed(0)
    old = {"encoder.pos_embedding": torch.randn(1, 197, 12, generator=generator)}
    expected = interpolate_embeddings(64, 16, dict(old))["encoder.pos_embedding"]
    wanted = {"encoder.pos_embedding": torch.Size((1, 17, 12))}
    found = fitted(Weights("w", old), wanted, (), "vit")
    torch.testing.assert_close(found.state["encoder.pos_embedding"], expected)
    assert "from 14x14 to 4x4 patches" in found.notes[0]


def test_timm_models_train_at_the_size_asked_for():
    pytest.importorskip("timm")
    for name in ("timm:resnet10t", "timm:vit_tiny_patch16_224"):
        model = chosen(name).builder(3, ["a", "b"])()
        assert model(torch.randn(2, 3, 64, 64)).shape == (2, 2)
    with pytest.raises(UserError, match="timm has no model 'resnet1x'; did you mean") as caught:
        chosen("timm:resnet1x")
    assert caught.value.field == "model"


def test_timms_weights_offline_and_from_its_folder(monkeypatch, tmp_path):
    timm = pytest.importorskip("timm")
    safetensors = pytest.importorskip("safetensors.torch")

    def offline(request, timeout):
        raise URLError(OSError(101, "Network is unreachable"))

    monkeypatch.setattr(download, "urlopen", offline)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    name = "vit_tiny_patch16_224.augreg_in21k_ft_in1k"
    with pytest.raises(UserError) as caught:
        chosen(f"timm:{name}", weights="imagenet")
    said = caught.value.message
    file = f"timm--{name}--model.safetensors"
    assert f"https://huggingface.co/timm/{name}/resolve/main/model.safetensors as {file}" in said
    theirs = timm.create_model(name)
    safetensors.save_file(theirs.state_dict(), tmp_path / "checkpoints" / file)
    model = chosen(f"timm:{name}", 64, weights="imagenet")
    built = model.builder(3, ["a", "b"])()
    key = "blocks.3.attn.qkv.weight"
    assert torch.equal(built.state_dict()[key], theirs.state_dict()[key])
    assert model.normalisation == ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def test_a_file_without_a_hash_in_its_name_is_checked_by_its_length(monkeypatch, tmp_path):
    class Short:
        headers = {"Content-Length": "10"}  # noqa: RUF012

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def read(self, _count, parts=iter([b"12345", b""])):  # noqa: B008
            return next(parts)

    monkeypatch.setattr(download, "urlopen", lambda request, timeout: Short())
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(UserError, match="damaged"):
        downloaded("https://example.org/model.safetensors", "m", lambda *_: None)
    assert list(Path(tmp_path / "checkpoints").iterdir()) == []
