"""What the name of a logged value says: its quantity, the part of the data, and what it measures.

Tools name the same things differently: `val_loss`, `loss/val`, `eval_loss`, `valid_loss`,
`train/box_loss`, `train_loss_epoch`, `metrics/mAP50(B)`, `lr-SGD`, `learning_rate`, `lr/pg0`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Part = Literal["", "train", "val", "test"]
Sort = Literal["loss", "metric", "lr", "other", "count", "system"]
"""What a value is. `count`: what only counts or times, such as `epoch` or `runtime`; `system`: load
of the machine."""
SORTS: tuple[Sort, ...] = ("loss", "metric", "lr", "other", "count", "system")
"""In the order in which charts are shown."""

_PARTS: dict[str, Part] = {
    "train": "train",
    "training": "train",
    "tr": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "eval": "val",
    "evaluation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
}
_STEP_OR_EPOCH = re.compile(r"(?<!per)[_/.-](step|epoch)$", re.IGNORECASE)
"""What Lightning appends to a value that is logged by step and by epoch."""
_LOSSES = frozenset({"loss", "losses", "nll", "perplexity", "ppl", "bpc", "bpb", "elbo"})
_METRICS = frozenset(
    """
    metrics acc acc1 acc5 accuracy top1 top3 top5 f1 precision recall auc auroc auprc ap map map50
    map75 iou miou dice bleu rouge chrf meteor cider spice r2 psnr ssim lpips fid mae mse rmse mape
    wer cer error err reward return score success kappa mcc corr correlation spearman pearson em
    """.split()  # noqa: SIM905 - a list of strings would be a word a line
)
_SHARES = frozenset({"acc", "acc1", "acc5", "accuracy", "top1", "top3", "top5"})
_RATES = frozenset({"lr", "lrs", "learningrate", "learningrates"})
_COUNTS = frozenset(
    """
    epoch epochs step steps iter iters iteration iterations time runtime elapsed timestamp duration
    seconds secs eta samples tokens images examples flos flops batch progress
    """.split()  # noqa: SIM905 - as above
)


@dataclass(frozen=True)
class MetricName:
    """A name, taken apart."""

    name: str
    """As it was logged."""
    quantity: str
    """Without what says the part of the data: "loss" of "val_loss"."""
    part: Part
    """"" if the name does not say it: usually the training data."""
    each: Literal["", "step", "epoch"]
    """What a value stands for, if the name says it: "epoch" of "train_loss_epoch"."""
    sort: Sort

    @property
    def group(self) -> str:
        """What comes before the last `/` of the quantity, such as "metrics"."""
        return self.quantity.rpartition("/")[0]


@lru_cache(maxsize=8192)
def read_name(name: str) -> MetricName:
    """Takes a name apart."""
    each: Literal["", "step", "epoch"] = ""
    bare = name.strip()
    quantity, part = _without_part(bare)
    found = _STEP_OR_EPOCH.search(quantity)
    if found and (part or _sort_of(quantity[: found.start()]) in ("loss", "metric")):
        each = "epoch" if found[1].lower() == "epoch" else "step"
        quantity = quantity[: found.start()]
    return MetricName(name, quantity, part, each, _sort_of(quantity))


def is_share(quantity: str) -> bool:
    """Whether a quantity is the share of what was right, which is read as per cent."""
    return not _SHARES.isdisjoint(_words(quantity))


def in_order(names: Iterable[MetricName]) -> list[MetricName]:
    """Sorts names: losses, metrics, learning rates, the rest; those of a group stay together."""
    known = list(names)
    first: dict[tuple[Sort, str], int] = {}
    for place, one in enumerate(known):
        first.setdefault((one.sort, one.group), place)

    def place_of(one: MetricName) -> tuple[int, bool, int]:
        own_loss = one.quantity.casefold() == "loss"
        return SORTS.index(one.sort), not own_loss, first[one.sort, one.group]

    return sorted(known, key=place_of)


def _without_part(name: str) -> tuple[str, Part]:
    """The name without the first word that says the part of the data, and that part."""
    segments = name.split("/")
    for place, segment in enumerate(segments):
        if len(segments) > 1 and (part := _PARTS.get(segment.casefold(), "")):
            return "/".join(segments[:place] + segments[place + 1 :]), part
    for place, segment in enumerate(segments):
        for pattern in (r"([A-Za-z]+)[_.\- ](.+)", r"(?P<rest>.+)[_.\- ](?P<word>[A-Za-z]+)"):
            found = re.fullmatch(pattern, segment)
            if found is None:
                continue
            named = found.groupdict()
            word, rest = (named["word"], named["rest"]) if named else (found[1], found[2])
            if part := _PARTS.get(word.casefold(), ""):
                return "/".join([*segments[:place], rest, *segments[place + 1 :]]), part
    return name, ""


def _sort_of(quantity: str) -> Sort:
    words = _words(quantity)
    if words[:1] == ["system"] or quantity.casefold().startswith("_system"):
        return "system"
    together = "".join(words)
    if not _RATES.isdisjoint(words) or together in _RATES or together.startswith("learningrate"):
        return "lr"
    if _is_count(words):
        return "count"
    # "boxloss" of "train/BoxLoss" too.
    if not _LOSSES.isdisjoint(words) or any(word.endswith("loss") for word in words):
        return "loss"
    if not _METRICS.isdisjoint(words):
        return "metric"
    return "other"


def _is_count(words: list[str]) -> bool:
    """Whether a name only counts or times: "epoch", "total_flos", "samples_per_second"."""
    known = [word for word in words if word not in ("global", "total", "per", "num", "wall", "s")]
    return all(word in _COUNTS or word == "second" for word in known) and bool(words)


def _words(name: str) -> list[str]:
    """The words of a name in lower case: "mAP50-95(B)" has "map50", "95" and "b"."""
    split = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", name)
    return [word for word in re.split(r"[^a-z0-9]+", split.casefold()) if word]
