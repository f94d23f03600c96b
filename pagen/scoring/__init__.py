"""Scoring: what a network makes of clips, as errors and indicators; training and evaluation share it."""
