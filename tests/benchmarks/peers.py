"""Today's tools, each used as in its documentation, in a separate process.

    python peers.py NAME FOLDER SIZE WORKERS

replies to each number of steps on stdin with the seconds that they took. All train the same network
on the same files with the same augmentation (flip, padded crop, rotation), batch 64, SGD with
momentum; none writes a log. A tool with its own augmentation (fastai) uses that.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

BATCH = 64
DEGREES = 10
START, END = 1e-5, 1e-2
"""Rates at which nothing diverges, so that every sweep has its full length."""
MEAN, STD = (0.47, 0.43, 0.32), (0.29, 0.26, 0.28)

LIMIT_ENVIRONMENT = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "4000000000",
}
"""Makes the bare loop fastest: freed memory stays with the process."""

Work = Callable[[int], object]
"""Runs a number of steps."""


class Contestant:
    """A peer running in another process."""

    def __init__(
        self,
        name: str,
        folder: Path,
        size: int,
        workers: int = 0,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, name, str(folder), str(size), str(workers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
            text=True,
        )

    def seconds(self, steps: int) -> float:
        """Returns the seconds that `steps` steps take."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{steps}\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline() or "nan")

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def model(size: int, classes: int) -> Any:
    """The engine's network with its blocks in textbook order."""
    from torch import nn

    from clr_tui.engine.tasks.cnn import build_cnn

    layers = list(build_cnn(3, size, classes))
    for i in range(len(layers) - 1):
        if isinstance(layers[i], nn.MaxPool2d) and isinstance(layers[i + 1], nn.ReLU):
            layers[i], layers[i + 1] = layers[i + 1], layers[i]
    return nn.Sequential(*layers)


def loader(folder: Path, size: int, workers: int, *, augmented: bool = True) -> Any:
    """A DataLoader over the files, as in a tutorial."""
    from torch.utils.data import DataLoader
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import v2 as transforms

    steps: list[Any] = [transforms.Resize(size), transforms.CenterCrop(size)]
    if augmented:
        steps += [
            transforms.RandomCrop(size, padding=size // 8, padding_mode="reflect"),
            transforms.RandomHorizontalFlip(),
            transforms.RandomRotation(DEGREES, interpolation=transforms.InterpolationMode.BILINEAR),
        ]
    steps += [transforms.PILToTensor(), transforms.ToDtype(_float32(), scale=True)]
    steps.append(transforms.Normalize(MEAN, STD))
    return DataLoader(
        ImageFolder(folder, transforms.Compose(steps)),
        BATCH,
        shuffle=augmented,
        drop_last=augmented,
        num_workers=workers,
        persistent_workers=workers > 0,
    )


def _float32() -> Any:
    import torch

    return torch.float32


def _fresh(size: int, classes: int) -> tuple[Any, Any]:
    import torch

    network = model(size, classes)
    return network, torch.optim.SGD(network.parameters(), lr=START, momentum=0.9)


def plain(folder: Path, size: int, workers: int) -> Work:
    """A training loop over a DataLoader that reads the loss at each step, as a sweep must."""
    batches = loader(folder, size, workers)

    def work(steps: int) -> None:
        network, sgd = _fresh(size, len(batches.dataset.classes))
        for images, labels in itertools.islice(_forever(batches), steps):
            train_step(network, sgd, images, labels).item()

    return work


def _forever(batches: Any) -> Any:
    while True:
        yield from batches


def train_step(network: Any, optimizer: Any, images: Any, labels: Any) -> Any:
    """Performs one update; returns the loss."""
    from torch.nn import functional

    optimizer.zero_grad()
    loss = functional.cross_entropy(network(images), labels)
    loss.backward()
    optimizer.step()
    return loss.detach()


def comparison(folder: Path, size: int, workers: int) -> Work:
    """Trains and validates an epoch for each of the article's optimizers."""
    import torch
    from torch.utils.data import DataLoader, Subset

    batches = loader(folder, size, workers)
    checked = loader(folder, size, 0, augmented=False).dataset
    optimizers = torch.optim
    classes = {
        optimizers.Adagrad: 1e-2,
        optimizers.Adadelta: 1.0,
        optimizers.RMSprop: 1e-3,
        optimizers.Adam: 1e-3,
        optimizers.Adamax: 2e-3,
        optimizers.SGD: 1e-3,
    }

    def work(steps: int) -> None:
        for optimizer_class, rate in classes.items():
            network = model(size, len(checked.classes))
            optimizer = optimizer_class(network.parameters(), lr=rate)
            for images, labels in itertools.islice(_forever(batches), steps):
                train_step(network, optimizer, images, labels).item()
            network.eval()
            part = Subset(checked, range(0, len(checked), len(checked) // (BATCH * steps // 8)))
            with torch.no_grad():
                for images, labels in DataLoader(part, BATCH):
                    (network(images).argmax(1) == labels).float().mean().item()

    return work


def lr_finder(folder: Path, size: int, workers: int) -> Work:
    """torch-lr-finder."""
    from torch import nn
    from torch_lr_finder import LRFinder

    batches = loader(folder, size, workers)

    def work(steps: int) -> None:
        network, sgd = _fresh(size, len(batches.dataset.classes))
        finder = LRFinder(network, sgd, nn.CrossEntropyLoss(), device="cpu")
        finder.range_test(batches, end_lr=END, num_iter=steps, diverge_th=1e9)
        finder.reset()

    return work


def lightning(folder: Path, size: int, workers: int) -> Work:
    """Lightning's Tuner.lr_find."""
    import torch
    from lightning.pytorch import LightningModule, Trainer
    from lightning.pytorch.tuner import Tuner
    from torch.nn import functional

    batches = loader(folder, size, workers)

    class Module(LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.lr = START
            self.network = model(size, len(batches.dataset.classes))

        def training_step(self, batch: Any, _index: int) -> Any:
            images, labels = batch
            return functional.cross_entropy(self.network(images), labels)

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=self.lr, momentum=0.9)

    def work(steps: int) -> None:
        with tempfile.TemporaryDirectory() as place:  # it saves the weights, to restore them
            trainer = Trainer(
                accelerator="cpu",
                max_epochs=-1,
                logger=False,
                enable_progress_bar=False,
                enable_model_summary=False,
                enable_checkpointing=False,
                default_root_dir=place,
            )
            Tuner(trainer).lr_find(
                Module(),
                batches,
                min_lr=START,
                max_lr=END,
                num_training=steps,
                early_stop_threshold=None,
            )

    return work


def fastai(folder: Path, size: int, workers: int) -> Work:
    """fastai's lr_find, with its own transforms in batches."""
    import torch
    from fastai.optimizer import OptimWrapper
    from fastai.vision.all import ImageDataLoaders, Learner, Normalize, Resize, aug_transforms
    from torch import nn

    torch.set_num_threads(os.cpu_count() or 1)
    data = ImageDataLoaders.from_folder(
        folder,
        valid_pct=0.01,
        seed=0,
        item_tfms=Resize(size + 2 * (size // 8)),
        batch_tfms=[
            *aug_transforms(
                size=size, max_rotate=DEGREES, max_zoom=1.0, max_warp=0.0, max_lighting=0.0
            ),
            Normalize.from_stats(MEAN, STD, cuda=False),
        ],
        bs=BATCH,
        num_workers=workers,
        device=torch.device("cpu"),
    )

    def optimizer(parameters: Any, lr: float) -> Any:
        return OptimWrapper(parameters, torch.optim.SGD, lr=lr, momentum=0.9)

    def work(steps: int) -> None:
        with tempfile.TemporaryDirectory() as place:  # it saves the weights, to restore them
            learner = Learner(
                data,
                model(size, data.c),
                nn.CrossEntropyLoss(),
                opt_func=optimizer,
                path=Path(place),
            )
            with learner.no_bar():
                learner.lr_find(
                    start_lr=START, end_lr=END, num_it=steps, stop_div=False, show_plot=False
                )

    return work


def bare(folder: Path, size: int, layout: int) -> Work:
    """The limit: the engine's network on one batch in memory, no augmentation, no loss read.

    Args:
        folder: sets the number of classes.
        size: side of the images, pixels.
        layout: 1 for channels_last.
    """
    import torch

    from clr_tui.engine.tasks.cnn import build_cnn

    torch.manual_seed(0)
    classes = sum(1 for _ in folder.iterdir())
    form = torch.channels_last if layout else torch.contiguous_format
    images = torch.randn(BATCH, 3, size, size).to(memory_format=form)
    labels = torch.randint(0, classes, (BATCH,))

    def work(steps: int) -> None:
        network = build_cnn(3, size, classes).to(memory_format=form)
        sgd = torch.optim.SGD(network.parameters(), lr=START, momentum=0.9)
        for _ in range(steps):
            train_step(network, sgd, images, labels)

    return work


PEERS = {f.__name__: f for f in (plain, comparison, lr_finder, lightning, fastai, bare)}


def main() -> None:
    name, folder, size, workers = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # tools print progress
    warnings.simplefilter("ignore")
    work = PEERS[name](Path(folder), int(size), int(workers))
    for line in sys.stdin:
        begin = time.perf_counter()
        work(int(line))
        with contextlib.suppress(BrokenPipeError):
            print(time.perf_counter() - begin, file=answers, flush=True)


if __name__ == "__main__":
    main()
