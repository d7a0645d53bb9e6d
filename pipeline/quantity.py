"""Quantities as Kubernetes writes them: `500m`, `2`, `8Gi`."""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator

# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
_FACTORS = {
    "m": Decimal("0.001"),
    "": Decimal(1),
    **{letter: Decimal(1000) ** n for n, letter in enumerate("kMGTPE", start=1)},
    **{f"{letter}i": Decimal(1024) ** n for n, letter in enumerate("KMGTPE", start=1)},
}


def number(quantity: str) -> Decimal:
    """In units: cores, bytes. Raises ValueError for what is no quantity above 0."""
    parts = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([a-zA-Z]*)", quantity)
    found = Decimal(parts[1]) * _FACTORS.get(parts[2], 0) if parts else 0
    if not found:
        raise ValueError(
            "expected a quantity of Kubernetes above 0, such as 500m, 2 or 8Gi, "
            f"received {quantity!r}"
        )
    return Decimal(found)


def _checked(quantity: str) -> str:
    number(quantity)
    return quantity


def _memory(quantity: str) -> str:
    """KFP's driver writes memory as a number of 10^9 bytes (`"%vG"` in backend/src/v2/driver), and
    that with an exponent below 10^-4 and from 10^6 on: `1e-05G` is no quantity of Kubernetes.
    """
    if not 10**5 <= number(quantity) < 10**15:
        raise ValueError(
            "expected memory of at least 100 kB and below 1 PB, which KFP can write, "
            f"received {quantity!r}"
        )
    return quantity


Memory = Annotated[str, AfterValidator(_memory)]
"""The text of a quantity of memory."""
Quantity = Annotated[str, AfterValidator(_checked)]
"""The text, once `number` has read it."""
