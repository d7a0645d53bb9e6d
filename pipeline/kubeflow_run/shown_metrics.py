"""The numbers of a run that KFP's pages show and hold beside those of other runs."""

import math
from collections.abc import Iterator, Mapping
from typing import Any


def of(summary: dict[str, Any]) -> dict[str, float]:
    """Quality of the final lists, of retrieval and of each baseline, the verdict, the pushed
    version (0 for none) and what was measured of the index.
    """
    retrieval, ranking = summary["retrieval"], summary["ranking"]
    lists = {"final lists": ranking, "retrieval": retrieval} | retrieval["baselines"]
    found = {
        f"{metric} of {name.replace('_', ' ')}": value
        for name, measured in lists.items()
        for metric, value in _numbers(measured)
        if "@" in metric
    }
    rules = summary["verdict"]["rules"]
    versions = [model["version"] for model in summary["servables"].values()]
    found["verdict: blessed"] = float(all(rule["passed"] for rule in rules))
    found["verdict: rules broken"] = float(sum(not rule["passed"] for rule in rules))
    found["verdict: pushed version"] = float(max(versions, default=0))
    return found | {f"index: {name}": value for name, value in _numbers(summary["index"])}


def _numbers(measured: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name, value in measured.items():
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            yield name, float(value)
