"""What flags may be, where several verbs or rooms share it: each list of names stands once, and without torch."""

from __future__ import annotations

from typing import Literal

Scale = Literal["paper", "cpu", "tiny"]
"""How large a training is."""
PseudoKind = Literal["spatial", "temporal", "skip", "patch"]
"""Kinds of pseudo-anomalies."""
Source = Literal["frames", "flow", "features", "density"]
"""What a run looks at: frames, optical flow, an encoder's features of frames, or features whose density it knows."""
FusionWeights = Literal["published", "uniform", "pseudo", "oracle"]
"""Where the weights of what is fused come from."""
