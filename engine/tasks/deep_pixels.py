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
    """An image scaled from its own range to 0 to 255. Each channel is an image of mode F."""

    channels: list[Image.Image]
    """Multiplied by alpha."""
    alpha: Image.Image | None
    """From 0 to 255; None if the image is transparent nowhere."""
    span: Span | None
    """None if it is transparent everywhere."""
    is_finite: bool
    """False if a NaN was replaced by the lowest value, or an infinity by the nearest finite one."""


def scaled(kind: str, values: Values, alpha: Values | None) -> DeepPicture:
    """Scales values, (height, width, channels), by the range of those that are not transparent.

    Raises:
        ValueError: none of them is finite.
    """
    import numpy as np

    is_shown = np.True_ if alpha is None else alpha > 0
    finite = values[is_shown & np.isfinite(values)]
    if is_shown.any() and not finite.size:
        raise ValueError("none of its pixels is a finite number")
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    # Halved first: the difference of two floats may be beyond the largest float.
    shades = np.nan_to_num(values, nan=low, posinf=high, neginf=low).clip(low, high) / 2 - low / 2
    shades = shades / ((high / 2 - low / 2) or 1) * 255
    if alpha is not None:
        shades = shades * alpha
    return DeepPicture(
        channels=[_image(shades[..., channel]) for channel in range(shades.shape[2])],
        alpha=None if alpha is None else _image(alpha[..., 0] * 255),
        span=Span(kind, low, high) if finite.size else None,
        is_finite=bool(np.isfinite(values).all()),
    )


def to_bytes(channel: Image.Image) -> bytes:
    """The values of an image of mode F, rounded."""
    import numpy as np

    return np.asarray(channel).round().clip(0, 255).astype(np.uint8).tobytes()


def _image(values: Values) -> Image.Image:
    import numpy as np

    return Image.fromarray(np.ascontiguousarray(values, dtype=np.float32))
