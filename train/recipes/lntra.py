"""LNTRA (Astrid et al., "Learning Not to Reconstruct Anomalies", BMVC 2021) and its sequel, STEAL Net."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pagen.options import PseudoKind
from pagen.train.recipes.base import Parts
from pagen.train.recipes.clips import FrameRecipe


@dataclass(frozen=True)
class SkipRecipe(FrameRecipe):
    """LNTRA with skipped frames: faster motion in, the clip at its own speed out (paper: Ped2 96.5).

    `pagen train skip --dataset ped2`
    """

    probability: float = 0.2
    kinds: tuple[PseudoKind, ...] = ("skip",)

    name: ClassVar[str] = "skip"


@dataclass(frozen=True)
class PatchRecipe(FrameRecipe):
    """LNTRA with patches: something foreign moves over the clip, which comes out without it (paper: Ped2 94.8).

    `pagen train patch --dataset ped2`
    """

    probability: float = 0.2
    kinds: tuple[PseudoKind, ...] = ("patch",)

    name: ClassVar[str] = "patch"


@dataclass(frozen=True)
class StealRecipe(FrameRecipe):
    """STEAL Net (Astrid et al. 2021): clips of skipped frames are to be reconstructed badly (paper: Ped2 98.4).

    `pagen train steal --dataset ped2`
    """

    probability: float = 0.01
    kinds: tuple[PseudoKind, ...] = ("skip",)

    name: ClassVar[str] = "steal"

    def objective(self, network: Any, batch: dict[str, Any]) -> Parts:
        """The mean error of clips, a pseudo-anomaly's with a minus sign, in [-4, 4]; `normal` is that of the others."""
        errors = (network(batch["clips"]) - batch["targets"]).square().mean(dim=(1, 2, 3, 4))
        signs, normal = batch["signs"], batch["signs"] > 0
        return {"loss": (signs * errors).mean(), "normal": (errors * normal).sum() / normal.sum().clamp_min(1)}

    def sample(self, clips: Any, index: int, rng: Any) -> dict[str, Any]:
        """`clips` are their own `targets`; `signs` is -1 where they are to be reconstructed badly, else 1."""
        drawn = clips.drawn(index, rng)
        shown = clips.tensor(drawn.clip.pseudo, clips.box(drawn.points, rng))
        return {"clips": shown, "targets": shown, "signs": clips.number(1 if drawn.kind == "normal" else -1)}

    def shown(self, sample: dict[str, Any], outputs: dict[str, Any], frame: int) -> dict[str, Any]:
        """No target, which is the input."""
        columns = super().shown(sample, outputs, frame)
        return {title: picture for title, picture in columns.items() if title != "target"}
