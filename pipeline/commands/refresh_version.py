"""The version that a refresh pushes: written, asked, and put beside the others."""

import datetime
import pathlib
import shutil
from typing import Any

from pipeline.commands.refresh_catalogue import RefreshedCatalogue
from pipeline.refreshable import Refreshable
from pipeline.run_root import RunRoot
from schema import candidates as candidate_files
from schema import refresh_inputs
from schema.signatures import RANKING, RECOMMENDER, SERVABLES
from serving import deny_list, index_rebuild, infra_check, pushed_index
from serving.config import IndexConfig
from serving.graph import export
from serving.index import eligibility
from serving.versions import new_version, refresh
from serving.versions import origin as versions_origin


def write_models(
    catalogue: RefreshedCatalogue, pushed: Refreshable, config: IndexConfig, models: pathlib.Path
) -> dict[str, Any]:
    """Writes the three servables below `models`, and asks them; what was measured of the index."""
    candidates = catalogue.candidates
    denied = deny_list.ids(deny_list.read(config.deny_list))
    built, measured = index_rebuild.rebuild(
        candidates.vectors,
        eligibility.Eligibility.of(candidates, denied),
        candidates.sample_queries,
        config,
        pushed_index.read(pushed.model),
    )
    measured |= eligibility.left_out(candidates, denied)
    before = candidate_files.load_items(pushed.candidates_uri)["item_id"].combine_chunks()
    evaluated = pushed.origin.evaluated
    with refresh.told(pushed.model, before, candidates) as told:
        export.export(
            told.query,
            built.index,
            told.ranking,
            candidates,
            evaluated.ranking_candidates,
            evaluated.order == RANKING,
            str(models),
        )
    pushed_index.write(measured, models / RECOMMENDER)
    infra_check.check(models, frozenset(candidates.item_ids.to_pylist()))
    return measured


def write_beside(
    catalogue: RefreshedCatalogue, pushed: Refreshable, folder: pathlib.Path
) -> dict[str, pathlib.Path]:
    """What goes with the version: its candidates, with what the next refresh takes, and origin."""
    kept = folder / versions_origin.CANDIDATES
    shutil.copytree(
        refresh_inputs.locate_tower(pushed.candidates_uri), refresh_inputs.locate_tower(str(kept))
    )
    weights = refresh_inputs.locate_weights(pushed.candidates_uri)
    if pathlib.Path(weights).exists():
        shutil.copytree(weights, refresh_inputs.locate_weights(str(kept)))
    candidate_files.save(catalogue.candidates, str(kept))
    present = catalogue.present
    recent = present.recent if present else refresh_inputs.load_recent(pushed.candidates_uri)
    refresh_inputs.save(pushed.dataset, recent, str(kept))
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    changed = {"pushed_at": now, "refreshed_from": pushed.version}
    origin = folder / versions_origin.ORIGIN
    versions_origin.write(pushed.origin.model_copy(update=changed), origin)
    return {versions_origin.CANDIDATES: kept, versions_origin.ORIGIN: origin}


def push(at: RunRoot, models: pathlib.Path, extra: dict[str, pathlib.Path]) -> dict[str, str]:
    """Makes the servables below `models` the next version; the folder or URL of each by name."""
    found = {name: models / name for name in SERVABLES}
    files = {f"{versions_origin.EXTRA}/{name}": path for name, path in extra.items()}
    serving = f"{at.uri}/{at.serving.name}" if at.uri else str(at.serving)
    return new_version.push(found, serving, {RECOMMENDER: files})
