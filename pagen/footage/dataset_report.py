"""What there is to say of data sets: a row of the list, and what a check of one found; as plain data and as text."""

from __future__ import annotations

import shutil
import textwrap
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pagen import console
from pagen.footage.catalogue import MODIFIERS, WITHOUT, DataSet
from pagen.footage.check import looked_at, notes_of, problems_of
from pagen.footage.clip_check import Look, attempt
from pagen.footage.clips import SPLITS, ClipSource, FileClip, Footage
from pagen.footage.editions import Edition, editions_of, expected_abnormal
from pagen.footage.known_clips import KnownClip, clips_in, frames_in
from pagen.footage.locate import find, locate

if TYPE_CHECKING:
    from pagen.arrays import Frames


def row_of(dataset: DataSet, root: Path | None = None) -> dict[str, Any]:
    """A data set as the list shows it: what the catalogue says, and where it was found.

    Example:
        >>> from pagen.footage.catalogue import DATASETS
        >>> row_of(DATASETS["street"])["found"]
        'built in'
    """
    location, known = find(dataset, root, marked=True), dataset.known_clips
    return {
        "name": dataset.name,
        "what": dataset.what,
        "layouts": [layout.name for layout in dataset.layouts],
        "clips": {split: clips_in(known, split) or dataset.counts.get(split) for split in SPLITS},
        "frames": {split: frames_in(known, split) for split in SPLITS},
        "abnormal": dataset.abnormal,
        "subsets": sorted(dataset.subsets),
        "scenes": list(dataset.scene_names),
        "size": dataset.size,
        "fps": dataset.fps,
        "licence": dataset.licence,
        "obtain": dataset.obtain,
        "found": "built in" if dataset.scenes else str(location.root) if location else None,
        "layout": location.layout.name if location else None,
    }


def as_list(rows: list[dict[str, Any]]) -> str:
    """The rows as a table, with what each data set is and how it is obtained below it.

    Example:
        >>> from pagen.footage.catalogue import DATASETS
        >>> print(as_list([row_of(DATASETS["street"])]).splitlines()[1])
        street  any    any     any   built in
    """
    cells = []
    for row in rows:
        size = f"{row['size'][0]}x{row['size'][1]}" if row["size"] else "any"
        place = (row["found"] or "not found") + (f" ({row['layout']} layout)" if row["layout"] else "")
        cells.append((row["name"], _pair(row["clips"]), _pair(row["frames"]), size, place))
    table = console.table(("name", "clips", "frames", "size", "found"), cells)
    about = [f"{row['name']}: {row['what']}; licence: {row['licence']}; {row['obtain']}{_own(row)}" for row in rows]
    modifiers = [f"NAME:{name}: any of them with {modifier.what}" for name, modifier in MODIFIERS.items()]
    lines = "\n".join(map(_wrapped, [*about, *modifiers]))
    return f"{table}\n\nclips and frames: train + test; -: not known\n\n{lines}"


def _pair(counts: dict[str, int | None]) -> str:
    shown = {split: "-" if count is None else f"{count:,}" for split, count in counts.items()}
    return f"{shown['train']} + {shown['test']}" if any(counts.values()) else "any"


def _own(row: dict[str, Any]) -> str:
    """The names that a data set's own subsets and scenes have."""
    names = [*row["subsets"], *row["scenes"][:1], *(f"{WITHOUT}{scene}" for scene in row["scenes"][:1])]
    return "; also " + ", ".join(f"{row['name']}:{name}" for name in names) if names else ""


def _wrapped(line: str) -> str:
    """A paragraph as wide as the terminal, of 80 to 120 columns."""
    width = min(max(shutil.get_terminal_size((100, 24)).columns, 80), 120)
    return textwrap.fill(line, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def checked(name: str, root: Path | None = None, partial: bool = False) -> dict[str, Any]:
    """What the catalogue expects of a data set (None: anything), what is there, and every problem; all is decoded.

    Where it may be `partial`, missing clips are no problem. Raises PagenError: as `locate`.

    Example:
        >>> checked("ped3")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        pagen.errors.PagenError: no data set named 'ped3'; did you mean 'ped2'? known: avenue ...
    """
    footage = locate(name, root)
    looks = looked_at(footage, decode_all=True)
    edition = footage.label_edition
    return {
        **{"name": name, "root": str(footage.root) if footage.root else None},
        **{"layout": footage.layout, "label_edition": edition},
        "expected": {**_expected(footage), "abnormal frames": expected_abnormal(footage, edition)},
        "found": _counted(footage, {look.clip.path: look for look in looks}),
        "editions": [asdict(each) for each in editions_of(footage, looks)],
        "notes": notes_of(footage, looks),
        "missing": (footage.as_found or footage).missing,
        "problems": problems_of(footage, looks, partial),
    }


def _expected(footage: Footage) -> dict[str, int | None]:
    """What is known of the clips by name: those that the data set's plain name stands for, and those aside."""
    known = () if footage.as_found else footage.known
    used = [clip for clip in known if clip.name in footage.expected.get(clip.split, ())]
    return {
        **{f"{split} clips": clips_in(used, split) or None for split in SPLITS},
        **{f"{split} frames": frames_in(used, split) for split in SPLITS},
        **Counter(map(_aside, set(known) - set(used))),
    }


def _aside(clip: ClipSource | KnownClip) -> str:
    """What a clip is counted as that the data set's plain name does not stand for."""
    return "abnormal train clips" if clip.split == "train" else f"{clip.split} clips"


def _counted(footage: Footage, looks: Mapping[Path, Look]) -> dict[str, Any]:
    """What is there; an unreadable label file counts as no labels, for it is among the problems."""
    tests = footage.split("test")
    lengths = {clip.name: _length(clip, looks) for clip in footage.clips}
    labels = [marks for clip in tests if (marks := _labels(clip, looks)) is not None]
    return {
        **{f"{split} clips": len(footage.split(split)) for split in SPLITS},
        **{f"{split} frames": sum(lengths[clip.name] for clip in footage.split(split)) for split in SPLITS},
        **Counter(map(_aside, footage.aside)),
        "abnormal frames": sum(int((marks == 1).sum()) for marks in labels),
        "labelled clips": len(labels),
        "clips with masks": sum(clip.has_masks for clip in tests),
    }


def _length(clip: ClipSource, looks: Mapping[Path, Look]) -> int:
    return looks[clip.path].length or 0 if isinstance(clip, FileClip) else clip.length()


def _labels(clip: ClipSource, looks: Mapping[Path, Look]) -> Frames | None:
    """Labels as they were looked at, where somebody has, and no modifier has left frames out since."""
    if not isinstance(clip, FileClip) or clip.left_out:
        return attempt([], clip.labels)
    fitted = looks[clip.path].labels.get(clip.label.source.edition) if clip.label else None
    return fitted.labels if fitted else None


def as_report(report: dict[str, Any]) -> str:
    """What `checked` gives as text: expected and found side by side, then the problems.

    Example:
        >>> report = {"name": "mine", "root": "/data", "layout": "folder", "label_edition": "none", "expected": {}}
        >>> print(as_report({**report, "found": {"train clips": 2}, "editions": [], "notes": [], "problems": []}))
        mine: folder layout in /data, labels: none
        <BLANKLINE>
                     expected  found
        train clips            2
        <BLANKLINE>
        nothing missing, nothing odd
    """
    head = f"{report['name']}: {report['layout']} layout in {report['root'] or 'no folder'}"
    counts = [
        (what, "" if report["expected"].get(what) is None else f"{report['expected'][what]:,}", f"{count:,}")
        for what, count in report["found"].items()
    ]
    editions = [Edition(**edition).line(report["label_edition"]) for edition in report["editions"]]
    told = [f"labels {line}" for line in editions if len(editions) > 1] + [f"note: {note}" for note in report["notes"]]
    whole = "nothing odd about what is there" if report.get("missing") else "nothing missing, nothing odd"
    problems = [f"problem: {problem}" for problem in report["problems"]] or [whole]
    blocks = [console.table(("", "expected", "found"), counts), *map("\n".join, filter(None, (told, problems)))]
    return "\n\n".join([f"{head}, labels: {report['label_edition']}", *blocks])
