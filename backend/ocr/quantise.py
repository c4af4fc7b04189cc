"""The recogniser in 8-bit integers (QDQ, convolutions, per channel): twice as fast where the CPU has VNNI.

Calibrated on lines of text drawn here with the project's own font, the kind of line an ID card gives.
"""

import logging
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from backend.core import hanzi

_FONT = Path(__file__).parents[2] / "static" / "fonts" / "NotoSansCJKsc-2.004-8105-Regular.otf"
_LINES = 48


def recogniser(source: Path, target: Path) -> None:
    """Write the int8 twin of the model folder `source` to `target`.

    Gelu is fused before, not after: the quantising nodes would split its pattern into five slow operators.
    """
    from onnxruntime import quantization

    target.mkdir()
    fused = target / "fused.onnx"
    _fuse(source / "inference.onnx", fused)
    logging.getLogger().addFilter(_silent)  # advice about a step that was just done
    try:
        quantization.quantize_static(
            str(fused),
            str(target / "inference.onnx"),
            _Lines(),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
        )
    finally:
        logging.getLogger().removeFilter(_silent)
    fused.unlink()
    shutil.copyfile(source / "inference.yml", target / "inference.yml")


def _silent(record: logging.LogRecord) -> bool:
    return "pre-processing before quantization" not in record.getMessage()


def _fuse(source: Path, target: Path) -> None:
    """Opset 13 (per-channel quantising needs it), then what ONNX Runtime joins on any CPU."""
    import onnx
    import onnxruntime

    raised = target.with_name("raised.onnx")
    onnx.save(onnx.version_converter.convert_version(onnx.load(str(source)), 13), str(raised))
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(target)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(raised), options, providers=["CPUExecutionProvider"])
    raised.unlink()


class _Lines:
    """Calibration lines for onnxruntime; it asks until None comes."""

    def __init__(self) -> None:
        self._lines: Iterator[NDArray[np.float32]] = (drawn_line(number) for number in range(_LINES))

    def get_next(self) -> dict[str, Any] | None:
        line = next(self._lines, None)
        return None if line is None else {"x": line}

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> dict[str, Any]:
        line = self.get_next()
        if line is None:
            raise StopIteration
        return line

    def set_range(self, start_index: int, end_index: int) -> None:
        """onnxruntime slices its readers; these lines are few enough to be read whole."""


def drawn_line(number: int) -> NDArray[np.float32]:
    """One line of text as the recogniser wants it: (1, 3, 48, width), -1…1; the same number gives the same line."""
    chance = random.Random(number)
    table = hanzi.standard()
    if number % 4 == 0:
        text = "".join(chance.choice("0123456789X") for _ in range(18))
    else:
        reach = hanzi.COMMON if number % 4 < 3 else len(table)
        letters = [table[chance.randrange(reach)] for _ in range(chance.randrange(2, 12))]
        text = "".join(letters) + chance.choice(("", "12号", "3组"))
    face = ImageFont.truetype(str(_FONT), 34)
    width = -(-int(face.getlength(text) + 24) // 32) * 32
    light, ink = chance.randrange(150, 250), chance.randrange(20, 90)
    image = Image.new("RGB", (width, 48), (light, light - 4, light - 9))
    ImageDraw.Draw(image).text((12, 24), text, fill=(ink, ink, ink + 8), font=face, anchor="lm")
    image = image.filter(ImageFilter.GaussianBlur(chance.uniform(0, 1.6)))
    noise = np.random.default_rng(number).normal(0, chance.uniform(1, 9), (48, width, 3))
    pixels = np.clip(np.asarray(image, np.float32) + noise, 0, 255)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None] / 127.5 - 1, np.float32)
