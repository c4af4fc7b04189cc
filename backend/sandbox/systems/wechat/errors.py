"""How WeChat says no: HTTP 200 and an errcode."""

from litestar import Response

from backend.sandbox.world import AnyRequest

MEANINGS = {
    40001: "invalid credential, access_token is invalid or not latest",
    40003: "invalid openid",
    40013: "invalid appid",
    40014: "invalid access_token",
    40016: "invalid button size",
    40018: "invalid button name size",
    40029: "invalid code",
    40037: "invalid template_id",
    40097: "invalid args",
    40125: "invalid appsecret",
    40163: "code been used",
    42001: "access_token expired",
    43004: "require subscribe",
    43101: "user refuse to accept the msg",
    45015: "response out of time limit or subscription is canceled",
    45047: "out of response count limit",
    46003: "menu no exist",
    47003: "argument invalid",
    48001: "api unauthorized",
}


class WeChatError(Exception):
    def __init__(self, errcode: int, detail: str = "") -> None:
        self.errcode = errcode
        self.errmsg = " ".join(filter(None, (MEANINGS.get(errcode, "error"), detail)))
        super().__init__(self.errmsg)


def answered(_: AnyRequest, error: WeChatError) -> Response[dict[str, object]]:
    return Response({"errcode": error.errcode, "errmsg": error.errmsg}, status_code=200)
