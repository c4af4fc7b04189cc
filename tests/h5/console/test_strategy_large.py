"""A large strategy costs nobody else their page: its checks run off the event loop, one at a time (A3-33)."""

import asyncio
import copy
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from backend.domains.decision import lint
from backend.domains.decision.model import Stage
from backend.domains.strategies import aside, checks
from backend.domains.strategies.checks import MOST_ROWS
from h5.console import strategy_graph
from tests.h5.conftest import Desk, Desks
from tests.h5.console.test_strategies import act, draft

PATIENCE = 60
"""Seconds after which a calculation that waits for the loop in vain gives up: only a failing test waits."""


def held_up(
    work: Callable[..., Any], seen: list[bool], begun: threading.Event, freed: threading.Event
) -> Any:
    """`work`, which first waits until the event loop has done something since it began."""

    def wait(*args: Any, **kwargs: Any) -> Any:
        begun.set()
        seen.append(freed.wait(PATIENCE))
        return work(*args, **kwargs)

    return wait


async def while_ticking(doing: Any, begun: threading.Event, freed: threading.Event) -> None:
    """`doing`, with the loop asked again and again for a little, as other people's pages ask it."""
    task = asyncio.create_task(doing)
    while not task.done():
        await asyncio.wait([task], timeout=0.01)
        if begun.is_set():
            freed.set()
    await task


async def bring(desk: Desk, base: str, document: Any) -> None:
    await desk.get(f"{base}/files")
    values, file = desk.page.form(f"{base}/flow").values, json.dumps(document, ensure_ascii=False).encode()
    await desk._arrive(await desk.http.post(f"{base}/flow", data=values, files={"file": ("a.json", file)}))


def with_rows(count: int) -> Any:
    """The shipped eligibility with `count` rows more, each its own: on the queries of six months and the debt."""
    document = checks.shipped(Stage.ELIGIBILITY)
    node = next(each for each in document["nodes"] if each["id"] == "bureau")
    rules = node["content"]["rules"]
    model = copy.deepcopy(rules[-1])
    node["content"]["rules"] = [*rules, *({**model, "_id": f"more-{n}"} for n in range(count))]
    return document


@pytest.mark.parametrize("button", ["check", "import"])
async def test_the_loop_stays_free_while_a_strategy_is_checked_or_taken_in(
    desks: Desks, monkeypatch: pytest.MonkeyPatch, button: str
) -> None:
    desk = await desks.of("SL0001")
    base = await draft(desk)
    seen: list[bool] = []
    begun, freed = threading.Event(), threading.Event()
    held = lint if button == "check" else strategy_graph
    name = "check" if button == "check" else "draw"
    monkeypatch.setattr(held, name, held_up(getattr(held, name), seen, begun, freed))
    doing = act(desk, "check") if button == "check" else bring(desk, base, with_rows(3))
    await while_ticking(doing, begun, freed)
    assert seen, "the calculation ran"
    assert all(seen), "the loop went on while it did"
    assert desk.reply.status_code == 200, desk.words


async def test_large_calculations_run_one_at_a_time() -> None:
    running, most = 0, 0

    def work() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        threading.Event().wait(0.01)
        running -= 1

    await asyncio.gather(*(aside.run(work) for _ in range(5)))
    assert most == 1


async def test_a_strategy_has_a_most_of_rows_and_says_so(desks: Desks) -> None:
    desk = await desks.of("SL0001")
    base = await draft(desk)
    shipped = sum(
        len(n["content"]["rules"]) for n in with_rows(0)["nodes"] if n["type"] == "decisionTableNode"
    )
    await bring(desk, base, with_rows(MOST_ROWS - shipped + 1))
    assert desk.reply.status_code == 422
    assert "一共 1,001 行，最多 1,000 行" in desk.words, desk.words
    await bring(desk, base, with_rows(MOST_ROWS - shipped))
    assert desk.reply.status_code == 200, desk.words
    folded = desk.reply.text.split("<summary>还有", 1)
    assert len(folded) == 2, "hundreds of changes do not bury what stands below them"
    assert folded[0].count('<span class="tag">新增行</span>') == 8
    await act(desk, "check")
    assert desk.reply.status_code == 200
    assert "处要改" in desk.words or "检查通过" in desk.words, desk.words
