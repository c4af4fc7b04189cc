"""One supervisor for all parts: starts them, starts again what dies, ends everything (trust §1 no 8).

Children get PR_SET_PDEATHSIG, so they end even when the supervisor itself is killed with -9.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from backend.commands.parts import Part, is_ready
from backend.core import unreadable
from backend.db import embedded

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class AlreadyRunning(Exception):
    """Another supervisor holds this data directory."""


class NotReady(Exception):
    """A part did not become ready; the text says which and where its log is."""


def die_with_parent(signal_number: int) -> Callable[[], None]:
    """For `preexec_fn`: the kernel signals this child when its parent is gone."""

    def run() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal_number)

    return run


class Supervisor:
    def __init__(self, data: Path, environment: Mapping[str, str]) -> None:
        self.data = data
        self._environment = dict(environment)
        self._logs = data / "log"
        self._logs.mkdir(parents=True, exist_ok=True)
        (data / "run").mkdir(parents=True, exist_ok=True)
        self._lock: IO[str] | None = None
        self._parts: dict[str, Part] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._postgres: tuple[embedded.Embedded, subprocess.Popen[bytes]] | None = None
        self._deaths: dict[str, list[float]] = {}
        self._unwritten = False
        self.stopping = threading.Event()

    def lock(self) -> None:
        """One supervisor per data directory. The lock is the kernel's, so it cannot be left behind."""
        self._lock = (self.data / "run" / "up.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as cause:
            raise AlreadyRunning(f"{self.data} 已经有一个 xiaodai up 在运行") from cause

    def start_postgres(self, server: embedded.Embedded) -> None:
        process = server.spawn(preexec=die_with_parent(signal.SIGINT))
        self._postgres = (server, process)
        self._note_pids()
        server.wait_ready(process)

    def start(self, part: Part) -> None:
        self._parts[part.name] = part
        if part.ready_path:
            Path(part.ready_path).unlink(missing_ok=True)
        with (self._logs / f"{part.name}.log").open("ab") as log:
            self._processes[part.name] = subprocess.Popen(
                part.command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGTERM),
            )
        self._note_pids()

    def wait_ready(self, name: str, seconds: float = 120) -> None:
        part, end = self._parts[name], time.monotonic() + seconds
        while time.monotonic() < end:
            if self.stopping.is_set():
                raise NotReady(f"{name}：启动时被中断")
            if self._processes[name].poll() is not None:
                raise NotReady(f"{name} 没有起来，请看 {self._logs / name}.log\n{self._log_end(name)}")
            if is_ready(part):
                return
            time.sleep(0.05)
        raise NotReady(f"{name} 在 {seconds:.0f} 秒内没有就绪，请看 {self._logs / name}.log")

    def _note_pids(self) -> None:
        """Who is who, for operators and the chaos test: `run/pids.json`, replaced in one step."""
        found = {name: process.pid for name, process in self._processes.items()}
        found["supervisor"] = os.getpid()
        if self._postgres:
            found["postgres"] = self._postgres[1].pid
        scratch = self.data / "run" / "pids.json.new"
        self._unwritten = True
        with contextlib.suppress(OSError):  # a full disk: `watch` tries again
            scratch.write_text(json.dumps(found))
            scratch.rename(self.data / "run" / "pids.json")
            self._unwritten = False

    def watch(self, say: Callable[[str], Any]) -> None:
        """Until `stopping`: start again what died, slower each time when it keeps dying.

        A full disk takes our own words, pid file and logs first; it must not take the supervisor.
        """
        while not self.stopping.wait(0.2):
            try:
                if self._unwritten:
                    self._note_pids()
                self._revive(lambda text: _say(say, text))
            except OSError as problem:
                _say(say, f"重新启动没有成功：{unreadable.system(problem)}")
                self.stopping.wait(0.5)

    def _revive(self, say: Callable[[str], Any]) -> None:
        if self._postgres and self._postgres[1].poll() is not None:
            say("postgres 停了，重新启动")
            try:
                self.start_postgres(self._postgres[0])
            except embedded.NotStarted as problem:
                say(f"postgres 没有起来：{problem}")
                self.stopping.wait(1)
        for name, process in list(self._processes.items()):
            if process.poll() is not None and self._may_restart(name):
                _end_group(process.pid)
                say(f"{name} 停了（{process.returncode}），重新启动")
                self.start(self._parts[name])

    def _may_restart(self, name: str) -> bool:
        """At once the first times; then later and later, at most every five seconds."""
        now = time.monotonic()
        recent = [t for t in self._deaths.get(name, []) if now - t < 60]
        wait = 0.0 if len(recent) < 5 else min(5.0, 0.25 * len(recent))
        if recent and now - recent[-1] < wait:
            return False
        self._deaths[name] = [*recent, now]
        return True

    def stop(self) -> None:
        """Everything down, the database last; what does not end in its time is killed."""
        self.stopping.set()
        order = sorted(self._processes, key=lambda name: (name == "sandbox", name != "web"))
        for name in order:
            _signal(self._processes[name], signal.SIGTERM)
        for name in order:
            process, part = self._processes[name], self._parts[name]
            try:
                process.wait(part.stop_seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _end_group(process.pid)
            if part.ready_path:
                Path(part.ready_path).unlink(missing_ok=True)
        if self._postgres:
            embedded.stop(self._postgres[1])
        (self.data / "run" / "pids.json").unlink(missing_ok=True)
        if self._lock:
            self._lock.close()

    def _log_end(self, name: str) -> str:
        try:
            return (self._logs / f"{name}.log").read_text(errors="replace")[-1500:]
        except FileNotFoundError:
            return ""


def _end_group(leader: int) -> None:
    """What a part left behind: a server that was killed leaves workers that would go on serving."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def _say(say: Callable[[str], Any], text: str) -> None:
    with contextlib.suppress(OSError):
        say(text)


def _signal(process: "subprocess.Popen[bytes]", number: int) -> None:
    if process.poll() is None:
        process.send_signal(number)
