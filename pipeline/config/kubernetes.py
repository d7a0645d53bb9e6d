"""Checks values of Kubernetes: volume names and mount paths of a task's pod, and quantities such as
`500m`, `2` and `8Gi`.

KFP names the volume of a claim or Secret after it (`makeVolumeMountPatch` and `secretAsVolume` in
backend/src/v2/driver/k8s.go), and merges volumes into Argo's pod by name and mounts by path. A name
or path that KFP, Argo or the image already use would replace theirs, and with an invalid name the
pod could not start. Both errors would only show in the cluster, so they are rejected here.
"""

import collections
import posixpath
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator

SHARED_MEMORY = "shared-memory"
"""Name of Tandem's own volume, at /dev/shm."""
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
    """Returns `name` if a volume can have it; raises ValueError otherwise."""
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name):
        raise ValueError(
            "expected at most 63 characters of a to z, 0 to 9 and dashes, with no dash at either "
            f"end, because KFP gives the volume this name, received {name!r}; use another name"
        )
    if name in _RESERVED_VOLUMES:
        raise ValueError(
            f"expected a name that no volume of KFP or Argo has, received {name!r}; rename it"
        )
    return name


def check_mount_path(path: str) -> str:
    """Returns `path` without trailing slashes if a volume can be mounted there; raises ValueError
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
                f"received {path!r}; use another, such as /data"
            )
    return plain


def require_distinct_mounts(mounts: Iterable[tuple[str, str]]) -> None:
    """Raises ValueError if two of `mounts`, pairs of volume name and folder, have the same name or
    the same folder.
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
"""A volume name that `check_volume_name` has accepted."""

MountPath = Annotated[str, AfterValidator(check_mount_path)]
"""A path that `check_mount_path` has accepted, without trailing slashes."""


def parse_quantity(quantity: str) -> Decimal:
    """`quantity` in cores or bytes; raises ValueError for anything but a quantity above 0."""
    parts = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([a-zA-Z]*)", quantity)
    number = Decimal(parts[1]) * _FACTORS.get(parts[2], 0) if parts else 0
    if not number:
        raise ValueError(
            "expected a quantity of Kubernetes above 0, such as 500m, 2 or 8Gi, "
            f"received {quantity!r}; write it in that form"
        )
    return Decimal(number)


def _check_quantity(quantity: str) -> str:
    parse_quantity(quantity)
    return quantity


def _check_memory(quantity: str) -> str:
    """KFP's driver writes memory in units of 10^9 bytes (`"%vG"` in backend/src/v2/driver). Below
    10^-4 and from 10^6 units on, Go writes an exponent, and `1e-05G` is no quantity of Kubernetes.
    """
    if not 10**5 <= parse_quantity(quantity) < 10**15:
        raise ValueError(
            "expected memory of at least 100 kB and below 1 PB, which KFP can write, "
            f"received {quantity!r}; change it"
        )
    return quantity


Memory = Annotated[str, AfterValidator(_check_memory)]
"""The text of a quantity of memory that `_check_memory` has accepted."""

Quantity = Annotated[str, AfterValidator(_check_quantity)]
"""The text of a quantity that `parse_quantity` accepts."""
