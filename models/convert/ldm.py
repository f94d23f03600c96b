"""The inpainting model of CompVis (`inpainting_big` of Rombach et al., CVPR 2022) in diffusers' classes.

Its configuration gives the sizes, two tables give the names of the same layers there and here, and every weight goes
where its name says. What the pictures depend on beyond the weights: the denoiser is the moving average that
the official script samples with; a row of its attention's one matrix belongs to a head first, then to query, key
or value; latents are not scaled; the hole is black, the mask's channel -1 or 1 and resized to the nearest pixel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch
from diffusers import DDIMScheduler, VQModel
from torch import Tensor, nn

from pagen import console
from pagen.errors import PagenError
from pagen.models.convert.ldm_config import Autoencoder, Denoiser, InpaintingConfig, read_config
from pagen.models.foreign import read_weights
from pagen.models.ldm import LDMInpaintPipeline
from pagen.models.unet_heads import UNet2DHeadsModel

Modules = dict[str, str]
"""Module here -> module there."""
M = TypeVar("M", bound=nn.Module)
_DENOISER, _AVERAGE, _AUTOENCODER = "model.", "model_ema.", "first_stage_model."
ROOTS = (("model.diffusion_model", "first_stage_model"),)
_ADVICE = "take the config.yaml of this checkpoint"

_ATTENTION = {"group_norm": "norm", "to_out.0": "proj_out"}
_DENOISER_LEAVES = {
    **{"norm1": "in_layers.0", "conv1": "in_layers.2", "norm2": "out_layers.0", "conv2": "out_layers.3"},
    **{"time_emb_proj": "emb_layers.1", "conv_shortcut": "skip_connection", **_ATTENTION},
    **dict.fromkeys(("to_q", "to_k", "to_v"), "qkv"),
}
_AUTOENCODER_LEAVES = {**_ATTENTION, "conv_shortcut": "nin_shortcut", "to_q": "q", "to_k": "k", "to_v": "v"}


def convert(checkpoint: Path, config: Path, place: str | None = None) -> LDMInpaintPipeline:
    """The pipeline of a checkpoint, ready to be saved or used.

    Raises PagenError: not readable, another model, or the two do not belong together.

    Args:
        checkpoint: `last.ckpt`, or its weights as safetensors.
        config: the `config.yaml` beside it.
        place: where the weights lie, in case they do in several places.

    Example:
        >>> convert(Path("last.ckpt"), Path("none.yaml"))
        Traceback (most recent call last):
        pagen.errors.PagenError: expected the model's config.yaml, found no file at none.yaml; is the path right?
    """
    settings = read_config(config)
    return assemble(read_weights(checkpoint, ROOTS, place), settings)


def assemble(weights: Mapping[str, Tensor], config: InpaintingConfig) -> LDMInpaintPipeline:
    """The pipeline of the weights by their official names (float32, whatever they were kept in).

    Raises PagenError: weights are missing, left over, or of other shapes or another schedule than the configuration's.

    Example:
        >>> denoiser = Denoiser(64, 7, 3, (32,), 1, (False,), 8, True)
        >>> autoencoder = Autoencoder(64, (32,), 1, (False,), False, 3, 16, 3)
        >>> assemble({}, InpaintingConfig(denoiser, autoencoder, 1000, 0.0015, 0.0205))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        pagen.errors.PagenError: expected the weight model.diffusion_model... by the config, found none of that name ...
    """
    _check_schedule(weights, config)
    source = _Source(weights, averaged=any(name.startswith(f"{_AVERAGE}diffusion_model") for name in weights))
    if not source.averaged:
        console.say("the checkpoint holds no moving average (EMA) of the denoiser: its raw weights are taken")
    unet = _fill(_denoiser(config.denoiser), source, denoiser_modules(config.denoiser), _DENOISER_LEAVES)
    vae = _fill(_autoencoder(config.autoencoder), source, autoencoder_modules(config.autoencoder), _AUTOENCODER_LEAVES)
    denoiser = f"{_AVERAGE if source.averaged else _DENOISER}diffusion_model"
    parts = ("encoder.", "decoder.", "quantize.", "quant_conv.", "post_quant_conv.")
    wanted = (denoiser, *(_AUTOENCODER + part for part in parts))
    left = sorted(name for name in weights if name.startswith(wanted) and name not in source.taken)
    if left:
        found = f"{len(left)} more, among them {left[0]}"
        raise PagenError(f"expected no more weights than the config has places for, found {found}; {_ADVICE}")
    masks: dict[str, Any] = {"hole_value": -1.0, "mask_kept": -1.0, "mask_hole": 1.0, "mask_resize": "nearest"}
    return LDMInpaintPipeline(vae, unet, _scheduler(config), **masks)


def denoiser_modules(config: Denoiser) -> Modules:
    """The denoiser's modules: there one list of input and one of output blocks, here levels.

    Example:
        >>> modules = denoiser_modules(Denoiser(64, 7, 3, (64, 128), 2, (False, True), 8, True))
        >>> modules["down_blocks.1.attentions.0"]
        'model.diffusion_model.input_blocks.4.1'
    """
    root = f"{_DENOISER}diffusion_model."
    table = {"conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2"}
    table |= {"time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2"}
    table |= {"mid_block.resnets.0": "middle_block.0", "mid_block.resnets.1": "middle_block.2"}
    table |= {"mid_block.attentions.0": "middle_block.1"}
    table |= dict([*_down_levels(config), *_up_levels(config)])
    return {here: root + there for here, there in table.items()}


def _down_levels(config: Denoiser) -> Iterator[tuple[str, str]]:
    resized = "" if config.residual_resampling else ".conv"
    block = 1
    for level, attends in enumerate(config.attends):
        here = f"down_blocks.{level}"
        for layer in range(config.layers):
            yield f"{here}.resnets.{layer}", f"input_blocks.{block}.0"
            if attends:
                yield f"{here}.attentions.{layer}", f"input_blocks.{block}.1"
            block += 1
        if level < len(config.attends) - 1:
            yield f"{here}.downsamplers.0{resized}", f"input_blocks.{block}.0" + (".op" if resized else "")
            block += 1


def _up_levels(config: Denoiser) -> Iterator[tuple[str, str]]:
    resized = "" if config.residual_resampling else ".conv"
    for level, attends in enumerate(reversed(config.attends)):
        here = f"up_blocks.{level}"
        for layer in range(config.layers + 1):
            there = f"output_blocks.{level * (config.layers + 1) + layer}"
            yield f"{here}.resnets.{layer}", f"{there}.0"
            if attends:
                yield f"{here}.attentions.{layer}", f"{there}.1"
            if layer == config.layers and level < len(config.attends) - 1:
                yield f"{here}.upsamplers.0{resized}", f"{there}.{1 + attends}{resized}"


def autoencoder_modules(config: Autoencoder) -> Modules:
    """The autoencoder's modules: levels on both sides, there counted from the finest in the decoder too.

    Example:
        >>> modules = autoencoder_modules(Autoencoder(256, (128, 256), 2, (False, False), False, 3, 8192, 3))
        >>> modules["decoder.up_blocks.0.resnets.0"]
        'first_stage_model.decoder.up.1.block.0'
    """
    levels = len(config.widths)
    table = {name: name for name in ("quant_conv", "post_quant_conv", "quantize.embedding")}
    for side in ("encoder", "decoder"):
        table |= {f"{side}.conv_in": f"{side}.conv_in", f"{side}.conv_out": f"{side}.conv_out"}
        table |= {f"{side}.conv_norm_out": f"{side}.norm_out", f"{side}.mid_block.attentions.0": f"{side}.mid.attn_1"}
        table |= {f"{side}.mid_block.resnets.{i}": f"{side}.mid.block_{i + 1}" for i in range(2)}
    for level in range(levels):
        down, up = f"encoder.down.{level}", f"decoder.up.{levels - 1 - level}"
        for here, there in ((f"encoder.down_blocks.{level}", down), (f"decoder.up_blocks.{level}", up)):
            for layer in range(config.layers + 1):
                table |= {f"{here}.resnets.{layer}": f"{there}.block.{layer}"}
                table |= {f"{here}.attentions.{layer}": f"{there}.attn.{layer}"}
        table |= {f"encoder.down_blocks.{level}.downsamplers.0.conv": f"{down}.downsample.conv"}
        table |= {f"decoder.up_blocks.{level}.upsamplers.0.conv": f"{up}.upsample.conv"}
    return {here: _AUTOENCODER + there for here, there in table.items()}


def _fill(model: M, source: _Source, modules: Modules, leaves: Mapping[str, str]) -> M:
    """The model, built without memory of its own, with the weights of the source."""
    heads = model.config.attention_head_dim if isinstance(model, UNet2DHeadsModel) else 1
    filled = {}
    for name, empty in model.state_dict().items():
        path, _, kind = name.rpartition(".")
        module = max((module for module in modules if f"{path}.".startswith(f"{module}.")), key=len)
        leaf = path[len(module) + 1 :]  # of down_blocks.0.resnets.1.norm1.weight it is norm1
        there = ".".join(part for part in (modules[module], leaves.get(leaf, leaf), kind) if part)
        filled[name] = _fitted(source.take(there), there, leaf, tuple(empty.shape), heads)
    model.load_state_dict(filled, assign=True)
    return model.eval()


def _fitted(weight: Tensor, there: str, leaf: str, shape: tuple[int, ...], heads: int) -> Tensor:
    """The weight in the shape it has here: of 1 x 1 convolutions linear layers, of a joint qkv one of the three."""
    joint = ".qkv." in there
    wanted, given = (shape[0] * 3 if joint else shape[0], *shape[1:]), tuple(weight.shape)
    if given != (*wanted, *(1,) * (weight.ndim - len(shape))):
        raise PagenError(f"expected the weight {there} in the shape {wanted} by the config, found {given}; {_ADVICE}")
    if joint:
        weight = weight.unflatten(0, (heads, 3, -1))[:, ("to_q", "to_k", "to_v").index(leaf)]
    return weight.reshape(shape).float().contiguous()


@dataclass
class _Source:
    """The weights of the checkpoint, and which of them were asked for."""

    weights: Mapping[str, Tensor]
    averaged: bool
    taken: set[str] = field(default_factory=set)

    def take(self, name: str) -> Tensor:
        """A weight by its official name; the denoiser's from the average, which knows no dots."""
        if self.averaged and name.startswith(_DENOISER):
            name = _AVERAGE + name.removeprefix(_DENOISER).replace(".", "")
        if name not in self.weights:
            found = f"none of that name in the checkpoint; {_ADVICE}"
            raise PagenError(f"expected the weight {name} by the config, found {found}")
        self.taken.add(name)
        return self.weights[name]


def _check_schedule(weights: Mapping[str, Tensor], config: InpaintingConfig) -> None:
    betas = _scheduler(config).betas
    kept = weights.get("betas", betas)
    if not kept.is_meta and (kept.shape != betas.shape or not torch.allclose(kept.float(), betas, rtol=1e-3)):
        wanted = f"the config ({config.steps} steps, {config.first_beta} to {config.last_beta})"
        raise PagenError(f"expected the noise schedule of {wanted}, found another in the checkpoint; {_ADVICE}")


def _scheduler(config: InpaintingConfig) -> Any:
    betas = {"beta_schedule": "scaled_linear", "beta_start": config.first_beta, "beta_end": config.last_beta}
    steps = {"num_train_timesteps": config.steps, "timestep_spacing": "leading", "steps_offset": 1}
    return DDIMScheduler(**betas, **steps, prediction_type="epsilon", set_alpha_to_one=False, clip_sample=False)


def _denoiser(config: Denoiser) -> Any:
    plain = "ResnetDownsampleBlock2D" if config.residual_resampling else "DownBlock2D"
    plain_up = plain.replace("Downsample", "Upsample").replace("DownBlock", "UpBlock")
    down = tuple("AttnDownBlock2D" if attends else plain for attends in config.attends)
    up = tuple("AttnUpBlock2D" if attends else plain_up for attends in reversed(config.attends))
    ends = {"sample_size": config.side, "in_channels": config.channels_in, "out_channels": config.channels_out}
    levels: dict[str, Any] = {"down_block_types": down, "up_block_types": up, "block_out_channels": config.widths}
    levels |= dict.fromkeys(("downsample_type", "upsample_type"), "resnet" if config.residual_resampling else "conv")
    with torch.device("meta"):
        return UNet2DHeadsModel(**ends, **levels, layers_per_block=config.layers, attention_head_dim=config.heads)


def _autoencoder(config: Autoencoder) -> Any:
    down = tuple("AttnDownEncoderBlock2D" if attends else "DownEncoderBlock2D" for attends in config.attends)
    up = tuple("AttnUpDecoderBlock2D" if attends else "UpDecoderBlock2D" for attends in reversed(config.attends))
    levels: dict[str, Any] = {"down_block_types": down, "up_block_types": up, "block_out_channels": config.widths}
    levels |= {"layers_per_block": config.layers, "mid_block_add_attention": config.middle_attends}
    codes = {"latent_channels": config.latent, "num_vq_embeddings": config.codes, "vq_embed_dim": config.code}
    with torch.device("meta"):
        return VQModel(**levels, **codes, sample_size=config.side, scaling_factor=1.0)
