"""The parts of the running product and how each is started."""

import contextlib
import errno
import os
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import httpx
import msgspec

from backend.core import unreadable
from backend.settings import Settings

PYTHON = sys.executable
WORKER = (PYTHON, "-m", "backend", "worker")


class Part(msgspec.Struct, frozen=True):
    """A process of ours, `label` for people. `ready_url` answers 200 when it can serve, `ready_path` exists then."""

    name: str
    label: str
    command: list[str]
    ready_url: str = ""
    ready_path: str = ""
    stop_seconds: float = 20.0


def granian(factory: str, host: str, port: int, workers: int) -> list[str]:
    """The ASGI server with the limits of trust §4: dead workers come back, slow headers are cut off."""
    return [
        PYTHON, "-m", "granian", "--interface", "asgi", "--factory", "--host", host, "--port", str(port),
        "--workers", str(workers), "--loop", "uvloop", "--no-ws", "--respawn-failed-workers",
        "--respawn-interval", "1", "--http1-header-read-timeout", "5000", "--backpressure", "512",
        "--workers-kill-timeout", "15", "--log-level", "warning", f"backend.serving:{factory}",
    ]  # fmt: skip


def web(settings: Settings) -> Part:
    return Part(
        "web",
        "网站",
        granian("web", settings.host, settings.port, settings.workers),
        ready_url=f"http://{settings.host}:{settings.port}/readyz",
    )


def worker(settings: Settings) -> Part:
    """All lanes. With deciders beside it, it takes one of what people wait for at a time, as each of them does."""
    return _worker(settings, "worker", "后台任务", *(("--hands", "1") if settings.deciders else ()))


def deciders(settings: Settings) -> list[Part]:
    """Processes for what people wait for alone: a Python process thinks for one customer at a time, and the worker has
    the rest and the timetable besides."""
    alone = ("--lane", "first", "--hands", "1")
    names = [f"decider{number or ''}" for number in range(settings.deciders)]
    return [_worker(settings, name, "审批", *alone, "--name", name) for name in names]


def _worker(settings: Settings, name: str, label: str, *options: str) -> Part:
    return Part(
        name,
        label,
        [*WORKER, *options],
        ready_path=str(settings.data / "run" / f"{name}.ready"),
        stop_seconds=70,
    )


def ocr(settings: Settings) -> Part:
    return Part(
        "ocr", "证件识别", [PYTHON, "-m", "backend", "ocr-service"], ready_path=str(settings.ocr_socket)
    )


def sandbox(settings: Settings) -> Part:
    return Part(
        "sandbox",
        "沙箱",
        granian("sandbox", settings.host, settings.sandbox_port, 1),
        ready_url=f"http://{settings.host}:{settings.sandbox_port}/control/faults",
    )


def become(part: Part) -> NoReturn:
    """This process goes on as that part, for a supervisor of another make."""
    os.execv(part.command[0], part.command)


class PortTaken(Exception):
    """Somebody else listens where one of our parts would; the text names the option that moves it."""


def require_free(ports: Mapping[str, tuple[str, int]], seconds: float = 2) -> None:
    """Raises `PortTaken`. Asked before anything starts: the ASGI server would share the port with whoever has
    it (SO_REUSEPORT), and half of a customer's requests would go to another product's database.

    `ports` is (host, port) by option. A killed `up` has `seconds` for its parts to end.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            with contextlib.ExitStack() as held:  # all at once, so that two parts cannot be given one port
                for option, (host, port) in ports.items():
                    held.enter_context(_listen(option, host, port))
            return
        except PortTaken:
            if time.monotonic() > end:
                raise
        time.sleep(0.1)


def _listen(option: str, host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as cause:
        why = "已经被占用" if cause.errno == errno.EADDRINUSE else f"用不了（{unreadable.system(cause)}）"
        raise PortTaken(f"端口 {port} {why}，请用 {option} 换一个") from cause


def is_ready(part: Part) -> bool:
    if part.ready_path:
        return Path(part.ready_path).exists()
    try:
        return httpx.get(part.ready_url, timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
