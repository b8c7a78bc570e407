"""Which device the work gets, with accelerators that are pretended to be there."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from clr_tui.engine.errors import UserError
from clr_tui.engine.tasks import devices
from clr_tui.engine.tasks.devices import choose_device, layout_on, unused_gpu
from clr_tui.engine.tasks.trees import sent, tree_to
from clr_tui.engine.training.job import tune_torch


@pytest.fixture
def no_accelerator(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture
def two_gpus(monkeypatch, no_accelerator):
    gpus = [
        SimpleNamespace(name="Old GPU", major=7, total_memory=16 * 2**30),
        SimpleNamespace(name="New GPU", major=9, total_memory=80 * 2**30),
    ]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", gpus.__getitem__)


@pytest.mark.parametrize("name", ["auto", "cpu"])
def test_the_cpu_where_there_is_nothing_else(no_accelerator, name):
    device, title, memory, precision = choose_device(name)
    assert device == torch.device("cpu")
    assert title.startswith(f"{torch.get_num_threads()} CPU thread")
    assert (memory, precision) == (None, "float32")


def test_one_thread_is_not_plural(no_accelerator, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert choose_device("cpu")[1] == "1 CPU thread"


@pytest.mark.parametrize("name", ["auto", "cuda", "cuda:0"])
def test_cuda_means_the_first_gpu(two_gpus, name):
    assert choose_device(name) == (torch.device("cuda", 0), "Old GPU", 16 * 2**30, "float32")


def test_bfloat16_where_the_gpu_computes_in_it(two_gpus):
    assert choose_device("cuda:1") == (
        torch.device("cuda", 1),
        "New GPU",
        80 * 2**30,
        "bfloat16",
    )


def test_a_gpu_can_be_passed_over(two_gpus):
    assert choose_device("cpu")[0] == torch.device("cpu")


def test_mps_is_chosen_on_apple_gpus(no_accelerator, monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("auto")[0] == torch.device("mps")


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps"])
def test_a_device_that_is_not_here(no_accelerator, name):
    with pytest.raises(
        UserError, match=f"no device '{name}' on this machine; it has cpu"
    ) as caught:
        choose_device(name)
    assert caught.value.field == "device"


def test_a_gpu_index_beyond_the_last_is_an_error(two_gpus):
    with pytest.raises(UserError, match="it has cuda:0, cuda:1, cpu") as caught:
        choose_device("cuda:7")
    assert caught.value.field == "device"


@pytest.mark.parametrize("name", ["", "gpu", "cpu:1", "cuda:x", "cuda:-1", "tpu"])
def test_an_unknown_device_name_is_an_error(name):
    with pytest.raises(UserError, match="auto, cpu, mps, cuda or cuda:N") as caught:
        choose_device(name)
    assert caught.value.field == "device"


def test_layout_is_the_plain_one_where_batch_norm_cannot_do_without() -> None:
    assert layout_on(torch.device("mps")) is torch.contiguous_format
    assert layout_on(torch.device("cuda", 0)) is torch.channels_last
    assert layout_on(torch.device("cpu")) is torch.channels_last


def test_a_gpu_that_torch_cannot_use_is_told_of(monkeypatch):
    cpu, cuda = torch.device("cpu"), torch.device("cuda", 0)
    monkeypatch.setattr(devices, "driver_version", lambda: "535.54.03")
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    text = unused_gpu("auto", cpu)
    assert "built for CUDA 13.0, cannot use it with driver 535.54.03" in text
    monkeypatch.setattr(torch.version, "cuda", None)
    assert "built without CUDA" in unused_gpu("auto", cpu)
    assert unused_gpu("cpu", cpu) == unused_gpu("auto", cuda) == ""
    monkeypatch.setattr(devices, "driver_version", lambda: "")
    assert unused_gpu("auto", cpu) == ""


def test_torch_is_tuned_for_cuda_alone(monkeypatch):
    """On the CPU "high" may cost bits of matrix products, and a run is to be the same anywhere."""
    asked: list[str] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", False)
    monkeypatch.setattr(torch, "set_float32_matmul_precision", asked.append)
    tune_torch(torch.device("cpu"))
    assert (asked, torch.backends.cudnn.benchmark) == ([], False)
    tune_torch(torch.device("cuda", 1))
    assert (asked, torch.backends.cudnn.benchmark) == (["high"], True)


def test_only_copies_to_cuda_are_not_waited_for():
    """MPS would read the memory when it may be something else's already."""
    waited: list[bool] = []

    class Copied(torch.Tensor):
        def to(self, device, non_blocking=False):
            waited.append(not non_blocking)
            return self

    tensor = torch.zeros(2).as_subclass(Copied)
    for device in ("mps", "cpu", "cuda:1"):
        sent(tensor, torch.device(device))
        tree_to([tensor], torch.device(device))
    assert waited == [True] * 4 + [False] * 2
    engine = Path(devices.__file__).parents[1]
    copying = [p.name for p in engine.rglob("*.py") if re.search("non_blocking=", p.read_text())]
    assert copying == ["trees.py"]
