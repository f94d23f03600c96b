"""Procedural footage: a street, and a square to transfer to."""

from __future__ import annotations

from dataclasses import replace

from pagen.footage.catalogue import DataSet

STREET = DataSet(
    name="street",
    what="procedural footage of a street, made on the spot, with labels and masks",
    fps=10,
    licence="Apache-2.0",
    obtain="nothing to obtain",
    scenes="pagen.footage.street.scene:scenes",
    kinds="pagen.footage.street.scene:street_kinds",
)

SQUARE = replace(
    STREET,
    name="street:square",
    what="procedural footage of a square, by another camera than the street's: to transfer to",
    scenes="pagen.footage.street.scene:square",
    kinds="pagen.footage.street.scene:square_kinds",
)
