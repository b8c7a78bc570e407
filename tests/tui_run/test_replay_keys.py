"""Recordings on the run screens."""

import math

from run_logs import Clock, Log, app_of, message, panel, poll, replay_of, title, usual

from clr_tui.engine.analysis.recordings.recording import open_recording
from clr_tui.engine.settings.config import SMOOTHING
from clr_tui.tui.app import ClrTuiApp
from clr_tui.tui.kinds.range_test.screen import RangeTestScreen
from clr_tui.tui.widgets.replay_bar import ReplayBar, replay_line


class Time(Clock):
    def __init__(self) -> None:
        self.now = 100.0


async def test_a_replay_follows_the_clock(sweep_log):
    sweep_log.begin().sweep(usual).end()
    time = Time()
    async with replay_of(sweep_log, clock=time).run_test(size=(80, 24)) as pilot:
        assert "replay" in title(pilot)
        screen = pilot.app.screen
        assert not screen.history.trials
        time.now += 2.0
        await poll(pilot)
        done = len(screen.history.trial)
        assert 0 < done < 120
        assert f"{done} / 120" in panel(pilot)
        await pilot.press("space")
        time.now += 60
        await poll(pilot)
        assert len(screen.history.trial) == done
        await pilot.press("space")
        time.now += 60
        await poll(pilot)
        assert screen.history.finished is not None
        assert "done" in title(pilot)
        assert screen.bounds is not None


async def test_seeking_back_forgets_what_comes_later(sweep_log):
    sweep_log.begin().sweep(usual).end()
    app = replay_of(sweep_log, clock=Time(), start_speed=math.inf)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = pilot.app.screen
        await poll(pilot)
        assert screen.history.finished is not None
        await pilot.press(*["left_square_bracket"] * 4)
        assert screen.history.finished is None
        assert "replay  ● running" in title(pilot)
        assert len(screen.history.trial) < 120
        await pilot.press(*["left_square_bracket"] * 30)
        assert not screen.history.trials
        await pilot.press(*["right_square_bracket"] * 30)
        assert screen.history.finished is not None


async def test_speed(sweep_log):
    sweep_log.begin().sweep(usual).end()
    async with replay_of(sweep_log, clock=Time()).run_test(size=(80, 24)) as pilot:
        bar = pilot.app.screen.query_one(ReplayBar)
        assert "replay 1x" in bar.text
        await pilot.press("greater_than_sign", "greater_than_sign")
        assert "replay 4x" in bar.text
        await pilot.press(*["less_than_sign"] * 3)
        assert "replay 0.5x" in bar.text


async def test_the_bar_tells_where_it_stands(sweep_log):
    sweep_log.begin().sweep(usual).end()
    time = Time()
    async with replay_of(sweep_log, clock=time).run_test(size=(80, 24)) as pilot:
        source = pilot.app.screen.source
        time.now += source.seconds / 2
        line = "".join(text for text, _ in replay_line(source, 60))
        assert len(line) == 60
        assert line.startswith("▶ replay 1x")
        assert abs(line.count("━") - line.count("─")) <= 1
        source.seek(1.0)
        assert "".join(text for text, _ in replay_line(source, 60)).count("─") == 0


async def test_a_recording_takes_no_orders(sweep_log):
    sweep_log.begin().sweep(usual).end()
    async with replay_of(sweep_log, clock=Time()).run_test(size=(80, 24)) as pilot:
        await pilot.press("s")
        assert "a recording" in message(pilot)


async def test_bounds_can_be_moved_in_a_replay_and_survive_seeking(sweep_log):
    sweep_log.begin().sweep(usual).end()
    app = replay_of(sweep_log, clock=Time(), start_speed=math.inf)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = pilot.app.screen
        await poll(pilot)
        await pilot.press("right", "right")
        held = screen.bounds
        await pilot.press("left_square_bracket")
        assert screen.bounds == held


async def test_an_imported_curve_has_no_task_to_run(tmp_path):
    path = tmp_path / "curve.csv"
    rows = [f"{i},{1e-7 * 10 ** (i / 15)},{3 - i / 100 + (i > 85) * i}" for i in range(100)]
    path.write_text("step,lr,loss\n" + "\n".join(rows) + "\n")
    app = ClrTuiApp(tmp_path, recording=open_recording(path), clock=Time(), start_speed=math.inf)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, RangeTestScreen)
        await poll(pilot)
        assert screen.options.smoothing == SMOOTHING  # no noise shows that it was smoothed before
        await pilot.press("b", *"1e-3", "down", *"1e-2", "enter")
        for key in ("t", "r"):
            await pilot.press(key)
            assert "does not name its task" in message(pilot)
        assert pilot.app.screen is screen


def bare_replay(log: Log, tmp_path, **kwargs) -> ClrTuiApp:
    """An app that replays the log alone, moved away from its run.json."""
    path = log.run.events_path.rename(tmp_path / "moved.jsonl")
    return ClrTuiApp(tmp_path, recording=open_recording(path), clock=Time(), **kwargs)


async def test_a_bare_log_shows_only_what_it_tells(train_log, tmp_path):
    train_log.begin().train(4).end("stopped")
    app = bare_replay(train_log, tmp_path, start_speed=math.inf)
    async with app.run_test(size=(120, 40)) as pilot:
        await poll(pilot)
        assert "training  flowers · CNN · batch 64 · 6e-4…0.0036 " in title(pilot)
        assert "policy    -" in panel(pilot)
        assert "cycle     -" in panel(pilot)
        assert "middle of cycle" not in message(pilot)
        await pilot.press("r")
        assert "does not name its task" in message(pilot)


async def test_a_replay_reports_log_damage(sweep_log, tmp_path):
    sweep_log.begin().sweep(usual).end()
    with sweep_log.run.events_path.open("ab") as file:
        file.write(b'no event\n{"type": "party"}\n')
    async with replay_of(sweep_log, clock=Time()).run_test(size=(120, 40)) as pilot:
        await poll(pilot)
        assert "1 line of the log could not be read" in message(pilot)
        assert "does not know: party" in message(pilot)


async def test_a_live_run_has_no_replay_bar(sweep_log):
    sweep_log.live().begin()
    async with app_of(sweep_log).run_test(size=(80, 24)) as pilot:
        assert not pilot.app.screen.query(ReplayBar)
