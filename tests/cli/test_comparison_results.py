"""What is printed and exported of a comparison."""

from __future__ import annotations

import json
import math
import shutil
import statistics
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
from comparison_logs import LABELS, comparison_config, comparison_events, write_run

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.log import events as ev
from clr_tui.tui.kinds.compare.display import preview
from clr_tui.tui.kinds.compare.entry_style import glyph_of

CURVES = Path(__file__).parents[3] / "shared" / "reference" / "curves_cnn.csv"
SVG = "{http://www.w3.org/2000/svg}"
T_TWO = 4.302652729749462
"""97.5% quantile of Student's t with two degrees of freedom, from a table."""


def is_plain(text: str) -> bool:
    return all(char == "\n" or char.isprintable() for char in text)


def accuracies(checkpoint: str) -> dict[str, list[float]]:
    """Test accuracies of the log's trials, by label, straight from its events."""
    found: dict[str, list[float]] = {}
    labels: dict[int, str] = {}
    for event in comparison_events():
        if isinstance(event, ev.TrialStarted):
            labels[event.trial] = event.label
        if isinstance(event, ev.Evaluated) and event.checkpoint == checkpoint:
            found.setdefault(labels[event.trial], []).append(event.value("accuracy"))
    return found


def test_a_comparison_is_one_json_object(cli, runs: Path) -> None:
    run = write_run(runs)
    result = cli("replay", run.id, "--json")
    assert (result.code, result.err) == (0, "")
    found = json.loads(result.out)
    assert (found["run"], found["kind"], found["status"]) == (run.id, "compare", "done")
    assert found["measure"] == "test accuracy, last epoch"
    assert (found["trials_total"], found["trials_done"]) == (9, 9)
    assert len(found["pairs"]) == 3
    last, best = accuracies("last"), accuracies("best")
    assert {entry["label"] for entry in found["entries"]} == set(LABELS) == set(last)
    for entry in found["entries"]:
        values = last[entry["label"]]
        assert entry["test_last"]["mean"] == pytest.approx(statistics.mean(values))
        half = T_TWO * statistics.stdev(values) / math.sqrt(3)
        assert entry["test_last"]["half_width"] == pytest.approx(half)
        assert entry["test_best"]["mean"] == pytest.approx(statistics.mean(best[entry["label"]]))


def test_a_comparison_in_text(cli, runs: Path) -> None:
    run = write_run(runs)
    result = cli("attach", run.id)
    assert result.code == 0
    text = result.out
    assert is_plain(text)
    lines = text.splitlines()
    assert lines[0].startswith(f"{run.id}  comparison  flowers · CNN")
    assert max(map(len, lines)) <= 100
    assert any("⠀" < char <= "⣿" for char in text), "no curve is drawn"
    assert all(glyph_of(entry) in text for entry in range(len(LABELS)))
    means = {label: statistics.mean(values) for label, values in accuracies("last").items()}
    for label, mean in means.items():
        assert any(label in line and f"{100 * mean:.1f} ±" in line for line in lines), label
    found = json.loads(cli("attach", run.id, "--json").out)
    said = " ".join(text.split())
    assert " ".join(found["verdict"].split()) in said
    assert "train loss" not in text, "a table of epochs is for trainings"


def test_every_pair_is_printed_with_its_interval_and_p(cli, runs: Path) -> None:
    run = write_run(runs)
    lines = cli("attach", run.id).out.splitlines()
    pairs = json.loads(cli("attach", run.id, "--json").out)["pairs"]
    heading = next(line for line in lines if line.startswith("test accuracy, last epoch"))
    assert "paired t" in " ".join(lines[lines.index(heading) :])
    for pair in pairs:
        (line,) = [one for one in lines if one.split()[:3] == [pair["a"], "-", pair["b"]]]
        difference, half = 100 * pair["difference"], 100 * pair["half_width"]
        assert f"{difference:+.2f} ± {half:5.2f}" in line
        assert line.endswith("not distinguishable") is not pair["distinguishable"]
        assert "p " in line
    # The log's rmsprop lies seven points lower, its first two within a point.
    assert {pair["distinguishable"] for pair in pairs} == {True, False}


def test_one_seed_has_no_pairs_and_no_interval(cli, runs: Path) -> None:
    run = write_run(runs, seeds=1)
    text = cli("attach", run.id).out
    assert "±" not in text
    assert "Holm" not in text
    assert "adam" in text


@pytest.mark.parametrize(("columns", "widest"), [("30", 40), ("60", 60), ("400", 160)])
def test_text_takes_the_width_there_is(cli, runs: Path, monkeypatch, columns, widest) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    run = write_run(runs, ("adamw(weight_decay=0.05)+one-cycle", *LABELS))
    result = cli("attach", run.id)
    assert result.code == 0
    assert max(map(len, result.out.splitlines())) <= max(widest, 60)


def test_a_failed_trial_is_told_with_its_reason(cli, runs: Path) -> None:
    run = write_run(runs, failed=(1, 0))
    result = cli("attach", run.id)
    assert result.code == 0
    assert "not finite at step 40" in " ".join(result.out.split())
    found = json.loads(cli("attach", run.id, "--json").out)
    assert (found["trials_done"], found["trials_failed"]) == (8, 1)


def test_a_comparison_without_any_result_prints_no_table(cli, runs: Path) -> None:
    run = write_run(runs)
    first, *_ = run.events_path.read_bytes().splitlines(keepends=True)
    end = ev.RunFinished(outcome="failed", message="no folder 'flwers'", seq=1)
    run.events_path.write_bytes(first + msgspec.json.encode(end) + b"\n")
    result = cli("attach", run.id)
    assert (result.code, result.out) == (1, "")
    assert "no folder 'flwers'" in result.err
    assert json.loads(cli("attach", run.id, "--json").out)["trials_done"] == 0


def test_the_state_at_a_moment(cli, runs: Path) -> None:
    run = write_run(runs)
    half = json.loads(cli("replay", run.id, "--at", "50%", "--json").out)
    assert half["status"] == "running"
    assert 0 < half["trials_done"] < 9
    assert json.loads(cli("replay", run.id, "--at", "0", "--json").out)["trials_done"] == 0


def test_the_svg_holds_accuracy_and_loss(cli, runs: Path, tmp_path: Path) -> None:
    run = write_run(runs, target=0.65)
    cli("export", run.id, "--svg", tmp_path / "x.svg")
    root = ElementTree.parse(tmp_path / "x.svg").getroot()
    assert len(root.findall(f"{SVG}svg")) == 2
    words = "".join(root.itertext())
    assert "accuracy" in words
    assert "loss" in words
    assert all(label in words for label in LABELS)


def test_another_target_can_be_asked_of_a_log(cli, runs: Path) -> None:
    run = write_run(runs, target=0.65)
    found = json.loads(cli("replay", run.id, "--json").out)
    assert found["target"] == 0.65
    low = json.loads(cli("replay", run.id, "--target", "50%", "--json").out)
    assert low["target"] == 0.5
    for one, other in zip(low["entries"], found["entries"], strict=True):
        assert one["to_target"]["mean_epoch"] < (other["to_target"]["mean_epoch"] or math.inf)


def test_exported_curves_replay_as_the_same_comparison(cli, runs: Path, tmp_path: Path) -> None:
    run = write_run(runs)
    file = tmp_path / "curves.csv"
    assert cli("export", run.id, "--curves-csv", file).code == 0
    header = file.read_text(encoding="utf-8").splitlines()[0]
    assert header == "optimizer,seed,epoch,train_acc,train_loss,val_acc,val_loss"
    found = json.loads(cli("replay", run.id, "--json").out)
    again = json.loads(cli("replay", file, "--json").out)
    assert (again["kind"], again["paired"]) == ("compare", False)
    by_label = {entry["label"]: entry for entry in again["entries"]}
    for entry in found["entries"]:
        other = by_label[entry["label"]]
        assert other["validation_last"] == entry["validation_last"]
        assert other["validation_best"] == entry["validation_best"]
        assert other["test_last"] is None
    assert is_plain(cli("replay", file).out)


def test_the_table_as_markdown(cli, runs: Path) -> None:
    run = write_run(runs)
    text = cli("export", run.id, "--markdown", "-").out
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + len(LABELS)
    assert len({row.count("|") for row in rows}) == 1
    assert set(rows[1]) <= set("|-: ")
    for label in LABELS:
        assert any(label in row for row in rows)


def test_a_bare_log_is_a_comparison_too(cli, runs: Path, tmp_path: Path) -> None:
    run = write_run(runs)
    bare = tmp_path / "elsewhere" / "log.jsonl"
    bare.parent.mkdir()
    shutil.copy(run.events_path, bare)
    found = json.loads(cli("replay", bare, "--json").out)
    assert (found["kind"], found["trials_done"]) == ("compare", 9)
    assert [entry["label"] for entry in found["entries"]][:1] == ["adam"]
    assert is_plain(cli("replay", bare).out)


def test_nothing_of_a_log_is_taken_for_an_escape_code(cli, runs: Path) -> None:
    run = write_run(runs, failed=(0, 0))
    evil = run.events_path.read_text().replace(
        "the loss is not finite", "\\u001b[31mred [b]bold[/]"
    )
    run.events_path.write_text(evil)
    result = cli("attach", run.id)
    assert "\x1b" not in result.out + result.err
    assert "[b]bold[/]" in result.out


def test_the_preview_of_a_comparison_is_its_accuracy(runs: Path) -> None:
    config = comparison_config(target=0.65)
    history = RunHistory(config)
    waiting = preview(history, True)
    assert not any(len(series.x) for series in waiting.series)
    for event in comparison_events():
        history.apply(event)
    chart = preview(history, True)
    assert {series.name for series in chart.series if series.name} == set(LABELS)
    assert [line.y for line in chart.hlines] in ([0.65], [65.0])


@pytest.mark.skipif(not CURVES.exists(), reason="the reference curves are not here")
def test_the_published_curves(cli) -> None:
    result = cli("replay", CURVES, "--headless", "--json", "--target", "75%")
    assert (result.code, result.err) == (0, "")
    found = json.loads(result.out)
    entries = {entry["label"]: entry for entry in found["entries"]}
    published = {
        "adagrad": (68.3, 0.6, 69.4, [None] * 3),
        "adadelta": (77.9, 4.4, 83.1, [28, 33, 31]),
        "rmsprop": (71.9, 1.8, 72.7, [None] * 3),
        "adam": (81.5, 1.0, 83.0, [36, 43, 41]),
        "adamax": (79.2, 1.8, 80.8, [54, 52, 66]),
        "sgd_clr": (81.3, 1.9, 82.2, [38, 24, 24]),
    }
    assert set(entries) == set(published)
    for label, (last, sd, best, reached) in published.items():
        entry = entries[label]
        assert round(100 * entry["validation_last"]["mean"], 1) == last
        assert round(100 * entry["validation_last"]["sd"], 1) == sd
        assert round(100 * entry["validation_best"]["mean"], 1) == best
        assert entry["to_target"]["epochs"] == reached
    apart = {
        frozenset((pair["a"], pair["b"])) for pair in found["pairs"] if pair["distinguishable"]
    }
    assert apart == {
        frozenset(("adam", "adagrad")),
        frozenset(("adam", "rmsprop")),
        frozenset(("sgd_clr", "rmsprop")),
    }
    assert not any(pair["paired"] for pair in found["pairs"])
    text = cli("replay", CURVES).out
    assert is_plain(text)
    assert "Welch's t" in text
    assert "over 15 pairs" in " ".join(text.split())


def test_where_there_is_no_room_for_words_a_star_tells_who_can_be_told_apart(
    cli, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = write_run(runs)
    pairs = json.loads(cli("attach", run.id, "--json").out)["pairs"]
    monkeypatch.setenv("COLUMNS", "50")
    lines = cli("attach", run.id).out.splitlines()
    for pair in pairs:
        (line,) = [one for one in lines if one.split()[:3] == [pair["a"], "-", pair["b"]]]
        assert line.endswith("*") is pair["distinguishable"]
