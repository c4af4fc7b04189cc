"""反中介哨兵: a placement that shows what brokers do stops, alone, until a person has looked (N15).

Whatever brings a new fact about a code (`saw`, `signal`, `told`) asks in the same transaction whether the windows of
`campaigns.placement_limits` are full. Cases that came in by the code go on; its officer's other codes too.
"""

from datetime import datetime

import msgspec

from backend.core import ids
from backend.core.errors import Conflict, Invalid
from backend.db import queries
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.campaigns import repository

Q = queries.load(__package__, "queries_sentinel.sql")

PATTERNS = {
    "burst": "短时间里扫的人太多",
    "copied": "扫的人超过这个位置该有的，可能被转到了别处",
    "out_of_area": "外地来的人多",
    "helper": "有人替好几家代办",
    "fee": "有人反映被收费",
}
STOPPED = "扫码情况不太寻常，正在核实"
"""What anybody may read; which pattern it was is for staff, so that nobody learns how to stay below it."""
SHORTEST, LONGEST = 4, 200


class NothingToRelease(Conflict):
    code = "nothing_to_release"
    message = "这个码现在没有暂停"


class OwnPlacement(Invalid):
    code = "own_placement"
    message = "自己的码要由别人核实以后恢复"


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """`counted` within `minutes`, where `most` are usual."""

    code_id: str
    pattern: str
    counted: int
    most: int
    minutes: int
    frozen_at: datetime
    officer_id: str
    placement: str
    placement_label: str

    @property
    def words(self) -> str:
        return PATTERNS[self.pattern]

    @property
    def window(self) -> str:
        hours = self.minutes // 60
        return f"{hours // 24} 天" if hours >= 48 else f"{hours} 小时" if hours else f"{self.minutes} 分钟"


async def signal(tx: Tx, code_id: str, kind: str, subject: str) -> bool:
    """A case of this code speaks of a broker; `subject` is its id. True when the placement stops by it."""
    await Q.signal(
        tx,
        institution_id=tx.institution_id,
        id=ids.new(),
        code_id=code_id,
        kind=kind,
        subject=tx.vault.blind("signal", subject),
        now=tx.now,
    )
    return await watch(tx, code_id)


async def watch(tx: Tx, code_id: str) -> bool:
    """Stop the placement when a window is full; True when this call did."""
    row = await Q.strike(tx, institution_id=tx.institution_id, code_id=code_id, now=tx.now)
    if row is None or not await repository.freeze(tx, code_id, STOPPED):
        return False
    figures = dict(row)
    await Q.add_freeze(
        tx, institution_id=tx.institution_id, id=ids.new(), code_id=code_id, now=tx.now, **figures
    )
    audit.add(tx, "code.frozen", code_id, reason=STOPPED, **figures)
    return True


async def standing(tx: Tx) -> list[Frozen]:
    """Placements that wait for a person."""
    return [Frozen(**dict(row)) for row in await Q.standing(tx, institution_id=tx.institution_id)]


async def release(tx: Tx, code_id: str, reason: str) -> None:
    """Somebody other than its officer looked into it. What was before does not count again. Raises `Invalid`,
    `OwnPlacement`, `NothingToRelease`."""
    if len(reason.strip()) < SHORTEST:
        raise Invalid(fields={"release": "请写明查到什么、为什么恢复，至少四个字"})
    code = await repository.code(tx, code_id)
    if code is not None and code.officer_id == tx.actor.id:
        raise OwnPlacement(fields={"release": OwnPlacement.message})
    done = await Q.release(
        tx,
        institution_id=tx.institution_id,
        code_id=code_id,
        released_by=tx.actor.id,
        reason=reason.strip()[:LONGEST],
        now=tx.now,
    )
    if not done:
        raise NothingToRelease()
    audit.add(tx, "code.released", code_id, reason=reason.strip()[:LONGEST])
