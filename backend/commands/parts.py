"""The parts of the running product and how each is started."""

import sys
from pathlib import Path

import httpx
import msgspec

from backend.settings import Settings

PYTHON = sys.executable


class Part(msgspec.Struct, frozen=True):
    """A process of ours. `ready_url` answers 200 when it can serve, `ready_path` exists then."""

    name: str
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
        granian("web", settings.host, settings.port, settings.workers),
        ready_url=f"http://{settings.host}:{settings.port}/readyz",
    )


def worker(settings: Settings) -> Part:
    return Part(
        "worker",
        [PYTHON, "-m", "backend", "worker"],
        ready_path=str(settings.data / "run" / "worker.ready"),
        stop_seconds=70,
    )


def ocr(settings: Settings) -> Part:
    return Part("ocr", [PYTHON, "-m", "backend", "ocr-service"], ready_path=str(settings.ocr_socket))


def sandbox(settings: Settings) -> Part:
    return Part(
        "sandbox",
        granian("sandbox", settings.host, settings.sandbox_port, 1),
        ready_url=f"http://{settings.host}:{settings.sandbox_port}/control/faults",
    )


def is_ready(part: Part) -> bool:
    if part.ready_path:
        return Path(part.ready_path).exists()
    try:
        return httpx.get(part.ready_url, timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
