"""Numbers as people write them: decimal comma, separators of thousands, currencies."""

import re
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

_EXPONENT = "([eE][+-]?[0-9]+)?"
_SAME_SEPARATORS = {" ": " \u00a0\u2009\u202f", "'": "'\u2019"}
# ISO 4217, of money in circulation.
_CODES = (
    "AED|AFN|ALL|AMD|ANG|AOA|ARS|AUD|AWG|AZN|BAM|BBD|BDT|BGN|BHD|BIF|BMD|BND|BOB|BRL|BSD|BTN|"
    "BWP|BYN|BZD|CAD|CDF|CHF|CLP|CNY|COP|CRC|CUP|CVE|CZK|DJF|DKK|DOP|DZD|EGP|ERN|ETB|EUR|FJD|"
    "FKP|GBP|GEL|GHS|GIP|GMD|GNF|GTQ|GYD|HKD|HNL|HTG|HUF|IDR|ILS|INR|IQD|IRR|ISK|JMD|JOD|JPY|"
    "KES|KGS|KHR|KMF|KPW|KRW|KWD|KYD|KZT|LAK|LBP|LKR|LRD|LSL|LYD|MAD|MDL|MGA|MKD|MMK|MNT|MOP|"
    "MRU|MUR|MVR|MWK|MXN|MYR|MZN|NAD|NGN|NIO|NOK|NPR|NZD|OMR|PAB|PEN|PGK|PHP|PKR|PLN|PYG|QAR|"
    "RON|RSD|RUB|RWF|SAR|SBD|SCR|SDG|SEK|SGD|SHP|SLE|SOS|SRD|SSP|STN|SVC|SYP|SZL|THB|TJS|TMT|"
    "TND|TOP|TRY|TTD|TWD|TZS|UAH|UGX|USD|UYU|UZS|VES|VND|VUV|WST|XAF|XCD|XOF|XPF|YER|ZAR|ZMW"
)
_CURRENCY = rf"([A-Z]{{0,2}}\p{{Sc}}|{_CODES})"
_BLANKS = r"[\s\p{Zs}]*"
_BEFORE = rf"^{_BLANKS}([+-]?){_BLANKS}{_CURRENCY}{_BLANKS}"
_AFTER = rf"{_BLANKS}{_CURRENCY}{_BLANKS}$"


class NumberForm(NamedTuple):
    """How numbers in text are written."""

    decimal: str = "."
    thousands: str = ""
    """Separator of thousands; "" for none."""
    ignores_currency: bool = True
    """Whether a currency sign or an ISO 4217 code before or after a number is ignored."""

    @property
    def extends_plain(self) -> bool:
        """Whether every number with a decimal point and without separators means the same here."""
        return self.decimal == "." and self.thousands != "."

    def to_plain(self, text: pa.Array) -> pa.Array:
        """Returns large_string [n]: numbers with a decimal point and without separators, currency,
        blanks and plus sign; null for a text that is not a number of this form.
        """
        bare = _remove_currency(text) if self.ignores_currency else text
        bare = pc.utf8_trim_whitespace(bare)
        is_number = pc.match_substring_regex(bare, pattern=self._pattern)
        digits = pc.replace_substring_regex(bare, pattern=r"^\+", replacement="")
        if self.thousands:
            digits = pc.replace_substring_regex(digits, pattern=self._separator, replacement="")
        digits = pc.replace_substring(digits, pattern=self.decimal, replacement=".")
        return pc.if_else(is_number, digits, pa.scalar(None, pa.large_string()))

    @property
    def _separator(self) -> str:
        same = _SAME_SEPARATORS.get(self.thousands, self.thousands)
        return f"[{re.escape(same)}]"

    @property
    def _pattern(self) -> str:
        """Groups have three digits, or two as in India; the last one has three."""
        point = re.escape(self.decimal)
        whole = "[0-9]+"
        if self.thousands:
            gap = self._separator
            whole = f"({whole}|[0-9]{{1,3}}({gap}[0-9]{{2,3}})*{gap}[0-9]{{3}})"
        return f"^[+-]?({whole}({point}[0-9]*)?|{point}[0-9]+){_EXPONENT}$"


def _remove_currency(text: pa.Array) -> pa.Array:
    bare = pc.replace_substring_regex(text, pattern=_BEFORE, replacement=r"\1")
    return pc.replace_substring_regex(bare, pattern=_AFTER, replacement="")


PLAIN = NumberForm(ignores_currency=False)
"""Numbers as programs write them, times for example."""
