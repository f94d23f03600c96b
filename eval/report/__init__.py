"""Scores, frames and errors of a run, or of several, as one HTML file."""
