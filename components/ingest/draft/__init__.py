"""Looks at files of unknown layout, and drafts the tables of a configuration that reads them."""

from components.ingest.draft.draft import Draft, TableDraft, draft_tables
from components.ingest.draft.text_form import detect_text_form

__all__ = ["Draft", "TableDraft", "detect_text_form", "draft_tables"]
