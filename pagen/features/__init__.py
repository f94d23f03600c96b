"""Features: what an encoder makes of every frame of prepared clips and of pseudo-anomalies, kept on disk."""
