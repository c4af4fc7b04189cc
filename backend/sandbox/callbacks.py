"""Calls from the bank's systems to us: signed, repeated until received, doubled or disordered on demand."""

import asyncio
from typing import Any

import httpx

from backend.core import clock, ids, webhooks
from backend.sandbox.faults import Fault, Faults, wait
from backend.sandbox.store import Store, encoded, stamp
from backend.settings import Settings

ATTEMPTS = 40
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
REORDER_SECONDS = 3.0


class Callbacks:
    """One task per waiting callback; what is not received when the sandbox stops is resumed at its start."""

    def __init__(self, store: Store, faults: Faults, http: httpx.AsyncClient, settings: Settings) -> None:
        self._store, self._faults, self._http = store, faults, http
        self._base = settings.public_base.rstrip("/")
        self._secrets = {
            "mobile_bank": settings.mobile_bank_callback_secret,
            "sms": settings.sms_callback_secret,
        }
        self._tasks: set[asyncio.Task[None]] = set()
        self._delivered = asyncio.Event()
        self._resumed = False

    def add(self, system: str, path: str, body: object, *, message_id: str = "") -> None:
        """Written first, inside the caller's transaction; sent once that is committed."""
        callback_id = message_id or ids.new()
        self._store.run(
            "insert into callbacks values (?, ?, ?, ?, 0, 'waiting', '', ?)",
            *(callback_id, system, path, encoded(body), stamp()),
        )
        self._begin(callback_id)

    def resume(self) -> None:
        """Take up what an earlier run left; called with the first request of a run."""
        if self._resumed:
            return
        self._resumed = True
        for row in self.pending():
            self._begin(row["callback_id"])

    def pending(self) -> list[dict[str, Any]]:
        return self._store.rows("select * from callbacks where state = 'waiting' order by at")

    async def post(self, path: str, body: object) -> httpx.Response:
        """One signed call of the mobile bank whose answer is wanted at once, with a key of its own.

        Raises httpx errors as they come.
        """
        content, message_id = encoded(body).encode(), ids.new()
        headers = webhooks.headers(self._secrets["mobile_bank"], message_id, clock.now(), content)
        headers["Idempotency-Key"] = message_id
        return await self._http.post(self._base + path, content=content, headers=_json(headers))

    async def get(self, path: str) -> httpx.Response:
        """One signed question of the mobile bank; what is signed is its path."""
        headers = webhooks.headers(self._secrets["mobile_bank"], ids.new(), clock.now(), path.encode())
        return await self._http.get(self._base + path, headers=headers)

    async def idle(self, seconds: float = 10) -> bool:
        """Wait until nothing is under way; False when that takes longer."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)
        return not self._tasks

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, callback_id: str) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(callback_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, callback_id: str) -> None:
        await asyncio.sleep(0)
        pause = FIRST_PAUSE
        for _ in range(ATTEMPTS):
            row = self._store.row("select * from callbacks where callback_id = ?", callback_id)
            if row is None or row["state"] != "waiting":
                return
            answer = await self._attempt(row, self._faults.firing(row["system"], "callback"))
            received = answer.startswith("2")
            state = "received" if received else "waiting"
            self._store.run(
                "update callbacks set attempts = attempts + 1, state = ?, last_answer = ?"
                " where callback_id = ?",
                *(state, answer, callback_id),
            )
            if received:
                self._delivered.set()
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        self._store.run("update callbacks set state = 'given_up' where callback_id = ?", callback_id)

    async def _attempt(self, row: dict[str, Any], faults: list[Fault]) -> str:
        kinds = {fault.fault for fault in faults}
        for fault in faults:
            if fault.fault in {"delay", "hang"}:
                await wait(fault)
        if "reorder" in kinds:
            await self._let_another_pass()
        if "drop_before" in kinds or "status" in kinds:
            return "dropped before"
        copies = 2 if "duplicate" in kinds else 1
        answers = await asyncio.gather(*(self._send(row) for _ in range(copies)))
        return "dropped after" if "drop_after" in kinds else answers[0]

    async def _let_another_pass(self) -> None:
        self._delivered.clear()
        try:
            await asyncio.wait_for(self._delivered.wait(), REORDER_SECONDS)
        except TimeoutError:
            return

    async def _send(self, row: dict[str, Any]) -> str:
        content = row["body"].encode()
        secret = self._secrets[row["system"]]
        headers = webhooks.headers(secret, row["callback_id"], clock.now(), content)
        try:
            reply = await self._http.post(self._base + row["path"], content=content, headers=_json(headers))
        except httpx.HTTPError as cause:
            return type(cause).__name__
        return str(reply.status_code)


def _json(headers: dict[str, str]) -> dict[str, str]:
    return {**headers, "Content-Type": "application/json"}
