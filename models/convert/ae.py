"""The published autoencoders of clips as networks of pagen.

Their networks tell a checkpoint by the names of its weights, and channels, widths and items by their shapes. Neither
shows the end: MemAE and its baseline end linearly, LNTRA and STEAL in tanh. LNTRA's and STEAL's layers lie under
`encoder.encoder`, the baseline's under `encoder`; whoever named them otherwise has to say which it is.

LNTRA, STEAL and LUSS-AE publish pickles of whole modules, which only their own code can read: it has to write the
weights out first. Sources: the repositories aseuteurideu/LearningNotToReconstructAnomalies, aseuteurideu/STEAL,
donggong1/memae-anomaly-detection, devashishlohani/luss-ae_vad.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from torch import Tensor

from pagen import console
from pagen.errors import PagenError, unknown_name
from pagen.folders import digest
from pagen.methods import METHODS
from pagen.models.conv_ae import Autoencoder
from pagen.models.foreign import read_weights
from pagen.models.pretrained import Pretrained
from pagen.models.pretrained import card_of as card
from pagen.registry import resolve

NETWORKS = {name: method.network for method in METHODS.values() for name in method.published}
"""Name of a publication -> the class of its network, as `module:attribute`."""
_WHICH = f"is it a checkpoint of one of {' '.join(NETWORKS)}, and of which? --like tells"
_ADVICE = (
    "if it holds whole modules, run in their authors' environment: kept = lambda part: part.state_dict() if "
    'hasattr(part, "state_dict") else {{key: kept(value) for key, value in part.items()}} if isinstance(part, dict) '
    'else part if torch.is_tensor(part) else None; torch.save(kept(torch.load("{name}")), "weights.pth"), '
    "and convert weights.pth"
)
ROOTS = (
    ("encoder", "decoder"),
    ("encoder_model", "decoder_model", "feature_projector", "embed_1", "embed_2", "irreg_predictor"),
)
"""Modules that the networks have as they are published; the six of the second lie in tables of their own."""


def convert(checkpoint: Path, like: str = "auto", place: str | None = None) -> Pretrained:
    """The network of a checkpoint, in evaluation mode.

    Raises PagenError: not readable, whole modules, another network, weights missing, left over or of other shapes.

    Args:
        checkpoint: what `torch.save` wrote, or safetensors: state dicts, bare or in tables, wherever they lie
            (`read_weights`); LUSS-AE's six by their names.
        like: `lntra`, `steal`, `memae`, `luss`, or `auto` by the names of the weights.
        place: where the weights lie, in case they do in several places.

    Example:
        >>> import tempfile, torch
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     weights = Autoencoder(1, "tiny").state_dict()
        ...     torch.save({"model": weights}, Path(folder, "lntra.pth"))
        ...     convert(Path(folder, "lntra.pth"), like="lntra").config
        {'channels': 1, 'widths': 'tiny', 'tanh': True}
    """
    if like != "auto" and like not in NETWORKS:
        raise unknown_name("kind of autoencoder", like, ["auto", *NETWORKS])
    published = read_weights(checkpoint, ROOTS, place, _ADVICE.format(name=checkpoint.name), _WHICH)
    kind = _recognised(published, checkpoint) if like == "auto" else resolve(NETWORKS[like])
    weights = {kind.published_name(name): value for name, value in published.items()}
    network: Autoencoder = kind.from_published(weights)
    _fill(network, weights, checkpoint)
    if like == "auto" and type(network) is not kind:
        taken = f"a {type(network).__name__} that ends linearly, the baseline of {kind.__name__}"
        console.say(f"the names of the weights are taken for those of {taken}; --like tells")
    return network.eval()


def card_of(network: Pretrained, checkpoint: Path) -> str:
    """The card of a converted network: where its weights come from.

    Example:
        >>> import tempfile
        >>> from pagen.models.conv_ae import ConvAE3d
        >>> with tempfile.NamedTemporaryFile(suffix=".pth") as file:
        ...     "knows no more of it" in card_of(ConvAE3d(widths="tiny"), Path(file.name))
        True
    """
    title, origin = f"{type(network).__name__} from {checkpoint.name}", digest(checkpoint)["sha256"]
    publishers = f"what the publishers of `{checkpoint.name}` (SHA-256 `{origin}`) say"
    return card(network, title, f"{publishers}; pagen converted it, and knows no more of it.")


def _recognised(names: Collection[str], checkpoint: Path) -> type[Autoencoder]:
    """The first network that knows such names of weights."""
    networks: list[type[Autoencoder]] = [resolve(reference) for reference in NETWORKS.values()]
    for network in networks:
        if network.recognises(names):
            return network
    raise PagenError(f"expected an autoencoder of clips in {checkpoint}, found {min(names)} and the like; {_WHICH}")


def _fill(network: Pretrained, weights: Mapping[str, Tensor], checkpoint: Path) -> None:
    """Put every weight in its place. Raises PagenError when one is missing, left over, or of another shape."""
    wanted = network.state_dict()
    counters = {name: value for name, value in wanted.items() if name.endswith(".num_batches_tracked")}
    given = {**counters, **weights}  # before torch 0.4.1 nothing was counted
    what = f"expected the weights of a {type(network).__name__} in {checkpoint}"
    for names, state in ((wanted.keys() - given.keys(), "missing"), (given.keys() - wanted.keys(), "left over")):
        if names:
            raise PagenError(f"{what}, found {len(names)} {state}, among them {min(names)}; {_WHICH}")
    for name, value in wanted.items():
        if given[name].shape != value.shape:
            shapes = f"{tuple(given[name].shape)} where {tuple(value.shape)} belongs"
            raise PagenError(f"{what}, found {name} of the shape {shapes}; {_WHICH}")
    network.load_state_dict(given)
