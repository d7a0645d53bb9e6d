"""TFX component: TFX's Tuner for the retrieval stage."""

import json
from typing import Any

from tfx import types
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner import executor as tuner_executor
from tfx.components.tuner.component import TunerFnResult
from tfx.dsl.components.base import base_component, executor_spec
from tfx.dsl.io import fileio
from tfx.proto import trainer_pb2
from tfx.types import artifact_utils, component_spec, standard_artifacts
from tfx.types import standard_component_specs as standard
from tfx.utils import json_utils

from components.artifacts.local_copies import LocalCopiesMixin
from schema import timeline
from schema.dataset import Dataset
from schema.storage import plain_path
from trainer.config.models import RetrievalConfig, TrainerConfig
from trainer.config.tuning import TuneConfig
from trainer.data.training_data import TransformLocations, load_training_data
from trainer.retrieval.tuning import OBJECTIVE, RetrievalSearch, TrialRecords, create_trial_training
from trainer.training.distribution import create_hardware

ITEMS, ITEMS_GRAPH = "items", "items_graph"


class TunerSpec(standard.TunerSpec):
    """TFX's specification, plus the catalogue, for which TFX's Tuner has no input."""

    INPUTS = {
        **standard.TunerSpec.INPUTS,
        ITEMS: component_spec.ChannelParameter(type=standard_artifacts.Examples),
        ITEMS_GRAPH: component_spec.ChannelParameter(type=standard_artifacts.TransformGraph),
    }


class _SearchExecutor(tuner_executor.Executor):
    """TFX's executor passes only its own inputs to `tuner_fn`; this one passes the URIs of the
    other artifacts as parameters.
    """

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Searches by `tuner_fn` and writes both outputs."""
        keys = (standard.EXAMPLES_KEY, standard.TRANSFORM_GRAPH_KEY, ITEMS, ITEMS_GRAPH)
        uris = [artifact_utils.get_single_uri(input_dict[key]) for key in keys]
        settings = json_utils.loads(exec_properties[standard.CUSTOM_CONFIG_KEY]) | {"uris": uris}
        super().Do(
            input_dict,
            output_dict,
            exec_properties | {standard.CUSTOM_CONFIG_KEY: json_utils.dumps(settings)},
        )


class Executor(LocalCopiesMixin, _SearchExecutor):
    """The same, with local copies of the artifacts."""


class RetrievalTuner(base_component.BaseComponent):
    """Searches the ranges of TuneConfig; the outputs are those of TFX's Tuner."""

    SPEC_CLASS = TunerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        timelines: types.BaseChannel,
        timelines_graph: types.BaseChannel,
        items: types.BaseChannel,
        items_graph: types.BaseChannel,
        dataset: str,
        settings: dict[str, Any],
    ):
        """Declares the component.

        Args:
            timelines: Transformed timelines.
            timelines_graph: Transform graph of the timelines.
            items: Transformed catalogue.
            items_graph: Transform graph of the catalogue.
            dataset: JSON of `schema.dataset.Dataset`.
            settings: `config`, `hardware` and `tune`, the JSON of RetrievalConfig, TrainerConfig
                and TuneConfig; `seed`; `records`, the folder from which an interrupted search
                resumes; `checkpoints`, the same for a trial; `tensorboard`, the folder of logs.
        """
        train, valid, _ = timeline.SPLITS
        super().__init__(
            TunerSpec(
                examples=timelines,
                transform_graph=timelines_graph,
                items=items,
                items_graph=items_graph,
                tuner_fn=f"{__name__}.tuner_fn",
                train_args=trainer_pb2.TrainArgs(splits=[train]),
                eval_args=trainer_pb2.EvalArgs(splits=[valid]),
                custom_config=json_utils.dumps(settings | {"dataset": dataset}),
                best_hyperparameters=types.Channel(type=standard_artifacts.HyperParameters),
                tuner_results=types.Channel(type=standard_artifacts.TunerResults),
            )
        )


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """Builds the search; TFX's executor calls it."""
    settings = fn_args.custom_config
    data = load_training_data(
        TransformLocations(*settings["uris"]), Dataset.model_validate_json(settings["dataset"])
    )
    train = create_trial_training(
        data,
        settings["seed"],
        settings["tensorboard"],
        settings["checkpoints"],
        create_hardware(TrainerConfig.model_validate_json(settings["hardware"])),
    )
    tuner = RetrievalSearch(
        RetrievalConfig.model_validate_json(settings["config"]),
        TuneConfig.model_validate_json(settings["tune"]),
        settings["seed"],
        train,
        TrialRecords(settings["records"]),
        plain_path.link(fn_args.working_dir),
    )
    return TunerFnResult(tuner=tuner, fit_kwargs={})


def read_results(uri: str) -> list[dict[str, Any]]:
    """Reads the completed trials, best first: `trial` (from 1), the objective, and `retrieval`, the
    hyperparameters. `uri` is that of the tuner_results artifact.
    """
    with fileio.open(f"{uri}/tuner_results.json") as file:
        rows: list[dict[str, Any]] = json.load(file)
    return [
        {
            "trial": int(row.pop("trial_id")) + 1,
            OBJECTIVE: row.pop("score"),
            "retrieval": row,
        }
        for row in rows
    ]
