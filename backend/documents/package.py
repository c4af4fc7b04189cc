"""The contract package (合同包): every document a customer signs together, and one hash over them all."""

import hashlib
from collections.abc import Sequence

import msgspec

from backend.documents import rendering
from backend.documents.contract import ConsentDocument, LoanContract
from backend.documents.disclosure import Disclosure
from backend.documents.rendering import Rendered


class Package(msgspec.Struct, frozen=True):
    """`manifest_sha256` (hex) covers names, titles and hashes in their order."""

    documents: tuple[Rendered, ...]
    manifest_sha256: str


class DisclosureMismatch(Exception):
    """The contract names another 明示表 than the one in the package: never to be signed."""


def build(
    contract: LoanContract, disclosure: Disclosure, consents: Sequence[ConsentDocument] = ()
) -> Package:
    """Draw all documents. Blocking; raises `DisclosureMismatch`."""
    if contract.disclosure_sha256 != disclosure.sha256:
        raise DisclosureMismatch(contract.contract_no)
    documents = (
        rendering.render("contract", contract),
        rendering.render("disclosure", disclosure),
        *(rendering.render("consent", consent) for consent in consents),
    )
    return Package(documents, manifest_hash(documents))


def manifest_hash(documents: Sequence[Rendered]) -> str:
    listed = [[d.name, d.title, d.sha256] for d in documents]
    return hashlib.sha256(msgspec.json.encode(listed)).hexdigest()
