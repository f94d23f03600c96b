"""Reading checkpoints that others wrote, without running what they may hold.

A `.ckpt` or `.pt` is a pickle, and a pickle can run anything. `torch.load` with `weights_only` builds tensors and
plain containers alone. Training frameworks also leave objects of their own in it (Lightning keys its callbacks by
their classes); those of modules that the caller names become plain tables, so that nothing of theirs is imported.
"""

from __future__ import annotations

import re
import textwrap
import zipfile
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals

from pagen.errors import PagenError

_SCALAR = np.float64(0).__reduce__()[0]
_NUMBERS: list[Any] = [
    *(np.dtype, *(type(np.dtype(kind)) for kind in ("f4", "f8", "i8"))),
    *((_SCALAR, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")),
]
"""Types that rebuild a number of numpy's, whichever numpy wrote it; frameworks store the best score as one."""


def read_weights(
    path: Path, frameworks: Collection[str] = (), advice: str = "save its state_dict alone, as safetensors"
) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name, on the CPU, mapped from the file where its format allows it.

    Those of a table within the table are named `table.name`. Raises PagenError: no such file, not a checkpoint, objects
    that only a foreign class can build, or no weights.

    Args:
        path: a `.safetensors`, or what `torch.save` wrote: the weights, or a table that holds them as `state_dict`.
        frameworks: top-level modules whose objects beside the weights are passed over.
        advice: what to do about objects that only a foreign class can build.

    Example:
        >>> import tempfile, torch
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     torch.save({"state_dict": {"fc.weight": torch.ones(2, 3)}}, Path(folder, "a.pth"))
        ...     read_weights(Path(folder, "a.pth"))["fc.weight"].shape
        torch.Size([2, 3])
    """
    if not path.is_file():
        raise PagenError(f"expected a checkpoint, found no file at {path}; is the path right?")
    content = _content(path, frameworks, advice)
    table = content.get("state_dict", content) if isinstance(content, Mapping) else {}
    values = _values(table) if isinstance(table, Mapping) else ()
    weights = {name: value for name, value in values if isinstance(value, Tensor)}
    if not weights:
        raise PagenError(f"expected a table of weights in {path}, found none; is it the checkpoint of a network?")
    return weights


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


def _values(table: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        yield str(name), value
        inner = value if isinstance(value, Mapping) else {}
        yield from ((f"{name}.{key}", item) for key, item in inner.items())


def _content(path: Path, frameworks: Collection[str], advice: str) -> Any:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        zipped = zipfile.is_zipfile(path)
        with safe_globals(_NUMBERS):
            classes = get_unsafe_globals_in_checkpoint(str(path)) if zipped else []
        stand_ins: list[Any] = [_stand_in(name) for name in classes if name.split(".")[0] in frameworks]
        foreign = sorted(name for name in classes if name.split(".")[0] not in frameworks)
        if foreign:
            raise _refused(path, foreign, advice)
        with safe_globals([*_NUMBERS, *stand_ins]):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except (OSError, PagenError):
        raise
    except Exception as error:  # bytes that are not a checkpoint can raise anything here
        foreign = re.findall(r"GLOBAL (\S+)", str(error))  # what an old file, which is no zip, holds
        raise (_refused(path, foreign, advice) if foreign else _unreadable(path, error)) from error


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
