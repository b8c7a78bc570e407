"""The handler for pytorch-ignite: `ClrTuiHandler("name").attach(trainer, optimizer)`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ignite.engine import Engine, Events
from torch.optim import Optimizer

from clr_tui.callbacks.training_run import TrainingRun, rates_of, schedule_in


class ClrTuiHandler:
    """Makes each run of a trainer a run, which is listed and watched, paused and stopped.

    At each iteration it logs the learning rate and the trainer's output, without waiting for the
    device; at the end of each epoch the metrics attached to the trainer, as `train_...`, and to
    evaluators, as `val_...`. A stop from the screen calls `engine.terminate()`. With several
    processes the first one records, and commands are refused.

    Args:
        name: what to call the run; the script's name if it is empty.
        config: settings to show.
    """

    def __init__(self, name: str = "", config: Mapping[str, Any] | None = None) -> None:
        self._training = TrainingRun(name, config)
        self._rates: dict[str, Any] = {}

    def attach(
        self,
        trainer: Engine,
        optimizer: Optimizer | None = None,
        *,
        evaluators: Engine | Mapping[str, Engine] | None = None,
        output: Callable[[Any], Any] = lambda output: output,
        schedule: Any = None,
    ) -> None:
        """Attaches the handler to a trainer and to those who measure what it trains.

        Args:
            trainer: the engine that trains; iterations are its steps.
            optimizer: whose rates are logged.
            evaluators: one for validation data, or several by a name such as "val" or "test",
                which comes before the names of their metrics.
            output: the trainer's output -> the loss, or a dict of values by name. Values that are
                no numbers are left out.
            schedule: given new bounds from the screen, if it has `set_bounds`, as `clr_tui.CLR`.
        """
        parts = {"val": evaluators} if isinstance(evaluators, Engine) else dict(evaluators or {})
        schedule = schedule_in([schedule])

        def started(engine: Engine) -> None:
            self._training.begin({})
            obey(engine)

        def iteration_started(_engine: Engine) -> None:
            self._rates = {} if optimizer is None else rates_of([optimizer])

        def iteration_completed(engine: Engine) -> None:
            values = output(engine.state.output)
            if not isinstance(values, Mapping):
                values = {} if values is None else {"loss": values}
            state = engine.state
            self._training.log(state.iteration, {**self._rates, **values}, state.epoch - 1)
            obey(engine)

        def obey(engine: Engine) -> None:
            if self._training.is_stopped(schedule):
                engine.terminate()

        def measured(engine: Engine, part: str) -> None:
            values = {f"{part}_{name}": value for name, value in engine.state.metrics.items()}
            self._training.log(trainer.state.iteration, values)

        def failed(engine: Engine, error: BaseException) -> None:
            self._training.end(error)
            # Without a handler ignite raises it; this one must not make a difference.
            if len(engine._event_handlers[Events.EXCEPTION_RAISED]) == 1:
                raise error

        trainer.add_event_handler(Events.STARTED, started)
        trainer.add_event_handler(Events.ITERATION_STARTED, iteration_started)
        trainer.add_event_handler(Events.ITERATION_COMPLETED, iteration_completed)
        trainer.add_event_handler(Events.EPOCH_COMPLETED, measured, "train")
        for part, evaluator in parts.items():
            evaluator.add_event_handler(Events.COMPLETED, measured, part)
        trainer.add_event_handler(Events.EXCEPTION_RAISED, failed)
        trainer.add_event_handler(Events.COMPLETED, lambda: self._training.end())
