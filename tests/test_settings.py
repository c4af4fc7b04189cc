"""Settings: read once, and production refuses what belongs to a demonstration."""

import base64
import os

import pytest

from backend import settings
from backend.commands import up
from backend.settings import DEVELOPMENT_SECRET, OUTSIDE, SECRETS, Unsafe, load

SAFE = {
    "XIAODAI_ENV": "production",
    "PUBLIC_BASE": "https://loan.union.example",
    "VAULT_KEYS": "1:" + base64.b64encode(os.urandom(32)).decode(),
    "WECHAT_TOKEN": "t0ken",
    "WECHAT_AES_KEY": "a" * 43,
    "WECHAT_APP_ID": "wx1234",
    **{name.upper(): f"long and secret: {name}" for name in SECRETS},
    **{name.upper(): "https://inside.example" + path for name, path in OUTSIDE.items()},
}


def test_addresses_default_to_the_sandbox_and_an_explicit_one_wins() -> None:
    read = load({"WECHAT_API_BASE": "http://127.0.0.1:7777"}, sandbox_port=9100)
    assert read.wechat_api_base == "http://127.0.0.1:7777"
    assert read.sms_api_base == "http://127.0.0.1:9100/sms"


def test_a_complete_production_setting_is_accepted() -> None:
    assert load(SAFE).production


def test_a_start_names_the_sandbox_only_where_it_plays_the_outside_world() -> None:
    assert all(address.startswith("https://loan.union.example/") for _, address in up.addresses(load(SAFE)))
    demonstration = [address for _, address in up.addresses(load({}, sandbox_port=9100))]
    assert "http://127.0.0.1:9100/phone" in demonstration


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


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PORT", "eight", "PORT 应当是 1 到 65535 之间的整数，现在是 'eight'"),
        ("WORKERS", "0", "WORKERS 应当是 1 到 64 之间的整数，现在是 '0'"),
        ("OUTSIDE_DEADLINE", "nan", "OUTSIDE_DEADLINE 应当是 0.1 到 60 之间的数字，现在是 'nan'"),
        ("XIAODAI_ENV", "prod", "XIAODAI_ENV 应当是 development 或 production，现在是 'prod'"),
        ("VAULT_ALGORITHM", "rot13", "VAULT_ALGORITHM 应当是 aes-256-gcm 或 sm4-gcm，现在是 'rot13'"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL 应当是 debug 或 info 或 warning 或 error，现在是 'loud'"),
        ("VAULT_KEYS", "secret", "VAULT_KEYS 应当写成 编号:base64，逗号分隔"),
        ("VAULT_KEYS", "1:c2hvcnQ=", "VAULT_KEYS 的编号应当在 1 到 255 之间，每把密钥 32 字节"),
    ],
)
def test_a_value_that_cannot_be_meant_is_named(name: str, value: str, told: str) -> None:
    """A mistyped XIAODAI_ENV must not start a production machine as a demonstration."""
    with pytest.raises(Unsafe) as error:
        load({name: value})
    assert str(error.value) == told


def test_production_refuses_the_development_keys_however_they_are_written() -> None:
    with pytest.raises(Unsafe, match="VAULT_KEYS"):
        load({**SAFE, "VAULT_KEYS": load({}).vault_keys})
    with pytest.raises(Unsafe, match="CODE_SIGNING_SECRET"):
        load({**SAFE, "CODE_SIGNING_SECRET": f"1:{DEVELOPMENT_SECRET},2:new"})


def test_production_wants_one_secret_for_each_who_calls_us() -> None:
    with pytest.raises(Unsafe, match="SMS_CALLBACK_SECRET 不能和 MOBILE_BANK_CALLBACK_SECRET 一样"):
        load({**SAFE, "SMS_CALLBACK_SECRET": SAFE["MOBILE_BANK_CALLBACK_SECRET"]})
    with pytest.raises(Unsafe, match="CALLBACK_SECRET"):
        load({k: v for k, v in SAFE.items() if "CALLBACK" not in k} | {"CALLBACK_SECRET": "the old one"})
    assert load({}).sms_callback_secret != load({}).mobile_bank_callback_secret


def test_every_setting_has_a_meaning() -> None:
    assert all(meaning for _, _, meaning in settings.described())
