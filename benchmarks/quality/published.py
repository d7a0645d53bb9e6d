"""Published results with their sources, and the targets."""

from typing import Any, NamedTuple

from benchmarks.quality.data import BEAUTY, ML_1M, MOVIETWEETINGS

MEASURED = "measured with the same referee, README of the public data sets"
ESASREC = "eSASRec paper (Tikhonovich et al., RecSys 2025)"
CROSS_ENTROPY = "Turning Dross Into Gold Loss (Klenitskiy and Vasilev, RecSys 2023)"


class Peer(NamedTuple):
    """Metrics of one method, None where its source has none."""

    method: str
    source: str
    metrics: dict[str, float]
    """By the referee's names; metrics that a source does not report are absent."""


def _movietweetings(method: str, *values: float) -> Peer:
    names = ("recall@10", "ndcg@10", "recall@100", "coverage@10", "new_items_recall@100")
    return Peer(method, MEASURED, dict(zip(names, values, strict=True)))


def _sequential(method: str, source: str, *values: float) -> Peer:
    """Recall@10 and NDCG@10, and optionally Recall@100."""
    return Peer(
        method, source, dict(zip(("recall@10", "ndcg@10", "recall@100"), values, strict=False))
    )


PEERS: dict[str, tuple[Peer, ...]] = {
    MOVIETWEETINGS: (
        _movietweetings("implicit ALS 64", 0.1068, 0.0631, 0.3363, 0.052, 0.0),
        _movietweetings("implicit BPR 64", 0.0752, 0.0462, 0.2343, 0.333, 0.0),
        _movietweetings("implicit cosine item-kNN", 0.1032, 0.0642, 0.3365, 0.342, 0.0),
        _movietweetings(
            "decayed popularity, half-life 3 days", 0.1838, 0.1231, 0.4562, 0.003, 0.0
        ),
        _movietweetings(
            "item-kNN + log decayed popularity, best of a sweep per column",
            0.1899, 0.1238, 0.4685, 0.004, 0.0,
        ),
        _movietweetings(
            "ALS + log decayed popularity, best of a sweep per column",
            0.1878, 0.1217, 0.4611, 0.009, 0.0,
        ),
    ),
    BEAUTY: (
        _sequential("implicit ALS 256 (reg 10, alpha 10)", MEASURED, 0.0706, 0.0372, 0.2075),
        _sequential("implicit BM25 item-kNN 200", MEASURED, 0.0674, 0.0390, 0.1780),
        _sequential("TIGER", "TIGER paper (Rajput et al., NeurIPS 2023)", 0.0648, 0.0384),
        _sequential("ActionPiece", "ActionPiece paper (Hou et al., ICML 2025)", 0.0775, 0.0424),
        _sequential("HSTU", f"re-run in the {ESASREC}", 0.0788, 0.0439),
        _sequential("SASRec + sampled softmax", ESASREC, 0.0921, 0.0531),
        _sequential("eSASRec", ESASREC, 0.0928, 0.0523),
    ),
    ML_1M: (
        _sequential("SASRec + cross entropy", CROSS_ENTROPY, 0.3152, 0.1821),
        _sequential("HSTU-large", "HSTU paper (Zhai et al., ICML 2024)", 0.3294, 0.1893),
        _sequential("eSASRec", ESASREC, 0.3133, 0.1772),
    ),
}  # fmt: skip

TARGETS: dict[str, dict[str, float]] = {
    MOVIETWEETINGS: {
        "recall@10": 0.198,
        "ndcg@10": 0.130,
        "recall@100": 0.480,
        "coverage@10": 0.01,
        "new_items_recall@100": 0.02,
    },
    BEAUTY: {"recall@10": 0.0921, "ndcg@10": 0.0531},
    ML_1M: {"recall@10": 0.3294, "ndcg@10": 0.1893},
}
"""Minimum means over the seeds; one model must reach all targets of a data set at once."""


def verdicts(
    targets: dict[str, float], measured: dict[str, dict[str, float]]
) -> dict[str, dict[str, Any]]:
    """By metric: `target`, the `mean` over seeds and whether it is `met`. `measured` is the result
    of `spread.summarise`; a target without a measurement is not met.
    """
    values_by_name = {}
    for name, least in targets.items():
        mean = measured[name]["mean"] if name in measured else None
        values_by_name[name] = {
            "target": least,
            "mean": mean,
            "met": mean is not None and mean >= least,
        }
    return values_by_name


def met(targets: dict[str, float], measured: dict[str, dict[str, float]]) -> bool | None:
    """Whether all targets are met; None if the data set has none."""
    result = verdicts(targets, measured).values()
    return all(verdict["met"] for verdict in result) if targets else None
