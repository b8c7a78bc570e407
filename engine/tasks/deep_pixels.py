"""Values of more than 8 bits made into 8.

numpy is imported where it is needed, as in `deep_files`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Values = NDArray[np.float64]


class Span(NamedTuple):
    """The lowest and the highest value in one image, or in several of one kind."""

    kind: str
    """Of the pixels: `signed 8-bit`, `16-bit`, `32-bit` or `floating-point`."""
    low: float
    high: float


class DeepPicture(NamedTuple):
    """The values of an image scaled from `span` to 0 to 255, each channel an image of mode F."""

    channels: list[Image.Image]
    span: Span
    is_finite: bool
    """False if a NaN was replaced by the lowest value, or an infinity by the nearest finite one."""


def scaled(kind: str, values: Values) -> DeepPicture:
    """Scales values, (height, width, channels), by their own range.

    Raises:
        ValueError: none of them is finite.
    """
    import numpy as np

    finite = values[np.isfinite(values)]
    if not finite.size:
        raise ValueError("none of its pixels is a finite number")
    low, high = float(finite.min()), float(finite.max())
    # Halved first: the difference of two floats may be beyond the largest float.
    shades = np.nan_to_num(values, nan=low, posinf=high, neginf=low) / 2 - low / 2
    shades = shades / ((high / 2 - low / 2) or 1) * 255
    channels = [
        Image.fromarray(np.ascontiguousarray(shades[..., channel], dtype=np.float32))
        for channel in range(shades.shape[2])
    ]
    return DeepPicture(channels, Span(kind, low, high), finite.size == values.size)


def to_bytes(channel: Image.Image) -> bytes:
    """The values of an image of mode F, rounded."""
    import numpy as np

    return np.asarray(channel).round().clip(0, 255).astype(np.uint8).tobytes()
