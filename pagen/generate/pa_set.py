"""A PA set: pseudo-anomalies on disk, read as a torch data set.

Spatial ones lie as frames (`spatial/NAME.npy`), temporal ones as flow (`temporal/NAME.npy`), both with
their masks; of skip and patch ones only the parameters lie there (`skip/NAME.jsonl`), and the same
pixels are made of them again. The normal clips stay where they were prepared.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from pagen.arrays import read_array, unpack
from pagen.errors import PagenError
from pagen.folders import Folder
from pagen.footage.flow import FlowFolder, flow_folder
from pagen.footage.prepare import Prepared, open_prepared
from pagen.footage.windows import Windows
from pagen.generate.patch import Patch, render
from pagen.generate.skip import Skip

KINDS = ("spatial", "temporal", "skip", "patch")
Sample = tuple[torch.Tensor, torch.Tensor, torch.Tensor, dict[str, Any]]


@dataclass(frozen=True)
class Pseudo:
    """A pseudo-anomalous clip and what it was made of.

    Attributes:
        pseudo, target: frames uint8 (T, H, W, C), or flow (T, 2, H, W) in pixels per frame.
        mask: (T, H, W), above 0 where something was replaced; None where that is not known.
    """

    pseudo: npt.NDArray[Any]
    target: npt.NDArray[Any]
    mask: npt.NDArray[Any] | None


@dataclass(frozen=True)
class Item:
    """One pseudo-anomalous clip of a set: its kind, its video, its first frame, and its parameters."""

    kind: str
    clip: str
    start: int
    parameters: dict[str, Any]


@dataclass(frozen=True)
class PASet:
    """An opened PA set, with the prepared clips that it was made of."""

    folder: Folder
    prepared: Prepared

    @property
    def kinds(self) -> list[str]:
        """The kinds that it holds."""
        return [kind for kind in KINDS if kind in self.folder.config["kinds"]]

    def fingerprint(self) -> str:
        """32 hex digits that stand for every byte."""
        return self.folder.fingerprint()

    def clips(self, kind: str) -> list[str]:
        """Names of the clips that pseudo-anomalies of this kind were made of."""
        return [name for name in self.prepared.clips("train") if f"{kind}/{name}" in self.folder.items]

    def records(self, kind: str, name: str) -> list[dict[str, Any]]:
        """How the pseudo-anomalies of a clip were made: one record a segment (spatial, temporal) or a clip."""
        lines = (self.folder.path / kind / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def items(self, kind: str, length: int = 16) -> list[Item]:
        """Every pseudo-anomalous clip of `length` frames: every window (spatial, temporal), every record (skip, patch)."""
        if (kind, length) not in self._items:
            self._items[kind, length] = [item for name in self.clips(kind) for item in self._items_of(kind, name, length)]
        return self._items[kind, length]

    def render(self, item: Item, length: int = 16) -> Pseudo:
        """The frames or flow of an item."""
        if item.kind in ("spatial", "temporal"):
            return self._stored(item, slice(item.start, item.start + length))
        frames = self.prepared.frames(item.clip)
        target = frames[item.start : item.start + length]
        if item.kind == "patch":
            return Pseudo(*_patched(item, target))
        chosen = Skip(item.start, item.parameters["stride"]).indices(length)
        changed = np.broadcast_to((chosen != chosen[0])[:, None, None], target.shape[:3])
        return Pseudo(frames[chosen], target, changed)

    def require_same_footage(self, prepared: Prepared) -> None:
        """Raise PagenError unless the set was made of these very clips."""
        mine = self.prepared
        if prepared.fingerprint() != self.folder.inputs["prepared"]:
            raise PagenError(
                f"expected a PA set of {prepared.dataset} at {_at(prepared)}, found one of {mine.dataset} at "
                f"{_at(mine)} in {self.folder.path}; generate one with --dataset {prepared.dataset} --size "
                f"{prepared.size[0]} {prepared.size[1]}, or train with --size {mine.size[0]} {mine.size[1]}"
            )

    def _stored(self, item: Item, window: slice) -> Pseudo:
        bits = read_array(self.folder.path / f"{item.kind}_mask/{item.clip}.npy")
        mask = unpack(bits[window], self.prepared.size[1])
        pseudo = read_array(self.folder.path / f"{item.kind}/{item.clip}.npy")[window]
        source = self.prepared.frames(item.clip) if item.kind == "spatial" else self._flow.flow(item.clip)
        return Pseudo(pseudo, source[window], mask)

    def _items_of(self, kind: str, name: str, length: int) -> list[Item]:
        if kind in ("spatial", "temporal"):
            frames = self.prepared.length(name) - (kind == "temporal")
            return [Item(kind, name, start, {}) for start in Windows(length).inside(frames)]
        if length != self.folder.config["length"]:
            raise PagenError(
                f"expected clips of {self.folder.config['length']} frames as in {self.folder.path}, asked for {length}; "
                f"generate a set with --length {length}"
            )
        return [Item(kind, name, record["start"], record) for record in self.records(kind, name)]

    @cached_property
    def _items(self) -> dict[tuple[str, int], list[Item]]:
        return {}

    @cached_property
    def _flow(self) -> FlowFolder:
        return flow_folder(self.prepared, self.clips("temporal"), self.folder.config["flow"])


class PseudoClips(torch.utils.data.Dataset[Sample]):
    """Pseudo-anomalous clips, each beside the normal clip that a model is to make of it.

    An entry is (pseudo, target, mask, metadata): pseudo and target float32 (C, T, H, W), frames in
    [-1, 1] or flow (2, T, H, W) in pixels per frame; mask float32 (1, T, H, W) in [0, 1], above 0
    where something was replaced; metadata with kind, clip, start and parameters.
    """

    def __init__(self, pseudo: PASet, items: list[Item], length: int = 16) -> None:
        self.pseudo, self.items, self.length = pseudo, items, length

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Sample:
        item = self.items[index]
        clip = self.pseudo.render(item, self.length)
        assert clip.mask is not None
        mask = torch.from_numpy(np.ascontiguousarray(clip.mask, np.float32))[None]
        metadata = {"kind": item.kind, "clip": item.clip, "start": item.start, **item.parameters}
        return _tensor(item.kind, clip.pseudo), _tensor(item.kind, clip.target), mask, metadata


def open_pa_folder(path: Path) -> PASet:
    """Open a PA set and the prepared clips it was made of. Raises PagenError when one is missing or damaged."""
    folder = Folder.open(Path(path), "pa_set")
    prepared = open_prepared(Path(folder.volatile["prepared"]))
    if prepared.fingerprint() != folder.inputs["prepared"]:
        raise PagenError(f"the clips in {prepared.path} are not those that {path} was made of; generate it again")
    return PASet(folder, prepared)


def open_pa_set(path: Path | str, kinds: tuple[str, ...] | None = None, length: int = 16) -> PseudoClips:
    """The pseudo-anomalous clips of a PA set as a torch `Dataset`.

    Args:
        path: the PA set.
        kinds: only these; by default all that it holds.
        length: frames in a clip.

    Raises:
        PagenError: no PA set, damaged, its prepared clips gone, or a kind that it does not hold.
    """
    pseudo = open_pa_folder(Path(path))
    for kind in kinds or ():
        if kind not in pseudo.kinds:
            raise PagenError(f"expected {kind} pseudo-anomalies in {path}, found {' '.join(pseudo.kinds)}")
    items = [item for kind in kinds or pseudo.kinds for item in pseudo.items(kind, length)]
    return PseudoClips(pseudo, items, length)


def _patched(item: Item, target: npt.NDArray[np.uint8]) -> tuple[Any, Any, Any]:
    pseudo, mask = render(Patch.from_json(item.parameters), target)
    return pseudo, target, mask


def _tensor(kind: str, clip: npt.NDArray[Any]) -> torch.Tensor:
    if kind == "temporal":
        return torch.from_numpy(clip.transpose(1, 0, 2, 3).astype(np.float32))
    return torch.from_numpy(clip.transpose(3, 0, 1, 2).astype(np.float32)) / 127.5 - 1


def _at(prepared: Prepared) -> str:
    return f"{prepared.size[0]}x{prepared.size[1]} {'grey' if prepared.channels == 1 else 'colour'}"
