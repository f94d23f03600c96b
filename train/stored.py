"""The PA set of a training: what a set must be to serve a recipe, and the command that makes one which does.

A recipe says by `pa_flags` what it takes from a set, and nothing else is asked of one: mixed flow is the same in a set
of grey and of coloured frames. Recipes with members ask for one set that serves each of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pagen.errors import PagenError
from pagen.folders import Folder, folder_name
from pagen.footage.flow import open_flow
from pagen.footage.prepare import Prepared
from pagen.generate.command import command
from pagen.generate.config import Generate
from pagen.generate.pa_set import PASet, open_pa_folder
from pagen.options import PSEUDO_KINDS, Scale, words_of
from pagen.train.config import Train
from pagen.train.recipes.clips import MADE


def check_pseudo(config: Train[Any]) -> None:
    """Raise PagenError for a PA set that is missing or does not serve, or that nothing would be taken from."""
    recipe, parts = config.recipe, list(config.recipe.parts.values())
    if config.pseudo is None and any(part.needed for part in parts):
        raise PagenError(f"recipe {recipe.name} needs pseudo-anomalies on disk: {_advice(config)}")
    if config.pseudo is None:
        return
    if not any(part.taken for part in parts):
        advice = "give --probability above 0 and --kinds, or leave" if hasattr(recipe, "probability") else "leave"
        raise PagenError(f"recipe {recipe.name} trains on normal clips alone; {advice} --pseudo out")
    folder = Folder.open(config.pseudo, "pa_set", verify=False)
    require_fit(config, folder)
    for part in parts:
        _require_unmade(part, config, folder)


def _require_unmade(part: Any, config: Train[Any], folder: Folder) -> None:
    """Raise PagenError for flags of making pseudo-anomalies that were given, where those of the set are otherwise."""
    made = {**asdict(Generate(config.dataset)), **folder.config}
    for name, value in _given(part, config.scale).items():
        have, here = _plain(made[name]), value.partition(":")[0] if isinstance(value, str) else _plain(value)
        if here != have:
            raise PagenError(
                f"expected {' '.join(words_of(name, have))} as the PA set {config.pseudo} was made, found "
                f"{' '.join(words_of(name, value))}, which it knows nothing of; leave that or --pseudo out"
            )


def _given(part: Any, scale: Scale) -> dict[str, Any]:
    """The flags of making pseudo-anomalies that are not at the recipe's own defaults."""
    usual = type(part).at(scale)
    chosen = {name: getattr(part, name) for name in part.by_set}
    return {name: value for name, value in chosen.items() if value != getattr(usual, name)}


def open_stored(config: Train[Any], prepared: Prepared) -> PASet | None:
    """The PA set that a recipe of one network takes something from, opened; None where it takes nothing.

    Raises PagenError: as `check_pseudo` and `open_pa_folder`, or the set holds no clip of one of the kinds.
    """
    recipe = config.recipe
    if config.pseudo is None or not recipe.taken:
        return None
    require_fit(config, Folder.open(config.pseudo, "pa_set", verify=False))
    stored = open_pa_folder(config.pseudo, prepared)
    for kind in recipe.taken:
        if not stored.items(kind, getattr(recipe, "window", stored.length)):
            found = f"none that is long enough; {_advice(config)}"
            raise PagenError(f"expected {kind} pseudo-anomalies in {config.pseudo}, found {found}")
    return stored


def require_fit(config: Train[Any], folder: Folder) -> None:
    """Raise PagenError, with the command that makes another, for a set that was not made as the recipe needs it."""
    wanted = {"dataset": config.dataset, **pa_flags_of(config.recipe)}
    made = {**asdict(Generate(config.dataset)), **folder.config}  # sets of 0.1.0 do not know every flag
    unlike = [name for name in wanted if not _serves(name, wanted, made)]
    if unlike:
        expected, found = (_shown({name: values[name] for name in unlike}) for values in (wanted, made))
        raise PagenError(f"expected a PA set with {expected} in {config.pseudo}, found {found}; {_advice(config)}")
    if "flow" in wanted and folder.inputs.get("flow", "") != open_flow(wanted["flow"]).identity():
        found = f"that of {folder.volatile.get('flow', 'an earlier version')}; {_advice(config)}"
        raise PagenError(f"expected pseudo-anomalies of {wanted['flow']} flow in {config.pseudo}, found {found}")


def _serves(name: str, wanted: Mapping[str, Any], made: Mapping[str, Any]) -> bool:
    """Whether a set that was made so has what is wanted by one of the flags."""
    value, have = wanted[name], made[name]
    if name == "kinds":
        return set(value) <= set(have)
    if name == "length" and not set(wanted["kinds"]) & set(MADE):
        return bool(have >= value)  # segments can be cut, clips that are made of their parameters cannot
    if name == "flow":
        return bool(have == value.partition(":")[0])
    if name == "matched":
        return bool(have or not value)
    return bool(have == _plain(value))


def _plain(value: Any) -> Any:
    """A flag's value as a manifest has it."""
    return list(value) if isinstance(value, tuple) else value


def pa_flags_of(recipe: Any) -> dict[str, Any]:
    """The flags of one set that serves every part of a recipe. Raises PagenError where parts want unlike ones."""
    flags: dict[str, Any] = {}
    owners: dict[str, str] = {}
    for part in recipe.parts.values():
        for name, value in part.pa_flags.items():
            if name in _JOINED:
                flags[name] = _JOINED[name](flags[name], value) if name in flags else value
            elif flags.setdefault(name, value) != value:
                expected = f"one --{name} for all members of {recipe.name}, which share a PA set"
                found = f"{flags[name]} of {owners[name]} and {value} of {part.name}; give them alike"
                raise PagenError(f"expected {expected}, found {found}")
            owners.setdefault(name, part.name)
    return flags


_JOINED: dict[str, Any] = {
    "kinds": lambda one, other: tuple(kind for kind in PSEUDO_KINDS if kind in {*one, *other}),
    "length": max,
    "matched": lambda one, other: one or other,
}
"""Flag -> what of two values serves both."""


def _advice(config: Train[Any]) -> str:
    out = Path("pa") / f"{folder_name(config.dataset)}-{config.recipe.name}-{config.scale}"
    given = {name: value for part in config.recipe.parts.values() for name, value in _given(part, config.scale).items()}
    flags = {"root": config.root, "partial": config.partial, **pa_flags_of(config.recipe), **given, "out": out}
    return f"give --pseudo {out}, made by `{command(config.dataset, flags, config.scale)}`"


def _shown(flags: Mapping[str, Any]) -> str:
    return " ".join(word for name, value in flags.items() for word in words_of(name, value))
