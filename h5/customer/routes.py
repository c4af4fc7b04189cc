"""Routes of this door. Every POST carries its cross-site token."""

from litestar import Router

from backend.web import customer
from h5.customer import consents, details, display, entry, identity, landing, liveness, phone, resume

router = Router(
    path="/",
    before_request=customer.csrf,
    exception_handlers=customer.HANDLERS,  # type: ignore[arg-type]
    route_handlers=[
        entry.show,
        landing.scan,
        landing.show,
        landing.start,
        display.choose,
        identity.show,
        identity.front,
        identity.back,
        identity.confirm,
        phone.show,
        phone.send,
        phone.submit,
        consents.show,
        liveness.show,
        liveness.start,
        liveness.come_back,
        liveness.other_way,
        liveness.choose_other_way_,
        details.show,
        details.save,
        details.submit,
        resume.show,
        resume.send,
        resume.submit,
    ],
)
