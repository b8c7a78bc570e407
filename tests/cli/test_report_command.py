"""`clr-tui report`: a result as one page."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from made_runs import make_logged, make_sweep, make_training, write
from markdown_it import MarkdownIt

from clr_tui.engine.log import events as ev
from clr_tui.engine.log.rundir import create_run
from clr_tui.engine.settings.config import LoggedRun, TaskConfig
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.markdown import escaped, fenced, paragraph, verbatim

EVIL = "a|b`c``<script>alert(1)</script>![x](http://e.org)*d*\\ @octocat #1 \x1b[31m\u202e"
VOID = {"meta", "br", "hr", "img", "link", "input"}


class Checker(HTMLParser):
    """Reads a page as a browser would: the tags, what they hold, and that all are closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def tables_in(text: str) -> list[list[list[str]]]:
    """The tables of a Markdown page, as cells of text, the heading first."""
    found: list[list[list[str]]] = []
    for block in re.split(r"\n(?!\|)", text):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        if rows:
            cells = [re.split(r"(?<!\\)\|", row)[1:-1] for row in rows]
            found.append([[cell.strip() for cell in row] for row in cells if "--" not in row[0]])
    return found


def test_a_range_test_has_its_verdict_bounds_and_rules(cli, runs: Path) -> None:
    run = make_sweep(runs)
    result = cli("report", run.id)
    assert (result.code, result.err) == (0, "")
    found = json.loads(cli("replay", run.id, "--json").out)
    assert f"## {run.id}\n" in result.out
    assert escaped(found["verdict"]["sentence"]) in result.out
    bounds, rules, settings, machine, _ = tables_in(result.out)
    assert bounds[0] == ["base\\_lr", "max\\_lr"]
    assert float(bounds[1][1]) == pytest.approx(found["bounds"]["max_lr"], rel=0.1)
    assert [row[0] for row in rules[1:]] == [one["rule"] for one in found["suggestions"]]
    assert ["`start_lr`", "`1e-6`"] in settings
    assert ["`device`", "`2 CPU threads (cpu)`"] in machine
    assert ["`seeds`", "`0`"] in machine


def test_a_training_has_its_results(cli, runs: Path) -> None:
    text = cli("report", make_training(runs).id).out
    assert tables_in(text)[0] == [
        ["", "accuracy", "loss", "epoch"],
        ["validation, last", "60.0 %", "0.138", "8"],
        ["validation, best", "75.0 %", "0.220", "5"],
        ["test, last", "71.0 %", "0.500", "8"],
        ["test, best on validation", "73.0 %", "0.400", "5"],
    ]
    assert text.count("```text\n") == 3


def test_a_loop_has_its_values_and_its_own_settings(cli, runs: Path) -> None:
    values, settings, _ = tables_in(cli("report", make_logged(runs).id).out)
    assert values[2] == ["`loss`", "0.287", "299", "0.287", "299", "2.000", "0", "300"]
    assert settings == [["", ""], ["`wd`", "`0.05`"], ["`model`", "`resnet50`"]]


def test_html_is_one_file_with_pictures(cli, runs: Path, tmp_path: Path) -> None:
    run = make_training(runs)
    file = tmp_path / "result.html"
    assert cli("report", run.id, "-o", file).out == ""
    text = file.read_text("utf-8")
    page = Checker(text)
    assert page.tags.count("svg") == 3
    assert not {"src", "href", "onload", "onclick"} & page.attributes
    assert not {"script", "link", "img", "iframe", "object"} & {*page.tags}
    assert "://" not in re.sub(r'xmlns="[^"]*"', "", text)
    assert "75.0 %" in page.texts
    for svg in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        ElementTree.fromstring(svg)
    ids = re.findall(r'<clipPath id="([^"]*)"', text)
    assert len(ids) == len({*ids}) == 3
    assert cli("report", run.id, "--html").out == text


def test_the_same_for_a_path_and_as_an_object(cli, runs: Path, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("epoch,loss\n1,2.0\n2,1.0\n")
    assert "### Values" in cli("report", tmp_path / "log.csv").out
    assert json.loads(cli("report", tmp_path / "log.csv", "--json").out)["source"] == "CSV"


@pytest.mark.parametrize("html", [False, True])
def test_no_text_of_a_log_is_markup(cli, runs: Path, html: bool) -> None:
    job = LoggedRun(name=EVIL, config={EVIL: EVIL})
    run = create_run(runs, task=TaskConfig(data="", model=""), job=job, version="0")
    ended = ev.RunFinished(outcome="failed", message=EVIL)
    logged = ev.Logged(step=[0, 1], values={EVIL: [1.0, 2.0], "```\n# x": [1.0, 2.0]})
    note = ev.Note(level="warning", text=EVIL)
    write(run, [ev.RunStarted(run=run.id, kind="logged"), note, logged, ended])
    result = cli("report", run.id, *(["--html"] if html else []))
    text = result.out
    assert (result.code, result.err) == (0, "")
    assert not {"\x1b", "\u202e"} & {*text}
    if html:
        page = Checker(text)
        assert not {"script", "img", "a"} & {*page.tags}
        assert "<script>alert(1)</script>" in "".join(page.texts)
        return
    renderer = MarkdownIt("gfm-like", {"html": True})
    renderer.linkify.set({"fuzzy_link": False})  # GitHub makes no link of e.org
    rendered = renderer.render(text)
    page = Checker(rendered)
    assert not {"script", "img", "a", "em", "h1"} & {*page.tags}
    assert page.tags.count("table") == 4
    shown = "".join(page.texts)
    assert plain(EVIL) in shown.replace("`` ", "")
    # GitHub looks for people and issues outside of code.
    outside = re.sub(r"(?s)<(pre|code)\b.*?</\1>", "", rendered)
    assert "octocat" in outside
    assert not re.search(r"@octocat|#1|://e", outside)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("loss 0.5", "loss 0.5"),
        ("1. first", "1\\. first"),
        ("- item", "\\- item"),
        ("# heading", "\\# heading"),
        ("max_lr", "max\\_lr"),
        ("see @me, #12, www.x.org", "see @<!-- -->me, #<!-- -->12, www<!-- -->.x.org"),
    ],
)
def test_a_paragraph_reads_as_its_text(text: str, shown: str) -> None:
    assert paragraph(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("loss", "`loss`"),
        ("a`b", "``a`b``"),
        ("`", "`` ` ``"),
        ("a|b", "`a\\|b`"),
        ("", ""),
    ],
)
def test_code_holds_any_text(text: str, shown: str) -> None:
    assert verbatim(text) == shown


def test_a_block_of_code_is_not_ended_by_its_text() -> None:
    assert fenced(["```", "x"]) == ["````text", "```", "x", "````"]


def test_a_file_that_cannot_be_written_gets_one_sentence(cli, runs: Path) -> None:
    result = cli("report", make_sweep(runs).id, "-o", "/nowhere/page.md")
    assert (result.code, result.out) == (2, "")
    assert "cannot write '/nowhere/page.md'" in result.err
