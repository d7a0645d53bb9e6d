"""Findings of the data gate: a broken rule of one feature in one split."""

from typing import NamedTuple

from schema.errors import DataRefused


class Finding(NamedTuple):
    """A broken rule, described for people."""

    table: str
    split: str
    feature: str
    """Name of the feature in the Examples; `*` for the split as a whole."""
    rule: str
    """domain, presence, valency, range, finite, drift, skew or volume; otherwise TFDV's title."""
    expected: str
    seen: str
    examples: tuple[str, ...] = ()
    """A few values that break the rule, with the ids of their Examples."""

    def __str__(self) -> str:
        where = f"{self.table}/{self.split}: {self.feature}: {self.rule}"
        examples = f"; e.g. {'; '.join(self.examples)}" if self.examples else ""
        return f"{where}: expected {self.expected}, received {self.seen}{examples}"


def raise_findings(findings: list[Finding], page: str) -> None:
    """Raises DataRefused with one line per finding; does nothing without findings.

    `page` is the location of the statistics pages.
    """
    if findings:
        lines = "\n  ".join(map(str, findings))
        raise DataRefused(
            f"expected data that fit the schema, received {len(findings)} broken "
            f"rule{'s' * (len(findings) != 1)}:\n  {lines}\n"
            f"fix the data, or the rule in the curated schema ([curated] in the configuration); "
            f"nothing was trained or pushed; the statistics are at {page}"
        )
