"""What people write is shown as they wrote it, and nothing in it becomes part of a page (ASVS 1.2.1, 1.2.3)."""

from datetime import date
from html.parser import HTMLParser

import asyncpg
import pytest

from backend.core import ids
from backend.core.actor import system
from backend.domains.campaigns import service as campaigns
from backend.domains.channels import tickets
from backend.domains.customers import service as customers
from backend.domains.customers.model import Card
from tests.flows.conftest import Road
from tests.h5.conftest import Desks, desks, road
from tests.h5.scene import Scene, scene
from tests.house.test_staff_roles import STAFF_NO, example, handlers, token_of
from tests.security.conftest import routes_of
from tests.security.test_foreign_ids import customer

__all__ = ["desks", "road"]

MARK = "xss7"
CORPUS = (
    "<script>xss7()</script>", '"><img src=x onerror=xss7()>', "'><svg/onload=xss7()>",
    '" onfocus=xss7() autofocus x="',
    "' hx-get='/xss7' hx-trigger='load", '"><b hx-on:load="xss7()" hx-get="/xss7">', "x onmouseover=xss7() y",
    "javascript:xss7()", "java\tscript:xss7()", "data:text/html,<script>xss7()</script>",
    "</title><script>xss7()</script>",
    "</textarea><iframe srcdoc='&lt;script&gt;xss7()&lt;/script&gt;'>", "--><script>xss7()</script><!--",
    "<math><mtext></p><style><img src=x onerror=xss7()>", "{{ xss7 }}", "{% include 'xss7' %}", "${xss7}",
    "\uff1cscript\uff1exss7()\uff1c/script\uff1e", "\u2028<script>xss7()</script>",
    "&lt;script&gt;xss7()&lt;/script&gt;", "&#60;script&#62;xss7()", "<a href=javas&#99;ript:xss7()>",
)  # fmt: skip
SHORT = '"><img src=x onerror=xss7()>'
SHOWN = {"value", "placeholder", "title", "aria-label", "alt", "content", "data-copy", "data-chart"}
"""Attributes that only hold words; a chart's are drawn on a canvas, which knows no markup."""


LAST = {"/console/officers/{institution_id:str}/{staff_id:str}/leave"}
"""Sent when everything else was: nobody comes in as this officer afterwards."""

SHOWS = {
    "/", "/console", "/console/cases/{number:str}", "/console/counties/{institution_id:str}", "/console/dead-letters",
    "/console/officers", "/console/officers/{institution_id:str}/{staff_id:str}", "/console/support",
    "/console/reports/{institution_id:str}/{number:str}", "/console/tickets/{institution_id:str}/{number:str}",
    "/my/{number:str}", "/my/{number:str}/consents", "/my/{number:str}/review-request", "/my/{number:str}/status",
    "/p/{institution_id:str}/{product_code:str}", "/q/{code:str}", "/report", "/resume", "/resume/code", "/studio",
    "/studio/codes", "/studio/codes/{code_id:str}", "/studio/codes/{code_id:str}/poster",
    "/studio/inquiries/{inquiry_id:str}",
    "/studio/leads", "/studio/leads/{number:str}", "/studio/poster",
}  # fmt: skip
"""Pages that show what somebody wrote: an empty sweep proves nothing."""


class Seen(HTMLParser):
    """Where the mark stands in a page: in words, or in what a browser obeys."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[str] = []
        self.words = 0
        self._inside = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        for name, value in attrs:
            if name.startswith("on") or MARK in name or (MARK in (value or "") and name not in SHOWN):
                self.wrong.append(f"<{tag} {name}={value!r}>")
        if MARK in tag or tag in {"math", "iframe", "object", "embed"}:
            self.wrong.append(f"<{tag}>")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, text: str) -> None:
        self.words += text.count(MARK)
        if MARK in text and self._inside in {"script", "style"}:
            self.wrong.append(f"<{self._inside}> {text[:60]}")

    def handle_comment(self, text: str) -> None:
        if MARK in text:
            self.wrong.append(f"<!--{text[:60]}")


WORDS = {"{{ xss7 }}", "{% include 'xss7' %}", "${xss7}", "javascript:xss7()", "java\tscript:xss7()"}
"""Harmless between tags: only a template from a string or an address would run them."""


@pytest.mark.parametrize("hostile", sorted(set(CORPUS) - WORDS))
def test_the_sweep_below_would_see_them_where_nobody_escapes(hostile: str) -> None:
    if "&lt;" in hostile[:4] or "&#60;" in hostile or hostile.startswith("\uff1c"):
        assert Seen(f"<p>{hostile}</p>").words, (
            "a browser shows these; undoing the escapes would make them run"
        )
        return
    pages = (f"<p>{hostile}</p>", f'<p title="{hostile}">', f"<p title='{hostile}'>", f"<p title={hostile}>")
    assert any(Seen(page).wrong for page in pages)


async def _name(owner: asyncpg.Connection) -> None:
    """What head office and the counties name, by the owner: no door of today changes these."""
    for table, column in (
        ("institutions.institutions", "name"),
        ("institutions.institutions", "short_name"),
        ("institutions.branches", "name"),
        ("identity.staff", "name"),
        ("products.products", "name"),
        ("campaigns.campaigns", "name"),
        ("campaigns.codes", "placement_label"),
    ):
        await owner.execute(f"update {table} set {column} = $1 || {column}", SHORT)


async def _card(road: Road, made: Scene) -> None:
    """A card on which somebody wrote the corpus over what was read."""
    async with road.db.begin(system(made.institution, "test")) as tx:
        person = await customers.get(tx, str(made.application.customer_id))
        card = Card(
            name=SHORT, id_number=person.id_number, sex=person.sex, nation=SHORT, birth_on=date(1980, 3, 7),
            address="".join(CORPUS), issuer=SHORT, valid_from=date(2020, 1, 1), valid_until=None,
        )  # fmt: skip
        assert await customers.create_or_update_from_card(tx, card) == person.id


async def _say(road: Road, made: Scene) -> None:
    """What the bot and the report page keep, once for each of the corpus."""
    async with road.db.begin(system(made.institution, "test")) as tx:
        for hostile in CORPUS:
            await tickets.open(tx, kind="complaint", text=hostile, openid=f"o{made.institution}")
            await campaigns.report(tx, kind="fee_asked", text=hostile, code_id=made.code)


async def _fill(road: Road, desks: Desks, made: Scene) -> list[str]:
    """Every field every role's POST declares, with all of the corpus, or a piece of it where that is too long."""
    broken = []
    for role, staff_no in STAFF_NO.items():
        desk = await desks.of(staff_no)
        token = await token_of(desk)
        for method, path, handler in handlers(road):
            fields = [f for f in handler.opt.get("fields", ()) if f not in {"next", "outcome"}]
            if method != "POST" or role not in handler.opt["roles"] or not fields or path in LAST:
                continue
            for hostile in ("".join(CORPUS), SHORT):
                given = {"csrf_token": token, "form_key": ids.new(), **dict.fromkeys(fields, hostile)}
                if path.endswith("decide") or "outcome" in handler.opt["fields"]:
                    given |= {"outcome": "declined"}
                reply = await desk.http.post(example(path, made), data=given)
                if "html" in reply.headers.get("content-type", "") and Seen(reply.text).wrong:
                    broken.append(f"{role} {path}: {Seen(reply.text).wrong[:2]}")
                if reply.status_code >= 500:
                    broken.append(f"{role} {path}: {reply.status_code}")
                if reply.status_code < 400:
                    break
    return broken


async def _leave(desks: Desks, made: Scene) -> list[str]:
    """Why an officer left is read by auditors alone, on the page of the chain."""
    admin, auditor = await desks.of(STAFF_NO["county_admin"]), await desks.of(STAFF_NO["auditor"])
    [path] = [example(each, made) for each in LAST]
    given = {"csrf_token": await token_of(admin), "form_key": ids.new(), "reason": SHORT}
    assert (await admin.http.post(path, data=given)).status_code == 303
    given = {"csrf_token": await token_of(auditor), "form_key": ids.new(), "kind": "officer"}
    seen = Seen((await auditor.http.post("/console/audit", data=given)).text)
    assert seen.words
    return [f"/console/audit: {each}" for each in seen.wrong]


async def test_nothing_anybody_writes_becomes_part_of_a_page(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    await _name(owner)
    made = await scene(road, owner)
    await _card(road, made)
    await _say(road, made)
    wrong = await _fill(road, desks, made)
    words: dict[str, int] = {}
    for role, staff_no in STAFF_NO.items():
        desk = await desks.of(staff_no)
        for method, path, handler in handlers(road):
            if method == "GET" and role in handler.opt["roles"]:
                reply = await desk.http.get(example(path, made))
                if "html" in reply.headers.get("content-type", ""):
                    seen = Seen(reply.text)
                    words[path] = words.get(path, 0) + seen.words
                    wrong += [f"{role} {path}: {each}" for each in seen.wrong]
    phone, token = await customer(road, made.application)
    for route in routes_of(road.web._transport.app):  # type: ignore[attr-defined]
        fills = {"number": made.number, "code": made.token, "institution_id": "4101", "product_code": "SXD"}
        if route.path.startswith(("/staff", "/studio", "/console", "/api", "/wechat")):
            continue
        replies = [await phone.get(route.at(**fills))] if route.method == "GET" else []
        if route.path in {"/report", "/display", "/resume", "/resume/code"} or route.path.endswith(
            "review-request"
        ):
            for hostile in CORPUS:
                given = {"said": hostile, "phone": hostile, "code": hostile, "kind": hostile, "back": hostile}
                if route.method == "POST":
                    kept = {k: v for k, v in given.items() if k in _declared(road, route.path)}
                    replies.append(
                        await phone.post(
                            route.at(**fills), data={"csrf_token": token, "form_key": ids.new(), **kept}
                        )
                    )
        for reply in replies:
            if "html" in reply.headers.get("content-type", ""):
                seen = Seen(reply.text)
                words[route.path] = words.get(route.path, 0) + seen.words
                wrong += [f"customer {route}: {each}" for each in seen.wrong]
    await phone.aclose()
    wrong += await _leave(desks, made)
    assert wrong == []
    assert {path for path in SHOWS if not words.get(path)} == set(), "the corpus never came this far"


def _declared(road: Road, path: str) -> tuple[str, ...]:
    app = road.web._transport.app  # type: ignore[attr-defined]
    [route] = [each for each in app.routes if each.path == path]
    return tuple(next(h for h in route.route_handlers if "POST" in h.http_methods).opt.get("fields", ()))
