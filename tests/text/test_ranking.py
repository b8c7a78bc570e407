import json
import re
import statistics
from dataclasses import replace
from pathlib import Path

import pytest
from comparison_logs import comparison_config, comparison_events, comparison_history
from rich.cells import cell_len
from view_histories import text_of

from clr_tui.engine.analysis.comparison.comparison_report import compare_report
from clr_tui.engine.analysis.comparison.comparison_results import Spread
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.recordings.curves_csv import read_curves
from clr_tui.engine.log import events as ev
from clr_tui.engine.metrics import ACCURACY
from clr_tui.tui.kinds.compare.entry_style import glyph_of, role_of
from clr_tui.tui.kinds.compare.ranking import (
    HIDDEN,
    ranking,
    ranking_markdown,
    ranking_text,
    short_label,
    verdict_and_remarks,
)
from clr_tui.tui.kinds.compare.ranking_columns import columns_of, spread_text
from clr_tui.tui.text.numbers import short_lr

CURVES = Path(__file__).parents[3] / "shared" / "reference" / "curves_cnn.csv"
SIX = ("adam", "sgd+clr", "rmsprop", "adagrad", "adadelta", "adamw(weight_decay=0.05)+one-cycle")
WIDTHS = (30, 60, 80, 100, 120, 160, 220)


def report_of(labels=SIX, **log):
    return compare_report(comparison_history(labels, target=0.65, **log))


def table(report, width=160, **how):
    """The heading, and each row's text by (entry, trial)."""
    heading, rows = ranking(report, width, **how)
    return text_of(heading), {(row.entry, row.trial): text_of(row.line) for row in rows}


def cell(heading, line, name):
    """What stands under a heading."""
    start = heading.index(name)
    rest = heading[start + len(name) :]
    end = start + len(name) + len(rest) - len(rest.lstrip())
    return line[start : end if rest.strip() else None].strip()


def measured(entry, checkpoint, labels=SIX):
    trials = {}
    for event in comparison_events(labels):
        if isinstance(event, ev.TrialStarted) and event.entry == entry:
            trials[event.trial] = event.seed
    return [
        100 * event.value("accuracy")
        for event in comparison_events(labels)
        if isinstance(event, ev.Evaluated)
        and event.checkpoint == checkpoint
        and event.trial in trials
    ]


def test_the_figures_of_an_entry_stand_under_their_headings():
    heading, rows = table(report_of())
    line = rows[2, None]
    last, best = measured(2, "last"), measured(2, "best")
    half = 4.302652729749462 * statistics.stdev(last) / 3**0.5
    assert cell(heading, line, "test, final %") == f"{statistics.mean(last):.1f} ± {half:4.1f}"
    assert cell(heading, line, "at best val %").startswith(f"{statistics.mean(best):.1f} ±")
    assert cell(heading, line, "optimizer") == "rmsprop"
    assert cell(heading, line, "lr") == "1.0e-2"
    assert cell(heading, line, "from") == "default"
    assert cell(heading, line, "seeds") == "3/3"
    assert re.fullmatch(r"3 of 3, ep \d+", cell(heading, line, "to 65%"))
    assert cell(heading, line, "seconds") == "16"
    clr = rows[1, None]
    assert cell(heading, clr, "lr") == "6.0e-4…3.6e-3"
    assert cell(heading, clr, "from") == "given"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("log", [{}, {"running": True}, {"failed": (1, 0)}, {"tuned": True}])
def test_rows_fit_and_columns_line_up(width, log):
    report = report_of(**log)
    everyone = frozenset(range(6))
    heading, rows = table(report, width, expanded=everyone, hidden=frozenset({3}))
    assert len(rows) == 6 + 18
    assert all(cell_len(line) <= width for line in (heading, *rows.values()))
    assert all(line == line.rstrip() for line in (heading, *rows.values()))
    names = [name.strip() for name in re.split(r" {2,}", heading.strip())]
    starts = [heading.index(name) for name in names]
    for line in rows.values():
        for start in starts[1:]:
            told = re.search(r"running|waiting|failed|loss", line)
            if start < len(line) and (told is None or start < told.start()):
                assert line[start - 2 : start] == "  ", (heading, line)


def test_columns_are_left_out_in_the_documented_order():
    report = report_of(tuned=True)
    order = [
        "tuning", "best epoch", "train, final %", "from", "seconds", "at best val %", "lr",
        "to 65%", "seeds", "test, final %",
    ]  # fmt: skip
    assert {column.heading for column in columns_of(report)} == set(order)
    for width in range(20, 230):
        heading, _ = table(report, width)
        shown = [name in heading for name in order]
        assert shown == sorted(shown), width
    at_80, at_160 = table(report, 80)[0], table(report, 160)[0]
    assert [name in at_80 for name in ("lr", "seeds", "test, final %", "to 65%")] == [True] * 4
    assert "at best val %" in at_160
    assert "seconds" in at_160


def test_the_shape_has_the_entrys_colour_and_hidden_ones_are_told_quietly():
    _, rows = ranking(report_of(), 80, hidden=frozenset({2}))
    for row in rows:
        shapes = [(text.strip(), role) for text, role in row.line if role == role_of(row.entry)]
        if row.entry == 2:
            assert not shapes
            assert {role for _, role in row.line} == {"muted"}
            assert HIDDEN in text_of(row.line)
        else:
            assert shapes == [(glyph_of(row.entry), role_of(row.entry))]


def test_ranks_are_those_of_the_report_and_may_be_shared():
    report = report_of()
    ranks = [text_of(row.line)[:2].strip() for row in ranking(report, 80)[1]]
    assert ranks == [str(entry.rank) for entry in report.entries]
    assert ranks[0] == ranks[1] == "1"


def test_an_expanded_entry_is_followed_by_its_trials():
    report = report_of(failed=(1, 0))
    heading, rows = ranking(report, 160, expanded=frozenset({1}))
    at = next(i for i, row in enumerate(rows) if row.entry == 1)
    assert [row.trial for row in rows[at : at + 4]] == [None, 3, 4, 5]
    assert {row.trial for row in rows if row.entry != 1} == {None}
    first, second, _ = (text_of(row.line) for row in rows[at + 1 : at + 4])
    assert first.split()[:3] == ["seed", "0", "failed"]
    assert "the loss is not finite at step 40" in first
    assert cell(text_of(heading), first, "seeds") == "4/8"
    assert "diverged" in {role for _, role in rows[at + 1].line}
    last = measured(1, "last")[1]
    assert second.split()[:3] == ["seed", "1", "done"]
    assert cell(text_of(heading), second, "test, final %") == f"{last:.1f}"
    assert re.fullmatch(r"ep \d+", cell(text_of(heading), second, "to 65%"))


def test_running_and_waiting_trials_are_shown():
    _, rows = table(report_of(running=True))
    assert rows[3, None].endswith("  epoch 5 of 8")
    assert rows[4, None].endswith("waiting")
    assert re.match(r" +\S sgd", rows[1, None]) or rows[1, None][:2].strip()
    history = comparison_history(SIX, running=True)
    history.apply(ev.Paused())
    _, rows = table(compare_report(history), expanded=frozenset({3}))
    assert "paused, epoch 5 of 8" in rows[3, None]
    assert [line.split()[2] for place, line in rows.items() if place[1] in (9, 10)] == [
        "paused",
        "paused",
    ]


def test_results_so_far_are_shown_beside_the_progress():
    history = comparison_history(("adam", "rmsprop", "adagrad"), seeds=3, running=True)
    _, rows = table(compare_report(history))
    # Four of nine trials are done, two run: one of rmsprop's is done.
    accuracy = measured(1, "last", ("adam", "rmsprop", "adagrad"))[0]
    assert rows[1, None].endswith(f"1/3    epoch 5 of 8; so far {accuracy:.1f}")
    at_80 = table(compare_report(history), 78)[1]
    assert at_80[1, None].endswith(f"epoch 5 of 8; so far {accuracy:.1f}")


def test_a_lost_trial_is_shown_while_the_others_continue():
    labels = ("adam", "rmsprop", "adagrad")
    report = compare_report(comparison_history(labels, seeds=3, running=True, failed=(1, 0)))
    _, rows = table(report)
    assert re.search(r"  epoch \d of 8; 1 failed", rows[1, None])


@pytest.mark.parametrize(
    ("label", "size", "shown"),
    [
        ("adamw(weight_decay=0.05)+one-cycle", 34, "adamw(weight_decay=0.05)+one-cycle"),
        ("adamw(weight_decay=0.05)+one-cycle", 33, "adamw(…)+one-cycle"),
        ("sgd(momentum=0.9)+clr(base_lr=0.001,lr=0.006)", 24, "sgd(momentum=0.9)+clr(…)"),
        ("sgd(momentum=0.9)+clr(base_lr=0.001,lr=0.006)", 20, "sgd(…)+clr(…)"),
        ("adam(betas=(0.9,0.999))+clr", 20, "adam(…)+clr"),
        ("adam(betas=(0.9,0.999))", 8, "adam(…)"),
        ("averylongoptimizer", 10, "averylong…"),
    ],
)
def test_a_long_label_loses_its_brackets_first(label, size, shown):
    assert short_label(label, size) == shown


def test_a_label_takes_the_room_that_the_columns_leave():
    report = report_of(("adam", "adamw(weight_decay=0.05)+one-cycle"))
    assert "adamw(…)+one-cycle " in table(report, 78)[1][1, None]
    shown = {width: table(report, width) for width in range(60, 142)}
    whole = [width for width in shown if "weight_decay=0.05" in shown[width][1][1, None]]
    # A fourth of the width is less than the label's 34 cells; no column is left out for the rest.
    assert whole
    for width in whole:
        columns = shown[width][0].split()
        assert len(columns) >= len(shown[width - 1][0].split())


@pytest.mark.parametrize(
    ("mean", "half", "text"),
    [
        (0.679, 0.018, " 67.9 ±  1.8"),
        (0.05, 0.452, "  5.0 ± 45.2"),
        (1.0, None, "100.0"),
        (None, None, "    -"),
        (0.5, float("nan"), " 50.0"),
    ],
)
def test_means_and_intervals_line_up(mean, half, text):
    assert spread_text(Spread(3, mean, None, half, "", []), ACCURACY) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.6e-3, "3.6e-3"),
        (0.0996, "0.10"),
        (0.5, "0.50"),
        (1.0, "1.0"),
        (12.5, "12"),
        (1000.0, "1.0e3"),
        (1e-10, "1.0e-10"),
        (None, "-"),
        (float("inf"), "-"),
    ],
)
def test_rates_are_brief(value, text):
    assert short_lr(value) == text


def test_a_target_that_nobody_reaches():
    report = compare_report(comparison_history(("adam", "rmsprop"), target=0.95))
    heading, rows = table(report)
    assert cell(heading, rows[0, None], "to 95%") == "never"
    waiting = compare_report(comparison_history(("adam", "rmsprop"), target=0.95, until_epoch=2))
    assert "never" not in "".join(table(waiting)[1].values())
    without = compare_report(comparison_history(("adam",), until_epoch=2))
    assert "to " not in table(without)[0]


def test_without_a_test_part_validation_takes_its_place():
    history = RunHistory(comparison_config(SIX))
    for event in comparison_events(SIX):
        if not (isinstance(event, ev.Evaluated) and event.part == "test"):
            history.apply(event)
    heading, rows = table(compare_report(history))
    assert "val, final %" in heading
    assert "val, best %" in heading
    assert "test" not in heading
    assert "±" in rows[0, None]


def test_the_cost_of_tuning_is_shown():
    heading, rows = table(report_of(tuned=True), 220)
    assert cell(heading, rows[0, None], "tuning") == "100 steps, 0:04"
    assert cell(heading, rows[0, None], "from") == "tuned"
    assert "tuning" not in table(report_of(), 220)[0]


def test_labels_and_reasons_are_made_safe():
    history = RunHistory(comparison_config(("adam", "b\x1b[2J|\nx")))
    for event in comparison_events(("adam", "b\x1b[2J|\nx"), failed=(1, 0)):
        if isinstance(event, ev.TrialFinished) and event.outcome == "failed":
            event = ev.TrialFinished(
                trial=event.trial, outcome="failed", step=1, reason="bad\x1b[31m [b]red[/b]"
            )
        history.apply(event)
    report = compare_report(history)
    text = "\n".join(table(report, 160, expanded=frozenset({1}))[1].values())
    assert "\x1b" not in text + ranking_markdown(report) + "".join(verdict_and_remarks(report))
    assert "[b]red[/b]" in text


def test_plain_text_is_the_table():
    report = report_of()
    heading, rows = table(report, 100)
    assert ranking_text(report, 100) == [heading, *rows.values()]


def test_markdown_is_a_table_of_every_column_and_the_words_under_it():
    report = report_of(failed=(1, 0), tuned=True)
    text = ranking_markdown(report)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[part.strip() for part in row.strip("|").split("|")] for row in rows]
    assert len(rows) == 2 + 6
    assert {len(row) for row in cells} == {3 + len(columns_of(report))}
    assert all(re.fullmatch(r":?-+:?", part) for part in cells[1])
    assert cells[2][0] == "1"
    assert any("tuned" in row for row in cells[2:])
    for words in verdict_and_remarks(report):
        assert words in text.replace("\\", "")


def test_nothing_in_a_cell_breaks_the_markdown_table():
    evil = "a|b`c`<i>*d*[e](f)\\"
    history = comparison_history((evil, "adam"))
    rows = [row for row in ranking_markdown(compare_report(history)).splitlines() if "b" in row]
    (row,) = [row for row in rows if row.startswith("|") and "a\\|b" in row]
    assert r"a\|b\`c\`\<i\>\*d\*\[e\](f)\\" in row
    bars = re.findall(r"(?<!\\)(?:\\\\)*\|", row)
    assert len(bars) == 4 + len(columns_of(compare_report(history)))


def test_the_words_are_the_verdict_then_the_remarks():
    report = report_of()
    assert verdict_and_remarks(report) == [report.verdict, *report.remarks]
    silent = replace(report, verdict="", remarks=[])
    assert verdict_and_remarks(silent) == []


@pytest.mark.skipif(not CURVES.exists(), reason="the reference curves are not here")
def test_the_published_curves_in_eighty_columns():
    config, events = read_curves(CURVES)
    history = RunHistory(config)
    for event in events:
        history.apply(event)
    report = compare_report(history, target=0.75)
    lines = ranking_text(report, 80)
    assert all(len(line) <= 80 for line in lines)
    assert "val, final %" in lines[0]
    assert "lr" not in lines[0]  # not known, and nothing more to come
    (adam,) = [line for line in lines if " adam " in line]
    # 81.5 ± 1.0 is its mean and sd: 4.303 / sqrt(3) times that is the interval.
    assert "81.5 ±  2.5" in adam
    assert "3 of 3, ep 40" in adam
    assert json.dumps(lines, ensure_ascii=False).count("never") == 2
