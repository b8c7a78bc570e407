"""Errors as one sentence that a person can act on."""

from __future__ import annotations

from collections.abc import Iterable


class UserError(Exception):
    """A request that cannot be fulfilled.

    Args:
        message: one sentence that names the offending value and says what would be right.
        field: the setting at fault, by its name in `RunConfig` (`"base_lr"`, `"data"`, ...), so
            that a form can show the sentence beside it; `None` if no single setting is at fault.
    """

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`"; did you mean 'train'?"`, or nothing if no known word is close."""
    import difflib  # only for mistakes: every command imports this module

    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean '{near[0]}'?" if near else ""


def describe_error(error: BaseException) -> tuple[str, str | None]:
    """A sentence about an unexpected error, and the setting at fault if one is known.

    An error in a user's own code is named with its file and line.
    """
    # Not needed without an error: every command imports this module.
    from clr_tui.engine.out_of_memory import is_out_of_memory, while_loading
    from clr_tui.engine.user_frames import in_one_line, task_place, text_of, user_frame

    text = text_of(error).partition("\n")[0]
    if while_loading(error):
        return (
            f"memory ran out while libraries were loaded ({text}): end other programs, or raise"
            " the limit of this one (ulimit -v)"
        ), None
    where = user_frame(error)
    if is_out_of_memory(error):
        at = f" ({where})" if where else ""
        return f"the device ran out of memory{at}: try a smaller batch or image size", "batch_size"
    if isinstance(error, SystemExit):
        from clr_tui.engine.sudden_ends import HardExit

        name = "os._exit" if isinstance(error, HardExit) else "sys.exit"
        said = f"{name}({error.code!r})" if error.code is not None else f"{name}()"
        return f"the code that was run called {said}{f' ({where})' if where else ''}", None
    if where:
        return f"{in_one_line(error)} ({where})", None
    at = f"{task_place()}; " if task_place() else ""
    said = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return f"{said} ({at}the details are in worker.log)", None
