"""Several processes that train together: the first one records, or each its own run."""

from __future__ import annotations

from pathlib import Path

import pytest
from loops import Program, column, ending

import clr_tui
from clr_tui.engine.log.rundir import list_runs
from clr_tui.engine.own_loop.processes import Rank, rank
from clr_tui.engine.settings.logged_config import LoggedRun

LOOP = """
import clr_tui
with clr_tui.start("a", **{options}) as run:
    for batch in run.steps(range(3)):
        run.log(loss=float(batch))
"""


@pytest.mark.parametrize(
    ("number", "of"), [("RANK", "WORLD_SIZE"), ("SLURM_PROCID", "SLURM_NTASKS")]
)
def test_the_first_rank_records(tmp_path: Path, number: str, of: str) -> None:
    program = Program(tmp_path, LOOP.format(options="{}"))
    for i in range(3):
        done = program.run(**{number: str(i), of: "3"})
        assert (done.returncode, done.stderr) == (0, "")
    assert column(program.only_run, "loss") == [(0, 0.0), (1, 1.0), (2, 2.0)]


def test_each_rank_may_have_its_own_run(tmp_path: Path) -> None:
    program = Program(tmp_path, LOOP.format(options="{'ranks': 'all'}"))
    for i in range(2):
        assert program.run(RANK=str(i), WORLD_SIZE="2").stderr == ""
    second, first = list_runs(program.runs)
    assert [first.id, second.id] == ["a-rank0-1", "a-rank1-1"]
    assert first.config().asked(LoggedRun).config == {"rank": "0 of 2"}
    assert ending(second).outcome == "done"


def test_one_process_is_the_only_rank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "LOCAL_RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert rank() == Rank(0, 1)
    with clr_tui.start("a", runs_dir=tmp_path, ranks="all") as run:
        assert run.id == "a-1"


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5"])
def test_variables_with_other_texts_are_none(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("RANK", text)
    monkeypatch.setenv("WORLD_SIZE", text)
    assert rank() == Rank(0, 1)


def test_torch_distributed_says_its_own_rank(tmp_path: Path) -> None:
    """Which counts more than variables: here processes of multiprocessing, which have none."""
    program = Program(
        tmp_path,
        """
        import sys
        import torch.distributed as dist
        import torch.multiprocessing as mp
        import clr_tui

        def train(rank, port):
            dist.init_process_group(
                "gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2
            )
            with clr_tui.start("ddp") as run:
                for batch in run.steps(range(2)):
                    run.log(loss=float(rank))
            dist.destroy_process_group()

        if __name__ == "__main__":
            import socket
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            mp.spawn(train, args=(port,), nprocs=2)
        """,
    )
    done = program.run()
    assert done.returncode == 0, done.stderr
    assert column(program.only_run, "loss") == [(0, 0.0), (1, 0.0)]
