"""The scripts of tests/gpu still fit the project: a rename fails here, not on a GPU machine."""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from clr_tui.tui.cli.main import main

ROOT = Path(__file__).parents[2]
GPU = ROOT / "tests" / "gpu"
SCRIPTS = sorted(path.stem for path in GPU.glob("*.py"))
SHELL = (GPU / "check.sh").read_text()


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    """All scripts, imported but not run."""
    monkeypatch.syspath_prepend(GPU)
    for name, value in (("DEVICE", "cpu"), ("TINY", "1"), ("DATA", "digits")):
        monkeypatch.setenv(name, value)
    yield {name: importlib.import_module(name) for name in SCRIPTS}
    for name in SCRIPTS:
        sys.modules.pop(name, None)


def test_all_that_they_import_and_read_from_modules_is_there(loaded: dict[str, ModuleType]) -> None:
    assert {"common", "designs", "peers_gpu", "probe", "read_runs"} <= loaded.keys()
    missing = []
    for script, module in loaded.items():
        for node in ast.walk(ast.parse((GPU / f"{script}.py").read_text())):
            if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)):
                continue
            owner = getattr(module, node.value.id, None)
            ours = isinstance(owner, ModuleType) and owner.__name__.startswith("clr_tui.")
            if ours and not hasattr(owner, node.attr):
                missing.append(f"{script}.py:{node.lineno} {owner.__name__}.{node.attr}")
    assert not missing


def test_steps_are_made_as_the_product_makes_them(
    loaded: dict[str, ModuleType], capsys: pytest.CaptureFixture[str]
) -> None:
    common = loaded["common"]
    loop = common.Loop(common.trainee(common.task()))
    loop(2)
    assert loop.done == 2
    assert len(common.sweep_losses(3, common.DEVICE, "float32")) == 3
    loaded["designs"].same()
    assert capsys.readouterr().out.startswith("the same bits")


def test_the_check_names_every_check_of_a_script(loaded: dict[str, ModuleType]) -> None:
    shell = SHELL.replace("\\\n", " ")
    for script in ("probe", "designs"):
        given = re.findall(rf"\bscript {script} (?:\$\{{CHECKS:-)?([\w ]+)", shell)
        checks = {check.__name__ for check in loaded[script].CHECKS}
        assert set(" ".join(given).split()) == checks


def test_every_test_that_is_named_exists() -> None:
    paths = re.findall(r"\btests/[\w/.]+", body("tests"))
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_test_and_check_that_the_results_name_exists() -> None:
    page = (ROOT / "tests" / "benchmarks" / "RESULTS-GPU.md").read_text()
    named = re.findall(r"(tests/[\w/]+\.py)(?:::(\w+)|` `| `(\w+))?", page)
    assert len(named) > 30
    missing = [
        (path, name)
        for path, test, check in named
        for name in [test or check]
        if not (ROOT / path).exists() or (name and f"def {name}(" not in (ROOT / path).read_text())
    ]
    assert missing == []


def test_every_option_that_is_given_exists(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("range-test", "train", "compare"):
        assert main([command, "--help"]) == 0
    known = options(capsys.readouterr().out)
    given = set()
    for part in ("ranges", "compare", "train", "transfer", "oom", "compiled"):
        given |= options(body(part))
    assert given >= {"--data", "--image-size", "--jobs", "--detach", "--compile"}
    assert given <= known


def body(part: str) -> str:
    """What check.sh does for a part of several lines."""
    return SHELL.split(f"part_{part}() {{\n")[1].split("\n}")[0]


def options(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))
