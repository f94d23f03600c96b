"""MemAE (Gong et al., "Memorizing Normality to Detect Anomaly", ICCV 2019): codes are rebuilt from a memory.

Between encoder and decoder every code vector is replaced by a weighted mean of M learnt items, so that what no item
resembles comes back badly. Small weights are cut off, so that few items take part; where all are cut off the vector
becomes 0. The paper writes a cosine similarity, its code a plain dot product, which is what gives its numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, NamedTuple, cast, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from pagen.errors import PagenError, require_name
from pagen.models.clip_network import REBUILT, Answer
from pagen.models.conv_ae import Autoencoder, ConvAE3d, decoded_frames, sizes_of, widths_of
from pagen.models.foreign import shape_of

Similarity = Literal["dot", "cosine"]
_ITEMS = "mem_rep.memory.weight"


class Addressed(NamedTuple):
    """A reconstruction (B, C, T, H, W), and the share that each item had in each code vector, (B, M, T', H', W').

    Example:
        >>> import torch
        >>> network = MemAE(widths="tiny", memory=20).eval()
        >>> network.addressed(torch.zeros(1, 1, 8, 16, 32)).weights.shape
        torch.Size([1, 20, 1, 1, 2])
    """

    reconstruction: Tensor
    weights: Tensor


class MemAE(Autoencoder):
    """Autoencoder of clips with a memory.

    Raises PagenError: no such widths or similarity, no items, or a `shrink` outside [0, 1).

    Args:
        channels, widths: as `Autoencoder` takes them.
        memory: M, the number of items.
        similarity: of a code vector and an item, before the softmax over the items. A cosine is never over 1,
            and no weight over e / (e + (M - 1) / e): at 2,000 items 0.0037, about 0.0007 at the start. With the
            `shrink` of 5 / M all weights are then cut off and nothing is learnt; give a smaller one.
        shrink: weights up to this are cut off, and the rest divided by their sum; None is the published
            5 / M (0.0025), 0 keeps all.
        tanh: end in tanh; False is the published linear end.

    Shape:
        (B, C, T, H, W) -> the same, T a multiple of 8, H and W of 16.

    Example:
        >>> import torch
        >>> network = MemAE(widths="tiny", memory=20).eval()
        >>> network(torch.zeros(1, 1, 8, 16, 32)).shape
        torch.Size([1, 1, 8, 16, 32])
    """

    published: ClassVar[str] = r"^(encoder|decoder)\.\d"

    def __init__(
        self,
        channels: int = 1,
        widths: str | Sequence[int] = "paper",
        memory: int = 2000,
        similarity: Similarity = "dot",
        shrink: float | None = None,
        tanh: bool = False,
    ) -> None:
        require_name("similarity", similarity, get_args(Similarity))
        if memory < 1:
            raise PagenError(f"expected a memory of 1 item and more, found {memory}; the paper has 2000")
        if shrink is not None and not 0 <= shrink < 1:
            raise PagenError(f"expected shrink in [0, 1), found {shrink}; 0 turns it off, None is 5 / memory")
        super().__init__(channels, widths, memory=memory, similarity=similarity, shrink=shrink, tanh=tanh)
        least = 5 / memory if shrink is None else shrink
        self.mem_rep = nn.ModuleDict({"memory": Memory(memory, widths_of(widths)[3], similarity, least)})
        self.end: nn.Module = nn.Tanh() if tanh else nn.Identity()

    def forward(self, clips: Tensor) -> Tensor:
        """Reconstruct clips (B, C, T, H, W). Raises PagenError for a shape that would not come back."""
        return self.addressed(clips).reconstruction

    def addressed(self, clips: Tensor) -> Addressed:
        """Reconstruct clips (B, C, T, H, W), and tell what of the memory it took. Errors as `forward`."""
        read, weights = self.mem_rep["memory"](self.encoded(clips))
        return Addressed(self.end(self.decoder(read)), weights)

    def code(self, clips: Tensor) -> Tensor:
        """The code that the decoder is given. Raises PagenError for a shape that would not come back."""
        return self._read(self.encoded(clips))

    def answer_of(self, codes: Tensor, frames: Sequence[int], size: Sequence[int]) -> Answer:
        """The frames rebuilt; where one is asked for, no more is decoded than it depends on."""
        return Answer({REBUILT: self.end(decoded_frames(self.decoder, self._read(codes), frames, size))})

    def _read(self, codes: Tensor) -> Tensor:
        return cast(Tensor, self.mem_rep["memory"](codes)[0])

    @classmethod
    def from_published(cls, weights: Mapping[str, Tensor]) -> Autoencoder:
        """This network, or, without a memory among the weights, the paper's baseline, which ends linearly."""
        if _ITEMS not in weights:
            return ConvAE3d(**sizes_of(weights), tanh=False)
        return cls(**sizes_of(weights), memory=shape_of(weights, _ITEMS, 2)[0])


class Memory(nn.Module):
    """M items of D numbers, uniform in +-1 / sqrt(D) at first, that stand in for code vectors.

    Shape:
        codes (B, D, T, H, W) -> what was read (B, D, T, H, W), weights (B, M, T, H, W)

    Example:
        >>> import torch
        >>> read, weights = Memory(items=5, width=3, similarity="dot", shrink=0.0)(torch.rand(1, 3, 1, 2, 2))
        >>> read.shape, weights.shape
        (torch.Size([1, 3, 1, 2, 2]), torch.Size([1, 5, 1, 2, 2]))
    """

    def __init__(self, items: int, width: int, similarity: Similarity, shrink: float) -> None:
        super().__init__()
        self.similarity, self.shrink = similarity, shrink
        bound = width**-0.5
        self.weight = nn.Parameter(torch.empty(items, width).uniform_(-bound, bound))

    def forward(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        queries: Tensor = codes.movedim(1, -1)
        keys: Tensor = self.weight
        if self.similarity == "cosine":
            queries, keys = functional.normalize(queries, dim=-1), functional.normalize(keys, dim=-1)
        weights = hard_shrink((queries @ keys.T).softmax(-1), self.shrink)
        return (weights @ self.weight).movedim(-1, 1), weights.movedim(-1, 1)


def hard_shrink(weights: Tensor, least: float) -> Tensor:
    """Weights (..., M) without those up to `least`, and with a sum of 1 again; all zero where none is left.

    Example:
        >>> import torch
        >>> hard_shrink(torch.tensor([0.6, 0.3, 0.1]), least=0.2)
        tensor([0.6667, 0.3333, 0.0000])
    """
    return functional.normalize(functional.threshold(weights, least, 0.0), p=1, dim=-1) if least else weights


def entropy(weights: Tensor) -> Tensor:
    """Mean over the positions of -sum w log(w + 1e-12), a scalar, of weights (B, M, T', H', W') as they were used.

    Example:
        >>> import torch
        >>> round(float(entropy(torch.full((1, 2, 1, 1, 1), 0.5))), 4)
        0.6931
    """
    return -(weights * (weights + 1e-12).log()).sum(1).mean()


def empty_share(weights: Tensor) -> Tensor:
    """Share of the positions whose weights (B, M, T', H', W') were all cut off: a scalar in [0, 1].

    The published network begins with 0.84 on Ped2; at 1 the decoder sees nothing, and nothing is learnt.

    Example:
        >>> import torch
        >>> empty_share(torch.tensor([[0.0, 1.0], [0.0, 0.0]]).reshape(1, 2, 1, 1, 2))
        tensor(0.5000)
    """
    return (weights == 0).all(1).float().mean()


def published_initialisation(network: nn.Module) -> None:
    """Draw the weights as MemAE's training does, from torch's global generator, in place.

    Weights of convolutions N(0, 0.02), of batch normalisation N(1, 0.02), its biases 0; all else stays, the memory too.

    Example:
        >>> network = MemAE(widths="tiny", memory=20)
        >>> published_initialisation(network)
        >>> network.encoder[1].bias.abs().max().item()
        0.0
    """
    for module in network.modules():
        if isinstance(module, (nn.Conv3d, nn.ConvTranspose3d)):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm3d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)
