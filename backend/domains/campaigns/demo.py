"""A campaign per county with reviewed material and codes of both officers; 李四 also has a revoked and an
expired one, so that the tour can show what a closed code says."""

from datetime import timedelta

from backend.core import clock
from backend.core.actor import system
from backend.db.database import Tx
from backend.domains.campaigns import repository
from backend.domains.campaigns import service as campaigns
from backend.domains.identity import service as identity

RISK = "贷款有风险，借款须量力而行；请按约定用途使用、按时还款，逾期会影响个人征信。"
GROUPS = {
    "4101": ("柳林花木群", "柳林村", "SXD"),
    "4102": ("香菇沟种植户群", "前沟村", "SXD"),
    "4103": ("大槐镇乡亲群", "槐树村", "SXD"),
}


def campaign_id(institution_id: str) -> str:
    return f"00000000-0000-7000-8100-{institution_id}00000001"


async def seed(tx: Tx, institution_id: str) -> None:
    """Does nothing when the campaign is there already."""
    if await repository.campaign(tx, campaign_id(institution_id)) is not None:
        return
    group, village, product_code = GROUPS[institution_id]
    campaign = await campaigns.create_campaign(
        tx,
        name="随享贷进村服务",
        product_code=product_code,
        purpose="farm_living",
        village=village,
        days=180,
        campaign_id=campaign_id(institution_id),
    )
    material = await campaigns.draft_material(
        tx,
        campaign_id=campaign,
        material_no=f"WL{institution_id}001",
        headline="扫码就能申请随享贷",
        risk_text=RISK,
    )
    second = Tx(tx.connection, system(institution_id, "demo-reviewer"), tx.now, tx.vault)
    await campaigns.approve_material(second, material)
    officers = [
        s for s in await identity.all_staff(tx) if "officer" in s.roles and s.authorised(clock.today())
    ]
    for officer in officers:
        for placement, label in (("group", group), ("moments", "朋友圈"), ("print", f"{village}公告栏")):
            await campaigns.issue(
                tx, officer_id=officer.id, campaign_id=campaign, material_id=material,
                placement=placement, placement_label=label,
            )  # fmt: skip
    if officers:
        await _closed(tx, officers[0].id, campaign, material)


async def _closed(tx: Tx, officer_id: str, campaign: str, material: str) -> None:
    revoked = await campaigns.issue(
        tx, officer_id=officer_id, campaign_id=campaign, material_id=material,
        placement="print", placement_label="旧海报",
    )  # fmt: skip
    await campaigns.revoke(tx, revoked.id, "海报已更换")
    await campaigns.issue(
        tx, officer_id=officer_id, campaign_id=campaign, material_id=material,
        placement="counter", placement_label="上月台卡", valid_for=timedelta(seconds=1),
    )  # fmt: skip
