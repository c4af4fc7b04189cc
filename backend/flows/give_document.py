"""交合同文件: one document of the package, byte for byte as its hash says (A3-21)."""

from backend.core.actor import Actor, everywhere
from backend.domains.contracts import service as contracts
from backend.flows.context import Context


async def give_document(context: Context, application_id: str, document_id: str) -> bytes:
    """PDF bytes. Raises `ContractMissing`, `DocumentMissing`."""
    async with context.db.read(everywhere("mobile bank")) as tx:
        institution_id = await contracts.institution_of(tx, application_id)
    bank = Actor(kind="partner", id="mobile-bank", institution_id=institution_id, name="手机银行")
    async with context.db.read(bank) as tx:
        contract = await contracts.get(tx, application_id)
        _, content = await contracts.document(tx, contract, document_id)
    return content
