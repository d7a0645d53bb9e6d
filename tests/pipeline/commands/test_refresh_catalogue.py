"""The pushed version that a refresh starts from, and what the new version has of it."""

import pathlib

import numpy as np
import pytest

from pipeline.commands.refresh_catalogue import RefreshedCatalogue, open_base_version
from pipeline.commands.refresh_version import write_extra_files
from schema import refresh_inputs
from schema.candidates import Candidates, to_text_array
from schema.dataset import Dataset
from schema.errors import NoRunError, UsageError
from serving.versions.origin import get_extra_folder, read_origin
from tests.serving import planted_push
from tests.serving.planted_push import FORECAST, ORIGIN
from trainer.data.popularity_forecast import load_forecast

CANDIDATES = Candidates(
    item_ids=to_text_array([b"a"]),
    titles=to_text_array([b"a"]),
    vectors=np.zeros((1, 2), np.float32),
    log_popularity_at_test=np.zeros(1, np.float32),
    sample_queries=np.zeros((0, 2), np.float32),
)
TABLES = {"interactions": {"path": "events.csv"}, "items": {"path": "items.csv"}}


@pytest.fixture
def serving(tmp_path):
    """Version 4, with the inputs of a refresh and an empty candidate tower."""
    planted_push.push(tmp_path, 4, CANDIDATES, ORIGIN)
    uri = str(get_extra_folder(tmp_path, "4") / "candidates")
    recent = refresh_inputs.RECENT_EVENTS_SCHEMA.empty_table()
    refresh_inputs.save(Dataset.model_validate({"data": TABLES}), recent, uri)
    pathlib.Path(refresh_inputs.locate_tower(uri)).mkdir()
    return tmp_path


def test_a_refreshed_version_can_be_refreshed_again(serving, tmp_path):
    base = open_base_version(serving, "root")
    assert (base.version, base.forecast, base.origin) == ("4", FORECAST, ORIGIN)
    catalogue = RefreshedCatalogue(CANDIDATES, 0, 0, None, [])
    files = write_extra_files(catalogue, base, tmp_path / "new")
    uri = str(files["candidates"])
    assert load_forecast(uri) == FORECAST
    assert refresh_inputs.load_dataset(uri) == base.dataset
    assert read_origin(files["origin.json"]).refreshed_from == "4"


@pytest.mark.parametrize("name", ["popularity_forecast.json", "dataset.json"])
def test_a_version_of_an_older_tandem_is_named(serving, name):
    """Whatever its origin contains."""
    extra = get_extra_folder(serving, "4")
    (extra / "candidates" / name).unlink()
    (extra / "origin.json").write_text("{}")
    with pytest.raises(UsageError, match="pushed by an older Tandem; train and push again"):
        open_base_version(serving, "root")


def test_without_a_version_there_is_nothing_to_refresh(tmp_path):
    with pytest.raises(NoRunError, match="expected a pushed version to refresh in root/serving"):
        open_base_version(tmp_path, "root")
