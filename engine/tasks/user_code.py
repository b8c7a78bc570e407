"""Importing a user's file in this process and calling its function.

The file runs as under `python FILE.py`: the working directory is the one in which clr-tui was
started, the file's folder comes first in `sys.path`, and `sys.argv` has no arguments. The file is
the module `__mp_main__`, also known as `__main__`, as in the processes that multiprocessing spawns.
Those therefore find what the file defines, its block `if __name__ == "__main__":` does not run, and
its name may be that of any other module.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import os
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from clr_tui.engine.errors import UserError, describe_error, did_you_mean
from clr_tui.engine.settings.config import TaskConfig, Value
from clr_tui.engine.settings.task_place import TaskPlace
from clr_tui.engine.tasks import user_files
from clr_tui.engine.tasks.dataset import Progress
from clr_tui.engine.tasks.own_checks import task_mistake
from clr_tui.engine.tasks.own_model import seeded
from clr_tui.engine.tasks.own_task import Task
from clr_tui.engine.user_frames import place_of, set_task_place, show_from, shown, user_frame
from clr_tui.engine.words import type_in_words

_MAIN = "__mp_main__"


def enter(place: str, folder: str) -> None:
    """Sets working directory, `sys.path` and `sys.argv` as a user's file expects them.

    Args:
        place: of the task; nothing changes if it is empty.
        folder: the user's working directory.
    """
    if not place:
        return
    if folder:
        show_from(folder)
        with contextlib.suppress(OSError):  # it was removed
            os.chdir(folder)
    split = TaskPlace.split(place)
    first = os.path.dirname(split.where) if split.is_file else folder
    if first and sys.path[:1] != [first]:
        sys.path.insert(0, first)
    sys.argv = [split.where]
    user_files.keep_sources()


def user_task(config: TaskConfig, progress: Progress) -> Task:
    """Imports the user's file or module and calls its function.

    Their code finds the global generators seeded, so that data that it draws or splits at random is
    the same in each process.

    Raises:
        UserError: (field "task", or that of the parameter) this fails, or gives no `clr_tui.Task`.
    """
    place = TaskPlace.split(config.task)
    name = shown(place.where) if place.is_file else place.where
    with seeded(config.seed):
        progress(f"importing {name}", 0, 1)
        module = _imported(place, name)
        progress(f"importing {name}", 1, 1)
        function = _function(module, place.function, name)
        set_task_place(function)
        arguments = _arguments(function, config.parameters, f"{place.function} of {name}")
        try:
            made = function(**arguments)
        except (Exception, SystemExit) as error:  # a user's code may raise anything
            raise task_mistake(describe_error(error)[0]) from error
    if not isinstance(made, Task):
        raise task_mistake(f"{place.function} {_instead(made)}", function)
    return made


def _imported(place: TaskPlace, name: str) -> ModuleType:
    try:
        return _run_file(place.where) if place.is_file else importlib.import_module(place.where)
    except ModuleNotFoundError as error:
        where = user_frame(error)
        at = f" ({where})" if where else ""
        there = f"put it beside {name}" if place.is_file else "start clr-tui in the folder with it"
        words = f"no module '{error.name}': install it for {sys.executable}, or {there}"
        raise task_mistake(f"{words}{at}") from error
    except OSError as error:
        if place.is_file and error.filename == place.where:
            raise task_mistake(f"{name} cannot be read: {error.strerror}") from error
        raise task_mistake(describe_error(error)[0]) from error
    except (Exception, SystemExit) as error:  # a user's code may raise anything
        words = describe_error(error)[0]
        if place.is_file and isinstance(error, ImportError) and "relative import" in str(error):
            words += (
                f": if {name} is in a package, give the task as package.module:{place.function}"
            )
        raise task_mistake(words) from error


def _run_file(path: str) -> ModuleType:
    module = ModuleType(_MAIN)
    module.__file__ = path
    module.__spec__ = None  # so that spawned processes run the file too
    code = compile(user_files.source(path), path, "exec", dont_inherit=True)
    sys.modules[_MAIN] = sys.modules["__main__"] = module
    exec(code, module.__dict__)
    return module


def _function(module: ModuleType, name: str, of: str) -> Callable[..., Any]:
    try:
        found: Any = getattr(module, name)
    except AttributeError:
        near = did_you_mean(name, [each for each in vars(module) if not each.startswith("_")])
        raise task_mistake(f"{of} has no function '{name}'{near}") from None
    if not callable(found):
        raise task_mistake(f"{name} of {of} is {type_in_words(found)}, not a function")
    function: Callable[..., Any] = found
    return function


def _arguments(
    function: Callable[..., Any], given: Mapping[str, Value], said: str
) -> dict[str, Any]:
    """The arguments, with tuples where the defaults are tuples: `run.json` has only lists."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # of a callable that is not written in Python
        return dict(given)
    arguments: dict[str, Any] = {}
    for name, value in given.items():
        parameter = signature.parameters.get(name)
        as_tuple = parameter is not None and isinstance(parameter.default, tuple)
        arguments[name] = tuple(value) if as_tuple and isinstance(value, list) else value
    try:
        signature.bind(**arguments)
    except TypeError as error:
        at = f" ({where})" if (where := place_of(function)) else ""
        raise UserError(f"{said}: {error}; see --set{at}", "parameters") from error
    return arguments


def _instead(made: object) -> str:
    if made is None:
        return "returned None, not a clr_tui.Task: is 'return' missing?"
    hint = "return clr_tui.Task(model=..., train=...)"
    return f"returned {type_in_words(made)}, not a clr_tui.Task: {hint}"
