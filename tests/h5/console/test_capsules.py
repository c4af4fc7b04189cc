"""A reviewer or auditor takes a case away as a file: with a reason, and noted (N6)."""

import asyncio
import json
from pathlib import Path

import asyncpg
import pytest

from backend import __main__ as command_line
from backend.core.actor import system
from backend.domains.audit import service as audit
from backend.domains.decision import capsule_file, moment_file, verify_capsule
from backend.domains.decision import service as decisions
from backend.domains.decision.model import CapsuleTampered, CapsuleUnreadable, Stage
from backend.flows import export_capsule
from tests.flows.conftest import Road, id_number
from tests.flows.test_county_moments import REFUSE, live
from tests.flows.test_pre_screen import REVIEWER
from tests.h5.conftest import Desks, desks, road
from tests.h5.scene import referred

__all__ = ["desks", "road"]


async def test_the_file_comes_with_a_reason_and_a_row_in_the_chain(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    application = await referred(road, owner, "4101", 511)
    desk = await desks.of("JX0201")
    await desk.get(f"/console/cases/{application.application_no}")
    form = desk.page.form("/capsule")
    await desk.send(form, reason="看")
    assert desk.reply.status_code == 422
    assert "取存证要写明理由，至少四个字" in desk.words
    await desk.send(form, reason="客户投诉要核对")
    assert desk.reply.status_code == 200
    assert f"capsule-{application.application_no}.json" in desk.reply.headers["content-disposition"]
    assert decisions.replay_capsule(desk.reply.content).same_bytes
    async with road.db.read(system("4101", "test")) as tx:
        recorded = await decisions.latest_for(tx, application.id)
        assert recorded is not None
        noted = [entry for entry in await audit.of(tx, recorded.id) if entry.action == "capsule.exported"]
    assert len(noted) == 1
    assert "客户投诉要核对" in noted[0].details


async def test_the_masked_file_names_nobody(road: Road, desks: Desks, owner: asyncpg.Connection) -> None:
    application = await referred(road, owner, "4101", 512)
    desk = await desks.of("JX0401")
    await desk.get(f"/console/cases/{application.application_no}")
    await desk.send(desk.page.form("/capsule"), reason="培训时演示", masked="yes")
    held = capsule_file.read(desk.reply.content)
    assert held.masked
    assert "1980-03-07" not in desk.reply.text


async def test_who_may_not_take_it_is_not_offered_it(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    application = await referred(road, owner, "4101", 513)
    desk = await desks.of("JX0101")
    await desk.get(f"/console/cases/{application.application_no}")
    assert "下载存证" not in desk.words


async def test_a_case_turned_away_before_any_decision_has_its_file_too(
    road: Road,
    desks: Desks,
    owner: asyncpg.Connection,
    database_dsn: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By a county's own row: facts, the two documents and the sentence, replayed without a database."""
    await live(road, Stage.PRE_SCREEN, "limits", c1="> 30", **REFUSE)
    me = id_number(514)
    await road.person(me, preset="good", phone="match")
    away = await road.submit(await road.draft(me))
    assert away.status == "declined"
    desk = await desks.of("JX0201")
    await desk.get(f"/console/cases/{away.application_no}")
    await desk.send(desk.page.form("/capsule"), reason="客户投诉要核对")
    assert desk.reply.status_code == 200, desk.words
    made = desk.reply.content
    held = capsule_file.read(made)
    assert {"strategy:pre_screen", "overlay:pre_screen", "catalogue", "consents"} <= {
        p.name for p in held.parts
    }
    assert "本行现在不办" in held.text("capsule")
    assert (verify_capsule.first_wrong(json.loads(made)), verify_capsule.wrong_version(json.loads(made))) == (
        "",
        "",
    )
    (tmp_path / "case.json").write_bytes(made)
    assert command_line.main(["replay", str(tmp_path / "case.json")]) == 0
    assert "一字不差" in capsys.readouterr().out
    monkeypatch.setenv("DATABASE_URL", database_dsn)
    monkeypatch.setenv("DATABASE_OWNER_URL", database_dsn)
    assert await asyncio.to_thread(command_line.main, ["replay", away.application_no]) == 0
    assert "一字不差" in capsys.readouterr().out

    texts = [(part.name, part.text) for part in held.parts if part.name != "overlay:pre_screen"]
    for changed in ([*texts, ("overlay:pre_screen", held.text("strategy:pre_screen"))], texts):
        forged = capsule_file.write(changed)
        with pytest.raises((CapsuleTampered, CapsuleUnreadable)):
            moment_file.replay(forged)
        assert verify_capsule.wrong_version(json.loads(forged)) != ""
    cut = made.replace("本行现在不办".encode(), "本行现在能办".encode())
    with pytest.raises(CapsuleTampered):
        moment_file.replay(cut)
    hidden = await export_capsule.export_capsule(road.db, REVIEWER, away.id, "培训时演示", masked=True)
    assert command_line.main(["replay", str(_written(tmp_path, hidden))]) == 0
    assert "不能重算" in capsys.readouterr().err


def _written(folder: Path, text: bytes) -> Path:
    path = folder / "masked.json"
    path.write_bytes(text)
    return path
