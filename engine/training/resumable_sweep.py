"""The resume points of a sweep."""

from __future__ import annotations

from typing import Any, Protocol

from clr_tui.engine.tasks.data_mark import check_data, data_mark
from clr_tui.engine.tasks.task import Task
from clr_tui.engine.training import checkpoint
from clr_tui.engine.training.recorder import Recorder
from clr_tui.engine.training.resume_points import ResumePoints, another_model
from clr_tui.engine.training.trainee import Trainee


class _Watch(Protocol):
    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any]) -> None: ...


class ResumableSweep:
    """Restores a sweep, and saves it as often as is due, and when it is stopped.

    Args:
        watch: what ends the sweep early.
        points: None: nothing is saved or restored.
    """

    def __init__(
        self,
        task: Task,
        trainee: Trainee,
        recorder: Recorder,
        watch: _Watch,
        points: ResumePoints | None,
    ) -> None:
        self.stopping = False
        """Whether the sweep is to end before its next step."""
        self._task = task
        self._trainee = trainee
        self._recorder = recorder
        self._watch = watch
        self._points = points

    def restore(self) -> int:
        """Restores the newest state, and returns the steps done; 0 if there is none.

        Raises:
            UserError: the data or the model is another one now.
        """
        state = self._points.latest() if self._points else None
        if state is None:
            return 0
        check_data(state["data"], self._task)
        with another_model():
            checkpoint.restore(state, self._trainee, None)
            self._recorder.load_state_dict(state["recorder"])
            self._watch.load_state_dict(state["watch"])
        return int(state["step"])

    def save_if_due(self, step: int) -> None:
        """Saves the state after `step` steps if it is time to, or the sweep is stopped here."""
        if self._points is None or step == 0:
            return
        due = self._points.due and not self._points.is_resting
        if not (due or self.stopping):
            return
        self._recorder.flush()
        if self._recorder.end:
            return
        self._points.save(
            checkpoint.capture(self._trainee, None)
            | {
                "step": step,
                "data": data_mark(self._task),
                "recorder": self._recorder.state_dict(),
                "watch": self._watch.state_dict(),
            }
        )

    def end(self, stopped: str | None) -> None:
        """Waits for what is being written; a sweep that was not `stopped` needs it no more."""
        if self._points is None:
            return
        if stopped is None:
            self._points.remove()
        else:
            self._points.close()
