"""The register as staff read it: what a model is, who is behind it, how it came here (D1-04, D1-05)."""

from tests.domains.models.test_register import brought_live, registered
from tests.flows.conftest import Road
from tests.h5.conftest import Desks


async def test_the_register_tells_state_owner_figures_data_and_every_step(road: Road, desks: Desks) -> None:
    desk = await desks.of("SL0001")
    await desk.get("/console/models")
    assert "还没有登记模型" in desk.words
    live = await brought_live(road.db)
    await registered(road.db, family="other", name="另一个草稿")
    county = await desks.of("JX0301")
    for reader in (desk, county):
        await reader.get("/console/models")
        for words in ("个人授信评分卡", "在用", "另一个草稿", "还没有验证报告", "授信审批", live.artefact):
            assert words in reader.words, words
        assert "已独立评审：独立评审" in reader.words
        assert live.data_list[0]["label"] in reader.words
        assert "现在不用它做审批" in reader.words
