"""Evaluation: scores, rescaling, protocols, metrics."""
