"""The local pool of processes that run the trials of a comparison."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path

from clr_tui.engine.child import Child
from clr_tui.engine.comparing.executor import Order, TrialEvent, TrialLost, TrialWork
from clr_tui.engine.comparing.protocol import (
    OutOfMemory,
    Setup,
    TrialOrder,
    decode_report,
    encode,
)
from clr_tui.engine.log.commands import Stop
from clr_tui.engine.log.events import AnyEvent, Diverged, TrialFinished
from clr_tui.engine.log.last_words import OF_A_TRIAL, end_in_output
from clr_tui.engine.oom_kills import oom_kills
from clr_tui.engine.settings.config import RunConfig

_MAX_PACKETS_PER_READ = 64
"""Events taken from one process before turning to the others."""
_EXIT_SECONDS = 5.0
"""How long a process may take to end before it is killed."""
STOP_SECONDS = 30.0
"""How long a trial may take to stop before its process is killed: it may be in the middle of a
batch, or hang. A stopped trial keeps nothing, so nothing is lost."""


@dataclass
class _Process:
    popen: subprocess.Popen[bytes]
    connection: Connection
    device: str
    trial: int | None = None
    """The one that it runs."""
    stop_deadline: float | None = None
    """When it is killed if its trial has not stopped as ordered, by `time.monotonic`."""
    diverged: bool = False
    oom_kills: int | None = None
    """When it started: see `engine.oom_kills`."""
    unacknowledged: TrialWork | None = None
    """Work sent to an idle process that has not replied, nor been sent an order since. If the
    process is dead, it died before it started, and the work can be given to another."""


class Pool:
    """Processes that each run one trial at a time, and live as long as the pool.

    Importing torch and reading the data takes seconds, so it is done once per process, not once per
    trial. Processes are started when needed; one that dies loses its trial and is replaced. The
    process of a failed trial is replaced too, unless its loss diverged: what went wrong (such as an
    accelerator in an error state, or fragmented memory) must not affect the next trial.

    Args:
        devices: as torch names them. Processes are spread over them evenly; one that is there
            several times takes as many.
        jobs: processes at a time.
        threads: of each on the CPU.
        precision: in which all trials compute, on whatever device.
        folder: the run's, for what trials can be continued from.
        data: the mark of the data, which every process must find; empty: whatever it is.
        sources: the files of a user's own task, by path, to be loaded as they were at the start.
    """

    def __init__(
        self,
        config: RunConfig,
        *,
        devices: Sequence[str],
        jobs: int,
        threads: int,
        folder: Path,
        precision: str = "float32",
        data: str = "",
        sources: Mapping[str, bytes] | None = None,
    ) -> None:
        self._config = config
        self._devices = list(devices)
        self.jobs = jobs
        self._threads = threads
        self._folder = folder
        self._data = data
        self._precision = precision
        self._sources = dict(sources or {})
        self._processes: list[_Process] = []
        self._leaving: list[subprocess.Popen[bytes]] = []
        self._to_resubmit: list[TrialWork] = []
        """Work that was given to dead processes."""

    @property
    def pids(self) -> dict[int, int]:
        """The process id of each running trial."""
        return {p.trial: p.popen.pid for p in self._processes if p.trial is not None}

    def submit(self, work: TrialWork) -> None:
        """Starts a trial in an idle process, or in a new one if none is idle."""
        for process in [p for p in self._processes if p.trial is None]:
            if self._send(process, work):
                process.trial = work.trial
                process.unacknowledged = work
                return
            self._disconnect(process)  # it died while idle
        assert len(self._processes) < self.jobs, "every process has its trial"
        process = self._start()
        process.trial = work.trial
        self._send(process, work)

    def limit(self, jobs: int) -> None:
        """Runs at most so many trials at a time, and ends idle processes beyond that."""
        self.jobs = jobs
        idle = [process for process in self._processes if process.trial is None]
        for process in idle[: max(0, len(self._processes) - jobs)]:
            self._disconnect(process)

    def poll(self, seconds: float) -> list[TrialEvent]:
        """Events since the last call; waits up to `seconds` for the first."""
        self._leaving = [popen for popen in self._leaving if popen.poll() is None]
        self._kill_unresponsive()
        ready = wait([p.connection for p in self._processes], seconds)
        events: list[TrialEvent] = []
        for process in [p for p in self._processes if p.connection in ready]:
            events += self._listen(process)
        while self._to_resubmit:
            self.submit(self._to_resubmit.pop(0))
        return events

    def order(self, trial: int, order: Order) -> None:
        """Sends a command to a trial; does nothing if the trial has ended."""
        for process in self._processes:
            if process.trial == trial:
                process.unacknowledged = None
                if isinstance(order, Stop) and process.stop_deadline is None:
                    process.stop_deadline = time.monotonic() + STOP_SECONDS
                self._send(process, TrialOrder(trial=trial, order=order))

    def close(self) -> None:
        """Ends all processes at once."""
        for process in list(self._processes):
            self._disconnect(process)
        for popen in self._leaving:
            _wait_or_kill(popen)
        self._leaving.clear()

    def _start(self) -> _Process:
        used = [p.device for p in self._processes]
        device = min(self._devices, key=lambda name: used.count(name) / self._devices.count(name))
        # Read when torch loads: setting the number later would leave extra threads.
        env = {"OMP_NUM_THREADS": str(self._threads), "PYTHONUNBUFFERED": "1"}
        child = Child("clr_tui.engine.comparing.trial_process", env)
        process = _Process(child.process, child.connection, device, oom_kills=oom_kills())
        self._processes.append(process)
        setup = Setup(
            config=self._config,
            device=device,
            threads=self._threads,
            precision=self._precision,
            folder=str(self._folder),
            data=self._data,
            sources=self._sources,
        )
        self._send(process, setup)
        return process

    def _kill_unresponsive(self) -> None:
        """Kills those past their time to stop; the next poll reports their trials as lost."""
        for process in self._processes:
            if process.stop_deadline is not None and time.monotonic() > process.stop_deadline:
                process.popen.kill()

    def _send(self, process: _Process, message: Setup | TrialWork | TrialOrder) -> bool:
        try:
            process.connection.send_bytes(encode(message))
        except OSError:
            return False  # the process is gone, as `poll` will notice
        return True

    def _listen(self, process: _Process) -> list[TrialEvent]:
        events: list[TrialEvent] = []
        try:
            for _ in range(_MAX_PACKETS_PER_READ):
                if not process.connection.poll():
                    break
                report = decode_report(process.connection.recv_bytes())
                process.unacknowledged = None
                if process.trial is not None:
                    events.append(TrialEvent(process.trial, _event_of(report)))
                process.diverged = process.diverged or isinstance(report, Diverged)
                if isinstance(report, TrialFinished | OutOfMemory):
                    sound = isinstance(report, TrialFinished) and (
                        report.outcome != "failed" or process.diverged
                    )
                    process.trial, process.stop_deadline, process.diverged = None, None, False
                    if not sound:
                        self._disconnect(process)
                        break
        except (EOFError, OSError):
            self._processes.remove(process)
            process.connection.close()
            lost = _lost(_wait_or_kill(process.popen), process.oom_kills)
            if process.trial is not None:  # below what the process itself has said
                print(f"trial {process.trial}: {lost.reason}", file=sys.stderr, flush=True)
            if process.unacknowledged is not None:
                self._to_resubmit.append(process.unacknowledged)
            elif process.trial is not None:
                events.append(TrialEvent(process.trial, lost))
        return events

    def _disconnect(self, process: _Process) -> None:
        """Closes the stream, which ends the process; it is reaped later."""
        self._processes.remove(process)
        process.connection.close()
        self._leaving.append(process.popen)


def _wait_or_kill(popen: subprocess.Popen[bytes]) -> int:
    for _ in range(2):
        try:
            return popen.wait(_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            popen.kill()
    return -signal.SIGKILL  # it hangs beyond the reach of signals: in a driver, on a lost disk


def _event_of(report: AnyEvent | OutOfMemory) -> AnyEvent | TrialLost:
    if isinstance(report, OutOfMemory):
        return TrialLost(report.end.reason, "memory", report.end.traceback)
    return report


_FROM_OUTSIDE = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL}


def _lost(code: int, oom_kills_before: int | None) -> TrialLost:
    """What became of the trial of a process that ended with this code."""
    if code >= 0:
        return TrialLost(f"its process ended by itself (exit code {code}): worker.log may say why")
    if -code == signal.SIGKILL:
        return _killed(oom_kills_before)
    known = {s.value: s.name for s in signal.Signals}
    name = known.get(-code, f"signal {-code}")  # most real-time signals have no name
    if -code in _FROM_OUTSIDE:
        return TrialLost(f"{OF_A_TRIAL} {name}", "killed")
    return TrialLost(f"{OF_A_TRIAL} {name}{_line_of(name)}: worker.log may say why")


def _line_of(name: str) -> str:
    """The user's line in which a signal ended a process, by what it has written to our output."""
    said = end_in_output(Path("/proc/self/fd/2"))
    return said.partition(name)[2]


def _killed(oom_kills_before: int | None) -> TrialLost:
    now = oom_kills()
    if now is None or oom_kills_before is None:  # better fewer at a time than lost again
        return TrialLost("its process was killed (SIGKILL): out of memory, or by hand", "memory")
    if now > oom_kills_before:
        return TrialLost("the system killed its process (SIGKILL) as memory ran out", "memory")
    return TrialLost("its process was killed (SIGKILL)", "killed")
