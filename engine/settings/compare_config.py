"""The settings of a comparison and of its entries."""

from __future__ import annotations

from typing import Annotated, Union

import msgspec

from clr_tui.engine.settings.catalogue import STUDIES
from clr_tui.engine.settings.limits import COUNT, RATE, TIME
from clr_tui.engine.settings.optimizer_config import OptimizerConfig
from clr_tui.engine.settings.policy_settings import (
    DECAY,
    FACTOR,
    GAMMA,
    WARMUP,
    Decay,
    Factor,
    Gamma,
    Policy,
    StepSize,
    Warmup,
    WholeCycles,
)
from clr_tui.engine.settings.range_test_config import RangeTest
from clr_tui.engine.settings.table import described
from clr_tui.engine.settings.task_config import TaskConfig

ARTICLE = ("adagrad", "adadelta", "rmsprop", "adam", "adamax", "sgd+clr")
"""The six that the article compares, each as an entry of a comparison."""
RATE_WORDS = ("default", "tuned")
GRID, AROUND = "grid:", "around:"
"""Beginnings of a text for several rates: see `engine.settings.rate_grid`."""
MAX_TRIALS = 1000
"""A comparison of more would take too long."""


class EntryConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a comparison: an optimizer with its options, and a policy."""

    label: str
    """Its text, unique in the comparison: "adamw(weight_decay=0.05)+one-cycle"."""
    optimizer: OptimizerConfig
    policy: Policy = "constant"
    lr: float | None = None
    """The rate, or the upper bound of a policy; None: see `Compare.rates`."""
    base_lr: float | None = None
    """The lower bound; None: `lr` / factor."""
    min_momentum: float | None = None
    """The momentum at the top of a cycle; None: it is constant."""
    scheduler: str = ""
    """A scheduler of torch as text, instead of the policy, which is then `constant`."""

    @property
    def schedule(self) -> str:
        """The name of what moves its rate, for people: a policy, or a scheduler of torch."""
        return self.scheduler.partition("(")[0] or self.policy


class Compare(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="compare"):
    """A comparison of optimizers, each trained from the same seeds."""

    entries: Annotated[
        list[EntryConfig],
        described(
            "e.g. adam, sgd(lr=0.1)+clr, adamw(weight_decay=0.05)+one-cycle, a.b:Opt",
            name="optimizers",
            format="entries",
            example=", ".join(ARTICLE),
            empty="the article's six",
            metavar="LIST",
        ),
    ]
    seeds: Annotated[
        int, described("trials per optimizer; intervals need at least two", **COUNT, example="3")
    ] = 3
    """Seeds `task.seed`, `task.seed + 1`, ..."""
    time: Annotated[
        float | None,
        described(
            "time to spend, such as 5m or 1h30m, on as many seeds as fit in it",
            **TIME,
            metavar="TIME",
            format="duration",
            example="30m",
            empty="use seeds",
        ),
    ] = None
    """In seconds, from the start of the run; `seeds` then plays no part."""
    epochs: Annotated[int, described("length of each trial in epochs", **COUNT)] = 16
    rates: Annotated[
        Union[float, str],  # noqa: UP007 - msgspec wants it
        described(
            "rate without lr=: default, tuned, a number, grid:1e-4..0.1x7 or around:RUN",
            name="lr",
            **RATE,
            example="1e-3",
            metavar="X",
            words=RATE_WORDS,
            beginnings=(GRID, AROUND),
        ),
    ] = "default"
    """For entries without a rate: `default`, that of the class (a policy with bounds has none, and
    is tuned); `tuned`, each by a range test of the same length; this rate; or a grid, whose rates
    the entries of a run have already (`grid:1e-4..0.1x7`)."""
    target: Annotated[
        float | None,
        described(
            "validation metric to reach; the result says how long each optimizer takes",
            ge=-1e30,
            le=1e30,
            metavar="X%",
            format="target",
            example="65% or 0.65",
            empty="none",
        ),
    ] = None
    """Of the primary metric: an accuracy is a share, 0 to 1."""
    jobs: Annotated[
        int | None,
        described(
            "trials to run in parallel",
            **COUNT,
            example="2",
            empty="as cores, GPUs and memory allow",
        ),
    ] = None
    halving: Annotated[
        bool,
        described("end rates of a grid early that cannot be the best any more"),
    ] = False
    """See `engine.comparing.halving`."""
    step_size_epochs: StepSize = 4.0
    gamma: Gamma = GAMMA
    warmup: Warmup = WARMUP
    decay: Decay = DECAY
    whole_cycles: WholeCycles = True
    """Applies to all entries, if any of them has cycles."""
    factor: Factor = FACTOR
    threads: Annotated[
        int,
        described(
            "CPU threads per trial; changing it may change the last bits of results",
            **COUNT,
            rare=True,
        ),
    ] = 1
    study: Annotated[
        str,
        described(
            "repeat the article's study of this model; other settings override it",
            choices=STUDIES,
            empty="none",
            rare=True,
        ),
    ] = ""
    range_test: RangeTest = RangeTest(end_lr=10.0)
    """The sweep that tunes rates, with each entry's optimizer instead of its own."""
    advice: dict[str, float] = {}
    """What each rule of a range test said, by name, if the grid is around its recommendation."""
    advised: str = ""
    """The name of the rule that was recommended."""
    swept: OptimizerConfig | None = None
    """The optimizer of that range test, in the form of an entry's."""
    swept_in: str = ""
    """The id of that range test."""
    swept_on: TaskConfig | None = None
    """Its task: what it advises holds for no other."""
    paired: bool = True
    """Whether the same seed means the same weights and order of data: not for imported curves."""

    def lr_of(self, entry: EntryConfig) -> float | None:
        """The rate that was given for an entry, or for all; None if it is still to be found."""
        shared = None if isinstance(self.rates, str) else self.rates
        return shared if entry.lr is None else entry.lr

    @property
    def trials(self) -> int:
        """The number of trainings: one for each entry and seed."""
        return len(self.entries) * self.seeds

    @property
    def most_seeds(self) -> int:
        """The most seeds there may be: with a time to spend, their number is not known before."""
        if self.time is None:
            return self.seeds
        return max(MAX_TRIALS // max(len(self.entries), 1), 1)

    def trial_number(self, entry: int, seed: int) -> int:
        """The number of the training of an entry and a seed, both from 0.

        They are counted entry by entry; with a time to spend, when the number of seeds is not known
        before, seed by seed.
        """
        if self.time is not None:
            return seed * len(self.entries) + entry
        return entry * self.seeds + seed

    def sweep_number(self, entry: int) -> int:
        """The number of the sweep that tunes an entry's rate: after those of all trainings."""
        return len(self.entries) * self.most_seeds + entry

    def entry_and_seed(self, trial: int) -> tuple[int, int]:
        """The inverse of `trial_number`; the entry of a sweep is none of the entries."""
        if self.time is not None:
            count = max(len(self.entries), 1)
            seed, entry = divmod(trial, count)
            return (entry, seed) if seed < self.most_seeds else (count, 0)
        return divmod(trial, max(self.seeds, 1))  # a damaged run.json may say 0
