"""The TFDV schema of each table, from the configuration."""

import pathlib

from tensorflow_metadata.proto.v0 import schema_pb2

from pipeline.config.config import Config
from schema import tfdv_schema


def build_table_schema(config: Config, table: str) -> schema_pb2.Schema:
    """The schema that follows from the declared features, restricted by the file that `[curated]`
    names for the table, or else by the shipped schema that it names. Features that neither has get
    default comparators of drift. Raises ConfigError for a file
    that does not fit the declarations.
    """
    named = getattr(config.curated, table)
    schema = derive_table_schema(config, table)
    if config.curated.default_drift:
        tfdv_schema.add_default_drift(schema, config.dataset)
    if named is not None:
        return tfdv_schema.apply_curated(schema, pathlib.Path(named))
    if config.curated.shipped is not None:
        return tfdv_schema.apply_shipped(schema, config.curated.shipped, table)
    return schema


def derive_table_schema(config: Config, table: str) -> schema_pb2.Schema:
    """The schema that follows from the declared features, without a curated file."""
    build = {"interactions": tfdv_schema.build_interactions, "items": tfdv_schema.build_items}
    return build[table](config.dataset)
