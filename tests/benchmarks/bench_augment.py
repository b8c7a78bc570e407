"""Batched augmentation beside per-image transforms.

Flip, padded crop and rotation of 32x32 images in three channels, in batches of 64: ours, in one
resampling of the whole batch, beside torchvision's transforms on PIL images (as in a DataLoader's
worker) and on tensors, one image at a time. They take turns in one process. Run by hand:

    python tests/benchmarks/bench_augment.py [--batches N] [--rounds N]

Prints images a second of each (median over the rounds), and how many times faster ours is.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torchvision import transforms
from torchvision.transforms.functional import to_pil_image

from clr_tui.engine.tasks.augment import RandomAffine

BATCH, SIZE = 64, 32


def per_image(*, pil: bool) -> Callable[[list[object]], Tensor]:
    steps: list[object] = [
        transforms.RandomCrop(SIZE, padding=4, padding_mode="reflect"),
        transforms.RandomHorizontalFlip(),
        transforms.RandomRotation(10, interpolation=transforms.InterpolationMode.BILINEAR),
    ]
    if pil:
        steps.append(transforms.PILToTensor())
    transform = transforms.Compose(steps)
    return lambda images: torch.stack([transform(image) for image in images]).float()


def rate(work: Callable[[], object], batches: int) -> float:
    """Images a second."""
    start = time.perf_counter()
    for _ in range(batches):
        work()
    return batches * BATCH / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batches", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()

    generator = torch.Generator().manual_seed(0)
    batch = torch.randint(0, 256, (BATCH, 3, SIZE, SIZE), dtype=torch.uint8, generator=generator)
    ours, on_pil, on_tensors = RandomAffine(), per_image(pil=True), per_image(pil=False)
    pil_images, tensors = [to_pil_image(image) for image in batch], list(batch)
    contestants: dict[str, Callable[[], object]] = {
        "ours, batched": lambda: ours(batch, generator),
        "torchvision on PIL": lambda: on_pil(pil_images),
        "torchvision on tensors": lambda: on_tensors(tensors),
    }
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(args.rounds + 1):
        for name, work in contestants.items():
            measured = rate(work, args.batches)
            if turn:  # the first turn warms up
                rates[name].append(measured)
    best = statistics.median(rates["ours, batched"])
    for name, measured in rates.items():
        median = statistics.median(measured)
        print(f"{name:<24}{median:>12,.0f} images/s   ours is {best / median:.1f} x as fast")


if __name__ == "__main__":
    main()
