"""UCSD's two walkways, Ped1 and Ped2, in the distribution v1p2 and in the copies that the field passes on."""

from __future__ import annotations

from dataclasses import replace

from pagen.footage.catalogue import DataSet
from pagen.footage.layout import LabelSource, Layout, MaskSource, Part


def _layouts(number: int) -> tuple[Layout, Layout]:
    """The layouts in which the two sets circulate."""
    m = f"UCSDped{number}.m"
    published, derived = f"{m} (UCSD v1p2)", "derived from pixel masks"
    clip = r"(?:Train|Test)(?P<number>\d{3})"
    official = Layout(
        name="official",
        parts=(
            Part("train", ("Train",), clip, first=1, videos=()),
            Part("test", ("Test",), clip, first=1, videos=()),
        ),
        labels=(LabelSource("m", f"Test/{m}", published), LabelSource("masks", "Test/{clip}_gt", derived)),
        masks=(MaskSource("Test/{clip}_gt"),),
    )
    common = Layout(
        name="common",
        parts=(
            Part("train", ("training/frames",), r"(?P<number>\d+)", first=0, videos=()),
            Part("test", ("testing/frames",), r"(?P<number>\d+)", first=0, videos=()),
        ),
        labels=(
            LabelSource("m", m, published),
            LabelSource("m", f"testing/{m}", published),
            LabelSource("masks", "testing/masks/{clip}", derived),
        ),
        masks=(MaskSource("testing/masks/{clip}"),),
    )
    return official, common


_RELABELLED = "relabeled_frames_all/Test{number:0>3}_gt"
"""Masks of all 36 test clips of Ped1 by Vu et al. (AAAI 2019), beside UCSD's own of ten."""

PED1 = DataSet(
    name="ped1",
    what="UCSD Ped1: a walkway, people towards and away from the camera; pixel masks of 10 test clips",
    fps=10,
    licence="research use, by UCSD's terms",
    obtain="obtain it from the page 'UCSD Anomaly Detection Dataset' of UCSD's Statistical Visual Computing Lab (SVCL)",
    layouts=tuple(
        replace(
            layout,
            labels=(
                *(replace(source, stands_in=source.kind == "masks") for source in layout.labels),  # ten clips alone
                LabelSource("masks", _RELABELLED, "relabelled by vad_gan"),
            ),
            masks=(*layout.masks, MaskSource(_RELABELLED)),
        )
        for layout in _layouts(1)
    ),
    aliases=("ped1", "ucsdped1"),
    train=(200,) * 34,
    test=(200,) * 36,
    abnormal=4045,
    size=(158, 238),
)

PED2 = replace(
    PED1,
    name="ped2",
    what="UCSD Ped2: a walkway, people along the picture; pixel masks of all test clips",
    layouts=_layouts(2),
    aliases=("ped2", "ucsdped2"),
    train=(120, 150, 150, 180, 180, 150, 150, 120, 180, 180, 180, 180, 180, 150, 150, 150),
    test=(180, 180, 150, 180, 150, 180, 180, 180, 120, 150, 180, 180),
    abnormal=1648,
    size=(240, 360),
    kinds="pagen.footage.anomalies:ped2_kinds",
)
