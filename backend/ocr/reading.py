"""What a reading is: light enough for the web process, which only talks to the reading service."""

import msgspec

ID_FRONT = "id_front"
ID_BACK = "id_back"
BUSINESS_LICENCE = "business_licence"
BANK_CARD = "bank_card"
KINDS = (ID_FRONT, ID_BACK, BUSINESS_LICENCE, BANK_CARD)
KIND_NAMES = {
    ID_FRONT: "身份证人像面",
    ID_BACK: "身份证国徽面",
    BUSINESS_LICENCE: "营业执照",
    BANK_CARD: "银行卡",
}

FRONT_LABELS = ("姓名", "性别", "民族", "出生", "住址", "公民身份号码")
BACK_LABELS = ("签发机关", "有效期限")
LICENCE_LABELS = (
    "统一社会信用代码",
    "名称",
    "类型",
    "法定代表人",
    "注册资本",
    "成立日期",
    "住所",
    "经营范围",
)
CARD_LABELS = ("卡号", "发卡行", "有效期")
EXPECTED = {
    ID_FRONT: FRONT_LABELS,
    ID_BACK: BACK_LABELS,
    BUSINESS_LICENCE: LICENCE_LABELS,
    BANK_CARD: CARD_LABELS,
}


class Field(msgspec.Struct, frozen=True):
    """One value as read. `confidence` is that of its weakest character; `unsure` are positions in `text` below
    the line at which a person must look (empty with `doubtful` set: the value contradicts another one)."""

    text: str
    confidence: float
    unsure: list[int]
    doubtful: bool


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One picture read. Keys of `fields` are the printed Chinese labels; a label that was not found is missing there
    and listed in `doubtful`. 出生 and 成立日期 are ISO dates, 有效期限 is `2019-03-08 至 2039-03-08` or `… 至 长期`.

    `kind` is what the picture shows, "" when it is none of ours. `quality` has sharpness, brightness and the like, and
    under `advice` the Chinese sentence about what to do better ("" when nothing is wrong). `ms`: reading time.
    """

    kind: str
    fields: dict[str, str]
    doubtful: list[str]
    confidence: dict[str, float]
    unsure: dict[str, list[int]]
    quality: dict[str, float | int | str]
    ms: int
