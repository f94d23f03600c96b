"""Independent items over local processes, in any order, with the same bytes.

Every item is computed with one thread, however many workers there are: OpenCV's DIS flow and
torch's convolutions give other last bits with another number of threads.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process, resource_tracker
from types import ModuleType
from typing import TypeVar

from pagen.errors import PagenError

Item = TypeVar("Item")
Result = TypeVar("Result")


def default_workers() -> int:
    """One process for each core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spread(
    function: Callable[[Item], Result], items: Sequence[Item], workers: int | None = None
) -> Iterator[tuple[Item, Result]]:
    """Yield (item, function(item)) as the items get done, in any order.

    Args:
        function: picklable, and a function of its item alone.
        items: picklable.
        workers: processes; 0 computes here, None takes one for each core.

    Raises:
        PagenError: a number of workers below 0, or a worker was killed (out of memory, mostly); what was
            done stays done.
    """
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
    pool = ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_start)
    try:
        with _birth():
            futures = {pool.submit(_compute, function, item): item for item in items}
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BrokenProcessPool as error:
        raise PagenError(
            "a worker process was killed, probably for want of memory; run the same command again with fewer --workers"
        ) from error
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
    """A spawned process runs the caller's script again, which no item needs and few scripts are made for."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        with _uninterrupted():
            yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C waits for the end of the block; a process spawned in it is deaf to it until `_start`."""
    came: list[int] = []
    in_main = threading.current_thread() is threading.main_thread()
    resource_tracker.ensure_running()  # would be started with the first process, and lift the mask
    handler = signal.signal(signal.SIGINT, lambda number, _: came.append(number)) if in_main else None
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if in_main:
            signal.signal(signal.SIGINT, handler)
    if came:
        signal.raise_signal(signal.SIGINT)


_interrupted = threading.Event()


def _compute(function: Callable[[Item], Result], item: Item) -> Result:
    """The item's result. Ctrl-C ends it, so that it tidies up, and all that this worker would do after it."""
    if _interrupted.is_set():
        raise KeyboardInterrupt
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return function(item)
    except KeyboardInterrupt:
        _interrupted.set()
        raise
    finally:
        signal.signal(signal.SIGINT, _interrupt)


def _interrupt(*_: object) -> None:
    # in silence: a worker that waits would print a traceback of its own
    _interrupted.set()


def _start() -> None:
    signal.signal(signal.SIGINT, _interrupt)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    # torch reads the variables when an item imports it; importing it here would cost each worker seconds
    os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
    import cv2

    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever, and write beside the parent's successor."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
