"""A real `up` of its own to be hurt: processes, faults, travellers, and the questions at the end."""

import asyncio
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil

from backend.sandbox.specimens.people import Person

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Arena:
    """`./xiaodai up` in a directory of its own, on free ports."""

    def __init__(
        self,
        *options: str,
        environment: dict[str, str] | None = None,
        data: Path | None = None,
        entry: str = "backend",
    ) -> None:
        """`data`: a directory that is there already; `entry`: the module that is started (for planted mistakes)."""
        self.data = data or Path(tempfile.mkdtemp(prefix="xiaodai-arena-", dir="/tmp"))
        self.port, self.sandbox_port = free_port(), free_port()
        self.web = f"http://127.0.0.1:{self.port}"
        self.sandbox = f"http://127.0.0.1:{self.sandbox_port}"
        self._options, self._environment, self._entry = options, environment or {}, entry
        self.process: subprocess.Popen[str] | None = None
        self.output = ""

    def start(self, seconds: float = 240) -> float:
        """Start in calm weather and wait for `ready`; returns the seconds it took."""
        began = time.monotonic()
        self._weather().touch()
        _borrow_models(self.data)
        command = [sys.executable, "-m", self._entry, "up", "--port", str(self.port), "--sandbox-port",
                   str(self.sandbox_port), "--data", str(self.data), *self._options]  # fmt: skip
        log = (self.data / "up.log").open("w+")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("XIAODAI", "DATABASE"))}
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
            env={**kept, **self._environment},
        )
        while time.monotonic() - began < seconds:
            self.output = (self.data / "up.log").read_text()
            if "\nready " in self.output:
                _lend_models(self.data)
                return time.monotonic() - began
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise AssertionError(f"up did not become ready:\n{self.output[-3000:]}\n{self.logs()}")

    def logs(self) -> str:
        parts = [
            f"--- {p.name}\n{p.read_text(errors='replace')[-1500:]}" for p in self.data.glob("log/*.log")
        ]
        return "\n".join(parts)

    def pids(self) -> dict[str, int]:
        found: dict[str, int] = json.loads((self.data / "run" / "pids.json").read_text())
        return found

    def processes(self) -> list[psutil.Process]:
        """The supervisor and everything below it."""
        assert self.process is not None
        top = psutil.Process(self.process.pid)
        return [top, *top.children(recursive=True)]

    def storm(self) -> None:
        """From now on failpoints fire, where the environment names any."""
        self._weather().unlink(missing_ok=True)

    def calm(self) -> None:
        """No failpoint fires any more, and no fault strikes."""
        self._weather().touch()
        with suppress(httpx.HTTPError):
            httpx.delete(f"{self.sandbox}/control/faults", timeout=30, trust_env=False)

    def _weather(self) -> Path:
        record = self.data / "run" / "failpoints"
        record.mkdir(parents=True, exist_ok=True)
        return record / "calm"

    def hits(self) -> dict[str, int]:
        """How often each failpoint was hit, by all processes."""
        record = self.data / "run" / "failpoints"
        return {p.name: p.stat().st_size for p in record.glob("*") if p.name != "calm"}

    def stop(self, number: int = signal.SIGTERM) -> float:
        assert self.process is not None
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(120)
        return time.monotonic() - began

    def remove(self) -> None:
        with suppress(Exception):
            self.stop()
        shutil.rmtree(self.data, ignore_errors=True)


MODELS = Path(tempfile.gettempdir()) / "xiaodai-arena-models"
"""The reading models are the same in every arena, and making them takes longer than everything else."""


def _borrow_models(data: Path) -> None:
    if MODELS.exists() and not (data / "models").exists():
        shutil.copytree(MODELS, data / "models")


def _lend_models(data: Path) -> None:
    if not MODELS.exists():
        scratch = Path(tempfile.mkdtemp(prefix="xiaodai-models-")) / "models"
        shutil.copytree(data / "models", scratch)
        with suppress(OSError):  # another one was faster
            scratch.rename(MODELS)
        shutil.rmtree(scratch.parent, ignore_errors=True)


class Fault:
    """One way to hurt the arena; `apply` returns when the hurt is done."""

    def __init__(self, name: str, apply: Callable[[Arena, random.Random], None]) -> None:
        self.name, self.apply = name, apply


def _kill(part: str, number: int, *, deep: bool = False) -> Callable[[Arena, random.Random], None]:
    def apply(arena: Arena, chance: random.Random) -> None:
        with suppress(psutil.Error, KeyError, FileNotFoundError):
            process = psutil.Process(arena.pids()[part])
            children = process.children(recursive=True)
            target = chance.choice(children) if deep and children else process
            target.send_signal(number)

    return apply


def kill_part(arena: Arena, part: str) -> None:
    _kill(part, signal.SIGKILL)(arena, random.Random(0))


def _pause(part: str) -> Callable[[Arena, random.Random], None]:
    def apply(arena: Arena, chance: random.Random) -> None:
        with suppress(psutil.Error, KeyError, FileNotFoundError):
            process = psutil.Process(arena.pids()[part])
            family = [process, *process.children(recursive=True)]
            _signal_all(family, signal.SIGSTOP)
            time.sleep(chance.uniform(0.5, 2.0))
            _signal_all(family, signal.SIGCONT)

    return apply


def _signal_all(family: list[psutil.Process], number: int) -> None:
    for member in family:
        with suppress(psutil.Error):
            member.send_signal(number)


SYSTEMS = ("sms", "identity_check", "credit_bureau", "data_platform", "core_banking", "image_archive", "mobile_bank",
           "wechat", "liveness")  # fmt: skip


def _network(fault: str, **args: object) -> Callable[[Arena, random.Random], None]:
    def apply(arena: Arena, chance: random.Random) -> None:
        set_fault(arena, chance.choice(SYSTEMS), "*", fault, times=chance.randint(1, 3), **args)

    return apply


def _callbacks(fault: str) -> Callable[[Arena, random.Random], None]:
    def apply(arena: Arena, _: random.Random) -> None:
        set_fault(arena, "mobile_bank", "callback", fault, times=3)

    return apply


def set_fault(arena: Arena, system: str, operation: str, fault: str, *, times: int, **args: object) -> None:
    body = {"system": system, "operation": operation, "fault": fault, "times": times, "args": args}
    with suppress(httpx.HTTPError):
        httpx.post(
            f"{arena.sandbox}/control/faults", json=body, timeout=5, trust_env=False
        ).raise_for_status()


async def well_known(arena: Arena, person: Person) -> None:
    """Every system speaks well of this person, so that their road does not end at the decision."""
    script = {"name": person.name, "preset": "good", "phone": "match"}
    async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
        with suppress(httpx.HTTPError):
            await http.put(f"{arena.sandbox}/control/people/{person.id_number}", json=script)


FAULTS = (
    Fault("kill postgres", _kill("postgres", signal.SIGKILL)),
    Fault("kill a session of postgres", _kill("postgres", signal.SIGKILL, deep=True)),
    Fault("kill worker", _kill("worker", signal.SIGKILL)),
    Fault("kill decider", _kill("decider", signal.SIGKILL)),
    Fault("kill a web process", _kill("web", signal.SIGKILL, deep=True)),
    Fault("kill web", _kill("web", signal.SIGKILL)),
    Fault("kill an OCR process", _kill("ocr", signal.SIGKILL, deep=True)),
    Fault("end worker", _kill("worker", signal.SIGTERM)),
    Fault("end web", _kill("web", signal.SIGTERM)),
    Fault("pause worker", _pause("worker")),
    Fault("pause decider", _pause("decider")),
    Fault("pause web", _pause("web")),
    Fault("pause postgres", _pause("postgres")),
    Fault("answer 503", _network("status", status=503)),
    Fault("answer 500 after the effect", _network("status_after", status=500)),
    Fault("drop before the effect", _network("drop_before")),
    Fault("drop after the effect", _network("drop_after")),
    Fault("drop after the effect", _network("drop_after")),
    Fault("hang past the time-out", _network("hang", seconds=8)),
    Fault("half-open line", _network("half_open", seconds=20)),
    Fault("deliver a request twice", _network("duplicate")),
    Fault("send callbacks twice", _callbacks("duplicate")),
    Fault("send callbacks out of order", _callbacks("reorder")),
    Fault("lose callbacks", _callbacks("drop_before")),
    Fault("lose answers to callbacks", _callbacks("drop_after")),
)


def deck(chance: random.Random) -> Iterator[Fault]:
    """Faults without end: all of them in a random order, then all of them again."""
    while True:
        yield from chance.sample(FAULTS, len(FAULTS))


async def hurt(arena: Arena, seconds: float, pause: float, seed: int, *, least: int = 0) -> list[str]:
    """Apply faults for a while and until there were `least`; returns their names. Calm weather afterwards."""
    chance, done = random.Random(seed), []
    end = time.monotonic() + seconds
    for fault in deck(chance):
        if time.monotonic() >= end and len(done) >= least:
            break
        await asyncio.to_thread(fault.apply, arena, chance)
        done.append(fault.name)
        await asyncio.sleep(chance.uniform(0.3, 1.7) * pause)
    await asyncio.to_thread(arena.calm)
    return done
