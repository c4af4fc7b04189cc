"""Full text of a consent, one tap away (D3-01)."""

from litestar import get
from litestar.params import FromPath

from backend.core.errors import NotFound
from backend.domains.customers import consents as consent_centre
from backend.domains.customers.consent_texts import Purpose
from backend.web import customer
from backend.web.http import Request, Response
from h5.customer import views
from h5.customer.display import local


class TextGone(NotFound):
    code = "consent_text_gone"
    message = "这一版授权书已经换了，请退回上一页刷新，看新的内容"


@get("/consents/{key:str}/{version:str}")
async def show(request: Request, key: FromPath[str], version: FromPath[str]) -> Response:
    here = await customer.anywhere(request)
    if key not in set(Purpose) or not here.institution.id:
        raise TextGone()
    async with here.context.db.read(here.actor) as tx:
        text = await consent_centre.text(tx, Purpose(key))
    if version != str(text.version):
        raise TextGone()
    view = views.ConsentText(
        title=text.title,
        recipient=text.recipient_name,
        version=version,
        effective_on=text.effective_on,
        text_hash=text.sha256,
        sections=text.sections,
        back_url=local(request.query_params.get("back", "/apply/phone")),
    )
    return here.show("customer/consents/_text.html" if here.is_part else "customer/consents/show.html", view)
