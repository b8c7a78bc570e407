"""Training batches from a stream, such as a `DataLoader`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor

from clr_tui.engine.tasks.own_checks import no_batches_left
from clr_tui.engine.tasks.parts import Batch, Stream
from clr_tui.engine.training.randomness import global_state, set_global_state


class StreamBatches:
    """An endless sequence of a stream's batches: at the end of a pass the next one begins.

    A pass draws its order from the generators that its source uses: torch's global ones, which are
    seeded for each trial, or those of its own. To restore a position, a pass is started again with
    the generators as they were at its beginning, and the batches before the position are skipped.
    """

    def __init__(self, stream: Stream) -> None:
        self.batch_size = stream.batch_size
        self.steps_per_epoch = stream.steps
        self._stream = stream
        self._pass: Iterator[Batch] | None = None
        self._drawn = 0
        """Batches of this pass."""
        self._beginning: dict[str, Any] = {}
        """The generators when this pass began."""
        # All trials begin in the same state, in whatever process and order they run.
        self._set_own([state for _, state in stream.generators])

    def draw(self) -> Batch:
        """The next batch, on the device."""
        if self._pass is None:
            self._pass = self._resumed() if self._drawn else self._begun()
        batch = next(self._pass, None)
        if batch is None:
            self._pass = self._begun()
            batch = next(self._pass, None)
        if batch is None:
            raise no_batches_left("the training data")
        self._drawn += 1
        return batch

    def _begun(self) -> Iterator[Batch]:
        self._drawn = 0
        self._beginning = self._generators()
        return self._stream.open()

    def _resumed(self) -> Iterator[Batch]:
        now = self._generators()
        self._set_generators(self._beginning)
        resumed = self._stream.open()
        for _ in range(self._drawn):
            next(resumed, None)
        set_global_state(now["random"], self._stream.device)
        return resumed

    def _generators(self) -> dict[str, Any]:
        return {
            "random": global_state(self._stream.device),
            "own": [generator.get_state() for generator, _ in self._stream.generators],
        }

    def _set_generators(self, state: dict[str, Any]) -> None:
        set_global_state(state["random"], self._stream.device)
        self._set_own(state["own"])

    def _set_own(self, states: list[Tensor]) -> None:
        for (generator, _), state in zip(self._stream.generators, states, strict=True):
            generator.set_state(state)

    def state_dict(self) -> dict[str, Any]:
        """The position, and the generators at the beginning of the pass and now."""
        return {
            "drawn": self._drawn,
            "beginning": self._beginning,
            "own": self._generators()["own"],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores the state that `state_dict` returned."""
        self._pass = None
        self._drawn, self._beginning = state["drawn"], state["beginning"]
        self._set_own(state["own"])
