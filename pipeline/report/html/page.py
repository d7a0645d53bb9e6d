"""The whole page, from the summary and from what the run left on disk."""

import pathlib
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from pipeline.report.html import (
    data,
    elements,
    fairness,
    labels,
    performance,
    quality,
    training,
    verdict,
)
from pipeline.report_page import (
    analysis,
    data_volumes,
    examples,
    execution,
    slices,
    stylesheet,
    training_curves,
)
from pipeline.report_page.data_volumes import Volumes
from pipeline.report_page.training_curves import Curves
from pipeline.run_root import RunRoot

_STAGES = ("retrieval", "ranking")


def write(summary: dict[str, Any], at: RunRoot) -> pathlib.Path:
    """Writes RUN/report.html whole or not at all, and returns its path.

    What an older summary lacks is left out.
    """
    artifacts = summary["artifacts"]
    volumes = data_volumes.read(artifacts["histories"], artifacts["interactions"])
    curves = {stage: training_curves.read(at.tensorboard / stage) for stage in _STAGES}
    unfinished = at.report.with_suffix(".tmp")
    unfinished.write_text(render(summary, volumes, curves), encoding="utf-8")
    unfinished.rename(at.report)
    return at.report


def render(summary: dict[str, Any], volumes: Volumes, curves: dict[str, Curves]) -> str:
    """The page as HTML: no script, and nothing that is loaded from elsewhere."""
    html = Element("html", lang="en")
    head = SubElement(html, "head")
    SubElement(head, "meta", charset="utf-8")
    viewport = {"name": "viewport", "content": "width=device-width, initial-scale=1"}
    SubElement(head, "meta", viewport)
    elements.text(head, "title", f"Tandem: {summary['name']}")
    SubElement(head, "style").text = stylesheet.text()
    body = SubElement(html, "body")
    verdict.add(body, summary)
    navigation = SubElement(body, "nav")
    _sections(body, summary, volumes, curves)
    _link(navigation, body)
    return "<!doctype html>\n" + tostring(html, encoding="unicode", method="html") + "\n"


def _sections(
    body: Element, summary: dict[str, Any], volumes: Volumes, curves: dict[str, Curves]
) -> None:
    quality.add(body, summary)
    slices.add(body, summary)
    fairness.add(body, summary)
    labels.add(body, summary)
    analysis.add(body, summary)
    data.add(body, summary, volumes)
    training.add(body, curves)
    performance.add(body, summary)
    examples.add(body, summary)
    execution.add(body, summary)


def _link(navigation: Element, body: Element) -> None:
    for part in body.findall("section"):
        heading = part.findtext("h2") or ""
        elements.text(navigation, "a", heading).set("href", f"#{part.get('id')}")
