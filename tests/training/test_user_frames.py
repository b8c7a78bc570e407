"""An error in a user's code is one sentence with their file and line, without libraries' frames."""

from __future__ import annotations

import functools
import gc
from pathlib import Path

import pytest
import torch
from msgspec import structs
from torch.utils.data import DataLoader, Dataset

from clr_tui.engine.comparing.protocol import decode_report, encode
from clr_tui.engine.errors import UserError, describe_error
from clr_tui.engine.log.events import TrialFinished
from clr_tui.engine.user_frames import in_one_line, is_users, place_of, user_frame, user_traceback


def caught(path: Path, source: str) -> BaseException:
    path.write_text(source)
    try:
        exec(compile(source, str(path), "exec"), {})
    except BaseException as error:  # noqa: BLE001
        return error
    raise AssertionError("it raised nothing")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "mytask.py"


def test_the_innermost_frame_of_the_users_is_named(file: Path) -> None:
    error = caught(
        file,
        "import torch\n\ndef step():\n    torch.nn.Linear(3, 2)(torch.zeros(1, 4))\n\nstep()\n",
    )
    assert user_frame(error) == "mytask.py:4, in step"
    message, field = describe_error(error)
    assert message.startswith("RuntimeError: mat1 and mat2 shapes cannot be multiplied")
    assert message.endswith("(mytask.py:4, in step)")
    assert field is None
    lines = user_traceback(error)
    assert [line for line in lines if str(file) in line] == [
        f'File "{file}", line 6, in <module>',
        f'File "{file}", line 4, in step',
    ]
    assert not [line for line in lines if "torch/nn" in line]
    assert lines[-1] == in_one_line(error)


def test_what_it_came_from_is_found_behind_a_sentence_of_ours(file: Path) -> None:
    cause = caught(file, "def loss():\n    raise ValueError('bad\\nshape')\nloss()\n")
    error = UserError("the loss failed")
    error.__cause__ = cause
    assert user_frame(error) == "mytask.py:2, in loss"
    assert user_traceback(error)[-1] == "ValueError: bad shape"


def test_a_mistake_in_the_syntax_is_where_the_file_says(file: Path) -> None:
    message, _ = describe_error(caught_syntax(file))
    assert message.startswith("SyntaxError: ")
    assert message.endswith(" (mytask.py:2)")


def caught_syntax(file: Path) -> BaseException:
    file.write_text("x = 1\ndef (:\n")
    with pytest.raises(SyntaxError) as error:
        compile(file.read_text(), str(file), "exec")
    return error.value


def test_an_end_of_the_process_is_a_sentence(file: Path) -> None:
    error = caught(file, "import sys\n\nsys.exit('no data')\n")
    assert describe_error(error)[0] == (
        "the code that was run called sys.exit('no data') (mytask.py:3)"
    )


class Broken(Dataset):
    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> torch.Tensor:
        raise ValueError(f"no sample {index}")


def test_an_error_in_a_loaders_process_is_named_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parent)
    with pytest.raises(ValueError) as error:
        next(iter(DataLoader(Broken(), num_workers=1)))
    message, _ = describe_error(error.value)
    line = Broken.__getitem__.__code__.co_firstlineno + 1
    assert message == f"ValueError: no sample 0 (test_user_frames.py:{line}, in __getitem__)"
    assert user_traceback(error.value)[-1] == "ValueError: no sample 0"


def test_a_long_recursion_is_shortened(file: Path) -> None:
    gc.collect()  # a loader of an earlier test could not be closed at the bottom of the recursion
    lines = user_traceback(caught(file, "def f():\n    return f()\nf()\n"))
    assert len(lines) <= 41
    assert lines[-1].startswith("RecursionError: ")


def test_an_error_without_a_message_is_its_type() -> None:
    assert describe_error(AssertionError())[0] == "AssertionError (the details are in worker.log)"


def test_libraries_and_this_program_are_no_user(tmp_path: Path) -> None:
    assert not is_users(torch.nn.__file__)
    assert not is_users(functools.__file__)
    assert not is_users(describe_error.__code__.co_filename)
    assert not is_users("<string>")
    assert is_users(str(tmp_path / "engine" / "utils.py"))


def test_a_function_has_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parent)
    line = caught.__code__.co_firstlineno
    assert place_of(caught) == f"test_user_frames.py:{line}, in caught"
    assert place_of(functools.partial(caught, 1)) == place_of(caught)
    assert place_of(len) == ""


def test_text_that_is_no_utf8_passes_between_processes() -> None:
    event = TrialFinished(trial=0, outcome="failed", step=3, reason="no 'a\udcff.csv'")
    assert decode_report(encode(event)) == structs.replace(event, reason="no 'a?.csv'")
