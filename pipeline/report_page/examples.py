"""A few users: what they took last, and what they are recommended."""

from typing import Any
from xml.etree.ElementTree import Element, SubElement

from pipeline.report.html import elements


def add(body: Element, summary: dict[str, Any]) -> None:
    """A card a user. Left out where nothing was asked."""
    answers = summary.get("examples") or []
    if not answers:
        return
    part = elements.section(
        body, f"{len(answers)} users",
        "Drawn at random among users with some history, and asked of the pushed models through a "
        "server: what they took last, and the top of their lists.",
    )  # fmt: skip
    cards = SubElement(part, "div", {"class": "users"})
    for answer in answers:
        _card(cards, answer)


def _card(cards: Element, answer: dict[str, Any]) -> None:
    card = SubElement(cards, "article", {"class": "user"})
    known = "" if answer["known_user"] else " (new)"
    elements.text(card, "h3", f"User {answer['user_id']}{known}")
    if answer["history"]:
        elements.text(card, "h4", "took last")
        history = SubElement(card, "ul")
        for event in answer["history"]:
            elements.text(history, "li", event["title"])
    elements.text(card, "h4", "is recommended")
    listed = SubElement(card, "ol")
    for item in answer["recommendations"]:
        elements.text(listed, "li", item["title"])
