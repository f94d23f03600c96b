"""A run's scores, frames and errors as one HTML file."""
