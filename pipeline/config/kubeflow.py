"""`[kubeflow]`: resources, retries and secrets of tasks on Kubeflow, and default memory requests.

The defaults come from the measured peak memory of each component. They are requests and not
limits: logs of other sizes need other amounts, and a task above its limit is killed.
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
"""The name under which settings apply to every component."""
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
"""Peak memory of each component in megabytes (10^6 bytes) with a million events, 50,000 users and
20,000 items, measured by `python -m benchmarks.memory`."""
IMPORTS_MB = 620
"""The part of PEAK_MB that importing TensorFlow, TFX and Beam takes. It is the default for
components that only run on Kubeflow, which were not measured and only read and write small
files."""
_MEASURED_AS = {"RunReport": "InfraCheck"}
"""Components with the memory of another one: both load the models and query them."""
_MEMORY_MARGIN = 1.25
_MEMORY_STEP_MB = 250


class Accelerator(StrictModel):
    """Devices that a task uses exclusively."""

    type: Annotated[str, Field(min_length=1)]
    """Resource name in the cluster, such as `nvidia.com/gpu`; on Vertex, `NVIDIA_TESLA_T4`."""
    count: Annotated[int, Field(ge=1)] = 1
    """Number of devices."""


class Toleration(StrictModel):
    """A node taint that the task tolerates."""

    key: str | None = None
    """Key of the taint; if absent, all keys match, and `operator` must be `Exists`."""
    operator: Literal["Equal", "Exists"] = "Equal"
    """`Equal` compares the taint's value with `value`, `Exists` ignores it."""
    value: str | None = None
    """Value of the taint."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """Effect of the taint; if absent, all effects match."""

    @model_validator(mode="after")
    def _check_operator(self) -> "Toleration":
        if self.operator == "Exists" and self.value is not None:
            raise ValueError(
                f'operator = "Exists" takes no value, received {self.value!r}; remove one of them'
            )
        if self.operator == "Equal" and self.key is None:
            raise ValueError(
                'a toleration without key expects operator = "Exists", received "Equal"; add a key'
            )
        return self


class Resources(StrictModel):
    """Resources of a component's task. `<name>` is that of a component, as `tandem compile` writes
    it (`Transform-items`), or `default` for all of them. A component's own keys override those of
    `default`. Quantities are those of Kubernetes: `500m`, `2`, `8Gi`.
    """

    cpu_request: Quantity | None = None
    """Cores that are reserved for the task."""
    cpu_limit: Quantity | None = None
    """Maximum number of cores that it may use."""
    memory_request: Memory | None = None
    """Memory that is reserved for the task. The default is 1.25 times the peak that was measured
    with a million events (docs/KUBEFLOW.md), or `memory_limit` if that is less."""
    memory_limit: Memory | None = None
    """Maximum memory; a task that uses more is killed. `tandem compile` lists tasks without a
    limit."""
    accelerator: Accelerator | None = None
    """Accelerators of the task; none by default."""
    shared_memory: Quantity | None = None
    """Size of `/dev/shm`, which counts towards the task's memory."""
    node_selector: dict[LabelKey, LabelValue] = {}
    """Labels that the node must have."""
    tolerations: list[Toleration] = []
    """Node taints that the task tolerates; without any, it avoids tainted nodes."""

    def limits_memory_below(self, quantity: str) -> bool:
        """Whether there is a memory limit below `quantity`; without a request, Kubernetes requests
        the limit.
        """
        limit = self.memory_limit
        return limit is not None and parse_quantity(limit) < parse_quantity(quantity)

    @model_validator(mode="after")
    def _check_limits(self) -> "Resources":
        for name in ("cpu", "memory"):
            least, most = getattr(self, f"{name}_request"), getattr(self, f"{name}_limit")
            if least and most and parse_quantity(least) > parse_quantity(most):
                raise ValueError(
                    f"expected {name}_request not above {name}_limit, received {least} and {most}; "
                    "change one of them"
                )
        return self


class Retries(StrictModel):
    """Retries of a failed task, by component as in `resources`. The rules are Argo's
    (`processNodeRetries` in workflow/controller/operator.go).
    """

    count: Annotated[int, Field(ge=0)] = 0
    """Maximum number of retries."""
    wait_seconds: Annotated[int, Field(ge=0)] = 60
    """Wait before the first retry."""
    wait_factor: Annotated[int, Field(ge=1, le=1000)] = 2
    """Factor from one wait to the next. Argo accepts whole numbers only: with any other it ends the
    task in `Error` and does not retry it."""
    wait_at_most_seconds: Annotated[int, Field(ge=1)] = 7 * 24 * 3600
    """Time from the beginning of the *first* attempt, not of a wait, after which no attempt begins
    and a running one is ended. It must cover all attempts and the waits between them: a training of
    six hours with two retries takes more than 18 hours. The default is a week."""

    @model_validator(mode="after")
    def _check_waits(self) -> "Retries":
        waits = sum(self.wait_seconds * self.wait_factor**n for n in range(min(self.count, 64)))
        if waits >= self.wait_at_most_seconds:
            raise ValueError(
                f"expected wait_at_most_seconds above {waits}, which the waits before {self.count} "
                f"retries take alone, received {self.wait_at_most_seconds}; raise it"
            )
        return self


class Secret(StrictModel):
    """A Secret in the pipelines' namespace that every task receives as environment variables, as a
    mounted folder, or both.
    """

    name: Name
    """Name of the Secret; with `mount`, the rules of `kubeflow.volumes.claim` apply to it."""
    env: dict[Variable, str] = {}
    """Environment variables by name, each with the Secret's key that holds its value."""
    mount: MountPath | None = None
    """Folder to mount the Secret at, with one file per key."""

    @model_validator(mode="after")
    def _check_targets(self) -> "Secret":
        if not self.env and self.mount is None:
            raise ValueError(f"secret {self.name} expects env or mount, received neither; add one")
        if self.mount is not None:
            check_volume_name(self.name)
        return self


class Volume(StrictModel):
    """A volume that every task mounts."""

    claim: VolumeName
    """Name of the PersistentVolumeClaim: at most 63 characters of a to z, 0 to 9 and dashes,
    because KFP gives the volume the same name. Names of KFP's and Argo's own volumes, such as
    `s3-scratch`, are not allowed."""
    mount: MountPath
    """Folder to mount it at. Folders of KFP, Argo and the image, such as `/s3` and `/tmp`, are not
    allowed."""


_Settings = TypeVar("_Settings", Resources, Retries)


class KubeflowConfig(StrictModel):
    """Settings of tasks on Kubeflow Pipelines, which `tandem compile` writes."""

    labels: dict[LabelKey, LabelValue] = {}
    """Labels of every task's pod."""
    image_pull_secrets: list[Name] = []
    """Secrets with which the cluster pulls the image."""
    caching: dict[str, bool] = {}
    """By component, as in `resources`: whether a task is skipped if it has already run with the
    same inputs; true by default."""
    secrets: list[Secret] = []
    """Secrets that every task receives."""
    volumes: list[Volume] = []
    """Volumes that every task mounts."""
    resources: dict[str, Resources] = {}
    """Resources."""
    retries: dict[str, Retries] = {}
    """Retries."""

    @model_validator(mode="after")
    def _check_settings(self) -> "KubeflowConfig":
        claims = [(volume.claim, volume.mount) for volume in self.volumes]
        secrets = [(secret.name, secret.mount) for secret in self.secrets if secret.mount]
        require_distinct_mounts([*claims, *secrets])
        for name in self.components | {DEFAULT}:
            self.get_resources(name)
            self.get_retries(name)
        return self

    @property
    def components(self) -> set[str]:
        """Names with settings of their own, without `default`."""
        return {*self.resources, *self.retries, *self.caching} - {DEFAULT}

    def get_resources(self, component: str) -> Resources:
        """The component's own keys, then those of `default`, then the measured memory request."""
        resources = _merge_settings(Resources(), self.resources, component)
        measured = suggest_memory_request(component)
        if resources.memory_request or resources.limits_memory_below(measured):
            return resources
        return resources.replace_values(memory_request=measured)

    def get_retries(self, component: str) -> Retries:
        """The component's own keys, then those of `default`."""
        return _merge_settings(Retries(), self.retries, component)

    def is_cached(self, component: str) -> bool:
        """The component's own setting, else that of `default`, else true."""
        return self.caching.get(component, self.caching.get(DEFAULT, True))


def _merge_settings(empty: _Settings, settings: dict[str, _Settings], component: str) -> _Settings:
    values: dict[str, Any] = {}
    for name in (DEFAULT, component):
        values |= settings.get(name, empty).model_dump(exclude_unset=True)
    try:
        return empty.replace_values(**values)
    except ValidationError as error:
        sentence = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise ValueError(f"{component}: {sentence}") from error


def suggest_memory_request(component: str) -> str:
    """1.25 times the measured peak, rounded up to steps of 250 MB, such as `1250M`."""
    peak = PEAK_MB.get(_MEASURED_AS.get(component, component), IMPORTS_MB)
    return f"{math.ceil(peak * _MEMORY_MARGIN / _MEMORY_STEP_MB) * _MEMORY_STEP_MB}M"
