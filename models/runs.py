"""A run folder: what training leaves and evaluation opens; the two never meet but here.

Opening a run needs no torch: its network or detector is opened where it is first asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pagen.documents import read_json, require_form
from pagen.errors import PagenError
from pagen.folders import MANIFEST, Folder, digest, folder_name
from pagen.hub import WEIGHTS
from pagen.manifest import require_within
from pagen.models.networks import open_network

if TYPE_CHECKING:
    from pagen.models.density.detector import Detector
    from pagen.models.pretrained import Pretrained

RECIPE, MODEL, CALIBRATION = "recipe.json", "model", "calibration.json"
CHECKPOINTS, LAST, BEST = "checkpoints", "last", "best"
"""Where a run keeps other states of its training, each a run of its own; what its own state is called beside them."""


AGAIN = "train it again with --overwrite"


@dataclass(frozen=True)
class Single:
    """What `recipe.json` of every run of one network or detector says, beside what is its recipe's own.

    Example:
        >>> Single("skip").size is None
        True
    """

    recipe: str
    dataset: str = ""
    source: str = ""
    size: tuple[int, int] | None = None
    colour: bool = False
    window: int = 1
    channels: int = 1
    features: str = ""
    encoder: str | None = None
    flow: str = ""


@dataclass(frozen=True)
class Members:
    """What `recipe.json` of a run that consists of others says.

    Example:
        >>> Members("luss", ["spatial"]).members
        ['spatial']
    """

    recipe: str
    members: list[str]
    dataset: str = ""


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        path: the run folder.
        recipe: name, scale, seed, data set, size, and every hyper-parameter.
        calibration: indicator -> figures of its values on normal clips of training (`p1`, `median`, `p99`, ...).
        members: the runs that it consists of, by their recipe's name, or that of their features.

    Example:
        >>> run = Run(Path("runs/skip"), {"recipe": "skip"}, {})
        >>> run.scores("folder:walks", "centre").as_posix()
        'runs/skip/scores/folder-walks/centre'
    """

    path: Path
    recipe: dict[str, Any]
    calibration: dict[str, dict[str, float]]
    members: dict[str, Run] = field(default_factory=dict)

    @property
    def detects(self) -> bool:
        """Whether it is a run of a detector, which knows the density of features, and not of networks."""
        return self.recipe.get("source") == "density"

    @cached_property
    def network(self) -> Pretrained:
        """The network, in evaluation mode, on the CPU.

        Raises PagenError for a run of a detector, or one that consists of others.
        """
        if self.detects:
            recipe = self.recipe["recipe"]
            raise PagenError(f"expected a run of a network, found {self.path} of a detector ({recipe}); give another")
        if "members" in self.recipe:
            names = ", ".join(str(member.path) for member in self.members.values())
            raise PagenError(f"expected a run of one network, found {self.path} of several; give one of {names}")
        return open_network(self.path / MODEL)

    @cached_property
    def detector(self) -> Detector:
        """The detector, on the CPU, of a run of one."""
        from pagen.models.density.open import open_detector  # what a run was made of is read without torch

        return open_detector(self.path / MODEL)

    @property
    def weights(self) -> str:
        """SHA-256 of the weights of the one network or detector."""
        return str(digest(self.path / MODEL / WEIGHTS)["sha256"])

    def on(self, device: str) -> Any:
        """The one network, laid out for speed, or the detector, on a device of torch's; opened once in a process."""
        return opened(self.path, self.weights, device)

    def scores(self, dataset: str, name: str) -> Path:
        """The folder of scores of a data set: by a window policy, of the training clips, of rows, or of maps."""
        return self.path / "scores" / folder_name(dataset) / name

    def single(self) -> Iterator[Run]:
        """The runs of one network that it consists of: itself, or its members."""
        yield from self.members.values() if self.members else (self,)


def open_run(path: Path) -> Run:
    """Open a finished run. Raises PagenError when it is missing, unfinished or damaged.

    Example:
        >>> open_run(Path("runs/none"))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        pagen.errors.PagenError: expected a run folder of pagen at runs/none, found no manifest.json there; ...
    """
    folder = Folder.open(Path(path), "run")
    recipe = read_recipe(folder.path)
    if "members" in recipe:
        for name in recipe["members"]:
            require_within(name, folder.path / RECIPE)
        return Run(folder.path, recipe, {}, {name: open_run(folder.path / name) for name in recipe["members"]})
    file = folder.path / CALIBRATION
    calibration = read_json(file, dict[str, dict[str, float]], "the calibration of a run", AGAIN)
    return Run(folder.path, recipe, calibration)


def checkpoints_of(path: Path) -> dict[str, Path]:
    """The states of its training that a run keeps, by name: `last`, itself, and others in RUN/checkpoints.

    Example:
        >>> checkpoints_of(Path("runs/none"))
        {'last': PosixPath('runs/none')}
    """
    others = sorted(manifest.parent for manifest in (path / CHECKPOINTS).glob(f"*/{MANIFEST}"))
    return {LAST: path, **{other.name: other for other in others}}


@lru_cache(maxsize=3)
def opened(path: Path, weights: str, device: str) -> Any:
    """The network or detector of a run of one on a device; `weights` tells a retrained one apart.

    Example:
        >>> opened(Path("runs/none"), "weights", "cpu")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        pagen.errors.PagenError: expected a run folder of pagen at runs/none, found no manifest.json there; ...
    """
    from pagen.models.speed import fast_layout, keep_memory  # what a run was made of is read without torch

    keep_memory()
    run = open_run(path)
    if run.detects:
        return run.detector.to(device)
    fast_layout(run.network.to(device))
    return run.network


def read_recipe(path: Path) -> dict[str, Any]:
    """The `recipe.json` of a run. Raises PagenError: missing, damaged, or without what every run has.

    Example:
        >>> read_recipe(Path("runs/none"))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        pagen.errors.PagenError: expected the recipe of a run in runs/none/recipe.json, which cannot be opened ...
    """
    file, what = path / RECIPE, "the recipe of a run"
    recipe = read_json(file, dict[str, Any], what, AGAIN)
    require_form(recipe, Members if "members" in recipe else Single, what, file, AGAIN)
    return recipe
