"""`./xiaodai up`: everything on this machine, ready to click."""

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import httpx
from rich.console import Console

from backend.commands import demo_posters, menu, parts, reach
from backend.commands.supervisor import AlreadyRunning, NotReady, Supervisor
from backend.core import unreadable
from backend.core.errors import Problem
from backend.db import embedded, migrate
from backend.settings import OUTSIDE, Settings, Unsafe, load

console = Console(stderr=False, highlight=False)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, help="网站端口（默认 8000）")
    parser.add_argument("--sandbox-port", type=int, help="沙箱端口（默认 9000）")
    parser.add_argument("--data", help="数据目录（默认 ./var）")
    parser.add_argument("--workers", type=int, help="网站进程数（默认 1）")
    parser.add_argument("--empty", action="store_true", help="不写演示数据")


def run(args: argparse.Namespace) -> int:
    try:
        settings = load(
            os.environ,
            port=args.port,
            sandbox_port=args.sandbox_port,
            xiaodai_data=args.data,
            workers=args.workers,
        )
    except Unsafe as problem:
        print(f"不能启动：{problem}", file=sys.stderr)
        return 2
    try:
        supervisor = Supervisor(settings.data, environment(settings))
        supervisor.lock()
        parts.require_free(_ports(settings))
    except OSError as problem:
        print(f"数据目录 {settings.data} 用不了：{unreadable.system(problem)}", file=sys.stderr)
        return 2
    except (AlreadyRunning, parts.PortTaken) as problem:
        print(problem, file=sys.stderr)
        return 2
    _stop_on_signals(supervisor)
    reach.keep_ports(settings)
    try:
        _start(supervisor, settings, demo=not args.empty)
    except (NotReady, embedded.NotStarted, migrate.Drifted, Unsafe) as problem:
        print(f"没有起来：{problem}", file=sys.stderr)
        supervisor.stop()
        return 1
    _welcome(settings)
    supervisor.watch(lambda text: console.print(f"[yellow]{text}[/]"))
    console.print("正在停止…")
    supervisor.stop()
    return 0


def _ports(settings: Settings) -> dict[str, tuple[str, int]]:
    """What will listen where, by the option that moves it."""
    chosen = {"--port": (settings.host, settings.port)}
    if plays_outside(settings):
        chosen["--sandbox-port"] = (settings.host, settings.sandbox_port)
    return chosen


def environment(settings: Settings) -> dict[str, str]:
    """The environment of the parts: ours, with the command line's choices made explicit."""
    chosen = {
        "PORT": settings.port,
        "SANDBOX_PORT": settings.sandbox_port,
        "XIAODAI_DATA": settings.data,
        "WORKERS": settings.workers,
        # One of our processes uses one core; libraries must not open a pool of threads each.
        "OMP_NUM_THREADS": 1,
        "OPENBLAS_NUM_THREADS": 1,
    }
    return {**os.environ, **{name: str(value) for name, value in chosen.items()}}


def _start(supervisor: Supervisor, settings: Settings, *, demo: bool) -> None:
    from backend.ocr import models

    started: list[parts.Part] = []

    def start(part: parts.Part) -> None:
        supervisor.start(part)
        started.append(part)

    if plays_outside(settings):
        start(parts.sandbox(settings))  # needs nothing of ours: it starts while the database does
    if not settings.database_url:
        server = embedded.Embedded(settings.data)
        with _step("数据库"):
            server.initialise()
            supervisor.start_postgres(server)
            server.ensure_database()
    with _step("识别模型"):
        models.prepare(settings.data, lambda _: None)
    with _step("数据表"):
        try:
            reach.run(prepare_database(settings, demo=demo))
        except reach.NoDatabase as cause:
            raise NotReady("连不上数据库，看一看 DATABASE_URL 对不对") from cause
    start(parts.web(settings))
    start(parts.worker(settings))
    start(parts.ocr(settings))  # last: it takes photographs at once and warms while the rest serves
    for part in started:
        with _step(part.label):
            supervisor.wait_ready(part.name)
    if settings.sandbox_base and settings.wechat_api_base.startswith(settings.sandbox_base):
        # The stand-in only: a real account's menu changes when somebody says so.
        with _step("公众号"):
            _furnish(settings, demo=demo)
    for part in parts.deciders(settings):
        supervisor.start(part)  # nobody waits for it: until it hears, the worker takes every call


def _furnish(settings: Settings, *, demo: bool) -> None:
    """The menu, and posters to scan. A fault set in the sandbox must not keep the rest from starting."""
    try:
        asyncio.run(menu.publish(settings))
        if demo:
            asyncio.run(demo_posters.hang(settings))
    except (Problem, httpx.HTTPError) as problem:
        why = problem.text if isinstance(problem, Problem) else "沙箱没有应答"
        console.print(f"[yellow]公众号的菜单或海报没有备好：{why}[/]")


def plays_outside(settings: Settings) -> bool:
    """Whether the sandbox stands in for any outside system; an explicit address wins for its own system."""
    base = settings.sandbox_base
    return bool(base) and any(getattr(settings, name).startswith(base) for name in OUTSIDE)


async def prepare_database(settings: Settings, *, demo: bool) -> None:
    """Migrations, and the demo union unless told otherwise."""
    from backend import demo as demo_data
    from backend import wiring
    from backend.outbox import queue

    _, owner, _ = wiring.dsns(settings)
    applied = await migrate.apply(owner, install_queue=queue.install)
    await _check_database(settings)
    if demo and not settings.production and (applied or not await demo_data.present(owner)):
        await demo_data.seed(owner, wiring.vault(settings))


async def _check_database(settings: Settings) -> None:
    """Told here in one line rather than by parts that die one after the other. Raises `Unsafe`."""
    from backend import wiring
    from backend.db import safety
    from backend.flows.adopt_shipped_strategies import adopt_shipped_strategies

    db = wiring.database(settings, size=1)
    await db.open()
    try:
        careless = await safety.refuse_unsafe(db, settings)
        await adopt_shipped_strategies(db)
    finally:
        await db.close()
    if careless:
        console.print(f"[yellow]数据库的 {'、'.join(careless)} 设置可能丢数据，只能用来试[/]")


@contextmanager
def _step(name: str) -> Iterator[None]:
    began = time.monotonic()
    with console.status(f"{name}…"):
        yield
    console.print(f"[green]✓[/] {name} [dim]{time.monotonic() - began:.1f} 秒[/]")


def _welcome(settings: Settings) -> None:
    console.print()
    _print_qr(f"{settings.public_base}/")
    for label, address in addresses(settings):
        console.print(f"  {label}：{address}", soft_wrap=True)
    print(f"ready {settings.public_base}", flush=True)


def addresses(settings: Settings) -> list[tuple[str, str]]:
    """(label, address) of the pages for people; the sandbox's only where it plays the outside world."""
    base, sandbox = settings.public_base, settings.sandbox_base
    ours = [("入口", f"{base}/"), ("员工登录", f"{base}/staff/sign-in")]
    played = [
        ("客户手机（沙箱微信）", f"{sandbox}/phone"),
        ("手机银行（沙箱）", f"{sandbox}/bank"),
        ("后台（沙箱各系统）", f"{sandbox}/office"),
    ]
    return [*ours, *played] if plays_outside(settings) else ours


def _print_qr(address: str) -> None:
    import qrcode

    code = qrcode.QRCode(border=1)
    code.add_data(address)
    code.print_ascii(invert=sys.stdout.isatty())


def _stop_on_signals(supervisor: Supervisor) -> None:
    def handle(_: int, __: FrameType | None) -> None:
        supervisor.stopping.set()

    signal.signal(signal.SIGINT, handle)
    signal.signal(signal.SIGTERM, handle)
