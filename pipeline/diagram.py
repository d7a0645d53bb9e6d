"""docs/pipeline.svg, drawn from the DAG itself: `python -m pipeline.diagram FILE`."""

import pathlib
import sys
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from xml.sax.saxutils import escape

import tomli
from tfx.dsl.components.base.base_node import BaseNode

from pipeline import dag
from pipeline.config.config import Config
from pipeline.config.run_parameters import RunLocations

WIDTH, HEIGHT = 228, 56
"""Size of a box, in pixels."""
COLUMN, ROW = WIDTH + 16, HEIGHT + 26
"""Distance between the left edges of two columns and the upper edges of two rows, in pixels."""
MARGIN = 18

CONFIG = """\
name = "shop"
data.interactions.path = "events.csv"
data.items.path = "items.csv"
"""


class Stage(NamedTuple):
    """Column and caption of a component."""

    column: float
    task: str


STAGES = {
    "SchemaGen.interactions": Stage(0, "schema from the configuration"),
    "InteractionsGen": Stage(1, "read, check, split by time"),
    "ItemsGen": Stage(2, "read and check the catalogue"),
    "SchemaGen.items": Stage(3, "schema from the configuration"),
    "StatisticsGen.interactions": Stage(1, "TFDV statistics per split"),
    "StatisticsGen.items": Stage(2, "TFDV statistics"),
    "ExampleValidator.interactions": Stage(1, "compare with the schema"),
    "ExampleValidator.items": Stage(2, "compare with the schema"),
    "DataGate": Stage(1.5, "stop the run on bad data or drift"),
    "Transform.interactions": Stage(1, "vocabularies, normalisation"),
    "Transform.items": Stage(2, "vocabularies, normalisation"),
    "RetrievalTrainer": Stage(1.5, "two-tower model (TFRS)"),
    "Indexer": Stage(2.5, "exact, ScaNN or IVF index"),
    "RankingTrainer": Stage(1, "multi-task DCN-v2 (TFRS)"),
    "RankingAnalysis": Stage(0, "ranking heads, by TFMA"),
    "Evaluator": Stage(1, "baselines, pushed version"),
    "Recommender": Stage(2.5, "retrieve, filter, rank: SavedModels"),
    "InfraCheck": Stage(2.5, "serve it and send gRPC requests"),
    "Pusher": Stage(1.5, "publish a version if blessed"),
}
INPUTS = {"InteractionsGen": "event log, user table", "ItemsGen": "item catalogue"}
OUTPUT = "tandem serve, TF Serving"
HIDDEN = {"updated_analyzer_cache"}
"""Artifacts that are not drawn."""

STYLE = """\
text { font-family: Helvetica, Arial, sans-serif; text-anchor: middle; fill: #1f2933 }
.name { font-size: 13px; font-weight: bold } .task { font-size: 12px }
.artifacts { font-size: 11px; font-style: italic; fill: #52606d }
.stage { fill: #f0f4f8; stroke: #486581 } .gate { fill: #fff3c4; stroke: #b44d12 }
.outside { fill: #ffffff; stroke: #829ab1; stroke-dasharray: 5 4 }
path { fill: none; stroke: #829ab1; stroke-width: 1.5 }
"""
GATES = {"DataGate", "Evaluator", "InfraCheck"}
"""Stages that can stop a push."""


def main(path: str) -> None:
    """Writes the diagram to `path`."""
    config = Config.model_validate(tomli.loads(CONFIG))
    nodes = dag.build_pipeline(config, RunLocations.build("runs/shop", "logs"), "").components
    pathlib.Path(path).write_text(render(nodes), encoding="utf-8")


def render(nodes: Iterable[BaseNode]) -> str:
    """The DAG as SVG: a box per component with its output artifacts, an arrow per dependency.

    Dependencies that follow from others are left out. Raises KeyError for a component that is
    missing in `STAGES`.
    """
    by_id = {node.id: node for node in nodes}
    rows = compute_rows(by_id)
    last = max(rows.values()) + 1
    width = 2 * MARGIN + 3 * COLUMN + WIDTH
    height = 2 * MARGIN + last * ROW + HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}">',
        "<title>The stages of a run and the artifacts that they write</title>",
        f"<style>{STYLE}</style>",
        '<defs><marker id="tip" markerWidth="8" markerHeight="8" refX="7" refY="3.5" orient="auto">'
        '<polygon points="0 0, 7 3.5, 0 7" fill="#829ab1"/></marker></defs>',
        f'<rect width="{width}" height="{height}" rx="8" fill="#ffffff"/>',
    ]
    for name, text in INPUTS.items():
        column = STAGES[name].column
        parts += [
            _draw_box(column, 0, "outside", [("name", text)]),
            _draw_arrow((column, 0), (column, 1)),
        ]
    for name, node in by_id.items():
        column = STAGES[name].column
        parts += [
            _draw_arrow((STAGES[other].column, rows[other]), (column, rows[name]))
            for other in find_direct_dependencies(by_id, name)
        ]
        parts.append(_draw_box(column, rows[name], *_describe_box(node)))
    column = STAGES["Pusher"].column
    parts.append(_draw_arrow((column, last - 1), (column, last)))
    parts.append(_draw_box(column, last, "outside", [("name", OUTPUT)]))
    return "\n".join([*parts, "</svg>\n"])


def compute_rows(nodes: Mapping[str, BaseNode]) -> dict[str, int]:
    """Row by component: one below its lowest dependency; without dependencies, one above the
    highest component that depends on it.
    """
    rows: dict[str, int] = {}
    for name, node in nodes.items():  # in topological order, by TFX
        rows[name] = 1 + max((rows[other.id] for other in node.upstream_nodes), default=0)
    for name, node in nodes.items():
        if not node.upstream_nodes:
            rows[name] = min(rows[other.id] for other in node.downstream_nodes) - 1
    return rows


def find_direct_dependencies(nodes: Mapping[str, BaseNode], name: str) -> list[str]:
    """Dependencies of the component that do not follow from another of its dependencies, sorted."""
    upstream = {node.id for node in nodes[name].upstream_nodes}
    implied = {ancestor for other in upstream for ancestor in _find_ancestors(nodes, other)}
    return sorted(upstream - implied)


def _find_ancestors(nodes: Mapping[str, BaseNode], name: str) -> set[str]:
    ancestors: set[str] = set()
    for node in nodes[name].upstream_nodes:
        ancestors |= {node.id} | _find_ancestors(nodes, node.id)
    return ancestors


def _describe_box(node: BaseNode) -> tuple[str, list[tuple[str, str]]]:
    """The class of the box, and its lines of text as (class, text)."""
    artifacts = [key.replace("_", " ") for key in node.outputs if key not in HIDDEN]
    if len(artifacts) > 2:
        artifacts = [key for key in artifacts if not key.startswith("held out")] + ["…"]
    lines = [("name", node.id), ("task", STAGES[node.id].task), ("artifacts", ", ".join(artifacts))]
    return "gate" if node.id in GATES else "stage", lines


def _draw_box(column: float, row: int, kind: str, lines: list[tuple[str, str]]) -> str:
    x, y = MARGIN + column * COLUMN, MARGIN + row * ROW
    box = f'<rect class="{kind}" x="{x:g}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>'
    middle = x + WIDTH / 2
    first = y + (HEIGHT + 10) // 2 - 8 * (len(lines) - 1)
    texts = [
        f'<text class="{style}" x="{middle:g}" y="{first + 16 * index}">{escape(text)}</text>'
        for index, (style, text) in enumerate(lines)
    ]
    return "\n".join([box, *texts])


def _draw_arrow(start: tuple[float, int], end: tuple[float, int]) -> str:
    (x0, y0), (x1, y1) = (
        (MARGIN + column * COLUMN + WIDTH / 2, MARGIN + row * ROW) for column, row in (start, end)
    )
    y0 += HEIGHT
    middle = (y0 + y1) / 2
    curve = f"M {x0:g} {y0} C {x0:g} {middle:g}, {x1:g} {middle:g}, {x1:g} {y1 - 1}"
    return f'<path marker-end="url(#tip)" d="{curve}"/>'


if __name__ == "__main__":
    main(sys.argv[1])
