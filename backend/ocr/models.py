"""The recognition models: derived once at set-up from the files inside the `rapidocr` wheel.

PP-OCRv6 small (Apache-2.0), as paddleocr model folders under `<data>/models/<VERSION>/`: `det/` and `rec/`, and
`rec-int8/` for CPUs with VNNI instructions. The recogniser's vocabulary is pruned to the 8,105 standard characters,
so that traditional look-alikes (漢, 緱) cannot be answered.
"""

import hashlib
import importlib.util
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backend.core import hanzi

VERSION = "pp-ocrv6-small-1"
SOURCES = {
    "PP-OCRv6_det_small.onnx": "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
    "PP-OCRv6_rec_small.onnx": "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
}
PUNCTUATION = "·—…（），。、：；《》“”‘’！？【】〔〕￥％×〇－～／．＊＋"
_OUTPUT = "linear_8"
Progress = Callable[[str], None]


class ModelsDamaged(RuntimeError):
    """A model file is not the one this project was measured with."""


def folder(data: Path) -> Path:
    """Where the derived models of this version live."""
    return data / "models" / VERSION


def prepare(data: Path, progress: Progress = lambda _: None) -> Path:
    """Derive the models unless they are there already; returns their folder.

    Idempotent, safe to repeat after a crash (built beside, then renamed). `progress` gets one Chinese line per step.
    Raises ModelsDamaged when a file of the wheel has another sha256.
    """
    target = folder(data)
    if (target / "digests.json").exists():
        return target
    source = _wheel_folder()
    building = target.with_name(f".{VERSION}.{os.getpid()}")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    progress("核对识别模型文件")
    for name in SOURCES:
        _verify(source / name, SOURCES[name])
    progress("整理识别模型的字表")
    _write_detector(source / "PP-OCRv6_det_small.onnx", building / "det")
    _write_recogniser(source / "PP-OCRv6_rec_small.onnx", building / "rec")
    if has_vnni():
        from backend.ocr import quantise

        progress("压缩识别模型（本机 CPU 支持 int8）")
        quantise.recogniser(building / "rec", building / "rec-int8")
    digests = {str(path.relative_to(building)): _sha256(path) for path in sorted(building.rglob("*.onnx"))}
    (building / "digests.json").write_text(json.dumps(digests, indent=1))
    try:
        building.rename(target)
    except OSError:  # another process was quicker
        shutil.rmtree(building)
    return target


def verify(models: Path) -> None:
    """Raise ModelsDamaged when a derived file was altered since set-up; read once when a process starts."""
    for name, digest in json.loads((models / "digests.json").read_text()).items():
        _verify(models / name, digest)


def recogniser_folder(models: Path) -> Path:
    """The int8 recogniser where it exists and the CPU is good at it, else fp32."""
    quick = models / "rec-int8"
    return quick if has_vnni() and quick.exists() else plain_recogniser_folder(models)


def plain_recogniser_folder(models: Path) -> Path:
    """The recogniser as it was trained, in 32 bits."""
    return models / "rec"


def has_vnni() -> bool:
    """Whether the CPU multiplies 8-bit integers fast."""
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_vnni" in flags or "avx_vnni" in flags


def _wheel_folder() -> Path:
    found = importlib.util.find_spec("rapidocr")
    if found is None or not found.submodule_search_locations:
        raise ModelsDamaged("the rapidocr wheel is not installed")
    return Path(next(iter(found.submodule_search_locations))) / "models"


def _verify(path: Path, digest: str) -> None:
    if _sha256(path) != digest:
        raise ModelsDamaged(f"{path.name} is not the file this project was measured with")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_detector(source: Path, target: Path) -> None:
    import onnx

    target.mkdir()
    model = onnx.load(str(source))
    _flush_subnormal(model)
    onnx.save(model, str(target / "inference.onnx"))
    _write_config(
        target,
        "PP-OCRv6_small_det",
        [
            {"DetResizeForTest": {"resize_long": 960}},
            {
                "NormalizeImage": {
                    "mean": [0.485, 0.456, 0.406],
                    "std": [0.229, 0.224, 0.225],
                    "scale": "1./255.",
                    "order": "hwc",
                }
            },
            {"ToCHWImage": None},
        ],
        {
            "name": "DBPostProcess",
            "thresh": 0.3,
            "box_thresh": 0.6,
            "max_candidates": 1000,
            "unclip_ratio": 1.5,
        },
    )


def _write_recogniser(source: Path, target: Path) -> None:
    import onnx
    from onnx import numpy_helper

    target.mkdir()
    model = onnx.load(str(source))
    names = next(entry.value for entry in model.metadata_props if entry.key == "character").split("\n")
    kept = _kept(names)
    for tensor in model.graph.initializer:
        if tensor.name in (f"{_OUTPUT}.w_0", f"{_OUTPUT}.b_0"):
            pruned = numpy_helper.to_array(tensor)[..., kept]
            tensor.CopyFrom(numpy_helper.from_array(pruned, tensor.name))
    _flush_subnormal(model)
    del model.metadata_props[:]
    del model.graph.value_info[:]
    model.graph.output[0].type.tensor_type.shape.dim[2].dim_value = len(kept)
    onnx.save(model, str(target / "inference.onnx"))
    characters = [names[index - 1] for index in kept[1:-1]]
    _write_config(
        target,
        "PP-OCRv6_small_rec",
        [{"RecResizeImg": {"image_shape": [3, 48, 320]}}],
        {"name": "CTCLabelDecode", "character_dict": characters},
    )


def _flush_subnormal(model: Any) -> None:
    """Set weights too small for a normal float32 to zero: 0.25 million of them made two layers of the detector take
    two thirds of its time (CPUs multiply subnormal numbers in microcode)."""
    import numpy as np
    from onnx import TensorProto, numpy_helper

    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT:
            continue
        weights = numpy_helper.to_array(tensor)
        tiny = (np.abs(weights) < 1e-30) & (weights != 0)
        if tiny.any():
            tensor.CopyFrom(
                numpy_helper.from_array(np.where(tiny, 0, weights).astype(np.float32), tensor.name)
            )


def _kept(names: list[str]) -> list[int]:
    """Classes that stay: blank (0), the allowed characters, and the space at the end."""
    allowed = set(hanzi.standard()) | {chr(code) for code in range(33, 127)} | set(PUNCTUATION)
    return [0, *(index + 1 for index, name in enumerate(names) if name in allowed), len(names) + 1]


def _write_config(target: Path, name: str, operations: list[dict[str, Any]], finish: dict[str, Any]) -> None:
    # JSON is YAML, so that no YAML writer is needed.
    decode = {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}}
    config = {
        "Global": {"model_name": name},
        "PreProcess": {"transform_ops": [decode, *operations]},
        "PostProcess": finish,
    }
    (target / "inference.yml").write_text(json.dumps(config, ensure_ascii=False), encoding="utf-8")
