"""The demo union (演示数据): three counties, their officers and products. Everything in it is invented.

Run with the owner's connection once after the migrations; running it again changes nothing.
"""

import importlib
from datetime import date

import asyncpg

from backend.core import clock
from backend.core.actor import system
from backend.core.crypto import Vault
from backend.db.database import Tx

COUNTIES = (
    # id, name, short name, county, phone, address, region prefixes, towns with villages
    ("4101", "甲县农村商业银行", "甲县农商银行", "甲县", "0371-5550101", "淮中省甲县中心路 1 号", ["411701"],
     {"柳林镇": ["柳林村", "垸子村", "河口村"],
      "垸子乡": ["东垸村", "西垸村"], "颍河镇": ["颍北村", "颍南村"]}),
    ("4102", "乙县农村商业银行", "乙县农商银行", "乙县", "0371-5550202", "淮中省乙县人民路 8 号", ["411702"],
     {"青石镇": ["青石村", "石桥村"], "香菇沟乡": ["前沟村", "后沟村"]}),
    ("4103", "丙县农村信用合作联社", "丙县农信联社", "丙县", "0371-5550303", "淮中省丙县解放路 3 号",
     ["411703"],
     {"大槐镇": ["槐树村", "新庄村"], "白沙乡": ["白沙村"]}),
)  # fmt: skip

UNION_STAFF = (
    ("00000000-0000-7000-8000-000000000001", "SL0001", "周省", ["head_office_admin"]),
    ("00000000-0000-7000-8000-000000000002", "SL0002", "吴模", ["risk_analyst"]),
    ("00000000-0000-7000-8000-000000000003", "SL0003", "郑审", ["auditor"]),
)

COUNTY_STAFF = (
    # number, digits of the staff number, roles
    (1, "0427", ["officer"]),
    (2, "0428", ["officer"]),
    (3, "0101", ["county_admin"]),
    (4, "0201", ["reviewer"]),
    (5, "0202", ["reviewer"]),
    (6, "0301", ["risk_analyst"]),
    (7, "0401", ["auditor"]),
)
NAMES = {
    "4101": ("JX", ["李四", "王芳", "赵长根", "陈审", "刘复", "孙风", "钱计"]),
    "4102": ("YX", ["马强", "朱兰", "胡建国", "郭审", "何复", "高风", "林计"]),
    "4103": ("BX", ["罗勇", "梁燕", "宋立", "郑慎", "谢复", "韩风", "唐计"]),
}

PARTS = ("regulation", "products", "customers", "campaigns", "decision", "strategies")
"""Domains with a demo of their own: `demo.seed(tx, institution_id)` in each, called per county."""


def staff_id(institution_id: str, number: int) -> str:
    """Fixed ids, so that codes and tests can name the cast: 李四 is ("4101", 1)."""
    return f"00000000-0000-7000-8000-{institution_id}{number:08d}"


async def present(owner_dsn: str) -> bool:
    """Whether the demo union was written completely (its last part leaves a mark)."""
    connection = await asyncpg.connect(owner_dsn)
    try:
        return bool(
            await connection.fetchval("select exists (select from xd.migrations where name = 'demo')")
        )
    finally:
        await connection.close()


async def seed(owner_dsn: str, vault: Vault) -> None:
    """Write the demo union; rows that exist stay as they are."""
    connection = await asyncpg.connect(owner_dsn)
    try:
        from backend.db.database import _set_codecs

        await _set_codecs(connection)
        async with connection.transaction():
            await _institutions(connection)
            await _staff(connection)
        for county in COUNTIES:
            await _parts(connection, county[0], vault)
        await connection.execute(
            "insert into xd.migrations (name, sha256) values ('demo', '-') on conflict do nothing"
        )
    finally:
        await connection.close()


async def _institutions(connection: asyncpg.Connection) -> None:
    for position, (code, name, short, county, phone, address, prefixes, towns) in enumerate(COUNTIES):
        await connection.execute(
            "insert into institutions.institutions values ($1,$2,$3,$4,$5,$6,$7,$8,$9)"
            " on conflict do nothing",
            code, name, short, county, phone, address, prefixes, date(2026, 1, 4), position,
        )  # fmt: skip
        for town, villages in towns.items():
            await connection.execute(
                "insert into institutions.areas values ($1,$2,$3) on conflict do nothing",
                code,
                town,
                villages,
            )
            await connection.execute(
                "insert into institutions.branches values ($1,$2,$3,$4) on conflict do nothing",
                code, f"{code}-{town[:2]}", f"{town[:2]}支行", f"淮中省{county}{town}",
            )  # fmt: skip


async def _staff(connection: asyncpg.Connection) -> None:
    statement = (
        "insert into identity.staff (institution_id, id, staff_no, name, branch_id, roles, subject, phone,"
        " qualification_no, authority_from, authority_to)"
        " values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11) on conflict do nothing"
    )
    for person_id, staff_no, name, roles in UNION_STAFF:
        await connection.execute(
            statement, "0000", person_id, staff_no, name, None, roles, staff_no, "", "", None, None
        )
    for code, *_, towns in COUNTIES:
        prefix, names = NAMES[code]
        branch = f"{code}-{next(iter(towns))[:2]}"
        for (number, digits, roles), name in zip(COUNTY_STAFF, names, strict=True):
            officer = "officer" in roles
            await connection.execute(
                statement, code, staff_id(code, number), f"{prefix}{digits}", name, branch, roles,
                f"{prefix}{digits}", f"0371-55{code}{number}",
                f"YHCY{code}{number:04d}" if officer else "",
                date(2026, 1, 1) if officer else None, date(2027, 6, 30) if officer else None,
            )  # fmt: skip


async def _parts(connection: asyncpg.Connection, institution_id: str, vault: Vault) -> None:
    actor = system(institution_id, "demo")
    for name in PARTS:
        try:
            module = importlib.import_module(f"backend.domains.{name}.demo")
        except ModuleNotFoundError as missing:
            if not (missing.name or "").startswith(f"backend.domains.{name}"):
                raise
            continue
        async with connection.transaction():
            await connection.execute("select set_config('app.institution', $1, true)", institution_id)
            await module.seed(Tx(connection, actor, clock.now(), vault), institution_id)
