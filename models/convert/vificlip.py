"""The image encoder of a ViFi-CLIP checkpoint (Rasheed et al., CVPR 2023) as a CLIP of transformers.

ViFi-CLIP is CLIP fine-tuned on videos: each frame goes through the image encoder, and the mean over the frames is the
video's embedding. What is kept is a plain vision transformer with its projection, without the text encoder; the mean is
the user's. Sizes come from the tensors, heads being 64 wide as in every CLIP. Learned prompts (VPT) are refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from pagen.errors import PagenError
from pagen.folders import write_json
from pagen.hub import need, quiet
from pagen.models.encoders.clip import IMAGENET, PREPROCESSOR
from pagen.models.foreign import read_weights

ROOTS = (("image_encoder",),)
_ENCODER = re.compile(r"(?:model\.)?(?:module\.)?image_encoder\.(.+)")
_BLOCK = re.compile(r"transformer\.resblocks\.(\d+)\.")
_HEAD = 64
_ADVICE = "take a checkpoint of ViFi-CLIP with a vision transformer"

_LAYERS = {"layer_norm1": "ln_1", "layer_norm2": "ln_2", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj"}
_LAYERS |= {"self_attn.out_proj": "attn.out_proj"}
_SINGLE = {
    "embeddings.class_embedding": "class_embedding",
    "embeddings.patch_embedding.weight": "conv1.weight",
    "embeddings.position_embedding.weight": "positional_embedding",
    **{f"pre_layrnorm.{kind}": f"ln_pre.{kind}" for kind in ("weight", "bias")},  # so it is spelt there
    **{f"post_layernorm.{kind}": f"ln_post.{kind}" for kind in ("weight", "bias")},
}


def convert(checkpoint: Path, folder: Path, place: str | None = None) -> None:
    """Write the image encoder to a folder that transformers and `vificlip:FOLDER` open.

    Raises PagenError: not readable, another model, with learned prompts, or weights missing; transformers is missing.

    Args:
        checkpoint: the published `.pth`, or its weights as safetensors.
        folder: gets `config.json`, `model.safetensors`, and ImageNet's statistics, which ViFi-CLIP trains with.
        place: where the weights lie, in case they do in several places.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:  # doctest: +ELLIPSIS
        ...     convert(Path(folder, "none.pth"), Path(folder))
        Traceback (most recent call last):
        pagen.errors.PagenError: expected a checkpoint, found no file at ...
    """
    need("transformers", "convert vificlip", "hub")
    model = assemble(read_weights(checkpoint, ROOTS, place))
    with quiet("transformers"):
        model.save_pretrained(folder)
    # as ViFi-CLIP tests: the short side to 8/7 of the input, then its middle, by bilinear (2) resizing
    steps = {f"do_{step}": True for step in ("resize", "center_crop", "rescale", "normalize", "convert_rgb")}
    side, (mean, deviation) = model.config.image_size, IMAGENET
    sizes = {"size": {"shortest_edge": side * 8 // 7}, "crop_size": {"height": side, "width": side}, "resample": 2}
    values = {"rescale_factor": 1 / 255, "image_mean": mean, "image_std": deviation}
    write_json(folder / PREPROCESSOR, {"image_processor_type": "CLIPImageProcessor", **steps, **sizes, **values})


def assemble(weights: Mapping[str, Tensor]) -> Any:
    """A `CLIPVisionModelWithProjection` of the weights by their official names, in float32.

    Raises PagenError: weights are missing, left over, or of shapes that do not fit each other.

    Example:
        >>> import torch
        >>> assemble({"fc.weight": torch.ones(2)})  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        pagen.errors.PagenError: expected weights image_encoder.* of ViFi-CLIP, found fc.weight and the like; ...
    """
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    matches = {name: _ENCODER.fullmatch(name) for name in weights}
    source = {match[1]: weights[name].float() for name, match in matches.items() if match}
    _refuse_other(weights, source)
    layers = len({block[1] for block in map(_BLOCK.match, source) if block})
    sizes = _sizes(source)
    state = _translated(source, layers)
    if source:
        found = f"{len(source)} more weights, among them {min(source)}"
        raise PagenError(f"expected the image encoder of CLIP, found {found}; {_ADVICE}")
    try:
        model: Any = CLIPVisionModelWithProjection(CLIPVisionConfig(num_hidden_layers=layers, **sizes))
        model.load_state_dict(state)
    except (RuntimeError, ValueError) as error:
        found = f"shapes that do not fit ({str(error).splitlines()[-1]})"
        raise PagenError(f"expected weights of one vision transformer, found {found}; {_ADVICE}") from error
    return model.eval()


def _refuse_other(weights: Mapping[str, Tensor], source: Mapping[str, Tensor]) -> None:
    if not source:
        found = f"{' '.join(sorted(weights)[:3])} and the like; is it a checkpoint of ViFi-CLIP?"
        raise PagenError(f"expected weights image_encoder.* of ViFi-CLIP, found {found}")
    prompts = sorted(name for name in weights if "VPT" in name)
    if prompts:
        found = f"{prompts[0]}; take a checkpoint of the fully fine-tuned model"
        raise PagenError(f"expected ViFi-CLIP without learned prompts, found {found}")


def _sizes(source: Mapping[str, Tensor]) -> dict[str, Any]:
    """Sizes of the network, out of the shapes of its weights."""
    names = {"conv1.weight": 4, "positional_embedding": 2, "proj": 2, "transformer.resblocks.0.mlp.c_fc.weight": 2}
    for name, axes in names.items():
        if name not in source or source[name].ndim != axes:
            raise _missing(name)
    (width, _, _, patch), positions, projection, wide = (source[name].shape for name in names)
    patches = positions[0] - 1
    side = math.isqrt(patches)
    if side * side != patches or width % _HEAD:
        found = f"{patches} patches and a width of {width}"
        raise PagenError(f"expected a square of patches and heads {_HEAD} wide, found {found}; {_ADVICE}")
    frame = {"patch_size": patch, "image_size": side * patch, "projection_dim": projection[1]}
    return frame | {"hidden_size": width, "num_attention_heads": width // _HEAD, "intermediate_size": wide[0]}


def _translated(source: dict[str, Tensor], layers: int) -> dict[str, Tensor]:
    """The weights by transformers' names; each is taken out of the source."""

    def take(name: str) -> Tensor:
        if name not in source:
            raise _missing(name)
        return source.pop(name)

    state = {f"vision_model.{here}": take(there) for here, there in _SINGLE.items()}
    state["visual_projection.weight"] = take("proj").T
    for layer in range(layers):
        here, there = f"vision_model.encoder.layers.{layer}", f"transformer.resblocks.{layer}"
        for kind in ("weight", "bias"):
            parts = take(f"{there}.attn.in_proj_{kind}").chunk(3)
            state |= {f"{here}.self_attn.{letter}_proj.{kind}": part for letter, part in zip("qkv", parts, strict=True)}
            state |= {f"{here}.{ours}.{kind}": take(f"{there}.{theirs}.{kind}") for ours, theirs in _LAYERS.items()}
    return state


def _missing(name: str) -> PagenError:
    return PagenError(
        f"expected the weight image_encoder.{name} of a vision transformer, found none that fits; take a checkpoint "
        "of ViFi-CLIP with one"
    )
