"""The README's promises: the map is the tree, the commands exist, the glossary is in use."""

import re
from pathlib import Path

from backend.__main__ import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def test_the_map_is_the_tree() -> None:
    named = set(re.findall(r"^\| `([a-z0-9_/]+)` \|", README, re.M))
    backend = {
        f"backend/{p.name}" for p in (ROOT / "backend").iterdir() if p.is_dir() and p.name != "__pycache__"
    }
    assert named == backend | {"h5", "bot", "templates", "static", "tests"}
    assert all((ROOT / name).is_dir() for name in named)


def test_every_command_named_in_the_readme_exists_and_has_its_file() -> None:
    used = set(re.findall(r"\./xiaodai ([a-z][a-z-]+)", README))
    assert used <= set(COMMANDS)
    missing = [n for n in COMMANDS if not (ROOT / "backend/commands" / f"{n.replace('-', '_')}.py").exists()]
    assert missing == []


def test_every_file_named_in_the_readme_exists() -> None:
    for path in set(re.findall(r"`((?:backend|h5|bot|tests|static|templates)/[\w/.-]+)`", README)):
        assert (ROOT / path).exists(), path


def test_every_source_file_named_in_any_readme_exists() -> None:
    """By its path from the README, from a folder above it or from the root; a bare name somewhere in the tree."""
    folders = ("backend", "h5", "bot", "templates", "static", "tests")
    tree = {p.relative_to(ROOT).as_posix() for each in folders for p in (ROOT / each).rglob("*.*")}
    names = {path.rsplit("/", 1)[-1] for path in tree}
    missing = []
    for readme in [
        p for each in folders for p in (ROOT / each).rglob("README.md") if "vendor" not in p.parts
    ]:
        above = [readme.parent, *readme.parent.parents]
        near = above[: above.index(ROOT) + 1]
        for name in set(re.findall(r"`([\w./-]+\.(?:py|sql|js|css|typ|html))`", readme.read_text())):
            there = name in names or any((folder / name).exists() for folder in near)
            missing += [] if there else [f"{readme.relative_to(ROOT)}: {name}"]
    assert missing == []


def test_the_map_of_the_domains_is_the_tree_and_the_glossary_is_in_use() -> None:
    text = (ROOT / "backend/domains/README.md").read_text()
    table, _, glossary = text.partition("## Glossary")
    named = set(re.findall(r"^\| `([a-z_]+)` \|", table, re.M))
    folders = {p.name for p in (ROOT / "backend/domains").iterdir() if (p / "__init__.py").exists()}
    assert named == folders
    sources = "\n".join(p.read_text() for d in ("backend", "h5", "bot") for p in (ROOT / d).rglob("*.py"))
    words = re.findall(r"`([A-Za-z_]+)`", glossary)
    assert len(words) > 20
    assert [w for w in words if not re.search(rf"{w}", sources)] == []
