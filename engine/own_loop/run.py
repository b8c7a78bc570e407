"""A run of a user's own training loop."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Generic, TypeVar

from clr_tui.engine.log.commands import Command
from clr_tui.engine.log.events import Outcome, RunFinished, RunStarted
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.own_loop import open_runs
from clr_tui.engine.own_loop.loop_log import LoopLog
from clr_tui.engine.own_loop.rows import Row
from clr_tui.engine.own_loop.steering import Schedule, Steering
from clr_tui.engine.own_loop.values import OnDevice, taken
from clr_tui.engine.own_loop.warning import warn
from clr_tui.engine.user_frames import in_one_line, text_of, user_frame, user_traceback

B = TypeVar("B")
_MAX_STEP = 2**63 - 1


class Run:
    """A run of your own training loop; `clr_tui.start` makes it.

    Use it in a `with` block, or call `finish` at the end. The workers of a DataLoader, other forked
    processes, and ranks other than the first have a run that records nothing.
    """

    def __init__(self, name: str, folder: RunDir | None = None) -> None:
        """Raises UserError if the folder's log cannot be written."""
        self.name = name
        self.id = "" if folder is None else folder.id
        """What `clr-tui attach` and others call it; empty if nothing is recorded."""
        self._next_step = 0
        self._warned: set[str] = set()
        self._loop_log: LoopLog | None = None
        self._steering: Steering | None = None
        self._append: Callable[[Row], object] = deque[Row](maxlen=0).append
        if folder is not None:
            self._loop_log = LoopLog(folder, self._warn, self._take_commands)
            self._steering = Steering(folder, self._loop_log.emit)
            self._append = self._loop_log.rows.append
            open_runs.add(self)

    def log(self, /, step: int | None = None, **metrics: Any) -> None:
        """Logs values of a step: `run.log(lr=0.1, loss=loss, accuracy=0.5)`.

        A call costs about a microsecond and does not wait: a tensor on a GPU is read later, with
        the value that it has now. Values are written within half a second.

        Args:
            step: counts from 0; one more than the last if it is left out.
            metrics: numbers, tensors with one element, anything that `float` takes. What is no
                number is left out, with a warning.
        """
        if step is None:
            step = self._next_step
        elif type(step) is not int or not 0 <= step < _MAX_STEP:
            step = self._whole(step)
        self._next_step = step + 1
        for name, value in metrics.items():
            if type(value) is not float:
                metrics[name] = self._taken(name, value)
        self._append((step, time.time(), metrics))

    def steps(self, loader: Iterable[B], schedule: Schedule | None = None) -> Steps[B]:
        """The batches of a loader, for a loop that can be paused and stopped from a screen.

        After each batch the loop waits if the run is paused, and ends if it is stopped: see
        `stopping`.

        Args:
            loader: anything that can be iterated over.
            schedule: given new bounds by its method `set_bounds(base_lr=..., max_lr=...)`, which
                `clr_tui.CLR` has.
        """
        if self._steering is not None:
            self._steering.iterates = True
        return Steps(self, loader, schedule)

    @property
    def stopping(self) -> bool:
        """Whether the run was asked to stop. `steps` has no more batches then: end your epochs."""
        if self._steering is None:
            return False
        self._steering.reads_stopping = True
        return self._steering.reason is not None

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The bounds that were last set from a screen, (base_lr, max_lr); None if none were."""
        if self._steering is None:
            return None
        self._steering.reads_bounds = True
        return self._steering.bounds

    def finish(self, message: str = "") -> None:
        """Ends the run, as stopped if it was asked to stop, else as done; once is enough.

        Args:
            message: a sentence on how it ended, for the log.
        """
        reason = None if self._steering is None else self._steering.reason
        self._end("done" if reason is None else "stopped", message or reason or "")

    def fail(self, error: BaseException) -> None:
        """Ends the run as failed, or as stopped after Ctrl-C. A `with` block calls it by itself."""
        if isinstance(error, KeyboardInterrupt):
            self._end("stopped", "interrupted by Ctrl-C")
            return
        if isinstance(error, SystemExit):
            if not error.code:
                self.finish("the program called sys.exit()")
                return
            cause = error.__context__
            if cause is not None and not error.__suppress_context__:
                error = cause
        if isinstance(error, SystemExit):
            sentence = f"the program called sys.exit({error.code!r})"
        else:
            sentence = in_one_line(error)
        where = user_frame(error)
        self._end("failed", f"{sentence} ({where})" if where else sentence, user_traceback(error))

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _: TracebackType | None,
    ) -> None:
        if error is None:
            self.finish()
        else:
            self.fail(error)

    def __reduce__(self) -> tuple[type[Run], tuple[str]]:
        """A copy, such as for a process of a DataLoader, records nothing."""
        return Run, (self.name,)

    def __repr__(self) -> str:
        return f"<clr_tui.Run {self.id or f'{self.name} (not recorded)'}>"

    # For this package.

    def begin(self, started: RunStarted) -> None:
        """Writes the first event, and from then on what is logged."""
        if self._loop_log is not None:
            self._loop_log.start(started)

    def obey(self, schedule: Schedule | None) -> bool:
        """Carries out commands between two steps; returns whether the loop should end."""
        if self._steering is None:
            return False
        self._steering.iterates = True
        return self._steering.obey(schedule, self._next_step)

    def hold(self, seconds: float) -> bool:
        """Keeps new writes from starting; whether the one under way ended within `seconds`."""
        return self._loop_log is not None and self._loop_log.lock.acquire(timeout=seconds)

    def release(self) -> None:
        """Ends `hold`."""
        if self._loop_log is not None:
            self._loop_log.lock.release()

    def forget(self) -> None:
        """Makes this a run that records nothing, in a forked process."""
        if self._loop_log is not None and self._steering is not None:
            self._loop_log.forget()
            self._steering.close()
        self._loop_log = self._steering = None
        self._append = deque[Row](maxlen=0).append

    def _end(self, outcome: Outcome, message: str, lines: list[str] | None = None) -> None:
        open_runs.discard(self)
        loop_log, self._loop_log = self._loop_log, None
        if loop_log is None or self._steering is None:
            return
        self._append = self._too_late
        end = RunFinished(outcome=outcome, message=message, traceback=lines or [])
        if not loop_log.close(end):
            warn(f"the end of {self.id} could not be written")
        self._steering.close()
        self._steering = None

    def _take_commands(self, commands: list[Command]) -> None:
        if (steering := self._steering) is not None:
            steering.take(commands, logged=self._next_step > 0)

    def _taken(self, name: str, value: object) -> float | OnDevice | None:
        try:
            return taken(value)
        except Exception as error:  # noqa: BLE001 - no value may end a training
            self._warn(f"'{name}' is left out where it is not a number: {text_of(error)}", name)
            return None

    def _whole(self, step: Any) -> int:
        """A step that is not simply an int."""
        with suppress(Exception):  # as for values, whatever it is
            number = taken(step)
            if isinstance(number, float) and number.is_integer() and 0 <= number < _MAX_STEP:
                return int(number)
        if isinstance(step, Mapping):
            self._warn("values are given by name: run.log(loss=loss), run.log(**values)", "step")
        else:
            self._warn("a step that is no whole number is counted on from the last one", "step")
        return self._next_step

    def _too_late(self, _row: Row) -> None:
        self._warn("run.log() after run.finish() is not recorded", "late")

    def _warn(self, sentence: str, kind: str = "") -> None:
        """Warns once of each kind; always if there is none."""
        if kind not in self._warned:
            self._warned |= {kind} - {""}
            warn(f"{self.id or self.name}: {sentence}")


class Steps(Generic[B]):
    """The batches of a loader, with its length."""

    def __init__(self, run: Run, loader: Iterable[B], schedule: Schedule | None) -> None:
        self._run = run
        self._loader = loader
        self._schedule = schedule

    def __iter__(self) -> Iterator[B]:
        if self._run.obey(self._schedule):
            return
        for batch in self._loader:
            yield batch
            if self._run.obey(self._schedule):
                return

    def __len__(self) -> int:
        """That of the loader; raises TypeError if it has none."""
        return len(self._loader)  # type: ignore[arg-type]
