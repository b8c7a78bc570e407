"""A user's file runs as `python FILE.py` would run it, and each way to fail is one sentence."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import clr_tui
from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import TaskConfig
from clr_tui.engine.tasks import user_files
from clr_tui.engine.tasks.user_code import enter, user_task

GOOD = """
import clr_tui
def task(**names):
    return clr_tui.Task(model=None, train=names, samples=str(names))
"""


def load(folder: Path, source: str, place: str = "mytask.py:task", **parameters) -> clr_tui.Task:
    """Imports `source` as a worker would."""
    path = folder / "mytask.py"
    if source:
        path.write_text(source)
        user_files._sources.pop(str(path), None)
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
import engine, tui, utils, models, data, test
seen = {"cwd": os.getcwd(), "path": sys.path[0], "argv": sys.argv, "name": __name__,
        "file": __file__, "modules": [m.NAME for m in (engine, tui, utils, models, data, test)],
        "main": sys.modules["__main__"].__file__}
if __name__ == "__main__":
    print(json.dumps(seen))
def task():
    return clr_tui.Task(model=None, train=(), name=json.dumps(seen))
"""


def test_it_sees_what_python_would_show_it(users_folder: Path) -> None:
    """Also where the users_folder has modules of the names of ours, and the user is elsewhere."""
    code = users_folder / "code"
    code.mkdir()
    for name in ("engine", "tui", "utils", "models", "data", "types", "test"):
        (code / f"{name}.py").write_text(f"NAME = '{name}'")
    (code / "mytask.py").write_text(SEEN)
    # A fresh interpreter would take its own `types` from the users_folder and die.
    (code / "types.py").rename(code / "kept.py")
    real = subprocess.run(
        [sys.executable, str(code / "mytask.py")], capture_output=True, text=True, cwd=users_folder
    )
    (code / "kept.py").rename(code / "types.py")
    plain = json.loads(real.stdout)
    ours = json.loads(load(users_folder, "", "code/mytask.py:task").name)
    assert plain.pop("name") == "__main__"
    assert ours.pop("name") == "__mp_main__"
    assert ours == plain
    assert ours["modules"] == ["engine", "tui", "utils", "models", "data", "test"]
    assert ours["cwd"] == str(users_folder)


def test_a_module_comes_from_the_working_directory(users_folder: Path) -> None:
    package = users_folder / "engine" / "tasks"
    package.mkdir(parents=True)
    (package / "mine.py").write_text(
        GOOD.replace("import clr_tui", "import clr_tui\nfrom . import sub")
    )
    for made in (package / "sub.py", package / "__init__.py", package.parent / "__init__.py"):
        made.write_text("")
    assert load(users_folder, "", "engine.tasks.mine:task", a=1).train == {"a": 1}
    assert sys.path[0] == str(users_folder)


def test_a_file_may_have_any_name(users_folder: Path) -> None:
    for name in ("json.py", "my-task.py", "3.py", "engine.py"):
        (users_folder / name).write_text(GOOD)
        assert load(users_folder, "", f"{name}:task", b="x").train == {"b": "x"}
    assert json.loads("1") == 1


def test_lists_become_the_tuples_that_defaults_are(users_folder: Path) -> None:
    source = (
        "import clr_tui\ndef task(sizes=(1, 2), more=[1]):\n"
        "    return clr_tui.Task(model=None, train=(sizes, more))\n"
    )
    assert load(users_folder, source, sizes=[3, 4], more=[5]).train == ((3, 4), [5])


def test_what_the_file_defines_can_be_pickled(users_folder: Path) -> None:
    source = GOOD + "\nclass Data:\n    pass\n"
    load(users_folder, source)
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


def test_spawned_processes_find_the_file_and_its_folder(users_folder: Path) -> None:
    (users_folder / "utils.py").write_text("def double(n): return 2 * n")
    assert load(users_folder, SPAWNED).train == (8, "Data")


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
        (
            "class task: ...\n",
            "task returned an object of type task, not a clr_tui.Task: return"
            " clr_tui.Task(model=..., train=...)\n",
        ),
        ("async def task(): ...\n", "task returned a coroutine, not a clr_tui.Task"),
        (
            "import clr_tui\ndef task(): return clr_tui.Task(mdoel=1)\n",
            "unexpected keyword argument 'mdoel' (mytask.py:2, in task)",
        ),
        ("def task():\n    raise KeyError('x')\n", "KeyError: 'x' (mytask.py:2, in task)"),
        ("def task():\n    assert 1 == 2\n", "AssertionError (mytask.py:2, in task)"),
        ("def task():\n    exit('no data')\n", "called sys.exit('no data') (mytask.py:2, in task)"),
        ("from utils import nothing\n", "cannot import name 'nothing' from 'utils'"),
        ("from . import utils\n", "(mytask.py:1): if mytask.py is in a package, give the task as"),
        ("import broken\n", "ValueError: bad (broken.py:2, in f)"),
    ],
)
@pytest.mark.filterwarnings("ignore:coroutine")
def test_each_failure_is_one_sentence_with_the_line(
    users_folder: Path, monkeypatch: pytest.MonkeyPatch, source: str, sentence: str
) -> None:
    (users_folder / "utils.py").write_text("")
    (users_folder / "broken.py").write_text("def f():\n    raise ValueError('bad')\nf()\n")
    monkeypatch.setattr(sys, "stdin", open(os.devnull))  # noqa: SIM115 - as a worker's
    assert sentence in said(users_folder, source) + "\n"


def test_parameters_that_the_function_does_not_take(users_folder: Path) -> None:
    source = "def task(width=1): ...\n"
    assert said(users_folder, source, widht=1) == (
        "task of mytask.py: got an unexpected keyword argument 'widht'; see --set"
        " (mytask.py:1, in task)"
    )
    assert "missing a required argument: 'width'" in said(users_folder, source.replace("=1", ""))


def test_a_file_that_is_gone(users_folder: Path) -> None:
    assert (
        said(users_folder, "", "gone.py:task")
        == "gone.py cannot be read: No such file or directory"
    )
    assert "no module 'gone'" in said(users_folder, "", "gone:task")


def test_another_process_loads_what_the_first_one_loaded(users_folder: Path) -> None:
    """Though all files have changed, and bytecode of the new ones may lie there."""
    source = (
        "import clr_tui, utils\nVALUE = 'old'\ndef task():\n"
        "    import later\n    return clr_tui.Task(model=None, train=(VALUE, utils.VALUE))\n"
    )
    names = ("mytask.py", "utils.py", "later.py")
    (users_folder / "utils.py").write_text("VALUE = 'old'\n")
    (users_folder / "later.py").write_text("")
    assert load(users_folder, source).train == ("old", "old")
    kept = user_files.sources()
    assert {str(users_folder / name) for name in names} == kept.keys()
    assert user_files.first_changed() == ""

    (users_folder / "utils.py").write_text("VALUE = 'new'\n")
    (users_folder / "later.py").write_text("raise ValueError\n")
    (users_folder / "mytask.py").write_text("raise ValueError\n")
    assert user_files.first_changed() == str(users_folder / "mytask.py")
    user_files._sources.clear()
    for name in ("utils", "later", "__mp_main__"):
        del sys.modules[name]
    user_files.load_from(kept)
    assert load(users_folder, "").train == ("old", "old")
