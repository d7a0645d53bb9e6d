"""The catalogue: popularity by Zipf's law, life curves, and words that reveal part of the taste.

An item's life curve is the trend term of its utility: it starts at its birth, rises and falls.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.simulator.vocabulary import DEPARTMENTS, STYLES, TAGS
from pipeline.simulator.world import DAYS, LATE, draw_directions, normalise_rows

ZIPF_EXPONENT = 0.8
TAGS_PER_ITEM = 3
IN_STOCK = 0.97
_NOUN_WEIGHT, _MATERIAL_WEIGHT, _STYLE_WEIGHT, _HIDDEN_WEIGHT = 0.5, 0.35, 0.5, 0.5
_MAX_WORDS = 6
FOUNDING_SHARE = 0.55
"""Share of the catalogue that exists when the period begins."""
NEW_SHARE = 0.18
"""Share of the catalogue born in the last fifth of the period."""
MAX_AGE_DAYS = 300


@dataclass(frozen=True)
class LifeCurves:
    """One curve per item; every array is [items]."""

    birth: np.ndarray
    """Day of birth, an integer; negative when before the period."""
    lag: np.ndarray
    """Days from birth to the peak."""
    height: np.ndarray
    """Utility at the peak."""

    def compute_trend(self, day: int) -> np.ndarray:
        """Utility that each item's age adds at noon of `day`, [items]; -inf before its birth.

        height · (age/lag) · exp(1 - age/lag): 0 at birth, `height` at age = lag, back to 0 with
        age, the shape of a gamma density of order 2.
        """
        age = (day + 0.5 - self.birth) / self.lag
        return np.where(age > 0, self.height * age * np.exp(1 - np.maximum(age, 0)), -np.inf)


@dataclass(frozen=True)
class Catalogue:
    """Item i is row i of every field."""

    taste: np.ndarray
    """[items, DIMENSIONS] unit vectors."""
    popularity: np.ndarray
    """[items] share of the choices that the item would get if taste and trend were equal."""
    life: LifeCurves
    """Birth and trend."""
    quality: np.ndarray
    """[items] standard normal; moves ratings, not choices."""
    price: np.ndarray
    """[items] in the shop's currency, two decimals."""
    category: np.ndarray
    """[items] index into DEPARTMENTS."""
    titles: list[str]
    """[items] style, material, noun."""
    tags: np.ndarray
    """[items, TAGS_PER_ITEM] indices into TAGS, distinct within a row."""
    category_taste: np.ndarray
    """[categories, DIMENSIONS] the direction of each category."""

    def __len__(self) -> int:
        return len(self.titles)


def compute_zipf_shares(items: int, exponent: float = ZIPF_EXPONENT) -> np.ndarray:
    """Shares of ranks 1 … `items`, proportional to rank ** -exponent (Zipf 1949), sum 1."""
    weight = np.arange(1, items + 1, dtype=np.float64) ** -exponent
    return weight / weight.sum()


def draw_catalogue(rng: np.random.Generator, items: int) -> Catalogue:
    """Draws titles, tags and categories first; they determine most of an item's taste.

    taste = unit(category + noun + material + style + a hidden rest), each with its own direction,
    so that a model that reads text can embed an item that no user has chosen yet.
    """
    centre = draw_directions(rng, len(DEPARTMENTS))
    category = rng.integers(len(DEPARTMENTS), size=items)
    nouns, materials, styles = (rng.integers(size, size=items) for size in _count_words())
    taste = normalise_rows(
        centre[category]
        + _NOUN_WEIGHT * _draw_category_directions(rng)[category, nouns]
        + _MATERIAL_WEIGHT * _draw_category_directions(rng)[category, materials]
        + _STYLE_WEIGHT * draw_directions(rng, len(STYLES))[styles]
        + _HIDDEN_WEIGHT * draw_directions(rng, items)
    )
    return Catalogue(
        taste=taste,
        popularity=rng.permutation(compute_zipf_shares(items)),
        life=draw_life_curves(rng, items),
        quality=rng.standard_normal(items),
        price=_draw_prices(rng, category),
        category=category,
        titles=_make_titles(category, nouns, materials, styles),
        tags=_draw_tags(rng, taste),
        category_taste=centre,
    )


def draw_stock(rng: np.random.Generator, items: int) -> np.ndarray:
    """[items] bool: in stock at the end of the log. Choices do not depend on it."""
    return rng.random(items) < IN_STOCK


def _count_words() -> tuple[int, int, int]:
    department = next(iter(DEPARTMENTS.values()))
    return len(department.nouns), len(department.materials), len(STYLES)


def _draw_category_directions(rng: np.random.Generator) -> np.ndarray:
    flat = draw_directions(rng, len(DEPARTMENTS) * _MAX_WORDS)
    return flat.reshape(len(DEPARTMENTS), _MAX_WORDS, -1)


def _draw_prices(rng: np.random.Generator, category: np.ndarray) -> np.ndarray:
    level = rng.uniform(2.5, 4.5, size=len(DEPARTMENTS))
    return np.round(np.exp(level[category] + 0.5 * rng.standard_normal(len(category))), 2)


def _draw_tags(rng: np.random.Generator, taste: np.ndarray) -> np.ndarray:
    """The tags whose directions lie nearest to the item, some noise added."""
    nearness = taste @ draw_directions(rng, len(TAGS)).T
    nearness += 0.25 * rng.standard_normal(nearness.shape)
    return np.argsort(-nearness, axis=1, kind="stable")[:, :TAGS_PER_ITEM]


def _make_titles(
    category: np.ndarray, nouns: np.ndarray, materials: np.ndarray, styles: np.ndarray
) -> list[str]:
    departments = list(DEPARTMENTS.values())
    return [
        f"{STYLES[style]} {departments[c].materials[material]} {departments[c].nouns[noun]}"
        for c, noun, material, style in zip(
            category.tolist(), nouns.tolist(), materials.tolist(), styles.tolist(), strict=True
        )
    ]


def draw_life_curves(rng: np.random.Generator, items: int) -> LifeCurves:
    """Life curves in random order, FOUNDING_SHARE of the items born before the period."""
    late_day = int(LATE * DAYS)
    old, new = int(np.ceil(FOUNDING_SHARE * items)), int(np.ceil(NEW_SHARE * items))
    middle = max(items - old - new, 0)
    births = np.concatenate(
        [
            rng.integers(-MAX_AGE_DAYS, 0, size=old),
            rng.integers(0, late_day, size=middle),
            rng.integers(late_day, DAYS, size=items - old - middle),
        ]
    )
    return LifeCurves(
        birth=rng.permutation(births),
        lag=rng.uniform(4.0, 40.0, size=items),
        height=rng.gamma(2.0, 0.8, size=items),
    )
