"""The function that makes a user's task, and its parameters, read without importing the file.

The form and the check must not run a user's code, which imports torch and may do anything. So they
read the file's syntax tree. What it cannot tell (a function that the file imports from elsewhere, a
default that is computed) is left to the worker, which imports the file.
"""

from __future__ import annotations

import ast
import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

from clr_tui.engine.errors import UserError, did_you_mean
from clr_tui.engine.regular import Stamp, read_regular, stamp_of
from clr_tui.engine.settings.config import Value
from clr_tui.engine.settings.task_parameters import FIELD, Parameter, as_value
from clr_tui.engine.settings.task_place import TaskPlace
from clr_tui.engine.words import listed

_MAX_FILE_BYTES = 8 << 20
_TYPES: dict[str, Any] = {"bool": bool, "int": int, "float": float, "str": str}
_trees: dict[Path, tuple[Stamp | None, ast.Module]] = {}
"""The form reads the same file again after each key."""


@dataclass(frozen=True)
class TaskFunction:
    """A function that makes a task, as its file describes it."""

    path: Path
    """Absolute."""
    name: str
    parameters: tuple[Parameter, ...] = ()
    open: bool = False
    """Whether it may take other parameters too: it has `**names`, or is defined elsewhere."""

    def read(self, texts: Sequence[str]) -> dict[str, Value]:
        """Parses the `NAME=VALUE` of `--set`; a later value of a name replaces an earlier one.

        Raises:
            UserError: for the first text that is wrong (field "parameters", or that of the
                parameter).
        """
        values: dict[str, Value] = {}
        for text in texts:
            name, equals, value = text.partition("=")
            name = name.strip()
            if not equals or not name:
                words = f"--set '{text}' is not a name and a value; give one such as --set width=64"
                raise UserError(words, FIELD)
            if (parameter := self.parameter(name)) is None:
                raise self._unknown(name)
            values[name] = parameter.read(value)
        return values

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of that name; None if the function takes no such parameter."""
        for each in self.parameters:
            if each.name == name:
                return each
        return Parameter(name) if self.open and name.isidentifier() else None

    def mistakes(self, values: Mapping[str, Value]) -> Iterator[UserError]:
        """Yields an error for each wrong value and for each required parameter that is missing."""
        for name, value in values.items():
            parameter = self.parameter(name)
            mistake = parameter.mistake(value) if parameter else self._unknown(name)
            if mistake:
                yield mistake
        for each in self.parameters:
            if each.required and each.name not in values:
                words = f"{self.name} of {self.path.name} needs {each.name}: give"
                yield UserError(f"{words} --set {each.name}=VALUE", each.field)

    def _unknown(self, name: str) -> UserError:
        known = [each.name for each in self.parameters]
        hint = did_you_mean(name, known)
        if not hint:
            hint = f": it takes {listed(known)}" if known else ": it takes no parameters"
        return UserError(f"{self.name} of {self.path.name} takes no '{name}'{hint}", FIELD)


def task_function(place: str, folder: str | Path = "") -> TaskFunction:
    """Finds the function of a user's task and reads its parameters.

    Args:
        place: `FILE.py[:FUNC]` or `package.module[:FUNC]`.
        folder: what a file's path is relative to, and where modules are looked for first; empty
            for the working directory.

    Raises:
        UserError: (field "task") there is no such file, module or function, or the file cannot be
            read as Python.
    """
    split = TaskPlace.split(place.strip())
    path = _file(split, folder) if split.is_file else _module(split, folder)
    tree = _tree(path, _shown(path, folder))
    found = _function(tree, split.function)
    if isinstance(found, ast.FunctionDef):
        positional, parameters = _parameters(found)
        if positional:
            words = f"takes '{positional}' only by position, but parameters are given by name"
            raise _mistake(f"{split.function} {words}", path, found.lineno)
        open_ = found.args.kwarg is not None
        return TaskFunction(path, split.function, tuple(parameters), open_)
    if isinstance(found, ast.AsyncFunctionDef):
        words = f"{split.function} is an async function: write 'def {split.function}'"
        raise _mistake(words, path, found.lineno)
    if found is None and not _may_define(tree, split.function):
        raise UserError(_missing(tree, split, path), "task")
    return TaskFunction(path, split.function, open=True)


def absolute_place(place: str, folder: str | Path = "") -> str:
    """The place as it is stored: with the file's absolute path, and always with the function."""
    split = TaskPlace.split(place.strip())
    if split.is_file:
        split = split._replace(where=str(_absolute(split.where, folder)))
    return str(split)


def _absolute(path: str, folder: str | Path) -> Path:
    return Path(os.path.abspath(os.path.join(folder, os.path.expanduser(path))))


def _file(place: TaskPlace, folder: str | Path) -> Path:
    path = _absolute(place.where, folder)
    if path.is_dir():
        raise UserError(f"task '{place.where}' is a folder: give a file such as mytask.py", "task")
    if path.suffix != ".py":
        raise UserError(
            f"task '{place.where}' is not a Python file: give one ending in .py", "task"
        )
    if not path.exists():
        near = did_you_mean(path.name, _python_files(path.parent))
        folder_missing = "" if path.parent.is_dir() else f": there is no folder '{path.parent}'"
        raise UserError(f"no task file '{place.where}'{near or folder_missing}", "task")
    return path


def _python_files(folder: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(".py"))
    except OSError:
        return []


def _module(place: TaskPlace, folder: str | Path) -> Path:
    parts = place.where.split(".")
    if not all(part.isidentifier() for part in parts):
        words = (
            "is neither FILE.py nor package.module: give one such as mytask.py or mytask.py:task"
        )
        raise UserError(f"task '{place.where}' {words}", "task")
    spec = _top_level(parts[0], folder)
    for part in parts[1:]:
        inside = spec.submodule_search_locations if spec else None
        # By its last name alone: with its full name, Python would look for the imported package.
        spec = PathFinder.find_spec(part, list(inside)) if inside is not None else None
    if spec is None:
        raise UserError(_no_module(place.where, folder), "task")
    if not spec.origin or not spec.origin.endswith(".py"):
        raise UserError(f"task '{place.where}' is not a module with a .py file", "task")
    return Path(spec.origin)


def _top_level(name: str, folder: str | Path) -> ModuleSpec | None:
    """Finds a module or package without importing it, first in the folder."""
    spec = PathFinder.find_spec(name, [os.path.abspath(folder or os.curdir), *sys.path])
    for finder in () if spec else sys.meta_path:  # packages installed so that they can be edited
        spec = spec or finder.find_spec(name, None)
    return spec


def _no_module(module: str, folder: str | Path) -> str:
    where = os.path.abspath(folder or os.curdir)
    near = did_you_mean(f"{module}.py", _python_files(Path(where)))
    return f"no module '{module}' in '{where}' or the installed packages{near}"


def _tree(path: Path, shown: str) -> ast.Module:
    stamp = stamp_of(path)
    known = _trees.get(path)
    if known is None or known[0] != stamp:
        try:
            source = read_regular(path, _MAX_FILE_BYTES)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about escapes in strings, on stderr
                known = _trees[path] = (stamp, ast.parse(source, str(path)))
        except OSError as error:
            raise UserError(f"task '{shown}' cannot be read: {error.strerror}", "task") from error
        except SyntaxError as error:
            at = f" ({shown}:{error.lineno})" if error.lineno else f" ({shown})"
            raise UserError(
                f"the task file is not valid Python: {error.msg}{at}", "task"
            ) from error
        except (ValueError, RecursionError, MemoryError) as error:
            raise UserError(f"the task file cannot be read: {error} ({shown})", "task") from error
    return known[1]


def _shown(path: Path, folder: str | Path) -> str:
    """The path as people would type it, relative to the folder if it is below."""
    base = os.path.abspath(folder or os.curdir)
    return os.path.relpath(path, base) if path.is_relative_to(base) else str(path)


def _mistake(words: str, path: Path, line: int) -> UserError:
    return UserError(f"{words} ({path.name}:{line})", "task")


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module in order, including those under `if`, `try` and `with`."""
    for each in body:
        yield each
        for name in ("body", "orelse", "finalbody"):
            if isinstance(each, (ast.If, ast.Try, ast.With)):
                yield from _statements(getattr(each, name, []))
        for handler in getattr(each, "handlers", []):
            yield from _statements(handler.body)


_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def _function(tree: ast.Module, name: str) -> _Definition | None:
    """The last definition of `name` that is not replaced by an assignment or an import."""
    found: _Definition | None = None
    for each in _statements(tree.body):
        if isinstance(each, _Definition) and each.name == name:
            found = each
        elif name in _bound(each):
            found = None
    return found


def _may_define(tree: ast.Module, name: str) -> bool:
    """Whether an assignment or an import may define `name`."""
    for each in _statements(tree.body):
        if isinstance(each, ast.FunctionDef) and each.name == "__getattr__":
            return True
        if {name, "*"} & _bound(each):
            return True
    return False


def _bound(statement: ast.stmt) -> set[str]:
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return {each.asname or each.name.partition(".")[0] for each in statement.names}
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        names = [node for target in targets for node in ast.walk(target)]
        return {node.id for node in names if isinstance(node, ast.Name)}
    return set()


def _missing(tree: ast.Module, place: TaskPlace, path: Path) -> str:
    defined = [
        each.name
        for each in _statements(tree.body)
        if isinstance(each, ast.FunctionDef) and not each.name.startswith("_")
    ]
    hint = did_you_mean(place.function, defined)
    if not hint and defined:
        hint = f": it defines {listed(defined)}; give one, such as {path.name}:{defined[-1]}"
    hint = hint or f": write 'def {place.function}(): return clr_tui.Task(...)' in it"
    return f"{path.name} has no function '{place.function}'{hint}"


def _parameters(function: ast.FunctionDef) -> tuple[str, list[Parameter]]:
    """The name of a positional parameter without a default, if any, and all keyword ones."""
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    padding = [None] * (len(positional) - len(given.defaults))
    defaults: list[ast.expr | None] = [*padding, *given.defaults]
    first = len(given.posonlyargs)
    needed = [
        each.arg
        for each, default in zip(given.posonlyargs, defaults, strict=False)
        if default is None
    ]
    pairs = [
        *zip(given.args, defaults[first:], strict=True),
        *zip(given.kwonlyargs, given.kw_defaults, strict=True),
    ]
    return "".join(needed[:1]), [_parameter(each, default) for each, default in pairs]


def _parameter(argument: ast.arg, default: ast.expr | None) -> Parameter:
    value, source = None, ""
    if default is not None:
        source = ast.unparse(default)
        value = as_value(_evaluated(default))
    annotation = _annotation(argument.annotation)
    kind, optional, choices = _meaning(annotation)
    if kind is None and not choices and isinstance(value, (bool, int, float, str)):
        return Parameter(argument.arg, value, type(value), source)
    optional = optional or (source == "None")
    if kind is float and isinstance(value, int):
        value = float(value)
    return Parameter(argument.arg, value, kind, source, kind is not None, optional, choices)


def _evaluated(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError, MemoryError):
        return None


def _annotation(node: ast.expr | None) -> ast.expr | None:
    """The annotation, read once more if it is written as a string."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            return ast.parse(node.value, mode="eval").body
        except SyntaxError:
            return None
    return node


def _meaning(node: ast.expr | None) -> tuple[Any, bool, tuple[Value, ...]]:
    """The type, whether None is allowed, and the choices that an annotation gives."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _union([node.left, node.right])
    if isinstance(node, ast.Subscript):
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        name = _last_name(node.value)
        if name == "Optional":
            kind, _, choices = _meaning(inner[0])
            return kind, True, choices
        if name == "Union":
            return _union(inner)
        if name == "Annotated":
            return _meaning(inner[0])
        if name == "Literal":
            values = tuple(as_value(_evaluated(each)) for each in inner)
            return None, None in values, tuple(one for one in values if one is not None)
        return None, False, ()
    if isinstance(node, ast.Constant) and node.value is None:
        return None, True, ()
    return _TYPES.get(_last_name(node)), False, ()


def _union(members: Sequence[ast.expr]) -> tuple[Any, bool, tuple[Value, ...]]:
    """The meaning of several types: that of the only one besides None, or of int and float."""
    found = [_meaning(_annotation(each)) for each in members]
    optional = any(one[1] for one in found)
    rest = [one for one in found if one[0] is not None or one[2]]
    if {one[0] for one in rest} == {int, float}:
        return float, optional, ()
    unclear = len(rest) != 1 or len(found) - len(rest) > optional
    return (None, optional, ()) if unclear else (rest[0][0], optional, rest[0][2])


def _last_name(node: ast.expr | None) -> str:
    """`Optional` of `Optional` and of `typing.Optional`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
