"""Loading a diffusers inpainting pipeline, from a folder or a hub id.

Nothing is unpickled, and no code of the folder is run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pagen.errors import PagenError
from pagen.hub import quiet, refusal

OWN = "LDMInpaintPipeline"


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
