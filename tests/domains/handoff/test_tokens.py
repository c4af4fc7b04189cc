"""The hand-off token ends on the second, and what was altered is unknown rather than expired (trust §2, A3-10)."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from backend.core import ids
from backend.domains.handoff import tokens
from backend.domains.handoff.model import TOKEN_LIFE, Claims, TokenExpired, TokenUnknown
from backend.settings import Settings, load

ISSUED = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
CLAIMS = Claims(ids.new(), "4101", ids.new(), "f" * 64)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load({}, xiaodai_data=str(tmp_path))


@pytest.mark.parametrize("seconds", [0, 1, 119])
def test_a_token_holds_to_its_last_second(settings: Settings, seconds: int) -> None:
    token = tokens.sign(settings, CLAIMS, ISSUED)
    assert tokens.read(settings, token, ISSUED + timedelta(seconds=seconds)) == CLAIMS


@pytest.mark.parametrize("late", [timedelta(), timedelta(seconds=1), timedelta(days=400)])
def test_from_120_seconds_on_it_has_expired_for_good(settings: Settings, late: timedelta) -> None:
    token = tokens.sign(settings, CLAIMS, ISSUED)
    assert timedelta(seconds=120) == TOKEN_LIFE
    with pytest.raises(TokenExpired):
        tokens.read(settings, token, ISSUED + TOKEN_LIFE + late)


def test_a_token_from_the_future_is_unknown_a_clock_five_seconds_off_is_not(settings: Settings) -> None:
    token = tokens.sign(settings, CLAIMS, ISSUED)
    assert tokens.read(settings, token, ISSUED - timedelta(seconds=5)) == CLAIMS
    with pytest.raises(TokenUnknown):
        tokens.read(settings, token, ISSUED - timedelta(seconds=6))


@pytest.mark.parametrize(
    "altered",
    [
        {"exp": int(ISSUED.timestamp()) + 86_400},
        {"exp": None},
        {"exp": str(int(ISSUED.timestamp()) + 60)},
        {"exp": True},
        {"iat": int(ISSUED.timestamp()) - 120},
    ],
    ids=["a day", "none", "text", "a truth", "longer than its life"],
)
def test_our_own_signature_over_another_life_is_unknown(
    settings: Settings, altered: dict[str, object]
) -> None:
    token = tokens.sign(settings, CLAIMS, ISSUED)
    read = jwt.decode(token, tokens.key(settings), algorithms=["ES256"])
    forged = jwt.encode(
        dict(read.header), {**read.claims, **altered}, tokens.key(settings), algorithms=["ES256"]
    )
    with pytest.raises(TokenUnknown):
        tokens.read(settings, forged, ISSUED)


def test_an_expired_token_of_another_key_is_unknown_not_expired(settings: Settings) -> None:
    token = tokens.sign(settings, CLAIMS, ISSUED)
    read = jwt.decode(token, tokens.key(settings), algorithms=["ES256"])
    other = jwt.encode(
        dict(read.header), dict(read.claims), ECKey.generate_key("P-256"), algorithms=["ES256"]
    )
    with pytest.raises(TokenUnknown):
        tokens.read(settings, other, ISSUED + timedelta(days=1))
