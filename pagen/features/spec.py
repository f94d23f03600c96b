"""Which features are meant: plain data, as a recipe holds it and flags give it. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pagen.errors import PagenError, require_name
from pagen.features.box_kinds import BOXES
from pagen.features.kinds import FEATURES
from pagen.options import flag_of


@dataclass(frozen=True, kw_only=True)
class FeatureOptions:
    """How features are made; each kind looks at those that its row in `FEATURES` names."""

    boxes: str = "motion"
    """Where objects are: motion, file:PATH (npz or JSON), or detector:MODEL."""
    encoder: str = "lite0:imagenet"
    """What sees the crops of deep: lite0 (lite0:imagenet doubles the contrast), clip:MODEL, or vificlip:DIR."""
    poses: str = "file"
    """Where the poses of pose come from: file (the file of boxes), file:PATH (npz), or vitpose:MODEL, which looks for
    them in the boxes."""
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
    segment: int = 1
    """Frames of the segments, one after the other, that vectors of whole frames are averaged over; 1 leaves a vector a
    frame."""
    snippet: int = 0
    """Frames that a vector of file:DIR is of, where it is of a segment (I3D: 16); 0 of its own frame, or as the
    folder's features.json says."""
    window: int = 0
    """Frames of the rolling windows that vectors of file:DIR are of, each of the one that ends with a frame; 0 as with
    snippet."""


@dataclass(frozen=True)
class FeatureSpec(FeatureOptions):
    """A kind of features, and how they are made.

    Raises PagenError: no such kind or boxes, a number out of range, or an option that the kind does not look at.
    """

    of: str
    """What is described, and by whom: frames by lite0, clip:MODEL, vificlip:DIR, hiera:MODEL or latents:RUN; places in
    them by locations:RUN; objects by velocity, deep, pose or tube:RUN, or by several joined, velocity+deep; anything by
    file:DIR, with an npy or npz a clip."""
    size: tuple[int, int] | None = None
    """Height and width of the frames that encoders see; by default the footage's own."""
    colour: bool = False
    """Three channels instead of grey, for encoders and for objects; a run has its own."""

    def __post_init__(self) -> None:
        looked_at, boxes = takes(self.of), self.boxes.partition(":")[0]
        require_name(BOXES.what, boxes, BOXES.names())
        require_name("source of poses", self.poses.partition(":")[0], POSES)
        self._check_option()
        if self.side < 0 or min(self.bins, self.pool, self.segment) < 1:
            raise PagenError(
                "expected --side of 0 and more, --bins, --pool and --segment of 1 and more, found "
                f"{self.side}, {self.bins}, {self.pool} and {self.segment}"
            )
        if min(self.snippet, self.window) < 0 or (self.snippet and self.window):
            raise PagenError(
                f"expected --snippet or --window, of 1 and more, found {self.snippet} and {self.window}; give one"
            )
        if self.bgr and not self.colour:
            raise PagenError("expected --colour with --bgr, found grey footage; it is the same either way")
        for name, default in OPTIONS.items():
            if (value := getattr(self, name)) != default and name not in looked_at:
                raise PagenError(f"expected no {flag_of(name)} with features {self.name}, found {value}; leave it out")

    def _check_option(self) -> None:
        wanted = FEATURES[self.name].option
        if wanted == "" and self.option:
            raise PagenError(
                f"expected features '{self.name}', which take nothing more, found '{self.of}'; leave it out"
            )
        if wanted and not self.option:
            raise PagenError(f"expected features '{self.name}:{wanted}', found '{self.of}'; name the {wanted}")

    @property
    def name(self) -> str:
        """The kind, without what follows its colon."""
        return self.of.partition(":")[0]

    @property
    def option(self) -> str:
        """What follows the colon; empty without one."""
        return self.of.partition(":")[2]

    @property
    def decoded(self) -> bool:
        """Whether frames are looked at."""
        return FEATURES[self.name].decoded

    @property
    def run(self) -> Path:
        """The run's folder that the option names."""
        return Path(self.option)


POSES = ("file", "vitpose")
"""Where poses may come from."""
OPTIONS: dict[str, Any] = {field.name: field.default for field in fields(FeatureSpec) if field.name != "of"}
"""How features are made, and by default."""


def takes(features: str) -> tuple[str, ...]:
    """Which options features by `name` or `name:option` look at. Raises PagenError: no such features."""
    return FEATURES[features.partition(":")[0]].takes


def require_poses(spec: FeatureSpec) -> None:
    """Raise PagenError for features that look at poses, where no flag says whose."""
    if "poses" in takes(spec.of) and spec.poses == OPTIONS["poses"] and spec.boxes.partition(":")[0] != "file":
        raise PagenError(
            f"expected poses for pose, found none with boxes {spec.boxes!r}; give --poses file:PATH or vitpose:MODEL, "
            "a file of boxes with poses, or leave pose out (of objects: train with --kinds velocity deep)"
        )


def is_of_objects(features: str) -> bool:
    """Whether features by `name` or `name:option` are of objects; what names no kind is not."""
    name = features.partition(":")[0]
    return name in FEATURES and FEATURES[name].of_objects


def spec_of(recipe: Mapping[str, Any]) -> FeatureSpec:
    """The features of a recipe or run, by the options that they look at. Errors as `FeatureSpec`.

    Runs of 0.1.0 name a model of poses as their encoder.
    """
    options = {name: recipe.get(name, OPTIONS[name]) for name in takes(str(recipe["features"]))}
    if "poses" in options and "poses" not in recipe and str(recipe.get("encoder")).startswith("vitpose:"):
        options["poses"] = recipe["encoder"]
    if "size" in options:
        options["size"] = tuple(options["size"])
    return FeatureSpec(str(recipe["features"]), **options)
