from view_histories import text_of

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
