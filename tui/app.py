"""The application: screens, themes, signals, and starting work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import SystemCommand
from textual.binding import BindingType
from textual.filter import LineFilter
from textual.screen import ModalScreen

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.rundir import RunDir
from clr_tui.tui.hangup import watch_terminal
from clr_tui.tui.keys import HasKeys, keys_for
from clr_tui.tui.kinds.registry import KINDS
from clr_tui.tui.messages import Loaded, LoadFailed, RunStarted, StartFailed
from clr_tui.tui.safe_text import OnlyText
from clr_tui.tui.shell import Shell
from clr_tui.tui.sources import LiveSource, ReplaySource
from clr_tui.tui.text.clean import plain
from clr_tui.tui.textual_internals import error_of, silence_traceback
from clr_tui.tui.themes import THEMES, set_up_themes, without_greys

if TYPE_CHECKING:
    from textual.screen import Screen

    from clr_tui.engine.analysis.recordings.recording import Recording
    from clr_tui.engine.settings.config import Job, RunConfig, TaskConfig
    from clr_tui.tui.sources import Source

ONLY_TEXT = OnlyText()


class ClrTuiApp(Shell):
    """clr-tui on a screen.

    Args:
        runs: the folder of runs.
        load: finds what to show first, a run or a log to replay. Called in a thread once there
            is a first frame; what it raises ends the app and is its `failure`.
        open_run: a run to show in the first frame.
        recording: a log to replay from the first frame on.
        start: starts a run: `start(runs, task, job, parent)`; `launching.start_run` if None.
        clock: a monotonic clock, seconds; replays go by it.
        wall: Unix time, seconds; ages are told by it.
        start_speed: the replay's speed; `math.inf` shows its end.
        start_at: where the replay begins, 0 to 1.

    Attributes:
        return_message: what to print once the terminal is restored: which work goes on.
    """

    TITLE = "clr-tui"
    # Textual does not load the CSS_PATH of the default screen: its style is the app's.
    CSS_PATH: ClassVar[Any] = ["app.tcss", "screens/home.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(
        self,
        runs: Path,
        *,
        load: Callable[[], RunDir | Recording] | None = None,
        open_run: RunDir | None = None,
        recording: Recording | None = None,
        start: Callable[..., RunDir] | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        start_speed: float = 1.0,
        start_at: float = 0.0,
    ) -> None:
        super().__init__()
        self.runs = runs
        self.clock = clock
        self.wall = wall
        self.return_message: str | None = None
        self._load = load
        self._first = (open_run, recording)
        self._load_error: Exception | None = None
        self._start = start
        self._replay_from = (start_speed, start_at)
        silence_traceback(self)
        set_up_themes(self)

    def get_default_screen(self) -> Screen[None]:
        """The runs, which are under every other screen; or the first frame before them."""
        if self._load is not None:
            from clr_tui.tui.screens.opening import OpeningScreen

            work = partial(self._find_first, self._load)
            return OpeningScreen(partial(self.run_worker, work, thread=True, exit_on_error=False))
        from clr_tui.tui.screens.home import HomeScreen

        return HomeScreen(self.runs)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's own, no greys under NO_COLOR, and one that lets nothing but text through."""
        return [*without_greys(super().get_line_filters()), ONLY_TEXT]

    def on_mount(self) -> None:
        """Watches the terminal and shows what was asked for."""
        if not self.is_headless:
            watch_terminal(self._leave_on_signal)
        run, recording = self._first
        if run is not None:
            self.open_run(run)
        elif recording is not None:
            self.open_recording(recording)

    def _find_first(self, load: Callable[[], RunDir | Recording]) -> None:
        """In a thread: the charts alone take as long to load as all else up to the first frame."""
        from clr_tui.tui.screens import home  # noqa: F401 - the event loop must not wait

        try:
            found = load()
            config = found.config() if isinstance(found, RunDir) else found.config
            KINDS[config.kind].load_screen()  # here, so that the event loop need not wait for it
        except Exception as error:  # noqa: BLE001 - raised again by whoever ran the app
            self.post_message(LoadFailed(error))
        else:
            self.post_message(Loaded(found))

    def on_load_failed(self, message: LoadFailed) -> None:
        """Leaves; whoever ran the app says why."""
        self._load_error = message.error
        self.exit()

    def on_loaded(self, message: Loaded) -> None:
        """Shows what was asked for, over the runs."""
        from clr_tui.tui.screens.home import HomeScreen

        # A mode of its own: Textual cannot exchange the screen at the bottom of a stack.
        self.add_mode("runs", partial(HomeScreen, self.runs))
        self.switch_mode("runs")  # not waited for, so that the runs below paint no frame
        if isinstance(message.found, RunDir):
            self.open_run(message.found)
        else:
            self.open_recording(message.found)

    def open_run(self, run: RunDir) -> None:
        """Shows `run`, living or not, on the screen that its kind has."""
        try:
            config = run.config()
        except UserError as error:
            self.tell(error.message, severity="error")
            return
        self._show(LiveSource(run), config, run)

    def open_recording(self, recording: Recording) -> None:
        """Replays a log."""
        speed, at = self._replay_from
        source = ReplaySource(recording.batch, self.clock, speed=speed, at=at)
        self._show(source, recording.config, None)

    def _show(self, source: Source, config: RunConfig, run: RunDir | None) -> None:
        screen: Screen[None] = KINDS[config.kind].load_screen()(source, config, run)
        self.push_screen(screen)

    def launch(
        self,
        task: TaskConfig,
        job: Job,
        parent: str | None = None,
        on_error: Callable[[UserError], None] | None = None,
    ) -> None:
        """Starts a run in a thread, then shows it; a mistake goes to `on_error`, else a toast.

        The screen that asked for it stays beneath, unless it is the form.
        """
        # A dialog that asked on behalf of its screen may still be closing.
        asker = next(s for s in reversed(self.screen_stack) if not isinstance(s, ModalScreen))
        work = partial(self._launch, task, job, parent, on_error, asker)
        self.run_worker(work, group="launch", exclusive=True, thread=True, exit_on_error=False)

    def _launch(
        self,
        task: TaskConfig,
        job: Job,
        parent: str | None,
        on_error: Callable[[UserError], None] | None,
        asker: Screen[Any],
    ) -> None:
        from clr_tui.tui.launching import start_run

        try:
            run = (self._start or start_run)(self.runs, task, job, parent)
        except UserError as error:
            self.post_message(StartFailed(error, on_error, asker))
        else:
            self.post_message(RunStarted(run, asker))

    def on_start_failed(self, message: StartFailed) -> None:
        """Says why nothing was started, where it was asked for or, if that was left, anywhere."""
        if message.on_error is not None and message.asked_by in self.screen_stack:
            message.on_error(message.error)
        else:
            self.tell(message.error.message, severity="error")

    def on_run_started(self, message: RunStarted) -> None:
        """Shows the run that has been started."""
        from clr_tui.tui.screens.home import HomeScreen
        from clr_tui.tui.screens.new_run import NewRunScreen

        if self.screen is message.asked_by and isinstance(self.screen, NewRunScreen):
            self.pop_screen()
        home = self.screen_stack[0]
        if isinstance(home, HomeScreen):
            home.go_to(message.run.id)
        self.open_run(message.run)

    def new_run(
        self,
        task: TaskConfig | None = None,
        job: Job | None = None,
        parent: str | None = None,
        error: UserError | None = None,
        title: str = "",
    ) -> None:
        """Opens the form, filled from a run's settings ("run again") where they are given."""
        from clr_tui.tui.screens.new_run import NewRunScreen

        self.push_screen(NewRunScreen(task, job, parent=parent, error=error, title=title))

    def tell(self, message: str, severity: Any = "information") -> None:
        """A toast of plain text."""
        self.notify(plain(message), severity=severity, markup=False, timeout=6)

    def action_help(self) -> None:
        """Shows the keys of the screen in front."""
        from clr_tui.tui.screens.help import HelpScreen

        screen = self.screen
        if isinstance(screen, HasKeys):
            self.push_screen(HelpScreen(screen.key_screen, screen.key_mode, self.runs))

    def action_leave(self) -> None:
        """Leaves; living runs go on."""
        self.leave()

    async def action_quit(self) -> None:
        """Leaves: Textual's own name for it, which its ctrl+q uses."""
        self.leave()

    def action_help_quit(self) -> None:
        """ctrl+c copies in a field; elsewhere people expect to leave by it."""
        self.tell("q leaves (ctrl+q from within a form). Running work goes on.")

    def leave(self, status: int = 0) -> None:
        """Ends the screen; living runs go on, and `return_message` says so."""
        self.return_message = _what_goes_on(self.runs)
        self.exit(return_code=status)

    @property
    def failure(self) -> Exception | None:
        """What ended the app: a mistake in it, or that there is nothing to show."""
        return error_of(self) or self._load_error

    def _leave_on_signal(self, status: int) -> None:
        self.leave(status)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The palette: every key of the screen, and the themes."""
        if isinstance(screen, HasKeys):
            for key in keys_for(screen.key_screen, screen.key_mode):
                for bind in key.binds:
                    run = partial(screen.run_action, bind.action)
                    yield SystemCommand(bind.title, f"{key.shown}  {key.help}", run)
        for name, (_, title) in THEMES.items():
            yield SystemCommand(f"Theme: {title}", "changes the colours", partial(self._use, name))

    def _use(self, theme: str) -> None:
        self.theme = theme


def _what_goes_on(runs: Path) -> str | None:
    """Which runs are alive, newest first, and how to see them again."""
    from clr_tui.engine.log.lock import is_held
    from clr_tui.engine.log.rundir import list_runs
    from clr_tui.engine.log.runs_folder import runs_dir

    try:
        living = [run.id for run in list_runs(runs) if is_held(run.lock_path)]
    except UserError:
        return None  # a folder that cannot be read holds no work that could be shown again
    if not living:
        return None
    where = "" if runs == runs_dir() else f" --runs-dir {runs}"
    others = {0: "", 1: " and 1 other run"}.get(len(living) - 1, f" and {len(living) - 1} others")
    verb = "goes" if len(living) == 1 else "go"
    return f"{living[0]}{others} {verb} on; `clr-tui attach {living[0]}{where}` shows it again"
