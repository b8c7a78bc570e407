"""Warnings to the user of a training loop, which must not end the training."""

from __future__ import annotations

import os
import sys
import warnings
from contextlib import suppress

_OURS = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")


def warn(sentence: str) -> None:
    """Warns at the user's line, like `warnings.warn`; where warnings are errors, on stderr."""
    level, frame = 1, sys._getframe()
    while frame.f_code.co_filename.startswith(_OURS) and frame.f_back is not None:
        level, frame = level + 1, frame.f_back
    try:
        warnings.warn(f"clr-tui: {sentence}", RuntimeWarning, stacklevel=level)
    except RuntimeWarning:
        with suppress(OSError, ValueError):
            print(f"clr-tui: {sentence}", file=sys.stderr)
