"""What a screen, or `clr-tui stop`, asks of a user's own loop."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.commands import Command, SetBounds, Stop
from clr_tui.engine.log.events import BoundsChanged, CommandRefused, Continued, Event
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.own_loop.processes import rank
from clr_tui.engine.own_loop.warning import warn
from clr_tui.engine.settings.lr_bounds import bounds_mistakes
from clr_tui.engine.training.control import (
    CommandHandlers,
    Control,
    RunRemoved,
    StopFlag,
    stop_reason,
)
from clr_tui.engine.training.stopwatch import Stopwatch
from clr_tui.engine.user_frames import in_one_line


class Schedule(Protocol):
    """What `run.steps` needs of a schedule to give it new bounds; `clr_tui.CLR` is one."""

    def set_bounds(self, *, base_lr: float, max_lr: float) -> object:
        """Moves the rate between these bounds from the next step on."""


class Steering:
    """Takes commands in one thread and carries them out in that of the loop, between steps.

    A loop follows those that it asks for: by iterating over `run.steps`, or by reading
    `run.stopping` or `run.bounds`. Once it has logged something, others are refused with a
    sentence in the log.

    Args:
        folder: the run.
        emit: writes an event.
    """

    def __init__(self, folder: RunDir, emit: Callable[[Event], None]) -> None:
        self.iterates = self.reads_stopping = self.reads_bounds = False
        """What the loop does."""
        self.bounds: tuple[float, float] | None = None
        self._folder = folder
        self._emit = emit
        self._stop = StopFlag()
        self._queue: deque[Command] = deque()
        self._early: list[Command] = []
        """Those that came before the loop, which may or may not follow them."""
        self._control = self._new_control()
        self._stopwatch = Stopwatch()

    @property
    def reason(self) -> str | None:
        """Why the loop should stop; None if it should not."""
        return self._stop.reason

    def take(self, commands: list[Command], logged: bool) -> None:
        """Keeps new commands for the loop, or refuses them; called a few times a second.

        Args:
            commands: the new ones.
            logged: whether the loop has begun.
        """
        early, self._early = self._early, []
        for command in [*early, *commands]:
            refusal = self._refusal(command)
            if not refusal:
                self._accept(command)
            elif logged:
                name = str(command.__struct_config__.tag)
                self._emit(CommandRefused(command=name, reason=refusal))
            else:
                self._early.append(command)

    def _accept(self, command: Command) -> None:
        if isinstance(command, Stop):  # at once: it ends a pause
            self._stop.set(stop_reason(command))
        else:
            self._queue.append(command)

    def obey(self, schedule: Schedule | None, step: int) -> bool:
        """Carries out what was asked for; waits here while the run is paused.

        Args:
            schedule: given new bounds.
            step: the next one.

        Returns:
            Whether the loop should end.
        """
        if self._queue:  # seldom: this is called at every step
            orders = CommandHandlers(
                set_bounds=lambda base_lr, max_lr: self._set_bounds(
                    schedule, step, base_lr, max_lr
                ),
                save_checkpoint=_refuse_checkpoint,
            )
            try:
                self._control.handle_commands(orders, self._stopwatch)
            except RunRemoved as removed:
                warn(str(removed))
                self._control = self._new_control()
            except KeyboardInterrupt:  # at a prompt, the loop may be started again
                self._control = self._new_control()
                self._emit(Continued())
                raise
        return self._stop.reason is not None

    def close(self) -> None:
        """No command is taken any more."""
        self._stop.close()

    def _new_control(self) -> Control:
        return Control(self._queued, self._stop, self._emit, self._raise_if_removed)

    def _queued(self) -> list[Command]:
        return [self._queue.popleft() for _ in range(len(self._queue))]

    def _raise_if_removed(self) -> None:
        if not self._folder.path.exists():
            raise RunRemoved(
                f"the folder of {self._folder.id} was removed while it was paused: it goes on"
            )

    def _refusal(self, command: Command) -> str:
        if rank().of > 1:
            return f"this run trains in {rank().of} processes, which would not act at the same step"
        if self.iterates or (isinstance(command, Stop) and self.reads_stopping):
            return ""
        if isinstance(command, SetBounds) and self.reads_bounds:
            return ""
        return "this loop takes no commands: it does not go through run.steps(loader)"

    def _set_bounds(
        self, schedule: Schedule | None, step: int, base_lr: float, max_lr: float
    ) -> None:
        for mistake in bounds_mistakes(base_lr, max_lr):
            raise mistake
        if schedule is None and not self.reads_bounds:
            raise UserError(
                "this loop has no bounds to move: give run.steps a schedule that has set_bounds, "
                "or read run.bounds"
            )
        if schedule is not None:
            try:
                schedule.set_bounds(base_lr=base_lr, max_lr=max_lr)
            except Exception as error:  # a command must not end a training
                raise UserError(in_one_line(error)) from error
        self.bounds = (base_lr, max_lr)
        self._emit(BoundsChanged(trial=0, step=step, base_lr=base_lr, max_lr=max_lr))


def _refuse_checkpoint() -> None:
    raise UserError("this loop saves its own checkpoints")
