"""The pane with the worker's output: key `l` on every run."""

from __future__ import annotations

import math

import pytest
from run_logs import SIZES, Clock, app_of, message, poll, replay_of

from clr_tui.engine.log.rundir import RunDir
from clr_tui.tui.widgets.output_view import MISSING, NO_FOLDER, NOTHING, OutputView

size = pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
WARNING = (
    "/home/me/project/model.py:41: UserWarning: dropout2d: Received a 2-D input to dropout2d, "
    "which is deprecated and will result in an error in a future release."
)


def prints(run: RunDir, text: str) -> None:
    with open(run.log_path, "a", encoding="utf-8") as file:
        file.write(text)


def bar(done: int) -> str:
    return f"\r{done:3d}%|{'█' * (done // 5):20}| {done}/100"


def project(run: RunDir) -> None:
    """What the code of a user may print."""
    prints(run, f"loading 3,670 photos\n{WARNING}\n  warnings.warn(msg)\n")
    prints(run, "\x1b[31mred\x1b[0m and [bold]not markup[/bold]\n")
    prints(run, "".join(f"epoch {i}: loss {1 / (i + 1):.3f}\n" for i in range(60)))
    prints(run, "".join(map(bar, range(0, 75, 5))))


def view(pilot) -> OutputView:
    return pilot.app.screen.query_one(OutputView)


def rows(pilot) -> list[str]:
    """What the pane shows below its heading."""
    return [row.rstrip() for row in view(pilot).text.split("\n")[1:]]


async def read(pilot) -> None:
    pilot.app.clock.now += 1.0
    await poll(pilot)


async def show(pilot) -> None:
    await poll(pilot)
    await pilot.press("l")
    await pilot.pause()
    await pilot.pause()


@pytest.fixture
def clock(monkeypatch):
    return Clock()


@pytest.fixture
def training(train_log):
    project(train_log.run)
    return train_log.live().begin().train(3)


@size
async def test_it_follows_what_the_worker_prints(training, clock, size):
    async with app_of(training, clock=clock).run_test(size=size) as pilot:
        await show(pilot)
        assert rows(pilot)[-2:] == ["epoch 59: loss 0.017", bar(70)[1:]]
        prints(training.run, bar(80))
        await read(pilot)
        assert rows(pilot)[-1] == bar(80)[1:]
        for i in range(40):
            prints(training.run, f"\nmore {i}")
            await read(pilot)
            assert f"more {i}" in rows(pilot)
        assert "following" in view(pilot).text


@size
async def test_scrolled_up_it_stays_where_it_is(training, clock, size):
    async with app_of(training, clock=clock).run_test(size=size) as pilot:
        await show(pilot)
        await pilot.press("pageup")
        before = rows(pilot)
        assert "epoch 59: loss 0.017" not in before
        prints(training.run, "\n" + "more\n" * 100)
        await read(pilot)
        assert rows(pilot) == before
        prints(training.run, "more\n" * 5000)  # its own lines are no longer kept
        await read(pilot)
        assert set(rows(pilot)) == {"more"}
        await pilot.press("end")
        assert rows(pilot)[-1] == "more"
        await pilot.press("home")
        assert str(training.run.log_path)[:20] in "".join(rows(pilot))
        assert "more below" in view(pilot).text
        for _ in range(1000):
            if "following" in view(pilot).text:
                break
            await pilot.press("pagedown")
        assert rows(pilot)[-1] == "more"


async def test_the_first_lines_are_there_with_long_ones_wrapped(training):
    async with app_of(training).run_test(size=(80, 24)) as pilot:
        await show(pilot)
        await pilot.press("home")
        assert rows(pilot)[0] == "loading 3,670 photos"
        assert "".join(f"{row:78}" for row in rows(pilot)[1:4]).rstrip() == WARNING
        assert "�[31mred�[0m and [bold]not markup[/bold]" in rows(pilot)
        await pilot.resize_terminal(160, 44)
        await pilot.pause()
        assert rows(pilot)[0] == "loading 3,670 photos"
        assert rows(pilot)[1] == WARNING


async def test_the_wheel_scrolls(training):
    async with app_of(training).run_test(size=(80, 24)) as pilot:
        await show(pilot)
        view(pilot).on_mouse_scroll_up()
        assert rows(pilot)[-1] == "epoch 57: loss 0.017"
        view(pilot).on_mouse_scroll_down()
        assert rows(pilot)[-1] == bar(70)[1:]


async def test_a_low_screen_shows_it_in_place_of_the_charts_a_tall_one_below_them(training):
    async with app_of(training).run_test(size=(80, 24)) as pilot:
        await show(pilot)
        body = pilot.app.screen.query_one("#body")
        assert not body.region.height
        await pilot.resize_terminal(80, 44)
        await pilot.pause()
        assert body.region.height
        assert view(pilot).region.y == body.region.bottom
        await pilot.press("l")
        await pilot.pause()
        assert not view(pilot).region.height


async def test_hidden_or_covered_it_reads_and_sends_nothing(training, clock, monkeypatch):
    async with app_of(training, clock=clock).run_test(size=(80, 24)) as pilot:
        await poll(pilot)
        reads = []
        monkeypatch.setattr(OutputView, "read", lambda _: reads.append(1))
        await read(pilot)
        assert reads == []
        await show(pilot)
        await read(pilot)
        assert reads
        await pilot.press("question_mark")
        reads.clear()
        pilot.app.clock.now += 5
        pilot.app.screen_stack[-2].poll()
        assert reads == []
        await pilot.press("escape")
        await pilot.pause()
        await pilot.pause()
        assert reads
        await pilot.press("l")
        reads.clear()
        await read(pilot)
        assert reads == []


async def test_a_progress_bar_repaints_only_what_changed(training, clock, monkeypatch):
    async with app_of(training, clock=clock).run_test(size=(80, 24)) as pilot:
        await show(pilot)
        asked = []
        monkeypatch.setattr(view(pilot), "refresh", lambda *regions, **_: asked.extend(regions))
        prints(training.run, bar(75))
        await read(pilot)
        assert [(region.height, region.width < 40) for region in asked] == [(1, True)]
        asked.clear()
        await read(pilot)
        assert asked == []


async def test_new_lines_repaint_the_pane_only_now_and_then(training, clock, monkeypatch):
    async with app_of(training, clock=clock).run_test(size=(80, 24)) as pilot:
        await show(pilot)
        painted = []
        asked = []
        monkeypatch.setattr(view(pilot), "refresh", lambda *regions, **_: asked.extend(regions))
        for i in range(12):
            prints(training.run, f"\nmore {i}")
            await read(pilot)
            painted.append(len(asked))
            asked.clear()
        assert sorted(painted)[len(painted) // 2] == 1


async def test_after_the_run_it_is_still_there(train_log):
    project(train_log.run)
    train_log.begin().train(3).end()
    async with app_of(train_log).run_test(size=(80, 24)) as pilot:
        await show(pilot)
        assert rows(pilot)[-1] == bar(70)[1:]


async def test_a_replay_of_a_run_shows_its_output(train_log):
    project(train_log.run)
    train_log.begin().train(3).end()
    app = replay_of(train_log, clock=Clock(), start_speed=math.inf)
    async with app.run_test(size=(80, 24)) as pilot:
        await show(pilot)
        assert rows(pilot)[-1] == bar(70)[1:]


async def test_a_log_of_its_own_has_no_output(train_log, tmp_path):
    from clr_tui.engine.analysis.recordings.recording import open_recording
    from clr_tui.tui.app import ClrTuiApp

    train_log.begin().train(3).end()
    path = tmp_path / "alone.jsonl"
    path.write_bytes(train_log.run.events_path.read_bytes())
    app = ClrTuiApp(tmp_path / "runs", recording=open_recording(path), clock=Clock())
    async with app.run_test(size=(160, 44)) as pilot:
        await show(pilot)
        assert rows(pilot) == [NO_FOLDER]


async def test_what_is_missing_is_said(training, clock):
    training.run.log_path.unlink()
    async with app_of(training, clock=clock).run_test(size=(160, 44)) as pilot:
        await show(pilot)
        assert rows(pilot) == [MISSING]
        prints(training.run, "")
        await read(pilot)
        assert rows(pilot) == [NOTHING]
        prints(training.run, "here")
        await read(pilot)
        assert rows(pilot) == ["here"]


async def test_the_keys_that_scroll_it_say_how_to_show_it(training):
    async with app_of(training).run_test(size=(80, 24)) as pilot:
        await poll(pilot)
        await pilot.press("pageup")
        assert "press l to show it" in message(pilot)


@size
@pytest.mark.parametrize("place", ["end", "home"])
def test_pictures(snap_compare, training, place, size):
    assert snap_compare(app_of(training), press=["l", place], terminal_size=size)
