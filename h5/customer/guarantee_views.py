"""What each page of guarantors needs to be drawn: the borrower's, and the guarantor's own. As `views`."""

from datetime import date, datetime
from decimal import Decimal

from msgspec import Struct

from backend.domains.guarantees.terms import Terms
from h5.customer import views


class Asked(Struct, frozen=True):
    """Somebody the borrower asked. `name` is masked and known only once confirmed; `link` while it may be passed on."""

    id: str
    state: str
    label: str
    asked_at: datetime
    expires_at: datetime
    name: str = ""
    link: str = ""
    share: str = ""


class Guarantors(Struct, frozen=True):
    """The borrower's page. `missing` more must confirm; `may_ask` while a further link may be made."""

    application_no: str
    wanted: int
    missing: int
    may_ask: bool
    asked: tuple[Asked, ...]
    consent: views.Consent


class Ask(Struct, frozen=True, kw_only=True):
    """What a link says before anything is agreed to. `own`: it is the borrower's browser that opened it."""

    borrower: str
    lender: str
    product_name: str
    amount_fen: int
    months: int
    line_until: date
    until_on: date
    annual_rate: Decimal
    expires_at: datetime
    path: str
    own: bool = False


class Identity(views.Identity, frozen=True):
    """As an applicant's, at addresses of its own."""

    base: str = "/guarantee/identity"


class Promise(Struct, frozen=True, kw_only=True):
    """The words to be confirmed. `shown_token`, `wait_seconds` and `early` as in `views.Disclosure`."""

    borrower: str
    amount_fen: int
    months: int
    until_on: date
    title: str
    sections: tuple[tuple[str, tuple[str, ...]], ...]
    version: int
    text_hash: str
    shown_token: str
    wait_seconds: int
    early: bool = False
    error: str = ""


class Ended(Struct, frozen=True):
    """How it ended. `why` is told to the guarantor alone; `copy` is what was promised, word for word, `paper` the
    address of it to keep."""

    status: str
    why: str = ""
    until_on: date | None = None
    confirmed_at: datetime | None = None
    copy: Terms | None = None
    paper: str = ""


class OtherWay(Struct, frozen=True):
    """Without the face: at the branch (D3-13)."""

    branch: str
    branch_address: str
    branch_hours: str
