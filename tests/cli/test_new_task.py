"""`clr-tui new-task`: files that run as they are."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from clr_tui.tui.cli.new_task import KINDS, TEMPLATES


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_every_kind_has_its_file_and_every_file_its_kind() -> None:
    assert {path.stem for path in TEMPLATES.glob("[!_]*.py")} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_file_names_itself_in_its_commands(cli, kind) -> None:
    result = cli("new-task", "mine.py", "--kind", kind)
    assert result.code == 0
    assert result.out == ("wrote mine.py; it runs as it is: clr-tui range-test --task mine.py\n")
    text = Path("mine.py").read_text(encoding="utf-8")
    assert "clr-tui range-test --task mine.py" in text
    assert "FILE.py" not in text
    assert "def task(" in text
    assert text.replace("mine.py", "FILE.py") == (TEMPLATES / f"{kind}.py").read_text("utf-8")


def test_the_default_is_images(cli) -> None:
    assert json.loads(cli("new-task", "mine.py", "--json").out) == {
        "file": "mine.py",
        "kind": "image",
    }
    assert "image classifier" in Path("mine.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ['a"""b.py', "a\\N.py", "a b.py", "ä.py"])
def test_a_strange_name_breaks_no_file(cli, name) -> None:
    assert cli("new-task", name).code == 0
    ast.parse(Path(name).read_text(encoding="utf-8"))


def test_no_file_is_overwritten(cli) -> None:
    Path("mine.py").write_text("precious")
    Path("link.py").symlink_to("nowhere.py")
    for name in ("mine.py", "link.py"):
        result = cli("new-task", name)
        assert (result.code, result.out) == (2, "")
        assert f"'{name}' exists" in result.err
    assert Path("mine.py").read_text() == "precious"
    assert not Path("nowhere.py").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["new-task"], ["needs FILE.py"]),
        (["new-task", "mine.txt"], ["'mine.txt'", "FILE.py"]),
        (["new-task", ""], ["FILE.py"]),
        (["new-task", ".py"], ["FILE.py"]),
        (["new-task", "no/mine.py"], ["'no/mine.py'", "No such file or directory"]),
        (["new-task", "torch.py"], ["'torch.py'", "hide"]),
        (["new-task", "random.py"], ["'random.py'", "hide"]),
        (["new-task", "mine.py", "--kind", "regresion"], ["did you mean 'regression'"]),
        (["new-task", "mine.py", "--kind", "x"], ["image, tabular, sequence, regression"]),
        (["new-task", "a.py", "b.py"], ["'b.py'"]),
    ],
)
def test_mistakes_are_one_sentence_and_write_nothing(cli, arguments, words) -> None:
    result = cli(*arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.count("\n") == 1
    for word in words:
        assert word in result.err
    assert list(Path().iterdir()) == []
