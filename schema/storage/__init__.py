"""Paths and object stores: locations, copies and atomic writes."""
