"""Check digits of the numbers people and firms carry: GB 11643, GB 32100 and Luhn (ISO/IEC 7812)."""

from datetime import date

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def id_number_check(first17: str) -> str:
    """The 18th character of a 公民身份号码 (GB 11643) for its first 17 digits."""
    total = sum(int(digit) * weight for digit, weight in zip(first17, _ID_WEIGHTS, strict=True))
    return _ID_CHECKS[total % 11]


def id_number_born_on(number: str) -> date | None:
    """The birth date inside a 公民身份号码; None when it is no date."""
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def id_number_is_male(number: str) -> bool:
    """The 17th digit is odd for men."""
    return int(number[16]) % 2 == 1


def is_id_number(number: str) -> bool:
    """Eighteen characters, a birth date since 1900, the right check character."""
    if len(number) != 18 or not (number[:17].isascii() and number[:17].isdigit()):
        return False
    born_on = id_number_born_on(number)
    return born_on is not None and born_on.year >= 1900 and id_number_check(number[:17]) == number[17]


def credit_code_check(first17: str) -> str:
    """The 18th character of a 统一社会信用代码 (GB 32100). Raises ValueError on a character outside the alphabet."""
    values = (CREDIT_ALPHABET.index(character) for character in first17)
    total = sum(value * weight for value, weight in zip(values, _CREDIT_WEIGHTS, strict=True))
    return CREDIT_ALPHABET[(31 - total % 31) % 31]


def is_credit_code(code: str) -> bool:
    """Eighteen characters of the GB 32100 alphabet with the right check character."""
    if len(code) != 18 or any(character not in CREDIT_ALPHABET for character in code):
        return False
    return credit_code_check(code[:17]) == code[17]


def luhn_check(digits: str) -> str:
    """The digit that completes a bank card number."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if position % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


def is_card_number(number: str) -> bool:
    """A Luhn-valid number of 15 to 19 digits."""
    digits = number.isascii() and number.isdigit() and 15 <= len(number) <= 19
    return digits and luhn_check(number[:-1]) == number[-1]
