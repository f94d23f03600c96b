"""Networks on disk and on the Hugging Face hub.

`config.json` holds the constructor's arguments, `model.safetensors` the weights, `README.md` what they are: the hub's
usual files. Not huggingface_hub's `ModelHubMixin`: it removes the old configuration before the new weights lie, and
tells of what is missing or damaged in as many ways as it has callers.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self, TypeVar

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from pagen.documents import read_json
from pagen.errors import PagenError
from pagen.folders import atomic, write_json, write_text
from pagen.hub import CARD, CONFIG, HUB_ID, WEIGHTS

T = TypeVar("T")
UNKNOWN = "unknown: whoever saved these weights left no account of it."


class Pretrained(nn.Module):
    """A network whose constructor takes plain data, kept in `self.config`.

    Example:
        >>> from pagen.models.discriminator import Discriminator
        >>> with TemporaryDirectory() as folder:
        ...     Discriminator(features=4, hidden=3).save_pretrained(folder)
        ...     Discriminator.from_pretrained(folder).config["hidden"]
        3
    """

    config: dict[str, Any]

    def save_pretrained(self, path: Path | str, card: str | None = None) -> None:
        """Write weights, configuration and card into a folder, each file whole or not at all.

        Args:
            card: text of its README.md; without one a general card, which replaces none that lies there.
        """
        path = Path(path)
        save_tensors(path / WEIGHTS, self.state_dict())
        write_json(path / CONFIG, {"class": type(self).__name__, **self.config})
        if card is not None or not (path / CARD).exists():
            write_text(path / CARD, card_of(self) if card is None else card)

    @classmethod
    def from_pretrained(cls, path: Path | str, revision: str | None = None) -> Self:
        """The network of a folder or of the Hugging Face hub, in evaluation mode.

        Raises PagenError: nothing of that name in reach; a file is missing, damaged, or of another network.

        Args:
            path: a folder, or a hub id `owner/name`, which must be a `str`; a folder of that name wins.
            revision: branch, tag or commit of a hub id.
        """
        return restored(cls, fetch(path, revision), cls._filled).eval()

    @classmethod
    def _filled(cls, config: dict[str, Any], tensors: dict[str, Tensor]) -> Self:
        network = cls(**config)
        network.load_state_dict(tensors)
        return network

    def push_to_hub(self, repo_id: str, card: str | None = None, private: bool = True) -> str:
        """Upload the network to the Hugging Face hub, as the user of `hf auth login`; gives the address of the commit.

        Raises PagenError: the hub is not in reach, or refuses.

        Args:
            repo_id: `owner/name`; made if it is not there.
            card: text of its README.md, a general one without.
            private: a repository that is made shows to its owner alone; footage of people deserves a second thought.
        """
        from huggingface_hub import HfApi

        hub = HfApi()
        with TemporaryDirectory() as folder:
            self.save_pretrained(folder, card)
            with _hub(f"a repository {repo_id} to write to", "check the name and the connection, and `hf auth login`"):
                hub.create_repo(repo_id, private=private, exist_ok=True)
                return hub.upload_folder(repo_id=repo_id, folder_path=folder).commit_url


def save_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors from wherever they lie as safetensors, whole or not at all.

    Example:
        >>> import torch
        >>> with TemporaryDirectory() as folder:
        ...     save_tensors(Path(folder, "a.safetensors"), {"weight": torch.ones(2)})
        ...     load_file(Path(folder, "a.safetensors"))
        {'weight': tensor([1., 1.])}
    """
    with atomic(path) as temporary:
        save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, temporary)


def fetch(path: Path | str, revision: str | None = None) -> Path:
    """The folder itself, or the snapshot of a hub id in the hub's own cache, downloaded if need be.

    Raises PagenError: a hub id that is neither in reach nor in the cache.

    Example:
        >>> fetch(Path("runs/skip/model")).as_posix()
        'runs/skip/model'
    """
    if not isinstance(path, str) or Path(path).is_dir() or not HUB_ID.fullmatch(path):
        return Path(path)
    from huggingface_hub import snapshot_download

    with _hub(f"a folder or a network {path}", "check the name, the revision and the connection"):
        return Path(snapshot_download(path, revision=revision, allow_patterns=[CONFIG, WEIGHTS, CARD]))


def read_config(folder: Path) -> tuple[str, dict[str, Any]]:
    """The class of a folder's network and its constructor's arguments. Raises PagenError: missing or damaged.

    Example:
        >>> with TemporaryDirectory() as folder:
        ...     write_json(Path(folder, CONFIG), {"class": "ConvAE3d", "channels": 1})
        ...     read_config(Path(folder))
        ('ConvAE3d', {'channels': 1})
    """
    with _whole(folder):
        config = read_json(folder / CONFIG, dict[str, Any], "a network's arguments", "download or train it again")
        return str(config.pop("class")), config


def restored(kind: type[T], folder: Path, build: Callable[[dict[str, Any], dict[str, Tensor]], T]) -> T:
    """Build what a folder holds out of its constructor's arguments and its tensors.

    Raises PagenError: missing, damaged, of another class, or two files that do not belong together.

    Example:
        >>> from pagen.models.discriminator import Discriminator
        >>> with TemporaryDirectory() as folder:
        ...     Discriminator(features=4, hidden=3).save_pretrained(folder)
        ...     restored(Discriminator, Path(folder), lambda config, tensors: sorted(config))
        ['dropout', 'features', 'hidden', 'pool']
    """
    name, config = read_config(folder)
    if name != kind.__name__:
        raise PagenError(f"expected a {kind.__name__} in {folder}, found a {name}; is the path right?")
    with _whole(folder):
        tensors = load_file(folder / WEIGHTS)
    try:
        return build(config, tensors)
    except (LookupError, TypeError, ValueError, RuntimeError) as error:
        found = f"others ({textwrap.shorten(str(error), 160)}); take both files from one {name}"
        raise PagenError(f"expected weights that fit the {CONFIG} beside them in {folder}, found {found}") from error


@contextmanager
def _whole(folder: Path) -> Iterator[None]:
    try:
        yield
    except (PagenError, OSError, ValueError, LookupError, TypeError, AttributeError, SafetensorError) as error:
        found = f"them missing or damaged ({error}); is the path right?"
        raise PagenError(f"expected {CONFIG} and {WEIGHTS} of a network in {folder}, found {found}") from error


@contextmanager
def _hub(wanted: str, advice: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # the hub's client lets through those of its HTTP library, another with every version
        reason = textwrap.shorten(str(error).partition("\n")[0] or type(error).__name__, 200)
        raise PagenError(
            f"expected {wanted} on the Hugging Face hub, found none in reach ({reason}); {advice}"
        ) from error


def card_of(
    network: Pretrained, title: str = "", trained_on: str = UNKNOWN, settings: Mapping[str, object] | None = None
) -> str:
    """The text of a README.md with the front matter of the hub.

    Args:
        network: whose class, configuration and number of parameters are told.
        title: of the card; the network's class without one.
        trained_on: the sentence that **Trained on** begins.
        settings: further rows of the table, for example the recipe.

    Example:
        >>> from pagen.models.discriminator import Discriminator
        >>> card_of(Discriminator(features=4, hidden=3), "Ped2", "ped2.").splitlines()[5]
        '# Ped2'
    """
    count = sum(parameter.numel() for parameter in network.parameters())
    rows = {"parameters": f"{count:,}", **network.config, **dict(sorted((settings or {}).items()))}
    return _text(type(network), "from_pretrained", title, trained_on, rows)


def _text(kind: type, loader: str, title: str, trained_on: str, rows: Mapping[str, object]) -> str:
    about = (kind.__doc__ or "").partition("\n")[0]
    cells = ((key, str(value).replace("|", r"\|")) for key, value in {"class": kind.__name__, **rows}.items())
    table = "\n".join(f"| {key} | {value} |" for key, value in cells)
    return f"""---
library_name: pagen
license: other
tags: [video-anomaly-detection]
---
# {title or kind.__name__}

{about}

**Trained on** {trained_on}

**Meant for** research, and for pointing a person at footage worth a look. Not for deciding about people.
**Limits:** the scenes that it was trained on; its scores need a threshold from normal footage.
**Licence** of the weights: that of the footage they were trained on.

**Load** with `from {kind.__module__} import {kind.__name__}; {kind.__name__}.{loader}(path)`.

| setting | value |
| --- | --- |
{table}
"""
