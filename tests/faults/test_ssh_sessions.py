"""A training that was started through SSH, and what becomes of it as the connection ends or stalls.

A real sshd listens on the loopback interface, for this user and a key of its own.
"""

from __future__ import annotations

import getpass
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "e2e"))

from homes import Home
from terminal import Terminal

from clr_tui.engine.log.events import RunFinished, Steps
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.log.tail import Batch, read_events

SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(SSHD is None or shutil.which("ssh") is None, reason="needs sshd and ssh"),
]
CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
"""


class Sshd:
    """A server for logins with its own key."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        for key in ("host", "user"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True
            )
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        config = folder / "config"
        config.write_text(CONFIG.format(port=self.port, folder=folder))
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)
        self.log = folder / "log"
        command = [str(SSHD), "-D", "-f", str(config), "-E", str(self.log)]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def command(self, *arguments: str, terminal: bool = True) -> list[str]:
        options = ["-F", "none", "-i", str(self.folder / "user"), "-p", str(self.port)]
        for option in ("StrictHostKeyChecking=no", "LogLevel=ERROR", "BatchMode=yes"):
            options += ["-o", option]
        options += ["-o", f"UserKnownHostsFile={os.devnull}", *(["-tt"] if terminal else [])]
        return ["ssh", *options, f"{getpass.getuser()}@127.0.0.1", shlex.join(arguments)]

    def takes_logins(self) -> bool:
        for _ in range(50):
            login = subprocess.run(
                self.command("true", terminal=False), capture_output=True, text=True, check=False
            )
            if login.returncode == 0 or "refused" not in login.stderr:
                return login.returncode == 0
        return False


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.close()


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    sshd = Sshd(tmp_path / "ssh")
    try:
        if not sshd.takes_logins():
            said = sshd.log.read_text() if sshd.log.exists() else ""
            pytest.skip(f"sshd takes no logins here: {said[-500:]}")
        yield sshd
    finally:
        sshd.process.terminate()
        sshd.process.wait(30)


class Session:
    """`clr-tui` in an SSH session, on a terminal."""

    def __init__(self, sshd: Sshd, home: Home, *arguments: str) -> None:
        names = ("HOME", "XDG_CACHE_HOME", "CLR_TUI_RUNS", "COLORTERM", "LANG", "OMP_NUM_THREADS")
        environment = [f"{name}={home.env[name]}" for name in names]
        program = shlex.join(["env", *environment, sys.executable, "-m", "clr_tui.tui", *arguments])
        command = sshd.command("sh", "-c", f"echo pid:$$:; exec {program}")
        self.terminal = Terminal(command, home.env)
        home.terminals.append(self.terminal)
        self.terminal.wait_for("pid:")
        found = re.search(rb"pid:(\d+):", bytes(self.terminal.output))
        assert found is not None
        self.pid = int(found[1])
        """Of clr-tui."""

    @property
    def server(self) -> int:
        """The process of sshd that serves this session."""
        told = subprocess.run(
            ["ps", "-o", "ppid=", "-p", str(self.pid)], capture_output=True, text=True, check=True
        )
        return int(told.stdout)


def trains_on(run: RunDir, terminal: Terminal, chunks: int = 8) -> Batch:
    """Reads the log until so many more chunks of steps are in it: some seconds of training."""
    before = count(read_events(run.events_path))
    for _ in range(3000):
        terminal.read(0.1)
        batch = read_events(run.events_path)
        if count(batch) >= before + chunks:
            return batch
    raise AssertionError("the training does not go on")


def count(batch: Batch) -> int:
    return sum(isinstance(event, Steps) for event in batch.events)


def test_a_training_outlives_its_connections(sshd: Sshd, home: Home) -> None:
    task = ("train", "--max-lr", "0.01", "--policy", "constant", "--epochs", "9000")
    first = Session(sshd, home, *task)
    first.terminal.wait_for("running", seconds=300)
    run = home.only_run("train")
    trains_on(run, first.terminal)

    # The connection dies.
    os.kill(first.server, signal.SIGKILL)
    assert first.terminal.wait_for_exit() == 255
    trains_on(run, first.terminal)
    assert run.alive

    # It stalls: sshd neither reads nor writes. Then it goes on.
    second = Session(sshd, home, "attach")
    second.terminal.wait_for("running", seconds=120)
    server = second.server
    os.kill(server, signal.SIGSTOP)
    try:
        trains_on(run, second.terminal, chunks=20)
    finally:
        os.kill(server, signal.SIGCONT)
    second.terminal.press("?")
    second.terminal.wait_for("show the keys of this screen", seconds=120)
    second.terminal.press("escape")

    # The session is ended in order.
    os.kill(second.pid, signal.SIGHUP)
    assert second.terminal.wait_for_exit() == 128 + signal.SIGHUP
    assert b"\x1b[?1049l" in second.terminal.output[-2000:]
    trains_on(run, second.terminal)

    # A new one shows everything and can end it.
    third = Session(sshd, home, "attach", run.id)
    third.terminal.wait_for("running", seconds=120)
    third.terminal.press("q")
    assert third.terminal.wait_for_exit() == 0
    stop = Session(sshd, home, "stop", run.id)
    assert stop.terminal.wait_for_exit(120) == 0
    batch = read_events(run.events_path)
    assert (batch.corrupt, batch.missing) == (0, 0)
    assert isinstance(batch.events[-1], RunFinished)
    steps = [step for event in batch.events if isinstance(event, Steps) for step in event.step]
    assert steps == list(range(len(steps)))
