"""ResNet34 on given weights: what fits, what is trained, what stays frozen; the download."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import ResNet34_Weights

from clr_tui.engine.errors import UserError
from clr_tui.engine.tasks import download
from clr_tui.engine.tasks.image_task import ImageTask
from clr_tui.engine.tasks.published_weights import downloaded


@pytest.fixture
def task(load: Callable[..., ImageTask], file: Path) -> ImageTask:
    return load(model="resnet34", weights=str(file), image_size=32)


def train_a_little(task: ImageTask, model: nn.Module) -> None:
    model.train()
    sgd = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
    for i in range(2):
        some = slice(16 * i, 16 * i + 16)
        sgd.zero_grad()
        images = task.normalise(task.train.inputs[some])
        task.loss(model(images), task.train.targets[some]).backward()
        sgd.step()


def test_grey_digits_pass_it_as_three_channels(task):
    assert task.channels == 3
    assert task.make_model(0)(task.normalise(task.test.inputs[:2])).shape == (2, 10)


def test_the_input_is_normalised_as_on_imagenet(task):
    theirs = ResNet34_Weights.IMAGENET1K_V1.transforms()
    assert task.mean.tolist() == pytest.approx(theirs.mean)
    assert task.std.tolist() == pytest.approx(theirs.std)
    image = task.train.inputs[:1]
    expected = (image / 255 - torch.tensor(theirs.mean).view(3, 1, 1)) / torch.tensor(
        theirs.std
    ).view(3, 1, 1)
    torch.testing.assert_close(task.normalise(image), expected, atol=1e-5, rtol=0)


def test_only_the_last_block_and_the_head_are_trained(task):
    model = task.make_model(0)
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert trained
    assert all(name.startswith(("net.layer4.2.", "net.fc.")) for name in trained)
    wanted = {n for n, _ in model.named_parameters() if n.startswith(("net.layer4.2.", "net.fc."))}
    assert trained == wanted


def test_training_changes_nothing_that_is_frozen(task, state):
    model = task.make_model(0)
    train_a_little(task, model)
    after = {name.removeprefix("net."): t for name, t in model.state_dict().items()}
    for name, tensor in state.items():
        if name.startswith("fc."):
            continue
        if name.startswith("layer4.2."):
            assert not torch.equal(after[name], tensor), name
        else:
            assert torch.equal(after[name], tensor), name


def test_frozen_features_do_not_depend_on_the_batch(task):
    """Batch norm in evaluation mode: an image's features are its own, in train mode too."""
    model = task.make_model(0).train()
    features: list[Tensor] = []
    hook = model.get_submodule("net.layer3").register_forward_hook(
        lambda module, args, output: features.append(output)
    )
    images = task.normalise(task.train.inputs[:8])
    model(images)
    model(images[:2])
    hook.remove()
    torch.testing.assert_close(features[0][:2], features[1], atol=1e-4, rtol=1e-4)


def test_the_last_blocks_batch_norms_do_train(task):
    model = task.make_model(0).train()
    assert model.get_submodule("net.layer4.2.bn1").training
    assert not model.get_submodule("net.layer4.1.bn1").training
    assert not model.eval().get_submodule("net.layer4.2.bn1").training


def test_the_head_is_drawn_from_the_seed(task):
    one, same, other = task.make_model(1), task.make_model(1), task.make_model(2)
    key = "net.fc.0.weight"
    assert torch.equal(one.state_dict()[key], same.state_dict()[key])
    assert not torch.equal(one.state_dict()[key], other.state_dict()[key])


def test_a_file_without_a_head_fits_too(load, state, tmp_path):
    headless = {k: v for k, v in state.items() if not k.startswith("fc.")}
    torch.save(headless, tmp_path / "headless.pth")
    task = load(model="resnet34", weights=str(tmp_path / "headless.pth"), image_size=32)
    taken = task.make_model(0).state_dict()["net.conv1.weight"]
    assert torch.equal(taken, state["conv1.weight"])


def test_without_weights_the_frozen_layers_are_random_and_a_note_says_so(load, told):
    load(model="resnet34", weights="none", image_size=32)
    assert len(told.notes) == 1
    assert "random" in told.notes[0]


def test_without_weights_the_datas_own_statistics_are_used(load):
    task = load(model="resnet34", weights="none", image_size=32)
    values = task.train.inputs[:, 0].double() / 255
    assert task.mean.tolist() == pytest.approx([values.mean().item()] * 3, rel=1e-5)


def misfit(load, path: Path) -> UserError:
    with pytest.raises(UserError) as caught:
        load(model="resnet34", weights=str(path), image_size=32)
    assert caught.value.field == "weights"
    return caught.value


def test_a_missing_file(load, tmp_path):
    assert "no weights file" in misfit(load, tmp_path / "none.pth").message


@pytest.mark.parametrize("content", [b"", b"not weights at all", b"PK\3\4 nor this"])
def test_a_file_that_is_no_state_dict(load, tmp_path, content):
    (tmp_path / "x.pth").write_bytes(content)
    assert "cannot be read as weights" in misfit(load, tmp_path / "x.pth").message


def test_a_pipe_of_weights_is_not_waited_for(deadline, load, tmp_path):
    os.mkfifo(tmp_path / "x.pth")
    assert "cannot be read as weights" in misfit(load, tmp_path / "x.pth").message


def test_a_pickled_model_is_not_executed(load, tmp_path):
    torch.save(nn.Linear(2, 2), tmp_path / "model.pth")
    assert "state_dict()" in misfit(load, tmp_path / "model.pth").message


def test_something_else_than_tensors(load, tmp_path):
    torch.save({"epoch": 3, "model": {}}, tmp_path / "x.pth")
    assert "holds no state dict" in misfit(load, tmp_path / "x.pth").message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("layer1.0.conv1.weight"), "'layer1.0.conv1.weight' is missing"),
        (
            lambda s: s.update({"conv1.weight": torch.zeros(64, 1, 7, 7)}),
            "(64, 1, 7, 7) instead of (64, 3, 7, 7)",
        ),
        (lambda s: s.update({"layer4.3.bn1.weight": torch.zeros(512)}), "'layer4.3.bn1.weight'"),
    ],
)
def test_weights_of_another_model(load, state, tmp_path, change, message):
    changed = dict(state)
    change(changed)
    torch.save(changed, tmp_path / "other.pth")
    assert message in misfit(load, tmp_path / "other.pth").message


class Server:
    """Stands in for urlopen."""

    def __init__(self, content: bytes) -> None:
        self.content, self.requests = content, 0

    def __call__(self, request, timeout):
        self.requests += 1
        response = io.BytesIO(self.content)
        response.headers = {"Content-Length": str(len(self.content))}
        return response


@pytest.fixture
def hub(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    return tmp_path / "hub" / "checkpoints"


def test_offline_is_one_sentence_that_says_what_to_do(load, hub, monkeypatch):
    def offline(request, timeout):
        raise URLError(OSError(101, "Network is unreachable"))

    monkeypatch.setattr(download, "urlopen", offline)
    message = misfit(load, Path("imagenet")).message
    assert "Network is unreachable" in message
    assert "https://download.pytorch.org/models/resnet34-b627a593.pth" in message
    assert f"into the folder {hub}" in message
    assert "--weights FILE" in message
    assert list(hub.iterdir()) == []


def test_a_damaged_download_is_not_kept(load, hub, monkeypatch):
    monkeypatch.setattr(download, "urlopen", Server(b"half of a file"))
    assert "damaged" in misfit(load, Path("imagenet")).message
    assert list(hub.iterdir()) == []


def test_a_download_tells_its_progress_and_is_made_once(hub, file, told, monkeypatch, capfd):
    server = Server(file.read_bytes())
    monkeypatch.setattr(download, "urlopen", server)
    url = f"https://example.org/resnet34-{hashlib.sha256(server.content).hexdigest()[:8]}.pth"
    first = downloaded(url, "resnet34", told.on_progress)
    assert downloaded(url, "resnet34", told.on_progress) == first
    assert server.requests == 1
    assert first.read_bytes() == server.content
    total = len(server.content) // 10**6
    assert told.progress[-1][1:] == (total, total)
    assert "MB" in told.progress[0][0]
    assert capfd.readouterr() == ("", "")
