"""Processes that run a module of ours."""

from __future__ import annotations

from clr_tui.engine.child import Child


def test_a_child_ends_when_its_parent_closes_the_connection() -> None:
    child = Child("clr_tui.engine.tasks.decode_process")
    child.connection.send(([], 8))
    assert child.connection.recv() == []
    child.connection.close()
    assert child.process.wait(60) == 0
