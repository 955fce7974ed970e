"""Upper and lower case, as a language has them."""

import re
from typing import Literal

Case = Literal["upper", "lower", "keep"]
OWN_CASE = ("tr", "az", "lt")
"""Languages whose case is another than that of the others."""

DOT_ABOVE = "\u0307"
MORE_DOTS = re.compile(f"(i{DOT_ABOVE}|İ){DOT_ABOVE}+")
SOFT_DOTTED = re.compile(f"([ijįIJĮ]){DOT_ABOVE}")


def change_case(text: str, case: Case, language: str | None = None) -> str:
    """Bring a text in Unicode NFC to one case.

    Turkish and Azeri (tr, az) have two letters: i with its capital İ, and ı with I.
    In every other language İ becomes i. Lithuanian (lt) may write the dot of an i
    or j below an accent; it is left out, so that both spellings are one.

    Elsewhere as Unicode has it: ß becomes SS in upper case and stays in lower
    case; a Greek sigma that ends a word becomes ς in lower case, and Σ in upper.

    Args:
        text: in NFC.
        case: "upper", "lower" or "keep".
        language: e.g. "tr"; any but those is as None.

    Source:
        Unicode, SpecialCasing.txt; it puts a combining dot behind the i of a
        lower-case İ, and below the accents of Lithuanian.
    """
    if case == "keep":
        return text
    text = MORE_DOTS.sub(r"\1", text)
    if language == "lt":
        text = SOFT_DOTTED.sub(r"\1", text)
    turkic = language in ("tr", "az")
    if case == "upper":
        if turkic:
            text = text.replace(f"i{DOT_ABOVE}", "İ").replace("i", "İ")
        return text.upper()
    if turkic:
        text = text.replace("I", "ı")
    return text.replace("İ", "i").lower().replace(f"i{DOT_ABOVE}", "i")
