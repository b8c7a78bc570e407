"""Flip, padded crop and rotation in batches, against per-image references."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from clr_tui.engine.tasks.augment import RandomAffine, sampling_grid


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(n: int = 64, size: int = 12) -> torch.Tensor:
    return torch.randint(0, 256, (n, 3, size, size), dtype=torch.uint8, generator=generator(9))


STILL = {"flip": False, "shift": 0, "degrees": 0.0}


def test_nothing_to_do_leaves_the_images_as_they_are():
    batch = images()
    out = RandomAffine(**STILL)(batch, generator())
    torch.testing.assert_close(out, batch.float(), atol=1e-3, rtol=0)


def test_each_image_is_flipped_or_left_alone_by_its_own_draw():
    batch = images(400)
    out = RandomAffine(flip=True, shift=0, degrees=0)(batch, generator())
    left, flipped = batch.float(), batch.float().flip(-1)
    is_left = ((out - left).abs().amax(dim=(1, 2, 3)) < 0.01).numpy()
    is_flipped = ((out - flipped).abs().amax(dim=(1, 2, 3)) < 0.01).numpy()
    assert (is_left ^ is_flipped).all()
    # 400 fair coins: 200 +- 10; seeds are fixed, so this cannot be flaky.
    assert 160 < is_flipped.sum() < 240


@pytest.mark.parametrize("fill", ["zeros", "reflection"])
def test_shifts_are_the_crops_of_a_padded_image(fill):
    batch, pad = images(300), 2
    out = RandomAffine(flip=False, shift=pad, degrees=0, fill=fill)(batch, generator()).numpy()
    mode = {"zeros": "constant", "reflection": "symmetric"}[fill]
    padded = np.pad(batch.float().numpy(), [(0, 0), (0, 0), (pad, pad), (pad, pad)], mode=mode)
    found = np.zeros((2 * pad + 1, 2 * pad + 1), dtype=int)
    for image, wide in zip(out, padded, strict=True):
        matches = [
            (y, x)
            for y in range(2 * pad + 1)
            for x in range(2 * pad + 1)
            if np.abs(image - wide[:, y : y + 12, x : x + 12]).max() < 0.05
        ]
        assert len(matches) == 1
        found[matches[0]] += 1
    # All 25 crops occur, of 300 images 12 times each on average.
    assert found.min() > 0


def test_rotation_equals_scipys():
    batch = images(16, size=15)
    augment = RandomAffine(flip=False, shift=0, degrees=10, fill="zeros")
    out = augment(batch, generator(3)).numpy()
    draws = torch.rand((4, 16), generator=generator(3))[1].numpy()
    for image, rotated, draw in zip(batch.numpy(), out, draws, strict=True):
        angle = math.radians((2 * float(draw) - 1) * 10)
        matrix = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        offset = np.array([7, 7]) - matrix @ np.array([7, 7])
        for channel in range(3):
            expected = ndimage.affine_transform(
                image[channel].astype(float), matrix, offset, order=1, mode="constant"
            )
            # scipy takes 0 for a pixel that lies partly outside: compare within.
            np.testing.assert_allclose(
                rotated[channel, 3:-3, 3:-3], expected[3:-3, 3:-3], atol=0.05
            )


def test_angles_stay_within_bounds_both_ways():
    """A dot on the edge of a disc moves along it by at most the largest angle."""
    size = 33
    batch = torch.zeros((500, 1, size, size), dtype=torch.uint8)
    batch[:, :, 15:18, 28:31] = 255
    out = RandomAffine(flip=False, shift=0, degrees=10)(batch, generator()).numpy()[:, 0]
    y, x = np.mgrid[:size, :size] - 16.0
    mass = out.sum(axis=(1, 2))
    angles = np.degrees(np.arctan2((out * y).sum((1, 2)) / mass, (out * x).sum((1, 2)) / mass))
    assert np.abs(angles).max() < 10.5
    assert angles.min() < -9
    assert angles.max() > 9


def test_the_same_generator_gives_the_same_bits():
    augment, batch = RandomAffine(), images()
    first = augment(batch, generator(4))
    assert torch.equal(first, augment(batch, generator(4)))
    assert not torch.equal(first, augment(batch, generator(5)))


def test_the_global_generator_is_left_alone():
    before = torch.get_rng_state()
    RandomAffine()(images(), generator())
    assert torch.equal(before, torch.get_rng_state())


def test_the_generator_moves_on_whatever_is_switched_on():
    """So a run's later draws do not depend on its options."""
    one, other = generator(), generator()
    RandomAffine()(images(), one)
    RandomAffine(**STILL)(images(), other)
    assert torch.equal(one.get_state(), other.get_state())


def test_digits_are_shifted_and_turned_but_never_mirrored(load):
    task = load()
    assert isinstance(task.augment, RandomAffine)
    assert not task.augment.flip
    assert task.augment.shift == 1
    assert task.augment.fill == "zeros"
    assert load(augment=False).augment is None


@pytest.mark.parametrize("size", [8, 15, 32, 224])
def test_the_grid_of_accelerators_is_torchs(size):
    theta = RandomAffine(shift=size // 8)._transforms(50, size, generator())
    exact = functional.affine_grid(theta.double(), [50, 3, size, size], align_corners=False)
    found = sampling_grid(theta, size)
    assert found.dtype == torch.float32
    # A few roundings of numbers up to 1; tf32 is off by some 5e-4.
    torch.testing.assert_close(found.double(), exact, atol=5e-7, rtol=0)


def test_a_shift_alone_leaves_values_as_they_are_on_accelerators():
    batch = images(20, size=224)
    theta = RandomAffine(flip=True, shift=28, degrees=0)._transforms(20, 224, generator())
    out = functional.grid_sample(batch.float(), sampling_grid(theta, 224), align_corners=False)
    # A place that is off by 2e-7 of half the side mixes in 2e-5 of the next pixel.
    assert (out - out.round()).abs().max() < 0.02


class Operations(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.append(str(func))
        return func(*args, **(kwargs or {}))


@pytest.mark.skipif(
    torch.__version__ < (2, 10) and not torch.cuda.is_available(),
    reason="before torch 2.10, fake CUDA tensors need a driver",
)
def test_no_matrices_are_multiplied_on_cuda():
    """They may be in tf32."""
    with FakeTensorMode(allow_non_fake_inputs=True), Operations() as seen:
        batch = torch.zeros(4, 3, 8, 8, dtype=torch.uint8, device="cuda")
        RandomAffine()(batch, generator())
    assert any("grid_sampler" in name for name in seen.names)
    assert not [name for name in seen.names if "mm" in name]
