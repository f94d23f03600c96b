"""`a+b`: the training clips of several data sets as one, to train on all but the one that is tested on.

Clips are called after their data set, `a.train_01`. There are no test clips: each data set is tested on by itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from pagen.errors import PagenError
from pagen.folders import folder_name
from pagen.footage.catalogue import DATASETS, JOIN, WITHOUT
from pagen.footage.clips import Footage
from pagen.footage.video import one_rate


def joined(name: str, parts: Sequence[Footage]) -> Footage:
    """The training clips of located data sets as one; what is checked remains each of them.

    Raises PagenError: a data set without training clips.

    Example:
        >>> from pagen.footage.locate import locate
        >>> footage = locate("street+street:square")
        >>> len(footage.split("train")), footage.split("train")[12].name, footage.split("test")
        (24, 'street-square.train_01', [])
    """
    for part in parts:
        if not part.split("train"):
            raise PagenError(f"expected training clips of {part.name} to join, found none in {part.root}; leave it out")
    clips = tuple(clip.renamed(_called(part, clip.name)) for part in parts for clip in part.split("train"))
    expected = {_called(part, clip) for part in parts for clip in part.expected.get("train", ())}
    whole = {"train": frozenset(expected | {clip.name for clip in clips})} if expected else {}
    return Footage(name, DATASETS[name], None, "joined", (), clips, expected=whole, parts=tuple(parts))


def _called(part: Footage, clip: str) -> str:
    """The name of a data set's clip among joined ones."""
    return f"{folder_name(part.name)}.{clip}"


def require_one_size(footage: Footage) -> None:
    """Raise PagenError for joined data sets of several sizes, by the first frame of each.

    Example:
        >>> from pagen.footage.locate import locate
        >>> require_one_size(locate("street"))
    """
    sizes = {part.name: next(iter(part.split("train")[0].frames())).shape[:2] for part in footage.parts}
    if len(set(sizes.values())) > 1:
        found = ", ".join(f"{height}x{width} of {name}" for name, (height, width) in sizes.items())
        raise PagenError(
            f"expected frames of one size to join, found {found}; train or prepare with a --size, or leave one out: "
            "objects are looked for in frames as they are"
        )


def differing_rates(footage: Footage) -> str:
    """What there is to tell of frames a second that differ between joined data sets; empty where there is nothing.

    Example:
        >>> from pagen.footage.locate import locate
        >>> differing_rates(locate("street+street:square"))
        ''
    """
    rates = {part.name: part.fps for part in footage.parts}
    if one_rate(rates.values()):
        return ""
    found = ", ".join(f"{rate:.4g} of {name}" for name, rate in rates.items())
    return f"{footage.name}: frames a second differ ({found}), so that a window lasts longer in some than in others"


def parts_of(name: str) -> list[str]:
    """The names of the data sets that one consists of.

    Example:
        >>> parts_of("ped2+street:square"), parts_of("ped2")
        (['ped2', 'street:square'], ['ped2'])
    """
    return name.split(JOIN)


def shares(trained_on: str, target: str) -> bool:
    """Whether a data set, joined ones included, holds footage of the one tested on, as far as names tell.

    Scenes of one data set are footage of their own.

    Example:
        >>> shares("ped1+ped2:mixed", "ped2"), shares("street", "street:square")
        (True, False)
    """
    return any(_overlap(part, target) for part in parts_of(trained_on))


def base_of(name: str) -> str:
    """A data set's name without its modifiers.

    Example:
        >>> base_of("ped2:mixed"), base_of("street:square")
        ('ped2', 'street:square')
    """
    base, modifier = DATASETS.parted(name)
    return base_of(base) if modifier else name


def _overlap(one: str, other: str) -> bool:
    bases = base_of(one), base_of(other)
    if any(base not in DATASETS for base in bases):
        return one == other  # a run of a data set that is no longer known
    first, second = (DATASETS[base] for base in bases)
    alike = first.name == second.name or bool(set(first.aliases) & set(second.aliases))
    return alike and (not first.scene_names or bool(_scenes(one) & _scenes(other)))


def _scenes(name: str) -> set[str]:
    """The scenes that a name, modifiers and all, leaves of a data set."""
    base, modifier = DATASETS.parted(name)
    scenes = _scenes(base) if modifier else set(DATASETS[name].scene_names)
    if modifier.startswith(WITHOUT):
        return scenes - {modifier.removeprefix(WITHOUT)}
    return scenes & {modifier} if modifier in DATASETS[base_of(name)].scene_names else scenes
