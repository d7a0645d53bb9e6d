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


Quantity = Annotated[str, AfterValidator(_checked)]
"""The text, once `number` has read it."""
