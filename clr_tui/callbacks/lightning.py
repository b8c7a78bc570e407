"""The callback for Lightning: `Trainer(callbacks=[ClrTuiCallback("name")])`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from clr_tui.callbacks.training_run import TrainingRun, rates_of, schedule_in

if TYPE_CHECKING:
    from lightning.pytorch.callbacks import Callback
    from lightning.pytorch.loggers import Logger
else:  # the package that the program uses: their classes are not the same
    _OLD = "pytorch_lightning" in sys.modules and "lightning.pytorch" not in sys.modules
    _PACKAGE = "pytorch_lightning" if _OLD else "lightning.pytorch"
    Callback = import_module(f"{_PACKAGE}.callbacks").Callback
    Logger = import_module(f"{_PACKAGE}.loggers").Logger


class ClrTuiCallback(Callback):
    """Makes each `fit` a run, which is listed and watched, paused and stopped like any other.

    At each step it logs the learning rate and the loss that `training_step` returns, without
    waiting for the device; what the module logs with `self.log` comes as for other loggers: every
    `log_every_n_steps` steps and at the end of epochs. A stop from the screen sets
    `trainer.should_stop`, so that Lightning ends as after early stopping. New bounds go to a
    scheduler that has `set_bounds`, such as `clr_tui.CLR`. With several processes the first one
    records, and commands are refused.

    Args:
        name: what to call the run; the script's name if it is empty.
        config: settings to show, besides the hyperparameters that the module saves.
    """

    def __init__(self, name: str = "", config: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self._training = TrainingRun(name, config)
        self._logger: _RunLogger | None = None
        self._rates: dict[str, Any] = {}
        self._losses: list[Any] = []
        """Those since the last update; Lightning has divided each by their number."""
        self._updates = 0

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """Starts the run."""
        self._training.begin(dict(pl_module.hparams))
        self._logger = _RunLogger(self._training)
        # Not before: where checkpoints go depends on the loggers there are in `setup`.
        trainer.loggers = [*trainer.loggers, self._logger]
        self._updates, self._losses = trainer.global_step, []

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Lets the screen know that the training takes commands."""
        self._obey(trainer)

    def on_train_batch_start(
        self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int
    ) -> None:
        """Notes the rates: those of the next step are set before this one's loss is known."""
        self._rates = rates_of(trainer.optimizers)

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Logs the step, and carries out commands from the screen."""
        loss = outputs.get("loss") if isinstance(outputs, Mapping) else outputs
        if loss is not None:
            self._losses.append(loss)
        if trainer.global_step > self._updates:
            values = {**self._rates}
            if self._losses:
                values["loss"] = sum(self._losses)
            self._training.log(_step(trainer), values, trainer.current_epoch)
            self._updates, self._losses = trainer.global_step, []
        self._obey(trainer)

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Ends the run as failed."""
        self._training.end(exception)

    def teardown(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """Ends the run."""
        self._training.end()
        trainer.loggers = [logger for logger in trainer.loggers if logger is not self._logger]
        self._logger = None

    def _obey(self, trainer: Any) -> None:
        schedulers = (config.scheduler for config in trainer.lr_scheduler_configs)
        if self._training.is_stopped(schedule_in(schedulers)):
            trainer.should_stop = True


class _RunLogger(Logger):
    """Passes what a module logs on to the run."""

    def __init__(self, training: TrainingRun) -> None:
        super().__init__()
        self._training = training

    @property
    def name(self) -> str:
        """The run's name."""
        return self._training.run.name if self._training.run else ""

    @property
    def version(self) -> str:
        """The run's id."""
        return self._training.run.id if self._training.run else ""

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Logs what the module has logged."""
        self._training.log(step or 0, metrics)

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """Does nothing: a run's settings are known when it starts."""


def _step(trainer: Any) -> int:
    """The number of the update, from 0, as Lightning counts for its loggers."""
    loop = trainer.fit_loop.epoch_loop
    return int(getattr(loop, "_batches_that_stepped", trainer.global_step - 1))
