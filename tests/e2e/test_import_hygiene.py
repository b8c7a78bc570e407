"""What each side may load, seen from outside: fresh interpreters and their `sys.modules`."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys

import pytest


def modules_after(code: str) -> set[str]:
    script = f"import json, sys\n{code}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    return {name.split(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def all_modules(package: str) -> list[str]:
    found = __import__(package, fromlist=["__path__"])
    return [
        info.name
        for info in pkgutil.walk_packages(found.__path__, package + ".")
        if not info.name.endswith("__main__")
    ]


def test_the_whole_tui_loads_without_torch() -> None:
    names = all_modules("clr_tui.tui")
    assert "clr_tui.tui.app" in names
    loaded = modules_after("\n".join(f"import {name}" for name in names))
    assert "textual" in loaded
    assert not loaded & {"torch", "torchvision"}


@pytest.mark.parametrize("package", ["clr_tui.engine.runs", "clr_tui.engine.analysis"])
def test_a_log_is_readable_without_torch_or_a_screen(package: str) -> None:
    loaded = modules_after("\n".join(f"import {name}" for name in all_modules(package)))
    assert not loaded & {"torch", "torchvision", "textual", "rich", "plotext"}


def test_the_engine_loads_without_a_screen_library() -> None:
    names = all_modules("clr_tui.engine")
    assert "clr_tui.engine.worker" in names
    loaded = modules_after("\n".join(f"import {name}" for name in names))
    assert "torch" in loaded
    assert not loaded & {"textual", "rich", "plotext"}
