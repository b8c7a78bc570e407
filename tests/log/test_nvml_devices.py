"""Devices as the driver tells them, with a driver that is made up."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from clr_tui.engine import nvml as devices
from clr_tui.engine.errors import UserError

UUIDS = ["GPU-aa11", "GPU-aa22", "GPU-bb33"]


class FakeNvml(ModuleType):
    """Three GPUs; `broken` names the calls that fail."""

    NVML_COMPUTEMODE_DEFAULT = 0
    NVML_COMPUTEMODE_PROHIBITED = 2
    NVML_COMPUTEMODE_EXCLUSIVE_PROCESS = 3
    nvmlMemory_v2 = 0x02000028  # noqa: N815 - NVML's name

    def __init__(self) -> None:
        super().__init__("pynvml")
        self.broken = {"nvmlDeviceGetMigMode"}
        self.mode = 0
        self.pids: list[int] = []
        self.partitions: dict[int, str] = {}
        """The first partition of a GPU."""

    def __getattr__(self, name: str):
        if not name.startswith("nvml"):
            raise AttributeError(name)
        answers = {
            "nvmlInit": lambda: None,
            "nvmlSystemGetDriverVersion": lambda: "580.95.05",
            "nvmlDeviceGetCount": lambda: len(UUIDS),
            "nvmlDeviceGetHandleByIndex": lambda index: index,
            "nvmlDeviceGetHandleByUUID": self.by_uuid,
            "nvmlDeviceGetUUID": lambda handle: UUIDS[handle],
            "nvmlDeviceGetMigMode": lambda handle: (int(handle in self.partitions),) * 2,
            "nvmlDeviceGetMaxMigDeviceCount": lambda handle: 7,
            "nvmlDeviceGetMigDeviceHandleByIndex": self.partition,
            "nvmlDeviceGetMemoryInfo": self.memory,
            "nvmlDeviceGetUtilizationRates": lambda handle: SimpleNamespace(gpu=25 * handle),
            "nvmlDeviceGetComputeMode": lambda handle: self.mode,
            "nvmlDeviceGetComputeRunningProcesses": lambda handle: [
                SimpleNamespace(pid=pid) for pid in self.pids
            ],
        }

        def call(*args: int):
            if name in self.broken or (name, *args[1:]) in self.broken:
                raise RuntimeError(name)
            return answers[name](*args)

        return call

    def by_uuid(self, uuid: str) -> int | str:
        if uuid in self.partitions.values():
            return uuid
        return UUIDS.index(uuid)  # or raises, as NVML does

    def partition(self, handle: int, number: int) -> str:
        if number != 2:
            raise RuntimeError("not found")
        return self.partitions[handle]

    def memory(self, handle: int | str, version: int = 0) -> SimpleNamespace:
        """The first version counts 10 that the driver reserves as used."""
        used = (5 if isinstance(handle, str) else handle + 1) + (10 if not version else 0)
        total = 40 if isinstance(handle, str) else 80
        return SimpleNamespace(used=used, total=total, free=70 - used if version else 80 - used)


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeNvml]:
    made_up = FakeNvml()
    monkeypatch.setitem(sys.modules, "pynvml", made_up)
    monkeypatch.setattr(devices.platform, "system", lambda: "Linux")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    devices._nvml.cache_clear()
    yield made_up
    devices._nvml.cache_clear()


@pytest.mark.parametrize(
    ("visible", "used"),
    [
        (None, [1, 2, 3]),
        ("", []),
        ("-1", []),
        ("2,0", [3, 1]),
        ("0,7,1", [1]),
        ("GPU-bb,GPU-aa11", [3, 1]),
        ("GPU-aa", []),
        ("1, 2", [2, 3]),
    ],
)
def test_devices_are_numbered_as_torch_numbers_them(
    driver: FakeNvml, monkeypatch: pytest.MonkeyPatch, visible: str | None, used: list[int]
) -> None:
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert devices.available() == ["cpu", *(f"cuda:{i}" for i in range(len(used)))]
    readings = [devices.UsageMonitor(i).read() for i in range(len(used))]
    assert [reading and reading[0] for reading in readings] == used
    assert devices.UsageMonitor(len(used)).read() is None


def test_a_partition_of_a_gpu_has_its_own_load(
    driver: FakeNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-1234,MIG-9999")
    driver.partitions = {0: "MIG-1234"}
    assert devices.available() == ["cpu", "cuda:0", "cuda:1"]
    assert devices.UsageMonitor(0).read() == (5, 40, None)
    assert devices.UsageMonitor(1).read() is None  # unknown to this NVML
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    driver.broken = set()
    # CUDA uses the first partition of a GPU that has some.
    assert devices.UsageMonitor(0).read() == (5, 40, None)
    assert devices.UsageMonitor(1).read() == (2, 80, 0.25)


def test_a_gpu_is_found_by_its_uuid_where_torch_counts_otherwise(
    driver: FakeNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    properties = [SimpleNamespace(uuid="bb33"), SimpleNamespace(uuid="aa11")]
    cuda = SimpleNamespace(get_device_properties=properties.__getitem__)
    uuid = devices.uuid_of(cuda, 0)
    assert (uuid, devices.uuid_of(cuda, 2)) == ("bb33", "")
    assert devices.uuid_of(SimpleNamespace(get_device_properties=lambda i: i), 0) == ""
    assert devices.UsageMonitor(0, uuid).read() == (3, 80, 0.5)
    state = devices.device_state(0, uuid)
    assert state is not None
    assert state.free == 67
    assert devices.UsageMonitor(1, "unknown").read() == (2, 80, 0.25)
    # Torch tells a partition's UUID, or that of its GPU: what the user named says more.
    driver.partitions = {0: "MIG-1234"}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-1234")
    assert devices.UsageMonitor(0, "aa11").read() == (5, 40, None)


def test_the_load_of_a_gpu_is_read(driver: FakeNvml) -> None:
    monitor = devices.UsageMonitor(1)
    assert monitor.read() == (2, 80, 0.25)
    driver.broken = {"nvmlDeviceGetUtilizationRates"}
    assert monitor.read() == (2, 80, None)
    # A driver without the second version counts its own memory, too.
    driver.broken = {("nvmlDeviceGetMemoryInfo", driver.nvmlMemory_v2)}
    assert monitor.read() == (12, 80, 0.25)
    driver.broken = {"nvmlDeviceGetMemoryInfo"}
    assert monitor.read() is None


def test_the_room_on_a_gpu_is_known_without_torch(
    driver: FakeNvml, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CUDA_MPS_PIPE_DIRECTORY", str(tmp_path))
    assert devices.device_state(1) == devices.DeviceState(68, False, False, False)
    driver.mode, driver.pids = 3, [os.getpid()]
    assert devices.device_state(1) == devices.DeviceState(68, False, True, False)
    driver.pids.append(1)
    assert devices.device_state(1) == devices.DeviceState(68, True, True, False)
    (tmp_path / "control").touch()  # its server shares the GPU
    assert devices.device_state(1) == devices.DeviceState(68, True, False, False)
    driver.mode = 2
    assert devices.device_state(1) == devices.DeviceState(68, True, False, True)
    driver.broken = {"nvmlDeviceGetComputeMode", "nvmlDeviceGetComputeRunningProcesses"}
    assert devices.device_state(1) == devices.DeviceState(68, False, False, False)
    driver.broken = {"nvmlDeviceGetMemoryInfo"}
    assert devices.device_state(1) is None
    assert devices.device_state(3) is None


@pytest.mark.parametrize("broken", ["nvmlInit", "nvmlDeviceGetCount", "nvmlDeviceGetHandleByIndex"])
def test_a_driver_that_fails_means_no_cuda(driver: FakeNvml, broken: str) -> None:
    driver.broken = {broken}
    assert devices.driver_version() == ""
    assert devices.available() == ["cpu"]
    assert devices.UsageMonitor(0).read() is None


def test_no_driver_at_all(
    driver: FakeNvml, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert devices.driver_version() == "580.95.05"
    monkeypatch.setitem(sys.modules, "pynvml", None)
    devices._nvml.cache_clear()
    monkeypatch.setattr(devices, "_DRIVER_FILES", (tmp_path / "kfd",))
    assert devices.available() == ["cpu"]
    assert devices.driver_version() == ""
    assert devices.device_state(0) is None
    with pytest.raises(UserError, match="no device 'cuda' on this machine"):
        devices.check_device("cuda")


def test_without_nvml_the_worker_checks_a_cuda_device(
    driver: FakeNvml, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """ROCm, WSL, Jetson, a container: torch may use a GPU that NVML does not tell of."""
    driver.broken = {"nvmlInit"}
    monkeypatch.setattr(devices, "_DRIVER_FILES", (tmp_path / "kfd",))
    (tmp_path / "kfd").touch()
    for name in ("cuda", "cuda:3"):
        devices.check_device(name)
    for name in ("mps", "cuda:", "cuda:x", "kfd"):
        with pytest.raises(UserError, match=f"'{name}'"):
            devices.check_device(name)


def test_asking_for_a_device(driver: FakeNvml, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("auto", "cpu", "cuda", "cuda:0", "cuda:2"):
        devices.check_device(name)
    for name in ("cuda:3", "mps"):
        with pytest.raises(UserError, match=f"no device '{name}' on this machine") as caught:
            devices.check_device(name)
        assert caught.value.field == "device"
        assert "choose from auto, cpu, cuda:0, cuda:1, cuda:2" in caught.value.message
    for name in ("", "cuda:", "cuda:x", "tpu", "CPU"):
        with pytest.raises(UserError, match=f"'{name}' is not a device"):
            devices.check_device(name)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(UserError, match="no device 'cuda' on this machine"):
        devices.check_device("cuda")


def test_mps_is_listed_on_apple_silicon(driver: FakeNvml, monkeypatch: pytest.MonkeyPatch) -> None:
    driver.broken = {"nvmlInit"}
    monkeypatch.setattr(devices.platform, "system", lambda: "Darwin")
    monkeypatch.setattr(devices.platform, "machine", lambda: "arm64")
    assert devices.available() == ["cpu", "mps"]
    devices.check_device("mps")
