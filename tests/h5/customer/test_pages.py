"""Every customer page in every state: it renders, it is small, it is safe, it ticks nothing by itself."""

import gzip
import re
from html.parser import HTMLParser
from typing import get_args

import pytest
from msgspec.structs import replace

from backend.core import clock
from backend.domains.applications.model import APPLICATION
from backend.web import templates
from h5.customer import views
from tests.h5.customer import contexts

ROOT = templates.ROOT
CUSTOMER_TEMPLATES = sorted((ROOT / "customer").rglob("*.html"))
# Attributes whose value the browser would run, or that style outside the sheet: the CSP forbids them all.
FORBIDDEN = re.compile(r"^(on|style$|hx-on|hx-vars$|hx-eval)")


class Elements(HTMLParser):
    """Start tags in order, each with its attributes; `forms` holds those inside each form."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.forms: list[list[tuple[str, dict[str, str]]]] = []
        self.ids: list[str] = []
        self._in_form = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.append((tag, found))
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "form":
            self.forms.append([])
            self._in_form = True
        if self._in_form:
            self.forms[-1].append((tag, found))

    def handle_endtag(self, tag: str) -> None:
        self._in_form = self._in_form and tag != "form"


def rendered(name: str, **page: str) -> str:
    template, view = contexts.PAGES[name]
    with clock.at(contexts.NOW):
        return templates.render(template, page=replace(contexts.PAGE, **page), view=view)


@pytest.mark.parametrize("name", contexts.PAGES)
def test_a_page_is_at_most_5_kb_packed_in_both_sizes_of_type(name: str) -> None:
    for display in ("normal", "care"):
        assert len(gzip.compress(rendered(name, display=display).encode(), 6)) <= 5_000


def test_every_status_of_an_application_has_words_of_its_own_on_the_customers_page() -> None:
    """A status the template does not know must not be told as another one."""
    shown = {
        v.status: n for n, (t, v) in reversed(contexts.PAGES.items()) if t == "customer/result/show.html"
    }
    assert set(shown) | {"submitted"} == set(APPLICATION.labels) - {"draft"}, (
        "a new status: give it a context"
    )
    assert set(get_args(views.Status)) == set(APPLICATION.labels) - {"draft"}
    said = [re.findall(r"<h1>(.*?)</h1>", rendered(name), re.DOTALL)[0] for name in shown.values()]
    assert len(set(said)) == len(shown), "two statuses say the same"


@pytest.mark.parametrize("name", contexts.PARTS)
def test_a_part_renders_without_the_page_around_it(name: str) -> None:
    template, view, more = contexts.PARTS[name]
    with clock.at(contexts.NOW):
        html = templates.render(template, page=contexts.PAGE, view=view, **more)
    assert "<html" not in html
    assert len(html) > 100


def test_the_landing_with_all_it_loads_stays_under_60_kb() -> None:
    html = rendered("landing")
    names = [name for name in templates.files()._urls if templates.files().url(name) in html]
    assert {"customer.css", "js/customer.js", "vendor/htmx-2.0.11.min.js"} <= set(names)
    total = len(gzip.compress(html.encode(), 6)) + sum(templates.files().packed_size(n) for n in names)
    assert total <= 60_000


def test_only_the_page_that_asks_for_a_notice_loads_wechats_script() -> None:
    asking = {name for name in contexts.PAGES if "weixin-js-sdk" in rendered(name)}
    assert asking == {"deciding-asks"}


@pytest.mark.parametrize("name", sorted(contexts.PAGES.keys() - {"phone-error"}))  # that one: the next test
def test_nothing_is_ticked_before_the_person_ticks_it(name: str) -> None:
    ticked = [a for tag, a in Elements(rendered(name)).tags if a.get("type") == "checkbox" and "checked" in a]
    assert ticked == []


def test_after_an_error_only_the_persons_own_tick_is_shown_again() -> None:
    boxes = [a for _, a in Elements(rendered("phone-error")).tags if a.get("type") == "checkbox"]
    assert [("checked" in box) for box in boxes] == [True, False]


@pytest.mark.parametrize("name", contexts.PAGES)
def test_a_page_carries_no_script_style_or_handler_of_its_own(name: str) -> None:
    for tag, attributes in Elements(rendered(name)).tags:
        assert tag != "style"
        assert tag != "script" or "src" in attributes
        assert [a for a in attributes if FORBIDDEN.match(a)] == []
        assert not attributes.get("href", "").startswith("javascript:")
        assert not any("js:" in value for a, value in attributes.items() if a.startswith("hx-"))


@pytest.mark.parametrize("name", contexts.PAGES)
def test_every_form_that_posts_carries_its_token_and_key(name: str) -> None:
    for form in Elements(rendered(name)).forms:
        attributes = form[0][1]
        fields = {a.get("name") for tag, a in form if tag == "input"}
        assert attributes["method"] == "post"
        assert "csrf_token" in fields
        assert "form_key" in fields


@pytest.mark.parametrize("name", contexts.PAGES)
def test_ids_are_unique_and_labels_point_at_something(name: str) -> None:
    page = Elements(rendered(name))
    assert len(page.ids) == len(set(page.ids))
    for _, attributes in page.tags:
        for reference in ("for", "aria-labelledby", "aria-describedby", "form"):
            assert set(attributes.get(reference, "").split()) <= set(page.ids)


@pytest.mark.parametrize("name", contexts.PAGES)
def test_pictures_have_words_and_pages_one_heading(name: str) -> None:
    html = rendered(name)
    assert html.count("<h1") == 1
    for tag, attributes in Elements(html).tags:
        assert tag != "img" or attributes.get("alt") is not None
        assert tag != "svg" or "aria-hidden" in attributes or "aria-label" in attributes


def test_the_rate_stands_as_large_as_the_amount_on_the_landing() -> None:
    """D2-10: amount, rate and all-in cost are three rows of one list, in one style."""
    price = re.search(r'<dl class="price">(.*?)</dl>', rendered("landing"), re.DOTALL)
    assert price is not None
    assert re.findall(r"<dd>([^<]*)", price[1]) == ["20", "4.35%–9.60%", "4.35%–9.60%"]


def test_the_disclosure_names_who_collects_each_item_and_says_nothing_else_is_charged() -> None:
    html = rendered("disclosure")
    for item in (*contexts.DISCLOSURE.items, *contexts.DISCLOSURE.contingent):
        assert item.item in html
        assert f"{item.collected_by}收取" in html
    assert "不再收任何费用" in html
    assert 'data-wait="10"' in html
    assert 'aria-label="关闭"' in html


def test_a_decline_says_why_and_offers_a_person() -> None:
    html = rendered("declined")
    assert "近 6 个月有 8 次贷款查询" in html
    assert "额度约可到 2 万元。到时要重新审批" in html
    assert 'href="/my/26112300081/review-request"' in html


def test_a_review_that_is_pending_says_who_looks_and_by_when_and_an_answered_one_what_was_answered() -> None:
    waiting = rendered("declined-review")
    assert "由审批人员重新看，2026年11月26日前答复您，答复写在这一页" in waiting
    assert "您现在不用再做什么，不收费" in waiting
    assert 'href="/my/26112300081/review-request"' not in waiting, "asked for already"
    view = replace(contexts.DECLINED, review=replace(contexts.REVIEW, answer="重新看过，结果不变。"))
    answered = templates.render("customer/result/show.html", page=contexts.PAGE, view=view)
    assert "重新看过，结果不变。" in answered
    assert "前答复您" not in answered


@pytest.mark.parametrize("name", contexts.PAGES)
def test_no_form_lets_the_browser_speak_for_us(name: str) -> None:
    """Its bubbles come in the phone's language and go away; ours stand in place (customer.js, or the server)."""
    for form in Elements(rendered(name)).forms:
        checked = any({"required", "pattern"} & attributes.keys() for _, attributes in form)
        assert not checked or "novalidate" in form[0][1], form[0]


def test_liveness_always_offers_a_way_without_the_face() -> None:
    for state in ("liveness", "liveness-failed", "liveness-down"):
        assert 'href="/apply/liveness/other-way"' in rendered(state)


def test_asking_stops_once_the_decision_is_there() -> None:
    assert "/my/26112300081/status" in rendered("deciding")
    for state in ("approved", "declined", "referred", "held", "drawn"):
        assert "hx-trigger" not in rendered(state)


@pytest.mark.parametrize(
    "hostile",
    ["<script>alert(1)</script>", '" onfocus="alert(1)" autofocus="', "'><img src=x onerror=alert(1)>"],
)
def test_what_a_person_typed_stays_text(hostile: str) -> None:
    field = replace(contexts.FIELDS[0], value=hostile, doubt=hostile)
    view = replace(contexts.IDENTITY, fields=(field,))
    html = templates.render("customer/identity/show.html", page=contexts.PAGE, view=view)
    assert hostile not in html
    for tag, attributes in Elements(html).tags:
        assert tag != "img"
        assert not any(a.startswith("on") for a in attributes)


@pytest.mark.parametrize("path", CUSTOMER_TEMPLATES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_template_tells_its_context_and_quotes_every_value(path) -> None:
    source = path.read_text()
    comment = re.match(r"\{#(.*?)#\}", source, re.DOTALL)
    assert comment is not None
    assert "context:" in comment[1]
    assert not re.search(r"=\s*\{\{", re.sub(r"\{%.*?%\}", "", source)), (
        "an unquoted value can be broken out of"
    )
    assert "|safe" not in source


def test_every_template_is_shown_in_some_state() -> None:
    pages = {template for template, _ in contexts.PAGES.values()} | {t for t, _, _ in contexts.PARTS.values()}
    sources = {p.relative_to(ROOT).as_posix(): p.read_text() for p in CUSTOMER_TEMPLATES}
    reached = set(pages)
    for _ in range(4):
        for name in list(reached):
            text = sources.get(name, "")
            reached |= set(re.findall(r'(?:include|extends|from) "([^"]+)"', text))
    assert set(sources) <= reached
