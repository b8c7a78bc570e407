"""A user's file runs as `python FILE.py` would run it, and each way to fail is one sentence."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import clr_tui
from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import TaskConfig
from clr_tui.engine.tasks import user_code
from clr_tui.engine.tasks.user_code import enter, load_from, user_modules, user_sources, user_task

GOOD = """
import clr_tui
def task(**names):
    return clr_tui.Task(model=None, train=names, samples=str(names))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The user's working directory. What an import changes in this process is put back."""
    monkeypatch.chdir(tmp_path)
    path, argv, finders, modules = sys.path[:], sys.argv[:], sys.meta_path[:], dict(sys.modules)
    monkeypatch.setattr(user_code, "_sources", {})
    yield tmp_path
    sys.path[:], sys.argv[:], sys.meta_path[:] = path, argv, finders
    sys.path_importer_cache.clear()
    sys.modules.clear()
    sys.modules.update(modules)


def load(folder: Path, source: str, place: str = "mytask.py:task", **parameters) -> clr_tui.Task:
    """Imports `source` as a worker would."""
    path = folder / "mytask.py"
    if source:
        path.write_text(source)
    whole = str(folder / place) if ".py" in place else place
    enter(whole, str(folder))
    config = TaskConfig(task=whole, parameters=parameters)
    return user_task(config, lambda *_: None)


def said(folder: Path, source: str, place: str = "mytask.py:task", **parameters) -> str:
    with pytest.raises(UserError) as caught:
        load(folder, source, place, **parameters)
    assert caught.value.field in ("task", "parameters")
    assert "\n" not in caught.value.message
    return caught.value.message


SEEN = """
import json, os, sys
import clr_tui
import engine, tui, utils, models, data
seen = {"cwd": os.getcwd(), "path": sys.path[0], "argv": sys.argv, "name": __name__,
        "file": __file__, "modules": [m.NAME for m in (engine, tui, utils, models, data)],
        "main": sys.modules["__main__"].__file__}
if __name__ == "__main__":
    print(json.dumps(seen))
def task():
    return clr_tui.Task(model=None, train=(), name=json.dumps(seen))
"""


def test_it_sees_what_python_would_show_it(folder: Path) -> None:
    """Also where the folder has modules of the names of ours, and the user is elsewhere."""
    code = folder / "code"
    code.mkdir()
    for name in ("engine", "tui", "utils", "models", "data", "types", "test"):
        (code / f"{name}.py").write_text(f"NAME = '{name}'")
    (code / "mytask.py").write_text(SEEN)
    # A fresh interpreter would take its own `types` from the folder and die.
    (code / "types.py").rename(code / "kept.py")
    real = subprocess.run(
        [sys.executable, str(code / "mytask.py")], capture_output=True, text=True, cwd=folder
    )
    (code / "kept.py").rename(code / "types.py")
    plain = json.loads(real.stdout)
    ours = json.loads(load(folder, "", "code/mytask.py:task").name)
    assert plain.pop("name") == "__main__"
    assert ours.pop("name") == "__mp_main__"
    assert ours == plain
    assert ours["modules"] == ["engine", "tui", "utils", "models", "data"]
    assert ours["cwd"] == str(folder)


def test_a_module_comes_from_the_working_directory(folder: Path) -> None:
    package = folder / "engine" / "tasks"
    package.mkdir(parents=True)
    (package / "mine.py").write_text(
        GOOD.replace("import clr_tui", "import clr_tui\nfrom . import sub")
    )
    for made in (package / "sub.py", package / "__init__.py", package.parent / "__init__.py"):
        made.write_text("")
    assert load(folder, "", "engine.tasks.mine:task", a=1).train == {"a": 1}
    assert sys.path[0] == str(folder)


def test_a_file_may_have_any_name(folder: Path) -> None:
    for name in ("json.py", "my-task.py", "3.py", "engine.py"):
        (folder / name).write_text(GOOD)
        assert load(folder, "", f"{name}:task", b="x").train == {"b": "x"}
    assert json.loads("1") == 1


def test_lists_become_the_tuples_that_defaults_are(folder: Path) -> None:
    source = (
        "import clr_tui\ndef task(sizes=(1, 2), more=[1]):\n"
        "    return clr_tui.Task(model=None, train=(sizes, more))\n"
    )
    assert load(folder, source, sizes=[3, 4], more=[5]).train == ((3, 4), [5])


def test_what_the_file_defines_can_be_pickled(folder: Path) -> None:
    source = GOOD + "\nclass Data:\n    pass\n"
    load(folder, source)
    made = sys.modules["__mp_main__"].Data()
    assert type(pickle.loads(pickle.dumps(made))) is type(made)


SPAWNED = """
import multiprocessing, sys
import clr_tui
from utils import double
class Data:
    def __init__(self, n): self.n = n
def work(data):
    return double(data.n), type(data).__name__
def task():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return clr_tui.Task(model=None, train=pool.apply(work, (Data(4),)))
"""


def test_spawned_processes_find_the_file_and_its_folder(folder: Path) -> None:
    (folder / "utils.py").write_text("def double(n): return 2 * n")
    assert load(folder, SPAWNED).train == (8, "Data")


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("import nothing_here\n", "no module 'nothing_here': install it for "),
        ("import nothing_here\n", "(mytask.py:1)"),
        ("x = 1\nx +\n", "SyntaxError: "),
        ("x = 1\nx +\n", "(mytask.py:2)"),
        ("import os\n1 / 0\n", "ZeroDivisionError: division by zero (mytask.py:2)"),
        ("import sys\nsys.exit(3)\n", "the code that was run called sys.exit(3) (mytask.py:2)"),
        ("input()\n", "(mytask.py:1)"),
        (
            "open('none.csv')\n",
            "FileNotFoundError: [Errno 2] No such file or directory: 'none.csv'",
        ),
        ("def tsk(): ...\n", "mytask.py has no function 'task'; did you mean 'tsk'?"),
        ("task = 3\n", "task of mytask.py is an int, not a function"),
        (
            "def task(): ...\n",
            "task returned None, not a clr_tui.Task: is 'return' missing? (mytask.py:1, in task)",
        ),
        ("def task(): return {}\n", "task returned a dict, not a clr_tui.Task"),
        ("async def task(): ...\n", "task returned a coroutine, not a clr_tui.Task"),
        (
            "import clr_tui\ndef task(): return clr_tui.Task(mdoel=1)\n",
            "unexpected keyword argument 'mdoel' (mytask.py:2, in task)",
        ),
        ("def task():\n    raise KeyError('x')\n", "KeyError: 'x' (mytask.py:2, in task)"),
        ("def task():\n    assert 1 == 2\n", "AssertionError (mytask.py:2, in task)"),
        ("def task():\n    exit('no data')\n", "called sys.exit('no data') (mytask.py:2, in task)"),
        ("from utils import nothing\n", "cannot import name 'nothing' from 'utils'"),
        ("import broken\n", "ValueError: bad (broken.py:2, in f)"),
    ],
)
@pytest.mark.filterwarnings("ignore:coroutine")
def test_each_failure_is_one_sentence_with_the_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, source: str, sentence: str
) -> None:
    (folder / "utils.py").write_text("")
    (folder / "broken.py").write_text("def f():\n    raise ValueError('bad')\nf()\n")
    monkeypatch.setattr(sys, "stdin", open(os.devnull))  # noqa: SIM115 - as a worker's
    assert sentence in said(folder, source)


def test_parameters_that_the_function_does_not_take(folder: Path) -> None:
    source = "def task(width=1): ...\n"
    assert said(folder, source, widht=1) == (
        "task of mytask.py: got an unexpected keyword argument 'widht'; see --set"
        " (mytask.py:1, in task)"
    )
    assert "missing a required argument: 'width'" in said(folder, source.replace("=1", ""))


def test_a_file_that_is_gone(folder: Path) -> None:
    assert said(folder, "", "gone.py:task") == "gone.py cannot be read: No such file or directory"
    assert "no module 'gone'" in said(folder, "", "gone:task")


def test_another_process_loads_what_the_first_one_loaded(folder: Path) -> None:
    """Though all files changed in between, and bytecode of the new ones lies there."""
    (folder / "utils.py").write_text("VALUE = 'old'\n")
    source = (
        "import clr_tui, utils\nVALUE = 'old'\ndef task():\n"
        "    import later\n    return clr_tui.Task(model=None, train=(VALUE, utils.VALUE))\n"
    )
    (folder / "later.py").write_text("")
    assert load(folder, source).train == ("old", "old")
    kept = user_sources()
    assert {folder / name for name in ("mytask.py", "utils.py", "later.py")} <= set(
        map(Path, user_modules())
    )
    (folder / "utils.py").write_text("VALUE = 'new'\n")
    (folder / "later.py").write_text("raise ValueError\n")
    for name in ("utils", "later"):
        del sys.modules[name]
    assert load(
        folder, source.replace("'old'", "'new'").replace("    import later\n", "")
    ).train == (
        "new",
        "new",
    )
    for name in ("utils", "__mp_main__"):
        del sys.modules[name]
    load_from(kept)
    assert load(folder, "").train == ("old", "old")
