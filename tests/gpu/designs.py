"""How fast could it be? Prototypes of a step, and of many trials at once.

usage: designs.py [CHECK]...

What the product would have to become, timed before it is built: steps per second of one trial,
and steps per second of many trials on one device, all together.
"""

from __future__ import annotations

import copy
import inspect
import math
import sys

import torch
from common import (
    BATCH,
    CUDA,
    DEVICE,
    PRECISION,
    SECONDS,
    TINY,
    ImageTask,
    Loop,
    RandomAffine,
    build_cnn,
    compiled,
    correct,
    generator,
    host_microseconds,
    kernels,
    now,
    per_second,
    resampled,
    run_checks,
    task,
    trainee,
    wait,
)
from torch import nn
from torch.nn import functional

STUDY = 18 * 150 * 53
"""Steps of the article's CNN study: 18 trials, 150 epochs, 53 batches of 64."""


def epoch_of_transforms(
    augment: RandomAffine, steps: int, batch: int, size: int, g: torch.Generator
) -> torch.Tensor:
    """(steps, batch, 2, 3): the same numbers as one draw per batch, by one draw per epoch."""
    draw = torch.rand((steps, 4, batch), generator=g).transpose(0, 1).reshape(4, -1)
    sign = torch.where(draw[0] < 0.5, -1.0, 1.0) if augment.flip else torch.ones(draw.shape[1])
    angle = (draw[1] * 2 - 1) * math.radians(augment.degrees)
    offset = (torch.floor(draw[2:] * (2 * augment.shift + 1)) - augment.shift) * (2 / size)
    cos, sin = angle.cos(), angle.sin()
    rows = [
        torch.stack([sign * cos, -sin, offset[0]], dim=1),
        torch.stack([sign * sin, cos, offset[1]], dim=1),
    ]
    return torch.stack(rows, dim=1).view(steps, batch, 2, 3)


class Whole:
    """A trial whose whole step is on the device: data, augmentation, both passes, update, record.

    Once per epoch the host passes in the order of the data and the transforms; the learning rate
    is a tensor.
    """

    def __init__(
        self, of: ImageTask, name: str = "sgd", *, seed: int = 0, precision: str = PRECISION
    ) -> None:
        self.task = of
        self.made = trainee(of, name, seed=seed, precision=precision)
        self.forward: nn.Module = self.made.model
        product = self.made.optimizer
        self.lr = torch.full((), 1e-3, device=DEVICE)
        kind = type(product)
        options = {k: v for k, v in product.defaults.items() if k in ("momentum", "fused") and v}
        if CUDA and "capturable" in inspect.signature(kind.__init__).parameters:
            options["capturable"] = True
        weights = [p for p in self.made.model.parameters() if p.requires_grad]
        self.optimizer = kind(weights, lr=self.lr, **options)
        self.steps = len(of.train) // BATCH
        self.order = torch.zeros(len(of.train), dtype=torch.int64, device=DEVICE)
        self.theta = torch.zeros(self.steps, BATCH, 2, 3, device=DEVICE)
        self.at = torch.zeros(1, dtype=torch.int64, device=DEVICE)
        self.within = torch.arange(BATCH, device=DEVICE)
        self.losses = torch.zeros(4096, device=DEVICE)
        self.correct = torch.zeros(4096, dtype=torch.int64, device=DEVICE)
        self.count = torch.zeros(1, dtype=torch.int64, device=DEVICE)
        self.shuffling = generator(seed, "order")
        self.augmenting = generator(seed, "augmentation")
        self.position = self.steps
        self.stream = torch.cuda.Stream() if CUDA else None
        self.graph = None

    def load_epoch(self) -> None:
        order = torch.randperm(len(self.task.train), generator=self.shuffling)
        theta = epoch_of_transforms(
            self.task.augment, self.steps, BATCH, self.task.image_size, self.augmenting
        )
        if CUDA:
            order, theta = order.pin_memory(), theta.pin_memory()
        self.order.copy_(order, non_blocking=True)
        self.theta.copy_(theta, non_blocking=True)
        self.at.zero_()
        self.position = 0

    def body(self) -> None:
        part = self.task.train
        chosen = self.order.index_select(0, self.at * BATCH + self.within)
        theta = self.theta.index_select(0, self.at).squeeze(0)
        images = part.inputs.index_select(0, chosen)
        labels = part.targets.index_select(0, chosen)
        images = resampled(images, theta, self.task.augment.fill)
        self.optimizer.zero_grad(set_to_none=True)
        with autocast(self.made.precision == "bfloat16"):
            logits = self.forward(self.task.normalise(images))
            loss = self.task.loss(logits, labels)
        loss.backward()
        self.optimizer.step()
        with torch.no_grad():
            place = self.count % len(self.losses)
            self.losses.index_copy_(0, place, loss.detach().float().view(1))
            self.correct.index_copy_(0, place, correct(logits, labels).total.view(1))
            self.count += 1
            self.at += 1

    def capture(self) -> None:
        with torch.cuda.stream(self.stream):
            for _ in range(3):  # cuDNN tries its algorithms; the optimizer makes its state
                self.step()
        wait()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self.stream):
            self.body()
        self.graph = graph
        self.position = self.steps  # capturing computes nothing

    def step(self) -> None:
        if self.position >= self.steps:
            self.load_epoch()
        self.position += 1
        self.graph.replay() if self.graph else self.body()

    def __call__(self, steps: int) -> None:
        if self.stream is None:
            for _ in range(steps):
                self.step()
            return
        with torch.cuda.stream(self.stream):
            for _ in range(steps):
                self.step()


def same() -> None:
    """Does the prototype train as the product does: the same batches, the same losses?"""
    of = task(32)
    product, whole = trainee(of, precision="float32"), Whole(of, precision="float32")
    for p in product.optimizer.param_groups:
        p["lr"] = 1e-3
    torch.manual_seed(0)
    expected = torch.stack([product.step()[0] for _ in range(6)]).tolist()
    torch.manual_seed(0)
    whole(6)
    wait()
    found = whole.losses[:6].tolist()
    most = max(abs(a - b) for a, b in zip(found, expected, strict=True))
    print("the same bits" if found == expected else f"not the same: up to {most:.1e} apart")
    print(f"losses of the product {shown(expected)}; of the prototype {shown(found)}")


def shown(losses: list[float]) -> str:
    return " ".join(f"{loss:.5f}" for loss in losses)


def line(what: str, speed: float, more: str = "") -> None:
    study = f"the study in {STUDY / speed:6.0f} s"
    print(f"{what:<44}{speed:9.0f} steps/s of all trials; {study} {more}", flush=True)


def steps() -> None:
    """One trial, as it is and as one graph."""
    for size in (32,) if TINY else (32, 128):
        of = task(size)
        for precision in dict.fromkeys((PRECISION, "float32")):
            line(
                f"{size}px {precision}: as it is",
                per_second(Loop(trainee(of, precision=precision))),
            )
            whole = Whole(of, precision=precision)
            if CUDA:
                whole.capture()
            speed = per_second(whole, at_a_time=20)
            count, busy, _ = kernels(whole)
            line(
                f"{size}px {precision}: whole step as a graph",
                speed,
                f"{count:.0f} kernels, {busy:.0f} us; host {host_microseconds(whole):.0f} us",
            )


ARTICLE = ("sgd", "adam", "adamax", "rmsprop", "adadelta", "adamw", "nadam", "radam", "adagrad")
"""Adagrad last: a capture that fails can leave the process in a bad state."""


def names() -> None:
    """Which of the article's optimizers can be in the graph?"""
    of, found = task(32), []
    for name in ("sgd", "adagrad") if TINY else ARTICLE:
        try:
            whole = Whole(of, name)
            if CUDA:
                whole.capture()
            speed = per_second(whole, at_a_time=20, seconds=SECONDS / 4)
            loss = whole.losses[:50].mean().item()
            found.append(f"{name} {speed:.0f}/s (loss {loss:.2f})")
        except Exception as error:
            if not CUDA:  # nothing is captured: there is no reason to fail
                raise
            words = " ".join(str(error).split())
            found.append(f"{name} fails: {type(error).__name__}: {words[:120]}")
    print("; ".join(found))


def streams() -> None:
    """Many trials as graphs in one process, each on its own stream."""
    for size in (32,) if TINY else (32, 128):
        of = task(size)
        for many in (1, 2) if TINY else (1, 2, 4, 8, 18):
            trials = [Whole(of, seed=i) for i in range(many)]
            if CUDA:
                for trial in trials:
                    trial.capture()

            def work(steps: int, trials=trials) -> None:
                for _ in range(steps):
                    for trial in trials:
                        trial(1)

            line(f"{size}px: {many} graphs on {many} streams", many * per_second(work, warm=20))
            if CUDA:
                torch.cuda.empty_cache()


class Stacked:
    """Many models as one, by torch.func.vmap; batch norm keeps no running statistics."""

    def __init__(self, many: int, size: int) -> None:
        self.many = many
        models = [without_statistics(build_cnn(3, size, 5)).to(DEVICE) for _ in range(many)]
        models = [model.to(memory_format=torch.channels_last) for model in models]
        self.weights, _ = torch.func.stack_module_state(models)
        base = copy.deepcopy(models[0]).to("meta")
        self.forward = torch.vmap(
            lambda weights, x: torch.func.functional_call(base, weights, (x,)),
            randomness="different",
        )
        rate = torch.full((), 1e-3, device=DEVICE)
        self.sgd = torch.optim.SGD(self.weights.values(), lr=rate, momentum=0.9, fused=True)
        self.x = torch.randn(many, BATCH, 3, size, size, device=DEVICE)
        self.y = torch.randint(0, 5, (many * BATCH,), device=DEVICE)

    def __call__(self, steps: int) -> None:
        for _ in range(steps):
            self.sgd.zero_grad(set_to_none=True)
            with autocast(CUDA):
                logits = self.forward(self.weights, self.x)
                loss = functional.cross_entropy(logits.flatten(0, 1), self.y) * self.many
            loss.backward()
            self.sgd.step()

    def captured(self) -> torch.cuda.CUDAGraph:
        stream = torch.cuda.Stream()
        with torch.cuda.stream(stream):
            self(3)
        wait()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=stream):
            self(1)
        return graph


def without_statistics(model: nn.Module) -> nn.Module:
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.track_running_stats = False
            module.running_mean = module.running_var = module.num_batches_tracked = None
    return model


def autocast(enabled: bool) -> torch.autocast:
    """bfloat16, without the cache of cast weights, which a graph cannot use."""
    return torch.autocast(DEVICE.type, dtype=torch.bfloat16, enabled=enabled, cache_enabled=False)


def stacked() -> None:
    """Many models as one (grouped convolutions); without data and augmentation."""
    size = 16 if TINY else 32
    for many in (2,) if TINY else (6, 18):
        step = Stacked(many, size)
        speed = many * per_second(step, warm=5)
        count, busy, _ = kernels(step, 3)
        what = f"{size}px: {many} models stacked"
        line(f"{what}, eager", speed, f"{count:.0f} kernels, {busy:.0f} us")
        if CUDA:
            graph = step.captured()
            replay = per_second(lambda n, g=graph: [g.replay() for _ in range(n)], warm=5)
            line(f"{what}, as a graph", many * replay)


def compile_it() -> None:
    """The product's --compile, and inductor's code inside the whole graph."""
    if TINY:
        print("left out of a dry run: compiling takes long")
        return
    of, what = task(32), f"32px {PRECISION}"
    begin = now()
    made = compiled(trainee(of), lambda event: None)
    took = (
        f"compiled in {now() - begin:.0f} s{'' if made.forward else ' (not compiled, see stderr)'}"
    )
    line(f"{what}: --compile", per_second(Loop(made)), took)
    torch.compiler.reset()
    begin = now()
    whole = Whole(of)
    whole.forward = torch.compile(
        whole.made.model, dynamic=False, options={"fallback_random": True}
    )
    whole.capture()
    took = f"compiled in {now() - begin:.0f} s"
    count, busy, _ = kernels(whole)
    speed = per_second(whole, at_a_time=20)
    line(f"{what}: inductor in the graph", speed, f"{count:.0f} kernels, {busy:.0f} us; {took}")
    begin = now()
    torch.compiler.reset()
    compiled(trainee(of, seed=1), lambda event: None)
    print(f"--compile of the next trial, from the code on disk: {now() - begin:.1f} s")


CHECKS = (same, steps, streams, names, stacked, compile_it)

if __name__ == "__main__":
    run_checks(CHECKS, sys.argv[1:])
