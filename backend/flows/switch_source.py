"""人工停问、恢复一个数据来源: by head office, with a reason; what waited for it goes on at once (N19)."""

from backend.core.actor import Actor
from backend.core.errors import Conflict, Invalid
from backend.domains.evidence import breakers, sources
from backend.flows import wake_held
from backend.flows.context import Context

HOURS = (1, 4, 24)
SHORTEST, LONGEST = 4, 200


class AskedAnyway(Conflict):
    code = "source_asked_anyway"
    message = "这个来源现在正常在问，不用恢复"


async def switch_source(context: Context, actor: Actor, source: str, act: str, hours: str, why: str) -> None:
    """`act` stop or resume. Raises `Invalid` with a sentence per field, `AskedAnyway`."""
    known, wrong, why = {each.name: each for each in sources.asked()}, {}, why.strip()[:LONGEST]
    if source not in known or act not in ("stop", "resume"):
        wrong["source"] = "请选一个来源"
    if act == "stop" and hours not in {str(each) for each in HOURS}:
        wrong["hours"] = "请选停多久"
    if len(why) < SHORTEST:
        wrong["reason"] = "请写明为什么，至少四个字"
    if wrong:
        raise Invalid(fields=wrong)
    async with context.db.begin(actor) as tx:
        if act == "stop":
            await breakers.stop(tx, known[source], int(hours), why)
        elif not await breakers.resume(tx, known[source], why):
            raise AskedAnyway()
    if act == "resume":
        # A process that ends here leaves them to `resume_held`.
        await wake_held.wake_held(context)
