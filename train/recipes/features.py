"""Recipes over features: which ones, of which kinds of objects, and one detector for each kind."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, ClassVar

from pagen.errors import PagenError
from pagen.features.spec import OPTIONS, FeatureOptions, FeatureSpec, is_of_objects, spec_of, takes
from pagen.options import Source, flag_of
from pagen.train.recipes.base import FootageForm, Scales

OBJECTS = "objects"
PARTS = (OBJECTS, "locations")
"""Features of parts of frames, beside those of objects."""
MADE, PUBLISHED = ("velocity", "deep"), ("velocity", "pose", "deep")
"""Kinds of objects that need nothing beside footage, and those of the papers."""


@dataclass(frozen=True)
class DensityRecipe(FeatureOptions, FootageForm):
    """Features, whatever learns them."""

    features: str = OBJECTS
    """Of frames: lite0, clip:MODEL, vificlip:DIR, hiera:MODEL, latents:RUN; of places: locations:RUN; of objects:
    velocity, deep, pose, tube:RUN, several joined to one vector (velocity+deep), or several as `objects`; of anything:
    file:DIR, an npy or npz a clip."""
    kinds: tuple[str, ...] = MADE
    """What `objects` stands for, one density each: velocity, deep, pose, tube:RUN, or joined, velocity+deep."""

    source: ClassVar[Source] = "density"
    scales: ClassVar[Scales] = {"paper": {}, "cpu": {"size": (192, 288)}, "tiny": {"size": (96, 144)}}
    session: ClassVar[str] = "pagen.train.density_session:train_detector"
    judged: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.features == OBJECTS:
            self._check_kinds()
        for recipe in self.parts.values():
            recipe.spec  # noqa: B018  # raises

    @property
    def members(self) -> dict[str, Any]:
        """The recipes of one kind of features each that it consists of, by their indicator; none of a single one."""
        if self.features != OBJECTS:
            return {}
        return {kind.partition(":")[0]: self._of(self.learner(kind), kind) for kind in self.taken_kinds}

    @property
    def taken_kinds(self) -> tuple[str, ...]:
        """What `objects` stands for here."""
        return self.kinds

    @property
    def fused(self) -> tuple[str, ...]:
        """Every kind of objects."""
        return tuple(self.members)

    def learner(self, kind: str) -> Any:
        """What learns a kind of objects."""
        raise NotImplementedError

    def _check_kinds(self) -> None:
        """Raise PagenError for kinds that are not of objects or not told apart, and for options that none looks at."""
        kinds = self.taken_kinds
        names, given = [kind.partition(":")[0] for kind in kinds], " ".join(kinds) or "none"
        taken = {name for kind in kinds for name in takes(kind)}
        if strange := [kind for kind in kinds if not is_of_objects(kind)]:
            raise PagenError(f"expected --kinds of objects, found {strange[0]}; give it alone, by --features")
        if not names or len(set(names)) < len(names):
            raise PagenError(f"expected --kinds of objects, each name once, found {given}; train a run of each")
        for name, value in self._chosen.items():
            if name not in taken and name != "colour":
                raise PagenError(f"expected no {flag_of(name)} with --kinds {given}, found {value}; leave it out")

    @property
    def _chosen(self) -> dict[str, Any]:
        """Options of features that are not at the recipe's own defaults."""
        usual = {each.name: each.default for each in fields(self)}
        return {name: getattr(self, name) for name in OPTIONS if name != "size" and getattr(self, name) != usual[name]}

    @property
    def spec(self) -> FeatureSpec:
        """The features. Raises PagenError as `FeatureSpec`, also of options that were given and are not looked at."""
        return replace(spec_of(asdict(self)), **self._chosen)

    def _of(self, recipe: Any, kind: str) -> Any:
        """A recipe of one kind of objects, with those of the options here that the kind looks at."""
        taken = takes(kind)
        made = {name: getattr(self, name) if name in taken else own for name, own in OPTIONS.items() if name != "size"}
        return replace(recipe, features=kind, size=self.size, **made)
