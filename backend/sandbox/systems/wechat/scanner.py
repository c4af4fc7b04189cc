"""The phone's scanner: the text of a QR code in a picture, be it a bare code or a whole poster."""

from typing import Any

from backend.sandbox.refusal import Refusal

LARGEST_SIDE = 6000
SCALES = (1.0, 0.5, 1.5, 2.0, 0.75, 0.33, 3.0)


def read(picture: bytes) -> str:
    """Raises Refusal when the file is no picture or holds no code that can be read."""
    # Slow to import and needed by nothing else here.
    import cv2
    import numpy as np

    grey: Any = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE)
    if grey is None or max(grey.shape) > LARGEST_SIDE:
        raise Refusal(400, "not_a_picture", "这个文件不是图片，或者太大")
    # A code that reaches the edge of its picture has lost the quiet zone that detectors look for.
    grey = cv2.copyMakeBorder(grey, 20, 20, 20, 20, cv2.BORDER_CONSTANT, value=(255.0,))
    for scale in SCALES:
        sized = grey if scale == 1.0 else cv2.resize(grey, None, fx=scale, fy=scale)
        for detector in (cv2.QRCodeDetector(), cv2.QRCodeDetectorAruco()):
            try:
                text = detector.detectAndDecode(sized)[0]
            except cv2.error:
                # OpenCV stumbles over some almost-codes; another scale may do.
                continue
            if text:
                return str(text)
    raise Refusal(404, "no_code_found", "图里没有看到二维码")
