"""Is what clr-tui does on this device right, and what does it cost?

usage: probe.py [CHECK]...      no CHECK: all of them

The checks are independent. Each prints a few lines, or one that begins with !! if it fails.
"""

from __future__ import annotations

import collections
import gc
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from common import (
    BATCH,
    CUDA,
    DEVICE,
    OPTIMIZERS,
    OUT,
    PRECISION,
    TINY,
    ImageTask,
    Loop,
    UsageMonitor,
    ask_for_features,
    augmentation_of,
    checkpoint,
    choose_device,
    constant_rate,
    describe_error,
    device_state,
    evaluate,
    host_microseconds,
    kernels,
    now,
    per_second,
    resampled,
    run_checks,
    sampling_grid,
    sweep_losses,
    task,
    trainee,
    transforms,
    trial_need,
    tune_torch,
    uuid_of,
    wait,
    warm_up,
    without_dropout,
)
from torch.nn import functional

MIB = 2**20


def first_steps() -> None:
    """What the first steps and evaluations cost: cuDNN is loaded, and tries its algorithms."""
    context = milliseconds(lambda: torch.zeros(1, device=DEVICE))
    data = task(32)
    begin = now()
    made = trainee(data)
    built = now() - begin
    first = " ".join(f"{milliseconds(made.step):.1f}" for _ in range(4))
    evaluations = " ".join(
        f"{milliseconds(lambda: evaluate(made, data.validation)):.1f}" for _ in range(2)
    )
    print(
        f"first use of the device {context / 1e3:.2f} s, first trainee {built:.2f} s;"
        f" ms of the first steps: {first}; of two evaluations: {evaluations}"
    )


def worker() -> None:
    """Does a comparison's worker start CUDA, which would take the place on an exclusive GPU?"""
    program = (
        "import torch; from clr_tui.engine.comparing.accelerators import accelerators;"
        " from clr_tui.engine.tasks.devices import choose_device;"
        f" first = choose_device({str(DEVICE)!r})[0];"
        " print(accelerators('auto', first), flush=True);"
        " input()"
    )
    before = used()
    child = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    print(child.stdout.readline().strip())
    taken = (used() - before) / MIB
    child.communicate("\n")
    print(f"a worker that has looked at the GPUs takes {taken:.0f} MiB of the first")
    if taken > 100:
        print("!! the worker of a comparison starts CUDA")


def warmed() -> None:
    """Is the first step after the product's warm-up like those that follow?"""
    data = task(32)
    made = trainee(data)
    cost = milliseconds(lambda: warm_up(made, data.validation))
    steps = [milliseconds(made.step) for _ in range(10)]
    measured = milliseconds(lambda: evaluate(made, data.validation))
    usual = sorted(steps[1:])[4]
    print(
        f"ms of the warm-up {cost:.0f}, of the first step {steps[0]:.1f}, of one of the next nine"
        f" {usual:.1f}; of the first evaluation {measured:.1f}"
    )
    if CUDA and steps[0] > 10 * usual:
        print("!! the first timed step is slower than others")


def milliseconds(work: Callable[[], object]) -> float:
    begin = now()
    work()
    return (now() - begin) * 1e3


def rates() -> None:
    """Steps per second as clr-tui makes them, and what host and device need for one."""
    print(f"{'CNN':>16}{'steps/s':>9}{'host us':>9}{'kernels':>9}{'device us':>10}")
    for size in (32,) if TINY else (8, 32, 128):
        data = task(size)
        for precision in dict.fromkeys((PRECISION, "float32")):
            loop = Loop(trainee(data, precision=precision))
            speed, host = per_second(loop), host_microseconds(loop)
            count, busy, names = kernels(loop)
            figures = f"{speed:9.0f}{host:9.0f}{count:9.0f}{busy:10.0f}"
            print(f"{size:>4}px {precision:>9}{figures}", flush=True)
            if size == 32:
                with (OUT / "kernels.txt").open("a") as file:
                    file.write(f"{size} {precision}\n")
                    file.writelines(f"{us:8.1f} us  {n[:150]}\n" for n, us in names.items())


def pieces() -> None:
    """Where the host's time goes: microseconds per step."""
    data = task(32)
    made = trainee(data)
    loop = Loop(made)
    loop(5)
    images, labels = made.batches.draw()

    def forward() -> torch.Tensor:
        with made.autocast():
            return data.loss(made.model(images), labels)

    def several(what: Callable[[], object]) -> float:
        return host_microseconds(lambda n: [what() for _ in range(n)])

    draw = several(made.batches.draw)
    affine = several(lambda: transforms(data.augment, BATCH, 32, augmentation_of(made)))
    ahead, both = several(forward), several(lambda: forward().backward())
    made.optimizer.zero_grad(set_to_none=True)
    forward().backward()
    update = several(made.optimizer.step)
    print(
        f"draw {draw:.0f} (of which on the CPU {affine:.0f}), forward {ahead:.0f},"
        f" forward and backward {both:.0f}, update {update:.0f},"
        f" whole step {host_microseconds(loop):.0f}"
    )


def optimizers() -> None:
    """The update alone: microseconds of the host / kernels / microseconds of the device."""
    data, found = task(32), []
    for name in sorted(OPTIMIZERS.keys() - {"lbfgs"}):  # its step computes the loss
        made = trainee(data, name)
        constant_rate(made)
        made.gradients([made.batches.draw()])

        def update(n: int, step: Callable[[], object] = made.optimizer.step) -> None:
            for _ in range(n):
                step()

        try:
            update(1)
            host = host_microseconds(update)
            count, busy, _ = kernels(update, 5)
            found.append(f"{name} {host:.0f}/{count:.0f}/{busy:.0f}")
        except Exception as error:
            if not CUDA:
                raise
            found.append(f"{name} fails: {type(error).__name__}: {str(error)[:80]}")
    print("; ".join(found))
    if CUDA:
        weight = torch.nn.Parameter(torch.zeros(4, device=DEVICE))
        weight.grad = torch.zeros_like(weight)
        try:
            torch.optim.Adagrad([weight], fused=True).step()
            print("fused Adagrad runs on CUDA here")
        except RuntimeError as error:
            print(f"fused Adagrad does not: {str(error)[:100]}")


def waits() -> None:
    """Synchronisations that CUDA itself reports, in steps and an evaluation, by place."""
    if not CUDA:
        print("left out: no CUDA")
        return
    for label, data in (
        ("cnn", task(32)),
        ("resnet34", task(64, model="resnet34")),
        ("resnet34, features kept", task(64, model="resnet34", augment=False)),
    ):
        made = trainee(data)
        made.prepare(data.train, data.validation)
        loop = Loop(made)
        loop(3)
        evaluate(made, data.validation)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            torch.cuda.set_sync_debug_mode("warn")
            try:
                loop(30)
                evaluate(made, data.validation)
            finally:
                torch.cuda.set_sync_debug_mode("default")
        places = collections.Counter(
            f"{Path(warning.filename).name}:{warning.lineno}"
            for warning in seen
            if "synchroniz" in str(warning.message)
        )
        count = sum(places.values())
        print(f"{label}: {count} in 30 steps and an evaluation", dict(places) or "")


def copies() -> None:
    """Does a copy to a busy device hold up the host? `non_blocking`, pageable and pinned."""
    if not CUDA:
        print("left out: no CUDA")
        return
    found = []
    for size in (1536, 34_536, 65_536, 131_072, 1_048_576):
        for pinned in (False, True):
            source = torch.zeros(size, dtype=torch.uint8, pin_memory=pinned)
            wait()
            torch.cuda._sleep(60_000_000)
            begin = time.perf_counter()
            source.to(DEVICE, non_blocking=True)
            held = (time.perf_counter() - begin) * 1e3
            wait()
            found.append(f"{size} B {'pinned' if pinned else 'pageable'} {held:.2f}")
    print("ms until the host goes on: " + "; ".join(found))


def grids() -> None:
    """How far does tf32 move a pixel: in torch's grid, and in that of the augmentation?

    In the product's no shift may change a value.
    """
    augment = task(32).augment
    for size in (32,) if TINY else (32, 128, 224):
        shape = [16, 3, size, size]
        theta = transforms(augment, 16, size, torch.Generator().manual_seed(0))
        exact = functional.affine_grid(theta.double(), shape, align_corners=False)
        shift = theta.clone()
        shift[:, :, :2] = torch.eye(2)
        images = torch.randint(0, 256, shape, dtype=torch.uint8)
        line = []
        for precision in ("highest", "high"):
            torch.set_float32_matmul_precision(precision)
            off = []
            for grid in (
                functional.affine_grid(theta.to(DEVICE), shape, align_corners=False),
                sampling_grid(theta.to(DEVICE), size),
            ):
                off.append((grid.cpu().double() - exact).abs().max().item() * size / 2)
            there = resampled(images.to(DEVICE), shift.to(DEVICE), augment.fill).cpu()
            change = (there - resampled(images, shift, augment.fill)).abs().max().item()
            line.append(
                f"{precision}: torch's grid is off by {off[0]:.4f} px, ours by {off[1]:.5f};"
                f" a shift by whole pixels changes values by up to {change:.3f}"
            )
            if off[1] > 1e-3 or change > 0.05:
                print("!! the augmentation depends on the precision of matrix products")
        print(f"{size}px " + "; ".join(line))
    tune_torch(DEVICE)


def agreement() -> None:
    """The same sweep here and on the CPU, without dropout (whose draws differ by device)."""
    here = ("cuda", "float32", "high", True), ("cuda", "bfloat16", "high", True)
    settings = [("cpu", "float32", "highest", False)]
    settings += [("cuda" if CUDA else "cpu", "float32", "highest", False)]
    settings += here if CUDA else ()
    curves = []
    try:
        for place, precision, matmul, tf32 in settings:
            torch.set_float32_matmul_precision(matmul)
            torch.backends.cudnn.allow_tf32 = tf32
            with without_dropout():
                curves.append(sweep_losses(8 if TINY else 100, torch.device(place), precision))
    finally:
        torch.backends.cudnn.allow_tf32 = True
        tune_torch(DEVICE)
    for (place, precision, _, tf32), curve in list(zip(settings, curves, strict=True))[1:]:
        gaps = [abs(a - b) / abs(a) for a, b in zip(curves[0], curve, strict=False)]
        print(
            f"{place} {precision} tf32={tf32}: relative difference from the CPU's loss:"
            f" step 0 {gaps[0]:.1e}, median {statistics.median(gaps):.1e}, most {max(gaps):.1e};"
            f" {len(curve)} steps"
        )


def again() -> None:
    """Does the same seed give the same losses twice? With cuDNN trying algorithms, and without."""
    data = task(32)
    for trying in (True, False) if CUDA else (False,):
        torch.backends.cudnn.benchmark = trying
        one, two = losses_at_a_rate(data), losses_at_a_rate(data)
        same = sum(a == b for a, b in zip(one, two, strict=True))
        apart = abs(one[-1] - two[-1])
        print(f"benchmark={trying}: {same} of {len(one)} losses are the same,", end=" ")
        print(f"the last differ by {apart:.1e}")
    tune_torch(DEVICE)


def losses_at_a_rate(data: ImageTask) -> list[float]:
    made = trainee(data)
    torch.manual_seed(0)
    for group in made.optimizer.param_groups:
        group["lr"] = 0.01
    return torch.stack([made.step()[0] for _ in range(4 if TINY else 100)]).tolist()


def checkpoints() -> None:
    """What an epoch pays for `last.pt` (and again for `best.pt`)."""
    for name in ("sgd", "adam"):
        made = trainee(task(32), name)
        loop = Loop(made)
        loop(3)
        whole, gathering, path = [], [], OUT / "probe.pt"
        for _ in range(6):
            begin = now()
            state = checkpoint.capture(made, loop.scheduler)
            gathering.append((now() - begin) * 1e3)
            checkpoint.save(path, state)
            whole.append((time.perf_counter() - begin) * 1e3)
        size = path.stat().st_size
        path.unlink()
        print(
            f"{name}: {size / 1e6:.1f} MB in {statistics.median(whole):.0f} ms"
            f" ({statistics.median(gathering):.1f} to gather, the rest torch.save and fsync)"
        )


def restored() -> None:
    """Does a checkpoint continue as if nothing had happened, and load without this device?"""
    data = task(32)
    made = trainee(data, "adam")
    loop = Loop(made)
    loop(3)
    path = OUT / "probe.pt"
    checkpoint.save(path, checkpoint.capture(made, loop.scheduler))
    torch.backends.cudnn.benchmark = False
    expected = [made.step()[0].item() for _ in range(3)]
    other = trainee(data, "adam", seed=9)
    twin = Loop(other)
    checkpoint.restore(checkpoint.load(path, DEVICE), other, twin.scheduler)
    found = [other.step()[0].item() for _ in range(3)]
    on_cpu = torch.load(path, map_location="cpu", weights_only=True)
    path.unlink()
    tune_torch(DEVICE)
    print(f"restored: {found}; without interruption: {expected}; on the CPU: {sorted(on_cpu)[:4]}")


def memory() -> None:
    """What is estimated for a trial, and what one takes."""
    for label, size, model in (
        ("cnn 32", 32, "cnn"),
        ("cnn 128", 128, "cnn"),
        ("resnet34 224", 224, "resnet34"),
    ):
        gc.collect()
        if CUDA:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        before = used()
        need = trial_need(task(size, model=model, device=torch.device("cpu")), BATCH)
        made = trainee(task(size, model=model), "adam")
        made.prepare(made.task.train, made.task.validation)
        Loop(made)(12)
        evaluate(made, made.task.validation)
        wait()
        taken = torch.cuda.max_memory_reserved() if CUDA else 0
        print(
            f"{label}: estimated {need.on_accelerator / MIB:.0f} MiB with 700 of context;"
            f" torch reserved {taken / MIB:.0f}, NVML saw {(used() - before) / MIB:.0f} more;"
            f" this process {resident() / MIB:.0f} MiB of the host,"
            f" estimated {need.process / MIB:.0f}"
        )
        del made


def used() -> int:
    reading = UsageMonitor(0).read() if CUDA else None
    return reading[0] if reading else 0


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def panel() -> None:
    """The figures of the memory panel: NVML's, torch's, nvidia-smi's."""
    uuid = uuid_of(torch.cuda, 0) if CUDA else ""
    print(choose_device(str(DEVICE)), UsageMonitor(0, uuid).read(), device_state(0, uuid))
    if not CUDA:
        return
    if not uuid or device_state(0, uuid) is None:
        print("!! the GPU is not found by its UUID, or its memory is not known")
    free, total = torch.cuda.mem_get_info()
    fields = (
        "memory.used,memory.total,memory.reserved,utilization.gpu,uuid,pci.bus_id,compute_mode,"
        "mig.mode.current"
    )
    smi = subprocess.run(
        ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    print(
        f"torch: used {(total - free) / MIB:.0f} of {total / MIB:.0f} MiB,"
        f" {torch.cuda.memory_reserved() / MIB:.0f} of them by its allocator; nvidia-smi: {smi}"
    )
    properties = torch.cuda.get_device_properties(0)
    print(
        f"torch's uuid {properties.uuid}, bus {properties.pci_bus_id:02x};"
        f" {properties.multi_processor_count} multiprocessors,"
        f" L2 {properties.L2_cache_size / MIB:.0f} MiB"
    )
    try:
        import pynvml

        handle = pynvml.nvmlDeviceGetHandleByIndex(0)
        second = pynvml.nvmlDeviceGetMemoryInfo(handle, version=pynvml.nvmlMemory_v2)
        print(
            f"NVML v2: used {second.used / MIB:.0f}, reserved {second.reserved / MIB:.0f},"
            f" total {second.total / MIB:.0f}; uuid {pynvml.nvmlDeviceGetUUID(handle)}"
        )
    except Exception as error:  # noqa: BLE001
        print(f"NVML v2: {error}")


def no_memory() -> None:
    """What is raised where memory runs out, and what the user reads."""
    if not CUDA:
        print("left out: no CUDA")
        return

    def convolution() -> None:
        images = torch.empty(4000, 64, 512, 512, device=DEVICE, dtype=torch.bfloat16)
        weight = torch.empty(64, 64, 3, 3, device=DEVICE, dtype=torch.bfloat16)
        functional.conv2d(images, weight, padding=1)

    for what, work in (
        ("an allocation", lambda: torch.empty(2**42, dtype=torch.uint8, device=DEVICE)),
        ("a convolution", convolution),
    ):
        try:
            work()
            print(f"{what}: nothing was raised")
        except Exception as error:  # noqa: BLE001
            print(f"{what}: {type(error).__name__} -> {describe_error(error)[0][:120]}")
        torch.cuda.empty_cache()
    for text in (
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    ):
        print(f"{text[:44]} -> {describe_error(RuntimeError(text))[0][:90]}")


def transfer() -> None:
    """ResNet34, last block and head, at its own size: augmented, and with features kept."""
    for augment in (True, False):
        data = task(224, model="resnet34", augment=augment)
        begin = now()
        made = trainee(data)
        made.prepare(data.train, data.validation)
        ready = now() - begin
        loop = Loop(made)
        speed = per_second(loop, at_a_time=5, warm=10)
        host = host_microseconds(loop)
        count, busy, _ = kernels(loop, 5)
        asked = host_microseconds(lambda n, m=made: [ask_for_features(m) for _ in range(n)])
        what = f"resnet34 {data.image_size}px {'augmented' if augment else 'features kept'}"
        print(
            f"{what}: {speed:.0f} steps/s, {speed * BATCH:.0f} images/s; host {host:.0f} us,"
            f" {count:.0f} kernels, device {busy:.0f} us; ready after {ready:.2f} s;"
            f" asking whether features still hold takes {asked:.0f} us",
            flush=True,
        )


CHECKS = (
    first_steps,
    worker,
    warmed,
    panel,
    rates,
    pieces,
    waits,
    copies,
    grids,
    agreement,
    again,
    optimizers,
    checkpoints,
    restored,
    memory,
    no_memory,
    transfer,
)

if __name__ == "__main__":
    run_checks(CHECKS, sys.argv[1:])
