"""The private parts of Textual that we reach for are there; where they are not, nothing breaks."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import sys
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
import textual
from app_helpers import make_app
from rich.console import Console
from textual import _compositor
from textual.app import App

import clr_tui.tui
from clr_tui.tui import textual_internals

TUI = Path(textual_internals.__file__).parent
VERSION = f"Textual {textual.__version__}"


class Renamed:
    """An update whose parts have other names."""

    def __init__(self, lines, spans, ends) -> None:
        self.lines = lines

    def render_segments(self, console) -> str:
        return "theirs"


class RenderedOtherwise:
    """An update that is rendered in another way."""

    def __init__(self, chops, spans, chop_ends) -> None:
        self.chops = chops


class RenderedForMore:
    """An update that is rendered with more arguments."""

    def __init__(self, chops, spans, chop_ends) -> None:
        self.chops = chops

    def render_segments(self, console, width) -> str:
        return "theirs"


def render_as_textual(self, console) -> str:
    return "theirs"


def test_updates_of_this_textual_can_be_lean() -> None:
    own = _compositor.ChopsUpdate, _compositor.LayoutUpdate
    assert textual_internals.known_updates() == own, (
        f"{VERSION} renders updates in another way than `lean_regions` and `lean_screen` do: they "
        "are as long as Textual makes them. Adapt textual_internals.py to its compositor."
    )


def test_this_textual_keeps_the_error_that_ended_an_app() -> None:
    assert textual_internals.keeps_error(App()), (
        f"{VERSION} no longer keeps an app's error as `_exception`: mistakes are printed as pages "
        "of traceback. Adapt `error_of` in textual_internals.py."
    )


def test_this_textual_prints_tracebacks_on_a_console_that_can_be_silenced() -> None:
    app = App()
    textual_internals.silence_traceback(app)
    assert getattr(getattr(app, "error_console", None), "quiet", False), (
        f"{VERSION} no longer prints errors on `App.error_console`: mistakes are printed as pages "
        "of traceback. Adapt `silence_traceback` in textual_internals.py."
    )


@pytest.mark.parametrize("unknown", [Renamed, RenderedOtherwise, RenderedForMore])
@pytest.mark.parametrize("name", ["ChopsUpdate", "LayoutUpdate"])
def test_another_textual_keeps_its_own_updates(monkeypatch, unknown, name) -> None:
    before = dict(vars(unknown))
    other = {"ChopsUpdate": "LayoutUpdate", "LayoutUpdate": "ChopsUpdate"}[name]
    monkeypatch.setattr(getattr(_compositor, other), "render_segments", render_as_textual)
    monkeypatch.setattr(_compositor, name, unknown)
    textual_internals.install_lean_updates()
    assert dict(vars(unknown)) == before
    assert getattr(_compositor, other).render_segments is render_as_textual


def test_a_textual_without_such_updates_keeps_its_own(monkeypatch) -> None:
    monkeypatch.delattr(_compositor, "ChopsUpdate")
    textual_internals.install_lean_updates()
    assert textual_internals.known_updates() is None
    monkeypatch.setitem(sys.modules, "textual._compositor", None)
    textual_internals.install_lean_updates()
    assert textual_internals.known_updates() is None


def test_where_the_error_is_not_kept_its_traceback_is_printed() -> None:
    app = SimpleNamespace(error_console=Console())
    textual_internals.silence_traceback(app)
    assert not app.error_console.quiet
    assert textual_internals.error_of(app) is None
    textual_internals.silence_traceback(SimpleNamespace(_exception=None))


def test_an_app_whose_error_is_not_kept_ends_as_textual_ends_it(runs, monkeypatch, capfd) -> None:
    monkeypatch.setattr(textual_internals, "keeps_error", lambda app: False)
    app = make_app(runs.folder, monkeypatch)

    async def pilot_it(pilot) -> None:
        pilot.app.call_later(lambda: 1 // 0)

    app.run(headless=True, auto_pilot=pilot_it)
    assert app.return_code == 1
    assert "ZeroDivisionError" in capfd.readouterr().err


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(TUI.rglob("*.py")):
        if path.name != "textual_internals.py":
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def defined(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if isinstance(node.value, ast.Name) and node.value.id == "self":
                yield node.attr
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


@cache
def names_of(cls: type) -> set[str]:
    return set(defined(ast.parse(textwrap.dedent(inspect.getsource(cls)))))


def test_nothing_else_reaches_for_what_is_private_elsewhere() -> None:
    own = {name for _, tree in sources() for name in defined(tree)}
    own |= {"_exit", "_ActionsContainer", "_actions"}  # of os and argparse
    reaches = []
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in own:
                reaches.append(f"{path}:{node.lineno} {node.attr}")
            elif isinstance(node, ast.ImportFrom):
                names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
                reaches += [f"{path}:{node.lineno} {n}" for n in names if is_private(n)]
    assert not reaches


def test_no_class_redefines_what_is_private_in_textual() -> None:
    modules = [
        importlib.import_module(found.name)
        for found in pkgutil.walk_packages(clr_tui.tui.__path__, "clr_tui.tui.")
        if not found.name.endswith("__main__")
    ]
    classes = {
        cls
        for module in modules
        for cls in vars(module).values()
        if inspect.isclass(cls) and cls.__module__.startswith("clr_tui.tui.")
    }
    clashes = {}
    for cls in classes:
        bases = [base for base in cls.__mro__ if base.__module__.startswith("textual")]
        theirs = set().union(*map(names_of, bases))
        if clash := {name for name in names_of(cls) & theirs if is_private(name)}:
            clashes[cls.__qualname__] = clash
    assert not clashes, f"{VERSION} has parts of these names: name ours otherwise"
