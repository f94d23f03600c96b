"""Reading checkpoints that others wrote, without running what they may hold.

A `.ckpt` or `.pt` is a pickle, and a pickle can run anything. `torch.load` with `weights_only` builds tensors and
plain containers alone. Training scripts also leave settings in it, and frameworks objects of their own (Lightning keys
its callbacks by their classes); those of `PASSED_OVER` become plain tables, so that nothing of theirs is imported.
"""

from __future__ import annotations

import pickletools
import re
import textwrap
import zipfile
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals

from pagen.errors import PagenError
from pagen.models.state_dict import QUESTION, Roots, weights_in

_SCALAR = np.float64(0).__reduce__()[0]
_ARRAY = np.zeros(1).__reduce__()[0]
_NUMBERS: list[Any] = [
    *(np.dtype, np.ndarray, *(type(np.dtype(kind)) for kind in ("?", "u1", "i4", "i8", "f2", "f4", "f8"))),
    *((_SCALAR, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")),
    *((_ARRAY, f"numpy.{core}.multiarray._reconstruct") for core in ("core", "_core")),
]
"""Types that rebuild numbers and arrays of numpy's, whichever numpy wrote them; scores and losses are kept as these."""


PASSED_OVER = {
    "argparse", "pathlib", "types", "typing", "datetime", "collections", "omegaconf", "yacs", "easydict", "addict",
    "ml_collections", "pytorch_lightning", "lightning", "lightning_fabric", "mmcv", "mmengine", "fvcore", "detectron2",
}  # fmt: skip
"""Packages whose objects, settings mostly, lie beside weights."""
_PLAIN = {f"builtins.{name}" for name in ("int", "float", "bool", "str", "list", "dict", "set", "slice", "range")}


def read_weights(
    path: Path,
    roots: Roots,
    place: str | None = None,
    advice: str = "save its state_dict alone, as safetensors",
    question: str = QUESTION,
) -> dict[str, Tensor]:
    """The weights of a network in a checkpoint by their names in it, on the CPU, mapped where the format allows it.

    Raises PagenError: no such file, not a checkpoint, objects that only a foreign class can build, or no such weights.

    Args:
        path: a `.safetensors`, or what `torch.save` wrote: the weights, or tables that hold them somewhere.
        roots: modules that the network has side by side, as `weights_in` takes them.
        place: where the weights lie, in case they do in several places; `.` is the top.
        advice: what to do about objects that only a foreign class can build.
        question: what to ask where there are no such weights.

    Example:
        >>> import tempfile, torch
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     torch.save({"state_dict": {"fc.weight": torch.ones(2, 3)}}, Path(folder, "a.pth"))
        ...     read_weights(Path(folder, "a.pth"), [("fc",)])["fc.weight"].shape
        torch.Size([2, 3])
    """
    if not path.is_file():
        raise PagenError(f"expected a checkpoint, found no file at {path}; is the path right?")
    content = _content(path, advice)
    try:
        return weights_in(content, roots, place, question)
    except PagenError as error:
        raise PagenError(f"{path}: {error}") from None


def shape_of(weights: Mapping[str, Tensor], name: str, axes: int) -> tuple[int, ...]:
    """The shape of a weight. Raises PagenError when it is missing or has another number of axes.

    Example:
        >>> import torch
        >>> shape_of({"fc.weight": torch.ones(2, 3)}, "fc.weight", axes=2)
        (2, 3)
    """
    if name not in weights or weights[name].ndim != axes:
        shown = f"the shape {tuple(weights[name].shape)}" if name in weights else "none of that name"
        raise PagenError(f"expected a weight {name} of {axes} axes, found {shown}; --like tells which network it is of")
    return tuple(weights[name].shape)


def _content(path: Path, advice: str) -> Any:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        zipped = zipfile.is_zipfile(path)
        with safe_globals(_NUMBERS):
            classes = get_unsafe_globals_in_checkpoint(str(path)) if zipped else _old_classes(path)
        stand_ins: list[Any] = [_stand_in(name) for name in {*classes, *_PLAIN} if _is_passed_over(name)]
        foreign = sorted(name for name in classes if not _is_passed_over(name)) if zipped else []
        if foreign:
            raise _refused(path, foreign, advice)
        with safe_globals([*_NUMBERS, *stand_ins]):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except (OSError, PagenError):
        raise
    except Exception as error:  # bytes that are not a checkpoint can raise anything here
        foreign = re.findall(r"GLOBAL (\S+)", str(error))  # what an old file, which is no zip, holds
        raise (_refused(path, foreign, advice) if foreign else _unreadable(path, error)) from error


def _is_passed_over(name: str) -> bool:
    return name.partition(".")[0] in PASSED_OVER or name in _PLAIN


def _old_classes(path: Path) -> list[str]:
    """What a file of torch before 1.6 names, which is no zip: three pickles, and the fourth holds the content."""
    with path.open("rb") as file:
        codes = [(code.name, value) for _ in range(4) for code, value, _ in pickletools.genops(file)]
    return sorted({str(value).replace(" ", ".") for name, value in codes if name == "GLOBAL"})


def _stand_in(name: str) -> type:
    """A class of that name whose objects are tables, which `torch.load` lets a pickle fill."""
    module, _, qualified = name.rpartition(".")
    return type(qualified, (), {"__module__": module, "__new__": lambda _, *given: OrderedDict()})


def _refused(path: Path, foreign: Sequence[str], advice: str) -> PagenError:
    found = f"objects that only code of others can build: {' '.join(foreign[:4])}"
    return PagenError(f"expected tensors alone in {path}, found {found}; {advice}")


def _unreadable(path: Path, error: Exception) -> PagenError:
    what = str(error).rpartition("WeightsUnpickler error:")[2].partition("Check the doc")[0]  # torch's advice aside
    reason = textwrap.shorten(f"{type(error).__name__}: {what}", 120)
    return PagenError(f"expected a checkpoint at {path}, found a file that is none ({reason}); download it again")
