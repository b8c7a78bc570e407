"""Devices as the driver tells them, with a driver that is made up."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace

import pytest

from clr_tui.engine import nvml as devices
from clr_tui.engine.errors import UserError

UUIDS = ["GPU-aa11", "GPU-aa22", "GPU-bb33"]


class FakeNvml(ModuleType):
    """Three GPUs; `broken` names the calls that fail."""

    def __init__(self) -> None:
        super().__init__("pynvml")
        self.broken: set[str] = set()

    def __getattr__(self, name: str):
        if not name.startswith("nvml"):
            raise AttributeError(name)
        answers = {
            "nvmlInit": lambda: None,
            "nvmlDeviceGetCount": lambda: len(UUIDS),
            "nvmlDeviceGetHandleByIndex": lambda index: index,
            "nvmlDeviceGetUUID": lambda handle: UUIDS[handle],
            "nvmlDeviceGetMemoryInfo": lambda handle: SimpleNamespace(used=handle + 1, total=80),
            "nvmlDeviceGetUtilizationRates": lambda handle: SimpleNamespace(gpu=25 * handle),
        }

        def call(*args: int):
            if name in self.broken:
                raise RuntimeError(name)
            return answers[name](*args)

        return call


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


def test_a_mig_partition_is_a_device_without_a_load(
    driver: FakeNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-1234")
    assert devices.available() == ["cpu", "cuda:0"]
    assert devices.UsageMonitor(0).read() is None


def test_the_load_of_a_gpu_is_read(driver: FakeNvml) -> None:
    monitor = devices.UsageMonitor(1)
    assert monitor.read() == (2, 80, 0.25)
    driver.broken = {"nvmlDeviceGetUtilizationRates"}
    assert monitor.read() == (2, 80, None)
    driver.broken = {"nvmlDeviceGetMemoryInfo"}
    assert monitor.read() is None


@pytest.mark.parametrize("broken", ["nvmlInit", "nvmlDeviceGetCount", "nvmlDeviceGetHandleByIndex"])
def test_a_driver_that_fails_means_no_cuda(driver: FakeNvml, broken: str) -> None:
    driver.broken = {broken}
    assert devices.available() == ["cpu"]
    assert devices.UsageMonitor(0).read() is None


def test_no_driver_at_all(driver: FakeNvml, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert devices.available() == ["cpu"]


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
