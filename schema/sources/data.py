"""All tables, and limits for errors in them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field, model_validator
from typing_extensions import Self

from schema.base import StrictModel
from schema.sources.base import Source
from schema.sources.interactions import InteractionsSource
from schema.sources.items import ItemsSource
from schema.sources.several_tables import LATER_TABLES, LaterTables, divide_tables, name_table
from schema.sources.users import UsersSource
from schema.user_ids import UserIdKey


class Data(StrictModel):
    """The user's tables, and limits for errors in them."""

    interactions: InteractionsSource
    """The event log; its first table, with the rules of all."""
    items: ItemsSource | None = None
    """Without this section there is no catalogue: the items are those of the events, by their ids
    alone, and `tandem refresh` has nothing to read them from."""
    users: UsersSource | None = None
    """Users described in several files are several tables, `[[data.users]]`: the first has all
    users, later ones add columns, by the rules of `[[data.items]]`."""
    later_tables: LaterTables = LaterTables()
    """Tables after the first of each kind; `[[data.interactions]]` fills it."""
    hash_user_ids: UserIdKey | None = None
    """Key for hashing user ids; if absent, user ids are not hashed."""
    max_rejected_fraction: Annotated[float, Field(ge=0, le=1)] = 0.01
    """If the fraction of rejected records of any table exceeds this, the run stops with exit code
    3. A record whose id, time or `available` is malformed is rejected. A malformed feature, label
    or title counts as missing; such values are counted by key, and the run stops with exit code 3
    if all values of a key are malformed."""
    min_known_items: Annotated[float, Field(ge=0, le=1)] = 0.5
    """If the share of events whose item is in the catalogue is below this, the run stops with exit
    code 3; the error shows example ids of both tables and why they may differ. Ids are compared
    character by character: `8` is neither `8.0` nor `08` nor ` 8`. The final output of every run
    shows the share."""
    min_known_users: Annotated[float, Field(ge=0, le=1)] = 0.5
    """The same for the log's users and the user table, if there is one; set it to 0 for a table
    that covers few users."""
    events_per_example: Annotated[int, Field(ge=2)] = 1024
    """Maximum number of a timeline's events that belong to one Example."""
    history_per_example: Annotated[int, Field(ge=1)] = 1024
    """Maximum number of earlier events that an Example repeats as history."""

    @model_validator(mode="before")
    @classmethod
    def _divide_tables(cls, values: Any) -> Any:
        return divide_tables(values) if isinstance(values, dict) else values

    @model_validator(mode="after")
    def _reject_event_formats(self) -> "Data":
        for name, source in self.list_tables():
            is_log = isinstance(source, InteractionsSource)
            if source.format in ("sequences", "lists", "npz") and not is_log:
                raise ValueError(f'format = "{source.format}" is for events, not for data.{name}')
            if source.format == "sequences" and self.later_tables.interactions:
                raise ValueError(
                    'format = "sequences" is for data.interactions with one table, not for '
                    f"data.{name}"
                )
        return self

    @model_validator(mode="after")
    def _require_catalogue(self) -> "Data":
        if self.items is None and self.interactions.unknown_item != "keep":
            raise ValueError(
                f"unknown_item = {self.interactions.unknown_item!r} expects a [data.items] table, "
                "received none; add the table or remove the key"
            )
        return self

    @property
    def event_tables(self) -> list[InteractionsSource]:
        """The tables of the event log."""
        return [self.interactions, *self.later_tables.interactions]

    @property
    def has_impressions(self) -> bool:
        """Whether a table of the log has items that were shown and not clicked."""
        return any(table.impressions is not None for table in self.event_tables)

    @property
    def has_earlier_histories(self) -> bool:
        """Whether a table of the log has items from before it."""
        return any(table.history is not None for table in self.event_tables)

    @property
    def item_tables(self) -> list[ItemsSource]:
        """The tables of the catalogue; empty if there is none."""
        return [] if self.items is None else [self.items, *self.later_tables.items]

    @property
    def has_availability(self) -> bool:
        """Whether a table of the catalogue marks the items that may be recommended."""
        return any(table.available is not None for table in self.item_tables)

    @property
    def needs_test_cut(self) -> bool:
        """Whether a table of the catalogue is read as of the beginning of the test split."""
        return any(
            table.properties is not None and table.properties.as_of is None
            for table in self.item_tables
        )

    @property
    def items_filter(self) -> str | None:
        """Name of the item feature by which requests can filter."""
        return None if self.items is None else self.items.filter

    @property
    def user_tables(self) -> list[UsersSource]:
        """The user tables; empty if there is none."""
        return [] if self.users is None else [self.users, *self.later_tables.users]

    def get_tables(self, kind: str) -> Sequence[Source]:
        """Returns the tables of a kind: interactions, items or users."""
        return {
            "interactions": self.event_tables,
            "items": self.item_tables,
            "users": self.user_tables,
        }[kind]

    def list_tables(self) -> list[tuple[str, Source]]:
        """Returns all tables with their names."""
        return [
            (name_table(kind, number), table)
            for kind in LaterTables.model_fields
            for number, table in enumerate(self.get_tables(kind))
        ]

    def select_span(self, span: str) -> Self:
        """Returns a copy in which every table with a `{SPAN}` path reads `span`.

        Raises ValueError if `span` is malformed.
        """
        return self.replace_tables(
            {
                kind: [table.select_span(span) for table in self.get_tables(kind)]
                for kind in LaterTables.model_fields
            }
        )

    def replace_tables(self, tables: Mapping[str, Sequence[Source]]) -> Self:
        """Returns a copy with other tables of some kinds; none of a kind is None or absent."""
        first = {kind: sources[0] if sources else None for kind, sources in tables.items()}
        later = {kind: list(sources[1:]) for kind, sources in tables.items()}
        update = {**first, LATER_TABLES: self.later_tables.model_copy(update=later)}
        return self.model_copy(update=update)
