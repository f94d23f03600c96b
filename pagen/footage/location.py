"""A folder that holds a data set, and the clips that lie there in its layout, before anybody has looked into them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pagen.footage.layout import Layout, Part
from pagen.footage.listing import entries, natural


@dataclass(frozen=True)
class Entry:
    r"""A clip on disk: a folder of images, or a video.

    Attributes:
        root: the data set's folder.
        part: where the layout has such clips.

    Example:
        >>> part = Part("test", ("testing",), r"(?P<scene>\d\d)_\d+")
        >>> entry = Entry(Path("/data"), part, Path("/data/testing/01_0014"), video=False)
        >>> entry.clip, entry.fields["scene"], entry.fields["folder"]
        ('01_0014', '01', 'testing')
    """

    root: Path
    part: Part
    path: Path
    video: bool

    @property
    def stem(self) -> str:
        """The clip's own name: a video's without its extension."""
        return self.path.stem if self.video else self.path.name

    @property
    def groups(self) -> dict[str, str | None]:
        """What the groups of the part's regular expression match; no group is None where it has none of that name."""
        match = re.fullmatch(self.part.clip, self.stem)
        return match.groupdict() if match else {}

    @property
    def clip(self) -> str:
        """What the clip is called in pagen, less its split: its number, of two digits at least, or its own name."""
        number = self.groups.get("number")
        return f"{int(number):02d}" if number else self.stem

    @property
    def fields(self) -> dict[str, str]:
        """What stands for the templates of a layout's paths and keys."""
        groups = self.groups
        number = str(int(groups.get("number") or 0))
        return {
            "clip": self.stem,
            "number": number,
            "key": number if groups.get("number") else self.stem,
            "scene": groups.get("scene") or self.part.scene,
            "folder": self.path.parent.relative_to(self.root).as_posix(),
        }

    def place(self, template: str) -> Path:
        """The path below the data set's folder that a template of a layout stands for."""
        return self.root / template.format(**self.fields)


@dataclass(frozen=True)
class Location:
    """A folder that holds a data set, and how it lies there.

    Example:
        >>> import tempfile
        >>> from pagen.footage.catalogue import DATASETS
        >>> with tempfile.TemporaryDirectory() as root:
        ...     Path(root, "training/walk").mkdir(parents=True)
        ...     location = Location(Path(root), DATASETS["folder"].layouts[0])
        ...     [entry.stem for entry in location.entries(location.layout.parts[0])]
        ['walk']
    """

    root: Path
    layout: Layout

    def entries(self, part: Part) -> list[Entry]:
        """The clips of a part in numerical order, of the first of its folders that holds any."""
        for pattern in part.folders:
            if found := list(self._matching(part, pattern)):
                return sorted(found, key=self._order)
        return []

    def holds(self, part: Part) -> bool:
        """Whether any clip of a part is there."""
        return any(True for pattern in part.folders for _ in self._matching(part, pattern))

    def _order(self, entry: Entry) -> list[list[str | int]]:
        return [natural(Path(name)) for name in entry.path.relative_to(self.root).parts]

    def _matching(self, part: Part, pattern: str) -> Iterator[Entry]:
        """The clips in the folders that a glob matches, in any order."""
        return (entry for entry in self.like_clips(part, pattern) if re.fullmatch(part.clip, entry.stem))

    def like_clips(self, part: Part, pattern: str) -> Iterator[Entry]:
        """Videos and folders in the folders that a glob matches, whatever their names, in any order."""
        folders = self.root.glob(pattern) if set("*?[") & set(pattern) else [self.root / pattern]
        for path in (folder / name for folder in folders if folder.is_dir() for name in entries(folder)):
            folder = path.is_dir()
            if part.images if folder else path.suffix.lower() in part.videos:
                yield Entry(self.root, part, path, video=not folder)
