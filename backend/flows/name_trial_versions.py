"""What a trial's words mean: a version of a strategy by number or id, a registered model, files (A3-33)."""

import re

import msgspec

from backend.core import ids
from backend.core.errors import Invalid, NotFound
from backend.db.database import Tx
from backend.domains.decision.model import DECIDING, Stage
from backend.domains.models import service as models
from backend.domains.models.model import Model
from backend.domains.strategies import service as strategies
from backend.domains.strategies.model import ALL_PRODUCTS, STAGES, UNION, Version
from backend.domains.trials.model import ModelNotTried, StageNotTried
from backend.domains.trials.strategy_file import Partial

_NAMED = re.compile(r"(?:(?P<product>[A-Za-z0-9_.*-]+)/)?(?P<stage>[^:：/]+)[:：](?P<number>[1-9]\d{0,5})")


class Versions(msgspec.Struct, frozen=True, kw_only=True):
    """What is live, with some parts replaced. `strategy`: a version's id, or `limit:3`, `定额:3`, `SXD/limit:3`;
    `model`: a registered model's id or name, '' for those that decide; `files` read already."""

    label: str = "在用的版本"
    strategy: str = ""
    model: str = ""
    files: Partial = Partial()

    @property
    def live(self) -> bool:
        """Nothing is replaced."""
        return not self.strategy and not self.model and self.files == Partial()


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """The same, found."""

    label: str
    version: Version | None
    model: Model | None
    files: Partial


class VersionUnknown(NotFound):
    code = "trial_version_unknown"
    message = "没有找到策略版本“{name}”"


class VersionUnclear(Invalid):
    code = "trial_version_unclear"
    message = (
        "“{name}”看不出是哪一条策略的哪一版：写成 limit:3（定额第 3 版）、SXD/limit:3（只管一个产品的），"
        "或版本页地址里的编号"
    )


class ModelUnclear(Invalid):
    code = "trial_model_unclear"
    message = "叫“{name}”的模型登记了 {count} 个，请写它的编号"


class ModelUnknown(NotFound):
    code = "trial_model_unknown"
    message = "模型登记里没有“{name}”"


async def name_trial_versions(tx: Tx, wanted: Versions) -> Named:
    """Raises `VersionUnknown`, `VersionUnclear`, `StageNotTried`, `ModelUnknown`, `ModelUnclear`, `ModelNotTried`."""
    version = await _version(tx, wanted.strategy) if wanted.strategy else None
    model = await _model(tx, wanted.model) if wanted.model else None
    if version is not None and version.stage not in (*DECIDING, Stage.EARLY_WARNING):
        raise StageNotTried(stage=STAGES.get(version.stage, version.stage))
    if model is not None and not model.decides:
        raise ModelNotTried()
    label = wanted.label if version is None else _label(version)
    if model is not None:
        named = f"模型 {model.name}"
        label = named if version is None and wanted.files == Partial() else f"{label} + {named}"
    return Named(label=label, version=version, model=model, files=wanted.files)


def _label(version: Version) -> str:
    whose = "省联社" if version.institution_id == UNION else "本县"
    product = "" if version.product_code == ALL_PRODUCTS else f"（{version.product_code}）"
    return f"{whose}{version.label}{product}"


async def _version(tx: Tx, name: str) -> Version:
    if ids.is_uuid(name):
        try:
            return await strategies.get(tx, name)
        except NotFound as missing:
            raise VersionUnknown(name=name) from missing
    found = _NAMED.fullmatch(name)
    stage = next((s for s, word in STAGES.items() if found and found["stage"] in (s, word)), None)
    if found is None or stage is None:
        raise VersionUnclear(name=name)
    for owner in dict.fromkeys((strategies.owner_of(tx.actor), UNION)):
        for version in await strategies.history(tx, owner, found["product"] or ALL_PRODUCTS, Stage(stage)):
            if version.number == int(found["number"]):
                return version
    raise VersionUnknown(name=name)


async def _model(tx: Tx, name: str) -> Model:
    found = [each for each in await models.all_models(tx) if name in (each.id, each.name)]
    if not found:
        raise ModelUnknown(name=name)
    if len(found) > 1:
        raise ModelUnclear(name=name, count=len(found))
    return found[0]
