import re

import cv2
import numpy as np

from backend.web import qr


def test_the_drawn_code_can_be_read() -> None:
    text = "https://bank.example/h/9Q2MZKXC4T"
    svg = str(qr.svg(text, "二维码"))
    size = int(re.search(r'viewBox="0 0 (\d+)', svg)[1])  # type: ignore[index]
    picture = np.full((size, size), 255, np.uint8)
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1", svg):
        picture[int(y), int(x) : int(x) + int(width)] = 0
    large = cv2.resize(picture, None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST)
    assert cv2.QRCodeDetector().detectAndDecode(large)[0] == text


def test_its_label_is_escaped() -> None:
    assert '"><script>' not in qr.svg("x", '"><script>')
