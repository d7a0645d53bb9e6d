"""The files of the simulated shop: JSON lines with the columns of configs/simulated.toml."""

import json
import pathlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from pipeline.simulator.catalogue import Catalogue
from pipeline.simulator.outcomes import Outcomes
from pipeline.simulator.users import Users
from pipeline.simulator.words import DEPARTMENTS, DEVICES, REGIONS, TAGS


def user_id(number: int) -> str:
    """The id that the files use for user `number`."""
    return f"u{number}"


def item_id(number: int) -> str:
    """The id that the files use for item `number`."""
    return f"i{number}"


def event_lines(
    who: np.ndarray, what: np.ndarray, timestamps: np.ndarray, outcomes: Outcomes
) -> list[str]:
    """One JSON object an event, without the line's end.

    Put together by hand: no value needs escaping, and json.dumps would take four times as long.
    """
    return [
        f'{{"user_id": "{user_id(u)}", "item_id": "{item_id(i)}", "timestamp": {t}, '
        f'"device": "{DEVICES[d]}", "purchase": {p}, "rating": {r}}}'
        for u, i, t, d, p, r in zip(
            who.tolist(),
            what.tolist(),
            timestamps.tolist(),
            outcomes.device.tolist(),
            outcomes.purchase.tolist(),
            outcomes.rating.tolist(),
            strict=True,
        )
    ]


def write_items(path: pathlib.Path, catalogue: Catalogue, in_stock: np.ndarray) -> None:
    """The whole catalogue, items not chosen by anybody included; `in_stock` [items] is boolean."""
    categories = list(DEPARTMENTS)
    _write_rows(
        path,
        (
            {
                "item_id": item_id(i),
                "title": catalogue.titles[i],
                "category": categories[catalogue.category[i]],
                "tags": [TAGS[tag] for tag in catalogue.tags[i]],
                "price": float(catalogue.price[i]),
                "in_stock": bool(in_stock[i]),
            }
            for i in range(len(catalogue))
        ),
    )


def write_users(path: pathlib.Path, users: Users) -> None:
    """The whole user table."""
    rows = ({"user_id": user_id(u), "region": REGIONS[r]} for u, r in enumerate(users.region))
    _write_rows(path, rows)


def _write_rows(path: pathlib.Path, rows: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
