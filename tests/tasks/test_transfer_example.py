"""An example of the docs: an EfficientNet-Lite0 of which the last block is trained."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "transfer_flowers.py"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("transfer_flowers", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path):
    random = np.random.default_rng(0)
    for name in ("daisy", "tulip"):
        (tmp_path / name).mkdir()
        for number in range(20):
            pixels = random.integers(0, 256, (80, 100, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.jpg")
    return tmp_path


def test_trunk_and_head_together_are_the_published_network(example):
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    head = example.Head(5).eval()
    with torch.no_grad():
        ours = head.convolution(head.block(example.Trunk()(images)))
        published = example.pretrained().eval().extract_features(images)
    torch.testing.assert_close(ours, published)


def test_a_photograph_has_the_values_of_the_published_preprocessing(example, folder):
    white = folder / "white.png"
    Image.new("RGB", (10, 10), "white").save(white)
    read = example.read(white, 8)
    assert read.shape == (3, 8, 8)
    assert torch.equal(read, torch.ones(3, 8, 8))


def test_every_photograph_is_in_one_part(example, folder):
    task = example.task(str(folder), 64)
    parts = {"train": 32, "validation": 4, "test": 4}
    for name, count in parts.items():
        features, labels = getattr(task, name)
        assert features.shape == (count, 192, 2, 2)
        assert labels.bincount().tolist() == [count // 2, count // 2]
    seen = torch.cat([getattr(task, name)[0] for name in parts])
    assert len(seen.flatten(1).unique(dim=0)) == 40
