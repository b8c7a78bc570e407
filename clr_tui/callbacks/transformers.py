"""The callback for Transformers: `Trainer(..., callbacks=[ClrTuiCallback("name")])`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from transformers import TrainerCallback

from clr_tui.callbacks.training_run import TrainingRun, rates_of, schedule_in


class ClrTuiCallback(TrainerCallback):
    """Makes each `train` a run, which is listed and watched, paused and stopped like any other.

    The learning rate is logged at each step, loss and gradients every `logging_steps` steps, and
    the results of evaluations, as the Trainer itself logs them. A stop from the screen sets
    `control.should_training_stop`. New bounds go to a scheduler that has `set_bounds`, such as
    `clr_tui.CLR` in `optimizers=(optimizer, scheduler)`. With several processes the first one
    records, and commands are refused.

    Args:
        name: what to call the run; the script's name if it is empty.
        config: settings to show, besides the training arguments that are not the default.
    """

    def __init__(self, name: str = "", config: Mapping[str, Any] | None = None) -> None:
        self._training = TrainingRun(name, config)
        self._rates: dict[str, Any] = {}

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Starts the run."""
        self._training.begin(_settings(args))
        self._obey(control, kwargs)

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Notes the rates: at the end of a step, those of the next one are set."""
        optimizer = kwargs.get("optimizer")
        self._rates = {} if optimizer is None else rates_of([optimizer])

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Logs the rates, and carries out commands from the screen."""
        self._training.log(state.global_step, self._rates)
        self._obey(control, kwargs)

    def on_log(
        self,
        args: Any,
        state: Any,
        control: Any,
        logs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Logs what the Trainer logs."""
        values = {name: value for name, value in (logs or {}).items() if name != "learning_rate"}
        self._training.log(state.global_step, values, values.get("epoch"))

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Ends the run."""
        self._training.end()

    def _obey(self, control: Any, objects: Mapping[str, Any]) -> None:
        if self._training.is_stopped(schedule_in([objects.get("lr_scheduler")])):
            control.should_training_stop = True


def _settings(args: Any) -> dict[str, Any]:
    """The training arguments that are not the default."""
    found = {}
    for field in fields(args):
        default = field.default
        if field.default_factory is not MISSING:
            default = field.default_factory()
        value = getattr(args, field.name, default)
        if field.init and value != default and not field.name.endswith(_NOT_SHOWN):
            found[field.name] = value
    return found


_NOT_SHOWN = ("_dir", "_token", "run_name")
"""Ends of the names of arguments that are no settings of the training."""
