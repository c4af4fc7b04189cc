"""The workers behind the service: started ahead, one job at a time, replaced when old, fat, late or dead."""

import multiprocessing
import os
import queue
import threading
import time
from pathlib import Path

import msgspec
import psutil

from backend.ocr import formats, frames, worker

START_LIMIT = 60.0


class Limits(msgspec.Struct, frozen=True):
    """When a worker is replaced: after `jobs` jobs, above `memory_mb` of memory of its own (at once, even within a
    job), or when one job takes longer than `seconds`."""

    memory_mb: int = 450
    jobs: int = 200
    seconds: float = 20.0


class WorkerGone(Exception):
    """The process died, was too slow or grew too large. `heavy` when it was its memory."""

    def __init__(self, heavy: bool = False) -> None:
        self.heavy = heavy
        super().__init__("heavy" if heavy else "gone")


class Worker:
    """One process and the pipe to it."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._limits = limits
        self._pipe, theirs = _context().Pipe()
        self._process = _context().Process(target=worker.run, args=(theirs, str(folder)), daemon=True)
        self._process.start()
        theirs.close()
        self.jobs = 0
        self.pid = self._process.pid or 0
        self._await_ready()

    def _await_ready(self) -> None:
        try:
            ready = self._pipe.poll(START_LIMIT) and self._pipe.recv_bytes() == worker.READY
        except (EOFError, OSError):
            ready = False
        if not ready:
            self.stop()
            raise WorkerGone

    def ask(self, content: bytes) -> bytes:
        """One job. Raises WorkerGone when the process must be replaced; it is stopped then."""
        self.jobs += 1
        try:
            self._pipe.send_bytes(content)
            until = time.monotonic() + self._limits.seconds
            while not self._pipe.poll(0.05):
                self._check_memory()
                if time.monotonic() > until:
                    raise WorkerGone
            return self._pipe.recv_bytes()
        except (EOFError, OSError):
            self.stop()
            raise WorkerGone from None
        except WorkerGone:
            self.stop()
            raise

    def _check_memory(self) -> None:
        if self.memory_mb() > self._limits.memory_mb:
            raise WorkerGone(heavy=True)

    def memory_mb(self) -> float:
        """What the machine would get back if it ended now; 0 when the process is gone. Not its resident memory: a
        worker is born with 100 MB of pages that it shares with the fork server and every other worker."""
        try:
            return float(psutil.Process(self.pid).memory_full_info().uss) / 1e6
        except psutil.Error:
            return 0.0

    @property
    def worn(self) -> bool:
        """Whether it should be replaced before its next job."""
        return self.jobs >= self._limits.jobs or self.memory_mb() > 0.9 * self._limits.memory_mb

    def stop(self) -> None:
        """End the process now."""
        self._pipe.close()
        if self._process.is_alive():
            self._process.kill()
        self._process.join(5)


class Pool:
    """A fixed number of ready workers. Thread-safe; `answer` blocks and is meant for threads of the service."""

    def __init__(self, folder: Path, size: int, limits: Limits) -> None:
        self._folder = folder
        self._limits = limits
        self._idle: queue.Queue[Worker | None] = queue.Queue()
        self._closing = threading.Event()
        for _ in range(size):
            self._idle.put(Worker(folder, limits))

    def answer(self, content: bytes) -> bytes:
        """Give the request to an idle worker. A worker lost over it is replaced, and the answer says so."""
        taken = self._idle.get()
        kept: Worker | None = taken
        try:
            if taken is None:
                taken = kept = Worker(self._folder, self._limits)
            reply = taken.ask(content)
            if taken.worn and not self._closing.is_set():
                taken.stop()
                kept = self._replacement()
            return reply
        except WorkerGone as gone:
            kept = self._replacement()
            return frames.pack(frames.Answer(code=formats.TooHeavy.code if gone.heavy else frames.DOWN))
        finally:
            self._idle.put(kept)

    def _replacement(self) -> Worker | None:
        """A new worker, or None when it cannot be started now (tried again by the next job)."""
        if self._closing.is_set():
            return None
        try:
            return Worker(self._folder, self._limits)
        except WorkerGone:
            return None

    def close(self) -> None:
        """Stop every worker that is idle; those at work end when their job does."""
        self._closing.set()
        while True:
            try:
                idle = self._idle.get_nowait()
            except queue.Empty:
                return
            if idle is not None:
                idle.stop()


def _context() -> "multiprocessing.context.ForkServerContext":
    """Workers are forked from a server process that imported paddleocr once: ready in a second instead of five."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["backend.ocr.engine", "backend.ocr.reader", "backend.ocr.intake"])
    return context
