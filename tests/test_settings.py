"""Settings: read once, and production refuses what belongs to a demonstration."""

import base64
import os

import pytest

from backend import settings
from backend.settings import OUTSIDE, SECRETS, Unsafe, load

SAFE = {
    "XIAODAI_ENV": "production",
    "PUBLIC_BASE": "https://loan.union.example",
    "VAULT_KEYS": "1:" + base64.b64encode(os.urandom(32)).decode(),
    "WECHAT_TOKEN": "t0ken",
    "WECHAT_AES_KEY": "a" * 43,
    "WECHAT_APP_ID": "wx1234",
    **{name.upper(): "long and secret" for name in SECRETS},
    **{name.upper(): "https://inside.example" + path for name, path in OUTSIDE.items()},
}


def test_addresses_default_to_the_sandbox_and_an_explicit_one_wins() -> None:
    read = load({"WECHAT_API_BASE": "http://127.0.0.1:7777"}, sandbox_port=9100)
    assert read.wechat_api_base == "http://127.0.0.1:7777"
    assert read.sms_api_base == "http://127.0.0.1:9100/sms"


def test_a_complete_production_setting_is_accepted() -> None:
    assert load(SAFE).production


@pytest.mark.parametrize("name", [n for n in SAFE if n not in {"XIAODAI_ENV"}])
def test_production_refuses_to_start_when_anything_is_left_at_its_default(name: str) -> None:
    with pytest.raises(Unsafe) as error:
        load({k: v for k, v in SAFE.items() if k != name})
    assert name in str(error.value)


@pytest.mark.parametrize(
    ("name", "value"), [("SANDBOX_BASE", "http://127.0.0.1:9000"), ("XIAODAI_FAILPOINTS", "*=kill:1")]
)
def test_production_refuses_what_is_only_for_tests(name: str, value: str) -> None:
    with pytest.raises(Unsafe, match=name):
        load({**SAFE, name: value})


def test_a_number_that_is_none_is_named() -> None:
    with pytest.raises(Unsafe, match="PORT"):
        load({"PORT": "eight"})


def test_every_setting_has_a_meaning() -> None:
    assert all(meaning for _, _, meaning in settings.described())
