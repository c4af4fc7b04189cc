"""PP-OCRv6 through paddleocr on ONNX Runtime: finds lines of text and reads them. Heavy: only in OCR processes.

paddleocr loads the models; pictures go to the ONNX sessions directly, because only there are the posteriors of every
character, and because detection at 448 pixels with crops from the full picture costs a tenth of the stock pipeline.
"""

import json
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.ocr import lean, models, places
from backend.ocr.lines import Alphabet, Line

os.environ.setdefault("PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK", "True")  # no look-up on the network at start
with lean.skipping():
    import paddleocr

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_SPREAD = np.array([0.229, 0.224, 0.225], np.float32)
_INK, _INK_MEAN = 0.3, 0.55
HEIGHT = 48
_WIDEST = 1600


class Patch:
    """Where the detector saw text: outline points in picture coordinates and how sure it was."""

    __slots__ = ("points", "score")

    def __init__(self, points: Floats, score: float) -> None:
        self.points = points
        self.score = score


class Engine:
    """Both models, one thread, warmed up."""

    def __init__(self, folder: Path) -> None:
        models.verify(folder)
        recogniser = models.recogniser_folder(folder)
        self._detector = _session(paddleocr.TextDetection, "PP-OCRv6_small_det", folder / "det")
        self._recogniser = _session(paddleocr.TextRecognition, "PP-OCRv6_small_rec", recogniser)
        plain = models.plain_recogniser_folder(folder)
        self._careful = (
            self._recogniser
            if plain == recogniser
            else _session(paddleocr.TextRecognition, "PP-OCRv6_small_rec", plain)
        )
        config = json.loads((recogniser / "inference.yml").read_text(encoding="utf-8"))
        self.alphabet = Alphabet(config["PostProcess"]["character_dict"])
        self.gazetteer = places.gazetteer(folder.parent / "gazetteer.json")
        self._warm()

    def detect(self, picture: Image, long_side: int) -> list[Patch]:
        """Patches of text in a BGR picture, looked for at `long_side` pixels."""
        height, width = picture.shape[:2]
        scale = long_side / max(height, width)
        size = (max(round(width * scale / 32), 1) * 32, max(round(height * scale / 32), 1) * 32)
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        scaled = ((small.astype(np.float32) / 255 - _MEAN) / _SPREAD).astype(np.float32)
        chances = self._run(self._detector, scaled.transpose(2, 0, 1)[None])[0, 0]
        stretch = np.array([width / size[0], height / size[1]], np.float32)
        return [Patch(points * stretch, score) for points, score in _outlines(chances)]

    def read(self, crop: Image) -> Line:
        """The text of one line, upright, in BGR, `HEIGHT` pixels high."""
        return self._read(self._recogniser, crop)

    def read_carefully(self, crop: Image) -> Line:
        """The same by the recogniser as it was trained, in 32 bits: twice the time, surer of rare characters."""
        return self._read(self._careful, crop)

    def _read(self, session: Any, crop: Image) -> Line:
        width = min(-(-crop.shape[1] // 32) * 32, _WIDEST)
        padded = np.zeros((1, 3, HEIGHT, width), np.float32)
        used = min(crop.shape[1], width)
        padded[0, :, :, :used] = crop[:, :used].transpose(2, 0, 1).astype(np.float32) / 127.5 - 1
        posteriors = self._run(session, padded)[0]
        return Line(posteriors[: max(1, -(-used * len(posteriors) // width))], self.alphabet)

    def _run(self, session: Any, value: Floats) -> Floats:
        """The one place where a model is called; benchmarks measure what surrounds it."""
        result: Floats = session.run(None, {session.get_inputs()[0].name: np.ascontiguousarray(value)})[0]
        return result

    def _warm(self) -> None:
        self.detect(np.full((320, 480, 3), 200, np.uint8), 512)
        self.read(np.full((HEIGHT, 320, 3), 200, np.uint8))


def _session(wrapper: Any, name: str, folder: Path) -> Any:
    """The ONNX Runtime session paddleocr made for this model folder."""
    loaded = wrapper(
        model_name=name,
        model_dir=str(folder),
        engine="onnxruntime",
        device="cpu",
        engine_config={"intra_op_num_threads": 1, "inter_op_num_threads": 1, "enable_cpu_mem_arena": False},
    )
    return loaded.paddlex_predictor.runner.session


def _outlines(chances: Floats) -> list[tuple[Floats, float]]:
    """Contours of the detector's map (DB) with their mean chance."""
    ink = (chances > _INK).astype(np.uint8)
    contours, _ = cv2.findContours(ink, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for contour in contours[:400]:
        left, top, width, height = cv2.boundingRect(contour)
        if min(width, height) < 2 or width * height < 12:
            continue
        mask = np.zeros((height, width), np.uint8)
        cv2.fillPoly(mask, [(contour - (left, top)).astype(np.int32)], (1,))
        mean = cv2.mean(chances[top : top + height, left : left + width], mask)[0]
        if mean >= _INK_MEAN:
            found.append((contour[:, 0].astype(np.float32) + 0.5, float(mean)))
    return found
