"""线下调查 (survey): what an officer sees at a customer's home, and the form it is written down in (A6-20, A7-04)."""

from datetime import date, datetime

import msgspec

from backend.core.errors import Conflict, Invalid, NotFound
from backend.core.lifecycle import Lifecycle

SURVEY = Lifecycle(
    "survey",
    {"draft": "正在填", "submitted": "等第二人确认", "returned": "退回补充", "confirmed": "已确认"},
    {"draft": ("submitted",), "submitted": ("confirmed", "returned"), "returned": ("submitted",)},
)
EDITABLE = ("draft", "returned")

MOST_PHOTOS = 12
FEWEST_PHOTOS = 3
"""What the feature `survey_reliable` asks for; fewer cannot be handed in."""

OLDEST_VISIT_DAYS = 30

PLACES = {"home": "住所", "business": "经营地", "field": "地头或圈舍"}
MET = {"self": "本人", "family": "家人"}
REPUTATIONS = {"unknown": "问不到", "bad": "差", "ordinary": "一般", "good": "好"}

YUAN = {
    "annual_income": "家庭年收入",
    "annual_cost": "家庭年支出",
    "stock": "存货和牲畜值多少",
    "equipment": "农机设备值多少",
    "bank_debt": "欠各家银行多少",
    "private_debt": "欠亲友、民间多少",
}
COUNTS = {"household_members": ("家里几口人", 1, 20), "land_mu": ("种了多少亩", 0, 100_000)}
CHOICES = {"place": PLACES, "met": MET, "reputation": REPUTATIONS}
FIELDS = ("visited_on", *CHOICES, "village", *COUNTS, *YUAN, "said", "location_agreed", "location")
"""Names of the form, in its order."""


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """A form that can be used. Amounts in fen, `village` as "town village", `location` as "纬度,经度 ±米" or ''."""

    visited_on: date
    place: str
    met: str
    reputation: str
    village: str
    household_members: int
    land_mu: int
    annual_income: int
    annual_cost: int
    stock: int
    equipment: int
    bank_debt: int
    private_debt: int
    said: str
    location: str


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """`form` holds the fields as they were typed, also what cannot be used yet; `photos` counts them."""

    id: str
    application_id: str
    customer_id: str
    officer_id: str
    status: str
    form: dict[str, str]
    consent_id: str | None
    visited_on: date | None
    begun_at: datetime
    saved_at: datetime
    submitted_at: datetime | None
    checked_by: str | None
    checked_at: datetime | None
    in_place: bool | None
    checker_said: str
    photos: int

    @property
    def label(self) -> str:
        return SURVEY.labels[self.status]

    @property
    def editable(self) -> bool:
        return self.status in EDITABLE


class Photo(msgspec.Struct, frozen=True, kw_only=True):
    """`archived` is the archive's id of the picture once our copy is gone."""

    id: str
    survey_id: str
    sha256: bytes
    taken_at: datetime
    archived: str | None


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What is known elsewhere about the same things; None where nobody says anything. `income` is the declared band
    (lowest, highest; the highest None for the open one), amounts in fen."""

    villages: tuple[str, ...] = ()
    income: tuple[int, int | None] | None = None
    inflow: int | None = None
    household_members: int | None = None
    bank_debt: int | None = None


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison. `told` is empty where who reads the page may not know the figure, only how it compares."""

    label: str
    seen: str
    told: str
    source: str
    differs: bool


class SurveyMissing(NotFound):
    code = "survey_missing"
    message = "没有找到这份调查"


class SurveyClosed(Conflict):
    code = "survey_closed"
    message = "这份调查{label}，不能再改"


class SurveyRefused(Invalid):
    code = "survey_refused"
    message = "还有 {count} 项要填或要改，填过的都留着"


class OwnSurvey(Invalid):
    code = "own_survey"
    message = "自己做的调查要由另一个人确认"


class TooManyPhotos(Invalid):
    code = "too_many_photos"
    message = "最多 12 张照片，先删掉一张再拍"


class NotAgreed(Conflict):
    """No consent of the customer that covers a visit's notes."""

    code = "survey_not_agreed"
    message = "客户还没有同意处理个人信息，先请客户在手机上完成授权，再上门调查"
