"""One training at the rates of a policy: the loop and its events."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from clr_tui.engine.errors import UserError, describe_error
from clr_tui.engine.log.events import (
    BoundsChanged,
    Diverged,
    EpochFinished,
    Evaluated,
    Note,
    Outcome,
    Resumed,
    TrialFinished,
)
from clr_tui.engine.policies import phase, shape_of, shortfall, step_size_steps, whole_cycle_epochs
from clr_tui.engine.settings.config import Train
from clr_tui.engine.tasks.data_mark import check_data, data_mark
from clr_tui.engine.tasks.model_state import keep_model
from clr_tui.engine.training import checkpoint
from clr_tui.engine.training.control import CommandHandlers, Interrupted, Stopped
from clr_tui.engine.training.evaluate import evaluate
from clr_tui.engine.training.evaluated_weights import evaluated_weights
from clr_tui.engine.training.fitting_batch import saying_what_fits
from clr_tui.engine.training.keepers import DiskKeeper, MemoryKeeper, Reason
from clr_tui.engine.training.not_finite import source_of_not_finite
from clr_tui.engine.training.optimizers.adapted_rate import adapted_rate
from clr_tui.engine.training.optimizers.rates import rate_now
from clr_tui.engine.training.recorder import EarlyStop, finite, on_host, values
from clr_tui.engine.training.resume_points import Continuation, another_model
from clr_tui.engine.training.schedules import PolicyRate, PolicyScheduler, make_scheduler
from clr_tui.engine.training.session import Result, Session, Trial, TrialWork
from clr_tui.engine.training.torch_schedules import TorchSchedule
from clr_tui.engine.user_frames import user_traceback
from clr_tui.engine.words import listed, lr_str


def run_training_job(work: TrialWork) -> Result:
    """Runs the training of a run, or continues it."""
    past = work.past.trials.get(0) if work.past else None
    session = work.session()
    config = (work.past.config if work.past else work.config).asked(Train)  # perhaps extended
    bounds = past.bounds if past else ()
    with saying_what_fits(session, config.optimizer, config.max_lr):
        logged = past.steps_logged if past else None
        return run_training(session, config, logged=logged, bounds=bounds)


def run_training(
    session: Session,
    config: Train,
    *,
    logged: int | None = None,
    bounds: Sequence[BoundsChanged] = (),
) -> Result:
    """Trains, validates after each epoch, and tests the last and the best model at the end.

    Writes `checkpoints/last.pt` after each epoch and when stopped, and `checkpoints/best.pt` after
    each epoch that is the best so far on the validation part.

    Args:
        logged: see `Continuation`, like `bounds`.
    """
    trial = Trial(number=0, seed=session.config.task.seed, label=config.policy)
    keeper = DiskKeeper(session.folder, session.emit, session.task.device)
    points = session.resume_points(trial, at_most=logged)
    continuation = Continuation(points, logged, bounds)
    return Training(session, config, trial, keeper, continuation).run()


class _LossNotFinite(Exception):  # noqa: N818 - the run fails, the program does not
    """The loss is not finite; its argument is the recorder's `EarlyStop`."""


class Training:
    """One training from its first step to the test of its last and its best weights.

    With a `continuation` it goes on from its newest resume point, if there is one, and makes others
    at the end of each epoch, and within an epoch as often as the settings say. On the CPU all that
    follows is then the same, bit for bit, as if it had never been interrupted.

    Raises:
        Stopped: the run was stopped while features of frozen layers were computed.
    """

    def __init__(
        self,
        session: Session,
        config: Train,
        trial: Trial,
        keeper: DiskKeeper | MemoryKeeper,
        continuation: Continuation | None = None,
    ) -> None:
        self._session = session
        self._emit = session.emit
        self._control = session.control
        self._trial = trial
        self._keeper = keeper
        self._continuation = continuation
        self._points = continuation.points if continuation else None
        self._data_mark = data_mark(session.task) if continuation else ""
        self._between_steps = True
        """False if a step was not finished."""
        self._again: list[BoundsChanged] = []
        """Changes of bounds that earlier workers were asked for at steps to come."""
        session.task.check_validation()
        self.trainee = session.trainee(
            config.optimizer, trial.seed, session.task.validation, lr=config.max_lr
        )
        self._per_epoch = self.trainee.steps_per_epoch
        self._epochs = config.epochs
        if config.whole_cycles:
            self._epochs = whole_cycle_epochs(config.policy, config.epochs, config.step_size_epochs)
        self._total = self._epochs * self._per_epoch
        self.rate = PolicyRate(
            config.policy,
            base_lr=config.base_lr,
            max_lr=config.max_lr,
            step_size=step_size_steps(config.step_size_epochs, self._per_epoch),
            total_steps=self._total,
            **shape_of(config),
        )
        self._primary = session.task.primary
        self.scheduler = self._make_scheduler(config)
        self._step = 0
        self._epoch = 0
        self._best_epoch = 0
        self._best_value: float | None = None
        self._recorder = session.recorder(trial, self._total, watch=_not_finite, means=True)
        self._stopwatch = self._recorder.stopwatch
        self._epoch_began = self._stopwatch.elapsed
        self._orders = CommandHandlers(
            set_bounds=self._change_bounds,
            save_checkpoint=self._save_on_request,
            before_pause=self._recorder.flush,
        )

    def _make_scheduler(self, config: Train) -> PolicyScheduler | TorchSchedule:
        optimizer = self.trainee.optimizer
        if not config.scheduler:
            return make_scheduler(optimizer, self.rate, config.min_momentum)
        return TorchSchedule(
            optimizer,
            config,
            epochs=self._epochs,
            per_epoch=self._per_epoch,
            metric=self._primary,
        )

    def run(self) -> Result:
        """Trains to the end, to a stop, or until the loss is not finite.

        Raises:
            UserError: the training cannot be continued.
        """
        self._begin()
        self.trainee.model.train()
        try:
            while self._epoch < self._epochs:
                self._run_epoch()
            self._test()
            self._keeper.settle(self._control.is_stopping)
        except Stopped as stop:
            return self._stopped(stop)
        except _LossNotFinite as diverged:
            return self._emit_diverged(diverged.args[0])
        except BaseException as error:
            self._save_after(error)
            raise
        self._finish("done")
        if self._points:
            self._points.remove()
        return Result("done", headline=self._headline())

    def _begin(self) -> None:
        logged = self._continuation.logged if self._continuation else None
        state = self._points.latest() if self._points else None
        if state is None and logged is not None:
            state = self._keeper.last()
            if state is not None and state["step"] > logged:
                state = None
        if state is not None:
            self._restore(state)
            return
        if logged is not None:
            if self._trial.entry is None:  # else the table of trials shows it
                text = "there is no checkpoint yet: the training begins again from its first step"
                self._emit(Note(level="info", text=text))
            self._emit(Resumed(trial=self._trial.number, step=0))
        self._emit_start()

    def _restore(self, state: dict[str, Any]) -> None:
        check_data(state["data"], self._session.task)
        with another_model():
            checkpoint.restore(state, self.trainee, self.scheduler)
            self._keeper.load_state_dict(state.get("best", {}))
            self._recorder.load_state_dict(state["recorder"])
        self._step, self._epoch = state["step"], state["epoch"]
        self._best_epoch, self._best_value = state["best_epoch"], state["best_value"]
        self._epoch_began = state["epoch_began"]
        self.rate.total_steps = self._total  # the training may have been extended
        bounds = self._continuation.bounds if self._continuation else ()
        self._again = [change for change in bounds if change.step >= max(self._step, 1)]
        total = self._total if self._total != state["total"] else None
        self._emit(Resumed(trial=self._trial.number, step=self._step, total_steps=total))

    def _emit_start(self) -> None:
        self._emit(self._trial.started(self._total, self.trainee))
        self._emit_bounds()
        rate = self.rate
        end = phase(rate.policy, self._total, step_size=rate.step_size, total_steps=self._total)
        if not end.whole and self._trial.entry is None:  # a comparison warns once per entry
            text = f"the training ends {end.words}: its last {self._primary.name} is not final"
            self._emit(Note(level="warning", text=text))
        if self._trial.entry is None and (text := shortfall(**vars(rate))):
            self._emit(Note(level="warning", text=text))

    def _run_epoch(self) -> None:
        """Runs an epoch, or the rest of it."""
        while self._step < (self._epoch + 1) * self._per_epoch:
            self._handle_commands()
            if self._points and self._points.due and not self._points.is_resting:
                self._save_point()
            self._run_step()
        self._recorder.flush()
        self._raise_if_not_finite()
        with evaluated_weights(self.trainee):
            self._finish_epoch()
        self._recorder.exclude_since_flush()
        if self._points and not self._points.is_resting:
            self._save_point()

    def _save_point(self) -> None:
        """Saves what the training can be resumed from; from its first step it can be anyway."""
        if self._points is None or self._step == 0:
            return
        self._recorder.flush()
        self._raise_if_not_finite()
        self._points.save(self._state() | {"best": self._keeper.state_dict()})

    def _finish_epoch(self) -> None:
        """Measures and keeps the weights of the epoch that ends."""
        is_best = self._validate(self._epoch + 1)
        self._epoch += 1
        train_loss, train_metrics = self._recorder.epoch_means()
        self._emit(
            EpochFinished(
                trial=self._trial.number,
                epoch=self._epoch,
                step=self._step,
                train_loss=train_loss,
                train_metrics=train_metrics,
                seconds=self._stopwatch.elapsed - self._epoch_began,
                best_epoch=self._best_epoch,
                best_value=self._best_value,
            )
        )
        self._epoch_began = self._stopwatch.elapsed
        if is_best:
            self._keep("best")
        self._keep("last", final=self._epoch == self._epochs)

    def _handle_commands(self) -> None:
        while self._again and self._again[0].step <= self._step:
            change = self._again.pop(0)
            self._change_bounds(change.base_lr, change.max_lr)
        reason = self._control.handle_commands(self._orders, self._stopwatch)
        self._raise_if_not_finite()
        if reason is not None:
            raise Stopped(reason)

    def _run_step(self) -> None:
        lr = rate_now(self.trainee.optimizer)
        self._between_steps = False
        loss, metrics = self.trainee.step()
        self.scheduler.step()
        self._recorder.add(self._step, lr, loss, metrics, adapted_rate(self.trainee.optimizer))
        self._step += 1
        self._between_steps = True
        self._raise_if_not_finite()

    def _raise_if_not_finite(self) -> None:
        if self._recorder.end:
            raise _LossNotFinite(self._recorder.end)

    def _validate(self, epoch: int) -> bool:
        """Measures on the validation part; returns whether this is the best epoch so far."""
        event = self._measure("validation", epoch)
        value = event.value(self._primary.name)
        self.scheduler.end_epoch(value)
        if value is None or event.loss is None:
            return False
        is_best = self._primary.is_better(value, self._best_value)
        if is_best:
            self._best_value, self._best_epoch = value, epoch
        return is_best

    def _test(self) -> None:
        """Measures on the test part, with the last model and with that of the best epoch."""
        if not len(self._session.task.test):
            return
        with evaluated_weights(self.trainee):
            last = self._measure("test", self._epoch, of="last")
        if self._best_epoch == self._epoch:
            self._emit(msgspec.structs.replace(last, checkpoint="best"))
        elif self._best_epoch:
            self._test_best()

    def _test_best(self) -> None:
        """Measures the weights of the best epoch; if they are lost, the training is done anyway."""
        try:
            best = self._keeper.best(self._best_epoch)
        except UserError as error:
            text = (
                f"{error.message}: the model of epoch {self._best_epoch}, the best, is not tested"
            )
            self._emit(Note(level="warning", text=text))
            return
        # Not in a copy of the model: not every model can be copied.
        put_back = keep_model(self.trainee.model)
        try:
            self.trainee.model.load_state_dict(best)
            self._measure("test", self._best_epoch, of="best")
        finally:  # it must stay the same as in `last.pt`
            put_back()

    def _measure(
        self,
        part: Literal["validation", "test"],
        epoch: int,
        of: str | None = None,
    ) -> Evaluated:
        """Measures the model as it was after `epoch`, and logs it."""
        task = self._session.task
        samples = task.validation if part == "validation" else task.test
        loss, metrics = evaluate(self.trainee, samples, self._control.raise_if_stopped)
        names = [metric.name for metric in task.metrics]
        event = Evaluated(
            trial=self._trial.number,
            step=epoch * self._per_epoch,
            part=part,
            loss=finite(float(loss)),
            metrics=values(names, on_host(metrics)),
            epoch=epoch,
            checkpoint=of,
        )
        self._emit(event)
        return event

    def _change_bounds(self, base_lr: float, max_lr: float) -> None:
        self.scheduler.set_bounds(base_lr=base_lr, max_lr=max_lr)
        self._recorder.flush()
        self._emit_bounds()

    def _emit_bounds(self) -> None:
        self._emit(
            BoundsChanged(
                trial=self._trial.number,
                step=self._step,
                base_lr=self.rate.base_lr,
                max_lr=self.rate.max_lr,
            )
        )

    def _save_on_request(self) -> None:
        self._recorder.flush()
        if self._recorder.end:
            raise UserError("the loss is not finite: there is nothing to save")
        with evaluated_weights(self.trainee):
            self._keep("asked")

    def _keep(self, reason: Reason, *, final: bool = False) -> None:
        self._keeper.keep(reason, self.trainee.model, self._state, final=final)

    def _state(self) -> dict[str, Any]:
        """The content of a checkpoint."""
        state = checkpoint.capture(self.trainee, self.scheduler)
        if state["left_out"]:
            # Without the places in lists: each parameter has its own.
            names = listed(sorted({re.sub(r"\.\d+|\[\d+\]", "", one) for one in state["left_out"]}))
            text = f"checkpoints lack {names}: only tensors and plain values can be kept"
            self._emit(Note(level="warning", text=text))
        return state | {
            "config": msgspec.to_builtins(self._session.config),
            "trial": self._trial.number,
            "step": self._step,
            "epoch": self._epoch,
            "best_epoch": self._best_epoch,
            "best_value": self._best_value,
            "total": self._total,
            "epoch_began": self._epoch_began,
            "recorder": self._recorder.state_dict(),
            "data": self._data_mark,
        }

    def _stopped(self, stop: Stopped) -> Result:
        reason = str(stop)
        self._recorder.flush()
        if self._recorder.end:  # found only now: on an accelerator losses come in chunks
            return self._emit_diverged(self._recorder.end)
        if not isinstance(stop, Interrupted):
            if self._between_steps:
                self._save_point()
            with evaluated_weights(self.trainee):
                self._keep("stopped")
        self._keeper.settle(self._control.is_stopping)
        if self._points:
            self._points.close()
        self._finish("stopped", reason)
        return Result("stopped", reason, headline=self._headline())

    def _save_after(self, error: BaseException) -> None:
        """Writes what can still be written: the disk may be full, or the device out of order."""
        message = error.message if isinstance(error, UserError) else describe_error(error)[0]
        with contextlib.suppress(Exception):
            self._recorder.flush()
        if not self._recorder.end:
            with contextlib.suppress(Exception):
                self._keep("stopped")
        with contextlib.suppress(Exception):
            if self._points:
                self._points.close()
        with contextlib.suppress(Exception):
            self._finish("failed", message, user_traceback(error))

    def _emit_diverged(self, end: EarlyStop) -> Result:
        source = source_of_not_finite(self._session.task, self._trial.seed, end.step)
        reason = f"the loss is not finite at step {end.step}: {source}" if source else end.reason
        self._emit(Diverged(trial=self._trial.number, step=end.step, lr=end.lr, reason=reason))
        self._keeper.settle(self._control.is_stopping)
        self._finish("failed", reason)
        if self._points:
            self._points.remove()  # it would only happen again
        return Result("failed", reason, headline=self._headline())

    def _finish(self, outcome: Outcome, reason: str = "", lines: Sequence[str] = ()) -> None:
        self._emit(
            TrialFinished(
                trial=self._trial.number,
                outcome=outcome,
                step=self._recorder.steps,
                reason=reason,
                traceback=list(lines),
            )
        )

    def _headline(self) -> str:
        if self._best_value is None:
            return ""
        return f"{self._primary.text(self._best_value)}, epoch {self._best_epoch}"


def _not_finite(step: int, lr: float, loss: float) -> str | None:
    if math.isfinite(loss):
        return None
    if step == 0:
        return (
            "the loss is not finite at step 0, before any update: "
            "check the data and weights for values that are not finite"
        )
    return (
        f"the loss is not finite at step {step}, learning rate {lr_str(lr)}: "
        "try a lower max_lr (a range test shows how far it can go), and check the data"
    )
