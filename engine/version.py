"""The version of clr-tui."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def package_version() -> str:
    """Returns the installed version of clr-tui; `"0"` if it is not installed."""
    try:
        return version("clr-tui")
    except PackageNotFoundError:
        return "0"
