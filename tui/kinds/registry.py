"""The kinds of run: their names in the UI, and where their parts are.

Parts are given as "module:name" and imported on demand, so that this table costs `clr-tui --help`
next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from clr_tui.engine.by_name import named

if TYPE_CHECKING:
    from collections.abc import Callable

    from clr_tui.engine.log.rundir import RunDir
    from clr_tui.engine.settings.config import RunConfig
    from clr_tui.tui.kinds.parts import Command, Display
    from clr_tui.tui.sources import Source


class Kind(NamedTuple):
    """One kind of run; `name` is its name in the engine."""

    name: str
    title: str
    """Such as "range test"."""
    phrase: str
    """The title with its article: "a range test"."""
    usage: str
    """What follows `clr-tui NAME` in the usage line."""
    purpose: str
    """What the command does: its line in `clr-tui --help`."""
    stopping: str
    """What stopping a run means, a sentence."""
    how: str
    """The text below the keys in the help of the screen."""
    command: str
    """Place of its `Command`."""
    screen: str
    """Place of its subclass of `RunScreen`."""
    display: str
    """Place of its `Display`."""
    curves: bool = True
    """Whether its screen has the keys for smoothing and for comparing optimizers."""

    def load_command(self) -> Command:
        """Imports its command-line options."""
        return cast("Command", named(self.command))

    def load_display(self) -> Display:
        """Imports what is shown of its runs outside their screen."""
        return cast("Display", named(self.display))

    def load_screen(self) -> Callable[[Source, RunConfig, RunDir | None], Any]:
        """Imports its screen class, untyped so that the command line needs no Textual."""
        return cast("Callable[[Source, RunConfig, RunDir | None], Any]", named(self.screen))


_HERE = "clr_tui.tui.kinds"
_RANGE_TEST = Kind(
    name="range-test",
    title="range test",
    phrase="a range test",
    usage="[OPTION]...",
    purpose="sweep the learning rate to find its bounds",
    stopping="The sweep ends after the current step; its results so far are kept.",
    how=(
        "The loss falls where the learning rate is useful and rises where it is too large. The two "
        "marks are base_lr and max_lr of cyclical training: set max_lr well before the loss turns "
        "up (minimum/10 is a tenth of the rate with the lowest loss) and base_lr about 6 times "
        "lower. If the curve gives no answer, the line above the keys says why. Then press t."
    ),
    command=f"{_HERE}.range_test.command:COMMAND",
    screen=f"{_HERE}.range_test.screen:RangeTestScreen",
    display=f"{_HERE}.range_test.display:DISPLAY",
)
_TRAIN = Kind(
    name="train",
    title="training",
    phrase="a training",
    usage="--from RUN | --max-lr X [OPTION]...",
    purpose="train with cyclical learning rates between two bounds",
    stopping="The training ends after the current step and saves a checkpoint.",
    how=(
        "The learning rate climbs from base_lr to max_lr and back, a cycle at a time (Smith 2017). "
        "What is measured in mid-cycle is not final: it is best where the rate has come down, at "
        "the end of a cycle. The best epoch on validation and the last one are both kept as "
        "checkpoints (a comparison keeps none), and both are measured on the test part at the end."
    ),
    command=f"{_HERE}.train.command:COMMAND",
    screen=f"{_HERE}.train.screen:TrainingScreen",
    display=f"{_HERE}.train.display:DISPLAY",
)
_COMPARE = Kind(
    name="compare",
    title="comparison",
    phrase="a comparison",
    usage="[OPTION]...",
    purpose="train several optimizers with several seeds each and compare them",
    stopping="All its trials end after the current step; their results so far are kept.",
    how=(
        "Each optimizer trains from the same seeds: the same initial weights, the same order of "
        "data. A line is the mean over seeds, its band the 95% interval of that mean; optimizers "
        "share a rank where the seeds cannot tell them apart. Epochs are chosen on validation, "
        "the table reports test. Open a trial to see its learning rate, loss and metric."
    ),
    command=f"{_HERE}.compare.command:COMMAND",
    screen=f"{_HERE}.compare.screen:ComparisonScreen",
    display=f"{_HERE}.compare.display:DISPLAY",
    curves=False,
)
KINDS: dict[str, Kind] = {kind.name: kind for kind in (_RANGE_TEST, _TRAIN, _COMPARE)}
