"""Small folders of images, weights of a ResNet34, and loading without a progress bar."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch
from made_images import fill_folder
from torch import Tensor

from clr_tui.engine.settings.config import TaskConfig
from clr_tui.engine.tasks.image_task import ImageTask
from clr_tui.engine.tasks.load import load_task


@dataclass
class Told:
    """What a loader reported."""

    notes: list[str] = field(default_factory=list)
    progress: list[tuple[str, int, int]] = field(default_factory=list)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def on_progress(self, what: str, done: int, total: int) -> None:
        self.progress.append((what, done, total))


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def load(tmp_path: Path, told: Told) -> Callable[..., ImageTask]:
    """`load_task` on the CPU: load(data=..., image_size=...), cached in a folder of the test's."""

    def load(**config: object) -> ImageTask:
        return load_task(
            TaskConfig(**config),  # type: ignore[arg-type]
            torch.device("cpu"),
            told.on_progress,
            told.note,
            tmp_path / "cache",
        )

    return load


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., Path]:
    """make_folder({"cat": 12, "dog": 10}): a folder of images named `animals`."""
    return functools.partial(fill_folder, tmp_path / "animals")


@pytest.fixture(scope="session")
def state() -> dict[str, Tensor]:
    """A ResNet34 of torchvision's own making, with statistics that are not the initial ones."""
    from torchvision.models import resnet34

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = resnet34(weights=None)
        with torch.no_grad():
            model.train()(torch.rand(4, 3, 32, 32))
    return dict(model.state_dict())


@pytest.fixture
def file(state: dict[str, Tensor], tmp_path: Path) -> Path:
    """Those weights, as a user would give them."""
    torch.save(state, tmp_path / "resnet.pth")
    return tmp_path / "resnet.pth"
