"""Telling the user something outside of what a terminal shows: its bell, a note of the desktop, or
a command.

A desktop note is a control sequence that the terminal turns into a note on the machine where the
user sits, also through SSH. There are two: OSC 9 (iTerm2, kitty, WezTerm, Ghostty) and OSC 777
(rxvt-unicode, foot, VTE). Others ignore both. tmux passes a sequence on if it is wrapped, and if
its option `allow-passthrough` is on; its bell marks the window in any case.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence

from clr_tui.engine.errors import UserError, did_you_mean
from clr_tui.tui.alerts import Alert
from clr_tui.tui.text.clean import plain

BELL, DESKTOP, OSC_9, OSC_777 = "bell", "desktop", "osc9", "osc777"
WAYS = (BELL, DESKTOP, OSC_9, OSC_777)
_TITLE = "clr-tui"
_LIMIT = 200
"""Characters of a note: some terminals drop longer ones."""


def check_way(text: str) -> str:
    """Returns a value of `--notify` if it is a way to tell something: a word of `WAYS`, a command.

    Raises:
        UserError: it is one word that is neither.
    """
    if not text.strip():
        raise UserError(f"--notify is empty; give {', '.join(WAYS)} or a command")
    if text in WAYS or len(text.split()) > 1 or shutil.which(text):
        return text
    hint = did_you_mean(text, WAYS) or f"; give {', '.join(WAYS)} or a command"
    raise UserError(f"--notify '{text}' is no command{hint}")


def teller(
    ways: Sequence[str], write: Callable[[str], object], environment: Mapping[str, str] = os.environ
) -> Callable[[Alert], None]:
    """A function that tells alerts in all these ways.

    Args:
        ways: checked by `check_way`.
        write: writes control sequences to the terminal.
        environment: of the terminal.
    """

    def tell(alert: Alert) -> None:
        for way in ways:
            if way in WAYS:
                write(sequence(way, alert.sentence, environment))
            else:
                run_command(way, alert)

    return tell


def sequence(way: str, sentence: str, environment: Mapping[str, str]) -> str:
    """The control sequence for one of `WAYS`; `sentence` is plain text."""
    term = environment.get("TERM", "")
    if way == BELL or term in ("", "dumb", "linux"):  # the console prints what it does not know
        return "\a"
    text = sentence.replace(";", ",")[:_LIMIT]
    if way == DESKTOP:
        is_777 = term.startswith(("foot", "rxvt")) or "VTE_VERSION" in environment
        way = OSC_777 if is_777 else OSC_9
    code = f"\x1b]777;notify;{_TITLE};{text}\a" if way == OSC_777 else f"\x1b]9;{text}\a"
    if "TMUX" in environment or term.startswith("tmux"):
        doubled = code.replace("\x1b", "\x1b\x1b")
        return f"\x1bPtmux;{doubled}\x1b\\\a"
    if "STY" in environment:
        return f"\x1bP{code}\x1b\\\a"
    return f"{code}\a" if term.startswith("screen") else code


def run_command(command: str, alert: Alert) -> None:
    """Starts a command in a shell, without waiting for it or looking at what it does.

    It finds the sentence in `$CLR_TUI_MESSAGE` and as its first argument, the run in
    `$CLR_TUI_RUN`, and what happened in `$CLR_TUI_EVENT`.
    """
    try:
        process = subprocess.Popen(
            ["/bin/sh", "-c", command, _TITLE, alert.sentence],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={
                **os.environ,
                "CLR_TUI_MESSAGE": alert.sentence,
                "CLR_TUI_RUN": plain(alert.run),  # a NUL ends a variable
                "CLR_TUI_EVENT": alert.what,
            },
        )
    except OSError:  # such as no more processes: there is nobody left to tell
        return
    threading.Thread(target=process.wait, name="notify command", daemon=True).start()


def write_to_terminal(text: str) -> None:
    """Writes to the terminal of a command without a screen: stderr, or else the controlling one."""
    try:
        fd = 2 if os.isatty(2) else os.open("/dev/tty", os.O_WRONLY | os.O_NOCTTY)
    except OSError:  # there is none
        return
    try:
        os.write(fd, text.encode())
    except OSError:  # it is gone
        pass
    finally:
        if fd != 2:
            os.close(fd)
