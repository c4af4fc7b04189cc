"""The union's staff as its sign-on knows them. The demo union holds the same people (a test compares)."""

import msgspec


class Member(msgspec.Struct, frozen=True):
    """`institution_id` 0000 is the union's head office. The subject of the sign-on is `staff_no`."""

    staff_no: str
    name: str
    institution_id: str
    institution_name: str
    branch: str
    roles: tuple[str, ...]


ROLE_LABELS = {
    "head_office_admin": "省联社管理员",
    "county_admin": "县行管理员",
    "officer": "客户经理",
    "reviewer": "审查人",
    "risk_analyst": "风险分析员",
    "auditor": "审计员",
}

_UNION = (
    ("SL0001", "周省", "head_office_admin"),
    ("SL0002", "吴模", "risk_analyst"),
    ("SL0003", "郑审", "auditor"),
)
_POSTS = (
    ("0427", "officer"),
    ("0428", "officer"),
    ("0101", "county_admin"),
    ("0201", "reviewer"),
    ("0202", "reviewer"),
    ("0301", "risk_analyst"),
    ("0401", "auditor"),
)
_COUNTIES = (
    ("4101", "甲县农商银行", "JX", "柳林支行", ("李四", "王芳", "赵长根", "陈审", "刘复", "孙风", "钱计")),
    ("4102", "乙县农商银行", "YX", "青石支行", ("马强", "朱兰", "胡建国", "郭审", "何复", "高风", "林计")),
    ("4103", "丙县农信联社", "BX", "大槐支行", ("罗勇", "梁燕", "宋立", "郑慎", "谢复", "韩风", "唐计")),
)

EVERYBODY: tuple[Member, ...] = (
    *(Member(number, name, "0000", "省联社", "", (role,)) for number, name, role in _UNION),
    *(
        Member(prefix + digits, name, code, county, branch, (role,))
        for code, county, prefix, branch, names in _COUNTIES
        for (digits, role), name in zip(_POSTS, names, strict=True)
    ),
)


def find(staff_no: str) -> Member | None:
    return next((member for member in EVERYBODY if member.staff_no == staff_no), None)
