"""The folder of a PA set: what it depends on, which clips go into it, its items, its gallery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from pagen import console
from pagen.errors import PagenError
from pagen.fill import add
from pagen.folders import Folder, digests, folder_name
from pagen.footage.flow import flow_folder, open_flow
from pagen.footage.prepare import Prepared, prepare
from pagen.generate.config import Generate
from pagen.generate.gallery import gallery
from pagen.generate.gallery_html import gallery_html
from pagen.generate.intruders import open_intruders
from pagen.generate.make import Job, inpainter_of, make_clip
from pagen.generate.mask_kinds import open_masks
from pagen.generate.pa_set import PASet
from pagen.options import PSEUDO_KINDS

_NOT_BYTES = (
    *("root", "called", "scale", "workers", "engine", "address"),
    *("device", "out", "overwrite", "partial", "json"),
)


def pa_folder(config: Generate) -> tuple[Folder, Prepared]:
    """Write the PA set of a configuration, or go on where it was left; and the clips that it is made of.

    Raises PagenError: a name that nothing bears, no clips that are long enough, or as `prepare` and `Folder.begin`.

    Example:
        >>> pa_folder(Generate("street", kinds=("patch",), patch="cutmixx"))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        pagen.errors.PagenError: no patch mask named 'cutmixx'; did you mean 'cutmix'? known: cutmix ...
    """
    _check(config)
    prepared = prepare(
        config.dataset, config.root, config.size, config.colour, workers=config.spread_over, partial=config.partial
    )
    clips = _clips_of(config, prepared)
    path = config.out or Path("pa") / folder_name(config.dataset)
    temporal = clips.get("temporal")
    grey = _grey(config, prepared) if temporal else None
    inputs, places = _origins(config, prepared, grey)
    folder = Folder.begin(path, "pa_set", _settings(config), inputs, places, config.overwrite)
    flow = flow_folder(grey, temporal, config.flow, config.spread_over) if grey and temporal else None
    jobs = {
        f"{kind}/{name}": Job(config, kind, name, prepared, flow, path, folder.config["masks"])
        for kind, names in clips.items()
        for name in names
    }
    add(folder, jobs, make_clip, config.spread_over, "generate", "items")
    if folder.pending(["gallery"]):
        pseudo, picture, page = PASet(folder, prepared), path / "gallery.png", path / "gallery.html"
        gallery(pseudo, picture)
        gallery_html(pseudo, page)
        folder.record("gallery", digests(path, [picture, page]))
    folder.finish()
    return folder, prepared


def _grey(config: Generate, prepared: Prepared) -> Prepared:
    """The clips whose flow is mixed: grey ones at any rate, so that it is that of a training, which sees flow alone."""
    if not config.colour:
        return prepared
    return prepare(config.dataset, config.root, config.size, workers=config.spread_over, partial=config.partial)


def _check(config: Generate) -> None:
    """Raise PagenError for a name that nothing bears, before anything is computed."""
    if "temporal" in config.kinds:
        open_flow(config.flow)
    if _has_masks(config):
        open_masks(config.masks)
    if "spatial" in config.kinds:
        inpainter = inpainter_of(config)
        if config.matched:
            inpainter.matched(np.zeros((1, 64, 64, 1), np.uint8), np.ones((1, 64, 64), np.bool_))
    if "patch" in config.kinds:
        open_intruders(config.intruders)


def _has_masks(config: Generate) -> bool:
    return bool({"spatial", "temporal"} & set(config.kinds))


def _settings(config: Generate) -> dict[str, Any]:
    """What the bytes of the PA set depend on, without the paths of this machine."""
    kept = {key: value for key, value in asdict(config).items() if key not in _NOT_BYTES}
    bare = {name: getattr(config, name).partition(":")[0] for name in ("intruders", "flow")}
    masks = config.masks.partition(":")[0] if open_masks(config.masks).origin() else config.masks
    return {**kept, **bare, "masks": masks, "kinds": [kind for kind in PSEUDO_KINDS if kind in config.kinds]}


def _origins(config: Generate, prepared: Prepared, grey: Prepared | None) -> tuple[dict[str, str], dict[str, str]]:
    """Fingerprints of what the PA set is made of, and where that lies on this machine."""
    origins: dict[str, tuple[str, str] | None] = {"prepared": (str(prepared.path), prepared.fingerprint())}
    if grey and grey is not prepared:
        origins["grey"] = str(grey.path), grey.fingerprint()
    if "patch" in config.kinds:
        origins["intruders"] = open_intruders(config.intruders)(prepared).origin()
    if "temporal" in config.kinds and (identity := open_flow(config.flow).identity()):
        origins["flow"] = config.flow.partition(":")[2], identity
    if _has_masks(config):
        origins["masks"] = open_masks(config.masks).origin()
    found = [{name: pair[part] for name, pair in origins.items() if pair and pair[part]} for part in (1, 0)]
    return found[0], found[1]


def _clips_of(config: Generate, prepared: Prepared) -> dict[str, list[str]]:
    """Kind -> the training clips that are long enough for it."""
    clips = prepared.clips("train")[: config.limit_clips]
    names = [stretch for clip in clips for stretch in prepared.stretches_of(clip)]
    if not names:
        raise PagenError(
            f"expected training clips in {prepared.dataset} ({prepared.folder.volatile['root']}), found none; "
            "pseudo-anomalies are made of normal clips, give some"
        )
    return {kind: _long_enough(config, prepared, names, kind) for kind in PSEUDO_KINDS if kind in config.kinds}


def _long_enough(config: Generate, prepared: Prepared, names: Sequence[str], kind: str) -> list[str]:
    span = (config.length - 1) * min(config.strides) + 1
    least = {"temporal": config.length + 1, "skip": span}.get(kind, config.length)
    long = [name for name in names if prepared.length(name) >= least]
    if not long:
        longest = max(prepared.length(name) for name in names)
        raise PagenError(
            f"expected training clips of at least {least} frames for {kind} pseudo-anomalies, "
            f"the longest has {longest}; give longer clips, or generate with a smaller --length, or without {kind} in "
            "--kinds"
        )
    if len(long) < len(names):
        console.say(f"{kind}: {len(names) - len(long)} of {len(names)} training clips are shorter than {least} frames")
    return long


def summary(folder: Folder, prepared: Prepared, config: Generate) -> dict[str, Any]:
    """What the verb says of a PA set: of each kind how many frames, flow maps or clips, and how they were made.

    Example:
        >>> made = Folder(Path("pa"), "pa_set", {"kinds": ["skip"], "intruders": "pictures"}, {})
        >>> made.items["skip/train_01"] = {"files": {}, "count": 105}
        >>> summary(made, "footage", Generate("street"))["kinds"]
        {'skip': (105, 'clips', 'strides 2 3 4 5')}
    """
    descriptions = {
        "spatial": f"{config.inpainter}, {config.masks} masks",
        "temporal": f"{config.flow}, {config.region}, {config.masks} masks",
        "skip": f"strides {' '.join(map(str, config.strides))}",
        "patch": f"{folder.config['intruders']}{', varied' if config.vary else ''}, {config.patch} masks",
    }
    units = {"spatial": "frames", "temporal": "flow maps"}
    counts = {
        kind: sum(item["count"] for name, item in folder.items.items() if name.startswith(f"{kind}/"))
        for kind in folder.config["kinds"]
    }
    return {
        "path": str(folder.path),
        "footage": str(prepared),
        "kinds": {kind: (count, units.get(kind, "clips"), descriptions[kind]) for kind, count in counts.items()},
        "gallery": str(folder.path / "gallery.png"),
        "page": str(folder.path / "gallery.html"),
    }
