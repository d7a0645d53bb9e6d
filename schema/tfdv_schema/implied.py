"""TFDV schemas of the two Examples artifacts: the rules that the declared features imply."""

import dataclasses

from tensorflow_metadata.proto.v0 import schema_pb2

from schema import timeline
from schema.dataset import Dataset
from schema.features import Feature

_TYPES = {
    "category": schema_pb2.BYTES,
    "set": schema_pb2.BYTES,
    "text": schema_pb2.BYTES,
    "number": schema_pb2.FLOAT,
    "timestamp": schema_pb2.INT,
    "vector": schema_pb2.FLOAT,
}


@dataclasses.dataclass(frozen=True)
class _Constraints:
    """Limits on one feature's values."""

    scalar: bool = False
    """Whether each Example has exactly one value."""
    required: bool = True
    """Whether each Example has at least one value."""
    most: int | None = None
    """Largest number of values in an Example; ignored for a scalar."""
    minimum: int | None = None
    """Smallest integer."""
    maximum: int | None = None
    """Largest integer."""


_SCALAR = _Constraints(scalar=True)
_OPTIONAL = _Constraints(required=False)
_FLAG = _Constraints(minimum=0, maximum=1)
_SCALAR_FLAG = _Constraints(scalar=True, minimum=0, maximum=1)


def build_interactions(dataset: Dataset) -> schema_pb2.Schema:
    """Schema of timeline Examples."""
    schema = schema_pb2.Schema(represent_variable_length_as_ragged=True)
    _add_feature(schema, timeline.USER_ID, schema_pb2.BYTES, _SCALAR)
    target_from = _Constraints(scalar=True, minimum=0)
    _add_feature(schema, timeline.TARGET_FROM, schema_pb2.INT, target_from)
    _add_feature(schema, timeline.ITEM_IDS, schema_pb2.BYTES, _Constraints())
    _add_feature(schema, timeline.TIMESTAMPS, schema_pb2.INT, _Constraints(minimum=0))
    _add_feature(schema, timeline.POSITIVE, schema_pb2.INT, _FLAG)
    if dataset.data.has_impressions:
        _add_feature(schema, timeline.SHOWN, schema_pb2.BYTES, _OPTIONAL)
        _add_feature(schema, timeline.SHOWN_COUNTS, schema_pb2.INT, _Constraints(minimum=0))
    if dataset.labels.has_weights:
        _add_feature(schema, timeline.WEIGHT, schema_pb2.FLOAT, _Constraints())
    for name in dataset.labels.ranking:
        _add_feature(schema, timeline.name_label(name), schema_pb2.FLOAT, _Constraints())
    for name, feature in dataset.features.context.items():
        _add_feature(schema, timeline.name_context(name), _TYPES[feature.kind], _OPTIONAL)
    for name, feature in dataset.features.users.items():
        _add_declared_feature(schema, timeline.name_user_feature(name), feature)
    return schema


def build_items(dataset: Dataset) -> schema_pb2.Schema:
    """Schema of catalogue Examples."""
    schema = schema_pb2.Schema(represent_variable_length_as_ragged=True)
    _add_feature(schema, timeline.ITEM_ID, schema_pb2.BYTES, _SCALAR)
    title = _Constraints(required=False, most=1)
    _add_feature(schema, timeline.TITLE, schema_pb2.BYTES, title)
    if dataset.data.has_availability:
        _add_feature(schema, timeline.AVAILABLE, schema_pb2.INT, _SCALAR_FLAG)
    for name, feature in dataset.features.items.items():
        _add_declared_feature(schema, timeline.name_item_feature(name), feature)
    return schema


def _add_declared_feature(schema: schema_pb2.Schema, name: str, feature: Feature) -> None:
    most = None if feature.kind == "set" else 1
    if feature.kind == "vector":
        most = feature.size
    _add_feature(schema, name, _TYPES[feature.kind], _Constraints(required=False, most=most))


def _add_feature(
    schema: schema_pb2.Schema,
    name: str,
    kind: "schema_pb2.FeatureType.ValueType",
    constraints: _Constraints,
) -> None:
    feature = schema.feature.add(name=name, type=kind)
    if constraints.scalar:
        feature.shape.SetInParent()
    elif constraints.most is not None:
        feature.value_count.max = constraints.most
    if constraints.required:
        feature.presence.min_fraction = 1.0
        feature.presence.min_count = 1
    if constraints.minimum is not None:
        feature.int_domain.min = constraints.minimum
    if constraints.maximum is not None:
        feature.int_domain.max = constraints.maximum
