"""Randomness as an argument: (seed, kind, clip, index) -> an independent generator.

Every item draws from a stream of its own, so that neither the number of workers nor the order of items changes a byte.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import torch


def entropy(seed: int, *key: str | int) -> int:
    """128 bits that depend on the seed and on every part of the key, on every machine alike."""
    parts = [f"{'str' if isinstance(part, str) else 'int'}:{part}" for part in key]  # numpy's numbers are numbers
    text = "\x1f".join([str(seed), *parts])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "little")


def generator(seed: int, *key: str | int) -> np.random.Generator:
    """A numpy Generator for one item, for example `generator(0, "skip", "train_01", 17)`."""
    import numpy as np

    return np.random.Generator(np.random.PCG64(entropy(seed, *key)))


def torch_generator(seed: int, *key: str | int) -> torch.Generator:
    """A torch Generator on the CPU for one item; noise is drawn there whatever the device."""
    import torch

    return torch.Generator().manual_seed(entropy(seed, *key) % 2**63)
