"""Invented people, firms and bank cards: the same seed is the same person for ever."""

from datetime import date, timedelta
from random import Random

import msgspec

from backend.core import check_digits, hanzi
from backend.sandbox.specimens import names

# Dates are drawn around this fixed day, not today, so that a seed never changes; cards hold until 2031 at least.
DRAWN_ON = date(2026, 1, 1)


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """One invented customer and what the ID card says. `valid_until` None means 长期."""

    seed: int
    name: str
    sex: str
    ethnicity: str
    born_on: date
    region_code: str
    county: str
    institution_id: str
    town: str
    village: str
    address: str
    id_number: str
    phone: str
    authority: str
    valid_from: date
    valid_until: date | None

    def front_fields(self) -> dict[str, str]:
        """What a perfect reading of the front gives."""
        return {
            "姓名": self.name,
            "性别": self.sex,
            "民族": self.ethnicity,
            "出生": self.born_on.isoformat(),
            "住址": self.address,
            "公民身份号码": self.id_number,
        }

    def back_fields(self) -> dict[str, str]:
        """What a perfect reading of the back gives."""
        until = self.valid_until.isoformat() if self.valid_until else "长期"
        return {"签发机关": self.authority, "有效期限": f"{self.valid_from.isoformat()} 至 {until}"}


def person(seed: int, *, county: str | None = None, under_age: bool = False, expired: bool = False) -> Person:
    """Somebody of 22 to 57 in one of the invented counties (`county` is a region prefix such as 411701).

    `under_age`: 14 or 15 years old, card of five years; `expired`: the card ran out during 2025.
    """
    random = Random(f"person {seed}")
    region_code = county or random.choice(sorted(names.COUNTIES))
    county_name, institution_id, towns = names.COUNTIES[region_code]
    male = random.random() < 0.55
    name, ethnicity = _name(random, male)
    born_on = _born_on(random, under_age)
    town = random.choice(towns)
    village = random.choice(names.VILLAGE_HEADS) + random.choice(names.VILLAGE_BODIES) + "村"
    valid_from, valid_until = _validity(random, born_on, expired)
    return Person(
        seed=seed,
        name=name,
        sex="男" if male else "女",
        ethnicity=ethnicity,
        born_on=born_on,
        region_code=region_code,
        county=county_name,
        institution_id=institution_id,
        town=town,
        village=village,
        address=_address(random, county_name, town, village),
        id_number=_id_number(random, region_code, born_on, male),
        phone=f"199{random.randrange(10**8):08d}",
        authority=f"{county_name}公安局",
        valid_from=valid_from,
        valid_until=valid_until,
    )


def _name(random: Random, male: bool) -> tuple[str, str]:
    """(name, ethnicity). One in eight has a rare character, as villages do; a few names are not of Han form."""
    ethnicity = "汉" if random.random() < 0.8 else random.choice(hanzi.ETHNICITIES)
    if ethnicity != "汉" and random.random() < 0.15:
        return random.choice(names.GIVEN_OF_OTHERS), ethnicity
    draw = random.random()
    if draw < 0.04:
        surname = random.choice(names.COMPOUND_SURNAMES)
    elif draw < 0.1:
        surname = random.choice(names.RARE_SURNAMES)
    else:
        surname = random.choice(names.SURNAMES)
    pool = names.MALE_GIVEN if male else names.FEMALE_GIVEN
    given = "".join(random.choice(pool) for _ in range(1 if random.random() < 0.2 else 2))
    if random.random() < 0.125:
        given = given[:-1] + _rare_character(random)
    return surname + given, ethnicity


def _rare_character(random: Random) -> str:
    """A character outside the 3,500 common ones, within the basic plane (every font has it)."""
    table = hanzi.standard()
    while True:
        character = table[random.randrange(hanzi.COMMON, len(table))]
        if "\u4e00" <= character <= "\u9fff":
            return character


def _born_on(random: Random, under_age: bool) -> date:
    youngest, oldest = (14, 15) if under_age else (22, 57)
    days = random.randrange(int((oldest - youngest) * 365.25) or 300)
    return DRAWN_ON - timedelta(days=int(youngest * 365.25) + 2 + days)


def _address(random: Random, county: str, town: str, village: str) -> str:
    shape = random.random()
    number = random.randrange(1, 300)
    prefix = random.choice(("", "", "淮中省", "淮中省颍川市"))
    if shape < 0.55:
        return f"{prefix}{county}{town}{village}{random.randrange(1, 16)}组{number}号"
    if shape < 0.8:
        return f"{prefix}{county}{town}{village}民委员会{random.choice(names.VILLAGE_BODIES)}{number}号"
    street = random.choice(names.STREETS)
    flat = f"{random.randrange(1, 20)}号楼{random.randrange(1, 5)}单元{random.randrange(101, 1802)}号"
    return f"{prefix}{county}{town}{street}{number}号{flat if shape < 0.92 else ''}"


def _id_number(random: Random, region_code: str, born_on: date, male: bool) -> str:
    order = random.randrange(1, 99) * 10 + random.randrange(5) * 2 + (1 if male else 0)
    first17 = f"{region_code}{born_on:%Y%m%d}{order:03d}"
    return first17 + check_digits.id_number_check(first17)


def _validity(random: Random, born_on: date, expired: bool) -> tuple[date, date | None]:
    """居民身份证法 第五条: 5 years under 16, 10 years to 25, 20 years to 45, then for life."""
    years_ago = random.randrange(1, 5)
    issued = _safe_day(DRAWN_ON.year - years_ago, random)
    age = (issued - born_on).days // 365.2425
    if expired:
        until = _safe_day(DRAWN_ON.year - 1, random)
        years = 5 if under_sixteen(born_on, until) else 10
        return until.replace(year=until.year - years), until
    if age >= 46:
        return issued, None
    years = 20 if age >= 26 else 10 if age >= 16 else 5
    if years == 5:
        issued = issued.replace(year=DRAWN_ON.year - 1)
    return issued, issued.replace(year=issued.year + years)


def under_sixteen(born_on: date, until: date) -> bool:
    """Whether a card that ran out on `until` was issued, five years before, to somebody under 16."""
    return (until - born_on).days < 21 * 365


def _safe_day(year: int, random: Random) -> date:
    """A day that exists in every year."""
    return date(year, random.randrange(1, 13), random.randrange(1, 29))


class Business(msgspec.Struct, frozen=True, kw_only=True):
    """An invented firm, cooperative or self-employed household (个体工商户)."""

    seed: int
    credit_code: str
    name: str
    kind: str
    owner: str
    capital: str
    founded_on: date
    address: str
    scope: str
    authority: str
    registered_on: date

    @property
    def self_employed(self) -> bool:
        """A 个体工商户 prints 经营者, 经营场所 and 注册日期, and no capital."""
        return self.kind == "个体工商户"

    def fields(self) -> dict[str, str]:
        """What a perfect reading of the licence gives."""
        read = {
            "统一社会信用代码": self.credit_code,
            "名称": self.name,
            "类型": self.kind,
            "法定代表人": self.owner,
            "成立日期": self.founded_on.isoformat(),
            "住所": self.address,
            "经营范围": self.scope,
        }
        return read if self.self_employed else {**read, "注册资本": self.capital}


def business(seed: int) -> Business:
    """A firm of one of the invented counties."""
    random = Random(f"business {seed}")
    region_code = random.choice(sorted(names.COUNTIES))
    county, _, towns = names.COUNTIES[region_code]
    town = random.choice(towns)
    trade, scope = random.choice(names.TRADES)
    kind, suffix, category = random.choice(_KINDS)
    owner, _ = _name(random, random.random() < 0.6)
    head = random.choice(names.FIRM_WORDS)
    first17 = f"{category}{region_code}" + "".join(random.choice(_ORGANISATION) for _ in range(9))
    founded_on = date(random.randrange(2008, 2025), random.randrange(1, 13), random.randrange(1, 29))
    registered_on = founded_on + timedelta(days=random.randrange(0, 200))
    return Business(
        seed=seed,
        credit_code=first17 + check_digits.credit_code_check(first17),
        name=f"{county}{head}{trade}{suffix}",
        kind=kind,
        owner=owner,
        capital=_CAPITALS[random.randrange(len(_CAPITALS))],
        founded_on=founded_on,
        address=f"{county}{town}{random.choice(names.STREETS)}{random.randrange(1, 300)}号",
        scope=f"许可项目：{scope}" if random.random() < 0.3 else scope,
        authority=f"{county}市场监督管理局",
        registered_on=registered_on,
    )


_KINDS = (
    ("有限责任公司(自然人独资)", "有限公司", "91"),
    ("有限责任公司", "有限公司", "91"),
    ("农民专业合作社", "农民专业合作社", "93"),
    ("个体工商户", "店", "92"),
    ("个体工商户", "经营部", "92"),
)
_CAPITALS = ("伍拾万元整", "壹佰万元整", "叁佰万元整", "伍佰万圆整", "壹仟万元整", "贰拾捌万元整")
_ORGANISATION = "0123456789ABCDEFGHJKLMNPQRTUWXY"


class BankCard(msgspec.Struct, frozen=True, kw_only=True):
    """An invented debit card of one of the three banks."""

    seed: int
    number: str
    bank: str
    valid_until: str

    def fields(self) -> dict[str, str]:
        """What a perfect reading gives; 有效期 as printed, MM/YY."""
        return {"卡号": self.number, "发卡行": self.bank, "有效期": self.valid_until}


def bank_card(seed: int) -> BankCard:
    """A Luhn-valid number under an invented issuer prefix."""
    random = Random(f"bank card {seed}")
    digits = "629999" + "".join(str(random.randrange(10)) for _ in range(12))
    month, year = random.randrange(1, 13), random.randrange(29, 36)
    return BankCard(
        seed=seed,
        number=digits + check_digits.luhn_check(digits),
        bank=random.choice(("甲县农商银行", "乙县农商银行", "丙县农村信用社")),
        valid_until=f"{month:02d}/{year:02d}",
    )
