"""Training: recipes, batches, objectives, the loop."""
