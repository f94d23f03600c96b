"""Independent items over a Ray cluster, in any order, with the same bytes.

The machines of the cluster have the same pagen and see the same folders under the same paths: an item runs in the
folder that the command was given in. Items of a worker or a machine that was lost are done again elsewhere; should the
lost one still write, it writes the same bytes under a temporary name of its own.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from pagen.errors import PagenError

Item = TypeVar("Item")
Result = TypeVar("Result")

RETRIES = 5
"""How often an item is done again whose worker or machine was lost."""
_TIMEOUT = 5.0
# what ray reads when it is imported: it would print about lost workers on stdout, whatever `log_to_driver` says,
_SILENCE = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS_SKIP_REGEX": "(?s).*"}
# and try for minutes to reach an address where somebody else listens
_FEW_RETRIES = {"RAY_NUM_REDIS_GET_RETRIES": "1", "RAY_py_gcs_connect_timeout_s": "5"}


@dataclass(frozen=True)
class Cluster:
    """A Ray cluster, where else a number of local processes would stand.

    Attributes:
        address: HOST:PORT of its head; None starts Ray on this machine and ends it again.
        workers: most items at once; None takes all of its cores.
    """

    address: str | None = None
    workers: int | None = None


def spread_ray(
    function: Callable[[Item], Result], items: Sequence[Item], cluster: Cluster
) -> Iterator[tuple[Item, Result]]:
    """Yield (item, function(item)) as the items get done, in any order; see `pagen.spread.spread`.

    Raises PagenError where Ray is not installed or the cluster not reached, for fewer than one worker, or for an item
    that lost its worker time and again; what was done stays done.
    """
    if cluster.workers is not None and cluster.workers < 1:
        raise PagenError(f"expected --workers of 1 and more on Ray, found {cluster.workers}; leave it out for all")
    if not items:
        return
    with _connected(cluster) as ray:
        task = ray.remote(num_cpus=1, max_retries=RETRIES)(_working_in(Path.cwd(), function))
        # some beyond the cores keep them busy, and make a cluster grow that can; all would flood it
        most = cluster.workers or max(64, 4 * int(ray.cluster_resources().get("CPU", 0)))
        waiting, running = iter(items), dict[Any, Item]()
        while True:
            running.update((task.remote(item), item) for item in islice(waiting, most - len(running)))
            if not running:
                return
            (done,), _ = ray.wait(list(running), num_returns=1)
            yield running.pop(done), _result(ray, done)


def _working_in(folder: Path, function: Callable[[Item], Result]) -> Callable[[Item], Result]:
    def work(item: Item) -> Result:
        try:
            os.chdir(folder)
        except OSError as error:
            raise PagenError(
                f"expected the folder {folder} on all machines of the cluster, found none on {socket.gethostname()}; "
                "share it under the same path, or give the command in a folder that is shared"
            ) from error
        return function(item)

    return work


def _result(ray: ModuleType, reference: Any) -> Any:
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    except ray.exceptions.RayError as error:
        raise PagenError(
            f"an item lost its Ray worker {RETRIES + 1} times, probably for want of memory; "
            "run the same command again with fewer --workers"
        ) from error


@contextmanager
def _connected(cluster: Cluster) -> Iterator[ModuleType]:
    """The module `ray`, with a cluster behind it until the block ends."""
    if cluster.address:
        _require_listener(cluster.address)
    ray = quiet_ray(_FEW_RETRIES if cluster.address else {})
    own = {} if cluster.address else {"num_cpus": cluster.workers, "include_dashboard": False}
    try:
        ray.init(cluster.address or "local", log_to_driver=False, logging_level="ERROR", **own)
    except Exception as error:  # ray raises that very class where its processes are slow to start
        cluster_name = f"the Ray cluster at {cluster.address}" if cluster.address else "Ray on this machine"
        reason = " ".join(str(error).split())
        raise PagenError(f"cannot use {cluster_name}: {reason:.300}; is this machine one of the cluster's?") from error
    try:
        yield ray
    finally:
        ray.shutdown()


def quiet_ray(environment: Mapping[str, str]) -> ModuleType:
    """The module `ray`, imported so that it keeps quiet; `environment` is set beside, where it is not."""
    for name, value in {**_SILENCE, **environment}.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        raise PagenError("expected ray for --engine ray, found none; pip install 'pagen[ray]'") from error
    return ray


def _require_listener(address: str) -> None:
    """Raise PagenError where nobody listens, which takes Ray minutes to tell."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise PagenError(f"expected --address HOST:PORT of a Ray cluster's head, found {address!r}; mostly HOST:6379")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_TIMEOUT).close()
    except (OSError, OverflowError) as error:
        raise PagenError(
            f"expected a Ray cluster at {address}, found nobody there ({error}); start one with 'ray start --head'"
        ) from error
