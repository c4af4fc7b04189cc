"""Only a fresh message signed with our secret counts (trust §2)."""

from datetime import UTC, datetime, timedelta

import pytest

from backend.core import webhooks

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'


def test_the_example_of_the_standard_is_signed_as_published() -> None:
    signature = webhooks.sign(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, BODY)
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_genuine_message_names_itself() -> None:
    headers = webhooks.headers(SECRET, "m1", NOW, BODY)
    assert webhooks.verify(SECRET, headers, BODY, NOW) == "m1"


@pytest.mark.parametrize("seconds", [-301, 301])
def test_an_old_or_future_message_is_refused(seconds: int) -> None:
    headers = webhooks.headers(SECRET, "m1", NOW, BODY)
    with pytest.raises(webhooks.BadSignature):
        webhooks.verify(SECRET, headers, BODY, NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "m2"},
        {"webhook-id": ""},
        {"webhook-timestamp": str(int(NOW.timestamp()) + 1)},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "١٧"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "v1,签名"},
    ],
)
def test_anything_altered_is_refused_alike(changed: dict[str, str]) -> None:
    headers = {**webhooks.headers(SECRET, "m1", NOW, BODY), **changed}
    with pytest.raises(webhooks.BadSignature):
        webhooks.verify(SECRET, headers, BODY, NOW)


def test_an_altered_body_or_another_secret_is_refused() -> None:
    headers = webhooks.headers(SECRET, "m1", NOW, BODY)
    with pytest.raises(webhooks.BadSignature):
        webhooks.verify(SECRET, headers, BODY + b" ", NOW)
    with pytest.raises(webhooks.BadSignature):
        webhooks.verify("another", headers, BODY, NOW)


def test_one_of_several_signatures_is_enough_while_a_secret_changes() -> None:
    headers = webhooks.headers(SECRET, "m1", NOW, BODY)
    headers["webhook-signature"] = "v1,b2xk " + headers["webhook-signature"]
    assert webhooks.verify(SECRET, headers, BODY, NOW) == "m1"
