"""Models of Hugging Face's libraries: where a folder or hub id lies, how it is loaded, and why it cannot be.

Nothing is unpickled, and no code of a folder is run.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pagen.errors import PagenError
from pagen.folders import fingerprint

HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
FILES = ("*.json", "*.safetensors")
CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"
"""Files of a network or a detector of pagen's, called as the hub calls them."""


def need(package: str, what: str, extra: str) -> None:
    """Raise PagenError where a package that `what` needs is not installed."""
    if find_spec(package) is None:
        raise PagenError(f"expected the package {package} for {what}, found none; pip install 'pagen[{extra}]'")


def place_of(name: str) -> tuple[str, Path] | None:
    """Where a model lies: its absolute folder or hub id, and the folder, downloaded if need be; None for neither.

    Raises PagenError for a hub id that is neither in reach nor in the hub's cache.
    """
    path = Path(name).expanduser().absolute()
    if name and path.is_dir():
        return str(path), path
    return (name, _fetch(name)) if HUB_ID.fullmatch(name) else None


def contents(folder: Path) -> str:
    """A fingerprint of the configurations and weights of a folder."""
    return fingerprint(folder, [path for pattern in FILES for path in sorted(folder.glob(pattern))])


@contextmanager
def loading(folder: Path) -> Iterator[None]:
    """Loading a model of transformers inside the block, in silence. Raises PagenError with what the library says."""
    if not (folder / "config.json").is_file():
        raise PagenError(f"expected a transformers model in {folder}, found no config.json; is the path right?")
    with quiet("transformers"):
        from safetensors import SafetensorError

        try:
            yield
        except (OSError, ValueError, ImportError, RuntimeError, SafetensorError) as error:
            raise refusal("model", "transformers", str(folder), str(error)) from error


def require_whole(folder: Path, missing: Collection[str], wanted: str) -> None:
    """Raise PagenError where weights are missing, which the library would draw at random."""
    if missing:
        found = f"{len(missing)} missing ({min(missing)})"
        raise PagenError(f"expected all weights of the model in {folder}, found {found}; give {wanted}")


def _fetch(name: str) -> Path:
    """The folder of a hub id in the hub's own cache; nothing that is pickled, and no code."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=list(FILES)))
    except (OSError, ValueError) as error:
        raise refusal("model", "transformers", name, str(error)) from error


def refusal(what: str, library: str, name: str, reason: str) -> PagenError:
    """Why a library's `pipeline` or `model` cannot be had: diffusers and transformers tell it in words alone."""
    if "trust_remote_code" in reason or "linked to [" in reason:
        expected = f"expected a {what} of {library}' own classes"
        return PagenError(f"{expected}, found own code in {name}; it is not run, take another")
    if "AutoPipeline can't find" in reason:
        return PagenError(f"expected an inpainting pipeline, found another kind in {name} ({reason}); take another")
    if re.search(r"no file named \S+\.safetensors|necessary `safetensors`", reason):
        return PagenError(
            f"expected safetensors weights, found none in {name}; pickled weights are not read: "
            f"save the {what} again with save_pretrained"
        )
    first = reason.strip().partition("\n")[0]
    advice = "give a whole folder, or a hub id in reach or in the cache"
    return PagenError(f"cannot load the {what} {name} ({first}); {advice}")


@contextmanager
def quiet(*names: str) -> Iterator[None]:
    """No bars and no advice of these libraries of Hugging Face's, as far as they are there, inside the block."""
    libraries: list[Any] = [import_module(f"{name}.utils.logging") for name in names if find_spec(name)]
    levels = [library.get_verbosity() for library in libraries]
    for library in libraries:
        library.set_verbosity_error()
        library.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            # diffusers 0.42 passes an argument that huggingface_hub has retired
            warnings.filterwarnings("ignore", message=".*local_dir_use_symlinks", category=UserWarning)
            yield
    finally:
        for library, level in zip(libraries, levels, strict=True):
            library.set_verbosity(level)
            library.enable_progress_bar()
