"""What `clr_tui.range_test` returns: figures, words, charts; and its progress."""

from __future__ import annotations

import base64
import io
import math
import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from given_bench import cross_entropy, loader, net, samples, sgd
from torch import Tensor, nn

import clr_tui
from clr_tui.engine.analysis.smoothing import smooth
from clr_tui.engine.analysis.sweep.best_rate import best_rate
from clr_tui.engine.errors import UserError
from clr_tui.engine.log.events import Note
from clr_tui.library.sweep_result import RangeTestResult


def sweep(**options: Any) -> RangeTestResult:
    """A regression that is learned well at rates of a tenth, and blows up above 1."""
    torch.manual_seed(0)
    inputs = torch.randn(1000, 8)
    model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 1))
    targets = inputs.square().sum(1, keepdim=True)
    mse = nn.functional.mse_loss
    return clr_tui.range_test(model, sgd(model), mse, (inputs, targets), **options)


@pytest.fixture(scope="module")
def found() -> RangeTestResult:
    return sweep()


def test_the_recommendation_is_the_rule_s_on_this_curve(found: RangeTestResult) -> None:
    best = best_rate(found.lr, [found.loss])
    assert best is not None
    assert found.kind == "recommended"
    assert found.max_lr == best.lr == found.suggestions["bottom"].lr
    assert found.base_lr == best.lr / 6
    assert found.interval == (best.low, best.high)
    assert found.smoothed.tolist() == smooth(found.loss, 0.05).tolist()
    assert 1e-2 < best.lr < 1
    assert found.diverged
    assert len(found.lr) < 100


def test_other_rules_are_beside_it(found: RangeTestResult) -> None:
    assert list(found.suggestions) == ["bottom", "minimum/10", "steepest", "valley", "slide"]
    lowest = found.lr[np.argmin(found.smoothed)]
    assert found.suggestions["minimum/10"].lr == pytest.approx(lowest / 10)


def test_its_rates_are_those_that_clr_takes(found: RangeTestResult) -> None:
    model = net()
    scheduler = clr_tui.CLR(sgd(model), found.max_lr, step_size=10)
    assert scheduler.get_last_lr() == [found.base_lr]


def test_it_says_in_words_what_it_found(found: RangeTestResult) -> None:
    assert re.fullmatch(
        r"bottom is recommended: max_lr \d\S+; the best is likely within \S+ to \S+\.",
        found.verdict,
    )
    assert found.verdict in str(found)
    assert re.search(r"> bottom +\d\.\de-02", str(found))
    assert repr(found).startswith("RangeTestResult(max_lr=0.")


def test_without_a_recommendation_it_says_why() -> None:
    model = net()
    for parameter in model.parameters():
        parameter.requires_grad_(parameter is model.first.bias)
    flat = clr_tui.range_test(
        model, sgd(model), cross_entropy, loader(), start_lr=1e-7, end_lr=1e-4
    )
    assert flat.kind == "flat"
    assert (flat.max_lr, flat.base_lr, flat.interval) == (None, None, None)
    assert flat.verdict.startswith("The curve is flat within its noise")
    assert repr(flat) == "RangeTestResult(max_lr=None, kind='flat')"
    assert "learning rate" in flat.text(80)
    with pytest.raises(UserError, match="the range test recommends none"):
        clr_tui.CLR(sgd(model), flat.max_lr, step_size=10)


def test_a_loss_that_is_never_finite_is_a_result_too() -> None:
    model = net()
    nan = clr_tui.range_test(
        model, sgd(model), lambda out, y: cross_entropy(out, y) * math.nan, loader()
    )
    assert nan.kind == "not-finite"
    assert np.isnan(nan.loss).all()
    assert "not finite" in nan.text(60)
    ElementTree.fromstring(nan._repr_svg_())


def test_plot_prints_the_chart_and_the_findings(
    found: RangeTestResult, capsys: pytest.CaptureFixture[str]
) -> None:
    found.plot(72, height=12)
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert all(len(line) <= 72 for line in lines)
    assert lines[12] == ""
    assert lines[13].split()[:2] == ["rule", "max_lr"]
    assert found.verdict.split(";")[0] in printed
    assert "\x1b" not in printed


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_plot_prints_characters_that_the_output_has(found: RangeTestResult, encoding: str) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding)
    found.plot(72, file=out)
    out.flush()
    text = out.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]
    assert "?" not in text
    assert ("⠤" in text) == (encoding == "utf-8")


def test_notebooks_show_a_picture_and_a_table(found: RangeTestResult) -> None:
    svg = ElementTree.fromstring(found._repr_svg_())
    assert svg.tag.endswith("svg")
    html = ElementTree.fromstring(found._repr_html_().replace('style="max-width: 100%">', "/>"))
    (image,) = html.iter("img")
    kind, _, data = image.attrib["src"].partition(";base64,")
    assert kind == "data:image/svg+xml"
    assert ElementTree.fromstring(base64.b64decode(data)).attrib == svg.attrib
    rows = [[cell.text or cell[0].text for cell in row] for row in html.iter("tr")]
    assert [row[0] for row in rows] == ["rule", *found.suggestions]
    assert [p.text for p in html.iter("p")] == [found.verdict]


def test_text_of_others_is_text_in_a_notebook() -> None:
    result = sweep(steps=25)
    result._history.notes.append(Note(level="info", text="<b>\x1b[31m</b>"))
    assert "&lt;b&gt;" in result._repr_html_()
    assert "\x1b" not in result._repr_html_() + result.text(80) + str(result)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    sweep(steps=30, seeds=2, divergence=1e30)
    written = terminal.getvalue()
    assert re.search(r"range test: sweep 2 of 2, step 30 / 30, lr \d\.\de-\d\d, loss \d", written)
    assert "\n" not in written
    assert written.endswith("\r\x1b[K")  # cleared
    before = len(written)
    sweep(steps=30, progress=False)
    assert len(terminal.getvalue()) == before


def test_there_is_no_progress_off_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    sweep(steps=30, divergence=1e30)
    assert capsys.readouterr().err == ""
    sweep(steps=30, progress=True, divergence=1e30)
    assert "step 30 / 30" in capsys.readouterr().err


def test_a_loss_of_the_first_steps_is_that_before_any_update() -> None:
    model = net()
    inputs, targets = samples(20)
    model.drop.p = 0.0
    model.noise = _Constant()  # type: ignore[assignment]
    model.train()
    first: Tensor = cross_entropy(model(inputs), targets)
    found = clr_tui.range_test(model, sgd(model), cross_entropy, [(inputs, targets)], steps=25)
    assert found.loss[0] == float(first.detach())


class _Constant:
    def random(self) -> float:
        return 0.5
