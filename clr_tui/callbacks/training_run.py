"""What the callbacks of all libraries share: a run while they train, its values, its commands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from torch.optim import Optimizer

from clr_tui.engine.own_loop.run import Run
from clr_tui.engine.own_loop.starting import start
from clr_tui.engine.own_loop.steering import Schedule

Values = Mapping[str, Any]


class TrainingRun:
    """A run for each training of a library's trainer; between trainings nothing is recorded.

    Args:
        name: of the runs; the script's if it is empty.
        config: settings to show, before those that the library knows.
    """

    def __init__(self, name: str, config: Values | None) -> None:
        self.run: Run | None = None
        """The run of the training under way."""
        self._name = name
        self._config = dict(config or {})
        self._epoch: float | None = None

    def begin(self, settings: Values) -> Run:
        """Starts a run; one whose training did not come to its end is finished."""
        self.end()
        self._epoch = None
        self.run = start(self._name, config={**self._config, **settings})
        return self.run

    def log(self, step: int, values: Values, epoch: float | None = None) -> None:
        """Logs values of a step, and the epoch where it changes."""
        if self.run is None:
            return
        known = {str(name): value for name, value in values.items() if name not in _OWN}
        if epoch is not None and epoch != self._epoch:
            self.run.log(step, epoch=epoch)
            self._epoch = epoch
        if known:
            self.run.log(step, **known)

    def is_stopped(self, schedule: Schedule | None) -> bool:
        """Carries out commands from the screen, between two steps; waits here during a pause.

        Args:
            schedule: given new bounds.
        """
        return self.run is not None and self.run.obey(schedule)

    def end(self, error: BaseException | None = None) -> None:
        """Ends the run, as failed if there is an error."""
        run, self.run = self.run, None
        if run is not None and error is not None:
            run.fail(error)
        elif run is not None:
            run.finish()

    def __getstate__(self) -> dict[str, Any]:
        """A copy, such as for another process, records nothing until a training begins."""
        return {**vars(self), "run": None}


_OWN = ("step", "epoch")
"""Names that are logged with each step anyway."""


def rates_of(optimizers: Iterable[Optimizer]) -> dict[str, Any]:
    """`lr`, the rate of the first parameter group, and `lr/1`, ... of those that have another."""
    groups = [group for optimizer in optimizers for group in optimizer.param_groups]
    rates = [group["lr"] for group in groups if "lr" in group]
    if not rates:
        return {}
    others = {f"lr/{i}": rate for i, rate in enumerate(rates) if i and rate != rates[0]}
    return {"lr": rates[0], **others}


def schedule_in(schedulers: Iterable[Any]) -> Schedule | None:
    """The first scheduler that takes new bounds, such as `clr_tui.CLR`, also within a wrapper."""
    for scheduler in schedulers:
        for one in (scheduler, getattr(scheduler, "scheduler", None)):
            if one is not None and callable(getattr(one, "set_bounds", None)):
                found: Schedule = one
                return found
    return None
