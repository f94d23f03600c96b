"""Detectors of features: what normal vectors look like, and how unlike them another one is."""
