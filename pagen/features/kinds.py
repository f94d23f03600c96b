"""The kinds of features, one row each. Imports nothing heavy.

Others register a `FeatureKind` by `FEATURES.register` or by an entry point of the group `pagen.features`; it works on
data sets and on cameras alike. docs/how-to-add.md has an example.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pagen.errors import PagenError
from pagen.models.encoders.kinds import ENCODERS
from pagen.registry import Registry, resolve

if TYPE_CHECKING:
    from pagen.features.source import FeatureSource, Feed


@dataclass(frozen=True)
class FeatureKind:
    """What a kind of features looks at, and how it is opened.

    Attributes:
        open: a function over a `FeatureSpec` and a `Feed`, which gives the source, or its name as `module:function`.
        takes: the fields of `FeatureSpec` beside `of` that it looks at; others are refused.
        of_objects: its vectors are of objects, of which a frame may have none.
    """

    open: Callable[[Any, Feed], FeatureSource] | str
    takes: tuple[str, ...] = ()
    of_objects: bool = False

    def source(self, spec: Any, feed: Feed) -> FeatureSource:
        """The source of such features. Raises PagenError: as the kind says."""
        opener: Callable[[Any, Feed], FeatureSource] = resolve(self.open) if isinstance(self.open, str) else self.open
        return opener(spec, feed)


_FORM, _BOXES = ("size", "colour"), ("boxes", "colour")
_OF_ENCODER = FeatureKind("pagen.features.frames:open_encoded", ("pool", *_FORM))


class FeatureKinds(Registry[FeatureKind]):
    """Kinds of features by name; every encoder is one of whole frames, by its own name."""

    def names(self) -> list[str]:
        """All names, those of encoders too, sorted."""
        return sorted({*super().names(), *ENCODERS.names()})

    def __getitem__(self, name: str) -> FeatureKind:
        """The row of that name. Raises PagenError that names the nearest one, or for an entry that is no row."""
        if name in ENCODERS and name not in super().names():
            return _OF_ENCODER
        kind = super().__getitem__(name)
        if not isinstance(kind, FeatureKind):
            raise PagenError(f"expected a FeatureKind for features {name!r}, found {kind!r}; register one")
        return kind


FEATURES = FeatureKinds(
    "features",
    "pagen.features",
    {
        "hiera": FeatureKind("pagen.features.video:open_rolling", _FORM),
        "latents": FeatureKind("pagen.features.latents:open_latents"),
        "locations": FeatureKind("pagen.features.latents:open_locations"),
        "velocity": FeatureKind("pagen.features.velocity:open_velocity", (*_BOXES, "flow", "bins", "by_height"), True),
        "deep": FeatureKind("pagen.features.deep:open_deep", (*_BOXES, "encoder", "side", "bgr"), True),
        "pose": FeatureKind("pagen.features.pose:open_pose", (*_BOXES, "encoder", "raw_poses"), True),
        "tube": FeatureKind("pagen.features.tube:open_tube", _BOXES, True),
    },
)
"""Name -> row, of all features that are not an encoder's."""
