"""Notes on images that were not used exactly as they are stored."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from clr_tui.engine.tasks.deep_pixels import Span
from clr_tui.engine.tasks.pictures import Picture, Remark
from clr_tui.engine.words import be, have, many

_SENTENCES: dict[Remark, str] = {
    "on white": "{are} transparent in places: shown on white",
    "first frame": "{have} several frames or pages: only the first is used",
    "not rotated": "{have} EXIF data that cannot be read: used as stored, without rotation",
    "not finite": "{have} pixels that are not finite numbers: NaN counts as the lowest value",
}
"""The words after the number of images."""


class PictureNotes:
    """Collects the remarks on pictures, and the range of those of more than 8 bits per value.

    Such images are scaled by the range of all of them, not each by its own: a dark image stays
    darker than a bright one.
    """

    def __init__(self) -> None:
        self._remarks: Counter[Remark] = Counter()
        self._spans: dict[int, Span] = {}
        self._alphas: dict[int, bytes] = {}

    def add(self, row: int, picture: Picture) -> None:
        """Takes note of the picture in this row."""
        self._remarks.update(picture.remarks)
        if picture.span is not None:
            self._spans[row] = picture.span
        if picture.alpha is not None:
            self._alphas[row] = picture.alpha

    def rescale(self, images: NDArray[np.uint8]) -> None:
        """Scales pictures by the range of their kind, and puts them on white.

        Until then, each is scaled by its own range. A value is off by at most one, because the
        range of one picture is within the range of all.

        Args:
            images: (n, channels, size, size), changed in place; one for each row.
        """
        ranges = self._ranges()
        for row in self._spans.keys() | self._alphas.keys():
            own = self._spans.get(row)
            low, high = _levels(own, ranges[own.kind]) if own else (0.0, 255.0)
            if row in self._alphas:
                alpha = np.frombuffer(self._alphas[row], np.uint8).reshape(images.shape[2:]) / 255
                shades = alpha * low + images[row] * ((high - low) / 255) + (1 - alpha) * 255
                images[row] = shades.round().clip(0, 255)
            elif (low, high) != (0.0, 255.0):
                images[row] = np.linspace(low, high, 256).round().astype(np.uint8)[images[row]]

    def sentences(self) -> list[str]:
        """One for each kind of remark, and for each kind of pixels."""
        counts = Counter(span.kind for span in self._spans.values())
        ranges = [
            _sentence(
                counts[kind],
                f"{{have}} {kind} pixels, from {whole.low:.6g} to {whole.high:.6g}: all scaled by"
                " this range to 0 to 255",
            )
            for kind, whole in sorted(self._ranges().items())
        ]
        remarks = sorted(self._remarks.items())
        return ranges + [_sentence(count, _SENTENCES[remark]) for remark, count in remarks]

    def _ranges(self) -> dict[str, Span]:
        found: dict[str, Span] = {}
        for kind, low, high in self._spans.values():
            so_far = found.get(kind, Span(kind, low, high))
            found[kind] = Span(kind, min(low, so_far.low), max(high, so_far.high))
        return found


def _levels(own: Span, whole: Span) -> tuple[float, float]:
    """Where a range begins and ends if a wider one goes from 0 to 255."""
    # Halved as in `scaled`.
    width = whole.high / 2 - whole.low / 2
    if not width:
        return 0.0, 255.0
    low, high = ((end / 2 - whole.low / 2) / width * 255 for end in (own.low, own.high))
    return low, high


def _sentence(count: int, words: str) -> str:
    return f"{many(count, 'image')} {words.format(are=be(count), have=have(count))}"
