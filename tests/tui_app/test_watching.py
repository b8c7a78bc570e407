"""The log of another tool on a screen, while it grows."""

from __future__ import annotations

from pathlib import Path

from app_helpers import NOW, make_app, until
from textual.screen import Screen

from clr_tui.engine.analysis.foreign.opening import config_of
from clr_tui.engine.log import events as ev
from clr_tui.engine.log.tail import Batch
from clr_tui.tui.alerts import Alert, Alerts
from clr_tui.tui.keys import keys_for
from clr_tui.tui.kinds.logged.screen import LoggedScreen
from clr_tui.tui.kinds.logged.together import TogetherScreen
from clr_tui.tui.sources import ForeignSource, NamedSource
from clr_tui.tui.widgets.panel import Panel
from clr_tui.tui.widgets.title_bar import TitleBar


class Log:
    """A `ForeignLog` that says what a test has put into it."""

    name = "version_3"
    path = Path("version_3")
    format = "Lightning CSV"

    def __init__(self) -> None:
        self.settings = {"lr": "0.1"}
        self.new: list[ev.AnyEvent] = []

    def poll(self, limit: int | None = None) -> Batch:
        events, self.new = self.new, []
        return Batch(events=events)


def values(step: int, time: float) -> ev.Logged:
    return ev.Logged(step=[step], values={"loss": [1.0]}, time=time)


def title(screen: LoggedScreen | TogetherScreen) -> str:
    return "".join(text for line in screen.query_one(TitleBar).lines for text, _ in line)


async def test_it_is_growing_or_silent_but_never_lost(tmp_path: Path, monkeypatch) -> None:
    log = Log()
    found = [NamedSource(log.name, ForeignSource(log), config_of(log))]
    app = make_app(tmp_path, monkeypatch, load=lambda: found)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, LoggedScreen))
        screen = app.screen
        assert isinstance(screen, LoggedScreen)
        await until(pilot, lambda: "nothing logged yet" in title(screen))
        assert "version_3 · Lightning CSV" in title(screen)
        log.new = [values(0, NOW - 5)]
        await until(pilot, lambda: "● growing" in title(screen))
        app.wall = lambda: NOW + 44
        await until(pilot, lambda: "◌ silent for 40 s" in title(screen))
        app.wall = lambda: NOW + 3600
        await until(pilot, lambda: "◌ silent for 1 h" in title(screen))
        log.new = [values(1, NOW + 3600)]
        await until(pilot, lambda: "● growing" in title(screen))
        log.new = [ev.RunFinished(outcome="done", time=NOW + 3601)]
        await until(pilot, lambda: "✓ done" in title(screen))


async def test_nothing_commands_another_program(tmp_path: Path, monkeypatch) -> None:
    log = Log()
    log.new = [values(0, NOW)]
    found = [NamedSource(log.name, ForeignSource(log), config_of(log))]
    app = make_app(tmp_path, monkeypatch, load=lambda: found)
    said: list[str] = []
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, LoggedScreen))
        screen = app.screen
        assert isinstance(screen, LoggedScreen)
        await until(pilot, lambda: screen.history.has_results)
        monkeypatch.setattr(screen, "say", said.append)
        for key in ("s", "space"):
            await pilot.press(key)
        assert set(said) == {"This is the log of another program, which clr-tui only reads."}
        assert screen.key_mode == "watch"


async def test_a_range_test_among_the_values_is_offered(tmp_path: Path, monkeypatch) -> None:
    log = Log()
    steps = list(range(50))
    lr: list[float | None] = [1e-5 * 1.2**step for step in steps]
    loss: list[float | None] = [2.0 + (step - 30) ** 2 / 900 for step in steps]
    log.new = [ev.Logged(step=steps, values={"lr": lr, "loss": loss}, time=NOW)]
    found = [NamedSource(log.name, ForeignSource(log), config_of(log))]
    app = make_app(tmp_path, monkeypatch, load=lambda: found)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, LoggedScreen))
        await until(pilot, lambda: "This fits a range test" in message(app.screen))


async def test_a_comparison_among_the_logs_is_offered(tmp_path: Path, monkeypatch) -> None:
    found = []
    for name in ("adam_0", "adam_1", "sgd_0", "sgd_1"):
        log = Log()
        log.name, log.path = name, Path(name)
        accuracy: list[float | None] = [0.5, 0.6, 0.7]
        log.new = [ev.Logged(step=[1, 2, 3], values={"val_acc": accuracy}, x="epoch", time=NOW)]
        found.append(NamedSource(name, ForeignSource(log), config_of(log)))
    app = make_app(tmp_path, monkeypatch, load=lambda: found)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, TogetherScreen))
        await until(pilot, lambda: "This fits a comparison" in message(app.screen))


async def test_logs_together_grow_or_are_silent_and_what_they_count_is_said(
    tmp_path: Path, monkeypatch
) -> None:
    found, logs = [], [Log(), Log()]
    for log, x, time in zip(logs, ("step", "epoch"), (NOW - 5, NOW - 600), strict=True):
        log.name, log.path = f"by-{x}", Path(f"by-{x}")
        log.new = [ev.Logged(step=[1, 2], values={"loss": [0.5, 0.4]}, x=x, time=time)]
        found.append(NamedSource(log.name, ForeignSource(log), config_of(log)))
    app = make_app(tmp_path, monkeypatch, load=lambda: found)
    told: list[Alert] = []
    app.alerts = Alerts(told.append)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, TogetherScreen))
        screen = app.screen
        assert isinstance(screen, TogetherScreen)
        await until(pilot, lambda: "● 1 growing  ◌ 1 silent" in title(screen))
        said = "Some runs count by epoch, others by step: x shows both as they are."
        await until(pilot, lambda: said in message(screen))
        listed = {key.shown for key in keys_for(screen.key_screen, screen.key_mode)}
        assert not {"l", "r", "c", "s", "b"} & listed
        logs[1].new = [ev.RunFinished(outcome="done", time=NOW)]
        await until(pilot, lambda: "✓ 1 done" in title(screen))
        logs[0].new = [ev.Logged(step=[3, 4, 5], values={"loss": [None] * 3}, time=NOW)]
        await until(pilot, lambda: len(told) == 2)
        said = {alert.sentence for alert in told}
        assert said == {"by-epoch is done", "by-step diverged: loss is not finite"}


def message(screen: Screen) -> str:
    lines = screen.query_one("#message", Panel).lines
    return "\n".join("".join(text for text, _ in line) for line in lines)
