"""Which components a change of the configuration runs again."""

import json

import tomli

from pipeline import dag, diagram
from pipeline.config.config import Config
from pipeline.config.run_parameters import RunLocations


def read_parameters(**recommend):
    """Component -> its parameters, for these keys of `recommend`."""
    table = tomli.loads(diagram.CONFIG) | {"recommend": recommend}
    table["features"] = {"items": {"genres": {"kind": "set"}}}
    table["data"]["items"]["filter"] = "genres"
    pipeline = dag.build_pipeline(
        Config.model_validate(table), RunLocations.build("runs/shop", "logs"), ""
    )
    return {node.id: dict(node.exec_properties) for node in pipeline.components}


def test_another_order_of_lists_trains_nothing_again():
    before, after = read_parameters(), read_parameters(diversity=0.25, calibration=0.5)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"Evaluator", "Recommender", "InfraCheck"}
    dataset = json.loads(after["Evaluator"]["dataset"])
    for received in (dataset["recommend"], json.loads(after["Recommender"]["recommend"])):
        assert (received["diversity"], received["calibration"]) == (0.25, 0.5)
