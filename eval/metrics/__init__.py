"""Measures of scores and of places: numpy and OpenCV alone, no run and no folder."""

from pagen.eval.metrics.roc import auroc, average_precision, equal_error_rate, macro_auroc, micro_auroc

__all__ = ["auroc", "average_precision", "equal_error_rate", "macro_auroc", "micro_auroc"]
