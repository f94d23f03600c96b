"""Rows of the catalogue, one file a family of data sets: plain data, named in `pagen.footage.catalogue`."""
