"""All tables, and limits for errors in them."""

from typing import Annotated

from pydantic import Field, model_validator

from schema.base import StrictModel
from schema.sources.interactions import InteractionsSource
from schema.sources.items import ItemsSource
from schema.sources.users import UsersSource
from schema.user_ids import UserIdKey


class Data(StrictModel):
    """The user's tables, and limits for errors in them."""

    interactions: InteractionsSource
    """The event log."""
    items: ItemsSource
    """The catalogue."""
    users: UsersSource | None = None
    """The optional user table."""
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

    @model_validator(mode="after")
    def _reject_sequence_tables(self) -> "Data":
        for name, source in (("items", self.items), ("users", self.users)):
            if source is not None and source.format == "sequences":
                raise ValueError(f'format = "sequences" is for data.interactions, not data.{name}')
        return self
