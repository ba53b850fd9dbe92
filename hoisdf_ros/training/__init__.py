"""Targets and losses: one function a term, with its equation."""
