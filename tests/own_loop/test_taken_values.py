"""Tensors are taken as they are, with the value that they have then, and no call waits for one."""

from __future__ import annotations

import math
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from loops import column
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import clr_tui
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.own_loop.rows import Row, events_of, take
from clr_tui.engine.own_loop.values import OnDevice, read, taken


@pytest.mark.parametrize(
    "value",
    [
        2.5,
        np.float32(2.5),
        np.array(2.5),
        np.array([2.5]),
        torch.tensor(2.5),
        torch.tensor([[2.5]]),
        torch.tensor(2.5, dtype=torch.bfloat16),
        torch.tensor(2.5, requires_grad=True),
        nn.Parameter(torch.tensor(2.5)),
    ],
)
def test_a_number_in_any_form(value: object) -> None:
    assert taken(value) == 2.5


@pytest.mark.parametrize(("value", "number"), [(3, 3.0), (True, 1.0), (torch.tensor(7), 7.0)])
def test_whole_numbers(value: object, number: float) -> None:
    assert taken(value) == number


@pytest.mark.parametrize(
    "value",
    ["3", b"3", None, [1.0], torch.ones(2), torch.tensor(1j), np.ones(3), 1j, object(), 10**400],
)
def test_what_is_no_number(value: object) -> None:
    with pytest.raises((TypeError, ValueError, RuntimeError, OverflowError)):
        taken(value)


def test_a_tensor_that_is_used_again_keeps_its_logged_value(tmp_path: Path) -> None:
    """A sum that a loop adds to in place, as many do."""
    total = torch.zeros(())
    with clr_tui.start("a", runs_dir=tmp_path) as run:
        for i in range(100):
            total += 1
            run.log(total=total, half=total.numpy(), i=i)
        total.zero_()
    logged = RunDir(tmp_path / run.id)
    assert column(logged, "total") == [(i, i + 1.0) for i in range(100)]
    assert column(logged, "half") == [(i, i + 1.0) for i in range(100)]


class LateTensor(torch.Tensor):
    """A tensor on the CPU that says that it is on a device."""

    is_cpu = False  # type: ignore[assignment]


def test_a_tensor_of_a_device_keeps_its_value_and_not_its_graph() -> None:
    weights = torch.ones(3, requires_grad=True)
    loss = (weights * 2).sum().as_subclass(LateTensor)
    found = taken(loss)
    assert isinstance(found, OnDevice)
    assert found.value.grad_fn is None
    with torch.no_grad():
        loss += 1
    assert read([found]) == [6.0]


def test_tensors_of_a_device_are_read_with_one_copy_for_each_type() -> None:
    copies: list[str] = []
    waiting = [
        OnDevice(torch.tensor([float(i)], dtype=kind))
        for i in range(50)
        for kind in (torch.float32, torch.bfloat16, torch.int64)
    ]
    before = torch.Tensor.tolist

    def counted(tensor: torch.Tensor) -> Any:
        copies.append(str(tensor.dtype))
        return before(tensor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.Tensor, "tolist", counted)
        found = read(waiting)
    assert found == [float(i) for i in range(50) for _ in range(3)]
    assert sorted(copies) == ["torch.bfloat16", "torch.float32", "torch.int64"]


def test_what_cannot_be_read_is_not_a_number() -> None:
    good, bad = OnDevice(torch.tensor(2.0)), OnDevice(torch.empty((), device="meta"))
    assert read([good, bad])[0] == 2.0
    assert math.isnan(read([good, bad])[1])


def test_arrays_that_cannot_change_are_read_later() -> None:
    """As those of JAX, which compute while the program goes on."""

    class Array:
        reads = 0

        def block_until_ready(self) -> Array:
            return self

        def __float__(self) -> float:
            Array.reads += 1
            return 4.5

    found = taken(Array())
    assert Array.reads == 0
    rows: deque[Row] = deque([(0, 0.0, {"loss": found})])
    (event,) = events_of(take(rows))
    assert event.values == {"loss": [4.5]}


class Reads(TorchDispatchMode):
    """Counts operations after which the program must wait for a device."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        devices = {leaf.device.type for leaf in tree_leaves(args) if isinstance(leaf, torch.Tensor)}
        back = isinstance(result, torch.Tensor) and result.device.type == "cpu"
        reads = func is torch.ops.aten._local_scalar_dense.default
        if "cuda" in devices and (back or reads or torch.Tag.data_dependent_output in func.tags):
            self.found.append(str(func))
        return result


@pytest.mark.skipif(
    torch.__version__ < (2, 10) and not torch.cuda.is_available(),
    reason="before torch 2.10, fake CUDA tensors need a driver",
)
def test_no_call_waits_for_a_cuda_tensor() -> None:
    run, rows = clr_tui.Run("a"), deque[Row]()
    run._append = rows.append
    with FakeTensorMode(allow_non_fake_inputs=True), Reads() as reads:
        model = nn.Linear(4, 1, device="cuda")
        for _ in range(20):
            loss = model(torch.empty(8, 4, device="cuda")).mean()
            run.log(lr=0.1, loss=loss, norm=model.weight.norm())
        assert reads.found == []
        assert len(rows) == 20
        assert all(isinstance(values["loss"], OnDevice) for _, _, values in rows)
        torch.empty(2, device="cuda").cpu()
        assert reads.found != []


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device is here")
def test_no_call_waits_says_cuda_itself(tmp_path: Path) -> None:
    with clr_tui.start("a", runs_dir=tmp_path) as run:
        side = torch.cuda.Stream()
        total = torch.zeros((), device="cuda")
        torch.cuda.set_sync_debug_mode("error")
        try:
            with torch.cuda.stream(side):
                for i in range(100):
                    total += 1
                    run.log(total=total, i=i)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    assert column(RunDir(tmp_path / run.id), "total") == [(i, i + 1.0) for i in range(100)]
