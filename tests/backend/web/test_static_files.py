import ast
import gzip
import hashlib
import re
from pathlib import Path

import httpx
import pytest
from litestar import Litestar

from backend.web import static_files, templates

PACKAGED = "dbb0451e1b72d7c2c18095ffd1950d6de464413ce8d343eff8b82865b983ab97"


@pytest.fixture
def client() -> httpx.AsyncClient:
    app = Litestar([static_files.handler(templates.files())], openapi_config=None)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test")


async def test_a_hashed_name_is_kept_for_ever_and_comes_packed(client: httpx.AsyncClient) -> None:
    answer = await client.get(templates.files().url("customer.css"))
    assert answer.status_code == 200
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert ".weui-btn" in answer.text


async def test_without_gzip_the_same_bytes_come_plain(client: httpx.AsyncClient) -> None:
    url = templates.files().url("js/customer.js")
    packed = await client.get(url)
    plain = await client.get(url, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == packed.content
    assert int(plain.headers["content-length"]) == len(plain.content)


@pytest.mark.parametrize(
    "path",
    [
        "/static/customer.css",
        "/static/",
        "/static/../pyproject.toml",
        "/static/%2e%2e/pyproject.toml",
        "/static/vendor/build.py",
    ],
)
async def test_nothing_but_listed_names_is_served(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


def test_changed_content_gets_a_new_name(tmp_path: Path) -> None:
    for part in (part for parts in static_files.BUNDLES.values() for part in parts):
        (tmp_path / part).parent.mkdir(exist_ok=True)
        (tmp_path / part).write_text("a{}")
    before = static_files.StaticFiles(tmp_path).url("css/tokens.css")
    (tmp_path / "css/tokens.css").write_text("b{}")
    after = static_files.StaticFiles(tmp_path)
    assert after.url("css/tokens.css") != before
    asset = after.find(after.url("css/tokens.css").removeprefix(static_files.PREFIX))
    assert asset is not None
    assert asset.packed is not None
    assert gzip.decompress(asset.packed) == b"b{}"


def test_no_weui_class_in_use_was_cut() -> None:
    """WeUI is cut to what templates use (static/vendor/build.py); this tells when it must be cut again."""
    sheet = (static_files.ROOT / "vendor/weui-2.6.26.cut.css").read_text()
    own = "".join(p.read_text() for p in (static_files.ROOT / "css").glob("*.css"))
    known = set(re.findall(r"\.(weui-[\w-]+)", sheet)) | set(re.findall(r"\.(weui-[\w-]+)", own))
    used = set()
    for path in [*templates.ROOT.rglob("*.html"), *static_files.ROOT.glob("js/*.js")]:
        for value in re.findall(r'class(?:Name)?\s*=\s*["\']([^"\']*)', path.read_text()):
            used |= set(re.findall(r"weui-[\w-]+", value))
    assert {"weui-btn", "weui-btn_primary"} <= used
    assert used <= known


def test_weui_stays_within_6_kb_packed() -> None:
    assert templates.files().packed_size("vendor/weui-2.6.26.cut.css") <= 6_000


@pytest.mark.parametrize("name", ["weui-2.6.26", "htmx-2.0.11", "weixin-js-sdk-1.6.5"])
def test_vendored_code_has_its_licence_beside_it(name: str) -> None:
    assert "permission" in (static_files.ROOT / f"vendor/{name}.LICENSE").read_text().lower()


def test_the_js_sdk_is_the_packages_text_between_our_two_lines() -> None:
    """`index.js` of weixin-js-sdk 1.6.5 as npm serves it; changed in place it would no longer be what was looked at."""
    script = (static_files.ROOT / "vendor/build.py").read_text()
    [lines] = re.findall(r"^OPENING, CLOSING = (.+)$", script, re.M)
    opening, closing = ast.literal_eval(lines)
    text = (static_files.ROOT / "vendor/weixin-js-sdk-1.6.5.js").read_text()
    assert text.startswith(opening)
    assert text.endswith(closing)
    body = text.removeprefix(opening).removesuffix(closing)
    assert hashlib.sha256(body.encode()).hexdigest() == PACKAGED
    assert templates.files().packed_size("vendor/weixin-js-sdk-1.6.5.js") <= 6_000
