"""Which accelerators a comparison takes, and how many trials on each; made-up GPUs, no CUDA."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from clr_tui.engine.comparing import accelerators as module
from clr_tui.engine.comparing import compare_job, pool
from clr_tui.engine.comparing.accelerators import Accelerator, accelerators, chosen, spread
from clr_tui.engine.comparing.pool import Pool
from clr_tui.engine.comparing.protocol import Setup, decode_message
from clr_tui.engine.comparing.trial_memory import TrialNeed
from clr_tui.engine.errors import UserError
from clr_tui.engine.nvml import DeviceState
from clr_tui.engine.parallelism import Capacity, Memory, choose_jobs
from clr_tui.engine.settings.config import Compare, EntryConfig, OptimizerConfig, RunConfig

GIB = 1 << 30
NEED = 2 * GIB


def gpu(index: int, free: float = 40, **facts: object) -> Accelerator:
    made: dict[str, object] = {"precision": "bfloat16", **facts}
    return Accelerator(f"cuda:{index}", free=int(free * GIB), **made)  # type: ignore[arg-type]


def names(found: list[Accelerator]) -> list[str]:
    return [device.name for device in found]


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> list[DeviceState | None]:
    """Three GPUs, the second an older one; asking torch for their memory would start CUDA."""
    states: list[DeviceState | None] = [
        DeviceState(free=index * GIB, in_use=False, exclusive=False, prohibited=False)
        for index in (1, 70, 30)
    ]
    properties = [SimpleNamespace(major=major, uuid=f"u{major}") for major in (9, 7, 8)]

    def started(device: object) -> None:
        raise AssertionError("this starts CUDA in the worker")

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setattr(torch.cuda, "get_device_properties", properties.__getitem__)
    monkeypatch.setattr(torch.cuda, "mem_get_info", started)
    uuids = [each.uuid for each in properties]
    monkeypatch.setattr(
        module, "device_state", lambda index, uuid: states[index] if uuids[index] == uuid else None
    )
    return states


def test_gpus_are_asked_about_without_starting_cuda(
    driver: list[DeviceState | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    every = accelerators("auto", torch.device("cuda", 0))
    assert [(each.name, each.free, each.precision) for each in every] == [
        ("cuda:0", 1 * GIB, "bfloat16"),
        ("cuda:1", 70 * GIB, "float32"),
        ("cuda:2", 30 * GIB, "bfloat16"),
    ]
    # The choice of one is the user's.
    assert names(accelerators("cuda:1", torch.device("cuda", 1))) == ["cuda:1"]
    assert accelerators("cpu", torch.device("cpu")) == []
    mps = Accelerator("mps", "float32", None)
    assert accelerators("auto", torch.device("mps")) == [mps]
    # Without NVML torch alone knows.
    driver[0] = None
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (5 * GIB, 80 * GIB))
    assert accelerators("cuda:0", torch.device("cuda", 0))[0].free == 5 * GIB


def test_one_full_gpu_of_several_is_left_out(driver: list[DeviceState | None]) -> None:
    found = accelerators("auto", torch.device("cuda", 0))
    taken, left_out = chosen(found, NEED, "bfloat16")
    assert names(taken) == ["cuda:2"]
    assert left_out == [
        "cuda:0 is left out: a trial needs about 2.0 GiB of memory, and 1.0 GiB are free",
        "cuda:1 is left out: it does not compute in bfloat16, unlike the first device",
    ]
    # One that can do more computes as the others do.
    assert names(chosen(found, NEED, "float32")[0]) == ["cuda:1", "cuda:2"]


def test_others_gpus_are_taken_only_if_there_is_no_other() -> None:
    busy, free, full = gpu(0, in_use=True), gpu(1), gpu(2, free=1)
    assert chosen([busy, free], NEED, "bfloat16") == (
        [free],
        ["cuda:0 is left out: another program computes on it"],
    )
    assert names(chosen([busy, full], NEED, "bfloat16")[0]) == ["cuda:0"]
    assert chosen([], NEED, "float32") == ([], [])
    # With room nowhere, the choice of jobs says so, by the one with most.
    nowhere, _ = chosen([full, gpu(3, free=1.5)], NEED, "bfloat16")
    room = Capacity(16, 2, (Memory(NEED, tuple(d.free or 0 for d in nowhere)),))
    with pytest.raises(UserError, match=r"needs about 2\.0 GiB of memory, but only 1\.5 GiB"):
        choose_jobs(None, 18, 1, room)


def test_compute_modes_are_respected() -> None:
    taken = gpu(0, exclusive=True, in_use=True)
    closed, alone = gpu(1, prohibited=True), gpu(2, exclusive=True)
    found, left_out = chosen([taken, closed, alone], NEED, "bfloat16")
    assert names(found) == ["cuda:2"]
    assert "its compute mode is 'exclusive process'" in left_out[0]
    assert left_out[1].endswith("its compute mode is 'prohibited'")
    with pytest.raises(UserError, match="cuda:0 cannot be used: another program") as caught:
        chosen([taken], NEED, "bfloat16")
    assert caught.value.field == "device"
    assert (alone.room(NEED, 8), gpu(0).room(NEED, 8), gpu(0, free=7).room(NEED, 8)) == (1, 8, 3)

    need = TrialNeed(process=1, data=NEED // 2, training=1)
    capacity = compare_job._capacity(need, [alone, gpu(3)])
    assert choose_jobs(None, 18, 1, capacity) == (2, "1 trial on each device")
    with pytest.raises(UserError, match="one at a time: give at most 2") as caught:
        choose_jobs(4, 18, 1, capacity)
    assert caught.value.field == "jobs"


def test_apples_gpu_takes_one_trial_by_default() -> None:
    need = TrialNeed(process=1, data=1, training=1)
    capacity = compare_job._capacity(need, [Accelerator("mps", "float32", None)])
    assert choose_jobs(None, 18, 1, capacity) == (1, "1 trial on each device")


def test_trials_are_spread_evenly_as_far_as_there_is_room() -> None:
    assert spread(4, {"cuda:0": 9, "cuda:1": 9}) == ["cuda:0", "cuda:1"] * 2
    assert Counter(spread(5, {"cuda:0": 1, "cuda:1": 4})) == {"cuda:0": 1, "cuda:1": 4}
    assert spread(3, {"cpu": 3}) == ["cpu"] * 3


class Kept:
    """A connection that keeps what is sent; in place of a process, too."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.process, self.connection = self, self

    def send_bytes(self, packet: bytes) -> None:
        self.sent.append(packet)


def test_processes_take_their_places_and_one_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "Child", lambda *_: Kept())
    entry = EntryConfig(label="a", optimizer=OptimizerConfig())
    config = RunConfig(id="a", version="0", created=0.0, job=Compare(entries=[entry]))
    places = ["cuda:1", "cuda:0", "cuda:1", "cuda:1"]
    made = Pool(config, devices=places, jobs=4, threads=1, folder=Path(), precision="bfloat16")
    setups = [decode_message(made._start().connection.sent[0]) for _ in range(4)]
    assert all(isinstance(one, Setup) and one.precision == "bfloat16" for one in setups)
    assert Counter(one.device for one in setups) == {"cuda:1": 3, "cuda:0": 1}
    # A process that ends leaves its place to the next.
    made._processes = [one for one in made._processes if one.device != "cuda:0"]
    assert made._start().device == "cuda:0"
