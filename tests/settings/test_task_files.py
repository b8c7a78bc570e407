"""A task file is understood without importing it, and its mistakes are named with their line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.check import check
from clr_tui.engine.settings.config import Compare, RangeTest, TaskConfig
from clr_tui.engine.settings.entries import article_entries
from clr_tui.engine.settings.task_files import absolute_place, task_function
from clr_tui.engine.settings.task_parameters import Parameter, write
from clr_tui.engine.settings.task_place import TaskPlace

SOURCE = '''
"""Not run: it would fail."""
from typing import Literal, Optional
import nothing_of_this_name

raise SystemExit("imported")

def task(plain, width=64, rate=0.1, bias=True, name="net", sizes=(64, 32), depth: int = 2,
         scale: float = 1, kind: Literal["a", "b"] = "a", limit: Optional[int] = None,
         either: "int | None" = 3, *, part: float | None = None, computed=len("abc")):
    """Makes it."""
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mytask.py").write_text(SOURCE)
    return tmp_path


def said(place: str, folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        task_function(place, folder)
    assert caught.value.field == "task"
    assert "\n" not in caught.value.message
    return caught.value.message


def test_the_parameters_are_read_with_types_and_defaults(folder: Path) -> None:
    found = task_function("mytask.py", folder)
    assert (found.path, found.name) == (folder / "mytask.py", "task")
    assert not found.open
    assert [(one.name, one.type, one.default) for one in found.parameters] == [
        ("plain", None, None),
        ("width", int, 64),
        ("rate", float, 0.1),
        ("bias", bool, True),
        ("name", str, "net"),
        ("sizes", None, [64, 32]),
        ("depth", int, 2),
        ("scale", float, 1.0),
        ("kind", None, "a"),
        ("limit", int, None),
        ("either", int, 3),
        ("part", float, None),
        ("computed", None, None),
    ]
    assert [one.name for one in found.parameters if one.required] == ["plain"]
    assert [one.name for one in found.parameters if one.optional] == ["limit", "either", "part"]
    assert found.parameters[8].choices == ("a", "b")
    assert found.parameters[-1].source == "len('abc')"


def test_values_are_read_by_type_and_survive_their_text(folder: Path) -> None:
    found = task_function("mytask.py", folder)
    given = {
        "width=32": 32,
        "width=1e3": 1000,
        "rate=1": 1.0,
        "bias=off": False,
        "bias=True": True,
        "name=a=b c": "a=b c",
        "name=64": "64",
        "sizes=[8, 4]": [8, 4],
        "sizes=(8, None, 'x')": [8, None, "x"],
        "plain=resnet": "resnet",
        "plain=3": 3,
        "plain='3'": "3",
        "kind=b": "b",
        "limit=none": None,
        "limit=7": 7,
    }
    for text, value in given.items():
        name = text.partition("=")[0]
        (read,) = found.read([text]).values()
        assert read == value
        assert type(read) is type(value) or found.parameter(name).type is float
        if name != "plain":  # of no type: '3' and 3 have one text
            assert found.parameter(name).read(write(value)) == value
    assert found.read(["width=1", "width=2"]) == {"width": 2}


@pytest.mark.parametrize(
    ("text", "field", "sentence"),
    [
        ("width=wide", "parameters.width", "width must be a whole number like its default 64, not"),
        ("width=0.5", "parameters.width", "write 'width: float = 64' in the file"),
        ("depth=0.5", "parameters.depth", "depth must be a whole number, not '0.5'"),
        ("rate=fast", "parameters.rate", "rate must be a number like its default 0.1, not 'fast'"),
        ("rate=inf", "parameters.rate", "rate must be a finite number of usual size, not inf"),
        ("width=" + "9" * 30, "parameters.width", "must be a finite number of usual size"),
        ("name=\udcff", "parameters.name", "name must be UTF-8, not "),
        ("bias=maybe", "parameters.bias", "bias must be on or off like its default True, not"),
        ("kind=c", "parameters.kind", "no kind 'c': choose from a, b"),
        ("widht=3", "parameters", "task of mytask.py takes no 'widht'; did you mean 'width'?"),
        ("width", "parameters", "--set 'width' is not a name and a value; give one such as"),
    ],
)
def test_a_wrong_value_is_one_sentence(folder: Path, text: str, field: str, sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        task_function("mytask.py", folder).read([text])
    assert sentence in caught.value.message
    assert caught.value.field == field


def test_a_parameter_without_a_default_must_be_given(folder: Path) -> None:
    found = task_function("mytask.py", folder)
    (missing,) = found.mistakes({"width": 3})
    assert missing.message == "task of mytask.py needs plain: give --set plain=VALUE"
    assert not list(found.mistakes({"plain": "x"}))
    wrong = [one.field for one in found.mistakes({"plain": 1, "width": "x", "nothing": 1})]
    assert wrong == ["parameters.width", "parameters"]


def test_what_is_defined_elsewhere_takes_any_parameter(folder: Path) -> None:
    (folder / "other.py").write_text(
        "from tasks import task\nsmall = partial(task, 3)\ndef any(width=1, **more): ...\n"
        "if True:\n    try:\n        def deep(a=1): ...\n    except ValueError: pass\n"
    )
    for name in ("task", "small", "any"):
        found = task_function(f"other.py:{name}", folder)
        assert found.read(["depth=3"]) == {"depth": 3}
    assert task_function("other.py:any", folder).parameters == (Parameter("width", 1, int, "1"),)
    assert not task_function("other.py:deep", folder).open


def test_a_module_is_found_without_importing_it_or_its_package(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    package = folder / "engine" / "inner"
    package.mkdir(parents=True)
    (folder / "engine" / "__init__.py").write_text("raise SystemExit('imported')")
    (package / "mine.py").write_text("def task(a=1): ...\ndef small(): ...\n")
    assert task_function("engine.inner.mine", folder).path == package / "mine.py"
    assert task_function("engine.inner.mine:small", folder).name == "small"
    assert "engine" not in sys.modules
    assert "no module 'engine.outer' in" in said("engine.outer:task", folder)
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert task_function("mytask:task", folder).path == folder / "mytask.py"


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("mytsk.py", "no task file 'mytsk.py'; did you mean 'mytask.py'?"),
        ("none/here.py", "no task file 'none/here.py': there is no folder '"),
        ("mytask.py:tsk", "mytask.py has no function 'tsk'; did you mean 'task'?"),
        ("mytask.py:other", "it defines task; give one, such as mytask.py:task"),
        ("./", "task './' is a folder: give a file such as mytask.py"),
        ("./mytask.ipynb", "task './mytask.ipynb' is not a Python file: give one ending in .py"),
        ("my-task:task", "task 'my-task' is neither FILE.py nor package.module"),
        ("mytaks", "or the installed packages; did you mean 'mytask.py'?"),
        ("mytask.deeper", "no module 'mytask.deeper' in '"),
        ("sys:task", "task 'sys' is not a module with a .py file"),
    ],
)
def test_a_wrong_place_is_one_sentence(folder: Path, place: str, sentence: str) -> None:
    assert sentence in said(place, folder)


def test_mistakes_in_the_file_are_named_with_their_line(folder: Path) -> None:
    wrong = folder / "wrong.py"
    wrong.write_text("import os\n\ndef task(:\n")
    assert "not valid Python: " in said("wrong.py", folder)
    assert said("wrong.py", folder).endswith("(wrong.py:3)")
    wrong.write_text("x = 1\nasync def task(): ...\n")
    assert said("wrong.py", folder).endswith("write 'def task' (wrong.py:2)")
    wrong.write_text("def task(a, /, b=1): ...\n")
    assert "takes 'a' only by position" in said("wrong.py", folder)
    wrong.write_bytes(b"\x00")
    assert said("wrong.py", folder).endswith("(wrong.py)")
    wrong.write_bytes(b"name = '\xff'")
    assert "wrong.py" in said("wrong.py", folder)
    wrong.write_text("")
    assert "write 'def task(): return clr_tui.Task(...)'" in said("wrong.py", folder)


def test_places_are_stored_whole(folder: Path) -> None:
    assert absolute_place("mytask.py", folder) == f"{folder}/mytask.py:task"
    assert absolute_place("sub/x.py:small", folder) == f"{folder}/sub/x.py:small"
    assert absolute_place("a.b", folder) == "a.b:task"
    assert TaskConfig(task="/x/mytask.py:task").data_name == "mytask"
    assert TaskConfig(task="/x/a:b/mytask.py:small").data_name == "mytask:small"
    assert TaskConfig(task="package.mine:task").data_name == "mine"
    assert TaskPlace.split("").name == ""


def test_the_check_of_an_own_task_asks_nothing_of_data_and_model(folder: Path) -> None:
    place = str(folder / "mytask.py")
    task = TaskConfig(task=place, data="/nowhere", weights="/nowhere", batch_size=5000)
    assert [one.field for one in check(task, RangeTest())] == ["parameters.plain"]
    given = TaskConfig(task=place, parameters={"plain": 1})
    assert check(given, RangeTest()) == []
    assert [one.field for one in check(TaskConfig(task="no.py"), RangeTest())] == ["task"]
    (study,) = check(given, Compare(entries=article_entries(), study="cnn"))
    assert study.field == "study"
