"""A package of somebody else's that adds one entry to every registry of pagen."""
