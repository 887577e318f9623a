"""Numbers of list items as the author wrote them, since they are spoken."""

from __future__ import annotations

_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"),
    (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip


def marker(number: int, style: str, delimiter: str) -> str:
    """Return an item's number in pandoc's list style: "3.", "iv)", "(b)"."""
    if style.endswith("Roman"):
        digits = roman(number)
    elif style.endswith("Alpha"):
        digits = alphabetic(number)
    else:
        digits = str(number)
    digits = digits.upper() if style.startswith("Upper") else digits
    return {"OneParen": f"{digits})", "TwoParens": f"({digits})"}.get(delimiter, f"{digits}.")


def roman(number: int) -> str:
    """Return a Roman numeral in small letters."""
    digits = ""
    for value, sign in _ROMAN:
        digits += sign * (number // value)
        number %= value
    return digits


def alphabetic(number: int) -> str:
    """Return a, b … z, aa, ab and so on."""
    digits = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        digits = chr(ord("a") + rest) + digits
    return digits
