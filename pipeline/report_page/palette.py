"""The page's colours, once for the style sheet and for the plots.

Plots are drawn in the colours of light paper; `pipeline.report_page.inline_svg` puts each colour's
CSS variable in its place, so that one plot is right in light and in dark.
"""

from typing import NamedTuple


class Shade(NamedTuple):
    """One colour by day and by night, as #rrggbb in lower case."""

    light: str
    dark: str


PAPER = Shade("#fdfdfc", "#15181c")
RAISED = Shade("#f4f5f6", "#1e2329")
INK = Shade("#1c2127", "#e7e9ec")
MUTED = Shade("#5f6973", "#9aa5b1")
RULE = Shade("#d9dde2", "#353c45")
ACCENT = Shade("#0d6e8c", "#57bddc")
SOFT = Shade("#a8cfdc", "#2b5f70")
GOOD = Shade("#1f7a4d", "#63c795")
BAD = Shade("#b3261e", "#ff8a80")

VARIABLES = {
    "paper": PAPER,
    "raised": RAISED,
    "ink": INK,
    "muted": MUTED,
    "rule": RULE,
    "accent": ACCENT,
    "soft": SOFT,
    "good": GOOD,
    "bad": BAD,
}
"""By the name of the CSS variable. No two have the same light shade."""
