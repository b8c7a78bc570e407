"""Every key of the comparison screen, in every state of a run."""

import json
import math
import shutil

import pytest
from compare_runs import (
    LABELS,
    SIX,
    all_failed,
    chart,
    compare_log,
    place,
    table,
    upto_epoch,
)
from comparison_logs import comparison_events
from msgspec.json import encode
from msgspec.structs import replace
from run_logs import (
    Clock,
    app_of,
    commands,
    message,
    poll,
    press_every_key,
    replay_of,
    title,
)
from textual.widgets import Static

from clr_tui.engine.log import events as ev
from clr_tui.engine.log.commands import Continue, Pause, Stop, StopTrial
from clr_tui.engine.settings.config import Compare
from clr_tui.engine.settings.entries import parse_entries
from clr_tui.engine.settings.rate_grid import at_each_rate
from clr_tui.tui.cli.main import main
from clr_tui.tui.kinds.compare import screen as comparison_module
from clr_tui.tui.kinds.compare.screen import ComparisonScreen
from clr_tui.tui.kinds.compare.target_dialog import TargetDialog
from clr_tui.tui.kinds.compare.trial_screen import TrialScreen
from clr_tui.tui.screens.confirm import ConfirmScreen
from clr_tui.tui.screens.new_run import FormRow, NewRunScreen
from clr_tui.tui.widgets.field import Field

SMALL = (80, 24)
LARGE = (160, 44)
STATES = {
    "nothing yet": lambda folder: compare_log(folder, upto=0).live(),
    "ready": lambda folder: compare_log(folder, upto=4).live(),
    "tuning": lambda folder: compare_log(folder, tuned=True, upto=9).live(),
    "first steps": lambda folder: compare_log(folder, upto=9).live(),
    "running": lambda folder: compare_log(folder, running=True).live(),
    "paused": lambda folder: compare_log(folder, running=True).live().tell(ev.Paused()),
    "one failed": lambda folder: compare_log(folder, failed=(1, 1)),
    "all failed": all_failed,
    "lost": lambda folder: compare_log(folder, running=True),
    "done": compare_log,
}


@pytest.mark.parametrize(
    ("state", "size"), [(state, SMALL) for state in STATES] + [("running", (40, 12))]
)
async def test_every_key_in_every_state(tmp_path, state, size):
    log = STATES[state](tmp_path)
    async with app_of(log, start=lambda *_: log.run).run_test(size=size) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, ComparisonScreen)
        await press_every_key(pilot, "compare")
        assert pilot.app.screen is screen
    log.die()


# -- rows ----------------------------------------------------------------------------------


async def test_rows_open_and_their_trials_too(tmp_path):
    async with app_of(compare_log(tmp_path)).run_test(size=SMALL) as pilot:
        screen = pilot.app.screen
        assert place(pilot) == (0, None)
        assert len(table(pilot).rows) == 3
        await pilot.press("enter")
        assert [row.trial for row in table(pilot).rows] == [None, 0, 1, 2, None, None]
        await pilot.press("up", "down", "down")
        assert place(pilot) == (0, 1)
        await pilot.press("enter")
        trial = pilot.app.screen
        assert isinstance(trial, TrialScreen)
        await poll(pilot)
        assert list(trial.history.trials) == [1]
        assert "adam, seed 1" in title(pilot)
        await pilot.press("escape")
        assert pilot.app.screen is screen
        assert place(pilot) == (0, 1)
        await pilot.press("up", "up", "enter")
        assert len(table(pilot).rows) == 3


async def test_an_unstarted_trial_cannot_be_opened(tmp_path):
    log = compare_log(tmp_path, running=True).live()
    async with app_of(log).run_test(size=LARGE) as pilot:
        await pilot.press("down", "down", "enter", "down", "enter")
        assert place(pilot)[0] == 2
        assert "has not started" in message(pilot)
        assert isinstance(pilot.app.screen, ComparisonScreen)
    log.die()


async def test_closing_an_optimizer_takes_the_cursor_from_its_trial_to_it(tmp_path):
    async with app_of(compare_log(tmp_path)).run_test(size=SMALL) as pilot:
        await pilot.press("enter", "down", "down")
        assert place(pilot) == (0, 1)
        pilot.app.screen.expanded = frozenset()
        pilot.app.screen.show_history()
        assert place(pilot) == (0, None)


async def test_the_cursor_stays_on_its_row_when_ranks_change(tmp_path):
    # adam leads from its first trial on; sgd+clr, first asked for, comes above it only when done.
    log = compare_log(tmp_path, ("sgd+clr", "adam", "rmsprop"), running=True).live()
    async with app_of(log).run_test(size=LARGE) as pilot:
        await pilot.press("down")
        entry = place(pilot)[0]
        before = [row.entry for row in table(pilot).rows]
        table(pilot).show((), list(reversed(table(pilot).rows)))
        assert [row.entry for row in table(pilot).rows] != before
        assert place(pilot)[0] == entry
    log.die()


async def test_the_cursor_stays_at_the_top_until_it_is_moved(tmp_path):
    async with app_of(compare_log(tmp_path)).run_test(size=SMALL) as pilot:
        last = table(pilot).rows[-1].entry
        table(pilot).show((), list(reversed(table(pilot).rows)))
        assert place(pilot)[0] == last


async def test_more_rows_than_room_scroll_and_say_so(tmp_path):
    async with app_of(compare_log(tmp_path)).run_test(size=SMALL) as pilot:
        for _ in range(3):
            await pilot.press("enter", "down", "down", "down", "down")
        assert len(table(pilot).rows) == 12
        await pilot.pause()
        shown = table(pilot)
        assert chart_height(pilot) >= 8
        assert shown.size.height < 13
        strips = [shown.render_line(y).text for y in range(shown.size.height)]
        assert strips[1].rstrip().endswith("↑")
        assert strips[-1].startswith("▌")
        await pilot.press(*["up"] * 11)
        strips = [shown.render_line(y).text for y in range(shown.size.height)]
        assert strips[1].startswith("▌")
        assert strips[-1].rstrip().endswith("↓")


async def test_the_cursor_is_in_sight_on_a_low_screen(tmp_path):
    async with app_of(compare_log(tmp_path, SIX)).run_test(size=(60, 18)) as pilot:
        await pilot.press(*["down"] * 5)
        shown, body = table(pilot), pilot.app.screen.query_one("#body")
        assert shown.region.bottom <= body.region.bottom
        strips = [shown.render_line(y).text for y in range(shown.size.height)]
        assert strips[-1].startswith("▌")


def chart_height(pilot) -> int:
    return pilot.app.screen.query_one("#chart").size.height


async def test_a_click_selects_and_a_second_one_opens(tmp_path):
    async with app_of(compare_log(tmp_path)).run_test(size=SMALL) as pilot:
        await pilot.click("#ranking", offset=(10, 2))
        assert place(pilot)[0] == table(pilot).rows[1].entry
        await pilot.click("#ranking", offset=(10, 2), times=2)
        assert len(table(pilot).rows) == 6


# -- how it is drawn -----------------------------------------------------------------------


async def test_h_hides_a_curve_and_shows_it_again(tmp_path):
    async with app_of(compare_log(tmp_path)).run_test(size=LARGE) as pilot:
        before = len(chart(pilot).series)
        await pilot.press("h")
        assert len(chart(pilot).series) == before - 1
        assert len(table(pilot).rows) == 3
        await pilot.press("h")
        assert len(chart(pilot).series) == before


async def test_what_is_selected_is_in_front(tmp_path):
    async with app_of(compare_log(tmp_path)).run_test(size=LARGE) as pilot:
        for _ in range(3):
            role = f"entry-{place(pilot)[0] + 1}"
            assert [one.colour for one in chart(pilot).areas if not one.faint] == [role]
            assert [one.colour for one in chart(pilot).series if one.strong] == [role]
            await pilot.press("down")
        assert place(pilot)[0] == table(pilot).rows[-1].entry


async def test_v_a_x_m_and_d_change_the_chart(tmp_path):
    async with app_of(compare_log(tmp_path)).run_test(size=LARGE) as pilot:
        said = []
        for key in ("v", "v", "v", "a", "a", "x", "x", "x"):
            await pilot.press(key)
            said.append((chart(pilot).title.partition("  ")[0], chart(pilot).x.label))
        parts = [title for title, _ in said[:5]]
        assert len(set(parts[:3])) == 3
        assert parts[2] == parts[4]
        assert "accuracy" in parts[2]
        assert "loss" in parts[3]
        assert [label.partition(" ")[0] for _, label in said[5:]] == ["step", "seconds", "epoch"]
        bands, lines = len(chart(pilot).areas), len(chart(pilot).series)
        assert bands == 3
        await pilot.press("m")
        assert len(chart(pilot).series) == lines + 9
        await pilot.press("m", "d")
        assert len(chart(pilot).series) == lines
        assert not chart(pilot).areas
        await pilot.press("d")
        assert len(chart(pilot).areas) == bands


async def test_only_the_loss_is_logarithmic(tmp_path):
    async with app_of(compare_log(tmp_path)).run_test(size=LARGE) as pilot:
        await pilot.press("y")
        assert "press a to show it" in message(pilot)
        assert not chart(pilot).y.log
        await pilot.press("a", "y")
        assert chart(pilot).y.log
        await pilot.press("a")
        assert not chart(pilot).y.log


# -- the target ----------------------------------------------------------------------------


async def test_the_first_press_shows_a_target_below_the_best_mean(tmp_path):
    async with app_of(compare_log(tmp_path)).run_test(size=LARGE) as pilot:
        screen = pilot.app.screen
        assert not chart(pilot).hlines
        await pilot.press("left")
        # The best mean of adam, over its seeds, lies between 80 and 81.5 %.
        assert screen.options.target == 0.8
        assert screen.report.entries[0].to_target.target == 0.8
        assert "to 80%" in table(pilot).text
        await pilot.press("left", "shift+left", "right")
        assert screen.options.target == 0.75
        assert "to 75%" in table(pilot).text
        assert "75%" in chart(pilot).hlines[0].label
        await pilot.press(*["shift+right"] * 9)
        assert screen.options.target == 0.99
        await pilot.press(*["shift+left"] * 25)
        assert screen.options.target == 0.01


async def test_before_any_accuracy_a_target_must_be_typed(tmp_path):
    log = compare_log(tmp_path, upto=9).live()
    async with app_of(log).run_test(size=SMALL) as pilot:
        await pilot.press("right")
        assert "press g to type one" in message(pilot)
        await pilot.press("g", *"65%", "enter")
        assert pilot.app.screen.options.target == 0.65
    log.die()


async def test_a_target_is_typed_and_cleared(tmp_path):
    async with app_of(compare_log(tmp_path)).run_test(size=SMALL) as pilot:
        screen = pilot.app.screen
        await pilot.press("g", *"1.5", "enter")
        dialog = pilot.app.screen
        assert isinstance(dialog, TargetDialog)
        assert "not 1.5" in dialog.query_one(Field).error
        await pilot.press("ctrl+u", *"0.7", "enter")
        assert pilot.app.screen is screen
        assert screen.options.target == 0.7
        await pilot.press("g", "escape")
        assert screen.options.target == 0.7
        await pilot.press("g", "ctrl+u", "enter")
        assert screen.options.target is None
        assert "to 70%" not in table(pilot).text


async def test_clearing_goes_back_to_the_target_of_the_run(tmp_path):
    async with app_of(compare_log(tmp_path, target=0.6)).run_test(size=SMALL) as pilot:
        screen = pilot.app.screen
        assert screen.options.target == 0.6
        await pilot.press("right", "g")
        words = str(pilot.app.screen.query_one(".dialog-note", Static).render())
        assert "the run's own, 60%" in words
        await pilot.press("ctrl+u", "enter")
        assert screen.options.target == 0.6


async def test_a_target_is_shown_beside_the_loss_too(tmp_path):
    async with app_of(compare_log(tmp_path)).run_test(size=SMALL) as pilot:
        await pilot.press("a", "right")
        assert "80% accuracy" in message(pilot)
        assert not chart(pilot).hlines


async def test_the_report_is_made_once_for_what_it_is_of(tmp_path, monkeypatch):
    made = []
    real = comparison_module.compare_report

    def counted(history, **given):
        made.append((history.version, given["target"]))
        return real(history, **given)

    monkeypatch.setattr(comparison_module, "compare_report", counted)
    async with app_of(compare_log(tmp_path)).run_test(size=SMALL) as pilot:
        await pilot.press("down", "enter", "h", "v", "a", "x", "m", "d")
        for _ in range(3):
            await poll(pilot)
        assert len(made) == len(set(made))
        before = len(made)
        await pilot.press("right")
        assert len(made) == before + 1


# -- orders --------------------------------------------------------------------------------


async def test_space_pauses_and_s_stops_the_whole_run(tmp_path):
    log = compare_log(tmp_path, running=True).live()
    async with app_of(log).run_test(size=SMALL) as pilot:
        await pilot.press("space")
        log.tell(ev.Paused())
        await poll(pilot)
        assert "‖ paused  4 of 9 trials" in title(pilot)
        assert "press space to continue" in message(pilot)
        await pilot.press("space", "s")
        words = str(pilot.app.screen.query_one("#detail", Static).render())
        assert "All its trials end" in words
        await pilot.press("enter")
        assert [type(one) for one in commands(log)] == [Pause, Continue, Stop]
    log.die()


async def test_k_stops_one_trial_once_that_is_confirmed(tmp_path):
    log = compare_log(tmp_path, running=True).live()  # trials 4 and 5, of sgd+clr, are under way
    async with app_of(log).run_test(size=LARGE) as pilot:
        go_to_entry = ["down"] * [row.entry for row in table(pilot).rows].index(1)
        await pilot.press(*go_to_entry, "enter", "down", "down", "k")
        question = str(pilot.app.screen.query_one("#question", Static).render())
        assert question == "Stop sgd+clr, seed 1?"
        await pilot.press("n")
        assert commands(log) == []
        await pilot.press("k", "y")
        (sent,) = commands(log)
        assert isinstance(sent, StopTrial)
        assert sent.trial == 4
        assert "Stopping" in message(pilot)
    log.die()


async def test_k_on_an_optimizer_stops_all_of_its_trials_that_run(tmp_path):
    log = compare_log(tmp_path, running=True).live()
    async with app_of(log).run_test(size=LARGE) as pilot:
        go_to_entry = ["down"] * [row.entry for row in table(pilot).rows].index(1)
        await pilot.press(*go_to_entry, "k")
        question = str(pilot.app.screen.query_one("#question", Static).render())
        assert question == "Stop 2 trials of sgd+clr?"
        await pilot.press("y")
        assert [one.trial for one in commands(log)] == [4, 5]
    log.die()


async def test_k_has_nothing_to_stop_where_nothing_runs(tmp_path):
    log = compare_log(tmp_path, running=True).live()
    async with app_of(log).run_test(size=LARGE) as pilot:
        adam = ["down"] * [row.entry for row in table(pilot).rows].index(0)
        await pilot.press(*adam, "k")
        assert "No trial of adam is running" in message(pilot)
        await pilot.press("enter", "down", "k")
        assert "This trial is not running" in message(pilot)
        assert not isinstance(pilot.app.screen, ConfirmScreen)
    log.die()


@pytest.mark.parametrize("key", ["space", "s", "k"])
async def test_a_comparison_that_is_over_takes_no_orders(tmp_path, key):
    async with app_of(compare_log(tmp_path)).run_test(size=SMALL) as pilot:
        await pilot.press(key)
        assert "has ended (done)" in message(pilot)


# -- files and forms -----------------------------------------------------------------------


async def test_e_writes_by_suffix(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    async with app_of(compare_log(tmp_path, epochs=4)).run_test(size=SMALL) as pilot:
        for name in ("x.svg", "x.md", "x.json", "x.csv", "x.curves.csv", "x.html"):
            await pilot.press("e", "ctrl+u", *name, "enter")
            assert "Written to" in message(pilot)
        await pilot.press("e", "ctrl+u", *"x.pdf", "enter")
        assert "must end in" in pilot.app.screen.query_one(Field).error
    assert "sgd+clr" in (tmp_path / "x.svg").read_text()
    assert "| adam |" in (tmp_path / "x.md").read_text().replace("●", "").replace("  ", " ")
    assert len(json.loads((tmp_path / "x.json").read_text())["entries"]) == 3
    curves = (tmp_path / "x.curves.csv").read_text().splitlines()
    assert curves[0] == "optimizer,seed,epoch,train_acc,train_loss,val_acc,val_loss"
    assert len(curves) == 1 + 3 * 3 * 4
    assert len((tmp_path / "x.csv").read_text().splitlines()) == 1 + 3 * 3 * 4 * 10


async def test_e_and_export_write_the_same(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    log = compare_log(tmp_path, epochs=4)
    async with app_of(log).run_test(size=SMALL) as pilot:
        for name in ("steps.csv", "curves.csv"):
            await pilot.press("e", "ctrl+u", *name, "enter")
            assert "Written to" in message(pilot)
    for option, name in (("--csv", "steps.csv"), ("--curves-csv", "curves.csv")):
        assert main(["export", str(log.run.path), option, "-"]) == 0
        assert capsys.readouterr().out.encode() == (tmp_path / name).read_bytes()


async def test_r_opens_the_form_with_the_same_settings(tmp_path):
    asked = []
    log = compare_log(tmp_path, target=0.6)

    def start(_, task, job, parent=None):
        asked.append((task, job, parent))
        return log.run

    async with app_of(log, start=start).run_test(size=SMALL) as pilot:
        await pilot.press("r")
        form = pilot.app.screen
        assert isinstance(form, NewRunScreen)
        values = {row.field.name: row.value for row in form.query(FormRow)}
        assert values["kind"] == "comparison"
        assert values["optimizers"] == "adam, sgd+clr, rmsprop"
        assert values["target"] == "60%"
        reading = form._read(values)
        config = log.run.config()
        assert not reading.errors
        assert (reading.task, reading.job) == (config.task, config.job)


async def test_r_opens_the_form_with_a_grid_as_it_was_typed(tmp_path):
    log = compare_log(tmp_path)
    config = log.run.config()
    grid = Compare(entries=parse_entries("adam,sgd+clr"), rates="grid:1e-4..0.1x3", epochs=8)
    log.run.config_path.write_bytes(encode(replace(config, job=at_each_rate(grid))))
    async with app_of(log).run_test(size=SMALL) as pilot:
        await pilot.press("r")
        values = {row.field.name: row.value for row in pilot.app.screen.query(FormRow)}
        assert (values["optimizers"], values["lr"]) == ("adam, sgd+clr", "grid:1e-4..0.1x3")
        assert pilot.app.screen._read(values).job == grid


# -- what it says --------------------------------------------------------------------------


async def test_the_title_counts_trials_and_time(tmp_path):
    log = compare_log(tmp_path, running=True).live()
    log.tell(
        ev.Overall(done=4, failed=1, stopped=1, running=2, total=9, fraction=0.5, eta_seconds=580.0)
    )
    async with app_of(log).run_test(size=LARGE) as pilot:
        assert "comparison  flowers · CNN · 8 epochs · 3 seeds" in title(pilot)
        assert "● 6 of 9 trials  left 9:40" in title(pilot)
    log.die()


async def test_before_the_first_epoch_the_current_work_is_shown(tmp_path):
    log = compare_log(tmp_path, upto=0).live()
    async with app_of(log).run_test(size=SMALL) as pilot:
        assert "importing torch" in chart(pilot).empty
        log.tell(ev.RunStarted(run=log.run.id, kind="compare"))
        log.tell(ev.Progress(what="decoding images", done=10, total=40))
        await poll(pilot)
        assert chart(pilot).empty.startswith("decoding images 10 of 40  ━━━━━━───")
        log.tell(
            ev.TrialStarted(
                trial=0, seed=0, entry=0, label=LABELS[0], total_steps=80, steps_per_epoch=10
            )
        )
        await poll(pilot)
        assert "after the first epoch" in chart(pilot).empty
    log.die()


async def test_tuning_is_shown_with_its_progress(tmp_path):
    log = compare_log(tmp_path, tuned=True, upto=4).live()
    async with app_of(log).run_test(size=LARGE) as pilot:
        for entry, label in enumerate(LABELS[:2]):
            log.tell(
                ev.TrialStarted(
                    trial=9 + entry,
                    seed=0,
                    entry=entry,
                    label=label,
                    role="sweep",
                    total_steps=100,
                    steps_per_epoch=10,
                )
            )
        log.tell(
            ev.TrialFinished(trial=9, outcome="done", step=100),
            ev.Steps(trial=10, step=list(range(50)), lr=[1e-3] * 50, loss=[1.0] * 50),
        )
        await poll(pilot)
        # sgd+clr was given its rate here, so that two optimizers are tuned, or a sweep each
        assert "● tuning, 1 of 2" in title(pilot)
        said = chart(pilot).empty
        assert "Tuning the learning rate of sgd+clr: 1 of 2 done." in said
        assert said.count("━") == 18
        assert said.count("─") == 6
    log.die()


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x44"])
@pytest.mark.parametrize("state", STATES)
async def test_no_words_are_cut(tmp_path, state, size):
    log = STATES[state](tmp_path)
    async with app_of(log).run_test(size=size) as pilot:
        await poll(pilot)
        assert chart_height(pilot) >= 8
        shown = pilot.app.screen.query_one("#message")
        for line in [*shown.text.splitlines(), *title(pilot).splitlines()]:
            assert len(line) <= size[0] - 2, line
        last = shown.text.rstrip().splitlines()
        assert not last or last[-1].endswith((".", "log", " …")), last[-1]
        heading, *rows = table(pilot).text.splitlines()
        assert all(len(line) <= table(pilot).line_width for line in (heading, *rows))
    log.die()


async def test_a_refused_command_is_shown_at_once(tmp_path):
    log = compare_log(tmp_path, running=True).live()
    log.tell(ev.CommandRefused(command="pause", reason="it is paused already"))
    async with app_of(log).run_test(size=SMALL) as pilot:
        assert not message(pilot).startswith("pause was refused")  # that was long ago
        log.tell(ev.CommandRefused(command="stop-trial", reason="trial 3 has ended."))
        await poll(pilot)
        assert message(pilot).startswith("stop-trial was refused: trial 3 has ended.")
    log.die()


async def test_the_verdict_of_an_ended_comparison_fills_a_resized_panel(tmp_path):
    whole = len(comparison_events(SIX))
    log = compare_log(tmp_path, SIX, upto=whole - 1).live()
    async with app_of(log).run_test(size=SMALL) as pilot:
        assert len(message(pilot).splitlines()) == 3
        log.tell(ev.RunFinished(outcome="done"))
        await poll(pilot)
        await pilot.pause()
        lines = message(pilot).splitlines()
        assert len(lines) == 4
        assert not lines[-1].endswith("…")
    log.die()


async def test_a_worker_that_ended_with_its_folder_left_no_output_to_read(tmp_path):
    log = compare_log(tmp_path, running=True).live()
    async with app_of(log).run_test(size=SMALL) as pilot:
        shutil.rmtree(log.run.path)
        log.die()
        await poll(pilot)
        assert "? lost" in title(pilot)
        assert "was deleted" in message(pilot)
        assert "worker.log" not in message(pilot)


async def test_a_failed_comparison_says_why(tmp_path):
    async with app_of(all_failed(tmp_path)).run_test(size=SMALL) as pilot:
        assert "✗ failed" in title(pilot)
        assert "Failed: all 9 trials failed. Press r to run it again." in message(pilot)
        assert "seed 1" not in message(pilot)


async def test_the_selected_trials_failure_is_shown_in_full(tmp_path):
    async with app_of(compare_log(tmp_path, failed=(2, 1))).run_test(size=SMALL) as pilot:
        assert "rmsprop, seed 1 failed" not in message(pilot)
        row = [row.entry for row in table(pilot).rows].index(2)
        await pilot.press(*["down"] * row, "enter", "down", "down")
        words = " ".join(message(pilot).split())
        assert words.startswith("rmsprop, seed 1 failed: the loss is not finite at step 40,")
        await pilot.press("down")
        assert "rmsprop, seed 1 failed" not in message(pilot)


# -- replay --------------------------------------------------------------------------------


async def test_a_replay_plays_and_a_trial_opens_at_the_same_place(tmp_path):
    log = compare_log(tmp_path)
    time = Clock()
    async with replay_of(log, clock=time).run_test(size=LARGE) as pilot:
        screen = pilot.app.screen
        seconds = screen.source.seconds
        await pilot.press(*["right_square_bracket"] * 10)
        assert screen.source.position == pytest.approx(0.5)
        assert not screen.history.finished
        running = max(screen.history.trials)
        await pilot.press("space")
        row = [row.entry for row in table(pilot).rows].index(running // 3)
        await pilot.press(*["down"] * row, "enter", *["down"] * (1 + running % 3), "enter")
        trial = pilot.app.screen
        assert isinstance(trial, TrialScreen)
        assert trial.source.elapsed == pytest.approx(seconds / 2)
        assert not trial.source.playing
        await poll(pilot)
        there = len(trial.history.trial)
        assert there == len(screen.history.trials[running])
        assert "replay" in title(pilot)
        await pilot.press("k", "s", "b")
        await pilot.press(*["right_square_bracket"] * 20)
        assert trial.history.finished.outcome == "done"
        assert len(trial.history.trial) == 80 > there


async def test_a_recording_takes_no_orders(tmp_path):
    app = replay_of(compare_log(tmp_path), clock=Clock(), start_speed=math.inf)
    async with app.run_test(size=SMALL) as pilot:
        for key in ("s", "k"):
            await pilot.press(key)
            assert "a recording" in message(pilot)


async def test_a_running_comparison_draws_what_comes(tmp_path):
    log = compare_log(tmp_path, upto=upto_epoch(0, 3)).live()
    async with app_of(log).run_test(size=SMALL) as pilot:
        (series,) = (one for one in chart(pilot).series if len(one.x))
        assert series.x.tolist() == [1.0, 2.0, 3.0]
        log.tell(
            ev.Steps(trial=0, step=list(range(30, 40)), lr=[1e-3] * 10, loss=[1.0] * 10),
            ev.Evaluated(
                trial=0, step=40, part="validation", loss=1.0, metrics={"accuracy": 0.9}, epoch=4
            ),
            ev.EpochFinished(
                trial=0,
                epoch=4,
                step=40,
                train_loss=1.0,
                train_metrics={"accuracy": 0.5},
                seconds=2.0,
                best_epoch=4,
                best_value=0.9,
            ),
        )
        await poll(pilot)
        (series,) = (one for one in chart(pilot).series if len(one.x))
        assert series.y[-1] == pytest.approx(90)
        assert "epoch 5 of 8" in table(pilot).text
    log.die()
