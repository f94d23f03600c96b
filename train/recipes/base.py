"""What all recipes have: scales, members, the footage's form, the optimiser.

The defaults are LNTRA's (Astrid et al. 2021): Adam at 1e-4, four whole grey clips a step, 60 epochs.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from math import inf
from typing import Any, ClassVar, Literal, Self

from pagen.compute import Compute
from pagen.errors import PagenError, require_counts
from pagen.options import PseudoKind, Scale, Source
from pagen.papers.all_papers import FUSED

Parts = dict[str, Any]
"""`loss`, a scalar tensor, and the named parts that it is made of."""
Scales = dict[Scale, dict[str, Any]]
"""Scale -> the fields in which it differs from `paper`."""


@dataclass(frozen=True)
class BaseRecipe:
    """A recipe, of one network or detector, or of several.

    Attributes:
        name: by which it is chosen, and which its runs remember.
        session: `module:function` that trains it: configuration -> what the verb prints.
        judged: whether pseudo-anomalies can tell how good its network is.
        scales: the fields in which each scale differs from the defaults.
        after: the fields that its steps do not look at, for what is fitted when they are done.
    """

    name: ClassVar[str]
    session: ClassVar[str]
    judged: ClassVar[bool] = True
    after: ClassVar[tuple[str, ...]] = ()
    scales: ClassVar[Scales] = {"paper": {}, "cpu": {}, "tiny": {}}

    @classmethod
    def at(cls, scale: Scale) -> Self:
        """The recipe at a scale."""
        return replace(cls(), **cls.scales.get(scale, {}))

    @property
    def members(self) -> dict[str, Any]:
        """The recipes that it consists of, by name; none where it is of one network or detector."""
        return {}

    @property
    def parts(self) -> dict[str, Any]:
        """The recipes of one network or detector each: its members, or itself."""
        return self.members or {self.name: self}

    @property
    def fused(self) -> tuple[str, ...]:
        """The indicators that evaluation adds up, as the recipe's paper has it; none where each counts alone."""
        return FUSED.get(self.name, ())

    @property
    def taken(self) -> tuple[PseudoKind, ...]:
        """The kinds of pseudo-anomalies that it takes from a PA set, where one is given."""
        return ()

    @property
    def needed(self) -> tuple[PseudoKind, ...]:
        """The kinds among them that it cannot make on the fly."""
        return ()

    @property
    def pa_flags(self) -> dict[str, Any]:
        """Flags of `pagen generate` that a PA set for it is made with, those alone that it looks at; none without."""
        return {}

    @property
    def by_set(self) -> tuple[str, ...]:
        """Fields that a PA set decides, where its pseudo-anomalies are taken from one."""
        return ()

    @property
    def idle(self) -> tuple[str, ...]:
        """Fields that nothing looks at, as the others are set: its runs do not remember them."""
        return ()

    @property
    def settings(self) -> dict[str, Any]:
        """Its fields, as its runs remember them."""
        return {name: value for name, value in asdict(self).items() if name not in self.idle}

    def check_training(self) -> None:
        """Raise PagenError for settings that can be scored with, and not trained with."""

    def check_named(self) -> None:
        """Raise PagenError for what a flag has to name and does not; nothing is looked at."""

    def check_sources(self, device: str) -> None:
        """Raise PagenError for what is missing beside footage and PA set, before either is looked at."""

    def check_files(self, dataset: str, compute: Compute) -> None:
        """Raise PagenError for files about clips that are not about those of the data set, before any is prepared."""


@dataclass(frozen=True)
class FootageForm(BaseRecipe):
    """The form of the frames."""

    size: tuple[int, int] = (256, 256)
    """Height and width of the frames."""
    colour: bool = False
    """Three channels instead of grey."""

    source: ClassVar[Source] = "frames"

    def __post_init__(self) -> None:
        if min(self.size) < 16:
            raise PagenError(f"expected --size of 16 and more, found {self.size}")

    @property
    def channels(self) -> int:
        """Channels of the footage, as the network sees it."""
        return 3 if self.colour else 1


@dataclass(frozen=True)
class Recipe(FootageForm):
    """What is trained step by step: the optimiser, and what a subclass gives to the session of networks.

    Attributes:
        inputs: `module:function` from configuration, prepared footage, PA set and held-out clips to batches that do
            what `pagen.train.batches.ClipBatches` does for the loop, calibration and validation.
        picture: `module:function` from network, batches and path to the picture that a run shows of its network.
        chief: the indicator that validation goes by; empty takes the first.
    """

    batch: int = 4
    """Clips in a step, over all processes together."""
    steps: int = 0
    """Steps in an epoch; 0 takes every window of the training split once."""
    epochs: int = 60
    """Epochs."""
    lr: float = 1e-4
    """Learning rate."""
    schedule: Literal["constant", "cosine"] = "constant"
    """How the learning rate goes over the run; cosine ends at zero."""
    accumulate: int = 1
    """Parts that a step is computed in, one after the other: less memory, the same number of clips."""
    max_norm: float = 0.0
    """Largest norm of the gradient; 0 leaves it as it is."""
    ema: float = 0.0
    """Decay of a moving average of the weights, which is kept instead of the last ones; 0 for none."""
    precision: Literal["auto", "no", "bf16", "fp16"] = "no"
    """Mixed precision of the forward pass; auto is bf16 where the device multiplies it, which the run remembers. fp16
    is for GPUs."""

    session: ClassVar[str] = "pagen.train.network_session:train_network"
    inputs: ClassVar[str]
    picture: ClassVar[str]
    chief: ClassVar[str] = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        require_counts({"--batch": self.batch, "--epochs": self.epochs, "--accumulate": self.accumulate})
        require_counts({"--steps": self.steps}, least=0)
        if not 0 < self.rate < inf:
            raise PagenError(f"expected --lr above 0, found {self.rate}")
        if self.batch % self.accumulate:
            raise PagenError(f"expected --accumulate to divide --batch {self.batch}, found {self.accumulate}")
        if not 0 <= self.ema < 1 or not 0 <= self.max_norm < inf:
            found = f"{self.ema}, {self.max_norm}"
            raise PagenError(f"expected --ema in [0, 1) and --max-norm of 0 and more, found {found}")

    @property
    def rate(self) -> float:
        """The learning rate that is trained with."""
        return self.lr

    def optimiser(self, parameters: Any) -> Any:
        """Adam with torch's defaults."""
        import torch

        return torch.optim.Adam(parameters, lr=self.lr)

    def network(self, batches: Any) -> Any:
        """The untrained network for these batches, drawn from torch's global generator."""
        raise NotImplementedError

    def objective(self, network: Any, batch: dict[str, Any]) -> Parts:
        """The loss of a batch of samples, and its parts."""
        raise NotImplementedError
