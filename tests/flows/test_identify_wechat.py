"""The silent authorisation: once per state, and nobody loses the way to the page they wanted."""

from urllib.parse import parse_qs, urlparse

from backend.flows import identify_wechat

from .conftest import Road


async def test_a_callback_whose_answer_was_lost_still_leads_to_the_page(road: Road) -> None:
    url = await identify_wechat.begin(road.context, "visit", "/q/abc")
    state = parse_qs(urlparse(url).query)["state"][0]
    first = await identify_wechat.identify_wechat(road.context, "visit", state, "no code")
    again = await identify_wechat.identify_wechat(road.context, "visit", state, "no code")
    assert (first.next_path, again.next_path, again.openid) == ("/q/abc", "/q/abc", "")


async def test_a_state_of_another_browser_leads_to_the_front_page(road: Road) -> None:
    url = await identify_wechat.begin(road.context, "visit", "/q/abc")
    state = parse_qs(urlparse(url).query)["state"][0]
    await identify_wechat.identify_wechat(road.context, "visit", state, "no code")
    assert (await identify_wechat.identify_wechat(road.context, "other", state, "x")).next_path == "/"
    assert (await identify_wechat.identify_wechat(road.context, "visit", "unknown", "x")).next_path == "/"
