"""Which training clips GCL learns from, and which of them it is told to be normal.

A clip's labels say whether it is normal; of a mixed split (`NAME:mixed`) the clips that the data set itself trains on
are. Of any other clip nobody knows, and what needs to know is refused before anything is computed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen import console
from pagen.errors import PagenError
from pagen.footage.catalogue import MIXED
from pagen.footage.locate import locate
from pagen.footage.mixed import known_normal
from pagen.footage.prepare import Prepared
from pagen.models.density.gcl_settings import KNOWING
from pagen.seeds import generator
from pagen.train.config import Train

Known = Mapping[str, bool | None]
"""Training clip -> whether it is normal; None where nothing says so."""


def known(config: Train[Any], prepared: Prepared) -> Known:
    """What labels, or a mixed split, say of the training clips."""
    own, marks = known_normal(locate(config.dataset, config.root)), dict[str, bool | None]()
    for name in prepared.clips("train"):
        labels = prepared.labels(name)
        marks[name] = (True if name in own else None) if labels is None else _is_normal(labels)
    return marks


def _is_normal(labels: npt.NDArray[np.uint8]) -> bool | None:
    """Whether no frame is abnormal; not known where none is but some are left out (a label that is neither)."""
    return False if (labels == 1).any() else None if labels.any() else True


def chosen_clips(config: Train[Any], prepared: Prepared) -> Sequence[str]:
    """The training clips, or as many with anomalies among the others as the recipe wants.

    Raises PagenError: normal clips are not known where the variant is to be told, or labels where shares are drawn.
    """
    marks, recipe = known(config, prepared), config.recipe
    names = list(marks) if recipe.anomaly_share is None else _with_share(recipe.anomaly_share, marks, config)
    if recipe.variant in KNOWING and recipe.weak_share > 0 and not told_normal(names, marks, config):
        wanted = f"training videos that are known to be normal for variant {recipe.variant}"
        if any(marks[name] for name in names):
            advice = f"none among the share {recipe.weak_share:g} whose labels are known; raise --weak-share"
            raise PagenError(f"expected {wanted}, found {advice}")
        raise PagenError(f"expected {wanted}, found none of {config.dataset}; {_how_to_tell(config)}")
    return names


def told_normal(names: Sequence[str], marks: Known, config: Train[Any]) -> set[str]:
    """Those of the clips whose label is known and normal; of `weak_share` of them labels are known at all."""
    count = round(config.recipe.weak_share * len(names))
    drawn = generator(config.seed, "weak labels").permutation(len(names))[:count]
    return {names[index] for index in drawn if marks[names[index]]}


def _with_share(share: float, marks: Known, config: Train[Any]) -> list[str]:
    """Clips with anomalies and without, drawn so that the former are this share, and more contain fewer."""
    if unknown := [name for name, normal in marks.items() if normal is None]:
        found = f"none of {len(unknown)}, the first {unknown[0]}; {_how_to_tell(config)}"
        raise PagenError(f"expected labels of all training clips with --anomaly-share, found {found}")
    rng = generator(config.seed, "share of anomalies")
    normal, abnormal = ([name for name in marks if marks[name] is kind] for kind in (True, False))
    total = min(len(normal), 2 * len(abnormal))
    if not total:
        found = f"{len(normal)} and {len(abnormal)}; leave --anomaly-share out"
        raise PagenError(f"expected training clips without and with anomalies, found {found}")
    count = round(share * total)
    drawn = [rng.permutation(part)[:most] for part, most in ((abnormal, count), (normal, total - count))]
    console.say(f"gcl: {count} of {total} training videos with anomalies")
    return [name for name in marks if any(name in part for part in drawn)]


def _how_to_tell(config: Train[Any]) -> str:
    layouts = locate(config.dataset, config.root).dataset.layouts
    if any(layout.train_labels for layout in layouts):
        return "name its training clips in labels.csv, a normal one by the line training/NAME,,"
    return f"take --dataset {config.dataset.removesuffix(MIXED)}{MIXED}"
