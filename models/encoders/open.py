"""An encoder by its name, on a device."""

from __future__ import annotations

from dataclasses import replace

from pagen.device import device_named
from pagen.errors import require_name
from pagen.models.encoders.encoder import OWN, VIEWS, Encoder
from pagen.models.encoders.kinds import ENCODERS


def open_encoder(spec: str, device: str = "cpu", view: str = "whole") -> Encoder:
    """Open an encoder by `name` or `name:option`: `lite0`, `lite0:imagenet`, `clip:MODEL`, `vificlip:FOLDER`.

    Raises PagenError: no such encoder, device or view; its packages or its model are missing, the model is of another
    kind, has pickled weights only, or code of its own.

    Args:
        spec: MODEL and FOLDER are folders that `save_pretrained` wrote or hub ids `owner/name`.
        device: a name of torch's, or `auto`.
        view: `"whole"`: the frame resized to a square; `"vifi"`: the middle of it; `"own"`: what the encoder was
            trained on, `vifi` of vificlip and the whole frame of the others.

    Example:
        >>> open_encoder("lite1")
        Traceback (most recent call last):
        pagen.errors.PagenError: no encoder named 'lite1'; did you mean 'lite0'? known: clip lite0 vificlip
    """
    require_name("view", view, (*VIEWS, OWN))
    name, _, option = spec.partition(":")
    device = device_named(device)
    encoder = ENCODERS[name](option)
    seen = encoder.view if view == OWN else view
    return replace(encoder, network=encoder.network.to(device).eval(), view=seen, device=device)
