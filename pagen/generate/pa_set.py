"""A PA set: pseudo-anomalies on disk, read as a torch data set.

Spatial ones lie as frames (`spatial/NAME.npy`), temporal ones as flow (`temporal/NAME.npy`), both with their masks; of
skip and patch ones only the parameters (`skip/NAME.jsonl`), of which the same pixels are made again. Spatial and
temporal ones fill whole videos, one pseudo-anomaly a segment; no clip that is taken out of a set straddles two of them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from pagen.arrays import read_array, unpack
from pagen.errors import PagenError, require_name
from pagen.folders import Folder
from pagen.footage.flow import FlowFolder, flow_folder
from pagen.footage.prepare import Prepared, open_prepared
from pagen.footage.windows import Windows, as_input
from pagen.generate.command import command
from pagen.generate.config import Generate
from pagen.generate.intruders import Intruders, open_intruders
from pagen.generate.patch import Patch, render
from pagen.generate.skip import Skip
from pagen.options import PSEUDO_KINDS

FIELDS = {field.name for field in fields(Generate)}
Sample = tuple[torch.Tensor, torch.Tensor, torch.Tensor, dict[str, Any]]


@dataclass(frozen=True)
class Pseudo:
    """A pseudo-anomalous clip and what it was made of.

    Attributes:
        pseudo, target: frames uint8 (T, H, W, C), or flow (T, 2, H, W) in pixels per frame.
        mask: (T, H, W), above 0 where something was replaced; None where that is not known.

    Example:
        >>> Pseudo(np.ones((2, 4, 4, 1)), np.zeros((2, 4, 4, 1)), mask=None).target.shape
        (2, 4, 4, 1)
    """

    pseudo: npt.NDArray[Any]
    target: npt.NDArray[Any]
    mask: npt.NDArray[Any] | None


@dataclass(frozen=True)
class Item:
    """One pseudo-anomalous clip of a set: its kind, its video, its first frame, and its parameters.

    Example:
        >>> Item("skip", "train_01", start=3, parameters={"stride": 4}).parameters["stride"]
        4
    """

    kind: str
    clip: str
    start: int
    parameters: dict[str, Any]


@dataclass(frozen=True)
class PASet:
    """An opened PA set, with the prepared clips that it was made of.

    Example:
        >>> import tempfile
        >>> config = {"dataset": "street", "clips": [["train_01", "train"]]}
        >>> prepared = Prepared(Folder(Path("street"), "prepared", config, {}))
        >>> with tempfile.TemporaryDirectory() as top:
        ...     Path(top, "spatial").mkdir()
        ...     lines = ['{"start": 0, "frames": 16}', '{"start": 16, "frames": 16}', '{"start": 32, "frames": 8}']
        ...     _ = Path(top, "spatial/train_01.jsonl").write_text("\\n".join(lines))
        ...     settings = {"kinds": ["spatial"], "length": 16}
        ...     made = Folder(Path(top), "pa_set", settings, {}, {"spatial/train_01": {"files": {}}})
        ...     pseudo = PASet(made, prepared)
        ...     [item.start for item in pseudo.items("spatial", 16)], len(pseudo.items("spatial", 8))
        ([0, 16], 19)
    """

    folder: Folder
    prepared: Prepared

    @property
    def kinds(self) -> list[str]:
        """The kinds that it holds."""
        return [kind for kind in PSEUDO_KINDS if kind in self.folder.config["kinds"]]

    def fingerprint(self) -> str:
        """32 hex digits that stand for every byte."""
        return self.folder.fingerprint()

    def clips(self, kind: str) -> list[str]:
        """Names of the clips that pseudo-anomalies of this kind were made of."""
        return [name for name in self.prepared.stretches("train") if f"{kind}/{name}" in self.folder.items]

    def records(self, kind: str, name: str) -> list[dict[str, Any]]:
        """How the pseudo-anomalies of a clip were made: one record a segment (spatial, temporal) or a clip."""
        lines = (self.folder.path / kind / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    @property
    def length(self) -> int:
        """Frames in a clip that it was made for; spatial and temporal ones can be cut to shorter ones."""
        return int(self.folder.config["length"])

    def items(self, kind: str, length: int) -> list[Item]:
        """Every pseudo-anomalous clip of `length` frames: windows within a segment (spatial, temporal), or records.

        Raises PagenError: skip or patch ones of another length than the set's, or no segment is as long.
        """
        key = kind, length
        if key not in self._items:
            self._require_length(kind, length)
            self._items[key] = [item for name in self.clips(kind) for item in self._items_of(kind, name, length)]
        return self._items[key]

    def render(self, item: Item, length: int) -> Pseudo:
        """The frames or flow of an item."""
        if item.kind in ("spatial", "temporal"):
            return self._stored(item, slice(item.start, item.start + length))
        frames = self.prepared.frames(item.clip)
        target = frames[item.start : item.start + length]
        if item.kind == "patch":
            pseudo, mask = render(Patch.from_json(item.parameters), target, self.intruders)
            return Pseudo(pseudo, target, mask)
        chosen = Skip(item.start, item.parameters["stride"]).indices(length)
        changed = np.broadcast_to((chosen != chosen[0])[:, None, None], target.shape[:3])
        return Pseudo(frames[chosen], target, changed)

    def matched(self, name: str) -> npt.NDArray[np.uint8]:
        """A clip's matched normals, uint8 (T, H, W, C), see `Inpainter`. Raises PagenError: made without them."""
        path = self.folder.path / f"spatial_matched/{name}.npy"
        if not path.exists():
            wanted = f"make a set of such: `{self.again(matched=True)}`"
            raise PagenError(f"expected matched normals in {self.folder.path}, found none; {wanted}")
        return read_array(path)

    def _stored(self, item: Item, window: slice) -> Pseudo:
        bits = read_array(self.folder.path / f"{item.kind}_mask/{item.clip}.npy")
        mask = unpack(bits[window], self.prepared.size[1])
        pseudo = read_array(self.folder.path / f"{item.kind}/{item.clip}.npy")[window]
        source = self.prepared.frames(item.clip) if item.kind == "spatial" else self.flow.flow(item.clip)
        return Pseudo(pseudo, source[window], mask)

    def _items_of(self, kind: str, name: str, length: int) -> list[Item]:
        records = self.records(kind, name)
        if kind in ("spatial", "temporal"):
            windows = Windows(length)
            starts = [record["start"] + first for record in records for first in windows.inside(record["frames"])]
            return [Item(kind, name, start, {}) for start in starts]
        return [Item(kind, name, record["start"], record) for record in records]

    def _require_length(self, kind: str, length: int) -> None:
        """Raise PagenError where clips of a length cannot be taken out of what was made."""
        within = kind in ("spatial", "temporal")
        if length == self.length or (within and length < self.length):
            return
        raise PagenError(
            f"expected {kind} pseudo-anomalies of {length} frames{' and more' * within} in {self.folder.path}, found "
            f"clips of {self.length}; make a set of such: `{self.again(kinds=(kind,), length=length)}`"
        )

    def again(self, **changes: Any) -> str:
        """The command that makes the set once more, with changes, beside it.

        Example:
            >>> prepared = Prepared(Folder(Path("street"), "prepared", {"dataset": "street"}, {}))
            >>> settings = {"kinds": ["skip"], "length": 16, "flow": "dis", "masks": "motion", "intruders": "pictures"}
            >>> PASet(Folder(Path("pa"), "pa_set", settings, {}), prepared).again(length=8)
            'pagen generate --dataset street --kinds skip --length 8 --out pa-new'
        """
        made, places = self.folder.config, self.folder.volatile
        placed = [name for name in ("masks", "flow", "intruders") if name in places]
        options: dict[str, Any] = {name: f"{made[name]}:{places[name]}" for name in placed}
        known = {name: value for name, value in made.items() if name in FIELDS and name != "dataset"}
        root = self.prepared.folder.volatile.get("root", "None")  # procedural footage lies nowhere
        where = {"root": None if root == "None" else root, "partial": bool(self.prepared.missing)}
        flags: dict[str, Any] = {**where, **known, **options, **changes}
        flags = {name: tuple(value) if isinstance(value, list) else value for name, value in flags.items()}
        return command(self.prepared.dataset, {**flags, "out": f"{self.folder.path}-new"})

    @cached_property
    def _items(self) -> dict[tuple[str, int], list[Item]]:
        return {}

    @cached_property
    def flow(self) -> FlowFolder:
        """The flow that temporal ones were made of, that of grey clips; of coloured ones in sets of 0.1.0."""
        apart = self.prepared.channels == 3 and "grey" in self.folder.volatile
        source = _clips_of(self.folder, "grey") if apart else self.prepared
        return flow_folder(source, self.clips("temporal"), self.flow_spec)

    @property
    def flow_spec(self) -> str:
        """The flow that temporal ones were made of, as `open_flow` takes it; files are looked for where they lay."""
        name, path = self.folder.config["flow"], self.folder.volatile.get("flow")
        return f"{name}:{path}" if path else str(name)

    @cached_property
    def intruders(self) -> Intruders:
        """Where what patches show comes from; sets made before there was a choice show pictures."""
        name, path = self.folder.config.get("intruders", "pictures"), self.folder.volatile.get("intruders", "")
        intruders = open_intruders(f"{name}:{path}" if path else name)(self.prepared)
        origin = intruders.origin()
        if origin and origin[1] != self.folder.inputs["intruders"]:
            raise PagenError(
                f"expected the images in {path} that patches of {self.folder.path} were made of, found others; "
                "put those back, or generate the set again"
            )
        return intruders


class PseudoClips(torch.utils.data.Dataset[Sample]):
    """Pseudo-anomalous clips, each beside the normal clip that a model is to make of it.

    An entry is (pseudo, target, mask, metadata): pseudo and target float32 (C, T, H, W), frames in
    [-1, 1] or flow (2, T, H, W) in pixels per frame; mask float32 (1, T, H, W) in [0, 1], above 0
    where something was replaced; metadata a dict of kind, clip, start (first frame) and parameters
    (JSON text: the stride, or the patch). Entries of all kinds but temporal can share a batch.

    Example:
        >>> prepared = Prepared(Folder(Path("street"), "prepared", {"dataset": "street"}, {}))
        >>> pseudo = PASet(Folder(Path("pa"), "pa_set", {"kinds": ["skip"], "length": 16}, {}), prepared)
        >>> len(PseudoClips(pseudo, [Item("skip", "train_01", 3, {"stride": 2})], 16))
        1
    """

    def __init__(self, pseudo: PASet, items: list[Item], length: int) -> None:
        self.pseudo, self.items, self.length = pseudo, items, length
        if any(item.kind == "temporal" for item in items):
            _ = pseudo.flow  # found or computed here once, not in each worker of a loader
        if any(item.kind == "patch" for item in items):
            _ = pseudo.intruders

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Sample:
        item = self.items[index]
        clip = self.pseudo.render(item, self.length)
        assert clip.mask is not None
        mask = torch.from_numpy(np.array(clip.mask, np.float32))[None]
        parameters = json.dumps(item.parameters, sort_keys=True)
        metadata = {"kind": item.kind, "clip": item.clip, "start": item.start, "parameters": parameters}
        return _tensor(item.kind, clip.pseudo), _tensor(item.kind, clip.target), mask, metadata


def open_pa_folder(path: Path, prepared: Prepared | None = None) -> PASet:
    """Open a PA set. The clips that it was made of are by default looked for where they lay then.

    Raises PagenError: the set or its clips are missing or damaged, or it was made of other clips.

    Args:
        prepared: those clips, or, for temporal ones of a set in colour, the grey ones that their flow is of.

    Example:
        >>> try:
        ...     open_pa_folder(Path("nowhere"))
        ... except PagenError as error:
        ...     print(str(error).partition("; ")[0])
        expected a pa_set folder of pagen at nowhere, found no manifest.json there
    """
    folder = Folder.open(Path(path), "pa_set")
    clips = prepared or _clips_of(folder, "prepared")
    if clips.fingerprint() not in (folder.inputs["prepared"], folder.inputs.get("grey")):
        made, colour = folder.config, clips.channels == 3
        wanted = _about(clips.dataset, clips.size, colour)
        actual = _about(made["dataset"], made["size"], made["colour"])
        advice = PASet(folder, clips).again(size=clips.size, colour=colour)
        raise PagenError(
            f"expected a PA set of {wanted} in {path}, found one of {'other ' if actual == wanted else ''}{actual}; "
            f"make one: `{advice}`"
        )
    return PASet(folder, clips)


def _clips_of(folder: Folder, which: str) -> Prepared:
    try:
        return open_prepared(Path(folder.volatile[which]))
    except PagenError as error:
        raise PagenError(
            f"cannot read the clips that {folder.path} was made of ({error}); generate it again, that prepares them too"
        ) from error


def _about(dataset: str, size: Sequence[int], colour: bool) -> str:
    return f"{dataset} at {size[0]}x{size[1]} {'colour' if colour else 'grey'}"


def open_pa_set(path: Path | str, kinds: Sequence[str] | None = None, length: int | None = None) -> PseudoClips:
    """The pseudo-anomalous clips of a PA set as a torch `Dataset`.

    Args:
        kinds: only these; by default all that it holds.
        length: frames in a clip; by default those that the set was made for, fewer for spatial and temporal only.

    Raises:
        PagenError: no PA set, damaged, its prepared clips gone, a kind that it does not hold, or clips too short.

    Example:
        >>> try:
        ...     open_pa_set("nowhere", kinds=["skip"])
        ... except PagenError as error:
        ...     print(str(error).partition("; ")[0])
        expected a pa_set folder of pagen at nowhere, found no manifest.json there
    """
    pseudo = open_pa_folder(Path(path))
    kinds, length = kinds or pseudo.kinds, length or pseudo.length
    for kind in kinds:
        if kind not in pseudo.kinds:
            require_name("kind", kind, PSEUDO_KINDS)
            advice = pseudo.again(kinds=(*pseudo.kinds, kind))
            found = f"{' '.join(pseudo.kinds)}; make a set of such: `{advice}`"
            raise PagenError(f"expected {kind} pseudo-anomalies in {path}, found {found}")
    items = [item for kind in kinds for item in pseudo.items(kind, length)]
    if not items:
        raise PagenError(f"expected clips of {length} frames in {path}, found none as long; ask for less")
    return PseudoClips(pseudo, items, length)


def _tensor(kind: str, clip: npt.NDArray[Any]) -> torch.Tensor:
    if kind == "temporal":
        return torch.from_numpy(clip.transpose(1, 0, 2, 3).astype(np.float32))
    return torch.from_numpy(as_input(clip))
