"""Gives damaged files to every reader: none may raise, hang, or take much time or memory.

    python tests/fuzz/fuzz.py --count 10000            # make fuzz
    python tests/fuzz/fuzz.py --target Trackio --seed 17 --count 1    # one variant again

Prints what failed with the options that repeat it; exits with 1 if anything did.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy, so that forked children have no threads
os.environ.pop("COLUMNS", None)
sys.path.insert(0, str(Path(__file__).parent))

from bounded_calls import MEGABYTES, Outcome, own_megabytes, run_bounded
from damage import damaged, first_difference
from fuzz_targets import Target, targets


def torch_targets(root: Path) -> list[Target]:
    from torch_targets import torch_targets  # takes seconds

    return list(torch_targets(root))


def variant(target: Target, seed: int, scratch: Path, most_calls: int, megabytes: float) -> Outcome:
    """Reads one damaged file with up to `most_calls` of the target's calls."""
    shutil.rmtree(scratch, ignore_errors=True)
    copy = scratch / "copy"
    shutil.copytree(target.folder, copy)
    file = copy / target.file
    good = file.read_bytes()
    bad = damaged(good, seed, target.kinds)
    file.write_bytes(bad)
    intact = scratch / "intact" / file.name
    intact.parent.mkdir()
    intact.write_bytes(_whole_lines(good[: first_difference(good, bad)], target))
    calls = target.calls(copy, file, intact)
    some = random.Random(seed).sample(sorted(calls), min(most_calls, len(calls)))
    return run_bounded({name: calls[name] for name in some}, scratch / "tmp", megabytes)


def read_good_files(found: list[Target], scratch: Path) -> None:
    """Makes each call on an intact file, in this process: what they import, children then have."""
    for target in found:
        shutil.rmtree(scratch, ignore_errors=True)
        copy = scratch / "copy"
        shutil.copytree(target.folder, copy)
        file = copy / target.file
        with (
            open(os.devnull, "w") as nowhere,
            contextlib.redirect_stdout(nowhere),
            contextlib.redirect_stderr(nowhere),
        ):
            for call in target.calls(copy, file, file).values():
                call()


def _whole_lines(text: bytes, target: Target) -> bytes:
    """Without a torn last line; binary formats have records of their own."""
    is_text = b"\0" not in (target.folder / target.file).read_bytes()
    return text[: text.rfind(b"\n") + 1] if is_text else text


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--count", type=int, default=1000, help="variants")
    parser.add_argument("--seed", type=int, default=0, help="of the first variant")
    parser.add_argument("--target", default="", help="only targets with this in their name")
    parser.add_argument("--torch", action="store_true", help="the readers that need torch")
    parser.add_argument("--calls", type=int, default=99, help="calls of each variant, at most")
    parser.add_argument("--most", type=int, default=20, help="failures to print before it ends")
    args = parser.parse_args(argv)
    failures, longest, largest, start = 0, 0.0, 0.0, time.monotonic()
    with tempfile.TemporaryDirectory(prefix="clr-tui-fuzz-") as folder:
        os.environ["CLR_TUI_RUNS"] = str(Path(folder) / "no runs")
        os.environ["XDG_STATE_HOME"] = os.environ["XDG_CACHE_HOME"] = str(Path(folder) / "state")
        every = torch_targets(Path(folder)) if args.torch else targets(Path(folder))
        found = [one for one in every if one.name == args.target]
        found = found or [one for one in every if args.target in one.name]
        taken = [one for one in found for _ in range(one.share)]
        if not taken:
            parser.error(f"no target has '{args.target}' in its name")
        read_good_files(found, Path(folder) / "scratch")
        megabytes = MEGABYTES + (own_megabytes() if args.torch else 0)
        for seed in range(args.seed, args.seed + args.count):
            target = taken[seed % len(taken)]
            outcome = variant(target, seed, Path(folder) / "scratch", args.calls, megabytes)
            longest = max(longest, *outcome.seconds.values(), 0.0)
            largest = max(largest, outcome.megabytes)
            for mistake in outcome.mistakes:
                failures += 1
                again = f"--target '{target.name}' --seed {seed} --count 1"
                print(f"{again}\n    {mistake}\n".replace("\n", "\n    "), flush=True)
            if failures >= args.most:
                break
    print(
        f"{args.count} variants of {len(found)} files in {time.monotonic() - start:.0f} s: "
        f"{failures} failed; longest call {longest:.2f} s, most memory {largest:.0f} MB"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
