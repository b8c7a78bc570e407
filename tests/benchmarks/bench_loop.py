"""Steps a second of the sweep's loop, beside a plain DataLoader loop and torch-lr-finder.

The same CNN, 32x32 images in three channels, batch 64, random crop and flip, SGD with momentum;
synthetic data. The loops take turns in one process, so that whatever else the machine does meets
all of them. Run by hand:

    python tests/benchmarks/bench_loop.py [--steps N] [--rounds N]

Prints the median of each and its ratio to ours.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # as the worker does

import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torch_lr_finder import LRFinder
from torchvision import transforms

from clr_tui.engine.runs.config import OptimizerConfig, RangeTestConfig
from clr_tui.engine.tasks.augment import RandomAffine
from clr_tui.engine.tasks.cnn import build_cnn
from clr_tui.engine.tasks.part import Part
from clr_tui.engine.tasks.task import Task
from clr_tui.engine.training.job import use_all_cores
from clr_tui.engine.training.range_test import sweep
from clr_tui.engine.training.recorder import Recorder
from clr_tui.engine.training.stopwatch import Stopwatch
from clr_tui.engine.training.trainee import make_trainee

IMAGES, CLASSES, BATCH, SIZE = 2048, 5, 64, 32


class Photographs(Dataset[tuple[Tensor, int]]):
    """As in a tutorial: PIL images, transformed one by one."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.images = [Image.fromarray(i.permute(1, 2, 0).numpy()) for i in images]
        self.labels = labels.tolist()
        self.transform = transforms.Compose(
            [
                transforms.RandomCrop(SIZE, padding=4),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize([0.5] * 3, [0.25] * 3),
            ]
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(self.images[index]), self.labels[index]


def fresh_model() -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    model = build_cnn(3, SIZE, CLASSES)
    return model, torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)


def plain_loop(loader: DataLoader[tuple[Tensor, Tensor]], steps: int) -> None:
    model, sgd = fresh_model()
    batches = iter(loader)
    for _ in range(steps):
        images, labels = next(batches)
        sgd.zero_grad()
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        sgd.step()
        loss.item()


def lr_finder(loader: DataLoader[tuple[Tensor, Tensor]], steps: int) -> None:
    model, sgd = fresh_model()
    finder = LRFinder(model, sgd, nn.CrossEntropyLoss(), device="cpu")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        finder.range_test(loader, end_lr=1e-2, num_iter=steps, diverge_th=1e9)


def our_loop(task: Task, steps: int) -> None:
    trainee = make_trainee(task, OptimizerConfig(), batch_size=BATCH, seed=0, precision="float32")
    config = RangeTestConfig(start_lr=1e-3, end_lr=1e-2, steps=steps)
    recorder = Recorder(
        lambda event: None,
        trial=0,
        total_steps=steps,
        batch_size=BATCH,
        stopwatch=Stopwatch(),
        eager=True,
        watch=lambda step, lr, loss: None,
        accuracy=False,
    )
    sweep(trainee, config, steps, recorder)


def make_loops() -> dict[str, Callable[[int], None]]:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (IMAGES, 3, SIZE, SIZE), generator=generator).to(torch.uint8)
    labels = torch.randint(0, CLASSES, (IMAGES,), generator=generator)
    part = Part(images, labels)
    task = Task(
        name="noise",
        model_name="cnn",
        classes=[str(i) for i in range(CLASSES)],
        train=part,
        validation=part,
        test=part,
        channels=3,
        image_size=SIZE,
        mean=torch.full((3,), 0.5),
        std=torch.full((3,), 0.25),
        build=lambda: build_cnn(3, SIZE, CLASSES),
        augment=RandomAffine(flip=True, shift=4, degrees=0.0),
    )
    data = Photographs(images, labels)
    loader = DataLoader(data, BATCH, shuffle=True, drop_last=True)
    workers = DataLoader(
        data, BATCH, shuffle=True, drop_last=True, num_workers=2, persistent_workers=True
    )
    return {
        "ours": lambda steps: our_loop(task, steps),
        "DataLoader": lambda steps: plain_loop(loader, steps),
        "DataLoader, 2 workers": lambda steps: plain_loop(workers, steps),
        "torch-lr-finder": lambda steps: lr_finder(loader, steps),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=30, help="a round, at most an epoch's 32")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    use_all_cores()
    loops = make_loops()
    rates: dict[str, list[float]] = {name: [] for name in loops}
    for loop in loops.values():
        loop(3)
    for _ in range(arguments.rounds):
        for name, loop in loops.items():
            begin = time.perf_counter()
            loop(arguments.steps)
            rates[name].append(arguments.steps / (time.perf_counter() - begin))
    ours = statistics.median(rates["ours"])
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}; medians of rounds")
    for name, seen in rates.items():
        median = statistics.median(seen)
        spread = f"{min(seen):.1f} to {max(seen):.1f}"
        print(f"{name:24}{median:7.1f} steps/s  ({spread})   ours is {ours / median:.2f}x")


if __name__ == "__main__":
    main()
