"""What other code may ask about campaigns and codes. Every act leaves a row in the audit log."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from backend.core import clock, ids
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.campaigns import repository, rules, sentinel
from backend.domains.campaigns.model import (
    Campaign,
    CampaignNotFound,
    CampaignNotRunning,
    CodeExists,
    CodeNotFound,
    CodeState,
    Funnel,
    Material,
    MaterialNotFound,
    MaterialNotReviewed,
    MaterialRefused,
    OfficerCard,
    OfficerNotAuthorised,
    Report,
    ReportAnswered,
    ReportNotFound,
    ResponsibleCode,
    SelfReview,
    Verification,
)
from backend.domains.identity import service as identity
from backend.domains.identity.model import Staff
from backend.domains.institutions import service as institutions
from backend.domains.products import service as products
from backend.domains.regulation import service as regulation

LONGEST_CODE = timedelta(days=365)
AUTHORITY = "marketing.officer_authority.required"

institution_of = rules.institution_of
path = rules.path


async def verify(tx: Tx, token: str) -> Verification:
    """Whether a token is one of ours and may be used now; never raises for a bad one (N1).

    The transaction must be for the token's institution (`institution_of`).
    """
    parts = rules.parse(token)
    if parts is None or parts[0] != tx.institution_id:
        return Verification(state=CodeState.UNKNOWN, reason="不是本行的码")
    found = await repository.verification(tx, serial=parts[2])
    if found is None or not rules.genuine(tx.vault, found[0], token):
        return Verification(state=CodeState.UNKNOWN, reason="不是本行的码")
    return await _verification(tx, *found)


async def verify_id(tx: Tx, code_id: str) -> Verification:
    """The same for a code already attributed to an application. Raises `CodeNotFound`."""
    found = await repository.verification(tx, code_id=code_id)
    if found is None:
        raise CodeNotFound()
    return await _verification(tx, *found)


async def verified(tx: Tx, officers: Sequence[Staff]) -> dict[str, list[Verification]]:
    """The codes of officers by officer, newest first, each as `verify_id` tells it; a page of all costs no more
    questions than one of one."""
    known, cards = {each.id: each for each in officers}, await officer_cards(tx, officers)
    required = await regulation.flag(tx, AUTHORITY, clock.today())
    found: dict[str, list[Verification]] = {each: [] for each in known}
    for code, campaign, withdrawn_at in await repository.verifications(tx, list(known)):
        officer, card = known[code.officer_id], cards[code.officer_id]
        found[officer.id].append(_judged(tx, code, campaign, withdrawn_at, officer, card, required=required))
    return found


async def get_code(tx: Tx, code_id: str) -> ResponsibleCode:
    found = await repository.code(tx, code_id)
    if found is None:
        raise CodeNotFound()
    return found


async def list_codes(tx: Tx) -> list[ResponsibleCode]:
    """All codes of the institution, newest first."""
    return await repository.codes(tx)


async def issue(
    tx: Tx,
    *,
    officer_id: str,
    campaign_id: str,
    material_id: str,
    placement: str,
    placement_label: str,
    valid_for: timedelta = LONGEST_CODE,
) -> ResponsibleCode:
    """A new code for one place. It ends with the campaign, the officer's authority or `valid_for`, whichever
    comes first.

    Raises `OfficerNotAuthorised`, `CampaignNotRunning`, `MaterialNotReviewed`, `CodeExists`.
    """
    today = clock.today()
    officer = await identity.staff(tx, officer_id)
    required = await regulation.flag(tx, AUTHORITY, today)
    if officer is None or not rules.authorised(officer, today, required=required):
        raise OfficerNotAuthorised()
    campaign = await get_campaign(tx, campaign_id)
    if campaign.status != "running" or campaign.ends_on < today:
        raise CampaignNotRunning()
    material = await get_material(tx, material_id)
    if not material.usable or material.campaign_id != campaign_id:
        raise MaterialNotReviewed()
    last_day = min(campaign.ends_on, officer.authority_to or campaign.ends_on)
    code_id = await repository.add_code(
        tx,
        officer_id=officer_id,
        qualification_no=officer.qualification_no,
        campaign_id=campaign_id,
        placement=placement,
        placement_label=placement_label,
        material_id=material_id,
        expires_at=min(tx.now + min(valid_for, LONGEST_CODE), _end_of(last_day)),
    )
    if code_id is None:
        raise CodeExists()
    audit.add(tx, "code.issued", code_id, officer=officer_id, campaign=campaign_id, placement=placement)
    return await get_code(tx, code_id)


async def revoke(tx: Tx, code_id: str, reason: str) -> None:
    """Kills every printed copy at once; revoking again changes nothing."""
    if await repository.revoke(tx, code_id, reason):
        audit.add(tx, "code.revoked", code_id, reason=reason)
    else:
        await get_code(tx, code_id)


async def revoke_officer(tx: Tx, officer_id: str, reason: str) -> int:
    """All codes of somebody who leaves or lost the authority; returns how many."""
    ended = await repository.revoke_officer(tx, officer_id, reason)
    if ended:
        audit.add(tx, "officer.codes_revoked", officer_id, reason=reason, count=ended)
    return ended


async def record_scan(
    tx: Tx, code_id: str, *, channel: str, visitor: str, state: CodeState = CodeState.REAL
) -> str:
    """Attribution of one opening; `visitor` (openid or session id) is kept only as a blind index. What it makes full
    stops the placement from here on (N15); who just came in goes on."""
    scan = await repository.add_scan(tx, code_id, channel, visitor, state)
    await sentinel.watch(tx, code_id)
    return scan


async def report(
    tx: Tx, *, kind: str, text: str, code_id: str | None = None, contact: str | None = None
) -> str:
    """Somebody asks for a fee, or is not who they say; returns the ticket number to show."""
    ticket_no = f"JB{tx.institution_id}{rules.new_serial()[:8]}"
    await repository.add_report(tx, ticket_no, code_id, kind, text.strip()[:1000], contact)
    audit.add(tx, "code.reported", code_id or "-", kind=kind, ticket=ticket_no)
    if code_id is not None:
        await sentinel.watch(tx, code_id)
    return ticket_no


async def open_reports(tx: Tx) -> list[Report]:
    """Reports nobody has answered yet, oldest first."""
    return await repository.reports(tx)


async def get_report(tx: Tx, ticket_no: str) -> Report:
    found = await repository.report(tx, ticket_no)
    if found is None:
        raise ReportNotFound()
    return found


async def answer_report(tx: Tx, ticket_no: str, answer: str) -> None:
    """What came of looking into it. Raises `ReportNotFound`, `ReportAnswered`."""
    found = await get_report(tx, ticket_no)
    if not await repository.answer_report(tx, found.id, answer):
        raise ReportAnswered()
    audit.add(tx, "report.answered", ticket_no)


async def funnel(tx: Tx, campaign_id: str) -> list[Funnel]:
    return await repository.funnel(tx, campaign_id)


async def create_campaign(
    tx: Tx,
    *,
    name: str,
    product_code: str,
    days: int,
    purpose: str | None = None,
    village: str | None = None,
    campaign_id: str | None = None,
) -> str:
    """A campaign from today for a product this institution offers. Raises `ProductNotLive`."""
    today = clock.today()
    await products.get_live(tx, tx.institution_id, product_code, today)
    campaign_id = campaign_id or ids.new()
    ends_on = today + timedelta(days=days - 1)
    await repository.add_campaign(tx, campaign_id, name, product_code, purpose, village, today, ends_on)
    audit.add(tx, "campaign.created", campaign_id, product=product_code)
    return campaign_id


async def get_campaign(tx: Tx, campaign_id: str) -> Campaign:
    found = await repository.campaign(tx, campaign_id)
    if found is None:
        raise CampaignNotFound()
    return found


async def end_campaign(tx: Tx, campaign_id: str) -> None:
    if await repository.end_campaign(tx, campaign_id):
        audit.add(tx, "campaign.ended", campaign_id)


async def draft_material(tx: Tx, *, campaign_id: str, material_no: str, headline: str, risk_text: str) -> str:
    """A new version, waiting for a second person; returns its id."""
    material_id = ids.new()
    await repository.add_material(tx, material_id, material_no, campaign_id, headline, risk_text)
    return material_id


async def approve_material(tx: Tx, material_id: str) -> None:
    """Raises `SelfReview`, or `MaterialRefused` with a sentence per field (D4-02, D4-07)."""
    material = await get_material(tx, material_id)
    if material.maker == tx.actor.id:
        raise SelfReview()
    in_force = await regulation.in_force(tx, clock.today())
    problems = rules.material_problems(material.headline, material.risk_text, in_force)
    if problems:
        raise MaterialRefused(fields=problems, count=len(problems))
    await repository.approve_material(tx, material_id)
    audit.add(tx, "material.approved", material_id, sha256=material.sha256)


async def withdraw_material(tx: Tx, material_id: str) -> None:
    """Every code that carries it is revoked from this moment (D4-03)."""
    if await repository.withdraw_material(tx, material_id):
        audit.add(tx, "material.withdrawn", material_id)


async def get_material(tx: Tx, material_id: str) -> Material:
    found = await repository.material(tx, material_id)
    if found is None:
        raise MaterialNotFound()
    return found


async def officer_card(tx: Tx, officer: Staff) -> OfficerCard:
    """Who the officer is, as strangers may see it."""
    return (await officer_cards(tx, [officer]))[officer.id]


async def officer_cards(tx: Tx, officers: Sequence[Staff]) -> dict[str, OfficerCard]:
    """By officer."""
    branches = {b.id: b.name for b in await institutions.branches(tx)}
    institution = await institutions.get(tx, tx.institution_id)
    return {
        officer.id: OfficerCard(
            id=officer.id,
            name=officer.name,
            job_no=officer.staff_no,
            branch_name=branches.get(officer.branch_id or "", ""),
            institution_name=institution.name,
            phone=officer.phone,
            qualification_no=officer.qualification_no,
            authorised_to=officer.authority_to,
        )
        for officer in officers
    }


async def _verification(
    tx: Tx, code: ResponsibleCode, campaign: Campaign, withdrawn_at: datetime | None
) -> Verification:
    officer = await identity.staff(tx, code.officer_id)
    required = await regulation.flag(tx, AUTHORITY, clock.today())
    card = await officer_card(tx, officer) if officer else None
    return _judged(tx, code, campaign, withdrawn_at, officer, card, required=required)


def _judged(
    tx: Tx,
    code: ResponsibleCode,
    campaign: Campaign,
    withdrawn_at: datetime | None,
    officer: Staff | None,
    card: OfficerCard | None,
    *,
    required: bool,
) -> Verification:
    state, reason, closed_on = rules.state_of(
        code, campaign, withdrawn_at, officer, tx.now, authority_required=required
    )
    return Verification(
        state=state, reason=reason, code=code, campaign=campaign, officer=card, closed_on=closed_on
    )


def _end_of(day: date) -> datetime:
    """Midnight in China after the last day."""
    return datetime.combine(day + timedelta(days=1), time(), clock.LOCAL)
