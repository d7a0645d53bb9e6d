"""What the gate found: one broken rule of one feature of one split."""

from typing import NamedTuple

from schema.errors import DataRefused


class Finding(NamedTuple):
    """A broken rule, in words."""

    table: str
    split: str
    feature: str
    """Name of the feature in the Examples; `*` for the split as a whole."""
    rule: str
    """domain, presence, valency, range, finite, drift, skew, volume; else TFDV's own title."""
    expected: str
    seen: str
    examples: tuple[str, ...] = ()
    """A few values that break the rule, and whose they are."""

    def __str__(self) -> str:
        where = f"{self.table}/{self.split}: {self.feature}: {self.rule}"
        shown = f"; e.g. {'; '.join(self.examples)}" if self.examples else ""
        return f"{where}: expected {self.expected}, seen {self.seen}{shown}"


def raise_findings(found: list[Finding], page: str) -> None:
    """Raises DataRefused with a line a finding; does nothing where there is none.

    `page` is where the statistics can be looked at.
    """
    if found:
        lines = "\n  ".join(map(str, found))
        raise DataRefused(
            f"expected data that fit the schema, received {len(found)} broken "
            f"rule{'s' * (len(found) != 1)}:\n  {lines}\n"
            f"fix the data, or the rule in the curated schema ([curated] in the configuration); "
            f"nothing was trained or pushed; the statistics are at {page}"
        )
