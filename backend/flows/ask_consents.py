"""授权书: which consents the road asks for, by what the product's strategies look at (D3-01, D3-02, D3-12, A5-10)."""

from backend.db.database import Tx
from backend.domains.customers import consents
from backend.domains.customers.consent_texts import ConsentText
from backend.domains.decision import service as decisions
from backend.domains.decision.model import StrategyRefused, VersionMissing
from backend.domains.evidence import sources


async def ask_consents(tx: Tx, product_code: str) -> tuple[ConsentText, ...]:
    """The texts of the consent page for one product, in order.

    A consent for a source outside the usual ones is asked only where a strategy live for the product, the union's
    or the county's, needs a fact of that source; without it the source is not asked (`ask_sources`) and the case
    goes to a person. Strategies nobody can read ask for nothing more: such a case goes to a person anyway.
    """
    try:
        bundle = await decisions.bundle_for(tx, product_code)
    except (StrategyRefused, VersionMissing):
        return await consents.road(tx)
    known = sources.every()
    needed = (*bundle.needed, *bundle.county_needed)
    return await consents.road(
        tx, also={known[fact.source].consent for fact in needed if fact.source in known}
    )
