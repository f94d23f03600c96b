"""What the manifest of a folder of prepared clips has to say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Ge, MinLen

from pagen.documents import require_form
from pagen.folders import MANIFEST, Folder


@dataclass(frozen=True)
class PreparedConfig:
    """What a manifest says of a folder of prepared clips, beside what the footage alone knows.

    Example:
        >>> PreparedConfig("ped2", None, False, 10.0, "UCSDped2.m", [("test_01", "test")]).missing
        {}
    """

    dataset: str
    size: tuple[int, int] | None
    colour: bool
    fps: Annotated[float, Ge(0)]
    label_edition: str
    clips: Annotated[list[tuple[str, str]], MinLen(1)]
    missing: dict[str, tuple[int, int]] = field(default_factory=dict)
    scenes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PreparedClip:
    """What a manifest says of a clip: the shape (T, H, W, C) of its frames, what its labels have too many, its breaks.

    Example:
        >>> PreparedClip((180, 240, 360, 1)).surplus
        0
    """

    shape: tuple[int, int, int, int]
    surplus: int = 0
    breaks: list[int] = field(default_factory=list)


def require_clips(folder: Folder) -> None:
    """Raise PagenError, with the field, where a manifest does not say what prepared clips are opened by.

    Example:
        >>> from pathlib import Path
        >>> require_clips(Folder(Path("street"), "prepared", {"dataset": 3}, {}))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        pagen.errors.PagenError: expected a string for dataset in street/manifest.json, found 3; ...
    """
    file, advice = folder.path / MANIFEST, "prepare the clips again with --overwrite"
    require_form(folder.config, PreparedConfig, "prepared clips", file, advice)
    for name, _ in folder.config["clips"]:
        require_form(folder.items.get(name), PreparedClip, f"clip {name}", file, advice)
