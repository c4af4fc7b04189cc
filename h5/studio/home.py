"""李四的工作室: what my codes brought today, who needs me now, and the way from scan to money (A3-01, A1-04)."""

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core import clock
from backend.core.errors import Invalid
from backend.domains.campaigns import service as campaigns
from backend.domains.campaigns.model import OfficerCard
from backend.domains.reviews import service as reviews
from backend.domains.reviews.model import InquiryMissing
from backend.flows import answer_inquiry
from backend.overview import officer_day
from backend.overview.officer_day import Day, Funnel, ToDo
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.studio import to_do

SHOWN = 8
"""Lines of the first page: what one can do before noon."""
COUNTED = 100
"""So many are looked for here; `to_do` shows all."""


class Home(msgspec.Struct, frozen=True, kw_only=True):
    """`stages` are the funnel: label, count, share of the first in hundredths, share of the stage before. `more` wait
    beyond the list, and `many`: at least so many."""

    card: OfficerCard
    authorised: bool
    day: Day
    to_do: tuple[tuple[ToDo, str], ...]
    more: int
    many: bool
    stages: tuple[tuple[str, int, int, str], ...]
    days: int


class Asked(msgspec.Struct, frozen=True):
    """A reviewer's question before the officer."""

    inquiry_id: str
    asked: str
    title: str
    due_at: object
    text: str = ""
    error: str = ""


@get("/studio", opt=staff.only("officer"))
async def show(request: Request) -> Response:
    here = staff.here(request)
    async with here.context.db.read(here.actor) as tx:
        funnel, waiting = await officer_day.funnel(tx), await officer_day.to_do(tx, COUNTED)
        view = Home(
            card=await campaigns.officer_card(tx, here.person),
            authorised=here.person.authorised(clock.today()),
            day=await officer_day.today(tx),
            to_do=tuple((each, to_do.path_of(each)) for each in waiting[:SHOWN]),
            more=max(0, len(waiting) - SHOWN),
            many=len(waiting) >= COUNTED,
            stages=stages(funnel),
            days=funnel.days,
        )
    return here.show("studio/home/show.html", view)


@get("/studio/inquiries/{inquiry_id:str}", opt=staff.only("officer"))
async def inquiry(request: Request, inquiry_id: FromPath[str]) -> Response:
    here = staff.here(request)
    return here.show("studio/home/inquiry.html", await _asked(here, inquiry_id))


@post("/studio/inquiries/{inquiry_id:str}", opt=staff.only("officer"), fields=("answer",))
async def answer(request: Request, inquiry_id: FromPath[str]) -> Response:
    here, text = staff.here(request), (await forms.texts(request)).get("answer", "")
    try:
        await answer_inquiry.answer_inquiry(here.context, here.actor, inquiry_id, text)
    except Invalid as problem:
        view = await _asked(here, inquiry_id, text, problem.fields["answer"])
        return here.show("studio/home/inquiry.html", view, 422)
    return here.go("/studio")


def stages(funnel: Funnel) -> tuple[tuple[str, int, int, str], ...]:
    """The funnel as bars: a stage may exceed the one before only by people who came without a code."""
    counts = (
        ("扫码", funnel.visitors),
        ("开始填", funnel.begun),
        ("提交", funnel.submitted),
        ("通过", funnel.approved),
        ("用款", funnel.drawn),
    )
    most = max((count for _, count in counts), default=0) or 1
    before = [None, *(count for _, count in counts)]
    return tuple(
        (label, count, count * 100 // most, f"上一步的 {count * 100 // earlier}%" if earlier else "")
        for (label, count), earlier in zip(counts, before, strict=False)
    )


async def _asked(here: Here, inquiry_id: str, text: str = "", error: str = "") -> Asked:
    """Raises `InquiryMissing` for what is not this officer's or not open."""
    async with here.context.db.read(here.actor) as tx:
        owed = {each.inquiry.id: each for each in await reviews.owed(tx, here.person.id)}
        if inquiry_id not in owed:
            raise InquiryMissing()
        title = next(each.title for each in await officer_day.inquiries(tx) if each.key == inquiry_id)
    found = owed[inquiry_id]
    return Asked(inquiry_id, found.inquiry.asked, title, found.due_at, text, error)
