"""The back office: what every system did, and what may go wrong with it."""

from litestar import get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from backend.sandbox import faults, world
from backend.sandbox.world import AnyRequest

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
    "delay": "答得慢（1 秒）",
    "hang": "一直不答（30 秒）",
    "drop_before": "办之前断线",
    "drop_after": "办完才断线",
    "duplicate": "同一请求到两次",
    "reorder": "回调乱序",
    "errcode": "微信错误码 45015",
}
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


@get("/office")
async def show(request: AnyRequest, system: FromQuery[str] = "") -> Template:
    here = world.of(request)
    context = {
        "system": system,
        "names": NAMES,
        "counts": here.counts(),
        "rows": here.latest(system, 60),
        "faults": here.faults.all(),
        "kinds": FAULTS,
        "effects": EFFECTS,
        "pending": here.callbacks.pending(),
    }
    return Template("office.html", context=context)


@post("/office/faults")
async def set_fault(request: AnyRequest) -> Redirect:
    form = {name: str(value) for name, value in (await request.form()).items()}
    kind = form.get("fault", "")
    if kind in faults.KINDS and form.get("system") in NAMES:
        world.of(request).faults.set(
            system=form["system"],
            operation=form.get("operation", "").strip() or "*",
            fault=kind,  # type: ignore[arg-type]
            times=max(1, min(int(form.get("times") or 1), 1000)),
            rate=None,
            args={"errcode": 45015} if kind == "errcode" else {},
        )
    return Redirect(f"/office?system={form.get('system', '')}", status_code=303)


@post("/office/faults/{fault_id:int}/clear")
async def clear_fault(request: AnyRequest, fault_id: FromPath[int]) -> Redirect:
    world.of(request).faults.clear(fault_id)
    return Redirect("/office", status_code=303)


HANDLERS = [show, set_fault, clear_fault]
