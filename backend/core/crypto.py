"""Field encryption and blind indexes (trust §2, D3-14).

A stored field is `algorithm byte | key id byte | nonce (12) | ciphertext + tag`. The associated data is
table, column and row id, so that a value copied to another row or column no longer opens. The blind index is
an HMAC under a key of its own; equal plaintexts of one purpose have equal indexes, nothing else is revealed.
"""

import hashlib
import hmac
import os
from collections.abc import Mapping
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

AES_256_GCM = 1
SM4_GCM = 2
_NAMES = {"aes-256-gcm": AES_256_GCM, "sm4-gcm": SM4_GCM}


class Unreadable(Exception):
    """The stored field was altered, belongs to another row, or its key is gone."""


class Vault:
    """Encrypts with the current key, decrypts with any key it still holds.

    `keys` maps a key id (1…255) to 32 bytes. `algorithm` is `aes-256-gcm` or `sm4-gcm`.
    """

    def __init__(
        self,
        keys: Mapping[int, bytes],
        current: int,
        index_key: bytes,
        algorithm: str = "aes-256-gcm",
        signing: Mapping[int, bytes] | None = None,
    ) -> None:
        """`signing` keys seal tokens; the one with the highest id is current. They rotate on their own, because
        a printed code must outlive the key that encrypts fields."""
        if current not in keys or any(len(k) != 32 or not 0 < i < 256 for i, k in keys.items()):
            raise ValueError("vault keys must be 32 bytes with ids 1…255, the current one among them")
        self._keys = dict(keys)
        self.current = current
        self._index_key = index_key
        self._algorithm = _NAMES[algorithm]
        self._ciphers = {(a, i): _cipher(a, k) for i, k in keys.items() for a in _NAMES.values()}
        self._signing = dict(signing or {1: hmac.new(index_key, b"sign", hashlib.sha256).digest()})
        self.signing_key = max(self._signing)

    def encrypt(self, table: str, column: str, row_id: str, text: str) -> bytes:
        return self.seal(table, column, row_id, text.encode())

    def decrypt(self, table: str, column: str, row_id: str, stored: bytes) -> str:
        return self.open(table, column, row_id, stored).decode()

    def seal(self, table: str, column: str, row_id: str, plain: bytes) -> bytes:
        nonce = os.urandom(12)
        cipher = self._ciphers[self._algorithm, self.current]
        head = bytes((self._algorithm, self.current))
        return head + nonce + cipher.encrypt(nonce, plain, _associated(head, table, column, row_id))

    def open(self, table: str, column: str, row_id: str, stored: bytes) -> bytes:
        stored = bytes(stored)
        cipher = self._ciphers.get((stored[0], stored[1])) if len(stored) > 30 - 1 else None
        if cipher is None:
            raise Unreadable(f"{table}.{column}: unknown key or algorithm")
        try:
            return cipher.decrypt(stored[2:14], stored[14:], _associated(stored[:2], table, column, row_id))
        except InvalidTag as cause:
            raise Unreadable(f"{table}.{column}") from cause

    def sign(self, purpose: str, text: str, key_id: int | None = None) -> bytes:
        """A 16-byte seal of the text, for tokens that leave the house; the current key unless told another.

        Raises `Unreadable` for a key we no longer hold.
        """
        key = self._signing.get(key_id or self.signing_key)
        if key is None:
            raise Unreadable(f"{purpose}: unknown key")
        return hmac.new(key, f"{purpose}\x00{text}".encode(), hashlib.sha256).digest()[:16]

    def signed(self, purpose: str, text: str, key_id: int, seal: bytes) -> bool:
        """Whether `sign` made this seal with a key we still hold."""
        return key_id in self._signing and hmac.compare_digest(self.sign(purpose, text, key_id), seal)

    def blind(self, purpose: str, text: str) -> bytes:
        """32 bytes, the same for the same text and purpose, for equality search only."""
        return hmac.digest(self._index_key, f"{purpose}\x00{text}".encode(), "sha256")


class _Aead(Protocol):
    def encrypt(self, nonce: bytes, plain: bytes, associated: bytes) -> bytes: ...
    def decrypt(self, nonce: bytes, sealed: bytes, associated: bytes) -> bytes: ...


class _Sm4Gcm:
    """SM4 has a 128-bit key: the first half of the SHA-256 of ours, so one key file serves both."""

    def __init__(self, key: bytes) -> None:
        self._key = hashlib.sha256(b"sm4" + key).digest()[:16]

    def encrypt(self, nonce: bytes, plain: bytes, associated: bytes) -> bytes:
        worker = Cipher(algorithms.SM4(self._key), modes.GCM(nonce)).encryptor()
        worker.authenticate_additional_data(associated)
        sealed = worker.update(plain) + worker.finalize()
        return sealed + worker.tag

    def decrypt(self, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
        worker = Cipher(algorithms.SM4(self._key), modes.GCM(nonce, sealed[-16:])).decryptor()
        worker.authenticate_additional_data(associated)
        return worker.update(sealed[:-16]) + worker.finalize()


def _cipher(algorithm: int, key: bytes) -> _Aead:
    return AESGCM(key) if algorithm == AES_256_GCM else _Sm4Gcm(key)


def _associated(head: bytes, table: str, column: str, row_id: str) -> bytes:
    return head + f"{table}\x00{column}\x00{row_id}".encode()
