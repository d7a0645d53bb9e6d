"""What each part of retrieval contributes: the same training and measurement without it."""

import json
import pathlib
from typing import Any, NamedTuple

from benchmarks.quality import cache, spread
from benchmarks.quality.runs import Seeds, in_own_process, print_progress
from pipeline.config.config import load_config
from schema.features import Feature


class Variant(NamedTuple):
    """Retrieval as configured, with these differences."""

    name: str
    overrides: tuple[str, ...] = ()
    """In the form of `tandem run --set`."""
    log_q: bool = True
    """Whether the loss is corrected for the probability that an item is in the batch."""
    without_accidental_hits: bool = True
    """Whether negatives equal to the positive are removed."""
    without_kinds: tuple[str, ...] = ()
    """Kinds of item features that are left out; `*` for all."""

    def features(self, declared: dict[str, Feature]) -> dict[str, Feature]:
        """The declared item features that this variant keeps."""
        if "*" in self.without_kinds:
            return {}
        return {n: f for n, f in declared.items() if f.kind not in self.without_kinds}


AS_CONFIGURED = Variant("as configured: + accidental hits removed")
_PLAIN: dict[str, Any] = {"log_q": False, "without_accidental_hits": False}
_IN_BATCH = "retrieval.uniform_negatives=0"
VARIANTS = (
    Variant("mean pooling, in-batch negatives", ("retrieval.history='mean'", _IN_BATCH), **_PLAIN),
    Variant(
        "attention, in-batch negatives", ("retrieval.history='attention'", _IN_BATCH), **_PLAIN
    ),
    Variant("+ uniform negatives", **_PLAIN),
    Variant("+ logQ correction", without_accidental_hits=False),
    AS_CONFIGURED,
    Variant("histories with attention", ("retrieval.history='attention'",)),
    Variant("histories without attention", ("retrieval.history='mean'",)),
    Variant("with user ids", ("retrieval.user_ids=true",)),
    Variant("one epoch of refit on train and valid", ("retrieval.refit_epochs=1",)),
    Variant("without the refit on train and valid", ("retrieval.refit_epochs=0",)),
    Variant("without the popularity prior", ("retrieval.popularity_prior=false",)),
    Variant("without text", without_kinds=("text",)),
    Variant("without any item feature", without_kinds=("*",)),
)


def find_variant(name: str) -> Variant:
    """The variant with this name."""
    return next(variant for variant in VARIANTS if variant.name == name)


def rows(seeds: Seeds, numbers: list[int]) -> list[dict[str, Any]]:
    """For each variant, in the order of VARIANTS, `name` and each metric over the seeds:
    `valid_ndcg@10` as reported by training, the others on test.

    All are trained on the output of the data stages of the first seed's run.
    """
    seeds.measure(numbers[0])
    variants = distinct(seeds.data_set.config, seeds.overrides)
    results = []
    for variant in variants:
        measured = [_measure(seeds, variant, number) for number in numbers]
        results.append({"name": variant.name, "measured": spread.summarise(measured)})
    return results


def distinct(toml: pathlib.Path, overrides: list[str]) -> list[Variant]:
    """The variants that differ from all before them under this configuration: "without text" is
    dropped if no text is declared.
    """
    values_by_name: dict[tuple[Any, ...], Variant] = {}
    for variant in VARIANTS:
        config = load_config(toml, [*overrides, *variant.overrides])
        retained = tuple(variant.features(config.features.items))
        loss = variant.log_q, variant.without_accidental_hits
        values_by_name.setdefault((config.model_dump_json(), retained, *loss), variant)
    return list(values_by_name.values())


def _measure(seeds: Seeds, variant: Variant, number: int) -> dict[str, float]:
    folder = seeds.root(number) / "quality" / "ablation"
    path = folder / f"{VARIANTS.index(variant)}-seed-{number}.json"
    key = {**seeds.cache_key(number), "variant": variant._asdict()}

    def measure() -> dict[str, float]:
        print_progress(f"{seeds.data_set.name}, seed {number}: {variant.name}")
        config = load_config(
            seeds.data_set.config, [*seeds.overrides, f"seed={number}", *variant.overrides]
        )
        output = in_own_process(
            "benchmarks.quality.variant", variant.name, config.model_dump_json(),
            str(seeds.root(number)), str(path.with_suffix("")),
        )  # fmt: skip
        document = json.loads(output.strip().rpartition("\n")[2])
        print_progress(", ".join(f"{name} {value:.4f}" for name, value in document.items()))
        return document

    return cache.load_or_make(path, key, measure)
