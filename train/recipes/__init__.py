"""Recipes: what a paper trains, as one frozen dataclass each, at three scales.

`paper` holds the published hyper-parameters. `cpu` is for two cores: a narrower network on crops that follow what
moves, which the fully convolutional network then scores whole frames with. `tiny` takes seconds, for tests and the
demo. A recipe answers for its method: network, objective, samples, optimiser, what it fuses, what pictures it shows.
The modules import neither torch nor numpy, since flags are read from them. What each recipe reached, and in how many
minutes, stands in `docs/results.md`.
"""
