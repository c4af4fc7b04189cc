"""The service as a real process with real workers: what the web process relies on."""

import asyncio
import contextlib
import multiprocessing.forkserver
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest

from backend.ocr import formats, frames, models, pool, reading, service
from backend.ocr.client import OcrClient
from backend.ocr.pool import Limits
from backend.sandbox import specimens
from tests.ocr.test_intake import HOSTILE

PERSON = specimens.person(90_041)
JPEG = specimens.draw_front(PERSON, 90_041, "easy")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, because a Unix socket's path may have 107 bytes."""
    made = Path(tempfile.mkdtemp(prefix="xd-", dir="/tmp"))
    yield made
    shutil.rmtree(made)


@contextlib.asynccontextmanager
async def running(folder: Path, data: Path, limits: Limits) -> AsyncIterator[OcrClient]:
    ready = asyncio.Event()
    socket = folder / "run" / "ocr.sock"
    task = asyncio.create_task(service.serve(socket, data, 1, limits, ready.set))
    starting = asyncio.create_task(ready.wait())
    await asyncio.wait({task, starting}, return_when=asyncio.FIRST_COMPLETED, timeout=60)
    assert ready.is_set(), task
    try:
        yield OcrClient(socket)
    finally:
        task.cancel()
        await asyncio.wait({task})
        assert not socket.exists()


def workers() -> list[psutil.Process]:
    """The worker processes of this test process: children of its own fork server, not of a service beside it."""
    server = multiprocessing.forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    return psutil.Process(server).children()


async def test_a_photograph_comes_back_read_and_rebuilt_through_a_private_socket(
    folder: Path, ocr_data: Path
) -> None:
    async with running(folder, ocr_data, Limits()) as client:
        assert await client.alive()
        assert stat.S_IMODE((folder / "run" / "ocr.sock").stat().st_mode) == 0o600
        found, clean = await client.read_and_rebuild(JPEG, reading.ID_FRONT)
        assert found.fields == PERSON.front_fields()
        assert clean.startswith(b"\xff\xd8\xff")
        assert b"Exif" not in clean
        for name in ("truncated JPEG", "bomb", "bomb within the limit", "PDF renamed .jpg", "animated PNG"):
            content, kind, words = HOSTILE[name]
            with pytest.raises(kind) as caught:
                await client.read(content)
            assert words in caught.value.text


async def test_a_worker_that_dies_is_replaced(folder: Path, ocr_data: Path) -> None:
    async with running(folder, ocr_data, Limits()) as client:
        (worker,) = workers()
        os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(formats.ReadingDown):
            await client.read(JPEG)
        assert (await client.read(JPEG)).kind == reading.ID_FRONT
        assert workers()[0].pid != worker.pid


async def test_a_worker_that_hangs_is_ended_at_its_time_limit(folder: Path, ocr_data: Path) -> None:
    async with running(folder, ocr_data, Limits(seconds=1.5)) as client:
        (worker,) = workers()
        os.kill(worker.pid, signal.SIGSTOP)
        with pytest.raises(formats.ReadingDown):
            await client.read(JPEG)
        assert not psutil.pid_exists(worker.pid)


async def test_workers_are_recycled_and_stay_under_the_memory_cap(folder: Path, ocr_data: Path) -> None:
    async with running(folder, ocr_data, Limits(jobs=2)) as client:
        seen = set()
        for _ in range(4):
            await client.read(JPEG)
            for worker in workers():
                seen.add(worker.pid)
                assert worker.memory_info().rss < 450e6
        assert len(seen) >= 2


def test_a_worker_is_charged_for_its_own_memory_and_keeps_none_that_loading_left(
    ocr_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "START_LIMIT", 600.0)
    made = pool.Worker(models.folder(ocr_data), Limits())
    try:
        resident = psutil.Process(made.pid).memory_info().rss / 1e6
        assert 20 < made.memory_mb() < 100 < resident
    finally:
        made.stop()


def test_what_a_worn_worker_read_counts_though_no_other_could_be_started(
    ocr_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "START_LIMIT", 600.0)  # however busy the machine is
    workers = pool.Pool(models.folder(ocr_data), 1, Limits(jobs=1, seconds=600))
    with monkeypatch.context() as broken:
        broken.setattr(pool, "START_LIMIT", 0.0)
        first = frames.answer(workers.answer(frames.pack(frames.Request(JPEG))))
    second = frames.answer(workers.answer(frames.pack(frames.Request(JPEG))))
    workers.close()
    for answer in (first, second):
        assert answer.reading is not None
        assert answer.reading.kind == reading.ID_FRONT


async def test_a_worker_above_its_memory_cap_is_ended_within_the_job(folder: Path, ocr_data: Path) -> None:
    async with running(folder, ocr_data, Limits(memory_mb=60)) as client:
        with pytest.raises(formats.TooHeavy):
            await client.read(JPEG)


async def test_no_service_is_said_as_unavailable(folder: Path) -> None:
    client = OcrClient(folder / "nothing.sock")
    assert not await client.alive()
    with pytest.raises(formats.ReadingDown):
        await client.read(JPEG)


async def test_a_service_that_does_not_answer_is_unavailable_at_the_deadline(folder: Path) -> None:
    async def silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    server = await asyncio.start_unix_server(silent, path=str(folder / "silent.sock"))
    with pytest.raises(formats.ReadingDown):
        await OcrClient(folder / "silent.sock").read(JPEG, deadline=0.2)
    server.close()


def test_the_client_imports_nothing_heavy() -> None:
    heavy = ("numpy", "cv2", "PIL", "onnxruntime", "paddleocr")
    script = f"import sys, backend.ocr.client; print([name for name in {heavy} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_ended_by_a_signal_the_service_leaves_no_process_and_no_socket(folder: Path, ocr_data: Path) -> None:
    environment = {**os.environ, "XIAODAI_DATA": str(folder)}
    (folder / "models").symlink_to(ocr_data / "models")
    command = [sys.executable, "-m", "backend", "ocr-service"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ocr ready\n"
        family = psutil.Process(process.pid).children(recursive=True)
        assert family
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    _, left = psutil.wait_procs(family, timeout=5)
    assert left == []
    assert not (folder / "run" / "ocr.sock").exists()
