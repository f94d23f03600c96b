"""Recipes of density: features of normal footage, and a detector that learns what they look like.

    pagen train mulde --dataset ped2 --features latents:RUN
    pagen train mulde --dataset ped2 --features objects --boxes file:ped2_objects.npz

`objects` trains one detector for each of `--kinds` and adds their scores up. `cpu` is narrower and shorter than the
paper, and knows no poses by default, which nothing makes by itself; otherwise features are the same at every scale.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field, fields, make_dataclass, replace
from functools import partial
from typing import Any, ClassVar, Literal, get_type_hints

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.features.box_kinds import has_poses
from pagen.features.spec import OPTIONS, is_of_objects, require_poses
from pagen.models.density.detectors import DETECTORS
from pagen.registry import resolve
from pagen.train.recipes.base import Parts, Recipe, Scales
from pagen.train.recipes.features import MADE, OBJECTS, PARTS, PUBLISHED, DensityRecipe

YOUNGER = ("poses", "snippet", "window", "segment")
"""Options of features that runs of 0.1.0 do not remember, and others only where they are not at their defaults."""
OBJECT_LR, FRAME_LR = 5e-4, 1e-4
"""MULDE's learning rates, of features of objects and of frames."""
NARROW: dict[str, Any] = {
    "size": (192, 288), "widths": (512, 512), "principal": 128,
    "batch": 512, "steps": 150, "epochs": 20, "schedule": "cosine", "lr": OBJECT_LR,
}  # fmt: skip
TINY: dict[str, Any] = {**NARROW, "size": (96, 144), "widths": (32, 32), "batch": 64, "steps": 10, "epochs": 3}


@dataclass(frozen=True)
class DetectorRecipe(DensityRecipe):
    """The detector of the recipe's name, of each kind of objects alike; settings are called as its fields.

    Attributes:
        choosing: `module:function` that says which training clips it learns from; see `density_session.Choosing`.
        fitting: `module:function` that fits it; see `density_session.Fitting`.
        least: training clips that it needs.
        renamed: fields of the recipe whose setting is called otherwise, or that are none (empty).
    """

    choosing: ClassVar[str] = "pagen.train.density_session:every_clip"
    fitting: ClassVar[str] = "pagen.train.density_session:fit_at_once"
    least: ClassVar[int] = 1
    renamed: ClassVar[dict[str, str]] = {}

    def learner(self, kind: str) -> DetectorRecipe:
        """Itself."""
        return self

    @property
    def idle(self) -> tuple[str, ...]:
        """Options that are younger than 0.1.0, at their defaults."""
        return tuple(name for name in YOUNGER if getattr(self, name) == OPTIONS[name])

    def check_sources(self, device: str) -> None:
        """Raise PagenError for files, runs or models of the features that are missing."""
        resolve("pagen.features.open:check_sources")(self.spec, device)

    def check_named(self) -> None:
        """Raise PagenError for poses that no flag names."""
        require_poses(self.spec)

    def check_files(self, dataset: str, compute: Compute) -> None:
        """Raise PagenError for too few clips, and for files of boxes, poses or flow that are not of them."""
        resolve("pagen.features.open:check_files")(self.spec, dataset, compute, self.least)

    def detector(self, seed: int, device: str) -> Any:
        """The detector, which has learnt nothing."""
        kind = DETECTORS[self.name]
        own = {self.renamed.get(name, name): value for name, value in vars(self).items()}
        given = {"drop_constant": True, **own, "seed": seed, "device": device}
        return kind(**{each.name: given[each.name] for each in fields(kind) if each.init and each.name in given})


@dataclass(frozen=True)
class MultiScaleRecipe(DetectorRecipe, Recipe):
    """What MULDE and MSMA have in common: a network that sees features with noise of many scales."""

    batch: int = 2048
    epochs: int = 50
    lr: float = 0.0
    """Learning rate; 0 takes the paper's: 5e-4 of objects and places, 1e-4 of frames."""
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

    scales: ClassVar[Scales] = {"paper": {"kinds": PUBLISHED}, "cpu": NARROW, "tiny": TINY}
    fitting: ClassVar[str] = "pagen.train.density_session:fit_step_by_step"
    renamed: ClassVar[dict[str, str]] = {"levels": "scales", "steps": ""}
    after: ClassVar[tuple[str, ...]] = ("levels", "reduce", "single", "components")

    @property
    def rate(self) -> float:
        """The learning rate, or the paper's of such features."""
        of_parts = self.features.partition(":")[0] in PARTS or is_of_objects(self.features)
        return self.lr or (OBJECT_LR if of_parts else FRAME_LR)

    @property
    def settings(self) -> dict[str, Any]:
        """The fields, with the learning rate that is trained with."""
        return {**super().settings, "lr": self.rate}

    def detector(self, seed: int, device: str) -> Any:
        """The detector, with the learning rate that it is trained with."""
        return replace(super().detector(seed, device), lr=self.rate)

    def optimiser(self, parameters: Any) -> Any:
        """Adam (0.5, 0.9), as MULDE."""
        import torch

        betas = resolve("pagen.models.density.noise_perceptron:BETAS")
        return torch.optim.Adam(parameters, self.rate, betas=betas, fused=True)

    def objective(self, network: Any, batch: dict[str, Any]) -> Parts:
        """Denoising score matching of features `x` (B, D) with `noise` (B, D) of deviations `sigma` (B, 1)."""
        matching = self.detector(0, "cpu").objective()
        return {"loss": matching(network, batch["x"], batch["sigma"], batch["noise"])}


@dataclass(frozen=True)
class MuldeRecipe(MultiScaleRecipe):
    """MULDE (Micorek et al., CVPR 2024): the density of normal features at many scales of noise (paper: Ped2 99.7).

    `pagen train mulde --dataset ped2 --features objects --boxes file:ped2_objects.npz`
    """

    beta: float = 0.1
    """Weight of the regulariser, which keeps the density's constant alike at all scales."""

    name: ClassVar[str] = "mulde"


@dataclass(frozen=True)
class MsmaRecipe(MultiScaleRecipe):
    """MSMA (Mahmood et al., ICLR 2021): the length of the density's gradient at many scales (MULDE's: Ped2 99.5).

    `pagen train msma --dataset ped2 --features objects --boxes file:ped2_objects.npz`
    """

    gradient: Literal["score", "density"] = "score"
    """What gives it: a network of its own, or the derivative of MULDE's."""
    norm: Literal["weighted", "squared"] = "weighted"
    """Its length times the scale, as the original; or squared, as MULDE's release."""

    name: ClassVar[str] = "msma"
    renamed: ClassVar[dict[str, str]] = {**MultiScaleRecipe.renamed, "gradient": "network_kind"}


@dataclass(frozen=True)
class KnnRecipe(DetectorRecipe):
    """AccI-VAD's nearest neighbour (Reiss and Hoshen 2022): the distance to the nearest normal features.

    `pagen train knn --dataset ped2 --features objects --kinds deep --boxes file:ped2_objects.npz`
    """

    k: int = 1
    """Neighbours whose squared distances are averaged."""

    name: ClassVar[str] = "knn"
    least: ClassVar[int] = 2  # a training clip is judged by the others


@dataclass(frozen=True)
class GmmRecipe(DetectorRecipe):
    """AccI-VAD's mixture of Gaussians (Reiss and Hoshen 2022), for features of few numbers, such as velocities.

    `pagen train gmm --dataset ped2 --features objects --kinds velocity --boxes file:ped2_objects.npz`
    """

    components: tuple[int, ...] = (1, 2, 3, 5)
    """Components that it may have; Bayes' information criterion on training features chooses."""
    regularisation: float = 1e-6
    """What is added to the variances, in those of the features."""

    name: ClassVar[str] = "gmm"


@dataclass(frozen=True)
class AcciVadRecipe(DensityRecipe):
    """AccI-VAD's whole chain (Reiss and Hoshen 2022; Ped2 99.1): velocity by `gmm`, all else by `knn`, added up.

    `pagen train accivad --dataset ped2 --scale paper --bins 1 --boxes file:ped2_objects.npz`
    """

    kinds: tuple[str, ...] = ()
    """What is known of objects; none takes velocity and deep, and pose where poses are named, by --poses or in the file
    of boxes."""

    name: ClassVar[str] = "accivad"
    scales: ClassVar[Scales] = {**DensityRecipe.scales, "paper": {"kinds": PUBLISHED}}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.features != OBJECTS:
            raise PagenError(f"expected --features objects for accivad, found {self.features}; take knn or gmm")

    @property
    def taken_kinds(self) -> tuple[str, ...]:
        """The kinds that are asked for, or that can be made."""
        posed = self.poses != OPTIONS["poses"] or has_poses(self.boxes)
        return self.kinds or (PUBLISHED if posed else MADE)

    def learner(self, kind: str) -> DetectorRecipe:
        """A `gmm` of velocity, a `knn` of each other kind."""
        return GmmRecipe() if kind == "velocity" else KnnRecipe()


def recipe_of_detector(name: str) -> type[DetectorRecipe]:
    """A recipe made of the settings of a registered detector, which is fitted at once.

    Raises PagenError for a setting without a default, or one that is called as a field of every recipe.
    """
    kind = DETECTORS[name]
    own = [each.name for each in fields(kind) if each.init and each.name not in ("seed", "device")]
    try:
        defaults = {each: getattr(kind(), each) for each in own}
    except TypeError as error:
        raise PagenError(f"expected defaults for all settings of the detector {name}, found none ({error})") from error
    if taken := [each.name for each in fields(DetectorRecipe) if each.name in defaults]:
        raise PagenError(f"expected other names than {' '.join(taken)} for settings of the detector {name}")
    types = get_type_hints(kind)
    settings = [(each, types[each], field(default_factory=partial(copy, value))) for each, value in defaults.items()]
    about = {"name": name, "__doc__": kind.__doc__}
    return make_dataclass(f"{kind.__name__}Recipe", settings, bases=(DetectorRecipe,), namespace=about, frozen=True)
