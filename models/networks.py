"""Any network of pagen's from its folder: `config.json` names the class."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pagen.errors import PagenError
from pagen.methods import METHODS
from pagen.registry import Registry

if TYPE_CHECKING:
    from pagen.models.pretrained import Pretrained

NETWORKS: Registry[type[Pretrained]] = Registry(
    "network",
    "pagen.networks",
    {method.network.rpartition(":")[2]: method.network for method in METHODS.values() if method.network},
    lambda network: isinstance(network, type),
)
"""Name of a class, as `config.json` has it -> the class."""


def open_network(path: Path | str, revision: str | None = None) -> Pretrained:
    """Open the network of a folder or of the Hugging Face hub, whichever of the registered classes it is.

    Arguments and errors are those of `Pretrained.from_pretrained`; a class that nobody registered is refused, too.

    Example:
        >>> import tempfile
        >>> from pagen.models.conv_ae import ConvAE3d
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     ConvAE3d(widths="tiny").save_pretrained(folder)
        ...     type(open_network(folder)).__name__
        'ConvAE3d'
    """
    from pagen.models.pretrained import fetch, read_config  # recipes name networks, and flags are read without torch

    folder = fetch(path, revision)
    name, _ = read_config(folder)
    if name not in NETWORKS:
        names = " ".join(NETWORKS.names())
        raise PagenError(f"expected one of {names} in {folder}, found a {name}; is the path right?")
    return NETWORKS[name].from_pretrained(folder)
