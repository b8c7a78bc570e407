"""Too little memory: which limits are seen, and which errors are recognised."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from clr_tui.engine.errors import describe_error
from clr_tui.engine.free_memory import available_memory
from clr_tui.engine.out_of_memory import is_out_of_memory

GIB = 1 << 30
MACHINE = 8_000_000 * 1024
MEMINFO = "MemTotal:       16000000 kB\nMemFree: 1 kB\nMemAvailable:    8000000 kB\n"


class FakeProc:
    """A /proc/self, with hierarchies of groups mounted in a folder whose name has a space."""

    def __init__(self, folder: Path) -> None:
        self.proc, self.mount = folder / "proc", folder / "the groups"
        self.proc.mkdir()
        self.meminfo = self.proc / "meminfo"
        self.meminfo.write_text(MEMINFO)

    def mounted(self, kind: str, inside: str, root: str = "/") -> None:
        """One hierarchy: its type and options as in mountinfo, and this process's line in it."""
        shown = str(self.mount).replace(" ", "\\040")
        self.proc.joinpath("mountinfo").write_text(
            "23 1 0:2 / /proc rw - proc proc rw\n"
            f"35 31 0:32 {root} {shown} rw,relatime shared:9 master:1 - {kind}\n"
        )
        self.proc.joinpath("cgroup").write_text(f"1:cpu:/other\n{inside}\n")

    def group(self, path: str, **files: str) -> None:
        folder = self.mount / path
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            folder.joinpath(f"memory.{name}").write_text(text + "\n")

    def free(self) -> int | None:
        return available_memory(self.meminfo, self.proc)


def two(limit: str, current: int = 0, inactive: int = 0) -> dict[str, str]:
    stat = f"anon 5\ninactive_file {inactive}\nactive_file 7"
    return {"max": limit, "current": str(current), "stat": stat}


def one(limit: int, used: int, inactive: int = 0) -> dict[str, str]:
    stat = f"inactive_file 1\ntotal_inactive_file {inactive}"
    return {"limit_in_bytes": str(limit), "usage_in_bytes": str(used), "stat": stat}


def test_without_groups_free_memory_is_the_machines(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    made = FakeProc(tmp_path)
    assert made.free() == MACHINE
    assert available_memory(nowhere, nowhere) is None


def test_the_tightest_of_nested_groups_counts(tmp_path: Path) -> None:
    made = FakeProc(tmp_path)
    made.mounted("cgroup2 cgroup2 rw", "0::/user.slice/job/step")
    made.group("user.slice/job/step", **two("max", GIB))
    made.group("user.slice/job", **two(str(4 * GIB), 3 * GIB, GIB // 2))
    made.group("user.slice", **two(str(6 * GIB), 3 * GIB))
    assert made.free() == GIB + GIB // 2
    made.group("user.slice/job/step", **two(str(GIB), 2 * GIB))
    assert made.free() == 0
    assert available_memory(tmp_path / "nowhere", made.proc) == 0


def test_limits_of_version_1_are_seen_below_the_root(tmp_path: Path) -> None:
    made = FakeProc(tmp_path)
    made.mounted("cgroup cgroup rw,memory", "4:hugetlb,memory:/slurm/job_7")
    made.group("", **one((1 << 63) - 4096, GIB))
    made.group("slurm", **one((1 << 63) - 4096, GIB))
    made.group("slurm/job_7", **one(2 * GIB, GIB, GIB // 4))
    assert made.free() == GIB + GIB // 4


@pytest.mark.parametrize("inside", ["0::/", "0::/docker/abc", "0::/../../elsewhere"])
def test_in_a_container_its_group_is_where_the_hierarchy_is_mounted(
    tmp_path: Path, inside: str
) -> None:
    made = FakeProc(tmp_path)
    root = "/docker/abc" if "docker" in inside else "/"
    made.mounted("cgroup2 cgroup2 rw", inside, root)
    made.group("", **two(str(GIB), GIB // 2))
    assert made.free() == GIB // 2


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        MemoryError("Unable to allocate 3.2 GiB for an array with shape (20000, 20000)"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has"),
        RuntimeError("HIP out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("MPS backend out of memory (MPS allocated: 8.00 GB, other allocations: 1 GB"),
        RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be reported"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
        RuntimeError("cusolver error: CUSOLVER_STATUS_ALLOC_FAILED, when calling"),
        RuntimeError("cuFFT error: CUFFT_ALLOC_FAILED"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:114] err == 0. DefaultCPUAllocator: can't"
                     " allocate memory: you tried to allocate 9 bytes. Error code 12"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
        RuntimeError("std::bad_alloc"),
        RuntimeError("could not create a primitive"),
        RuntimeError("Caught RuntimeError in DataLoader worker process 0.\nOriginal Traceback\n"
                     "RuntimeError: DefaultCPUAllocator: can't allocate memory: you tried"),
        OSError(12, "Cannot allocate memory"),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
    ],
)  # fmt: skip
def test_memory_is_named_whatever_ran_out_of_it(error: BaseException) -> None:
    assert is_out_of_memory(error)
    message, field = describe_error(error)
    assert "ran out" in message
    assert "\n" not in message
    assert field == (None if isinstance(error, ImportError) else "batch_size")


@pytest.mark.parametrize(
    "error",
    [
        ValueError("the vocabulary is out of memory slots"),
        ImportError("libgomp.so.1: cannot allocate memory in static TLS block"),
        RuntimeError("CUDA error: device-side assert triggered"),
        RuntimeError("could not create a primitive descriptor for a convolution"),
        OSError(28, "No space left on device"),
        KeyboardInterrupt("out of memory"),
    ],
)
def test_other_errors_are_not_about_memory(error: BaseException) -> None:
    assert not is_out_of_memory(error)
    assert "ran out" not in describe_error(error)[0]
