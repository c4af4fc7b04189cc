"""What a rule says to a customer: the same words are forbidden as on marketing material, and it is short (D4-02)."""

from backend.domains.decision.contracts import FIELDS
from backend.domains.decision.facts import Catalogue
from backend.domains.decision.model import Stage
from backend.domains.regulation.model import InForce
from backend.domains.strategies import calculations, cells, overlays
from backend.domains.strategies.model import Document, Finding

LONGEST = 60
"""Characters of one sentence as a page of rules shows it, names of facts in braces among them."""
SAID = {FIELDS[each] for each in ("text", "advice")}


def check(stage: Stage, document: Document, rules: InForce, known: Catalogue) -> list[Finding]:
    """What may not be said so, each at its cell."""
    words = calculations.words(document, known)
    found = []
    for node in overlays.tables(document).values():
        columns = [each for each in cells.columns(stage, node["content"], words) if each.label in SAID]
        for number, rule in enumerate(node["content"]["rules"], 1):
            for column in columns:
                text = cells.shown(str(rule.get(column.id, "")), column, words)
                found += [
                    Finding(
                        kind="document",
                        place=f"{node['name']} 第 {number} 行 {column.label}",
                        sentence=sentence,
                        node=node["id"],
                        row=str(rule.get("_id", "")),
                        column=column.id,
                    )
                    for sentence in _problems(text, rules)
                ]
    return found


def _problems(text: str, rules: InForce) -> list[str]:
    said = []
    if bad := rules.forbidden_in(text):
        said.append(f"对客户不能说：{'、'.join(bad)}")
    if len(text) > LONGEST:
        said.append(f"一句话最多 {LONGEST} 个字，现在有 {len(text)} 个，客户在手机上看不完")
    return said
