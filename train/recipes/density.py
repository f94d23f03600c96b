"""Recipes of density: features of normal footage, and a detector that learns what they look like.

    pagen train mulde --dataset ped2 --features latents:RUN
    pagen train mulde --dataset ped2 --features objects --boxes file:ped2_objects.npz

`objects` trains one detector for each of `--kinds` and adds their scores up. `cpu` is narrower and shorter than the
paper; features are the same at every scale.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pagen.errors import PagenError
from pagen.features.spec import OPTIONS, FeatureOptions, FeatureSpec, is_of_objects, spec_of, takes
from pagen.train.recipes.base import FootageForm, Recipe, Source

if TYPE_CHECKING:
    from pagen.models.density.detector import Detector
    from pagen.models.density.multiscale import MultiScale

OBJECTS = "objects"
PARTS = (OBJECTS, "locations")
"""Features of parts of frames, beside those of objects."""
NARROW: dict[str, Any] = {
    "size": (192, 288),
    "widths": (512, 512),
    "principal": 128,
    "batch": 512,
    "steps": 150,
    "epochs": 20,
    "schedule": "cosine",
}
TINY: dict[str, Any] = {**NARROW, "size": (96, 144), "widths": (32, 32), "batch": 64, "steps": 10, "epochs": 3}
FORMS: dict[str, dict[str, Any]] = {"paper": {}, "cpu": {"size": (192, 288)}, "tiny": {"size": (96, 144)}}


@dataclass(frozen=True)
class DensityRecipe(FeatureOptions, FootageForm):
    """Features, whatever learns them."""

    features: str = OBJECTS
    """Of frames: lite0, clip:MODEL, vificlip:DIR, hiera:MODEL, latents:RUN; of places: locations:RUN; of objects:
    velocity, deep, pose, tube:RUN, or several of these as `objects`."""
    kinds: tuple[str, ...] = ("velocity", "deep")
    """What `objects` stands for."""

    source: ClassVar[Source] = "density"
    scales: ClassVar[dict[str, dict[str, Any]]] = FORMS

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.features == OBJECTS and (not self.kinds or len(set(self.kinds)) < len(self.kinds)):
            raise PagenError(f"expected --kinds of objects, each once, found {' '.join(self.kinds) or 'none'}")
        for recipe in self.members.values() if self.members else [self]:
            recipe.spec  # noqa: B018  # raises

    @property
    def members(self) -> dict[str, DetectorRecipe]:
        """The recipes of one kind of features each that it consists of, by their indicator; none of a single one."""
        if self.features != OBJECTS:
            return {}
        return {kind.partition(":")[0]: self._of(self.learner(kind), kind) for kind in self.kinds}

    @abstractmethod
    def learner(self, kind: str) -> DetectorRecipe:
        """What learns a kind of objects."""

    @property
    def spec(self) -> FeatureSpec:
        """The features. Raises PagenError as `FeatureSpec`, also of options that they do not look at."""
        return replace(spec_of(asdict(self)), **{name: getattr(self, name) for name in OPTIONS if name != "size"})

    def _of(self, recipe: DetectorRecipe, kind: str) -> DetectorRecipe:
        """A recipe of one kind of objects, with those of the options here that the kind looks at."""
        taken = takes(kind)
        made = {name: getattr(self, name) if name in taken else own for name, own in OPTIONS.items() if name != "size"}
        return replace(recipe, features=kind, size=self.size, **made)


@dataclass(frozen=True)
class DetectorRecipe(DensityRecipe):
    """A detector, of each kind of objects alike."""

    def learner(self, kind: str) -> DetectorRecipe:
        """Itself."""
        return self

    @abstractmethod
    def detector(self, seed: int, device: str) -> Detector:
        """The detector, which has learnt nothing."""


@dataclass(frozen=True)
class MultiScaleRecipe(DetectorRecipe, Recipe):
    """What MULDE and MSMA have in common: a network that sees features with noise of many scales."""

    batch: int = 2048
    epochs: int = 50
    lr: float = 5e-4
    widths: tuple[int, ...] = (4096, 4096)
    """Of the network's hidden layers."""
    sigmas: tuple[float, float] = (1e-3, 1.0)
    """Lowest and highest deviation of the noise, in deviations of the features."""
    principal: int = 0
    """Principal components that wider features are reduced to, each of deviation 1; 0 standardises them as they are."""
    levels: int = 16
    """Scales of the noise that are scored at."""
    reduce: Literal["mixture", "max", "mean", "median", "single"] = "mixture"
    """How the scales are joined: a mixture of Gaussians over them, or one number of them."""
    single: float = 0.334
    """The scale of `single`."""
    components: tuple[int, ...] = (1, 3, 5)
    """Components that the mixture may have; Bayes' information criterion on training features chooses."""

    scales: ClassVar[dict[str, dict[str, Any]]] = {"paper": {}, "cpu": NARROW, "tiny": TINY}

    def optimiser(self, parameters: Any) -> Any:
        """Adam (0.5, 0.9), as MULDE."""
        import torch

        from pagen.models.density.noise_perceptron import BETAS

        return torch.optim.Adam(parameters, self.lr, betas=BETAS, fused=True)

    @abstractmethod
    def detector(self, seed: int, device: str) -> MultiScale:
        """The detector, which has learnt nothing."""

    @property
    def settings(self) -> dict[str, Any]:
        """What its detector is made with; how it is trained is the loop's."""
        own = ("widths", "sigmas", "principal", "reduce", "single", "components", "batch", "lr")
        shared = {name: getattr(self, name) for name in own}
        return {**shared, "scales": self.levels, "drop_constant": True}


@dataclass(frozen=True)
class Mulde(MultiScaleRecipe):
    """MULDE (Micorek et al., CVPR 2024): the density of normal features at many scales of noise (paper: Ped2 99.7).

    `pagen train mulde --dataset ped2 --features objects --boxes file:ped2_objects.npz`
    """

    beta: float = 0.1
    """Weight of the regulariser, which keeps the density's constant alike at all scales."""

    name: ClassVar[str] = "mulde"

    def detector(self, seed: int, device: str) -> MultiScale:
        """A `MULDE`."""
        from pagen.models.density.mulde import MULDE

        return MULDE(**self.settings, beta=self.beta, seed=seed, device=device)


@dataclass(frozen=True)
class Msma(MultiScaleRecipe):
    """MSMA (Mahmood et al., ICLR 2021): the length of the density's gradient at many scales (MULDE's: Ped2 99.5).

    `pagen train msma --dataset ped2 --features objects --boxes file:ped2_objects.npz`
    """

    gradient: Literal["score", "density"] = "score"
    """What gives it: a network of its own, or the derivative of MULDE's."""
    norm: Literal["weighted", "squared"] = "weighted"
    """Its length times the scale, as the original; or squared, as MULDE's release."""

    name: ClassVar[str] = "msma"

    def detector(self, seed: int, device: str) -> MultiScale:
        """An `MSMA`."""
        from pagen.models.density.msma import MSMA

        return MSMA(**self.settings, network_kind=self.gradient, norm=self.norm, seed=seed, device=device)


@dataclass(frozen=True)
class Knn(DetectorRecipe):
    """AccI-VAD's nearest neighbour (Reiss and Hoshen 2022): the distance to the nearest normal features.

    `pagen train knn --dataset ped2 --features objects --kinds deep --boxes file:ped2_objects.npz`
    """

    k: int = 1
    """Neighbours whose squared distances are averaged."""

    name: ClassVar[str] = "knn"

    def detector(self, seed: int, device: str) -> Detector:
        """A `Neighbours`, which draws nothing."""
        from pagen.models.density.neighbours import Neighbours

        return Neighbours(self.k)


@dataclass(frozen=True)
class Gmm(DetectorRecipe):
    """AccI-VAD's mixture of Gaussians (Reiss and Hoshen 2022), for features of few numbers, such as velocities.

    `pagen train gmm --dataset ped2 --features objects --kinds velocity --boxes file:ped2_objects.npz`
    """

    components: tuple[int, ...] = (1, 2, 3, 5)
    """Components that it may have; Bayes' information criterion on training features chooses."""
    regularisation: float = 1e-6
    """What is added to the variances, in those of the features."""

    name: ClassVar[str] = "gmm"

    def detector(self, seed: int, device: str) -> Detector:
        """A `Mixture`."""
        from pagen.models.density.mixture import Mixture

        return Mixture(self.components, self.regularisation, drop_constant=True, seed=seed)


@dataclass(frozen=True)
class AcciVad(DensityRecipe):
    """AccI-VAD's whole chain (Reiss and Hoshen 2022; Ped2 99.1): velocity by `gmm`, all else by `knn`, added up.

    `pagen train accivad --dataset ped2 --bins 1 --boxes file:ped2_objects.npz`
    """

    kinds: tuple[str, ...] = ("velocity", "pose", "deep")
    """What is known of objects."""

    name: ClassVar[str] = "accivad"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.features != OBJECTS:
            raise PagenError(f"expected --features objects for accivad, found {self.features}; take knn or gmm")

    def learner(self, kind: str) -> DetectorRecipe:
        """A `gmm` of velocity, a `knn` of each other kind."""
        return Gmm() if kind == "velocity" else Knn()


@dataclass(frozen=True)
class Gcl(DetectorRecipe):
    """GCL (Zaheer et al., CVPR 2022): two networks that teach each other on footage that may hold anomalies.

    `pagen train gcl --dataset ped2:mixed --features lite0`
    """

    features: str = "lite0"
    pool: int = 16
    """Frames of a segment, whose vectors an encoder of frames averages."""
    variant: Literal["B", "PT", "OCC", "WS"] = "PT"
    """From scratch; pre-trained on what changes little; or with the clips that are known to be normal (OCC, WS)."""
    targets: Literal["ones", "replace", "gaussian", "none"] = "ones"
    """What the generator is to make of what the discriminator calls abnormal."""
    epochs: int = 15
    """Epochs of cooperation."""
    pretraining: int = 15
    """Epochs of each network's pre-training."""
    batch: int = 8192
    """Segments in a step."""
    lr: float = 2e-5
    """Learning rate of RMSprop."""
    momentum: float = 0.6
    """Of RMSprop."""
    factor: float = 1.0
    """Deviations above the mean error from which on the generator calls a segment abnormal."""
    discriminator_factor: float = 0.1
    """The same of the discriminator's probabilities."""
    calm: float = 0.8
    """Share of the segments, those that change least, that PT is pre-trained on."""

    name: ClassVar[str] = "gcl"
    scales: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {},
        "cpu": {"size": (192, 288), "batch": 64, "lr": 1e-4, "epochs": 30, "pretraining": 30},
        "tiny": {"size": (96, 144), "batch": 32, "lr": 1e-4, "epochs": 3, "pretraining": 2},
    }

    def __post_init__(self) -> None:
        if self.features.partition(":")[0] in PARTS or is_of_objects(self.features):
            raise PagenError(
                f"expected --features of whole frames for gcl, found {self.features}; take lite0 or latents:RUN"
            )
        super().__post_init__()

    def detector(self, seed: int, device: str) -> Detector:
        """A `GCL`."""
        from pagen.models.density.gcl import GCL

        own = ("variant", "targets", "epochs", "pretraining", "batch", "lr", "momentum", "factor")
        shared = {name: getattr(self, name) for name in (*own, "discriminator_factor", "calm")}
        return GCL(**shared, drop_constant=True, seed=seed, device=device)
