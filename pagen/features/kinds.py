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
        option: what has to follow its colon, in a word (`RUN`); empty where nothing may. By default anything may, and
            the function judges it.
        decoded: it looks at frames; otherwise clips are not decoded for it, and their lengths and labels are enough.
    """

    open: Callable[[Any, Feed], FeatureSource] | str
    takes: tuple[str, ...] = ()
    of_objects: bool = False
    option: str | None = None
    decoded: bool = True

    def source(self, spec: Any, feed: Feed) -> FeatureSource:
        """The source of such features. Raises PagenError: as the kind says."""
        opener: Callable[[Any, Feed], FeatureSource] = resolve(self.open) if isinstance(self.open, str) else self.open
        return opener(spec, feed)


JOIN = "+"
"""Between kinds of objects whose vectors are joined to one."""
_FORM, _BOXES, _ROWS = ("size", "colour"), ("boxes", "colour"), ("snippet", "window", "segment")
_OF_ENCODER = FeatureKind("pagen.features.frames:open_encoded", ("pool", "segment", *_FORM))


def _of_objects(module: str, *takes: str, option: str = "") -> FeatureKind:
    return FeatureKind(f"pagen.features.{module}", (*_BOXES, *takes), of_objects=True, option=option)


class FeatureKinds(Registry[FeatureKind]):
    """Kinds of features by name.

    Every encoder is one of whole frames, by its own name; kinds of objects with a plus between them (`velocity+deep`)
    are one of objects, whose vectors are theirs one after the other.
    """

    def names(self) -> list[str]:
        """All names, those of encoders too, sorted."""
        return sorted({*super().names(), *ENCODERS.names()})

    def __contains__(self, name: str) -> bool:
        return all(super(FeatureKinds, self).__contains__(part) for part in name.split(JOIN))

    def __getitem__(self, name: str) -> FeatureKind:
        """The row of that name. Raises PagenError that names the nearest one, or for an entry that is no row."""
        if JOIN in name:
            return self._joined(name)
        if name not in self._table and name in ENCODERS and name not in super().names():
            return _OF_ENCODER
        kind = super().__getitem__(name)
        if not isinstance(kind, FeatureKind):
            raise PagenError(f"expected a FeatureKind for features {name!r}, found {kind!r}; register one")
        return kind

    def _joined(self, name: str) -> FeatureKind:
        parts = {part: self[part] for part in name.split(JOIN)}
        fit = [part for part, kind in parts.items() if kind.of_objects and not kind.option]
        if len(fit) < len(name.split(JOIN)):
            known = ", ".join(each for each in self.names() if self[each].of_objects and not self[each].option)
            raise PagenError(f"expected kinds of objects to join, each once, of {known}, found {name}; name others")
        takes = dict.fromkeys(field for kind in parts.values() for field in kind.takes)
        return FeatureKind("pagen.features.joined:open_joined", tuple(takes), of_objects=True, option="")


FEATURES = FeatureKinds(
    "features",
    "pagen.features",
    {
        "hiera": FeatureKind("pagen.features.video:open_rolling", ("segment", *_FORM), option="MODEL"),
        "latents": FeatureKind("pagen.features.latents:open_latents", ("segment",), option="RUN"),
        "locations": FeatureKind("pagen.features.latents:open_locations", option="RUN"),
        "file": FeatureKind("pagen.features.file:open_vectors", _ROWS, option="DIR", decoded=False),
        "velocity": _of_objects("velocity:open_velocity", "flow", "bins", "by_height"),
        "deep": _of_objects("deep:open_deep", "encoder", "side", "bgr"),
        "pose": _of_objects("pose:open_pose", "poses", "raw_poses"),
        "tube": _of_objects("tube:open_tube", option="RUN"),
    },
)
"""Name -> row, of all features that are not an encoder's."""
