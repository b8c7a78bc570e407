"""A mistake in the app itself ends it quietly: whoever ran it tells what happened."""

from __future__ import annotations

from app_helpers import make_app


def test_no_traceback_is_printed(runs, monkeypatch, capfd) -> None:
    app = make_app(runs.folder, monkeypatch)
    mistake = ZeroDivisionError("in a handler")

    def fail() -> None:
        raise mistake

    async def pilot_it(pilot) -> None:
        pilot.app.call_later(fail)

    app.run(headless=True, auto_pilot=pilot_it)
    assert app.failure is mistake
    assert app.return_code == 1
    out = capfd.readouterr()
    assert (out.out, out.err) == ("", "")
