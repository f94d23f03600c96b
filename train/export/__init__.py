"""A run's network as a file that runs without pagen."""
