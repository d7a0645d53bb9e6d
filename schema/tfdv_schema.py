"""TFDV schemas of the two Examples artifacts: what the declarations imply, tightened by a
curated file.

A curated file is a text `Schema` proto that the configuration names (`[curated]`): one of its own,
or `schema/curated/<data set>.<table>.pbtxt` of a data set that Tandem has a configuration for. Its
features replace the implied ones of the same name (so it may add domains, ranges and thresholds of
drift and skew), and it may not name any other. Its string domains and dataset constraints are
applied too.
"""

import pathlib

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from schema import timeline
from schema.dataset import Dataset
from schema.errors import ConfigError
from schema.features import Feature

_TYPES = {
    "category": schema_pb2.BYTES,
    "set": schema_pb2.BYTES,
    "text": schema_pb2.BYTES,
    "number": schema_pb2.FLOAT,
    "timestamp": schema_pb2.INT,
    "vector": schema_pb2.FLOAT,
}


def build_interactions(dataset: Dataset) -> schema_pb2.Schema:
    """Schema of timeline Examples."""
    schema = schema_pb2.Schema(represent_variable_length_as_ragged=True)
    _add_feature(schema, timeline.USER_ID, schema_pb2.BYTES, scalar=True)
    _add_feature(schema, timeline.TARGET_FROM, schema_pb2.INT, scalar=True, minimum=0)
    _add_feature(schema, timeline.ITEM_IDS, schema_pb2.BYTES)
    _add_feature(schema, timeline.TIMESTAMPS, schema_pb2.INT, minimum=0)
    _add_feature(schema, timeline.POSITIVE, schema_pb2.INT, minimum=0, maximum=1)
    for name in dataset.labels.ranking:
        _add_feature(schema, timeline.name_label(name), schema_pb2.FLOAT)
    for name, feature in dataset.features.context.items():
        _add_feature(schema, timeline.name_context(name), _TYPES[feature.kind], required=False)
    for name, feature in dataset.features.users.items():
        _add_declared_feature(schema, timeline.name_user_feature(name), feature)
    return schema


def build_items(dataset: Dataset) -> schema_pb2.Schema:
    """Schema of catalogue Examples."""
    schema = schema_pb2.Schema(represent_variable_length_as_ragged=True)
    _add_feature(schema, timeline.ITEM_ID, schema_pb2.BYTES, scalar=True)
    _add_feature(schema, timeline.TITLE, schema_pb2.BYTES, required=False, most=1)
    if dataset.data.items.available is not None:
        _add_feature(schema, timeline.AVAILABLE, schema_pb2.INT, scalar=True, minimum=0, maximum=1)
    for name, feature in dataset.features.items.items():
        _add_declared_feature(schema, timeline.name_item_feature(name), feature)
    return schema


def apply_shipped(implied: schema_pb2.Schema, data_set: str, table: str) -> schema_pb2.Schema:
    """`implied`, tightened by the curated file that Tandem has for the data set; raises ConfigError
    as `apply_curated` does.
    """
    return apply_curated(
        implied, pathlib.Path(__file__).parent / "curated" / f"{data_set}.{table}.pbtxt"
    )


def apply_curated(implied: schema_pb2.Schema, path: pathlib.Path) -> schema_pb2.Schema:
    """`implied` with what the curated file at `path` says put in.

    Raises ConfigError where there is no such file, where it is no Schema, and where it names a
    feature that the data do not have.
    """
    rules = _parse(path)
    by_name = {feature.name: feature for feature in implied.feature}
    for feature in rules.feature:
        if feature.name not in by_name:
            raise ConfigError(
                f"{path} curates {feature.name!r}; expected one of {sorted(by_name)}; fix the name"
            )
        by_name[feature.name].CopyFrom(feature)
    implied.string_domain.extend(rules.string_domain)
    if rules.HasField("dataset_constraints"):
        implied.dataset_constraints.CopyFrom(rules.dataset_constraints)
    return implied


def _parse(path: pathlib.Path) -> schema_pb2.Schema:
    try:
        return text_format.Parse(path.read_text(encoding="utf-8"), schema_pb2.Schema())
    except OSError as error:
        raise ConfigError(
            f"expected a curated schema at {path}, received: {error.strerror}; fix [curated], or "
            "write one with `tandem schema infer`"
        ) from error
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}: expected a tensorflow_metadata Schema as text, received: {error}; fix it"
        ) from error


def _add_declared_feature(schema: schema_pb2.Schema, name: str, feature: Feature) -> None:
    if feature.kind == "vector":
        _add_feature(schema, name, schema_pb2.FLOAT, required=False, most=feature.size)
    else:
        most = None if feature.kind == "set" else 1
        _add_feature(schema, name, _TYPES[feature.kind], required=False, most=most)


def _add_feature(
    schema: schema_pb2.Schema,
    name: str,
    kind: "schema_pb2.FeatureType.ValueType",
    *,
    scalar: bool = False,
    required: bool = True,
    most: int | None = None,
    minimum: int | None = None,
    maximum: int | None = None,
) -> None:
    feature = schema.feature.add(name=name, type=kind)
    if scalar:
        feature.shape.SetInParent()
    elif most is not None:
        feature.value_count.max = most
    if scalar or required:
        feature.presence.min_fraction = 1.0
        feature.presence.min_count = 1
    if minimum is not None:
        feature.int_domain.min = minimum
    if maximum is not None:
        feature.int_domain.max = maximum
