"""Routes of this door: the official account, and who holds the phone."""

from litestar import Router

from bot import binding, oauth, webhook

router = Router(
    path="/",
    route_handlers=[
        webhook.verify,
        webhook.receive,
        oauth.start,
        oauth.callback,
        binding.show,
        binding.send,
        binding.submit,
    ],
)
