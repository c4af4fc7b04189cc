"""The back office: what every system did, and what may go wrong with it."""

from typing import Any

from litestar import get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from backend.sandbox import faults, world
from backend.sandbox.world import AnyRequest, World

# Every system of the sandbox, by the name it has for our clients; its path is the same with hyphens.
NAMES = {
    "wechat": "微信",
    "sms": "短信",
    "identity_check": "联网核查",
    "liveness": "活体检测",
    "credit_bureau": "征信",
    "data_platform": "大数据平台",
    "core_banking": "核心系统",
    "image_archive": "影像平台",
    "mobile_bank": "手机银行",
    "sign_on": "统一认证",
}
FAULTS = {
    "status": "返回错误状态（503）",
    "status_after": "办完才返回错误状态（503）",
    "delay": "答得慢（1 秒）",
    "hang": "一直不答（30 秒）",
    "drop_before": "办之前断线",
    "drop_after": "办完才断线",
    "half_open": "办完后答一半就没声音（30 秒）",
    "duplicate": "同一请求到两次",
    "reorder": "回调乱序",
    "errcode": "微信错误码 45015",
}
WITHOUT_EFFECTS = ("data_platform", "sign_on")
"""They only answer questions: nothing they do is in the ledger, so a count of 0 would look like silence."""

EFFECTS = {
    "identity_queried": "核查身份",
    "sms_sent": "发短信",
    "liveness_started": "开始检测",
    "liveness_result_given": "取走结果",
    "report_queried": "查征信",
    "customer_opened": "建客户",
    "line_opened": "建额度",
    "loan_posted": "放款记账",
    "repayment_posted": "还款记账",
    "image_stored": "存影像",
    "image_fetched": "调阅影像",
    "offer_received": "收到要约",
    "offer_withdrawn": "撤回要约",
    "message_shown": "给客户看消息",
    "offer_signed": "客户签约",
    "offer_drawn": "客户用款",
    "offer_repaid": "客户还款",
    "offer_cancelled": "客户取消",
    "custom_message": "客服消息",
    "template_message": "模板消息",
    "subscription_message": "订阅通知",
    "qr_created": "生成二维码",
    "menu_created": "更新菜单",
}


MOST_TIMES = 1000


@get("/office")
async def show(request: AnyRequest, system: FromQuery[str] = "") -> Template:
    return Template("office.html", context=_context(world.of(request), {"system": system}))


@post("/office/faults")
async def set_fault(request: AnyRequest) -> Redirect | Template:
    """A number of times that is none is answered with the form as it was typed and a sentence (422)."""
    form = {name: str(value).strip() for name, value in (await request.form()).items()}
    kind, times = form.get("fault", ""), _times(form.get("times", ""))
    if times is None:
        error = f"次数要填 1 到 {MOST_TIMES} 的整数"
        context = _context(world.of(request), form, error)
        return Template("office.html", context=context, status_code=422)
    if kind in faults.KINDS and form.get("system") in NAMES:
        world.of(request).faults.set(
            system=form["system"],
            operation=form.get("operation", "") or "*",
            fault=kind,  # type: ignore[arg-type]
            times=times,
            rate=None,
            args={"errcode": 45015} if kind == "errcode" else {},
        )
    return _back(form)


@post("/office/faults/{fault_id:int}/clear")
async def clear_fault(request: AnyRequest, fault_id: FromPath[int]) -> Redirect:
    world.of(request).faults.clear(fault_id)
    return _back({name: str(value) for name, value in (await request.form()).items()})


def _context(here: World, form: dict[str, str], error: str = "") -> dict[str, Any]:
    """`form` is what was chosen and typed; its `system` is also whose ledger is shown ("" is everybody's)."""
    system = form.get("system", "")
    return {
        "system": system,
        "form": form,
        "error": error,
        "names": NAMES,
        "without_effects": WITHOUT_EFFECTS,
        "counts": here.counts(),
        "rows": here.latest(system, 60),
        "faults": here.faults.all(),
        "kinds": FAULTS,
        "effects": EFFECTS,
        "pending": here.callbacks.pending(),
    }


def _back(form: dict[str, str]) -> Redirect:
    """To the system that was chosen."""
    system = form.get("system", "")
    return Redirect(f"/office?system={system}" if system in NAMES else "/office", status_code=303)


def _times(text: str) -> int | None:
    """Nothing typed is once; None for what is no whole number from 1 to `MOST_TIMES`."""
    if not text:
        return 1
    times = int(text) if text.isdecimal() and len(text) <= len(str(MOST_TIMES)) else 0
    return times if 1 <= times <= MOST_TIMES else None


HANDLERS = [show, set_fault, clear_fault]
