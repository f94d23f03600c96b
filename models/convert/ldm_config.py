"""The sizes of a latent diffusion model for inpainting, out of the `config.yaml` of CompVis.

What the converted pipeline cannot express is refused here, by the name that it has in the file.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import yaml  # type: ignore[import-untyped]  # its types come in a package of their own

from pagen.errors import PagenError

_GROUPS = 32  # of the group norms, fixed in the official classes


@dataclass(frozen=True)
class Denoiser:
    """Sizes of the `UNetModel`; `widths` and `attends` by level, the finest first.

    Example:
        >>> Denoiser(64, 7, 3, widths=(64,), layers=2, attends=(True,), heads=8, residual_resampling=True).heads
        8
    """

    side: int
    channels_in: int
    channels_out: int
    widths: tuple[int, ...]
    layers: int
    attends: tuple[bool, ...]
    heads: int
    residual_resampling: bool


@dataclass(frozen=True)
class Autoencoder:
    """Sizes of the `VQModelInterface`; `code` is the width of an entry of the codebook, so of the latent.

    Example:
        >>> Autoencoder(256, (128, 256), 2, (False, False), middle_attends=False, latent=3, codes=8192, code=3).code
        3
    """

    side: int
    widths: tuple[int, ...]
    layers: int
    attends: tuple[bool, ...]
    middle_attends: bool
    latent: int
    codes: int
    code: int


@dataclass(frozen=True)
class InpaintingConfig:
    """A whole model: its two networks, and the square of a line from `first_beta` to `last_beta` as its noise.

    Example:
        >>> denoiser = Denoiser(64, 7, 3, (64,), 2, (False,), 8, True)
        >>> autoencoder = Autoencoder(256, (128,), 2, (False,), False, 3, 8192, 3)
        >>> InpaintingConfig(denoiser, autoencoder, steps=1000, first_beta=0.0015, last_beta=0.0205).steps
        1000
    """

    denoiser: Denoiser
    autoencoder: Autoencoder
    steps: int
    first_beta: float
    last_beta: float


def read_config(path: Path) -> InpaintingConfig:
    """Read the file. Raises PagenError when it is none, of another model, or says what cannot be expressed.

    Example:
        >>> read_config(Path("none.yaml"))
        Traceback (most recent call last):
        pagen.errors.PagenError: expected the model's config.yaml, found no file at none.yaml; is the path right?
    """
    if not path.is_file():
        raise PagenError(f"expected the model's config.yaml, found no file at {path}; is the path right?")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = textwrap.shorten(str(error), 120)
        raise PagenError(f"expected YAML in {path}, found something else ({reason}); is the path right?") from error
    model = _Section(content, str(path)).part("model.params")
    model.only(cond_stage_key="masked_image", cond_stage_config="__is_first_stage__")
    model.usual(concat_mode=True, beta_schedule="linear", parameterization="eps", scale_factor=1.0, scale_by_std=False)
    model.usual(conditioning_key=(None, "concat"), given_betas=None)
    first, last = model.real("linear_start"), model.real("linear_end")
    if not first < last < 1:
        model.refuse("linear_end", "linear_start < linear_end < 1", last)
    autoencoder = _autoencoder(model)
    return InpaintingConfig(_denoiser(model, autoencoder.code), autoencoder, model.whole("timesteps"), first, last)


def _denoiser(model: _Section, latent: int) -> Denoiser:
    model.part("unet_config").target("UNetModel")
    unet = model.part("unet_config.params")
    unet.usual(use_spatial_transformer=False, context_dim=None, num_classes=None, n_embed=None, dims=2)
    unet.usual(use_scale_shift_norm=False, use_new_attention_order=False, conv_resample=True)
    unet.usual(num_head_channels=-1, num_heads_upsample=(-1, unet.whole("num_heads")))
    unet.only(in_channels=2 * latent + 1, out_channels=latent)
    multiples = unet.wholes("channel_mult")
    if multiples[:1] != (1,):
        unet.refuse("channel_mult", "a first level as wide as model_channels", list(multiples))
    rates, side, heads = unet.wholes("attention_resolutions"), model.whole("image_size"), unet.whole("num_heads")
    widths, layers = unet.widths("model_channels", multiples, heads), unet.whole("num_res_blocks")
    attends = tuple(2**level in rates for level in range(len(multiples)))
    return Denoiser(side, 2 * latent + 1, latent, widths, layers, attends, heads, unet.flag("resblock_updown"))


def _autoencoder(model: _Section) -> Autoencoder:
    model.part("first_stage_config").target("VQModelInterface")
    stage = model.part("first_stage_config.params")
    stage.usual(remap=None)
    sizes = stage.part("ddconfig")
    sizes.only(double_z=False, in_channels=3, out_ch=3)
    sizes.usual(attn_type=("none", "vanilla"), use_linear_attn=False, resamp_with_conv=True)
    sizes.usual(tanh_out=False, give_pre_end=False)
    multiples, side = sizes.wholes("ch_mult"), sizes.whole("resolution")
    vanilla = sizes.content.get("attn_type", "vanilla") == "vanilla"
    attended = sizes.wholes("attn_resolutions") if vanilla else ()
    attends = tuple(side // 2**level in attended for level in range(len(multiples)))
    widths, layers, latent = sizes.widths("ch", multiples, 1), sizes.whole("num_res_blocks"), sizes.whole("z_channels")
    codes, code = stage.whole("n_embed"), stage.whole("embed_dim")
    return Autoencoder(side, widths, layers, attends, vanilla, latent, codes, code)


@dataclass(frozen=True)
class _Section:
    """A table of the file, which knows where it stands in it."""

    content: Any
    path: str

    def part(self, path: str) -> _Section:
        """The table at a dotted path below this one."""
        section = self
        for key in path.split("."):
            found = section.value(key)
            if not isinstance(found, Mapping):
                section.refuse(key, "a table", found)
            section = _Section(found, f"{section.path} {key}")
        return section

    def value(self, key: str) -> Any:
        """The value of a key. Raises PagenError where there is none."""
        if not isinstance(self.content, Mapping) or key not in self.content:
            raise PagenError(f"expected {key} in {self.path}, found none; is it the config.yaml of an inpainting LDM?")
        return self.content[key]

    def fitting(self, key: str, wanted: str, fits: Callable[[Any], bool]) -> Any:
        """The value of a key. Raises PagenError where it does not fit."""
        value = self.value(key)
        return value if fits(value) else self.refuse(key, wanted, value)

    def whole(self, key: str) -> int:
        return int(self.fitting(key, "a positive whole number", _is_whole))

    def wholes(self, key: str) -> tuple[int, ...]:
        return tuple(self.fitting(key, "a list of positive whole numbers", _are_whole))

    def real(self, key: str) -> float:
        """A positive number; YAML takes `1e-4` for a word, the official reader does not."""
        return float(self.fitting(key, "a positive number", _is_positive))

    def flag(self, key: str) -> bool:
        return bool(self.fitting(key, "true or false", lambda value: isinstance(value, bool)))

    def widths(self, key: str, multiples: tuple[int, ...], heads: int) -> tuple[int, ...]:
        """Channels of the levels, which groups and heads must divide."""
        if not multiples:
            self.refuse(key, "multiples of it for at least one level", multiples)
        widths = tuple(self.whole(key) * multiple for multiple in multiples)
        if any(width % _GROUPS or width % heads for width in widths):
            self.refuse(key, f"levels in multiples of {_GROUPS} and of {heads} heads", list(widths))
        return widths

    def target(self, name: str) -> None:
        """Raise PagenError unless the section describes an object of that class."""
        if str(self.value("target")).rpartition(".")[2] != name:
            self.refuse("target", f"the class {name}", self.value("target"))

    def only(self, **wanted: Any) -> None:
        """Raise PagenError unless the keys stand there with these values."""
        for key, value in wanted.items():
            if self.value(key) != value:
                self.refuse(key, value, self.value(key))

    def usual(self, **wanted: Any) -> None:
        """Raise PagenError when a key stands there with another value than this, or than these."""
        for key, value in wanted.items():
            allowed = value if isinstance(value, tuple) else (value,)
            if key in self.content and self.content[key] not in allowed:
                self.refuse(key, " or ".join(str(one) for one in allowed), self.content[key])

    def refuse(self, key: str, wanted: object, value: object) -> NoReturn:
        shown = textwrap.shorten(str(value), 80)
        limit = "only the inpainting model of CompVis, with the masked image as its one condition, can be converted"
        raise PagenError(f"expected {key} {wanted} in {self.path}, found {shown}; {limit}")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**20


def _are_whole(values: object) -> bool:
    return isinstance(values, list) and all(map(_is_whole, values)) and len(values) <= _GROUPS


def _is_positive(value: object) -> bool:
    try:
        return isinstance(value, int | float | str) and float(value) > 0
    except ValueError:
        return False
