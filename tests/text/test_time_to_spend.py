"""What is said of a time to spend, beside the tests of what it does."""

from __future__ import annotations

from msgspec.structs import replace
from view_histories import text_of

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.log import events as ev
from clr_tui.engine.log.tail import Batch
from clr_tui.engine.settings.config import Compare, RangeTest, RunConfig
from clr_tui.engine.settings.entries import parse_entries
from clr_tui.tui.kinds.range_test.display import SweepLines
from clr_tui.tui.text.device_lines import device_lines
from clr_tui.tui.text.event_lines import EventLines
from clr_tui.tui.text.schedule_preview import length_in_words, schedule_chart
from clr_tui.tui.text.status import title_of

SWEEPS = ev.TimePlanned(seconds=300.0, used=12.3, seeds=5, steps=1200)
SEEDS = ev.TimePlanned(seconds=5400.0, used=5250.4, seeds=4)
RANGE = RangeTest(time=300.0)
COMPARE = Compare(entries=parse_entries("adam, sgd"), time=5400.0)


def history_of(job: RangeTest | Compare, *events: ev.AnyEvent) -> RunHistory:
    history = RunHistory(RunConfig(id="x-1", created=0.0, version="1", job=job))
    for event in events:
        history.apply(event)
    return history


def test_the_line_of_a_plan() -> None:
    history = history_of(RANGE, SWEEPS)
    assert EventLines().line_of(SWEEPS, history) == (
        "time: 5 sweeps of 1 200 steps, 12s of 5m used"
    )
    assert EventLines().line_of(SEEDS, history) == "time: 4 seeds, 1h27m30s of 1h30m used"


def test_sweeps_are_counted_by_the_plan() -> None:
    started = ev.TrialStarted(trial=1, seed=1, total_steps=1200, steps_per_epoch=20)
    assert SweepLines().line_of(started, history_of(RANGE, SWEEPS)) == "sweep 2 of 5, seed 1"


def test_the_title_says_the_time_in_place_of_seeds() -> None:
    for job, plan, words in ((RANGE, SWEEPS, "time 5m"), (COMPARE, SEEDS, "time 1h30m")):
        history = history_of(job, plan)
        title = title_of(history.config, history)
        assert title.endswith(words)
        assert "seed" not in title


def test_the_panel_says_what_was_used_of_it() -> None:
    device = ev.DeviceChosen(device="cpu", name="2 CPU threads", time=1.0)
    end = ev.RunFinished(outcome="done", time=294.0)
    history = history_of(RANGE, device, replace(SWEEPS, time=2.0), end)
    lines = [text_of(line) for line in device_lines(history, ended=True)]
    assert lines[1].split() == ["took", "4:53", "of", "5:00"]


def test_the_form_says_how_it_is_spent() -> None:
    assert length_in_words(RANGE) == (
        "As long and as many sweeps as fit in 5m, after a few timed steps."
    )
    assert schedule_chart(RANGE).x.label == "part of the sweep"
    assert "2 trials of 16 epochs for each seed, and as many seeds as fit in 1h30m" in (
        length_in_words(COMPARE)
    )


def test_a_damaged_plan_hangs_no_reader() -> None:
    for seeds in (-5, 0, 10**12):
        history = history_of(COMPARE, ev.TimePlanned(seconds=1.0, used=1.0, seeds=seeds))
        assert 1 <= history.config.asked(Compare).seeds <= 1000


def test_a_log_that_is_read_again_forgets_its_plan() -> None:
    history = history_of(COMPARE, SEEDS)
    history.feed(Batch(events=[], reset=True))
    assert history.config.job == replace(COMPARE, seeds=1)
    assert history.time is None
