"""The screen of one trial of a comparison: that of a training, with some keys of its own."""

from __future__ import annotations

from clr_tui.engine.analysis.history import RunHistory, TrialHistory
from clr_tui.engine.log.commands import StopTrial
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.settings.config import Compare, RunConfig
from clr_tui.tui.keys import Mode
from clr_tui.tui.kinds.compare.trial_view import entry_of, trial_config, trial_title
from clr_tui.tui.kinds.train.screen import TrainingScreen
from clr_tui.tui.screens.confirm import ConfirmScreen
from clr_tui.tui.sources import Source
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.names import STOPPING_TRIAL


class TrialScreen(TrainingScreen):
    """A trial, live or recorded.

    Args:
        source: the events of the trial alone.
        config: of the whole comparison.
        run: the comparison's folder, for commands; None for a recording.
        history: of the whole comparison, for the chosen rates.
    """

    noun = "trial"
    pausing = "Pausing the whole comparison after the current step; press space to continue."

    def __init__(
        self,
        source: Source,
        config: RunConfig,
        run: RunDir | None,
        history: RunHistory,
        trial: TrialHistory,
    ) -> None:
        super().__init__(source, trial_config(config, history, trial), run)
        self._trial = trial.trial
        seed = self.config.task.seed
        self._label = entry_of(config.asked(Compare), trial).label
        self.again_title = f"train as {self._label}, seed {seed} of {config.id}"

    def title_words(self) -> str:
        """The trial, its data and its model."""
        return trial_title(self.config, self.history, self._label)

    def _mode(self) -> Mode:
        mode = super()._mode()
        if mode == "unfinished":
            return "ended"  # its run could be resumed, from the run's own screen
        return "trial" if mode == "live" else mode

    def action_cycle_x(self) -> None:
        """Switches to the next x-axis, if there is more than epochs."""
        trial = self.history.trial
        if trial is not None and trial.epochs and not len(trial.step):
            self.say("This trial has neither steps nor seconds: x stays the epoch.")
        else:
            super().action_cycle_x()

    def action_type_bounds(self) -> None:
        """Refuses: trials of one optimizer must differ only in their seed."""
        self.say(
            "The rates of a comparison are fixed: the trials of an optimizer must differ only in "
            "their seed. Press r to open this trial as a training of its own."
        )

    def action_stop(self) -> None:
        """Stops only this trial, after a confirmation."""
        if self.require_live():
            question = f"Stop {self._label}, seed {self.config.task.seed}?"
            self.app.push_screen(ConfirmScreen(plain(question), "stop", STOPPING_TRIAL), self._stop)

    def _stop(self, confirmed: bool | None) -> None:
        if confirmed:
            self.order(StopTrial(trial=self._trial), "Stopping this trial after the current step.")
