"""What your code uses: `Task` in a task file; `start`, `range_test`, `CLR` in a training loop.

Importing it loads nothing else. What needs torch, which `start` does not, loads it with its first
use.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import extend_path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clr_tui.engine.own_loop.run import Run
    from clr_tui.engine.own_loop.starting import start
    from clr_tui.engine.tasks.own_task import Task
    from clr_tui.engine.training.clr_scheduler import CLR
    from clr_tui.library.sweep import range_test

__all__ = ["CLR", "Run", "Task", "range_test", "start"]

_PLACES = {
    "CLR": "clr_tui.engine.training.clr_scheduler",
    "Run": "clr_tui.engine.own_loop.run",
    "Task": "clr_tui.engine.tasks.own_task",
    "range_test": "clr_tui.library.sweep",
    "start": "clr_tui.engine.own_loop.starting",
}
"""Where each name is defined."""

# The folders engine/ and tui/ of a checkout are not in its clr_tui/: where the checkout is the
# working directory, this file comes before the installed package, which has them.
__path__ = extend_path(__path__, __name__)


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
