"""A stranger's folder by form: range test, training from its chart, comparison from there."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from clr_tui.tui.app import ClrTuiApp
from clr_tui.tui.screens.new_run import FormRow, NewRunScreen
from clr_tui.tui.screens.run_screen import RunScreen
from clr_tui.tui.widgets.output_view import OutputView

FILES = {
    "engine.py": """
import torch
from utils import draw

def loss_of(outputs, targets):
    return torch.nn.functional.smooth_l1_loss(outputs, targets)

class Pairs(torch.utils.data.Dataset):
    def __init__(self, rows):
        self.x, self.y = draw(rows)
    def __len__(self):
        return len(self.y)
    def __getitem__(self, index):
        return self.x[index], self.y[index]
""",
    "utils.py": """
import torch
import model

def draw(rows):
    x = torch.randn(rows, model.INPUTS)
    return x, x[:, :1] - x[:, 1:2].abs()
""",
    "model.py": """
from torch import nn
INPUTS = 4
class Net(nn.Sequential):
    def __init__(self, width):
        super().__init__(nn.Linear(INPUTS, width), nn.ReLU(), nn.Linear(width, 1))
""",
    "mine.py": """
import clr_tui
from engine import Pairs, loss_of
from model import Net

print("my own words")

def task(width: int = 8, broken: bool = False):
    def step(model, batch):
        x, y = batch
        return loss_of(model(x), y[:, 1]) if broken else loss_of(model(x), y)
    return clr_tui.Task(model=lambda: Net(width), train=Pairs(640), step=step)
""",
}


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClrTuiApp:
    folder = tmp_path / "project"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return ClrTuiApp(tmp_path / "runs")


async def until(pilot, condition, seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, pilot.app.screen
        await pilot.pause()
        await asyncio.sleep(0.02)


async def fill(pilot, **texts: str) -> None:
    """Fills in the form, once it has these fields."""

    def row(name: str) -> FormRow | None:
        rows = pilot.app.screen.query(FormRow)
        return next((row for row in rows if row.field.name.rpartition(".")[2] == name), None)

    for name, text in texts.items():
        await until(pilot, lambda name=name: row(name) is not None)
        found = row(name)
        assert found is not None
        found.fill(text)
    await pilot.pause()


async def run(pilot, kind: str, state: str = "done") -> RunScreen:
    """Waits until a run of this kind is shown and has ended."""

    def ended() -> bool:
        screen = pilot.app.screen
        return (
            isinstance(screen, RunScreen)
            and screen.config.kind == kind
            and not screen.source.live
            and screen.status.ended
        )

    await until(pilot, ended)
    screen = pilot.app.screen
    assert isinstance(screen, RunScreen)
    assert screen.status.state == state, screen.history.finished
    return screen


@pytest.mark.slow
async def test_from_range_test_to_comparison(app) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, NewRunScreen))
        await fill(pilot, task="mine.py", width="16", end_lr="10")
        await pilot.press("enter")
        screen = await run(pilot, "range-test")
        assert screen.config.task.parameters == {"width": 16}
        await pilot.press("l")
        await until(pilot, lambda: "my own words" in app.screen.query_one(OutputView).text)
        await pilot.press("l", "t")
        await pilot.pause()
        await pilot.press("enter")
        screen = await run(pilot, "train")
        assert screen.config.task.parameters == {"width": 16}
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, NewRunScreen))
        await fill(
            pilot, width="4", optimizers="adam, sgd(lr=0.1)", compare_seeds="1", compare_epochs="1"
        )
        await pilot.press("enter")
        screen = await run(pilot, "compare")
        assert screen.config.task.parameters == {"width": 4}
        assert all(trial.outcome == "done" for trial in screen.history.trials.values())


@pytest.mark.slow
async def test_a_mistake_shows_its_lines_and_is_mended_in_the_form(app) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, NewRunScreen))
        await fill(pilot, task="mine.py", broken="on", steps="5")
        await pilot.press("enter")
        screen = await run(pilot, "range-test", "failed")
        await pilot.pause()
        shown = screen.query_one("#message").text  # type: ignore[attr-defined]
        assert "IndexError" in shown
        assert "mine.py" in shown
        assert "y[:, 1]" in shown
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, NewRunScreen))
        await fill(pilot, broken="off")
        await pilot.press("enter")
        await run(pilot, "range-test")
