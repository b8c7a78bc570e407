"""Remembered views: bounded, atomic, and never in the way."""

from __future__ import annotations

import os

import pytest

from clr_tui.tui import views_file
from clr_tui.tui.views_file import ViewsFile


def test_a_view_is_remembered_by_its_log(tmp_path) -> None:
    file = ViewsFile(tmp_path / "state" / "views.json")
    assert file.view_of("/a") == {}
    file.remember("/a", {"x": "epoch"})
    file.remember("/b", {"smoothing": 0.1})
    again = ViewsFile(tmp_path / "state" / "views.json")
    assert again.view_of("/a") == {"x": "epoch"}
    assert again.view_of("/b") == {"smoothing": 0.1}
    again.remember("/a", {})
    assert file.view_of("/a") == {}
    assert os.listdir(tmp_path / "state") == ["views.json"]  # no drafts


def test_only_the_last_used_are_kept(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(views_file, "MOST", 3)
    file = ViewsFile(tmp_path / "views.json")
    for name in "abc":
        file.remember(name, {"x": name})
    file.remember("a", {"x": "again"})
    file.remember("d", {"x": "d"})
    assert [bool(file.view_of(name)) for name in "abcd"] == [True, False, True, True]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"a": 1}', b"\xff\xfe", b"[" * 10**5])
def test_a_damaged_file_is_said_and_replaced(tmp_path, content) -> None:
    path = tmp_path / "views.json"
    path.write_bytes(content)
    file = ViewsFile(path)
    assert file.view_of("/a") == {}
    assert file.damage == f"What was remembered of views is lost: {path} is damaged."
    file.remember("/a", {"x": "epoch"})
    assert file.view_of("/a") == {"x": "epoch"}
    assert file.damage == ""


def test_a_pipe_in_its_place_does_not_block(tmp_path) -> None:
    os.mkfifo(tmp_path / "views.json")
    file = ViewsFile(tmp_path / "views.json")
    assert file.view_of("/a") == {}
    assert "cannot be read" in file.damage


def test_without_a_file_nothing_is_remembered() -> None:
    file = ViewsFile(None)
    file.remember("/a", {"x": "epoch"})
    assert file.view_of("/a") == {}
    assert file.damage == ""


def test_a_huge_view_is_not_kept(tmp_path) -> None:
    file = ViewsFile(tmp_path / "views.json")
    file.remember("/a", {"filter": "x" * 10**5})
    assert file.view_of("/a") == {}
