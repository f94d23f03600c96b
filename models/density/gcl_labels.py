"""Pseudo-labels and pseudo-targets that GCL makes of each batch (Zaheer et al., CVPR 2022, section 3).

Statistics are those of the population, in float64, so that a batch of one gives no label, and no rounding labels all.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from torch import Tensor

from pagen.models.density.detector import PIECE, Rows, Scores
from pagen.models.density.gcl_settings import Target
from pagen.models.density.standard import Standard

TINY = 1e-6


def distances(x: Tensor, other: Tensor) -> Tensor:
    """Euclidean distances of features row by row, (N, D) and (N, D) -> (N,): equation 1 before its mean.

    Example:
        >>> distances(torch.tensor([[3.0, 4.0]]), torch.zeros(1, 2))
        tensor([5.])
    """
    return cast(Tensor, torch.linalg.vector_norm(x - other, dim=1))


def pseudo_labels(values: Tensor, factor: float) -> Tensor:
    """Whether values (N,) are at least their mean + factor * deviation, (N,) bool on the CPU: equations 2 and 4.

    None where they do not vary, and never all of them when the factor is not negative.

    Example:
        >>> pseudo_labels(torch.tensor([0.1, 0.2, 0.1, 0.9]), factor=1.0)
        tensor([False, False, False,  True])
    """
    exact = values.detach().cpu().double()
    mean, deviation = exact.mean(), exact.std(correction=0)
    return (exact >= mean + factor * deviation) & (deviation > TINY * mean.abs())


def soft_labels(values: Tensor) -> Tensor:
    """Values (N,) from 0, the lowest, to 1, the highest, float64 on the CPU: labels without equation 2's threshold.

    0 where they do not vary, as `pseudo_labels` gives none there.

    Example:
        >>> soft_labels(torch.tensor([1.0, 3.0, 2.0]))
        tensor([0.0000, 1.0000, 0.5000], dtype=torch.float64)
    """
    exact = values.detach().cpu().double()
    range_ = exact.max() - exact.min()
    return (exact - exact.min()) / range_ if range_ > TINY * exact.mean().abs() else torch.zeros_like(exact)


def pseudo_targets(
    x: Tensor, labels: Tensor, kind: Target, rng: torch.Generator, noise: float = 1.5
) -> tuple[Tensor, Tensor]:
    """Inputs of the generator and what it is to make of them, both (M, D): equation 6 and its alternatives.

    Args:
        x: features (N, D).
        labels: (N,) bool on the CPU, True = anomalous, not all.
        kind: of the targets of those: `ones`; `replace`: normal features of the batch, drawn; `gaussian`: themselves
            with noise; `none`: they are left out, M < N.
        noise: deviation of `gaussian`; the paper tries 1.5 and 6.

    Example:
        >>> x, labels = torch.zeros(2, 3), torch.tensor([False, True])
        >>> pseudo_targets(x, labels, "ones", torch.Generator())[1]
        tensor([[0., 0., 0.],
                [1., 1., 1.]])
    """
    abnormal, normal = labels.nonzero()[:, 0], (~labels).nonzero()[:, 0]
    if kind == "none":
        return x[normal], x[normal]
    targets = x.clone()
    if kind == "ones":
        targets[abnormal] = 1.0
    elif kind == "replace":
        targets[abnormal] = x[normal[torch.randint(len(normal), (len(abnormal),), generator=rng)]]
    else:
        targets[abnormal] += noise * torch.randn((len(abnormal), x.shape[1]), generator=rng).to(x.device)
    return x, targets


def temporal_differences(rows: Rows, standard: Standard) -> Scores:
    """Distance of every standardised feature to the one before it in its video, (N,); 0 for the first of a video.

    Example:
        >>> standard = Standard(np.zeros(1), np.ones(1))
        >>> temporal_differences(Rows((np.array([[0.0], [2.0]]), np.array([[7.0]]))), standard)
        array([0., 2., 0.])
    """
    differences = list[Scores]()
    for part in rows.parts:
        pieces = (standard(part[start : start + PIECE + 1]) for start in range(0, len(part) - 1, PIECE))
        differences += [np.zeros(1), *(np.linalg.norm(np.diff(piece, axis=0), axis=1) for piece in pieces)]
    return np.concatenate(differences)
