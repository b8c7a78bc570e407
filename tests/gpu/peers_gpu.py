"""torch-lr-finder and a plain DataLoader loop on this device, on the same images.

usage: peers_gpu.py SIZE [WORKERS]...

Both are written as their documentation shows them. Prints the steps per second of each, by number
of loader processes.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import sys
import time
import warnings

import torch
from common import BATCH, CUDA, DATA, DEVICE, TINY, build_cnn, now
from torch import nn
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2


def loader(size: int, workers: int) -> DataLoader:
    steps = [
        v2.Resize(size),
        v2.CenterCrop(size),
        v2.RandomCrop(size, padding=size // 8, padding_mode="reflect"),
        v2.RandomHorizontalFlip(),
        v2.RandomRotation(10, interpolation=v2.InterpolationMode.BILINEAR),
        v2.PILToTensor(),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize((0.47, 0.43, 0.32), (0.29, 0.26, 0.28)),
    ]
    data = ImageFolder(DATA, v2.Compose(steps))
    return DataLoader(
        data,
        BATCH,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=CUDA,
    )


def forever(batches):
    while True:
        yield from batches


def fresh(size: int, classes: int):
    model = build_cnn(3, size, classes).to(DEVICE)
    return model, torch.optim.SGD(model.parameters(), lr=1e-5, momentum=0.9)


def plain(batches: DataLoader, size: int, steps: int) -> float:
    model, sgd = fresh(size, len(batches.dataset.classes))
    stream = forever(batches)
    begin = 0.0
    for i, (images, labels) in enumerate(itertools.islice(stream, steps + 5)):
        if i == 5:
            begin = now()
        images = images.to(DEVICE, non_blocking=True)
        labels = labels.to(DEVICE, non_blocking=True)
        sgd.zero_grad()
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        sgd.step()
        loss.item()
    return steps / (now() - begin)


def lr_finder(batches: DataLoader, size: int, steps: int) -> float:
    from torch_lr_finder import LRFinder

    def sweep(count: int) -> float:
        model, sgd = fresh(size, len(batches.dataset.classes))
        finder = LRFinder(model, sgd, nn.CrossEntropyLoss(), device=DEVICE)
        begin = now()
        quiet = io.StringIO()
        with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
            finder.range_test(batches, end_lr=1e-2, num_iter=count, diverge_th=1e9)
        return count / (now() - begin)

    sweep(3)
    return sweep(steps)


def main() -> None:
    warnings.simplefilter("ignore")
    size = int(sys.argv[1])
    for workers in map(int, sys.argv[2:] or ("0", "8", "16")):
        steps = 4 if TINY else 40 if workers == 0 else 250
        batches = loader(size, workers)
        begin = time.perf_counter()
        loop, finder = plain(batches, size, steps), lr_finder(batches, size, steps)
        found = f"plain loop {loop:.1f} steps/s, torch-lr-finder {finder:.1f}"
        took = time.perf_counter() - begin
        print(f"{size}px, {workers:2} loader processes: {found} ({took:.0f} s)", flush=True)
        del batches


if __name__ == "__main__":
    main()
