"""What the papers published, one file a paper: figures, protocols and ablations as plain data."""
