"""What a task's pod may mount, and where: KFP, Argo and the image have volumes and folders of their
own.

KFP calls the volume of a claim or Secret by that name (`makeVolumeMountPatch` and
`secretAsVolume` in backend/src/v2/driver/k8s.go), and merges volumes into Argo's pod by their names
and mounts by their paths. So what is there already would be changed, and with what is no name of a
volume there would be no pod. Both would show in the cluster alone, and are refused here.
"""

import collections
import posixpath
import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator

SHARED_MEMORY = "shared-memory"
"""Name of our own volume, at /dev/shm."""

_VOLUMES = frozenset(
    {
        # backend/src/v2/compiler/argocompiler/container.go, argo.go and common.go
        "kfp-launcher", "gcs-scratch", "s3-scratch", "minio-scratch", "dot-local-scratch",
        "dot-cache-scratch", "dot-config-scratch", "kfp-workspace", "ca-bundle", "custom-ca",
        # Argo's workflow/controller/workflowpod.go and workflow/common/common.go
        "var-run-argo", "tmp-dir-argo", "input-artifacts", "argo-staging", "argoexec-bin",
        "exec-sa-token", SHARED_MEMORY,
    }
)  # fmt: skip
_FOLDERS = {
    **dict.fromkeys(
        ("/s3", "/gcs", "/minio", "/.local", "/.cache", "/.config", "/kfp-launcher",
         "/kfp-workspace", "/kfp/certs"), "KFP's"),
    **dict.fromkeys(("/var/run/argo", "/argo-bin"), "Argo's"),
    "/tmp": "each task's own",
    **dict.fromkeys(("/opt/tandem", "/usr/local/bin", "/dev", "/proc", "/sys"), "the image's"),
}  # fmt: skip


def volume_name(name: str) -> str:
    """`name`, where a volume can be called so; raises ValueError otherwise."""
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name):
        raise ValueError(
            "expected at most 63 of a to z, 0 to 9 and dashes, none at the beginning and the end, "
            f"since KFP calls the volume by it, received {name!r}; mount one that is called so"
        )
    if name in _VOLUMES:
        raise ValueError(
            f"expected another name than those of the volumes that a pod has anyway, received "
            f"{name!r}; mount one that is called otherwise"
        )
    return name


def mount_path(path: str) -> str:
    """`path` without slashes at its end, where something can be mounted there; raises ValueError
    otherwise.
    """
    plain = path.rstrip("/")
    if not re.fullmatch(r"(/[^/:\0]+)+", plain) or posixpath.normpath(plain) != plain:
        raise ValueError(
            "expected an absolute path of a folder, without //, /./, /../ and colons, "
            f"received {path!r}; write one such as /data"
        )
    for folder, owner in _FOLDERS.items():
        if posixpath.commonpath([plain, folder]) in (plain, folder):
            raise ValueError(
                f"expected a folder that is neither {folder} ({owner}) nor above or below it, "
                f"received {path!r}; mount at another, such as /data"
            )
    return plain


def require_apart(mounts: Iterable[tuple[str, str]]) -> None:
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


VolumeName = Annotated[str, AfterValidator(volume_name)]
"""Of a configuration, once `volume_name` has read it."""
MountPath = Annotated[str, AfterValidator(mount_path)]
"""Of a configuration, once `mount_path` has read it."""
