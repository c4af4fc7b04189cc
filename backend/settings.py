"""Every setting, its default and what it means, read once from the environment.

A setting's name in the environment is its field name in capitals (`port` is `PORT`). Addresses of outside
systems default to the sandbox; an explicit address always wins. `./xiaodai settings` prints this page.
"""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

DEVELOPMENT_SECRET = "development only, refused in production"  # noqa: S105 - the check below refuses it
_DEVELOPMENT_KEY = hashlib.sha256(DEVELOPMENT_SECRET.encode()).digest()


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    xiaodai_env: Annotated[
        Literal["development", "production"],
        Meta(description="development 或 production；production 拒绝沙箱地址和默认密钥"),
    ] = "development"
    xiaodai_data: Annotated[str, Meta(description="数据目录：数据库、模型、沙箱状态、运行文件")] = "var"
    database_url: Annotated[str, Meta(description="PostgreSQL 18 地址；空则用内嵌数据库")] = ""
    database_owner_url: Annotated[
        str, Meta(description="迁移用的属主连接；空则与 DATABASE_URL 相同，应用连接改用 xiaodai_app 角色")
    ] = ""
    database_pool: Annotated[int, Meta(ge=1, le=100, description="每个进程的数据库连接数")] = 10
    host: Annotated[str, Meta(description="网站监听地址")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535, description="网站端口")] = 8000
    sandbox_port: Annotated[int, Meta(ge=1, le=65535, description="沙箱端口")] = 9000
    workers: Annotated[int, Meta(ge=1, le=64, description="网站进程数")] = 1
    deciders: Annotated[
        int, Meta(ge=0, le=64, description="up 在后台任务之外启动的、只做审批等有人在等的事的进程数")
    ] = 1
    public_base: Annotated[str, Meta(description="客户手机和外部系统看到的网站地址")] = ""
    sandbox_base: Annotated[str, Meta(description="沙箱地址；各系统地址未单独设置时用它")] = ""
    trusted_proxies: Annotated[
        str, Meta(description="可信反向代理地址，逗号分隔；其余来源的 X-Forwarded-For 不看")
    ] = ""

    vault_keys: Annotated[str, Meta(description="字段加密密钥：编号:base64，逗号分隔，最后一个为当前")] = ""
    vault_algorithm: Annotated[
        Literal["aes-256-gcm", "sm4-gcm"], Meta(description="aes-256-gcm 或 sm4-gcm")
    ] = "aes-256-gcm"
    index_key: Annotated[str, Meta(description="盲索引密钥（HMAC）")] = DEVELOPMENT_SECRET
    session_secret: Annotated[str, Meta(description="会话与跨站令牌密钥")] = DEVELOPMENT_SECRET
    code_signing_secret: Annotated[
        str, Meta(description="责任码签名密钥；轮换时写 1:旧密钥,2:新密钥，编号最大的为当前")
    ] = DEVELOPMENT_SECRET
    handoff_signing_key: Annotated[
        str, Meta(description="移交令牌 ES256 私钥（PEM）；空则在数据目录生成")
    ] = ""

    wechat_app_id: Annotated[str, Meta(description="公众号 AppID")] = "wx_sandbox_union01"
    wechat_app_secret: Annotated[str, Meta(description="公众号 AppSecret")] = DEVELOPMENT_SECRET
    wechat_token: Annotated[str, Meta(description="公众号服务器配置令牌")] = "sandboxtoken"  # noqa: S105
    wechat_aes_key: Annotated[str, Meta(description="公众号消息加解密密钥，43 个字符")] = (
        "c2FuZGJveHNhbmRib3hzYW5kYm94c2FuZGJveDEyMzQ"
    )
    wechat_api_base: Annotated[str, Meta(description="公众号接口地址（api.weixin）")] = ""
    wechat_open_base: Annotated[str, Meta(description="网页授权地址（open.weixin）")] = ""
    wechat_progress_template: Annotated[str, Meta(description="订阅通知模板编号：申请进度")] = (
        "sandbox_progress_notice"
    )

    sms_api_base: Annotated[str, Meta(description="短信平台地址")] = ""
    mobile_bank_api_base: Annotated[str, Meta(description="手机银行地址")] = ""
    mobile_bank_app_base: Annotated[
        str, Meta(description="手机银行 App 打开链接（深层链接），移交令牌加在后面")
    ] = ""
    core_banking_api_base: Annotated[str, Meta(description="核心系统地址")] = ""
    credit_bureau_api_base: Annotated[str, Meta(description="征信前置地址")] = ""
    identity_check_api_base: Annotated[str, Meta(description="联网核查地址")] = ""
    liveness_api_base: Annotated[str, Meta(description="活体检测地址")] = ""
    image_archive_api_base: Annotated[str, Meta(description="影像平台地址")] = ""
    data_platform_api_base: Annotated[str, Meta(description="大数据平台地址")] = ""
    sign_on_issuer: Annotated[str, Meta(description="统一身份认证地址（OIDC issuer）")] = ""
    sign_on_client_id: Annotated[str, Meta(description="统一身份认证应用编号")] = "xiaodai"
    sign_on_client_secret: Annotated[str, Meta(description="统一身份认证应用密钥")] = DEVELOPMENT_SECRET
    outside_api_secret: Annotated[str, Meta(description="调用行内系统的接口密钥")] = DEVELOPMENT_SECRET
    mobile_bank_callback_secret: Annotated[
        str, Meta(description="手机银行来的请求和回调的签名密钥（Standard Webhooks）")
    ] = f"{DEVELOPMENT_SECRET}: mobile bank"
    sms_callback_secret: Annotated[
        str, Meta(description="短信平台回执的签名密钥（Standard Webhooks）；不能和手机银行的一样")
    ] = f"{DEVELOPMENT_SECRET}: sms"
    outside_deadline: Annotated[float, Meta(ge=0.1, le=60, description="每次外部调用的时限，秒")] = 5.0

    model_base_score: Annotated[int, Meta(ge=1, le=10000, description="评分刻度：基准分")] = 600
    model_base_odds: Annotated[int, Meta(ge=1, le=10000, description="评分刻度：基准分对应的好坏比")] = 50
    model_points_to_double: Annotated[
        int, Meta(ge=1, le=1000, description="评分刻度：好坏比翻倍要加的分")
    ] = 20

    ocr_workers: Annotated[int, Meta(ge=1, le=64, description="证件识别进程数")] = 1
    ocr_memory_mb: Annotated[int, Meta(ge=100, le=65536, description="每个证件识别进程的内存上限，MB")] = 450
    xiaodai_failpoints: Annotated[str, Meta(description="测试用故障点；production 拒绝")] = ""
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="日志级别：debug info warning error")
    ] = "info"

    @property
    def production(self) -> bool:
        return self.xiaodai_env == "production"

    @property
    def data(self) -> Path:
        return Path(self.xiaodai_data).resolve()

    @property
    def failpoint_record(self) -> Path:
        return self.data / "run" / "failpoints"

    @property
    def ocr_socket(self) -> Path:
        return self.data / "run" / "ocr.sock"

    @property
    def secure_cookies(self) -> bool:
        return self.public_base.startswith("https://")


OUTSIDE: dict[str, str] = {
    "wechat_api_base": "/wechat",
    "wechat_open_base": "/wechat",
    "sms_api_base": "/sms",
    "mobile_bank_api_base": "/mobile-bank",
    "mobile_bank_app_base": "/bank/open",
    "core_banking_api_base": "/core-banking",
    "credit_bureau_api_base": "/credit-bureau",
    "identity_check_api_base": "/identity-check",
    "liveness_api_base": "/liveness",
    "image_archive_api_base": "/image-archive",
    "data_platform_api_base": "/data-platform",
    "sign_on_issuer": "/sign-on",
}
"""Settings that name an outside system, and where the sandbox plays it."""

SECRETS = (
    "index_key",
    "session_secret",
    "code_signing_secret",
    "wechat_app_secret",
    "sign_on_client_secret",
    "outside_api_secret",
    "mobile_bank_callback_secret",
    "sms_callback_secret",
)


class Unsafe(Exception):
    """A setting that must not be used as it is; the text says which and why."""


def load(environment: Mapping[str, str], **overrides: object) -> Settings:
    """Read settings; `overrides` (from the command line) win over the environment.

    Raises `Unsafe` naming the setting when a value cannot be meant, or in production when a default
    secret, a sandbox address or a failpoint is left.
    """
    given: dict[str, Any] = {}
    for name, hint in get_type_hints(Settings, include_extras=True).items():
        if name in overrides and overrides[name] is not None:
            given[name] = _read(name, hint, overrides[name])
        elif environment.get(name.upper(), "") != "":
            given[name] = _read(name, hint, environment[name.upper()])
    settings = Settings(**given)
    if not settings.public_base:
        given["public_base"] = f"http://{settings.host}:{settings.port}"
    if not settings.sandbox_base and not settings.production:
        given["sandbox_base"] = f"http://{settings.host}:{settings.sandbox_port}"
    for name, path in OUTSIDE.items():
        if not given.get(name) and given.get("sandbox_base", settings.sandbox_base):
            given[name] = str(given.get("sandbox_base", settings.sandbox_base)) + path
    if not given.get("vault_keys") and not settings.production:
        given["vault_keys"] = f"1:{base64.b64encode(_DEVELOPMENT_KEY).decode()}"
    settings = Settings(**given)
    if settings.vault_keys:
        vault_keys(settings)
    if settings.production:
        _refuse_unsafe(settings)
    return settings


def described() -> list[tuple[str, object, str]]:
    """(environment name, default, meaning) of every setting, in the order of this file."""
    hints = get_type_hints(Settings, include_extras=True)
    return [
        (field.name.upper(), field.default, str(get_args(hints[field.name])[1].description))
        for field in msgspec.structs.fields(Settings)
    ]


def _read(name: str, hint: Any, given: object) -> object:
    """In the setting's type and range; plain text is taken as it is."""
    if get_args(hint)[0] is str:
        return given
    try:
        return msgspec.convert(given, hint, strict=False)
    except msgspec.ValidationError as cause:
        raise Unsafe(f"{name.upper()} 应当是{_wanted(hint)}，现在是 {given!r}") from cause


def _wanted(hint: Any) -> str:
    kind, meta = get_args(hint)
    if get_origin(kind) is Literal:
        return " " + " 或 ".join(get_args(kind))
    return f" {meta.ge} 到 {meta.le} 之间的{'整数' if kind is int else '数字'}"


def _refuse_unsafe(settings: Settings) -> None:
    for name in SECRETS:
        if DEVELOPMENT_SECRET in getattr(settings, name):
            raise Unsafe(f"{name.upper()} 还是默认密钥，生产环境不能启动")
    if settings.mobile_bank_callback_secret == settings.sms_callback_secret:
        raise Unsafe("SMS_CALLBACK_SECRET 不能和 MOBILE_BANK_CALLBACK_SECRET 一样")
    defaults = Settings()
    for name in ("wechat_token", "wechat_aes_key", "wechat_app_id"):
        if getattr(settings, name) == getattr(defaults, name):
            raise Unsafe(f"{name.upper()} 还是沙箱的值，生产环境不能启动")
    if not settings.vault_keys or _DEVELOPMENT_KEY in vault_keys(settings)[0].values():
        raise Unsafe("VAULT_KEYS 没有设置，或含有开发用的密钥，生产环境不能启动")
    for name in OUTSIDE:
        address = getattr(settings, name)
        if not address.startswith("https://") or (
            settings.sandbox_base and address.startswith(settings.sandbox_base)
        ):
            raise Unsafe(f"{name.upper()} 是空的、沙箱的或未加密的地址，生产环境不能启动")
    if settings.sandbox_base:
        raise Unsafe("SANDBOX_BASE 只用于演示，生产环境不能启动")
    if settings.xiaodai_failpoints:
        raise Unsafe("XIAODAI_FAILPOINTS 只用于测试，生产环境不能启动")
    if not settings.public_base.startswith("https://"):
        raise Unsafe("PUBLIC_BASE 必须是 https 地址")


def vault_keys(settings: Settings) -> tuple[dict[int, bytes], int]:
    """Keys by id and the current id, from `1:base64,2:base64`. Raises `Unsafe`, which never shows a key."""
    keys: dict[int, bytes] = {}
    current = 0
    try:
        for part in settings.vault_keys.split(","):
            number, _, encoded = part.strip().partition(":")
            current = int(number)
            keys[current] = base64.b64decode(encoded, validate=True)
    except ValueError as cause:
        raise Unsafe("VAULT_KEYS 应当写成 编号:base64，逗号分隔") from cause
    if not all(1 <= number <= 255 and len(key) == 32 for number, key in keys.items()):
        raise Unsafe("VAULT_KEYS 的编号应当在 1 到 255 之间，每把密钥 32 字节")
    return keys, current


def signing_keys(settings: Settings) -> dict[int, bytes]:
    """Keys that seal 责任码 by id: one secret, or `1:old,2:new` while printed codes of the old one live on."""
    named = [part.strip().partition(":") for part in settings.code_signing_secret.split(",")]
    if not all(number.isdigit() and secret for number, _, secret in named):
        return {1: settings.code_signing_secret.encode()}
    return {int(number): secret.encode() for number, _, secret in named}
