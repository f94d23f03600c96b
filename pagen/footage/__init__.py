"""Footage: the catalogue of data sets, decoding, labels, prepared clips, windows, the street."""
