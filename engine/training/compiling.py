"""Running the model's part of a training step through torch.compile, if possible.

It saves time between kernels, which matters most for a small model on a large GPU, where the code
also runs as CUDA graphs. That was not measured. On the CPU it does not pay: steps per second
relative to those without it, medians of interleaved rounds (CNN, batch 64, one thread, two shared
cores):

    8x8       0.66
    32x32     0.92 and 1.09
    64x64     0.82
    128x128   1.05 (batch 32)

and the first step takes 30 to 50 s, or 1 to 6 if the disk has the code of an earlier process.
"""

from __future__ import annotations

import dataclasses
import textwrap
import traceback
from collections.abc import Callable
from typing import Any

import msgspec
import torch

from clr_tui.engine.log.events import Event, Note, Progress
from clr_tui.engine.settings.config import RunConfig
from clr_tui.engine.tasks.trees import Tree, call
from clr_tui.engine.training.preserve import left_as_found
from clr_tui.engine.training.trainee import Trainee

COMPILING = "compiling the model"
_GRAPH_STEPS = 3
"""With CUDA graphs the first step runs normally, the second is recorded, the third replayed."""
_MAX_ERROR_LENGTH = 200
"""Characters of a compiler's message to show; worker.log has all of them."""


def without_compile_off_cuda(
    config: RunConfig, device: torch.device, emit: Callable[[Event], object]
) -> RunConfig:
    """`config` without `compile` unless the device is CUDA; logs a warning if that changes it."""
    if not config.task.compile or device.type == "cuda":
        return config
    text = f"the model is not compiled: compile needs CUDA, but this run uses {device}"
    emit(Note(level="warning", text=text))
    task = msgspec.structs.replace(config.task, compile=False)
    return msgspec.structs.replace(config, task=task)


def compiled(trainee: Trainee, emit: Callable[[Event], object]) -> Trainee:
    """Compiles the training steps of `trainee`. This takes a while.

    Compiles by running steps and undoing them, so that compiling does not count as time of any
    step, and fails before the first one: then a warning says why, and `trainee` itself is returned.
    Evaluation uses the model itself: it has two batch sizes and another mode, each of which would
    have to be compiled too.

    One trainee at a time per process: earlier compiled code is released.
    """
    if trainee.task.calls_model:
        text = "the model is not compiled: the task's own step calls it; use model.compile() there"
        emit(Note(level="warning", text=text))
        return trainee
    trainee.prepare(trainee.task.train)  # reports its own progress
    emit(Progress(what=COMPILING, done=0, total=1))
    steps = _GRAPH_STEPS if trainee.device.type == "cuda" else 1
    with left_as_found(trainee):
        trainee.model.train()
        try:
            torch.compiler.reset()
            candidate = dataclasses.replace(trainee, forward=_forward(trainee))
            for _ in range(steps):
                candidate.gradients([candidate.batches.draw()])
        except Exception as error:  # noqa: BLE001 - a compiler may raise anything
            traceback.print_exc()
            why = f"the model is not compiled, and is trained as it is: {_error_line(error)}"
            emit(Note(level="warning", text=why))
            candidate = trainee
    emit(Progress(what=COMPILING, done=1, total=1))
    return candidate


def _forward(trainee: Trainee) -> Callable[[Tree], Tree]:
    function, inputs_of = trainee.task.trained(trainee.model)
    code = torch.compile(function, dynamic=False, options=options_on(trainee.device))
    on_cuda = trainee.device.type == "cuda"

    def step(batch: Tree) -> Tree:
        inputs = inputs_of(batch)
        if on_cuda:
            # Outputs of earlier steps are no longer used: their memory may be overwritten.
            torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
        return call(code, inputs)

    return step


def options_on(device: torch.device) -> dict[str, Any]:
    """Options of torch's compiler for a device; see `torch._inductor.config`."""
    # Dropout draws the same values as without the compiler.
    options: dict[str, Any] = {"fallback_random": True}
    if device.type == "cuda":
        options["triton.cudagraphs"] = True
    elif device.type == "cpu":
        # In some versions of torch, cached code might otherwise be for another number of threads.
        options["cpp.threads"] = torch.get_num_threads()
    return options


def _error_line(error: BaseException) -> str:
    text = str(error)
    if "InvalidCxxCompiler" in text:
        return "no working C++ compiler was found"
    if "Cannot find a working triton" in text:
        return "triton is not installed"
    return textwrap.shorten(
        f"{type(error).__name__}: {text}", _MAX_ERROR_LENGTH, placeholder=" ..."
    )
