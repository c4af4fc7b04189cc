"""Like customers get like prices (D3-03): what comes out, not only which names stand in a table."""

import copy

import msgspec
import pytest

from backend.domains.decision import bundle, facts, scorecard
from backend.domains.decision.model import Stage, canonical
from backend.domains.strategies import fairness, shipped
from backend.domains.strategies.model import UnionContent
from tests.domains.strategies.conftest import ADMIN, Stagehand, previewed, stop_scenarios

CASES = [case for _, case, _ in shipped.scenarios()]


def test_the_shipped_strategies_price_like_customers_alike():
    assert fairness.check(CASES, bundle.seeded()) == []


def unlocked(*names: str) -> facts.Catalogue:
    """A catalogue somebody edited so that these facts may move a price: the lint lets them through."""
    known = msgspec.json.decode(facts.catalogue().text)
    for fact in known:
        if fact["name"] in names:
            fact["price"] = True
    return facts.Catalogue(canonical(known))


def with_column(stage: Stage, table: str, field: str, kind: str, row: dict[str, str]):
    """The shipped documents with one more row that looks at `field`, in a column of its own."""
    documents = copy.deepcopy(bundle.seeded_documents())
    node = next(n for n in documents[stage]["nodes"] if n["id"] == table)["content"]
    node["inputs"].append({"id": "c9", "name": field, "field": field})
    for rule in node["rules"]:
        rule["c9"] = ""
    node["rules"].append({**{c["id"]: "" for c in node["inputs"]}, "_id": "unfair", **row})
    entry = next(n for n in documents[stage]["nodes"] if n["type"] == "inputNode")["content"]
    schema = msgspec.json.decode(entry["schema"])
    schema["required"].append(field)
    schema["properties"][field] = {"type": kind}
    entry["schema"] = canonical(schema).decode()
    return documents


@pytest.mark.parametrize(
    "stage, table, field, kind, row, what",
    [
        (Stage.PRICING, "parts", "occupation", "string",
         {"c9": "'farmer'", "r1": "'job'", "r2": "'职业'", "r3": "50"}, "职业从"),
        (Stage.PRICING, "parts", "device_customers_30d", "integer",
         {"c9": "> 2", "r1": "'device'", "r2": "'设备'", "r3": "30"}, "同一设备 30 天内申请人数从"),
        (Stage.LIMIT, "caps", "age_years", "integer",
         {"c9": "> 45", "r1": "'age'", "r2": "'年龄'", "r3": "500000"}, "出生日期从"),
    ],
)  # fmt: skip
def test_a_price_that_moves_with_a_protected_fact_is_found(stage, table, field, kind, row, what):
    catalogue = unlocked(field)
    documents = with_column(stage, table, field, kind, row)
    using = bundle.build(documents, scorecard.seeded(), catalogue=catalogue, code="x", keep=False)
    found = fairness.check(CASES, using)
    assert [each.kind for each in found] == ["fairness"]
    assert what in found[0].sentence
    assert ("额度" if stage is Stage.LIMIT else "利率") in found[0].sentence


async def test_an_unfair_price_fails_the_check_of_a_version(hand: Stagehand, monkeypatch):
    catalogue = unlocked("occupation")
    row = {"c9": "'farmer'", "r1": "'job'", "r2": "'职业'", "r3": "50"}
    documents = with_column(Stage.PRICING, "parts", "occupation", "string", row)
    tx = await hand.as_(ADMIN)
    content = UnionContent(document=documents[Stage.PRICING])
    before = await previewed(tx, "*", Stage.PRICING, content)
    assert "不能影响评级、额度或利率" in before.findings[0].sentence  # the lint, by name
    monkeypatch.setattr(facts, "catalogue", lambda: catalogue)
    report = await previewed(tx, "*", Stage.PRICING, content)
    assert [each.kind for each in report.findings if each.blocks] == ["fairness"]
    assert report.failures >= 1


async def test_like_pairs_are_tried_where_nobody_keeps_a_scenario(hand: Stagehand, monkeypatch):
    """As in a county, whose overlays meet its own scenarios alone: an unfair price was let through with none."""
    catalogue = unlocked("occupation")
    row = {"c9": "'farmer'", "r1": "'job'", "r2": "'职业'", "r3": "50"}
    documents = with_column(Stage.PRICING, "parts", "occupation", "string", row)
    tx = await hand.as_(ADMIN)
    await stop_scenarios(tx, "*")
    monkeypatch.setattr(facts, "catalogue", lambda: catalogue)
    report = await previewed(tx, "*", Stage.PRICING, UnionContent(document=documents[Stage.PRICING]))
    assert report.scenarios == []
    assert [each.kind for each in report.findings if each.blocks] == ["fairness"]
