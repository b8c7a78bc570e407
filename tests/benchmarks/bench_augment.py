"""Batched augmentation beside per-image transforms.

    python tests/benchmarks/bench_augment.py [--rounds N]

Flip, padded crop and rotation of 32x32 images with three channels, in batches of 64. Ours resamples
the whole batch once; torchvision's transforms run on PIL images (as in a DataLoader's worker) and
on tensors, one image at a time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

os.environ.setdefault("GOMP_SPINCOUNT", "3000")  # as the worker does

import measure
import torch
from torch import Tensor
from torchvision import transforms
from torchvision.transforms.functional import to_pil_image

from clr_tui.engine.tasks.augment import RandomAffine

BATCH, SIZE = 64, 32
BATCHES = 20
"""Batches per turn."""
OURS = "ours, batched"


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


def rate(work: Callable[[], object]) -> float:
    """Returns images per second."""
    start = time.perf_counter()
    for _ in range(BATCHES):
        work()
    return BATCHES * BATCH / (time.perf_counter() - start)


def main() -> int:
    report = measure.Report("augmentation")
    generator = torch.Generator().manual_seed(0)
    batch = torch.randint(0, 256, (BATCH, 3, SIZE, SIZE), dtype=torch.uint8, generator=generator)
    ours, on_pil, on_tensors = RandomAffine(), per_image(pil=True), per_image(pil=False)
    pil_images, tensors = [to_pil_image(image) for image in batch], list(batch)
    contestants: dict[str, Callable[[], float]] = {
        OURS: lambda: rate(lambda: ours(batch, generator)),
        "torchvision on PIL": lambda: rate(lambda: on_pil(pil_images)),
        "torchvision on tensors": lambda: rate(lambda: on_tensors(tensors)),
    }
    for warm_up in contestants.values():
        warm_up()
    rates = measure.take_turns(contestants, measure.rounds(7))
    for name, measured in rates.items():
        times = measure.spread(measure.ratio(rates[OURS], measured), 1)
        report.add(name, measured, "images/s", "" if name == OURS else f"ours is {times} as fast")
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
