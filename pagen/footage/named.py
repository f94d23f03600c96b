"""`--name shop` with `--dataset folder --root DIR`: one's own data set is called so on one command."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from pagen.errors import PagenError
from pagen.footage.catalogue import DATASETS
from pagen.footage.own import NAMED, Own, own_file, require_own

FOLDER = "folder"
"""The data set that takes a name."""


def named(config: Any) -> Any:
    """A verb's configuration, whose data set is called as `--name` says, if that is given.

    Raises PagenError: another data set than `folder`, no root, or a name that is taken.

    Example:
        >>> from pagen.footage.prepare_dataset import Prepare
        >>> named(Prepare("ped2")).dataset
        'ped2'
    """
    name = getattr(config, "called", None)
    if not name:
        return config
    if config.dataset != FOLDER:
        found = f"{config.dataset or 'none'}; leave --name out, or give both"
        raise PagenError(f"expected --dataset {FOLDER} with --name {name}, found {found}")
    if config.root is None:
        raise PagenError(f"expected --root DIR with --name {name}, found none; say where the footage lies")
    require_own(name, DATASETS.catalogue(), "", "the catalogue")
    require_own(name, [known for known in DATASETS.names() if known not in NAMED], "", str(own_file()))
    NAMED[name] = Own(Path(config.root).expanduser().absolute())
    return replace(config, dataset=name)


def as_typed(config: Any) -> Any:
    """What `named` was given: a configuration as its command line has it.

    Example:
        >>> from pathlib import Path
        >>> from pagen.footage.prepare_dataset import Prepare
        >>> as_typed(Prepare("shop", Path("footage"), called="shop")).dataset
        'folder'
    """
    return replace(config, dataset=FOLDER) if getattr(config, "called", None) else config
