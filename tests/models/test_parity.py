"""Our networks against numbers of the official code of LNTRA, MemAE and LUSS-AE.

`data/parity_*.npz` holds what the official modules gave in evaluation mode and double precision, every so many values
of the flat output. Weights, statistics and inputs are not kept but made again by `pattern`, whose numbers look like
noise and need no generator: cosines of squares modulo a prime. They depend on the place of a tensor in the network,
not on its name, since the official names differ. Of commits bce1fbb (LNTRA), ceece77 (MemAE) and 7dc9ba8 (LUSS-AE).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from pagen.models.conv_ae import ConvAE3d
from pagen.models.luss import LUSSAE
from pagen.models.memae import MemAE, empty_share, entropy

DATA = Path(__file__).parent / "data"
PRIME = 9973
CLIP = (1, 1, 16, 48, 32)
GAIN, MEMORY, SHRINK = 2.4, 200, 0.05


def pattern(shape: tuple[int, ...], place: int) -> npt.NDArray[np.float64]:
    """Numbers in [-1, 1] that look like noise; each place has its own."""
    index = np.arange(math.prod(shape), dtype=np.int64)
    return np.cos(2 * np.pi / PRIME * ((1234 * index**2 + 3456 * place + 789) % PRIME)).reshape(shape)


def weights(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state of which signals stay near 1, by the order of the tensors."""
    floats = {name: tensor for name, tensor in tensors.items() if tensor.is_floating_point()}
    named = enumerate(floats.items())
    return {name: torch.from_numpy(_weight(name, tensor, place)) for place, (name, tensor) in named}


def _weight(name: str, tensor: Tensor, place: int) -> npt.NDArray[np.float64]:
    values = pattern(tuple(tensor.shape), place)
    if tensor.ndim > 1:
        transposed = "decoder" in name  # (in, out, ...), of which a stride of 2 meets every eighth
        values *= GAIN / math.sqrt(values.size / tensor.shape[transposed] / (8 if transposed else 1))
    elif name.endswith(("running_mean", "bias")):
        values /= 10
    else:
        values = 1 + values / 2
    return values


def filled(network: nn.Module) -> Any:
    """The network with the pattern for a state, in evaluation mode."""
    missing, unknown = network.double().load_state_dict(weights(network.state_dict()), strict=False)
    assert not unknown
    assert all(name.endswith("num_batches_tracked") for name in missing)
    return network.eval()


def drawn(shape: tuple[int, ...], place: int) -> Tensor:
    """An input."""
    return torch.from_numpy(pattern(shape, 1000 + place))


def codes() -> Tensor:
    """Four codes, dark to bright, of which LUSS-AE takes some for accelerated."""
    return drawn((4, 256, 2, 16, 16), 1) + torch.linspace(-2, 2, 4).reshape(4, 1, 1, 1, 1)


def official(which: str) -> dict[str, npt.NDArray[np.float32]]:
    with np.load(DATA / f"parity_{which}.npz") as numbers:
        return {name: numbers[name] for name in numbers.files}


def assert_close(ours: Tensor, theirs: npt.NDArray[np.float32], step: int = 1) -> None:
    """Equal where the official values were kept, which are not all the same."""
    assert theirs.size < 2 or np.std(theirs) > 1e-3
    np.testing.assert_allclose(ours.detach().numpy().reshape(-1)[::step], theirs, rtol=1e-6, atol=1e-6)


@torch.no_grad()
def test_conv_ae_is_that_of_lntra() -> None:
    assert_close(filled(ConvAE3d())(drawn(CLIP, 0)), official("lntra")["output"], 31)


@pytest.mark.parametrize(("which", "shrink"), [("memae_shrunk", SHRINK), ("memae_whole", 0.0)])
@torch.no_grad()
def test_memae_is_the_official_one(which: str, shrink: float) -> None:
    network = filled(MemAE(memory=MEMORY, shrink=shrink))
    numbers, ours = official(which), network.addressed(drawn(CLIP, 0))
    assert_close(ours.reconstruction, numbers["output"], 31)
    assert_close(ours.weights, numbers["weights"], 5)
    assert_close(entropy(ours.weights), numbers["entropy"])
    dropped = float((ours.weights == 0).float().mean())
    assert (0.3 < dropped < 1) if shrink else dropped == 0
    assert (0.1 < empty_share(ours.weights) < 0.9) if shrink else empty_share(ours.weights) == 0


@torch.no_grad()
def test_the_decoded_clip_and_the_next_frame_are_those_of_luss() -> None:
    network, numbers = filled(LUSSAE(ffp="released", prp="conv")), official("luss")
    given = network(drawn(CLIP, 0))
    assert given.ffp.shape == (1, 1, 1, 48, 32)
    assert_close(given.vcr, numbers["vcr"], 31)
    assert_close(given.ffp, numbers["ffp"], 3)


@torch.no_grad()
def test_the_playback_rate_is_that_of_luss() -> None:
    logits = filled(LUSSAE().prp)(codes())
    numbers = official("luss")
    assert_close(logits, numbers["logits"])
    assert_close(logits.softmax(1), numbers["probabilities"])
    assert set(np.argmax(numbers["logits"].reshape(4, 2), 1)) == {0, 1}
