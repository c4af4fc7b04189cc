import gzip

import jinja2
import pytest
from msgspec.structs import replace

from backend.web import templates
from tests.h5.customer import contexts


def test_a_missing_name_is_an_error_and_not_a_blank() -> None:
    with pytest.raises(jinja2.UndefinedError):
        templates.render("customer/landing/show.html", page=contexts.PAGE)


def test_a_kept_page_equals_a_fresh_one_and_holds_only_the_visitors_own_tokens() -> None:
    for csrf, key in [("one", "a"), ('two"<', "b")]:
        page = replace(contexts.PAGE, csrf_token=csrf, form_key=key)
        fresh = templates.render("customer/landing/show.html", page=page, view=contexts.LANDING).encode()
        kept = templates.render_kept("customer/landing/show.html", page=page, view=contexts.LANDING)
        packed = templates.render_kept(
            "customer/landing/show.html", page=page, view=contexts.LANDING, packed=True
        )
        assert kept == fresh
        assert gzip.decompress(packed) == fresh
        assert len(packed) < 0.7 * len(fresh)


def test_kept_pages_of_two_officers_are_two() -> None:
    other = replace(contexts.LANDING, officer=replace(contexts.OFFICER, name="王五"))
    pages = {
        templates.render_kept("customer/landing/show.html", page=contexts.PAGE, view=view)
        for view in (contexts.LANDING, other)
    }
    assert len(pages) == 2


def test_lines_of_a_template_may_be_wrapped_inside_chinese_text() -> None:
    environment = templates.environment()
    source, _, _ = environment.loader.get_source(environment, "shared/base.html")  # type: ignore[union-attr]
    assert "\n " not in source
