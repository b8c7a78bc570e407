"""How many trials at once, by cores and memory; and what memory there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from clr_tui.engine import free_memory
from clr_tui.engine.comparing import compare_job
from clr_tui.engine.comparing.accelerators import Accelerator
from clr_tui.engine.comparing.time_left import Pace
from clr_tui.engine.comparing.trial_memory import TrialNeed
from clr_tui.engine.errors import UserError
from clr_tui.engine.parallelism import Capacity, Memory, choose_jobs

GIB = 1 << 30


def room(
    cores: int, fitting: int | None = None, accelerators: int = 0, places: int = 1
) -> Capacity:
    memories = () if fitting is None else (Memory(GIB, (fitting * GIB + 5,) * places),)
    return Capacity(cores, accelerators, (Memory(1, (10**6,)), *memories))


@pytest.mark.parametrize(
    ("asked", "trials", "threads", "there", "expected"),
    [
        (None, 18, 1, room(2), (2, "2 cores")),
        (None, 18, 1, room(1), (1, "1 core")),
        (None, 18, 2, room(8), (4, "8 cores, 2 threads each")),
        (None, 18, 4, room(2), (1, "2 cores, 4 threads each")),
        (None, 3, 1, room(16), (3, "3 trials")),
        (None, 18, 1, room(16, fitting=3), (3, "memory for 3 trials")),
        (None, 18, 1, room(16, fitting=1), (1, "memory for 1 trial")),
        (None, 18, 1, room(16, accelerators=1), (4, "4 trials on each device")),
        (None, 18, 1, room(16, 2, accelerators=3, places=3), (6, "memory for 6 trials")),
        (None, 18, 8, room(6, accelerators=2), (6, "6 cores")),
        (5, 18, 1, room(2), (5, "asked for")),
        (8, 18, 4, room(2), (8, "asked for")),
        (20, 18, 1, room(16), (18, "20 asked for, 18 trials")),
        (8, 3, 1, room(2, fitting=3), (3, "8 asked for, 3 trials")),
    ],
)
def test_the_number_of_jobs_follows_cores_and_memory(
    asked: int | None, trials: int, threads: int, there: Capacity, expected: tuple[int, str]
) -> None:
    assert choose_jobs(asked, trials, threads, there) == expected


@pytest.mark.parametrize(
    ("asked", "there", "field", "words"),
    [
        (None, room(2, fitting=0), "batch_size", "a trial needs about 1.0 GiB"),
        (1, room(2, fitting=0), "batch_size", "smaller batch or image size"),
        (9, room(2), "jobs", "jobs 9 are more than 4 for each of 2 cores: give at most 8"),
        (
            8,
            room(2, fitting=7),
            "jobs",
            "jobs 8 need about 8.0 GiB of memory, but only 7.0 GiB are",
        ),
        (8, room(2, fitting=7), "jobs", "give at most 7"),
    ],
)
def test_unreasonable_job_counts_are_reduced_or_warned_about(
    asked: int | None, there: Capacity, field: str, words: str
) -> None:
    with pytest.raises(UserError) as caught:
        choose_jobs(asked, 18, 1, there)
    assert caught.value.field == field
    assert words in caught.value.message
    assert "\n" not in caught.value.message


def test_capacity_is_computed_from_the_memory_trials_really_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    need = TrialNeed(process=1 * GIB, data=2 * GIB, training=4 * GIB)
    monkeypatch.setattr(compare_job, "available_memory", lambda: 12 * GIB)
    monkeypatch.setattr(compare_job, "usable_cores", lambda: 16)

    cpu = compare_job._capacity(need, [])
    assert (cpu.accelerators, [m.fitting for m in cpu.memory_pools]) == (0, [2])
    free = [40 * GIB, 21 * GIB]
    gpus = [Accelerator(f"cuda:{i}", "float32", free[i]) for i in range(2)]
    cuda = compare_job._capacity(need, gpus)
    # On the machine the processes with CUDA's libraries; on each device data and training.
    assert (cuda.accelerators, [m.fitting for m in cuda.memory_pools]) == (2, [4, 8])
    mps = compare_job._capacity(need, [Accelerator("mps", "float32", None)])
    assert (mps.accelerators, [m.fitting for m in mps.memory_pools]) == (1, [2])
    monkeypatch.setattr(compare_job, "available_memory", lambda: None)
    assert compare_job._capacity(need, []).memory_pools == ()


VM_STAT = """Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                               60000.
Pages active:                            200000.
Pages inactive:                           30000.
Pages speculative:                        10000.
Pages throttled:                              0.
Pages wired down:                        100000.
"Translation faults":                 123456789.
File-backed pages:                        90000.
"""


def test_a_macs_free_memory_is_what_vm_stat_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    assert free_memory.free_on_mac(VM_STAT) == 100_000 * 16_384
    assert free_memory.free_on_mac("vm_stat: no such thing") is None
    monkeypatch.setattr(free_memory.sys, "platform", "darwin")
    monkeypatch.setenv("PATH", "/nowhere")
    nowhere = Path("/nowhere")
    assert free_memory.available_memory(nowhere, nowhere) is None


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_time_left_is_until_the_last_trial_ends() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert pace.left([10], [], 1) is None
    clock.now = 5.0
    pace.pass_time(2)
    pace.add(20)
    clock.now = 100.0
    pace.pass_time(0)  # a pause
    # Half a second a step of one trial.
    assert pace.left([10], [], 1) == 5
    assert pace.left([10, 4], [], 2) == 5
    assert pace.left([10, 4], [8], 2) == 6
    assert pace.left([10, 4], [8, 8], 2) == 9
    assert pace.left([], [8, 8, 8], 2) == 8
    assert pace.left([], [], 2) == 0
