"""Any network of pagen's from its folder: `config.json` names the class."""

from __future__ import annotations

from pathlib import Path

from pagen.errors import PagenError
from pagen.models.conv_ae import ConvAE3d
from pagen.models.discriminator import Discriminator
from pagen.models.luss import LUSSAE
from pagen.models.memae import MemAE
from pagen.models.pretrained import Pretrained, fetch, read_config

NETWORKS: dict[str, type[Pretrained]] = {kind.__name__: kind for kind in (ConvAE3d, MemAE, LUSSAE, Discriminator)}


def open_network(path: Path | str, revision: str | None = None) -> Pretrained:
    """The network of a folder or of the Hugging Face hub, in evaluation mode, of the class that it says it is.

    Args:
        path: a folder, or a hub id `owner/name`, which must be a `str`; a folder of that name wins.
        revision: branch, tag or commit of a hub id.

    Raises:
        PagenError: nothing of that name in reach; a file is missing or damaged; a class that is not pagen's.
    """
    folder = fetch(path, revision)
    name, _ = read_config(folder)
    if name not in NETWORKS:
        raise PagenError(f"expected one of {' '.join(NETWORKS)} in {folder}, found a {name}; is the path right?")
    return NETWORKS[name].from_pretrained(folder)
