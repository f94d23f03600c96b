"""The published autoencoders of clips in pagen's classes: LNTRA, STEAL Net, MemAE with its baseline, LUSS-AE.

The names of its weights tell which one a checkpoint is, their shapes how many channels, widths and items it has. What
neither tells is the end: MemAE and its baseline end linearly, LNTRA and STEAL in tanh. LNTRA's and STEAL's layers lie
under `encoder.encoder`, the baseline's under `encoder`; whoever named them otherwise has to say which it is.

LNTRA, STEAL and LUSS-AE publish pickles of whole modules, which only their own code can read: it has to write the
weights out first. Sources: the repositories aseuteurideu/LearningNotToReconstructAnomalies, aseuteurideu/STEAL,
donggong1/memae-anomaly-detection, devashishlohani/luss-ae_vad.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import isqrt
from pathlib import Path
from typing import Any

from torch import Tensor

from pagen import console
from pagen.errors import PagenError, unknown_name
from pagen.folders import digest
from pagen.models.conv_ae import WIDTHS, ConvAE3d
from pagen.models.foreign import read_weights
from pagen.models.luss import LUSSAE
from pagen.models.memae import MemAE
from pagen.models.pretrained import Pretrained
from pagen.models.pretrained import card_of as card

Weights = Mapping[str, Tensor]

_MEMORY = "mem_rep.memory.weight"
_WHICH = "is it a checkpoint of LNTRA, STEAL, MemAE or LUSS-AE, and of which? --like tells"
_ADVICE = (
    "if it holds whole modules, run in their authors' environment: torch.save({{name: part.state_dict() for name, part "
    'in torch.load("{name}").items() if hasattr(part, "state_dict")}}, "weights.pth"), and convert weights.pth'
)

_LUSS = {
    **{f"encoder_model.encoder.{layer}": f"encoder.{layer}" for layer in range(12)},
    **{
        f"decoder_model.decoder.{block}.{layer}": f"decoder.{3 * block + layer}"
        for block in range(4)
        for layer in (0, 1)
    },
    "decoder_model.prediction.0": "ffp.0",
    "feature_projector.conv2d": "prp.2",
    "embed_1.fc": "prp.5",
    "embed_2.fc": "prp.7",
    "irreg_predictor.fc": "prp.9",
}
"""LUSS-AE's layers there -> here."""


def convert(checkpoint: Path, like: str = "auto") -> Pretrained:
    """The network of a checkpoint, in evaluation mode.

    Args:
        checkpoint: what `torch.save` wrote, or safetensors: state dicts, bare or in a table (`model`,
            `model_statedict`; LUSS-AE's six by their names), with `module.` before the names or without.
        like: `lntra`, `steal`, `memae`, `luss`, or `auto` by the names of the weights.

    Raises:
        PagenError: not readable, whole modules, another network, weights missing, left over or of other shapes.
    """
    if like != "auto" and like not in NETWORKS:
        raise unknown_name("kind of autoencoder", like, ["auto", *NETWORKS])
    found = read_weights(checkpoint, advice=_ADVICE.format(name=checkpoint.name))
    weights = {_here(name): value for name, value in found.items()}
    network = NETWORKS[_kind(found) if like == "auto" else like](weights)
    _fill(network, weights, checkpoint)
    if like == "auto" and isinstance(network, ConvAE3d) and not network.config["tanh"]:
        console.say("neither a memory nor LNTRA's names: taken for MemAE's baseline, which ends linearly; --like tells")
    return network.eval()


def card_of(network: Pretrained, checkpoint: Path) -> str:
    """The card of a converted network: where its weights come from."""
    origin = f"`{checkpoint.name}` (SHA-256 `{digest(checkpoint)['sha256']}`)"
    return card(
        network,
        f"{type(network).__name__} from {checkpoint.name}",
        f"what the publishers of {origin} say; pagen converted it, and knows no more of it.",
    )


def _kind(names: Mapping[str, Any]) -> str:
    """Which of the networks goes by such names."""
    if any(name.startswith("encoder_model.") for name in names):
        return "luss"
    if any(".encoder.encoder." in f".{name}" for name in names):
        return "lntra"
    return "memae"


def _here(name: str) -> str:
    """The name of a weight here, whatever the network was wrapped in when it was saved."""
    bare = re.sub(r"(?<![^.])(module|model|model_statedict)\.", "", name)
    layer, _, kind = re.sub(r"^(encoder|decoder)\.\1\.", r"\1.", bare).rpartition(".")
    return f"{_LUSS.get(layer, layer)}.{kind}".removeprefix(".")


def _sizes(weights: Weights) -> dict[str, Any]:
    """Channels and widths, by name where they have one."""
    shapes = [_shape(weights, f"encoder.{index}.weight", 5) for index in (0, 3, 6, 9)]
    widths = tuple(shape[0] for shape in shapes)
    named: dict[tuple[int, ...], str] = {counts: name for name, counts in WIDTHS.items()}
    return {"channels": shapes[0][1], "widths": named.get(widths, list(widths))}


def _shape(weights: Weights, name: str, axes: int) -> tuple[int, ...]:
    if name not in weights or weights[name].ndim != axes:
        found = f"the shape {tuple(weights[name].shape)}" if name in weights else "none of that name"
        raise PagenError(f"expected a weight {name} of {axes} axes, found {found}; {_WHICH}")
    return tuple(weights[name].shape)


def _lntra(weights: Weights) -> Pretrained:
    return ConvAE3d(**_sizes(weights), tanh=True)


def _memae(weights: Weights) -> Pretrained:
    if _MEMORY not in weights:
        return ConvAE3d(**_sizes(weights), tanh=False)
    return MemAE(**_sizes(weights), memory=_shape(weights, _MEMORY, 2)[0])


def _luss(weights: Weights) -> Pretrained:
    features = _shape(weights, "prp.5.weight", 2)[1]
    side = 64 * isqrt(features // 32)  # 32 channels of pixels that are 64 wide; square, as published
    return LUSSAE(**_sizes(weights), ffp="released", prp="published", size=(side, side))


NETWORKS: dict[str, Callable[[Weights], Pretrained]] = {
    "lntra": _lntra,
    "steal": _lntra,
    "memae": _memae,
    "luss": _luss,
}
"""Name of a publication -> the network that such weights fit, not yet filled."""


def _fill(network: Pretrained, weights: Weights, checkpoint: Path) -> None:
    """Put every weight in its place. Raises PagenError when one is missing, left over, or of another shape."""
    wanted = network.state_dict()
    counters = {name: value for name, value in wanted.items() if name.endswith(".num_batches_tracked")}
    given = {**counters, **weights}  # before torch 0.4.1 nothing was counted
    what = f"expected the weights of a {type(network).__name__} in {checkpoint}"
    for names, state in ((wanted.keys() - given.keys(), "missing"), (given.keys() - wanted.keys(), "left over")):
        if names:
            raise PagenError(f"{what}, found {len(names)} {state}, among them {min(names)}; {_WHICH}")
    for name, place in wanted.items():
        if given[name].shape != place.shape:
            shapes = f"{tuple(given[name].shape)} where {tuple(place.shape)} belongs"
            raise PagenError(f"{what}, found {name} of the shape {shapes}; {_WHICH}")
    network.load_state_dict(given)
