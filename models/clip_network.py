"""Base of networks over clips, each of which answers for itself: scoring and export need not know which it is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor

from pagen.models.pretrained import Pretrained

REBUILT = "rebuilt"
"""Name of a reconstruction whose indicator depends on what the network was shown: frames or flow."""


@dataclass(frozen=True)
class Answer:
    """Answers of a network to B windows.

    Attributes:
        frames: indicator -> (B, C, P, H, W), the P asked frames as the network gives them back.
        after: indicator -> (B, C, 1, H, W), the frame after the window as the network predicts it.
        odds: indicator -> (B,), log-odds of the window as a whole, higher = more abnormal.

    Example:
        >>> import torch
        >>> Answer(odds={"prp": torch.tensor([0.5, -1.0])}).odds["prp"].argmax()
        tensor(0)
    """

    frames: Mapping[str, Tensor] = field(default_factory=dict)
    after: Mapping[str, Tensor] = field(default_factory=dict)
    odds: Mapping[str, Tensor] = field(default_factory=dict)


class ClipNetwork(Pretrained):
    """A network over clips (B, C, T, H, W) in [-1, 1].

    Attributes:
        measure: how the error of a whole frame is measured where nobody asks otherwise: `mse`, `pse` or `bpe`.
        beyond: frames after the window that its answer is compared with.
        outputs: names of what `graph` gives.

    Example:
        >>> from pagen.models.luss import LUSSAE
        >>> LUSSAE.measure, LUSSAE.beyond, LUSSAE.outputs
        ('bpe', 1, ('vcr', 'ffp', 'prp'))
    """

    measure: ClassVar[str] = "mse"
    beyond: ClassVar[int] = 0
    outputs: ClassVar[tuple[str, ...]] = ("reconstruction",)

    @abstractmethod
    def answer(self, clips: Tensor, frames: Sequence[int]) -> Answer:
        """Its answer to clips of any H and W in these frames. Raises PagenError for a shape that it does not take."""

    @abstractmethod
    def graph(self, clips: Tensor) -> tuple[Tensor, ...]:
        """Everything that it makes of clips of any H and W, as plain tensors in the order of `outputs`: for export."""
