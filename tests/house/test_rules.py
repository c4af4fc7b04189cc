"""Our own rules, held by tests: SQL, statuses, tenancy, templates, layers the linter cannot see."""

import ast
import importlib
import re
import subprocess
from pathlib import Path

import asyncpg
import pytest

from backend.core.lifecycle import Lifecycle
from backend.db import queries

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [p for folder in ("backend", "h5", "bot") for p in sorted((ROOT / folder).rglob("*.py"))]
TEMPLATES = sorted(p.relative_to(ROOT / "templates").as_posix() for p in (ROOT / "templates").rglob("*.html"))


def _statements() -> list[tuple[str, queries.Query]]:
    found = []
    for path in sorted((ROOT / "backend").rglob("queries*.sql")):
        package = ".".join(path.parent.relative_to(ROOT).parts)
        loaded = queries.load(package, path.name)
        found += [(f"{package}/{path.name}", query) for query in loaded.statements.values()]
    return found


def _lifecycles() -> dict[str, Lifecycle]:
    found: dict[str, Lifecycle] = {}
    for path in SOURCES:
        if "core" not in path.parts and "Lifecycle(" in path.read_text():
            module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
            for value in vars(module).values():
                if isinstance(value, Lifecycle):
                    found[value.name] = value
    return found


async def test_every_query_prepares_against_the_migrated_schema(owner: asyncpg.Connection) -> None:
    broken = {}
    for file, query in _statements():
        try:
            await owner.prepare(query.sql)
        except asyncpg.PostgresError as error:
            broken[f"{file}:{query.name}"] = str(error)
    assert broken == {}


async def test_every_query_may_be_run_by_the_application_role(db: object, database_dsn: str) -> None:
    connection = await asyncpg.connect(database_dsn)
    try:
        refused = []
        for file, query in _statements():
            if "owner's connection" in query.doc:
                continue
            plan = await connection.prepare(query.sql)
            try:
                async with connection.transaction():
                    # EXPLAIN checks permissions at execution; parameters are nulls, nothing is touched.
                    holes = ", ".join(f"null::{p.name}" for p in plan.get_parameters())
                    name = f"p{len(refused)}_{abs(hash((file, query.name)))}"
                    types = ", ".join(p.name for p in plan.get_parameters())
                    prefix = f"({types})" if types else ""
                    await connection.execute(f"prepare {name}{prefix} as {query.sql}")
                    await connection.execute("set local plan_cache_mode = force_generic_plan")
                    call = f"({holes})" if holes else ""
                    await connection.execute(f"explain execute {name}{call}")
            except asyncpg.InsufficientPrivilegeError as error:
                refused.append(f"{file}:{query.name}: {error}")
        assert refused == []
    finally:
        await connection.close()


async def test_no_reviewed_statement_leaves_a_trace_in_its_session(owner: asyncpg.Connection) -> None:
    """After them a connection goes to the next borrower as it is (`db.database.Tx.reviewed`)."""
    lasting = re.compile(
        r"pg_(try_)?advisory_lock|set_config\((?![^;]*,\s*true\))|dblink|\b(listen|discard|prepare)\b",
        re.IGNORECASE,
    )
    plain = re.compile(r"\s*(--[^\n]*\n\s*)*(select|insert|update|delete|with)\b", re.IGNORECASE)
    lasts = [
        f"{file}:{query.name}"
        for file, query in _statements()
        if not plain.match(query.sql) or lasting.search(query.sql)
    ]
    bodies = await owner.fetch(
        "select p.oid::regprocedure::text as name, p.prosrc from pg_proc p"
        " join pg_namespace n on n.oid = p.pronamespace"
        " where n.nspname not in ('pg_catalog', 'information_schema')"
    )
    lasts += [row["name"] for row in bodies if lasting.search(row["prosrc"])]
    assert lasts == []


async def test_no_statement_over_tenant_data_without_institution(owner: asyncpg.Connection) -> None:
    protected = {
        row["name"]
        for row in await owner.fetch(
            "select n.nspname || '.' || c.relname as name from pg_class c "
            "join pg_namespace n on n.oid = c.relnamespace where c.relrowsecurity"
        )
    }
    strays = []
    for file, query in _statements():
        touched = {t for t in protected if re.search(rf"\b{re.escape(t)}\b", query.sql)}
        scoped = {"institution", "institution_id"} & set(query.parameters)
        if touched and not scoped and "scope: all institutions, because" not in query.doc:
            strays.append(f"{file}:{query.name}")
    assert strays == [], (
        "put institution_id among the parameters, or say `scope: all institutions, because …`"
    )


async def test_statuses_in_sql_are_the_statuses_in_python(owner: asyncpg.Connection) -> None:
    tables = _lifecycles()
    stored: dict[str, set[tuple[str, str]]] = {}
    for row in await owner.fetch("select name, from_status, to_status from xd.lifecycle"):
        stored.setdefault(row["name"], set()).add((row["from_status"], row["to_status"]))
    moves = {name: table.pairs() for name, table in tables.items()}
    stray = {
        f"{name}: {old} -> {new}"
        for name in {*stored, *moves}
        for old, new in stored.get(name, set()) ^ moves.get(name, set())
    }
    assert stray == set(), (
        "moves that stand in model.py or in xd.lifecycle, not in both: a migration is missing"
    )


def test_only_a_domains_own_service_uses_its_repository() -> None:
    strays = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            for name in names:
                found = re.match(r"backend\.domains\.(\w+)\.repository", name)
                if found and (ROOT / "backend/domains" / found[1]) not in path.parents:
                    strays.append(f"{path.relative_to(ROOT)}: {name}")
    assert strays == [], "ask the domain's service, not its repository"


def test_every_template_is_rendered_or_included() -> None:
    text = "\n".join(p.read_text() for p in SOURCES)
    text += "\n".join((ROOT / "templates" / name).read_text() for name in TEMPLATES)
    unused = [name for name in TEMPLATES if f'"{name}"' not in text and f"'{name}'" not in text]
    assert unused == [], "no handler renders them and no template includes them"


def test_every_form_that_posts_takes_its_hidden_fields_from_the_one_macro() -> None:
    """Token and key (trust 1.3): no template writes them itself, and no button of htmx posts outside such a form."""
    without = []
    for path in sorted((ROOT / "templates").rglob("*.html")):
        text = path.read_text()
        if path.name != "forms.html" and re.search(r'name="(csrf_token|form_key)"', text):
            without.append(f"{path}: hidden fields of its own")
        for form in re.findall(r"<form\b[^>]*method=\"post\".*?</form>", text, re.DOTALL):
            if "keys(page)" not in form:
                without.append(f"{path}: {form[:80]}")
        outside = re.sub(r"<form\b.*?</form>", "", text, flags=re.DOTALL)
        for tag in re.findall(r"<[^>]*\bhx-(?:post|put|patch|delete)=[^>]*>", outside):
            included = re.search(r'hx-include="closest form"', tag)
            sends = re.search(r'hx-params="([^"]*)"', tag)
            if not included or (sends and not {"csrf_token", "form_key"} <= set(sends[1].split(","))):
                without.append(f"{path}: {tag[:80]}")
    assert without == [], (
        "a form that posts begins with {{ keys(page) }} and writes no hidden fields of its own"
    )


def test_no_sql_is_built_from_strings() -> None:
    """SQL lives in queries.sql and migrations; f-strings with SQL verbs are a way in (1.2.4)."""
    verb = re.compile(
        r"\b(select|insert into|update|delete from)\b.+\b(from|values|set|where)\b", re.I | re.S
    )
    allowed = {
        "backend/db/embedded.py",  # one identifier of our own, for create database
        "backend/db/together.py",  # statements of queries.sql side by side, and nothing else
    }
    strays = []
    for path in SOURCES:
        relative = path.relative_to(ROOT).as_posix()
        if relative in allowed or relative.startswith("backend/sandbox/"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr) and verb.search(
                "".join(
                    v.value for v in node.values if isinstance(v, ast.Constant) and isinstance(v.value, str)
                )
            ):
                strays.append(f"{relative}:{node.lineno}")
    assert strays == []


def test_no_sentence_for_a_person_holds_what_a_library_or_the_system_said() -> None:
    """`f"读不到文件：{cause}"` ends in English: `core/unreadable.py` says why. Errors of ours speak Chinese."""
    # Ours, in Chinese; `NotStarted` quotes the end of PostgreSQL's log, which is what an operator needs.
    ours = {"Unsafe", "CaseUnreadable", "NotReady", "embedded.NotStarted", "migrate.Drifted"}
    strays = []
    for path in SOURCES:
        for caught in ast.walk(ast.parse(path.read_text())):
            if not isinstance(caught, ast.ExceptHandler) or caught.type is None or caught.name is None:
                continue
            kinds = caught.type.elts if isinstance(caught.type, ast.Tuple) else [caught.type]
            if {ast.unparse(kind) for kind in kinds} <= ours:
                continue
            said = rf"{{(str\()?{caught.name}(\)|\.strerror|\.msg|\.args\S*)?}}"
            for node in ast.walk(caught):
                if isinstance(node, ast.JoinedStr) and re.search(r"[一-鿿]", text := ast.unparse(node)):
                    strays += [f"{path.relative_to(ROOT)}:{node.lineno}"] if re.search(said, text) else []
    assert strays == []


def test_no_registry_host_stands_in_the_project() -> None:
    hosts = re.compile(
        "|".join(("registry" + r"\.npmjs", "pypi" + r"\.org", "python" + "hosted", "deb" + r"\.debian"))
    )

    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    strays = []
    for name in names.splitlines():
        path = ROOT / name
        binary = path.suffix in {".png", ".jpg", ".ttf", ".otf", ".woff2", ".onnx"}
        if path.is_file() and not binary and hosts.search(path.read_text(errors="ignore")):
            strays.append(name)
    assert strays == []


@pytest.mark.parametrize("path", [p for p in SOURCES if "sandbox" not in p.parts], ids=lambda p: p.stem)
def test_a_module_stays_readable(path: Path) -> None:
    """About 300 lines, rethink at 500 (house rule 12)."""
    assert path.read_text().count("\n") <= 500, (
        f"{path}: longer than 500 lines, take it apart by what it does"
    )


def test_no_comment_is_a_banner() -> None:
    """A file that wants headings wants taking apart (house rules, style)."""
    banner = re.compile(r"^\s*(?:#|--|//|/\*) ?[-=─*]{3,}")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in ("backend", "h5", "bot", "tests", "templates", "static")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".sql", ".css", ".js", ".html"} and "vendor" not in path.parts
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if banner.match(line)
    ]
    assert found == []
