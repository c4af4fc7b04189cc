"""Routes of this door. Every handler says which roles may use it."""

from backend.web import staff
from h5.studio import calls, codes, home, leads

router = staff.router(
    [
        home.show,
        home.inquiry,
        home.answer,
        calls.show,
        calls.phone,
        calls.answer,
        codes.show_all,
        codes.show,
        codes.choose,
        codes.poster,
        codes.picture,
        codes.save,
        leads.show_all,
        leads.show,
        leads.phone,
    ]
)
