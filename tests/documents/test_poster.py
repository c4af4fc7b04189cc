"""Posters: the law's figures at the law's size, drawn fast, scanned after print and forwarding (A11-05, D2-10)."""

import io
import time

import cv2
import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from backend.documents import poster
from backend.documents.poster import Poster, PosterIncomplete
from tests.documents.conftest import replaced

URL = "https://xiaodai.example.com/c/4101-1-7H3K9M2PQR-0123456789ABCDEFGHJKMNPQRS"


def make_poster(**changed) -> Poster:
    fields = {
        "headline": "扫码就能申请随享贷",
        "product_name": "随享贷",
        "amount_text": "最高 20 万元",
        "rate_text": "4.35%–9.60%",
        "all_in_text": "4.35%–9.60%",
        "term_text": "最长 36 个月",
        "cost_note": "除利息外不收取其他费用，以签约前的明示表为准。",
        "risk_text": "贷款有风险，借款须量力而行；请按约定用途使用、按时还款，逾期会影响个人征信。",
        "officer_name": "李四",
        "officer_no": "JX0427",
        "qualification_no": "YHCY41010001",
        "branch_name": "柳林支行",
        "institution_name": "甲县农村商业银行",
        "service_phone": "0371-5550101",
        "material_id": "WL4101001-1",
        "code_url": URL,
        "valid_until": "2027年5月22日",
    } | changed
    return Poster(**fields)


def decoded(picture: Image.Image) -> str:
    pixels = np.array(picture.convert("L"))
    for scale in (1.0, 2.0, 0.5):
        found, *_ = cv2.QRCodeDetector().detectAndDecode(cv2.resize(pixels, None, fx=scale, fy=scale))
        if found:
            return found
    return ""


def recompressed(picture: Image.Image, longest: int, quality: int) -> Image.Image:
    """What a chat does to a picture: shrink to a longest side and save as JPEG."""
    small = picture.copy()
    small.thumbnail((longest, longest))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=quality)
    return Image.open(io.BytesIO(out.getvalue())).convert("RGB")


def test_a_poster_is_a_jpeg_that_scans():
    picture = Image.open(io.BytesIO(poster.render(make_poster())))
    assert (picture.format, picture.size) == ("JPEG", (1080, 1920))
    assert decoded(picture) == URL


@pytest.mark.parametrize(("first", "second"), [((1280, 60), (1080, 50)), ((1440, 70), (960, 45))])
def test_a11_05_it_scans_after_two_recompressions_by_wechat(first, second):
    picture = Image.open(io.BytesIO(poster.render(make_poster())))
    assert decoded(recompressed(recompressed(picture, *first), *second)) == URL


def test_a11_05_it_scans_from_a_photograph_of_the_print():
    picture = poster.draw(make_poster())[0].rotate(6, expand=True, fillcolor="#b8b2a6", resample=3)
    faded = ImageEnhance.Contrast(picture).enhance(0.55).filter(ImageFilter.GaussianBlur(2.2))
    shot = recompressed(faded, 1600, 70)
    noise = np.random.default_rng(7).normal(0, 9, (*shot.size[::-1], 3))
    noisy = Image.fromarray(np.clip(np.array(shot) + noise, 0, 255).astype(np.uint8))
    assert decoded(noisy) == URL


def test_a_torn_corner_and_a_stain_do_not_stop_it():
    picture, _ = poster.draw(make_poster())
    stained = picture.copy()
    left, top = poster.MARGIN + 250, 1010 + 250
    stained.paste("#7a5c3a", (left, top, left + 70, top + 70))
    assert decoded(stained) == URL


def test_a11_05_drawing_takes_under_300_ms():
    poster.render(make_poster())
    times = []
    for _ in range(5):
        start = time.process_time()
        poster.render(make_poster())
        times.append(time.process_time() - start)
    assert min(times) < 0.3


@pytest.mark.parametrize("field", [f for f in Poster.__struct_fields__ if f not in Poster.OPTIONAL])
def test_d2_10_no_poster_without_its_mandatory_words(field):
    with pytest.raises(PosterIncomplete) as refused:
        poster.render(make_poster(**{field: " "}))
    assert set(refused.value.fields) == {field}


def test_d2_10_the_rate_is_as_large_as_any_figure_and_risk_is_readable():
    size = {b.name: b.size for b in poster.draw(make_poster())[1]}
    assert size["rate_text"] == size["all_in_text"] == size["amount_text"]
    assert size["risk_text"] >= 34
    assert min(size.values()) >= poster.SMALLEST
    assert "material_id" in size


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"greeting": "柳林的乡亲们，花木周转有需要随时可以找我，我来跑腿"},
        {
            "officer_name": "欧阳长根",
            "branch_name": "香菇沟乡大槐树支行",
            "headline": "乙县乡亲种香菇周转用款扫码申请办理看看",
        },
        {
            "risk_text": "贷款有风险，借款须量力而行。" * 4,
            "rate_text": "10.35%–19.60%",
            "amount_text": "最高 300 万元",
        },
    ],
)
def test_nothing_runs_over_its_neighbour_or_the_edge(changed):
    blocks = poster.draw(make_poster(**changed))[1]
    for one in blocks:
        left, top, right, bottom = one.box
        assert 30 <= left < right <= poster.WIDTH - 30, one
        assert 0 <= top < bottom <= poster.HEIGHT, one
        for other in blocks:
            if other is not one:
                l2, t2, r2, b2 = other.box
                assert right <= l2 or r2 <= left or bottom <= t2 or b2 <= top, (one, other)


def test_a_longer_address_still_fits_and_scans():
    longer = replaced(make_poster(), code_url=URL + "?from=" + "x" * 60)
    assert decoded(Image.open(io.BytesIO(poster.render(longer)))) == longer.code_url
