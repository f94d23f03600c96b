"""The encoders `clip:MODEL` and `vificlip:FOLDER`: a picture's projected embedding by a CLIP of transformers.

CLIP is of Radford et al. (ICML 2021); ViFi-CLIP (Rasheed et al., CVPR 2023) is the same network, fine-tuned on videos,
which averages the frames' embeddings over time: here each frame keeps its own. What a picture is standardised by comes
from the model's folder: CLIP's own statistics where it says nothing, ImageNet's of ViFi-CLIP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from pagen.documents import read_json
from pagen.errors import PagenError
from pagen.hub import contents, loading, need, place_of, require_whole
from pagen.models.encoders.encoder import Colour, Encoder

CLIP = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and deviation of red, green and blue in [0, 1]."""
PREPROCESSOR = "preprocessor_config.json"
NETWORKS = dict.fromkeys(("clip", "clip_vision_model"), "CLIPVisionModelWithProjection")

Statistics = tuple[Colour, Colour]


class Described(nn.Module):
    """A model of transformers that gives vectors (N, D): one of its outputs, the mean of it where it has tokens.

    Example:
        >>> import torch
        >>> from types import SimpleNamespace
        >>> model = lambda pixel_values: SimpleNamespace(image_embeds=pixel_values.mean((2, 3)))
        >>> Described(model, "image_embeds")(torch.zeros(2, 3, 8, 8)).shape
        torch.Size([2, 3])
    """

    def __init__(self, model: Any, output: str) -> None:
        super().__init__()
        self.model, self.output = model, output

    def forward(self, pixels: Tensor) -> Tensor:
        output: Tensor = getattr(self.model(pixel_values=pixels), self.output)
        return output.mean(dim=1) if output.ndim == 3 else output


def open_clip(option: str) -> Encoder:
    """The encoder of a folder or hub id. Raises PagenError as `open_encoder`.

    Example:
        >>> open_clip("no folder")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        pagen.errors.PagenError: expected encoder 'clip:MODEL' with a folder or a hub id owner/name, found ...
    """
    address, folder = located("encoder", "clip", option, "for example clip:openai/clip-vit-base-patch16")
    return _encoder("clip", address, folder, statistics_of(folder))


def open_vificlip(option: str) -> Encoder:
    """The encoder of a folder that `pagen convert vificlip` wrote. Raises PagenError as `open_encoder`.

    Example:
        >>> open_vificlip("no folder")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        pagen.errors.PagenError: expected encoder 'vificlip:MODEL' with a folder or a hub id owner/name, found ...
    """
    address, folder = located("encoder", "vificlip", option, "the folder that pagen convert vificlip wrote")
    if statistics_of(folder) != IMAGENET:
        wanted = f"what pagen convert vificlip wrote in {folder}, with ImageNet's statistics"
        raise PagenError(f"expected {wanted}, found another model; open it as clip:{option}")
    return replace(_encoder("vificlip", address, folder, IMAGENET), view="vifi")


def located(what: str, name: str, option: str, example: str) -> tuple[str, Path]:
    """The address and the folder of `name:option`. Raises PagenError: neither a folder nor a hub id, no transformers.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     located("encoder", "clip", folder, "a folder")[1] == Path(folder)
        True
    """
    need("transformers", f"{what} '{name}'", "hub")
    address = place_of(option)
    if address is None:
        found = f"'{name}:{option}'; give {example}"
        raise PagenError(f"expected {what} '{name}:MODEL' with a folder or a hub id owner/name, found {found}")
    return address


def _encoder(name: str, address: str, folder: Path, statistics: Statistics) -> Encoder:
    with loading(folder):
        model, missing = pretrained(folder, f"a CLIP ({' '.join(NETWORKS)})", NETWORKS)
    require_whole(folder, missing, "a CLIP with its projection (CLIPModel, CLIPVisionModelWithProjection)")
    network, (mean, deviation) = Described(model, "image_embeds"), map(of_255, statistics)
    about = model.config.image_size, mean, deviation, (address, contents(folder))
    return Encoder(name, model.config.projection_dim, network, *about)


def pretrained(folder: Path, what: str, networks: Mapping[str, str]) -> tuple[Any, set[str]]:
    """A model of transformers in a folder, in float32, and the names of the weights that the folder lacks.

    Raises PagenError: a model of another kind.

    Args:
        what: the model, in the words of an error message.
        networks: kind of model that the folder may hold -> class of transformers that reads it.

    Example:
        >>> import json, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:  # doctest: +ELLIPSIS
        ...     _ = Path(folder, "config.json").write_text(json.dumps({"model_type": "bert"}))
        ...     pretrained(Path(folder), "a CLIP", NETWORKS)
        Traceback (most recent call last):
        pagen.errors.PagenError: expected a CLIP in ..., found 'bert'; take another
    """
    import transformers

    options: dict[str, Any] = {"local_files_only": True}
    kind = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False, **options).model_type
    if kind not in networks:
        raise PagenError(f"expected {what} in {folder}, found {kind!r}; take another")
    options |= {"use_safetensors": True, "output_loading_info": True}
    model, info = getattr(transformers, networks[kind]).from_pretrained(folder, **options)
    return model.float(), set(info["missing_keys"])


def statistics_of(folder: Path, default: Statistics = CLIP) -> Statistics:
    """Mean and deviation that a model's folder standardises by, else the default. Raises PagenError: damaged.

    Example:
        >>> statistics_of(Path("folder/without/statistics"), IMAGENET) == IMAGENET
        True
    """
    paths = folder / PREPROCESSOR, folder / "processor_config.json"
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        return default
    try:
        content = read_json(path, dict[str, Any], "image_mean and image_std", "download it again")
        content = content.get("image_processor", content)
        kept = (content.get(key, default) for key, default in zip(("image_mean", "image_std"), default, strict=True))
        mean, deviation = ((float(red), float(green), float(blue)) for red, green, blue in kept)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        wanted, found = "image_mean and image_std of red, green and blue", f"others ({error}); download it again"
        raise PagenError(f"expected {wanted} in {path}, found {found}") from error
    return mean, deviation


def of_255(colour: Colour) -> Colour:
    """A colour in [0, 1] as one in [0, 255].

    Example:
        >>> of_255((0.2, 0.4, 1.0))
        (51.0, 102.0, 255.0)
    """
    red, green, blue = colour
    return 255 * red, 255 * green, 255 * blue
