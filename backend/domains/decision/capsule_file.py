"""One case in one file that needs nothing else: parts as texts, chained by their hashes (N6).

Format 2. `text` of a part is the JSON whose SHA-256 is meant, byte for byte; strategies, overlays, sub-flows, named
models, scorecard and catalogue are there in full, so that the file decides again without a database, long after
everything has changed. `verify_capsule.py` checks the same with Python alone. Format 1 is a bare
`model.Capsule`, without hashes.

A masked file (for showing) hides what names a person; its chain holds, but it cannot be decided again.
"""

import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from backend.core import unreadable
from backend.domains.decision import bundle, cards, facts, lint
from backend.domains.decision.model import (
    DECIDING,
    STAGES,
    Capsule,
    CapsuleTampered,
    CapsuleUnreadable,
    Stage,
)

T = TypeVar("T")
KIND, FORMAT = "xiaodai-capsule", 2
MASK = "***"
MOST_PARTS = 500
"""A case has about a dozen, and one for each sub-flow and named model."""
MASKED_FACTS = frozenset({"birth_on", "id_expires_on"})
_LABELS = {
    "case": "申请",
    "capsule": "资料和审批结果",
    "consents": "授权",
    "evidence": "各方回的资料",
    "disclosure": "明示表和合同",
    "reviews": "人工审查",
    "advice": "告诉客户的下一步",
    "audit": "审计链位置",
    "scorecard": "评分卡",
    "catalogue": "数据目录",
}
_KINDS = {"strategy": "策略", "overlay": "县行社规则", "flow": "子流程", "model": "点名的模型"}


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    text: str
    sha256: str
    link: str


class CapsuleFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kind: str
    format: int
    masked: bool
    parts: list[Part]
    head: str

    def text(self, name: str) -> str:
        """Raises `CapsuleUnreadable` for a part that is not there."""
        for part in self.parts:
            if part.name == name:
                return part.text
        raise CapsuleUnreadable(why=f"缺少“{label(name)}”")


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def label(name: str) -> str:
    """A part as people call it."""
    kind, _, rest = name.partition(":")
    if kind in _KINDS:
        return f"{_KINDS[kind]}（{STAGES.get(rest, rest[:12])}）"
    return _LABELS.get(name, name)


def write(parts: Iterable[tuple[str, str]], *, masked: bool = False) -> bytes:
    """The file's bytes: parts in this order, each linked to the one before."""
    chained, link = [], _first(masked)
    for name, text in parts:
        digest = sha256(text)
        link = sha256("\n".join((link, name, digest)))
        chained.append(Part(name, text, digest, link))
    made = CapsuleFile(kind=KIND, format=FORMAT, masked=masked, parts=chained, head=link)
    return msgspec.json.format(msgspec.json.encode(made), indent=1)


def _first(masked: bool) -> str:
    return sha256(f"{KIND} {FORMAT} {str(masked).lower()}")


def is_one(text: bytes) -> bool:
    """Is it meant to be such a file, rather than a bare capsule?"""
    try:
        held = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except unreadable.NOT_DECODED:
        return False
    return "parts" in held or "kind" in held


def read(text: bytes) -> CapsuleFile:
    """A file whose hashes and chain hold. Raises `CapsuleUnreadable`, or `CapsuleTampered` naming the part."""
    try:
        held = msgspec.json.decode(text, type=CapsuleFile)
    except unreadable.NOT_DECODED as cause:
        raise CapsuleUnreadable(why=unreadable.why(cause, text)) from cause
    if (held.kind, held.format) != (KIND, FORMAT):
        raise CapsuleUnreadable(why="格式不认识，可能是更新的版本做的")
    names = [part.name for part in held.parts]
    if len(names) > MOST_PARTS:
        raise CapsuleUnreadable(why=f"有 {len(names)} 个部分，最多 {MOST_PARTS} 个")
    for name in names:
        if names.count(name) > 1:
            raise CapsuleTampered(part=label(name))
    link = _first(held.masked)
    for part in held.parts:
        link = sha256("\n".join((link, part.name, part.sha256)))
        if sha256(part.text) != part.sha256 or link != part.link:
            raise CapsuleTampered(part=label(part.name))
    if link != held.head:
        raise CapsuleTampered(part="链头")
    return held


def decision_id(held: CapsuleFile) -> str:
    """Of what the file is, as the case's own part says; '' without that part. Raises `CapsuleUnreadable`."""
    if not any(part.name == "case" for part in held.parts):
        return ""
    return decoded(held, "case", _Named).decision_id


class _Named(msgspec.Struct, frozen=True):
    decision_id: str = ""


def bundle_of(held: CapsuleFile) -> tuple[Capsule, bundle.Bundle]:
    """What decided, built from the texts in the file alone. Raises `CapsuleTampered` for a version other than the
    decision names, `CapsuleUnreadable` for a part that is none, `StrategyRefused`."""
    capsule = decoded(held, "capsule", Capsule)
    then = capsule.decision.versions
    wanted = {f"strategy:{stage}": then.strategies.get(stage, "") for stage in (*DECIDING, *then.strategies)}
    wanted |= {f"overlay:{stage}": digest for stage, digest in (then.overlays or {}).items()}
    catalogue, library = named(held, {**wanted, "scorecard": then.scorecard, "catalogue": then.catalogue})
    read = {name: decoded(held, name, Any) for name in wanted}
    with reading(held, "scorecard"):
        card = cards.read(held.text("scorecard").encode())
    with reading(held, "catalogue"):
        built = bundle.build(
            _stages(read, "strategy"),
            card,
            catalogue=catalogue,
            code=then.code,
            library=library,
            overlays=_stages(read, "overlay"),
            price_band=(then.price_band[0], then.price_band[1]) if then.price_band else None,
            keep=False,
        )
    if built.versions != then:
        raise CapsuleTampered(part=label("capsule"))
    return capsule, built


def named(held: CapsuleFile, wanted: Mapping[str, str]) -> tuple[facts.Catalogue, lint.Library]:
    """The catalogue, and the sub-flows and models documents name by hash, when these parts are (`wanted`, by name) what
    decided. Raises `CapsuleTampered`, `CapsuleUnreadable`, `StrategyRefused`."""
    flows, models = by_hash(held, "flow"), by_hash(held, "model")
    for name, digest in {**wanted, **flows, **models}.items():
        if sha256(held.text(name)) != digest:
            raise CapsuleTampered(part=label(name))
    with reading(held, "catalogue"):
        catalogue = facts.Catalogue(held.text("catalogue").encode())
    asked: dict[str, cards.Compiled] = {}
    for name, digest in models.items():
        with reading(held, name):
            asked[digest] = cards.compile_card(cards.read(held.text(name).encode()), catalogue)
    return catalogue, lint.Library(
        {digest: decoded(held, name, Any) for name, digest in flows.items()}, asked
    )


def decoded(held: CapsuleFile, name: str, kind: type[T]) -> T:
    """Raises `CapsuleUnreadable`."""
    with reading(held, name):
        return msgspec.json.decode(held.text(name), type=kind)


@contextlib.contextmanager
def reading(held: CapsuleFile, name: str) -> Iterator[None]:
    """What goes wrong meanwhile is this part's: `CapsuleUnreadable`. A catalogue without a fact that the others rely on
    is a `KeyError`."""
    try:
        yield
    except unreadable.NOT_DECODED as cause:
        why = unreadable.why(cause, held.text(name).encode())
        raise CapsuleUnreadable(why=f"“{label(name)}”{why}") from cause
    except KeyError as cause:
        raise CapsuleUnreadable(why=f"“{label(name)}”里少了别处要用的一项") from cause


def by_hash(held: CapsuleFile, kind: str) -> dict[str, str]:
    """Names of parts that are named by their hash, and that hash."""
    found = (part.name.partition(":") for part in held.parts)
    return {"".join(name): name[2] for name in found if name[0] == kind and name[1]}


def _stages(read: Mapping[str, Any], kind: str) -> dict[Stage, Any]:
    return {stage: read[name] for stage in Stage if (name := f"{kind}:{stage}") in read}


def mask(value: Any) -> Any:
    """The JSON of a part with the facts and names hidden that tell who a person is."""
    if isinstance(value, dict):
        return {key: MASK if key in MASKED_FACTS or key in ("name", "staff_no") else mask(each)
                for key, each in value.items()}  # fmt: skip
    return [mask(each) for each in value] if isinstance(value, list) else value
