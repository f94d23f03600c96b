"""The encoders by name; others register theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pagen.device import device_named
from pagen.errors import unknown_name
from pagen.models.encoders.encoder import VIEWS, Encoder
from pagen.registry import Registry


def _lite0(option: str) -> Encoder:
    from pagen.models.encoders.lite0 import open_lite0

    return open_lite0(option)


def _clip(option: str) -> Encoder:
    from pagen.models.encoders.clip import open_clip

    return open_clip(option)


def _vificlip(option: str) -> Encoder:
    from pagen.models.encoders.clip import open_vificlip

    return open_vificlip(option)


ENCODERS: Registry[Callable[[str], Encoder]] = Registry(
    "encoder", "pagen.encoders", {"lite0": _lite0, "clip": _clip, "vificlip": _vificlip}
)
"""Name -> factory over what follows the colon of `name:option`, empty without one; raises PagenError."""


def open_encoder(spec: str, device: str = "cpu", view: str = "whole") -> Encoder:
    """An encoder by `name` or `name:option`: `lite0`, `lite0:imagenet`, `clip:MODEL`, `vificlip:FOLDER`.

    Args:
        spec: MODEL and FOLDER are folders that `save_pretrained` wrote or hub ids `owner/name`.
        device: a name of torch's, or `auto`.
        view: `"whole"`: the frame resized to a square; `"vifi"`: the middle of it.

    Raises:
        PagenError: no such encoder, device or view; its packages or its model are missing, the model is of
            another kind, has pickled weights only, or code of its own.
    """
    if view not in VIEWS:
        raise unknown_name("view", view, VIEWS)
    name, _, option = spec.partition(":")
    place = device_named(device)
    encoder = ENCODERS[name](option)
    return replace(encoder, network=encoder.network.to(place).eval(), view=view, device=place)
