"""Judges whether a range test supports a recommendation, and advises what to do if not.

Any curve yields a suggestion, even pure noise. So each way in which a curve can mislead is checked
first and named; only a curve that passes gets a recommendation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from clr_tui.engine.analysis.arrays import Floats
from clr_tui.engine.analysis.sweep.best_rate import WIDEST
from clr_tui.engine.analysis.sweep.curve import Curve, CutShort
from clr_tui.engine.analysis.sweep.noise import noise, share_of_new, smoothed_share
from clr_tui.engine.words import lr_str, many

VerdictKind = Literal[
    "recommended",
    "uncertain",
    "flat",
    "learned",
    "falling",
    "not-finite",
    "unstable",
    "too-short",
    "running",
]

MIN_STEPS = 20
"""Fewer finite losses than this say nothing."""
FALL_DEVIATIONS = 5.0
"""A fall counts if it exceeds this many standard deviations of its estimate. Sweeps of a CNN on
32x32 photographs fell by 13 to 23 (without momentum by 7 to 9), with shuffled labels by 1 to
4.6."""
RISE_DEVIATIONS = 4.0
"""The same for the rise after the minimum, in deviations of the smoothed loss. Those sweeps rose by
16 or more if they reached rates too high for training, and not at all otherwise."""
MIN_NOISE = 1e-6
"""Relative to the loss: a difference that float32 cannot resolve is not a fall."""
START_PART = 0.1
"""A minimum within this first share of the steps is at the start of the sweep."""
NOTHING = 0.02
"""A loss of at most this share of its level at the start is nothing left to learn: the updates of a
new model would be longer by as much, or by its root if the loss is a square. A rate far below the
one of the lowest loss allows for a factor of ten."""
HIGH_START = 1e-4
"""A sweep from a higher rate may start where the model cannot learn, and look flat."""
END_PART = 0.95
"""A minimum beyond this share of the log range is at the end of the sweep."""

_CUT_SHORT: dict[CutShort, str] = {
    "stopped": "The sweep was stopped",
    "failed": "The run failed",
    "lost": "The run was lost",
}
_RERUN_ADVICE: dict[CutShort, str] = {
    "stopped": "Run it again to its end.",
    "failed": "Fix the error above, then run it again.",
    "lost": "Run it again; its worker.log may say why it ended.",
}


@dataclass(frozen=True)
class Verdict:
    """The judgement on a curve, in words."""

    kind: VerdictKind
    sentence: str
    """The finding, one sentence."""
    advice: str
    """What to do about it; may be empty."""


def verdict(curve: Curve) -> Verdict:
    """Judges a curve: `recommended` only if nothing speaks against a rate.

    The reasons against it, in the order of the checks:

    - `running`: the sweeps have not ended.
    - `not-finite`: fewer than 20 finite losses before the first that is not.
    - `too-short`: fewer than 20 steps, or rates that cover less than a decade, whether the run was
      cut short or set up that way.
    - `flat`: the fall from the level of the first fifth of the raw losses to the minimum of the
      smoothed ones is at most 5 standard deviations of that difference (`_Noise`), or the loss is
      lowest within the first tenth of the steps. If it is lowest in the first third and higher by
      as much in the second, the sweep starts too high.
    - `learned`: over the decade up to the minimum, the raw losses are at most a fiftieth of their
      level at the start. Rates that come when there is nothing left to learn say nothing about a
      model that has yet to learn. Losses that are negative have no such limit.
    - `unstable`: the smoothed minima of the seeds are more than a decade apart.
    - `falling`: the sweep did not diverge, and after its minimum the smoothed loss rises by at
      most 4 of its standard deviations.
    - `uncertain`: the interval of the best max_lr spans more than 1.5 decades.
    """
    if curve.running:
        return Verdict("running", "The sweep is running: the verdict comes at its end.", "")
    lr, smoothed, raw = known_part(curve)
    early = _not_finite(curve, lr) or _cut_short_early(curve, lr) or _too_short(curve, lr)
    if early:
        return early
    spread = _Noise.of(curve, raw, smoothed)
    return (
        _flat(curve, lr, smoothed, spread)
        or _learned(lr, smoothed, raw, spread)
        or _unstable(curve)
        or _falling(curve, lr, smoothed, spread)
        or _recommended(curve)
    )


def known_part(curve: Curve) -> tuple[Floats, Floats, Floats]:
    """Rates, smoothed and raw losses where the smoothed loss is finite, each of shape (n,).

    Usually that is the whole curve, which is not copied.
    """
    known = np.isfinite(curve.smoothed)
    if known.all():
        return curve.lr, curve.smoothed, curve.loss
    return curve.lr[known], curve.smoothed[known], curve.loss[known]


def _not_finite(curve: Curve, lr: Floats) -> Verdict | None:
    if len(lr) >= min(MIN_STEPS, len(curve.lr)):
        return None
    if not len(lr):
        return Verdict(
            "not-finite",
            "The loss was not finite at any step.",
            "The learning rate is not the cause: the first loss comes before the first update. "
            "Check the data and weights for values that are not numbers.",
        )
    failed = lr_str(curve.lr[np.argmin(np.isfinite(curve.smoothed))])
    return Verdict(
        "not-finite",
        f"The loss was no longer finite after {many(len(lr), 'step')}, at {failed}.",
        "Check the data for values that are not numbers, or start lower: run again with "
        f"start LR {lr_str(curve.lr[0] / 100)}.",
    )


def _cut_short_early(curve: Curve, lr: Floats) -> Verdict | None:
    """Too few steps because the run was cut short, which its settings did not cause."""
    if curve.cut_short is None:
        return None
    if not len(lr):
        sentence = f"{_CUT_SHORT[curve.cut_short]} before its first step."
    elif len(lr) < MIN_STEPS:
        sentence = (
            f"{_CUT_SHORT[curve.cut_short]} after {many(len(lr), 'step')}: too few to tell "
            "learning from noise."
        )
    elif lr[-1] < 10 * lr[0]:
        sentence = f"{_CUT_SHORT[curve.cut_short]} within its first decade, at {lr_str(lr[-1])}."
    else:
        return None
    return Verdict("too-short", sentence, _RERUN_ADVICE[curve.cut_short])


def _too_short(curve: Curve, lr: Floats) -> Verdict | None:
    if not len(lr):
        return Verdict("too-short", "There are no steps to judge.", "Run it again.")
    if len(lr) < MIN_STEPS:
        return Verdict(
            "too-short",
            f"The sweep has {many(len(lr), 'step')}: too few to tell learning from noise.",
            "Run again with 100 steps or more.",
        )
    if lr[-1] < 10 * lr[0] and not curve.diverged:
        return Verdict(
            "too-short",
            f"The sweep covers less than a decade, {lr_str(lr[0])} to {lr_str(lr[-1])}.",
            "Run again from 1e-7 to 1.",
        )
    return None


@dataclass(frozen=True)
class _Noise:
    """How much the parts of a curve vary by chance."""

    smoothed: float
    """Standard deviation of a smoothed loss."""
    level: float
    """The level of the first fifth of the raw losses, see `_level`."""
    level_sd: float
    later: float
    """The median of the middle third of the raw losses, minus `level`."""
    new: float
    """How much of each raw loss is new, see `share_of_new`."""

    @staticmethod
    def of(curve: Curve, raw: Floats, smoothed: Floats) -> _Noise:
        # After the minimum the loss may vary wildly, which says nothing about the fall.
        until = max(MIN_STEPS, int(np.argmin(smoothed)) + 1)
        # Batch losses are independent, but a curve from elsewhere may have been smoothed.
        new = share_of_new([raw])
        first = raw[: max(5, len(raw) // 5)]
        level, share = _level(first, new)
        sd = max(noise(raw[:until], new), MIN_NOISE * abs(level))
        return _Noise(
            smoothed=sd * smoothed_share(curve.smoothing, new),
            level=level,
            level_sd=sd * share,
            later=float(np.median(raw[len(raw) // 3 : -(len(raw) // 3)])) - level,
            new=new,
        )


def _level(first: Floats, new: float) -> tuple[float, float]:
    """The level of the first losses, and its standard deviation relative to that of a loss.

    For raw losses it is their median, whose deviation is 1.25 times that of their mean. A smoothed
    curve starts at its first raw loss, whose error fades slowly, and its median with it. Its raw
    losses, (x_i - (1 - new) * x_(i-1)) / new, are independent again, and their mean is that of the
    smoothed ones plus (1 - new) / new times their slope. They deviate by sqrt((2 - new) / new)
    times as much.
    """
    if new == 1:
        return float(np.median(first)), 1.25 / float(np.sqrt(len(first)))
    count = len(first) - 1
    slope = float(first[-1] - first[0]) / count
    mean = float(np.mean(first[1:])) + (1 - new) / new * slope
    return mean, float(np.sqrt((2 - new) / new / count))


def _flat(curve: Curve, lr: Floats, smoothed: Floats, spread: _Noise) -> Verdict | None:
    at = int(np.argmin(smoothed))
    fall = spread.level - float(smoothed[at])
    enough = FALL_DEVIATIONS * float(np.hypot(spread.level_sd, spread.smoothed))
    if fall > enough and at >= START_PART * len(lr):
        return None
    if at < len(lr) // 3 and spread.later > FALL_DEVIATIONS * spread.level_sd:
        return Verdict(
            "flat",
            f"The loss is lowest near the start of the sweep, at {lr_str(lr[at])}, and rises from "
            "there: the sweep starts too high.",
            f"Start lower: run again with start LR {lr_str(lr[0] / 1000)}.",
        )
    if curve.cut_short:
        return Verdict(
            "flat",
            f"{_CUT_SHORT[curve.cut_short]} at {lr_str(lr[-1])}, before the loss had fallen.",
            _RERUN_ADVICE[curve.cut_short],
        )
    diverged = f" up to {lr_str(lr[-1])}, where it diverged" if curve.diverged else ""
    return Verdict(
        "flat",
        f"The curve is flat within its noise{diverged}: the model did not learn at any rate tried.",
        _advice_if_flat(curve, lr),
    )


def _advice_if_flat(curve: Curve, lr: Floats) -> str:
    if lr[-1] < 0.1 and not curve.diverged:
        return "Sweep further: run again with end LR 10."
    if lr[0] > HIGH_START:
        return (
            f"Start lower: run again with start LR {lr_str(lr[0] / 1000)}; if it stays flat, check "
            "the data and labels."
        )
    return "Check the data and labels, or start higher with more steps."


def _learned(lr: Floats, smoothed: Floats, raw: Floats, spread: _Noise) -> Verdict | None:
    if raw.min() < 0:
        return None
    # What a smoothed curve was made of: it falls slowly even where the losses are zero.
    single = raw[1:] + (1 - spread.new) / spread.new * np.diff(raw)
    at = int(np.argmin(smoothed))
    decade = (lr[1:] >= lr[at] / 10) & (lr[1:] <= lr[at])
    nothing = NOTHING * spread.level
    if not float(np.median(single[decade])) <= nothing:
        return None
    reached = lr_str(lr[1 + int(np.argmax(single <= nothing))])
    return Verdict(
        "learned",
        f"The loss reached nothing at {reached}: higher rates were tried on a model that had "
        "learned everything, and say nothing about one that has not.",
        f"Train below {reached}, or run again with fewer steps or more data, so that high rates "
        "come before all is learned.",
    )


def _unstable(curve: Curve) -> Verdict | None:
    pairs = zip(curve.seeds, curve.ended, strict=True)
    known = [s for s, ended in pairs if ended and np.isfinite(s).any()]
    minima = [float(curve.lr[np.nanargmin(s)]) for s in known]
    if len(minima) < 2 or max(minima) <= 10 * min(minima):
        return None
    return Verdict(
        "unstable",
        f"The minimum wanders by more than a decade between seeds, from {lr_str(min(minima))} to "
        f"{lr_str(max(minima))}.",
        "Run again with more epochs per sweep, or a larger batch.",
    )


def _falling(curve: Curve, lr: Floats, smoothed: Floats, spread: _Noise) -> Verdict | None:
    at = int(np.argmin(smoothed))
    rise = float(smoothed[at:].max() - smoothed[at])
    if curve.diverged or rise > RISE_DEVIATIONS * spread.smoothed:
        return None
    if curve.cut_short:
        return Verdict(
            "falling",
            f"{_CUT_SHORT[curve.cut_short]} at {lr_str(lr[-1])}, before the loss rose: no upper "
            "bound in sight.",
            _RERUN_ADVICE[curve.cut_short],
        )
    end = curve.end_lr or float(lr[-1])
    at_end = np.log(lr[at] / lr[0]) >= END_PART * np.log(lr[-1] / lr[0])
    seen = "is still falling at" if at_end else "does not rise again up to"
    return Verdict(
        "falling",
        f"The loss {seen} {lr_str(end)}: no upper bound in sight.",
        f"Sweep further: run again with end LR {lr_str(max(10.0, 10 * end))}.",
    )


def _recommended(curve: Curve) -> Verdict:
    best = curve.best_rate
    assert best is not None  # there are finite losses
    interval = f"{lr_str(best.low)} to {lr_str(best.high)}"
    if best.decades > WIDEST:
        return Verdict(
            "uncertain",
            f"The sweep cannot tell: the best max_lr may be anything from {interval}.",
            "Run again with more seeds or steps, or train at a grid of rates to find it.",
        )
    return Verdict(
        "recommended",
        f"bottom is recommended: max_lr {lr_str(best.lr)}; the best is likely within {interval}.",
        "",
    )
