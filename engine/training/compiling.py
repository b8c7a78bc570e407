"""The model's part of a training step through torch.compile, where that can be had.

What it saves is the time between kernels, of which a small model on a large GPU has most; there
the code runs as CUDA graphs too. That was not measured. On the CPU it does not pay: steps a second,
of those without it, by medians of interleaved rounds (CNN, batch 64, one thread, two cores that
others used too):

    8x8       0.66
    32x32     0.92 and 1.09
    64x64     0.82
    128x128   1.05 (batch 32)

and the first step takes 30 to 50 s, or 1 to 6 where the disk has the code of an earlier process.
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
"""With CUDA graphs the first step runs as it stands, the second is recorded, the third replayed."""
_LONGEST = 200
"""Characters of a compiler's own words; worker.log has all of them."""


def compiling_where_it_pays(
    config: RunConfig, device: torch.device, emit: Callable[[Event], object]
) -> RunConfig:
    """`config`, which asks for compiled code on CUDA at most; says so where it asked elsewhere."""
    if not config.task.compile or device.type == "cuda":
        return config
    text = f"the model is not compiled: that is for CUDA, and this run is on {device}"
    emit(Note(level="warning", text=text))
    task = msgspec.structs.replace(config.task, compile=False)
    return msgspec.structs.replace(config, task=task)


def compiled(trainee: Trainee, emit: Callable[[Event], object]) -> Trainee:
    """`trainee`, but its training steps run compiled code. Compiles now: this takes a while.

    Compiling is done by steps of which nothing remains. So the time that it takes is not that of
    any step, and what fails has failed before the first one: then a warning says why, and the
    trainee is the one that was given. Evaluation keeps to the model itself: it comes in two sizes
    of batches and another mode, each of which would have to be compiled too.

    One trainee at a time in a process: what was compiled before is let go.
    """
    trainee.prepare(trainee.task.train)  # it tells of itself
    emit(Progress(what=COMPILING, done=0, total=1))
    steps = _GRAPH_STEPS if trainee.device.type == "cuda" else 1
    with left_as_found(trainee):
        trainee.model.train()
        try:
            torch.compiler.reset()
            candidate = dataclasses.replace(trainee, forward=_forward(trainee))
            for _ in range(steps):
                candidate.gradients()
        except Exception as error:  # noqa: BLE001 - a compiler may raise anything
            traceback.print_exc()
            why = f"the model is not compiled, and is trained as it is: {_words(error)}"
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
            # What earlier steps returned is done with: its memory may be written to.
            torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
        return call(code, inputs)

    return step


def options_on(device: torch.device) -> dict[str, Any]:
    """How torch's compiler works on a device; see `torch._inductor.config`."""
    # Dropout drops what it would have dropped without the compiler.
    options: dict[str, Any] = {"fallback_random": True}
    if device.type == "cuda":
        options["triton.cudagraphs"] = True
    elif device.type == "cpu":
        # Else, in some versions of torch, code from the disk may be for another number of them.
        options["cpp.threads"] = torch.get_num_threads()
    return options


def _words(error: BaseException) -> str:
    text = str(error)
    if "InvalidCxxCompiler" in text:
        return "there is no C++ compiler here that works"
    if "Cannot find a working triton" in text:
        return "triton is not installed here"
    return textwrap.shorten(f"{type(error).__name__}: {text}", _LONGEST, placeholder=" ...")
