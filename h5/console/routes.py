"""Routes of this door, the way in for all staff included. Every handler says which roles may use it."""

from backend.web import staff
from h5.console import (
    capsules,
    cases,
    dead_letters,
    home,
    lists,
    officers,
    rechecks,
    relations,
    sign_in,
    support,
    tickets,
)

router = staff.router(
    [
        sign_in.show,
        sign_in.start,
        sign_in.confirm,
        sign_in.come_back,
        sign_in.leave,
        home.show,
        home.county,
        cases.show,
        cases.answer,
        cases.give_back,
        capsules.download,
        rechecks.show,
        rechecks.answer,
        rechecks.settle,
        tickets.show,
        tickets.answer,
        tickets.phone,
        tickets.report,
        tickets.answer_report,
        dead_letters.show,
        dead_letters.send_again,
        support.show,
        support.find,
        officers.show_all,
        officers.show,
        officers.revoke,
        relations.show,
        relations.take,
        relations.answer,
        lists.show,
        lists.propose,
        lists.check,
        lists.end,
    ]
)
