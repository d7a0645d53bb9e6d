"""A data set as the trainer receives it: after ingestion and both Transforms."""

import pathlib

from google.protobuf import text_format
from tfx import v1 as tfx
from tfx.dsl.components.base.base_node import BaseNode
from tfx.proto import transform_pb2

from benchmarks.quality.data import DataSet
from components.ingest import preflight
from components.ingest.fingerprint import compute_input_fingerprint
from components.interactions_gen import InteractionsGen
from components.items_gen import ItemsGen
from components.schema_gen import SchemaGen
from pipeline.config.config import Config
from pipeline.config.table_schemas import build_table_schema
from pipeline.metadata import RunMetadata
from schema import timeline
from trainer.data.training_data import TrainingData, TransformLocations, load_training_data


def prepare(data_set: DataSet, config: Config, root: pathlib.Path) -> TrainingData:
    """Runs a pipeline of those components under `root`; a second time TFX uses its cache there."""
    root.mkdir(parents=True, exist_ok=True)
    connection = tfx.orchestration.metadata.sqlite_metadata_connection_config(
        str(root / "metadata.sqlite")
    )
    pipeline = tfx.dsl.Pipeline(
        pipeline_name=config.name,
        pipeline_root=str(root / "artifacts"),
        components=_components(data_set, config, root),
        enable_cache=True,
        metadata_connection_config=connection,
        beam_pipeline_args=config.beam.pipeline_args,
    )
    tfx.orchestration.LocalDagRunner().run(pipeline)
    return load_training_data(_locations(root, config.name), config.dataset)


def _components(data_set: DataSet, config: Config, root: pathlib.Path) -> list[BaseNode]:
    preflight.check(config.dataset, str(data_set.data))
    source = {
        "dataset": config.dataset.model_dump_json(),
        "data_dir": str(data_set.data),
        "span": "",
        "rejected_dir": str(root / "rejected"),
        "fingerprint": compute_input_fingerprint(config.dataset, str(data_set.data)),
    }
    items, interactions = ItemsGen(**source), InteractionsGen(**source)
    return [
        items,
        interactions,
        *_transform("items", items, config, [timeline.CATALOGUE_SPLIT]),
        *_transform("interactions", interactions, config, list(timeline.SPLITS)),
    ]


def _transform(table: str, upstream: BaseNode, config: Config, splits: list[str]) -> list[BaseNode]:
    text = text_format.MessageToString(build_table_schema(config, table))
    schema = SchemaGen(text=text).with_id(f"SchemaGen.{table}")
    function = "preprocess_items" if table == "items" else "preprocess_timelines"
    transform = tfx.components.Transform(
        examples=upstream.outputs["examples"],
        schema=schema.outputs["schema"],
        preprocessing_fn=f"trainer.data.preprocessing.{function}",
        splits_config=transform_pb2.SplitsConfig(analyze=splits[:1], transform=splits),
        custom_config={"dataset": config.dataset.model_dump_json()},
        disable_statistics=True,
    ).with_id(f"Transform.{table}")
    return [schema, transform]


def _locations(root: pathlib.Path, name: str) -> TransformLocations:
    metadata = RunMetadata(root / "metadata.sqlite", name)
    uris = []
    for table in ("interactions", "items"):
        transform = metadata.find_latest_run(f"Transform.{table}")
        assert transform is not None, "the pipeline has run"
        uris += [transform.outputs[key].uri for key in ("transformed_examples", "transform_graph")]
    return TransformLocations(*uris)
