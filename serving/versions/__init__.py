"""Pushed versions in a folder or on an object store: push, follow, origin and refresh."""
