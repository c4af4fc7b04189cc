"""`./xiaodai inspect OPENID|APPLICATION_NO [--json]`: the support desk's view. Masked, and every look is audited."""

import argparse
import getpass
import os

import msgspec

from backend import wiring
from backend.commands import reach
from backend.core.actor import everywhere
from backend.core.errors import Problem
from backend.overview import support
from backend.settings import Settings


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("who", metavar="OPENID|APPLICATION_NO")
    parser.add_argument("--json", action="store_true", help="输出一个 JSON")
    parser.add_argument("--data", help="数据目录（默认 ./var）")


def run(args: argparse.Namespace) -> int:
    """0 found · 1 nobody found, or no database."""
    try:
        seen = reach.run(_look_up(reach.settings_of(os.environ, args.data), args.who))
    except Problem as problem:
        print(
            msgspec.json.encode({"error": problem.code, "message": problem.text}).decode()
            if args.json
            else problem.text
        )
        return 1
    print(msgspec.json.encode(seen).decode() if args.json else _readable(seen))
    return 0


async def _look_up(settings: Settings, who: str) -> support.Seen:
    db = wiring.database(settings, size=2)
    await db.open()
    try:
        return await support.look_up(db, everywhere(f"inspect-{getpass.getuser()}"), who)
    finally:
        await db.close()


def _readable(seen: support.Seen) -> str:
    following = {True: "关注中", False: "已取消关注", None: "没有关注过"}[seen.following]
    lines = [f"微信 {seen.openid or '没有'}（{following}），由 {seen.serving or '还没有机构'} 服务"]
    lines += [f"绑定 {b.institution_id} {b.customer} {b.id_number} {b.phone}" for b in seen.bindings]
    lines.append(f"收到消息 {seen.messages} 条，扫码 {len(seen.leads)} 次")
    for case in seen.applications:
        lines.append(f"申请 {case.application_no} {case.label} {case.customer}")
        lines += [
            f"  {e.seq}. {e.event} → {e.to_status}  {e.at:%m-%d %H:%M:%S}  {e.who}"
            for e in seen.events
            if e.application_no == case.application_no
        ]
        lines += [
            f"  {e.kind} {e.status}，试了 {e.attempts} 次{f'，{e.last_error}' if e.last_error else ''}"
            for e in seen.effects
            if e.application_no == case.application_no
        ]
    lines += [f"工单 {t.ticket_no} {t.kind} {t.status}，最迟 {t.due_at:%m-%d %H:%M}" for t in seen.tickets]
    return "\n".join(lines)
