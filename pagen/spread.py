"""Independent items over local processes or a Ray cluster, in any order, with the same bytes.

Every item has one thread: torch's convolutions and sums give other last bits with another number of them.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context, parent_process, resource_tracker
from types import ModuleType
from typing import Any, TypeVar

from pagen.errors import PagenError
from pagen.registry import Lent, borrow, lent
from pagen.signals import deferred
from pagen.spread_ray import Cluster, spread_ray
from pagen.third_party import called

Item = TypeVar("Item")
Result = TypeVar("Result")
Workers = int | Cluster | None
"""Local processes (0 for none, None for one a core), or a Ray cluster."""


def default_workers() -> int:
    """One process for each core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spread(
    function: Callable[[Item], Result], items: Sequence[Item], workers: Workers = None
) -> Iterator[tuple[Item, Result]]:
    """Yield (item, function(item)) as the items get done, in any order.

    Args:
        function, items: picklable; the function depends on its item alone.
        workers: processes; 0 computes here, None takes one for each core, a `Cluster` its own.

    Raises:
        PagenError: a number of workers below 0, a worker was killed (out of memory, mostly), a function of the
            script that was started, which no worker can import, or what `spread_ray` says of a cluster; what was done
            stays done.
    """
    if isinstance(workers, Cluster):
        yield from spread_ray(partial(_alone, function, lent()), items, workers)
        return
    if workers is not None and workers < 0:
        raise PagenError(f"expected --workers of 0 and more, found {workers}; leave it out for one for each core")
    if not items:
        return
    count = min(default_workers() if workers is None else workers, len(items))
    if count == 0:
        with one_thread():
            for item in items:
                yield item, function(item)
        return
    with _birth():
        work, packed, known = _packed(function), [(item, _packed(item)) for item in items], lent()
        resource_tracker.ensure_running()  # it is born once, and would die of a terminal that closes
    pool = ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_start, initargs=(known,))
    try:
        with _birth():
            futures = {pool.submit(_called, work, pickled): item for item, pickled in packed}
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BrokenProcessPool as error:
        raise PagenError(
            "a worker process was killed, probably for want of memory; run the same command again with fewer --workers"
        ) from error
    except (KeyboardInterrupt, GeneratorExit):
        for process in pool._processes.values():  # public from Python 3.14 on, as `terminate_workers`
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for OpenCV and torch inside the block, what was set before after it."""
    import cv2
    import torch

    before = cv2.getNumThreads(), torch.get_num_threads()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before[0])
        torch.set_num_threads(before[1])


@contextmanager
def _birth() -> Iterator[None]:
    """Hide the caller's script from spawned processes, which would run it again; and Ctrl-C and a terminal that closes:
    the parent ends them, once all are born."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        with deferred():
            yield
    finally:
        sys.modules["__main__"] = main


def _packed(value: Any) -> bytes:
    """Pickled. Raises PagenError for what a worker cannot import: it would die of it without a word."""
    try:
        return pickle.dumps(value)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise _not_importable(error) from error


def _called(function: bytes, item: bytes) -> Any:
    try:
        values = pickle.loads(function), pickle.loads(item)
    except Exception as error:  # whatever a module does when it is imported
        raise _not_importable(error) from error
    return called(*values)


def _not_importable(error: Exception) -> PagenError:
    found = " ".join(f"{type(error).__name__}: {error}".split())
    return PagenError(
        f"expected functions and classes that worker processes can import, found others ({found:.300}); put them in a "
        "module of their own, not in the script that is started, or take 0 workers"
    )


def _start(lent: Lent) -> None:
    _keep_to_one_thread()
    borrow(lent)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _alone(function: Callable[[Item], Result], lent: Lent, item: Item) -> Result:
    _keep_to_one_thread()
    borrow(lent)
    done: Result = called(function, item)
    return done


def _keep_to_one_thread() -> None:
    """One thread in this process from now on."""
    # torch reads the variables when an item imports it; importing it here would cost each worker seconds
    os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
    import cv2

    cv2.setNumThreads(1)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever, and write beside the parent's successor."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
