"""One's own camera: a threshold from normal footage, and alerts."""
