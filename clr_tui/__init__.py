"""The package for task files: `clr_tui.Task` describes a model, its data and how it is trained.

Importing it loads nothing else. `Task` itself needs torch, which loads with its first use.
"""

from __future__ import annotations

from pkgutil import extend_path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clr_tui.engine.tasks.own_task import Task

__all__ = ["Task"]

# The folders engine/ and tui/ of a checkout are not in its clr_tui/: where the checkout is the
# working directory, this file comes before the installed package, which has them.
__path__ = extend_path(__path__, __name__)


def __getattr__(name: str) -> Any:
    if name == "Task":
        from clr_tui.engine.tasks.own_task import Task

        return Task
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
