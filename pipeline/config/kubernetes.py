"""Values as Kubernetes has them: volumes and mount paths of a task's pod, and quantities such as
`500m`, `2` and `8Gi`.

KFP names the volume of a claim or Secret after it (`makeVolumeMountPatch` and `secretAsVolume` in
backend/src/v2/driver/k8s.go), and merges volumes into Argo's pod by name and mounts by path. So a
name or path that KFP, Argo or the image use already would change theirs, and with an invalid name
there would be no pod. Both would show in the cluster alone, and are refused here.
"""

import collections
import posixpath
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator

SHARED_MEMORY = "shared-memory"
"""Name of our own volume, at /dev/shm."""
_RESERVED_VOLUMES = frozenset(
    {
        # backend/src/v2/compiler/argocompiler/container.go, argo.go and common.go
        "kfp-launcher", "gcs-scratch", "s3-scratch", "minio-scratch", "dot-local-scratch",
        "dot-cache-scratch", "dot-config-scratch", "kfp-workspace", "ca-bundle", "custom-ca",
        # Argo's workflow/controller/workflowpod.go and workflow/common/common.go
        "var-run-argo", "tmp-dir-argo", "input-artifacts", "argo-staging", "argoexec-bin",
        "exec-sa-token", SHARED_MEMORY,
    }
)  # fmt: skip
_RESERVED_FOLDERS = {
    **dict.fromkeys(
        ("/s3", "/gcs", "/minio", "/.local", "/.cache", "/.config", "/kfp-launcher",
         "/kfp-workspace", "/kfp/certs"), "KFP's"),
    **dict.fromkeys(("/var/run/argo", "/argo-bin"), "Argo's"),
    "/tmp": "each task's own",
    **dict.fromkeys(("/opt/tandem", "/usr/local/bin", "/dev", "/proc", "/sys"), "the image's"),
}  # fmt: skip
# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
_FACTORS = {
    "m": Decimal("0.001"),
    "": Decimal(1),
    **{letter: Decimal(1000) ** n for n, letter in enumerate("kMGTPE", start=1)},
    **{f"{letter}i": Decimal(1024) ** n for n, letter in enumerate("KMGTPE", start=1)},
}


def check_volume_name(name: str) -> str:
    """`name`, where a volume can be called so; raises ValueError otherwise."""
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name):
        raise ValueError(
            "expected at most 63 of a to z, 0 to 9 and dashes, none at the beginning and the end, "
            f"since KFP calls the volume by it, received {name!r}; mount one that is called so"
        )
    if name in _RESERVED_VOLUMES:
        raise ValueError(
            f"expected another name than those of the volumes that a pod has anyway, received "
            f"{name!r}; mount one that is called otherwise"
        )
    return name


def check_mount_path(path: str) -> str:
    """`path` without slashes at its end, where something can be mounted there; raises ValueError
    otherwise.
    """
    plain = path.rstrip("/")
    if not re.fullmatch(r"(/[^/:\0]+)+", plain) or posixpath.normpath(plain) != plain:
        raise ValueError(
            "expected an absolute path of a folder, without //, /./, /../ and colons, "
            f"received {path!r}; write one such as /data"
        )
    for folder, owner in _RESERVED_FOLDERS.items():
        if posixpath.commonpath([plain, folder]) in (plain, folder):
            raise ValueError(
                f"expected a folder that is neither {folder} ({owner}) nor above or below it, "
                f"received {path!r}; mount at another, such as /data"
            )
    return plain


def require_distinct_mounts(mounts: Iterable[tuple[str, str]]) -> None:
    """Raises ValueError where two of `mounts`, a volume's name and its folder each, have one name
    or one folder.
    """
    mounts = list(mounts)
    for what, values in zip(("volume", "mount"), zip(*mounts, strict=True), strict=False):
        value, times = collections.Counter(values).most_common(1)[0]
        if times > 1:
            raise ValueError(
                f"expected each {what} once among claims and mounted secrets, received {value!r} "
                f"{times} times; leave the others out"
            )


VolumeName = Annotated[str, AfterValidator(check_volume_name)]
"""Of a configuration, once `check_volume_name` has accepted it."""

MountPath = Annotated[str, AfterValidator(check_mount_path)]
"""Of a configuration, once `check_mount_path` has accepted it."""


def parse_quantity(quantity: str) -> Decimal:
    """The number of units: cores, bytes. Raises ValueError for anything but a quantity above 0."""
    parts = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([a-zA-Z]*)", quantity)
    number = Decimal(parts[1]) * _FACTORS.get(parts[2], 0) if parts else 0
    if not number:
        raise ValueError(
            "expected a quantity of Kubernetes above 0, such as 500m, 2 or 8Gi, "
            f"received {quantity!r}"
        )
    return Decimal(number)


def _check_quantity(quantity: str) -> str:
    parse_quantity(quantity)
    return quantity


def _check_memory(quantity: str) -> str:
    """KFP's driver writes memory as a number of 10^9 bytes (`"%vG"` in backend/src/v2/driver), and
    that with an exponent below 10^-4 and from 10^6 on: `1e-05G` is no quantity of Kubernetes.
    """
    if not 10**5 <= parse_quantity(quantity) < 10**15:
        raise ValueError(
            "expected memory of at least 100 kB and below 1 PB, which KFP can write, "
            f"received {quantity!r}"
        )
    return quantity


Memory = Annotated[str, AfterValidator(_check_memory)]
"""The text of a quantity of memory."""

Quantity = Annotated[str, AfterValidator(_check_quantity)]
"""The text of any quantity, once `parse_quantity` has accepted it."""
