"""Scheduling a comparison: runs the trials of its entries on an executor and logs their events."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from clr_tui.engine.analysis.comparison.seed_curves import planned_epochs
from clr_tui.engine.comparing.entry_rates import RateSearch, known_rate, training_at
from clr_tui.engine.comparing.executor import Executor, Order, TrialEvent, TrialLost, TrialWork
from clr_tui.engine.comparing.halving import Halving
from clr_tui.engine.comparing.lost_trials import LostTrials
from clr_tui.engine.comparing.past_trials import PastTrials
from clr_tui.engine.comparing.seeds_in_time import Remaining, SeedsInTime
from clr_tui.engine.comparing.time_left import Pace
from clr_tui.engine.comparing.trial_counts import TrialCounts
from clr_tui.engine.errors import UserError
from clr_tui.engine.log.commands import (
    Command,
    Continue,
    Pause,
    SaveCheckpoint,
    SetBounds,
    Stop,
    StopTrial,
)
from clr_tui.engine.log.events import (
    AnyEvent,
    CommandRefused,
    Continued,
    EntryEnded,
    Event,
    Note,
    Outcome,
    Paused,
    PoolReady,
    RateChosen,
    Resumed,
    Role,
    Steps,
    TimePlanned,
    TrialFinished,
    TrialInterrupted,
    TrialStarted,
)
from clr_tui.engine.policies import phase, shape_of, shortfall, step_size_steps
from clr_tui.engine.settings.config import Compare, EntryConfig, RunConfig
from clr_tui.engine.settings.rate_grid import as_asked, on_grid
from clr_tui.engine.training.control import Control, stop_reason
from clr_tui.engine.training.session import Result

POLL_SECONDS = 0.2
"""How often to check for commands while trials send no events."""
OVERALL_SECONDS = 1.0
TIME_IS_UP = "the time was up before it started"


@dataclass(frozen=True)
class CompareContext:
    """What a comparison needs."""

    config: RunConfig
    executor: Executor
    pool: PoolReady
    """How the executor runs trials."""
    emit: Callable[[Event], object]
    control: Control
    steps_per_epoch: int
    sweep_steps: int
    """Length of each range test that tunes a rate."""
    default_rate: Callable[[EntryConfig], float]
    """See `engine.comparing.entry_rates`."""
    metric: str
    """The name of the primary one."""
    halving: Halving | None = None
    """Says which rates of a grid to end early, if that was asked for."""
    past: PastTrials | None = None
    """What earlier workers did, if the run is resumed."""
    forget: Callable[[int], object] = lambda trial: None
    """Called with each trial that ended for good: nothing will continue it."""
    clock: Callable[[], float] = time.perf_counter


@dataclass(frozen=True)
class _Planned:
    trial: int
    """See `Compare.trial_number`."""
    entry: int
    seed: int
    role: Role
    steps: int


@dataclass
class _RunningTrial:
    planned: _Planned
    steps: int = 0
    """Done."""
    started: bool = False
    """Whether it has reported its start."""
    alone: bool = True
    """Whether no other trial has run since it was submitted."""
    paused: bool = False
    stopping: str | None = None
    """Why it was ordered to stop."""
    with_run: bool = False
    """Whether that was only because the run was stopped."""


def run_comparison(context: CompareContext, config: Compare) -> Result:
    """Runs all trials, then closes the executor. An error in one trial ends only that one."""
    try:
        return Comparison(context, config).run()
    finally:
        context.executor.close()


class Comparison:
    """The waiting and running trials of a comparison, and the results of the others."""

    def __init__(self, context: CompareContext, config: Compare) -> None:
        self._context = context
        self._config = config
        self._emit = context.emit
        self._executor = context.executor
        self._epochs = planned_epochs(config)
        self._steps = self._epochs * context.steps_per_epoch
        self._half_cycle = step_size_steps(config.step_size_epochs, context.steps_per_epoch)
        # All entries with one seed come before the next seed: early results cover every entry.
        self._seeds = config.seeds
        if config.time is not None:  # no more, until it is known how many fit, than run at once
            at_once = math.ceil(context.executor.jobs / max(len(config.entries), 1))
            self._seeds = min(at_once, config.most_seeds)
        self._waiting = [one for i in range(self._seeds) for one in self._trainings(i)]
        self._counts = TrialCounts(len(self._waiting), self._steps)
        self._running: dict[int, _RunningTrial] = {}
        self._rates: dict[int, RateChosen] = {}
        self._searches: dict[int, RateSearch] = {}
        self._stopping: str | None = None
        self._pausing = False
        self._paused = False
        """Whether the pause is logged, as every running trial has paused."""
        self._pace = Pace(context.clock)
        self._time = self._time_to_spend()
        """None if the number of seeds is given."""
        self._begun = config.seeds if self._time is None else 1
        """Seeds that take part whatever the time: with a time, those of which a trial began."""
        self._lost = LostTrials()
        self._again: dict[int, int] = {}
        """Trials that were begun before, and the steps that the log has of each."""
        self._given_up: dict[int, tuple[Outcome, str]] = {}
        """Entries of which no more trials start: what becomes of these, and why."""
        self._overall_at = -math.inf
        self._news = True
        """Whether a trial began or ended since the last `overall`."""

    def run(self) -> Result:
        """Runs to the end of the last trial."""
        self._note_phases()
        if self._context.past is not None:
            self._take_up(self._context.past)
        self._log_time()
        self._set_known_rates()
        self._plan_seeds()
        while self._waiting or self._running:
            self._handle_commands()
            self._start_ready_trials()
            for event in self._executor.poll(POLL_SECONDS):
                self._handle_event(event)
            self._plan_seeds()
            self._emit_overall()
        self._emit_overall()
        self._log_time()
        if self._stopping is not None:
            return Result("stopped", self._stopping)
        return self._counts.result()

    def _take_up(self, past: PastTrials) -> None:
        """Takes over from the last worker: what has ended stays, the rest is to be done."""
        self._again = past.unfinished
        self._rates = dict(past.history.rates)
        self._take_up_seeds(past)
        for planned in list(self._waiting):
            if (end := past.end_of(planned.trial)) is not None:
                self._waiting.remove(planned)
                self._counts.count(end)
        for ended in past.history.ended_early.values():
            self._end_rate(ended)
        if self._context.halving is not None:
            for ended in past.replay(self._context.halving, self._config):
                self._emit(ended)
                self._end_rate(ended)

    def _take_up_seeds(self, past: PastTrials) -> None:
        """With a time to spend: as many seeds as were planned, and the pace as it was measured."""
        if self._time is None:
            return
        spent = self._context.control.spent
        spent.set_to(past.spent + spent.elapsed)
        trainings = [t for t in past.history.trials.values() if t.role == "train"]
        begun = [self._config.entry_and_seed(t.trial)[1] + 1 for t in trainings]
        self._begun = max(begun, default=1)
        planned = past.history.time.seeds if past.history.time is not None else 1
        self._set_seeds(max(planned, self._begun))
        measured = [t for t in trainings if len(t) and t.seconds[-1] > 0]
        for trial in measured:
            self._pace.add_past(len(trial), float(trial.seconds[-1]))
        if measured:
            self._time.resume(max(map(len, measured)) / self._steps)

    def _trainings(self, seed: int) -> list[_Planned]:
        """The trainings with a seed, counted from 0."""
        first, number = self._context.config.task.seed, self._config.trial_number
        return [
            _Planned(number(entry, seed), entry, first + seed, "train", self._steps)
            for entry in range(len(self._config.entries))
        ]

    def _time_to_spend(self) -> SeedsInTime | None:
        if self._config.time is None:
            return None
        spent, jobs = self._context.control.spent, self._executor.jobs
        return SeedsInTime(self._config, self._steps, jobs, spent, self._pace)

    def _log_time(self) -> None:
        if self._time is not None:
            time = self._time
            self._emit(TimePlanned(seconds=time.seconds, used=time.used, seeds=self._seeds))

    def _plan_seeds(self) -> None:
        """Decides anew how many seeds there will be, once it is known how long a training takes."""
        if self._time is None or self._stopping is not None or not self._time.plan_due():
            return
        begun = [p for p in self._waiting if p.role == "sweep" or self._seed_of(p) < self._begun]
        left = Remaining(
            seeds=self._begun,
            running=[r.planned.steps - r.steps for r in self._running.values()],
            waiting=[p.steps for p in begun],
            entries=len(self._config.entries) - len(self._given_up),
        )
        if text := self._time.warning(left):
            self._emit(Note(level="warning", text=text))
        self._set_seeds(self._time.seeds(left))

    def _set_seeds(self, seeds: int) -> None:
        """Plans so many seeds; those that were begun stay."""
        if seeds == self._seeds:
            return
        self._waiting = [p for p in self._waiting if p.role == "sweep" or self._seed_of(p) < seeds]
        self._waiting += [one for i in range(self._seeds, seeds) for one in self._trainings(i)]
        self._seeds = seeds
        self._counts.total = len(self._config.entries) * seeds
        self._news = True
        self._log_time()

    def _note_phases(self) -> None:
        """Warns once per optimizer, as `Training` does for a single training."""
        half = self._half_cycle
        for entry in as_asked(self._config).entries:
            end = phase(entry.policy, self._steps, step_size=half, total_steps=self._steps)
            if not end.whole:
                metric = self._context.metric
                text = f"{entry.label} ends {end.words}: its last {metric} is not final"
                self._emit(Note(level="warning", text=text))

    def _set_known_rates(self) -> None:
        """Logs known rates, and queues a sweep for each other entry, before all trainings."""
        sweeps: list[_Planned] = []
        seed = self._context.config.task.seed
        for entry in range(len(self._config.entries)):
            if entry in self._rates:
                continue  # an earlier worker has chosen it
            try:
                rate = known_rate(entry, self._config, self._context.default_rate)
            except UserError as error:
                self._give_up(entry, error.message)
                continue
            if rate is None:
                trial = self._config.sweep_number(entry)
                sweeps.append(_Planned(trial, entry, seed, "sweep", self._context.sweep_steps))
                self._searches[entry] = RateSearch(self._context.config, self._config, entry, trial)
                if self._take_up_sweep(entry, trial):  # a whole one
                    sweeps.pop()
            else:
                self._set_rate(rate)
        self._waiting[:0] = sweeps

    def _take_up_sweep(self, entry: int, trial: int) -> bool:
        """Takes what an earlier worker did of a sweep; if that was all, finds the rate.

        Returns:
            Whether it was.
        """
        past = self._context.past
        if past is None or trial not in past.history.trials:
            return False
        self._searches[entry].take_past(past.history.trials[trial])
        if (end := past.end_of(trial)) is None:
            return False
        self._find_rate(entry, end)
        return True

    def _find_rate(self, entry: int, end: TrialFinished) -> None:
        """Sets the rate of an entry after its sweep has ended."""
        try:
            self._set_rate(self._searches[entry].rate(end, self._context.default_rate))
        except UserError as error:
            self._give_up(entry, error.message)

    def _set_rate(self, rate: RateChosen) -> None:
        self._rates[rate.entry] = rate
        self._emit(rate)
        entry = self._config.entries[rate.entry]
        text = shortfall(
            entry.policy,
            base_lr=rate.lr if rate.base_lr is None else rate.base_lr,
            max_lr=rate.lr,
            step_size=self._half_cycle,
            total_steps=self._steps,
            **shape_of(self._config),
        )
        groups = [group.entries for group in on_grid(self._config) if rate.entry in group.entries]
        if text and all(rate.entry == entries[0] for entries in groups):  # once for a grid
            more = ", and so at the other rates of the grid" if groups else ""
            self._emit(Note(level="warning", text=f"{entry.label}: {text}{more}"))

    def _give_up(self, entry: int, reason: str) -> None:
        """Fails all trials of an entry for which there is no rate."""
        self._given_up[entry] = "failed", reason
        self._end_given_up()

    def _end_given_up(self) -> None:
        if len(self._given_up) == len(self._config.entries):
            self._set_seeds(self._begun)  # no further seed could begin
        for planned in [p for p in self._waiting if p.entry in self._given_up]:
            if self._seed_of(planned) < self._begun:
                self._end_unstarted(planned, *self._given_up[planned.entry])

    def _seed_of(self, planned: _Planned) -> int:
        return planned.seed - self._context.config.task.seed

    def _begin(self, planned: _Planned) -> None:
        """Takes note that a trial begins, or ends unstarted: its seed now takes part."""
        if planned.role == "train" and self._seed_of(planned) >= self._begun:
            self._begun = self._seed_of(planned) + 1
            self._end_given_up()

    def _start_ready_trials(self) -> None:
        if self._time is not None and self._time.is_up:
            self._set_seeds(self._begun)
            trainings = [p for p in self._waiting if p.role == "train"]
            for late in [p for p in trainings if p.trial not in self._again]:
                self._end_unstarted(late, "stopped", TIME_IS_UP)
        while not self._pausing and len(self._running) < self._executor.jobs:
            planned = next((p for p in self._waiting if self._is_ready(p)), None)
            if planned is None:
                return
            self._waiting.remove(planned)
            steps = self._again.get(planned.trial, 0)
            self._running[planned.trial] = _RunningTrial(planned, steps)
            if len(self._running) > 1:
                for running in self._running.values():
                    running.alone = False
            self._begin(planned)
            if self._time is not None:
                self._time.submit(planned.trial)
            self._executor.submit(self._work_for(planned))

    def _is_ready(self, planned: _Planned) -> bool:
        known = planned.entry in self._rates and planned.entry not in self._given_up
        return known or planned.role == "sweep"

    def _work_for(self, planned: _Planned) -> TrialWork:
        tuning = self._searches[planned.entry] if planned.role == "sweep" else None
        return TrialWork(
            trial=planned.trial,
            seed=planned.seed,
            entry=planned.entry,
            label=self._config.entries[planned.entry].label,
            sweep=tuning.sweep if tuning else None,
            train=None
            if tuning
            else training_at(self._rates[planned.entry], self._config, self._epochs),
            logged=self._again.get(planned.trial),
        )

    def _handle_event(self, trial_event: TrialEvent) -> None:
        running = self._running.get(trial_event.trial)
        if running is None:
            return  # it was stopped without waiting for its end
        self._pace.pass_time(self._active_trials)
        match trial_event.event:
            case Paused():
                running.paused = True
            case Continued():
                running.paused = False
            case TrialLost() as lost:
                self._handle_lost(running, lost)
            case event:
                self._forward(running, event)
        self._report_pause_once_all_are_paused()

    def _handle_lost(self, running: _RunningTrial, lost: TrialLost) -> None:
        # A signal that stops the run may also reach its processes, even before the worker.
        self._handle_commands()
        trial = running.planned.trial
        if trial not in self._running:
            return  # ended by that
        if running.stopping is not None:
            self._end(running, "stopped", running.stopping)
            return
        if lost.cause == "memory":
            self._run_fewer()
        if self._lost.add(trial, lost, alone=running.alone):
            self._run_again(running, lost.reason)
        else:
            self._end(running, "failed", self._lost.reason(trial, lost), lost.traceback)

    def _run_fewer(self) -> None:
        """Runs no more trials at a time than are left after one ran out of memory."""
        before, jobs = self._executor.jobs, max(len(self._running) - 1, 1)
        if jobs < before:
            self._executor.limit(jobs)
            if self._time is not None:
                self._time.jobs = jobs
            reason = f"memory ran out with {len(self._running)}"
            self._emit(replace(self._context.pool, jobs=jobs, reason=reason))

    def _run_again(self, running: _RunningTrial, reason: str) -> None:
        """Puts a trial that was lost before those that wait."""
        planned, trial = running.planned, running.planned.trial
        del self._running[trial]
        self._waiting.insert(0, planned)
        self._again[trial] = running.steps
        if running.started:
            self._emit(TrialInterrupted(trial=trial, reason=reason))
        label = self._config.entries[planned.entry].label
        again = f"the trial is run again (try {self._lost.next_try(trial)})"
        text = f"{label}, seed {planned.seed}: {reason}; {again}"
        self._emit(Note(level="warning", text=text))
        self._news = True
        self._end_given_up()

    def _end(
        self,
        running: _RunningTrial,
        outcome: Outcome,
        reason: str,
        traceback: Sequence[str] = (),
    ) -> None:
        """Ends a trial that does not report its own end."""
        end = TrialFinished(
            trial=running.planned.trial,
            outcome=outcome,
            step=running.steps,
            reason=reason,
            traceback=list(traceback),
        )
        self._forward(running, end)

    def _forward(self, running: _RunningTrial, event: AnyEvent) -> None:
        if isinstance(event, TrialFinished) and event.outcome == "stopped":
            event = replace(event, with_run=running.with_run)
        self._emit_of_trial(running.planned, event)
        if isinstance(event, Steps):
            running.steps += len(event.step)
            self._pace.add(len(event.step))
            if self._time is not None and running.planned.role == "train":
                self._time.watch(running.steps / running.planned.steps)
        elif isinstance(event, TrialStarted | Resumed):
            running.steps = event.step if isinstance(event, Resumed) else 0
            running.started = self._news = True
            if self._time is not None:
                self._time.begin(running.planned.trial, running.planned.role)
        elif isinstance(event, TrialFinished):
            del self._running[running.planned.trial]
            self._count(running.planned, event)
        if not isinstance(event, TrialFinished):
            self._end_rates(running.planned, event)

    def _emit_of_trial(self, planned: _Planned, event: AnyEvent) -> None:
        """Logs an event of a trial, which may be what finds a rate."""
        self._emit(event)
        if planned.role == "sweep":
            self._searches[planned.entry].observe(event)

    def _end_rates(self, planned: _Planned, event: AnyEvent) -> None:
        """Ends the rates of a grid that cannot be the best after an event of a training."""
        halving = self._context.halving
        over = self._stopping is not None or (self._time is not None and self._time.is_up)
        if halving is None or planned.role != "train" or over:
            return
        for ended in halving.observe(planned.entry, planned.seed, event):
            self._emit(ended)
            self._end_rate(ended)

    def _end_rate(self, ended: EntryEnded) -> None:
        """Starts no more trials at a rate, and stops those that run."""
        reason = f"its rate was ended early: {ended.reason[0].lower()}{ended.reason[1:]}"
        self._given_up[ended.entry] = "stopped", reason
        self._end_given_up()
        for running in [r for r in self._running.values() if r.planned.entry == ended.entry]:
            if running.steps < running.planned.steps:  # else it is about to end anyway
                self._stop(running, Stop(reason=reason))

    def _count(self, planned: _Planned, end: TrialFinished) -> None:
        """Handles the end of a trial, however it ended."""
        self._news = True
        if planned.role == "train":
            if self._time is not None:
                self._time.end_training()
            self._counts.count(end)
            self._end_rates(planned, end)
        elif self._stopping is None:
            self._find_rate(planned.entry, end)
        if not end.with_run:
            self._context.forget(planned.trial)

    def _end_unstarted(
        self, planned: _Planned, outcome: Outcome, reason: str, *, with_run: bool = False
    ) -> None:
        self._waiting.remove(planned)
        self._begin(planned)
        end = TrialFinished(
            trial=planned.trial,
            outcome=outcome,
            step=self._again.get(planned.trial, 0),
            reason=reason,
            with_run=with_run,
        )
        self._emit(end)
        self._count(planned, end)

    def _handle_commands(self) -> None:
        commands, stop = self._context.control.take_commands()
        if stop is not None:
            self._stop_all(stop)
        for command in commands:
            try:
                self._execute(command)
            except UserError as error:
                name = str(command.__struct_config__.tag)
                self._emit(CommandRefused(command=name, reason=error.message))

    def _execute(self, command: Command) -> None:
        match command:
            case Stop():
                self._stop_all(stop_reason(command))
            case StopTrial():
                self._stop_trial(command.trial)
            case Pause() if not self._pausing:
                self._pausing = True
                self._context.control.spent.pause()
                self._send_to_all(Pause())
                self._report_pause_once_all_are_paused()
            case Continue() if self._pausing:
                self._pace.pass_time(self._active_trials)
                self._pausing = False
                self._context.control.spent.go_on()
                self._send_to_all(Continue())
                if self._paused:
                    self._paused = False
                    self._emit(Continued())
            case SetBounds():
                raise UserError("the rates of a comparison cannot be changed")
            case SaveCheckpoint():
                raise UserError("a comparison saves no checkpoints")
            case _:
                pass  # already paused, or already running

    def _stop_all(self, reason: str) -> None:
        if self._stopping is not None:
            return
        self._stopping = reason
        self._set_seeds(self._begun)
        for planned in list(self._waiting):
            self._end_unstarted(planned, "stopped", reason, with_run=True)
        for running in list(self._running.values()):
            running.with_run = running.stopping is None
            if running.started:
                self._stop(running, Stop(reason=reason))
            else:  # its process is still loading, which takes seconds: do not wait for it
                self._end(running, "stopped", reason)

    def _stop_trial(self, trial: int) -> None:
        order = Stop()
        waiting = next((p for p in self._waiting if p.trial == trial), None)
        if waiting is not None:
            self._end_unstarted(waiting, "stopped", stop_reason(order))
        elif trial in self._running:
            self._stop(self._running[trial], order)
        elif 0 <= trial < self._counts.total or self._is_sweep(trial):
            raise UserError(f"trial {trial} has already ended")
        else:
            raise UserError(f"no trial {trial}: there are 0 to {self._counts.total - 1}")

    def _is_sweep(self, trial: int) -> bool:
        return any(trial == self._config.sweep_number(entry) for entry in self._searches)

    def _stop(self, running: _RunningTrial, order: Stop) -> None:
        running.stopping = stop_reason(order)
        self._executor.order(running.planned.trial, order)

    def _send_to_all(self, order: Order) -> None:
        for trial in self._running:
            self._executor.order(trial, order)

    def _report_pause_once_all_are_paused(self) -> None:
        held = all(running.paused for running in self._running.values())
        if self._pausing and not self._paused and held:
            self._paused = True
            self._emit(Paused())

    @property
    def _active_trials(self) -> int:
        return 0 if self._pausing else sum(r.started for r in self._running.values())

    def _emit_overall(self) -> None:
        """Logs the overall progress: after trials begin or end, and once per second."""
        self._pace.pass_time(self._active_trials)
        now = self._context.clock()
        due = now - self._overall_at >= OVERALL_SECONDS and self._active_trials
        if not self._news and not due:
            return
        self._news, self._overall_at = False, now
        trainings = [r for r in self._running.values() if r.planned.role == "train"]
        left = self._pace.left(
            (r.planned.steps - r.steps for r in self._running.values()),
            (p.steps for p in self._waiting if p.entry not in self._given_up),
            self._executor.jobs,
        )
        started = sum(r.started for r in trainings)
        overall = self._counts.overall(started, sum(r.steps for r in trainings), left)
        if self._time is not None:
            overall = replace(overall, fraction=self._time.fraction(left))
        self._emit(overall)
