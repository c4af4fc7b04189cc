"""取数: ask the outside systems what a decision needs, each once, down the ladder of each (A5-02, A5-10, N19).

All are asked at once, but the credit bureau only when the identity is confirmed: a report about somebody else
would be a query nobody agreed to (D3-09). Nobody is asked without a consent that stands. A source that is down or
refuses is followed by what its ladder says (`evidence/sources.json`): an answer of before, a substitute, or waiting.
An answer is kept before the next step, so that a crash or a pause neither asks nor pays twice.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

import msgspec

from backend.core import clock, failpoints
from backend.core.actor import Actor, everywhere
from backend.core.errors import Unavailable
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.customers import consents
from backend.domains.customers.model import Consent, Person
from backend.domains.evidence import breakers, sources
from backend.domains.evidence import service as evidence
from backend.domains.evidence.breakers import Breaker
from backend.domains.evidence.model import Answer
from backend.domains.evidence.sources import Source
from backend.flows import wake_held
from backend.flows.context import Context
from backend.integrations.data_platform.port import Features
from backend.integrations.http import OutsideRefused, OutsideUnavailable
from backend.integrations.identity_check.port import Match

ANSWERED = failpoints.declare("decide.answered", "a system answered; its answer is not kept yet")
KEPT = failpoints.declare("decide.kept", "an answer is kept; others may be missing")


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to ask about and for what: `wanted` fact names by source; `consents` that stand, by purpose; `answers`
    known already. `quiet` leaves out the notes on the case's story."""

    application: Application
    person: Person
    wanted: Mapping[str, list[str]]
    consents: Mapping[str, Consent]
    answers: Mapping[str, Answer]
    quiet: bool


class Answered(msgspec.Struct, frozen=True):
    """`down` are the sources no rung answered for."""

    answers: dict[str, Answer]
    down: tuple[str, ...]


async def ask_sources(context: Context, actor: Actor, subject: Subject) -> Answered:
    """Never raises for a system that is down or refuses: its facts are then absent."""
    async with context.db.read(actor) as tx:
        asking = _Asking(context, actor, subject, await breakers.every(tx))
    known = [source for source in sources.asked() if source.name in subject.wanted]
    await asyncio.gather(*(asking.ask(each) for each in known if each.name != "credit_bureau"))
    bureau = next((each for each in known if each.name == "credit_bureau"), None)
    if bureau and _is_the_person(asking.answers.get("identity_check")):
        await asking.ask(bureau)
    if asking.returned:
        # A process that ends here leaves them to `resume_held`.
        await wake_held.wake_held(context)
    return Answered(asking.answers, tuple(sorted(asking.down - set(asking.answers))))


def _is_the_person(identity: Answer | None) -> bool:
    """Who consented is who the report is about: the identity holds, and the phone is not somebody else's."""
    if identity is None:
        return False
    return identity.facts.get("identity_match") == "match" and identity.facts.get("phone_match") != "mismatch"


class _Asking:
    """One round of questions; `answers` by source, `down` what could not be had, `returned` what is back."""

    def __init__(
        self, context: Context, actor: Actor, subject: Subject, breakers_: Mapping[str, Breaker]
    ) -> None:
        self._context, self._actor, self._subject, self._breakers = context, actor, subject, breakers_
        self._application, self._person = subject.application, subject.person
        self.answers = dict(subject.answers)
        self.down: set[str] = set()
        self.returned: set[str] = set()
        self._questions: dict[str, Callable[[Source, Consent], Awaitable[Answer]]] = {
            "identity_check": self._identity_check,
            "core_banking": self._core_banking,
            "credit_bureau": self._credit_bureau,
        }

    async def ask(self, source: Source) -> None:
        """Ask unless it is known, and go down the ladder of one that is down."""
        if source.name in self.answers:
            return
        consent = await self._consent(source)
        if consent is None:
            await self._note(f"no_consent.{source.name}")
            return
        question = self._questions.get(source.name, self._platform)
        answer = await self._fresh(source, lambda: question(source, consent))
        if answer is None and source.name in self.down:
            answer = await self._cached(source, consent) or await self._substitute(source)
        if answer is not None:
            await self._keep(source, answer)

    async def _consent(self, source: Source) -> Consent | None:
        """The consent that covers asking it, if it still stands at this moment: others may have taken a while."""
        known = self._subject.consents.get(source.consent)
        if known is None:
            return None
        async with self._context.db.read(self._actor) as tx:
            given = await consents.given(tx, self._person.id)
        return known if any(c.id == known.id and c.withdrawn_at is None for c in given) else None

    async def _fresh(self, source: Source, question: Callable[[], Awaitable[Answer]]) -> Answer | None:
        """An answer now, or None: down, or refused, and noted so. An open breaker is asked nothing.

        A refusal is about how we ask (address, signature, licence), never about the person: the case goes down the
        ladder like any other that got no answer. The breaker stays closed: the system works, and one question that
        is refused says nothing of the others.
        """
        if not await self._admitted(source):
            self.down.add(source.name)
            return None
        await self._note(f"asked.{source.name}")
        why = "timeout"
        try:
            async with asyncio.timeout(source.deadline_seconds):
                answer = await question()
        except OutsideRefused as refusal:
            self.down.add(source.name)
            await self._works(source)
            await self._note(f"refused.{source.name}", refusal.remote_code)
            return None
        except (OutsideUnavailable, TimeoutError) as failure:
            why = failure.reason if isinstance(failure, OutsideUnavailable) else why
        else:
            await self._works(source)
            failpoints.hit(ANSWERED)
            return answer
        self.down.add(source.name)
        await self._failed(source, why)
        await self._note(f"down.{source.name}", why)
        return None

    async def _cached(self, source: Source, consent: Consent) -> Answer | None:
        """What it said for an earlier case of the person, when that holds all that is wanted now."""
        if "cached" not in source.ladder:
            return None
        async with self._context.db.read(self._actor) as tx:
            cases = await applications.of_customer(tx, self._person.id)
            earlier = [each.id for each in cases if each.id != self._application.id]
            found = await evidence.cached(tx, earlier, source, consent.id)
        if found is None or not set(self._subject.wanted[source.name]) <= set(found.facts):
            return None
        return found

    async def _substitute(self, source: Source) -> Answer | None:
        """What another source says in its place, after a while and with a consent for that one."""
        instead = source.substitute
        if instead is None or "substitute" not in source.ladder:
            return None
        assert self._application.submitted_at is not None
        if clock.now() < self._application.submitted_at + timedelta(minutes=instead.after_minutes):
            return None
        other = sources.every()[instead.source]
        consent = await self._consent(other)
        if consent is None:
            return None
        answer = await self._fresh(other, lambda: self._platform(source, consent))
        if answer is None:
            return None
        return msgspec.structs.replace(answer, rung="substitute", taken_from=other.name)

    async def _keep(self, source: Source, answer: Answer) -> None:
        async with self._context.db.begin(self._actor) as tx:
            # The case's lock comes first: the answer's foreign key would share it, and two that share it
            # and both want it for their note wait for each other.
            await applications.get(tx, self._application.id, lock=True)
            stored = await evidence.store(tx, self._application.id, answer)
            if stored and (not self._subject.quiet or answer.rung != "fresh"):
                word = "got" if answer.rung == "fresh" else answer.rung
                await applications.note(tx, self._application, f"{word}.{source.name}")
            self.answers[source.name] = (await evidence.answers(tx, self._application.id))[source.name]
        self.down.discard(source.name)
        failpoints.hit(KEPT)

    async def _admitted(self, source: Source) -> bool:
        breaker = self._breakers.get(source.name)
        if breaker is None or breaker.state == "closed":
            return True
        return await self._beside(lambda tx: breakers.admit(tx, source))

    async def _works(self, source: Source) -> None:
        """Written only while something was wrong lately: a healthy source costs no statement."""
        breaker = self._breakers.get(source.name)
        if breaker is None or (breaker.state == "closed" and not breaker.failures):
            return
        if await self._beside(lambda tx: breakers.answered(tx, source)):
            self.returned.add(source.name)

    async def _failed(self, source: Source, why: str) -> None:
        await self._beside(lambda tx: breakers.failed(tx, source, why))

    async def _beside(self, act: Callable[[Tx], Awaitable[bool]]) -> bool:
        """One statement over a breaker in a transaction of its own. A database that is away changes no breaker."""
        try:
            async with self._context.db.begin(everywhere("breaker")) as tx:
                return await act(tx)
        except Unavailable:
            return False

    async def _note(self, event: str, why: str = "") -> None:
        if not self._subject.quiet:
            async with self._context.db.begin(self._actor) as tx:
                await applications.note(tx, self._application, event, why)

    async def _identity_check(self, source: Source, consent: Consent) -> Answer:
        said = await self._context.clients.identity_check.verify(
            name=self._person.name,
            id_number=self._person.id_number,
            phone=self._person.phone or "",
            authorisation_id=consent.id,
            case_id=self._application.id,
            key=f"identity:{self._application.id}",
        )
        match = "match"
        if said.result is Match.NOT_FOUND:
            match = "no_record"
        elif said.result is not Match.MATCH:
            match = "name_mismatch"
        elif said.photo_result is Match.MISMATCH:
            match = "photo_mismatch"
        return _answer(
            source,
            consent,
            raw=msgspec.json.encode(said),
            facts={"identity_match": match, "phone_match": str(said.phone_result)},
            observed_at=said.checked_at,
            reference=said.query_id,
            price_fen=said.price_fen,
        )

    async def _credit_bureau(self, source: Source, consent: Consent) -> Answer:
        report = await self._context.clients.credit_bureau.report(
            name=self._person.name,
            id_number=self._person.id_number,
            purpose="loan_application",
            authorisation_id=consent.id,
            consent_sha256=consent.text_sha256,
            case_id=self._application.id,
            key=f"bureau:{self._application.id}",
        )
        return Answer(
            source=source.name,
            consent_id=consent.id,
            reference=report.report_id,
            sha256=report.sha256,
            facts=report.facts,
            raw=report.raw,
            observed_at=report.queried_at,
            price_fen=report.price_fen,
        )

    async def _core_banking(self, source: Source, consent: Consent) -> Answer:
        said = await self._context.clients.core_banking.facts(
            id_number=self._person.id_number,
            names=self._subject.wanted[source.name],
            case_id=self._application.id,
        )
        return _features(source, consent, said)

    async def _platform(self, source: Source, consent: Consent) -> Answer:
        """The data platform, for itself, for what it passes on, and for what it stands in for."""
        said = await self._context.clients.data_platform.features(
            id_number=self._person.id_number,
            names=self._subject.wanted[source.name],
            authorisation_id=consent.id,
            case_id=self._application.id,
        )
        return _features(source, consent, said)


def _features(source: Source, consent: Consent, said: Features) -> Answer:
    raw = msgspec.json.encode(said, order="deterministic")
    return _answer(source, consent, raw=raw, facts=said.facts, observed_at=said.observed_at)


def _answer(
    source: Source,
    consent: Consent,
    *,
    raw: bytes,
    facts: dict[str, int | bool | str],
    observed_at: datetime,
    reference: str = "",
    price_fen: int | None = None,
) -> Answer:
    digest = hashlib.sha256(raw).hexdigest()
    return Answer(
        source=source.name,
        consent_id=consent.id,
        reference=reference or digest[:16],
        sha256=digest,
        facts=facts,
        raw=raw,
        observed_at=observed_at,
        price_fen=source.cost_fen if price_fen is None else price_fen,
    )
