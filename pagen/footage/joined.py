"""`a+b`: the training clips of several data sets as one, to train on all but the one that is tested on.

Clips are called after their data set, `a.train_01`. There are no test clips: each data set is tested on by itself.
"""

from __future__ import annotations

from pagen.footage.catalogue import DATASETS, WITHOUT

JOIN = "+"
"""Between the names of joined data sets."""


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
    return name if not DATASETS.parted(name)[1] else base_of(DATASETS.parted(name)[0])


def _overlap(one: str, other: str) -> bool:
    if base_of(one) not in DATASETS or base_of(other) not in DATASETS:
        return one == other  # a run of a data set that is no longer known
    first, second = DATASETS[base_of(one)], DATASETS[base_of(other)]
    alike = first.name == second.name or bool(set(first.aliases) & set(second.aliases))
    return alike and (not first.scene_names or bool(_scenes(one) & _scenes(other)))


def _scenes(name: str) -> set[str]:
    """The scenes that a name, modifiers and all, leaves of a data set."""
    base, modifier = DATASETS.parted(name)
    if not modifier:
        return set(DATASETS[name].scene_names)
    scenes = _scenes(base)
    if modifier.startswith(WITHOUT):
        return scenes - {modifier.removeprefix(WITHOUT)}
    return scenes & {modifier} if modifier in DATASETS[base_of(name)].scene_names else scenes
