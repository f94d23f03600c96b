"""What a run can be fed: runs over files of one data set are refused for others, before anything is prepared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pagen.errors import PagenError
from pagen.features.file import folder_of
from pagen.features.open import check_sources
from pagen.features.spec import spec_of
from pagen.footage.joined import base_of
from pagen.models.runs import Run, open_run

FILE = "file:"
INSTEAD = {"flow": "--flow dis", "boxes": "--boxes motion", "poses": "--poses vitpose:MODEL"}
"""Field of a recipe -> what can be computed of any footage in place of files."""
RUNS = ("latents", "locations", "tube")
"""Kinds of features that look through another run."""


def require_fed(runs: Sequence[Run], targets: Sequence[str], device: str) -> None:
    """Raise PagenError for a run that one of the data sets cannot be fed to, naming run, files and data set.

    Flow, boxes and poses of files are one data set's; a folder of features serves each for which it has a folder. What
    else features are made of, models and other runs, has to be there.
    """
    for single in (single for run in runs for single in run.single()):
        for seen in _seen(single):
            for field, value in seen.recipe.items():
                if isinstance(value, str) and value.startswith(FILE):
                    for target in targets:
                        _require_file(seen, field, value, target)
        if single.detects:
            check_sources(spec_of(single.recipe), device)


def _seen(run: Run) -> Iterator[Run]:
    """A run of one network or detector, and what its features are codes of."""
    yield run
    if run.detects and (spec := spec_of(run.recipe)).name in RUNS:
        yield from _seen(open_run(spec.run))


def _require_file(run: Run, field: str, value: str, target: str) -> None:
    home = str(run.recipe["dataset"])
    if base_of(home) == base_of(target):
        return
    if field == "features":
        if folder_of(value.removeprefix(FILE), target) is None:
            folder = f"no folder {target} in {value.removeprefix(FILE)}, which {run.path} of {home} looks at"
            raise PagenError(
                f"expected features of the clips of {target}, found {folder}; put them there, or leave the run out"
            )
        return
    instead = f"train with {INSTEAD[field]}, or leave" if field in INSTEAD else "leave"
    raise PagenError(
        f"expected {field} that can be computed for {target}, found {value} of {home} alone in {run.path}; "
        f"{instead} the run out"
    )
