"""docs/pipeline.svg shows the DAG."""

import pathlib
import re

import pytest
import tomli

from pipeline import dag, diagram
from pipeline.config.config import Config
from pipeline.config.run_parameters import RunLocations

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def nodes():
    config = Config.model_validate(tomli.loads(diagram.CONFIG))
    return dag.build_pipeline(config, RunLocations.build("runs/shop", "logs"), "").components


def test_the_committed_picture_is_current(tmp_path):
    diagram.main(str(tmp_path / "pipeline.svg"))
    committed = (ROOT / "docs/pipeline.svg").read_text(encoding="utf-8")
    assert (tmp_path / "pipeline.svg").read_text(encoding="utf-8") == committed


def test_it_has_exactly_the_components_of_the_dag(nodes):
    committed = (ROOT / "docs/pipeline.svg").read_text(encoding="utf-8")
    drawn = re.findall(
        r'<rect class="(?:stage|gate)"[^>]*/>\n<text class="name"[^>]*>(.*?)<', committed
    )
    assert sorted(drawn) == sorted(node.id for node in nodes)
    assert set(diagram.STAGES) == set(drawn)


def test_indirect_dependencies_are_left_out(nodes):
    by_id = {node.id: node for node in nodes}
    direct = diagram.find_direct_dependencies
    assert direct(by_id, "Transform.items") == ["DataGate"]
    assert direct(by_id, "Recommender") == ["Indexer", "RankingTrainer"]
    assert direct(by_id, "Pusher") == ["Evaluator", "InfraCheck"]


def test_an_unknown_component_is_refused(nodes, monkeypatch):
    monkeypatch.delitem(diagram.STAGES, "Indexer")
    with pytest.raises(KeyError, match="Indexer"):
        diagram.render(nodes)
