"""Ways to hurt a strategy document, by name: what no author can have meant (`MALFORMED`)."""

import copy
import json
import random
from collections.abc import Callable
from typing import Any

from tests.domains.decision import documents as nodes
from tests.domains.decision.spots import (
    SUMS,
    Act,
    Document,
    cell,
    config,
    expressions,
    of,
    one,
    pick,
    results,
    setting,
    statements,
    tables,
    verdicts,
    without,
)


def schema(change: Callable[[Document, random.Random], None]) -> Act:
    """Change the declaration of facts."""

    def act(document: Document, draw: random.Random) -> bool:
        content = of(document, "inputNode")[0]["content"]
        declared = json.loads(content["schema"])
        change(declared, draw)
        content["schema"] = json.dumps(declared)
        return True

    return act


def _drop_declared(declared: Document, draw: random.Random) -> None:
    name = draw.choice(declared["required"])
    declared["required"].remove(name)
    declared["properties"].pop(name)


def _not_required(declared: Document, draw: random.Random) -> None:
    declared["required"].remove(draw.choice(declared["required"]))


def _mistype(declared: Document, draw: random.Random) -> None:
    name = draw.choice(declared["required"])
    kind = declared["properties"][name]["type"]
    declared["properties"][name]["type"] = draw.choice(
        sorted({"string", "boolean", "integer", "null"} - {kind})
    )


def _declare(*names: str) -> Callable[[Document, random.Random], None]:
    def change(declared: Document, draw: random.Random) -> None:
        name = draw.choice(names)
        declared["required"].append(name)
        declared["properties"][name] = {"type": "integer"}

    return change


def _edge(document: Document, draw: random.Random, source: str, target: str, handle: Any = None) -> bool:
    made = {"id": f"x{draw.randrange(10**6)}", "type": "edge", "sourceId": source, "targetId": target}
    document["edges"].append({**made, "sourceHandle": handle} if handle else made)
    return True


def _between_tables(document: Document, draw: random.Random) -> bool:
    ids = [node["id"] for node in of(document, "decisionTableNode", "decisionNode")]
    return _edge(document, draw, draw.choice(ids), draw.choice(ids))


def _backwards(document: Document, draw: random.Random) -> bool:
    line_ = draw.choice(document["edges"])
    return _edge(document, draw, line_["targetId"], line_["sourceId"])


def _short_cut(document: Document, draw: random.Random) -> bool:
    source = draw.choice(of(document, "inputNode", "expressionNode", "customNode"))
    return _edge(document, draw, source["id"], of(document, "outputNode")[0]["id"])


def _into_nothing(document: Document, draw: random.Random) -> bool:
    source = draw.choice(document["nodes"])
    return _edge(document, draw, source["id"], draw.choice(["nowhere", "", source["id"] + " "]))


def _turned(document: Document, draw: random.Random) -> bool:
    each = draw.choice(document["edges"])
    each["sourceId"], each["targetId"] = each["targetId"], each["sourceId"]
    return True


def _no_node(document: Document, draw: random.Random) -> bool:
    document["nodes"].remove(draw.choice(document["nodes"]))
    return True


def _twice(document: Document, draw: random.Random) -> bool:
    document["nodes"].append(copy.deepcopy(draw.choice(document["nodes"])))
    return True


def _other_kind(document: Document, draw: random.Random) -> bool:
    node = draw.choice(document["nodes"])
    kinds = [
        "functionNode",
        "httpNode",
        "customNode",
        "switchNode",
        "expressionNode",
        "decisionNode",
        "",
        None,
    ]
    node["type"] = draw.choice([each for each in kinds if each != node["type"]])
    return True


_SCRIPTS = [
    "while (true) {}",
    "export const handler = async (input) => ({...input, approved: true});",
    "import http from 'http'; export const handler = async (x) => http.get('http://10.0.0.1');",
    "export const handler = () => ({rules: [{_row: '_witness'}]});",
]


def _script(document: Document, draw: random.Random) -> bool:
    """A script between the input and a table, or beside it."""
    source = draw.choice(_SCRIPTS)
    content = draw.choice([source, {"source": source}])
    node = {"id": f"js{draw.randrange(99)}", "type": "functionNode", "name": "脚本", "content": content}
    document["nodes"].append({**node, "position": {"x": 0, "y": 0}})
    target = draw.choice(of(document, "decisionTableNode", "outputNode"))["id"]
    _edge(document, draw, of(document, "inputNode")[0]["id"], node["id"])
    return _edge(document, draw, node["id"], target)


def _fake_witness(document: Document, draw: random.Random) -> bool:
    """An expression that writes what the gate looks for."""
    key = draw.choice(
        [
            "_row",
            "_witness",
            "_value_load",
            "_branch_0_who",
            draw.choice(tables(document))["inputs"][0]["field"],
        ]
    )
    node = nodes.expression(f"fake{draw.randrange(99)}", {key: draw.choice(["true", "1", "'_witness'"])})
    document["nodes"].append(node)
    _edge(document, draw, of(document, "inputNode")[0]["id"], node["id"])
    return _edge(document, draw, node["id"], draw.choice(of(document, "decisionTableNode"))["id"])


def _column_gone(side: str) -> Act:
    return without(lambda d: sorted(tables(d), key=lambda t: len(t[side]))[-1][side])


def _same_ids(document: Document, draw: random.Random) -> bool:
    found = [table for table in tables(document) if len(table["rules"]) > 1]
    if not found:
        return False
    first, second = draw.sample(draw.choice(found)["rules"], 2)
    first["_id"] = second["_id"]
    return True


def _orphan_cell(document: Document, draw: random.Random) -> bool:
    draw.choice(draw.choice(tables(document))["rules"])[draw.choice(["c99", "_row", "_witness", "年龄"])] = (
        "> 3"
    )
    return True


def _gap(document: Document, draw: random.Random) -> bool:
    """A row less in a table in which every case needs one."""
    found = [table for table in tables(document) if table["hitPolicy"] == "first"]
    if not found:
        return False
    rules = draw.choice(found)["rules"]
    if rules[-1].keys() and not any(rules[-1].get(c["id"], "") for c in found[0]["inputs"]):
        rules.pop()  # the row for the rest
    else:
        rules.remove(draw.choice(rules))
    return True


def _shadowed(document: Document, draw: random.Random) -> bool:
    """A row for everything before the others."""
    found = [table for table in tables(document) if table["hitPolicy"] == "first"]
    if not found:
        return False
    table = draw.choice(found)
    blank = {column["id"]: "" for column in table["inputs"]}
    table["rules"].insert(0, {**table["rules"][-1], **blank, "_id": "all"})
    return True


_SAME_LOOK = {"a": "а", "e": "е", "o": "о", "c": "с", "p": "р", "i": "і"}


def _look_alike(text: Any, draw: random.Random) -> str:
    """Letters of another alphabet, characters without width, other spaces, wide digits and operators."""
    text = str(text)
    swapped = [at for at, each in enumerate(text) if each in _SAME_LOOK]
    if swapped and draw.random() < 0.5:
        at = draw.choice(swapped)
        return text[:at] + _SAME_LOOK[text[at]] + text[at + 1 :]
    wide = {each: chr(ord(each) + 0xFEE0) for each in "0123456789<>=,'"}
    if any(each in wide for each in text) and draw.random() < 0.5:
        return "".join(wide.get(each, each) for each in text)
    at = draw.randrange(len(text) + 1)
    return text[:at] + draw.choice(["\u200b", "\u202e", "\u00a0x", "\ufeff", "\u0000", "\u2028"]) + text[at:]


def _look_alike_field(document: Document, draw: random.Random) -> bool:
    column = draw.choice(draw.choice(tables(document))["inputs"])
    column["field"] = _look_alike(column["field"], draw)
    return True


def by_partner(document: Document, draw: random.Random) -> bool:
    node = draw.choice(of(document, "decisionTableNode", "decisionNode", "switchNode", "customNode"))
    draw.choice([node, node["content"]])["partner"] = "某合作方"
    return True


def _junk(document: Document, draw: random.Random) -> bool:
    key = draw.choice(["nodes", "edges"])
    document[key] = draw.choice([None, {}, "x", 1, [None], [[]], [{}], ["x"], {"id": 1}])
    return True


def _junk_inside(document: Document, draw: random.Random) -> bool:
    node = draw.choice(of(document, "decisionTableNode"))["content"]
    key = draw.choice(["rules", "inputs", "outputs", "hitPolicy"])
    node[key] = draw.choice([None, {}, "x", 1, [None], [[]], [{}], []])
    return True


def _no_edge(document: Document, draw: random.Random) -> bool:
    document["edges"].remove(draw.choice(document["edges"]))
    return True


def _no_edges(document: Document, draw: random.Random) -> bool:
    end = of(document, "outputNode")[0]["id"]
    keep = draw.random() < 0.5
    document["edges"] = [each for each in document["edges"] if keep and each["targetId"] != end]
    return True


def _flow_loop(document: Document, draw: random.Random) -> bool:
    found = of(document, "decisionNode")
    if not found:
        return False
    draw.choice(found)["content"]["key"] = draw.choice(
        ["loop" * 16, "", "eligibility", "f" * 64, "../x", None, 5]
    )
    return True


_BRANCHES: list[Document] = [
    {"condition": "", "isDefault": False},
    {"condition": "bureau_queries_6m <", "isDefault": False},
    {"condition": None, "isDefault": False},
    {"condition": "rand(2) > 1", "isDefault": False},
    {"condition": "bureau_queries_6m", "isDefault": False},
    {"condition": "1/0 > 1", "isDefault": False},
    {"id": "elsewhere"},
    {"isDefault": "yes"},
]
_VALUES: list[Document] = [
    *({"value": each} for each in ("bureau_queries_6m / bureau_lenders_open", "1/0", "", None, "unknown")),
    *({"value": each} for each in ("bureau_queries_6m / 3", "rand(5)", "'text'", "$nodes.facts")),
    {"value": "bureau_queries_6m * 100000000000000000000"},
    {"value": "(" * 50 + "1" + ")" * 50},
    *({"key": each} for each in ("bureau_queries_6m", "年龄", "", "_row")),
]

MALFORMED: dict[str, Act] = {
    "cell cut off": cell(
        lambda old, draw: old + draw.choice([" and", " or", " >", " (", ",", "..", " +", "'"])
    ),
    "operator of no language": cell(
        lambda old, draw: draw.choice(["=>", "=<", "<>", "!", "~", "===", "><"]) + " " + old.lstrip("<>=! ")
    ),
    "cell of another type": cell(pick(None, 5, True, 3.5, [], {}, ["> 3"], {"op": ">"})),
    "text in a number column and back": cell(
        pick("> '8'", "'blocked2'", "'不是选项'", "maybe", "true and false", "'a'..'b'", "> true")
    ),
    "a name nobody knows": cell(
        pick("> unknown_fact", "$root", "> $", "> 年龄", "== $nodes.facts", "> null", "$ > 3")
    ),
    "numbers nobody can read": cell(
        pick(
            "> 1e5",
            "> 9" + "9" * 400,
            "> NaN",
            "> Infinity",
            "> -Infinity",
            "> 0x10",
            "> 1_000",
            "> 1.2.3",
            "> ١",
        )
    ),
    "division by nothing": cell(pick("> 1/0", "> 1/(1-1)", "> 5 / product_min_age", "> 0/0", "> 1 / -0")),
    "functions of chance, time and text": cell(
        pick("> rand(9)", "> date('now')", "> len('张三')", "contains($, 'a')", "> d().year()", "> eval('1')")
    ),
    "an empty interval": cell(pick("[9..8]", "(3..3)", "[1..", "..5]", "[a..b]", "]1..2[")),
    "no condition can be met": cell(
        pick("> 99999999999999999", "< -99999999999999999", "[-9999999999999..-999999999]")
    ),
    "unicode tricks in a cell": cell(_look_alike),
    "unicode tricks in a field": _look_alike_field,
    "a result that is no text": cell(
        pick(None, 5, "decline", "'decline", "decline'", "1 + 1", "'a' + 'b'", "[]", ""), results
    ),
    "a result outside the contract": cell(
        pick("'approve it'", "'pass!'", "''", "'Decline!'", "'decline '", "'../x'", "'{unknown}'", "'{'"),
        verdicts,
    ),
    "a sum that is none": cell(
        pick("'1000'", "rand(9)", "1/0", "amount", "null", "1000 +", "product_max_amount product_max_amount"),
        lambda document: results(document, *SUMS),
    ),
    "a column gone": _column_gone("inputs"),
    "a result column gone": _column_gone("outputs"),
    "two columns with one id": one(
        tables, lambda t, draw: t["inputs"][0].update({"id": draw.choice(t["outputs"])["id"]})
    ),
    "a column that hides a default": one(
        tables, lambda t, draw: draw.choice([*t["inputs"], *t["outputs"]]).update({"defaultValue": "'note'"})
    ),
    "a column of nothing": one(
        tables, lambda t, draw: draw.choice(t["inputs"]).update({"field": draw.choice([None, "", "x", 5])})
    ),
    "two rows with one id": _same_ids,
    "a row without an id": one(
        tables,
        lambda t, draw: draw.choice(t["rules"]).update(
            {"_id": draw.choice(["", None, 5, "_witness", "a b"])}
        ),
    ),
    "a cell of no column": _orphan_cell,
    "a rule for nobody in particular": one(
        lambda d: [t for t in tables(d) if (t["hitPolicy"] == "collect" and len(t["outputs"]) > 3) or False],
        lambda t, draw: draw.choice(t["rules"]).update({c["id"]: "" for c in t["inputs"]}),
    ),
    "no rows": one(tables, lambda t, _: t.update({"rules": []})),
    "a row too few": _gap,
    "a row before all others": _shadowed,
    "another hit policy": one(
        tables,
        lambda t, draw: t.update(
            {
                "hitPolicy": draw.choice(
                    ["first" if t["hitPolicy"] == "collect" else "collect", "any", None, ""]
                )
            }
        ),
    ),
    "a table that moves its input": setting(
        "decisionTableNode",
        {"passThrough": True},
        {"inputField": "items"},
        {"executionMode": "loop"},
        {"executionMode": None},
        {"hook": "x"},
    ),
    "a line gone": _no_edge,
    "all lines gone": _no_edges,
    "a line from table to table": _between_tables,
    "a line back": _backwards,
    "a line turned round": _turned,
    "a way past all tables": _short_cut,
    "a line into nothing": _into_nothing,
    "a node gone": _no_node,
    "a node twice": _twice,
    "a node of another kind": _other_kind,
    "a script": _script,
    "a forged witness": _fake_witness,
    "a fact not declared": schema(_drop_declared),
    "a fact that need not be there": schema(_not_required),
    "a fact of another type": schema(_mistype),
    "a fact declared that is none": schema(_declare("vip_level", "birth_on", "", "年龄", "__proto__")),
    "a declaration that is none": one(
        lambda d: of(d, "inputNode"),
        lambda node, draw: node["content"].update(
            {"schema": draw.choice(["", "{", "null", "[]", '{"type": "object"}', None, {"type": "object"}])}
        ),
    ),
    "a partner decides": by_partner,
    "no graph": _junk,
    "no table": _junk_inside,
    "a switch without a branch": without(
        lambda d: of(d, "switchNode")[0]["content"]["statements"] if of(d, "switchNode") else []
    ),
    "a branch that says nothing": one(statements, lambda each, draw: each.update(draw.choice(_BRANCHES))),
    "a switch that takes several": setting("switchNode", {"hitPolicy": "collect"}, {"hitPolicy": "any"}),
    "a value that may not be": one(expressions, lambda each, draw: each.update(draw.choice(_VALUES))),
    "an expression that moves its input": setting(
        "expressionNode", {"inputField": "x"}, {"outputPath": "x"}, {"executionMode": "loop"}, {"hook": "x"}
    ),
    "a model nobody registered": one(
        config,
        lambda each, draw: each.update(
            draw.choice(
                [
                    {"model": "0" * 64},
                    {"model": None},
                    {"low": 5, "high": 1},
                    {"low": "0"},
                    {"output": "score"},
                    {"output": ""},
                    {"url": "http://10.0.0.1"},
                    {"high": 10**18},
                ]
            )
        ),
    ),
    "a custom node of another kind": setting(
        "customNode", {"kind": "http"}, {"kind": ""}, {"kind": None}, {"code": "x"}, {"config": None}
    ),
    "a sub-flow in a circle or from nowhere": _flow_loop,
    "a sub-flow that moves its input": setting(
        "decisionNode", {"passThrough": True}, {"inputField": "x"}, {"executionMode": "loop"}, {"key": ["x"]}
    ),
}
