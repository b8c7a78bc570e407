"""What training needs to be installed, and reading logs does not."""

from __future__ import annotations

from importlib.util import find_spec

from clr_tui.engine.errors import UserError
from clr_tui.engine.words import be, listed

PACKAGES = {
    "torch": "torch",
    "torchvision": "torchvision",
    "pillow": "PIL",
    "safetensors": "safetensors",
}
"""The modules that training imports, by the names of their packages."""


def check_can_train() -> None:
    """Raises UserError if a package is missing, as in an installation that only reads logs."""
    missing = [name for name, module in PACKAGES.items() if find_spec(module) is None]
    if missing:
        raise UserError(
            f"training needs {listed(missing)}, which {be(len(missing))} not installed here: run "
            f"`pip install {' '.join(missing)}`; watch, replay and export work without"
        )
