"""Asking the reading service from the web process. Imports nothing heavy."""

import asyncio
from pathlib import Path

import msgspec

from backend.ocr import formats, frames
from backend.ocr.reading import Reading

DEADLINE = 20.0


class OcrClient:
    """Talks to the service on its Unix socket, one connection per picture."""

    def __init__(self, socket_path: Path) -> None:
        self._path = socket_path

    async def read(self, image: bytes, kind: str | None = None, deadline: float = DEADLINE) -> Reading:
        """Read a photograph. `kind` (reading.KINDS) is what is expected; `Reading.kind` is what is there.

        Raises an UnusableImage (Invalid) when the file is no proper photograph, ReadingDown (Unavailable) when the
        service is away, too busy, or does not answer within `deadline` seconds.
        """
        reading, _ = await self.read_and_rebuild(image, kind, deadline, clean=False)
        return reading

    async def read_and_rebuild(
        self, image: bytes, kind: str | None = None, deadline: float = DEADLINE, *, clean: bool = True
    ) -> tuple[Reading, bytes]:
        """As `read`, with a fresh JPEG made of nothing but the pixels: that one is archived, never the upload."""
        formats.glance(image)
        answer = await self._ask(frames.Request(image, kind, clean), deadline)
        if answer.reading is None:
            raise formats.problem(answer.code, answer.details)
        return answer.reading, answer.jpeg

    async def alive(self, deadline: float = 2.0) -> bool:
        """Whether the service answers; for health checks."""
        try:
            answer = await self._ask(frames.Request(b""), deadline)
        except formats.ReadingDown:
            return False
        return answer.code == formats.NoImage.code

    async def _ask(self, request: frames.Request, deadline: float) -> frames.Answer:
        try:
            async with asyncio.timeout(deadline):
                reader, writer = await asyncio.open_unix_connection(str(self._path))
                try:
                    await frames.write(writer, frames.pack(request))
                    return frames.answer(await frames.receive(reader))
                finally:
                    writer.close()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError, msgspec.DecodeError):
            raise formats.ReadingDown from None
