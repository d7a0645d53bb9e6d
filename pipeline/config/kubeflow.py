"""`[kubeflow]`: what tasks on Kubeflow are given, and the memory that they request by default.

The default is what each component was measured to need. It is a request and no limit: a log of
another size needs another amount, and a limit ends the task that passes it.
"""

import math
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, ValidationError, model_validator

from pipeline.config.kubernetes import (
    Memory,
    MountPath,
    Quantity,
    VolumeName,
    check_volume_name,
    parse_quantity,
    require_distinct_mounts,
)
from schema.base import StrictModel

DEFAULT = "default"
"""The name that stands for every component."""
Name = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", max_length=253)]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
LabelKey = Annotated[str, Field(pattern=rf"^([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?{_LABEL}$")]
LabelValue = Annotated[str, Field(pattern=rf"^({_LABEL})?$")]
PEAK_MB = {
    "InteractionsGen": 977,
    "ItemsGen": 718,
    "SchemaGen-interactions": 623,
    "SchemaGen-items": 623,
    "StatisticsGen-interactions": 1003,
    "StatisticsGen-items": 691,
    "ExampleValidator-interactions": 632,
    "ExampleValidator-items": 632,
    "DataGate": 635,
    "Transform-interactions": 902,
    "Transform-items": 914,
    "RetrievalTrainer": 1635,
    "Indexer": 971,
    "RankingTrainer": 1855,
    "RankingAnalysis": 1612,
    "Evaluator": 1747,
    "Recommender": 987,
    "InfraCheck": 1016,
    "Pusher": 627,
}
"""Most megabytes (10^6 bytes) that a component has had at once with a million events, 50,000 users
and 20,000 items: `python -m benchmarks.memory`."""
IMPORTS_MB = 620
"""Of them TensorFlow, TFX and Beam themselves. Components that no run on one machine has were not
measured; they read and write small files."""
_MEASURED_AS = {"RunReport": "InfraCheck"}
"""Both start the models and query them."""
_MEMORY_MARGIN = 1.25
_MEMORY_STEP_MB = 250


class Accelerator(StrictModel):
    """Devices that a task has for itself."""

    type: Annotated[str, Field(min_length=1)]
    """Their name as the cluster has it, such as `nvidia.com/gpu`; on Vertex `NVIDIA_TESLA_T4`."""
    count: Annotated[int, Field(ge=1)] = 1
    """How many."""


class Toleration(StrictModel):
    """A taint of nodes that does not keep the task away."""

    key: str | None = None
    """Of the taint; every one where absent, and then `operator` is `Exists`."""
    operator: Literal["Equal", "Exists"] = "Equal"
    """Whether the taint's value counts."""
    value: str | None = None
    """Of the taint."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """Of the taint; every one where absent."""

    @model_validator(mode="after")
    def _fits_itself(self) -> "Toleration":
        if self.operator == "Exists" and self.value is not None:
            raise ValueError(f'operator = "Exists" takes no value, received {self.value!r}')
        if self.operator == "Equal" and self.key is None:
            raise ValueError('a toleration without key expects operator = "Exists"')
        return self


class Resources(StrictModel):
    """What a component's task needs of its node; for components by name (`Transform-items`: names
    as `tandem compile` writes them) and, as `default`, for every one. A component's own keys go
    before those of `default`. Quantities are those of Kubernetes: `500m`, `2`, `8Gi`.
    """

    cpu_request: Quantity | None = None
    """Cores that are kept free for the task."""
    cpu_limit: Quantity | None = None
    """Cores that it may use at the most."""
    memory_request: Memory | None = None
    """Memory that is kept free for it; where absent, what it was measured to need with a million
    events and a quarter more (docs/KUBEFLOW.md), or `memory_limit` where that is less."""
    memory_limit: Memory | None = None
    """Memory at the most: it is ended when it takes more. `tandem compile` names the tasks that
    have none."""
    accelerator: Accelerator | None = None
    """Where absent, the task has none."""
    shared_memory: Quantity | None = None
    """Size of `/dev/shm`, which counts as memory of the task."""
    node_selector: dict[LabelKey, LabelValue] = {}
    """Labels that the node must have."""
    tolerations: list[Toleration] = []
    """Where none, tainted nodes are avoided."""

    def limits_memory_below(self, quantity: str) -> bool:
        """Whether the memory limit is below `quantity`; Kubernetes uses it for a request that is
        absent.
        """
        limit = self.memory_limit
        return limit is not None and parse_quantity(limit) < parse_quantity(quantity)

    @model_validator(mode="after")
    def _requests_fit_limits(self) -> "Resources":
        for name in ("cpu", "memory"):
            least, most = getattr(self, f"{name}_request"), getattr(self, f"{name}_limit")
            if least and most and parse_quantity(least) > parse_quantity(most):
                raise ValueError(
                    f"expected {name}_request not above {name}_limit, received {least} and {most}"
                )
        return self


class Retries(StrictModel):
    """How often a task that failed is run again: by component, as for `resources`. The rules are
    Argo's (`processNodeRetries` in its workflow/controller/operator.go).
    """

    count: Annotated[int, Field(ge=0)] = 0
    """Times at the most."""
    wait_seconds: Annotated[int, Field(ge=0)] = 60
    """Before the first of them."""
    wait_factor: Annotated[int, Field(ge=1, le=1000)] = 2
    """Each wait is that many times the one before. A whole number: with any other Argo ends the
    task in `Error` and runs nothing again."""
    wait_at_most_seconds: Annotated[int, Field(ge=1)] = 7 * 24 * 3600
    """Counted from the beginning of the *first* attempt, not of a wait: no attempt begins after
    that long, and one that still runs then is ended. So it must hold all attempts and the waits
    between them: a training of six hours that is run again twice takes more than 18 hours. The
    default is a week."""

    @model_validator(mode="after")
    def _waits_fit(self) -> "Retries":
        waits = sum(self.wait_seconds * self.wait_factor**n for n in range(min(self.count, 64)))
        if waits >= self.wait_at_most_seconds:
            raise ValueError(
                f"expected wait_at_most_seconds above {waits}, which the waits before {self.count} "
                f"retries take alone, received {self.wait_at_most_seconds}"
            )
        return self


class Secret(StrictModel):
    """A Secret of the pipelines' namespace that every task is given: as `env`, as `mount`, or
    both.
    """

    name: Name
    """Of the Secret; for `mount`, a name as of `kubeflow.volumes.claim`."""
    env: dict[Variable, str] = {}
    """Environment variables, each with the Secret's key whose value it has."""
    mount: MountPath | None = None
    """Folder in which each key is a file."""

    @model_validator(mode="after")
    def _is_given_somehow(self) -> "Secret":
        if not self.env and self.mount is None:
            raise ValueError(f"secret {self.name} expects env or mount, received neither")
        if self.mount is not None:
            check_volume_name(self.name)
        return self


class Volume(StrictModel):
    """A volume that every task mounts."""

    claim: VolumeName
    """Name of the PersistentVolumeClaim: at most 63 of a to z, 0 to 9 and dashes, since KFP calls
    the volume by it, and none that KFP and Argo have for volumes of their own (`s3-scratch`)."""
    mount: MountPath
    """Folder at which tasks see it; none that KFP, Argo or the image have, as `/s3` and `/tmp`."""


_Settings = TypeVar("_Settings", Resources, Retries)


class KubeflowConfig(StrictModel):
    """What `tandem compile` writes for Kubeflow Pipelines beside the components themselves."""

    labels: dict[LabelKey, LabelValue] = {}
    """Of every task's pod."""
    image_pull_secrets: list[Name] = []
    """Secrets by which the cluster may fetch the image."""
    caching: dict[str, bool] = {}
    """By component, as for `resources`: whether a task that was run before with the same inputs is
    left out; where nothing is said it is."""
    secrets: list[Secret] = []
    """Secrets of the cluster."""
    volumes: list[Volume] = []
    """Volumes of the cluster."""
    resources: dict[str, Resources] = {}
    """Resources."""
    retries: dict[str, Retries] = {}
    """Retries."""

    @model_validator(mode="after")
    def _fit_together(self) -> "KubeflowConfig":
        claims = [(volume.claim, volume.mount) for volume in self.volumes]
        secrets = [(secret.name, secret.mount) for secret in self.secrets if secret.mount]
        require_distinct_mounts([*claims, *secrets])
        for name in self.components | {DEFAULT}:
            self.get_resources(name)
            self.get_retries(name)
        return self

    @property
    def components(self) -> set[str]:
        """Every name that anything is said of, but for `default`."""
        return {*self.resources, *self.retries, *self.caching} - {DEFAULT}

    def get_resources(self, component: str) -> Resources:
        """Its own keys, then those of `default`, then the memory that it was measured to need."""
        resources = _merge_settings(Resources(), self.resources, component)
        measured = suggest_memory_request(component)
        if resources.memory_request or resources.limits_memory_below(measured):
            return resources
        return resources.changed(memory_request=measured)

    def get_retries(self, component: str) -> Retries:
        """Its own keys, then those of `default`."""
        return _merge_settings(Retries(), self.retries, component)

    def is_cached(self, component: str) -> bool:
        """Its own word, then that of `default`."""
        return self.caching.get(component, self.caching.get(DEFAULT, True))


def _merge_settings(empty: _Settings, settings: dict[str, _Settings], component: str) -> _Settings:
    values: dict[str, Any] = {}
    for name in (DEFAULT, component):
        values |= settings.get(name, empty).model_dump(exclude_unset=True)
    try:
        return empty.changed(**values)
    except ValidationError as error:
        sentence = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise ValueError(f"{component}: {sentence}") from error


def suggest_memory_request(component: str) -> str:
    """Memory as Kubernetes writes it: a quarter more than was measured, in steps of 250 MB."""
    peak = PEAK_MB.get(_MEASURED_AS.get(component, component), IMPORTS_MB)
    return f"{math.ceil(peak * _MEMORY_MARGIN / _MEMORY_STEP_MB) * _MEMORY_STEP_MB}M"
