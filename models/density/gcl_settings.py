"""The settings of GCL: which of the paper's rows is trained, and how. Imports nothing heavy: flags are read of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal, get_args

from pagen.errors import PagenError, require_counts, require_name

Target = Literal["ones", "replace", "gaussian", "none"]
Variant = Literal["B", "PT", "OCC", "WS", "AE_AllData", "AE_OCC", "AE_TD"]
Teaching = Literal["mutual", "own", "soft"]
Network = Literal["D", "G"]
KNOWING = ("OCC", "WS", "AE_OCC")
"""Variants that are told which videos are normal."""
ALONE = ("AE_AllData", "AE_OCC", "AE_TD")
"""Variants of the generator alone."""
CALM = ("PT", "AE_TD")
"""Variants whose generator is first, or alone, trained on features that differ little from those before them."""


@dataclass(eq=False)
class GCLSettings:
    """What can be chosen; `pagen.models.density.gcl.GCL` says what each is, and what is refused.

    Example:
        >>> GCLSettings().scored_by, GCLSettings(variant="AE_AllData").scored_by
        ('D', 'G')
    """

    variant: Variant = "B"
    targets: Target = "ones"
    noise: float = 1.5
    teaching: Teaching = "mutual"
    score: Network | None = None
    widths: Sequence[int] = (1024, 512, 256, 512, 1024)
    discriminator_widths: Sequence[int] = (512, 32)
    epochs: int = 15
    pretraining: int = 15
    batch: int = 8192
    lr: float = 2e-5
    momentum: float = 0.6
    factor: float = 1.0
    discriminator_factor: float = 0.1
    difference: float | None = None
    calm: float = 0.8
    standardise: bool = True
    drop_constant: bool = False
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        require_name("variant", self.variant, get_args(Variant))
        require_name("targets", self.targets, get_args(Target))
        require_name("teaching", self.teaching, get_args(Teaching))
        counted = ("widths", "discriminator_widths", "epochs", "pretraining", "batch")
        require_counts({name: getattr(self, name) for name in counted})
        spread = self.factor, self.discriminator_factor, self.noise
        if not all(0 <= number < inf for number in spread) or not 0 < self.lr < inf or not 0 < self.calm <= 1:
            found = f"{self.factor:g}, {self.discriminator_factor:g} and {self.noise:g}, {self.lr:g}, {self.calm:g}"
            raise PagenError(f"expected factors and noise of 0 and more, lr above 0, calm in (0, 1], found {found}")
        if not 0 <= self.momentum < 1:
            raise PagenError(f"expected a momentum in [0, 1), found {self.momentum:g}")
        if self.difference is not None and not 0 <= self.difference < inf:
            raise PagenError(f"expected a difference of 0 and more, found {self.difference:g}")
        if self.variant in ALONE and self.teaching != "mutual":
            raise PagenError(f"expected teaching mutual with variant {self.variant}, which is one network alone")
        if self.score == "D" and not self.discriminates:
            what = self.variant if self.variant in ALONE else f"teaching {self.teaching}"
            raise PagenError(f"expected score G with {what}, which trains no discriminator, found D; leave score out")

    @property
    def discriminates(self) -> bool:
        """Whether the discriminator is trained."""
        return self.variant not in ALONE and self.teaching != "own"

    @property
    def scored_by(self) -> Network:
        """Whose score counts: the discriminator's, where there is one and nothing else is said."""
        return self.score or ("D" if self.discriminates else "G")
