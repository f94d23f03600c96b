"""Which features are meant: plain data, as a recipe holds it and flags give it. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from pagen.errors import PagenError, unknown_name
from pagen.features.sources import FEATURES
from pagen.registry import Registry

OBJECT_KINDS = ("velocity", "deep", "pose", "tube")
BOXES: Registry[None] = Registry("kind of boxes", "pagen.boxes", dict.fromkeys(("motion", "file", "detector")))
"""The names of `pagen.features.box_kinds.BOXES`, which is heavy to import."""
_FRAMES, _BOXES = ("pool", "size", "colour"), ("boxes", "colour")
TAKES: dict[str, tuple[str, ...]] = {
    "lite0": _FRAMES,
    "clip": _FRAMES,
    "vificlip": _FRAMES,
    "hiera": ("size", "colour"),
    "latents": (),
    "locations": (),
    "velocity": (*_BOXES, "flow", "bins", "by_height"),
    "deep": (*_BOXES, "encoder", "side", "bgr"),
    "pose": (*_BOXES, "encoder", "raw_poses"),
    "tube": _BOXES,
}
"""Kind -> the other fields of `FeatureSpec` that it looks at; kinds of others' may look at all."""


@dataclass(frozen=True, kw_only=True)
class FeatureOptions:
    """How features are made; each kind looks at those that `TAKES` names."""

    boxes: str = "motion"
    """Where objects are: motion, file:PATH (npz or JSON; of poses for pose without a model), or detector:MODEL."""
    encoder: str = "lite0:imagenet"
    """What sees the crops of deep: lite0 (lite0:imagenet doubles the contrast), clip:MODEL, or vificlip:DIR; of pose
    vitpose:MODEL."""
    side: int = 128
    """Pixels a side of the crops of deep; 0 takes the encoder's own."""
    bgr: bool = False
    """Swap red and blue of the crops of deep, as in AccI-VAD's published features."""
    flow: str = "dis"
    """Optical flow of velocity: dis, tvl1, or file:DIR."""
    bins: int = 8
    """Directions in velocity's histogram."""
    by_height: bool = False
    """Divide velocity by the height of the box, as AccI-VAD for ShanghaiTech."""
    raw_poses: bool = False
    """Leave pose in pixels, as in AccI-VAD's published files, in place of parts of its height."""
    pool: int = 1
    """Frames, ending with the one described, that vectors of lite0, clip and vificlip are averaged over."""


@dataclass(frozen=True)
class FeatureSpec(FeatureOptions):
    """A kind of features, and how they are made.

    Raises:
        PagenError: no such kind or boxes, a number out of range, or an option that the kind does not look at.
    """

    of: str
    """What is described, and by whom: frames by lite0, clip:MODEL, vificlip:DIR, hiera:MODEL or latents:RUN; places in
    them by locations:RUN; objects by velocity, deep, pose or tube:RUN."""
    size: tuple[int, int] | None = None
    """Height and width of the frames that encoders see; by default the footage's own."""
    colour: bool = False
    """Three channels instead of grey, for encoders and for objects; a run has its own."""

    def __post_init__(self) -> None:
        for registry, name in ((FEATURES, self.name), (BOXES, self.boxes.partition(":")[0])):
            if name not in registry:
                raise unknown_name(registry.what, name, registry.names())
        if self.side < 0 or min(self.bins, self.pool) < 1:
            raise PagenError(
                "expected --side of 0 and more, --bins and --pool of 1 and more, found "
                f"{self.side}, {self.bins} and {self.pool}"
            )
        if self.bgr and not self.colour:
            raise PagenError("expected --colour with --bgr, found grey footage; it is the same either way")
        for each in fields(FeatureSpec):
            value = getattr(self, each.name)
            unused = each.name not in TAKES.get(self.name, (each.name,))
            if each.default is not MISSING and value != each.default and unused:
                raise PagenError(f"expected no --{each.name} with features {self.name}, found {value}; leave it out")

    @property
    def name(self) -> str:
        """The kind, without what follows its colon."""
        return self.of.partition(":")[0]

    @property
    def option(self) -> str:
        """What follows the colon; empty without one."""
        return self.of.partition(":")[2]


OPTIONS: dict[str, Any] = {each.name: each.default for each in fields(FeatureSpec) if each.name != "of"}
"""How features are made, and by default."""


def spec_of(recipe: Mapping[str, Any]) -> FeatureSpec:
    """The features that a recipe names, a run's too, by the options that they look at: defaults of the rest may change.

    Raises:
        PagenError: as `FeatureSpec`.
    """
    of = str(recipe["features"])
    taken = TAKES.get(of.partition(":")[0], tuple(OPTIONS))
    given = {name: recipe.get(name, OPTIONS[name]) for name in taken}
    if "size" in given:
        given["size"] = tuple(given["size"])
    return FeatureSpec(of, **given)
