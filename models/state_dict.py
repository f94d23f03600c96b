"""Where the weights of a network lie in a checkpoint: told by what its tables hold, whatever they are called.

Training scripts keep weights as `state_dict`, `model_state_dict` or `net`, bare or several tables deep, beside losses,
optimisers and moving averages, and wrappers (data parallelism, torch.compile) put words of their own into names. A
place is a dotted name below which the modules of the network, its roots, lie beside each other; where they do so in
several places, as raw weights and their average do, whoever asks has to say which are wanted.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from pagen.errors import PagenError

Roots = Collection[tuple[str, ...]]
"""Sets of modules, as a network has them; one of the sets has to be there."""
WRAPPERS = {"module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_forward_module"}
"""Words of wrappers in names: DataParallel and averages, torch.compile, FSDP, activation checkpoints, Fabric."""
QUESTION = "is it the checkpoint of another network?"
TOP = "."
"""The place of weights that lie in no table."""


def weights_in(content: Any, roots: Roots, place: str | None = None, question: str = QUESTION) -> dict[str, Tensor]:
    """The weights of a network by their names in it.

    Raises PagenError: they lie nowhere (with the `question` that this raises), in several places, or not in the `place`
    that was asked for.

    Example:
        >>> import torch
        >>> raw, average = ({"module.fc.weight": torch.full((2,), value)} for value in (0.0, 1.0))
        >>> list(weights_in({"net": raw, "loss": torch.tensor(3.0)}, [("fc",)]))
        ['fc.weight']
        >>> weights_in({"net": raw, "ema": average}, [("fc",)], place="ema")
        {'fc.weight': tensor([1., 1.])}
        >>> weights_in({"net": raw, "ema": average}, [("fc",)])  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        pagen.errors.PagenError: expected --weights with one of the places where such weights lie: ema net, found ...
    """
    tensors = tensors_of(content)
    places = places_of((found.name for found in tensors), roots)
    if not places:
        wanted = " or ".join(" and ".join(f"{root}.*" for root in together) for together in roots)
        raise PagenError(f"expected weights {wanted} beside each other, found {_summary(tensors)}; {question}")
    taken = _chosen(places, place)
    deeper = tuple(other for other in places if other.startswith(taken) and other != taken)
    under = [found for found in tensors if found.name.startswith(taken) and not found.name.startswith(deeper)]
    starts = tuple(f"{taken}{root}." for together in roots for root in together)
    tables = {found.table for found in under if found.name.startswith(starts)}
    return _once((found.name.removeprefix(taken), found.value) for found in under if found.table in tables)


def _once(weights: Iterable[tuple[str, Tensor]]) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for name, value in weights:
        if name in found:
            raise PagenError(f"expected one weight {name}, found two, one in the table of a wrapper; keep one of them")
        found[name] = value
    return found


def places_of(names: Iterable[str], roots: Roots) -> list[str]:
    """What names begin with, up to and with the dot, where all modules of a set of roots lie.

    Example:
        >>> places_of(["net.a.weight", "net.b.weight", "c.a.weight"], [("a", "b"), ("c",)])
        ['', 'net.']
    """
    known = list(names)
    return sorted({place for together in roots for place in _common(known, together)})


def _common(names: list[str], together: tuple[str, ...]) -> set[str]:
    patterns = (re.compile(rf"(?<![^.]){re.escape(root)}\.") for root in together)
    return set.intersection(
        *({name[: match.start()] for name in names for match in pattern.finditer(name)} for pattern in patterns)
    )


@dataclass(frozen=True)
class Found:
    """A tensor, its dotted name, and the number of the table in which it lies.

    Example:
        >>> import torch
        >>> Found("fc.weight", torch.ones(2), 1).name
        'fc.weight'
    """

    name: str
    value: Tensor
    table: int


def tensors_of(content: Any) -> list[Found]:
    """All tensors of nested tables by dotted names, without the words of wrappers; each table once.

    What belongs to an optimiser is left out (tables by numbers, or one a weight), and so is the count of an average.

    Example:
        >>> import torch
        >>> content = {"net": {"module.fc.weight": torch.ones(2)}, "optimizer": {"state": {0: torch.ones(2)}}}
        >>> [found.name for found in tensors_of(content)]
        ['net.fc.weight']
    """
    found: list[Found] = []
    seen: set[int] = set()
    waiting = deque([("", content)])
    while waiting:
        prefix, table = waiting.popleft()
        entries = [] if id(table) in seen else _entries(table)
        seen.add(id(table))
        for key, value in entries:
            name = _bare(prefix + key)
            if _is_table(value):
                waiting += [] if "." in key else [(f"{name}." if name else "", value)]
            elif isinstance(value, Tensor) and key != "n_averaged":
                found.append(Found(name, value, len(seen)))
    return found


def _bare(name: str) -> str:
    return ".".join(word for word in name.split(".") if word not in WRAPPERS)


def _is_table(value: Any) -> bool:
    return isinstance(value, (Mapping, list, tuple))


def _entries(table: Any) -> list[tuple[str, Any]]:
    """The entries of a table or list that have names; those of optimisers have numbers."""
    if isinstance(table, Mapping):
        return [(key, value) for key, value in table.items() if isinstance(key, str)]
    lists = table if isinstance(table, (list, tuple)) else ()
    return [(str(place), value) for place, value in enumerate(lists) if _is_table(value)]


def _chosen(places: list[str], place: str | None) -> str:
    shown = [found.removesuffix(".") or TOP for found in places]
    if place is None and len(places) == 1:
        return places[0]
    if place in shown:
        return places[shown.index(place)]
    found = "none" if place is None else place
    how = f"such as --weights {shown[-1]} (an average mostly tests better than the last step)"
    raise PagenError(
        f"expected --weights with one of the places where such weights lie: {' '.join(shown)}, found {found}; {how}"
    )


def _summary(tensors: Iterable[Found]) -> str:
    """Where tensors lie, in words: how many begin alike, up to the first dot, and the first of them."""
    groups: dict[str, list[str]] = {}
    for found in tensors:
        groups.setdefault(found.name.partition(".")[0], []).append(found.name)
    largest = sorted(groups.values(), key=len, reverse=True)
    shown = [f"{len(names)} at {names[0]}" for names in largest[:4]]
    return ", ".join(shown) + (" and more" if len(largest) > 4 else "") if shown else "none at all"
