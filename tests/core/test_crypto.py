"""Field encryption: what is sealed opens only in its own place, with its own key."""

import pytest

from backend.core.crypto import Unreadable, Vault

OLD, NEW = b"o" * 32, b"n" * 32


def vault(algorithm: str = "aes-256-gcm") -> Vault:
    return Vault({1: OLD, 2: NEW}, 2, b"index", algorithm)


@pytest.mark.parametrize("algorithm", ["aes-256-gcm", "sm4-gcm"])
def test_a_sealed_field_opens_in_its_own_place_only(algorithm: str) -> None:
    v = vault(algorithm)
    stored = v.encrypt("customers.people", "name", "row-1", "张三")
    assert "张三".encode() not in stored
    assert v.decrypt("customers.people", "name", "row-1", stored) == "张三"
    for place in (
        ("customers.people", "name", "row-2"),
        ("customers.people", "phone", "row-1"),
        ("t", "name", "row-1"),
    ):
        with pytest.raises(Unreadable):
            v.decrypt(*place, stored)


@pytest.mark.parametrize("algorithm", ["aes-256-gcm", "sm4-gcm"])
def test_any_flipped_bit_is_an_error(algorithm: str) -> None:
    v = vault(algorithm)
    stored = v.encrypt("t", "c", "r", "4117")
    for at in range(len(stored)):
        altered = bytearray(stored)
        altered[at] ^= 1
        with pytest.raises(Unreadable):
            v.decrypt("t", "c", "r", bytes(altered))


def test_a_field_written_with_the_old_key_stays_readable_after_rotation() -> None:
    before = Vault({1: OLD}, 1, b"index")
    stored = before.encrypt("t", "c", "r", "x")
    after = vault()
    assert after.decrypt("t", "c", "r", stored) == "x"
    assert (stored[1], after.encrypt("t", "c", "r", "x")[1]) == (1, 2), "the second byte names the key"


def test_destroying_the_key_destroys_the_field() -> None:
    stored = Vault({1: OLD}, 1, b"index").encrypt("t", "c", "r", "x")
    with pytest.raises(Unreadable):
        Vault({2: NEW}, 2, b"index").decrypt("t", "c", "r", stored)


def test_changing_the_algorithm_keeps_old_fields_readable() -> None:
    stored = vault("aes-256-gcm").encrypt("t", "c", "r", "x")
    assert vault("sm4-gcm").decrypt("t", "c", "r", stored) == "x"


def test_the_blind_index_is_equal_within_a_purpose_and_different_across() -> None:
    v = vault()
    assert v.blind("phone", "1") == v.blind("phone", "1") != v.blind("id_number", "1")


def test_a_truncated_field_is_unreadable_not_a_crash() -> None:
    stored = vault().encrypt("t", "c", "r", "")
    for length in range(len(stored)):
        with pytest.raises(Unreadable):
            vault().decrypt("t", "c", "r", stored[:length])
