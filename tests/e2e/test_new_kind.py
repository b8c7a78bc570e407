"""A kind of run is added by its entries in three tables alone; and no product file outside of the
tables tells kinds, data sets or models apart."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

import pytest
import toy_kind

from clr_tui.engine.log import launch
from clr_tui.engine.log.rundir import find_run
from clr_tui.engine.settings.catalogue import MODELS, SOURCES
from clr_tui.engine.settings.config import JOBS
from clr_tui.tui.app import ClrTuiApp
from clr_tui.tui.cli.main import main
from clr_tui.tui.text.form import read_form
from clr_tui.tui.text.form_fields import form_fields
from clr_tui.tui.widgets.chart_view import ChartView

PRODUCT = Path(__file__).parents[2]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of runs, in a program that has the toy kind in its tables."""
    monkeypatch.setenv("CLR_TUI_RUNS", str(tmp_path))
    for table, entry in toy_kind.TABLES:
        monkeypatch.setitem(table, "toy", entry)
    worker = [sys.executable, toy_kind.__file__]
    monkeypatch.setattr(launch, "module_command", lambda _module, *args: [*worker, *args])
    return tmp_path


async def test_a_new_kind_runs_is_listed_replayed_exported_and_shown(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*arguments: str) -> str:
        assert main(arguments) == 0
        return capsys.readouterr().out

    assert "halve a loss" in said("--help")
    assert "--steps N" in said("toy", "--help")
    result = json.loads(said("toy", "--steps", "3", "--headless", "--json"))
    assert (result["kind"], result["status"], result["last_loss"]) == ("toy", "done", 0.25)
    (listed,) = json.loads(said("ls", "--json"))["runs"]
    assert (listed["run"], listed["kind"], listed["headline"]) == ("toy-digits-1", "toy", "3 steps")
    assert "toy run  digits · CNN · 3 halvings" in said("replay", "toy-digits-1", "--headless")
    assert said("export", "toy-digits-1", "--csv", "-").count("\n") == 4
    log = runs / "alone.jsonl"
    log.write_bytes(find_run(runs, "toy").events_path.read_bytes())
    assert json.loads(said("replay", str(log), "--json"))["last_loss"] == 0.25

    app = ClrTuiApp(runs, open_run=find_run(runs, "toy"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("question_mark")
        assert str(app.screen.query_one("#help-title").render()) == "Toy run"
        assert app.screen_stack[1].query_one(ChartView).chart.title == "toy loss"


def test_its_mistakes_are_found_before_it_starts(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["toy", "--steps", "0", "--headless"]) == 2
    assert "steps must be at least 1, not 0" in capsys.readouterr().err
    assert not list(runs.iterdir())


def test_the_form_asks_for_it_too(runs: Path) -> None:
    values = {field.name: field.default for field in form_fields()} | {"kind": "toy run"}
    asked = [field.name for field in form_fields() if field.kinds == ("toy",)]
    assert asked == ["toy_steps"]
    assert read_form(values | {"toy_steps": "3"}).job == toy_kind.Toy(steps=3)
    errors = read_form(values | {"toy_steps": "0"}).errors
    assert errors == {"toy_steps": "steps must be at least 1, not 0"}


OF_ONE_KIND = tuple(
    path
    for kind in ("range_test", "train", "compare", "logged")
    for path in (f"tui/kinds/{kind}/", f"engine/settings/{kind}_config.py")
)
MAY_NAME_A_KIND: dict[str, str] = {
    "engine/settings/config.py": "the table of the structs",
    "engine/kinds.py": "the engine's table",
    "tui/kinds/registry.py": "the table of screens and commands",
    "tui/keys.py": "a key names the screen that it belongs to",
    "engine/analysis/history.py": "bounds that nobody has moved are those of the training",
    "engine/analysis/comparison/asked_rates.py": "rates may be those around a range test's advice",
    "engine/analysis/recordings/tensorboard_export.py": "the settings of a user's own loop",
    "engine/own_loop/loop_log.py": "the lock of a user's own loop says so",
    "tui/resuming.py": "only a training can be made longer",
    "engine/analysis/recordings/recording.py": "the kind of a log whose first line was lost",
}


MAY_NAME_DATA_OR_A_MODEL: dict[str, str] = {
    "engine/settings/catalogue.py": "the tables",
    "engine/settings/task_config.py": "what a task is by default",
    "engine/tasks/torchvision_files.py": "where the files of published data sets are",
    "engine/tasks/torchvision_sets.py": "how each of them is read",
}


def named_in(path: Path, names: set[str], types: set[str]) -> set[str]:
    """What a file tells apart: by a name, or by the type of a job."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and node.value in names:
            found.add(str(node.value))
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance":
            found |= types & {n.id for n in ast.walk(node.args[1]) if isinstance(n, ast.Name)}
    return found


@pytest.mark.parametrize(
    ("names", "types", "allowed", "folders"),
    [
        # "train" is not looked for: a part of the data is called so, and so is a trial's role.
        (
            JOBS.keys() - {"train"},
            {j.__name__ for j in JOBS.values()},
            MAY_NAME_A_KIND,
            OF_ONE_KIND,
        ),
        ({*SOURCES, *MODELS}, set(), MAY_NAME_DATA_OR_A_MODEL, ()),
    ],
    ids=["kinds", "data sets and models"],
)
def test_no_other_product_file_tells_them_apart(
    names: set[str], types: set[str], allowed: dict[str, str], folders: tuple[str, ...]
) -> None:
    found = {}
    for package in ("engine", "tui"):
        for path in sorted((PRODUCT / package).rglob("*.py")):
            name = path.relative_to(PRODUCT).as_posix()
            if not name.startswith(folders) and (some := named_in(path, names, types)):
                found[name] = some
    assert {name: some for name, some in found.items() if name not in allowed} == {}
    assert found.keys() >= allowed.keys(), "what names none any more needs no permission"
