"""The menu of staff: the eight module groups of A10-14, each with its pages, or said to be not open yet.

Which items a person sees follows from the roles the handlers declare, so the menu never offers a closed door.
"""

from collections.abc import Set
from typing import Any

import msgspec

GROUPS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("渠道接入", ()),
    ("快贷客户管理", (("查客户和申请", "/console/support"), ("冻结的客户", "/console/frozen"))),
    ("产品工厂", ()),
    (
        "决策流配置",
        (
            ("策略和审批", "/console/strategies"),
            ("场景", "/console/strategies/scenarios"),
            ("查决策", "/console/decisions"),
            ("试算", "/console/trials"),
            ("批量评分", "/console/batches"),
        ),
    ),
    ("合同管理", ()),
    ("授信管理", (("用款核实和预警", "/console/post-loan"), ("催收策略试用", "/console/collection-trials"))),
    ("营销管理", (("客户经理和责任码", "/console/officers"),)),
    (
        "业务监控",
        (
            ("没送到的通知", "/console/dead-letters"),
            ("模型和数据监控", "/console/monitors"),
            ("模型登记簿", "/console/models"),
            ("关系核查", "/console/relations"),
            ("名单", "/console/lists"),
            ("自动审批抽查", "/console/rechecks"),
            ("审计记录", "/console/audit"),
            ("数据来源", "/console/sources"),
            ("节假日", "/console/calendar"),
        ),
    ),
)
"""Groups of A10-14 and what is built of them; a group without pages is shown as 未开通."""

TABS: tuple[tuple[str, str], ...] = (
    ("首页", "/studio"),
    ("我的码", "/studio/codes"),
    ("做海报", "/studio/poster"),
    ("客户", "/studio/leads"),
    ("调查", "/studio/surveys"),
)


class Item(msgspec.Struct, frozen=True):
    label: str
    path: str
    here: bool


class Group(msgspec.Struct, frozen=True):
    """`open` is false while no page of the group is built."""

    label: str
    items: tuple[Item, ...]
    open: bool


def groups(app: Any, roles: Set[str], path: str) -> tuple[Group, ...]:
    """The groups as a person with these roles sees them; built groups without a page for them are left out."""
    found = [Group(label, tuple(_items(app, roles, path, pages)), bool(pages)) for label, pages in GROUPS]
    return tuple(group for group in found if group.items or not group.open)


def tabs(app: Any, roles: Set[str], path: str) -> tuple[Item, ...]:
    return tuple(_items(app, roles, path, TABS))


def _items(app: Any, roles: Set[str], path: str, pages: tuple[tuple[str, str], ...]) -> list[Item]:
    admits = declared(app)
    longest = max((page for _, page in pages if _under(path, page)), key=len, default="")
    return [
        Item(label, page, page == longest)
        for label, page in pages
        if not roles.isdisjoint(admits.get(page, frozenset()))
    ]


def _under(path: str, page: str) -> bool:
    return path == page or path.startswith(page + "/")


def declared(app: Any) -> dict[str, frozenset[str]]:
    """Roles by path of the GET handlers of this application; worked out once."""
    kept: dict[str, frozenset[str]] | None = app.state.get("staff_roles")
    if kept is None:
        kept = {
            route.path: handler.opt["roles"]
            for route in app.routes
            for handler in getattr(route, "route_handlers", [])
            if "GET" in getattr(handler, "http_methods", ()) and "roles" in handler.opt
        }
        app.state.staff_roles = kept
    return kept
