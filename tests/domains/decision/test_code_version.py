"""Whether today's code is the code that decided then is told by the sources of everything that decides (N6)."""

import ast
from importlib import resources

from backend.domains.decision import bundle

PACKAGE = "backend.domains.decision"
FOLDER = resources.files(PACKAGE)
OF_TABLES = {"columns.py"}
"""For whole tables at once; a decision never comes by it."""


def imported(name: str) -> set[str]:
    """Modules of the decision package a module of it imports."""
    found = set()
    for node in ast.walk(ast.parse(FOLDER.joinpath(name).read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
            rest = (node.module or "").removeprefix(PACKAGE).lstrip(".")
            found |= {f"{rest.split('.')[0] or each.name}.py" for each in node.names}
    return {each for each in found if FOLDER.joinpath(each).is_file()}


def test_every_module_that_decides_is_part_of_the_code_version():
    """A replay that says "the same code" while the way facts are gathered for a stage changed would lie."""
    seen: set[str] = set()
    ahead = ["evaluate.py", "assess.py", "bundle.py"]
    while ahead:
        name = ahead.pop()
        if name not in seen:
            seen.add(name)
            ahead += imported(name)
    assert seen - OF_TABLES == set(bundle._CODE)
