"""The application: screens, themes, signals, and starting runs."""

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
from clr_tui.tui.alerts import Alerts
from clr_tui.tui.hangup import watch_terminal
from clr_tui.tui.keys import HasKeys, keys_for
from clr_tui.tui.kinds.registry import KINDS, load_screen_together
from clr_tui.tui.messages import LaunchFailed, Loaded, LoadFailed, RunLaunched
from clr_tui.tui.safe_text import SafeTextFilter
from clr_tui.tui.shell import Shell
from clr_tui.tui.sources import LiveSource, ReplaySource
from clr_tui.tui.terminal_notes import teller
from clr_tui.tui.text.clean import plain
from clr_tui.tui.textual_internals import (
    error_of,
    forget_cells,
    install_lean_updates,
    silence_traceback,
    write_to_terminal,
)
from clr_tui.tui.themes import THEMES, set_up_themes, without_greys
from clr_tui.tui.views_file import ViewsFile

if TYPE_CHECKING:
    from textual.screen import Screen

    from clr_tui.engine.analysis.recordings.recorded import Recording
    from clr_tui.engine.settings.config import Job, RunConfig, TaskConfig
    from clr_tui.tui.sources import NamedSource, Source

    Found = RunDir | Recording | Sequence[NamedSource]

SAFE_TEXT_FILTER = SafeTextFilter()


class ClrTuiApp(Shell):
    """The Textual application.

    Args:
        runs: the folder of runs.
        load: finds the run or log to show first. Called in a thread after the first frame; an
            exception ends the app and becomes its `failure`.
        open_run: a run to show in the first frame.
        recording: a log to replay from the first frame.
        start: starts a run: `start(runs, task, job, parent)`; `launching.start_run` if None.
        clock: a monotonic clock for replays, seconds.
        wall: Unix time for ages, seconds.
        notify: ways to tell what happens to runs: see `terminal_notes`.
        start_speed: the replay's speed; `math.inf` shows its end.
        start_at: where the replay starts, 0 to 1.
        here: the folder whose logs of other tools the list of runs offers; None: none.
        views: the file that remembers how each log was viewed; None: nothing is remembered.

    Attributes:
        return_message: names the live runs; printed once the terminal is restored.
    """

    TITLE = "clr-tui"
    # Textual does not load the CSS_PATH of the default screen, so the app includes it.
    CSS_PATH: ClassVar[Any] = ["app.tcss", "screens/home.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(
        self,
        runs: Path,
        *,
        load: Callable[[], Found] | None = None,
        open_run: RunDir | None = None,
        recording: Recording | None = None,
        start: Callable[..., RunDir] | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        notify: Sequence[str] = (),
        start_speed: float = 1.0,
        start_at: float = 0.0,
        here: Path | None = None,
        views: Path | None = None,
    ) -> None:
        super().__init__()
        self._here = here
        self.views = ViewsFile(views)
        self.runs = runs
        self.clock = clock
        self.wall = wall
        self.alerts = Alerts(teller(notify, partial(write_to_terminal, self))) if notify else None
        self.return_message: str | None = None
        self._load = load
        self._first = (open_run, recording)
        self._load_error: Exception | None = None
        self._start = start
        self._replay_from = (start_speed, start_at)
        silence_traceback(self)
        install_lean_updates()
        set_up_themes(self)

    def get_default_screen(self) -> Screen[None]:
        """Returns the list of runs, which is below all other screens, or the opening screen."""
        if self._load is not None:
            from clr_tui.tui.screens.opening_screen import OpeningScreen

            work = partial(self._load_first, self._load)
            return OpeningScreen(partial(self.run_worker, work, thread=True, exit_on_error=False))
        from clr_tui.tui.screens.home import HomeScreen

        return HomeScreen(self.runs, self._here)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Adapts Textual's filters to NO_COLOR and adds one that blocks control characters."""
        return [*without_greys(super().get_line_filters()), SAFE_TEXT_FILTER]

    def on_mount(self) -> None:
        """Watches the terminal and opens the first run or recording."""
        if not self.is_headless:
            watch_terminal(self.leave)
        run, recording = self._first
        if run is not None:
            self.open_run(run)
        elif recording is not None:
            self.open_recording(recording)

    def on_resize(self) -> None:
        """Forgets what the terminal shows: after a suspension too, there is a size."""
        forget_cells(self)

    def action_repaint(self) -> None:
        """Paints the whole screen, in case another program wrote on the terminal."""
        forget_cells(self)
        self.screen.refresh(layout=True)

    def _load_first(self, load: Callable[[], Found]) -> None:
        """Runs in a thread: the charts take as long to import as everything before the frame."""
        from clr_tui.tui.screens import home  # noqa: F401 - the event loop must not wait

        try:
            found = load()
            for kind in _kinds_of(found):
                KINDS[kind].load_screen()  # imported here, off the event loop
            load_screen_together()
        except Exception as error:  # noqa: BLE001 - re-raised by the caller of the app
            self.post_message(LoadFailed(error))
        else:
            self.post_message(Loaded(found))

    def on_load_failed(self, message: LoadFailed) -> None:
        """Exits; the caller reports the error."""
        self._load_error = message.error
        self.exit()

    def on_loaded(self, message: Loaded) -> None:
        """Opens what was loaded, over the list of runs."""
        from clr_tui.tui.screens.home import HomeScreen

        # A separate mode: Textual cannot replace the screen at the bottom of a stack.
        self.add_mode("runs", partial(HomeScreen, self.runs, self._here))
        self.switch_mode("runs")  # not awaited, so that the list below does not paint a frame
        if isinstance(message.found, RunDir):
            self.open_run(message.found)
        elif isinstance(message.found, Sequence):
            self.open_together(message.found)
        else:
            self.open_recording(message.found)

    def open_run(self, run: RunDir) -> None:
        """Shows `run`, live or ended, on the screen of its kind."""
        try:
            config = run.config()
        except UserError as error:
            self.toast(error.message, severity="error")
            return
        self._show(LiveSource(run), config, run)

    def open_together(self, runs: Sequence[NamedSource]) -> None:
        """Shows runs of any kinds on one set of charts; a single one on the screen of its kind."""
        if len(runs) == 1:
            source = runs[0].source
            run = source.run if isinstance(source, LiveSource) else None
            self._show(source, runs[0].config, run)
            return
        screen: Screen[None] = load_screen_together()(runs)
        self.push_screen(screen)

    def open_recording(self, recording: Recording) -> None:
        """Replays a log."""
        speed, at = self._replay_from
        folder = recording.path if recording.path.is_dir() else None
        output = RunDir(folder).log_path if folder is not None else None
        source = ReplaySource(
            recording.batch,
            self.clock,
            speed=speed,
            at=at,
            output=output,
            path=recording.path,
        )
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
        """Starts a run in a thread, then shows it; errors go to `on_error`, else to a toast.

        The screen that asked for it stays below, unless it is the form.
        """
        # A dialog of that screen may still be closing.
        asker = next(s for s in reversed(self.screen_stack) if not isinstance(s, ModalScreen))

        def work() -> None:
            from clr_tui.tui.launching import start_run

            try:
                run = (self._start or start_run)(self.runs, task, job, parent)
            except UserError as error:
                self.post_message(LaunchFailed(error, on_error, asker))
            else:
                self.post_message(RunLaunched(run, asker))

        self.run_worker(work, group="launch", exclusive=True, thread=True, exit_on_error=False)

    def on_launch_failed(self, message: LaunchFailed) -> None:
        """Shows the error on the screen that asked for the run, or in a toast if it is closed."""
        if message.on_error is not None and message.asked_by in self.screen_stack:
            message.on_error(message.error)
        else:
            self.toast(message.error.message, severity="error")

    def on_run_launched(self, message: RunLaunched) -> None:
        """Shows the new run."""
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
        """Opens the form, filled with `task` and `job` if given ("run again")."""
        from clr_tui.tui.screens.new_run import NewRunScreen

        self.push_screen(NewRunScreen(task, job, parent=parent, error=error, title=title))

    def toast(self, message: str, severity: Any = "information") -> None:
        """Shows a plain-text toast."""
        self.notify(plain(message), severity=severity, markup=False, timeout=6)

    def action_help(self) -> None:
        """Shows the keys of the current screen."""
        from clr_tui.tui.screens.help import HelpScreen

        screen = self.screen
        if isinstance(screen, HasKeys):
            self.push_screen(
                HelpScreen(screen.key_screen, screen.key_mode, self.runs, screen.key_tool)
            )

    def action_leave(self) -> None:
        """Leaves."""
        self.leave()

    async def action_quit(self) -> None:
        """Leaves; Textual binds ctrl+q to this name."""
        self.leave()

    def action_help_quit(self) -> None:
        """Explains ctrl+c, which copies in a field and which people expect to quit."""
        self.toast("Press q to leave (ctrl+q in a form). Runs continue in the background.")

    def leave(self, status: int = 0) -> None:
        """Exits with `status`; live runs continue, and `return_message` names them."""
        self.return_message = _still_running(self.runs)
        self.exit(return_code=status)

    @property
    def failure(self) -> Exception | None:
        """The error that ended the app: a crash, or nothing to show."""
        return error_of(self) or self._load_error

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Lists the screen's keys and the themes in the command palette."""
        if isinstance(screen, HasKeys):
            for key in keys_for(screen.key_screen, screen.key_mode, screen.key_tool):
                for bind in key.binds:
                    run = partial(screen.run_action, bind.action)
                    yield SystemCommand(bind.title, f"{key.shown}  {key.help}", run)
        for name, (_, title) in THEMES.items():
            use = partial(setattr, self, "theme", name)
            yield SystemCommand(f"Theme: {title}", "change the colours", use)


def _kinds_of(found: Found) -> set[str]:
    """The kinds of run in what was loaded."""
    if isinstance(found, RunDir):
        return {found.config().kind}
    if isinstance(found, Sequence):
        return {one.config.kind for one in found}
    return {found.config.kind}


def _still_running(runs: Path) -> str | None:
    """Names the live runs, newest first, and the command that shows them."""
    from clr_tui.engine.log.rundir import list_runs
    from clr_tui.engine.log.runs_folder import runs_dir

    try:
        living = [run.id for run in list_runs(runs) if run.alive]
    except UserError:
        return None  # nothing in an unreadable folder could be shown
    if not living:
        return None
    where = "" if runs == runs_dir() else f" --runs-dir {runs}"
    others = {0: "", 1: " and 1 other run"}.get(len(living) - 1, f" and {len(living) - 1} others")
    verb = "is" if len(living) == 1 else "are"
    command = f"clr-tui attach {living[0]}{where}"
    return f"{living[0]}{others} {verb} still running; `{command}` shows it again"
