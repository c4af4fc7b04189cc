"""The account's menu as code (A11-04): three buttons of at most five, keys are the topics of bot/dispatch.py."""

from typing import Any

from backend.settings import Settings


def menu(settings: Settings) -> dict[str, Any]:
    """As the platform takes it; names hold at most 16 bytes on top and 60 below."""
    base = settings.public_base.rstrip("/")
    return {
        "button": [
            {
                "name": "我要借款",
                "sub_button": [_topic("看产品", "products"), _page("找回我的申请", f"{base}/resume")],
            },
            {
                "name": "我的",
                "sub_button": [
                    _topic("进度", "progress"),
                    _topic("额度", "limit"),
                    _topic("还款", "repayment"),
                ],
            },
            {
                "name": "帮助",
                "sub_button": [
                    _topic("客户经理", "officer"),
                    _topic("人工", "human"),
                    _topic("投诉", "complaint"),
                    _page("有人收费", f"{base}/report"),
                    _topic("怎么用", "help"),
                ],
            },
        ]
    }


def _topic(name: str, key: str) -> dict[str, str]:
    return {"type": "click", "name": name, "key": key}


def _page(name: str, url: str) -> dict[str, str]:
    return {"type": "view", "name": name, "url": url}
