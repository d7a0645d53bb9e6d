"""How long does the image take to build, how large is it, and does its content work?

    python -m benchmarks.image [--variant gpu] [--pipeline] [--json]

Builds the Dockerfile with buildah, which needs no daemon, without any cache. Then each check is a
command in a container, run as the image's user. `--pipeline` adds a run of the simulated shop.
If no registry can be reached, `benchmarks.image_base` builds the base image.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import time
from typing import Any, NamedTuple

ROOT = pathlib.Path(__file__).resolve().parent.parent
TAG = "localhost/tandem"
# Chroot isolation also works inside another container.
ISOLATION = ("--isolation", "chroot")
# Fails if the image's user may write anywhere but in temporary folders.
WRITABLE = (
    r"! find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /var/tmp"
    r" -o -path /run/lock \) -prune -o -writable -not -type l -print 2> /dev/null | grep ."
)
SHOP = (
    "tandem simulate --users 300 --items 200 --events 6000 --seed 7 --out /tmp/logs"
    " && tandem run --config /tmp/simulated.toml --data /tmp/logs --root /tmp/shop"
    " --set retrieval.epochs=1 --set ranking.epochs=1 --force-push 'a check of the image'"
)


class Check(NamedTuple):
    """A command in the image, and its result."""

    name: str
    seconds: float
    code: int
    output: str


def main() -> None:
    """Prints a table or, with --json, only one JSON object; exits with 1 if a check failed."""
    args = _arguments()
    tag = f"{TAG}:{args.variant}"
    seconds = build(tag, args.variant)
    checks = run_checks(tag, pipeline=args.pipeline)
    values_by_name = {
        "variant": args.variant,
        "build_seconds": round(seconds),
        "bytes": sizes(tag),
        "checks": [check._asdict() for check in checks],
    }
    print(json.dumps(values_by_name, indent=1) if args.json else table(values_by_name))
    sys.exit(any(check.code for check in checks))


def build(tag: str, variant: str) -> float:
    """Builds the image without any cache; returns the seconds. The builder's output goes to
    stderr.
    """
    started = time.monotonic()
    options = ["--no-cache", "--build-arg", f"VARIANT={variant}", "--tag", tag]
    subprocess.run(
        ["buildah", "build", *ISOLATION, *options, str(ROOT)], check=True, stdout=sys.stderr
    )
    return time.monotonic() - started


def run_checks(tag: str, *, pipeline: bool) -> list[Check]:
    """Runs every check in one container."""
    container = _buildah("from", tag)
    try:
        config = str(ROOT / "configs" / "simulated.toml")
        _buildah("copy", container, config, "/tmp/simulated.toml")
        commands = {
            "user": "id -u",
            "writable": WRITABLE,
            "tandem --help": "tandem --help",
            "tandem doctor": "tandem doctor",
            "what a task imports": "python -c 'import components, tfx.v1'",
        } | ({"tandem run": SHOP} if pipeline else {})
        return [_check(container, name, command) for name, command in commands.items()]
    finally:
        _buildah("rm", container)


def _check(container: str, name: str, command: str) -> Check:
    started = time.monotonic()
    completed = subprocess.run(
        ["buildah", "run", *ISOLATION, container, "--", "sh", "-c", command],
        check=False,
        capture_output=True,
        text=True,
    )
    seconds = round(time.monotonic() - started, 1)
    return Check(name, seconds, completed.returncode, (completed.stdout + completed.stderr).strip())


def sizes(tag: str) -> dict[str, int]:
    """Uncompressed bytes of the whole image and of its parts."""
    paths = ("/", "/opt/tandem", "/usr/local")
    container = _buildah("from", tag)
    try:
        as_root = (*ISOLATION, "--user", "root")
        listed = [_buildah("run", *as_root, container, "--", "du", "-sbx", at) for at in paths]
    finally:
        _buildah("rm", container)
    return {position: int(line.split()[0]) for position, line in zip(paths, listed, strict=True)}


def _buildah(*arguments: str) -> str:
    return subprocess.run(
        ["buildah", *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


def table(result: dict[str, Any]) -> str:
    """The results as a readable table."""
    lines = [f"{result['variant']}: built in {result['build_seconds']} s"]
    lines += [f"  {name:<20} {size:>14,}" for name, size in result["bytes"].items()]
    for check in result["checks"]:
        last = check["output"].splitlines()[-1:] or [""]
        lines.append(f"  {check['name']:<20} {check['seconds']:>8} s  {check['code']}  {last[0]}")
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--variant", choices=["cpu", "gpu"], default="cpu")
    parser.add_argument("--pipeline", action="store_true", help="run a small shop in the image too")
    parser.add_argument("--json", action="store_true", help="print only JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
