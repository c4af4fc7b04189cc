"""Papers: the same bytes for the same data, archival PDF, nothing left unprinted (A3-21, D6-04)."""

import hashlib
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from backend.documents import contract, package, rendering, words
from tests.documents.conftest import make_disclosure, make_schedule, replaced

ROOT = Path(__file__).parents[2]


def test_the_same_data_give_the_same_bytes_in_another_process(sheet):
    here = rendering.render("disclosure", sheet).sha256
    script = (
        "from tests.documents.conftest import make_disclosure as m;"
        "from backend.documents import rendering as r;print(r.render('disclosure', m()).sha256)"
    )
    there = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert there.stdout.strip() == here


def test_documents_are_archival_pdfs_with_their_title(agreement, sheet, consent):
    for name, data in (("contract", agreement), ("disclosure", sheet), ("consent", consent)):
        done = rendering.render(name, data)
        assert done.pdf.startswith(b"%PDF-1.")
        assert done.pdf.rstrip().endswith(b"%%EOF")
        assert b"pdfaid" in done.pdf, "PDF/A is declared in the metadata"
        assert done.sha256 == hashlib.sha256(done.pdf).hexdigest()
        assert done.title


def test_a_guarantors_copy_is_as_archival_and_holds_every_word(consent):
    words_of = {
        key: getattr(consent, key) for key in ("title", "version", "sections", "text_sha256", "given_on")
    }
    paper = contract.GuaranteePaper(
        **words_of,
        lender="甲县农村商业银行",
        person_name="王五",
        id_number="411***********0711",
        given_at_label="2026年11月23日 10:00",
        guarantee_id="01a21f9b-15c5-733e-800e-65b5a794ff19",
    )
    done = rendering.render("guarantee", paper)
    assert done.pdf.startswith(b"%PDF-1.")
    assert b"pdfaid" in done.pdf
    assert done.sha256 != rendering.render("guarantee", replaced(paper, person_name="赵六")).sha256
    with pytest.raises(rendering.CannotBePrinted):
        rendering.render("guarantee", replaced(paper, person_name="王\U00031b16"))


def test_a_guaranteed_contract_names_who_answers_for_how_much_and_until_when(agreement):
    surety = contract.Surety(name="王五", amount=52_000_00, until=date(2029, 5, 22), terms_sha256="cd" * 32)
    alone = rendering.render("contract", agreement)
    guaranteed = rendering.render("contract", replaced(agreement, sureties=(surety,)))
    assert guaranteed.sha256 != alone.sha256
    for other in (
        {"name": "赵六"},
        {"amount": 1_00},
        {"until": date(2028, 1, 1)},
        {"terms_sha256": "ef" * 32},
    ):
        changed = replaced(agreement, sureties=(replaced(surety, **other),))
        assert rendering.render("contract", changed).sha256 != guaranteed.sha256, other


@pytest.mark.parametrize(
    "changed", [{"limit": 52_000_01}, {"purpose_label": "看病就医"}, {"contract_no": "x"}]
)
def test_another_figure_is_another_document(agreement, changed):
    before = rendering.render("contract", agreement)
    assert rendering.render("contract", replaced(agreement, **changed)).sha256 != before.sha256


@pytest.mark.parametrize("name", ["contract", "disclosure", "consent"])
def test_every_field_is_printed(request, name):
    data = request.getfixturevalue(
        {"contract": "agreement", "disclosure": "sheet", "consent": "consent"}[name]
    )
    fields = rendering._WORDS[name](data)
    template = (rendering.TEMPLATES / f"{name}.typ").read_text("utf-8")
    printed = set(re.findall(r"\bd\.(\w+)", template))
    assert printed == set(fields)


def test_a_name_our_font_cannot_draw_is_never_printed_as_a_box(agreement):
    person = replaced(agreement.borrower, name="张\U00030edd")
    with pytest.raises(rendering.CannotBePrinted) as refused:
        rendering.render("contract", replaced(agreement, borrower=person))
    assert refused.value.characters == "\U00030edd"
    assert "张" not in str(refused.value)


def test_the_rare_characters_of_real_villages_can_be_printed(agreement):
    person = replaced(agreement.borrower, name="赵垚", address="河南省甲县垸子乡东垸村塬上组")
    assert rendering.render("contract", replaced(agreement, borrower=person)).pdf


def test_words_cannot_inject_markup(sheet):
    marked = replaced(sheet, borrower='#read("/etc/passwd") *x* = y <z> $ `')
    assert rendering.render("disclosure", marked).pdf
    assert words.of_disclosure(marked)["borrower"] == marked.borrower


def test_many_threads_draw_at_once(agreement, sheet):
    with ThreadPoolExecutor(6) as pool:
        found = set(
            pool.map(lambda n: rendering.render("contract", agreement).sha256 if n % 2 else "x", range(12))
        )
    assert len(found) == 2


def test_a_package_has_one_hash_over_all_its_documents(agreement, sheet, consent):
    whole = package.build(agreement, sheet, [consent])
    assert [d.name for d in whole.documents] == ["contract", "disclosure", "consent"]
    assert package.build(agreement, sheet, [consent]).manifest_sha256 == whole.manifest_sha256
    assert package.build(agreement, sheet, []).manifest_sha256 != whole.manifest_sha256


def test_d2_09_a_contract_is_not_drawn_with_another_disclosure(agreement):
    other = make_disclosure(make_schedule(rate="0.0620"))
    with pytest.raises(package.DisclosureMismatch):
        package.build(agreement, other)


def test_typst_is_not_imported_before_the_first_document():
    script = (
        "import sys, backend.documents.package; print('typst' in sys.modules, 'fontTools' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "False"]
