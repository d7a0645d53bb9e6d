"""Curated schemas, which tighten the implied ones.

A curated file is a text `Schema` proto that the configuration names in `[curated]`: the user's own
file, or `schema/curated/<data set>.<table>.pbtxt` for a data set that Tandem ships a configuration
for. Its features replace the implied ones of the same name (so it can add domains, ranges and
thresholds of drift and skew); it must not name any other feature. Its string domains and dataset
constraints are applied too.
"""

import pathlib

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from schema.errors import ConfigError

_SHIPPED = pathlib.Path(__file__).parents[1] / "curated"


def apply_shipped(implied: schema_pb2.Schema, data_set: str, table: str) -> schema_pb2.Schema:
    """Returns `implied`, tightened by the curated file that Tandem ships for the data set; raises
    ConfigError as `apply_curated` does.
    """
    return apply_curated(implied, _SHIPPED / f"{data_set}.{table}.pbtxt")


def apply_curated(implied: schema_pb2.Schema, path: pathlib.Path) -> schema_pb2.Schema:
    """Applies the curated file at `path` to `implied`, in place, and returns it.

    Raises ConfigError if there is no such file, if it is not a Schema, or if it names a feature
    that the data do not have.
    """
    rules = _parse(path)
    by_name = {feature.name: feature for feature in implied.feature}
    for feature in rules.feature:
        if feature.name not in by_name:
            raise ConfigError(
                f"{path}: expected features among {sorted(by_name)}, received {feature.name!r}; "
                "fix the name"
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
