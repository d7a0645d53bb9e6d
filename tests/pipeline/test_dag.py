"""Which components a change of the configuration runs again."""

import json

import tomli

from pipeline import dag, diagram
from pipeline.config.config import Config
from pipeline.config.run_parameters import RunLocations


def read_parameters(diversity):
    """Component -> its parameters, for this default diversity."""
    table = tomli.loads(diagram.CONFIG) | {"recommend": {"diversity": diversity}}
    pipeline = dag.build_pipeline(
        Config.model_validate(table), RunLocations.build("runs/shop", "logs"), ""
    )
    return {node.id: dict(node.exec_properties) for node in pipeline.components}


def test_another_default_diversity_trains_nothing_again():
    before, after = read_parameters(0.0), read_parameters(0.25)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"Evaluator", "Recommender", "InfraCheck"}
    dataset = json.loads(after["Evaluator"]["dataset"])
    assert dataset["recommend"]["diversity"] == 0.25
    assert json.loads(after["Recommender"]["recommend"])["diversity"] == 0.25
