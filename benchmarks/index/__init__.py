"""Approximate search beside peers."""
