"""Puts the measured tables into docs/statistics.md, between the comments that name them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[3] / "docs" / "statistics.md"
Results = Mapping[str, Any]


def write_page(results: Results) -> None:
    """Replaces the tables of the page by those of these results."""
    PAGE.write_text(with_tables(PAGE.read_text(), results))


def with_tables(page: str, results: Results) -> str:
    """The page with its tables made anew; a table that was not measured yet stays empty."""

    def made(found: re.Match[str]) -> str:
        name = found["name"]
        part, table = TABLES[name]
        rows = table(results[part]) if part in results else []
        return f"<!-- table: {name} -->\n{''.join(row + chr(10) for row in rows)}<!-- end -->"

    return re.sub(r"<!-- table: (?P<name>[a-z]+) -->\n.*?<!-- end -->", made, page, flags=re.S)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def _percent(share: float | None, digits: int = 1) -> str:
    return "" if share is None else f"{100 * share:.{digits}f}"


def _over_seeds(name: str, by_seeds: Mapping[str, Results], figures: Sequence[str]) -> list[str]:
    cells = [name]
    for figure in figures:
        cells += [_percent(by_seeds.get(seeds, {}).get(figure)) for seeds in ("3", "5", "10")]
    return cells


def _coverage(rates: Results) -> list[str]:
    header = ["95% intervals, % that are right", *_with_seeds("mean"), *_with_seeds("difference")]
    figures = ("covered", "pairs_covered")
    return _table(header, [_over_seeds(name, told, figures) for name, told in rates.items()])


def _false(rates: Results) -> list[str]:
    header = ["six equal optimizers, % of comparisons", *_with_seeds("any pair told apart")]
    return _table(header, [_over_seeds(name, told, ["false_runs"]) for name, told in rates.items()])


def _leaders(rates: Results) -> list[str]:
    header = ["intervals of the leader, % that are right", *_with_seeds("mean")]
    names = [name for name in rates if name.startswith(("normal, correlation", "digits: six"))]
    return _table(header, [_over_seeds(name, rates[name], ["leader_covered"]) for name in names])


def _with_seeds(what: str) -> list[str]:
    return [f"{what}, 3 seeds", "5", "10"]


def _power(power: Results) -> list[str]:
    rows = []
    for apart in power["2"]:
        cells = [f"{apart} standard deviation{'' if apart == '1' else 's'}"]
        for entries in ("2", "6"):
            cells += [_percent(power[entries][apart][seeds], 0) for seeds in ("3", "5", "10")]
        rows.append(cells)
    return _table(
        [
            "the better one is ahead by",
            *_with_seeds("of 2, % found"),
            *_with_seeds("of 6, % found"),
        ],
        rows,
    )


def _pairs(digits: Results) -> list[str]:
    rows = []
    for pair in digits["pairs"]:
        name = f"`{pair['better']}` over `{pair['worse']}`"
        told = [_percent(pair["told"][seeds], 0) for seeds in ("3", "5", "10")]
        sizes = [_percent(pair["difference"], 2), _percent(pair["sd"], 2)]
        rows.append([name, *sizes, f"{pair['correlation']:.2f}", *told])
    header = ["digits", "ahead by, points", "sd of the difference", "correlation"]
    return _table([*header, *_with_seeds("% found")], rows)


def _bootstraps(bootstraps: Results) -> list[str]:
    rows = []
    for name, by_seeds in bootstraps.items():
        for method in next(iter(by_seeds.values())):
            cells = [name, method]
            for seeds in ("3", "5", "10"):
                right, exist = by_seeds[seeds][method]
                some = f" (of {_percent(exist, 0)})" if 0 < exist < 0.995 else ""
                cells.append(f"{_percent(right)}{some}" if exist else "none")
            rows.append(cells)
    return _table(["intervals of a mean, % that are right", "by", "3 seeds", "5", "10"], rows)


def _epochs(epochs: Results) -> list[str]:
    rows = [
        [f"`{label}`", f"{100 * told['validation']:+.2f}", f"{100 * told['test']:+.2f}"]
        for label, told in epochs.items()
    ]
    return _table(["best epoch - last epoch, points", "on validation", "on test"], rows)


def _regrets(regrets: Results) -> list[str]:
    """By true loss; figures of 3, 5 and 10 seeds in one cell."""
    figures = (("said", 2), ("crossed", 2), ("covered", 0), ("called_best", 0), ("told", 0))
    rows = []
    for name, by_seeds in regrets.items():
        known = sorted(zip(*by_seeds.values(), strict=True), key=lambda told: told[0]["true"])
        for told in known if name == "digits" else [_mean(known)]:
            cells = [" / ".join(_percent(one[f], digits) for one in told) for f, digits in figures]
            equal = "" if name == "digits" else ", all equal"
            rows.append([_percent(told[0]["true"], 2) + equal, *cells])
    columns = ["said to be", "crossed", "interval right, %", "comes out best, %", "found, %"]
    return _table(["true loss, points; 3 / 5 / 10 seeds", *columns], rows)


def _pooled(pooled: Results) -> list[str]:
    rows = []
    for method in ("own", "moderated", "pooled"):
        cells = [f"{method} variance"]
        for case in pooled.values():
            cells.append(" / ".join(_percent(told[method]) for told in case.values()))
        rows.append(cells)
    columns = ["any false difference, %", "the same, one spread of 10", "true ones found, %"]
    return _table(["six optimizers; 3 / 5 / 10 seeds", *columns], rows)


def _forgiving(forgiving: Results) -> list[str]:
    rows = [
        [name, *(" / ".join(_percent(share, 0) for share in told) for told in by_seeds.values())]
        for name, by_seeds in forgiving.items()
    ]
    return _table(["said to forgive most: the first / the second, %", "3 seeds", "5", "10"], rows)


def _plateaus(plateaus: Results) -> list[str]:
    rows = []
    for words, way in (("the best rate alone", "alone"), ("all within two points", "reported")):
        for figure, digits, what in (
            ("middle", 1, "tolerance, points: the median"),
            ("wide", 1, "the same: one in ten is larger"),
            ("whole", 0, "whole plateau found, %"),
            ("too_wide", 0, "reaches a rate two points worse, %"),
        ):
            values = [_percent(by_way[way][figure], digits) for by_way in plateaus.values()]
            rows.append([words, what, *values])
    return _table(["spread by the seeds of", "", *(f"{seeds} seeds" for seeds in plateaus)], rows)


def _targets(habits: Results) -> list[str]:
    rows = [
        [f"{100 * float(noise):g} points", f"{epoch:.1f}"]
        for noise, epoch in habits["targets"].items()
    ]
    return _table(["noise of the curve (standard deviation)", "said to reach it in epoch"], rows)


def _mean(rates: Sequence[Sequence[Results]]) -> list[Results]:
    """Over rates that are alike, for each number of seeds."""
    return [
        {figure: sum(one[figure] for one in same) / len(same) for figure in same[0]}
        for same in zip(*rates, strict=True)
    ]


TABLES: Mapping[str, tuple[str, Callable[[Results], list[str]]]] = {
    "coverage": ("rates", _coverage),
    "false": ("rates", _false),
    "leaders": ("rates", _leaders),
    "unpaired": ("unpaired", _coverage),
    "unpairedfalse": ("unpaired", _false),
    "power": ("power", _power),
    "pairs": ("digits", _pairs),
    "bootstraps": ("bootstraps", _bootstraps),
    "epochs": ("epochs", _epochs),
    "regrets": ("regrets", _regrets),
    "targets": ("habits", _targets),
    "pooled": ("pooled", _pooled),
    "forgiving": ("forgiving", _forgiving),
    "plateaus": ("plateaus", _plateaus),
}
"""By name: the part of the results that a table shows, and the function that makes it."""
