"""The one table of indicators: what each number that scores a frame is, in which unit, and where it comes from.

An indicator is higher where a frame is more abnormal. Errors of pixels are given in dB, probabilities as log-odds, in
which they can be added up. `NAME_local` is the same error at the worst place of a frame in place of the whole of it
(ours: a sum follows how crowded a video is); it needs no row of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from pagen.errors import PagenError, unknown_name
from pagen.features.kinds import FEATURES, JOIN
from pagen.papers.all_papers import FUSED
from pagen.registry import Registry

LOCAL = "_local"
"""What the name of an error at the worst place of a frame ends with."""


@dataclass(frozen=True)
class Indicator:
    """What a number that scores a frame is.

    Attributes:
        unit: `dB` of a squared error, `length` of a difference of vectors, `logit`, `density`, or "" for none.
            Errors of a network's answer are measured by it.
        mapped: the number is read off a map of errors (h, w), so that zones can be cut out of it.
        meaning: half a sentence for a report.

    Example:
        >>> INDICATORS["psnr"].unit
        'dB'
    """

    unit: str
    mapped: bool
    meaning: str


TABLE = {
    "fused": Indicator("", False, "the protocol's sum of several indicators"),
    "psnr": Indicator("dB", False, "error of the reconstruction: its PSNR, negative, in dB"),
    "flow": Indicator(
        "length", False, "error of the reconstructed flow: mean length of the difference, or its mean square by mse"
    ),
    "semantic": Indicator("logit", False, "log-odds that the frame was painted in"),
    "vcr": Indicator("dB", False, "error of the reconstruction: its PSNR after blur-pooling, negative, in dB"),
    "ffp": Indicator("dB", False, "error of the predicted frame: its PSNR after blur-pooling, negative, in dB"),
    "prp": Indicator("logit", False, "log-odds that the clip was accelerated"),
    "deep": Indicator("density", False, "how unlike normal ones an encoder's view of its most unusual object is"),
    "density": Indicator(
        "density", False, "how unlike normal ones the features of the frame, or of its most unusual place, are"
    ),
    "pose": Indicator("density", False, "how unlike normal ones the pose of its most unusual object is"),
    "tube": Indicator("density", False, "how unlike normal ones the code of its most unusual object's last frames is"),
    "velocity": Indicator("density", False, "how unlike normal ones the motion of its most unusual object is"),
    "flow_speed": Indicator(
        "length", True, "trivial baseline: the 99.5th percentile of the speed of the flow, in pixels per frame"
    ),
    "frame_difference": Indicator("", True, "trivial baseline: the mean squared difference to the frame before"),
    "score": Indicator("", False, "what a file of scores says"),
}
"""Name -> indicator, in the order of preference in a report."""

_JOINED = Indicator("density", False, "how unlike normal ones several features together of its most unusual object are")
INDICATORS: Registry[Indicator] = Registry(
    "indicator", "pagen.indicators", dict(TABLE), lambda one: isinstance(one, Indicator)
)
"""The table, open to the indicators of others."""


def indicator_named(name: str) -> Indicator:
    """An indicator by its name or `NAME_local`; of a name that nobody registered nothing is known.

    Example:
        >>> indicator_named("psnr_local").meaning
        'error of the reconstruction: its PSNR, negative, in dB; at the worst place of the frame'
        >>> indicator_named("guess").meaning
        "of one's own"
    """
    stem = name.removesuffix(LOCAL)
    try:
        row = _JOINED if JOIN in stem else INDICATORS[stem]
    except PagenError:
        row = Indicator("", False, "of one's own")
    if stem == name:
        return row
    return replace(row, mapped=True, meaning=f"{row.meaning}; at the worst place of the frame")


def require_indicator(what: str, name: str) -> None:
    """Raise PagenError, with the nearest name, for a name that no score of a frame has.

    Scores have the names of the table and of kinds of objects, joined ones too, or one of these and `_local`. What is
    added up is no such score.

    Example:
        >>> require_indicator("indicator", "velocity+deep"), require_indicator("indicator", "psnr_local")
        (None, None)
    """
    known = [one for one in INDICATORS.names() if one != "fused"]
    for part in name.removesuffix(LOCAL).split(JOIN):
        if part not in known and not (part in FEATURES and FEATURES[part].of_objects):
            raise unknown_name(what, part, known)


def order_of(name: str) -> int:
    """The place of an indicator in a report, for sorting: as in the table, and the indicators of others last.

    Rows of one unit that follow each other stand together, as those of others do: first all at the worst place, then
    all of whole frames.

    Example:
        >>> sorted(["ffp", "psnr", "vcr", "vcr_local", "ffp_local"], key=order_of)
        ['psnr', 'vcr_local', 'ffp_local', 'vcr', 'ffp']
    """
    order = list[str]()
    for _, rows in groupby(TABLE.items(), lambda row: row[1].unit):
        stems = [stem for stem, _ in rows]
        order += [*(stem + LOCAL for stem in stems), *stems]
    return order.index(name) if name in order else len(order) + (not name.endswith(LOCAL))


def fused_of(recipe: Mapping[str, object], table: Mapping[str, tuple[str, ...]] = FUSED) -> tuple[str, ...]:
    """The indicators that a run's scores are added up of: its recipe's in the table, or those that the run names.

    None of any run where the table is empty: nothing is added up then.

    Example:
        >>> fused_of({"recipe": "mine", "fused": ["psnr_local", "prp"]})
        ('psnr_local', 'prp')
        >>> fused_of({"recipe": "mine", "fused": ["psnr_local", "prp"]}, {})
        ()
    """
    own = recipe.get("fused", ())
    named = tuple(map(str, own)) if table and isinstance(own, (list, tuple)) else ()
    return table.get(str(recipe.get("recipe")), named)
