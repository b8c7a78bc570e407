import pytest
from view_histories import text_of, train_history

from clr_tui.engine.log import events as ev
from clr_tui.engine.settings.config import Train
from clr_tui.tui.kinds.train.view import training_panel
from clr_tui.tui.text.lines import BLANK, drop_lines_to_fit, row, wrap_line

A, B, C = row("a", "1"), row("b", "2"), row("c", "3")


def test_blank_lines_go_first_from_the_end():
    assert drop_lines_to_fit([A, BLANK, B, BLANK, C], 5) == [A, BLANK, B, BLANK, C]
    assert drop_lines_to_fit([A, BLANK, B, BLANK, C], 4) == [A, BLANK, B, C]
    assert drop_lines_to_fit([A, BLANK, B, BLANK, C], 3) == [A, B, C]


def test_after_blank_lines_the_last_lines_are_dropped():
    assert drop_lines_to_fit([A, BLANK, B, BLANK, C], 2) == [A, B]
    assert drop_lines_to_fit([A], 0) == []


def test_values_stand_in_one_column():
    assert text_of(row("lr", "1.3e-03")).index("1") == text_of(row("images/s", "1 640")).index("1")


def test_names_of_runs_and_paths_are_not_broken():
    lines = wrap_line("its last output is in /runs/compare-flowers-1/worker.log", 34)
    assert [text_of(line) for line in lines] == [
        "its last output is in",
        "/runs/compare-flowers-1/worker.log",
    ]


def test_long_sentences_are_wrapped_and_cleaned():
    lines = wrap_line("valley: a decade \x1b[31m below the recommended one", 20, indent="  ")
    assert all(len(text_of(line)) <= 20 for line in lines)
    assert all("\x1b" not in text_of(line) for line in lines)
    assert text_of(lines[1]).startswith("  ")


@pytest.mark.parametrize("size", [2e-5, 2e38, 1.0])
def test_losses_of_any_size_fit_beside_each_other_in_the_narrowest_panel(size):
    history = train_history(Train(base_lr=1e-3, max_lr=6e-3), until=0, total=80, per_epoch=10)
    history.apply(ev.Steps(trial=0, step=[0, 1], lr=[1e-3] * 2, loss=[1.7 * size, 1.5 * size]))
    rows = [text_of(line) for line in training_panel(history)]
    (loss,) = [text for text in rows if text.startswith("loss ")]
    assert len(loss) <= 29
    _, smoothed, word, raw = loss.split()
    assert word == "raw"
    assert float(raw) == pytest.approx(1.5 * size, rel=0.01)
    assert float(smoothed) == pytest.approx(1.6 * size, rel=0.07)
