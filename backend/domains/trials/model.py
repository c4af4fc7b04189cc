"""A trial run (回测) and what it measured. Amounts are fen, rates basis points, losses fen."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

import msgspec

from backend.core import errors
from backend.core.lifecycle import Lifecycle

RUN = Lifecycle(
    "trial",
    {
        "waiting": "等待开始",
        "running": "正在试算",
        "done": "完成",
        "cancelled": "已停止",
        "failed": "没有做完",
    },
    {"waiting": ("running", "cancelled"), "running": ("done", "cancelled", "failed")},
)
Kind = Literal["county", "history"]
SIDES: dict[str, str] = {
    "draft": "试算的版本",
    "base": "对照的版本",
    "swap_in": "新增通过",
    "swap_out": "不再通过",
}
GROUPINGS: dict[str, str] = {
    "all": "全部",
    "county": "县",
    "product": "产品",
    "month": "申请的月份",
    "age_band": "年龄段",
    "sex": "性别",
    "occupation": "职业",
    "education": "文化程度",
    "town": "乡镇",
    "village": "村",
    "grade": "评级",
    "reason": "未通过的第一条原因",
    "action": "预警动作",
}
LGD_BP = 4_500
"""Share of an approved amount lost when a customer defaults: 45 %, an assumption shown with every figure."""


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a bundle is built from, as canonical JSON texts (sub-flows and named models by hash); what a trial
    keeps and sends to its processes."""

    strategies: dict[str, str]
    card: str
    catalogue: str
    flows: dict[str, str] = {}
    models: dict[str, str] = {}
    overlays: dict[str, str] = {}  # a county's layer by stage
    price_band: tuple[int, int] | None = None


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What decides on one side, by place (see `place`): each county has its own layer, each product its own versions,
    and most of them are the same texts, which are kept once. `recipes` hold keys of `texts` where a recipe holds
    texts."""

    texts: dict[str, str]
    recipes: list[Recipe]
    places: dict[str, int]

    def number_at(self, institution: str, product: str) -> int:
        """The recipe of a product in an institution ('': the practice county); of all its products; of all."""
        names = (place(institution, product), place(institution, "*"), "")
        return next((self.places[name] for name in names if name in self.places), 0)

    def recipe(self, number: int) -> Recipe:
        return _each_text(self.recipes[number], self.texts.__getitem__)


def rules_of(found: dict[str, Recipe]) -> Rules:
    """`found` by place; the first one also decides where none is named."""
    texts: dict[str, str] = {}

    def kept(text: str) -> str:
        key = hashlib.sha256(text.encode()).hexdigest()
        texts[key] = text
        return key

    recipes: list[Recipe] = []
    places: dict[str, int] = {}
    for name, recipe in found.items():
        short = _each_text(recipe, kept)
        if short not in recipes:
            recipes.append(short)
        places[name] = recipes.index(short)
    return Rules(texts=texts, recipes=recipes, places=places)


def place(institution: str, product: str) -> str:
    """`4101/SXD`; `/SXD` in a practice county."""
    return f"{institution}/{product}"


def _each_text(recipe: Recipe, change: Callable[[str], str]) -> Recipe:
    return Recipe(
        strategies={stage: change(text) for stage, text in recipe.strategies.items()},
        card=change(recipe.card),
        catalogue=change(recipe.catalogue),
        flows={key: change(text) for key, text in recipe.flows.items()},
        models={key: change(text) for key, text in recipe.models.items()},
        overlays={stage: change(text) for stage, text in recipe.overlays.items()},
        price_band=recipe.price_band,
    )


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """A product an applicant may choose: `facts` of every case, `terms` the further ones by months."""

    code: str
    purposes: tuple[str, ...]
    facts: dict[str, Any]
    terms: dict[int, dict[str, Any]]


class Shelf(msgspec.Struct, frozen=True, kw_only=True):
    """What stands around a case of a practice county: products in order of choice, rules in force."""

    products: list[Offered]
    regulation: dict[str, Any]
    forbidden_purposes: tuple[str, ...]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is tried on what. `stage` '' for a decision, else early_warning; `shelf` for decisions of a county; `base`
    None: none, or of a history the stored decisions. `share`: of a history this part of 65536, drawn by id."""

    draft: Rules
    base: Rules | None = None
    share: int = 65_536
    shelf: Shelf | None = None
    stage: str = ""
    lgd_bp: int = LGD_BP


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One trial. `county` the practice county's digits, '' for a history; `institutions` whose history, none for all
    that the trial's own may read. `strategy_id` and
    `model_id` the registered versions tried, where they are such. `cursor` where the next step begins."""

    id: str
    institution_id: str
    kind: Kind
    stage: str
    status: str
    strategy: str
    against: str
    strategy_id: str | None
    model_id: str | None
    county: str
    county_name: str
    institutions: list[str]
    cases_total: int
    cases_done: int
    cursor: str
    cancel_asked: bool
    pairs: int
    pairs_differing: int
    worst_gap_bp: int
    error: str
    asked_by: str
    asked_at: datetime
    ended_at: datetime | None

    @property
    def partial(self) -> bool:
        """Ended before the last case: its figures are of `cases_done` cases only."""
        return self.status in RUN.final and self.cases_done < self.cases_total


def _bp(part: int, whole: int) -> int:
    """A share in hundredths of a percent, to the nearest, half up: two sides are subtracted from each other."""
    return (part * 20_000 + whole) // (2 * whole)


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over the cases of one group on one side. `rate_amount` is the sum of amount × rate, `matured` the
    approved cases whose end is known, `bad` those of them that defaulted; `*_mark` the sums of a number each case has,
    by which the same people are known as the same. `fewest`: not 0 where real customers stand behind the figures and
    these are rounded (`small_cells.py`); a count of 0 then is one of fewer than that."""

    grouping: str
    member: str
    side: str
    cases: int
    approved: int
    referred: int
    declined: int
    amount_fen: int
    rate_amount: int
    loss_fen: int
    matured: int
    bad: int
    approved_mark: int = 0
    referred_mark: int = 0
    declined_mark: int = 0
    fewest: int = 0

    @property
    def approval_bp(self) -> int | None:
        if self.fewest and not self.approved:
            return None
        return _bp(self.approved, self.cases) if self.cases else 0

    @property
    def mean_amount_fen(self) -> int:
        return self.amount_fen // self.approved if self.approved else 0

    @property
    def mean_rate_bp(self) -> int:
        """Weighted by amount."""
        return round(self.rate_amount / self.amount_fen) if self.amount_fen else 0

    @property
    def loss_bp(self) -> int:
        """Expected loss per amount approved."""
        return _bp(self.loss_fen, self.amount_fen) if self.amount_fen else 0

    @property
    def bad_bp(self) -> int | None:
        return _bp(self.bad, self.matured) if self.matured else None


MARKS = ("approved_mark", "referred_mark", "declined_mark")
SUMS = (
    "cases",
    "approved",
    "referred",
    "declined",
    "amount_fen",
    "rate_amount",
    "loss_fen",
    "matured",
    "bad",
    *MARKS,
)
"""What adds up in `Measured`."""


class Alarms(msgspec.Struct, frozen=True, kw_only=True):
    """A group of a trial of early warning: alarms (any action), those a default came after, defaults without one."""

    cases: int
    alarms: int
    right: int
    missed: int

    @property
    def false_alarm_bp(self) -> int | None:
        return _bp(self.alarms - self.right, self.alarms) if self.alarms else None

    @property
    def caught_bp(self) -> int | None:
        """Share of all defaults that an alarm came before."""
        defaults = self.right + self.missed
        return _bp(self.right, defaults) if defaults else None


class TrialNotFound(errors.NotFound):
    code = "trial_not_found"
    message = "没有找到这次试算"


class CountyNotLoaded(errors.NotFound):
    code = "practice_county_missing"
    message = "没有叫“{name}”的演练县，先用 ./xiaodai seed --county 造一个"


class NothingToTry(errors.Invalid):
    code = "trial_without_cases"
    message = "没有可以试算的案例"


class NotOfTheseCases(errors.Invalid):
    code = "trial_version_of_other_cases"
    message = "这一版只管产品 {product}，这些案例里没有归它管的"


class StageNotTried(errors.Invalid):
    code = "trial_stage"
    message = "“{stage}”这一步还不能试算：能试算的是审批的五步和贷后预警"


class WarningsNeedCounty(errors.Invalid):
    code = "trial_warnings_need_county"
    message = "贷后预警只能在演练县上试算"


class ModelNotTried(errors.Invalid):
    code = "trial_model"
    message = "这个模型不能用于审批，只能批量评分，不能放进审批里试算"


class NothingOnOffer(errors.Conflict):
    code = "trial_without_products"
    message = "还没有能在手机上办的产品，试算不了：先运行 ./xiaodai seed"


class TrialOver(errors.Conflict):
    code = "trial_over"
    message = "这次试算已经结束"


class TooManyTrials(errors.Conflict):
    code = "trials_open"
    message = "已经有 {count} 次试算没算完，等一等，或者先停掉一次"


class TooManyToday(errors.Conflict):
    code = "trials_a_day"
    message = "今天已经在真实客户上试算过 {count} 次，到了一天的上限，明天再试；在演练县上试不限次数"


class StrategyUnreadable(errors.Invalid):
    code = "trial_strategy_unreadable"
    message = "这个文件不能当作规则试算：{why}"
