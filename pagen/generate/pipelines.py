"""Loading a diffusers inpainting pipeline, from a folder or a hub id.

Nothing is unpickled, and no code of the folder is run.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pagen.errors import PagenError

OWN = "LDMInpaintPipeline"
HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")


def load_pipeline(name: str, place: str, dtype: Any) -> Any:
    """The pipeline of a folder that `save_pretrained` wrote or of a hub id `owner/name`, on a device of torch's.

    Raises:
        PagenError: no pipeline there, not one for inpainting, pickled weights only, or code of its own.
    """
    folder = Path(name).is_dir()
    if folder and not (Path(name) / "model_index.json").is_file():
        raise PagenError(f"expected a diffusers pipeline in {name}, found no model_index.json; is the path right?")
    with quiet("diffusers", "transformers"):
        from diffusers import AutoPipelineForInpainting
        from safetensors import SafetensorError

        how = {"use_safetensors": True, "low_cpu_mem_usage": False, "local_files_only": folder}
        try:
            config = AutoPipelineForInpainting.load_config(name, local_files_only=folder)
            if config.get("_class_name") == OWN:
                from pagen.models.ldm import LDMInpaintPipeline

                return LDMInpaintPipeline.from_pretrained(name, **how).to(place, dtype)
            off = {"safety_checker": None, "requires_safety_checker": False} if "safety_checker" in config else {}
            return AutoPipelineForInpainting.from_pretrained(name, **how, **off).to(place, dtype)
        except (OSError, ValueError, ImportError, SafetensorError) as error:
            raise refusal("pipeline", "diffusers", name, str(error)) from error


def refusal(what: str, library: str, name: str, reason: str) -> PagenError:
    """Why a library's `pipeline` or `model` cannot be had: diffusers and transformers tell it in words alone."""
    if "trust_remote_code" in reason or "linked to [" in reason:
        return PagenError(
            f"expected a {what} of {library}' own classes, found own code in {name}; it is not run, take another"
        )
    if "AutoPipeline can't find" in reason:
        return PagenError(f"expected an inpainting pipeline, found another kind in {name} ({reason}); take another")
    if re.search(r"no file named \S+\.safetensors|necessary `safetensors`", reason):
        return PagenError(
            f"expected safetensors weights, found none in {name}; pickled weights are not read: "
            f"save the {what} again with save_pretrained"
        )
    first = reason.strip().partition("\n")[0]
    return PagenError(
        f"cannot load the {what} {name} ({first}); give a whole folder, or a hub id in reach or in the cache"
    )


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
