"""Groups of users and of items for which the lists should be equally good."""

from typing import Annotated

from pydantic import Field, model_validator

from schema.base import StrictModel
from schema.features import Feature, Features
from trainer.config.metric_names import EXPOSURE, PER_USER

_GROUP_KINDS = ("category", "set")


class FairnessConfig(StrictModel):
    """A division of users or items into groups for which the final lists should be equally good.
    Groups are the 20 most frequent values of a feature, all others together, and those without a
    known value; of users only groups of 50 or more are compared.
    """

    groups: Annotated[str, Field(pattern=r"^(users|items)\.[a-z][a-z0-9_]*$")]
    """`users.<feature>`: are the lists as good for one group of users as for another?
    `items.<feature>`: is a group of items shown as often as users interact with it? The feature is
    a declared category or set."""
    metric: str | None = None
    """For users: `recall`, `ndcg`, `hit_rate` or `mrr`, at 5, 10, 20, 50 or 100, by default
    `ndcg@10`. For items: `exposure` at one of these, by default `exposure@10`."""
    max_gap: Annotated[float | None, Field(gt=0, le=1)] = None
    """Largest gap that is blessed. For users, the gap is the best group's mean metric minus the
    worst group's. For items, it is the largest absolute difference between a group's share of
    exposure and its share of the interactions."""
    required: bool = False
    """Whether a gap that could not be measured breaks the rule."""

    @model_validator(mode="after")
    def _check_metric(self) -> "FairnessConfig":
        allowed = PER_USER if self.table == "users" else EXPOSURE
        if self.metric is not None and self.metric not in allowed:
            raise ValueError(
                f"metric of {self.groups}: expected one of {', '.join(allowed)}, "
                f"received {self.metric!r}"
            )
        if self.required and self.max_gap is None:
            raise ValueError(
                f"required of {self.groups} expects a max_gap, received none; "
                "add one or remove required"
            )
        return self

    @property
    def table(self) -> str:
        """`users` or `items`."""
        return self.groups.partition(".")[0]

    @property
    def feature(self) -> str:
        """Name of the declared feature."""
        return self.groups.partition(".")[2]

    @property
    def metric_name(self) -> str:
        """The configured metric, or the default of the table."""
        return self.metric or ("ndcg@10" if self.table == "users" else "exposure@10")


def check_fairness_groups(declared: list[FairnessConfig], features: Features) -> None:
    """Raises ValueError for groups of a feature that is no declared category or set, and for groups
    that are declared twice.
    """
    seen: set[str] = set()
    for group in declared:
        table = features.users if group.table == "users" else features.items
        _check_feature(group, table)
        if group.groups in seen:
            raise ValueError(f"fairness of {group.groups} is declared twice; keep one of them")
        seen.add(group.groups)


def _check_feature(group: FairnessConfig, table: dict[str, Feature]) -> None:
    if group.feature in table and table[group.feature].kind in _GROUP_KINDS:
        return
    available = [name for name, feature in table.items() if feature.kind in _GROUP_KINDS]
    received = f"kind {table[group.feature].kind}" if group.feature in table else "no such feature"
    raise ValueError(
        f"fairness of {group.groups} expects a category or a set declared in "
        f"features.{group.table} ({', '.join(available) or 'none is'}), received {received}; "
        "declare the feature or remove the group"
    )
