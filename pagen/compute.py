"""One value that goes from a verb down to what computes: where work is done, and what of it may be kept."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pagen.device import device_named
from pagen.engine import workers_of
from pagen.options import Precision
from pagen.spread import Workers


@dataclass(frozen=True)
class Compute:
    """Where work is done, and what of it may be kept.

    Attributes:
        root: where footage lies: a data set's folder or any folder above it; None looks where `pagen datasets` says.
        device: where networks run: `cpu`, `cuda`, `cuda:1`, `mps`, or `auto`, the best there is.
        workers: processes (0 works in this one, None takes one for each core), or a Ray cluster.
        overwrite: start again, whatever an earlier command has left.
        partial: clips of a data set may be missing.
        rounding: what networks over clips multiply: `fp32`, or `bf16`.

    Example:
        >>> Compute(device="cpu", workers=2).spread_over
        2
    """

    root: Path | None = None
    device: str = "auto"
    workers: Workers = None
    overwrite: bool = False
    partial: bool = False
    rounding: Precision = "fp32"

    @classmethod
    def of(cls, config: Any) -> Compute:
        """The values that a verb's configuration has of these; what it lacks stays at its default.

        Raises PagenError: as `workers_of`.
        """
        given = {each.name: getattr(config, each.name) for each in fields(cls) if hasattr(config, each.name)}
        return cls(**given | ({"workers": workers_of(config)} if "workers" in given else {}))

    @property
    def precision(self) -> str:
        """What is added to the name of what is made with other numbers than `fp32`; empty for these."""
        return "" if self.rounding == "fp32" else self.rounding

    @property
    def place(self) -> str:
        """The device that `device` names. Raises PagenError where torch has no such device."""
        return device_named(self.device)

    @property
    def spread_over(self) -> Workers:
        """What items that need the device are spread over: `workers` on the CPU, else this process alone."""
        return self.workers if self.place == "cpu" else 0
