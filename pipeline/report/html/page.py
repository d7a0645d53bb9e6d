"""The report of a run as one HTML page."""

import pathlib
from xml.etree.ElementTree import Element, SubElement, tostring

from pipeline.report.html import elements
from pipeline.report.html.data import DataVolumes, add_data_section, read_volumes
from pipeline.report.html.diversity import add_diversity_section
from pipeline.report.html.fairness import add_fairness_section
from pipeline.report.html.labels import add_analysis_section, add_labels_section
from pipeline.report.html.performance import add_execution_section, add_index_section
from pipeline.report.html.quality import add_examples_section, add_quality_section
from pipeline.report.html.slices import add_slices_section
from pipeline.report.html.training import Curves, add_training_section, read_curves
from pipeline.report.html.verdict import add_verdict
from pipeline.run_root import RunRoot
from schema.run_summary import RunSummary
from schema.storage import atomic

_STAGES = ("retrieval", "ranking")


def write_report(summary: RunSummary, at: RunRoot) -> pathlib.Path:
    """Writes RUN/report.html atomically, and returns its path."""
    artifacts = summary.artifacts
    volumes = read_volumes(artifacts["histories"], artifacts["interactions"])
    curves = {stage: read_curves(at.tensorboard / stage) for stage in _STAGES}
    atomic.write_text(at.report, render_report(summary, volumes, curves))
    return at.report


def render_report(summary: RunSummary, volumes: DataVolumes, curves: dict[str, Curves]) -> str:
    """Renders the page as HTML, without scripts and without external resources."""
    html = Element("html", lang="en")
    head = SubElement(html, "head")
    SubElement(head, "meta", charset="utf-8")
    viewport = {"name": "viewport", "content": "width=device-width, initial-scale=1"}
    SubElement(head, "meta", viewport)
    elements.add_text(head, "title", f"Tandem: {summary.name}")
    SubElement(head, "style").text = elements.render_stylesheet()
    body = SubElement(html, "body")
    add_verdict(body, summary)
    navigation = SubElement(body, "nav")
    _add_sections(body, summary, volumes, curves)
    _add_links(navigation, body)
    return "<!doctype html>\n" + tostring(html, encoding="unicode", method="html") + "\n"


def _add_sections(
    body: Element, summary: RunSummary, volumes: DataVolumes, curves: dict[str, Curves]
) -> None:
    add_quality_section(body, summary)
    add_slices_section(body, summary)
    add_fairness_section(body, summary.fairness)
    add_diversity_section(body, summary)
    add_labels_section(body, summary.ranking.labels)
    add_analysis_section(body, summary.analysis)
    add_data_section(body, summary, volumes)
    add_training_section(body, curves)
    add_index_section(body, summary.index)
    add_examples_section(body, summary.examples)
    add_execution_section(body, summary)


def _add_links(navigation: Element, body: Element) -> None:
    for part in body.findall("section"):
        heading = part.findtext("h2") or ""
        elements.add_text(navigation, "a", heading).set("href", f"#{part.get('id')}")
