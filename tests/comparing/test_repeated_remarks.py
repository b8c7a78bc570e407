"""What every trial remarks upon is said once."""

from __future__ import annotations

from fake_executor import Played, entries

from clr_tui.engine.runs.config import CompareConfig
from clr_tui.engine.runs.events import Note, TrialFinished
from clr_tui.engine.training.executor import Told


def test_the_same_remark_of_all_trials_is_told_once() -> None:
    played = Played(CompareConfig(entries=entries("adam", "sgd"), seeds=2, epochs=2))
    poll = played.executor.poll

    def remarking(seconds: float) -> list[Told]:
        told = []
        for one in poll(seconds):
            for text in ("it is not compiled", f"trial {one.trial} is odd"):
                told.append(Told(one.trial, Note(level="warning", text=text)))
            told.append(one)
        return told

    played.executor.poll = remarking  # type: ignore[method-assign]
    played.run()
    assert len(played.of(TrialFinished)) == 4
    assert sorted(e.text for e in played.of(Note)) == [
        "it is not compiled",
        *(f"trial {trial} is odd" for trial in range(4)),
    ]
