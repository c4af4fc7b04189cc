"""Responsible codes: genuine, unique, attributable, and dead everywhere once revoked (N1, A3-05, D4-01)."""

import re
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from backend.core import clock
from backend.core.actor import Actor, system
from backend.core.crypto import Vault
from backend.demo import staff_id
from backend.domains.campaigns import demo, model, rules
from backend.domains.campaigns import service as campaigns
from backend.domains.campaigns.model import CodeState
from backend.domains.identity import service as identity
from backend.settings import load, signing_keys
from tests.acting import act_as
from tests.domains.savepoint import savepoint
from tests.officer_codes import codes_of

LISI = staff_id("4101", 1)
CAMPAIGN = demo.campaign_id("4101")
SECOND = Actor("staff", "乙", "4101")


async def code_for(tx, placement="group"):
    codes = await codes_of(tx, LISI)
    return next(c for c in codes if c.placement == placement and c.revoked_at is None)


async def new_code(tx, label="新群", **more):
    material = await tx.connection.fetchval(
        "select id from campaigns.materials where institution_id = '4101' and campaign_id = $1", CAMPAIGN
    )
    return await campaigns.issue(
        tx, officer_id=LISI, campaign_id=CAMPAIGN, material_id=material,
        placement="group", placement_label=label, **more,
    )  # fmt: skip


async def test_a_genuine_code_says_who_answers_for_it(tx):
    found = await campaigns.verify(tx, (await code_for(tx)).token)
    assert found.state is CodeState.REAL
    assert found.usable
    assert (found.officer.name, found.officer.job_no, found.officer.branch_name) == (
        "李四",
        "JX0427",
        "柳林支行",
    )
    assert found.officer.qualification_no
    assert found.campaign.product_code == "SXD"
    assert found.campaign.village == "柳林村"


async def test_all_codes_of_several_officers_are_told_as_each_alone(tx):
    officers = [each for each in await identity.all_staff(tx) if "officer" in each.roles]
    found = await campaigns.verified(tx, officers)
    assert list(found) == [each.id for each in officers]
    assert sum(map(len, found.values())) > len(officers) > 1
    for officer_id, told in found.items():
        alone = [await campaigns.verify_id(tx, c.id) for c in await codes_of(tx, officer_id)]
        assert told == alone
    await campaigns.revoke(tx, told[0].code.id, "印错了")
    assert (await campaigns.verified(tx, officers))[officer_id][0].state is CodeState.REVOKED


async def test_a_token_fits_a_wechat_scene_and_a_url(tx):
    token = (await code_for(tx)).token
    assert re.fullmatch(r"[0-9A-Z-]{1,64}", token)
    assert campaigns.institution_of(token) == "4101"
    assert campaigns.path(token) == f"/q/{token}"


async def test_every_changed_character_makes_a_token_unknown(tx):
    token = (await code_for(tx)).token
    for at, character in enumerate(token):
        other = "0" if character != "0" else "1"
        forged = token[:at] + other + token[at + 1 :]
        assert (await campaigns.verify(tx, forged)).state is CodeState.UNKNOWN, forged


@pytest.mark.parametrize(
    "token", ["", "x", "4101", "4101-1-AAAAAAAAAA-" + "Z" * 26, "../etc", "4101-1-" * 30]
)
async def test_rubbish_is_unknown_and_never_an_error(tx, token):
    assert (await campaigns.verify(tx, token)).state is CodeState.UNKNOWN


async def test_another_countys_code_is_not_ours(db):
    async with db.read(system("4102", "t")) as tx:
        theirs = (await campaigns.list_codes(tx))[0].token
    async with db.read(system("4101", "t")) as tx:
        assert (await campaigns.verify(tx, theirs)).state is CodeState.UNKNOWN
        assert (await campaigns.verify(tx, "4101" + theirs[4:])).state is CodeState.UNKNOWN


async def test_one_revoke_kills_every_printed_copy(tx):
    code = await code_for(tx)
    await campaigns.revoke(tx, code.id, "海报丢失")
    found = await campaigns.verify(tx, code.token)
    assert (found.state, found.reason) == (CodeState.REVOKED, "海报丢失")
    await campaigns.revoke(tx, code.id, "再来一次")
    assert (await campaigns.verify(tx, code.token)).reason == "海报丢失"


async def test_a_code_expires_to_the_second(tx):
    code = await new_code(tx, valid_for=timedelta(hours=1))
    with clock.at(code.expires_at - timedelta(seconds=1)):
        tx.now = clock.now()
        assert (await campaigns.verify(tx, code.token)).state is CodeState.REAL
    with clock.at(code.expires_at):
        tx.now = clock.now()
        assert (await campaigns.verify(tx, code.token)).state is CodeState.EXPIRED


async def test_d4_01_codes_end_with_the_officers_authority(db, owner):
    async with db.read(system("4101", "t")) as tx:
        code = await code_for(tx)
    await owner.execute("update identity.staff set authority_to = $1 where id = $2", clock.today(), LISI)
    async with db.read(system("4101", "t")) as tx:
        assert (await campaigns.verify(tx, code.token)).state is CodeState.REAL
    yesterday = clock.today() - timedelta(days=1)
    await owner.execute("update identity.staff set authority_to = $1 where id = $2", yesterday, LISI)
    async with db.begin(system("4101", "t")) as tx:
        found = await campaigns.verify(tx, code.token)
        assert found.state is CodeState.EXPIRED
        assert "授权" in found.reason
        with pytest.raises(model.OfficerNotAuthorised):
            await new_code(tx)


async def test_d4_01_an_officer_without_a_qualification_cannot_publish(db, owner):
    await owner.execute("update identity.staff set qualification_no = '' where id = $1", LISI)
    async with db.begin(system("4101", "t")) as tx:
        with pytest.raises(model.OfficerNotAuthorised):
            await new_code(tx)


async def test_codes_of_somebody_who_left_are_revoked(db, owner):
    async with db.read(system("4101", "t")) as tx:
        code = await code_for(tx)
    await owner.execute("update identity.staff set active = false where id = $1", LISI)
    async with db.read(system("4101", "t")) as tx:
        assert (await campaigns.verify(tx, code.token)).state is CodeState.REVOKED


async def test_revoking_an_officer_takes_all_their_codes_and_no_others(tx):
    mine, other = await code_for(tx), (await codes_of(tx, staff_id("4101", 2)))[0]
    assert await campaigns.revoke_officer(tx, LISI, "调离") >= 3
    assert (await campaigns.verify(tx, mine.token)).state is CodeState.REVOKED
    assert (await campaigns.verify(tx, other.token)).state is CodeState.REAL


async def test_withdrawn_material_reaches_every_place(tx):
    code = await code_for(tx)
    await campaigns.withdraw_material(tx, code.material_id)
    assert (await campaigns.verify(tx, code.token)).state is CodeState.REVOKED


async def test_an_ended_campaign_ends_its_codes(tx):
    code = await code_for(tx)
    await campaigns.end_campaign(tx, code.campaign_id)
    assert (await campaigns.verify(tx, code.token)).state is CodeState.EXPIRED
    with pytest.raises(model.CampaignNotRunning):
        await new_code(tx)


async def test_a_row_altered_behind_our_back_no_longer_fits_its_token(tx):
    code = await code_for(tx)
    await tx.connection.execute(
        "update campaigns.codes set placement_label = '别的群' where id = $1", code.id
    )
    assert (await campaigns.verify(tx, code.token)).state is CodeState.UNKNOWN


async def test_one_place_has_one_code(tx):
    await new_code(tx)
    with pytest.raises(model.CodeExists):
        await new_code(tx)


async def test_a_printed_code_survives_key_rotation_until_its_key_is_destroyed(tx):
    code = await code_for(tx)
    first = tx.vault._signing[1]

    def vault(**signing):
        return Vault({1: b"k" * 32}, 1, b"index", signing={int(k[1:]): v for k, v in signing.items()})

    tx.vault = vault(k1=first, k2=b"second")
    assert (await campaigns.verify(tx, code.token)).state is CodeState.REAL
    fresh = await new_code(tx)
    assert fresh.token.split("-")[1] == "2"
    assert (await campaigns.verify(tx, fresh.token)).state is CodeState.REAL
    tx.vault = vault(k2=b"second")
    assert (await campaigns.verify(tx, code.token)).state is CodeState.UNKNOWN
    assert (await campaigns.verify(tx, fresh.token)).state is CodeState.REAL


def test_signing_keys_are_one_secret_or_numbered_ones():
    assert signing_keys(load({"CODE_SIGNING_SECRET": "a, b"})) == {1: b"a, b"}
    assert signing_keys(load({"CODE_SIGNING_SECRET": "1:old,2:new"})) == {1: b"old", 2: b"new"}


async def test_d4_07_unreviewed_material_cannot_carry_a_code(tx):
    draft = await campaigns.draft_material(
        tx, campaign_id=CAMPAIGN, material_no="WL4101002", headline="花木农户看过来",
        risk_text=demo.RISK,
    )  # fmt: skip
    with pytest.raises(model.MaterialNotReviewed):
        await campaigns.issue(
            tx, officer_id=LISI, campaign_id=CAMPAIGN, material_id=draft,
            placement="visit", placement_label="上门",
        )  # fmt: skip
    with pytest.raises(model.SelfReview):
        await campaigns.approve_material(tx, draft)
    await act_as(tx, SECOND)
    await campaigns.approve_material(tx, draft)
    assert (await campaigns.get_material(tx, draft)).visible_id == "WL4101002-1"


async def test_four_eyes_on_material_hold_in_sql(tx):
    draft = await campaigns.draft_material(
        tx,
        campaign_id=CAMPAIGN,
        material_no="WL4101003",
        headline="花木农户",
        risk_text=demo.RISK,
    )
    with pytest.raises(asyncpg.CheckViolationError):
        async with savepoint(tx):
            await tx.connection.execute(
                "update campaigns.materials set reviewer = maker, reviewed_at = now() where id = $1", draft
            )


@pytest.mark.parametrize(
    ("headline", "risk_text", "field"),
    [
        ("秒批到账随享贷", demo.RISK, "headline"),
        ("低 门 槛好贷款", demo.RISK, "headline"),
        ("随享贷", demo.RISK, "headline"),
        ("扫码申请随享贷", "放心借", "risk_text"),
    ],
)
async def test_d4_02_inducing_material_is_refused_with_the_place(tx, headline, risk_text, field):
    draft = await campaigns.draft_material(
        tx, campaign_id=CAMPAIGN, material_no="WL4101004", headline=headline, risk_text=risk_text
    )
    await act_as(tx, SECOND)
    with pytest.raises(model.MaterialRefused) as refused:
        await campaigns.approve_material(tx, draft)
    assert field in refused.value.fields


async def test_scans_are_attributed_without_keeping_who(tx):
    code = await code_for(tx)
    for visitor in ("openid-a", "openid-a", "openid-b"):
        await campaigns.record_scan(tx, code.id, channel="qr", visitor=visitor)
    (row,) = [f for f in await campaigns.funnel(tx, code.campaign_id) if f.code_id == code.id]
    assert (row.scans, row.visitors, row.reports) == (3, 2, 0)
    kept = await tx.connection.fetch("select s::text as t from campaigns.scans s")
    assert all("openid" not in r["t"] and b"openid-a".hex() not in r["t"] for r in kept)


async def test_a_report_gets_a_ticket_and_lies_sealed(tx):
    code = await code_for(tx)
    ticket = await campaigns.report(
        tx, kind="fee_asked", text="有个人说交 500 元包过", code_id=code.id, contact="13812341234"
    )
    assert re.fullmatch(r"JB4101[0-9A-Z]{8}", ticket)
    (row,) = await tx.connection.fetch("select r::text as t from campaigns.reports r")
    for told in ("交 500 元", "13812341234"):
        assert told not in row["t"]
        assert told.encode().hex() not in row["t"]
    (seen,) = [f for f in await campaigns.funnel(tx, code.campaign_id) if f.code_id == code.id]
    assert seen.reports == 1


async def test_the_demo_shows_each_state(tx):
    codes = await codes_of(tx, LISI)
    with clock.at(clock.now() + timedelta(seconds=5)):
        tx.now = clock.now()
        states = {(await campaigns.verify(tx, c.token)).state for c in codes}
    assert states == {CodeState.REAL, CodeState.REVOKED, CodeState.EXPIRED}


def test_tokens_round_trip():
    for seal in (bytes(16), b"\xff" * 16, bytes(range(16))):
        token = rules.token_of("4101", 7, "ABCDEFGH12", seal)
        assert rules.parse(token) == ("4101", 7, "ABCDEFGH12", seal)


def test_the_lifecycle_is_the_one_in_sql():
    assert model.CAMPAIGN.pairs() == {("running", "ended")}


async def test_before_the_rule_was_in_force_staff_membership_was_enough(tx):
    code = await code_for(tx)
    assert (await campaigns.verify(tx, code.token)).usable
    from backend.domains.identity import service as identity
    from backend.domains.regulation import service as regulation

    officer = await identity.staff(tx, LISI)
    day = datetime(2027, 7, 1, tzinfo=UTC).date()
    early = await regulation.flag(tx, campaigns.AUTHORITY, datetime(2026, 9, 29, tzinfo=UTC).date())
    assert rules.authorised(officer, day, required=early)
    assert not rules.authorised(officer, day, required=await regulation.flag(tx, campaigns.AUTHORITY, day))
