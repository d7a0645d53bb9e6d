"""The catalogue: popularity by Zipf's law, and words that reveal part of an item's taste vector."""

from dataclasses import dataclass

import numpy as np

from pipeline.simulator.trends import LifeCurves, draw_life_curves
from pipeline.simulator.vocabulary import DEPARTMENTS, STYLES, TAGS
from pipeline.simulator.world import draw_directions, unit

ZIPF_EXPONENT = 0.8
TAGS_AN_ITEM = 3
IN_STOCK = 0.97
_NOUN, _MATERIAL, _STYLE, _HIDDEN = 0.5, 0.35, 0.5, 0.5
_LONGEST = 6


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
    """[items] index into `words.DEPARTMENTS`."""
    titles: list[str]
    """[items] style, material, noun."""
    tags: np.ndarray
    """[items, TAGS_AN_ITEM] indices into `words.TAGS`, different within a row."""
    category_taste: np.ndarray
    """[categories, DIMENSIONS] the direction of each category."""

    def __len__(self) -> int:
        return len(self.titles)


def zipf(items: int, exponent: float = ZIPF_EXPONENT) -> np.ndarray:
    """Shares of ranks 1 … `items`, proportional to rank ** -exponent (Zipf 1949), sum 1."""
    weight = np.arange(1, items + 1, dtype=np.float64) ** -exponent
    return weight / weight.sum()


def draw_catalogue(rng: np.random.Generator, items: int) -> Catalogue:
    """`items` items whose titles, tags and categories are drawn first and make most of the taste.

    taste = unit(category + noun + material + style + a hidden rest), each with its own direction,
    so a model that reads text can place an item that nobody has chosen yet.
    """
    centre = draw_directions(rng, len(DEPARTMENTS))
    category = rng.integers(len(DEPARTMENTS), size=items)
    nouns, materials, styles = (rng.integers(size, size=items) for size in _word_counts())
    taste = unit(
        centre[category]
        + _NOUN * _directions_by_category(rng)[category, nouns]
        + _MATERIAL * _directions_by_category(rng)[category, materials]
        + _STYLE * draw_directions(rng, len(STYLES))[styles]
        + _HIDDEN * draw_directions(rng, items)
    )
    return Catalogue(
        taste=taste,
        popularity=rng.permutation(zipf(items)),
        life=draw_life_curves(rng, items),
        quality=rng.standard_normal(items),
        price=_draw_prices(rng, category),
        category=category,
        titles=_titles(category, nouns, materials, styles),
        tags=_draw_tags(rng, taste),
        category_taste=centre,
    )


def draw_stock(rng: np.random.Generator, items: int) -> np.ndarray:
    """[items] bool: what the shop has at the end of the log. It has no part in who chose what."""
    return rng.random(items) < IN_STOCK


def _word_counts() -> tuple[int, int, int]:
    department = next(iter(DEPARTMENTS.values()))
    return len(department.nouns), len(department.materials), len(STYLES)


def _directions_by_category(rng: np.random.Generator) -> np.ndarray:
    flat = draw_directions(rng, len(DEPARTMENTS) * _LONGEST)
    return flat.reshape(len(DEPARTMENTS), _LONGEST, -1)


def _draw_prices(rng: np.random.Generator, category: np.ndarray) -> np.ndarray:
    level = rng.uniform(2.5, 4.5, size=len(DEPARTMENTS))
    return np.round(np.exp(level[category] + 0.5 * rng.standard_normal(len(category))), 2)


def _draw_tags(rng: np.random.Generator, taste: np.ndarray) -> np.ndarray:
    """The tags whose directions lie nearest to the item, some noise added."""
    nearness = taste @ draw_directions(rng, len(TAGS)).T
    nearness += 0.25 * rng.standard_normal(nearness.shape)
    return np.argsort(-nearness, axis=1, kind="stable")[:, :TAGS_AN_ITEM]


def _titles(
    category: np.ndarray, nouns: np.ndarray, materials: np.ndarray, styles: np.ndarray
) -> list[str]:
    departments = list(DEPARTMENTS.values())
    return [
        f"{STYLES[style]} {departments[c].materials[material]} {departments[c].nouns[noun]}"
        for c, noun, material, style in zip(
            category.tolist(), nouns.tolist(), materials.tolist(), styles.tolist(), strict=True
        )
    ]
