"""Recipes: what a paper trains, as one frozen dataclass each, at three scales."""
