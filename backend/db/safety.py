"""Whether this PostgreSQL may hold the bank's data (trust §1.8, §2): asked once at every start.

A server that answers "committed" before the disk has it loses money quietly; a role that row-level security does
not bind sees every county. Both are settings somebody may have changed long after the installation.
"""

from backend.core.actor import everywhere
from backend.db import queries
from backend.db.database import Database
from backend.settings import Settings, Unsafe

Q = queries.load(__package__)

_NEEDED = {
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "synchronous_commit": ("on", "remote_write", "remote_apply"),
    "data_checksums": ("on",),
}


async def refuse_unsafe(db: Database, settings: Settings) -> list[str]:
    """Raises `Unsafe` naming what is wrong. Outside production a server that may lose data is let through; the
    settings that make it so are returned.

    A role that sees every institution is refused everywhere: nothing above would notice it.
    """
    async with db.read(everywhere("start")) as tx:
        found = {row["name"]: row["setting"] for row in await Q.durability(tx)}
        powers = await Q.powers(tx)
    if powers["role_sees_all"]:
        raise Unsafe("数据库角色是超级用户或能绕过行级安全，机构之间就隔不开了，不能启动")
    if settings.production and powers["login_sees_all"]:
        raise Unsafe(
            "DATABASE_URL 用的是超级用户登录，生产环境请换成 xiaodai_app，属主连接另设 DATABASE_OWNER_URL"
        )
    careless = [name for name, good in _NEEDED.items() if found.get(name) not in good]
    if careless and settings.production:
        told = "、".join(f"{name} 是 {found.get(name, '空')}" for name in careless)
        raise Unsafe(f"数据库设置会丢数据：{told}，生产环境不能启动")
    return careless
