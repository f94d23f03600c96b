"""Flags of verbs whose items may run on a Ray cluster: `--engine`, `--address` and `--workers` together."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import tyro

from pagen.errors import PagenError
from pagen.spread import Workers
from pagen.spread_ray import Cluster

Engine = Annotated[
    Literal["local", "ray"],
    tyro.conf.arg(
        help="Where items run: local processes, or a Ray cluster whose machines see the same folders under the same "
        "paths."
    ),
]
Address = Annotated[
    str | None,
    tyro.conf.arg(help="HOST:PORT of the Ray cluster's head; by default Ray is started on this machine."),
]


def workers_of(config: Any) -> Workers:
    """What a verb's items are spread over: its processes, or with `--engine ray` a cluster.

    Raises PagenError for an address where nothing runs on Ray.

    Example:
        >>> from types import SimpleNamespace
        >>> workers_of(SimpleNamespace(workers=2))
        2
        >>> workers_of(SimpleNamespace(workers=2, engine="ray", address="head:6379"))
        Cluster(address='head:6379', workers=2)
    """
    engine, address = getattr(config, "engine", "local"), getattr(config, "address", None)
    if address is not None and engine != "ray":
        raise PagenError(f"expected --engine ray with --address, found --engine {engine}; give both or none")
    workers: int | None = config.workers
    return Cluster(address, workers) if engine == "ray" else workers
