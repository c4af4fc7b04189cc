"""A disposable process that reads one picture at a time. It holds models and pixels, nothing else, and talks to
nobody but the service that started it."""

import ctypes
import os
import signal
from multiprocessing.connection import Connection
from pathlib import Path

from backend.ocr import formats, frames

READY = b"ready"
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # glibc, malloc.h


def run(connection: Connection, folder: str) -> None:
    """Load the models of `folder`, say READY, then answer requests until the service closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the service, which closes the pipe
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.umask(0o077)
    os.dup2(2, 1)  # whatever a library prints must not get between the lines of `ocr --json`
    import cv2

    from backend.ocr import engine as engines

    cv2.setNumThreads(1)
    engine = engines.Engine(Path(folder))
    _give_back()
    connection.send_bytes(READY)
    while True:
        try:
            content = connection.recv_bytes()
        except (EOFError, OSError):
            return
        connection.send_bytes(frames.pack(_answer(engine, frames.request(content))))


def _give_back() -> None:
    """Return what loading left over, and from now on what a large picture took as soon as it is freed.

    glibc raises its thresholds with every large block that is freed; the tensors of a licence then share one heap with
    small things and leave it full of holes: 60 MB idle, and up to 100 MB more at the highest. 8 MB leaves the tensors
    of a card alone, whose pages would cost a quarter of the time to map anew. Other C libraries do as they do.
    """
    try:
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(_M_MMAP_THRESHOLD, 8 << 20)
        libc.mallopt(_M_TRIM_THRESHOLD, 32 << 20)
        libc.malloc_trim(0)
    except (OSError, AttributeError):
        return


def _answer(engine: "engines.Engine", request: frames.Request) -> frames.Answer:  # type: ignore[name-defined] # noqa: F821
    from backend.ocr import intake, reader

    try:
        picture = intake.pixels(request.image)
    except formats.UnusableImage as problem:
        return frames.Answer(code=problem.code, details=_plain(problem.details))
    reading = reader.read(engine, picture, request.kind)
    return frames.Answer(reading=reading, jpeg=intake.rebuilt(picture) if request.clean else b"")


def _plain(details: dict[str, object]) -> dict[str, str | int]:
    return {name: value for name, value in details.items() if isinstance(value, (str, int))}
