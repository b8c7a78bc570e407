"""The learning rate of each entry of a comparison: given, torch's own, or found by a range test."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from clr_tui.engine.analysis.history import RunHistory, TrialHistory
from clr_tui.engine.analysis.sweep.curve import curve_of
from clr_tui.engine.analysis.sweep.suggest import suggestions
from clr_tui.engine.analysis.sweep.verdict import verdict
from clr_tui.engine.log.events import (
    Event,
    RateChosen,
    RateSource,
    RunFinished,
    Steps,
    TrialFinished,
)
from clr_tui.engine.policies import shape_of
from clr_tui.engine.settings.config import Compare, EntryConfig, RunConfig, Train
from clr_tui.engine.settings.entries import tuned_entries

DefaultRate = Callable[[EntryConfig], float]
"""The default rate of an entry's optimizer. Raises UserError if it has none."""


def known_rate(number: int, config: Compare, default: DefaultRate) -> RateChosen | None:
    """The rate of entry `number`, or None if a range test must find it.

    Raises:
        UserError: its optimizer has no default rate, or cannot be found.
    """
    entry = config.entries[number]
    given = config.lr_of(entry)
    if given is not None:
        return _rate_chosen(number, config, given, "given")
    if entry in tuned_entries(config):
        return None
    return _rate_chosen(number, config, default(entry), "default")


class RateSearch:
    """The range test of entry `number`: takes its events, and at its end finds the rate."""

    def __init__(self, config: RunConfig, compare: Compare, number: int, trial: int) -> None:
        self._compare = compare
        self._number = number
        self._trial = trial
        self._steps = 0
        self._seconds = 0.0
        self._batch_size = config.task.batch_size
        self.sweep = msgspec.structs.replace(
            compare.range_test, seeds=1, optimizer=compare.entries[number].optimizer
        )
        self._history = RunHistory(msgspec.structs.replace(config, job=self.sweep))

    def observe(self, event: Event) -> None:
        """Takes an event of the sweep."""
        self._history.apply(event)
        if isinstance(event, Steps):
            self._steps = event.step[-1] + 1  # not a sum: a sweep may begin again
            self._seconds = event.elapsed

    def take_past(self, sweep: TrialHistory) -> None:
        """Takes the steps that an earlier worker made."""
        self._history.trials[sweep.trial] = sweep
        if len(sweep):
            self._steps, self._seconds = int(sweep.step[-1]) + 1, float(sweep.seconds[-1])

    def rate(self, end: TrialFinished, default: DefaultRate) -> RateChosen:
        """The recommended rate, or if there is none, the class's default with a note that says why.

        Raises:
            UserError: there is neither.
        """
        if end.outcome != "done":
            return self._default(
                f"Its range test {_OUTCOME_WORDS[end.outcome]} ({end.reason}).", default
            )
        self._history.apply(RunFinished(outcome="done"))
        curve = curve_of(self._history, self.sweep.smoothing)
        recommended = next((s.lr for s in suggestions(curve) if s.recommended), None)
        if recommended is None:
            return self._default(verdict(curve).sentence, default)
        note = "" if self._compare.rates == "tuned" else _NO_DEFAULT
        return self._with_cost(
            _rate_chosen(self._number, self._compare, recommended, "tuned", note)
        )

    def _default(self, why: str, default: DefaultRate) -> RateChosen:
        lr = default(self._compare.entries[self._number])
        note = f"{why} The optimizer's own default is used."
        return self._with_cost(_rate_chosen(self._number, self._compare, lr, "default", note))

    def _with_cost(self, rate: RateChosen) -> RateChosen:
        return msgspec.structs.replace(
            rate,
            trial=self._trial,
            steps=self._steps,
            samples=self._steps * self._batch_size,
            seconds=self._seconds,
        )


_OUTCOME_WORDS = {"failed": "failed", "stopped": "was stopped"}
_NO_DEFAULT = "A policy that moves between two bounds has no default: the rate was tuned."


def _rate_chosen(
    number: int, config: Compare, lr: float, source: RateSource, note: str = ""
) -> RateChosen:
    entry = config.entries[number]
    base_lr = None
    if entry.policy != "constant":
        base_lr = lr / config.factor if entry.base_lr is None else entry.base_lr
        if base_lr >= lr:
            base_lr = lr / config.factor
            clash = f"base_lr {entry.base_lr:g} is not below the rate: {base_lr:.2g} is used."
            note = f"{note} {clash}".strip()
    return RateChosen(entry=number, lr=lr, base_lr=base_lr, source=source, note=note)


def training_at(rate: RateChosen, config: Compare, epochs: int) -> Train:
    """The training of an entry at its rate; `epochs` are already rounded to whole cycles."""
    entry = config.entries[rate.entry]
    return Train(
        base_lr=rate.lr if rate.base_lr is None else rate.base_lr,
        max_lr=rate.lr,
        policy=entry.policy,
        step_size_epochs=config.step_size_epochs,
        epochs=epochs,
        whole_cycles=False,
        **shape_of(config),
        scheduler=entry.scheduler,
        min_momentum=entry.min_momentum,
        optimizer=entry.optimizer,
    )
