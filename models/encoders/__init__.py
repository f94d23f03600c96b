"""Encoders: frames to vectors, by name, with weights that others trained."""
