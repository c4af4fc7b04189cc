"""What travels between the web process, the reading service and its workers: msgpack in frames with a length."""

import asyncio
import struct

import msgspec

from backend.ocr.reading import Reading

MOST = 12 * 1024 * 1024
_LENGTH = struct.Struct(">I")


class Request(msgspec.Struct, frozen=True):
    """A file to read. `clean` asks for a fresh JPEG of its pixels too; no file at all asks whether anybody is there."""

    image: bytes
    kind: str | None = None
    clean: bool = False


class Answer(msgspec.Struct, frozen=True):
    """Either a reading or the code of what is wrong, with the details its sentence needs."""

    reading: Reading | None = None
    jpeg: bytes = b""
    code: str = ""
    details: dict[str, str | int] = {}


DOWN = "ocr_unavailable"
_encoder = msgspec.msgpack.Encoder()
_requests = msgspec.msgpack.Decoder(Request)
_answers = msgspec.msgpack.Decoder(Answer)


def pack(message: Request | Answer) -> bytes:
    """The bytes of a message, without its length."""
    return _encoder.encode(message)


def request(content: bytes) -> Request:
    """Raises msgspec.DecodeError on anything else."""
    return _requests.decode(content)


def answer(content: bytes) -> Answer:
    """Raises msgspec.DecodeError on anything else."""
    return _answers.decode(content)


async def write(stream: asyncio.StreamWriter, content: bytes) -> None:
    """Send one frame."""
    stream.write(_LENGTH.pack(len(content)) + content)
    await stream.drain()


async def receive(stream: asyncio.StreamReader) -> bytes:
    """Wait for one frame. Raises asyncio.IncompleteReadError at the end and ValueError when it is too long."""
    (length,) = _LENGTH.unpack(await stream.readexactly(_LENGTH.size))
    if length > MOST:
        raise ValueError(f"a frame of {length} bytes")
    return await stream.readexactly(length)
