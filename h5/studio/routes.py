"""Routes of this door. Every handler says which roles may use it."""

from backend.web import staff
from h5.studio import calls, codes, collections, home, invitations, leads, post_loan, surveys, to_do

router = staff.router(
    [
        home.show,
        home.inquiry,
        home.answer,
        to_do.show_all,
        calls.show,
        calls.phone,
        calls.answer,
        post_loan.drawdown,
        post_loan.answer_held,
        post_loan.warning,
        post_loan.answer_warned,
        collections.show,
        collections.contact,
        collections.record,
        codes.show_all,
        codes.show,
        codes.choose,
        codes.poster,
        codes.picture,
        codes.save,
        leads.show_all,
        leads.find,
        leads.show,
        leads.reveal,
        invitations.show,
        invitations.note,
        surveys.show_all,
        surveys.begin,
        surveys.show,
        surveys.save,
        surveys.photograph,
        surveys.remove,
        surveys.picture,
        surveys.check,
    ]
)
