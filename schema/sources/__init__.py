"""Locations of the user's tables, and the roles of their columns."""

from schema.sources.base import SPAN, SPAN_PATTERN, Source
from schema.sources.data import Data
from schema.sources.interactions import InteractionsSource
from schema.sources.items import ItemsSource
from schema.sources.several_tables import LATER_TABLES, name_table
from schema.sources.time_options import TimeOptions
from schema.sources.users import UsersSource

__all__ = [
    "LATER_TABLES",
    "SPAN",
    "SPAN_PATTERN",
    "Data",
    "InteractionsSource",
    "ItemsSource",
    "Source",
    "TimeOptions",
    "UsersSource",
    "name_table",
]
