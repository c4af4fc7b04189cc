"""Invented customers who travel the whole road through its doors: phone, bot, pages, mobile bank.

A traveller knows nothing of our inside. It scans a code in the sandbox's WeChat, opens pages as WeChat's
browser does, photographs a specimen card, types the SMS code it received, signs and draws at the bank, and
asks the bot how things stand. What it cannot do, a customer could not do either.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlparse

import httpx
import msgspec

from backend.sandbox import specimens
from backend.sandbox.forms import Form, PageReader

USER_AGENT = (
    "Mozilla/5.0 (Linux; Android 10; V2026A Build/QP1A) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
    "Chrome/116.0.0.0 Mobile Safari/537.36 XWEB/1160117 MMWEBSDK/20231202 MicroMessenger/8.0.47.2560 "
    "WeChat/arm64"
)
END_STATES = frozenset({"declined", "referred", "repaid", "drawn", "held"})
"""How a journey may legally end: paid back, drawn, declined, or waiting for a person or a data source."""

WHO_ALLOWS = 3
"""One traveller in so many allows the account a notice when a page asks."""


class Step(msgspec.Struct, frozen=True):
    name: str
    ms: float


class Journey(msgspec.Struct):
    """What happened to one traveller. `error` is empty when the road was travelled to an end."""

    seed: int
    steps: list[Step] = []
    end: str = ""
    application_no: str = ""
    error: str = ""
    pages: int = 0
    notices_allowed: int = 0


class Stopped(Exception):
    """The road did not go on as promised; the text says where and what the page said."""


_AGAIN = 0.4  # seconds between two taps of who sees nothing come


class Patient(httpx.AsyncBaseTransport):
    """A person who taps again when nothing comes back: the same request once more, until `seconds` are over.

    Zero seconds: one try. A tap whose answer was lost is a double tap for the other side; who is told that the
    first tap is still at work (409 with `Retry-After`) waits as long as it says and taps again.
    """

    def __init__(self, seconds: float) -> None:
        self._inner = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=4))
        self._seconds = seconds

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        end = time.monotonic() + self._seconds
        while True:
            try:
                reply = await self._inner.handle_async_request(request)
                wait = _until_next_tap(reply)
                if not wait or time.monotonic() > end:
                    return reply
                await reply.aclose()
            except httpx.TransportError:
                if time.monotonic() > end:
                    raise
                wait = _AGAIN
            await asyncio.sleep(wait)

    async def aclose(self) -> None:
        await self._inner.aclose()


def _until_next_tap(reply: httpx.Response) -> float:
    """Seconds; 0 when this is an answer."""
    if reply.status_code == 409:
        return float(reply.headers.get("retry-after", 0))
    return _AGAIN if reply.status_code >= 500 else 0


class Traveller:
    """One invented person with a phone. `web` and `sandbox` are base addresses."""

    def __init__(
        self, seed: int, *, web: str, sandbox: str, entry: str = "", degree: str = "easy", patience: float = 0
    ) -> None:
        self.person = specimens.person(seed, county="411701")
        self.openid = f"oJourney_{seed:08d}"
        self.journey = Journey(seed)
        self._web, self._sandbox, self._entry, self._degree = (
            web.rstrip("/"),
            sandbox.rstrip("/"),
            entry,
            degree,
        )
        self._seed, self._patience = seed, patience
        self._page: PageReader | None = None
        self._url = ""
        self.on_step: Callable[[Step], None] = lambda _: None

    async def travel(self) -> Journey:
        """The whole road. Never raises; see `journey.error`."""
        headers = {"User-Agent": USER_AGENT, "Accept": "text/html"}
        async with httpx.AsyncClient(
            headers=headers, timeout=60, trust_env=False, transport=Patient(self._patience)
        ) as self._http:
            self._http.cookies.set("phone_openid", self.openid, domain=urlparse(self._sandbox).hostname or "")
            try:
                await self._road()
            except (Stopped, LookupError, httpx.HTTPError, KeyError, ValueError) as stop:
                self.journey.error = f"{type(stop).__name__}: {stop}"[:300]
        return self.journey

    async def _road(self) -> None:
        async with self._timed("扫码"):
            await self._scan()
        async with self._timed("看产品"):
            await self._open_landing()
        async with self._timed("身份证"):
            await self._photograph_card()
        async with self._timed("核对身份"):
            await self._confirm_card()
        async with self._timed("手机与授权"):
            await self._prove_phone()
        async with self._timed("人脸"):
            await self._pass_liveness()
        async with self._timed("提交"):
            await self._submit()
        await self._allow_notice()
        async with self._timed("审批"):
            status = await self._await_decision()
        if status == "approved":
            async with self._timed("明示表"):
                await self._read_disclosure()
            async with self._timed("转手机银行"):
                await self._hand_off()
            await self._get(f"/my/{self.journey.application_no}")
            await self._allow_notice()
            async with self._timed("签约用款还款"):
                await self._bank()
            status = "repaid"
        async with self._timed("问进度"):
            await self._ask_bot()
        self.journey.end = status

    @asynccontextmanager
    async def _timed(self, name: str) -> AsyncIterator[None]:
        began = time.perf_counter()
        try:
            yield
        except (LookupError, ValueError) as problem:
            raise Stopped(f"{name}: {problem}") from problem
        step = Step(name, (time.perf_counter() - began) * 1000)
        self.journey.steps.append(step)
        self.on_step(step)

    async def _get(self, url: str) -> PageReader:
        return await self._follow(await self._http.get(self._absolute(url)))

    async def _post(self, form: Form, **given: str) -> PageReader:
        reply = await self._http.post(
            self._absolute(form.action), data=form.filled(**given), headers={"Origin": self._web}
        )
        return await self._follow(reply)

    async def _follow(self, reply: httpx.Response) -> PageReader:
        for _ in range(10):
            if reply.status_code in {301, 302, 303, 307}:
                target = str(reply.url.join(reply.headers["location"]))
                reply = await self._http.get(target)
                continue
            self._url = str(reply.url)
            self.journey.pages += 1
            self._page = PageReader(reply.text)
            if reply.status_code >= 400:
                raise Stopped(f"{reply.status_code} {reply.url.path}: {self._page.words[:200]}")
            return self._page
        raise Stopped("too many redirects")

    def _absolute(self, url: str) -> str:
        return url if url.startswith("http") else self._web + url

    async def _control(self, method: str, path: str, body: object = None) -> httpx.Response:
        reply = await self._http.request(method, self._sandbox + path, json=body)
        if reply.status_code >= 400:
            raise Stopped(f"sandbox {path}: {reply.status_code} {reply.text[:200]}")
        return reply

    def _here(self) -> PageReader:
        """The page the traveller is looking at."""
        if self._page is None:
            raise Stopped("no page is open")
        return self._page

    async def _scan(self) -> None:
        """Follow the account by the officer's code: the bot answers with the product card."""
        if not self._entry:
            page = await self._get("/")
            self._entry = next(link for link in page.links if "/q/" in link)
        token = self._entry.rsplit("/", 1)[-1]
        end = time.monotonic() + self._patience
        while True:
            reply = await self._control(
                "POST", f"/phone/{self.openid}/send", {"kind": "scan", "scene": token}
            )
            answer = reply.json()
            if (answer.get("reply") or {}).get("type") == "news":
                break
            if time.monotonic() < end:  # nothing came: a patient person scans once more
                await asyncio.sleep(1)
                continue
            raise Stopped(f"the bot did not answer the scan with a card: {answer.get('reply')}")
        self._entry = answer["reply"]["articles"][0]["url"]

    async def _open_landing(self) -> None:
        page = await self._get(self._entry)
        await self._post(page.form("/apply/start"))

    async def _photograph_card(self) -> None:
        degree = self._degree
        front = await asyncio.to_thread(specimens.draw_front, self.person, self._seed, degree)  # type: ignore[arg-type]
        back = await asyncio.to_thread(specimens.draw_back, self.person, self._seed, degree)  # type: ignore[arg-type]
        for side, image in (("front", front), ("back", back)):
            form = self._here().form(f"/apply/identity/{side}")
            reply = await self._http.post(
                self._absolute(form.action),
                data=form.values,
                files={"image": (f"{side}.jpg", image, "image/jpeg")},
                headers={"Origin": self._web},
            )
            await self._follow(reply)

    async def _confirm_card(self) -> None:
        form = self._here().form("/apply/identity/confirm")
        truth = {
            "name": self.person.name,
            "id_number": self.person.id_number,
            "address": self.person.address,
            "issuer": self.person.authority,
            "valid_from": self.person.valid_from.isoformat(),
            "valid_until": self.person.valid_until.isoformat() if self.person.valid_until else "长期",
        }
        # The person reads what was filled in and mends what is wrong.
        await self._post(form, **{name: value for name, value in truth.items() if name in form.values})

    async def _prove_phone(self) -> None:
        form = self._here().form("/apply/consents")
        await self._post(Form("/apply/phone", "post", form.values), phone=self.person.phone)
        code = await self._sms_code()
        form = self._here().form("/apply/consents")
        ticks = {name: options[0] for name, options in form.choices.items() if name.startswith("consent_")}
        await self._post(form, phone=self.person.phone, code=code, **ticks)

    async def _sms_code(self) -> str:
        for _ in range(10 * int(max(10, self._patience))):
            reply = await self._http.get(f"{self._sandbox}/control/sms/{self.person.phone}/code")
            if reply.status_code == 200:
                return str(reply.json()["code"])
            await asyncio.sleep(0.1)
        raise Stopped("no SMS code came")

    async def _pass_liveness(self) -> None:
        form = self._here().form("/apply/liveness")
        ticks = {name: options[0] for name, options in form.choices.items() if name.startswith("consent_")}
        reply = await self._http.post(
            self._absolute(form.action), data=form.filled(**ticks), headers={"Origin": self._web}
        )
        if reply.status_code != 303:
            raise Stopped(f"liveness did not start: {reply.status_code} {PageReader(reply.text).words[:160]}")
        provider = await self._http.get(str(reply.url.join(reply.headers["location"])))
        session = urlparse(str(provider.url)).path.rstrip("/").rsplit("/", 1)[-1]
        done = await self._control("POST", f"/control/liveness/{session}", {"outcome": "passed"})
        back = done.json().get("return_url", "")
        if not back:
            raise Stopped(f"the liveness provider named no way back: {done.text[:160]}")
        await self._get(back)

    async def _submit(self) -> None:
        form = self._here().form("/apply/submit")
        given = {name: form.values.get(name) or form.first_choice(name) for name in form.choices}
        incomes = [c for c in form.choices.get("income", []) if c]
        if incomes:
            given["income"] = incomes[min(len(incomes) - 1, 1 + self._seed % 4)]
        amounts = [c for c in form.choices.get("amount", []) if c.isdigit()]  # not the chip of other amounts
        if amounts:
            given["amount"] = amounts[self._seed % len(amounts)]
        await self._post(form, **given)
        self.journey.application_no = urlparse(self._url).path.split("/")[2]

    async def _allow_notice(self) -> None:
        """One in `WHO_ALLOWS` taps 允许 where the open page asks for a subscription notice; nobody has to."""
        asked = next((poll for poll in self._here().polls if poll.endswith("/notice")), "")
        if not asked or self._seed % WHO_ALLOWS:
            return
        seen = {"HX-Request": "true", "HX-Current-URL": self._url}
        reply = await self._http.get(self._absolute(asked), headers=seen)
        if reply.status_code == 204:  # the case has moved on, or a grant has come meanwhile
            return
        part = PageReader(reply.text)
        card = part.marked["notice"]
        template = card["data-template"]
        checked = await self._open_tag(
            "verify",
            app_id=card["data-app-id"],
            timestamp=card["data-timestamp"],
            nonce=card["data-nonce"],
            signature=card["data-signature"],
            url=self._url,
            tags=["wx-open-subscribe"],
        )
        if checked["problem"]:
            raise Stopped(f"WeChat does not accept the signature of {self._url}: {checked['problem']}")
        await self._open_tag("answer", template_ids=[template], outcome="accept")
        form = part.form("/notice")
        told = form.filled(template=template, outcome="accept")
        hint = await self._http.post(self._absolute(form.action), data=told, headers={"Origin": self._web})
        if hint.status_code != 204:
            raise Stopped(f"what the element reported was not taken: {hint.status_code}")
        self.journey.notices_allowed += 1

    async def _open_tag(self, act: str, **given: object) -> dict[str, Any]:
        reply = await self._control("POST", f"/phone/{self.openid}/open-tag/{act}", given)
        return dict(reply.json())

    async def _await_decision(self) -> str:
        """Watch the page as it happens; returns the status it came to."""
        number = self.journey.application_no
        for _ in range(240):
            reply = await self._http.get(f"{self._web}/my/{number}/status", headers={"HX-Request": "true"})
            if reply.status_code >= 400:
                raise Stopped(f"status: {reply.status_code}")
            page = PageReader(reply.text)
            if not any(poll.endswith("/status") for poll in page.polls):
                self._page = await self._get(f"/my/{number}")
                return _status(self._page)
            await asyncio.sleep(0.5)
        raise Stopped("no decision within two minutes")

    async def _read_disclosure(self) -> None:
        """Read for as long as the sheet asks for, then confirm."""
        number = self.journey.application_no
        page = await self._get(f"/my/{number}/disclosure")
        form = page.form("/disclosure")
        for _ in range(8):
            await asyncio.sleep(4)
            reply = await self._http.post(
                self._absolute(form.action), data=form.values, headers={"Origin": self._web}
            )
            if reply.status_code in {302, 303}:
                await self._follow(reply)
                return
        raise Stopped(f"the disclosure could not be confirmed: {PageReader(reply.text).words[:200]}")

    async def _hand_off(self) -> None:
        page = await self._get(f"/my/{self.journey.application_no}/hand-off")
        form = page.form("/hand-off")
        reply = await self._http.post(
            self._absolute(form.action), data=form.values, headers={"Origin": self._web}
        )
        link = reply.headers.get("location", "")
        token = parse_qs(urlparse(link).query).get("token", [""])[0]
        if reply.status_code != 303 or not token:
            raise Stopped(f"no hand-off link: {reply.status_code} {PageReader(reply.text).words[:160]}")
        await self._control("POST", "/bank/api/redeem", {"id_number": self.person.id_number, "token": token})

    async def _bank(self) -> None:
        me = {"id_number": self.person.id_number}
        number = self.journey.application_no
        offer: dict[str, object] = {}
        for _ in range(100):
            offers = (await self._control("POST", "/bank/api/offers", me)).json()
            offer = next((o for o in offers if o["application_no"] == number), {})
            if offer:
                break
            await asyncio.sleep(0.1)
        if not offer:
            raise Stopped("the offer is not waiting in the mobile bank")
        case = offer["application_id"]
        await self._control("POST", f"/bank/api/{case}/open", me)
        await self._control("POST", f"/bank/api/{case}/sign", me)
        drawn = await self._control(
            "POST", f"/bank/api/{case}/draw", {**me, "amount_fen": offer["limit_fen"]}
        )
        await self._control("POST", f"/bank/api/{case}/repay", {**me, "loan_no": drawn.json()["loan_no"]})
        await self._until_page_says("结清")

    async def _until_page_says(self, word: str) -> None:
        for _ in range(120):
            page = await self._get(f"/my/{self.journey.application_no}")
            if word in page.words:
                return
            await asyncio.sleep(0.25)
        raise Stopped(f"the progress page never said {word}")

    async def _ask_bot(self) -> None:
        reply = await self._control("POST", f"/phone/{self.openid}/send", {"kind": "text", "content": "进度"})
        if not reply.json().get("reply"):
            raise Stopped(f"the bot had no answer to 进度: {reply.text[:160]}")


def _status(page: PageReader) -> str:
    """Which of the result pages this is, by what only it offers."""
    actions = [form.action for form in page.forms] + page.links
    if any(a.endswith("/disclosure") for a in actions):
        return "approved"
    words = page.words
    for status, mark in (("referred", "人工"), ("held", "暂时连不上"), ("declined", "没能通过")):
        if mark in words and (status != "referred" or "没能通过" not in words):
            return status
    raise Stopped(f"a result page that cannot be told: {words[:200]}")


async def caravan(
    count: int,
    concurrency: int,
    *,
    web: str,
    sandbox: str,
    first_seed: int,
    entry: str = "",
    patience: float = 0,
    on_step: Callable[[int, Step], None] = lambda _seed, _step: None,
    on_end: Callable[[Journey], None] = lambda _journey: None,
) -> list[Journey]:
    """`count` travellers, `concurrency` at a time."""
    gate = asyncio.Semaphore(concurrency)

    async def one(seed: int) -> Journey:
        async with gate:
            traveller = Traveller(seed, web=web, sandbox=sandbox, entry=entry, patience=patience)
            traveller.on_step = lambda step: on_step(seed, step)
            journey = await traveller.travel()
            on_end(journey)
            return journey

    return list(await asyncio.gather(*(one(first_seed + n) for n in range(count))))
