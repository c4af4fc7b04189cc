"""What a decision says of itself on the road: the way to more, one file per case, a second look (N5, N6, D2-07)."""

import asyncio
import hashlib
import json
from pathlib import Path

import msgspec
import pytest

from backend import __main__ as command_line
from backend.domains.audit import service as audit
from backend.domains.decision import capsule_file, nearest
from backend.domains.decision import service as decisions
from backend.domains.decision.model import Outcome
from backend.domains.evidence import service as evidence
from backend.overview import application_result, case_file
from tests.flows.conftest import JIA, Road, id_number


async def overdue_here(road: Road, serial: int = 123):
    """Declined for nothing but a debt at our own bank."""
    script = {"preset": "good", "profile": {"core_loan_overdue_days": 20}}
    application = await road.apply(id_number(serial), script=script)
    assert application.status == "declined"
    return application


async def test_the_way_to_more_stands_on_every_page_that_tells_of_the_decline(road: Road) -> None:
    application = await overdue_here(road)
    async with road.db.read(JIA) as tx:
        page = await application_result.of(tx, application)
        file = await case_file.of(tx, application)
        recorded = await decisions.latest_for(tx, application.id)
        bundle = await decisions.bundle_for(tx, "SXD", application.id)
    assert page.nearest == file.nearest
    assert page.nearest.startswith("还清在本行到期没还的钱")
    assert "额度约可到" in page.nearest
    assert recorded is not None
    found = decisions.nearest_change(recorded.opened, bundle)
    assert found is not None
    again = decisions.decide(nearest.apply(recorded.opened.case, found.changes), bundle).decision
    assert (again.outcome, found.text) == (Outcome.APPROVED, page.nearest)


async def test_an_approval_in_full_needs_no_advice(road: Road) -> None:
    application = await road.apply(id_number(), amount_fen=500_000)
    assert application.status == "approved"
    async with road.db.read(JIA) as tx:
        assert (await application_result.of(tx, application)).nearest == ""


async def test_a_case_leaves_in_one_file_that_holds_after_everything_changed(
    road: Road,
    database_dsn: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    application = await road.apply(id_number())
    await road.confirm(application)
    monkeypatch.setenv("DATABASE_URL", database_dsn)
    monkeypatch.setenv("DATABASE_OWNER_URL", database_dsn)
    path = tmp_path / "case.json"
    words = ["capsule", application.application_no, "--out", str(path), "--reason", "法院调取"]
    assert await asyncio.to_thread(command_line.main, words) == 0
    held = capsule_file.read(path.read_bytes())
    told = {part.name: msgspec.json.decode(part.text) for part in held.parts}
    assert told["case"]["application_no"] == application.application_no
    assert {"submitted", "approved"} <= {event["to_status"] for event in told["case"]["events"]}
    used = {given.get("consent_id") for given in told["capsule"]["case"]["sources"].values()} - {None}
    assert used
    assert used <= {consent["id"] for consent in told["consents"]}
    assert all(consent["text"] and consent["channel"] and consent["given_at"] for consent in told["consents"])
    assert told["disclosure"]["confirmation"]["dwell_seconds"] >= 15
    async with road.db.read(JIA) as tx:
        rows = await tx.connection.fetch(
            "select source, raw from evidence.answers where application_id = $1", application.id
        )
        kept = {
            row["source"]: tx.vault.open(
                "evidence.answers", "raw", f"{application.id}/{row['source']}", row["raw"]
            )
            for row in rows
        }
        assert not any(answer.raw for answer in (await evidence.answers(tx, application.id)).values())
    asked = {each["source"]: each for each in told["evidence"]}
    assert {"credit_bureau", "identity_check"} <= asked.keys() == kept.keys()
    for source, each in asked.items():
        assert each["sha256"] == hashlib.sha256(kept[source]).hexdigest()  # trust §3: the bureau's very bytes
        assert each["consent_id"] in used
        assert kept[source] not in path.read_bytes()
    async with road.db.read(JIA) as tx:
        recorded = await decisions.latest_for(tx, application.id)
        assert recorded is not None
        taken = [entry for entry in await audit.of(tx, recorded.id) if entry.action == "capsule.exported"]
        [noted] = [entry for entry in await audit.of(tx, recorded.id) if entry.action == "decision.recorded"]
    assert told["audit"]["seq"] == noted.seq
    assert [msgspec.json.decode(entry.details)["head"] for entry in taken] == [held.head]
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/nothing")
    monkeypatch.setattr(decisions.bundle, "_built", {})
    capsys.readouterr()
    assert await asyncio.to_thread(command_line.main, ["replay", str(path)]) == 0
    assert capsys.readouterr().out.startswith("和存证一字不差")
    assert decisions.replay_capsule(path.read_bytes()).replayed == recorded.capsule


async def test_taking_a_case_away_wants_a_reason_and_a_number_that_exists(
    road: Road,
    database_dsn: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    application = await overdue_here(road)
    monkeypatch.setenv("DATABASE_URL", database_dsn)
    monkeypatch.setenv("DATABASE_OWNER_URL", database_dsn)
    out = ["--out", str(tmp_path / "case.json")]
    for number, reason, told in (
        (application.application_no, "看", "取存证要写明理由，至少四个字\n"),
        ("999999999999", "法院调取", "没有找到这次的审批结果\n"),
        ("abc", "法院调取", "abc 不是编号\n"),
    ):
        assert await asyncio.to_thread(command_line.main, ["capsule", number, *out, "--reason", reason]) == 2
        assert capsys.readouterr().err == told
    words = ["capsule", application.application_no, *out, "--reason", "法院调取", "--masked"]
    assert await asyncio.to_thread(command_line.main, words) == 0
    text = (tmp_path / "case.json").read_text()
    assert "1980-03-07" not in text
    assert "advice" in {part["name"] for part in json.loads(text)["parts"]}
