"""The pushed version, as what training and evaluation start from and compare with."""
