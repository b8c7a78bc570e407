"""All common rules for choosing a learning rate from a range test, side by side.

On the same curve they differ by decades, which a single number would hide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from clr_tui.engine.analysis.arrays import Floats
from clr_tui.engine.analysis.sweep import rules
from clr_tui.engine.analysis.sweep.best_rate import BOTTOM
from clr_tui.engine.analysis.sweep.curve import Curve
from clr_tui.engine.analysis.sweep.verdict import known_part, verdict
from clr_tui.engine.metrics import reads_as_accuracy
from clr_tui.engine.words import decades_apart, many

RECOMMENDED = "bottom"
"""The rule that is recommended if the verdict allows one; docs/advice.md says what each costs."""


@dataclass(frozen=True)
class Suggestion:
    """The result of one rule."""

    rule: str
    """`bottom`, `minimum/10`, `steepest`, `valley`, `slide` or `smith-accuracy`."""
    lr: float | None
    """The suggested max_lr; None if the rule has no answer (`caution` says why)."""
    formula: str
    source: str
    caution: str = ""
    """Such as "a decade below" the recommended rate, if that far away; or why there is no rate."""
    recommended: bool = False
    low: float | None = None
    """The suggested base_lr (`smith-accuracy` only)."""


_LOSS_RULES: tuple[tuple[str, Callable[[Floats, Floats], float | None], str, str], ...] = (
    (
        "minimum/10",
        rules.minimum_tenth,
        "a tenth of the rate at which the smoothed loss is lowest",
        "Adaptive - and Cyclical Learning Rates using PyTorch (2019)",
    ),
    (
        "steepest",
        rules.steepest,
        "where d loss / d log lr is most negative, without the first 10 and last 5 steps",
        "torch-lr-finder, LRFinder.plot(suggest_lr=True)",
    ),
    (
        "valley",
        rules.valley,
        "half way down the longest decreasing subsequence of the loss",
        "fastai, lr_find(suggest_funcs=valley); by ESRI",
    ),
    (
        "slide",
        rules.slide,
        "back from the end to where slopes 15 steps apart differ by at most 0.005",
        "fastai, lr_find(suggest_funcs=slide); by A. Chang",
    ),
)


def suggestions(curve: Curve) -> list[Suggestion]:
    """Applies all rules: `bottom` to each sweep, the others to the smoothed median curve.

    Smith's accuracy bounds are included only if the metric is accuracy or another share that is
    better when higher. If the verdict allows a recommendation, `bottom` is marked recommended, and
    rules that differ from it by more than a decade carry a caution.
    """
    lr, loss, _ = known_part(curve)
    found = [_by_trend(curve)]
    for name, rule, formula, source in _LOSS_RULES:
        suggested = rule(lr, loss)
        caution = "" if suggested is not None else "the curve is too short for this rule"
        found.append(Suggestion(name, suggested, formula, source, caution))
    if len(curve.metric_values) and reads_as_accuracy(curve.metric):
        found.append(_by_accuracy(curve))
    best = found[0].lr
    if best is None or verdict(curve).kind != "recommended":
        return found
    return [_against(s, best) for s in found]


def _by_trend(curve: Curve) -> Suggestion:
    found = curve.best_rate
    return Suggestion(
        rule=RECOMMENDED,
        lr=found.lr if found else None,
        formula=f"two thirds across the rates at which the loss has made {BOTTOM:.0%} of its fall",
        source="docs/advice.md",
        caution="" if found else "there are no finite losses",
    )


def _by_accuracy(curve: Curve) -> Suggestion:
    found = rules.smith_accuracy(curve.metric_lr, curve.metric_values, curve.metric_samples)
    samples = f" of {many(curve.metric_samples, 'sample')}" if curve.metric_samples else ""
    return Suggestion(
        rule="smith-accuracy",
        lr=found[1] if found else None,
        formula=f"from where {curve.metric.name} starts to rise to where it turns ragged or falls",
        source="Smith (2017), section 3.3",
        caution="" if found else f"the {curve.metric.name}{samples} does not rise above its noise",
        low=found[0] if found else None,
    )


def _against(suggestion: Suggestion, best: float) -> Suggestion:
    if suggestion.rule == RECOMMENDED:
        return replace(suggestion, recommended=True)
    if suggestion.lr is None:
        return suggestion
    return replace(suggestion, caution=decades_apart(suggestion.lr, best))
