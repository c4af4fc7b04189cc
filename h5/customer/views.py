"""What each customer page needs to be drawn. A template says at its top which of these it takes.

Amounts are integer fen, rates `Decimal` per year (0.0615), dates dates, moments aware datetimes: the
templates' filters turn them into words. Wording lives in the templates; a string here is either the
bank's own data (product, officer, consent text) or a sentence a domain already composed (quality advice,
reason, error of a field).
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from backend.flows.invite_notice import Moment


class Officer(Struct, frozen=True):
    """The person behind a 责任码 (N1). `authorised_until` is the last day the authority holds."""

    name: str
    staff_no: str
    branch: str
    authorised_until: date
    phone: str = ""


class Landing(Struct, frozen=True):
    """The offer behind a code or a product address (D2-10: the rate stands as large as any figure).

    `code` is the scanned token, empty when the page was opened without one; then `officer` is None.
    `unfinished_url` is set when this phone has an application of this product that can be gone on with.
    `report_url` carries the code, so that a report names the officer. Without `online` the product is shown and
    dealt with at the branch. `guarantors` is how many must have confirmed before anything is signed (A8-12).
    """

    product_name: str
    institution_id: str
    product_code: str
    limit_max_fen: int
    annual_rate_min: Decimal
    annual_rate_max: Decimal
    all_in_min: Decimal
    all_in_max: Decimal
    term_months_max: int
    repayment: str
    report_url: str
    online: bool = True
    code: str = ""
    officer: Officer | None = None
    other_fees: str = "无"
    unfinished_url: str = ""
    guarantors: int = 0


class Link(Struct, frozen=True):
    """Somewhere to go."""

    label: str
    url: str


class County(Struct, frozen=True):
    """A county, what its bank offers online and at the branch, and demo codes (none in production)."""

    name: str
    institution_name: str
    products: tuple[Link, ...]
    codes: tuple[Link, ...] = ()
    at_branch: tuple[Link, ...] = ()


class Entry(Struct, frozen=True):
    """The front door: choose the county one lives in (D1-12)."""

    counties: tuple[County, ...]


class ClosedCode(Struct, frozen=True):
    """A code that must not be used: 'expired', 'revoked', 'forged' (bad signature) or 'frozen' (N15).

    `why` is what staff wrote for whoever scans a revoked one.
    """

    state: Literal["expired", "revoked", "forged", "frozen"]
    report_url: str
    official_url: str = ""
    expired_on: date | None = None
    why: str = ""


class Side(Struct, frozen=True):
    """One side of the ID card. `advice` is the sentence that says how to take a better photograph."""

    state: Literal["empty", "read", "retake"] = "empty"
    advice: str = ""


class IdField(Struct, frozen=True):
    """A field read from the card. `doubt` says what is unclear ("“垸”字看不太清"); empty when sure.

    `unclear` are the characters of `value` to mark. `editable` False: follows from another field
    (sex and birth from the number).
    """

    name: str
    label: str
    value: str
    doubt: str = ""
    unclear: str = ""
    editable: bool = True
    error: str = ""


class Identity(Struct, frozen=True):
    """Both sides, and once both are read the fields to confirm."""

    front: Side = Side()
    back: Side = Side()
    fields: tuple[IdField, ...] = ()
    error: str = ""


class Consent(Struct, frozen=True):
    """One purpose and one recipient (D3-02). `ticked` is True only when the person's own tick is shown
    again after an error elsewhere on the page, never at first (D4-05)."""

    key: str
    purpose: str
    recipient: str
    summary: str
    version: str
    required: bool = True
    ticked: bool = False
    error: str = ""


class SmsCode(Struct, frozen=True):
    """State of the SMS code under a phone number. `error` e.g. 验证码不对，还可以再试 3 次.

    `too_soon`: another was asked for within the minute, and nothing was sent."""

    sent: bool = False
    sent_to: str = ""
    resend_seconds: int = 0
    error: str = ""
    too_soon: bool = False


class Phone(Struct, frozen=True):
    """Phone, code and consents: one screen, one main button."""

    consents: tuple[Consent, ...]
    sms: SmsCode = SmsCode()
    phone: str = ""
    phone_error: str = ""


class ConsentText(Struct, frozen=True):
    """Full text of one version of a consent. `sections` are (heading, paragraphs)."""

    title: str
    recipient: str
    version: str
    effective_on: date
    text_hash: str
    sections: tuple[tuple[str, tuple[str, ...]], ...]
    back_url: str


class Liveness(Struct, frozen=True):
    """Hand-over to the liveness provider. `advice` explains a failed try; 'down' when it cannot be reached."""

    provider: str
    consent: Consent
    state: Literal["start", "failed", "down"] = "start"
    advice: str = ""


class OtherWay(Struct, frozen=True):
    """Identity without the face (D3-13): at the branch with the card, or the officer comes. `unconsented`: asked for
    instead of the consents online (D3-01); the whole application is made there."""

    branch: str
    branch_address: str
    branch_hours: str
    officer: Officer | None = None
    unconsented: bool = False


class AtBranch(Struct, frozen=True):
    """Noted that the person comes to the branch; nothing was consented to online."""

    branch: str
    branch_address: str
    branch_hours: str
    ticket_no: str


class Renewal(Struct, frozen=True):
    """Consents to be given again before a draft that lay for long can be handed in (D3-09)."""

    consents: tuple[Consent, ...]


class Choice(Struct, frozen=True):
    """One thing to pick. `note` is a second, smaller line."""

    value: str
    label: str
    note: str = ""


class Details(Struct, frozen=True):
    """Purpose, income, village, amount. `chosen` maps field name to the value to show as picked."""

    purposes: tuple[Choice, ...]
    incomes: tuple[Choice, ...]
    villages: tuple[Choice, ...]
    amounts: tuple[Choice, ...]
    limit_max_fen: int
    chosen: dict[str, str] = {}
    errors: dict[str, str] = {}


class Step(Struct, frozen=True):
    """One mark on a line of steps. `at` when it happened, `note` a short remark."""

    label: str
    state: Literal["done", "now", "ahead", "stopped"]
    at: datetime | None = None
    note: str = ""


class Reason(Struct, frozen=True):
    """Why the result is as it is, in the customer's words."""

    text: str
    effect: Literal["plus", "minus"]


class Instalment(Struct, frozen=True):
    """One line of the schedule."""

    due_on: date
    principal_fen: int
    interest_fen: int


class Offer(Struct, frozen=True):
    """The approved line, to be signed until `valid_until` and used until `line_until`. `example_*`: what borrowing
    10,000 yuan for 30 days costs."""

    limit_fen: int
    annual_rate: Decimal
    all_in_cost: Decimal
    term_months: int
    repayment: str
    valid_until: date
    line_until: date
    example_principal_fen: int
    example_days: int
    example_interest_fen: int
    schedule: tuple[Instalment, ...] = ()


class Review(Struct, frozen=True):
    """A human review the customer asked for (D3-03). `answer` is set once it is given."""

    asked_at: datetime
    answer_by: date
    answer: str = ""


Status = Literal[
    "submitted", "deciding", "held", "referred", "approved", "declined", "handed_off", "signed", "drawn", "repaid",
    "expired", "cancelled", "abandoned",
]  # fmt: skip


class Result(Struct, frozen=True):
    """The page of one application, from the moment it is submitted to the day it is repaid.

    `steps` while deciding are the checks under way, later the story of the application. `promise_at`: the
    latest moment for an answer (held, referred). `retry_on`: when a declined customer may apply again.
    `advice`: what would raise the limit or the chance; `nearest`: the one nearest thing to do, tried out (N5).
    `drawdown`: why the last drawdown at the bank did not go through. `reusable`: repaid, and the line stands.
    `goes_on`: the number of the application a cancelled one was decided anew as.
    `moment`: what the next notice is about; `asks_notice`: the page asks WeChat's user to allow it.
    """

    application_no: str
    status: Status
    product_name: str
    asked_fen: int
    steps: tuple[Step, ...]
    submitted_at: datetime | None = None
    offer: Offer | None = None
    reasons: tuple[Reason, ...] = ()
    advice: str = ""
    nearest: str = ""
    promise_at: datetime | None = None
    retry_on: date | None = None
    review: Review | None = None
    officer: Officer | None = None
    waiting_for: str = ""
    drawdown: str = ""
    goes_on: str = ""
    product_url: str = "/"
    reusable: bool = False
    moment: Moment = ""
    asks_notice: bool = False
    guarantors_missing: int = 0


class CostItem(Struct, frozen=True):
    """A row of the 明示表: item, how and by what measure it is charged, and who collects it."""

    item: str
    method: str
    standard: str
    collected_by: str
    amount_fen: int | None = None


class Disclosure(Struct, frozen=True):
    """综合融资成本明示表 (D2-09, 金规〔2026〕2号).

    `shown_token` proves to the server when the table was first shown; `wait_seconds` is how long is left
    of the forced reading time now (0: may confirm). `early` is True after a confirm that came too soon.
    """

    application_no: str
    product_name: str
    borrower: str
    lender: str
    principal_fen: int
    term_months: int
    repayment: str
    annual_rate: Decimal
    all_in_cost: Decimal
    items: tuple[CostItem, ...]
    contingent: tuple[CostItem, ...]
    version: str
    text_hash: str
    shown_token: str
    wait_seconds: int
    early: bool = False
    confirmed_at: datetime | None = None


class HandOffCode(Struct, frozen=True):
    """A fresh way into the mobile bank on another phone. `link` is what the QR holds."""

    link: str
    short_code: str
    valid_until: datetime
    valid_seconds: int


class HandOff(Struct, frozen=True):
    """The offer waits in the mobile bank (A3-10), or once `signed` is used and repaid there. `code`: when asked for."""

    application_no: str
    limit_fen: int
    annual_rate: Decimal
    valid_until: date
    bank_app: str
    signed: bool = False
    code: HandOffCode | None = None


class ReviewRequest(Struct, frozen=True):
    """Form by which a person is asked to look at the decision (D3-03)."""

    application_no: str
    grounds: tuple[Choice, ...]
    answer_days: int
    chosen: str = ""
    said: str = ""
    errors: dict[str, str] = {}


class Resume(Struct, frozen=True):
    """Back to an application from another day or phone."""

    sms: SmsCode = SmsCode()
    phone: str = ""
    phone_error: str = ""


class Report(Struct, frozen=True):
    """有人向您收费吗 (N15). `kinds` are what may have happened."""

    kinds: tuple[Choice, ...]
    officer: Officer | None = None
    code: str = ""
    chosen: str = ""
    said: str = ""
    errors: dict[str, str] = {}


class Reported(Struct, frozen=True):
    """Receipt for a report."""

    ticket_no: str
    answer_by: date


class UnderAge(Struct, frozen=True):
    """Not yet 18; nothing was stored (D6-02). `child`: a guardian speaks for them (D3-05)."""

    adult_on: date
    child: bool = False


class ExpiredCard(Struct, frozen=True):
    """The card ran out; what was filled in is kept until `kept_until`."""

    expired_on: date
    kept_until: date


class ContradictingCard(Struct, frozen=True):
    """The two sides, or the number and the print, do not belong together. `what` says which."""

    what: str


class Elsewhere(Struct, frozen=True):
    """The customer lives in another county of the union (D1-12): `url` is that institution's landing."""

    county: str
    institution_name: str
    url: str


class Outside(Struct, frozen=True):
    """The customer lives in no county that works online (D1-12). `counties` are those that do."""

    counties: str


class NotYours(Struct, frozen=True):
    """The link of somebody else's application, or of none. `own_url` is this browser's own, or empty."""

    own_url: str


class ProductEnded(Struct, frozen=True):
    """The product was taken off the counter meanwhile."""


class OpenElsewhere(Struct, frozen=True):
    """An application of this person is under way at another county's bank."""

    county: str
    institution_name: str


class GivenUp(Struct, frozen=True):
    """A draft was given up by its owner; `url` is the product's landing."""

    url: str


class OfferExpired(Struct, frozen=True):
    """Nobody signed in time; `url` is the product's landing."""

    valid_until: date
    url: str


class OpenApplication(Struct, frozen=True):
    """An application of this person is already under way."""

    application_no: str
    product_name: str
    submitted_at: datetime | None
    url: str


class OthersPhone(Struct, frozen=True):
    """The phone number is bound to another person here. `phone` is masked."""

    phone: str


class Student(Struct, frozen=True):
    """Students in full-time education are not lent to online (D1 rows): say so, name the other ways."""

    institution_phone: str
