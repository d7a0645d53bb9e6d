"""Looks at files of unknown layout, and drafts the tables of a configuration that reads them."""

from components.ingest.draft.draft import Draft, TableDraft, draft_tables

__all__ = ["Draft", "TableDraft", "draft_tables"]
