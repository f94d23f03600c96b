"""Published checkpoints to folders that pagen opens."""
