"""The training of GCL: its phases, its epochs, and a step of each kind.

`generator` and `discriminator` are pre-training (an autoencoder alone is nothing but the former), `both` is the
cooperation, `own` a generator that is taught by its own labels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn import functional

from pagen.console import progress
from pagen.device import device_named
from pagen.errors import PagenError
from pagen.models.density.detector import Array, Rows, Scores
from pagen.models.density.gcl_labels import distances, pseudo_labels, pseudo_targets, soft_labels
from pagen.models.density.gcl_settings import ALONE, CALM, GCLSettings
from pagen.seeds import torch_generator

Measured = dict[str, float]
Step = Callable[[Tensor, Tensor, torch.Generator], Measured]
Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Seen:
    """What the networks said of each feature when it was last in a batch: `G` and `D` -> (N,), NaN before.

    Attributes:
        scores: the generator's errors and the discriminator's probabilities.
        labels: the pseudo-labels that were made of them.

    Example:
        >>> Seen.of(2).scores["G"], Seen.of(2).labels["D"]
        (array([nan, nan]), array([False, False]))
    """

    scores: dict[str, Scores]
    labels: dict[str, npt.NDArray[np.bool_]]

    @classmethod
    def of(cls, count: int) -> Seen:
        """Nothing yet, of so many features."""
        return cls({name: np.full(count, np.nan) for name in "GD"}, {name: np.zeros(count, np.bool_) for name in "GD"})


Watch = Callable[[Row, Seen], None]
"""Called after each epoch: its row of the history, and what was seen."""


@dataclass(frozen=True, eq=False)
class Cooperation:
    """The training of one GCL.

    Attributes:
        networks: `generator` and `discriminator`.
        inputs: features (n, D) as they are -> as the networks see them, on their device.
        differences: (N,), of each feature to the one before it; called where they count.
        normal_rows: (N,) bool, features of videos known to be normal; of no length where none is needed.
        truth: (N,) bool, abnormal features, for the history alone.

    Example:
        >>> gcl, rows = GCLSettings(epochs=2), Rows((np.eye(4),))
        >>> networks = nn.ModuleDict({"generator": nn.Linear(4, 4), "discriminator": nn.Linear(4, 1)})
        >>> inputs = lambda piece: torch.from_numpy(piece).float()
        >>> taught = Cooperation(gcl, networks, inputs, rows, lambda: np.zeros(4), torch.zeros(0), None, None)
        >>> [(row["phase"], row["rows"]) for row in taught.epochs()]
        [('both', 4), ('both', 4)]
    """

    gcl: GCLSettings
    networks: nn.ModuleDict
    inputs: Callable[[Array], Tensor]
    rows: Rows
    differences: Callable[[], Scores]
    normal_rows: Tensor
    truth: Tensor | None
    watch: Watch | None

    def epochs(self) -> Iterator[Row]:
        """Train; a row an epoch."""
        everything, gcl = torch.arange(len(self.rows)), self.gcl
        if gcl.variant in ALONE:
            yield from self._phase("generator", self._clean(), gcl.epochs, self._generator_alone)
            return
        if gcl.variant != "B":
            yield from self._phase("generator", self._clean(), gcl.pretraining, self._generator_alone)
        if gcl.variant != "B" and gcl.discriminates:
            yield from self._phase("discriminator", everything, gcl.pretraining, self._discriminator_alone)
        phase, step = ("both", self._both) if gcl.discriminates else ("own", self._own)
        yield from self._phase(phase, everything, gcl.epochs, step)

    def _clean(self) -> Tensor:
        """The features that the generator is trained on by itself."""
        if self.gcl.variant == "AE_AllData":
            return torch.arange(len(self.rows))
        if self.gcl.variant not in CALM:
            return self.normal_rows.nonzero()[:, 0]
        differences, most = self.differences(), self.gcl.difference
        calm = differences <= (np.quantile(differences, self.gcl.calm) if most is None else most)
        return torch.from_numpy(calm).nonzero()[:, 0]

    def _phase(self, phase: str, rows: Tensor, epochs: int, step: Step) -> Iterator[Row]:
        for epoch in progress(range(epochs), f"GCL, {phase}", epochs, "epochs"):
            rng = torch_generator(self.gcl.seed, phase, epoch)
            order = rows[torch.randperm(len(rows), generator=rng)]
            batches = (part.sort().values for part in order.tensor_split(-(-len(rows) // self.gcl.batch)))
            steps = [step(self.inputs(self.rows.take(which.numpy())), which, rng) for which in batches]
            summed = {name: sum(measured[name] for measured in steps) for name in steps[0]}
            means = _row(summed, len(rows), len(steps))
            if not np.isfinite([means.get("loss_G", 0.0), means.get("loss_D", 0.0)]).all():
                raise PagenError(f"expected finite losses, found others in epoch {epoch} ({phase}); lower lr")
            areas = self._areas(phase) if len(rows) == len(self.rows) else {}
            row = {"phase": phase, "epoch": epoch, "rows": len(rows), **means, **areas}
            if self.watch is not None:
                self.watch(row, self._seen)
            yield row

    def _generator_alone(self, x: Tensor, which: Tensor, rng: torch.Generator) -> Measured:
        errors = distances(x, self.networks["generator"](x))
        self._saw("G", errors, which)
        return {"loss_G": self._descend("generator", errors.mean())}

    def _discriminator_alone(self, x: Tensor, which: Tensor, rng: torch.Generator) -> Measured:
        with torch.no_grad():
            errors = distances(x, self.networks["generator"](x))
        labels = self._labels("G", errors, self.gcl.factor, which)
        wanted = self._unless_normal(soft_labels(errors), which) if self.gcl.teaching == "soft" else labels
        odds = self.networks["discriminator"](x)[:, 0]
        self._saw("D", odds.double().sigmoid(), which)
        loss = functional.binary_cross_entropy_with_logits(odds, wanted.to(x))
        return {"loss_D": self._descend("discriminator", loss), **self._counted("G", labels, which)}

    def _both(self, x: Tensor, which: Tensor, rng: torch.Generator) -> Measured:
        taught = self._discriminator_alone(x, which, rng)
        with torch.no_grad():
            probabilities = self.networks["discriminator"](x)[:, 0].cpu().double().sigmoid()
        labels = self._labels("D", probabilities, self.gcl.discriminator_factor, which)
        return {"loss_G": self._taught(x, labels, rng), **taught, **self._counted("D", labels, which)}

    def _own(self, x: Tensor, which: Tensor, rng: torch.Generator) -> Measured:
        with torch.no_grad():
            errors = distances(x, self.networks["generator"](x))
        labels = self._labels("G", errors, self.gcl.factor, which)
        return {"loss_G": self._taught(x, labels, rng), **self._counted("G", labels, which)}

    def _taught(self, x: Tensor, labels: Tensor, rng: torch.Generator) -> float:
        """A step of the generator by labels: equation 5."""
        inputs, targets = pseudo_targets(x, labels, self.gcl.targets, rng, self.gcl.noise)
        return self._descend("generator", distances(targets, self.networks["generator"](inputs)).mean())

    def _labels(self, network: str, values: Tensor, factor: float, which: Tensor) -> Tensor:
        labels = self._unless_normal(pseudo_labels(values, factor), which)
        self._saw(network, values, which)
        self._seen.labels[network][which.numpy()] = labels.numpy()
        return labels

    def _unless_normal(self, labels: Tensor, which: Tensor) -> Tensor:
        return labels * ~self.normal_rows[which] if self.gcl.variant == "WS" else labels

    def _descend(self, name: str, loss: Tensor) -> float:
        self._optimisers[name].zero_grad()
        loss.backward()
        self._optimisers[name].step()
        return loss.item()

    @cached_property
    def _optimisers(self) -> dict[str, torch.optim.RMSprop]:
        device, gcl = device_named(self.gcl.device), self.gcl
        return {
            name: torch.optim.RMSprop(network.to(device).parameters(), gcl.lr, momentum=gcl.momentum)
            for name, network in self.networks.items()
        }

    @cached_property
    def _seen(self) -> Seen:
        return Seen.of(len(self.rows))

    def _saw(self, network: str, values: Tensor, which: Tensor) -> None:
        self._seen.scores[network][which.numpy()] = values.detach().cpu().double().numpy()

    def _counted(self, network: str, labels: Tensor, which: Tensor) -> Measured:
        right = {} if self.truth is None else {f"right_{network}": int((labels & self.truth[which]).sum())}
        return {f"share_{network}": int(labels.sum()), **right}

    def _areas(self, phase: str) -> Measured:
        """How well either network tells the abnormal features from the others, where that is known."""
        if self.truth is None or self.truth.all() or not self.truth.any():
            return {}
        asked = {"generator": "G", "own": "G"}.get(phase, "GD")
        return {f"auroc_{name}": float(roc_auc_score(self.truth, self._seen.scores[name])) for name in asked}


def _row(summed: Measured, rows: int, steps: int) -> Measured:
    """Means of an epoch: losses over its batches, shares over its rows, precisions over the labels."""
    row = {name: value / (rows if "share" in name else steps) for name, value in summed.items() if "right" not in name}
    for network in "GD":
        if f"right_{network}" in summed:
            labelled = summed[f"share_{network}"]
            row[f"precision_{network}"] = summed[f"right_{network}"] / labelled if labelled else float("nan")
    return row
