"""`clr_tui.range_test`: a learning-rate range test as a call, for scripts and notebooks."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any, Literal

from torch import Tensor, nn
from torch.optim import Optimizer

from clr_tui.engine.settings.config import SMOOTHING, RangeTest
from clr_tui.engine.tasks.own_task import Data
from clr_tui.engine.training.given_objects import Given
from clr_tui.engine.training.given_sweep import sweep_given
from clr_tui.engine.training.optimizers.stepping import Stepping
from clr_tui.library.progress_line import ProgressLine
from clr_tui.library.sweep_result import RangeTestResult


def range_test(
    model: nn.Module,
    optimizer: Optimizer,
    loss: Callable[[Any, Any], Tensor] | None,
    data: Data,
    *,
    start_lr: float = 1e-7,
    end_lr: float = 1.0,
    steps: int | None = None,
    seeds: int = 1,
    step: Callable[[nn.Module, Any], Tensor] | None = None,
    batch_size: int = 64,
    collate: Callable[[list[Any]], Any] | None = None,
    accumulate: int = 1,
    clip: float | None = None,
    precision: Literal["float32", "bfloat16"] | None = None,
    stepping: Stepping | None = None,
    smoothing: float = SMOOTHING,
    divergence: float = 4.0,
    progress: bool | None = None,
) -> RangeTestResult:
    """Sweeps the learning rate up, from too low to too high, and says which one to train with.

    It is the range test of `clr-tui range-test` (L. N. Smith 2017, section 3.3), on objects of
    your own. Model, optimizer, random state and data are left as they were found, bit for bit:
    weights, buffers, gradients, modes, the optimizer's state and rates, the global generators of
    torch, Python and numpy, and those that a loader, its samplers and its data set hold. For the
    time of a sweep there is a copy of weights and state on the device.

    All randomness starts from the state that is found: `torch.manual_seed` before the call makes it
    repeatable. The model is put into training mode, and stays on its device.

    Args:
        model: the model, which is called as `model(inputs)`, `model(*inputs)` for a tuple of them,
            or `model(**inputs)` for a dict.
        optimizer: its optimizer. Parameter groups keep the ratios of their rates; the rates of the
            sweep are the first group's.
        loss: (outputs, targets) -> the mean loss of a batch, a scalar. None: `step` gives it, or
            the model's outputs have a `loss`, as those of Hugging Face.
        data: a `DataLoader`, which is used as it is; any other iterable of batches, or a function
            that returns one; a tuple (inputs, targets) or a dict of tensors or arrays with one
            sample per row; a `Dataset`. Batches have the forms described at `clr_tui.Task.train`.
        start_lr: the first rate, too low to learn anything.
        end_lr: the last rate, unless the loss diverges before.
        steps: updates in a sweep. None: two epochs, but at least 100 and at most 1,000; 100 for
            data without a length.
        seeds: sweeps, each from the same weights, in other orders of the data.
        step: (model, batch on the device) -> the loss, instead of `loss`.
        batch_size: samples in a batch, for data that is not in batches.
        collate: makes a batch of samples of a `Dataset`; None: torch's `default_collate`.
        accumulate: batches whose gradients are averaged for each update.
        clip: the largest norm of all gradients together.
        precision: what the model computes in; None: float32, or as `torch.autocast` around the call
            says.
        stepping: how the optimizer is stepped: `once`; `closure`, as L-BFGS; `perturbed`, as SAM;
            `graph`, as AdaHessian. None: judged by its class, which for `graph` it cannot be.
        smoothing: the weight of a new loss in the smoothed curve; 1: no smoothing.
        divergence: the sweep ends when the smoothed loss exceeds this multiple of its minimum.
        progress: whether to show the progress on standard error; None: if that is a terminal.

    Raises:
        UserError: an argument cannot be used.
    """
    given = Given(
        model=model,
        optimizer=optimizer,
        loss=loss,
        step=step,
        data=data,
        batch_size=batch_size,
        collate=collate,
        accumulate=accumulate,
        clip=clip,
        precision=precision,
        stepping=stepping,
    )
    job = RangeTest(
        start_lr=start_lr,
        end_lr=end_lr,
        steps=steps,
        seeds=seeds,
        smoothing=smoothing,
        divergence=divergence,
    )
    with closing(ProgressLine(seeds, progress)) as line:
        return RangeTestResult(sweep_given(given, job, line))
