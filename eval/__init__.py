"""Evaluation: errors, scores, rescaling, protocols, metrics."""
