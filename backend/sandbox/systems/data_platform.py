"""大数据平台, and the same kind of answer for the core system's facts."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
from litestar import Router, post

from backend.core import clock
from backend.sandbox import people, world
from backend.sandbox.refusal import Refusal
from backend.sandbox.store import stamp
from backend.sandbox.world import AnyRequest, World

SOURCES = {
    "blocklist_hit": "名单库",
    "court_enforcement": "司法数据",
    "student_signal": "学籍数据",
    "social_security_months_24m": "社保数据",
    "housing_fund_months": "公积金数据",
    "housing_fund_base": "公积金数据",
}
ORIGINS = (
    (("household",), "农户档案"),
    (("chain", "trade"), "产业链订单"),
    (("social_security",), "社保数据"),
    (("housing_fund",), "公积金数据"),
    (("tax",), "税务数据"),
    (("pos", "turnover"), "收单数据"),
)


class Query(msgspec.Struct, forbid_unknown_fields=True):
    id_number: str
    names: list[str]
    authorisation_id: str
    case_id: str


@post("/features", status_code=200)
async def features(request: AnyRequest) -> dict[str, object]:
    query = await world.body_of(request, Query)
    if not query.authorisation_id:
        raise Refusal(403, "authorisation_missing", "没有客户授权编号，不能查询")
    return answer(world.of(request), query.id_number, query.names, people.PLATFORM_NAMES)


def answer(here: World, id_number: str, names: list[str], known: Sequence[str]) -> dict[str, Any]:
    """The named facts of a person, each with the day it is of and where it came from."""
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise Refusal(400, "feature_unknown", f"没有这些指标：{', '.join(unknown)}")
    facts = here.people.every_fact(id_number)
    yesterday = clock.today() - timedelta(days=1)
    return {
        "values": {
            name: {
                "value": facts[name],
                "as_of_on": yesterday,
                "source": SOURCES.get(name) or _origin(name),
            }
            for name in names
            if name in facts
        },
        "missing": [name for name in names if name not in facts],
        "observed_at": stamp(),
    }


def _origin(name: str) -> str:
    return next((label for starts, label in ORIGINS if name.startswith(starts)), "核心账务")


router = Router("/data-platform", route_handlers=[features])
