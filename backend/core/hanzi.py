"""通用规范汉字表: the 8,105 characters a name, an address or a seal may be written with.

`hanzi.txt` holds them in the order of the table (1–3500 common, 3501–6500 less common, 6501–8105 names,
places and terms), derived from the field kTGH of the Unicode Unihan database 15.0 (Unicode licence v3).
"""

from functools import cache
from pathlib import Path

COMMON = 3500


@cache
def standard() -> str:
    """All 8,105 characters in the order of the table."""
    return Path(__file__).with_name("hanzi.txt").read_text(encoding="utf-8").replace("\n", "")


_ETHNICITIES = (
    "汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 高山 拉祜 水 "
    "东乡 纳西 景颇 柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米 塔吉克 怒 乌孜别克 "
    "俄罗斯 鄂温克 德昂 保安 裕固 京 塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺"
)
ETHNICITIES = tuple(_ETHNICITIES.split())
"""The 56 民族 as printed on ID cards (GB/T 3304, without 族)."""
