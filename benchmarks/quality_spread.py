"""Mean and spread of what several seeds gave."""

from collections.abc import Sequence


def over(result: Sequence[dict[str, float]]) -> dict[str, dict[str, float]]:
    """By metric: `mean`, `min` and `max` over the seeds. A metric must be there for every seed
    or for none: KeyError otherwise. No seed at all is a ValueError.
    """
    if not result:
        raise ValueError("expected what at least one seed gave, received nothing")
    names = list(dict.fromkeys(name for one in result for name in one))
    values = {name: [one[name] for one in result] for name in names}
    return {
        name: {"mean": sum(of) / len(of), "min": min(of), "max": max(of)}
        for name, of in values.items()
    }
