"""JS-SDK: what a page shows to WeChat's browser before it may use an open tag (wechat.md)."""

import hashlib

import msgspec


class PageConfig(msgspec.Struct, frozen=True):
    """What `wx.config` takes for one page: it counts for this address only, as long as the ticket lives."""

    app_id: str
    timestamp: str
    nonce: str
    signature: str


def signature(ticket: str, nonce: str, timestamp: str, url: str) -> str:
    """SHA-1 over the four, in this order. The word is `noncestr` here and `nonceStr` in the page; of the address
    everything but the part after # is signed."""
    address = url.partition("#")[0]
    signed = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={address}"
    return hashlib.sha1(signed.encode(), usedforsecurity=False).hexdigest()
