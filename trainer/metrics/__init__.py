"""Exact top-k lists, their metrics, confidence intervals and calibration."""
