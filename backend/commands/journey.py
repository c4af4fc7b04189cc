"""`./xiaodai journey`: invented customers travel the whole road of a running `up`."""

import argparse
import os
import statistics
import sys
import time
from collections import Counter

import httpx
import msgspec
from rich.console import Console
from rich.live import Live
from rich.table import Table

from backend.commands import reach
from backend.settings import Settings


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", help="网站地址（默认本机的 up）")
    parser.add_argument("--sandbox-url", help="沙箱地址（默认问网站）")
    parser.add_argument("--port", type=int, help="本机 up 的网站端口")
    parser.add_argument("--sandbox-port", type=int, help="本机 up 的沙箱端口")
    parser.add_argument("--data", help="本机 up 的数据目录，用来数人工动作")
    parser.add_argument("--entry", default="", help="从这个扫码地址进入（默认首页列出的第一个责任码）")
    parser.add_argument("--count", type=int, default=1, help="几位客户")
    parser.add_argument("--concurrency", type=int, default=1, help="同时几位")
    parser.add_argument("--seed", type=int, help="第一位客户的种子（默认按时间）")
    parser.add_argument("--json", action="store_true", help="输出 JSON")


def run(args: argparse.Namespace) -> int:
    if args.count < 1 or args.concurrency < 1:
        print("--count 和 --concurrency 至少是 1", file=sys.stderr)
        return 2
    settings = reach.settings_of(os.environ, args.data, args.port, args.sandbox_port)
    web = (args.url or settings.public_base).rstrip("/")
    try:
        sandbox = args.sandbox_url or _sandbox_behind(web)
    except (httpx.HTTPError, httpx.InvalidURL):
        print(f"{web} 没有应答。先运行 ./xiaodai up，或用 --url 指明网站地址", file=sys.stderr)
        return 2
    if not sandbox:
        print(f"{web} 接的不是沙箱，虚构的客户不能走", file=sys.stderr)
        return 2
    report = reach.run(_travel(args, settings, web, sandbox))
    if args.json:
        print(msgspec.json.encode(report).decode())
    else:
        _print(report)
    return 0 if report["errors"] == 0 else 1


def _sandbox_behind(web: str) -> str:
    """Where this product sends a customer to sign in with WeChat, when that is a sandbox; else empty.

    Raises httpx.HTTPError when nobody answers."""
    reply = httpx.get(f"{web}/wechat/oauth/start", params={"next": "/"}, trust_env=False, timeout=30)
    base, found, _ = reply.headers.get("location", "").partition("/wechat/connect/oauth2/authorize?")
    return base if found else ""


async def _travel(args: argparse.Namespace, settings: Settings, web: str, sandbox: str) -> dict[str, object]:
    from backend.sandbox import travellers

    times: dict[str, list[float]] = {}
    journeys: list[travellers.Journey] = []
    began = time.monotonic()
    # The clock never repeats: nobody meets an open application of an earlier run.
    first_seed = args.seed if args.seed is not None else int(time.time()) % 10**7 * 100

    def on_step(_: int, step: travellers.Step) -> None:
        times.setdefault(step.name, []).append(step.ms)

    with Live(console=Console(stderr=True), refresh_per_second=4, transient=True) as live:

        def on_end(journey: travellers.Journey) -> None:
            journeys.append(journey)
            live.update(_table(times, len(journeys), args.count))

        await travellers.caravan(
            args.count,
            args.concurrency,
            web=web,
            sandbox=sandbox,
            first_seed=first_seed,
            entry=args.entry,
            on_step=on_step,
            on_end=on_end,
        )
    numbers = [j.application_no for j in journeys if j.application_no]
    for journey in journeys:
        if not journey.error and journey.end not in travellers.END_STATES:
            journey.error = f"ended in {journey.end or 'nothing'}, which is no end"
    errors = [j for j in journeys if j.error]
    return {
        "journeys": len(journeys),
        "seconds": round(time.monotonic() - began, 1),
        "ends": dict(Counter(j.end for j in journeys if not j.error)),
        "errors": len(errors),
        "first_errors": [{"seed": j.seed, "error": j.error} for j in errors[:5]],
        "notices_allowed": sum(j.notices_allowed for j in journeys),
        "human_actions": await _human_actions(args, settings, web, numbers),
        "steps_ms": {
            name: {"p50": round(statistics.median(ms)), "p99": round(_percentile(ms, 0.99)), "count": len(ms)}
            for name, ms in times.items()
        },
    }


async def _human_actions(
    args: argparse.Namespace, settings: Settings, web: str, numbers: list[str]
) -> int | None:
    """Acts of staff on these applications, from the audit chain; None when the database is elsewhere."""
    if not (args.data or settings.database_url or web == settings.public_base):
        return None
    from backend import wiring
    from backend.core.actor import everywhere
    from backend.overview import human_actions

    db = wiring.database(settings, size=1)
    await db.open()
    try:
        async with db.read(everywhere("journey")) as tx:
            return await human_actions.count(tx, numbers)
    finally:
        await db.close()


def _percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _table(times: dict[str, list[float]], done: int, count: int) -> Table:
    table = Table(title=f"{done} / {count}")
    for heading in ("步骤", "人数", "中位 毫秒", "p99 毫秒"):
        table.add_column(heading, justify="left" if heading == "步骤" else "right")
    for name, ms in list(times.items()):
        table.add_row(name, str(len(ms)), f"{statistics.median(ms):.0f}", f"{_percentile(ms, 0.99):.0f}")
    return table


def _print(report: dict[str, object]) -> None:
    console = Console()
    steps = report["steps_ms"]
    assert isinstance(steps, dict)
    table = Table("步骤", "人数", "中位 毫秒", "p99 毫秒")
    for name, figures in steps.items():
        table.add_row(name, str(figures["count"]), str(figures["p50"]), str(figures["p99"]))
    console.print(table)
    acts = report["human_actions"]
    console.print(
        f"{report['journeys']} 位客户，{report['seconds']} 秒；结局 {report['ends']}；出错 {report['errors']}；"
        f"人工动作 {'没有数（用 --data 指明数据目录）' if acts is None else acts}"
    )
    for problem in report["first_errors"]:  # type: ignore[attr-defined]
        console.print(f"[red]种子 {problem['seed']}：{problem['error']}[/]")
