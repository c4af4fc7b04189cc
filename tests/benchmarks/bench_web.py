"""What our layers cost over the bare parts: a JSON answer, a transaction, the landing page, the bot's reply.

Ceilings: a raw ASGI application with a bare asyncpg pool under the same server, and pgbench against the same
database. Rounds of ours and of the ceiling take turns.

Web figures are CPU time, of the web process and of its database backends together: what a machine can serve.
The JSON endpoint is the mobile bank's question before it lets a customer sign ("does the offer still stand?"):
its signature is checked, the row comes through our pool in a transaction under row-level security.
The landing is measured as many phones scan one poster at once, without cookies; its offer is looked up once a
second (`h5.customer.landing.OFFER_SECONDS`), the log line of every request is written.
"""

import asyncio
import itertools
import random
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import uvloop
from wechatpy.crypto import WeChatCrypto

from backend import wiring
from backend.core import clock, ids, webhooks
from backend.core.actor import system
from backend.core.check_digits import id_number_check
from backend.db.database import Database
from backend.db.embedded import Embedded, _programs
from backend.domains.campaigns import service as campaigns
from backend.settings import Settings
from bot import envelope
from tests.benchmarks import figure, load
from tests.benchmarks.arena import CLIENTS, Served, database, serving
from tests.benchmarks.figure import Figure
from tests.bot import people

COUNTY, PRODUCT = "4101", "SXD"
ROUNDS, REQUESTS = 15, 500
MESSAGES = 800
SAID = ("进度", "额度", "还款", "产品", "客户经理", "帮助", "我什么时候还钱", "能借多少", "想问问利息")

Requests = Callable[[], bytes]


def run() -> list[Figure]:
    """On a database of its own; about a minute."""
    with database() as (server, settings):
        code, case = asyncio.run(_prepare(settings))
        raw_place = {"BENCH_DSN": server.dsn(), "BENCH_CASE": case}
        with (
            serving("tests.benchmarks.raw_app:create", settings, **raw_place) as raw,
            serving("backend.serving:web", settings) as ours,
        ):
            answers = _answers(raw, ours, settings, code, case)
            bot = _bot(raw, ours, settings)
        return [*answers, _transactions(server, settings), bot]


async def _prepare(settings: Settings) -> tuple[str, str]:
    db = wiring.database(settings)
    await db.open()
    try:
        return await stage(db)
    finally:
        await db.close()


async def stage(db: Database) -> tuple[str, str]:
    """(the path of a code that may be used, the case of a contract)."""
    customer_id = await people.customer(db, "41170119800307123" + id_number_check("41170119800307123"))
    made = await people.application(db, customer_id, "handed_off")
    async with db.read(system(COUNTY, "bench")) as tx:
        codes = await campaigns.list_codes(tx)
        usable = [code for code in codes if (await campaigns.verify(tx, code.token)).usable]
    last = max(usable, key=lambda code: code.expires_at)
    return campaigns.path(last.token), made.id


def _answers(raw: Served, ours: Served, settings: Settings, code: str, case: str) -> list[Figure]:
    one, standing = load.get("/one"), load.get(*signed_question(settings, case))
    bare, json, scanned, product = _taking_turns(
        (raw, _always(one)),
        (ours, _always(standing)),
        (ours, _always(load.get(code))),
        (ours, _always(load.get(f"/p/{COUNTY}/{PRODUCT}"))),
    )
    beside = "raw ASGI + asyncpg, the same row by its key"
    rate, most = 1e6 / statistics.median(json), 1e6 / statistics.median(bare)
    return [
        figure.share("JSON endpoint with one SELECT", rate, "per CPU second", 0.5, most, beside),
        figure.at_most("landing page of a scanned code", min(scanned), "CPU µs", 300, min(bare), beside),
        figure.at_most("landing page of a product", min(product), "CPU µs", 300, min(bare), beside),
    ]


def _always(request: bytes) -> Requests:
    return lambda: request


def signed_question(settings: Settings, case: str) -> tuple[str, dict[str, str]]:
    """The bank's question, good for five minutes: (path, headers)."""
    path = f"/api/mobile-bank/standing/{COUNTY}/{case}"
    return path, webhooks.headers(
        settings.mobile_bank_callback_secret, ids.new(), datetime.now(UTC), path.encode()
    )


def _taking_turns(*cases: tuple[Served, Requests]) -> Iterator[tuple[float, ...]]:
    """CPU microseconds of each case, round by round."""
    for served, requests in cases:
        served.cpu_micros(requests, REQUESTS)
    rounds = [[served.cpu_micros(requests, REQUESTS) for served, requests in cases] for _ in range(ROUNDS)]
    return zip(*rounds, strict=True)


def _transactions(server: Embedded, settings: Settings) -> Figure:
    """Throughput of one INSERT in a transaction through `db.begin`, eight at a time."""
    rounds = [(_inserts(server, settings), _pgbench(server)) for _ in range(5)]
    ours, bare = (statistics.median(each) for each in zip(*rounds, strict=True))
    return figure.share("INSERT transaction", ours, "per second", 0.35, bare, f"pgbench, {CLIENTS} clients")


def _inserts(server: Embedded, settings: Settings, seconds: float = 2) -> float:
    async def measure() -> float:
        db = Database(server.dsn("xiaodai_app"), wiring.vault(settings), flush_audit=_no_audit, size=CLIENTS)
        await db.open()
        began = time.perf_counter()
        done = await asyncio.gather(*(_insert(db, began + seconds) for _ in range(CLIENTS)))
        rate = sum(done) / (time.perf_counter() - began)
        await db.close()
        return rate

    return uvloop.run(measure())


async def _insert(db: Database, end: float) -> int:
    actor, done = system(COUNTY, "bench"), 0
    while time.perf_counter() < end:
        async with db.begin(actor) as tx:
            await tx.connection.execute(
                "insert into bench_rows (institution_id, note) values ($1, $2)", COUNTY, "x"
            )
        done += 1
    return done


async def _no_audit(tx: object) -> None:
    raise AssertionError("this transaction notes nothing")


def _pgbench(server: Embedded) -> float:
    statements = "begin;\ninsert into bench_rows (institution_id, note) values ('4101', 'x');\ncommit;\n"
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(statements)
        script.flush()
        done = subprocess.run(
            [str(_programs() / "pgbench"), "-n", "-c", str(CLIENTS), "-j", "1", "-T", "2", "-M", "prepared",
             "-f", script.name, "-h", str(server.sockets), "-U", "postgres", "xiaodai"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    assert found, done.stdout
    return float(found[1])


def _bot(raw: Served, ours: Served, settings: Settings) -> Figure:
    """Signed, encrypted messages of 60 people, each fifth one a repeat, eight at a time."""
    messages = _messages(settings)
    asyncio.run(load.send(ours.port, lambda: next(messages), 100, CLIENTS))
    bare_message = load.post("/said", b"{}", {})
    seconds = asyncio.run(load.send(ours.port, lambda: next(messages), MESSAGES, CLIENTS))
    bare = asyncio.run(load.send(raw.port, lambda: bare_message, MESSAGES, CLIENTS))
    beside = "raw ASGI + asyncpg, one INSERT transaction, p99"
    return figure.at_most("bot reply, p99", _late(seconds), "ms", 1000, _late(bare), beside)


def _late(seconds: list[float]) -> float:
    return sorted(seconds)[int(0.99 * len(seconds))] * 1000


def _messages(settings: Settings) -> Iterator[bytes]:
    chance, made = random.Random(7), list[bytes]()
    for number in range(MESSAGES + 200):
        if number % 5 == 4:
            made.append(chance.choice(made[-8:]))
        else:
            made.append(_message(settings, number, f"oBench{chance.randrange(60):04d}", chance.choice(SAID)))
    return itertools.cycle(made)


def _message(settings: Settings, number: int, openid: str, words: str) -> bytes:
    """A message as the platform sends it."""
    moment, nonce = str(int(clock.now().timestamp())), str(number)
    plain = (
        f"<xml><ToUserName>gh_bench</ToUserName><FromUserName>{openid}</FromUserName>"
        f"<CreateTime>{moment}</CreateTime><MsgType>text</MsgType><Content><![CDATA[{words}]]></Content>"
        f"<MsgId>{2_300_000_000_000_000 + number}</MsgId></xml>"
    )
    crypto = WeChatCrypto(settings.wechat_token, settings.wechat_aes_key, settings.wechat_app_id)
    sealed = crypto.encrypt_message(plain, nonce, moment).split("<Encrypt><![CDATA[")[1].split("]]>")[0]
    query = {
        "signature": envelope.signature(settings.wechat_token, moment, nonce), "timestamp": moment,
        "nonce": nonce, "encrypt_type": "aes",
        "msg_signature": envelope.signature(settings.wechat_token, moment, nonce, sealed),
    }  # fmt: skip
    path = "/wechat?" + "&".join(f"{name}={value}" for name, value in query.items())
    body = f"<xml><ToUserName>gh_bench</ToUserName><Encrypt>{sealed}</Encrypt></xml>".encode()
    return load.post(path, body, {"content-type": "text/xml"})
