"""The semantic discriminator of the unified PA paper: is the feature vector of a frame that of a pseudo-anomaly?

A small perceptron on features of a frozen encoder, ViFi-CLIP in the paper. The paper's table of its layers is not
public: the width, the single hidden layer, the dropout and the normalisation of the input are ours.
"""

from __future__ import annotations

from typing import Literal, cast, get_args

from torch import Tensor, nn
from torch.nn import functional

from pagen.errors import PagenError, require_name
from pagen.models.pretrained import Pretrained

Pool = Literal["none", "mean"]


class Discriminator(Pretrained):
    """Logits of pseudo-anomalies (1) against normal frames (0); the defaults are ours.

    Raises PagenError: no such pool.

    Args:
        features: D, of the encoder.
        hidden: width of the hidden layer.
        dropout: share of the hidden layer that training leaves out.
        pool: `none`: frame by frame; `mean`: the mean over the frames of a window, before its length becomes 1, as
            ViFi-CLIP pools.

    Shape:
        (B, D), or (B, T, D) with `mean` -> (B,)

    Example:
        >>> import torch
        >>> Discriminator(features=4, hidden=3)(torch.rand(5, 4)).shape
        torch.Size([5])
        >>> Discriminator(features=4, hidden=3, pool="mean")(torch.rand(5, 16, 4)).shape
        torch.Size([5])
    """

    def __init__(self, features: int = 512, hidden: int = 256, dropout: float = 0.5, pool: Pool = "none") -> None:
        super().__init__()
        require_name("pool", pool, get_args(Pool))
        self.config = {"features": features, "hidden": hidden, "dropout": dropout, "pool": pool}
        first = [nn.Linear(features, hidden), nn.ReLU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*first, nn.Linear(hidden, 1), nn.Flatten(0))

    def forward(self, features: Tensor) -> Tensor:
        """Logits (B,) of features (B, D), or (B, T, D) with `pool` "mean". Raises PagenError for another shape."""
        width, mean = self.config["features"], self.config["pool"] == "mean"
        if features.ndim != 2 + mean or features.shape[-1] != width:
            wanted = f"(B, T, {width})" if mean else f"(B, {width})"
            raise PagenError(f"expected features {wanted}, found {tuple(features.shape)}; is the encoder the same?")
        vectors = functional.normalize(features.mean(1) if mean else features, dim=-1)
        return cast(Tensor, self.layers(vectors))
