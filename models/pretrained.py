"""Networks on disk: `config.json` with the constructor's arguments, `model.safetensors` with the weights."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any, Self

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from pagen.errors import PagenError
from pagen.folders import atomic, write_json

CONFIG, WEIGHTS = "config.json", "model.safetensors"


class Pretrained(nn.Module):
    """A network whose constructor takes plain data, kept in `self.config`."""

    config: dict[str, Any]

    def save_pretrained(self, path: Path) -> None:
        """Write the two files into a folder, each whole or not at all."""
        path = Path(path)
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in self.state_dict().items()}
        with atomic(path / WEIGHTS) as temporary:
            save_file(tensors, temporary)
        write_json(path / CONFIG, {"class": type(self).__name__, **self.config})

    @classmethod
    def from_pretrained(cls, path: Path) -> Self:
        """The network of a folder, in evaluation mode.

        Raises:
            PagenError: a file is missing, damaged, or of another network.
        """
        path = Path(path)
        try:
            config = json.loads((path / CONFIG).read_text(encoding="utf-8"))
            name = config.pop("class")
            tensors = load_file(path / WEIGHTS)
        except (OSError, ValueError, LookupError, TypeError, AttributeError, SafetensorError) as error:
            raise PagenError(
                f"expected {CONFIG} and {WEIGHTS} of a network in {path}, found them missing or damaged ({error}); "
                "is the path right?"
            ) from error
        if name != cls.__name__:
            raise PagenError(f"expected a {cls.__name__} in {path}, found a {name}; is the path right?")
        try:
            network = cls(**config)
            network.load_state_dict(tensors)
        except (TypeError, RuntimeError) as error:
            reason = textwrap.shorten(str(error), 160)
            raise PagenError(
                f"expected weights that fit the {CONFIG} beside them in {path}, found others ({reason}); "
                "take both files from one network"
            ) from error
        return network.eval()
